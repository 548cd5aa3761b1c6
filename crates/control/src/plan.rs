//! Where one gateway listens, as it was decided.

use crate::crew::Member;
use model::{Binding, Certificate, Gateway, GatewayId, GatewayOptions, Listener, ListenerProtocol, ObjectRef, Replies, SectionName};
use pools::Shortage;
use resources::{Entrance, Kind, Name};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Nodes that a sentence names.
const TOLD: usize = 4;

/// How a gateway is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// An address of the pool, and node ports.
    #[default]
    LoadBalancer,
    NodePort,
    /// From this machine, or from inside the cluster, alone.
    ClusterIp,
}

/// Where a gateway listens.
///
/// **Invariant:** no two plans that are in force at one time have a socket in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub id: GatewayId,
    /// The object that asked for it; `None`: it is there whoever asks.
    pub owner: Option<ObjectRef>,
    /// What it is seen as; problems are said of these.
    pub services: Vec<Name>,
    pub access: Access,
    /// Where it listens beside its node ports: given from the pool, or an address of this machine alone.
    pub address: Option<IpAddr>,
    /// The one address asked for; no other will do.
    pub wanted: Option<IpAddr>,
    /// What else was asked for.
    pub entrance: Entrance,
    /// Why there is no address.
    pub shortage: Option<Shortage>,
    /// What somebody else, a cloud for example, has given its Services: shown in place of ours.
    pub others: Vec<status::Address>,
    pub node_address: IpAddr,
    /// The numbers that node ports have here.
    pub node_ports: RangeInclusive<u16>,
    /// Where a cluster's node ports answer beside; empty: on that address alone.
    pub nodes: Vec<IpAddr>,
    /// The Pods that run it; `None`: this process does.
    pub crew: Option<Vec<Member>>,
    /// In order of `port`.
    pub ports: Vec<PlannedPort>,
    /// How a local reply looks where no host matched.
    pub replies: Replies,
    /// What holds for all its requests.
    pub options: Arc<GatewayOptions>,
}

/// One port that users asked for, and what stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPort {
    /// Of the listener; unique within its gateway.
    pub name: SectionName,
    pub protocol: ListenerProtocol,
    /// As asked for, for example 80.
    pub port: u16,
    /// On the plan's address: another one than asked for where an offset is added.
    pub real: u16,
    /// On the node's addresses.
    pub node_port: Option<u16>,
    /// Nobody asks for a port that does not listen: its numbers are only kept for whoever will.
    pub listens: bool,
}

// === impl PlannedPort ===

impl PlannedPort {
    /// As a Service's port has it.
    pub fn transport(&self) -> &'static str {
        match self.protocol {
            ListenerProtocol::Http | ListenerProtocol::Https | ListenerProtocol::Tcp => "TCP",
            ListenerProtocol::Udp => "UDP",
        }
    }
}

// === impl Plan ===

impl Plan {
    /// What our own Services show as their addresses.
    pub fn status(&self) -> Vec<status::Address> {
        match self.access {
            Access::LoadBalancer => self.address.iter().map(IpAddr::to_string).collect(),
            Access::NodePort | Access::ClusterIp => Vec::new(),
        }
    }

    /// What objects show that this gateway serves: others' addresses, ours, or the node's where there is none; inside a cluster, the Service's
    /// name there.
    pub fn shown(&self) -> Vec<status::Address> {
        match (self.address, self.access, self.services.first()) {
            _ if !self.entrance.public.is_empty() => self.entrance.public.iter().map(ToString::to_string).collect(),
            _ if !self.others.is_empty() => self.others.clone(),
            (Some(address), ..) => vec![address.to_string()],
            (None, Access::ClusterIp, Some(service)) => vec![format!("{}.{}.svc.cluster.local", service.name, service.namespace)],
            (None, ..) if self.ports.iter().all(|it| it.node_port.is_none()) => Vec::new(),
            (None, ..) => self.node_ports_at().iter().map(IpAddr::to_string).collect(),
        }
    }

    /// The addresses at which node ports answer.
    pub fn node_ports_at(&self) -> Vec<IpAddr> {
        if self.nodes.is_empty() { vec![self.node_address] } else { self.nodes.clone() }
    }

    /// The same, for a sentence.
    pub(crate) fn nodes_told(&self) -> String {
        let all = self.node_ports_at();
        let told: Vec<String> = all.iter().take(TOLD).map(IpAddr::to_string).collect();
        let rest = all.len() - told.len();
        if rest == 0 { told.join(", ") } else { format!("{} and {rest} more nodes", told.join(", ")) }
    }

    /// Whether an IngressGateway asked for it: then it serves Ingresses, as the shared one does.
    pub fn is_requested(&self) -> bool {
        self.owner.as_ref().is_some_and(|it| [Kind::IngressGateway, Kind::KubesphereGateway].iter().any(|kind| it.kind == *kind.name()))
    }

    /// Whether somebody else is to give the address.
    pub(crate) fn is_another_s(&self) -> bool {
        // Of any other type the field says nothing.
        self.access == Access::LoadBalancer && self.entrance.class.as_ref().is_some_and(|it| *it != *translate::SERVICE_CLASS)
    }

    /// A LoadBalancer that a project asked for answers at its address alone, but for the node ports that are asked for.
    pub(crate) fn has_node_port(&self, port: &PlannedPort) -> bool {
        !(self.is_requested() && self.access == Access::LoadBalancer) || self.entrance.node_ports.contains_key(&port.port)
    }

    /// Why there is no address, where one is asked for and nobody gave one.
    pub fn waiting(&self) -> Option<Shortage> {
        self.shortage.filter(|_| self.others.is_empty())
    }

    /// By the number that was asked for.
    pub fn port(&self, port: u16) -> Option<&PlannedPort> {
        self.ports.iter().find(|it| it.port == port)
    }

    /// By a listener's name, as a [`model::BindingState`] has it.
    pub fn listener(&self, name: &SectionName) -> Option<&PlannedPort> {
        self.ports.iter().find(|it| it.name == *name)
    }

    /// The port at which [`shown`](Self::shown) answers for the one asked for.
    pub fn shown_port(&self, port: &PlannedPort) -> Option<u16> {
        let by_number = self.address.is_some() || !self.others.is_empty() || self.access == Access::ClusterIp;
        if by_number { Some(port.real) } else { port.node_port }
    }

    /// The sockets of a port that listens, the address's first.
    pub fn sockets(&self, port: &PlannedPort) -> Vec<SocketAddr> {
        if !port.listens {
            return Vec::new();
        }
        let own = self.address.map(|it| SocketAddr::new(it, port.real));
        own.into_iter().chain(self.node_sockets(port)).collect()
    }

    pub(crate) fn node_sockets(&self, port: &PlannedPort) -> Vec<SocketAddr> {
        let Some(node_port) = port.node_port else { return Vec::new() };
        node_addresses(self.node_address).map(|it| SocketAddr::new(it, node_port)).collect()
    }

    /// The sockets of the port asked for, for example 80.
    pub fn sockets_of(&self, port: u16) -> Vec<SocketAddr> {
        self.port(port).map(|it| self.sockets(it)).unwrap_or_default()
    }

    /// The gateway as the data plane gets it.
    pub fn gateway(&self, default_certificate: Option<Arc<Certificate>>) -> Gateway {
        let listeners = self.ports.iter().filter(|it| it.listens).map(|port| Listener {
            name: port.name.clone(),
            protocol: port.protocol,
            port: port.port,
            bindings: self.bindings(port),
        });
        Gateway {
            id: self.id.clone(),
            listeners: listeners.collect(),
            default_certificate,
            replies: self.replies.clone(),
            options: self.options.clone(),
        }
    }

    fn bindings(&self, port: &PlannedPort) -> Vec<Binding> {
        let twin = (port.protocol == ListenerProtocol::Http).then(|| self.https()).flatten();
        let own = self.address.map(|it| (SocketAddr::new(it, port.real), twin.map(|it| it.real)));
        let node = self.node_sockets(port).into_iter().map(|it| (it, twin.and_then(|it| it.node_port)));
        own.into_iter().chain(node).map(|(address, https_port)| Binding { address, https_port }).collect()
    }

    /// Where redirects to https go: to 443, or to the only port that ends TLS.
    fn https(&self) -> Option<&PlannedPort> {
        let mut https = self.ports.iter().filter(|it| it.listens && it.protocol == ListenerProtocol::Https);
        let first = https.next()?;
        let usual = std::iter::once(first).chain(https.clone()).find(|it| it.port == 443);
        usual.or(https.next().is_none().then_some(first))
    }
}

/// Where node ports answer: on the node's address, and on the loopback address.
pub(crate) fn node_addresses(node: IpAddr) -> impl Iterator<Item = IpAddr> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let covered = node == loopback || node == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    std::iter::once(node).chain((!covered).then_some(loopback))
}

#[cfg(test)]
mod tests;
