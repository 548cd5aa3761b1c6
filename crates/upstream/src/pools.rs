//! One worker's connections to backends.

use crate::balance::{Asking, Candidates, choose_endpoint};
use crate::{Admitted, EndpointSet, EndpointState, Permit, Registry, Table, View, Waiting};
use fastrand::Rng;
use model::{Backend, BackendId, Balancing};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// For so long an idle connection is kept: less than backends usually wait.
const IDLE: Duration = Duration::from_secs(30);

/// Connections back for so short a time do not count as kept: under load most are between two requests.
const BRIEFLY: Duration = Duration::from_secs(1);
/// The bound of all idle ones, in multiples of those kept.
const BURST: usize = 8;

/// The pools of one worker. `C` is a connection; the newest idle one is handed out first, so that few stay warm and the rest grow old.
#[derive(Debug)]
pub struct Pools<C> {
    table: View<Table>,
    slots: HashMap<BackendId, Rc<Slot<C>>>,
    swept: u64,
    workers: usize,
    rng: Rng,
}

#[derive(Debug)]
struct Slot<C>(RefCell<Inner<C>>);

#[derive(Debug)]
struct Inner<C> {
    /// The table's version this was brought up to.
    version: u64,
    set: Option<Arc<EndpointSet>>,
    cursor: usize,
    /// By place in `set`.
    idle: Vec<VecDeque<Idle<C>>>,
    idle_count: usize,
    /// How many are kept for more than a moment.
    keep: usize,
    /// For how long.
    age: Duration,
}

#[derive(Debug)]
struct Idle<C> {
    connection: C,
    lease: Lease<C>,
    since: Duration,
}

/// What an open connection holds: its endpoint, its place in the pools, its share of the limit.
#[derive(Debug)]
pub struct Lease<C> {
    pub endpoint: Arc<EndpointState>,
    place: usize,
    slot: Rc<Slot<C>>,
    _permit: Permit,
}

/// One request under way at an endpoint, where the balancing counts them.
#[derive(Debug)]
pub struct InFlight(Option<Arc<EndpointState>>);

/// What to do for a request.
#[derive(Debug)]
pub enum Choice<C> {
    /// Use this connection, after a look at whether it is still open.
    Reuse(C, Lease<C>),
    /// Open one to `lease.endpoint`.
    Connect(Lease<C>),
    NoEndpoints,
    /// All endpoints have been tried.
    Exhausted,
    /// The backend's limit is reached.
    Overflow,
}

/// A backend has as many requests as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

// === impl Pools ===

impl<C> Pools<C> {
    /// `workers`: how many share the limits.
    pub fn new(registry: &Registry, workers: usize, rng: Rng) -> Self {
        Self { table: registry.view(), slots: HashMap::new(), swept: 0, workers, rng }
    }

    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// The newest endpoints.
    #[inline]
    pub fn table(&mut self) -> &Rc<Arc<Table>> {
        self.table.get()
    }

    pub fn choose(&mut self, backend: &Backend, asking: Asking<'_>) -> Choice<C> {
        let slot = self.slot(&backend.id);
        let mut inner = slot.0.borrow_mut();
        let Inner { set, cursor, idle, idle_count, .. } = &mut *inner;
        let Some(set) = set.as_ref().filter(|set| !set.endpoints().is_empty()) else { return Choice::NoEndpoints };
        let candidates = Candidates { endpoints: set.endpoints(), asking };
        let Some(place) = choose_endpoint(candidates, backend.balancing, cursor, &mut self.rng) else { return Choice::Exhausted };
        if let Some(Idle { connection, lease, .. }) = take(idle, idle_count, place) {
            return Choice::Reuse(connection, lease);
        }
        let Some(endpoint) = set.endpoints().get(place) else { return Choice::Exhausted };
        if let Some(permit) = set.permit(backend.limits.connections) {
            return Choice::Connect(Lease { endpoint: endpoint.clone(), place, slot: slot.clone(), _permit: permit });
        }
        let untried = |at: usize| set.endpoints().get(at).is_some_and(|endpoint| !asking.tried.contains(&endpoint.address));
        let other = (0..set.endpoints().len()).filter(|&at| untried(at)).find_map(|at| take(idle, idle_count, at));
        match other {
            Some(Idle { connection, lease, .. }) => Choice::Reuse(connection, lease),
            None => Choice::Overflow,
        }
    }

    /// As [`choose`](Self::choose), for what needs a connection of its own: none is used again, and at the limit an idle one gives way.
    pub fn choose_new(&mut self, backend: &Backend, asking: Asking<'_>) -> Choice<C> {
        let slot = self.slot(&backend.id);
        let mut inner = slot.0.borrow_mut();
        let Inner { set, cursor, idle, idle_count, .. } = &mut *inner;
        let Some(set) = set.as_ref().filter(|set| !set.endpoints().is_empty()) else { return Choice::NoEndpoints };
        let candidates = Candidates { endpoints: set.endpoints(), asking };
        let Some(place) = choose_endpoint(candidates, backend.balancing, cursor, &mut self.rng) else { return Choice::Exhausted };
        let Some(endpoint) = set.endpoints().get(place) else { return Choice::Exhausted };
        loop {
            if let Some(permit) = set.permit(backend.limits.connections) {
                return Choice::Connect(Lease { endpoint: endpoint.clone(), place, slot: slot.clone(), _permit: permit });
            }
            if (0..set.endpoints().len()).find_map(|at| take(idle, idle_count, at)).is_none() {
                return Choice::Overflow;
            }
        }
    }

    /// Keeps a connection for the next request, unless its endpoint is gone, enough are kept, or other workers wait for its share.
    pub fn give_back(&mut self, connection: C, mut lease: Lease<C>, backend: &Backend, now: Duration) {
        let slot = lease.slot.clone();
        let version = self.version();
        let mut inner = slot.0.borrow_mut();
        if inner.version != version {
            let set = self.table.get().get(&backend.id).cloned();
            inner.renew(set, version);
        }
        let Some(set) = &inner.set else { return };
        let contended = self.workers > 1 && set.connections() >= backend.limits.connections;
        let keep = backend.limits.idle_per_worker as usize;
        if contended || inner.idle_count >= keep.saturating_mul(BURST) {
            return;
        }
        let here = |at: usize| set.endpoints().get(at).is_some_and(|endpoint| Arc::ptr_eq(endpoint, &lease.endpoint));
        let place = if here(lease.place) { Some(lease.place) } else { (0..set.endpoints().len()).find(|&at| here(at)) };
        let Some(place) = place else { return };
        lease.place = place;
        inner.keep = keep;
        inner.age = backend.limits.idle.unwrap_or(IDLE);
        if let Some(stack) = inner.idle.get_mut(place) {
            stack.push_back(Idle { connection, lease, since: now });
            inner.idle_count += 1;
        }
        if let Some(set) = &inner.set {
            set.freed();
        }
    }

    /// Changes with every change of any backend's endpoints.
    pub fn version(&mut self) -> u64 {
        self.table.get();
        self.table.version()
    }

    /// Whether an endpoint still serves the backend.
    pub fn serves(&mut self, backend: &BackendId, endpoint: &Arc<EndpointState>) -> bool {
        let set = self.table().get(backend);
        set.is_some_and(|set| set.endpoints().iter().any(|it| Arc::ptr_eq(it, endpoint)))
    }

    /// Counts a request of a backend that bounds them. `Err`: the bound is reached.
    pub fn admit(&mut self, backend: &Backend) -> Result<Option<Admitted>, Full> {
        if backend.limits.requests == u32::MAX {
            return Ok(None);
        }
        match self.table().get(&backend.id) {
            Some(set) => set.admit(backend.limits.requests).map(Some).ok_or(Full),
            None => Ok(None),
        }
    }

    /// A place to wait for a connection; `None`: as many as may wait already.
    pub fn wait(&mut self, backend: &Backend) -> Option<Waiting> {
        self.table().get(&backend.id)?.wait(backend.limits.pending)
    }

    /// Closes connections that were idle for too long, whose endpoint is gone, or (`gone`) that the other side has closed. To be called now and
    /// then.
    pub fn sweep(&mut self, now: Duration, mut gone: impl FnMut(&C) -> bool) {
        let version = self.version();
        let changed = std::mem::replace(&mut self.swept, version) != version;
        let table = self.table.get().clone();
        self.slots.retain(|id, slot| {
            let Ok(mut inner) = slot.0.try_borrow_mut() else { return true };
            if changed {
                inner.renew(table.get(id).cloned(), version);
            }
            inner.expire(now, &mut gone);
            inner.set.is_some() || Rc::strong_count(slot) > 1
        });
    }

    /// Closes every idle connection.
    pub fn clear(&mut self) {
        for slot in self.slots.values() {
            let mut inner = slot.0.borrow_mut();
            let idle = std::mem::take(&mut inner.idle);
            inner.idle.resize_with(idle.len(), VecDeque::new);
            inner.idle_count = 0;
            drop(inner);
            drop(idle);
        }
    }

    pub fn idle(&self) -> usize {
        self.slots.values().map(|slot| slot.0.borrow().idle_count).sum()
    }

    fn slot(&mut self, id: &BackendId) -> Rc<Slot<C>> {
        let version = self.version();
        let slot = match self.slots.get(id) {
            Some(slot) => slot.clone(),
            None => {
                let slot = Rc::new(Slot(RefCell::new(Inner::new(self.rng.usize(..1 << 16)))));
                self.slots.insert(id.clone(), slot.clone());
                slot
            }
        };
        if slot.0.borrow().version != version {
            let set = self.table.get().get(id).cloned();
            slot.0.borrow_mut().renew(set, version);
        }
        slot
    }
}

/// Idle connections hold their slot, and the slot holds them.
impl<C> Drop for Pools<C> {
    fn drop(&mut self) {
        self.clear();
    }
}

// === impl Inner ===

impl<C> Inner<C> {
    fn new(cursor: usize) -> Self {
        Self { version: u64::MAX, set: None, cursor, idle: Vec::new(), idle_count: 0, keep: 0, age: IDLE }
    }

    /// Brings the slot up to a set; connections to endpoints that are gone are closed.
    fn renew(&mut self, set: Option<Arc<EndpointSet>>, version: u64) {
        self.version = version;
        let same = match (&self.set, &set) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        let count = set.as_ref().map_or(0, |set| set.endpoints().len());
        let kept: Vec<Idle<C>> = self.idle.drain(..).flatten().collect();
        self.idle.resize_with(count, VecDeque::new);
        self.idle_count = 0;
        if self.set.is_none() && count > 0 {
            self.cursor %= count;
        }
        self.set = set;
        let places: HashMap<SocketAddr, usize> =
            self.set.iter().flat_map(|set| set.endpoints().iter().enumerate()).map(|(place, endpoint)| (endpoint.address, place)).collect();
        for mut idle in kept {
            let Some(stack) = places.get(&idle.lease.endpoint.address).and_then(|&place| {
                idle.lease.place = place;
                self.idle.get_mut(place)
            }) else {
                continue;
            };
            stack.push_back(idle);
            self.idle_count += 1;
        }
    }

    fn expire(&mut self, now: Duration, gone: &mut impl FnMut(&C) -> bool) {
        for stack in &mut self.idle {
            stack.retain(|idle| now.saturating_sub(idle.since) < self.age && !gone(&idle.connection));
        }
        self.idle_count = self.idle.iter().map(VecDeque::len).sum();
        self.trim(now);
    }

    /// Closes the oldest of those that are more than are kept, one endpoint after the other.
    fn trim(&mut self, now: Duration) {
        let old = |idle: &Idle<C>| now.saturating_sub(idle.since) >= BRIEFLY;
        while self.idle_count > self.keep {
            let before = self.idle_count;
            for stack in self.idle.iter_mut().filter(|stack| stack.front().is_some_and(old)) {
                if self.idle_count > self.keep {
                    stack.pop_front();
                    self.idle_count -= 1;
                }
            }
            if self.idle_count == before {
                return;
            }
        }
    }
}

fn take<C>(idle: &mut [VecDeque<Idle<C>>], count: &mut usize, place: usize) -> Option<Idle<C>> {
    let taken = idle.get_mut(place)?.pop_back()?;
    *count -= 1;
    Some(taken)
}

// === impl Lease ===

impl<C> Lease<C> {
    /// Counts a request where the balancing looks at the count.
    pub fn begin(&self, balancing: Balancing) -> InFlight {
        match balancing {
            Balancing::RoundRobin | Balancing::Random | Balancing::ClientAddress => InFlight(None),
            Balancing::LeastRequest => {
                self.endpoint.begin();
                InFlight(Some(self.endpoint.clone()))
            }
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(endpoint) = &self.0 {
            endpoint.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Endpoint;

    const NOW: Duration = Duration::from_secs(100);

    fn asking() -> Asking<'static> {
        Asking { now: NOW, ..Asking::default() }
    }

    struct Fixture {
        registry: Registry,
        pools: Pools<u32>,
        backend: Backend,
    }

    impl Fixture {
        fn new(ports: &[u16]) -> Self {
            let registry = Registry::new();
            let pools = Pools::new(&registry, 2, Rng::with_seed(1));
            let mut fixture = Self { registry, pools, backend: Backend::new(BackendId::new("demo/web:80")) };
            fixture.set(ports);
            fixture
        }

        fn set(&mut self, ports: &[u16]) {
            let endpoints = ports.iter().map(|&port| Endpoint { address: SocketAddr::from(([127, 0, 0, 1], port)) }).collect();
            self.registry.apply(&[(self.backend.id.clone(), Some(endpoints))]);
        }

        fn choose(&mut self) -> Choice<u32> {
            self.pools.choose(&self.backend, asking())
        }

        fn connect(&mut self) -> Lease<u32> {
            match self.choose() {
                Choice::Connect(lease) => lease,
                other => panic!("expected to connect, not {other:?}"),
            }
        }

        fn give(&mut self, connection: u32, lease: Lease<u32>) {
            self.pools.give_back(connection, lease, &self.backend, NOW);
        }
    }

    #[test]
    fn the_newest_idle_connection_comes_first() {
        let mut it = Fixture::new(&[1]);
        let (one, two) = (it.connect(), it.connect());
        it.give(1, one);
        it.give(2, two);
        let Choice::Reuse(2, _two) = it.choose() else { panic!("not the newest") };
        let Choice::Reuse(1, _one) = it.choose() else { panic!("not the other") };
        it.connect();
    }

    #[test]
    fn a_connection_to_a_removed_endpoint_is_closed() {
        let mut it = Fixture::new(&[1, 2]);
        let (one, two) = (it.connect(), it.connect());
        let gone = if one.endpoint.address.port() == 1 { (1, 2) } else { (2, 1) };
        it.give(1, one);
        it.set(&[2]);
        it.give(2, two);
        let Choice::Reuse(kept, _lease) = it.choose() else { panic!("endpoint 2 has an idle connection") };
        assert_eq!(kept, gone.1);
        assert_eq!(it.pools.idle(), 0);
        let set = it.registry.load().get(&it.backend.id).cloned().expect("set");
        assert_eq!(set.connections(), 1, "the closed one gave its share back");
    }

    #[test]
    fn sweeping_closes_the_old_the_gone_and_the_removed() {
        let mut it = Fixture::new(&[1]);
        let leases: Vec<_> = (0..3).map(|_| it.connect()).collect();
        for (connection, lease) in (0..).zip(leases) {
            it.give(connection, lease);
        }
        it.pools.sweep(NOW, |&connection| connection == 1);
        assert_eq!(it.pools.idle(), 2);
        it.pools.sweep(NOW + IDLE, |_| false);
        assert_eq!(it.pools.idle(), 0);
        let lease = it.connect();
        it.give(9, lease);
        it.set(&[]);
        it.pools.sweep(NOW, |_| false);
        assert_eq!(it.pools.idle(), 0);
        assert!(matches!(it.choose(), Choice::NoEndpoints));
    }

    #[test]
    fn the_limit_counts_all_workers() {
        let mut it = Fixture::new(&[1, 2]);
        it.backend.limits.connections = 2;
        let mut second: Pools<u32> = Pools::new(&it.registry, 2, Rng::with_seed(2));
        let one = it.connect();
        let Choice::Connect(_two) = second.choose(&it.backend, asking()) else { panic!("the second fits") };
        assert!(matches!(it.choose(), Choice::Overflow));
        it.give(1, one);
        assert_eq!(it.pools.idle(), 0, "at the limit a share is left to whoever needs it");
        it.connect();
    }

    #[test]
    fn at_the_limit_another_endpoints_idle_connection_serves() {
        let mut it = Fixture::new(&[1, 2]);
        it.pools = Pools::new(&it.registry, 1, Rng::with_seed(1));
        it.backend.limits.connections = 1;
        let lease = it.connect();
        it.give(1, lease);
        for _ in 0..4 {
            let Choice::Reuse(1, lease) = it.choose() else { panic!("there is one") };
            it.give(1, lease);
        }
    }

    #[test]
    fn a_connection_of_its_own_is_never_one_that_was_used() {
        let mut it = Fixture::new(&[1]);
        it.pools = Pools::new(&it.registry, 1, Rng::with_seed(1));
        it.backend.limits.connections = 2;
        let lease = it.connect();
        it.give(1, lease);
        let Choice::Connect(_one) = it.pools.choose_new(&it.backend, asking()) else { panic!("there is room") };
        assert_eq!(it.pools.idle(), 1);
        let Choice::Connect(_two) = it.pools.choose_new(&it.backend, asking()) else { panic!("the idle one gives way") };
        assert_eq!(it.pools.idle(), 0);
        assert!(matches!(it.pools.choose_new(&it.backend, asking()), Choice::Overflow));
    }

    #[test]
    fn no_more_idle_ones_than_allowed_for_more_than_a_moment() {
        let mut it = Fixture::new(&[1, 2]);
        it.backend.limits.idle_per_worker = 3;
        let leases: Vec<_> = (0..30).map(|_| it.connect()).collect();
        for (connection, lease) in (0..).zip(leases) {
            it.give(connection, lease);
        }
        assert_eq!(it.pools.idle(), 3 * BURST, "never more than that");
        it.pools.sweep(NOW, |_| false);
        assert_eq!(it.pools.idle(), 3 * BURST, "all were busy a moment ago");
        it.pools.sweep(NOW + BRIEFLY, |_| false);
        assert_eq!(it.pools.idle(), 3);
        let Choice::Reuse(newest, _lease) = it.choose() else { panic!("some are kept") };
        assert!(newest > 20, "the oldest went");
    }

    #[test]
    fn a_backend_says_how_long_an_idle_connection_is_kept() {
        let mut it = Fixture::new(&[1]);
        it.backend.limits.idle = Some(Duration::from_secs(5));
        let lease = it.connect();
        it.give(1, lease);
        it.pools.sweep(NOW + Duration::from_secs(4), |_| false);
        assert_eq!(it.pools.idle(), 1);
        it.pools.sweep(NOW + Duration::from_secs(5), |_| false);
        assert_eq!(it.pools.idle(), 0);
    }

    #[test]
    fn requests_are_bounded_over_all_workers_where_somebody_asked_for_it() {
        let mut it = Fixture::new(&[1]);
        assert!(matches!(it.pools.admit(&it.backend), Ok(None)), "nothing is counted");
        it.backend.limits.requests = 1;
        let mut second: Pools<u32> = Pools::new(&it.registry, 2, Rng::with_seed(2));
        let one = it.pools.admit(&it.backend);
        assert!(matches!(one, Ok(Some(_))));
        assert!(second.admit(&it.backend).is_err());
        drop(one);
        assert!(second.admit(&it.backend).is_ok());
    }

    #[test]
    fn requests_are_counted_for_least_request_only() {
        let mut it = Fixture::new(&[1]);
        let lease = it.connect();
        let none = lease.begin(Balancing::RoundRobin);
        assert_eq!(lease.endpoint.in_flight(), 0);
        let one = lease.begin(Balancing::LeastRequest);
        assert_eq!(lease.endpoint.in_flight(), 1);
        drop((none, one));
        assert_eq!(lease.endpoint.in_flight(), 0);
    }
}
