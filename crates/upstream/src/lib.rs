//! Where requests go: endpoints, the choice among them, and the connections kept to them.
//!
//! The choices are pure (chance and time are arguments), the pools are one worker's own, and what limits count is shared. It is *not* a
//! client: nobody here writes or reads a request.
//!
//! ```text
//! control ──► Registry (shared, swapped whole) ──View──► Pools, one per worker ──► Choice: reuse, connect, or why not
//! route's Forward ──► pick_backend ──► Backend ──────────────┘
//! ```
//!
//! **Invariant:** a limit counts over all workers: a connection holds its [`Permit`] from before it is opened until it is closed, a request
//! its [`Admitted`], and one that waits for a connection its place ([`Waiting`]).
//!
//! **Invariant:** a connection to an endpoint that was taken away is never handed out again.
#![forbid(unsafe_code)]

mod balance;
mod cell;
mod connect;
mod gate;
mod pick;
mod pools;
mod registry;

pub use balance::Asking;
pub use cell::{Cell, View};
pub use connect::{ConnectError, Trouble, connect};
pub use gate::{Admitted, Permit, Waiting};
pub use pick::{Picked, pick_backend, pick_weighted};
pub use pools::{Choice, Full, InFlight, Lease, Pools};
pub use registry::{EndpointSet, EndpointState, Registry, Table};
