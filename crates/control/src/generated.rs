//! Shows objects the hosts that were generated for them, once these are served.

use crate::world::World;
use model::{ObjectRef, Version};
use resources::{GENERATED_HOST_ANNOTATION, Kind as ReadKind, Object};
use serde_json::Value;
use status::{Kind, Mailbox, Target, Wish};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// **Invariant:** what is shown is served; what others wrote there is put right, and never read.
#[derive(Default)]
pub(crate) struct Shown {
    /// As watched, where there is something.
    observed: HashMap<Target, String>,
    /// Objects that may have other hosts from a version on.
    waiting: BTreeMap<Version, BTreeSet<ObjectRef>>,
    /// Those that got some from us.
    ours: BTreeSet<Target>,
}

// === impl Shown ===

impl Shown {
    /// An object as it is now.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>) {
        if !matches!(target.kind, Kind::Ingress | Kind::HttpRoute) {
            return;
        }
        let said = object.and_then(|it| it.pointer("/metadata/annotations")?.get(GENERATED_HOST_ANNOTATION)?.as_str());
        match said {
            Some(said) => drop(self.observed.insert(target.clone(), said.to_owned())),
            None => drop(self.observed.remove(target)),
        }
        if object.is_none() {
            self.ours.remove(target);
        }
    }

    pub fn expect(&mut self, version: Version, about: &BTreeSet<ObjectRef>) {
        let kinds = [ReadKind::Ingress.name(), ReadKind::HttpRoute.name()];
        let may_have: Vec<ObjectRef> = about.iter().filter(|it| kinds.contains(&it.kind.as_str())).cloned().collect();
        if !may_have.is_empty() {
            self.waiting.entry(version).or_default().extend(may_have);
        }
    }

    /// The data plane serves a version.
    pub fn acknowledged(&mut self, version: Version, world: &World, mailbox: &Mailbox) {
        let later = self.waiting.split_off(&Version { sequence: version.sequence.saturating_add(1), ..version });
        let about: BTreeSet<ObjectRef> = std::mem::replace(&mut self.waiting, later).into_values().flatten().collect();
        for object in about {
            self.show(&object, world, mailbox);
        }
    }

    fn show(&mut self, object: &ObjectRef, world: &World, mailbox: &Mailbox) {
        let (Some(kind), Some(read)) = (Kind::named(&object.kind), world.object(object)) else { return };
        let gateways = world.gateways_of(object);
        let hosts = match &read {
            Object::Ingress(it) => it.generated_hosts(&gateways),
            Object::HttpRoute(it) => it.generated_hosts(&gateways),
            _ => return,
        };
        let target = Target::new(kind, object.namespace.as_str(), object.name.as_str());
        let wanted = (!hosts.is_empty()).then(|| hosts.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", "));
        let observed = self.observed.get(&target);
        if observed == wanted.as_ref() {
            return;
        }
        // Objects of others are never written to.
        let is_ours = wanted.is_some() || !gateways.is_empty() || self.ours.contains(&target);
        if is_ours {
            if wanted.is_some() {
                self.ours.insert(target.clone())
            } else {
                self.ours.remove(&target)
            };
            mailbox.put(target, Wish::Annotation(GENERATED_HOST_ANNOTATION, wanted));
        }
    }
}
