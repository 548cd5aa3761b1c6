//! Event, in its old form (`v1`) and its new one (`events.k8s.io/v1`).
//!
//! Both are one object to Kubernetes, so what it says of the new form names fields of the old one: `involvedObject`, `message`.

use serde_json::Value;

use super::{given, immutable, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const MOST_NOTE_BYTES: usize = 1024;
const MOST_WORD_BYTES: usize = 128;

/// The old form asks little.
pub(super) fn check_core(new: &Value, found: &mut Vec<Violation>) {
    let about = new.get("involvedObject").map_or("", |object| text(object, "namespace"));
    check_either(new, about, "reportingComponent", text(new, "message"), found);
}

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let about = new.get("regarding").map_or("", |object| text(object, "namespace"));
    check_either(new, about, "reportingController", text(new, "note"), found);
    let series_changed = old.is_none_or(|old| given(old, "series") != given(new, "series"));
    if let (true, Some(series)) = (series_changed, given(new, "series")) {
        check_series(series, found);
    }
    let Some(old) = old else {
        check_new(new, found);
        return;
    };
    for (field, shown) in
        [("regarding", "involvedObject"), ("reason", "reason"), ("note", "message"), ("type", "type"), ("eventTime", "eventTime")]
    {
        immutable(found, &Path::new(shown), given(new, field), given(old, field));
    }
    for field in ["action", "related", "reportingController", "reportingInstance"] {
        immutable(found, &Path::new(field), given(new, field), given(old, field));
    }
}

fn check_either(new: &Value, about: &str, controller: &str, note: &str, found: &mut Vec<Violation>) {
    let namespace = new.get("metadata").map_or("", |meta| text(meta, "namespace"));
    let timed = given(new, "eventTime").is_some();
    let fits = match about {
        "" => namespace.is_empty() || namespace == "default" || timed && namespace == "kube-system",
        about => timed || about == namespace,
    };
    if !fits {
        let object = Path::new("involvedObject");
        found.push(object.child("namespace").invalid(about, "does not match event.namespace"));
    }
    if !timed {
        return;
    }
    let origin = text(new, controller);
    if origin.is_empty() {
        found.push(Path::new(controller).required(""));
    }
    say(found, &Path::new(controller), origin, name::qualified(origin));
    for word in ["reportingInstance", "action", "reason"] {
        check_word(new, word, found);
    }
    if note.len() > MOST_NOTE_BYTES {
        found.push(Path::new("message").invalid("", format!("can have at most {MOST_NOTE_BYTES} characters")));
    }
}

fn check_word(new: &Value, field: &str, found: &mut Vec<Violation>) {
    let length = text(new, field).len();
    if length == 0 {
        found.push(Path::new(field).required(""));
    } else if length > MOST_WORD_BYTES {
        found.push(Path::new(field).invalid("", format!("can have at most {MOST_WORD_BYTES} characters")));
    }
}

/// What a new event of the new form must have, and must leave to the old one.
fn check_new(new: &Value, found: &mut Vec<Violation>) {
    if given(new, "eventTime").is_none() {
        found.push(Path::new("eventTime").required(""));
    }
    let kind = text(new, "type");
    if !matches!(kind, "Normal" | "Warning") {
        found.push(Path::new("type").invalid("", format!("has invalid value: {kind}")));
    }
    for (field, shown) in [
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
        ("deprecatedSource", "source"),
    ] {
        let set = given(new, field).is_some_and(|value| value != 0 && value.as_object().is_none_or(|fields| !fields.is_empty()));
        if set {
            found.push(Path::new(shown).invalid("", "needs to be unset"));
        }
    }
}

fn check_series(series: &Value, found: &mut Vec<Violation>) {
    let path = Path::new("series");
    if series.get("count").and_then(Value::as_i64).unwrap_or(0) < 2 {
        found.push(path.child("count").invalid("", "should be at least 2"));
    }
    if given(series, "lastObservedTime").is_none() {
        found.push(path.child("lastObservedTime").required(""));
    }
}
