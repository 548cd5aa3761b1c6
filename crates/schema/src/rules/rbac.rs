//! Roles and their bindings.

use serde_json::{Value, json};

use super::metadata::check_labels;
use super::{list, say, text};
use crate::kind::Kind;
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn check_role(kind: &Kind, new: &Value, found: &mut Vec<Violation>) {
    if let Some(aggregation) = new.get("aggregationRule").filter(|rule| !rule.is_null()) {
        check_aggregation(aggregation, found);
    }
    let path = Path::new("rules");
    for (index, rule) in list(new, "rules").iter().enumerate() {
        check_rule(kind, rule, &path.index(index), found);
    }
}

fn check_aggregation(aggregation: &Value, found: &mut Vec<Violation>) {
    let path = Path::new("aggregationRule");
    let path = path.child("clusterRoleSelectors");
    let selectors = list(aggregation, "clusterRoleSelectors");
    if selectors.is_empty() {
        found.push(path.required("at least one clusterRoleSelector required if aggregationRule is non-nil"));
    }
    for (index, selector) in selectors.iter().enumerate() {
        let at = path.index(index);
        check_labels(selector.get("matchLabels"), &at.child("matchLabels"), found);
    }
}

fn check_rule(kind: &Kind, rule: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let empty = |name: &str| list(rule, name).is_empty();
    if empty("verbs") {
        found.push(path.child("verbs").required("verbs must contain at least one value"));
    }
    if !empty("nonResourceURLs") {
        let at = path.child("nonResourceURLs");
        let urls = &rule["nonResourceURLs"];
        if kind.namespaced {
            found.push(at.invalid(urls.clone(), "namespaced rules cannot apply to non-resource URLs"));
        }
        if !(empty("apiGroups") && empty("resources") && empty("resourceNames")) {
            found.push(at.invalid(urls.clone(), "rules cannot apply to both regular resources and non-resource URLs"));
        }
        return;
    }
    if empty("apiGroups") {
        found.push(path.child("apiGroups").required("resource rules must supply at least one api group"));
    }
    if empty("resources") {
        found.push(path.child("resources").required("resource rules must supply at least one resource"));
    }
}

pub(super) fn check_binding(kind: &Kind, new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let path = Path::new("roleRef");
    let role = new.get("roleRef").unwrap_or(&Value::Null);
    if text(role, "apiGroup") != GROUP {
        found.push(path.child("apiGroup").not_supported(text(role, "apiGroup"), &[GROUP]));
    }
    let kinds: &[&str] = if kind.namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !kinds.contains(&text(role, "kind")) {
        found.push(path.child("kind").not_supported(text(role, "kind"), kinds));
    }
    match text(role, "name") {
        "" => found.push(path.child("name").required("")),
        name => say(found, &path.child("name"), name, name::path_segment(name)),
    }
    let subjects = Path::new("subjects");
    for (index, subject) in list(new, "subjects").iter().enumerate() {
        check_subject(kind, subject, &subjects.index(index), found);
    }
    if old.is_some_and(|old| old.get("roleRef") != new.get("roleRef")) {
        // Kubernetes shows its internal type, which has no JSON names.
        let shown = json!({ "APIGroup": text(role, "apiGroup"), "Kind": text(role, "kind"), "Name": text(role, "name") });
        found.push(path.invalid(shown, "cannot change roleRef"));
    }
}

fn check_subject(kind: &Kind, subject: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
    if name.is_empty() {
        found.push(path.child("name").required(""));
    }
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                say(found, &path.child("name"), name, name::dns_subdomain(name));
            }
            if !group.is_empty() {
                found.push(path.child("apiGroup").not_supported(group, &[""]));
            }
            if !kind.namespaced && text(subject, "namespace").is_empty() {
                found.push(path.child("namespace").required(""));
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                found.push(path.child("apiGroup").not_supported(group, &[GROUP]));
            }
        }
        other => found.push(path.child("kind").not_supported(other, &["ServiceAccount", "User", "Group"])),
    }
}
