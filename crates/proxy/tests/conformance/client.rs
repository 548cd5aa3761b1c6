//! The client: sends a case's octets, and says how the gateway reacted.

use crate::corpus::{Case, Expect};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long without any reaction is silence. Only failing cases wait for it.
const SILENCE: Duration = Duration::from_secs(10);

/// After an answer, what else comes is waited for.
const SETTLE: Duration = Duration::from_millis(250);

/// Most octets read of one case's answers.
const MOST: usize = 1 << 20;

/// Names in lower case, and values.
type Fields = Vec<(String, Vec<u8>)>;

/// What the client saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Final answers, in order.
    pub answers: Vec<Answer>,
    /// Octets that are no answer.
    pub garbage: Vec<u8>,
    /// The gateway ended the connection.
    pub closed: bool,
}

#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub complete: bool,
}

/// Sends the case and reads until there is nothing more to learn.
pub fn send(case: &Case, to: SocketAddr) -> Seen {
    let mut stream = TcpStream::connect(to).expect("the listener is open");
    stream.set_nodelay(true).expect("a fresh socket takes options");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a fresh socket takes options");
    stream.set_write_timeout(Some(SILENCE)).expect("a fresh socket takes options");
    let mut writing = stream.try_clone().expect("a descriptor");
    let octets = case.octets.clone();
    // Whoever sends everything before reading anything deadlocks on a gateway that answers early.
    let writer = thread::spawn(move || writing.write_all(&octets).is_ok());
    let seen = read(case, &mut stream);
    let _ = stream.shutdown(std::net::Shutdown::Both);
    let _ = writer.join();
    seen
}

/// Sends octets in two pieces and reads the first answer, if there is one: status, and whether it is the origin's.
pub fn send_cut(octets: &[u8], cut: usize, to: SocketAddr) -> Option<(u16, bool)> {
    let mut stream = TcpStream::connect(to).expect("the listener is open");
    stream.set_nodelay(true).expect("a fresh socket takes options");
    stream.set_read_timeout(Some(SILENCE)).expect("a fresh socket takes options");
    stream.set_write_timeout(Some(SILENCE)).expect("a fresh socket takes options");
    // A refusal may come before the second piece; writing on then fails, and the answer is still to be read.
    let _ = stream.write_all(&octets[..cut]);
    thread::sleep(Duration::from_millis(1));
    let _ = stream.write_all(&octets[cut..]);
    let (mut came, mut chunk) = (Vec::new(), [0; 4 << 10]);
    loop {
        let ended = match stream.read(&mut chunk) {
            Ok(n) => {
                came.extend_from_slice(&chunk[..n]);
                n == 0
            }
            Err(_) => true,
        };
        if let Some(answer) = parse(&came, ended).answers.first() {
            return Some((answer.status, answer.get("x-origin").is_some()));
        }
        if ended {
            return None;
        }
    }
}

fn read(case: &Case, stream: &mut TcpStream) -> Seen {
    let (mut octets, mut seen) = (Vec::new(), Seen::default());
    let start = Instant::now();
    let mut last = start;
    let mut chunk = [0; 64 << 10];
    while !seen.closed && start.elapsed() < SILENCE && octets.len() < MOST {
        match stream.read(&mut chunk) {
            Ok(0) => seen.closed = true,
            Ok(n) => {
                octets.extend_from_slice(&chunk[..n]);
                last = Instant::now();
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
            Err(_) => seen.closed = true,
        }
        seen = Seen { closed: seen.closed, ..parse(&octets, seen.closed) };
        let answered = seen.answers.last().is_some_and(|answer| answer.complete) || !seen.garbage.is_empty();
        if answered && !must_close(case, &seen) && last.elapsed() > SETTLE {
            break;
        }
    }
    seen
}

/// Whether the gateway must end the connection after what it answered.
pub fn must_close(case: &Case, seen: &Seen) -> bool {
    let framing_fault = matches!(case.class.as_str(), "framing" | "chunk");
    seen.answers.first().is_some_and(|answer| answer.status >= 400 && framing_fault && case.expect == Expect::Reject)
}

/// Cuts answers out of octets. `ended`: no more will come.
fn parse(octets: &[u8], ended: bool) -> Seen {
    let mut seen = Seen::default();
    let mut rest = octets;
    while !rest.is_empty() {
        let Some(end) = find(rest, b"\r\n\r\n") else {
            if !rest.starts_with(b"HTTP/1") && !b"HTTP/1".starts_with(rest) {
                seen.garbage = rest.to_vec();
            }
            return seen;
        };
        let Some((status, fields)) = head(&rest[..end]) else {
            seen.garbage = rest.to_vec();
            return seen;
        };
        rest = &rest[end + 4..];
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let mut answer = Answer { status, fields, ..Answer::default() };
        rest = answer.take_body(rest, ended);
        let complete = answer.complete;
        seen.answers.push(answer);
        if !complete {
            break;
        }
    }
    seen
}

fn head(octets: &[u8]) -> Option<(u16, Fields)> {
    let mut lines = octets.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = lines.next()?.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    let field = |line: &[u8]| {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        Some((name, line[colon + 1..].trim_ascii().to_vec()))
    };
    Some((status, lines.map(field).collect::<Option<_>>()?))
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|window| window == what)
}

impl Answer {
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// Takes the body from the front of `octets`; the rest is left over.
    fn take_body<'o>(&mut self, octets: &'o [u8], ended: bool) -> &'o [u8] {
        if matches!(self.status, 101 | 204 | 304) {
            self.complete = true;
            return octets;
        }
        if self.get("transfer-encoding").is_some() {
            return self.take_chunks(octets);
        }
        let length = self.get("content-length").and_then(|value| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
        let here = length.unwrap_or(octets.len()).min(octets.len());
        self.body = octets[..here].to_vec();
        self.complete = length.map_or(ended, |length| length == here);
        &octets[here..]
    }

    fn take_chunks<'o>(&mut self, octets: &'o [u8]) -> &'o [u8] {
        let mut rest = octets;
        while let Some(end) = find(rest, b"\r\n") {
            let size = std::str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
            let Some(data) = size.and_then(|size| rest.get(end + 2..end + 2 + size + 2)) else { break };
            rest = &rest[end + 2 + data.len()..];
            self.body.extend_from_slice(&data[..data.len() - 2]);
            if data.len() == 2 {
                self.complete = true;
                break;
            }
        }
        rest
    }
}
