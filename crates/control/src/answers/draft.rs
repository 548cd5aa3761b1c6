//! An object's status as translation has it, before the data plane has been heard.

use crate::world::World;
use model::{GatewayId, ObjectRef, SectionName, ShardKey, Text};
use resources::{Cause, GatewayStatus, Kind, Status};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use translate::Part;

/// What a version of an object came to.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub uid: Text,
    pub generation: i64,
    pub status: Status,
    /// Gateways that serve something of it.
    pub gateways: BTreeSet<GatewayId>,
    /// The ports it has, where it is a Gateway of Istio's.
    pub ports: BTreeSet<(GatewayId, u16)>,
    /// Of a route, for each of its entries.
    pub parents: Vec<Parent>,
    /// Where somebody else was there first.
    pub conflicts: Vec<Conflict>,
    /// Of an IngressGateway: how many objects have routes on it.
    pub attached: usize,
}

/// Where a parent leads.
#[derive(Clone, Debug, Default)]
pub(super) struct Parent {
    pub gateways: BTreeSet<GatewayId>,
    /// `None`: every port.
    pub port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    /// `None`: about who has a port.
    pub at: Option<ShardKey>,
    /// Field path.
    pub field: String,
    pub message: String,
}

// === impl Draft ===

impl Draft {
    /// `None`: nothing is to be said, or the object is gone.
    pub fn of(world: &World, object: &ObjectRef) -> Option<Self> {
        let read = world.object(object)?;
        if !translate::has_status(read.kind()) {
            return None;
        }
        let own = own(world, object)?;
        let status = own.status.clone()?;
        let of_route = |it: &Status| match it {
            Status::Route(entries) => entries.iter().map(|it| parent(world, object, &it.parent)).collect(),
            _ => Vec::new(),
        };
        Some(Self {
            uid: read.meta().uid.clone(),
            generation: read.meta().generation,
            parents: of_route(&status),
            status,
            attached: world.gateways_of(object).iter().map(|it| world.attached(it)).sum(),
            gateways: world.gateways_of(object),
            ports: if read.kind() == Kind::IstioGateway { ports(world, object) } else { BTreeSet::new() },
            conflicts: conflicts(world, object),
        })
    }
}

/// What is said about an object as a whole.
fn own<'a>(world: &'a World, object: &'a ObjectRef) -> Option<&'a resources::Report> {
    world.reports().parts(object).find_map(|(part, report)| matches!(part, Part::Object(_)).then_some(report))
}

/// The ports that an object has: another object that was there first may have one of those it wants.
fn ports(world: &World, object: &ObjectRef) -> BTreeSet<(GatewayId, u16)> {
    let ports =
        world.listening().gateways.iter().flat_map(|(id, listens)| listens.ports.iter().map(move |(number, port)| (id, *number, port)));
    ports.filter(|(_, _, port)| port.owners.contains(object)).map(|(id, number, _)| (id.clone(), number)).collect()
}

fn parent(world: &World, route: &ObjectRef, reference: &Value) -> Parent {
    let text = |name: &str| reference.get(name).and_then(Value::as_str);
    let namespace = text("namespace").unwrap_or(&route.namespace);
    let gateway = ObjectRef::new(Kind::Gateway.name(), namespace, text("name").unwrap_or_default());
    let Some(report) = own(world, &gateway) else { return Parent::default() };
    let listener = |name: &str| match &report.status {
        Some(Status::Gateway(GatewayStatus { listeners, .. })) => {
            listeners.iter().find(|it| it.name == SectionName::new(name.to_owned())).map(|it| it.port)
        }
        _ => None,
    };
    let port = reference.get("port").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
    Parent { gateways: report.gateways.clone(), port: port.or_else(|| listener(text("sectionName")?)) }
}

/// What each of several frontends' objects wants of the same host or port, and another has.
fn conflicts(world: &World, object: &ObjectRef) -> Vec<Conflict> {
    let mut found = BTreeMap::new();
    for (part, report) in world.reports().parts(object) {
        let at = match part {
            Part::Shard(key) => Some(key.clone()),
            Part::Listening => None,
            // Inside one frontend its own rules hold, and its own words.
            Part::Object(_) | Part::Backend(_) => continue,
        };
        for problem in report.problems.iter().filter(|it| it.reason == Cause::Conflict) {
            let conflict = Conflict { at: at.clone(), field: problem.field.to_string(), message: problem.to_string() };
            found.insert((at.clone(), conflict.message.clone()), conflict);
        }
    }
    found.into_values().collect()
}

// === impl Parent ===

impl Parent {
    /// Whether what is said about a shard concerns this parent.
    pub fn leads_to(&self, key: &ShardKey) -> bool {
        self.gateways.contains(&key.gateway) && (self.port.is_none() || key.port.is_none() || self.port == key.port)
    }
}
