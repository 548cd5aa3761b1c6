//! The hops from a name to an endpoint, and what is said of each.

use serde_json::{Value, json};

/// A step of the way, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HopName {
    /// The name leads to an address.
    Name,
    /// The address is a gateway's.
    Address,
    /// The port takes connections.
    Port,
    /// The certificate is for the host, and its time is now.
    Certificate,
    /// A route is for the request.
    Route,
    /// What the route leads to is ready.
    Endpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Broken,
    /// It was not tried, or it cannot be seen.
    Unknown,
}

/// A step of the way, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub hop: HopName,
    pub verdict: Verdict,
    /// What was found.
    pub said: String,
    /// What mends it; empty where nothing is broken.
    pub mend: String,
}

/// Said of what comes behind a broken hop.
pub(crate) const NOT_TRIED: &str = "not tried";

// === impl HopName ===

impl HopName {
    pub const ALL: [Self; 6] = [Self::Name, Self::Address, Self::Port, Self::Certificate, Self::Route, Self::Endpoint];

    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Port => "port",
            Self::Certificate => "certificate",
            Self::Route => "route",
            Self::Endpoint => "endpoint",
        }
    }
}

// === impl Verdict ===

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

// === impl Hop ===

impl Hop {
    pub(crate) fn good(hop: HopName, said: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Good, said: said.into(), mend: String::new() }
    }

    pub(crate) fn broken(hop: HopName, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Broken, said: said.into(), mend: mend.into() }
    }

    pub(crate) fn unknown(hop: HopName, said: impl Into<String>) -> Self {
        Self { hop, verdict: Verdict::Unknown, said: said.into(), mend: String::new() }
    }

    pub fn json(&self) -> Value {
        json!({ "hop": self.hop.word(), "verdict": self.verdict.word(), "said": self.said, "mend": self.mend })
    }
}
