//! The unit of change.

use crate::{GatewayId, Host, HostPattern};
use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

/// One host of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ShardKey {
    pub gateway: GatewayId,
    /// The port users asked for. `None`: every HTTP and HTTPS port of the gateway, as an Ingress means it.
    ///
    /// **Invariant:** a shard of a port has all routes of its host on that port; the shard without a port is not asked for them.
    pub port: Option<u16>,
    pub host: HostPattern,
}

/// A host and the hash of its content.
///
/// **Invariant:** equal hashes mean equal hosts: whoever has a shard of this hash needs neither compile nor send it again, nor compare
/// what was said about it.
#[derive(Clone, Debug)]
pub struct Shard {
    pub hash: ContentHash,
    pub host: Arc<Host>,
}

/// 128 bits over everything in a host. Equal within one build of the program, not between builds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ContentHash(u128);

impl Shard {
    pub fn new(mut host: Host) -> Self {
        host.shrink_to_fit();
        Self { hash: ContentHash::of(&host), host: Arc::new(host) }
    }
}

impl ContentHash {
    pub fn of(content: &impl Hash) -> Self {
        let mut hasher = SipHasher13::new();
        content.hash(&mut hasher);
        Self(hasher.finish128().as_u128())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port} on {}", self.host, self.gateway),
            None => write!(f, "{} on {}", self.host, self.gateway),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostTls, Hostname, OnMiss, Replies, TlsPolicy};

    fn host(name: &str) -> Host {
        Host {
            name: HostPattern::Exact(Hostname::parse(name).expect("a good name")),
            tls: HostTls::None,
            tls_policy: TlsPolicy::default(),
            tunnel: None,
            datagrams: None,
            routes: Vec::new(),
            on_miss: OnMiss::Stop,
            replies: Replies::default(),
        }
    }

    #[test]
    fn the_hash_follows_the_content() {
        assert_eq!(Shard::new(host("a.test")).hash, Shard::new(host("a.test")).hash);
        assert_ne!(Shard::new(host("a.test")).hash, Shard::new(host("b.test")).hash);
        let wider = Host { on_miss: OnMiss::Wider, ..host("a.test") };
        assert_ne!(Shard::new(host("a.test")).hash, Shard::new(wider).hash);
    }
}
