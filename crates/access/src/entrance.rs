//! Where a gateway is reached, as its Services say.

use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// What the Services of one gateway say, put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entrance {
    /// The LoadBalancer's, an IP address or a name.
    pub address: Option<String>,
    /// Where the gateway itself listens for it: what is shown may be somebody else's.
    own: Option<IpAddr>,
    pub node_address: Option<IpAddr>,
    pub ports: Vec<EntrancePort>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrancePort {
    /// On the LoadBalancer's address.
    pub number: u16,
    /// On the node's.
    pub node_port: Option<u16>,
}

/// Where node ports answer, in an annotation of the Service.
const NODE_ADDRESS: &str = "paifang.dev/node-address";
/// The address that was given to the gateway.
const ADDRESS: &str = "paifang.dev/address";

// === impl Entrance ===

impl Entrance {
    /// Of Services of one gateway, the first of which has the say. `None`: there are none.
    pub fn read<'a>(services: impl IntoIterator<Item = &'a Value>) -> Option<Self> {
        let mut found: Option<Self> = None;
        for service in services {
            let next = Self::of(service);
            match &mut found {
                None => found = Some(next),
                Some(entrance) => entrance.add(next),
            }
        }
        found
    }

    fn of(service: &Value) -> Self {
        let text = |pointer: &str| service.pointer(pointer).and_then(Value::as_str);
        let first = "/status/loadBalancer/ingress/0";
        let number =
            |port: &Value, field: &str| port.get(field).and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok()).filter(|it| *it != 0);
        let ports = service.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
        let port = |it: &Value| Some(EntrancePort { number: number(it, "port")?, node_port: number(it, "nodePort") });
        let annotations = service.pointer("/metadata/annotations");
        let annotated = |name: &str| annotations.and_then(|it| it.get(name)).and_then(Value::as_str).and_then(|it| it.parse().ok());
        let address = text(&format!("{first}/ip")).or_else(|| text(&format!("{first}/hostname"))).map(str::to_owned);
        Self {
            own: annotated(ADDRESS).or_else(|| address.as_ref().and_then(|it| it.parse().ok())),
            address,
            node_address: annotated(NODE_ADDRESS),
            ports: ports.filter_map(port).collect(),
        }
    }

    fn add(&mut self, other: Self) {
        self.address = self.address.take().or(other.address);
        self.own = self.own.or(other.own);
        self.node_address = self.node_address.or(other.node_address);
        let new = other.ports.into_iter().filter(|it| !self.ports.iter().any(|known| known.number == it.number)).collect::<Vec<_>>();
        self.ports.extend(new);
    }

    /// Whether connections to this host arrive here.
    pub fn is_at(&self, host: &str) -> bool {
        let ip = host.parse().ok();
        self.address.as_deref() == Some(host) || ip.is_some() && (self.own == ip || self.node_address == ip)
    }

    /// The LoadBalancer's socket for a port, and the node's.
    pub fn sockets(&self, number: u16) -> (Option<SocketAddr>, Option<SocketAddr>) {
        let Some(port) = self.ports.iter().find(|it| it.number == number) else { return (None, None) };
        let node = self.node_address.zip(port.node_port).map(SocketAddr::from);
        (self.own.map(|it| SocketAddr::new(it, number)), node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn several_services_are_one_entrance() {
        let first = json!({
            "metadata": { "annotations": { NODE_ADDRESS: "127.0.0.1" } },
            "spec": { "ports": [{ "port": 80, "nodePort": 30080 }] }, "status": { "loadBalancer": { "ingress": [{ "ip": "127.1.0.1" }] } },
        });
        let second = json!({ "spec": { "ports": [{ "port": 80, "nodePort": 30080 }, { "port": 31400 }] } });
        let entrance = Entrance::read([&first, &second]).expect("one");
        let socket = |it: &str| Some(it.parse().expect("a socket"));
        assert_eq!(entrance.sockets(80), (socket("127.1.0.1:80"), socket("127.0.0.1:30080")));
        assert_eq!(entrance.sockets(31_400), (socket("127.1.0.1:31400"), None));
        assert_eq!(entrance.sockets(81), (None, None));
        assert_eq!(Entrance::read([]), None);
        let named = json!({
            "metadata": { "annotations": { ADDRESS: "127.1.0.2" } },
            "spec": { "ports": [{ "port": 80 }] }, "status": { "loadBalancer": { "ingress": [{ "hostname": "lb.example" }] } },
        });
        let entrance = Entrance::read([&named]).expect("one");
        assert_eq!((entrance.address.as_deref(), entrance.sockets(80)), (Some("lb.example"), (socket("127.1.0.2:80"), None)));
        assert!(entrance.is_at("lb.example") && entrance.is_at("127.1.0.2") && !entrance.is_at("127.1.0.1"));
    }
}
