//! What Kubernetes asks of the built-in kinds beyond their shape: one file per kind, one function per kind of object.
//!
//! A rule reads fields as Go would decode them: what is absent, or of a type the shape check has already refused, is empty.

mod config;
mod crd;
mod deployment;
mod endpoints;
mod event;
mod ingress;
mod lease;
pub(crate) mod metadata;
mod pod;
mod rbac;
mod service;

use serde_json::{Map, Value};

use crate::generate::structural;
use crate::kind::Kind;
use crate::path::Path;
use crate::violation::Violation;

/// Everything wrong with an object of a built-in kind. Its rules speak only once its shape is right, as in Kubernetes, where an object that
/// cannot be decoded is never judged.
pub fn review_builtin(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<Violation> {
    let found = structural(kind).validate(new, old);
    if found.is_empty() { validate_builtin(kind, new, old) } else { found }
}

/// What is wrong with `new` beyond its shape. With `old` it is an update, and what may not change is compared.
pub fn validate_builtin(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<Violation> {
    let mut found = Vec::new();
    metadata::check(name_rule(kind), scope(kind.namespaced), new, old, &mut found);
    // Definitions have a finalizer of the older form; Kubernetes never asked it of these two others.
    if !matches!((kind.group, kind.kind), ("", "Event") | ("coordination.k8s.io", "Lease") | ("apiextensions.k8s.io", _)) {
        metadata::check_standard_finalizers(new, &mut found);
    }
    match (kind.group, kind.kind) {
        ("", "Service") => service::check(new, old, &mut found),
        ("", "Pod") => pod::check(new, old, &mut found),
        ("apps", "Deployment") => deployment::check(new, old, &mut found),
        ("", "Endpoints") => endpoints::check_endpoints(new, &mut found),
        ("discovery.k8s.io", "EndpointSlice") => endpoints::check_slice(new, old, &mut found),
        ("", "Secret") => config::check_secret(new, old, &mut found),
        ("", "ConfigMap") => config::check_config_map(new, old, &mut found),
        ("networking.k8s.io", "Ingress") => ingress::check(new, old, &mut found),
        ("networking.k8s.io", "IngressClass") => ingress::check_class(new, old, &mut found),
        ("coordination.k8s.io", "Lease") => lease::check(new, &mut found),
        ("", "Event") => event::check_core(new, &mut found),
        ("events.k8s.io", "Event") => event::check(new, old, &mut found),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => rbac::check_role(kind, new, &mut found),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => rbac::check_binding(kind, new, old, &mut found),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => crd::check(new, old, &mut found),
        _ => {}
    }
    found
}

/// What is wrong with the metadata of an object of a CustomResourceDefinition.
pub fn validate_custom_metadata(namespaced: bool, new: &Value, old: Option<&Value>) -> Vec<Violation> {
    let mut found = Vec::new();
    metadata::check(metadata::NameRule::Subdomain, scope(namespaced), new, old, &mut found);
    found
}

fn scope(namespaced: bool) -> metadata::Scope {
    if namespaced { metadata::Scope::Namespace } else { metadata::Scope::Cluster }
}

fn name_rule(kind: &Kind) -> metadata::NameRule {
    match kind.kind {
        "Service" | "Namespace" => metadata::NameRule::Label,
        // The old form of Event has never asked for more.
        "Event" if kind.group.is_empty() => metadata::NameRule::PathSegment,
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => metadata::NameRule::PathSegment,
        _ => metadata::NameRule::Subdomain,
    }
}

/// A field's text; empty when absent.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// A field's whole number; zero when absent, as Go has it.
fn number(value: &Value, name: &str) -> i64 {
    value.get(name).and_then(Value::as_i64).unwrap_or(0)
}

/// A field's elements; none when absent.
fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A field's entries; none when absent.
fn entries<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

/// A field that is there and not `null`.
fn given<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// One violation for each message about `text`.
fn say(found: &mut Vec<Violation>, path: &Path<'_>, value: impl Into<Value>, messages: Vec<String>) {
    let value = value.into();
    found.extend(messages.into_iter().map(|message| path.invalid(value.clone(), message)));
}

/// Refuses a change of a field.
fn immutable(found: &mut Vec<Violation>, path: &Path<'_>, new: Option<&Value>, old: Option<&Value>) {
    if new != old {
        found.push(path.invalid(new.cloned().unwrap_or_default(), "field is immutable"));
    }
}
