//! What the built-in kinds are when left unsaid. The rest of a built-in object has no defaults.
//!
//! **Invariant:** never touches a field that is there.

mod workload;

use base64::Engine;
use serde_json::{Map, Value, json};

use crate::generate::structural;
use crate::kind::Kind;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Drops `null`s and fills in what Kubernetes fills in on create and update.
pub fn default_builtin(kind: &Kind, object: &mut Value) {
    structural(kind).default(object);
    let Some(fields) = object.as_object_mut() else { return };
    match kind.kind {
        "Service" => service(fields),
        "Deployment" => workload::deployment(fields),
        "Pod" => workload::pod(fields),
        "Secret" => secret(fields),
        "Namespace" => namespace(fields),
        "Endpoints" => each(fields, "subsets", |subset| each(subset, "ports", |port| set(port, "protocol", "TCP"))),
        "EndpointSlice" => each(fields, "ports", |port| {
            set(port, "name", "");
            set(port, "protocol", "TCP");
        }),
        "IngressClass" => inside(fields, "spec", |spec| {
            inside(spec, "parameters", |parameters| {
                parameters.entry("scope").or_insert_with(|| json!("Cluster"));
            });
        }),
        "RoleBinding" | "ClusterRoleBinding" => binding(fields),
        "CustomResourceDefinition" => inside(fields, "spec", definition),
        _ => {}
    }
}

fn service(fields: &mut Map<String, Value>) {
    let spec = fields.entry("spec").or_insert_with(|| json!({}));
    let Some(spec) = spec.as_object_mut() else { return };
    set(spec, "sessionAffinity", "None");
    set(spec, "type", "ClusterIP");
    if spec["sessionAffinity"] == "None" {
        // Left over from a patch that turned affinity off.
        spec.remove("sessionAffinityConfig");
    } else if spec["sessionAffinity"] == "ClientIP" {
        let config = spec.entry("sessionAffinityConfig").or_insert_with(|| json!({}));
        if let Some(config) = config.as_object_mut() {
            let client = config.entry("clientIP").or_insert_with(|| json!({}));
            if let Some(client) = client.as_object_mut() {
                client.entry("timeoutSeconds").or_insert_with(|| json!(10800));
            }
        }
    }
    each(spec, "ports", |port| {
        set(port, "protocol", "TCP");
        let unset = port.get("targetPort").is_none_or(|target| target == &json!(0) || target == &json!(""));
        if unset {
            let number = port.get("port").cloned().unwrap_or_else(|| json!(0));
            port.insert("targetPort".to_owned(), number);
        }
    });
    let kind = spec["type"].as_str().unwrap_or("").to_owned();
    let external = spec.get("externalIPs").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if kind == "NodePort" || kind == "LoadBalancer" || (external && kind == "ClusterIP") {
        set(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" {
        set(spec, "internalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        spec.entry("allocateLoadBalancerNodePorts").or_insert(Value::Bool(true));
    }
}

/// `stringData` is for writing only: it goes into `data`.
fn secret(fields: &mut Map<String, Value>) {
    set(fields, "type", "Opaque");
    let Some(plain) = fields.get("stringData").and_then(Value::as_object).cloned() else { return };
    if !plain.values().all(Value::is_string) {
        // Left as it is, for the shape check to refuse.
        return;
    }
    let data = fields.entry("data").or_insert_with(|| json!({}));
    let Some(data) = data.as_object_mut() else { return };
    for (key, value) in plain {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or(""));
        data.insert(key, Value::String(encoded));
    }
    fields.remove("stringData");
}

fn namespace(fields: &mut Map<String, Value>) {
    inside(fields, "metadata", |meta| {
        let Some(name) = meta.get("name").cloned().filter(Value::is_string) else { return };
        let labels = meta.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.entry("kubernetes.io/metadata.name").or_insert(name);
        }
    });
    let status = fields.entry("status").or_insert_with(|| json!({}));
    if let Some(status) = status.as_object_mut() {
        set(status, "phase", "Active");
    }
}

fn binding(fields: &mut Map<String, Value>) {
    fields.entry("roleRef").or_insert_with(|| json!({}));
    inside(fields, "roleRef", |role| set(role, "apiGroup", RBAC));
    each(fields, "subjects", |subject| {
        if matches!(subject.get("kind").and_then(Value::as_str), Some("User" | "Group")) {
            set(subject, "apiGroup", RBAC);
        }
    });
}

fn definition(spec: &mut Map<String, Value>) {
    inside(spec, "names", |names| {
        let Some(kind) = names.get("kind").and_then(Value::as_str).map(str::to_owned) else { return };
        set(names, "singular", &kind.to_lowercase());
        set(names, "listKind", &format!("{kind}List"));
    });
    spec.entry("conversion").or_insert_with(|| json!({ "strategy": "None" }));
}

/// Fills in a text that is absent or empty.
fn set(fields: &mut Map<String, Value>, name: &str, value: &str) {
    let absent = fields.get(name).is_none_or(|held| held.as_str().is_some_and(str::is_empty));
    if absent {
        fields.insert(name.to_owned(), value.into());
    }
}

fn inside(fields: &mut Map<String, Value>, name: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Some(inner) = fields.get_mut(name).and_then(Value::as_object_mut) {
        change(inner);
    }
}

fn each(fields: &mut Map<String, Value>, name: &str, change: impl FnMut(&mut Map<String, Value>)) {
    let items = fields.get_mut(name).and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(Value::as_object_mut).for_each(change);
}
