//! Whose a host of a shared gateway is: of two projects that want one, the one it is generated for has it, else the older keeps it.
//!
//! A generated host says whose it is: were it anybody's who wrote it first, a name could be taken before its project is there.
//!
//! A project is a namespace with a workspace. Namespaces without one share a host by path, with each other and with whoever has it.

use crate::Options;
use crate::merge::sources;
use crate::shard::{frontends, of_frontend};
use model::{GatewayId, HostPattern, ObjectRef, Text};
use resources::{Cause, Ingress, Kind, Name, Object, Problem, Report, Resources, Scope, SharedGateway};
use std::collections::BTreeMap;

/// A host, and the project that has it.
pub(crate) struct Owner {
    namespace: Text,
    /// Its best object with the host.
    object: ObjectRef,
    claim: Claim,
}

/// How an object comes to a host; the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Generated,
    Written,
}

/// Who has a host on a shared gateway, as far as several projects want it. `others`: objects that are known to want it already.
///
/// What is on the gateway's own two ports counts as one; each other port is by itself.
pub(crate) fn owner<'a>(
    resources: &Resources,
    options: &Options,
    (shared, port, host): (&SharedGateway, Option<u16>, &HostPattern),
    others: impl IntoIterator<Item = &'a ObjectRef>,
) -> Option<Owner> {
    if matches!(shared.scope, Scope::Namespace(_)) {
        return None;
    }
    let mut claims = Claims { resources, gateway: &shared.id, host, first: BTreeMap::new() };
    others.into_iter().for_each(|it| claims.add(it));
    // Where no project is known to want it, nobody is kept out.
    if claims.first.is_empty() {
        return None;
    }
    let own = port.is_none_or(|it| it == shared.http || it == shared.https);
    if own {
        let ingresses = translate_ingress::members(resources, &options.ingress, (&options.gateways, shared), host);
        ingresses.for_each(|it| claims.add(&Kind::Ingress.object_ref(&it.meta.name)));
    }
    if own && frontends(resources) {
        for (frontend, port) in options.order.into_iter().flat_map(|it| [(it, shared.http), (it, shared.https)]) {
            if frontend != crate::Frontend::Ingress {
                let (found, _) = of_frontend(resources, options, frontend, (&shared.id, port, host));
                found.iter().flat_map(sources).for_each(|it| claims.add(&it.object));
            }
        }
    }
    claims.settle()
}

/// The best object of each project.
struct Claims<'a> {
    resources: &'a Resources,
    gateway: &'a GatewayId,
    host: &'a HostPattern,
    first: BTreeMap<Text, Age>,
}

/// How it comes to the host, when it was made, and what decides where that is the same.
type Age = (Claim, i64, Text, ObjectRef);

// === impl Claims ===

impl Claims<'_> {
    fn add(&mut self, object: &ObjectRef) {
        if self.resources.workspace_of(&object.namespace).is_none() {
            return;
        }
        let Some(meta) = self.resources.meta(object) else { return };
        let age = (self.claim(object), meta.created, meta.uid, object.clone());
        match self.first.get_mut(&object.namespace) {
            Some(known) if *known <= age => {}
            Some(known) => *known = age,
            None => drop(self.first.insert(object.namespace.clone(), age)),
        }
    }

    fn claim(&self, object: &ObjectRef) -> Claim {
        let name = Name::new(object.namespace.clone(), object.name.clone());
        let generated = match Kind::named(&object.kind).and_then(|kind| self.resources.get(kind, &name)) {
            Some(Object::Ingress(it)) => it.generates(self.host, self.gateway),
            Some(Object::HttpRoute(it)) => it.generates(self.host, self.gateway),
            _ => false,
        };
        if generated { Claim::Generated } else { Claim::Written }
    }

    /// `None`: one project alone wants it, or none.
    fn settle(self) -> Option<Owner> {
        if self.first.len() < 2 {
            return None;
        }
        let (namespace, (claim, _, _, object)) = self.first.into_iter().min_by(|(_, a), (_, b)| a.cmp(b))?;
        Some(Owner { namespace, object, claim })
    }
}

// === impl Owner ===

impl Owner {
    /// Whether an object is of another project, and so kept out.
    pub(crate) fn keeps_out(&self, resources: &Resources, object: &ObjectRef) -> bool {
        object.namespace != self.namespace && resources.workspace_of(&object.namespace).is_some()
    }

    /// What the younger is told.
    pub(crate) fn problem(&self, host: &HostPattern, field: &str, cause: Cause) -> Problem {
        let why = match self.claim {
            Claim::Generated => format!("it is generated for its {}", self.object),
            Claim::Written => format!("its {} was there first", self.object),
        };
        let message = format!("host `{host}` is that of project `{}`: {why}", self.namespace);
        Problem::error(field, cause, message).hint("Take another host, or ask that project to give it up")
    }

    /// The same, for an Ingress.
    pub(crate) fn problem_of_ingress(&self, host: &HostPattern, ingress: &Ingress) -> Problem {
        let rule = ingress.rules.iter().find(|it| resources::host_pattern(&it.host).as_ref() == Ok(host));
        let field = rule.map_or_else(|| "spec".to_owned(), |it| format!("spec.rules[{}].host", it.index));
        self.problem(host, &field, Cause::HostTaken)
    }
}

/// Takes out what other projects than the owner have for a host, and says so.
pub(crate) fn keep_out(resources: &Resources, owner: &Owner, host: &mut model::Host) -> Vec<Report> {
    let mut reports: BTreeMap<ObjectRef, Report> = BTreeMap::new();
    let name = host.name.clone();
    let mut is_out = |source: &model::Source| {
        let out = owner.keeps_out(resources, &source.object);
        if out {
            let report = reports.entry(source.object.clone()).or_insert_with(|| Report::new(source.object.clone()));
            report.problems.insert(owner.problem(&name, &source.rule, Cause::Conflict));
        }
        out
    };
    host.routes.retain(|it| !is_out(&it.source));
    if host.tunnel.as_ref().is_some_and(|it| is_out(&it.source)) {
        host.tunnel = None;
    }
    reports.into_values().collect()
}
