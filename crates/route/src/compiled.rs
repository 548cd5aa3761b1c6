//! A route ready to serve.

use crate::Expression;
use crate::host::slots;
use model::{Action, Filter, GatewayId, Host, Reason, Replies, Respond, Route, Source, WeightedBackend};
use std::any::Any;
use std::sync::{Arc, LazyLock, OnceLock};

/// One route of one host. A request keeps it while it is under way; the snapshot it came from may go.
#[derive(Debug)]
pub struct CompiledRoute {
    host: Arc<Host>,
    index: usize,
    gateway: GatewayId,
    state: State,
    /// Of the filters' patterns, the route's and then its backends', in order; empty if there are none.
    expressions: Box<[Option<Expression>]>,
    /// Where whoever serves the route keeps what belongs to it, for example its counters.
    pub slot: Slot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Serves,
    /// A part of it did not compile: it answers 503.
    Broken,
}

/// A place for one value, filled once.
#[derive(Default)]
pub struct Slot(OnceLock<Arc<dyn Any + Send + Sync>>);

/// What a route answers that did not compile.
static BROKEN: LazyLock<Action> = LazyLock::new(|| Action::Respond(Respond { status: 503, reason: Reason::Closed, body: None }));

// === impl CompiledRoute ===

impl CompiledRoute {
    pub(crate) fn new(gateway: GatewayId, host: Arc<Host>, index: usize, state: State, expressions: Box<[Option<Expression>]>) -> Self {
        Self { host, index, gateway, state, expressions, slot: Slot::default() }
    }

    pub fn gateway(&self) -> &GatewayId {
        &self.gateway
    }

    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its place among the host's routes.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The object and the place in it that made the route.
    pub fn source(&self) -> &Source {
        &self.model().source
    }

    /// 503 where the route did not compile.
    pub fn action(&self) -> &Action {
        match self.state {
            State::Serves => &self.model().action,
            State::Broken => &BROKEN,
        }
    }

    /// How local replies and the `Server` field look.
    pub fn replies(&self) -> &Replies {
        self.model().replies.as_ref().unwrap_or(&self.host.replies)
    }

    /// The filters in the order they run, each with its patterns compiled, if it has any.
    pub fn filters(&self) -> impl Iterator<Item = (&Filter, &[Option<Expression>])> {
        self.compiled(self.route_filters(), 0)
    }

    /// The same of the backend at this place in [`model::Forward::backends`].
    pub fn backend_filters(&self, backend: usize) -> impl Iterator<Item = (&Filter, &[Option<Expression>])> {
        let backends = self.backends();
        let count = |filters: &[Filter]| filters.iter().map(|filter| slots(filter).count()).sum::<usize>();
        let before = match self.expressions.is_empty() {
            true => 0,
            false => count(self.route_filters()) + backends.iter().take(backend).map(|it| count(&it.filters)).sum::<usize>(),
        };
        self.compiled(backends.get(backend).map_or(&[], |it| &it.filters), before)
    }

    fn compiled<'a>(&'a self, filters: &'a [Filter], mut at: usize) -> impl Iterator<Item = (&'a Filter, &'a [Option<Expression>])> {
        filters.iter().map(move |filter| {
            if self.expressions.is_empty() {
                return (filter, &[][..]);
            }
            let from = at;
            at += slots(filter).count();
            (filter, self.expressions.get(from..at).unwrap_or_default())
        })
    }

    fn route_filters(&self) -> &[Filter] {
        match self.state {
            State::Serves => &self.model().filters,
            State::Broken => &[],
        }
    }

    fn backends(&self) -> &[WeightedBackend] {
        match self.action() {
            Action::Forward(forward) => &forward.backends,
            Action::Redirect(_) | Action::Respond(_) => &[],
        }
    }

    fn model(&self) -> &Route {
        &self.host.routes[self.index]
    }
}

// === impl Slot ===

impl Slot {
    /// The value, made when first asked for. A value of another type than asked for is made anew and not kept: one crate owns the slot.
    pub fn get_or_init<T: Any + Send + Sync>(&self, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        match self.get() {
            Some(value) => value,
            None => {
                let made = make();
                match self.0.set(made.clone()) {
                    Ok(()) => made,
                    Err(_) => self.get().unwrap_or(made),
                }
            }
        }
    }

    /// The value, borrowed: no reference count is touched.
    pub fn peek<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get()?.downcast_ref()
    }

    fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.get()?.clone().downcast().ok()
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "Slot(filled)" } else { "Slot(empty)" })
    }
}
