//! The hops from a name to an endpoint, and what is said of each.

use crate::saying::Saying;
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
    pub said: Saying,
    /// What mends it, where something is broken.
    pub mend: Option<Saying>,
    /// It is said of what may be seen alone; there may be more.
    pub is_partly_seen: bool,
}

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
    pub(crate) fn good(hop: HopName, said: Saying) -> Self {
        Self { hop, verdict: Verdict::Good, said, mend: None, is_partly_seen: false }
    }

    pub(crate) fn broken(hop: HopName, said: Saying, mend: Saying) -> Self {
        Self { hop, verdict: Verdict::Broken, said, mend: Some(mend), is_partly_seen: false }
    }

    pub(crate) fn unknown(hop: HopName, said: Saying) -> Self {
        Self { hop, verdict: Verdict::Unknown, said, mend: None, is_partly_seen: false }
    }

    /// What comes behind a broken one.
    pub(crate) fn untried(hop: HopName) -> Self {
        Self::unknown(hop, Saying::NotTried {})
    }

    /// What was found, in a sentence.
    pub fn said(&self) -> String {
        match (self.is_partly_seen, self.verdict) {
            (false, _) => self.said.to_string(),
            (true, Verdict::Unknown) => format!("{}; something of it cannot be seen by you", self.said),
            (true, _) => format!("among what you may see, {}", self.said),
        }
    }

    /// What mends it, in a sentence; empty where nothing is broken.
    pub fn mend(&self) -> String {
        self.mend.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        json!({
            "hop": self.hop.word(),
            "verdict": self.verdict.word(),
            "said": self.said(),
            "reason": self.said.reason(),
            "values": self.said.values(),
            "partlySeen": self.is_partly_seen,
            "mend": self.mend(),
            "mendReason": self.mend.as_ref().map(Saying::reason),
            "mendValues": self.mend.as_ref().map(Saying::values),
        })
    }
}
