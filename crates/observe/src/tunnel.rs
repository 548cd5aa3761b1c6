//! What is counted and logged of connections that are passed on as they come.

use crate::access_log::{RouteRef, Upstream, route, upstream};
use crate::cells::{Count, PerWorker};
use crate::json::Object;
use model::Reason;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// The counters of one object's tunnels on one gateway.
#[derive(Debug)]
pub struct TunnelMetrics {
    pub(crate) cells: PerWorker<TunnelCells>,
}

#[derive(Debug, Default)]
pub(crate) struct TunnelCells {
    /// Reached a backend.
    pub(crate) opened: Count,
    pub(crate) closed: Count,
    pub(crate) received: Count,
    pub(crate) sent: Count,
    /// Reached none, by reason. Most never have one.
    pub(crate) refused: OnceLock<Box<[Count; Reason::ALL.len()]>>,
}

/// One connection that was passed on, as it is logged when it is over. Everything borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'a> {
    /// When it was accepted.
    pub time: SystemTime,
    pub client: SocketAddr,
    /// `TCP`; `TLS` where it was passed on with or out of TLS.
    pub protocol: &'a str,
    /// The server name a TLS client sent.
    pub host: Option<&'a str>,
    /// Why it reached no backend.
    pub reason: Option<Reason>,
    pub gateway: &'a str,
    pub listener: &'a str,
    pub route: Option<RouteRef<'a>>,
    pub backend: Option<&'a str>,
    pub upstream: Option<Upstream>,
    /// Octets from the client, and to it.
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub duration: Duration,
}

// === impl TunnelMetrics ===

impl TunnelMetrics {
    pub(crate) fn new(workers: usize) -> Self {
        Self { cells: PerWorker::new(workers) }
    }

    /// A connection reached a backend.
    pub fn opened(&self, worker: usize) {
        self.cells.of(worker).opened.add(1);
    }

    /// A connection that [`opened`](Self::opened) counted is over.
    pub fn closed(&self, worker: usize, received: u64, sent: u64) {
        let cells = self.cells.of(worker);
        cells.closed.add(1);
        cells.received.add(received);
        cells.sent.add(sent);
    }

    /// A connection reached no backend and was closed.
    pub fn refused(&self, worker: usize, reason: Reason) {
        self.cells.of(worker).refused.get_or_init(Box::default)[reason as usize].add(1);
    }

    pub(crate) fn active(&self) -> u64 {
        // Closed first, as with listeners.
        let closed = self.cells.sum(|it| &it.closed);
        self.cells.sum(|it| &it.opened).saturating_sub(closed)
    }

    /// Every count that is not zero, by reason; the empty one for those that reached a backend.
    pub(crate) fn counted(&self) -> Vec<(&'static str, u64)> {
        let refused = |reason: Reason| self.cells.iter().filter_map(|it| it.refused.get()).map(|it| it[reason as usize].get()).sum();
        let mut counted = vec![("", self.cells.sum(|it| &it.opened))];
        counted.extend(Reason::ALL.map(|reason| (reason.word(), refused(reason))));
        counted.retain(|(_, count)| *count > 0);
        counted
    }
}

// === impl Passage ===

impl Passage<'_> {
    pub(crate) fn fill(&self, line: &mut Object) {
        line.plain("client", self.client);
        if let Some(host) = self.host {
            line.text("host", host.as_bytes());
        }
        line.plain("protocol", self.protocol);
        if let Some(reason) = self.reason {
            line.plain("reason", reason);
        }
        line.text("gateway", self.gateway.as_bytes());
        line.text("listener", self.listener.as_bytes());
        route(line, self.route);
        if let Some(backend) = self.backend {
            line.text("backend", backend.as_bytes());
        }
        upstream(line, self.upstream.as_ref());
        line.number("bytes_in", self.bytes_in);
        line.number("bytes_out", self.bytes_out);
        line.millis("duration_ms", self.duration);
    }
}
