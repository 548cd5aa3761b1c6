//! Listeners, endpoints, certificates and whom to trust.

use super::host::Replies;
use prost::Message;
use std::fmt;

#[derive(Clone, PartialEq, Message)]
pub struct Gateway {
    /// Each a [`Listener`]: one that is not understood costs itself.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub listeners: Vec<Vec<u8>>,
    /// Its digest; empty: none.
    #[prost(bytes = "vec", tag = "2")]
    pub default_certificate: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    pub replies: Option<Replies>,
    /// Absent: nothing of it is other than usual.
    #[prost(message, optional, tag = "5")]
    pub options: Option<Options>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Options {
    #[prost(message, optional, tag = "1")]
    pub forwarded: Option<Forwarded>,
    #[prost(message, optional, tag = "2")]
    pub log: Option<LogFormat>,
    #[prost(message, optional, tag = "3")]
    pub tracing: Option<Tracing>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Tracing {
    /// In millionths.
    #[prost(uint32, tag = "1")]
    pub sampling: u32,
    #[prost(int32, tag = "2")]
    pub scheme: i32,
    #[prost(string, tag = "3")]
    pub host: String,
    #[prost(uint32, tag = "4")]
    pub port: u32,
    /// Of OTLP/HTTP; absent: OTLP/gRPC.
    #[prost(string, optional, tag = "5")]
    pub path: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Forwarded {
    #[prost(message, repeated, tag = "1")]
    pub from: Vec<Network>,
    #[prost(string, tag = "2")]
    pub field: String,
    #[prost(int32, tag = "3")]
    pub addresses: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct LogFormat {
    #[prost(message, repeated, tag = "1")]
    pub parts: Vec<LogPart>,
    #[prost(int32, tag = "2")]
    pub escape: i32,
    #[prost(int32, tag = "3")]
    pub line: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct LogPart {
    /// 0: the text as it is; else which value, and the text is its name.
    #[prost(int32, tag = "1")]
    pub value: i32,
    #[prost(string, tag = "2")]
    pub text: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Listener {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int32, tag = "2")]
    pub protocol: i32,
    #[prost(uint32, tag = "3")]
    pub port: u32,
    #[prost(message, repeated, tag = "4")]
    pub bindings: Vec<Binding>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Binding {
    #[prost(message, optional, tag = "1")]
    pub address: Option<Address>,
    #[prost(uint32, optional, tag = "2")]
    pub https_port: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Address {
    /// 4 or 16 octets.
    #[prost(bytes = "vec", tag = "1")]
    pub ip: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub port: u32,
    /// Of a link-local IPv6 address.
    #[prost(uint32, tag = "3")]
    pub scope: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Network {
    #[prost(bytes = "vec", tag = "1")]
    pub ip: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub prefix: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Endpoints {
    #[prost(message, repeated, tag = "1")]
    pub endpoints: Vec<Endpoint>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Endpoint {
    #[prost(message, optional, tag = "1")]
    pub address: Option<Address>,
}

/// What a gateway as a whole is told.
#[derive(Clone, PartialEq, Message)]
pub struct Settings {
    /// Refused as endpoints, beside the gateway's own sockets and link-local addresses.
    #[prost(message, repeated, tag = "1")]
    pub refused: Vec<Address>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub struct Certificate {
    #[prost(string, tag = "1")]
    pub origin: String,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub chain: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "3")]
    pub key: Vec<u8>,
    #[prost(string, repeated, tag = "4")]
    pub names: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Trust {
    #[prost(string, tag = "1")]
    pub origin: String,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub authorities: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub revoked: Vec<Vec<u8>>,
    #[prost(string, repeated, tag = "4")]
    pub names: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    pub pins: Vec<Pin>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Pin {
    /// 1: of the public key, 2: of the certificate.
    #[prost(int32, tag = "1")]
    pub of: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("origin", &self.origin).finish_non_exhaustive()
    }
}
