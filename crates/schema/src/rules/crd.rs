//! CustomResourceDefinition.

use std::collections::HashSet;

use serde_json::{Value, json};

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
    if !name.is_empty() && name != wanted {
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
        found.push(
            path.invalid(spec.get("versions").cloned().unwrap_or_default(), "must have exactly one version marked as storage version"),
        );
        check_stored(versions, found);
        return;
    }
    let mut names = HashSet::new();
    if !versions.iter().all(|version| names.insert(text(version, "name"))) {
        found.push(path.invalid(shown(versions), "must contain unique version names"));
    }
    if versions.iter().filter(|version| version.get("storage") == Some(&Value::Bool(true))).count() != 1 {
        found.push(path.invalid(shown(versions), "must have exactly one version marked as storage version"));
    }
    check_stored(versions, found);
    for (index, version) in versions.iter().enumerate() {
        let name = text(version, "name");
        joined(found, &path.index(index).child("name"), name, "", name::dns_1035_label(name));
    }
    check_parts(versions, path, found);
}

/// Schemas and columns. What all versions share, Kubernetes looks at once and names as if it stood at the top, where it stood in `v1beta1`.
fn check_parts(versions: &[Value], path: &Path<'_>, found: &mut Vec<Violation>) {
    let same = |part: &str| versions.iter().all(|version| version.get(part) == versions[0].get(part));
    let top = Path::new("spec");
    if same("schema") && versions[0].pointer("/schema/openAPIV3Schema").is_some_and(|schema| !schema.is_null()) {
        check_schema(&versions[0], &top.child("validation"), found);
    } else {
        for (index, version) in versions.iter().enumerate() {
            check_schema(version, &path.index(index).child("schema"), found);
        }
    }
    if same("additionalPrinterColumns") {
        check_columns(&versions[0], &top.child("additionalPrinterColumns"), found);
    } else {
        for (index, version) in versions.iter().enumerate() {
            check_columns(version, &path.index(index).child("additionalPrinterColumns"), found);
        }
    }
}

fn check_schema(version: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let at = path.child("openAPIV3Schema");
    match version.get("schema").and_then(|schema| given(schema, "openAPIV3Schema")) {
        None => found.push(at.required("")),
        Some(schema) => {
            if let Err(wrong) = Structural::from_crd_at(schema, &at) {
                found.extend(wrong);
            }
        }
    }
}

fn check_columns(version: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    for (index, column) in list(version, "additionalPrinterColumns").iter().enumerate() {
        let at = path.index(index);
        if text(column, "name").is_empty() {
            found.push(at.child("name").required(""));
        }
        let detail = format!("must be one of {}", TYPES.join(","));
        match text(column, "type") {
            "" => found.push(at.child("type").required(detail)),
            known if TYPES.contains(&known) => {}
            other => found.push(at.child("type").invalid(other, detail)),
        }
        let format = text(column, "format");
        if !format.is_empty() && !FORMATS.contains(&format) {
            found.push(at.child("format").invalid(format, format!("must be one of {}", FORMATS.join(","))));
        }
        let place = text(column, "jsonPath");
        if place.is_empty() {
            found.push(at.child("JSONPath").required(""));
        } else if !place.starts_with('.') {
            found.push(at.child("JSONPath").invalid(place, "must be a simple json path starting with ."));
        }
    }
}

/// The storage version is the first that objects are stored in.
fn check_stored(versions: &[Value], found: &mut Vec<Violation>) {
    if !versions.iter().any(|version| version.get("storage") == Some(&Value::Bool(true))) {
        let status = Path::new("status");
        found.push(status.child("storedVersions").invalid(Value::Null, "must have at least one stored version"));
    }
}

/// All that is wrong with a name, in one violation.
fn joined(found: &mut Vec<Violation>, path: &Path<'_>, name: &str, lead: &str, wrong: Vec<String>) {
    if !wrong.is_empty() {
        found.push(path.invalid(name, format!("{lead}{}", wrong.join(","))));
    }
}

/// The versions as Kubernetes shows them: its internal type has no JSON names, and what all versions share has moved to the top.
fn shown(versions: &[Value]) -> Value {
    let flag = |version: &Value, name: &str| version.get(name) == Some(&Value::Bool(true));
    let one = |version: &Value| {
        json!({
            "Name": text(version, "name"), "Served": flag(version, "served"), "Storage": flag(version, "storage"),
            "Deprecated": flag(version, "deprecated"), "DeprecationWarning": version.get("deprecationWarning"),
            "Schema": null, "Subresources": null, "AdditionalPrinterColumns": null, "SelectableFields": null,
        })
    };
    versions.iter().map(one).collect()
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
