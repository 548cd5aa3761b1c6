//! What the status of an IngressGateway says: where its gateway is reached, what serves it, and what is still to come.

use super::conditions::{Heard, Reason, pending, replace};
use super::draft::Draft;
use crate::Plan;
use crate::plan::Access;
use model::{ListenerProtocol, ObjectRef};
use pools::Shortage;
use resources::{Condition, Kind, Truth};
use serde_json::{Map, Value, json};
use status::Shape;
use std::net::IpAddr;

/// Pods that a status names.
const MOST_PODS: usize = 100;

pub(super) fn shape(heard: &Heard<'_>, draft: &Draft, mut conditions: Vec<Condition>, object: &ObjectRef) -> Shape {
    let accepted = conditions.iter().any(|it| it.kind == *"Accepted" && it.status == Truth::True);
    let plan = draft.gateways.iter().find_map(|it| heard.gateways.get(it)).filter(|_| accepted);
    heard.program(&mut conditions, || programmed(heard, draft, plan));
    let (truth, (reason, message)) = match plan.ok_or_else(|| pending("there is no gateway yet".to_owned())).and_then(address) {
        Ok(message) => (Truth::True, ("AddressAssigned", message)),
        Err(why) => (Truth::False, why),
    };
    if accepted {
        let place = conditions.iter().position(|it| it.kind == *"Programmed").map_or(conditions.len(), |it| it + 1);
        conditions.insert(place, Condition::new("AddressAssigned", truth, reason, message));
    }
    if let Some(why) = plan.and_then(|it| super::untold(it, heard.collectors)) {
        replace(&mut conditions, Condition::new("Traced", Truth::False, "CollectorUnreachable", why));
    }
    let of_kubesphere = object.kind == *Kind::KubesphereGateway.name();
    let fields = if of_kubesphere { kubesphere_fields(heard, draft, plan) } else { fields(heard, draft, plan) };
    Shape::Entrance { conditions, fields }
}

/// As KubeSphere's console reads them.
fn kubesphere_fields(heard: &Heard<'_>, draft: &Draft, plan: Option<&Plan>) -> Map<String, Value> {
    let addresses = if plan.is_some() { heard.addresses(&draft.gateways) } else { Vec::new() };
    let address = |it: &status::Address| if it.parse::<IpAddr>().is_ok() { json!({ "ip": it }) } else { json!({ "hostname": it }) };
    let port = |it: &crate::PlannedPort| json!({ "name": it.name, "port": it.real, "protocol": it.transport(), "targetPort": it.real, "nodePort": it.node_port });
    let ports = plan.into_iter().flat_map(|it| it.ports.iter().filter(|it| it.listens)).map(port);
    let all = [
        ("loadBalancer", json!({ "ingress": addresses.iter().map(address).collect::<Vec<_>>() })),
        ("service", ports.collect::<Vec<_>>().into()),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether it answers: both its own ports, at some address.
fn programmed(heard: &Heard<'_>, draft: &Draft, plan: Option<&Plan>) -> Result<String, Reason> {
    let plan = plan.ok_or_else(|| pending("the gateway is not there yet".to_owned()))?;
    if heard.addresses(&draft.gateways).is_empty() {
        let (_, why) = address(plan).err().unwrap_or_else(|| pending("no address has been given to it yet".to_owned()));
        return Err(("AddressNotAssigned", why));
    }
    heard.port([80, 443].map(|port| (&plan.id, port)))
}

/// Which address it has, or why none.
fn address(plan: &Plan) -> Result<String, Reason> {
    if let Some(why) = plan.waiting() {
        let reason = match why {
            Shortage::NoPool => "NoPool",
            Shortage::Exhausted => "PoolExhausted",
            Shortage::NotInPool(_) => "AddressNotInPool",
            Shortage::Taken(_) => "AddressTaken",
        };
        return Err((reason, format!("Pending: no address available: {why}")));
    }
    if let Some(class) = plan.entrance.class.as_ref().filter(|_| plan.is_another_s() && plan.others.is_empty()) {
        return Err(("Pending", format!("Pending: whoever has loadBalancerClass `{class}` has given no address yet")));
    }
    let missed = |(port, asked): (&u16, &u16)| {
        let given = plan.port(*port)?.node_port.filter(|it| it != asked)?;
        let (from, to) = (plan.node_ports.start(), plan.node_ports.end());
        let why = match plan.node_ports.contains(asked) || plan.crew.is_some() {
            true => "is somebody else's".to_owned(),
            false => format!("is not in the range {from} to {to}"),
        };
        Some(format!("node port {asked} {why}, so port {port} has {given}"))
    };
    let missed: Vec<String> = plan.entrance.node_ports.iter().filter_map(missed).collect();
    let shown = plan.shown();
    match (shown.is_empty(), missed.is_empty()) {
        (true, _) => Err(pending("no address has been given to it yet".to_owned())),
        (_, false) => Ok(missed.join("; ")),
        _ if plan.address.is_none() && plan.others.is_empty() && plan.entrance.public.is_empty() && plan.access != Access::ClusterIp => {
            Ok(format!("it is reached at {}", plan.nodes_told()))
        }
        _ => Ok(format!("it is reached at {}", shown.join(", "))),
    }
}

fn fields(heard: &Heard<'_>, draft: &Draft, plan: Option<&Plan>) -> Map<String, Value> {
    let addresses = if plan.is_some() { heard.addresses(&draft.gateways) } else { Vec::new() };
    let own = plan.and_then(|it| it.services.first());
    let mut pods: Vec<Value> = plan.map(|it| pods(heard, it)).unwrap_or_default();
    let ready = pods.iter().filter(|it| it["ready"] == true).count();
    let replicas = plan.map(|_| pods.len());
    pods.truncate(MOST_PODS);
    let all = [
        ("addresses", addresses.iter().map(address_entry).collect()),
        ("ports", plan.into_iter().flat_map(ports).collect()),
        ("attachedRoutes", draft.attached.into()),
        ("replicas", replicas.into()),
        ("readyReplicas", replicas.map(|_| ready).into()),
        ("pods", pods.into()),
        ("workload", own.map(|it| json!({ "namespace": *it.namespace, "name": *it.name })).into()),
        ("ingressClassName", own.map(|it| it.name.to_string()).into()),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The Pods that run it; where this process does, the one that it is seen as.
fn pods(heard: &Heard<'_>, plan: &Plan) -> Vec<Value> {
    let Some(crew) = &plan.crew else {
        let name = plan.services.first().map(|it| format!("{}-0", it.name)).unwrap_or_default();
        let ready = plan.ports.iter().any(|port| heard.port([(&plan.id, port.port)]).is_ok());
        return vec![json!({ "name": name, "phase": "Running", "ready": ready, "node": heard.host })];
    };
    crew.iter().map(|it| json!({ "name": it.name, "phase": it.state, "ready": it.ready, "node": it.node })).collect()
}

fn address_entry(address: &status::Address) -> Value {
    let kind = if address.parse::<IpAddr>().is_ok() { "IPAddress" } else { "Hostname" };
    json!({ "type": kind, "value": address })
}

fn ports(plan: &Plan) -> Vec<Value> {
    let port = |it: &crate::PlannedPort| {
        let protocol = match it.protocol {
            ListenerProtocol::Http => "HTTP",
            ListenerProtocol::Https => "HTTPS",
            _ => "TCP",
        };
        let mut port = json!({ "name": it.name, "port": it.port, "protocol": protocol });
        let more = [("nodePort", it.node_port), ("reachedAt", plan.shown_port(it))];
        for (name, number) in more.into_iter().filter_map(|(name, it)| Some((name, it?))) {
            port[name] = number.into();
        }
        port
    };
    plan.ports.iter().filter(|it| it.listens).map(port).collect()
}
