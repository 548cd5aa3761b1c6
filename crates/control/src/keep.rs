//! The objects that gateways are seen as, kept as they should be: made, mended when somebody changes them, taken back with their gateway.

use crate::first::Notes;
use crate::gateways::{Asks, Gateways, Given, Machine, Shape, Wishes};
use crate::prepare::namespace;
use crate::provision::{cluster_address, is_workload, pod_service, pod_slice, workload};
use crate::services::{GATEWAY_NAME_LABEL, classes, gateway_of, is_ours, service, slice, slice_name};
use crate::views::{READ_ONLY, views};
use model::GatewayId;
use resources::Name;
use serde_json::Value;
use status::{Kind, Target, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What should be there, and what is.
///
/// **Invariant:** an object that somebody else made is never changed: it is in the way, and that is said.
#[derive(Default)]
pub(crate) struct Keeper {
    /// What each object is to hold, its status included.
    wanted: BTreeMap<Target, Vec<Wish>>,
    /// Our objects of the kinds that are watched.
    found: BTreeMap<Target, Found>,
    /// Services, Deployments and classes that are not ours.
    foreign: BTreeSet<Target>,
    /// What has gone since it was last written.
    lost: BTreeSet<Target>,
    /// Whether the server has Gateway API's classes: until then none is written.
    has_gateway_classes: bool,
}

/// What must be written.
pub(crate) type Writes = Vec<(Target, Wish)>;

/// What is known beside the gateways themselves.
#[derive(Clone, Copy)]
pub(crate) struct With<'a> {
    pub machine: &'a Machine,
    /// This machine's name.
    pub host: &'a str,
    pub notes: &'a Notes,
}

/// One that is ours.
struct Found {
    /// Whose gateway it says it is.
    gateway: Option<GatewayId>,
    given: Given,
    object: Value,
}

/// The kinds that are watched: of these it is known what is there.
const WATCHED: [Kind; 7] = [
    Kind::Service,
    Kind::EndpointSlice,
    Kind::Pod,
    Kind::Deployment,
    Kind::HorizontalPodAutoscaler,
    Kind::IngressClass,
    Kind::GatewayClass,
];
/// Maps that are ours as far as we filled them: what is no longer to be in them goes.
const FILLED: [&str; 3] = ["/metadata/labels", "/metadata/annotations", "/spec/template/metadata/labels"];

/// Of which objects it is known which there are: before that, nothing made for one of them is taken for an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Gateway API's Gateways.
    pub gateways: bool,
    /// IngressGateways.
    pub requests: bool,
}

impl Keeper {
    /// An object of a watched kind as it is now. Returns whether it is one of a gateway's own.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>, may_adopt: bool) -> bool {
        if !WATCHED.contains(&target.kind) {
            return false;
        }
        let ours = |it: &Value| match target.kind {
            Kind::Service | Kind::EndpointSlice => is_ours(it),
            Kind::IngressClass | Kind::GatewayClass => gateway_of(it).is_some() && is_ours(it),
            Kind::Deployment | Kind::HorizontalPodAutoscaler if is_workload(it) => true,
            _ => it.pointer("/metadata/labels").and_then(|it| it.get(READ_ONLY)).is_some(),
        };
        let known = self.wanted.contains_key(target) || self.found.contains_key(target);
        self.foreign.remove(target);
        match object {
            Some(object) if ours(object) || may_adopt => {
                let gateway = gateway_of(object).map(|it| GatewayId::new(it.to_owned()));
                self.found.insert(target.clone(), Found { gateway, given: Given::read(object), object: object.clone() });
                true
            }
            Some(_) => {
                self.found.remove(target);
                // Slices and Pods are many, and hardly anybody chooses their names.
                if !matches!(target.kind, Kind::EndpointSlice | Kind::Pod) {
                    self.foreign.insert(target.clone());
                }
                known
            }
            None => {
                self.found.remove(target);
                if self.wanted.contains_key(target) {
                    self.lost.insert(target.clone());
                }
                known
            }
        }
    }

    /// What these Services say was given.
    pub fn given(&self, services: &[Name]) -> Given {
        let found = services.iter().filter_map(|it| self.found.get(&target(Kind::Service, it)));
        Given::of(found.map(|it| &it.given))
    }

    /// Whether others have given this Service an address.
    pub fn shows_others(&self, service: &Name) -> bool {
        self.found.get(&target(Kind::Service, service)).is_some_and(|it| !it.given.others.is_empty())
    }

    /// The address that the cluster gave this Service.
    pub fn cluster_address(&self, service: &Name) -> Option<IpAddr> {
        self.found.get(&target(Kind::Service, service)).and_then(|it| cluster_address(&it.object))
    }

    /// What the owner of the shared gateway's Service wishes.
    pub fn wishes(&self, service: &Name) -> Option<Wishes> {
        self.found.get(&target(Kind::Service, service)).map(|it| Wishes::read(&it.object))
    }

    /// These gateways and no others. What must be written for that: what is different from what was wanted before, or from what is there. A
    /// Service that is left alone is not written.
    pub fn want(&mut self, with: With<'_>, (asks, plans): (&Asks, &Gateways), left_alone: Option<&Name>) -> Writes {
        let mut wanted = wanted(with, asks, plans);
        for (target, wishes) in &mut wanted {
            if let (Some(before), Some(found)) = (self.wanted.get(target), self.found.get(target)) {
                wishes.iter_mut().zip(before).for_each(|(now, before)| empty(now, before, &found.object));
            }
        }
        let left_alone = left_alone.map(|it| target(Kind::Service, it));
        let before = std::mem::replace(&mut self.wanted, wanted);
        let gone = before.keys().filter(|it| !self.wanted.contains_key(*it) && !self.foreign.contains(*it));
        let mut writes: Writes = gone.map(|it| (it.clone(), Wish::Absent)).collect();
        let lost = std::mem::take(&mut self.lost);
        for target in self.wanted.keys().filter(|it| Some(*it) != left_alone.as_ref()) {
            if before.get(target) != self.wanted.get(target) || self.found.contains_key(target) || lost.contains(target) {
                writes.extend(self.mend(target));
            }
        }
        writes
    }

    /// An object that is there is compared; one that is not watched, or not there, is asked for.
    fn mend(&self, target: &Target) -> Writes {
        let possible = target.kind != Kind::GatewayClass || self.has_gateway_classes;
        let wanted = self.wanted.get(target).filter(|_| possible && !self.foreign.contains(target));
        let there = self.found.get(target).map(|it| &it.object);
        wanted.into_iter().flatten().filter(|it| !it.holds(there)).map(|it| (target.clone(), it.clone())).collect()
    }

    /// What ought to be there and is not is made again, with its namespace where that is one of these: it takes its time to go, and refuses
    /// what is written meanwhile.
    pub fn missing(&self, own: &BTreeSet<&str>) -> Writes {
        let missing = |it: &&Target| WATCHED.contains(&it.kind) && !self.found.contains_key(*it) && !self.foreign.contains(*it);
        let namespaces: BTreeSet<&str> = self.wanted.keys().filter(missing).map(|it| it.namespace.as_str()).collect();
        let mut writes = Writes::new();
        for name in namespaces {
            if own.contains(name) {
                writes.push((Target::new(Kind::Namespace, "", name), Wish::Object(namespace(name))));
            }
            writes.extend(self.wanted.keys().filter(|it| it.namespace == name).flat_map(|it| self.mend(it)));
        }
        writes
    }

    /// What was made for gateways that nobody asks for any more, since before this process started, goes.
    pub fn orphans(&self, known: Known) -> Writes {
        // What is made for a Gateway has its name; all else is of an IngressGateway, or of whoever named gateways otherwise.
        let known = |object: &Value| {
            let of_gateway = object.pointer("/metadata/labels").is_some_and(|it| it.get(GATEWAY_NAME_LABEL).is_some());
            if of_gateway { known.gateways } else { known.requests }
        };
        let orphan = |it: &(&Target, &Found)| it.1.gateway.is_some() && known(&it.1.object) && !self.wanted.contains_key(it.0);
        let mut writes = Writes::new();
        for (target, _) in self.found.iter().filter(orphan) {
            writes.push((target.clone(), Wish::Absent));
            if target.kind == Kind::Deployment {
                writes.push((Target { kind: Kind::ServiceAccount, ..target.clone() }, Wish::Absent));
            }
        }
        writes
    }

    /// Whether the server has Gateway API's classes.
    pub fn may_name(&mut self, gateway_classes: bool) {
        self.has_gateway_classes = gateway_classes;
    }

    /// Whether a Service's name is somebody else's.
    pub fn is_foreign(&self, service: &Name) -> bool {
        self.foreign.contains(&target(Kind::Service, service))
    }
}

/// What each object is to hold.
pub(crate) fn wanted(with: With<'_>, asks: &Asks, plans: &Gateways) -> BTreeMap<Target, Vec<Wish>> {
    let With { machine, host, notes } = with;
    let mut wanted: BTreeMap<Target, Vec<Wish>> = BTreeMap::new();
    for plan in plans.iter() {
        let Some(asked) = asks.get(&plan.id) else { continue };
        for name in &plan.services {
            let object = match machine.shape {
                Shape::Pods(_) => pod_service((machine, notes), asked, plan, name),
                Shape::Up | Shape::Cluster => service((machine, notes), asked, plan, name),
            };
            let object = Wish::Object(object);
            // What others gave is theirs to change.
            let addresses = plan.others.is_empty().then(|| Wish::Addresses(plan.status()));
            wanted.insert(target(Kind::Service, name), std::iter::once(object).chain(addresses).collect());
            let slice = match machine.shape {
                Shape::Up => None,
                Shape::Cluster => slice(asked, plan, name),
                Shape::Pods(_) => pod_slice(asked, plan, name),
            };
            if let Some(slice) = slice {
                let target = Target::new(Kind::EndpointSlice, name.namespace.as_str(), slice_name(name));
                wanted.insert(target, vec![Wish::Object(slice)]);
            }
        }
        if let Some((name, classes)) = classes(asked, plan) {
            for (kind, class) in classes {
                wanted.insert(Target::new(kind, "", name.as_str()), vec![Wish::Object(class)]);
            }
        }
        let workload = match machine.shape {
            Shape::Up => views(asked, plan, host),
            Shape::Pods(pods) => workload(pods, asked, plan),
            Shape::Cluster => Vec::new(),
        };
        for view in workload {
            wanted.entry(view.target.clone()).or_default().extend(view.wishes());
        }
    }
    wanted
}

/// Of what was wanted and no longer is, whatever is still there.
fn empty(now: &mut Wish, before: &Wish, found: &Value) {
    let (Wish::Object(now), Wish::Object(before)) = (now, before) else { return };
    for at in FILLED {
        let (Some(Value::Object(before)), Some(Value::Object(found))) = (before.pointer(at), found.pointer(at)) else { continue };
        let Some(Value::Object(now)) = now.pointer_mut(at) else { continue };
        for key in before.keys().filter(|it| found.contains_key(*it)) {
            now.entry(key.clone()).or_insert(Value::Null);
        }
    }
}

fn target(kind: Kind, name: &Name) -> Target {
    Target::new(kind, name.namespace.as_str(), name.name.as_str())
}

#[cfg(test)]
mod tests;
