//! What holds for every request of a gateway, whichever its route.

use crate::{Text, Tracing};
use ipnet::IpNet;
use serde::Serialize;
use std::net::IpAddr;
use std::sync::Arc;

/// Nothing of it is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct GatewayOptions {
    /// Who may say where requests come from; `None`: nobody.
    pub forwarded: Option<Forwarded>,
    /// How a request's line in the access log looks; `None`: an object of JSON.
    pub log: Option<Arc<LogFormat>>,
    /// `None`: nothing is traced, and what clients say about traces goes through untouched.
    pub tracing: Option<Arc<Tracing>>,
}

/// Proxies in front of the gateway. What one of them says about a request's client, scheme, port and host is taken over; of everybody else
/// nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Forwarded {
    /// Where they are.
    pub from: Vec<IpNet>,
    /// The field with the addresses a request came by, in lower case.
    pub field: Text,
    pub addresses: ForwardedFor,
}

/// What backends read in `X-Forwarded-For`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ForwardedFor {
    /// The client's address alone.
    #[default]
    Client,
    /// All that was said, and who said it last.
    All,
}

/// One line for each request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct LogFormat {
    pub parts: Vec<LogPart>,
    pub escape: LogEscape,
    pub line: LogLine,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum LogPart {
    /// As it is, without control characters.
    Text(Text),
    Value(LogValue),
}

/// How what clients and backends chose is written. A line never ends before its end, whichever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum LogEscape {
    /// Quotes, backslashes and what is no visible ASCII as `\x22`; what there is not as `-`.
    #[default]
    Hexadecimal,
    /// As within a string of JSON; what there is not as nothing.
    Json,
}

/// Whose lines are in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum LogLine {
    /// Those of people who may write what they like into it.
    #[default]
    Whole,
    /// Within an object of JSON that names the gateway: others' lines cannot be made up.
    Named,
}

/// What a line can tell of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum LogValue {
    /// The client's address, as far as [`Forwarded`] says so.
    Client,
    /// Address and port of whoever is connected.
    Peer,
    PeerPort,
    /// Of `Authorization: Basic`.
    User,
    /// `21/Nov/2026:22:19:04 +0000`
    TimeLocal,
    /// `2026-11-21T22:19:04+00:00`
    TimeIso,
    /// Seconds since 1970, with milliseconds.
    TimeSeconds,
    /// Method, target and protocol.
    RequestLine,
    Method,
    /// Path and query, as sent.
    Target,
    /// Canonical.
    Path,
    Query,
    /// `?`, if there is a query.
    QueryMark,
    Protocol,
    /// Of the connection.
    Scheme,
    /// As the client has it.
    ClientScheme,
    /// Without port.
    Host,
    /// The one users asked for.
    Port,
    Status,
    /// Octets of the answer's body.
    BodySent,
    /// Octets of the request, its head included.
    RequestLength,
    /// Seconds.
    Duration,
    RequestId,
    /// Of the object that made the route.
    Namespace,
    Object,
    /// Of the backend: name, port, and both with the namespace.
    Service,
    ServicePort,
    Backend,
    /// The endpoint, and what came of it.
    Endpoint,
    EndpointStatus,
    EndpointSent,
    EndpointDuration,
    EndpointConnect,
    EndpointHead,
    /// Of the request.
    Header(Text),
    Cookie(Text),
    Parameter(Text),
    /// Something there is nothing of here.
    Nothing,
}

// === impl Forwarded ===

impl Forwarded {
    /// Whether what comes from this address may say where it comes from.
    pub fn believes(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.from.iter().any(|it| it.contains(&peer))
    }
}

// === impl LogFormat ===

impl LogFormat {
    pub fn values(&self) -> impl Iterator<Item = &LogValue> {
        self.parts.iter().filter_map(|it| match it {
            LogPart::Value(value) => Some(value),
            LogPart::Text(_) => None,
        })
    }
}
