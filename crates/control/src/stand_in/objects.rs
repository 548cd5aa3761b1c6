//! The objects of a Deployment that is stood in for, as they should be.

use super::Node;
use super::sample::{Sample, sample};
use crate::views::READ_ONLY;
use model::{ContentHash, Text};
use resources::{Condition, Truth};
use serde_json::{Map, Value, json};
use status::{Shape, Statement, Target};
use std::net::SocketAddr;

/// On the Pods that stand for nothing but a sample.
const POD_ANNOTATION: &str = "paifang.dev/stand-in";
/// Label `endpointslice.kubernetes.io/managed-by` of their slices.
pub(super) const SLICE_MANAGER: &str = "stand-in.paifang.dev";
const SLICE_MANAGER_LABEL: &str = "endpointslice.kubernetes.io/managed-by";
const TEMPLATE_LABEL: &str = "pod-template-hash";
/// Pods of one Deployment: the samples are all alike.
const PODS: u64 = 16;
/// The longest name of a Pod; its host name is shorter.
const STEM: usize = 220;

/// A Deployment as far as it matters here.
#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub object: Value,
    /// `None`: of its image we have nothing.
    pub sample: Option<Sample>,
    pub replicas: u64,
}

/// A Service that selects Pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selecting {
    uid: String,
    selector: Map<String, Value>,
    /// Name, number; the target of each: a number or a name.
    ports: Vec<(String, Value)>,
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn entries(object: &Value, pointer: &str) -> Map<String, Value> {
    object.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Whether it is TCP, which is what is meant where nothing is said.
fn is_tcp(port: &Value) -> bool {
    port.get("protocol").is_none_or(|it| it == "TCP")
}

/// Whether a Pod stands for a sample.
pub(super) fn is_stand_in(pod: &Value) -> bool {
    pod.pointer("/metadata/annotations").and_then(|it| it.get(POD_ANNOTATION)).is_some()
}

/// Whether a slice is one of a Pod that stands for a sample.
pub(super) fn is_of_stand_in(slice: &Value) -> bool {
    slice.pointer("/metadata/labels").and_then(|it| it.get(SLICE_MANAGER_LABEL)).is_some_and(|it| it == SLICE_MANAGER)
}

/// The Pod of a slice of ours.
pub(super) fn pod_of(slice: &Value) -> &str {
    text(slice, "/endpoints/0/targetRef/name")
}

/// Where a slice of ours leads.
pub(super) fn address_of(slice: &Value) -> Option<SocketAddr> {
    let port = slice.pointer("/ports/0/port")?.as_u64().and_then(|it| u16::try_from(it).ok())?;
    Some(SocketAddr::new(text(slice, "/endpoints/0/addresses/0").parse().ok()?, port))
}

/// The Deployment of a Pod of ours.
pub(super) fn deployment_of(pod: &Value) -> &str {
    text(pod, "/metadata/ownerReferences/0/name")
}

// === impl Deployment ===

impl Deployment {
    /// `None`: it is going, or it is what a gateway is seen as.
    pub fn read(object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let seen = metadata.get("labels").is_some_and(|it| it.get(READ_ONLY).is_some());
        if seen || metadata.get("deletionTimestamp").is_some_and(|it| !it.is_null()) {
            return None;
        }
        let sample = match list(object, "/spec/template/spec/containers") {
            [container] => sample(container),
            _ => None,
        };
        let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        Some(Self { object: object.clone(), sample, replicas })
    }

    fn containers(&self) -> &[Value] {
        list(&self.object, "/spec/template/spec/containers")
    }

    fn generation(&self) -> i64 {
        self.object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
    }

    /// The Pods that are to be there.
    pub fn pods(&self) -> Vec<String> {
        if self.sample.is_none() {
            return Vec::new();
        }
        let (name, uid) = (text(&self.object, "/metadata/name"), text(&self.object, "/metadata/uid"));
        let mut stem = name.to_owned();
        stem.truncate(STEM); // object names are ASCII
        let hash = self.template_hash();
        let word = |index: u64| short(&(uid, &hash, index), 5);
        (0..self.replicas.min(PODS)).map(|index| format!("{stem}-{hash}-{}", word(index))).collect()
    }

    fn template_hash(&self) -> String {
        let template = self.object.pointer("/spec/template").map(ToString::to_string).unwrap_or_default();
        short(&template, 10)
    }

    /// A Pod with the template's labels.
    pub fn pod(&self, target: &Target, node: &Node) -> Value {
        let mut labels = entries(&self.object, "/spec/template/metadata/labels");
        labels.insert(TEMPLATE_LABEL.into(), self.template_hash().into());
        let mut annotations = entries(&self.object, "/spec/template/metadata/annotations");
        annotations.insert(POD_ANNOTATION.into(), "true".into());
        let owner = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "name": text(&self.object, "/metadata/name"),
            "uid": text(&self.object, "/metadata/uid"), "controller": true, "blockOwnerDeletion": true,
        });
        let mut spec = self.object.pointer("/spec/template/spec").cloned().unwrap_or_else(|| json!({}));
        spec["nodeName"] = node.name.as_str().into();
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": target.name, "namespace": target.namespace, "labels": labels, "annotations": annotations, "ownerReferences": [owner],
            },
            "spec": spec,
        })
    }

    /// A Pod's status: it runs, at the address where the sample answers.
    pub fn pod_status(&self, address: SocketAddr, node: &Node) -> Statement {
        let ip = address.ip().to_string();
        let running = |it: &Value| {
            json!({ "name": text(it, "/name"), "image": text(it, "/image"), "imageID": "", "ready": true, "started": true,
                "restartCount": 0, "state": { "running": {} } })
        };
        let fields = json!({
            "phase": "Running",
            "hostIP": node.address.to_string(),
            "hostIPs": [{ "ip": node.address.to_string() }],
            "podIP": ip,
            "podIPs": [{ "ip": ip }],
            "containerStatuses": self.containers().iter().map(running).collect::<Vec<Value>>(),
        });
        let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"];
        plain(0, conditions.map(|it| Condition::new(it, Truth::True, "", "")).into(), fields)
    }

    /// The slice that lets a Service reach a Pod of this Deployment; `None`: the Service does not select it, or no port of it leads there.
    pub fn slice(&self, pod: &Target, (name, service): (&str, &Selecting), address: SocketAddr, node: &Node) -> Option<Value> {
        let labels = entries(&self.object, "/spec/template/metadata/labels");
        if !service.selector.iter().all(|(name, value)| labels.get(name) == Some(value)) {
            return None;
        }
        let answered = service.ports.iter().filter(|(_, target)| self.listens(target));
        let ports: Vec<Value> = answered.map(|(name, _)| json!({ "name": name, "port": address.port(), "protocol": "TCP" })).collect();
        if ports.is_empty() {
            return None;
        }
        let mut stem = name.to_owned();
        stem.truncate(STEM);
        let owner = json!([{ "apiVersion": "v1", "kind": "Service", "name": name, "uid": service.uid, "controller": true, "blockOwnerDeletion": true }]);
        Some(json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": format!("{stem}-{}", short(&pod.name, 10)),
                "namespace": pod.namespace,
                "labels": { "kubernetes.io/service-name": name, SLICE_MANAGER_LABEL: SLICE_MANAGER },
                "ownerReferences": owner,
            },
            "addressType": if address.is_ipv6() { "IPv6" } else { "IPv4" },
            "endpoints": [{
                "addresses": [address.ip().to_string()],
                "conditions": { "ready": true, "serving": true, "terminating": false },
                "nodeName": node.name,
                "targetRef": { "kind": "Pod", "namespace": pod.namespace, "name": pod.name },
            }],
            "ports": ports,
        }))
    }

    /// Whether its container listens on a port that a Service names: one that the template has, or one of the image's own.
    fn listens(&self, target: &Value) -> bool {
        let ports = self.containers().iter().flat_map(|it| list(it, "/ports")).filter(|it| is_tcp(it));
        let mut declared = ports.filter(|it| it.get(if target.is_string() { "name" } else { "containerPort" }) == Some(target));
        let number = target.as_u64().and_then(|it| u16::try_from(it).ok());
        declared.next().is_some() || number.is_some_and(|it| self.sample.as_ref().is_some_and(|sample| sample.ports().contains(&it)))
    }

    /// Its status where all of its Pods can be reached.
    pub fn available(&self) -> Statement {
        let message = match self.replicas {
            0 => "no Pod is asked for",
            _ => "a sample that this process carries stands in for its container",
        };
        let conditions = vec![
            Condition::new("Available", Truth::True, "MinimumReplicasAvailable", message),
            Condition::new("Progressing", Truth::True, "NewReplicaSetAvailable", message),
        ];
        // All that are asked for count, also those that would only be more of the same.
        self.status(conditions, self.replicas)
    }

    /// Its status where nothing runs.
    pub fn unavailable(&self, reason: &'static str, message: String) -> Statement {
        if self.replicas == 0 {
            return self.available();
        }
        let condition = |kind| Condition::new(kind, Truth::False, reason, message.clone());
        self.status(["Available", "Progressing"].map(condition).into(), 0)
    }

    fn status(&self, conditions: Vec<Condition>, replicas: u64) -> Statement {
        let count = |it: u64| if it == 0 { Value::Null } else { it.into() };
        let fields = json!({
            "observedGeneration": self.generation(),
            "replicas": count(replicas),
            "updatedReplicas": count(replicas),
            "readyReplicas": count(replicas),
            "availableReplicas": count(replicas),
            "unavailableReplicas": count(self.replicas - replicas.min(self.replicas)),
        });
        plain(self.generation(), conditions, fields)
    }
}

/// Whether it is a Deployment, or a Pod of its own, for which nothing answers. `demo`: samples stand in for the images they are like.
pub fn runs_nothing(object: &Value, demo: bool) -> bool {
    match text(object, "/kind") {
        "Deployment" => Deployment::read(object).is_some_and(|it| !demo || it.sample.is_none()),
        "Pod" => !is_stand_in(object) && object.pointer("/metadata/labels").is_none_or(|it| it.get(READ_ONLY).is_none()),
        _ => false,
    }
}

/// What tells of a Deployment that nothing runs it.
pub(super) fn no_containers(deployment: &Deployment) -> String {
    let mut message = format!(
        "no container runs here; the annotation `{}: \"127.0.0.1:8080\"` of a Service says where its application answers",
        translate::ENDPOINTS_ANNOTATION
    );
    if deployment.sample.is_some() {
        message += ". With `paifang up --demo` a sample stands in for this image";
    }
    message
}

fn plain(generation: i64, conditions: Vec<Condition>, fields: Value) -> Statement {
    let fields = fields.as_object().cloned().unwrap_or_default();
    Statement { uid: Text::default(), generation, shape: Shape::Plain { conditions, fields } }
}

/// So many hexadecimal digits of a hash.
fn short(content: &impl std::hash::Hash, digits: usize) -> String {
    let mut hash = format!("{:?}", ContentHash::of(content));
    hash.truncate(digits);
    hash
}

// === impl Selecting ===

impl Selecting {
    /// `None`: it selects nothing, or it says itself where it leads.
    pub fn read(service: &Value) -> Option<Self> {
        let selector = entries(service, "/spec/selector");
        let own = service.pointer("/metadata/annotations").is_some_and(|it| it.get(translate::ENDPOINTS_ANNOTATION).is_some());
        if selector.is_empty() || own || text(service, "/spec/type") == "ExternalName" {
            return None;
        }
        let port = |it: &Value| {
            let target = it.get("targetPort").filter(|it| !it.is_null() && **it != 0).or_else(|| it.get("port"));
            Some((text(it, "/name").to_owned(), target?.clone()))
        };
        let ports = list(service, "/spec/ports").iter().filter(|it| is_tcp(it)).filter_map(port).collect();
        Some(Self { uid: text(service, "/metadata/uid").to_owned(), selector, ports })
    }
}
