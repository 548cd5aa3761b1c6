//! Events, which clients know in two forms. One set of objects, stored as core `v1`, is both.

use serde_json::Value;

use crate::kinds::Kind;
use crate::object::{as_map, set};

const GROUP: &str = "events.k8s.io";

/// The same fact in `events.k8s.io/v1` and in core `v1`.
const FIELDS: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

fn is_new(kind: &Kind) -> bool {
    kind.is(GROUP, "events")
}

/// The object as it is stored, when that is not as it is.
pub(crate) fn to_stored(kind: &Kind, object: &Value) -> Option<Value> {
    is_new(kind).then(|| {
        let mut event = object.clone();
        for (new, core) in FIELDS {
            rename(&mut event, new, core);
        }
        event
    })
}

pub(crate) fn from_stored(kind: &Kind, object: &mut Value) {
    if is_new(kind) {
        for (new, core) in FIELDS {
            rename(object, core, new);
        }
    }
}

/// What a field of an Event in one version is called in the other.
pub(crate) fn renamed(from: &str, to: &str, field: &str) -> Option<&'static str> {
    let new = |version: &str| version.split('/').next() == Some(GROUP);
    match (new(from), new(to)) {
        (true, false) if to == "v1" => FIELDS.iter().find(|(new, _)| *new == field).map(|(_, core)| *core),
        (false, true) if from == "v1" => FIELDS.iter().find(|(_, core)| *core == field).map(|(new, _)| *new),
        _ => None,
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    let map = as_map(object);
    let value = map.shift_remove(from);
    if value.is_some() {
        set(map, to, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_hold_the_same() {
        let known = schema::builtin().find(GROUP, "v1", "events").expect("events are built in");
        let kind = Kind::builtin(known);
        let new = json!({ "regarding": { "name": "a" }, "note": "n", "deprecatedCount": 3, "reason": "R" });
        let stored = to_stored(&kind, &new).expect("another form");
        assert_eq!(stored, json!({ "involvedObject": { "name": "a" }, "message": "n", "count": 3, "reason": "R" }));
        let mut back = stored;
        from_stored(&kind, &mut back);
        assert_eq!(back, new);
    }
}
