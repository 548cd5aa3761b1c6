//! The ways in which an origin answers, right or wrong.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Next;
use crate::PATIENCE;
use crate::message::Head;

type Make = dyn Fn(&Head, &[u8]) -> Vec<u8> + Send + Sync;

/// What an origin does with a request. To refuse connections, use [`crate::ports::Refusing`].
#[derive(Clone)]
pub enum Behaviour {
    /// 200 with a short text, and the next request on the same connection.
    Answer,
    /// These octets, whatever they are; then the next request.
    Octets(Arc<[u8]>),
    /// What the function makes of head and body; then the next request.
    Make(Arc<Make>),
    /// These octets, then the end of the connection.
    OctetsThenClose(Arc<[u8]>),
    /// As [`Behaviour::Answer`], but closes without having said so.
    CloseAfterAnswer,
    /// Closes instead of answering.
    CloseAtOnce,
    /// Resets instead of answering.
    ResetAtOnce,
    /// A head that promises `promised` octets, `sent` of them, then a reset.
    ResetMidBody { promised: usize, sent: usize },
    /// As above, but chunked and with an orderly end, so without the last chunk.
    CloseMidChunks { sent: usize },
    /// The head octet by octet, with a pause before each.
    SlowHead { pause: Duration },
    /// A body of so many octets, one by one, with a pause before each.
    Trickle { octets: usize, pause: Duration },
    /// The whole answer before the request's body has been read; the connection goes on only without a body.
    Early { status: u16 },
    /// As [`Behaviour::Answer`], then ends its sending side and reads on.
    HalfClose,
    /// As [`Behaviour::Answer`], with octets behind it that belong to nothing.
    ExtraOctets(Arc<[u8]>),
    /// Takes the request and never answers.
    Silent,
    /// 101 to a request for an upgrade, then sends back what comes (which is not recorded).
    Upgrade,
}

impl std::fmt::Debug for Behaviour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Behaviour")
    }
}

// === impl Behaviour ===

impl Behaviour {
    /// Answers with what `make` returns for a head and a body: complete octets, framing included.
    pub fn make(make: impl Fn(&Head, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::Make(Arc::new(make))
    }

    /// 200 with this body.
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self::Octets(response(200, &body.into()).into())
    }

    pub(super) fn answers_before_body(&self) -> bool {
        matches!(self, Self::Early { .. } | Self::ResetAtOnce | Self::CloseAtOnce)
    }

    /// `None`: the connection broke.
    pub(super) fn answer(&self, head: &Head, body: &[u8], stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Next> {
        self.try_answer(head, body, stream, unread).ok()
    }

    fn try_answer(&self, head: &Head, body: &[u8], stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Next> {
        let usual = usual(head);
        match self {
            Self::Answer => stream.write_all(&usual)?,
            Self::Octets(octets) => stream.write_all(octets)?,
            Self::Make(make) => stream.write_all(&make(head, body))?,
            Self::OctetsThenClose(octets) => return stream.write_all(octets).map(|()| Next::End),
            Self::CloseAfterAnswer => return stream.write_all(&usual).map(|()| Next::End),
            Self::CloseAtOnce => return Ok(Next::End),
            Self::ResetAtOnce => return reset(stream),
            Self::ResetMidBody { promised, sent } => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\n\r\n")?;
                stream.write_all(&vec![b'x'; *sent])?;
                // Lets what was sent be read: a reset throws away what still waits in the peer's queue.
                sleep(Duration::from_millis(50));
                return reset(stream);
            }
            Self::CloseMidChunks { sent } => {
                write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{sent:x}\r\n")?;
                return stream.write_all(&[vec![b'x'; *sent], b"\r\n".to_vec()].concat()).map(|()| Next::End);
            }
            Self::SlowHead { pause } => slowly(stream, &usual, *pause)?,
            Self::Trickle { octets, pause } => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {octets}\r\n\r\n")?;
                slowly(stream, &vec![b'x'; *octets], *pause)?;
            }
            Self::Early { status } => {
                stream.write_all(&response(*status, b"early\n"))?;
                // Unread octets would turn the close into a reset, and the answer would be lost.
                stream.shutdown(Shutdown::Write)?;
                drain(stream);
                return Ok(Next::End);
            }
            Self::HalfClose => {
                stream.write_all(&usual)?;
                stream.shutdown(Shutdown::Write)?;
                drain(stream);
                return Ok(Next::End);
            }
            Self::ExtraOctets(extra) => stream.write_all(&[&usual, &extra[..]].concat())?,
            Self::Silent => {
                drain(stream);
                return Ok(Next::End);
            }
            Self::Upgrade => return upgrade(head, stream, unread),
        }
        Ok(Next::Continue)
    }
}

/// 200 and a short text that names the request's target.
fn usual(head: &Head) -> Vec<u8> {
    let text = format!("served {}\n", head.target());
    let mut answer = response(200, text.as_bytes());
    if head.method() == "HEAD" {
        answer.truncate(answer.len() - text.len());
    }
    answer
}

/// A complete response with this status and body.
fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn reset(stream: &TcpStream) -> io::Result<Next> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    Ok(Next::Reset)
}

fn slowly(stream: &mut TcpStream, octets: &[u8], pause: Duration) -> io::Result<()> {
    for octet in octets {
        sleep(pause);
        stream.write_all(&[*octet])?;
    }
    Ok(())
}

/// Reads until the peer ends, or long enough.
fn drain(stream: &mut TcpStream) {
    let deadline = Instant::now() + 2 * PATIENCE;
    let mut chunk = [0; 16 << 10];
    while Instant::now() < deadline {
        match stream.read(&mut chunk) {
            Ok(0) => return,
            Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return,
            Ok(_) | Err(_) => {}
        }
    }
}

fn upgrade(head: &Head, stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Next> {
    let Some(protocol) = head.get("upgrade") else { return stream.write_all(&response(400, b"no upgrade\n")).map(|()| Next::End) };
    write!(stream, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n")?;
    stream.write_all(unread)?;
    unread.clear();
    let deadline = Instant::now() + 2 * PATIENCE;
    let mut chunk = [0; 16 << 10];
    while Instant::now() < deadline {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => stream.write_all(&chunk[..n])?,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Next::End)
}
