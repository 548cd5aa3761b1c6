//! A raw HTTP/1 client: sends exactly the octets it is given, and tells exactly what came back.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::PATIENCE;
use crate::message::{Body, Framing, Head, Malformed};

/// The most octets of one response.
const RESPONSE_LIMIT: usize = 64 << 20;

/// An open connection, over TCP or anything else that reads and writes (TLS).
#[derive(Debug)]
pub struct Connection<S = TcpStream> {
    stream: S,
    /// Read but not yet part of a response.
    buffer: Vec<u8>,
    /// The peer sends no more.
    ended: bool,
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub head: Head,
    /// The head as it came, with its final empty line.
    pub head_octets: Vec<u8>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    pub framing: Framing,
}

/// How a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Ended with FIN.
    Clean,
    /// Ended with RST.
    Reset,
    /// Not ended within the time that was given.
    Open,
    /// More octets came instead.
    Data,
}

/// Why there is no response.
#[derive(Debug)]
pub enum NoResponse {
    /// The connection ended before a response began.
    Closed(Close),
    /// It ended within one; this much came.
    Truncated(Vec<u8>),
    /// Nothing complete within [`PATIENCE`].
    Silent(Vec<u8>),
    Malformed(Malformed, Vec<u8>),
    Io(io::Error),
}

// === impl Connection ===

impl Connection<TcpStream> {
    /// # Panics
    ///
    /// If nobody listens: a test that expects that uses [`TcpStream::connect`].
    pub fn open(to: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&to, PATIENCE).unwrap_or_else(|error| panic!("cannot connect to {to}: {error}"));
        Self::over_tcp(stream).expect("a fresh socket takes options")
    }

    /// From this source address, for example 127.0.0.66.
    pub fn open_from(from: IpAddr, to: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(from, 0).into())?;
        socket.connect_timeout(&to.into(), PATIENCE)?;
        Self::over_tcp(socket.into())
    }

    fn over_tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::over(stream))
    }

    /// Sends no more, still reads.
    pub fn finish(&mut self) {
        // The peer may be gone already; what comes back then tells.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Closes so that the peer sees a reset.
    pub fn reset(self) -> io::Result<()> {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// Waits for the connection's end, without reading what came before it as a response.
    pub fn closed_within(&mut self, time: Duration) -> Close {
        if !self.buffer.is_empty() {
            return Close::Data;
        }
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Close::Open;
            }
            if self.stream.set_read_timeout(Some(left)).is_err() {
                return Close::Reset;
            }
            let filled = self.fill();
            let _ = self.stream.set_read_timeout(Some(PATIENCE));
            match filled {
                Ok(()) if self.ended => return Close::Clean,
                Ok(()) => return Close::Data,
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Close::Reset,
            }
        }
    }

    /// The connection's end, for which [`PATIENCE`] is waited.
    pub fn closed(&mut self) -> Close {
        self.closed_within(PATIENCE)
    }

    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }
}

impl<S: Read + Write> Connection<S> {
    /// Over a stream whose reads and writes have a deadline.
    pub fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::new(), ended: false }
    }

    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Writes as they are. That the peer has closed is not an error here: its answer, if any, is still to be read.
    pub fn send(&mut self, octets: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.stream.write_all(octets.as_ref()).and_then(|()| self.stream.flush());
        self
    }

    /// Writes, telling whether it worked.
    pub fn try_send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(octets.as_ref())?;
        self.stream.flush()
    }

    /// The next response, interim ones (1xx, but not 101) included.
    pub fn any_response(&mut self, method: &str) -> Result<Response, NoResponse> {
        let (head, length) = loop {
            match Head::parse(&self.buffer) {
                Ok(Some(parsed)) => break parsed,
                Ok(None) => self.more()?,
                Err(malformed) => return Err(NoResponse::Malformed(malformed, self.buffer.clone())),
            }
        };
        let malformed = |connection: &Self, malformed| NoResponse::Malformed(malformed, connection.buffer.clone());
        let status = head.status().map_err(|error| malformed(self, error))?;
        let framing = match status {
            100..=199 | 204 | 304 => Framing::None,
            _ if method == "HEAD" || (method == "CONNECT" && status < 300) => Framing::None,
            _ => head.framing(Framing::Close).map_err(|error| malformed(self, error))?,
        };
        let body = loop {
            match Body::parse(&self.buffer[length..], framing, self.ended) {
                Ok(Some(body)) => break body,
                Ok(None) => self.more()?,
                Err(error) => return Err(malformed(self, error)),
            }
        };
        let rest = self.buffer.split_off(length + body.length);
        let mut head_octets = std::mem::replace(&mut self.buffer, rest);
        head_octets.truncate(length);
        Ok(Response { status, head, head_octets, body: body.data, trailers: body.trailers, framing })
    }

    /// The next final response.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn response(&mut self, method: &str) -> Response {
        loop {
            match self.any_response(method) {
                Ok(response) if response.status == 101 || response.status >= 200 => return response,
                Ok(_) => {}
                Err(error) => panic!("no response to {method}: {error:?}"),
            }
        }
    }

    /// `GET` of this path from this host, and its response.
    pub fn get(&mut self, host: &str, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).response("GET")
    }

    /// Exactly so many octets, for what follows an upgrade.
    pub fn exactly(&mut self, count: usize) -> Result<Vec<u8>, NoResponse> {
        while self.buffer.len() < count {
            self.more()?;
        }
        let rest = self.buffer.split_off(count);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// Everything until the connection's end.
    pub fn rest(&mut self) -> Vec<u8> {
        while !self.ended && self.buffer.len() < RESPONSE_LIMIT && self.fill().is_ok() {}
        std::mem::take(&mut self.buffer)
    }

    /// Reads once; the connection's end is an error here.
    fn more(&mut self) -> Result<(), NoResponse> {
        let came = || self.buffer.clone();
        if self.ended || self.buffer.len() > RESPONSE_LIMIT {
            return Err(NoResponse::Truncated(came()));
        }
        match self.fill() {
            Ok(()) if !self.ended => Ok(()),
            // A body that ends with the connection is complete now.
            Ok(()) if !self.buffer.is_empty() => Ok(()),
            Ok(()) => Err(NoResponse::Closed(Close::Clean)),
            Err(error) if is_timeout(&error) => Err(NoResponse::Silent(self.buffer.clone())),
            Err(error) if is_reset(&error) && self.buffer.is_empty() => Err(NoResponse::Closed(Close::Reset)),
            Err(error) if is_reset(&error) => Err(NoResponse::Truncated(self.buffer.clone())),
            Err(error) => Err(NoResponse::Io(error)),
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 << 10];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(n) => {
                    self.ended = n == 0;
                    self.buffer.extend_from_slice(&chunk[..n]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe)
}

// === impl Response ===

impl Response {
    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }

    /// The body, replacing what is not text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

// === impl NoResponse ===

impl NoResponse {
    /// Whether the connection ended before a response began.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}
