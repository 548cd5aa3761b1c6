//! The data plane for HTTP: sockets, workers, and a request's way from one connection to another.
//!
//! It obeys the routing model and knows nothing of where that came from. It is *not* where routes are chosen (`route`), filters defined
//! (`filter`), heads read (`http1`) or endpoints balanced (`upstream`): it moves octets between these.
//!
//! ```text
//! model::Update ──Dataplane::apply──► Registry, Snapshot (shared, swapped) ──View──► worker, one per core
//!
//! accept ─► TLS ─► head ─► canonical path ─► route ─► filters ─► endpoint, connection ─► request out ─► answer ─► client
//! listeners connection                exchange          │     forward                 waiting        delivery
//!                                                       └──► copies of it, on tasks of their own: mirroring
//! ```
//!
//! Each worker is a thread with a runtime of its own. It has its own sockets (`SO_REUSEPORT`), upstream pools, buffers and clock; shared are
//! atomics, and values that are swapped whole. A connection stays on the worker that serves it.
//!
//! **Invariant:** every wait has a deadline, every buffer a bound; nothing on a worker blocks.
//!
//! Silence is bounded, slowness is not: a body that goes on, however little at a time, is let be, as nginx does. What a slow one holds is
//! bounded: 64 KiB each way, and two connections out of what its client and its listener may have. Of a body that may have to be sent once
//! more 64 KiB are kept, of one that is mirrored 1 MiB, and 64 MiB by a worker in all.
//!
//! **Invariant:** a request is answered by one snapshot, and lets it go once it is routed.
//!
//! **Invariant:** a panic costs the connection it happened on, nothing else.

mod admission;
mod answering;
mod buffer;
mod clock;
mod connection;
mod datagrams;
mod dataplane;
mod date;
mod delivery;
mod exchange;
mod fares;
mod forward;
mod heads;
mod listeners;
mod mirroring;
mod origin;
mod outgoing;
mod pages;
mod passage;
mod passing;
mod preparing;
mod secure;
mod spans;
mod splice;
mod stream;
mod telemetry;
mod transfer;
mod tunnel;
mod waiting;
mod warm;
mod worker;

pub use dataplane::{Dataplane, start};
pub use fares::{EndpointFares, Fares};
pub use observe::{Sink, Spans};

use model::Egress;
use std::num::NonZeroUsize;
use std::time::Duration;

/// How the data plane runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Default: one for each core this process may use.
    pub workers: Option<NonZeroUsize>,
    /// What is refused as an endpoint.
    pub egress: Egress,
    pub limits: Limits,
    pub access_log: Sink,
    /// A folder where the last of its lines are kept beside.
    pub kept_log: Option<std::path::PathBuf>,
}

/// Bounds that hold for every client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For a whole request head, from its first octet, or from accept. Default 10 s.
    pub header: Duration,
    /// Between two requests. Default 60 s.
    pub idle: Duration,
    /// For a TLS handshake. Default 5 s.
    pub handshake: Duration,
    /// For a client to take what is written, between two writes. Default 60 s.
    pub client_write: Duration,
    /// Default 10,000. The answer before says `Connection: close`.
    pub requests_per_connection: u32,
    /// Default 1 h. The next answer says `Connection: close`.
    pub connection_age: Duration,
    /// Default: 90 % of half the file descriptors, which is also the bound of all listeners together.
    pub connections_per_listener: Option<u32>,
    /// Of one address. Default 10,000: a balancer in front, or everything on one machine, is one address.
    pub connections_per_client: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { workers: None, egress: Egress::default(), limits: Limits::default(), access_log: Sink::None, kept_log: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            handshake: Duration::from_secs(5),
            client_write: Duration::from_secs(60),
            requests_per_connection: 10_000,
            connection_age: Duration::from_secs(3_600),
            connections_per_listener: None,
            connections_per_client: 10_000,
        }
    }
}
