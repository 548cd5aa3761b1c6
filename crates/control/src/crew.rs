//! A cluster's Nodes, and the Pods that run each gateway there. Pure.

use crate::plan::{Access, Plan};
use crate::services::{INSTANCE, MANAGED_BY, MANAGER};
use resources::Name;
use serde_json::Value;
use status::{Kind, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A Pod of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// As kubectl shows it: its phase, or why it does not get on.
    pub state: String,
    pub ready: bool,
    /// Where it runs; empty: nowhere yet.
    pub node: String,
    pub address: Option<IpAddr>,
}

/// What is there.
///
/// **Invariant:** a Pod on its way out is none, and a Node that is not ready has no address.
#[derive(Default)]
pub(crate) struct Crew {
    nodes: BTreeMap<String, IpAddr>,
    /// By the workload they are of.
    pods: BTreeMap<Name, BTreeMap<String, Member>>,
}

// === impl Crew ===

impl Crew {
    /// An object as it is now. Returns whether something is different for a gateway.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>) -> bool {
        match target.kind {
            Kind::Node => {
                let now = object.and_then(node_address);
                let before = match now {
                    Some(address) => self.nodes.insert(target.name.clone(), address),
                    None => self.nodes.remove(&target.name),
                };
                before != now
            }
            Kind::Pod => self.observe_pod(target, object),
            _ => false,
        }
    }

    fn observe_pod(&mut self, target: &Target, object: Option<&Value>) -> bool {
        let now = object.and_then(|it| Some((workload(target, it)?, Member::read(target, it)?)));
        let mut different = false;
        for (name, pods) in &mut self.pods {
            if now.as_ref().is_none_or(|(of, _)| of != name) {
                different |= pods.remove(&target.name).is_some();
            }
        }
        if let Some((of, member)) = now {
            let before = self.pods.entry(of).or_default().insert(target.name.clone(), member.clone());
            different |= before != Some(member);
        }
        self.pods.retain(|_, it| !it.is_empty());
        different
    }

    /// Says of a gateway who runs it, and where its node ports answer.
    pub fn man(&self, plan: &mut Plan) {
        let members = plan.services.first().and_then(|it| self.pods.get(it));
        let members: Vec<Member> = members.into_iter().flat_map(BTreeMap::values).cloned().collect();
        // With this policy a node passes nothing on that it does not run.
        let local = plan.entrance.traffic_policy.as_deref() == Some("Local") && plan.access != Access::ClusterIp;
        let running: BTreeSet<&str> = members.iter().filter(|it| it.ready).map(|it| it.node.as_str()).collect();
        let nodes = self.nodes.iter().filter(|(name, _)| !local || running.is_empty() || running.contains(name.as_str()));
        plan.nodes = nodes.map(|(_, address)| *address).collect();
        plan.node_address = plan.nodes.first().copied().unwrap_or(plan.node_address);
        plan.crew = Some(members);
    }
}

/// What a Pod is of.
fn workload(target: &Target, pod: &Value) -> Option<Name> {
    let labels = pod.pointer("/metadata/labels")?;
    let ours = labels.get(MANAGED_BY)? == MANAGER;
    ours.then(|| labels.get(INSTANCE)?.as_str()).flatten().map(|it| Name::new(target.namespace.as_str(), it))
}

/// Where a Node that is ready is reached inside the cluster's network.
fn node_address(node: &Value) -> Option<IpAddr> {
    if !is_true(node, "Ready") || !node.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null) {
        return None;
    }
    let addresses = node.pointer("/status/addresses")?.as_array()?;
    let internal = addresses.iter().filter(|it| it.get("type").is_some_and(|it| it == "InternalIP"));
    internal.filter_map(|it| it.get("address")?.as_str()?.parse().ok()).next()
}

fn is_true(object: &Value, condition: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let has = |it: &Value| it.get("type").is_some_and(|it| it == condition) && it.get("status").is_some_and(|it| it == "True");
    conditions.into_iter().flatten().any(has)
}

// === impl Member ===

impl Member {
    fn read(target: &Target, pod: &Value) -> Option<Self> {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let over = ["Succeeded", "Failed"].contains(&text("/status/phase"));
        if over || !pod.pointer("/metadata/deletionTimestamp").is_none_or(Value::is_null) {
            return None;
        }
        let waits = pod.pointer("/status/containerStatuses/0/state/waiting/reason").and_then(Value::as_str);
        let phase = Some(text("/status/phase")).filter(|it| !it.is_empty()).unwrap_or("Pending");
        Some(Self {
            name: target.name.clone(),
            state: waits.unwrap_or(phase).to_owned(),
            ready: is_true(pod, "Ready"),
            node: text("/spec/nodeName").to_owned(),
            address: text("/status/podIP").parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(address: &str, ready: &str) -> Value {
        let addresses = json!([{ "type": "Hostname", "address": "n" }, { "type": "InternalIP", "address": address }]);
        json!({ "status": { "addresses": addresses, "conditions": [{ "type": "Ready", "status": ready }] } })
    }

    fn pod(of: &str, on: &str, ready: &str) -> Value {
        json!({
            "metadata": { "labels": { INSTANCE: of, MANAGED_BY: MANAGER } }, "spec": { "nodeName": on },
            "status": { "phase": "Running", "podIP": "198.51.100.7", "conditions": [{ "type": "Ready", "status": ready }] },
        })
    }

    #[test]
    fn nodes_that_are_ready_have_addresses() {
        let (mut crew, at) = (Crew::default(), |name: &str| Target::new(Kind::Node, "", name));
        assert!(crew.observe(&at("b"), Some(&node("192.0.2.2", "True"))));
        assert!(crew.observe(&at("a"), Some(&node("192.0.2.1", "True"))));
        assert!(!crew.observe(&at("c"), Some(&node("192.0.2.3", "False"))), "one that is not ready is nothing new");
        assert!(!crew.observe(&at("a"), Some(&node("192.0.2.1", "True"))));
        assert_eq!(crew.nodes.len(), 2);
        let mut leaves = node("192.0.2.1", "True");
        leaves["metadata"] = json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" });
        assert!(crew.observe(&at("a"), Some(&leaves)) && crew.observe(&at("b"), None));
        assert!(crew.nodes.is_empty());
    }

    #[test]
    fn a_pod_is_of_the_gateway_that_its_labels_name() {
        let (mut crew, at) = (Crew::default(), Target::new(Kind::Pod, "edge", "gw-x"));
        assert!(!crew.observe(&at, Some(&json!({ "metadata": { "labels": { INSTANCE: "gw" } } }))), "others have such labels too");
        assert!(crew.observe(&at, Some(&pod("gw", "n", "False"))));
        let of = |crew: &Crew, name: &str| crew.pods.get(&Name::new("edge", name)).map(|it| it.values().cloned().collect::<Vec<_>>());
        assert_eq!(of(&crew, "gw").expect("it is there")[0].state, "Running");
        let mut waits = pod("gw", "n", "False");
        waits["status"]["containerStatuses"] = json!([{ "state": { "waiting": { "reason": "ImagePullBackOff" } } }]);
        assert!(crew.observe(&at, Some(&waits)));
        assert_eq!(of(&crew, "gw").expect("it is there")[0].state, "ImagePullBackOff");
        assert!(crew.observe(&at, Some(&pod("other", "n", "True"))));
        assert!(of(&crew, "gw").is_none() && of(&crew, "other").expect("it is there")[0].ready);
        let mut leaves = pod("other", "n", "True");
        leaves["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert!(crew.observe(&at, Some(&leaves)) && crew.pods.is_empty());
    }
}
