//! The table as Kubernetes objects.

use std::net::SocketAddr;

use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::table::{Row, Table};

/// Where edited hosts go.
pub const SECOND: &str = "second";

const NAMESPACE: &str = "bench";

/// Portions; each can be written once those before it are there.
pub fn all(table: &Table) -> [Vec<Value>; 3] {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let services = (0..table.size.backends).map(service).flat_map(|name| with_slice(&name, table.origin));
    let second = table.second.into_iter().flat_map(|origin| with_slice(SECOND, origin));
    let ingresses = table.rows().map(|row| ingress(&row, &service(row.backend)));
    [vec![namespace], services.chain(second).collect(), ingresses.collect()]
}

/// Of a host without a regular expression: edits are measured on those alone.
pub fn ingress(row: &Row, service: &str) -> Value {
    let name = row.host.split('.').next().unwrap_or_default();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"rules": [{"host": row.host, "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}},
        ]}}]},
    })
}

/// For asking about all of them.
pub fn any_ingress() -> Value {
    json!({"kind": "Ingress", "metadata": {"namespace": NAMESPACE}})
}

pub fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// How the API names an object's kind, and the object's namespace.
pub fn resource(object: &Value) -> Option<(ApiResource, Option<&str>)> {
    let kind = object.get("kind")?.as_str()?;
    let (group, plural) = match kind {
        "Namespace" => ("", "namespaces"),
        "Service" => ("", "services"),
        "EndpointSlice" => ("discovery.k8s.io", "endpointslices"),
        "Ingress" => ("networking.k8s.io", "ingresses"),
        _ => return None,
    };
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
    Some((ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural), namespace))
}

fn service(backend: usize) -> String {
    format!("service{backend}")
}

fn with_slice(name: &str, origin: SocketAddr) -> [Value; 2] {
    let port = origin.port();
    [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": format!("{name}-1"), "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [origin.ip().to_string()], "conditions": {"ready": true}}],
        }),
    ]
}
