//! One host: its name, its TLS, its routes.

use super::gateway::Network;
use super::route::{Source, WeightedBackend};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Host {
    #[prost(message, optional, tag = "1")]
    pub name: Option<HostPattern>,
    #[prost(message, optional, tag = "2")]
    pub tls: Option<HostTls>,
    #[prost(message, optional, tag = "3")]
    pub tls_policy: Option<TlsPolicy>,
    #[prost(message, optional, tag = "4")]
    pub tunnel: Option<Tunnel>,
    #[prost(message, optional, tag = "5")]
    pub datagrams: Option<Tunnel>,
    /// Each a [`Route`](super::route::Route): one that is not understood costs itself.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub routes: Vec<Vec<u8>>,
    #[prost(int32, tag = "7")]
    pub on_miss: i32,
    #[prost(message, optional, tag = "8")]
    pub replies: Option<Replies>,
}

#[derive(Clone, PartialEq, Message)]
pub struct HostPattern {
    /// 1: exact, 2: one label, 3: any depth, 4: any.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct HostTls {
    /// 1: none, 2: the default one, 3: a certificate, 4: passed on, 5: refused.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    /// Its digest.
    #[prost(bytes = "vec", tag = "2")]
    pub certificate: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TlsPolicy {
    /// 1: none, 2: optional, 3: required, 4: unverified.
    #[prost(int32, tag = "1")]
    pub client: i32,
    /// Its digest.
    #[prost(bytes = "vec", tag = "2")]
    pub trust: Vec<u8>,
    #[prost(int32, tag = "3")]
    pub versions: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Replies {
    #[prost(int32, tag = "1")]
    pub body: i32,
    /// 1: removed, 2: kept, 3: set.
    #[prost(int32, tag = "2")]
    pub server: i32,
    #[prost(string, tag = "3")]
    pub server_value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Tunnel {
    #[prost(message, optional, tag = "1")]
    pub source: Option<Source>,
    #[prost(message, repeated, tag = "2")]
    pub backends: Vec<WeightedBackend>,
    /// Nanoseconds, as every duration.
    #[prost(uint64, tag = "3")]
    pub connect: u64,
    #[prost(uint64, tag = "4")]
    pub idle: u64,
    #[prost(message, optional, tag = "5")]
    pub clients: Option<Networks>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Networks {
    #[prost(message, repeated, tag = "1")]
    pub all: Vec<Network>,
}
