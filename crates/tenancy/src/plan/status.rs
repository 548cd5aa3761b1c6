//! Conditions, which change their time only where they change.

use crate::object::Object;
use serde_json::{Value, json};

/// One condition, as it should be.
pub(super) struct Condition<'a> {
    pub kind: &'a str,
    pub status: &'a str,
    pub reason: &'a str,
    pub message: String,
}

// === impl Condition ===

impl<'a> Condition<'a> {
    pub(super) fn ready() -> Self {
        Self { kind: "Ready", status: "True", reason: "Ready", message: String::new() }
    }

    pub(super) fn not_ready(reason: &'a str, message: impl Into<String>) -> Self {
        Self { kind: "Ready", status: "False", reason, message: message.into() }
    }

    fn on(&self, object: &Object, now: &str) -> Value {
        let old = object.list("/status/conditions").iter().find(|it| it["type"] == self.kind);
        let since = old.filter(|it| it["status"] == self.status).and_then(|it| it["lastTransitionTime"].as_str()).unwrap_or(now);
        let mut condition = json!({
            "type": self.kind, "status": self.status, "reason": self.reason, "message": self.message, "lastTransitionTime": since,
        });
        if let Some(generation) = object.generation() {
            condition["observedGeneration"] = generation.into();
        }
        condition
    }
}

/// A merge patch that makes the status `wanted`, with these conditions; `None` where it is that already.
pub(super) fn change(object: &Object, mut wanted: Value, conditions: &[Condition<'_>], now: &str) -> Option<Value> {
    wanted["conditions"] = conditions.iter().map(|it| it.on(object, now)).collect();
    let empty = json!({});
    let old = object.value().get("status").filter(|it| it.is_object()).unwrap_or(&empty);
    // What was there and is no longer wanted.
    for (field, _) in old.as_object().into_iter().flatten() {
        if wanted.get(field).is_none() {
            wanted[field] = Value::Null;
        }
    }
    let differs = wanted.as_object().into_iter().flatten().any(|(field, value)| old.get(field).unwrap_or(&Value::Null) != value);
    differs.then_some(wanted)
}
