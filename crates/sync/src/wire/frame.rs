//! What goes over the link, one after another.

use prost::{Message, Oneof};
use std::fmt;

/// From control to a gateway.
#[derive(Clone, PartialEq, Message)]
pub struct ToGateway {
    #[prost(oneof = "Told", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub told: Option<Told>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Told {
    #[prost(message, tag = "1")]
    Welcome(Welcome),
    /// All there is to have, in one or more parts.
    #[prost(message, tag = "2")]
    Inventory(Inventory),
    #[prost(message, tag = "3")]
    Body(Body),
    #[prost(message, tag = "4")]
    Gone(Key),
    /// What came since the last one is in force from here on.
    #[prost(message, tag = "5")]
    Commit(Version),
    #[prost(message, tag = "6")]
    Ping(Empty),
    #[prost(message, tag = "7")]
    Refused(Refused),
    #[prost(message, tag = "8")]
    Enrolled(Enrolled),
}

/// From a gateway to control.
#[derive(Clone, PartialEq, Message)]
pub struct ToControl {
    #[prost(oneof = "Said", tags = "1, 2, 3, 4, 5")]
    pub said: Option<Said>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Said {
    #[prost(message, tag = "1")]
    Hello(Hello),
    #[prost(message, tag = "2")]
    Enroll(Enroll),
    /// What of the inventory must be sent, in one or more parts.
    #[prost(message, tag = "3")]
    Lack(Lack),
    #[prost(message, tag = "4")]
    Ack(Ack),
    #[prost(message, tag = "5")]
    Ping(Empty),
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub struct Hello {
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    /// The program's version.
    #[prost(string, tag = "2")]
    pub build: String,
    /// For example a Pod's name; shown, never trusted.
    #[prost(string, tag = "3")]
    pub instance: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Welcome {
    #[prost(uint32, tag = "1")]
    pub protocol: u32,
    #[prost(string, tag = "2")]
    pub build: String,
    /// Who the certificate says this is.
    #[prost(string, tag = "3")]
    pub gateway: String,
    #[prost(uint64, tag = "4")]
    pub epoch: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Refused {
    #[prost(string, tag = "1")]
    pub why: String,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Enroll {
    #[prost(string, tag = "1")]
    pub token: String,
    /// PKCS#10, DER. Of it the key alone counts.
    #[prost(bytes = "vec", tag = "2")]
    pub request: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Enrolled {
    /// DER, leaf first.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub chain: Vec<Vec<u8>>,
    #[prost(uint64, tag = "2")]
    pub seconds: u64,
}

/// Names one thing that a gateway may have. Of which gateway goes without saying.
#[derive(Clone, PartialEq, Message)]
pub struct Key {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Kind {
    #[prost(message, tag = "1")]
    Settings(Empty),
    /// By its own digest.
    #[prost(bytes = "vec", tag = "2")]
    Certificate(Vec<u8>),
    #[prost(bytes = "vec", tag = "3")]
    Trust(Vec<u8>),
    #[prost(string, tag = "4")]
    Endpoints(String),
    #[prost(message, tag = "5")]
    Gateway(Empty),
    #[prost(message, tag = "6")]
    Shard(ShardKey),
}

#[derive(Clone, PartialEq, Message)]
pub struct ShardKey {
    #[prost(uint32, optional, tag = "1")]
    pub port: Option<u32>,
    #[prost(message, optional, tag = "2")]
    pub host: Option<super::host::HostPattern>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Inventory {
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<Entry>,
    #[prost(bool, tag = "2")]
    pub last: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Key>,
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Lack {
    /// Indices into the inventory.
    #[prost(uint32, repeated, tag = "1")]
    pub entries: Vec<u32>,
    #[prost(bool, tag = "2")]
    pub last: bool,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Body {
    #[prost(message, optional, tag = "1")]
    pub key: Option<Key>,
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
    /// The message that the key's kind says.
    #[prost(bytes = "bytes", tag = "3")]
    pub octets: bytes::Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Version {
    #[prost(uint64, tag = "1")]
    pub epoch: u64,
    #[prost(uint64, tag = "2")]
    pub sequence: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Ack {
    #[prost(message, optional, tag = "1")]
    pub version: Option<Version>,
    /// Of every listener.
    #[prost(message, repeated, tag = "2")]
    pub bindings: Vec<Bound>,
    /// Everything that is not served, old and new.
    #[prost(message, repeated, tag = "3")]
    pub nacks: Vec<Nack>,
}

/// One socket as it is.
#[derive(Clone, PartialEq, Message)]
pub struct Bound {
    #[prost(string, tag = "1")]
    pub listener: String,
    /// Why it does not listen; empty: it does.
    #[prost(string, tag = "2")]
    pub fault: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Nack {
    #[prost(message, optional, tag = "1")]
    pub shard: Option<ShardKey>,
    #[prost(uint32, tag = "2")]
    pub route: u32,
    #[prost(string, tag = "3")]
    pub message: String,
}

impl fmt::Debug for Enroll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enroll { token: <sealed> }")
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("key", &self.key).field("octets", &self.octets.len()).finish_non_exhaustive()
    }
}
