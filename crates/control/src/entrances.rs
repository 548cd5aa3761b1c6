//! The gateways while they run: who asks for them, what they were given, what the data plane has been told, what they are seen as.

use crate::answers::{Trouble, warning};
use crate::crew::Crew;
use crate::first::{First, Notes, due};
use crate::gateways::{Asks, Gateways, Given, Machine, Shape, Taken, Wishes, asks};
use crate::keep::{Keeper, Known, With};
use crate::plan::Plan;
use crate::prepare::Prepared;
use crate::provision;
use crate::sockets::{self, Demand, SocketError};
use model::{Certificate, Gateway, GatewayId, ObjectRef};
use pools::Shortage;
use resources::{Kind as ReadKind, Name, Resources, SharedGateway};
use serde_json::Value;
use status::{Kind, Mailbox, Said, Target, Wish};
use std::collections::BTreeMap;
use std::sync::Arc;
use translate::Listening;

/// **Invariant:** what was given stays given while its gateway is asked for; what nobody asks for is given back at once.
pub(crate) struct Entrances {
    machine: Machine,
    shared: SharedGateway,
    default_certificate: Option<Arc<Certificate>>,
    /// This machine's name.
    host: String,
    /// Annotations of the shared gateway's own Service.
    notes: Notes,
    first: Option<First>,
    keeper: Keeper,
    crew: Crew,
    wishes: Wishes,
    asks: Asks,
    plans: Arc<Gateways>,
    /// As the data plane has been told.
    published: BTreeMap<GatewayId, Arc<Gateway>>,
    /// Why the owner of the shared gateway's Service cannot have what that asks for.
    refused: Option<SocketError>,
    touched: bool,
}

// === impl Entrances ===

impl Entrances {
    pub fn new(
        machine: Machine,
        shared: SharedGateway,
        Prepared { gateways, notes, first }: Prepared,
        default_certificate: Option<Arc<Certificate>>,
        host: String,
    ) -> Self {
        let wishes = gateways.get(&shared.id).map(|it| Wishes { access: it.access, wanted: it.wanted }).unwrap_or_default();
        Self {
            asks: asks(&shared, &Listening::default(), wishes),
            machine,
            shared,
            default_certificate,
            host,
            notes,
            first,
            keeper: Keeper::default(),
            crew: Crew::default(),
            wishes,
            plans: Arc::new(gateways),
            published: BTreeMap::new(),
            refused: None,
            touched: true,
        }
    }

    pub fn gateways(&self) -> Arc<Gateways> {
        self.plans.clone()
    }

    /// An object as it is now.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>) {
        // The shared gateway's own Service may have been made by its owner, with wishes in it; and with nobody else there, so the others.
        let adopted = if self.machine.shape == Shape::Up { self.shared.services.len() } else { 1 };
        let is = |it: &Name| target.kind == Kind::Service && *it.namespace == target.namespace && *it.name == target.name;
        let may_adopt = self.shared.services.iter().take(adopted).any(is);
        self.touched |= self.keeper.observe(target, object, may_adopt);
        if let Shape::Pods(_) = self.machine.shape {
            self.touched |= self.crew.observe(target, object);
        }
    }

    /// Other gateways or ports are asked for.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    pub fn is_touched(&self) -> bool {
        self.touched
    }

    /// Decides anew where each gateway listens, passing over what others have, if there is reason to. Returns whether that, or what is to be said of it, is different.
    pub fn settle(&mut self, listening: &Listening, reserved: Taken, mailbox: &Mailbox) -> bool {
        if !std::mem::take(&mut self.touched) {
            return false;
        }
        let before = (self.plans.clone(), self.trouble());
        let own = self.shared.services.first();
        self.wishes = own.and_then(|it| self.keeper.wishes(it)).unwrap_or(self.wishes);
        self.asks = asks(&self.shared, listening, self.wishes);
        let found = match self.find(&self.given(Heard::Owner), &reserved) {
            Ok(found) => {
                self.refused = None;
                found
            }
            // What its owner asked for and cannot have is left as it is, and said.
            Err(error) => {
                self.refused = Some(error);
                self.find(&self.given(Heard::Nobody), &reserved).unwrap_or_else(|_| (*self.plans).clone())
            }
        };
        self.plans = Arc::new(found);
        self.keep(mailbox);
        self.published.is_empty() || before != (self.plans.clone(), self.trouble())
    }

    /// `reserved`: what Services have that are forwarded.
    fn find(&self, given: &BTreeMap<GatewayId, Given>, reserved: &Taken) -> Result<Gateways, SocketError> {
        if let Shape::Pods(_) = self.machine.shape {
            // What the cluster gives it may take back: what counts is what the Services say.
            let given = self.asks.iter().map(|(id, it)| (id.clone(), self.keeper.given(&it.services))).collect();
            return Ok(provision::plan(&self.machine, &self.asks, &given, (&self.keeper, &self.crew)));
        }
        sockets::find(&self.machine, &self.asks, given, &self.plans, (Demand::Can, reserved.clone()))
    }

    fn given(&self, heard: Heard) -> BTreeMap<GatewayId, Given> {
        self.asks.iter().map(|(id, asked)| (id.clone(), self.given_to(id, &asked.services, heard))).collect()
    }

    /// What a gateway has; one that is new, what its Services say from an earlier time.
    fn given_to(&self, id: &GatewayId, services: &[Name], heard: Heard) -> Given {
        let said = self.keeper.given(services);
        let Some(plan) = self.plans.get(id) else { return said };
        let mut given = Given { others: said.others, ..Given::from(plan) };
        if *id == self.shared.id && heard == Heard::Owner {
            let wished = self.keeper.given(&services[..services.len().min(1)]).node_ports;
            given.node_ports.splice(..0, wished);
        }
        given
    }

    /// Writes what they are to be seen as.
    fn keep(&mut self, mailbox: &Mailbox) {
        let with = With { machine: &self.machine, host: &self.host, notes: &self.notes };
        let left_alone = self.shared.services.first().filter(|_| self.refused.is_some());
        let writes = self.keeper.want(with, (&self.asks, &self.plans), left_alone);
        writes.into_iter().for_each(|(target, wish)| mailbox.put(target, wish));
    }

    /// What the data plane has not been told yet.
    pub fn publish(&mut self) -> Vec<(GatewayId, Option<Arc<Gateway>>)> {
        let certificate = |plan: &Plan| self.default_certificate.clone().filter(|_| plan.owner.is_none() || plan.is_requested());
        let now: BTreeMap<GatewayId, Arc<Gateway>> =
            self.plans.iter().map(|plan| (plan.id.clone(), Arc::new(plan.gateway(certificate(plan))))).collect();
        let gone = self.published.keys().filter(|id| !now.contains_key(*id)).map(|id| (id.clone(), None));
        let new = now.iter().filter(|(id, it)| self.published.get(*id) != Some(*it)).map(|(id, it)| (id.clone(), Some(it.clone())));
        let updates = gone.chain(new).collect();
        self.published = now;
        updates
    }

    /// Looks at what no event tells of: what is missing is made again, what was short may be there now.
    pub fn tend(&mut self, known: Known, mailbox: &Mailbox) {
        let orphans = self.keeper.orphans(known);
        let own = self.shared.services.iter().map(|it| it.namespace.as_str()).collect();
        self.keeper.missing(&own).into_iter().chain(orphans).for_each(|(target, wish)| mailbox.put(target, wish));
        // Others may let go of what they have; a pool does not grow.
        let may_end = |it: &Plan| matches!(it.shortage, Some(Shortage::Exhausted | Shortage::Taken(_)));
        let short = |it: &Plan| may_end(it) || it.ports.iter().any(|port| port.listens && it.sockets(port).is_empty());
        self.touched |= self.refused.is_some() || self.plans.iter().any(short);
    }

    /// Whether the server has Gateway API's classes.
    pub fn may_name(&mut self, gateway_classes: bool) {
        self.keeper.may_name(gateway_classes);
    }

    /// Makes the classes whose kinds have come since the start, but for those that are there.
    pub fn make_classes(&mut self, has: impl Fn(Kind) -> bool, resources: &Resources, mailbox: &Mailbox) {
        let Some(first) = &self.first else { return };
        let before = self.notes.clone();
        for (kind, class) in due(first, &mut self.notes, has) {
            let name = class.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let there = kind.read().and_then(|it| resources.get(it, &Name::new("", name.as_str()))).is_some();
            if !there {
                mailbox.put(Target::new(kind, "", name), Wish::Object(class));
            }
        }
        self.touched |= before != self.notes;
    }

    /// What must be said about Services and about those who asked for gateways.
    pub fn trouble(&self) -> Trouble {
        let mut trouble = Trouble::new();
        for plan in self.plans.iter() {
            for service in &plan.services {
                let about = ReadKind::Service.object_ref(service);
                match (&plan.owner, self.keeper.is_foreign(service)) {
                    (Some(owner), true) => add(&mut trouble, owner, in_the_way(service)),
                    (None, true) => {}
                    _ => {
                        let mut said = said(plan, self.keeper.shows_others(service));
                        // A cluster takes its time to give one, and says itself when it has none.
                        said.retain(|it| !matches!(self.machine.shape, Shape::Pods(_)) || it.reason != *"NodePortPending");
                        if let Some(owner) = plan.owner.as_ref().filter(|_| plan.is_requested()) {
                            said.iter().cloned().for_each(|it| add(&mut trouble, owner, Said { field: "spec.access".into(), ..it }));
                        }
                        said.into_iter().for_each(|it| add(&mut trouble, &about, it));
                    }
                }
            }
        }
        if let (Some(error), Some(service)) = (&self.refused, self.shared.services.first()) {
            add(&mut trouble, &ReadKind::Service.object_ref(service), warning("spec.ports", "NotListening", error.to_string()));
        }
        trouble
    }
}

/// Whose word counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// The owner of the shared gateway's Service may ask for node ports.
    Owner,
    Nobody,
}

fn add(trouble: &mut Trouble, about: &ObjectRef, said: Said) {
    trouble.entry(about.clone()).or_default().insert(said);
}

fn in_the_way(service: &Name) -> Said {
    let mut said =
        warning("", "ServiceInTheWay", format!("Service {service} is somebody else's, so it does not show where this gateway listens"));
    said.hint = Some("Delete or rename that Service, or give the Gateway another name".into());
    said
}

/// What a gateway lacks, for the Service that it is seen as.
fn said(plan: &Plan, shows_others: bool) -> Vec<Said> {
    let mut all = Vec::new();
    let lacks = |port: &crate::plan::PlannedPort| port.listens && port.node_port.is_none() && plan.has_node_port(port);
    if plan.access != crate::plan::Access::ClusterIp && plan.ports.iter().any(lacks) {
        let rest = if plan.address.is_some() { "the LoadBalancer address alone answers" } else { "nothing answers there" };
        all.push(warning("spec.ports", "NodePortPending", format!("every node port is taken; {rest}")));
    }
    if let Some(why) = plan.shortage.filter(|_| !shows_others) {
        let rest = match plan.ports.iter().any(|it| it.node_port.is_some()) {
            true => format!("the node ports answer on {}", plan.nodes_told()),
            false => "nothing answers until there is one".to_owned(),
        };
        let message = format!("no address can be given: {why}; {rest}");
        let mut said = warning("status.loadBalancer", "AddressPending", message);
        let hint = match why {
            Shortage::NoPool | Shortage::Exhausted => "Start with another --pool to get one",
            Shortage::NotInPool(_) | Shortage::Taken(_) => "Ask for another address, or start with another --pool",
        };
        said.hint = Some(hint.into());
        all.push(said);
    }
    all
}

#[cfg(test)]
mod tests;
