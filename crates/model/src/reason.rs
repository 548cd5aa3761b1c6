//! Why the gateway answered by itself.

use serde::Serialize;
use std::fmt;

/// One word, the same everywhere: header `x-paifang-reason`, metric label `reason`, access log field, console column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// 404: no host or route matches.
    NoRoute,
    /// 503: the backend has no ready endpoint.
    NoEndpoints,
    /// 503: the backend's object does not exist or may not be used.
    NoBackend,
    /// 502: no endpoint accepted a connection.
    ConnectFailed,
    /// 504: no endpoint accepted a connection in time.
    ConnectTimeout,
    /// 502: the upstream closed or reset the connection before its answer was whole.
    UpstreamReset,
    /// 502: the upstream's answer is no HTTP we accept.
    UpstreamProtocol,
    /// 504: the upstream was silent for too long.
    UpstreamTimeout,
    /// 503: the backend's connection or request limit is reached.
    Overflow,
    /// 503: a setting that guards this path is not usable, so the path is closed.
    Closed,
    /// 503: this process is stopping or overloaded.
    Unavailable,
    /// 400 and others: the request is no HTTP we accept.
    BadRequest,
    /// 408: the request did not arrive in time.
    RequestTimeout,
    /// 413: the body is larger than the route allows.
    BodyTooLarge,
    /// 421: the host does not belong to the connection's certificate or listener.
    Misdirected,
    /// 3xx: a redirect made here.
    Redirect,
    /// A fixed answer of the route.
    Respond,
    /// A failure on purpose.
    Fault,
    /// 500: a fault of the gateway itself.
    Internal,
}

impl Reason {
    pub const ALL: [Self; 19] = [
        Self::NoRoute,
        Self::NoEndpoints,
        Self::NoBackend,
        Self::ConnectFailed,
        Self::ConnectTimeout,
        Self::UpstreamReset,
        Self::UpstreamProtocol,
        Self::UpstreamTimeout,
        Self::Overflow,
        Self::Closed,
        Self::Unavailable,
        Self::BadRequest,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::Misdirected,
        Self::Redirect,
        Self::Respond,
        Self::Fault,
        Self::Internal,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::NoRoute => "no-route",
            Self::NoEndpoints => "no-endpoints",
            Self::NoBackend => "no-backend",
            Self::ConnectFailed => "connect-failed",
            Self::ConnectTimeout => "connect-timeout",
            Self::UpstreamReset => "upstream-reset",
            Self::UpstreamProtocol => "upstream-protocol",
            Self::UpstreamTimeout => "upstream-timeout",
            Self::Overflow => "overflow",
            Self::Closed => "closed",
            Self::Unavailable => "unavailable",
            Self::BadRequest => "bad-request",
            Self::RequestTimeout => "request-timeout",
            Self::BodyTooLarge => "body-too-large",
            Self::Misdirected => "misdirected",
            Self::Redirect => "redirect",
            Self::Respond => "respond",
            Self::Fault => "fault",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
