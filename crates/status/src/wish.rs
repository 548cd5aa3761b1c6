//! What should be true of an object.

use crate::Statement;
use model::Text;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// `status.loadBalancer.ingress` holds exactly these.
    Addresses(Vec<Address>),
    /// The same of an Ingress, with the ports at which it is reached there.
    Reached(Vec<Reached>),
    /// `status` says this, beside what others say there.
    Status(Box<Statement>),
    /// Ports of a Service have these node ports, by number and protocol, where they have none.
    NodePorts(BTreeMap<(u16, Text), u16>),
    /// The object exists and holds at least this.
    Object(Value),
    /// This annotation has this value; `None`: it is not there.
    Annotation(&'static str, Option<String>),
    /// The object does not exist.
    Absent,
    /// This event has been said (once more).
    Event(Value),
}

/// An IP address or a host name.
pub type Address = String;

/// Where an Ingress is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    pub address: Address,
    /// Where http is answered, then https; none where these are 80 and 443, as everybody expects.
    pub ports: Vec<u16>,
}

/// What wishes about one object do not replace in one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Object,
    Status,
    Annotation(&'static str),
}

impl Wish {
    /// Which part of an object it is about.
    pub(crate) fn part(&self) -> Part {
        match self {
            Self::Addresses(_) | Self::Reached(_) | Self::Status(_) => Part::Status,
            Self::Annotation(name, _) => Part::Annotation(name),
            Self::NodePorts(_) | Self::Object(_) | Self::Absent | Self::Event(_) => Part::Object,
        }
    }

    /// The merge patch that turns `current` into what is wished at the time `now`, or `None` where it is so already.
    pub fn change(&self, current: &Value, now: &str) -> Option<Value> {
        match self {
            Self::Status(statement) => statement.change(current, now).map(|status| json!({ "status": status })),
            Self::Addresses(addresses) => with_ingress(current, addresses.iter().map(entry).collect()),
            Self::Reached(all) => with_ingress(current, all.iter().map(Reached::entry).collect()),
            Self::NodePorts(given) => with_node_ports(current, given).map(|ports| json!({ "spec": { "ports": ports } })),
            Self::Annotation(name, wanted) => {
                let there = current.pointer("/metadata/annotations").and_then(|it| it.get(name)?.as_str());
                (there != wanted.as_deref()).then(|| json!({ "metadata": { "annotations": { *name: wanted } } }))
            }
            Self::Object(wanted) => (!covers(current, wanted)).then(|| wanted.clone()),
            Self::Event(event) => {
                let count = current.get("count").and_then(Value::as_i64).unwrap_or(1).saturating_add(1);
                Some(json!({ "count": count, "lastTimestamp": event.get("lastTimestamp") }))
            }
            Self::Absent => None,
        }
    }

    /// Whether an object as watched is as wished already, so that nothing needs to be asked.
    pub fn holds(&self, current: Option<&Value>) -> bool {
        match (self, current) {
            (Self::Absent, current) => current.is_none(),
            (Self::Event(_), _) | (_, None) => false,
            (_, Some(current)) => self.change(current, "").is_none(),
        }
    }
}

fn entry(address: &Address) -> Value {
    if address.parse::<IpAddr>().is_ok() { json!({ "ip": address }) } else { json!({ "hostname": address }) }
}

/// `None`: the object shows these already.
fn with_ingress(current: &Value, wanted: Vec<Value>) -> Option<Value> {
    let there = current.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
    let same = there.map_or(wanted.is_empty(), |it| *it == wanted);
    (!same).then(|| json!({ "status": { "loadBalancer": { "ingress": wanted } } }))
}

// === impl Reached ===

impl Reached {
    fn entry(&self) -> Value {
        let mut entry = entry(&self.address);
        if !self.ports.is_empty() {
            entry["ports"] = self.ports.iter().map(|it| json!({ "port": it, "protocol": "TCP" })).collect();
        }
        entry
    }
}

/// A Service's ports with the node ports they lack; `None`: they lack none.
fn with_node_ports(service: &Value, given: &BTreeMap<(u16, Text), u16>) -> Option<Value> {
    let mut ports = service.pointer("/spec/ports")?.as_array()?.clone();
    let mut lacked = false;
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        let number = port.get("port").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        let has_one = port.get("nodePort").and_then(Value::as_u64).is_some_and(|it| it > 0);
        let node_port = number.filter(|_| !has_one).and_then(|number| given.get(&(number, protocol.into())));
        if let Some(node_port) = node_port {
            lacked = true;
            port.insert("nodePort".to_owned(), json!(node_port));
        }
    }
    lacked.then_some(ports.into())
}

/// Whether `current` holds everything that `wanted` holds: defaults that a server adds are no difference.
pub fn covers(current: &Value, wanted: &Value) -> bool {
    match (current, wanted) {
        (Value::Object(current), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| current.get(key).map_or(value.is_null(), |it| covers(it, value)))
        }
        (Value::Array(current), Value::Array(wanted)) => {
            current.len() == wanted.len() && current.iter().zip(wanted).all(|(current, wanted)| covers(current, wanted))
        }
        (current, wanted) => current == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_s_defaults_are_no_difference() {
        let wanted = json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }], "gone": null } });
        for (current, expect) in [
            (json!({ "spec": { "type": "LoadBalancer", "clusterIP": "10.0.0.1", "ports": [{ "port": 80, "protocol": "TCP" }] } }), true),
            (json!({ "spec": { "type": "NodePort", "ports": [{ "port": 80 }] } }), false),
            (json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }, { "port": 443 }] } }), false),
            (json!({ "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }], "gone": 1 } }), false),
            (json!({}), false),
        ] {
            assert_eq!(covers(&current, &wanted), expect, "{current}");
        }
    }

    #[test]
    fn node_ports_are_written_where_there_are_none_and_nowhere_else() {
        let wish = Wish::NodePorts([((53, "UDP".into()), 30_053), ((80, "TCP".into()), 30_080), ((443, "TCP".into()), 30_443)].into());
        let ports = |ports: Value| json!({ "spec": { "ports": ports } });
        let current = ports(json!([
            { "port": 53, "protocol": "UDP", "name": "dns" },
            { "port": 80, "nodePort": 31_000 },
            { "port": 443, "nodePort": 0 },
            { "port": 53, "protocol": "TCP" },
        ]));
        let patch = wish.change(&current, "").expect("some lack one");
        let written: Vec<&Value> = patch["spec"]["ports"].as_array().expect("a list").iter().map(|it| &it["nodePort"]).collect();
        assert_eq!(written, [&json!(30_053), &json!(31_000), &json!(30_443), &Value::Null]);
        assert_eq!(patch["spec"]["ports"][0]["name"], "dns", "what else is there stays");
        assert_eq!(wish.change(&patch, ""), None);
    }

    #[test]
    fn an_annotation_is_one_of_many() {
        let current = json!({ "metadata": { "annotations": { "mine": "a", "yours": "b" } } });
        let wish = |value: Option<&str>| Wish::Annotation("mine", value.map(str::to_owned)).change(&current, "");
        assert_eq!(wish(Some("a")), None);
        assert_eq!(wish(Some("c")), Some(json!({ "metadata": { "annotations": { "mine": "c" } } })));
        assert_eq!(wish(None), Some(json!({ "metadata": { "annotations": { "mine": null } } })));
        assert_eq!(Wish::Annotation("none", None).change(&json!({}), ""), None);
    }

    #[test]
    fn addresses_are_written_only_where_they_differ() {
        let at = |addresses: &[&str]| Wish::Addresses(addresses.iter().map(|it| (*it).into()).collect());
        let current = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "127.1.0.1" }] } } });
        assert_eq!(at(&["127.1.0.1"]).change(&current, ""), None);
        assert_eq!(at(&[]).change(&json!({ "status": { "loadBalancer": {} } }), ""), None);
        let patch = at(&["lb.example"]).change(&current, "").expect("a difference");
        assert_eq!(patch, json!({ "status": { "loadBalancer": { "ingress": [{ "hostname": "lb.example" }] } } }));
        let reached =
            |ports: &[u16]| Wish::Reached(vec![Reached { address: "127.1.0.1".into(), ports: ports.to_vec() }]).change(&current, "");
        assert_eq!(reached(&[]), None);
        let patch = reached(&[30_080, 30_443]).expect("a difference");
        assert_eq!(patch["status"]["loadBalancer"]["ingress"][0]["ports"][1], json!({ "port": 30_443, "protocol": "TCP" }));
        assert_eq!(Wish::Reached(vec![Reached { address: "127.1.0.1".into(), ports: vec![30_080, 30_443] }]).change(&patch, ""), None);
    }
}
