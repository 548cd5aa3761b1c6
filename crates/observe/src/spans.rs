//! Requests that are told to a collector of spans, on their way from the workers to whoever tells it.

use crate::Metrics;
use crate::cells::PerWorker;
use model::{BackendId, GatewayId, Reason, SectionName, Source, Text, Tracing};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// Requests of one worker that wait; one beyond it is dropped and counted. With what each may be long, 8 MiB.
const MOST: usize = 2048;
/// From here on whoever tells them is woken; before, they come by themselves.
const WAKE: usize = 256;
/// Octets of what a client chose that are told.
const LONGEST: usize = 1024;

/// A sampled request: the gateway's own span, and one for each try at a backend.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Whom it is told.
    pub tracing: Arc<Tracing>,
    pub trace: u128,
    /// The gateway's own span.
    pub span: u64,
    /// Whose request it was, if it brought the trace with it.
    pub parent: Option<u64>,
    /// The trace's `tracestate`.
    pub state: String,
    /// When the request's first octet came.
    pub started: SystemTime,
    pub duration: Duration,
    /// Who the client is, as far as is believed; and who is connected.
    pub client: IpAddr,
    pub peer: SocketAddr,
    pub method: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// As asked for.
    pub host: String,
    pub port: u16,
    /// Canonical, without the query: that may hold secrets, and is never told.
    pub path: String,
    /// `1.0` or `1.1`.
    pub version: &'static str,
    pub user_agent: String,
    pub request_id: String,
    /// 0: the client went away before there was an answer.
    pub status: u16,
    /// Why the gateway answered by itself.
    pub reason: Option<Reason>,
    pub received: u64,
    pub sent: u64,
    pub gateway: GatewayId,
    pub listener: SectionName,
    /// What made the route, and the path it has there.
    pub route: Option<Source>,
    pub template: Option<Text>,
    pub tries: Vec<Try>,
}

/// A try at a backend.
#[derive(Clone, Debug)]
pub struct Try {
    pub span: u64,
    /// Since the request's first octet.
    pub since: Duration,
    pub duration: Duration,
    pub backend: BackendId,
    pub endpoint: SocketAddr,
    /// As the backend is asked for it, without the query.
    pub path: String,
    /// 0: no answer came.
    pub status: u16,
    /// Why none came, or why it was not taken.
    pub reason: Option<Reason>,
}

/// Where workers leave them.
///
/// **Invariant:** a worker never waits here, nor does what is here grow beyond its bound, however slow whoever takes it is.
#[derive(Debug)]
pub struct Spans {
    buffers: PerWorker<Mutex<Vec<Traced>>>,
    wake: Notify,
    metrics: Arc<Metrics>,
}

// === impl Traced ===

impl Traced {
    /// How many spans it is.
    pub fn spans(&self) -> u64 {
        1 + self.tries.len() as u64
    }

    /// What a client chose, as far as it is told.
    pub fn shortened(text: &[u8]) -> String {
        let text = String::from_utf8_lossy(text.get(..LONGEST).unwrap_or(text));
        text.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
    }
}

// === impl Spans ===

impl Spans {
    pub fn new(workers: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { buffers: PerWorker::new(workers), wake: Notify::new(), metrics })
    }

    /// Leaves a request to be told, or drops it where there is no room.
    pub fn put(&self, worker: usize, traced: Traced) {
        let waiting = {
            let mut buffer = lock(self.buffers.of(worker));
            if buffer.len() >= MOST {
                return self.metrics.spans_dropped(traced.spans());
            }
            buffer.push(traced);
            buffer.len()
        };
        if waiting == WAKE {
            self.wake.notify_one();
        }
    }

    /// Takes all there are.
    pub fn take(&self) -> Vec<Traced> {
        self.buffers.iter().flat_map(|it| std::mem::take(&mut *lock(it))).collect()
    }

    /// Waits until there are many.
    pub async fn many(&self) {
        self.wake.notified().await;
    }
}

fn lock(buffer: &Mutex<Vec<Traced>>) -> MutexGuard<'_, Vec<Traced>> {
    buffer.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Collector, CollectorProtocol, Percent, Scheme};

    fn traced(trace: u128) -> Traced {
        let collector = Collector { scheme: Scheme::Http, host: "c".into(), port: 4317, protocol: CollectorProtocol::Grpc };
        let endpoint: SocketAddr = ([127, 0, 0, 1], 80).into();
        let one = Try {
            span: 2,
            since: Duration::ZERO,
            duration: Duration::ZERO,
            backend: BackendId::new("demo/web:80"),
            endpoint,
            path: "/".into(),
            status: 200,
            reason: None,
        };
        Traced {
            tracing: Arc::new(Tracing { sampling: Percent::ALL, collector }),
            trace,
            span: 1,
            parent: None,
            state: String::new(),
            started: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            client: endpoint.ip(),
            peer: endpoint,
            method: "GET".into(),
            scheme: "http",
            host: "a.test".into(),
            port: 80,
            path: "/".into(),
            version: "1.1",
            user_agent: String::new(),
            request_id: String::new(),
            status: 200,
            reason: None,
            received: 0,
            sent: 0,
            gateway: GatewayId::new("demo/web"),
            listener: SectionName::new("http"),
            route: None,
            template: None,
            tries: vec![one],
        }
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let metrics = Metrics::new(2);
        let spans = Spans::new(2, metrics.clone());
        for it in 0..MOST + 3 {
            spans.put(0, traced(it as u128 + 1));
        }
        spans.put(1, traced(7));
        let text = metrics.render();
        assert!(text.contains("paifang_trace_spans_dropped_total 6"), "three requests, each with a try: {text}");
        assert_eq!(spans.take().len(), MOST + 1, "one worker's does not take another's room");
        assert!(spans.take().is_empty());
        spans.put(0, traced(8));
        assert_eq!(spans.take().len(), 1);
    }

    #[test]
    fn what_a_client_chose_is_told_in_short() {
        assert_eq!(Traced::shortened(b"/a"), "/a");
        assert_eq!(Traced::shortened("é".repeat(LONGEST).as_bytes()).len(), LONGEST);
        assert_eq!(Traced::shortened(format!("x{}", "é".repeat(LONGEST)).as_bytes()).len(), LONGEST - 1, "at the end of a character");
    }
}
