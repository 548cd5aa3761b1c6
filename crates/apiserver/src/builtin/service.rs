//! Fields of a Service that belong to its type: they go when the type changes, unless the same request sets them anew.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::object::as_map;

/// Kubernetes' `dropTypeDependentFields`.
pub(super) fn drop_dependent(old: &Value, new: &mut Value) {
    let (Some(old), Some(Value::Object(now))) = (old.get("spec").and_then(Value::as_object), new.get("spec")) else { return };
    if !is_balanced(now)
        && let Some(status) = new.get_mut("status").and_then(Value::as_object_mut)
    {
        status.shift_remove("loadBalancer");
    }
    let new = as_map(&mut new["spec"]);
    let now = new.clone();
    let left = |needs: fn(&Map<String, Value>) -> bool| needs(old) && !needs(&now);
    let same = |field: &str| given(old, field) == given(&now, field);
    let mut gone: Vec<&str> = Vec::new();
    if left(has_address) {
        if same("clusterIP") && same("clusterIPs") {
            gone.extend(["clusterIP", "clusterIPs"]);
        }
        gone.extend(["ipFamilies", "ipFamilyPolicy"].into_iter().filter(|field| same(field)));
    }
    if left(has_health_port) && same("healthCheckNodePort") {
        gone.push("healthCheckNodePort");
    }
    if left(is_balanced) {
        gone.extend(["allocateLoadBalancerNodePorts", "loadBalancerClass"].into_iter().filter(|field| same(field)));
    }
    if left(is_outward) && same("externalTrafficPolicy") {
        gone.push("externalTrafficPolicy");
    }
    if left(has_node_ports) && node_ports(old) == node_ports(&now) {
        for port in new.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
            port.shift_remove("nodePort");
        }
    }
    for field in gone {
        new.shift_remove(field);
    }
}

fn given<'a>(spec: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    spec.get(field).filter(|value| !value.is_null())
}

/// Defaults come later: no type is the default one.
fn kind(spec: &Map<String, Value>) -> &str {
    spec.get("type").and_then(Value::as_str).filter(|kind| !kind.is_empty()).unwrap_or("ClusterIP")
}

fn has_address(spec: &Map<String, Value>) -> bool {
    kind(spec) != "ExternalName"
}

fn is_balanced(spec: &Map<String, Value>) -> bool {
    kind(spec) == "LoadBalancer"
}

fn has_node_ports(spec: &Map<String, Value>) -> bool {
    kind(spec) == "NodePort" || is_balanced(spec) && given(spec, "allocateLoadBalancerNodePorts") != Some(&Value::Bool(false))
}

fn has_health_port(spec: &Map<String, Value>) -> bool {
    is_balanced(spec) && given(spec, "externalTrafficPolicy").is_some_and(|policy| policy == "Local")
}

fn is_outward(spec: &Map<String, Value>) -> bool {
    let external = spec.get("externalIPs").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    matches!(kind(spec), "LoadBalancer" | "NodePort") || kind(spec) == "ClusterIP" && external
}

fn node_ports(spec: &Map<String, Value>) -> BTreeSet<i64> {
    let ports = spec.get("ports").and_then(Value::as_array).into_iter().flatten();
    ports.filter_map(|port| port.get("nodePort")?.as_i64()).filter(|port| *port != 0).collect()
}
