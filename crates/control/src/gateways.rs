//! All gateways of this process: what is asked of each, what each was given, and where each listens. Pure.
//!
//! ```text
//! SharedGateway, Listening ──► Asked ─┐
//! Services, as they are    ──► Given ─┼─► plan ──► Plan of each
//! Machine, what is taken   ───────────┘
//! ```

use crate::gateway::ISTIO_NAME;
use crate::plan::{Access, Plan, PlannedPort};
use crate::provision::Pods;
use model::{BindingState, GatewayId, GatewayOptions, ListenerProtocol, ObjectRef, Replies, SectionName, Text};
use pools::{Claim, NodePortClaim, Pool};
use resources::{Entrance, Name, SharedGateway, Size, Workload, WorkloadAccess};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use translate::{Listening, Listens};

/// Ports below this one may need a privilege; an offset applies to them alone.
pub const PRIVILEGED: u16 = 1024;
/// Istio's own gateway has it for TCP, with or without somebody behind it.
pub(crate) const TCP: u16 = 31_400;
/// Addresses of gateways that are to be reached from this machine alone: every machine has them, and none has them from outside.
const LOCAL: &str = "127.97.0.0/16";

/// The machine gateways listen on, and what surrounds it.
#[derive(Clone, Debug)]
pub struct Machine {
    pub shape: Shape,
    pub node_address: IpAddr,
    pub pool: Pool,
    /// Added to ports below 1024.
    pub port_offset: u16,
    pub node_ports: RangeInclusive<u16>,
}

/// The two shapes in which the same code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Everything on this machine, with nobody else there: gateways are also seen as Deployments and Pods.
    Up,
    /// Beside a cluster's own controllers.
    Cluster,
    /// The same, with each gateway in pods of its own. The settings are as old as the process.
    Pods(&'static Pods),
}

/// What cannot be given: others on this machine have it.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub addresses: BTreeSet<IpAddr>,
    pub node_ports: BTreeSet<u16>,
}

/// What is asked of one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub id: GatewayId,
    /// Made for an object; `None`: the shared one.
    pub workload: Option<Workload>,
    pub services: Vec<Name>,
    /// How an object asks for it to be reached; `None`: it is said by the shared gateway's own Service.
    pub entrance: Option<Entrance>,
    pub access: Access,
    pub wanted: Option<IpAddr>,
    /// Of what runs it.
    pub size: Size,
    /// For everything that is made for it.
    pub labels: BTreeMap<Text, Text>,
    /// For its Services.
    pub annotations: BTreeMap<Text, Text>,
    /// By number.
    pub ports: BTreeMap<u16, AskedPort>,
    pub replies: Replies,
    pub options: Arc<GatewayOptions>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedPort {
    pub name: SectionName,
    pub protocol: ListenerProtocol,
    pub listens: bool,
}

/// What a gateway was given. Read back from its Services it stays the same over restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    pub address: Option<IpAddr>,
    /// What others wrote where our address would be.
    pub others: Vec<status::Address>,
    /// Name, real port, node port.
    pub node_ports: Vec<(Text, u16, u16)>,
}

/// What each gateway asks for.
pub(crate) type Asks = BTreeMap<GatewayId, Asked>;

/// Where each gateway listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateways(BTreeMap<GatewayId, Plan>);

// === impl Asked ===

/// What the owner of the shared gateway's Service asks for, by editing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub access: Access,
    pub wanted: Option<IpAddr>,
}

impl Wishes {
    fn of(entrance: &Entrance) -> Self {
        let access = match entrance.access {
            WorkloadAccess::LoadBalancer => Access::LoadBalancer,
            WorkloadAccess::NodePort => Access::NodePort,
            WorkloadAccess::ClusterIp => Access::ClusterIp,
        };
        Self { access, wanted: entrance.address }
    }
}

impl Asked {
    /// The shared gateway: its own ports, and those that objects want of it.
    pub fn shared(shared: &SharedGateway, listens: Option<&Listens>, wishes: Wishes) -> Self {
        let own = |name: &str, protocol| AskedPort { name: SectionName::new(name.to_owned()), protocol, listens: true };
        let mut ports: BTreeMap<u16, AskedPort> =
            [(shared.http, own("http", ListenerProtocol::Http)), (shared.https, own("https", ListenerProtocol::Https))].into();
        if shared.services.iter().any(|it| it.name == *ISTIO_NAME) {
            ports.insert(TCP, AskedPort { listens: false, ..own("tcp", ListenerProtocol::Tcp) });
        }
        add(&mut ports, listens);
        let request = listens.and_then(|it| it.request.as_ref());
        let wishes = request.map_or(wishes, |it| Wishes::of(&it.entrance));
        Self {
            id: shared.id.clone(),
            workload: None,
            services: shared.services.clone(),
            entrance: request.map(|it| it.entrance.clone()),
            access: wishes.access,
            wanted: wishes.wanted,
            size: request.map(|it| it.size.clone()).unwrap_or_default(),
            labels: request.map(|it| it.labels.clone()).unwrap_or_default(),
            annotations: request.map(|it| it.service_annotations()).unwrap_or_default(),
            ports,
            replies: listens.map(|it| it.replies.clone()).unwrap_or_default(),
            options: listens.map(Listens::options).unwrap_or_default(),
        }
    }

    /// A gateway that an object asks for.
    pub fn own(id: &GatewayId, workload: &Workload, listens: &Listens) -> Self {
        let mut ports = BTreeMap::new();
        add(&mut ports, Some(listens));
        let Wishes { access, wanted } = Wishes::of(&workload.entrance);
        Self {
            id: id.clone(),
            workload: Some(workload.clone()),
            services: vec![workload.name.clone()],
            entrance: Some(workload.entrance.clone()),
            access,
            wanted,
            size: workload.size.clone(),
            labels: workload.labels.clone(),
            annotations: workload.annotations.clone(),
            ports,
            replies: listens.replies.clone(),
            options: listens.options(),
        }
    }
}

/// Ports that objects want, beside those that are there: names are unique, and good as a Service's.
fn add(ports: &mut BTreeMap<u16, AskedPort>, listens: Option<&Listens>) {
    let mut names: BTreeSet<String> = ports.values().map(|it| it.name.to_string()).collect();
    for (number, wanted) in listens.into_iter().flat_map(|it| &it.ports) {
        match ports.get_mut(number) {
            Some(port) if port.listens => {}
            Some(port) => (port.protocol, port.listens) = (wanted.protocol, true),
            None => {
                let plain = label(wanted.name.as_str());
                let name = if plain.is_empty() || names.contains(&plain) { numbered(&plain, *number) } else { plain };
                names.insert(name.clone());
                let port = AskedPort { name: SectionName::new(name), protocol: wanted.protocol, listens: true };
                ports.insert(*number, port);
            }
        }
    }
}

/// The longest name of a Service's port.
const LABEL: usize = 63;

/// What a listener is called as a Service's port: lower-case letters, digits and `-`.
fn label(name: &str) -> String {
    let plain: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' }).take(LABEL).collect();
    plain.trim_matches('-').to_owned()
}

fn numbered(plain: &str, number: u16) -> String {
    let plain: String = plain.chars().take(LABEL - 6).collect();
    match plain.trim_matches('-') {
        "" => format!("port-{number}"),
        plain => format!("{plain}-{number}"),
    }
}

/// What is asked, by whoever asks.
pub(crate) fn asks(shared: &SharedGateway, listening: &Listening, wishes: Wishes) -> Asks {
    let own = listening.gateways.iter().filter_map(|(id, listens)| Some((id.clone(), Asked::own(id, listens.workload.as_ref()?, listens))));
    let mut asks: Asks = own.collect();
    asks.insert(shared.id.clone(), Asked::shared(shared, listening.gateways.get(&shared.id), wishes));
    asks
}

// === impl Given ===

impl Given {
    pub(crate) fn node_port(&self, name: &str, real: u16) -> Option<u16> {
        let same_port = self.node_ports.iter().find(|it| it.1 == real);
        same_port.or_else(|| self.node_ports.iter().find(|it| it.0 == *name)).map(|it| it.2)
    }

    /// Every node port.
    pub fn node_ports(&self) -> impl Iterator<Item = u16> + '_ {
        self.node_ports.iter().map(|it| it.2)
    }
}

impl From<&Plan> for Given {
    fn from(plan: &Plan) -> Self {
        let node_ports = plan.ports.iter().filter_map(|it| Some((it.name.0.clone(), it.real, it.node_port?)));
        Self { address: plan.address, others: plan.others.clone(), node_ports: node_ports.collect() }
    }
}

// === impl Machine ===

impl Machine {
    /// Decides where each gateway listens: what was given stays while it is free.
    pub(crate) fn plan(&self, asks: &Asks, given: &BTreeMap<GatewayId, Given>, taken: &Taken) -> Gateways {
        let mut plans: BTreeMap<GatewayId, Plan> = asks.values().map(|it| (it.id.clone(), self.without_address(it))).collect();
        let local: Pool = LOCAL.parse().unwrap_or(Pool::None);
        let mut taken_for_pool = taken.addresses.clone();
        taken_for_pool.extend(given.values().filter_map(|it| it.address).filter(|it| local.contains(*it) && !self.pool.contains(*it)));
        self.assign(Access::LoadBalancer, &self.pool, (given, &taken_for_pool), &mut plans);
        let mut taken_for_local = taken.addresses.clone();
        taken_for_local.extend(plans.values().filter_map(|it| it.address));
        if self.shape == Shape::Up {
            self.assign(Access::ClusterIp, &local, (given, &taken_for_local), &mut plans);
        }
        for plan in plans.values_mut() {
            plan.others = self.others(plan, given.get(&plan.id));
        }
        self.assign_node_ports((given, taken), &mut plans);
        Gateways(plans)
    }

    fn without_address(&self, asked: &Asked) -> Plan {
        let mut real = BTreeSet::new();
        // Numbers that are asked for as such come first: an offset goes around them.
        real.extend(asked.ports.keys().filter(|it| **it >= PRIVILEGED || self.port_offset == 0));
        let ports = asked.ports.iter().map(|(port, it)| {
            let shifted = if *port < PRIVILEGED { self.shifted(*port, &mut real) } else { *port };
            PlannedPort { name: it.name.clone(), protocol: it.protocol, port: *port, real: shifted, node_port: None, listens: it.listens }
        });
        Plan {
            id: asked.id.clone(),
            owner: asked.workload.as_ref().map(|it| it.owner.clone()),
            services: asked.services.clone(),
            access: asked.access,
            address: None,
            wanted: asked.wanted,
            entrance: asked.entrance.clone().unwrap_or_default(),
            shortage: None,
            others: Vec::new(),
            node_address: self.node_address,
            node_ports: self.node_ports.clone(),
            nodes: Vec::new(),
            crew: None,
            ports: ports.collect(),
            replies: asked.replies.clone(),
            options: asked.options.clone(),
        }
    }

    fn shifted(&self, port: u16, real: &mut BTreeSet<u16>) -> u16 {
        if self.port_offset == 0 {
            return port;
        }
        let from = port.saturating_add(self.port_offset);
        let found = (from..=u16::MAX).chain(PRIVILEGED..from).find(|it| !real.contains(it)).unwrap_or(from);
        real.insert(found);
        found
    }

    fn assign(&self, access: Access, pool: &Pool, (given, taken): At<'_>, plans: &mut BTreeMap<GatewayId, Plan>) {
        let claim = |plan: &Plan| Claim {
            owner: plan.id.to_string(),
            current: given.get(&plan.id).and_then(|it| it.address),
            wanted: plan.wanted.filter(|_| access == Access::LoadBalancer),
        };
        let ours = |it: &Plan| it.access == access && !it.is_another_s();
        let claims: Vec<Claim> = plans.values().filter(|it| ours(it)).map(claim).collect();
        let (assignment, waiting) = pools::assign(pool, &claims, taken);
        for plan in plans.values_mut().filter(|it| ours(it)) {
            plan.address = assignment.get(plan.id.as_str()).copied();
            plan.shortage = waiting.iter().find(|it| it.owner == plan.id.as_str()).map(|it| it.why);
        }
    }

    /// A host name in the Services' status is always somebody else's; an address only where we have none to give.
    fn others(&self, plan: &Plan, given: Option<&Given>) -> Vec<status::Address> {
        let Some(given) = given.filter(|_| plan.access == Access::LoadBalancer) else { return Vec::new() };
        let name = given.others.iter().any(|it| it.parse::<IpAddr>().is_err());
        if name || plan.address.is_none() { given.others.clone() } else { Vec::new() }
    }

    fn assign_node_ports(&self, (given, taken): (&BTreeMap<GatewayId, Given>, &Taken), plans: &mut BTreeMap<GatewayId, Plan>) {
        let inside = self.shape == Shape::Up;
        let mut gone = taken.node_ports.clone();
        // An address may be the node's and from the pool.
        let reaches_node = |it: IpAddr| it == self.node_address || it == IpAddr::V4(Ipv4Addr::LOCALHOST);
        let on_node = plans.values().filter(|it| it.address.is_some_and(reaches_node) || self.node_address.is_unspecified());
        let on_node: BTreeSet<u16> = on_node.filter(|it| it.address.is_some()).flat_map(|it| &it.ports).map(|it| it.real).collect();
        gone.extend(&on_node);
        let mut claims = Vec::new();
        for plan in plans.values().filter(|it| !(inside && it.access == Access::ClusterIp)) {
            let given = given.get(&plan.id);
            for port in plan.ports.iter().filter(|it| plan.has_node_port(it)) {
                // Who may ask for a gateway may not take whatever port of the node.
                let free = |it: &u16| self.node_ports.contains(it) && !gone.contains(it);
                let asked = plan.entrance.node_ports.get(&port.port).copied().filter(free);
                let current = given.and_then(|it| it.node_port(port.name.as_str(), port.real)).filter(|it| !on_node.contains(it));
                let current = asked.or(current);
                claims.push(NodePortClaim { owner: claim_name(plan, port), current, preferred: self.preferred(plan, port.port) });
            }
        }
        let assigned = pools::assign_node_ports(&self.node_ports, &claims, &gone);
        for plan in plans.values_mut() {
            let names: Vec<String> = plan.ports.iter().map(|it| claim_name(plan, it)).collect();
            for (port, name) in plan.ports.iter_mut().zip(names) {
                port.node_port = assigned.get(&name).copied();
            }
        }
    }

    /// The usual numbers where the range has them; otherwise the range's first ones.
    fn preferred(&self, plan: &Plan, port: u16) -> u16 {
        let usual = [(80, 30_080), (443, 30_443), (TCP, TCP)];
        let Some(place) = usual.iter().position(|it| it.0 == port).filter(|_| plan.owner.is_none()) else {
            return *self.node_ports.start();
        };
        if usual.iter().all(|it| self.node_ports.contains(&it.1)) {
            return usual[place].1;
        }
        self.node_ports.start().saturating_add(u16::try_from(place).unwrap_or_default())
    }
}

type At<'a> = (&'a BTreeMap<GatewayId, Given>, &'a BTreeSet<IpAddr>);

fn claim_name(plan: &Plan, port: &PlannedPort) -> String {
    format!("{}:{:05}", plan.id, port.port)
}

// === impl Gateways ===

impl Gateways {
    pub fn get(&self, id: &GatewayId) -> Option<&Plan> {
        self.0.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.values()
    }

    /// The gateway whose listener this socket is.
    pub fn of_binding(&self, state: &BindingState) -> Option<(&Plan, &PlannedPort)> {
        let plan = self.get(&state.gateway)?;
        Some((plan, plan.listener(&state.listener)?))
    }

    /// The gateway that is seen as this Service.
    pub fn of_service(&self, object: &ObjectRef) -> Option<&Plan> {
        self.iter().find(|plan| plan.services.iter().any(|it| resources::Kind::Service.object_ref(it) == *object))
    }
}

impl FromIterator<Plan> for Gateways {
    fn from_iter<T: IntoIterator<Item = Plan>>(plans: T) -> Self {
        Self(plans.into_iter().map(|it| (it.id.clone(), it)).collect())
    }
}

#[cfg(test)]
mod tests;
