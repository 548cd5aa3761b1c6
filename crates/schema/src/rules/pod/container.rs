//! One container of a Pod.

use std::collections::HashSet;

use serde_json::Value;

use super::super::service::PROTOCOLS;
use super::super::{given, list, number, say, text};
use super::choice;
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

/// What a variable may tell of its Pod.
const FIELDS: [&str; 11] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const MAPS: [&str; 2] = ["metadata.annotations", "metadata.labels"];

pub(super) fn check(container: &Value, volumes: &HashSet<&str>, path: &Path<'_>, found: &mut Vec<Violation>) {
    match text(container, "name") {
        "" => found.push(path.child("name").required("")),
        name => say(found, &path.child("name"), name, name::dns_label(name)),
    }
    if text(container, "image").is_empty() {
        found.push(path.child("image").required(""));
    }
    choice(container, "terminationMessagePolicy", &["File", "FallbackToLogsOnError"], path, found);
    check_ports(container, &path.child("ports"), found);
    let env = path.child("env");
    for (index, variable) in list(container, "env").iter().enumerate() {
        check_variable(variable, &env.index(index), found);
    }
    check_env_from(container, &path.child("envFrom"), found);
    check_mounts(container, volumes, &path.child("volumeMounts"), found);
    choice(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], path, found);
    check_lifecycle(container, &path.child("lifecycle"), found);
    for (field, answers_once) in [("livenessProbe", true), ("readinessProbe", false), ("startupProbe", true)] {
        if let Some(probe) = given(container, field) {
            check_probe(probe, answers_once, &path.child(field), found);
        }
    }
}

fn check_ports(container: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut names = HashSet::new();
    for (index, port) in list(container, "ports").iter().enumerate() {
        let at = path.index(index);
        let name = text(port, "name");
        if !name.is_empty() {
            let wrong = name::port_name(name);
            if wrong.is_empty() && !names.insert(name) {
                found.push(at.child("name").duplicate(name));
            }
            say(found, &at.child("name"), name, wrong);
        }
        match number(port, "containerPort") {
            0 => found.push(at.child("containerPort").required("")),
            number => say(found, &at.child("containerPort"), number, name::port_number(number)),
        }
        match number(port, "hostPort") {
            0 => {}
            number => say(found, &at.child("hostPort"), number, name::port_number(number)),
        }
        choice(port, "protocol", &PROTOCOLS, &at, found);
    }
}

fn check_variable(variable: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let name = text(variable, "name");
    let printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'=';
    if name.is_empty() {
        found.push(path.child("name").required(""));
    } else if !name.bytes().all(printable) {
        let detail = "a valid environment variable name must consist only of printable ASCII characters other than '='";
        found.push(path.child("name").invalid(name, detail));
    }
    let Some(from) = given(variable, "valueFrom") else { return };
    let at = path.child("valueFrom");
    if let Some(field) = given(from, "fieldRef") {
        check_field(text(field, "fieldPath"), &at.child("fieldRef"), found);
    }
    let mut sources = 0;
    for source in ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] {
        let Some(reference) = given(from, source) else { continue };
        sources += 1;
        if matches!(source, "configMapKeyRef" | "secretKeyRef") {
            check_key(reference, &at.child(source), found);
        }
    }
    match sources {
        0 => {
            let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
            found.push(at.invalid("", detail));
        }
        _ if !text(variable, "value").is_empty() => found.push(at.invalid("", "may not be specified when `value` is not empty")),
        1 => {}
        _ => found.push(at.invalid("", "may not have more than one field specified at a time")),
    }
}

/// A field of the Pod itself.
fn check_field(field: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let at = path.child("fieldPath");
    let one_of_many = field.strip_suffix("']").and_then(|field| field.split_once("['"));
    match field {
        "" => found.push(at.required("")),
        known if FIELDS.contains(&known) || one_of_many.is_some_and(|(map, _)| MAPS.contains(&map)) => {}
        other => found.push(at.invalid(other, format!("error converting fieldPath: field label not supported: {other}"))),
    }
}

fn check_key(reference: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let (name, key) = (text(reference, "name"), text(reference, "key"));
    say(found, &path.child("name"), name, name::dns_subdomain(name));
    match key {
        "" => found.push(path.child("key").required("")),
        key => say(found, &path.child("key"), key, name::config_key(key)),
    }
}

fn check_env_from(container: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    for (index, from) in list(container, "envFrom").iter().enumerate() {
        let at = path.index(index);
        let sources = ["configMapRef", "secretRef"].map(|source| (source, given(from, source)));
        match sources.iter().filter(|(_, given)| given.is_some()).count() {
            0 => found.push(path.invalid("", "must specify one of: `configMapRef` or `secretRef`")),
            1 => {}
            _ => found.push(path.invalid("", "may not have more than one field specified at a time")),
        }
        for (source, reference) in sources {
            let Some(reference) = reference else { continue };
            let at = at.child(source);
            match text(reference, "name") {
                "" => found.push(at.child("name").required("")),
                name => say(found, &at.child("name"), name, name::dns_subdomain(name)),
            }
        }
    }
}

fn check_mounts(container: &Value, volumes: &HashSet<&str>, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut places = HashSet::new();
    for (index, mount) in list(container, "volumeMounts").iter().enumerate() {
        let at = path.index(index);
        let (name, place) = (text(mount, "name"), text(mount, "mountPath"));
        if name.is_empty() {
            found.push(at.child("name").required(""));
        }
        if !volumes.contains(name) {
            found.push(at.child("name").violation(crate::violation::ViolationKind::NotFound { value: name.into() }, ""));
        }
        if place.is_empty() {
            found.push(at.child("mountPath").required(""));
        } else if !places.insert(place) {
            found.push(at.child("mountPath").invalid(place, "must be unique"));
        }
    }
}

fn check_lifecycle(container: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let Some(lifecycle) = given(container, "lifecycle") else { return };
    for field in ["postStart", "preStop"] {
        if let Some(handler) = given(lifecycle, field) {
            check_handler(handler, &path.child(field), found);
        }
    }
}

fn check_probe(probe: &Value, answers_once: bool, path: &Path<'_>, found: &mut Vec<Violation>) {
    check_handler(probe, path, found);
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        if number(probe, field) < 0 {
            found.push(path.child(field).invalid(number(probe, field), "must be greater than or equal to 0"));
        }
    }
    if answers_once && number(probe, "successThreshold") != 1 {
        found.push(path.child("successThreshold").invalid(number(probe, "successThreshold"), "must be 1"));
    }
}

/// What a probe or a hook does: one thing.
fn check_handler(handler: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    let mut handlers = 0;
    for field in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let Some(action) = given(handler, field) else { continue };
        let at = path.child(field);
        handlers += 1;
        match field {
            _ if handlers > 1 => found.push(at.forbidden("may not specify more than 1 handler type")),
            "exec" if list(action, "command").is_empty() => found.push(at.child("command").required("")),
            "httpGet" => {
                check_port(action, &at.child("port"), found);
                choice(action, "scheme", &["HTTP", "HTTPS"], &at, found);
            }
            "tcpSocket" | "grpc" => check_port(action, &at.child("port"), found),
            _ => {}
        }
    }
    if handlers == 0 {
        found.push(path.required("must specify a handler type"));
    }
}

fn check_port(action: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    match action.get("port") {
        Some(Value::String(name)) => say(found, path, name.as_str(), name::port_name(name)),
        port => {
            let number = port.and_then(Value::as_i64).unwrap_or(0);
            say(found, path, number, name::port_number(number));
        }
    }
}
