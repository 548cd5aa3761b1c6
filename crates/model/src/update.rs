//! What control sends to a data plane, and what comes back.

use crate::{BackendId, Endpoint, Gateway, GatewayId, SectionName, Shard, ShardKey};
use serde::Serialize;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Orders updates: a new leader begins a new epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Version {
    pub epoch: u64,
    pub sequence: u64,
}

/// A change. `None` means gone. What is not named stays as it is.
///
/// **Invariant:** endpoints are applied before gateways and shards, so that no route ever points at a backend not heard of.
#[derive(Clone, Debug, Default)]
pub struct Update {
    pub version: Version,
    pub endpoints: Vec<(BackendId, Option<Arc<[Endpoint]>>)>,
    pub gateways: Vec<(GatewayId, Option<Arc<Gateway>>)>,
    pub shards: Vec<(ShardKey, Option<Shard>)>,
}

/// The data plane's answer: every worker serves this version from here on.
#[derive(Clone, Debug, Default)]
pub struct Ack {
    pub version: Version,
    /// Every socket the data plane has been told to listen on, as it is now.
    pub bindings: Vec<BindingState>,
    /// What it could not serve: those routes answer 503, or their host's handshakes are refused.
    pub nacks: Vec<Nack>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingState {
    pub gateway: GatewayId,
    pub listener: SectionName,
    /// As asked for.
    pub address: SocketAddr,
    /// The socket's own address, or why there is none.
    pub bound: Result<SocketAddr, String>,
}

/// A part of an update that the data plane could not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nack {
    pub shard: ShardKey,
    /// Index into the host's routes; 0 where it has a tunnel instead.
    pub route: usize,
    pub message: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.sequence)
    }
}
