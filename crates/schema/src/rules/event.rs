//! Event, in its old form (`v1`) and its new one (`events.k8s.io/v1`).

use serde_json::Value;

use super::{given, immutable, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const MOST_NOTE_CHARS: usize = 1024;
const MOST_WORD_CHARS: usize = 128;

/// The old form asks little: where the object it is about lives, and how old clients wrote it.
pub(super) fn check_core(new: &Value, found: &mut Vec<Violation>) {
    check_namespace(new, "involvedObject", found);
    if given(new, "eventTime").is_some() {
        check_origin(new, "reportingComponent", "reportingInstance", found);
    }
}

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    check_namespace(new, "regarding", found);
    // An event that the old form made has no eventTime and stays as it is.
    if old.is_some_and(|old| given(old, "eventTime").is_none()) {
        return;
    }
    if given(new, "eventTime").is_none() {
        found.push(Path::new("eventTime").required(""));
    }
    check_origin(new, "reportingController", "reportingInstance", found);
    for word in ["action", "reason"] {
        check_word(new, word, found);
    }
    if text(new, "note").chars().count() > MOST_NOTE_CHARS {
        found.push(Path::new("note").invalid("", format!("can have at most {MOST_NOTE_CHARS} characters")));
    }
    let kind = text(new, "type");
    if !matches!(kind, "Normal" | "Warning") {
        found.push(Path::new("type").invalid(kind, "has invalid value: ".to_owned() + kind));
    }
    if let Some(series) = given(new, "series") {
        let path = Path::new("series");
        if series.get("count").and_then(Value::as_i64).unwrap_or(0) < 2 {
            found.push(path.child("count").invalid("", "should be at least 2"));
        }
        if given(series, "lastObservedTime").is_none() {
            found.push(path.child("lastObservedTime").required(""));
        }
    }
    if let Some(old) = old {
        for field in ["regarding", "reason", "action", "note", "type", "reportingController", "reportingInstance", "eventTime"] {
            immutable(found, &Path::new(field), given(new, field), given(old, field));
        }
    }
}

fn check_origin(new: &Value, controller: &str, instance: &str, found: &mut Vec<Violation>) {
    match text(new, controller) {
        "" => found.push(Path::new(controller).required("")),
        value => say(found, &Path::new(controller), value, name::qualified(value)),
    }
    check_word(new, instance, found);
}

fn check_word(new: &Value, field: &str, found: &mut Vec<Violation>) {
    let value = text(new, field);
    if value.is_empty() {
        found.push(Path::new(field).required(""));
    } else if value.chars().count() > MOST_WORD_CHARS {
        found.push(Path::new(field).invalid("", format!("can have at most {MOST_WORD_CHARS} characters")));
    }
}

fn check_namespace(new: &Value, field: &str, found: &mut Vec<Violation>) {
    let namespace = new.get("metadata").map_or("", |meta| text(meta, "namespace"));
    let about = new.get(field).map_or("", |object| text(object, "namespace"));
    // An object of the whole cluster has its events in `default`.
    let fits = if about.is_empty() { namespace == "default" || namespace == "kube-system" } else { about == namespace };
    if !fits {
        found.push(Path::new(field).child("namespace").invalid(about, "does not match event.namespace"));
    }
}
