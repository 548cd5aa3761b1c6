//! Ingress and IngressClass.

use std::net::IpAddr;

use serde_json::Value;

use super::service::check_ingress_points;
use super::{given, immutable, list, number, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const MOST_CONTROLLER_BYTES: usize = 250;

pub(super) fn check(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    let fallback = given(spec, "defaultBackend");
    if list(spec, "rules").is_empty() && fallback.is_none() {
        let rules = spec.get("rules").cloned().unwrap_or_default();
        found.push(path.invalid(rules, "either `defaultBackend` or `rules` must be specified"));
    }
    if let Some(backend) = fallback {
        check_backend(backend, &path.child("defaultBackend"), found);
    }
    let rules = path.child("rules");
    for (index, rule) in list(spec, "rules").iter().enumerate() {
        check_rule(rule, &rules.index(index), found);
    }
    let tls = path.child("tls");
    for (index, one) in list(spec, "tls").iter().enumerate() {
        check_tls(one, &tls.index(index), found);
    }
    let class = given(spec, "ingressClassName").and_then(Value::as_str);
    if let Some(class) = class {
        say(found, &path.child("ingressClassName"), class, name::dns_subdomain(class));
    }
    let annotation = new.get("metadata").and_then(|meta| meta.get("annotations")?.get(CLASS_ANNOTATION)?.as_str());
    if let (None, Some(class), Some(annotation)) = (old, class, annotation)
        && class != annotation
    {
        let at = Path::new("annotations");
        found.push(at.child(CLASS_ANNOTATION).invalid(annotation, "must match `ingressClassName` when both are specified"));
    }
    let status = Path::new("status");
    check_ingress_points(new, &status.child("loadBalancer"), found);
}

fn check_rule(rule: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let host = text(rule, "host");
    if !host.is_empty() {
        let at = path.child("host");
        if host.parse::<IpAddr>().is_ok() {
            found.push(at.invalid(host, "must be a DNS name, not an IP address"));
        }
        check_host(host, &at, found);
    }
    let Some(http) = given(rule, "http") else { return };
    let (http_at, paths) = (path.child("http"), list(http, "paths"));
    let at = http_at.child("paths");
    if paths.is_empty() {
        found.push(at.required(""));
    }
    for (index, one) in paths.iter().enumerate() {
        check_path(one, &at.index(index), found);
    }
}

fn check_host(host: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let wrong = if host.contains('*') { name::wildcard(host) } else { name::dns_subdomain(host) };
    say(found, path, host, wrong);
}

fn check_path(one: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let Some(kind) = given(one, "pathType").and_then(Value::as_str) else {
        found.push(path.child("pathType").required("pathType must be specified"));
        return;
    };
    let (at, value) = (path.child("path"), text(one, "path"));
    match kind {
        "Exact" | "Prefix" => {
            if !value.starts_with('/') {
                found.push(at.invalid(value, "must be an absolute path"));
            }
            for sequence in ["//", "/./", "/../", "%2f", "%2F"].into_iter().filter(|sequence| value.contains(sequence)) {
                found.push(at.invalid(value, format!("must not contain '{sequence}'")));
            }
            for suffix in ["/..", "/."].into_iter().filter(|suffix| value.ends_with(suffix)) {
                found.push(at.invalid(value, format!("cannot end with '{suffix}'")));
            }
        }
        "ImplementationSpecific" if !value.is_empty() && !value.starts_with('/') => {
            found.push(at.invalid(value, "must be an absolute path"));
        }
        "ImplementationSpecific" => {}
        other => found.push(path.child("pathType").not_supported(other, &PATH_TYPES)),
    }
    check_backend(one.get("backend").unwrap_or(&Value::Null), &path.child("backend"), found);
}

fn check_backend(backend: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    match (given(backend, "resource"), given(backend, "service")) {
        (Some(_), Some(_)) => found.push(path.invalid("", "cannot set both resource and service backends")),
        (Some(resource), None) => check_reference(resource, &path.child("resource"), found),
        (None, Some(service)) => check_service(service, path, found),
        (None, None) => found.push(path.invalid("", "resource or service backend is required")),
    }
}

fn check_service(service: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let at = path.child("service");
    match text(service, "name") {
        "" => found.push(at.child("name").required("")),
        name => say(found, &at.child("name"), name, name::dns_label(name)),
    }
    let port = service.get("port").unwrap_or(&Value::Null);
    let port_at = at.child("port");
    match (text(port, "name"), number(port, "number")) {
        ("", 0) => found.push(path.required("port name or number is required")),
        ("", number) => say(found, &port_at.child("number"), number, name::port_number(number)),
        (name, 0) => say(found, &port_at.child("name"), name, name::port_name(name)),
        _ => found.push(path.invalid("", "cannot set both port name & port number")),
    }
}

fn check_reference(reference: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    if let Some(group) = given(reference, "apiGroup").and_then(Value::as_str) {
        say(found, &path.child("apiGroup"), group, name::dns_subdomain(group));
    }
    for field in ["kind", "name"] {
        match text(reference, field) {
            "" => found.push(path.child(field).required("")),
            value => say(found, &path.child(field), value, name::path_segment(value)),
        }
    }
}

fn check_tls(tls: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let hosts = path.child("hosts");
    for (index, host) in list(tls, "hosts").iter().filter_map(Value::as_str).enumerate() {
        check_host(host, &hosts.index(index), found);
    }
    let secret = text(tls, "secretName");
    if !secret.is_empty() {
        say(found, &path.child("secretName"), secret, name::dns_subdomain(secret));
    }
}

pub(super) fn check_class(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (path, spec) = (Path::new("spec"), new.get("spec").unwrap_or(&Value::Null));
    let at = path.child("controller");
    let controller = text(spec, "controller");
    if let Some(old) = old {
        immutable(found, &at, spec.get("controller"), old.get("spec").and_then(|spec| spec.get("controller")));
    }
    match controller.split_once('/') {
        _ if controller.is_empty() => found.push(at.required("")),
        _ if controller.len() > MOST_CONTROLLER_BYTES => found.push(at.too_long(MOST_CONTROLLER_BYTES)),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            say(found, &at, host, name::dns_subdomain(host));
            say(found, &at, rest, name::http_path(rest));
        }
        _ => found.push(at.invalid(controller, "must be a domain-prefixed path (such as \"acme.io/foo\")")),
    }
    if let Some(parameters) = given(spec, "parameters") {
        check_parameters(parameters, &path.child("parameters"), found);
    }
}

fn check_parameters(parameters: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    check_reference(parameters, path, found);
    let at = path.child("namespace");
    let namespace = given(parameters, "namespace").and_then(Value::as_str);
    match (text(parameters, "scope"), namespace) {
        ("", _) => found.push(path.child("scope").required("")),
        ("Namespace", None) => found.push(at.required("`parameters.scope` is set to 'Namespace'")),
        ("Namespace", Some(name)) => say(found, &at, name, name::dns_label(name)),
        ("Cluster", Some(_)) => found.push(at.forbidden("`parameters.scope` is set to 'Cluster'")),
        ("Cluster", None) => {}
        (other, _) => found.push(path.child("scope").not_supported(other, &["Cluster", "Namespace"])),
    }
}
