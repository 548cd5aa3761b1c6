//! The recording origin: keeps every octet a gateway forwards, and answers each complete request.
//!
//! It reads leniently enough to see what a careless backend would see, and notes where the octets break the grammar.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Close,
    Keep,
}

/// One request as the origin saw it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub version: Vec<u8>,
    /// Names in lower case, values trimmed, folds joined.
    pub fields: Vec<(String, Vec<u8>)>,
    pub trailers: Vec<(String, Vec<u8>)>,
    /// Exactly the octets of the head, as far as they came.
    pub head: Vec<u8>,
    /// Exactly the octets of chunk framing and trailers.
    pub tail: Vec<u8>,
    pub body: Vec<u8>,
    /// The head came whole.
    pub headed: bool,
    pub complete: bool,
    /// What breaks the grammar.
    pub malformed: Option<String>,
}

pub struct Origin {
    pub address: SocketAddr,
    log: Log,
    stop: Arc<AtomicBool>,
}

type Log = Arc<Mutex<Vec<Request>>>;

impl Origin {
    pub fn start(after: After) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (log, stop) = (Log::default(), Arc::new(AtomicBool::new(false)));
        let (their_log, their_stop) = (log.clone(), stop.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if their_stop.load(Ordering::Relaxed) {
                    return;
                }
                let log = their_log.clone();
                thread::spawn(move || Connection::new(stream, log, after).run());
            }
        });
        Self { address, log, stop }
    }

    /// Everything that came so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; if that fails it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

impl Request {
    pub fn all<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r [u8]> {
        self.fields.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_slice())
    }

    /// Elements of a list field, in lower case.
    pub fn tokens(&self, name: &str) -> Vec<Vec<u8>> {
        let values = self.all(name).flat_map(|value| value.split(|octet| *octet == b','));
        values.map(|token| token.trim_ascii().to_ascii_lowercase()).filter(|token| !token.is_empty()).collect()
    }

    /// Without query, and without scheme and authority.
    pub fn path(&self) -> &[u8] {
        let path = self.target.split(|octet| *octet == b'?').next().unwrap_or_default();
        let Some(at) = path.windows(3).position(|three| three == b"://") else { return path };
        let authority = &path[at + 3..];
        authority.iter().position(|octet| *octet == b'/').map_or(b"/", |slash| &authority[slash..])
    }
}

/// One connection. Its current request is the log's entry `at`.
struct Connection {
    stream: TcpStream,
    log: Log,
    after: After,
    /// Read but not yet part of a request.
    octets: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream, log: Log, after: After) -> Self {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
        Self { stream, log, after, octets: Vec::new() }
    }

    fn run(mut self) {
        let mut answered = false;
        while self.request(answered && self.after == After::Close).is_some() {
            answered = true;
        }
    }

    /// Reads one request and answers it. `None`: the connection is over.
    fn request(&mut self, only_record: bool) -> Option<()> {
        if self.octets.is_empty() {
            self.more()?;
        }
        let at = self.begin();
        let end = loop {
            self.note(at, |request, octets| request.head = octets.to_vec());
            match head_end(&self.octets) {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let head: Vec<u8> = self.octets.drain(..end).collect();
        let mut request = read_head(&head);
        self.note(at, |entry, _| *entry = request.clone());
        self.body(at, &mut request)?;
        request.complete = true;
        self.note(at, |entry, _| *entry = request.clone());
        if only_record { Some(()) } else { self.answer(&request) }
    }

    fn begin(&self) -> usize {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(Request::default());
        log.len() - 1
    }

    fn note(&self, at: usize, f: impl FnOnce(&mut Request, &[u8])) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut log[at], &self.octets);
    }

    fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 << 10];
        match self.stream.read(&mut chunk) {
            Ok(n) if n > 0 => self.octets.extend_from_slice(&chunk[..n]),
            _ => return None,
        }
        Some(())
    }

    /// A broken body ends the request where it broke: what follows is then a request of its own, as a careless backend would have it.
    fn body(&mut self, at: usize, request: &mut Request) -> Option<()> {
        let codings = request.tokens("transfer-encoding");
        let lengths: Vec<Vec<u8>> = request.all("content-length").map(<[u8]>::to_vec).collect();
        if codings.last().is_some_and(|coding| coding == b"chunked") {
            return self.chunks(at, request);
        }
        if !codings.is_empty() {
            request.malformed = Some("Transfer-Encoding without final chunked".into());
        } else if let Some(length) = lengths.first() {
            let digits = std::str::from_utf8(length).ok().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()));
            match digits.and_then(|text| text.parse::<usize>().ok()) {
                Some(length) if lengths.iter().all(|other| *other == lengths[0]) => request.body = self.take(length)?,
                _ => request.malformed = Some("Content-Length unusable".into()),
            }
        }
        Some(())
    }

    fn chunks(&mut self, at: usize, request: &mut Request) -> Option<()> {
        loop {
            let line = self.line()?;
            request.tail.extend_from_slice(&line);
            let Some(size) = chunk_size(&line) else {
                request.malformed = Some(format!("chunk size line {}", line.escape_ascii()));
                return Some(());
            };
            if size == 0 {
                return self.trailers(request);
            }
            request.body.extend(self.take(size)?);
            self.note(at, |entry, _| *entry = request.clone());
            let end = self.take(2)?;
            if end != b"\r\n" {
                request.malformed = Some("no CRLF after chunk data".into());
                self.octets.splice(..0, end);
                return Some(());
            }
        }
    }

    fn trailers(&mut self, request: &mut Request) -> Option<()> {
        loop {
            let line = self.line()?;
            request.tail.extend_from_slice(&line);
            if line.trim_ascii().is_empty() {
                return Some(());
            }
            request.trailers.extend(field(&line));
        }
    }

    /// Up to and with the next LF.
    fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.octets.iter().position(|octet| *octet == b'\n') {
                return Some(self.octets.drain(..=at).collect());
            }
            self.more()?;
        }
    }

    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.octets.len() < length {
            self.more()?;
        }
        Some(self.octets.drain(..length).collect())
    }

    fn answer(&mut self, request: &Request) -> Option<()> {
        let last = self.after == After::Close || request.malformed.is_some();
        let status = if request.malformed.is_some() { "400 Bad Request" } else { "200 OK" };
        let body = [&request.method[..request.method.len().min(20)], b" ", &request.target, b"\n"].concat();
        let close = if last { "Connection: close\r\n" } else { "" };
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nX-Origin: recorder\r\n{close}Content-Length: {}\r\n\r\n", body.len());
        let mut octets = head.into_bytes();
        if request.method != b"HEAD" {
            octets.extend(body);
        }
        self.stream.write_all(&octets).ok()?;
        if last {
            let _ = self.stream.shutdown(std::net::Shutdown::Write);
        }
        Some(())
    }
}

/// Behind the first empty line, whichever line ends it is made of.
fn head_end(octets: &[u8]) -> Option<usize> {
    let ends = octets.iter().enumerate().filter(|(_, octet)| **octet == b'\n').map(|(at, _)| at);
    ends.into_iter().find_map(|at| match octets.get(at + 1..) {
        Some([b'\n', ..]) => Some(at + 2),
        Some([b'\r', b'\n', ..]) => Some(at + 3),
        _ => None,
    })
}

fn read_head(octets: &[u8]) -> Request {
    let mut request = Request { head: octets.to_vec(), headed: true, ..Request::default() };
    let mut lines = octets.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let words: Vec<&[u8]> = lines.next().unwrap_or_default().split(|octet| *octet == b' ').collect();
    if let [method, target @ .., version] = words.as_slice() {
        (request.method, request.target, request.version) = (method.to_vec(), target.join(&b' '), version.to_vec());
    }
    if words.len() != 3 {
        request.malformed = Some("request line".into());
    }
    for line in lines.filter(|line| !line.is_empty()) {
        match (line[0], request.fields.last_mut()) {
            (b' ' | b'\t', Some((_, value))) => value.extend([b" ", line.trim_ascii()].concat()),
            _ => match field(line) {
                Some(field) => request.fields.push(field),
                None => request.malformed = Some("field line without colon".into()),
            },
        }
    }
    request
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|octet| *octet == b':')?;
    Some((String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase(), line[colon + 1..].trim_ascii().to_vec()))
}

/// Of a line such as `A;name=value` with CRLF.
fn chunk_size(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let digits = text.split(';').next()?.trim_end_matches([' ', '\t']);
    let hex = !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    hex.then(|| usize::from_str_radix(digits, 16).ok()).flatten()
}
