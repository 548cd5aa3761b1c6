//! One JSON line per request, written by a thread of its own.

use crate::cells::PerWorker;
use crate::json::Object;
use crate::{Metrics, Own, Passage, log_line};
use model::{LogLine, Reason, Source};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io, mem, thread};

/// A worker's buffer holds this much; a line beyond it is dropped and counted. At 500 octets a line that is 8,000 requests.
const BUFFER: usize = 4 << 20;

/// From here on the writer is woken; before, it comes by itself.
const WAKE: usize = 64 << 10;

/// How long a line waits at most to be written.
const PERIOD: Duration = Duration::from_millis(100);

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Nowhere: nothing is formatted either.
    None,
    Stdout,
    /// Appended to.
    File(PathBuf),
}

/// The access log of a process. Dropping it writes what is left.
#[derive(Debug)]
pub struct AccessLog {
    shared: Option<Arc<Shared>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    buffers: PerWorker<Mutex<Buffer>>,
    stopping: AtomicBool,
    /// Set while the writer is being woken, so that it is woken once.
    woken: AtomicBool,
    writer: Mutex<Option<Thread>>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Buffer {
    lines: Vec<u8>,
    /// The second that `text` shows.
    second: u64,
    text: String,
}

/// One exchange, as it is logged. Everything borrowed; octets that a client chose are escaped.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// When its first octet came.
    pub time: SystemTime,
    /// Who is connected.
    pub client: SocketAddr,
    /// Who the client is, where whoever is connected may say so.
    pub forwarded: Option<IpAddr>,
    pub method: &'a [u8],
    /// `http` or `https`.
    pub scheme: &'a str,
    pub host: &'a [u8],
    pub path: &'a [u8],
    pub query: Option<&'a [u8]>,
    /// For example `HTTP/1.1`.
    pub protocol: &'a str,
    /// 0: the client went away before there was one.
    pub status: u16,
    pub reason: Option<Reason>,
    pub gateway: &'a str,
    pub listener: &'a str,
    pub route: Option<RouteRef<'a>>,
    /// The backend's id, if one was picked.
    pub backend: Option<&'a str>,
    pub upstream: Option<Upstream>,
    /// Octets of the bodies.
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub duration: Duration,
    pub request_id: &'a [u8],
    pub user_agent: &'a [u8],
    /// A form that the gateway's lines have; `None`: an object of JSON.
    pub own: Option<Own<'a>>,
}

/// What made the route.
#[derive(Clone, Copy, Debug)]
pub struct RouteRef<'a>(pub &'a Source);

/// The endpoint that answered, or the last that was tried.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    pub address: SocketAddr,
    /// `None`: the connection was there already.
    pub connect: Option<Duration>,
    /// From the request's last try until the head of the answer.
    pub header: Option<Duration>,
    pub tries: u8,
}

impl AccessLog {
    /// Starts the writer. Fails where the file cannot be opened.
    pub fn start(sink: Sink, workers: usize, metrics: Arc<Metrics>) -> io::Result<Self> {
        Self::keeping(sink, None, workers, metrics)
    }

    /// The same; the last lines are also kept.
    pub fn keeping(sink: Sink, keeper: Option<crate::Keeper>, workers: usize, metrics: Arc<Metrics>) -> io::Result<Self> {
        let out: Option<Box<dyn Write + Send>> = match sink {
            Sink::None => None,
            Sink::Stdout => Some(Box::new(io::stdout())),
            Sink::File(path) => Some(Box::new(fs::OpenOptions::new().create(true).append(true).open(path)?)),
        };
        match (out, keeper) {
            (None, None) => Ok(Self { shared: None, writer: None }),
            (Some(out), None) => Self::to(out, workers, metrics),
            (None, Some(keeper)) => Self::to(Box::new(keeper), workers, metrics),
            (Some(out), Some(keeper)) => Self::to(Box::new(Both(out, keeper)), workers, metrics),
        }
    }

    fn to(out: Box<dyn Write + Send>, workers: usize, metrics: Arc<Metrics>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            buffers: PerWorker::new(workers),
            stopping: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            writer: Mutex::default(),
            metrics,
        });
        let theirs = shared.clone();
        let writer = thread::Builder::new().name("access-log".into()).spawn(move || write_all(&theirs, out))?;
        *shared.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer.thread().clone());
        Ok(Self { shared: Some(shared), writer: Some(writer) })
    }

    /// Whether lines go anywhere: if not, there is no need to gather what [`Exchange`] asks for.
    pub fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// Adds a line to the worker's buffer, or drops it if there is no room. Never waits for the writer's output.
    pub fn write(&self, worker: usize, exchange: &Exchange) {
        match &exchange.own {
            Some(own) if own.format.line == LogLine::Named => {
                self.line(worker, exchange.time, |line| log_line::fill(line, exchange, own));
            }
            Some(own) => self.append(worker, |buffer| log_line::write(&mut buffer.lines, exchange, own)),
            None => self.line(worker, exchange.time, |line| fill(line, exchange)),
        }
    }

    /// The same for a connection that was passed on.
    pub fn write_passage(&self, worker: usize, passage: &Passage) {
        self.line(worker, passage.time, |line| passage.fill(line));
    }

    fn line(&self, worker: usize, time: SystemTime, fill: impl FnOnce(&mut Object)) {
        self.append(worker, |buffer| buffer.append(time, fill));
    }

    fn append(&self, worker: usize, write: impl FnOnce(&mut Buffer)) {
        let Some(shared) = &self.shared else { return };
        let full = {
            let mut buffer = shared.buffers.of(worker).lock().unwrap_or_else(PoisonError::into_inner);
            if buffer.lines.len() >= BUFFER {
                shared.metrics.log_lines_dropped.add(1);
                return;
            }
            write(&mut buffer);
            buffer.lines.len() >= WAKE
        };
        if full
            && !shared.woken.swap(true, Ordering::Relaxed)
            && let Some(writer) = &*shared.writer.lock().unwrap_or_else(PoisonError::into_inner)
        {
            writer.unpark();
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        if let (Some(shared), Some(writer)) = (&self.shared, self.writer.take()) {
            shared.stopping.store(true, Ordering::Release);
            writer.thread().unpark();
            // A panic of the writer has been reported by its own thread.
            let _ = writer.join();
        }
    }
}

/// What one of them does not take, the other does all the same.
struct Both(Box<dyn Write + Send>, crate::Keeper);

impl Write for Both {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let (first, second) = (self.0.write_all(lines), self.1.write_all(lines));
        first.and(second).map(|()| lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The writer: takes each worker's lines and writes them, until told to stop and nothing is left.
fn write_all(shared: &Shared, mut out: Box<dyn Write + Send>) {
    let mut lines = Vec::new();
    let mut failing = false;
    loop {
        // Asked before the buffers are emptied: what was written before the stop is then among them.
        let stopping = shared.stopping.load(Ordering::Acquire);
        shared.woken.store(false, Ordering::Relaxed);
        for buffer in shared.buffers.iter() {
            lines.clear();
            mem::swap(&mut lines, &mut buffer.lock().unwrap_or_else(PoisonError::into_inner).lines);
            let written = out.write_all(&lines).and_then(|()| out.flush());
            if let Err(error) = &written {
                shared.metrics.log_lines_dropped.add(lines.iter().filter(|octet| **octet == b'\n').count() as u64);
                if !failing {
                    tracing::warn!(%error, "the access log cannot be written; lines are dropped and counted");
                }
            }
            failing = written.is_err();
        }
        if stopping {
            return;
        }
        thread::park_timeout(PERIOD);
    }
}

impl Buffer {
    fn append(&mut self, time: SystemTime, fill: impl FnOnce(&mut Object)) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.text.is_empty() || self.second != since.as_secs() {
            self.second = since.as_secs();
            self.text = i64::try_from(since.as_secs())
                .ok()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                .map(|timestamp| timestamp.to_string().trim_end_matches('Z').to_owned())
                .unwrap_or_default();
        }
        let mut line = Object::open(&mut self.lines);
        line.plain("time", format_args!("{}.{:03}Z", self.text, since.subsec_millis()));
        fill(&mut line);
        line.close();
        self.lines.push(b'\n');
    }
}

/// Every field in a fixed order; what there is not is left out.
fn fill(line: &mut Object, it: &Exchange) {
    match it.forwarded {
        Some(client) => {
            line.plain("client", client);
            line.plain("peer", it.client);
        }
        None => line.plain("client", it.client),
    }
    line.text("method", it.method);
    line.plain("scheme", it.scheme);
    line.text("host", it.host);
    line.text("path", it.path);
    if let Some(query) = it.query {
        line.text("query", query);
    }
    line.plain("protocol", it.protocol);
    line.number("status", it.status);
    if let Some(reason) = it.reason {
        line.plain("reason", reason);
    }
    line.text("gateway", it.gateway.as_bytes());
    line.text("listener", it.listener.as_bytes());
    route(line, it.route);
    if let Some(backend) = it.backend {
        line.text("backend", backend.as_bytes());
    }
    upstream(line, it.upstream.as_ref());
    line.number("bytes_in", it.bytes_in);
    line.number("bytes_out", it.bytes_out);
    line.millis("duration_ms", it.duration);
    if !it.request_id.is_empty() {
        line.text("request_id", it.request_id);
    }
    if !it.user_agent.is_empty() {
        line.text("user_agent", it.user_agent);
    }
}

pub(crate) fn route(line: &mut Object, route: Option<RouteRef<'_>>) {
    if let Some(RouteRef(Source { object, rule })) = route {
        line.object("route", |route| {
            route.text("kind", object.kind.as_bytes());
            route.text("namespace", object.namespace.as_bytes());
            route.text("name", object.name.as_bytes());
            route.text("rule", rule.as_bytes());
        });
    }
}

pub(crate) fn upstream(line: &mut Object, upstream: Option<&Upstream>) {
    if let Some(upstream) = upstream {
        line.object("upstream", |line| {
            line.plain("address", upstream.address);
            if let Some(connect) = upstream.connect {
                line.millis("connect_ms", connect);
            }
            if let Some(header) = upstream.header {
                line.millis("header_ms", header);
            }
            line.number("tries", upstream.tries);
        });
    }
}

#[cfg(test)]
mod tests;
