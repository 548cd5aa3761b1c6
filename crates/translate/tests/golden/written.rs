//! The model and the reports as YAML that a person can read.

use model::Shard;
use resources::{Kind, Report, Resources};
use serde_json::{Map, Value, json};
use translate::{InUse, Options, Part, endpoints, translate};

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
    let hosts: Vec<Value> = translation.shards.values().map(host).collect();
    let model = json!({ "hosts": hosts, "endpoints": backends });
    let status: Vec<Value> = translation.reports.all().iter().map(report).collect();
    (yaml(&tidy(model)), yaml(&tidy(json!({ "reports": status }))))
}

fn host(shard: &Shard) -> Value {
    let mut host = serde_json::to_value(&*shard.host).expect("the model is plain data");
    host["name"] = shard.host.name.to_string().into();
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
    json!({ "object": report.object.to_string(), "hosts": hosts, "routes": report.routes, "problems": problems.collect::<Vec<_>>() })
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

/// A Secret with the label `certificate-for: NAME` (`star.` stands for `*.`) gets a certificate for it, so that no key stands in a golden file.
pub fn with_certificate(mut object: Value) -> Value {
    let Some(name) = object["metadata"]["labels"].get("certificate-for").and_then(Value::as_str) else { return object };
    if Kind::of(&object) == Some(Kind::Secret) {
        let name = name.strip_prefix("star.").map_or_else(|| name.to_owned(), |rest| format!("*.{rest}"));
        let pair = testkit::certificates::Authority::new().issue(&[&name]);
        object["stringData"] = json!({ "tls.crt": pair.chain_pem, "tls.key": pair.key_pem });
    }
    object
}
