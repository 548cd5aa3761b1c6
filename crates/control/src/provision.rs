//! Gateways in pods of their own: the objects that a cluster runs them by, and where they listen then. Pure.
//!
//! What is asked for is the same as where this process serves (`gateways`), and so are the Services (`services`); here is what is different: a
//! Deployment and a ServiceAccount that are more than to be seen, ports that a pod may bind without a privilege, and numbers that the
//! cluster gives out in place of us.
//!
//! **Invariant:** what runs has no rights in the cluster: its token is good for control alone, and for nothing but saying which gateway it is.

use crate::gateways::{Asked, Asks, Gateways, Given, Machine, Taken};
use crate::plan::{Access, Plan};
use crate::services::{GATEWAY, INSTANCE, MANAGER, labels, owner, service};
use crate::views::View;
use crate::{first::Notes, keep::Keeper};
use model::GatewayId;
use resources::Name;
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
pub(crate) fn plan(machine: &Machine, asks: &Asks, given: &BTreeMap<GatewayId, Given>, keeper: &Keeper) -> Gateways {
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
    let asked_for: BTreeSet<u16> = plan.ports.iter().filter(|it| it.listens).map(|it| it.port).collect();
    let real: BTreeMap<u16, u16> = plan.ports.iter().map(|it| (it.real, sync::container_port(it.port, &asked_for))).collect();
    for port in object.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let number = port.get("port").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
        if let Some(container) = number.and_then(|it| real.get(&it)) {
            port["targetPort"] = (*container).into();
        }
    }
    if let Some(spec) = object.get_mut("spec") {
        spec["selector"] = Value::Object(selector(asked, plan));
        // What the cluster gives out is not to be written; what it gave, it keeps.
        if plan.access != Access::ClusterIp {
            spec.as_object_mut().map(|it| it.remove("clusterIP"));
        }
    }
    object
}

/// What runs a gateway. How many replicas there are is left to whoever scales it.
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
    let template = json!({ "metadata": { "labels": pod_labels(asked, plan) }, "spec": pod(pods, name) });
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(),
        "spec": {
            "selector": { "matchLabels": selector(asked, plan) },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
            "template": template,
        },
    });
    vec![view(Kind::ServiceAccount, account), view(Kind::Deployment, deployment)]
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
fn pod(pods: &Pods, name: &Name) -> Value {
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
        "resources": { "requests": { "cpu": "50m", "memory": "64Mi" } },
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
        "containers": [container],
        "volumes": [{ "name": "token", "projected": { "sources": [token] } }],
    })
}

/// Whether a Deployment or a ServiceAccount is one that we made.
pub(crate) fn is_workload(object: &Value) -> bool {
    let of = |pointer: &str, key: &str| object.pointer(pointer)?.get(key)?.as_str();
    of("/metadata/annotations", GATEWAY).is_some() && of("/metadata/labels", crate::services::MANAGED_BY) == Some(MANAGER)
}

#[cfg(test)]
mod tests;
