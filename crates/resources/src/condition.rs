//! What an object's `status` is to say, as far as translation knows it.

use model::{SectionName, Text};
use serde::Serialize;
use serde_json::Value;

/// A condition, without what only its writer knows (times, the generation).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Condition {
    /// `type`, for example `Accepted`.
    pub kind: Text,
    pub status: Truth,
    pub reason: Text,
    pub message: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Truth {
    True,
    False,
    Unknown,
}

/// The `status` of an object, in the shape of its kind.
///
/// **Invariant:** `Programmed` is never said to be true here: only who hears from the data plane knows that. Where it is not said at all, it is
/// to be found out; where it is said to be false, it stays so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Status {
    /// Gateway API's Gateway.
    Gateway(GatewayStatus),
    /// Gateway API's routes: one entry for each parent that is ours.
    Route(Vec<ParentStatus>),
    /// Everything else: `status.conditions`.
    Conditions(Vec<Condition>),
    /// An IngressGateway: `status.conditions`, and where it is reached, which is to be found out.
    Entrance(Vec<Condition>),
    /// Gateway API's GatewayClass.
    Class { conditions: Vec<Condition>, features: Vec<Text> },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GatewayStatus {
    pub conditions: Vec<Condition>,
    /// In the order of `spec.listeners`.
    pub listeners: Vec<ListenerStatus>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListenerStatus {
    pub name: SectionName,
    pub port: u16,
    /// `group`, `kind`.
    pub supported_kinds: Vec<(Text, Text)>,
    pub attached_routes: u32,
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParentStatus {
    /// The `parentRef` as the route has it.
    pub parent: Value,
    /// Whose entry it is, for example `paifang.dev/gateway-controller`.
    pub controller: Text,
    pub conditions: Vec<Condition>,
}

// === impl Condition ===

impl Condition {
    pub fn new(kind: impl Into<Text>, status: Truth, reason: impl Into<Text>, message: impl Into<Text>) -> Self {
        Self { kind: kind.into(), status, reason: reason.into(), message: message.into() }
    }
}

// === impl Truth ===

impl Truth {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}
