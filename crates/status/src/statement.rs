//! An object's `status` as it should be, and how that is joined with what is there.

use crate::Address;
use model::Text;
use resources::{Condition, GatewayStatus, ListenerStatus, ParentStatus};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What an object's status is to say.
///
/// **Invariant:** joining it with a status changes only what is ours there: condition types of ours, entries with our controller's name, the
/// listeners and addresses of a Gateway that is ours. All else stays, in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Of the object it speaks of; empty: whichever has its name. One that was made anew since then is another object.
    pub uid: Text,
    /// What is there already about a later one is left alone.
    pub generation: i64,
    pub shape: Shape,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Gateway API's Gateway.
    Gateway { status: GatewayStatus, addresses: Vec<Address> },
    /// Gateway API's routes: entries of these controllers are exactly these.
    Route { parents: Vec<ParentStatus>, controllers: BTreeSet<Text> },
    /// Gateway API's GatewayClass.
    Class { conditions: Vec<Condition>, features: Vec<Text> },
    /// `conditions` and `observedGeneration`, as Istio's kinds have them.
    Conditions(Vec<Condition>),
    /// An IngressGateway: conditions, and what else is to be seen of it.
    Entrance { conditions: Vec<Condition>, fields: Map<String, Value> },
    /// Kubernetes' own kinds: conditions without a generation, and fields beside them.
    Plain { conditions: Vec<Condition>, fields: Map<String, Value> },
}

/// Condition types that are ours wherever the status is: one that is no longer said is taken back.
const OURS: [&str; 17] = [
    "Accepted",
    "AddressAssigned",
    "Conflicted",
    "InsecureFrontendValidationMode",
    "NoEffect",
    "OptionsIgnored",
    "OverlappingTLSConfig",
    "PartiallyInvalid",
    "PortsIgnored",
    "Programmed",
    "ProxiesTrusted",
    "ReplicasIgnored",
    "ResolvedRefs",
    "SidecarNotNeeded",
    "SupportedVersion",
    "Traced",
    "Unsupported",
];
/// The most that Gateway API's schemas take.
const CONDITIONS: usize = 8;
const PARENTS: usize = 32;
/// The longest message a condition may have, in octets.
const MESSAGE_LIMIT: usize = 32_768;

// === impl Statement ===

impl Statement {
    /// The fields of an object's status that become different; `None`: none does.
    pub(crate) fn change(&self, object: &Value, now: &str) -> Option<Value> {
        let empty = Value::Object(Map::new());
        let status = object.get("status").filter(|it| it.is_object()).unwrap_or(&empty);
        if self.is_about_another(object) || self.is_outdated(status, object) {
            return None;
        }
        let mut fields = self.fields(status, now);
        fields.retain(|name, wanted| match status.get(name) {
            Some(there) => there != wanted,
            None => !wanted.is_null() && wanted.as_array().is_none_or(|it| !it.is_empty()),
        });
        (!fields.is_empty()).then_some(Value::Object(fields))
    }

    fn is_about_another(&self, object: &Value) -> bool {
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
        !self.uid.is_empty() && uid.is_some_and(|it| self.uid != *it)
    }

    fn fields(&self, status: &Value, now: &str) -> Map<String, Value> {
        let observed = Stamp { generation: Some(self.generation), now };
        let there = |name: &str| status.get(name);
        match &self.shape {
            Shape::Gateway { status: wanted, addresses } => fields([
                ("conditions", observed.conditions(there("conditions"), &wanted.conditions)),
                ("listeners", wanted.listeners.iter().map(|it| observed.listener(there("listeners"), it)).collect()),
                ("addresses", addresses.iter().map(address).collect()),
            ]),
            Shape::Route { parents, controllers } => fields([("parents", observed.parents(there("parents"), parents, controllers))]),
            Shape::Class { conditions, features } => {
                let features: BTreeSet<&Text> = features.iter().collect();
                let features = features.into_iter().map(|it| json!({ "name": it })).collect();
                fields([("conditions", observed.conditions(there("conditions"), conditions)), ("supportedFeatures", features)])
            }
            Shape::Conditions(conditions) => fields([
                ("conditions", observed.conditions(there("conditions"), conditions)),
                (
                    "observedGeneration",
                    there("observedGeneration")
                        .filter(|it| number(it) == Some(self.generation))
                        .cloned()
                        .unwrap_or_else(|| self.generation.into()),
                ),
            ]),
            Shape::Entrance { conditions, fields } => {
                let mut fields = fields.clone();
                fields.insert("conditions".into(), observed.conditions(there("conditions"), conditions));
                fields.insert("observedGeneration".into(), self.generation.into());
                fields
            }
            Shape::Plain { conditions, fields } => {
                let plain = Stamp { generation: None, now };
                let mut fields = fields.clone();
                // What the server adds to a field is no difference.
                fields.retain(|name, wanted| !there(name).is_some_and(|it| crate::covers(it, wanted)));
                if !conditions.is_empty() {
                    fields.insert("conditions".into(), plain.conditions(there("conditions"), conditions));
                }
                fields
            }
        }
    }

    /// Whether a later version of the object has been spoken of already, by another instance of us. One that is not there yet cannot have been.
    fn is_outdated(&self, status: &Value, object: &Value) -> bool {
        let last = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(i64::MAX);
        let later = |it: Option<&Value>| it.and_then(number).is_some_and(|it| it > self.generation && it <= last);
        let of_condition = |it: &Value| is_ours(it) && later(it.get("observedGeneration"));
        let among = |it: &Value| list(it.get("conditions")).iter().any(of_condition);
        match &self.shape {
            Shape::Gateway { .. } => among(status) || list(status.get("listeners")).iter().any(among),
            Shape::Route { controllers, .. } => {
                list(status.get("parents")).iter().any(|it| controller(it).is_some_and(|name| controllers.contains(name)) && among(it))
            }
            Shape::Class { .. } => among(status),
            Shape::Conditions(_) | Shape::Entrance { .. } => among(status) || later(status.get("observedGeneration")),
            Shape::Plain { .. } => later(status.get("observedGeneration")),
        }
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Istio's kinds may have it as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn kind(condition: &Value) -> &str {
    condition.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn is_ours(condition: &Value) -> bool {
    OURS.contains(&kind(condition))
}

fn controller(parent: &Value) -> Option<&str> {
    parent.get("controllerName").and_then(Value::as_str)
}

fn address(address: &Address) -> Value {
    let kind = if address.parse::<IpAddr>().is_ok() { "IPAddress" } else { "Hostname" };
    json!({ "type": kind, "value": address })
}

/// What only a writer knows.
struct Stamp<'a> {
    /// `None`: the kind's conditions have none.
    generation: Option<i64>,
    now: &'a str,
}

// === impl Stamp ===

impl Stamp<'_> {
    /// Ours by type, each where it was; others as they are; new ones at the end.
    fn conditions(&self, there: Option<&Value>, wanted: &[Condition]) -> Value {
        let there = list(there);
        let find = |name: &str| wanted.iter().find(|it| it.kind == *name);
        let mut joined: Vec<Value> = Vec::new();
        for condition in there {
            match find(kind(condition)) {
                _ if joined.iter().any(|it| kind(it) == kind(condition)) => {}
                Some(wanted) => joined.push(self.condition(Some(condition), wanted)),
                None if self.generation.is_some() && is_ours(condition) => {}
                None => joined.push(condition.clone()),
            }
        }
        for wanted in wanted {
            if joined.len() < CONDITIONS && !joined.iter().any(|it| wanted.kind == *kind(it)) {
                joined.push(self.condition(None, wanted));
            }
        }
        joined.into()
    }

    fn condition(&self, there: Option<&Value>, wanted: &Condition) -> Value {
        let mut condition = there.filter(|it| it.is_object()).cloned().unwrap_or_else(|| json!({}));
        let lasted = condition.get("status").and_then(Value::as_str) == Some(wanted.status.as_str())
            && condition.get("lastTransitionTime").is_some_and(Value::is_string);
        if !lasted {
            condition["lastTransitionTime"] = self.now.into();
        }
        condition["type"] = wanted.kind.as_str().into();
        condition["status"] = wanted.status.as_str().into();
        let words = [("reason", wanted.reason.to_string()), ("message", crate::event::shortened(&wanted.message, MESSAGE_LIMIT))];
        // Kubernetes' own kinds need not say why.
        for (name, word) in words.into_iter().filter(|(_, word)| self.generation.is_some() || !word.is_empty()) {
            condition[name] = word.into();
        }
        if let Some(generation) = self.generation {
            condition["observedGeneration"] = generation.into();
        }
        condition
    }

    fn listener(&self, there: Option<&Value>, wanted: &ListenerStatus) -> Value {
        let before = list(there).iter().find(|it| it.get("name").and_then(Value::as_str) == Some(wanted.name.0.as_str()));
        let kinds: Vec<Value> = wanted.supported_kinds.iter().map(|(group, kind)| json!({ "group": group, "kind": kind })).collect();
        json!({
            "name": wanted.name,
            "supportedKinds": kinds,
            "attachedRoutes": wanted.attached_routes,
            "conditions": self.conditions(before.and_then(|it| it.get("conditions")), &wanted.conditions),
        })
    }

    /// Entries of others as they are and where they are; ours, one for each parent; new ones at the end, as far as there is room.
    fn parents(&self, there: Option<&Value>, wanted: &[ParentStatus], controllers: &BTreeSet<Text>) -> Value {
        let mut joined: Vec<Value> = Vec::new();
        let mut done = BTreeSet::new();
        for entry in list(there) {
            let Some(name) = controller(entry).filter(|name| controllers.contains(*name)) else {
                joined.push(entry.clone());
                continue;
            };
            let parent = entry.get("parentRef");
            let index = wanted.iter().position(|it| it.controller == *name && parent.is_some_and(|there| same(there, &it.parent)));
            if let Some(index) = index.filter(|it| done.insert(*it)) {
                joined.push(self.parent(Some(entry), &wanted[index]));
            }
        }
        for (index, wanted) in wanted.iter().enumerate() {
            if joined.len() < PARENTS && done.insert(index) {
                joined.push(self.parent(None, wanted));
            }
        }
        joined.into()
    }

    fn parent(&self, there: Option<&Value>, wanted: &ParentStatus) -> Value {
        let conditions = self.conditions(there.and_then(|it| it.get("conditions")), &wanted.conditions);
        json!({ "parentRef": wanted.parent, "controllerName": wanted.controller, "conditions": conditions })
    }
}

/// Whether two references are written alike: a field that is null is one that is absent.
fn same(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return one == other };
    let said = |it: &Map<String, Value>| it.iter().filter(|(_, value)| !value.is_null()).count();
    said(one) == said(other) && one.iter().filter(|(_, value)| !value.is_null()).all(|(name, value)| other.get(name) == Some(value))
}

#[cfg(test)]
mod tests;
