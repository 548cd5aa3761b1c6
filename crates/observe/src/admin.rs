//! The address for operators: `/livez`, `/readyz`, `/metrics`; and what is for this machine alone ([`Admin::beside`]).
//!
//! Meant for a loopback or pod address; there is no authentication.
//!
//! **Invariant:** what is for this machine alone, nobody else is told, not even that it is there.

use crate::Metrics;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Answers under way at a time; others wait to be accepted.
const CONNECTIONS: usize = 64;

/// A request's head may have this many octets, and an exchange this long.
const LARGEST_HEAD: usize = 8 << 10;
const DEADLINE: Duration = Duration::from_secs(5);

/// After a failed accept, for example because no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound socket, not yet answering.
pub struct Admin {
    listener: TcpListener,
    more: More,
    beside: Option<Beside>,
}

/// Answers, in JSON, to whoever asks from this machine itself; `None`: there is nothing at this path and query.
pub type Beside = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Metrics of others in this process: OpenMetrics text, without its end.
type More = Option<Arc<dyn Fn() -> String + Send + Sync>>;

/// What answers are made of.
type Told<'a> = (&'a Arc<Metrics>, More, Option<Beside>);

/// What is answered.
struct Page {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Admin {
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await?, more: None, beside: None })
    }

    /// The socket's own address.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Shows these metrics too: OpenMetrics text, without its end.
    pub fn with(self, more: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { more: Some(Arc::new(more)), ..self }
    }

    /// Answers this, too, to peers on loopback and to nobody else: in a pod those are its own programs, and who forwards a port of it.
    pub fn beside(self, answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { beside: Some(Arc::new(answer)), ..self }
    }

    /// Answers until dropped. `ready`: whether requests are served; `/readyz` says 503 until then.
    pub async fn serve(self, metrics: Arc<Metrics>, ready: impl Fn() -> bool + Send + Sync + 'static) {
        let ready = Arc::new(ready);
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            while tasks.try_join_next().is_some() {}
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the admin address cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let (metrics, ready, more) = (metrics.clone(), ready.clone(), self.more.clone());
            let beside = self.beside.clone().filter(|_| is_here(peer));
            tasks.spawn(async move {
                // A client that breaks off is its own affair.
                let _ = timeout(DEADLINE, exchange(stream, (&metrics, more, beside), &*ready)).await;
                drop(permit);
            });
        }
    }
}

/// Whether it asks from this machine, or in a pod from the pod.
fn is_here(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

/// One request, one answer.
async fn exchange(mut stream: TcpStream, told: Told<'_>, ready: &(impl Fn() -> bool + Sync)) -> io::Result<()> {
    let mut head = Vec::with_capacity(1024);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let Page { status, content_type, body } = answer(&line, told, ready).await;
    let only_head = line.starts_with("HEAD ");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if !only_head {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}

async fn answer(line: &str, (metrics, more, beside): Told<'_>, ready: &(impl Fn() -> bool + Sync)) -> Page {
    let text = |status, body: &str| Page { status, content_type: "text/plain; charset=utf-8", body: format!("{body}\n") };
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !matches!(method, "GET" | "HEAD") {
        return text("405 Method Not Allowed", "GET and HEAD");
    }
    match target.split('?').next().unwrap_or_default() {
        "/livez" | "/healthz" => text("200 OK", "ok"),
        "/readyz" if ready() => text("200 OK", "ok"),
        "/readyz" => text("503 Service Unavailable", "not ready"),
        "/metrics" => Page {
            status: "200 OK",
            content_type: "application/openmetrics-text; version=1.0.0; charset=utf-8",
            body: rendered(metrics.clone(), more).await,
        },
        _ => match told(beside, target.to_owned()).await {
            Some(body) => Page { status: "200 OK", content_type: "application/json", body },
            None => text("404 Not Found", "/livez, /readyz, /metrics"),
        },
    }
}

/// As with metrics, it may take a while.
async fn told(beside: Option<Beside>, target: String) -> Option<String> {
    let beside = beside?;
    tokio::task::spawn_blocking(move || beside(&target)).await.ok()?
}

/// Ten thousand routes make a text that takes a while: not on a thread that others wait for.
async fn rendered(metrics: Arc<Metrics>, more: More) -> String {
    // It fails where the runtime ends; nobody reads the answer then.
    let page = move || {
        let own = metrics.render();
        let more = more.map(|it| it()).unwrap_or_default();
        own.strip_suffix("# EOF\n").map(|own| format!("{own}{more}# EOF\n")).unwrap_or(own)
    };
    tokio::task::spawn_blocking(page).await.unwrap_or_default()
}

#[cfg(test)]
mod tests;
