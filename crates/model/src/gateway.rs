//! Who listens where.

use crate::{GatewayId, GatewayOptions, Replies, Sealed, SectionName, Text};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;

/// A gateway and its listeners. Its hosts travel as shards of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Gateway {
    pub id: GatewayId,
    pub listeners: Vec<Listener>,
    /// Shown where no host's certificate fits the server name.
    pub default_certificate: Option<Arc<Certificate>>,
    /// How a local reply looks where no host matched.
    pub replies: Replies,
    pub options: Arc<GatewayOptions>,
}

/// One protocol on one or more sockets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Listener {
    pub name: SectionName,
    pub protocol: ListenerProtocol,
    /// The port users asked for, for example 80; bindings say which sockets stand for it.
    pub port: u16,
    pub bindings: Vec<Binding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ListenerProtocol {
    Http,
    /// TLS: the host that the server name means says what is shown, and whether it is ended here or passed on.
    Https,
    /// Whatever comes goes to the tunnel of [`HostPattern::Any`](crate::HostPattern::Any) on this port.
    Tcp,
    /// Datagrams: each client's go to [`Host::datagrams`](crate::Host::datagrams) of [`HostPattern::Any`](crate::HostPattern::Any) on this port.
    Udp,
}

/// A socket to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Binding {
    pub address: SocketAddr,
    /// For an HTTP socket: the port at which the same address answers https, for redirects. `None`: there is none, and 443 is named.
    pub https_port: Option<u16>,
}

/// A certificate chain, leaf first, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Certificate {
    /// Where it came from, for logs and `explain`: `Secret demo/tls`, or `self-signed`.
    pub origin: Text,
    /// DER, leaf first.
    #[serde(skip)]
    pub chain: Vec<Vec<u8>>,
    /// PKCS#8, PKCS#1 or SEC1, DER.
    pub key: Sealed<Vec<u8>>,
    /// The names it is good for, as written in it.
    pub names: Vec<Text>,
}
