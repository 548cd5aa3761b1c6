//! Pod and Deployment.

use serde_json::{Value, json};

use super::{NONE, created, list, or, text};
use crate::clock::age;
use crate::object::Object;
use crate::selector::written;

pub(super) const POD: &[&str] = &["Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"];
pub(super) const DEPLOYMENT: &[&str] = &["Name", "Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images", "+Selector"];

pub(super) fn deployment(object: &Value) -> Vec<Value> {
    let count = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let containers = list(object, "/spec/template/spec/containers");
    let of_each = |field: &str| containers.iter().map(|one| text(one, field)).collect::<Vec<_>>().join(",");
    vec![
        json!(object.name()),
        json!(format!("{}/{}", count("/status/readyReplicas"), count("/spec/replicas"))),
        json!(count("/status/updatedReplicas")),
        json!(count("/status/availableReplicas")),
        json!(created(object)),
        json!(of_each("/name")),
        json!(of_each("/image")),
        json!(or(&written(object.pointer("/spec/selector")), NONE)),
    ]
}

pub(super) fn pod(object: &Value) -> Vec<Value> {
    let statuses = list(object, "/status/containerStatuses");
    let ready = statuses.iter().filter(|one| one["ready"] == true && one.pointer("/state/running").is_some()).count();
    let containers = list(object, "/spec/containers").len();
    let node = or(text(object, "/spec/nodeName"), NONE);
    vec![
        json!(object.name()),
        json!(format!("{ready}/{containers}")),
        json!(phase(object)),
        json!(restarts(statuses)),
        json!(created(object)),
        json!(or(text(object, "/status/podIP"), NONE)),
        json!(node),
        json!(or(text(object, "/status/nominatedNodeName"), NONE)),
        json!(gates(object)),
    ]
}

/// Why it is not running, if something says so; else its phase.
fn phase(object: &Value) -> String {
    if object.is_deleting() {
        return "Terminating".into();
    }
    let said = or(text(object, "/status/reason"), text(object, "/status/phase"));
    let why = |state: &Value| {
        let reason = |place: &str| Some(text(state, place)).filter(|reason| !reason.is_empty()).map(str::to_owned);
        reason("/state/waiting/reason").or_else(|| reason("/state/terminated/reason"))
    };
    let gated = list(object, "/status/conditions")
        .iter()
        .any(|one| text(one, "/type") == "PodScheduled" && text(one, "/reason") == "SchedulingGated");
    let waiting = list(object, "/status/containerStatuses").iter().find_map(why);
    waiting.unwrap_or_else(|| if gated { "SchedulingGated".into() } else { said.to_owned() })
}

fn restarts(statuses: &[Value]) -> String {
    let total: u64 = statuses.iter().filter_map(|one| one["restartCount"].as_u64()).sum();
    let last = statuses.iter().map(|one| text(one, "/lastState/terminated/finishedAt")).filter(|stamp| !stamp.is_empty()).max();
    match last {
        Some(stamp) if total > 0 => format!("{total} ({} ago)", age(stamp)),
        _ => total.to_string(),
    }
}

fn gates(object: &Value) -> String {
    let gates = list(object, "/spec/readinessGates");
    if gates.is_empty() {
        return NONE.into();
    }
    let holds = |gate: &&Value| {
        let conditions = list(object, "/status/conditions").iter();
        conditions.into_iter().any(|one| one["type"] == gate["conditionType"] && text(one, "/status") == "True")
    };
    format!("{}/{}", gates.iter().filter(holds).count(), gates.len())
}
