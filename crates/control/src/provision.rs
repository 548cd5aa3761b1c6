//! Gateways in pods of their own: the objects that a cluster runs them by, and where they listen then. Pure.
//!
//! What is asked for is the same as where this process serves (`gateways`), and so are the Services (`services`); here is what is different: a
//! Deployment and a ServiceAccount that are more than to be seen, with as many pods as are asked for, ports that a pod may bind without a
//! privilege, and numbers that the cluster gives out in place of us.
//!
//! **Invariant:** what runs has no rights in the cluster: its token is good for control alone, and for nothing but saying which gateway it is.

use crate::crew::{Crew, Member};
use crate::gateways::{Asked, Asks, Gateways, Given, Machine, Taken};
use crate::plan::{Access, Plan, PlannedPort};
use crate::services::{GATEWAY, INSTANCE, MANAGER, copied, labels, owner, port_name, service, slice_of};
use crate::views::View;
use crate::{first::Notes, keep::Keeper};
use model::GatewayId;
use resources::{Autoscaling, Name, Size};
use serde_json::{Map, Value, json};
use status::{Kind, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Where a pod's admin address is.
pub const ADMIN: u16 = 19_090;
/// Where the token is mounted.
const TOKENS: &str = "/var/run/secrets/paifang";
/// How long a token is good; the kubelet replaces it before.
const TOKEN_SECONDS: u64 = 3_600;
/// What its pods were given, on the Deployment: in the list of containers itself nobody tells what was added from what was left over.
const COMPUTE: &str = "paifang.dev/resources";
/// Seconds to stop in: more than `paifang-gateway` takes by itself.
const GRACE: u64 = 45;
/// Of the image: nobody.
const USER: u32 = 65_532;

/// How gateways are run in pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pods {
    pub image: String,
    /// Where pods reach control, `HOST:PORT`.
    pub control: String,
    /// Who signs control's certificate, PEM.
    pub authority: String,
    /// For whom the pods' tokens are.
    pub audience: String,
}

// === where gateways listen ===

/// Where each gateway listens, in a cluster that gives out node ports and cluster addresses itself: as its Services say.
pub(crate) fn plan(machine: &Machine, asks: &Asks, given: &BTreeMap<GatewayId, Given>, (keeper, crew): (&Keeper, &Crew)) -> Gateways {
    let mut plans: Vec<Plan> = machine.plan(asks, given, &Taken::default()).iter().cloned().collect();
    for plan in &mut plans {
        let given = given.get(&plan.id);
        for port in &mut plan.ports {
            let asked = plan.entrance.node_ports.get(&port.port).copied();
            port.node_port = asked.or_else(|| given?.node_port(port.name.as_str(), port.real)).filter(|_| plan.access != Access::ClusterIp);
        }
        // Inside the cluster it is reached there, whatever else leads to it.
        if plan.address.is_none() && (plan.access == Access::ClusterIp || !plan.others.is_empty()) {
            plan.address = plan.services.first().and_then(|it| keeper.cluster_address(it));
        }
        crew.man(plan);
    }
    plans.into_iter().collect()
}

/// The address that a cluster gave a Service.
pub(crate) fn cluster_address(service: &Value) -> Option<IpAddr> {
    service.pointer("/spec/clusterIP")?.as_str()?.parse().ok()
}

// === the objects ===

/// A gateway's Service: its ports lead to pods.
pub(crate) fn pod_service((machine, notes): (&Machine, &Notes), asked: &Asked, plan: &Plan, name: &Name) -> Value {
    let mut object = service((machine, notes), asked, plan, name);
    let real = container_ports(plan);
    for port in object.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let number = port.get("port").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
        if let Some(container) = number.and_then(|it| real.get(&it)) {
            port["targetPort"] = (*container).into();
        }
    }
    if let Some(spec) = object.get_mut("spec") {
        if is_beside(plan, name) {
            spec["selector"] = Value::Object(selector(asked, plan));
        }
        // What the cluster gives out is not to be written; what it gave, it keeps.
        if plan.access != Access::ClusterIp {
            spec.as_object_mut().map(|it| it.remove("clusterIP"));
        }
    }
    object
}

/// Where pods listen, by the port of the Service.
fn container_ports(plan: &Plan) -> BTreeMap<u16, u16> {
    let asked_for: BTreeSet<u16> = plan.ports.iter().filter(|it| it.listens).map(|it| it.port).collect();
    plan.ports.iter().map(|it| (it.real, sync::container_port(it.port, &asked_for))).collect()
}

/// A Service selects pods of its own namespace alone.
fn is_beside(plan: &Plan, name: &Name) -> bool {
    plan.services.first().is_some_and(|it| it.namespace == name.namespace)
}

/// What leads from a Service to pods in another namespace. `None`: it selects them.
pub(crate) fn pod_slice(asked: &Asked, plan: &Plan, name: &Name) -> Option<Value> {
    if is_beside(plan, name) {
        return None;
    }
    let crew = plan.crew.iter().flatten();
    let pods: Vec<(IpAddr, &Member)> = crew.filter(|it| it.ready).filter_map(|it| Some((it.address?, it))).collect();
    let v4 = pods.first().is_none_or(|it| it.0.is_ipv4());
    let endpoint = |(address, member): &(IpAddr, &Member)| json!({ "addresses": [address.to_string()], "conditions": { "ready": true }, "nodeName": member.node });
    let endpoints = pods.iter().filter(|it| it.0.is_ipv4() == v4).map(endpoint).collect();
    let real = container_ports(plan);
    let port = |it: &PlannedPort| {
        let number = real.get(&it.real)?;
        Some(json!({ "name": port_name(name, it.port, it.name.as_str()), "port": number, "protocol": it.transport() }))
    };
    let ports = plan.ports.iter().filter(|it| it.listens).filter_map(port).collect();
    Some(slice_of((asked, plan), name, ports, (v4, endpoints)))
}

/// What runs a gateway, as its request says; how many there are is left to whoever scales it where that says nothing.
pub(crate) fn workload(pods: &Pods, asked: &Asked, plan: &Plan) -> Vec<View> {
    let Some(name) = plan.services.first() else { return Vec::new() };
    let metadata = || {
        let mut metadata = json!({
            "name": *name.name, "namespace": *name.namespace, "labels": labels(asked, name), "annotations": { GATEWAY: plan.id.as_str() },
        });
        if let Some(owner) = owner(asked) {
            metadata["ownerReferences"] = owner;
        }
        metadata
    };
    let view = |kind, object| View { target: Target::new(kind, name.namespace.as_str(), name.name.as_str()), object, status: None };
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(), "automountServiceAccountToken": false,
    });
    let template = json!({
        "metadata": { "labels": pod_labels(asked, plan) },
        "spec": pod(pods, name, (compute(&asked.size), selector(asked, plan))),
    });
    let mut deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(),
        "spec": {
            "selector": { "matchLabels": selector(asked, plan) },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
            "template": template,
        },
    });
    deployment["metadata"]["annotations"][COMPUTE] = compute(&asked.size).to_string().into();
    let mut views = vec![view(Kind::ServiceAccount, account)];
    match (asked.size.autoscaling, asked.size.replicas) {
        (Some(autoscaling), _) => views.push(view(Kind::HorizontalPodAutoscaler, autoscaler(metadata(), name, autoscaling))),
        (None, Some(replicas)) => deployment["spec"]["replicas"] = replicas.into(),
        (None, None) => {}
    }
    views.push(view(Kind::Deployment, deployment));
    views
}

/// Keeps as many pods as it takes.
fn autoscaler(metadata: Value, name: &Name, Autoscaling { min, max, cpu }: Autoscaling) -> Value {
    let target = json!({ "type": "Utilization", "averageUtilization": cpu });
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": *name.name },
            "minReplicas": min,
            "maxReplicas": max,
            "metrics": [{ "type": "Resource", "resource": { "name": "cpu", "target": target } }],
        },
    })
}

/// What each pod has: as is asked, and of what nobody says anything a little; a server takes a limit alone for a request too.
fn compute(size: &Size) -> Value {
    let mut requests = copied(&size.requests);
    for (name, little) in [("cpu", "50m"), ("memory", "64Mi")] {
        if !size.limits.contains_key(name) {
            requests.entry(name).or_insert_with(|| little.into());
        }
    }
    let mut compute = json!({ "requests": requests });
    if !size.limits.is_empty() {
        compute["limits"] = copied(&size.limits).into();
    }
    compute
}

/// What all pods of a gateway have, and no others: it never changes.
fn selector(asked: &Asked, plan: &Plan) -> Map<String, Value> {
    let Some(name) = plan.services.first() else { return Map::new() };
    let own = [INSTANCE, "app.kubernetes.io/name", "app.kubernetes.io/component"];
    labels(asked, name).into_iter().filter(|(key, _)| own.contains(&key.as_str())).collect()
}

fn pod_labels(asked: &Asked, plan: &Plan) -> Map<String, Value> {
    plan.services.iter().rev().flat_map(|it| labels(asked, it)).collect()
}

/// As restricted as Pod Security has it. Nothing in it changes with the gateway's ports: a change of those restarts no pod.
fn pod(pods: &Pods, name: &Name, (compute, selector): (Value, Map<String, Value>)) -> Value {
    let field = |name: &str, path: &str| json!({ "name": name, "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": path } } });
    let probe = |path: &str, every: u32, failures: u32| {
        json!({
            "httpGet": { "path": path, "port": ADMIN, "scheme": "HTTP" }, "periodSeconds": every, "timeoutSeconds": 2,
            "failureThreshold": failures, "successThreshold": 1,
        })
    };
    let container = json!({
        "name": "gateway",
        "image": pods.image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--admin-address", format!("0.0.0.0:{ADMIN}"), "--token-file", format!("{TOKENS}/token")],
        "env": [
            { "name": "PAIFANG_CONTROL", "value": pods.control },
            { "name": "PAIFANG_AUTHORITY", "value": pods.authority },
            field("POD_NAME", "metadata.name"),
            field("POD_IP", "status.podIP"),
        ],
        "ports": [{ "name": "admin", "containerPort": ADMIN, "protocol": "TCP" }],
        "readinessProbe": probe("/readyz", 2, 2),
        "livenessProbe": probe("/livez", 10, 6),
        "resources": compute,
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
        },
        "volumeMounts": [{ "name": "token", "mountPath": TOKENS, "readOnly": true }],
    });
    let token = json!({ "serviceAccountToken": { "audience": pods.audience, "expirationSeconds": TOKEN_SECONDS, "path": "token" } });
    json!({
        "serviceAccountName": *name.name,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "seccompProfile": { "type": "RuntimeDefault" },
        },
        // A node that goes takes not all of them along.
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": { "matchLabels": selector },
        }],
        "containers": [container],
        "volumes": [{ "name": "token", "projected": { "sources": [token] } }],
    })
}

/// Whether a Deployment, its autoscaler or a ServiceAccount is one that we made.
pub(crate) fn is_workload(object: &Value) -> bool {
    let of = |pointer: &str, key: &str| object.pointer(pointer)?.get(key)?.as_str();
    of("/metadata/annotations", GATEWAY).is_some() && of("/metadata/labels", crate::services::MANAGED_BY) == Some(MANAGER)
}

#[cfg(test)]
mod tests;
