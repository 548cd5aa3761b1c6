//! Endpoints by backend, shared by all workers.

use crate::gate::{Admitted, Gate, Permit, Waiting};
use crate::{Cell, Trouble, View};
use model::{BackendId, Endpoint};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// For so long an endpoint that refused a connection is passed over while others are there.
const PASS_OVER: Duration = Duration::from_secs(1);

/// All endpoints there are. Replaced whole; what did not change is shared.
#[derive(Debug)]
pub struct Registry {
    cell: Arc<Cell<Table>>,
}

#[derive(Clone, Debug, Default)]
pub struct Table {
    sets: HashMap<BackendId, Arc<EndpointSet>>,
}

/// The endpoints of one backend. Replaced whole; an endpoint that stays keeps its state.
#[derive(Debug)]
pub struct EndpointSet {
    endpoints: Vec<Arc<EndpointState>>,
    gate: Arc<Gate>,
}

/// One endpoint, as all workers know it.
#[derive(Debug)]
pub struct EndpointState {
    pub address: SocketAddr,
    in_flight: AtomicU32,
    /// Milliseconds on the workers' common clock.
    passed_over_until: AtomicU64,
    /// Of the last connection, one more than the place in [`Trouble::ALL`]; 0: it was made.
    trouble: AtomicU8,
}

// === impl Registry ===

impl Registry {
    pub fn new() -> Self {
        Self { cell: Cell::new(Table::default()) }
    }

    /// Applies a change; `None` takes a backend's endpoints away. One writer at a time.
    pub fn apply(&self, changes: &[(BackendId, Option<Arc<[Endpoint]>>)]) {
        if changes.is_empty() {
            return;
        }
        let mut table = Table::clone(&self.cell.load());
        for (backend, endpoints) in changes {
            let before = table.sets.get(backend).cloned();
            match endpoints {
                Some(endpoints) => table.sets.insert(backend.clone(), Arc::new(EndpointSet::new(endpoints, before.as_deref()))),
                None => table.sets.remove(backend),
            };
        }
        self.cell.publish(Arc::new(table));
    }

    pub fn view(&self) -> View<Table> {
        self.cell.view()
    }

    pub fn load(&self) -> Arc<Table> {
        self.cell.load()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Table ===

impl Table {
    pub fn get(&self, backend: &BackendId) -> Option<&Arc<EndpointSet>> {
        self.sets.get(backend)
    }

    pub fn ready(&self, backend: &BackendId) -> bool {
        self.get(backend).is_some_and(|set| !set.endpoints.is_empty())
    }
}

// === impl EndpointSet ===

impl EndpointSet {
    /// Repeated addresses count once.
    pub fn new(endpoints: &[Endpoint], before: Option<&Self>) -> Self {
        let known: HashMap<SocketAddr, &Arc<EndpointState>> =
            before.into_iter().flat_map(|set| &set.endpoints).map(|state| (state.address, state)).collect();
        let mut states: Vec<Arc<EndpointState>> = Vec::with_capacity(endpoints.len());
        let mut seen = std::collections::HashSet::new();
        for endpoint in endpoints.iter().filter(|endpoint| seen.insert(endpoint.address)) {
            let state = known.get(&endpoint.address).map(|state| Arc::clone(state));
            states.push(state.unwrap_or_else(|| Arc::new(EndpointState::new(endpoint.address))));
        }
        let gate = before.map(|set| set.gate.clone()).unwrap_or_default();
        Self { endpoints: states, gate }
    }

    pub fn endpoints(&self) -> &[Arc<EndpointState>] {
        &self.endpoints
    }

    /// Open connections over all workers.
    pub fn connections(&self) -> u32 {
        self.gate.connections()
    }

    /// `None`: the limit is reached.
    pub fn permit(&self, limit: u32) -> Option<Permit> {
        self.gate.permit(limit)
    }

    /// The same for requests under way.
    pub fn admit(&self, limit: u32) -> Option<Admitted> {
        self.gate.admit(limit)
    }

    /// The same for requests that wait for a connection.
    pub fn wait(&self, limit: u32) -> Option<Waiting> {
        self.gate.wait(limit)
    }

    /// A connection of this backend is idle again.
    pub(crate) fn freed(&self) {
        self.gate.freed();
    }
}

// === impl EndpointState ===

impl EndpointState {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, in_flight: AtomicU32::new(0), passed_over_until: AtomicU64::new(0), trouble: AtomicU8::new(0) }
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection failed: for a while others are preferred.
    pub fn failed(&self, now: Duration, trouble: Trouble) {
        self.trouble.store(trouble as u8 + 1, Ordering::Relaxed);
        let until = u64::try_from((now + PASS_OVER).as_millis()).unwrap_or(u64::MAX);
        self.passed_over_until.store(until, Ordering::Relaxed);
    }

    pub fn succeeded(&self) {
        self.trouble.store(0, Ordering::Relaxed);
        self.passed_over_until.store(0, Ordering::Relaxed);
    }

    /// Why the last connection could not be made; `None`: it could, or none was tried.
    pub fn trouble(&self) -> Option<Trouble> {
        let place = usize::from(self.trouble.load(Ordering::Relaxed)).checked_sub(1)?;
        Trouble::ALL.get(place).copied()
    }

    pub fn passed_over(&self, now: Duration) -> bool {
        let until = self.passed_over_until.load(Ordering::Relaxed);
        until != 0 && u128::from(until) > now.as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(ports: &[u16]) -> Arc<[Endpoint]> {
        ports.iter().map(|&port| Endpoint { address: SocketAddr::from(([127, 0, 0, 1], port)) }).collect()
    }

    #[test]
    fn an_endpoint_that_stays_keeps_its_state_and_the_backend_its_count() {
        let registry = Registry::new();
        let id = BackendId::new("demo/web:80");
        registry.apply(&[(id.clone(), Some(endpoints(&[1, 2, 2])))]);
        let before = registry.load().get(&id).cloned().expect("just set");
        assert_eq!(before.endpoints().len(), 2, "repeated addresses count once");
        let permit = before.permit(1).expect("the first");
        registry.apply(&[(id.clone(), Some(endpoints(&[2, 3])))]);
        let after = registry.load().get(&id).cloned().expect("just set");
        assert!(Arc::ptr_eq(&before.endpoints()[1], &after.endpoints()[0]));
        assert!(after.permit(1).is_none(), "the limit outlives the set");
        drop(permit);
        assert!(after.permit(1).is_some());
    }

    #[test]
    fn requests_and_those_that_wait_are_counted_apart() {
        let set = EndpointSet::new(&endpoints(&[1]), None);
        let (_permit, one) = (set.permit(1).expect("the first"), set.admit(2).expect("the first"));
        let _two = set.admit(2).expect("the second");
        assert!(set.admit(2).is_none());
        drop(one);
        assert!(set.admit(2).is_some());
        let waiting = set.wait(1).expect("the first");
        assert!(set.wait(1).is_none() && set.wait(0).is_none());
        drop(waiting);
        assert!(set.wait(1).is_some());
    }

    #[test]
    fn whoever_waits_is_told_when_a_connection_ends() {
        let set = EndpointSet::new(&endpoints(&[1]), None);
        let permit = set.permit(1).expect("the first");
        let (first, second) = (set.wait(2).expect("a place"), set.wait(2).expect("a place"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let told =
            |waiting: &Waiting| runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), waiting.freed()).await.is_ok() });
        drop(permit);
        assert!(told(&first));
        drop(first);
        assert!(told(&second), "the first did not need it");
    }

    #[test]
    fn a_backend_without_endpoints_is_not_ready() {
        let registry = Registry::new();
        let id = BackendId::new("demo/web:80");
        assert!(!registry.load().ready(&id));
        registry.apply(&[(id.clone(), Some(endpoints(&[])))]);
        assert!(!registry.load().ready(&id));
        registry.apply(&[(id.clone(), Some(endpoints(&[1])))]);
        assert!(registry.load().ready(&id));
        registry.apply(&[(id.clone(), None)]);
        assert!(!registry.load().ready(&id));
    }

    #[test]
    fn a_failed_endpoint_is_passed_over_for_a_second() {
        let endpoint = EndpointState::new(SocketAddr::from(([127, 0, 0, 1], 1)));
        let at = Duration::from_secs;
        assert!(!endpoint.passed_over(at(10)));
        endpoint.failed(at(10), Trouble::Refused);
        assert!(endpoint.passed_over(at(10)));
        assert!(!endpoint.passed_over(at(11)));
        assert_eq!(endpoint.trouble(), Some(Trouble::Refused), "it is known for longer");
        endpoint.failed(at(20), Trouble::Unreachable);
        assert_eq!(endpoint.trouble(), Some(Trouble::Unreachable));
        endpoint.succeeded();
        assert_eq!(endpoint.trouble(), None);
        assert!(!endpoint.passed_over(at(20)));
    }
}
