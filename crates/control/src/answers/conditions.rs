//! Drafts with what the data plane says: `Programmed`, addresses, refusals.
//!
//! **Invariant:** `Programmed` is true only where every socket of the port is bound, and it can be reached at an address that is shown.

use super::draft::{Conflict, Draft, Parent};
use super::{MOST_SHOWN, entrance};
use crate::plan::Access;
use crate::{Gateways, Plan};
use model::{BindingState, Collector, GatewayId, ObjectRef, ShardKey, Text};
use pools::Shortage;
use resources::{Condition, GatewayStatus, ListenerStatus, ParentStatus, Status, Truth};
use status::{Address, Shape, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// What has been heard of the data plane, and of what surrounds it.
pub(super) struct Heard<'a> {
    pub gateways: &'a Gateways,
    pub bindings: &'a [BindingState],
    /// What it cannot serve of this object: where, field path, why.
    pub refusals: Vec<(ShardKey, Text, String)>,
    /// Whose entries in `status.parents` are ours.
    pub controllers: BTreeSet<Text>,
    /// This machine's name.
    pub host: &'a str,
    /// What is wrong with collectors of spans.
    pub collectors: &'a BTreeMap<Collector, String>,
}

const ACCEPTED: &str = "Accepted";
const CONFLICTED: &str = "Conflicted";
const PROGRAMMED: &str = "Programmed";

/// Why something is not served: a condition's reason, and a sentence.
pub(super) type Reason = (&'static str, String);

// === impl Heard ===

impl Heard<'_> {
    /// What the object's status is to say.
    pub fn finish(&self, draft: &Draft, object: &ObjectRef) -> Statement {
        let shape = match &draft.status {
            Status::Gateway(status) => self.gateway(draft, status.clone()),
            Status::Route(parents) => {
                let entries = parents.iter().zip(&draft.parents);
                let parents = entries.map(|(it, leads)| self.parent(draft, it.clone(), leads)).collect();
                Shape::Route { parents, controllers: self.controllers.clone() }
            }
            Status::Entrance(conditions) => entrance::shape(self, draft, conditions.clone(), object),
            Status::Class { conditions, features } => Shape::Class { conditions: conditions.clone(), features: features.clone() },
            Status::Conditions(conditions) => Shape::Conditions(self.conditions(draft, conditions.clone(), object)),
        };
        Statement { uid: draft.uid.clone(), generation: draft.generation, shape }
    }

    fn gateway(&self, draft: &Draft, mut status: GatewayStatus) -> Shape {
        let ports: Vec<u16> = status.listeners.iter().map(|it| it.port).collect();
        for conflict in draft.conflicts.iter().filter(|it| it.at.is_none()) {
            let port = listener_index(&conflict.field).and_then(|index| ports.get(index));
            for listener in status.listeners.iter_mut().filter(|it| Some(&it.port) == port) {
                port_unavailable(listener, conflict);
            }
        }
        if draft.conflicts.iter().any(|it| it.at.is_none()) {
            not_all_valid(&mut status);
        }
        for listener in &mut status.listeners {
            let port = listener.port;
            let ids: BTreeSet<&GatewayId> = draft.gateways.iter().collect();
            self.program(&mut listener.conditions, || self.port(ids.into_iter().map(|id| (id, port))));
        }
        let mut addresses = self.addresses(&draft.gateways);
        addresses.truncate(MOST_SHOWN);
        self.program(&mut status.conditions, || self.whole(draft, &status.listeners, &addresses));
        Shape::Gateway { status, addresses }
    }

    /// Says whether it is programmed, unless translation has said why not.
    pub(super) fn program(&self, conditions: &mut Vec<Condition>, found: impl FnOnce() -> Result<String, Reason>) {
        if find(conditions, PROGRAMMED).is_some() {
            return;
        }
        let refused = find(conditions, ACCEPTED).filter(|it| it.status == Truth::False);
        let found = match refused {
            Some(accepted) => Err(("Invalid", accepted.message.to_string())),
            None => found(),
        };
        let condition = match found {
            Ok(message) => Condition::new(PROGRAMMED, Truth::True, PROGRAMMED, message),
            Err((reason, message)) => Condition::new(PROGRAMMED, Truth::False, reason, message),
        };
        let place = conditions.iter().position(|it| it.kind == *ACCEPTED).map_or(0, |it| it + 1);
        conditions.insert(place, condition);
    }

    /// Whether these ports are listened on: every socket of each.
    pub(super) fn port<'g>(&self, ports: impl IntoIterator<Item = (&'g GatewayId, u16)>) -> Result<String, Reason> {
        let mut said = BTreeSet::new();
        for (id, port) in ports {
            let plan = self.gateways.get(id).ok_or_else(|| pending(format!("gateway {id} is not there yet")))?;
            let planned = plan.port(port).filter(|it| it.listens).ok_or_else(|| pending(format!("port {port} is not listened on yet")))?;
            let sockets = plan.sockets(planned);
            for socket in &sockets {
                match self.bindings.iter().find(|it| it.gateway == *id && it.address == *socket).map(|it| &it.bound) {
                    Some(Ok(_)) => {}
                    Some(Err(why)) => return Err(("PortUnavailable", format!("{socket} cannot be listened on: {why}"))),
                    None => return Err(pending(format!("{socket} is not listened on yet"))),
                }
            }
            if sockets.is_empty() {
                return Err(pending(format!("there is neither an address nor a node port for port {port}")));
            }
            said.insert(match plan.shown_port(planned) {
                Some(real) if real != port => format!("port {port} is reached as port {real}"),
                _ => format!("port {port} is served"),
            });
        }
        if said.is_empty() { Err(pending("no gateway serves it".to_owned())) } else { Ok(said.into_iter().collect::<Vec<_>>().join("; ")) }
    }

    /// A Gateway is programmed once it has an address and one of its listeners is.
    fn whole(&self, draft: &Draft, listeners: &[ListenerStatus], addresses: &[Address]) -> Result<String, Reason> {
        let plans = || draft.gateways.iter().filter_map(|it| self.gateways.get(it));
        if let Some((plan, why)) = plans().find_map(|it| Some((it, it.waiting()?))) {
            let reason = match why {
                Shortage::NoPool | Shortage::Exhausted => "AddressNotAssigned",
                Shortage::NotInPool(_) | Shortage::Taken(_) => "AddressNotUsable",
            };
            return Err((reason, format!("{why}; node ports answer on {}", plan.nodes_told())));
        }
        if addresses.is_empty() {
            return Err(match plans().next() {
                Some(_) => ("AddressNotAssigned", "no address has been given to it yet".to_owned()),
                None => pending("no gateway serves it yet".to_owned()),
            });
        }
        let programmed = |it: &&ListenerStatus| find(&it.conditions, PROGRAMMED).is_some_and(|it| it.status == Truth::True);
        let (good, bad): (Vec<_>, Vec<_>) = listeners.iter().partition(programmed);
        let message = |it: &ListenerStatus| {
            let why = find(&it.conditions, PROGRAMMED).map(|it| it.message.to_string()).unwrap_or_default();
            format!("listener {}: {why}", it.name)
        };
        if good.is_empty() {
            let (first, all) = (bad.first(), bad.iter().map(|it| message(it)).collect::<Vec<_>>().join("; "));
            let waits = first.and_then(|it| find(&it.conditions, PROGRAMMED)).is_some_and(|it| it.reason == *PENDING);
            return Err((if waits { PENDING } else { "Invalid" }, all));
        }
        let moved = good.iter().filter(|it| self.is_moved(draft, it.port)).map(|it| message(it));
        let said: BTreeSet<String> = moved.chain(bad.iter().map(|it| message(it))).collect();
        let served = format!("served on {}", addresses.join(", "));
        Ok(std::iter::once(served).chain(said).collect::<Vec<_>>().join("; "))
    }

    /// Whether a port is reached at another one than asked for.
    fn is_moved(&self, draft: &Draft, port: u16) -> bool {
        let plans = draft.gateways.iter().filter_map(|it| self.gateways.get(it));
        plans.into_iter().any(|plan| plan.port(port).and_then(|it| plan.shown_port(it)).is_some_and(|it| it != port))
    }

    /// Where the gateways are reached; not at node ports while an address is still to come.
    pub(super) fn addresses(&self, ids: &BTreeSet<GatewayId>) -> Vec<Address> {
        let mut addresses = Vec::new();
        for plan in ids.iter().filter_map(|it| self.gateways.get(it)) {
            for address in shown(plan) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        addresses
    }

    /// Istio's kinds.
    fn conditions(&self, draft: &Draft, mut conditions: Vec<Condition>, object: &ObjectRef) -> Vec<Condition> {
        conflicted(&mut conditions, &draft.conflicts.iter().collect::<Vec<_>>());
        if object.kind == *resources::Kind::IstioGateway.name() {
            self.program(&mut conditions, || match draft.ports.is_empty() {
                true if !draft.conflicts.is_empty() => Err(("PortUnavailable", told(draft.conflicts.iter()))),
                true => Err(pending("no gateway serves it".to_owned())),
                false => self.port(draft.ports.iter().map(|(id, port)| (id, *port))),
            });
        }
        let refused: Vec<String> = self.refusals.iter().map(|(_, field, why)| refusal(field, why)).collect();
        if !refused.is_empty() {
            let kind = if find(&conditions, PROGRAMMED).is_some() { PROGRAMMED } else { ACCEPTED };
            replace(&mut conditions, Condition::new(kind, Truth::False, "NotServed", refused.join("; ")));
        }
        conditions
    }

    fn parent(&self, draft: &Draft, mut entry: ParentStatus, leads: &Parent) -> ParentStatus {
        let here = |it: &&Conflict| it.at.as_ref().is_none_or(|key| leads.leads_to(key));
        conflicted(&mut entry.conditions, &draft.conflicts.iter().filter(here).collect::<Vec<_>>());
        let refused: Vec<String> =
            self.refusals.iter().filter(|(key, ..)| leads.leads_to(key)).map(|(_, field, why)| refusal(field, why)).collect();
        if !refused.is_empty() {
            replace(&mut entry.conditions, Condition::new(ACCEPTED, Truth::False, "UnsupportedValue", refused.join("; ")));
        }
        entry
    }
}

const PENDING: &str = "Pending";

pub(super) fn pending(message: String) -> Reason {
    (PENDING, message)
}

fn refusal(field: &str, why: &str) -> String {
    format!("{field}: the gateway cannot serve this: {why}")
}

fn told<'a>(conflicts: impl IntoIterator<Item = &'a Conflict>) -> String {
    conflicts.into_iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; ")
}

fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|it| it.kind == *kind)
}

/// Puts a condition where the one of its type was, or at the end.
pub(super) fn replace(conditions: &mut Vec<Condition>, condition: Condition) {
    match conditions.iter_mut().find(|it| it.kind == condition.kind) {
        Some(there) => *there = condition,
        None => conditions.push(condition),
    }
}

/// Somebody else has what is asked for here. Where nobody has, nothing is said.
fn conflicted(conditions: &mut Vec<Condition>, conflicts: &[&Conflict]) {
    let Some(first) = conflicts.first() else { return };
    let message = told(conflicts.iter().copied());
    let condition = match find(conditions, CONFLICTED).filter(|it| it.status == Truth::True) {
        // There are two sides to it: inside its own frontend, and among frontends.
        Some(inside) => Condition::new(CONFLICTED, Truth::True, inside.reason.clone(), format!("{}; {message}", inside.message)),
        None => Condition::new(CONFLICTED, Truth::True, if first.at.is_some() { "MatchConflict" } else { "ProtocolConflict" }, message),
    };
    replace(conditions, condition);
}

/// Another object has the port for something else.
fn port_unavailable(listener: &mut ListenerStatus, conflict: &Conflict) {
    let message = &conflict.message;
    for condition in [
        Condition::new(ACCEPTED, Truth::False, "PortUnavailable", message.clone()),
        Condition::new(CONFLICTED, Truth::True, "ProtocolConflict", message.clone()),
        Condition::new(PROGRAMMED, Truth::False, "Invalid", message.clone()),
    ] {
        replace(&mut listener.conditions, condition);
    }
}

/// Some listeners of a Gateway are not accepted: it is only while others are.
fn not_all_valid(status: &mut GatewayStatus) {
    let refused = |it: &&ListenerStatus| find(&it.conditions, ACCEPTED).is_some_and(|it| it.status == Truth::False);
    let refused: Vec<&ListenerStatus> = status.listeners.iter().filter(refused).collect();
    let accepted = find(&status.conditions, ACCEPTED).is_some_and(|it| it.status == Truth::True);
    if refused.is_empty() || !accepted {
        return;
    }
    let some = Truth::from(refused.len() < status.listeners.len());
    let why: BTreeSet<&str> = refused.iter().filter_map(|it| Some(&*find(&it.conditions, ACCEPTED)?.message)).collect();
    let message = why.into_iter().collect::<Vec<_>>().join("; ");
    replace(&mut status.conditions, Condition::new(ACCEPTED, some, "ListenersNotValid", message));
}

/// Of `spec.listeners[2].port`, 2.
fn listener_index(field: &str) -> Option<usize> {
    field.strip_prefix("spec.listeners[")?.split_once(']')?.0.parse().ok()
}

/// What a Gateway's status shows.
fn shown(plan: &Plan) -> Vec<Address> {
    match plan.access {
        Access::LoadBalancer if plan.address.is_none() && plan.others.is_empty() => Vec::new(),
        _ => plan.shown(),
    }
}

#[cfg(test)]
mod tests;
