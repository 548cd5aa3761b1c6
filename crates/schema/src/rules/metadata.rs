//! `metadata`: names, labels, annotations, owners, finalizers, and what of them an update may not change.

use serde_json::Value;

use super::{entries, given, immutable, list, number, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

/// The syntax of a kind's names.
#[derive(Clone, Copy)]
pub(crate) enum NameRule {
    Subdomain,
    Label,
    PathSegment,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Cluster,
    Namespace,
}

const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];
const NOT_QUALIFIED: &str = "name is neither a standard finalizer name nor is it fully qualified";
const MOST_ANNOTATION_BYTES: usize = 256 << 10;

// === impl NameRule ===

impl NameRule {
    fn wrong(self, name: &str) -> Vec<String> {
        match self {
            Self::Subdomain => name::dns_subdomain(name),
            Self::Label => name::dns_label(name),
            Self::PathSegment => name::path_segment(name),
        }
    }
}

pub(crate) fn check(rule: NameRule, scope: Scope, new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let path = Path::new("metadata");
    let meta = new.get("metadata").unwrap_or(&Value::Null);
    check_name(rule, scope, meta, &path, found);
    if number(meta, "generation") < 0 {
        found.push(path.child("generation").invalid(number(meta, "generation"), "must be greater than or equal to 0"));
    }
    check_labels(meta.get("labels"), &path.child("labels"), found);
    check_annotations(meta, &path.child("annotations"), found);
    check_owners(meta, &path.child("ownerReferences"), found);
    check_finalizers(meta, &path.child("finalizers"), found);
    if let Some(old) = old.and_then(|old| old.get("metadata")) {
        check_update(meta, old, &path, found);
    }
}

fn check_name(rule: NameRule, scope: Scope, meta: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let prefix = text(meta, "generateName");
    if !prefix.is_empty() {
        // A generated name goes on after the prefix, so a dash may end it.
        let stem = prefix.strip_suffix('-').map_or_else(|| prefix.to_owned(), |stem| format!("{stem}a"));
        say(found, &path.child("generateName"), prefix, rule.wrong(&stem));
    }
    match text(meta, "name") {
        "" if prefix.is_empty() => found.push(path.child("name").required("name or generateName is required")),
        "" => {}
        name => say(found, &path.child("name"), name, rule.wrong(name)),
    }
    let namespace = text(meta, "namespace");
    match scope {
        Scope::Namespace if namespace.is_empty() => found.push(path.child("namespace").required("")),
        Scope::Namespace => say(found, &path.child("namespace"), namespace, name::dns_label(namespace)),
        Scope::Cluster if !namespace.is_empty() => found.push(path.child("namespace").forbidden("not allowed on this type")),
        Scope::Cluster => {}
    }
}

/// Label keys and values; selectors too.
pub(super) fn check_labels(labels: Option<&Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        say(found, path, key.as_str(), name::qualified(key));
        let value = value.as_str().unwrap_or("");
        say(found, path, value, name::label_value(value));
    }
}

pub(super) fn check_annotations(meta: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut bytes = 0;
    for (key, value) in entries(meta, "annotations") {
        say(found, path, key.as_str(), name::qualified(&key.to_lowercase()));
        bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if bytes > MOST_ANNOTATION_BYTES {
        found.push(path.too_long(MOST_ANNOTATION_BYTES));
    }
}

fn check_owners(meta: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut controller: Option<String> = None;
    for owner in list(meta, "ownerReferences") {
        let version = text(owner, "apiVersion");
        if version.rsplit('/').next().unwrap_or("").is_empty() || version.matches('/').count() > 1 {
            found.push(path.child("apiVersion").invalid(version, "version must not be empty"));
        }
        for name in ["kind", "name", "uid"] {
            if text(owner, name).is_empty() {
                found.push(path.child(name).invalid("", "must not be empty"));
            }
        }
        if version == "v1" && text(owner, "kind") == "Event" {
            found.push(path.invalid(owner.clone(), "/v1, Kind=Event is disallowed from being an owner"));
        }
        if owner.get("controller") != Some(&Value::Bool(true)) {
            continue;
        }
        let this = format!("{}/{}", text(owner, "kind"), text(owner, "name"));
        match &controller {
            Some(first) => {
                let detail =
                    format!("Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}");
                found.push(path.invalid(meta["ownerReferences"].clone(), detail));
            }
            None => controller = Some(this),
        }
    }
}

fn check_finalizers(meta: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let names = || list(meta, "finalizers").iter().filter_map(Value::as_str);
    for finalizer in names() {
        say(found, path, finalizer, name::qualified(finalizer));
    }
    if names().any(|name| name == "orphan") && names().any(|name| name == "foregroundDeletion") {
        found.push(path.invalid(meta["finalizers"].clone(), "finalizer orphan and foregroundDeletion cannot be both set"));
    }
}

/// What Kubernetes asks of its own kinds beyond [`check`].
pub(crate) fn check_standard_finalizers(new: &Value, found: &mut Vec<Violation>) {
    let path = Path::new("metadata");
    let path = path.child("finalizers");
    let names = list(new.get("metadata").unwrap_or(&Value::Null), "finalizers").iter().filter_map(Value::as_str);
    for (at, finalizer) in names.enumerate() {
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer) && name::qualified(finalizer).is_empty() {
            found.push(path.index(at).invalid(finalizer, NOT_QUALIFIED));
        }
    }
}

fn check_update(new: &Value, old: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    if given(old, "deletionTimestamp").is_some() {
        let added: Vec<String> = list(new, "finalizers")
            .iter()
            .filter(|one| !list(old, "finalizers").contains(one))
            .map(|one| crate::violation::quoted(one.as_str().unwrap_or("")))
            .collect();
        if !added.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            found.push(path.child("finalizers").forbidden(detail));
        }
    }
    if number(new, "generation") < number(old, "generation") {
        found.push(path.child("generation").invalid(number(new, "generation"), "must not be decremented"));
    }
    for name in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        immutable(found, &path.child(name), given(new, name), given(old, name));
    }
}
