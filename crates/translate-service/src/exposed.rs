//! What a Service asks for.

use crate::is_a_gateway;
use model::{GatewayId, ListenerProtocol, SectionName};
use resources::{Name, NodePorts, Service, ServicePort, ServiceType, SharedGateway};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A class of load balancers that is ours, where a Service names one.
pub const CLASS: &str = "paifang.dev/pool";

/// A Service that is to be reached from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    pub service: Name,
    pub address: WantedAddress,
    /// Whether ports without a node port get one.
    pub node_ports: NodePorts,
    /// `externalIPs`.
    pub external: BTreeSet<IpAddr>,
    pub ports: Vec<ExposedPort>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedAddress {
    /// Of the pool; the one that is named, where one is.
    Pool(Option<IpAddr>),
    /// It asks for none, or somebody else gives it.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedPort {
    /// Of the listener; unique within its Service.
    pub name: SectionName,
    pub protocol: ListenerProtocol,
    pub number: u16,
    /// As it is written.
    pub node_port: Option<u16>,
}

/// The gateway that a Service is. No gateway's own name has two of these strokes.
pub fn gateway_id(service: &Name) -> GatewayId {
    GatewayId::new(format!("Service/{}/{}", service.namespace, service.name))
}

/// The Service that a gateway is.
pub fn service_of(gateway: &GatewayId) -> Option<Name> {
    let (namespace, name) = gateway.as_str().strip_prefix("Service/")?.split_once('/')?;
    Some(Name::new(namespace, name))
}

/// `None`: nobody outside is to reach it, or it is what a gateway is seen as.
pub fn exposed(service: &Service, gateways: &[SharedGateway]) -> Option<Exposed> {
    let it = &service.exposure;
    if is_a_gateway(service, gateways) || matches!(service.kind, ServiceType::ExternalName(_)) {
        return None;
    }
    let ours = it.class.as_ref().is_none_or(|class| *class == CLASS);
    let (address, node_ports) = match service.kind {
        ServiceType::LoadBalancer if ours => (WantedAddress::Pool(it.address), it.node_ports),
        ServiceType::LoadBalancer => (WantedAddress::None, it.node_ports),
        ServiceType::NodePort => (WantedAddress::None, NodePorts::Allocated),
        ServiceType::ClusterIp | ServiceType::ExternalName(_) if it.external.is_empty() => return None,
        ServiceType::ClusterIp | ServiceType::ExternalName(_) => (WantedAddress::None, NodePorts::Withheld),
    };
    let ports: Vec<ExposedPort> = service.ports.iter().filter_map(port).collect();
    let external = it.external.iter().copied().collect();
    Some(Exposed { service: service.meta.name.clone(), address, node_ports, external, ports })
}

/// What a port is for. `None`: for something that is not forwarded.
pub(crate) fn protocol(port: &ServicePort) -> Option<ListenerProtocol> {
    match port.protocol.as_str() {
        "TCP" => Some(ListenerProtocol::Tcp),
        "UDP" => Some(ListenerProtocol::Udp),
        _ => None,
    }
}

fn port(port: &ServicePort) -> Option<ExposedPort> {
    let protocol = protocol(port)?;
    let name = match port.name.as_str() {
        "" => format!("{}-{}", port.protocol.as_str().to_lowercase(), port.port),
        name => name.to_owned(),
    };
    Some(ExposedPort { name: SectionName::new(name), protocol, number: port.port, node_port: port.node_port })
}
