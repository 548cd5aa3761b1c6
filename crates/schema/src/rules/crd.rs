//! CustomResourceDefinition.

use std::collections::HashSet;

use serde_json::Value;

use super::{given, immutable, list, text};
use crate::name;
use crate::path::Path;
use crate::structural::Structural;
use crate::violation::Violation;

const APPROVED: &str = "api-approved.kubernetes.io";

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    let names = spec.get("names").unwrap_or(&Value::Null);
    check_group(new, spec, &path, found);
    let (name, wanted) =
        (new.get("metadata").map_or("", |meta| text(meta, "name")), format!("{}.{}", text(names, "plural"), text(spec, "group")));
    if name != wanted {
        let meta = Path::new("metadata");
        found.push(meta.child("name").invalid(name, "must be spec.names.plural+\".\"+spec.group"));
    }
    match text(spec, "scope") {
        "" => found.push(path.child("scope").required("")),
        "Cluster" | "Namespaced" => {}
        other => found.push(path.child("scope").not_supported(other, &["Cluster", "Namespaced"])),
    }
    check_names(names, &path.child("names"), found);
    check_versions(spec, &path.child("versions"), found);
    match spec.pointer("/conversion/strategy").and_then(Value::as_str) {
        None | Some("None" | "Webhook") => {}
        Some(other) => {
            let at = path.child("conversion");
            found.push(at.child("strategy").not_supported(other, &["None", "Webhook"]));
        }
    }
    if spec.get("preserveUnknownFields") == Some(&Value::Bool(true)) {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        found.push(path.child("preserveUnknownFields").invalid(true, detail));
    }
    if let Some(old) = old {
        check_update(new, old, found);
    }
}

fn check_group(new: &Value, spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let (at, group) = (path.child("group"), text(spec, "group"));
    if group.is_empty() {
        found.push(at.required(""));
        return;
    }
    let wrong = name::dns_subdomain(group);
    if !wrong.is_empty() {
        joined(found, &at, group, "", wrong);
    } else if !group.contains('.') {
        found.push(at.invalid(group, "should be a domain with at least one dot"));
    }
    let protected = ["k8s.io", "kubernetes.io"].iter().any(|suffix| group == *suffix || group.ends_with(&format!(".{suffix}")));
    let approval = new.pointer("/metadata/annotations").and_then(|all| all.get(APPROVED)?.as_str()).unwrap_or("");
    if protected && !(approval.starts_with("http") || approval.starts_with("unapproved")) {
        let (meta, detail) = (
            Path::new("metadata"),
            "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111",
        );
        let at = meta.child("annotations");
        found.push(if approval.is_empty() { at.key(APPROVED).required(detail) } else { at.key(APPROVED).invalid(approval, detail) });
    }
}

fn check_names(names: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let lower = |field: &'static str, found: &mut Vec<Violation>| match text(names, field) {
        "" => found.push(path.child(field).required("")),
        name => joined(found, &path.child(field), name, "", name::dns_1035_label(name)),
    };
    lower("plural", found);
    lower("singular", found);
    for field in ["kind", "listKind"] {
        match text(names, field) {
            "" => found.push(path.child(field).required("")),
            name => {
                let lead = "may have mixed case, but should otherwise match: ";
                joined(found, &path.child(field), name, lead, name::dns_1035_label(&name.to_lowercase()));
            }
        }
    }
    if !text(names, "kind").is_empty() && text(names, "kind") == text(names, "listKind") {
        found.push(path.child("listKind").invalid(text(names, "listKind"), "kind and listKind may not be the same"));
    }
    for field in ["shortNames", "categories"] {
        let at = path.child(field);
        for (index, name) in list(names, field).iter().filter_map(Value::as_str).enumerate() {
            joined(found, &at.index(index), name, "", name::dns_1035_label(name));
        }
    }
}

fn check_versions(spec: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let versions = list(spec, "versions");
    if versions.is_empty() {
        found.push(path.invalid(Value::Null, "must have exactly one version marked as storage version"));
        return;
    }
    let mut names = HashSet::new();
    if !versions.iter().all(|version| names.insert(text(version, "name"))) {
        found.push(path.invalid(spec["versions"].clone(), "must contain unique version names"));
    }
    if versions.iter().filter(|version| version.get("storage") == Some(&Value::Bool(true))).count() != 1 {
        found.push(path.invalid(names_of(versions), "must have exactly one version marked as storage version"));
    }
    for (index, version) in versions.iter().enumerate() {
        let at = path.index(index);
        let name = text(version, "name");
        joined(found, &at.child("name"), name, "", name::dns_1035_label(name));
        let schema_at = at.child("schema");
        let at = schema_at.child("openAPIV3Schema");
        match version.get("schema").and_then(|schema| given(schema, "openAPIV3Schema")) {
            None => found.push(at.required("")),
            Some(schema) => {
                if let Err(wrong) = Structural::from_crd_at(schema, &at) {
                    found.extend(wrong);
                }
            }
        }
    }
}

/// All that is wrong with a name, in one violation.
fn joined(found: &mut Vec<Violation>, path: &Path<'_>, name: &str, lead: &str, wrong: Vec<String>) {
    if !wrong.is_empty() {
        found.push(path.invalid(name, format!("{lead}{}", wrong.join(","))));
    }
}

fn names_of(versions: &[Value]) -> Value {
    versions.iter().map(|version| Value::from(text(version, "name"))).collect()
}

fn check_update(new: &Value, old: &Value, found: &mut Vec<Violation>) {
    let path = Path::new("spec");
    let spec = |object: &'_ Value, pointer: &str| object.pointer(pointer).cloned();
    let names = path.child("names");
    immutable(found, &path.child("group"), spec(new, "/spec/group").as_ref(), spec(old, "/spec/group").as_ref());
    immutable(found, &names.child("plural"), spec(new, "/spec/names/plural").as_ref(), spec(old, "/spec/names/plural").as_ref());
    let established = old.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    if established.into_iter().any(|one| text(one, "type") == "Established" && text(one, "status") == "True") {
        immutable(found, &path.child("scope"), spec(new, "/spec/scope").as_ref(), spec(old, "/spec/scope").as_ref());
        immutable(found, &names.child("kind"), spec(new, "/spec/names/kind").as_ref(), spec(old, "/spec/names/kind").as_ref());
    }
    let versions = new.get("spec").map(|spec| list(spec, "versions")).unwrap_or_default();
    let stored = old.get("status").map(|status| list(status, "storedVersions")).unwrap_or_default();
    let at = Path::new("status");
    let at = at.child("storedVersions");
    for (index, version) in stored.iter().filter_map(Value::as_str).enumerate() {
        if !versions.iter().any(|known| text(known, "name") == version) {
            let detail = format!(
                "missing from spec.versions; {version} was previously a storage version, and must remain in spec.versions until a storage \
                 migration ensures no data remains persisted in {version} and removes {version} from status.storedVersions"
            );
            found.push(at.index(index).invalid(version, detail));
        }
    }
}
