//! The model compiled for matching: a request's host and path in, the one route that answers out.
//!
//! Pure: no IO, no clock, no tasks. It is *not* the order of precedence: frontends decide that, and here the first route of a host that
//! matches wins.
//!
//! ```text
//! model::Update ──apply──► Snapshot ──► GatewayTable ──► HostTable ──► Tree: the lowest index that matches ──► CompiledRoute
//!                          by id        by port and name  one shard     by path, then method, headers, …
//! ```
//!
//! A [`Snapshot`] is immutable. Applying an update makes a new one that shares everything untouched with the old one, so that one changed
//! host among ten thousand costs microseconds.
//!
//! **Invariant:** what a snapshot answers depends on its content alone, never on the updates it took to get there.
//!
//! **Invariant:** no time, memory or panic of a user's regular expression goes beyond its own route.

mod compiled;
mod explain;
mod expression;
mod gateway;
mod hash;
mod host;
mod hosts;
mod matching;
mod request;
mod snapshot;
mod spread;
mod tree;
mod values;

pub use compiled::{CompiledRoute, Slot};
pub use explain::{Beaten, Explanation, HostTried, Outcome, RouteTried, Tried};
pub use expression::{Expression, Found, Groups, PatternError};
pub use gateway::{GatewayTable, Lookup, Server, Shown};
pub use matching::Part;
pub use request::{Headers, NoHeaders, Request};
pub use snapshot::Snapshot;
pub use values::check_value;

#[cfg(test)]
mod tests;
