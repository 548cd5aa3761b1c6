//! The columns of the built-in kinds. A regular file: a match arm for each kind.
//!
//! Behaviour: `k8s.io/kubernetes/pkg/printers/internalversion`.

mod workload;

use serde_json::{Value, json};

use crate::clock::age;
use crate::kinds::Kind;
use crate::object::Object;

const NONE: &str = "<none>";
const UNSET: &str = "<unset>";
const UNKNOWN: &str = "<unknown>";

/// The columns of a kind; `+` marks those that only `-o wide` shows.
pub(super) fn columns(kind: &Kind) -> &'static [&'static str] {
    match kind.kind.as_str() {
        "Namespace" => &["Name", "Status", "Age"],
        "Node" => &[
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            "+Internal-IP",
            "+External-IP",
            "+OS-Image",
            "+Kernel-Version",
            "+Container-Runtime",
        ],
        "Service" => &["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"],
        "Pod" => workload::POD,
        "Deployment" => workload::DEPLOYMENT,
        "Endpoints" => &["Name", "Endpoints", "Age"],
        "EndpointSlice" => &["Name", "AddressType", "Ports", "Endpoints", "Age"],
        "Secret" => &["Name", "Type", "Data", "Age"],
        "ConfigMap" => &["Name", "Data", "Age"],
        "Event" => &["Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message", "+First Seen", "+Count", "+Name"],
        "Lease" => &["Name", "Holder", "Age"],
        "Ingress" => &["Name", "Class", "Hosts", "Address", "Ports", "Age"],
        "IngressClass" => &["Name", "Controller", "Parameters", "Age"],
        "RoleBinding" | "ClusterRoleBinding" => &["Name", "Role", "Age", "+Users", "+Groups", "+ServiceAccounts"],
        "Role" | "ClusterRole" | "CustomResourceDefinition" => &["Name", "Created At"],
        _ => &["Name", "Age"],
    }
}

pub(super) fn cells(kind: &Kind, object: &Value) -> Vec<Value> {
    let name = || json!(object.name());
    let age = || json!(created(object));
    match kind.kind.as_str() {
        "Namespace" => vec![name(), json!(text(object, "/status/phase")), age()],
        "Node" => node(object),
        "Service" => service(object),
        "Pod" => workload::pod(object),
        "Deployment" => workload::deployment(object),
        "Endpoints" => vec![name(), json!(endpoints(object)), age()],
        "EndpointSlice" => {
            vec![name(), json!(text(object, "/addressType")), json!(slice_ports(object)), json!(slice_addresses(object)), age()]
        }
        "Secret" => vec![name(), json!(text(object, "/type")), json!(count(object, &["/data"])), age()],
        "ConfigMap" => vec![name(), json!(count(object, &["/data", "/binaryData"])), age()],
        "Event" => event(object),
        "Lease" => vec![name(), json!(text(object, "/spec/holderIdentity")), age()],
        "Ingress" => ingress(object),
        "IngressClass" => vec![name(), json!(text(object, "/spec/controller")), json!(parameters(object)), age()],
        "RoleBinding" | "ClusterRoleBinding" => binding(object),
        "Role" | "ClusterRole" | "CustomResourceDefinition" => vec![name(), json!(object.meta_str("creationTimestamp"))],
        _ => vec![name(), age()],
    }
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or("")
}

fn list<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    object.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn count(object: &Value, paths: &[&str]) -> usize {
    paths.iter().filter_map(|path| object.pointer(path)?.as_object()).map(serde_json::Map::len).sum()
}

fn created(object: &Value) -> String {
    since(object.meta_str("creationTimestamp"))
}

fn since(timestamp: &str) -> String {
    if timestamp.is_empty() { UNKNOWN.into() } else { age(timestamp) }
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

/// The first `most` of them, and how many more there are.
fn few(all: &[String], most: usize) -> String {
    match all.len() {
        0 => NONE.into(),
        n if n > most => format!("{} + {} more...", all[..most].join(","), n - most),
        _ => all.join(","),
    }
}

fn number(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn load_balancer(object: &Value) -> Vec<String> {
    let entries = list(object, "/status/loadBalancer/ingress").iter();
    entries.map(|entry| or(text(entry, "/ip"), text(entry, "/hostname")).to_owned()).filter(|one| !one.is_empty()).collect()
}

fn service(object: &Value) -> Vec<Value> {
    let kind = or(text(object, "/spec/type"), "ClusterIP");
    let cluster_ip = or(text(object, "/spec/clusterIP"), NONE);
    let mut external: Vec<String> = list(object, "/spec/externalIPs").iter().map(number).collect();
    let external = match kind {
        "LoadBalancer" => {
            let mut all = load_balancer(object);
            all.append(&mut external);
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        "ExternalName" => text(object, "/spec/externalName").to_owned(),
        _ if external.is_empty() => NONE.to_owned(),
        _ => external.join(","),
    };
    let ports: Vec<String> = list(object, "/spec/ports").iter().map(service_port).collect();
    let ports = if ports.is_empty() { NONE.to_owned() } else { ports.join(",") };
    let selector = labels(object.pointer("/spec/selector"));
    vec![json!(object.name()), json!(kind), json!(cluster_ip), json!(external), json!(ports), json!(created(object)), json!(selector)]
}

fn service_port(port: &Value) -> String {
    let protocol = or(text(port, "/protocol"), "TCP");
    match port.get("nodePort").and_then(Value::as_u64).filter(|port| *port > 0) {
        Some(node) => format!("{}:{node}/{protocol}", number(&port["port"])),
        None => format!("{}/{protocol}", number(&port["port"])),
    }
}

fn labels(map: Option<&Value>) -> String {
    let map = map.and_then(Value::as_object).filter(|map| !map.is_empty());
    let Some(map) = map else { return NONE.into() };
    let mut pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}={}", number(value))).collect();
    pairs.sort_unstable();
    pairs.join(",")
}

fn endpoints(object: &Value) -> String {
    let mut all = Vec::new();
    for subset in list(object, "/subsets") {
        for address in list(subset, "/addresses") {
            let ip = text(address, "/ip");
            let ports = list(subset, "/ports");
            all.extend(ports.iter().map(|port| join(ip, &number(&port["port"]))));
            if ports.is_empty() {
                all.push(ip.to_owned());
            }
        }
    }
    few(&all, 3)
}

fn join(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

fn slice_ports(object: &Value) -> String {
    let ports = list(object, "/ports").iter();
    let all: Vec<String> = ports.map(|port| or(&number(&port["port"]), "*").to_owned()).collect();
    if all.is_empty() { UNSET.into() } else { few(&all, 3) }
}

fn slice_addresses(object: &Value) -> String {
    let addresses = list(object, "/endpoints").iter().flat_map(|endpoint| list(endpoint, "/addresses"));
    let all: Vec<String> = addresses.map(number).collect();
    if all.is_empty() { UNSET.into() } else { few(&all, 3) }
}

fn ingress(object: &Value) -> Vec<Value> {
    let class = match text(object, "/spec/ingressClassName") {
        "" => or(text(object, "/metadata/annotations/kubernetes.io~1ingress.class"), NONE),
        class => class,
    };
    let hosts: Vec<String> = list(object, "/spec/rules").iter().map(|rule| text(rule, "/host").to_owned()).collect();
    let hosts: Vec<String> = hosts.into_iter().filter(|host| !host.is_empty()).collect();
    let hosts = if hosts.is_empty() { "*".to_owned() } else { few(&hosts, 3) };
    let ports = if list(object, "/spec/tls").is_empty() { "80" } else { "80, 443" };
    let address = load_balancer(object).join(",");
    vec![json!(object.name()), json!(class), json!(hosts), json!(address), json!(ports), json!(created(object))]
}

fn parameters(object: &Value) -> String {
    let kind = text(object, "/spec/parameters/kind");
    if kind.is_empty() {
        return NONE.into();
    }
    let group = text(object, "/spec/parameters/apiGroup");
    let kind = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    format!("{kind}/{}", text(object, "/spec/parameters/name"))
}

fn node(object: &Value) -> Vec<Value> {
    let ready = list(object, "/status/conditions").iter().find(|condition| text(condition, "/type") == "Ready");
    let mut status = match ready.map(|condition| text(condition, "/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        status.push_str(",SchedulingDisabled");
    }
    let labels = object.meta().and_then(|meta| meta.get("labels")).and_then(Value::as_object);
    let keys = labels.into_iter().flat_map(|labels| labels.keys());
    let roles: Vec<&str> = keys.filter_map(|key| key.strip_prefix("node-role.kubernetes.io/")).collect();
    let address = |wanted: &str| {
        let found = list(object, "/status/addresses").iter().find(|address| text(address, "/type") == wanted);
        found.map_or(NONE, |address| text(address, "/address")).to_owned()
    };
    let info = |key: &str| or(text(object, &format!("/status/nodeInfo/{key}")), UNKNOWN).to_owned();
    vec![
        json!(object.name()),
        json!(status),
        json!(or(&roles.join(","), NONE)),
        json!(created(object)),
        json!(text(object, "/status/nodeInfo/kubeletVersion")),
        json!(address("InternalIP")),
        json!(address("ExternalIP")),
        json!(info("osImage")),
        json!(info("kernelVersion")),
        json!(info("containerRuntimeVersion")),
    ]
}

fn event(object: &Value) -> Vec<Value> {
    let either = |core: &str, new: &str| or(text(object, core), text(object, new)).to_owned();
    let first = match either("/firstTimestamp", "/deprecatedFirstTimestamp") {
        stamp if stamp.is_empty() => text(object, "/eventTime").to_owned(),
        stamp => stamp,
    };
    let last = match either("/lastTimestamp", "/deprecatedLastTimestamp") {
        stamp if stamp.is_empty() => or(text(object, "/series/lastObservedTime"), &first).to_owned(),
        stamp => stamp,
    };
    let counts = ["/series/count", "/count", "/deprecatedCount"];
    let count = counts.iter().filter_map(|path| object.pointer(path)?.as_u64()).find(|count| *count > 0).unwrap_or(1);
    let about = if object.get("regarding").is_some() { "/regarding" } else { "/involvedObject" };
    let kind = text(object, &format!("{about}/kind")).to_lowercase();
    let name = text(object, &format!("{about}/name"));
    let component = match either("/source/component", "/deprecatedSource/component") {
        component if component.is_empty() => either("/reportingComponent", "/reportingController"),
        component => component,
    };
    let host = match either("/source/host", "/deprecatedSource/host") {
        host if host.is_empty() => text(object, "/reportingInstance").to_owned(),
        host => host,
    };
    let source = if host.is_empty() { component } else { format!("{component}, {host}") };
    vec![
        json!(since(&last)),
        json!(text(object, "/type")),
        json!(text(object, "/reason")),
        json!(if name.is_empty() { kind } else { format!("{kind}/{name}") }),
        json!(text(object, &format!("{about}/fieldPath"))),
        json!(source),
        json!(either("/message", "/note").trim()),
        json!(since(&first)),
        json!(count),
        json!(object.name()),
    ]
}

fn binding(object: &Value) -> Vec<Value> {
    let role = format!("{}/{}", text(object, "/roleRef/kind"), text(object, "/roleRef/name"));
    let subjects = |kind: &str| {
        let chosen = list(object, "/subjects").iter().filter(|subject| text(subject, "/kind") == kind);
        let names: Vec<String> = chosen
            .map(|subject| match text(subject, "/namespace") {
                "" => text(subject, "/name").to_owned(),
                namespace => format!("{namespace}/{}", text(subject, "/name")),
            })
            .collect();
        names.join(", ")
    };
    vec![
        json!(object.name()),
        json!(role),
        json!(created(object)),
        json!(subjects("User")),
        json!(subjects("Group")),
        json!(subjects("ServiceAccount")),
    ]
}
