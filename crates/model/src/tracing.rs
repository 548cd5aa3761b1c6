//! What is told to a collector of spans.

use crate::{Percent, Scheme, Text};
use serde::Serialize;
use std::fmt;

/// Requests are traced: each carries a trace on to its backend, and those that are sampled are told to a collector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Tracing {
    /// Of the requests that bring no trace with them. Those that do say themselves whether they are sampled.
    pub sampling: Percent,
    pub collector: Collector,
}

/// Where spans are sent, by OTLP.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Collector {
    pub scheme: Scheme,
    /// A name or an address; an IPv6 address without brackets.
    pub host: Text,
    pub port: u16,
    pub protocol: CollectorProtocol,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum CollectorProtocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP in protobuf, posted to this path.
    Http(Text),
}

// === impl Collector ===

impl Collector {
    /// `host:port`, as a URL has it.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Its URL.
impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.authority())?;
        match &self.protocol {
            CollectorProtocol::Grpc => Ok(()),
            CollectorProtocol::Http(path) => f.write_str(path),
        }
    }
}
