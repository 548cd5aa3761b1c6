//! An origin for the far side of a proxy: records every octet it is sent, and behaves as badly as it is told.
//!
//! One thread per connection. Dropping the origin closes its connections and frees its port.

mod behaviour;

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

pub use behaviour::Behaviour;

use crate::message::{Body, Framing, Head};
use crate::{PATIENCE, eventually, ports};

/// The most octets of one connection that are kept; then it is closed.
const RECORD_LIMIT: usize = 64 << 20;

/// A running origin.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    record: Mutex<Record>,
    stopped: AtomicBool,
}

/// All that an origin has seen.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Complete requests, in the order in which they were completed.
    pub requests: Vec<Request>,
    /// Every connection's octets from the first to the last, complete requests or not.
    pub connections: Vec<Vec<u8>>,
    /// What could not be read as a request, and why.
    pub strays: Vec<Stray>,
}

/// One complete request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which of the connections it came on, from 0.
    pub connection: usize,
    pub head: Head,
    /// The head as it came, with its final empty line.
    pub head_octets: Vec<u8>,
    /// Without chunk framing.
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    pub framing: Framing,
}

/// Octets that are no request.
#[derive(Clone, Debug)]
pub struct Stray {
    pub connection: usize,
    pub octets: Vec<u8>,
    pub why: String,
}

// === impl Origin ===

impl Origin {
    /// On a port that the system chooses.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::on(ports::listener(), behaviour)
    }

    /// One that answers every request with 200 and a short text.
    pub fn recording() -> Self {
        Self::start(Behaviour::Answer)
    }

    /// At this address, for example where one has gone before.
    ///
    /// # Panics
    ///
    /// If it stays taken.
    pub fn at(address: SocketAddr, behaviour: Behaviour) -> Self {
        Self::on(eventually("an address to listen on", || TcpListener::bind(address).ok()), behaviour)
    }

    fn on(listener: TcpListener, behaviour: Behaviour) -> Self {
        let address = listener.local_addr().expect("a bound socket has an address");
        let (behaviour, record) = (Mutex::new(behaviour), Mutex::default());
        let shared = Arc::new(Shared { behaviour, record, stopped: AtomicBool::new(false) });
        let accepting = thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it behaves towards requests that begin from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *lock(&self.shared.behaviour) = behaviour;
    }

    /// All it has seen so far.
    pub fn record(&self) -> Record {
        lock(&self.shared.record).clone()
    }

    /// The complete requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.record().requests
    }

    /// How many requests had this value in this field: copies of one request that was sent once.
    pub fn copies(&self, name: &str, value: &str) -> usize {
        let has = |request: &&Request| request.head.all(name).any(|given| given == value);
        lock(&self.shared.record).requests.iter().filter(has).count()
    }

    /// The requests, once there are at least so many.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        eventually("requests at the origin", || Some(self.requests()).filter(|requests| requests.len() >= count))
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, which then drops the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let mut record = lock(&shared.record);
        let connection = record.connections.len();
        record.connections.push(Vec::new());
        drop(record);
        let shared = shared.clone();
        thread::spawn(move || Exchange { stream, connection, shared, unread: Vec::new() }.serve());
    }
}

/// One connection's side of the talk.
struct Exchange {
    stream: TcpStream,
    connection: usize,
    shared: Arc<Shared>,
    /// Read but not yet part of a request.
    unread: Vec<u8>,
}

/// Whether a connection goes on after an answer.
enum Next {
    Continue,
    End,
    /// The socket is set to reset when it is dropped.
    Reset,
}

// === impl Exchange ===

impl Exchange {
    fn serve(mut self) {
        let _ = self.stream.set_nodelay(true);
        // Short, so that a dropped origin ends its connections soon.
        let _ = self.stream.set_read_timeout(Some(Duration::from_millis(50)));
        let _ = self.stream.set_write_timeout(Some(PATIENCE));
        let last = loop {
            match self.exchange() {
                Some(Next::Continue) => {}
                last => break last,
            }
        };
        if !matches!(last, Some(Next::Reset)) {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }

    /// Reads a request and answers it as told; `None`: the connection is over.
    fn exchange(&mut self) -> Option<Next> {
        let (head, length) = self.read_head()?;
        let behaviour = lock(&self.shared.behaviour).clone();
        if behaviour.answers_before_body() {
            return behaviour.answer(&head, &[], &mut self.stream, &mut Vec::new());
        }
        if head.lists("expect", "100-continue") && !matches!(behaviour, Behaviour::Silent) {
            std::io::Write::write_all(&mut self.stream, b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let framing = match head.framing(Framing::None) {
            Ok(framing) => framing,
            Err(malformed) => return self.stray(malformed.0),
        };
        let body = self.read_body(length, framing)?;
        let rest = self.unread.split_off(length + body.length);
        let mut head_octets = std::mem::replace(&mut self.unread, rest);
        head_octets.truncate(length);
        let request = Request { connection: self.connection, head, head_octets, body: body.data, trailers: body.trailers, framing };
        let (head, body) = (request.head.clone(), request.body.clone());
        lock(&self.shared.record).requests.push(request);
        behaviour.answer(&head, &body, &mut self.stream, &mut self.unread)
    }

    fn read_head(&mut self) -> Option<(Head, usize)> {
        loop {
            match Head::parse(&self.unread) {
                Ok(Some(parsed)) => return Some(parsed),
                Ok(None) => self.read()?,
                Err(malformed) => {
                    self.stray(malformed.0);
                    return None;
                }
            }
        }
    }

    fn read_body(&mut self, head: usize, framing: Framing) -> Option<Body> {
        loop {
            match Body::parse(&self.unread[head..], framing, false) {
                Ok(Some(body)) => return Some(body),
                Ok(None) => self.read()?,
                Err(malformed) => {
                    self.stray(malformed.0);
                    return None;
                }
            }
        }
    }

    /// Reads and records once; at the end what is left is a stray.
    fn read(&mut self) -> Option<()> {
        let mut chunk = [0; 16 << 10];
        while !self.shared.stopped.load(Ordering::SeqCst) {
            match self.stream.read(&mut chunk) {
                Ok(n @ 1..) => {
                    self.unread.extend_from_slice(&chunk[..n]);
                    let mut record = lock(&self.shared.record);
                    let octets = &mut record.connections[self.connection];
                    octets.extend_from_slice(&chunk[..n]);
                    return (octets.len() <= RECORD_LIMIT).then_some(());
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Ok(_) | Err(_) => break,
            }
        }
        if !self.unread.is_empty() {
            self.stray("the connection ended within a request".into());
        }
        None
    }

    fn stray(&mut self, why: String) -> Option<Next> {
        let octets = std::mem::take(&mut self.unread);
        lock(&self.shared.record).strays.push(Stray { connection: self.connection, octets, why });
        None
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
