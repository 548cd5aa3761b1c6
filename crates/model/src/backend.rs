//! Where requests go.

use crate::BackendId;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// What requests are sent to, without its endpoints: those travel by [`BackendId`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Backend {
    pub id: BackendId,
    pub protocol: Protocol,
    pub balancing: Balancing,
    pub limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Protocol {
    /// HTTP/1.1 in plain text.
    Http1,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Balancing {
    #[default]
    RoundRobin,
    /// Of two endpoints picked by chance, the one with fewer requests under way.
    LeastRequest,
    Random,
    /// The same endpoint for the same client address, as long as it is there; one that goes moves only its own clients.
    ClientAddress,
}

/// Bounds of one backend, counted over all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Limits {
    /// Open connections, busy and idle. Reached: 503, `overflow`.
    pub connections: u32,
    /// Idle connections that each worker keeps.
    pub idle_per_worker: u32,
    /// Requests under way. Reached: 503, `overflow`.
    pub requests: u32,
    /// Requests that wait for a connection while `connections` is reached. Reached: 503, `overflow`.
    pub pending: u32,
    /// After so many requests a connection is not used again.
    pub requests_per_connection: Option<u32>,
    /// The longest wait for a connection, in place of the route's.
    pub connect: Option<Duration>,
    /// How long an idle connection is kept. `None`: as the data plane does by itself.
    pub idle: Option<Duration>,
}

/// One address that serves a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Endpoint {
    pub address: SocketAddr,
}

impl Backend {
    /// HTTP/1.1, round robin, default limits.
    pub fn new(id: BackendId) -> Self {
        Self { id, protocol: Protocol::Http1, balancing: Balancing::default(), limits: Limits::default() }
    }
}

impl Default for Limits {
    /// 10,000 connections, 320 idle ones a worker (ingress-nginx: `upstream-keepalive-connections`).
    fn default() -> Self {
        Self {
            connections: 10_000,
            idle_per_worker: 320,
            requests: u32::MAX,
            pending: 0,
            requests_per_connection: None,
            connect: None,
            idle: None,
        }
    }
}
