//! Services that are reached from outside, where there is no cluster to see to it: what each was given, and what is said of it.
//!
//! ```text
//! translate::Exposed ──► plan (beside what gateways have) ──► Gateway of each, to the data plane
//!                                                        └──► node ports and addresses, into the Service
//! ```

mod plan;

use crate::answers::{Trouble, warning};
use crate::gateways::{self, Gateways, Machine, Shape, Taken};
use model::{Gateway, GatewayId, ListenerProtocol};
use plan::{Around, Arrival, Forward, Given, Socket, plan};
use pools::Shortage;
use resources::{Kind as ReadKind, Name};
use serde_json::Value;
use status::{Kind, Mailbox, Said, Target, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use translate::{Exposed, gateway_of_service};

/// **Invariant:** what a Service was given stays given while it asks for it; what nobody asks for is given back at once.
pub(crate) struct Forwarding {
    machine: Machine,
    arrival: Arrival,
    /// Addresses in the statuses of Services, as they came.
    shown: BTreeMap<GatewayId, IpAddr>,
    plans: BTreeMap<GatewayId, Forward>,
    /// As the data plane has been told.
    published: BTreeMap<GatewayId, Arc<Gateway>>,
    touched: bool,
}

// === impl Forwarding ===

impl Forwarding {
    pub fn new(machine: Machine) -> Self {
        Self {
            machine,
            arrival: Arrival::UnderWay,
            shown: BTreeMap::new(),
            plans: BTreeMap::new(),
            published: BTreeMap::new(),
            touched: false,
        }
    }

    /// Every Service there was at the start has been seen.
    pub fn arrived(&mut self) {
        if self.arrival == Arrival::UnderWay {
            (self.arrival, self.touched) = (Arrival::Over, true);
        }
    }

    /// A Service as it is now.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>) {
        if target.kind != Kind::Service {
            return;
        }
        let id = gateway_of_service(&Name::new(target.namespace.as_str(), target.name.as_str()));
        let shown = object.map(gateways::Given::read).and_then(|it| it.address);
        let known = self.plans.get(&id);
        // Somebody else may have written there.
        self.touched |= known.is_some_and(|it| it.address != shown || object.is_some_and(|it| lacks(&node_ports_wish(known), it)));
        match shown {
            Some(address) => self.shown.insert(id, address),
            None => self.shown.remove(&id),
        };
    }

    /// Decides anew, if there is reason to. Returns whether that, or what is to be said of it, is different.
    pub fn settle(&mut self, asked: &BTreeMap<GatewayId, Exposed>, gateways: &Gateways, mailbox: &Mailbox) -> bool {
        let same =
            asked.len() == self.plans.len() && asked.iter().all(|(id, it)| self.plans.get(id).is_some_and(|plan| plan.exposed == *it));
        if self.machine.shape != Shape::Up || same && !std::mem::take(&mut self.touched) {
            return false;
        }
        self.touched = false;
        let given = asked.keys().map(|id| (id.clone(), self.given(id))).collect();
        let (taken, mine) = (taken(gateways), self.sockets());
        let unusable = |socket: Socket| unusable(socket, &mine, self.machine.node_address);
        let arrival = self.arrival;
        let around = Around { machine: &self.machine, taken: &taken, given: &given, unusable: &unusable, arrival };
        let plans = plan(asked, &around);
        let before = std::mem::replace(&mut self.plans, plans);
        let has_none = |id: &&GatewayId| self.plans.get(*id).is_none_or(|it| it.address.is_none());
        for id in before.iter().filter(|(_, it)| it.address.is_some()).map(|it| it.0).filter(has_none) {
            target(id).into_iter().for_each(|it| mailbox.put(it, Wish::Addresses(Vec::new())));
        }
        if arrival == Arrival::Over {
            self.keep(mailbox);
        }
        before != self.plans
    }

    fn given(&self, id: &GatewayId) -> Given {
        let plan = self.plans.get(id);
        let ports = plan.into_iter().flat_map(|it| &it.ports);
        Given {
            address: plan.and_then(|it| it.address).or_else(|| self.shown.get(id).copied()),
            node_ports: ports.filter_map(|it| Some(((it.number, it.protocol), it.node_port?))).collect(),
        }
    }

    /// Writes what was given into the Services that do not show it.
    fn keep(&self, mailbox: &Mailbox) {
        for (id, plan) in &self.plans {
            let Some(target) = target(id) else { continue };
            if plan.address != self.shown.get(id).copied() && plan.exposed.address != translate::WantedAddress::None {
                mailbox.put(target.clone(), Wish::Addresses(plan.address.iter().map(ToString::to_string).collect()));
            }
            let written = plan.exposed.ports.iter().map(|it| it.node_port);
            let new = plan.ports.iter().zip(written).any(|(port, written)| port.node_port.is_some() && written.is_none());
            if new {
                mailbox.put(target, Wish::NodePorts(plan.node_ports()));
            }
        }
    }

    /// What gateways must pass over.
    pub fn taken(&self) -> Taken {
        let addresses = self.plans.values().flat_map(|it| it.address.iter().chain(&it.external)).copied();
        let tcp = |plan: &Forward| {
            plan.ports.iter().filter(|it| it.protocol == ListenerProtocol::Tcp).filter_map(|it| it.node_port).collect::<Vec<_>>()
        };
        let node = self.machine.node_address;
        Taken { addresses: addresses.filter(|it| *it != node).collect(), node_ports: self.plans.values().flat_map(tcp).collect() }
    }

    fn sockets(&self) -> BTreeSet<(ListenerProtocol, SocketAddr)> {
        let listeners = self.published.values().flat_map(|it| &it.listeners);
        listeners.flat_map(|it| it.bindings.iter().map(|binding| (it.protocol, binding.address))).collect()
    }

    /// What the data plane has not been told yet.
    pub fn publish(&mut self) -> Vec<(GatewayId, Option<Arc<Gateway>>)> {
        let now: BTreeMap<GatewayId, Arc<Gateway>> =
            self.plans.iter().map(|(id, plan)| (id.clone(), Arc::new(plan.gateway(id, &self.machine)))).collect();
        let gone = self.published.keys().filter(|id| !now.contains_key(*id)).map(|id| (id.clone(), None));
        let new = now.iter().filter(|(id, it)| self.published.get(*id) != Some(*it)).map(|(id, it)| (id.clone(), Some(it.clone())));
        let updates = gone.chain(new).collect();
        self.published = now;
        updates
    }

    /// What must be said about Services.
    pub fn trouble(&self) -> Trouble {
        let mut trouble = Trouble::new();
        for (id, plan) in &self.plans {
            let said = plan.refused.iter().map(|it| warning(&it.field, it.reason, it.message.clone())).chain(plan.shortage.map(pending));
            let said: BTreeSet<Said> = said.collect();
            let object = translate::service_of(id).filter(|_| !said.is_empty());
            trouble.extend(object.map(|it| (ReadKind::Service.object_ref(&it), said)));
        }
        trouble
    }
}

fn pending(why: Shortage) -> Said {
    let mut said = warning("status.loadBalancer", "AddressPending", format!("no address can be given: {why}"));
    said.hint = Some(match why {
        Shortage::NoPool | Shortage::Exhausted => "Start with another --pool to get one".into(),
        Shortage::NotInPool(_) | Shortage::Taken(_) => "Ask for another address, or start with another --pool".into(),
    });
    said
}

fn node_ports_wish(plan: Option<&Forward>) -> Option<Wish> {
    plan.map(|it| Wish::NodePorts(it.node_ports()))
}

fn lacks(wish: &Option<Wish>, object: &Value) -> bool {
    wish.as_ref().is_some_and(|it| !it.holds(Some(object)))
}

fn target(id: &GatewayId) -> Option<Target> {
    let name = translate::service_of(id)?;
    Some(Target::new(Kind::Service, name.namespace.as_str(), name.name.as_str()))
}

/// What gateways have.
fn taken(gateways: &Gateways) -> Taken {
    Taken {
        addresses: gateways.iter().filter_map(|it| it.address).collect(),
        node_ports: gateways.iter().flat_map(|it| it.ports.iter().filter_map(|port| port.node_port)).collect(),
    }
}

/// Asks the machine, but for what we have there ourselves.
fn unusable(socket: Socket, mine: &BTreeSet<(ListenerProtocol, SocketAddr)>, node: IpAddr) -> bool {
    let bound = |protocol, address: SocketAddr| {
        if mine.contains(&(protocol, address)) {
            return Ok(());
        }
        match protocol {
            ListenerProtocol::Udp => UdpSocket::bind(address).map(drop),
            ListenerProtocol::Http | ListenerProtocol::Https | ListenerProtocol::Tcp => TcpListener::bind(address).map(drop),
        }
    };
    match socket {
        Socket::Address(ip) => {
            bound(ListenerProtocol::Tcp, SocketAddr::new(ip, 0)).is_err_and(|it| it.kind() == ErrorKind::AddrNotAvailable)
        }
        Socket::NodePort(protocol, port) => crate::plan::node_addresses(node)
            .any(|ip| bound(protocol, SocketAddr::new(ip, port)).is_err_and(|it| it.kind() == ErrorKind::AddrInUse)),
    }
}
