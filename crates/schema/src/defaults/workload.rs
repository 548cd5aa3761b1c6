//! Pods and Deployments.

use serde_json::{Map, Value, json};

use super::{each, inside, set};

type Fields = Map<String, Value>;

pub(super) fn deployment(fields: &mut Fields) {
    within(fields, "spec", |spec| {
        number(spec, "replicas", 1);
        within(spec, "strategy", strategy);
        number(spec, "revisionHistoryLimit", 10);
        number(spec, "progressDeadlineSeconds", 600);
        within(spec, "template", |template| within(template, "spec", pod_spec));
    });
}

fn strategy(strategy: &mut Fields) {
    set(strategy, "type", "RollingUpdate");
    if strategy.get("type").is_some_and(|kind| kind == "RollingUpdate") {
        within(strategy, "rollingUpdate", |rolling| {
            for field in ["maxUnavailable", "maxSurge"] {
                rolling.entry(field).or_insert_with(|| json!("25%"));
            }
        });
    }
}

pub(super) fn pod(fields: &mut Fields) {
    within(fields, "spec", |spec| {
        pod_spec(spec);
        spec.entry("enableServiceLinks").or_insert(Value::Bool(true));
        if spec.get("hostNetwork") == Some(&Value::Bool(true)) {
            // On the host's network a port is the host's.
            for list in ["initContainers", "containers"] {
                each(spec, list, |container| each(container, "ports", host_port));
            }
        }
    });
}

fn pod_spec(spec: &mut Fields) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list, container);
    }
    each(spec, "volumes", volume);
    set(spec, "restartPolicy", "Always");
    set(spec, "dnsPolicy", "ClusterFirst");
    set(spec, "schedulerName", "default-scheduler");
    spec.entry("securityContext").or_insert_with(|| json!({}));
    number(spec, "terminationGracePeriodSeconds", 30);
}

fn container(container: &mut Fields) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or("").to_owned();
    set(container, "imagePullPolicy", if is_latest(&image) { "Always" } else { "IfNotPresent" });
    set(container, "terminationMessagePath", "/dev/termination-log");
    set(container, "terminationMessagePolicy", "File");
    container.entry("resources").or_insert_with(|| json!({}));
    each(container, "env", |variable| {
        inside(variable, "valueFrom", |from| inside(from, "fieldRef", |field| set(field, "apiVersion", "v1")));
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        inside(container, name, probe);
    }
    inside(container, "lifecycle", |lifecycle| {
        inside(lifecycle, "postStart", handler);
        inside(lifecycle, "preStop", handler);
    });
}

/// An image without a tag or a digest is its newest; what cannot be the name of an image is none.
fn is_latest(image: &str) -> bool {
    if image.is_empty() || image.contains(|c: char| c.is_whitespace() || c.is_uppercase()) {
        return image.ends_with(":latest");
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    let tag = name.split_once(':').map(|(_, tag)| tag);
    !name.contains('@') && tag.is_none_or(|tag| tag == "latest")
}

fn probe(probe: &mut Fields) {
    handler(probe);
    for (field, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)] {
        if probe.get(field).is_none_or(|held| held == 0) {
            probe.insert(field.to_owned(), value.into());
        }
    }
    inside(probe, "grpc", |grpc| {
        grpc.entry("service").or_insert_with(|| json!(""));
    });
}

fn handler(handler: &mut Fields) {
    inside(handler, "httpGet", |get| {
        set(get, "path", "/");
        set(get, "scheme", "HTTP");
    });
}

fn host_port(port: &mut Fields) {
    if let Some(number) = port.get("containerPort").cloned() {
        port.entry("hostPort").or_insert(number);
    }
}

fn volume(volume: &mut Fields) {
    if volume.iter().all(|(field, value)| field == "name" || value.is_null()) {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        inside(volume, source, |source| number(source, "defaultMode", 0o644));
    }
    inside(volume, "downwardAPI", downward);
    inside(volume, "projected", |projected| {
        each(projected, "sources", |source| {
            inside(source, "downwardAPI", downward);
            inside(source, "serviceAccountToken", |token| number(token, "expirationSeconds", 3600));
        });
    });
    inside(volume, "hostPath", |path| {
        path.entry("type").or_insert_with(|| json!(""));
    });
}

fn downward(source: &mut Fields) {
    each(source, "items", |item| inside(item, "fieldRef", |field| set(field, "apiVersion", "v1")));
}

/// Changes the object at a field, which is there from now on. What is no object, the shape check will refuse.
fn within(fields: &mut Fields, name: &str, change: impl FnOnce(&mut Fields)) {
    if let Value::Object(inner) = fields.entry(name).or_insert_with(|| json!({})) {
        change(inner);
    }
}

fn number(fields: &mut Fields, name: &str, value: i64) {
    fields.entry(name).or_insert_with(|| value.into());
}
