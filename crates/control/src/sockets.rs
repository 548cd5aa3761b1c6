//! Asking the machine which sockets can be had, before anything is promised.

use crate::gateways::{Asks, Gateways, Given, Machine, PRIVILEGED, Taken};
use crate::plan::{Plan, PlannedPort};
use model::GatewayId;
use pools::Shortage;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Addresses tried before the pool counts as used up.
const TRIES: usize = 1024;

/// Why the gateway cannot listen. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    #[error("port {} on {} is taken by another program; stop it, or {remedy}", address.port(), address.ip())]
    Taken { address: SocketAddr, remedy: String },
    #[error(
        "port {port} is taken on every address of the pool; stop the program that has it, or use --port-offset 10000, another --pool, or --pool none"
    )]
    AllTaken { port: u16 },
    #[error(
        "ports below 1024 are refused to this user ({address}); use --port-offset 10000, or allow them: \
         `sudo setcap cap_net_bind_service=+ep $(command -v paifang)`, or `sudo sysctl net.ipv4.ip_unprivileged_port_start=80`"
    )]
    Refused { address: SocketAddr },
    #[error("every node port from {from} to {to} is taken; stop a program that has one, or use other --node-ports")]
    NoNodePort { from: u16, to: u16 },
    #[error("{address} cannot be listened on: {message}; {remedy}")]
    Other { address: SocketAddr, message: String, remedy: String },
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Probe {
    Free,
    Taken,
    /// Not an address of this machine.
    Foreign,
    Refused,
    Other(String),
}

/// What to do about sockets that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing starts without them.
    Must,
    /// The data plane will say so, and the others serve.
    Can,
}

/// Plans whose sockets could be bound a moment ago, passing over what others use and what is reserved. `before`: the plans that are in force.
///
/// **Invariant:** a socket of a plan that is in force is never asked about: it would be found in use, by ourselves.
pub(crate) fn find(
    machine: &Machine,
    asks: &Asks,
    given: &BTreeMap<GatewayId, Given>,
    before: &Gateways,
    (demand, reserved): (Demand, Taken),
) -> Result<Gateways, SocketError> {
    Search::new(machine, given, before, (demand, reserved), &probe).run(asks)
}

/// What was found out on the way.
struct Search<'a> {
    machine: &'a Machine,
    given: &'a BTreeMap<GatewayId, Given>,
    before: &'a Gateways,
    demand: Demand,
    probe: &'a dyn Fn(SocketAddr) -> Probe,
    /// Sockets that we have ourselves.
    ours: BTreeSet<SocketAddr>,
    known: BTreeMap<SocketAddr, Probe>,
    reserved: Taken,
    taken: Taken,
    /// Ports for which an address was passed over, by gateway: the socket's own port.
    in_the_way: BTreeMap<GatewayId, BTreeSet<u16>>,
    /// Ports that no address has free: they do without.
    given_up: BTreeSet<(GatewayId, u16)>,
}

/// What the next plan must pass over.
enum Obstacle {
    Address(GatewayId, SocketAddr),
    NodePort(u16),
}

// === impl Search ===

impl<'a> Search<'a> {
    fn new(
        machine: &'a Machine,
        given: &'a BTreeMap<GatewayId, Given>,
        before: &'a Gateways,
        (demand, reserved): (Demand, Taken),
        probe: &'a dyn Fn(SocketAddr) -> Probe,
    ) -> Self {
        let ours = before.iter().flat_map(|plan| plan.ports.iter().flat_map(|port| plan.sockets(port))).collect();
        Self {
            machine,
            given,
            before,
            demand,
            probe,
            ours,
            known: BTreeMap::new(),
            taken: reserved.clone(),
            reserved,
            in_the_way: BTreeMap::new(),
            given_up: BTreeSet::new(),
        }
    }

    fn run(&mut self, asks: &Asks) -> Result<Gateways, SocketError> {
        let mut tries = 0;
        loop {
            let plans = self.machine.plan(asks, self.given, &self.taken);
            tries += 1;
            if tries >= TRIES || plans.iter().any(|it| it.shortage == Some(Shortage::Exhausted)) {
                tries = 0;
                if self.give_up(&plans)? {
                    continue;
                }
            }
            self.deaf(&plans)?;
            match self.look(&plans)? {
                None => return Ok(plans),
                Some(Obstacle::Address(id, address)) => {
                    self.in_the_way.entry(id).or_default().insert(address.port());
                    self.taken.addresses.insert(address.ip());
                }
                Some(Obstacle::NodePort(port)) => {
                    self.taken.node_ports.insert(port);
                }
            }
        }
    }

    /// No address has all ports: those that were in the way are done without, and the search begins again.
    fn give_up(&mut self, plans: &Gateways) -> Result<bool, SocketError> {
        let short: BTreeSet<&GatewayId> = plans.iter().filter(|it| it.address.is_none()).map(|it| &it.id).collect();
        let blamed: Vec<(GatewayId, u16)> = std::mem::take(&mut self.in_the_way)
            .into_iter()
            .filter(|(id, _)| short.contains(id) || plans.iter().all(|it| it.shortage.is_none()))
            .flat_map(|(id, ports)| ports.into_iter().map(move |port| (id.clone(), port)))
            .filter(|it| !self.given_up.contains(it))
            .collect();
        if let (Demand::Must, Some((_, port))) = (self.demand, blamed.first()) {
            return Err(SocketError::AllTaken { port: *port });
        }
        if blamed.is_empty() {
            return Ok(false);
        }
        self.given_up.extend(blamed);
        self.taken.addresses.clone_from(&self.reserved.addresses);
        Ok(true)
    }

    /// A gateway that answers nowhere is no start.
    fn deaf(&self, plans: &Gateways) -> Result<(), SocketError> {
        let deaf = |plan: &Plan| plan.ports.iter().any(|port| port.listens && plan.sockets(port).is_empty());
        if self.demand == Demand::Must && plans.iter().any(deaf) {
            let range = &self.machine.node_ports;
            return Err(SocketError::NoNodePort { from: *range.start(), to: *range.end() });
        }
        Ok(())
    }

    fn look(&mut self, plans: &Gateways) -> Result<Option<Obstacle>, SocketError> {
        for plan in plans.iter() {
            for port in &plan.ports {
                if let Some(obstacle) = self.address(plan, port)? {
                    return Ok(Some(obstacle));
                }
                if let Some(obstacle) = self.node_port(plan, port)? {
                    return Ok(Some(obstacle));
                }
            }
        }
        Ok(None)
    }

    fn address(&mut self, plan: &Plan, port: &PlannedPort) -> Result<Option<Obstacle>, SocketError> {
        let fixed = self.before.get(&plan.id).is_some_and(|it| it.address == plan.address);
        let Some(ip) = plan.address.filter(|_| !fixed && port.listens) else { return Ok(None) };
        if self.given_up.contains(&(plan.id.clone(), port.real)) {
            return Ok(None);
        }
        let address = SocketAddr::new(ip, port.real);
        match self.probe(address) {
            Probe::Free => Ok(None),
            Probe::Taken | Probe::Foreign => Ok(Some(Obstacle::Address(plan.id.clone(), address))),
            refused => self.refused(address, refused),
        }
    }

    fn node_port(&mut self, plan: &Plan, port: &PlannedPort) -> Result<Option<Obstacle>, SocketError> {
        let known = self.before.get(&plan.id).and_then(|it| it.port(port.port)).is_some_and(|it| it.node_port == port.node_port);
        let Some(number) = port.node_port.filter(|_| !known) else { return Ok(None) };
        let kept = self.given.get(&plan.id).is_some_and(|it| it.node_ports().any(|it| it == number));
        for address in plan.node_sockets(port) {
            match self.probe(address) {
                Probe::Free => {}
                Probe::Taken if !kept => return Ok(Some(Obstacle::NodePort(number))),
                // Its owner has just asked for it: better to stay than to go where nobody answers.
                Probe::Taken if port.listens && (self.demand == Demand::Must || self.before.get(&plan.id).is_some()) => {
                    return Err(SocketError::Taken { address, remedy: "give the gateway's Service another nodePort".to_owned() });
                }
                Probe::Taken => {}
                refused => drop(self.refused(address, refused)?),
            }
        }
        Ok(None)
    }

    fn refused(&self, address: SocketAddr, found: Probe) -> Result<Option<Obstacle>, SocketError> {
        let message = match found {
            _ if self.demand == Demand::Can => return Ok(None),
            Probe::Refused if address.port() < PRIVILEGED => return Err(SocketError::Refused { address }),
            Probe::Foreign => "it is not an address of this machine".to_owned(),
            Probe::Refused => "permission denied".to_owned(),
            Probe::Other(message) => message,
            Probe::Free | Probe::Taken => "it is in use".to_owned(),
        };
        Err(SocketError::Other { address, message, remedy: "choose another --node-address or --pool".into() })
    }

    fn probe(&mut self, address: SocketAddr) -> Probe {
        if self.ours.contains(&address) {
            return Probe::Free;
        }
        self.known.entry(address).or_insert_with(|| (self.probe)(address)).clone()
    }
}

/// Binds without SO_REUSEPORT, which would hide whoever is there, and lets go again.
fn probe(address: SocketAddr) -> Probe {
    match TcpListener::bind(address) {
        Ok(_) => Probe::Free,
        Err(error) => match error.kind() {
            io::ErrorKind::AddrInUse => Probe::Taken,
            io::ErrorKind::AddrNotAvailable => Probe::Foreign,
            io::ErrorKind::PermissionDenied => Probe::Refused,
            _ => Probe::Other(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests;
