//! Objects that tests apply.

use serde_json::{Value, json};
use std::net::SocketAddr;

pub fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } })
}

/// One port, `http`, 80; endpoints by annotation.
pub fn service(namespace: &str, name: &str, endpoints: &[SocketAddr]) -> Value {
    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": name, "namespace": namespace, "annotations": { "paifang.dev/endpoints": endpoints.join(",") } },
        "spec": { "ports": [{ "name": "http", "port": 80 }] },
    })
}

/// The same without the annotation.
pub fn bare_service(namespace: &str, name: &str) -> Value {
    let mut service = service(namespace, name, &[]);
    service["metadata"]["annotations"] = json!({});
    service
}

pub fn slice(namespace: &str, service: &str, endpoints: &[SocketAddr]) -> Value {
    let port = endpoints.first().map_or(80, SocketAddr::port);
    let addresses: Vec<Value> = endpoints.iter().map(|it| json!({ "addresses": [it.ip().to_string()] })).collect();
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": { "name": format!("{service}-hand"), "namespace": namespace, "labels": { "kubernetes.io/service-name": service } },
        "endpoints": addresses, "ports": [{ "name": "http", "port": port }],
    })
}

pub fn by_number(service: &str) -> Value {
    json!({ "service": { "name": service, "port": { "number": 80 } } })
}

pub fn by_name(service: &str) -> Value {
    json!({ "service": { "name": service, "port": { "name": "http" } } })
}

pub fn path(path: &str, kind: &str, backend: Value) -> Value {
    json!({ "path": path, "pathType": kind, "backend": backend })
}

pub fn ingress(namespace: &str, name: &str, host: &str, paths: &[Value]) -> Value {
    let mut rule = json!({ "http": { "paths": paths } });
    if !host.is_empty() {
        rule["host"] = host.into();
    }
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": { "name": name, "namespace": namespace, "annotations": {} },
        "spec": { "rules": [rule] },
    })
}

/// One path, `/`, as KubeSphere writes it.
pub fn simple(namespace: &str, name: &str, host: &str, service: &str) -> Value {
    ingress(namespace, name, host, &[path("/", "ImplementationSpecific", by_name(service))])
}

pub fn annotated(mut object: Value, annotations: &[(&str, &str)]) -> Value {
    for (key, value) in annotations {
        object["metadata"]["annotations"][format!("nginx.ingress.kubernetes.io/{key}")] = (*value).into();
    }
    object
}

pub fn with_tls(mut ingress: Value, hosts: &[&str], secret: &str) -> Value {
    ingress["spec"]["tls"] = json!([{ "hosts": hosts, "secretName": secret }]);
    ingress
}
