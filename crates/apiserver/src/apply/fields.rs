//! Sets of fields, as `managedFields` writes them (`FieldsV1`).
//!
//! A step on the way to a field is the text that stands there: `f:name`, `k:{"port":80}` for the element of a list with
//! keys, `v:"a"` for the element of a set.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Some places of an object; a place may be in the set, have others below it, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(pub(super) BTreeMap<String, Place>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The place itself is in the set.
    pub(super) held: bool,
    pub(super) below: Fields,
}

/// How deep a set may be; objects are no deeper.
const DEPTH: usize = 128;

pub(super) fn field(name: &str) -> String {
    format!("f:{name}")
}

// === impl Fields ===

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn put(&mut self, step: String, place: Place) {
        if !place.is_empty() {
            self.0.insert(step, place);
        }
    }

    /// Gives fields at the top the names that `to` has for them.
    pub(super) fn rename(&mut self, to: impl Fn(&str) -> Option<&'static str>) {
        let new = |step: &str| step.strip_prefix("f:").and_then(&to).map(field);
        if self.0.keys().any(|step| new(step).is_some()) {
            self.0 = std::mem::take(&mut self.0).into_iter().map(|(step, place)| (new(&step).unwrap_or(step), place)).collect();
        }
    }

    pub(super) fn insert(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let place = self.0.entry(first.clone()).or_default();
        if rest.is_empty() {
            place.held = true;
        } else {
            place.below.insert(rest);
        }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (step, theirs) in &other.0 {
            let place = all.0.entry(step.clone()).or_default();
            place.held |= theirs.held;
            place.below = place.below.union(&theirs.below);
        }
        all
    }

    /// What is here and not in `other`, place by place.
    pub(super) fn without(&self, other: &Self) -> Self {
        self.each(other, |mine, theirs| (mine && !theirs, true))
    }

    /// What is here and in `other`.
    pub(super) fn both(&self, other: &Self) -> Self {
        self.each(other, |mine, theirs| (mine && theirs, false))
    }

    fn each(&self, other: &Self, keep: fn(bool, bool) -> (bool, bool)) -> Self {
        let mut left = Self::default();
        for (step, mine) in &self.0 {
            let theirs = other.0.get(step);
            let (held, unmet) = keep(mine.held, theirs.is_some_and(|place| place.held));
            let below = match theirs {
                Some(theirs) => mine.below.each(&theirs.below, keep),
                None if unmet => mine.below.clone(),
                None => Self::default(),
            };
            left.put(step.clone(), Place { held, below });
        }
        left
    }

    /// Every place of the set, as Kubernetes shows it: `.spec.ports[port=80].name`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(&mut String::new(), &mut found);
        found
    }

    fn walk(&self, path: &mut String, found: &mut Vec<String>) {
        for (step, place) in &self.0 {
            let length = path.len();
            path.push_str(&shown(step));
            if place.held {
                found.push(path.clone());
            }
            place.below.walk(path, found);
            path.truncate(length);
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let places = self.0.iter().map(|(step, place)| {
            let mut below = place.below.to_json();
            if let (true, Value::Object(map)) = (place.held && !place.below.is_empty(), &mut below) {
                map.insert(".".into(), Value::Object(Map::new()));
                map.sort_keys();
            }
            (step.clone(), below)
        });
        Value::Object(places.collect())
    }

    /// `None` for what is no set of fields.
    pub(super) fn read(value: &Value) -> Option<Self> {
        Self::read_at(value, 0)
    }

    fn read_at(value: &Value, depth: usize) -> Option<Self> {
        if depth > DEPTH {
            return None;
        }
        let mut fields = Self::default();
        for (step, below) in value.as_object()? {
            if step == "." {
                continue;
            }
            let entries = below.as_object()?;
            let held = entries.is_empty() || entries.contains_key(".");
            fields.put(canonical(step)?, Place { held, below: Self::read_at(below, depth + 1)? });
        }
        Some(fields)
    }
}

// === impl Place ===

impl Place {
    fn is_empty(&self) -> bool {
        !self.held && self.below.is_empty()
    }
}

/// The step as this file writes it: clients may order keys in their own way.
fn canonical(step: &str) -> Option<String> {
    let (kind, rest) = step.split_once(':')?;
    match kind {
        "f" => Some(step.to_owned()),
        "i" => rest.parse::<i64>().ok().map(|_| step.to_owned()),
        "v" => Some(format!("v:{}", serde_json::from_str::<Value>(rest).ok()?)),
        "k" => {
            let mut keys: Map<String, Value> = serde_json::from_str(rest).ok()?;
            keys.sort_keys();
            Some(format!("k:{}", Value::Object(keys)))
        }
        _ => None,
    }
}

fn shown(step: &str) -> String {
    let (kind, rest) = step.split_once(':').unwrap_or(("", step));
    match kind {
        "f" => format!(".{rest}"),
        "k" => {
            let keys: Map<String, Value> = serde_json::from_str(rest).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        "v" => format!("[={rest}]"),
        _ => format!("[{rest}]"),
    }
}
