//! What is counted, and where.

use crate::TunnelMetrics;
use crate::cells::{Count, PerWorker};
use model::{BackendId, GatewayId, ObjectRef, Reason, SectionName, Text, Version};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most routes, backends or listeners that have counters of their own. Past it they are counted together, as `other`.
const MOST: usize = 20_000;

/// Upper bounds of the latency histogram, in seconds; one bucket more is unbounded.
pub(crate) const BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// The same in microseconds.
const BOUNDS_MICROS: [u64; 14] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 60_000_000];

/// Everything a process counts. One per process; handles are asked for once and kept.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) workers: usize,
    pub(crate) started: Duration,
    pub(crate) routes: Family<RouteKey, RouteMetrics>,
    pub(crate) backends: Family<BackendId, BackendMetrics>,
    pub(crate) listeners: Family<ListenerKey, ListenerMetrics>,
    pub(crate) tunnels: Family<RouteKey, TunnelMetrics>,
    pub(crate) epoch: AtomicU64,
    pub(crate) sequence: AtomicU64,
    pub(crate) nacks: AtomicU64,
    pub(crate) hosts: AtomicU64,
    pub(crate) panics: Count,
    pub(crate) log_lines_dropped: Count,
    pub(crate) spans_sent: Count,
    pub(crate) spans_dropped: Count,
    pub(crate) span_exports_failed: Count,
}

/// Handles by label values.
#[derive(Debug)]
pub(crate) struct Family<K, V> {
    known: Mutex<BTreeMap<K, Arc<V>>>,
    /// Whether some had to share.
    full: AtomicBool,
}

/// `object: None`: requests of a gateway that no route took.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouteKey {
    pub(crate) gateway: GatewayId,
    pub(crate) object: Option<ObjectRef>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListenerKey {
    pub(crate) gateway: GatewayId,
    pub(crate) listener: SectionName,
}

/// The counters of one object's routes on one gateway.
#[derive(Debug)]
pub struct RouteMetrics {
    pub(crate) cells: PerWorker<RouteCells>,
}

#[derive(Debug, Default)]
pub(crate) struct RouteCells {
    /// Answers from the backend by class, 1xx to 5xx.
    pub(crate) classes: [Count; 5],
    pub(crate) buckets: [Count; BOUNDS.len() + 1],
    pub(crate) micros: Count,
    pub(crate) received: Count,
    pub(crate) sent: Count,
    /// Answers of our own, by reason and class. Most routes never have one.
    pub(crate) local: OnceLock<Box<[[Count; 5]; Reason::ALL.len()]>>,
}

/// One exchange, as it is counted.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub status: u16,
    /// Why the gateway answered by itself; `None`: the backend answered.
    pub reason: Option<Reason>,
    pub duration: Duration,
    /// Octets of the request's body, and of the answer's.
    pub received: u64,
    pub sent: u64,
}

/// The counters of one backend.
#[derive(Debug)]
pub struct BackendMetrics {
    pub(crate) connects: AtomicU64,
    pub(crate) connect_failures: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) mirrored: AtomicU64,
    pub(crate) mirrors_dropped: AtomicU64,
    pub(crate) connections: AtomicI64,
}

/// The counters of one listener.
#[derive(Debug)]
pub struct ListenerMetrics {
    pub(crate) cells: PerWorker<ListenerCells>,
}

#[derive(Debug, Default)]
pub(crate) struct ListenerCells {
    pub(crate) opened: Count,
    pub(crate) closed: Count,
    pub(crate) handshake_failures: Count,
}

// === impl Metrics ===

impl Metrics {
    /// `workers`: how many will count at the same time.
    pub fn new(workers: usize) -> Arc<Self> {
        Arc::new(Self {
            workers,
            started: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            routes: Family::default(),
            backends: Family::default(),
            listeners: Family::default(),
            tunnels: Family::default(),
            epoch: AtomicU64::new(0),
            sequence: AtomicU64::new(0),
            nacks: AtomicU64::new(0),
            hosts: AtomicU64::new(0),
            panics: Count::default(),
            log_lines_dropped: Count::default(),
            spans_sent: Count::default(),
            spans_dropped: Count::default(),
            span_exports_failed: Count::default(),
        })
    }

    /// The counters of an object's routes on a gateway. To be asked for once per route and kept, for example in its slot.
    pub fn route(&self, gateway: &GatewayId, object: &ObjectRef) -> Arc<RouteMetrics> {
        let other = || ObjectRef::new("", "", "other");
        let key = RouteKey { gateway: gateway.clone(), object: Some(object.clone()) };
        let spare = || RouteKey { gateway: gateway.clone(), object: Some(other()) };
        self.routes.get(key, spare, || RouteMetrics { cells: PerWorker::new(self.workers) })
    }

    /// The counters of what no route of a gateway took: unknown hosts, malformed requests.
    pub fn unrouted(&self, gateway: &GatewayId) -> Arc<RouteMetrics> {
        let key = || RouteKey { gateway: gateway.clone(), object: None };
        self.routes.get(key(), key, || RouteMetrics { cells: PerWorker::new(self.workers) })
    }

    /// The counters of an object's connections on a gateway that are passed on as they come; `None`: of those that nothing takes.
    pub fn tunnel(&self, gateway: &GatewayId, object: Option<&ObjectRef>) -> Arc<TunnelMetrics> {
        let key = RouteKey { gateway: gateway.clone(), object: object.cloned() };
        let spare = || RouteKey { gateway: gateway.clone(), object: Some(ObjectRef::new("", "", "other")) };
        self.tunnels.get(key, spare, || TunnelMetrics::new(self.workers))
    }

    pub fn backend(&self, id: &BackendId) -> Arc<BackendMetrics> {
        let make = || BackendMetrics {
            connects: AtomicU64::new(0),
            connect_failures: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            mirrored: AtomicU64::new(0),
            mirrors_dropped: AtomicU64::new(0),
            connections: AtomicI64::new(0),
        };
        self.backends.get(id.clone(), || BackendId::new("other"), make)
    }

    pub fn listener(&self, gateway: &GatewayId, listener: &SectionName) -> Arc<ListenerMetrics> {
        let key = ListenerKey { gateway: gateway.clone(), listener: listener.clone() };
        let spare = || ListenerKey { gateway: gateway.clone(), listener: SectionName::new("other") };
        self.listeners.get(key, spare, || ListenerMetrics { cells: PerWorker::new(self.workers) })
    }

    /// What is served from now on.
    pub fn serving(&self, version: Version, hosts: usize, nacks: usize) {
        self.epoch.store(version.epoch, Relaxed);
        self.sequence.store(version.sequence, Relaxed);
        self.hosts.store(hosts as u64, Relaxed);
        self.nacks.store(nacks as u64, Relaxed);
    }

    /// A collector has taken spans.
    pub fn spans_sent(&self, spans: u64) {
        self.spans_sent.add(spans);
    }

    /// Spans are told nobody.
    pub fn spans_dropped(&self, spans: u64) {
        self.spans_dropped.add(spans);
    }

    /// A collector could not be reached, or did not take what it was sent.
    pub fn span_export_failed(&self) {
        self.span_exports_failed.add(1);
    }

    /// A task of the data plane panicked and was caught.
    pub fn panicked(&self) {
        self.panics.add(1);
    }
}

// === impl Family ===

impl<K, V> Default for Family<K, V> {
    fn default() -> Self {
        Self { known: Mutex::default(), full: AtomicBool::new(false) }
    }
}

impl<K: Ord + Clone, V> Family<K, V> {
    fn get(&self, key: K, spare: impl FnOnce() -> K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut known = self.lock();
        if let Some(it) = known.get(&key) {
            return it.clone();
        }
        if known.len() >= MOST {
            // What nobody holds belongs to objects that are gone.
            known.retain(|_, it| Arc::strong_count(it) > 1);
        }
        let full = known.len() >= MOST;
        self.full.fetch_or(full, Relaxed);
        known.entry(if full { spare() } else { key }).or_insert_with(|| Arc::new(make())).clone()
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> Vec<(K, Arc<V>)> {
        self.lock().iter().map(|(key, it)| (key.clone(), it.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Arc<V>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl RouteMetrics ===

impl RouteMetrics {
    /// Counts one exchange. Costs a few additions to memory that no other worker writes to.
    #[inline]
    pub fn record(&self, worker: usize, it: &Measured) {
        let cells = self.cells.of(worker);
        let class = usize::from(it.status / 100).clamp(1, 5) - 1;
        match it.reason {
            None => cells.classes[class].add(1),
            Some(reason) => cells.local.get_or_init(Box::default)[reason as usize][class].add(1),
        }
        let micros = u64::try_from(it.duration.as_micros()).unwrap_or(u64::MAX);
        cells.buckets[BOUNDS_MICROS.partition_point(|bound| *bound < micros)].add(1);
        cells.micros.add(micros);
        cells.received.add(it.received);
        cells.sent.add(it.sent);
    }
}

// === impl BackendMetrics ===

impl BackendMetrics {
    /// A connection was opened.
    pub fn connected(&self) {
        self.connects.fetch_add(1, Relaxed);
        self.connections.fetch_add(1, Relaxed);
    }

    /// A connection that [`connected`](Self::connected) counted was closed.
    pub fn disconnected(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// An endpoint did not accept a connection.
    pub fn connect_failed(&self) {
        self.connect_failures.fetch_add(1, Relaxed);
    }

    /// A request is tried again.
    pub fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// A copy of a request was answered.
    pub fn mirrored(&self) {
        self.mirrored.fetch_add(1, Relaxed);
    }

    /// A copy of a request was not sent, or not answered.
    pub fn mirror_dropped(&self) {
        self.mirrors_dropped.fetch_add(1, Relaxed);
    }
}

// === impl ListenerMetrics ===

impl ListenerMetrics {
    pub fn opened(&self, worker: usize) {
        self.cells.of(worker).opened.add(1);
    }

    /// A connection that [`opened`](Self::opened) counted was closed, on whichever worker.
    pub fn closed(&self, worker: usize) {
        self.cells.of(worker).closed.add(1);
    }

    /// A TLS handshake failed or took too long.
    pub fn handshake_failed(&self, worker: usize) {
        self.cells.of(worker).handshake_failures.add(1);
    }

    /// Connections open now.
    pub fn active(&self) -> u64 {
        // Closed first: what closes between the two reads then counts as open, never as less than none.
        let closed = self.cells.sum(|it| &it.closed);
        self.cells.sum(|it| &it.opened).saturating_sub(closed)
    }
}

impl ListenerKey {
    pub(crate) fn labels(&self) -> [(&'static str, Text); 2] {
        [("gateway", self.gateway.0.clone()), ("listener", self.listener.0.clone())]
    }
}

#[cfg(test)]
mod tests;
