//! The model and the reports as YAML that a person can read.

use model::{GatewayId, GatewayOptions, Shard, ShardKey, Text};
use resources::{Condition, Kind, ListenerStatus, ParentStatus, Report, Resources, Status};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use translate::{InUse, Listens, Options, Part, endpoints, translate};

/// `model.yaml` and `status.yaml`.
pub fn write(resources: &Resources, options: &Options) -> (String, String) {
    let mut translation = translate(resources, options);
    let mut in_use = InUse::default();
    for (key, shard) in &translation.shards {
        in_use.update(key, Some(shard));
    }
    let mut backends = Map::new();
    let mut ids: Vec<_> = in_use.iter().cloned().collect();
    ids.sort();
    for id in ids {
        let (found, reports) = endpoints(resources, options, &id);
        backends.insert(id.to_string(), found.iter().map(|endpoint| endpoint.address.to_string()).collect());
        translation.reports.update(Part::Backend(id), reports);
    }
    let hosts: Vec<Value> = translation.shards.iter().map(|(key, shard)| host(options, key, shard)).collect();
    let gateways: Vec<Value> = translation.listening.gateways.iter().map(|(id, it)| gateway(id, it)).collect();
    let model = json!({ "gateways": gateways, "hosts": hosts, "endpoints": backends });
    let status: Vec<Value> = translation.reports.all().iter().map(report).collect();
    (yaml(&tidy(model)), yaml(&tidy(json!({ "reports": status }))))
}

/// A gateway's workload and ports; what goes without saying of a shared one is left out.
fn gateway(id: &GatewayId, listens: &Listens) -> Value {
    let ports = listens.ports.iter().map(|(number, port)| {
        let owners: Vec<String> = port.owners.iter().map(ToString::to_string).collect();
        json!({ "port": number, "protocol": format!("{:?}", port.protocol), "name": port.name.as_str(), "owners": owners })
    });
    let workload = listens.workload.as_ref().map(|it| {
        let texts = |map: &BTreeMap<Text, Text>| map.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>();
        json!({
            "name": it.name.to_string(), "access": format!("{:?}", it.entrance.access), "address": it.entrance.address.map(|ip| ip.to_string()),
            "labels": texts(&it.labels), "annotations": texts(&it.annotations),
        })
    });
    let options = Some(listens.options()).filter(|it| **it != GatewayOptions::default());
    json!({ "id": id.as_str(), "workload": workload, "ports": ports.collect::<Vec<_>>(), "options": options })
}

/// The shared gateway, and the shard without a port, go without saying.
fn host(options: &Options, key: &ShardKey, shard: &Shard) -> Value {
    let mut host = serde_json::to_value(&*shard.host).expect("the model is plain data");
    host["name"] = shard.host.name.to_string().into();
    host["port"] = key.port.into();
    host["gateway"] = Some(key.gateway.as_str()).filter(|id| *id != options.gateways[0].id.as_str()).into();
    host
}

fn report(report: &Report) -> Value {
    let problems = report.problems.iter().map(|problem| {
        json!({
            "field": *problem.field, "reason": problem.reason.to_string(), "severity": problem.severity.to_string(),
            "message": *problem.message, "hint": problem.hint.as_deref(),
        })
    });
    let hosts: Vec<String> = report.hosts.iter().map(ToString::to_string).collect();
    let status = report.status.as_ref().map(status);
    json!({
        "object": report.object.to_string(), "hosts": hosts, "routes": report.routes, "problems": problems.collect::<Vec<_>>(),
        "status": status,
    })
}

fn status(status: &Status) -> Value {
    match status {
        Status::Gateway(gateway) => {
            let listener = |it: &ListenerStatus| {
                let kinds: Vec<&str> = it.supported_kinds.iter().map(|(_, kind)| &**kind).collect();
                json!({
                    "name": it.name.as_str(), "kinds": kinds.join(", "), "attached": it.attached_routes, "conditions": conditions(&it.conditions),
                })
            };
            let listeners: Vec<Value> = gateway.listeners.iter().map(listener).collect();
            json!({ "conditions": conditions(&gateway.conditions), "listeners": listeners })
        }
        Status::Route(parents) => {
            let parent = |it: &ParentStatus| json!({ "parent": it.parent.to_string(), "controller": *it.controller, "conditions": conditions(&it.conditions) });
            parents.iter().map(parent).collect()
        }
        Status::Conditions(list) => json!({ "conditions": conditions(list) }),
        Status::Class { conditions: list, features } => json!({ "conditions": conditions(list), "features": features.len() }),
        Status::Entrance(list) => json!({ "conditions": conditions(list) }),
    }
}

/// `TYPE=STATUS REASON: message`, a line each.
fn conditions(conditions: &[Condition]) -> Vec<String> {
    let line = |it: &Condition| format!("{}={} {}: {}", it.kind, it.status.as_str(), it.reason, it.message);
    conditions.iter().map(line).collect()
}

/// Leaves out what is empty, and writes durations, objects and patterns in one line.
fn tidy(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(tidy).collect(),
        Value::Object(map) => {
            let text = |name: &str| map.get(name).and_then(Value::as_str);
            if let (Some(seconds), Some(0), 2) = (map.get("secs"), map.get("nanos").and_then(Value::as_u64), map.len()) {
                return format!("{seconds}s").into();
            }
            if let (Some(kind), Some(namespace), Some(name), 3) = (text("kind"), text("namespace"), text("name"), map.len()) {
                return format!("{kind} {namespace}/{name}").into();
            }
            let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            map.into_iter().map(|(key, value)| (key, tidy(value))).filter(|(_, value)| !empty(value)).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).expect("plain data is YAML")
}

/// A Secret with the label `certificate-for: NAME` (`star.` stands for `*.`) gets a certificate for it, and a Secret or ConfigMap with the label
/// `authority` gets the certificate of an authority, so that no key stands in a golden file.
pub fn with_certificate(mut object: Value) -> Value {
    let label = |name: &str| object["metadata"]["labels"].get(name).and_then(Value::as_str).map(str::to_owned);
    let data = match Kind::of(&object) {
        Some(Kind::Secret) => "stringData",
        Some(Kind::ConfigMap) => "data",
        _ => return object,
    };
    let mut content = Map::new();
    if label("authority").is_some() {
        content.insert("ca.crt".into(), testkit::certificates::Authority::new().certificate_pem().into());
    }
    if let Some(name) = label("certificate-for") {
        let name = name.strip_prefix("star.").map_or_else(|| name.clone(), |rest| format!("*.{rest}"));
        let pair = testkit::certificates::Authority::new().issue(&[&name]);
        content.extend([("tls.crt".to_owned(), pair.chain_pem.into()), ("tls.key".to_owned(), pair.key_pem.into())]);
    }
    if !content.is_empty() {
        object[data] = content.into();
    }
    object
}
