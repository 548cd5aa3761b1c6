//! The Services that gateways are seen as: as they should be, and what they say.

use crate::first::Notes;
use crate::gateway::{CONTROLLER, GATEWAY_CONTROLLER, ISTIO_NAME, ISTIO_NAMESPACE, LABELS};
use crate::gateways::{Asked, Given, Machine, Shape, Wishes};
use crate::plan::{Access, Plan, PlannedPort};
use model::{ObjectRef, Text};
use resources::Name;
use serde_json::{Map, Value, json};
use status::Kind;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Where a gateway's node ports answer.
const NODE_ADDRESS: &str = "paifang.dev/node-address";
/// The address that we gave, so that a later start tells it from others'; empty: none.
const ADDRESS: &str = "paifang.dev/address";
/// Whose gateway it is.
pub(crate) const GATEWAY: &str = "paifang.dev/gateway";
/// Who asked for a gateway, as `KIND/NAMESPACE/NAME`; empty: it is there whoever asks. Nobody else can write it, whatever they ask for.
const REQUESTED_BY: &str = "paifang.dev/requested-by";
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub(crate) const MANAGER: &str = "paifang";
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
/// Gateway API's own label for what is made for a Gateway.
pub(crate) const GATEWAY_NAME_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
const GATEWAY_CLASS_LABEL: &str = "gateway.networking.k8s.io/gateway-class-name";
/// As KubeSphere labels a gateway with whom it is for.
pub(crate) const TYPE: &str = "kubesphere.io/gateway-type";
pub(crate) const EVERYBODY: &str = "cluster";
/// The longest value of a label.
const VALUE: usize = 63;

/// A gateway's Service as it should be. `notes`: more annotations of the shared gateway's own one.
pub(crate) fn service((machine, notes): (&Machine, &Notes), asked: &Asked, plan: &Plan, name: &Name) -> Value {
    let mut annotations = copied(&asked.annotations);
    annotations.insert(NODE_ADDRESS.into(), plan.node_address.to_string().into());
    annotations.insert(GATEWAY.into(), plan.id.as_str().into());
    annotations.insert(REQUESTED_BY.into(), requested_by(plan).into());
    annotations.insert(ADDRESS.into(), plan.address.map(|it| it.to_string()).unwrap_or_default().into());
    if asked.workload.is_none() && asked.services.first() == Some(name) {
        annotations.extend(notes.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    }
    let mut metadata =
        json!({ "name": *name.name, "namespace": *name.namespace, "annotations": annotations, "labels": labels(asked, name) });
    if let Some(owner) = owner(asked) {
        metadata["ownerReferences"] = owner;
    }
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec(machine, asked, plan, name) })
}

fn requested_by(plan: &Plan) -> String {
    let request = plan.owner.as_ref().filter(|_| plan.is_requested());
    request.map(|it| format!("{}/{}/{}", it.kind, it.namespace, it.name)).unwrap_or_default()
}

fn spec(machine: &Machine, asked: &Asked, plan: &Plan, name: &Name) -> Value {
    let kind = match plan.access {
        Access::LoadBalancer => "LoadBalancer",
        Access::NodePort => "NodePort",
        Access::ClusterIp => "ClusterIP",
    };
    // A server hands out each node port once: in a cluster the second Service gets others.
    let numbered = plan.access != Access::ClusterIp && (machine.shape == Shape::Up || !is_istio(name));
    let port = |it: &PlannedPort| {
        let mut entry = json!({ "name": port_name(name, it.port, it.name.as_str()), "port": it.real, "protocol": it.transport(), "targetPort": it.real });
        if let Some(node_port) = it.node_port.filter(|_| numbered) {
            entry["nodePort"] = node_port.into();
        }
        entry
    };
    let ports: Vec<Value> = plan.ports.iter().filter(|it| it.listens || is_istio(name)).map(port).collect();
    let mut spec = json!({ "type": kind, "ports": ports });
    if plan.access == Access::ClusterIp
        && let Some(address) = plan.address
    {
        spec["clusterIP"] = address.to_string().into();
    }
    // Of the shared gateway's own Service this field is its owner's wish.
    if let Some(entrance) = &asked.entrance {
        let balanced = plan.access == Access::LoadBalancer;
        let text = |it: &Option<Text>, where_: bool| it.as_ref().filter(|_| where_).map(ToString::to_string);
        spec["loadBalancerIP"] = asked.wanted.filter(|_| balanced).map(|it| it.to_string()).into();
        spec["loadBalancerClass"] = text(&entrance.class, balanced).into();
        spec["externalTrafficPolicy"] = text(&entrance.traffic_policy, plan.access != Access::ClusterIp).into();
        if plan.is_requested() {
            let alone = balanced && plan.ports.iter().all(|it| it.node_port.is_none());
            spec["allocateLoadBalancerNodePorts"] = alone.then_some(false).into();
        }
    }
    spec
}

/// The IngressClass and the GatewayClass that name a gateway which takes what has no class.
pub(crate) fn classes(asked: &Asked, plan: &Plan) -> Option<(String, [(Kind, Value); 2])> {
    let own = plan.services.first().filter(|_| plan.owner.is_none() || plan.is_requested())?;
    let metadata = json!({
        "name": *own.name, "labels": { MANAGED_BY: MANAGER }, "annotations": { GATEWAY: plan.id.as_str() },
    });
    let (mut ingress, mut gateway) = (json!({ "controller": CONTROLLER }), json!({ "controllerName": GATEWAY_CONTROLLER }));
    if let Some(workload) = asked.workload.as_ref().filter(|it| it.owner.kind == *resources::Kind::IngressGateway.name()) {
        let ObjectRef { kind, namespace, name } = &workload.owner;
        ingress["parameters"] =
            json!({ "apiGroup": "paifang.dev", "kind": kind, "namespace": namespace, "name": name, "scope": "Namespace" });
        gateway["parametersRef"] = json!({ "group": "paifang.dev", "kind": kind, "namespace": namespace, "name": name });
    }
    let class =
        |version, kind: Kind, spec| (kind, json!({ "apiVersion": version, "kind": kind.to_string(), "metadata": metadata, "spec": spec }));
    let ingress = class("networking.k8s.io/v1", Kind::IngressClass, ingress);
    Some((own.name.to_string(), [ingress, class("gateway.networking.k8s.io/v1", Kind::GatewayClass, gateway)]))
}

/// In a cluster nothing leads from a Service without a selector to this process but what this says. `None`: no cluster reaches the node's
/// address, or the gateway has no port there.
pub(crate) fn slice(asked: &Asked, plan: &Plan, name: &Name) -> Option<Value> {
    let node = plan.node_address;
    if node.is_loopback() || node.is_unspecified() {
        return None;
    }
    let port = |it: &PlannedPort| {
        let number = it.node_port.filter(|_| it.listens)?;
        Some(json!({ "name": port_name(name, it.port, it.name.as_str()), "port": number, "protocol": it.transport() }))
    };
    let ports: Vec<Value> = plan.ports.iter().filter_map(port).collect();
    let endpoints = vec![json!({ "addresses": [node.to_string()], "conditions": { "ready": true } })];
    Some(slice_of((asked, plan), name, ports, (node.is_ipv4(), endpoints)))
}

/// `endpoints`: whether they are of IPv4, and which.
pub(crate) fn slice_of((asked, plan): (&Asked, &Plan), name: &Name, ports: Vec<Value>, (v4, endpoints): (bool, Vec<Value>)) -> Value {
    let mut labels = labels(asked, name);
    labels.insert("kubernetes.io/service-name".into(), name.name.as_str().into());
    labels.insert("endpointslice.kubernetes.io/managed-by".into(), "gateway.paifang.dev".into());
    let mut metadata =
        json!({ "name": slice_name(name), "namespace": *name.namespace, "labels": labels, "annotations": { GATEWAY: plan.id.as_str() } });
    if let Some(owner) = owner(asked) {
        metadata["ownerReferences"] = owner;
    }
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": if v4 { "IPv4" } else { "IPv6" },
        "endpoints": endpoints,
        "ports": ports,
    })
}

pub(crate) fn slice_name(service: &Name) -> String {
    format!("{}-paifang", service.name)
}

fn is_istio(name: &Name) -> bool {
    *name == Name::new(ISTIO_NAMESPACE, ISTIO_NAME)
}

/// Istio's Service calls its first port `http2`; no other port has that name then.
pub(crate) fn port_name(service: &Name, port: u16, name: &str) -> String {
    match name {
        "http" if port == 80 && is_istio(service) => "http2".to_owned(),
        "http2" if is_istio(service) => format!("http2-{port}"),
        name => name.to_owned(),
    }
}

/// What everything is labelled with that is made for a gateway. What marks it as ours wins over what its owner copies to it.
pub(crate) fn labels(asked: &Asked, name: &Name) -> Map<String, Value> {
    let mut labels = copied(&asked.labels);
    if let Some(workload) = asked.workload.as_ref().filter(|it| it.owner.kind == *resources::Kind::Gateway.name()) {
        labels.insert(GATEWAY_NAME_LABEL.into(), value(&workload.owner.name).into());
        labels.insert(GATEWAY_CLASS_LABEL.into(), value(&workload.class).into());
    }
    if is_istio(name) {
        labels.extend(LABELS.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    }
    let own = [
        ("app.kubernetes.io/name", MANAGER),
        (INSTANCE, value(&name.name)),
        ("app.kubernetes.io/component", "gateway"),
        (MANAGED_BY, MANAGER),
    ];
    labels.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    if asked.workload.is_none() && asked.services.first() == Some(name) {
        labels.insert(TYPE.into(), EVERYBODY.into());
    }
    labels
}

/// A name may be longer than a label's value.
fn value(name: &str) -> &str {
    name.get(..VALUE).unwrap_or(name).trim_end_matches(['-', '.', '_'])
}

pub(crate) fn copied(from: &BTreeMap<Text, Text>) -> Map<String, Value> {
    from.iter().map(|(name, value)| (name.to_string(), value.as_str().into())).collect()
}

/// So that it goes with the Gateway it was made for.
pub(crate) fn owner(asked: &Asked) -> Option<Value> {
    let workload = asked.workload.as_ref()?;
    // An owner in another namespace is none: the keeper takes back what was made.
    let kind = resources::Kind::named(&workload.owner.kind).filter(|_| workload.owner.namespace == workload.name.namespace)?;
    let owner = json!({ "apiVersion": kind.api_version(), "kind": kind.word(), "name": *workload.owner.name, "uid": *workload.owner_uid });
    Some(json!([owner]))
}

/// Whether a Service is one that we made.
pub(crate) fn is_ours(service: &Value) -> bool {
    let metadata = |pointer: &str, key: &str| service.pointer("/metadata")?.get(pointer)?.get(key)?.as_str();
    metadata("labels", MANAGED_BY) == Some(MANAGER) || metadata("annotations", NODE_ADDRESS).is_some()
}

/// Whose gateway a Service of ours says it is seen as.
pub(crate) fn gateway_of(service: &Value) -> Option<&str> {
    service.pointer("/metadata/annotations")?.get(GATEWAY)?.as_str()
}

fn text<'a>(service: &'a Value, pointer: &str) -> Option<&'a str> {
    service.pointer(pointer).and_then(Value::as_str)
}

// === impl Wishes ===

impl Wishes {
    /// As the shared gateway's own Service says.
    pub fn read(service: &Value) -> Self {
        let access = match text(service, "/spec/type") {
            Some("NodePort") => Access::NodePort,
            _ => Access::LoadBalancer,
        };
        Self { access, wanted: text(service, "/spec/loadBalancerIP").and_then(|it| it.parse().ok()) }
    }
}

// === impl Given ===

impl Given {
    /// As a Service says.
    pub fn read(service: &Value) -> Self {
        let entries = service.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
        let entry = |it: &Value| it.get("ip").or_else(|| it.get("hostname")).and_then(Value::as_str).map(str::to_owned);
        let mut shown: Vec<status::Address> = entries.into_iter().flatten().filter_map(entry).collect();
        let annotation = |name: &str| service.pointer("/metadata/annotations")?.get(name)?.as_str();
        let own: Option<IpAddr> = annotation(ADDRESS).and_then(|it| it.parse().ok());
        shown.retain(|it| own.is_none_or(|own| it.parse() != Ok(own)));
        // Before there was that annotation, an address in the status was ours.
        let first = || annotation(ADDRESS).is_none().then(|| shown.first()?.parse().ok()).flatten();
        let address = own.or_else(first);
        shown.retain(|it| address.is_none_or(|own| it.parse() != Ok(own)));
        Self { address, others: shown, node_ports: node_ports(service) }
    }

    /// What several Services of one gateway say, the first ones first.
    pub fn of<'a>(services: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for given in services {
            all.address = all.address.or(given.address);
            if all.others.is_empty() {
                all.others.clone_from(&given.others);
            }
            all.node_ports.extend(given.node_ports.iter().cloned());
        }
        all
    }
}

fn number(port: &Value, field: &str) -> Option<u16> {
    port.get(field)?.as_u64().and_then(|it| u16::try_from(it).ok()).filter(|it| *it != 0)
}

fn node_ports(service: &Value) -> Vec<(Text, u16, u16)> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array);
    let port = |it: &Value| Some((it.get("name")?.as_str()?.into(), number(it, "port")?, number(it, "nodePort")?));
    ports.into_iter().flatten().filter_map(port).collect()
}
