//! The things a gateway may have, by name.

use crate::carry::{Digest, pattern, read_pattern};
use crate::wire::Unread;
use crate::wire::frame;
use model::{BackendId, GatewayId, HostPattern, ShardKey};

/// One thing that a gateway has, in the order in which things are sent: what others need goes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    Settings,
    Certificate(Digest),
    Trust(Digest),
    Endpoints(BackendId),
    Gateway,
    Shard(Option<u16>, HostPattern),
}

// === impl Entry ===

impl Entry {
    pub fn of_shard(key: &ShardKey) -> Self {
        Self::Shard(key.port, key.host.clone())
    }

    pub fn key(&self) -> frame::Key {
        let kind = match self {
            Self::Settings => frame::Kind::Settings(frame::Empty {}),
            Self::Certificate(digest) => frame::Kind::Certificate(digest.to_vec()),
            Self::Trust(digest) => frame::Kind::Trust(digest.to_vec()),
            Self::Endpoints(id) => frame::Kind::Endpoints(id.to_string()),
            Self::Gateway => frame::Kind::Gateway(frame::Empty {}),
            Self::Shard(port, host) => frame::Kind::Shard(shard_key(*port, host)),
        };
        frame::Key { kind: Some(kind) }
    }

    pub fn read(key: &frame::Key) -> Result<Self, Unread> {
        let digest = |octets: &[u8]| Digest::try_from(octets).map_err(|_| Unread::unknown("a digest"));
        match &key.kind {
            None => Err(Unread::unknown("an entry")),
            Some(frame::Kind::Settings(_)) => Ok(Self::Settings),
            Some(frame::Kind::Certificate(it)) => digest(it).map(Self::Certificate),
            Some(frame::Kind::Trust(it)) => digest(it).map(Self::Trust),
            Some(frame::Kind::Endpoints(id)) => Ok(Self::Endpoints(BackendId::new(id.as_str()))),
            Some(frame::Kind::Gateway(_)) => Ok(Self::Gateway),
            Some(frame::Kind::Shard(it)) => read_shard_key(it).map(|(port, host)| Self::Shard(port, host)),
        }
    }
}

pub fn shard_key(port: Option<u16>, host: &HostPattern) -> frame::ShardKey {
    frame::ShardKey { port: port.map(u32::from), host: Some(pattern(host)) }
}

pub fn read_shard_key(from: &frame::ShardKey) -> Result<(Option<u16>, HostPattern), Unread> {
    let port = from.port.map(|it| u16::try_from(it).map_err(|_| Unread("a port out of range".into()))).transpose()?;
    let host = from.host.as_ref().ok_or_else(|| Unread::lacks("a shard's host"))?;
    Ok((port, read_pattern(host)?))
}

/// The shard as the model names it.
pub fn named(gateway: &GatewayId, port: Option<u16>, host: HostPattern) -> ShardKey {
    ShardKey { gateway: gateway.clone(), port, host }
}
