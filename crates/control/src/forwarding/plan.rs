//! Which address and which node ports each Service has, beside what gateways have. Pure.

use crate::gateways::{Machine, PRIVILEGED, Taken};
use crate::plan::node_addresses;
use model::{Binding, Gateway, GatewayId, Listener, ListenerProtocol, Replies, SectionName, Text};
use pools::{Claim, NodePortClaim, Shortage};
use resources::NodePorts;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use translate::{Exposed, ExposedPort, WantedAddress};

/// Ports of all Services together: each takes a socket of every worker at every address.
const MOST_PORTS: usize = 1024;

/// Where one Service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    pub exposed: Exposed,
    /// Of the pool.
    pub address: Option<IpAddr>,
    pub shortage: Option<Shortage>,
    /// Those of its external addresses that it may have.
    pub external: BTreeSet<IpAddr>,
    /// In the order of its ports.
    pub ports: Vec<ForwardedPort>,
    pub refused: Vec<Refused>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForwardedPort {
    pub name: SectionName,
    pub protocol: ListenerProtocol,
    pub number: u16,
    /// At its addresses: another one than asked for where an offset is added.
    pub real: u16,
    pub node_port: Option<u16>,
}

/// What it asks for and does not get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refused {
    pub field: String,
    pub reason: &'static str,
    pub message: String,
}

/// What is known of the rest of this machine.
pub(crate) struct Around<'a> {
    pub machine: &'a Machine,
    /// What gateways have.
    pub taken: &'a Taken,
    /// What Services had.
    pub given: &'a BTreeMap<GatewayId, Given>,
    /// Addresses and node ports (by protocol) that cannot be had.
    pub unusable: &'a dyn Fn(Socket) -> bool,
    pub arrival: Arrival,
}

/// What one Service had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub address: Option<IpAddr>,
    /// By its ports' numbers, not yet written perhaps.
    pub node_ports: BTreeMap<(u16, ListenerProtocol), u16>,
}

/// Something that could be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Socket {
    Address(IpAddr),
    NodePort(ListenerProtocol, u16),
}

/// Whether every Service is known. Before, nothing new is given: somebody may have it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    UnderWay,
    Over,
}

/// Decides for all of them.
pub(crate) fn plan(asked: &BTreeMap<GatewayId, Exposed>, around: &Around<'_>) -> BTreeMap<GatewayId, Forward> {
    let mut count = 0;
    let mut plans = BTreeMap::new();
    for (id, exposed) in asked {
        let too_many = count + exposed.ports.len() > MOST_PORTS;
        count += if too_many { 0 } else { exposed.ports.len() };
        plans.insert(id.clone(), Forward::new(exposed, around, too_many));
    }
    give_addresses(&mut plans, around);
    for protocol in [ListenerProtocol::Tcp, ListenerProtocol::Udp] {
        give_node_ports(&mut plans, protocol, around);
    }
    give_external(&mut plans, around);
    plans
}

fn give_addresses(plans: &mut BTreeMap<GatewayId, Forward>, around: &Around<'_>) {
    let mut taken = around.taken.addresses.clone();
    let mut claims = Vec::new();
    for (id, plan) in plans.iter().filter(|(_, it)| !it.ports.is_empty()) {
        let WantedAddress::Pool(wanted) = plan.exposed.address else { continue };
        let current = around.given.get(id).and_then(|it| it.address);
        if current.is_some() || around.arrival == Arrival::Over {
            claims.push(Claim { owner: id.to_string(), current, wanted });
        }
    }
    // Whoever has an address keeps it, usable or not: the listener says why it does not answer.
    let kept: BTreeSet<IpAddr> = claims.iter().filter_map(|it| it.current).collect();
    let (assignment, waiting) = loop {
        let (assignment, waiting) = pools::assign(&around.machine.pool, &claims, &taken);
        let new = assignment.values().filter(|it| !kept.contains(*it));
        let unusable: Vec<IpAddr> = new.copied().filter(|it| (around.unusable)(Socket::Address(*it))).collect();
        if unusable.is_empty() {
            break (assignment, waiting);
        }
        taken.extend(unusable);
    };
    for (id, plan) in plans {
        plan.address = assignment.get(id.as_str()).copied();
        plan.shortage = waiting.iter().find(|it| it.owner == id.as_str()).map(|it| it.why);
    }
}

fn give_node_ports(plans: &mut BTreeMap<GatewayId, Forward>, protocol: ListenerProtocol, around: &Around<'_>) {
    let range = &around.machine.node_ports;
    // Gateways listen for connections alone.
    let mut taken = if protocol == ListenerProtocol::Tcp { around.taken.node_ports.clone() } else { BTreeSet::new() };
    let mut claims = Vec::new();
    for (id, plan) in plans.iter_mut() {
        let had = around.given.get(id);
        let Forward { ports, exposed, refused, .. } = plan;
        for (index, port) in ports.iter_mut().enumerate().filter(|(_, it)| it.protocol == protocol) {
            let had = had.and_then(|it| it.node_ports.get(&(port.number, protocol))).filter(|_| exposed.node_ports == NodePorts::Allocated);
            let Some(number) = port.node_port.or(had.copied()) else {
                if exposed.node_ports == NodePorts::Allocated && around.arrival == Arrival::Over {
                    let preferred = *range.start();
                    claims.push((id.clone(), index, NodePortClaim { owner: format!("{id}:{index:05}"), current: None, preferred }));
                }
                continue;
            };
            let free = range.contains(&number) && taken.insert(number);
            port.node_port = free.then_some(number);
            if !free {
                let message = match range.contains(&number) {
                    true => format!("node port {number} is somebody else's"),
                    false => format!("node port {number} is not in the range {} to {}", range.start(), range.end()),
                };
                refused.push(Refused::node_port(index, message));
            }
        }
    }
    let asked: Vec<NodePortClaim> = claims.iter().map(|(_, _, claim)| claim.clone()).collect();
    let assigned = loop {
        let assigned = pools::assign_node_ports(range, &asked, &taken);
        let unusable = |it: &u16| (around.unusable)(Socket::NodePort(protocol, *it));
        let unusable: Vec<u16> = assigned.values().copied().filter(unusable).collect();
        if unusable.is_empty() {
            break assigned;
        }
        taken.extend(unusable);
    };
    for (id, index, claim) in claims {
        let Some(plan) = plans.get_mut(&id) else { continue };
        let given = assigned.get(&claim.owner).copied();
        if given.is_none() {
            plan.refused.push(Refused::node_port(index, "every node port is taken".to_owned()));
        }
        plan.ports.get_mut(index).into_iter().for_each(|it| it.node_port = given);
    }
}

/// External addresses are the node's own or of the pool, and nobody else's: a Service must not take what others are reached at.
fn give_external(plans: &mut BTreeMap<GatewayId, Forward>, around: &Around<'_>) {
    let given: BTreeMap<IpAddr, GatewayId> = plans.iter().filter_map(|(id, it)| Some((it.address?, id.clone()))).collect();
    let mut sockets: BTreeSet<(IpAddr, ListenerProtocol, u16)> = BTreeSet::new();
    for (id, plan) in plans {
        for address in plan.exposed.external.clone() {
            let refused = match () {
                () if address == around.machine.node_address => None,
                () if !around.machine.pool.contains(address) => Some(format!("{address} is neither the node's address nor in the pool")),
                () if around.taken.addresses.contains(&address) => Some(format!("{address} is a gateway's")),
                () => given.get(&address).filter(|it| *it != id).map(|it| format!("{address} is given to {it}")),
            };
            let ports = || plan.ports.iter().map(|port| (address, port.protocol, port.real));
            let refused = refused.or_else(|| {
                let socket = ports().find(|it| sockets.contains(it))?;
                Some(format!("port {} of {address} is another Service's", socket.2))
            });
            match refused {
                None => {
                    sockets.extend(ports());
                    plan.external.insert(address);
                }
                Some(message) => {
                    plan.refused.push(Refused { field: "spec.externalIPs".to_owned(), reason: "ExternalAddressRefused", message });
                }
            }
        }
    }
}

// === impl Refused ===

impl Refused {
    fn node_port(index: usize, message: String) -> Self {
        Self { field: format!("spec.ports[{index}].nodePort"), reason: "NodePortRefused", message }
    }
}

// === impl Forward ===

impl Forward {
    fn new(exposed: &Exposed, around: &Around<'_>, too_many: bool) -> Self {
        let offset = around.machine.port_offset;
        let port = |it: &ExposedPort| ForwardedPort {
            name: it.name.clone(),
            protocol: it.protocol,
            number: it.number,
            real: if it.number < PRIVILEGED { it.number.saturating_add(offset) } else { it.number },
            node_port: it.node_port,
        };
        let ports = if too_many { Vec::new() } else { exposed.ports.iter().map(port).collect() };
        let told = Refused {
            field: "spec.ports".to_owned(),
            reason: "TooManyPorts",
            message: format!("it is not reached from outside: others have {MOST_PORTS} ports already"),
        };
        Self {
            exposed: exposed.clone(),
            address: None,
            shortage: None,
            external: BTreeSet::new(),
            ports,
            refused: if too_many { vec![told] } else { Vec::new() },
        }
    }

    /// What its ports are to be given, by number and protocol.
    pub fn node_ports(&self) -> BTreeMap<(u16, Text), u16> {
        let word = |it: ListenerProtocol| if it == ListenerProtocol::Udp { "UDP" } else { "TCP" };
        self.ports.iter().filter_map(|it| Some(((it.number, word(it.protocol).into()), it.node_port?))).collect()
    }

    /// As the data plane gets it.
    pub fn gateway(&self, id: &GatewayId, machine: &Machine) -> Gateway {
        let listeners = self.ports.iter().map(|port| Listener {
            name: port.name.clone(),
            protocol: port.protocol,
            port: port.number,
            bindings: self.sockets(port, machine).into_iter().map(|address| Binding { address, https_port: None }).collect(),
        });
        Gateway {
            id: id.clone(),
            listeners: listeners.collect(),
            default_certificate: None,
            replies: Replies::default(),
            options: Default::default(),
        }
    }

    fn sockets(&self, port: &ForwardedPort, machine: &Machine) -> BTreeSet<SocketAddr> {
        let own = self.address.iter().chain(&self.external).map(|it| SocketAddr::new(*it, port.real));
        let node =
            port.node_port.into_iter().flat_map(|number| node_addresses(machine.node_address).map(move |it| SocketAddr::new(it, number)));
        own.chain(node).collect()
    }
}

#[cfg(test)]
mod tests;
