//! The gateway of one machine: its Service, its addresses, its listeners. Pure.

use model::{Binding, Gateway, GatewayId, Listener, ListenerProtocol, Replies, SectionName};
use pools::{Claim, NodePortClaim, Pool, Shortage};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// The one gateway of a machine, as KubeSphere names its cluster gateway.
pub const GATEWAY_NAMESPACE: &str = "kubesphere-controls-system";
pub const GATEWAY_NAME: &str = "kubesphere-router-kubesphere-system";
pub const GATEWAY_ID: &str = "kubesphere-controls-system/kubesphere-router-kubesphere-system";
/// Whose IngressClasses are ours.
pub const CONTROLLER: &str = "paifang.dev/ingress-controller";
/// On the gateway's Service: where its node ports answer.
const NODE_ADDRESS: &str = "paifang.dev/node-address";

/// The ports users ask for.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// Ports below this one may need a privilege; an offset applies to them alone.
pub const PRIVILEGED: u16 = 1024;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    pub id: GatewayId,
    /// Of the Service it is seen as.
    pub namespace: String,
    pub name: String,
    pub node_address: IpAddr,
    pub pool: Pool,
    /// Added to ports below 1024.
    pub port_offset: u16,
    pub node_ports: RangeInclusive<u16>,
    /// Tried first: http, https.
    pub preferred: (u16, u16),
}

/// What the machine cannot give.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub addresses: BTreeSet<IpAddr>,
    pub node_ports: BTreeSet<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    LoadBalancer,
    NodePort,
}

/// What was given. Read back from the Service it stays the same over restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub node_port_only: bool,
    pub wanted: Option<IpAddr>,
    pub address: Option<IpAddr>,
    pub http: Option<u16>,
    pub https: Option<u16>,
}

/// Where the gateway listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub access: Access,
    pub address: Option<IpAddr>,
    /// Why there is no address.
    pub shortage: Option<Shortage>,
    pub node_address: IpAddr,
    /// On the LoadBalancer address, offset included.
    pub ports: (u16, u16),
    /// On the node address.
    pub node_ports: (Option<u16>, Option<u16>),
}

// === impl Given ===

impl Given {
    /// As the Service says.
    pub fn read(service: &Value) -> Self {
        let text = |pointer: &str| service.pointer(pointer).and_then(Value::as_str);
        let node_port = |name: &str| {
            let ports = service.pointer("/spec/ports").and_then(Value::as_array)?;
            let port = ports.iter().find(|it| it.get("name").is_some_and(|it| it == name))?;
            port.get("nodePort").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok()).filter(|it| *it != 0)
        };
        Self {
            node_port_only: text("/spec/type").is_some_and(|it| it == "NodePort"),
            wanted: text("/spec/loadBalancerIP").and_then(|it| it.parse().ok()),
            address: text("/status/loadBalancer/ingress/0/ip").and_then(|it| it.parse().ok()),
            http: node_port("http"),
            https: node_port("https"),
        }
    }
}

impl From<&Plan> for Given {
    fn from(plan: &Plan) -> Self {
        Self {
            node_port_only: plan.access == Access::NodePort,
            wanted: None,
            address: plan.address,
            http: plan.node_ports.0,
            https: plan.node_ports.1,
        }
    }
}

// === impl Request ===

impl Request {
    /// Decides where to listen: what was given stays while it is free.
    pub fn plan(&self, given: &Given, taken: &Taken) -> Plan {
        let owner = format!("{}/{}", self.namespace, self.name);
        let claim = Claim { owner: owner.clone(), current: given.address, wanted: given.wanted };
        let access = if given.node_port_only { Access::NodePort } else { Access::LoadBalancer };
        let (address, shortage) = match access {
            Access::NodePort => (None, None),
            Access::LoadBalancer => {
                let (assignment, waiting) = pools::assign(&self.pool, &[claim], &taken.addresses);
                (assignment.get(&owner).copied(), waiting.first().map(|it| it.why))
            }
        };
        let node_port = |name: &str, current, preferred| NodePortClaim { owner: name.to_owned(), current, preferred };
        let claims = [node_port("http", given.http, self.preferred.0), node_port("https", given.https, self.preferred.1)];
        let assigned = pools::assign_node_ports(&self.node_ports, &claims, &taken.node_ports);
        Plan {
            access,
            address,
            shortage,
            node_address: self.node_address,
            ports: (self.shifted(HTTP), self.shifted(HTTPS)),
            node_ports: (assigned.get("http").copied(), assigned.get("https").copied()),
        }
    }

    /// The Service as it should be.
    pub fn service(&self, plan: &Plan) -> Value {
        let port = |name: &str, port: u16, node_port: Option<u16>| {
            let mut entry = json!({ "name": name, "port": port, "protocol": "TCP", "targetPort": port });
            if let Some(node_port) = node_port {
                entry["nodePort"] = node_port.into();
            }
            entry
        };
        let access = match plan.access {
            Access::LoadBalancer => "LoadBalancer",
            Access::NodePort => "NodePort",
        };
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "annotations": { NODE_ADDRESS: plan.node_address.to_string() },
                "labels": {
                    "app.kubernetes.io/name": "paifang",
                    "app.kubernetes.io/instance": self.name,
                    "app.kubernetes.io/component": "gateway",
                    "app.kubernetes.io/managed-by": "paifang",
                    "kubesphere.io/gateway-type": "cluster",
                },
            },
            "spec": {
                "type": access,
                "ports": [port("http", plan.ports.0, plan.node_ports.0), port("https", plan.ports.1, plan.node_ports.1)],
            },
        })
    }

    fn shifted(&self, port: u16) -> u16 {
        if port < PRIVILEGED { port.saturating_add(self.port_offset) } else { port }
    }
}

/// The gateway as the data plane gets it. Without a plan: its listeners, with no socket for them.
pub fn gateway(id: &GatewayId, plan: Option<&Plan>) -> Gateway {
    let listener = |name: &str, protocol, port, bindings| Listener { name: SectionName::new(name.to_owned()), protocol, port, bindings };
    let (sockets, tls_sockets) = plan.map(|it| (it.http(), it.https())).unwrap_or_default();
    let http = |address: &SocketAddr| {
        let twin = tls_sockets.iter().find(|it| it.ip() == address.ip() && plan.is_some_and(|plan| belongs(plan, address, it)));
        Binding { address: *address, https_port: twin.map(SocketAddr::port) }
    };
    let https = |address: &SocketAddr| Binding { address: *address, https_port: None };
    Gateway {
        id: id.clone(),
        listeners: vec![
            listener("http", ListenerProtocol::Http, HTTP, sockets.iter().map(http).collect()),
            listener("https", ListenerProtocol::Https, HTTPS, tls_sockets.iter().map(https).collect()),
        ],
        default_certificate: None,
        replies: Replies::default(),
    }
}

/// Whether both sockets are node ports, or neither is: an address may be the node's and from the pool.
fn belongs(plan: &Plan, http: &SocketAddr, https: &SocketAddr) -> bool {
    (Some(http.port()) == plan.node_ports.0) == (Some(https.port()) == plan.node_ports.1)
}

// === impl Plan ===

impl Plan {
    /// As the gateway's own Service says.
    pub fn read(service: &Value) -> Option<Self> {
        let given = Given::read(service);
        let annotation = service.pointer("/metadata/annotations")?.get(NODE_ADDRESS)?;
        let ports = service.pointer("/spec/ports")?.as_array()?;
        let port = |name: &str| {
            let port = ports.iter().find(|it| it.get("name").is_some_and(|it| it == name))?.get("port")?.as_u64()?;
            u16::try_from(port).ok()
        };
        Some(Self {
            access: if given.node_port_only { Access::NodePort } else { Access::LoadBalancer },
            address: given.address,
            shortage: None,
            node_address: annotation.as_str()?.parse().ok()?,
            ports: (port("http")?, port("https")?),
            node_ports: (given.http, given.https),
        })
    }

    /// What Ingresses and the Service show as their addresses.
    pub fn status(&self) -> Vec<status::Address> {
        self.address.iter().map(IpAddr::to_string).collect()
    }

    /// What Ingresses show: the LoadBalancer address, or the node's where there is none.
    pub fn shown(&self) -> Vec<status::Address> {
        vec![self.address.unwrap_or(self.node_address).to_string()]
    }

    pub fn http(&self) -> Vec<SocketAddr> {
        self.sockets(self.ports.0, self.node_ports.0)
    }

    pub fn https(&self) -> Vec<SocketAddr> {
        self.sockets(self.ports.1, self.node_ports.1)
    }

    fn sockets(&self, port: u16, node_port: Option<u16>) -> Vec<SocketAddr> {
        let balanced = self.address.map(|it| SocketAddr::new(it, port));
        balanced.into_iter().chain(node_port.map(|it| SocketAddr::new(self.node_address, it))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pool: &str, port_offset: u16) -> Request {
        Request {
            id: GatewayId::new("kubesphere-controls-system/kubesphere-router-kubesphere-system"),
            namespace: "kubesphere-controls-system".into(),
            name: "kubesphere-router-kubesphere-system".into(),
            node_address: IpAddr::from([127, 0, 0, 1]),
            pool: pool.parse().expect("a pool"),
            port_offset,
            node_ports: 30_000..=32_767,
            preferred: (30_080, 30_443),
        }
    }

    fn bindings(gateway: &Gateway) -> Vec<String> {
        let shown = |it: &Binding| match it.https_port {
            Some(port) => format!("{}→{port}", it.address),
            None => it.address.to_string(),
        };
        gateway.listeners.iter().flat_map(|it| &it.bindings).map(shown).collect()
    }

    #[test]
    fn each_http_socket_knows_its_https_twin() {
        for (pool, offset, expect) in [
            ("127.1.0.0/24", 0, vec!["127.1.0.1:80→443", "127.0.0.1:30080→30443", "127.1.0.1:443", "127.0.0.1:30443"]),
            ("127.1.0.0/24", 10_000, vec!["127.1.0.1:10080→10443", "127.0.0.1:30080→30443", "127.1.0.1:10443", "127.0.0.1:30443"]),
            ("127.0.0.1", 0, vec!["127.0.0.1:80→443", "127.0.0.1:30080→30443", "127.0.0.1:443", "127.0.0.1:30443"]),
            ("none", 0, vec!["127.0.0.1:30080→30443", "127.0.0.1:30443"]),
        ] {
            let request = request(pool, offset);
            let plan = request.plan(&Given::default(), &Taken::default());
            assert_eq!(bindings(&gateway(&request.id, Some(&plan))), expect, "{pool} {offset}");
        }
    }

    #[test]
    fn the_service_says_what_was_given_and_reads_back_the_same() {
        let request = request("127.1.0.0/24", 10_000);
        let taken = Taken { addresses: [IpAddr::from([127, 1, 0, 1])].into(), node_ports: [30_080].into() };
        let plan = request.plan(&Given::default(), &taken);
        assert_eq!((plan.address, plan.node_ports.0), (Some(IpAddr::from([127, 1, 0, 2])), Some(30_081)));

        let mut service = request.service(&plan);
        service["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": plan.status()[0] }] } });
        assert_eq!(service["spec"]["ports"][0]["port"], 10_080);
        let given = Given::read(&service);
        assert_eq!(given, Given::from(&plan));
        assert_eq!(Plan::read(&service).as_ref(), Some(&plan));
        assert_eq!(request.plan(&given, &Taken::default()), plan, "what was taken is free now, and nothing moves");
    }

    #[test]
    fn without_a_pool_the_node_s_address_is_shown() {
        let request = request("none", 0);
        let plan = request.plan(&Given::default(), &Taken::default());
        assert_eq!((plan.shortage, plan.status(), plan.shown()), (Some(Shortage::NoPool), vec![], vec!["127.0.0.1".to_owned()]));
    }

    #[test]
    fn an_owner_who_asks_for_node_ports_only_gets_no_address() {
        let given = Given { node_port_only: true, ..Given::default() };
        let plan = request("127.1.0.0/24", 0).plan(&given, &Taken::default());
        assert_eq!((plan.access, plan.address, plan.shortage), (Access::NodePort, None, None));
    }
}
