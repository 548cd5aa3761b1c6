//! Shard by shard.

use crate::listening::{self, Listening};
use crate::merge::{Filled, merge, sources};
use crate::options::{Frontend, Services};
use crate::reports::Part;
use crate::{Options, Reports, claims, passed, report};
use model::{GatewayId, Host, HostPattern, ObjectRef, Shard, ShardKey};
use resources::{Ingress, Kind, Report, Resources, SharedGateway};
use std::collections::{BTreeMap, BTreeSet};

/// Everything, translated.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    pub shards: BTreeMap<ShardKey, Shard>,
    pub listening: Listening,
    pub reports: Reports,
}

/// From scratch.
pub fn translate(resources: &Resources, options: &Options) -> Translation {
    let (mut translation, options) = (Translation::default(), &options.with_gateways(resources));
    for key in keys(resources, options) {
        let (shard, reports) = translate_shard(resources, options, &key);
        translation.reports.update(Part::Shard(key.clone()), reports);
        translation.shards.extend(shard.map(|shard| (key, shard)));
    }
    let (listening, reports) = listening::listening(resources, options);
    translation.listening = listening;
    translation.reports.update(Part::Listening, reports);
    for object in objects(resources) {
        let said = report::report(resources, options, &object);
        translation.reports.update(Part::Object(object), said.into_iter().collect());
    }
    translation
}

/// The objects whose status is more than addresses.
fn objects(resources: &Resources) -> BTreeSet<ObjectRef> {
    let kinds = Kind::ALL.iter().filter(|kind| report::has_status(**kind));
    kinds.flat_map(|kind| resources.names(*kind).map(|name| kind.object_ref(name))).collect()
}

/// One host of one gateway among the options' gateways. `None`: nothing is served there, or nothing that the shard without a port does not serve as well.
pub fn translate_shard(resources: &Resources, options: &Options, key: &ShardKey) -> (Option<Shard>, Vec<Report>) {
    let (host, reports) = match key.port {
        Some(port) if translate_service::service_of(&key.gateway).is_some() => of_service(resources, options, (&key.gateway, port)),
        None => ingress(resources, options, &key.gateway, &key.host),
        Some(port) => of_port(resources, options, (&key.gateway, port, &key.host)),
    };
    (host.map(Shard::new), reports)
}

fn of_service(resources: &Resources, options: &Options, at: (&GatewayId, u16)) -> Translated {
    match options.services {
        Services::Forwarded => translate_service::translate_host(resources, &options.gateways, at),
        Services::LeftAlone => (None, Vec::new()),
    }
}

type Translated = (Option<Host>, Vec<Report>);

fn ingress(resources: &Resources, options: &Options, gateway: &GatewayId, host: &HostPattern) -> Translated {
    match options.shared(gateway) {
        Some(shared) => {
            let of = (options.gateways.as_slice(), shared);
            let members = translate_ingress::members(resources, &options.ingress, of, host);
            let members: Vec<ObjectRef> = members.map(|it| Kind::Ingress.object_ref(&it.meta.name)).collect();
            let owner = claims::owner(resources, options, (shared, None, host), &members);
            let taken = |ingress: &Ingress| {
                let object = Kind::Ingress.object_ref(&ingress.meta.name);
                let owner = owner.as_ref().filter(|it| it.keeps_out(resources, &object))?;
                Some(owner.problem_of_ingress(host, ingress))
            };
            translate_ingress::translate_host(resources, &options.ingress, of, host, &taken)
        }
        None => (None, Vec::new()),
    }
}

/// What all frontends say about a host on a port, one after another.
fn of_port(resources: &Resources, options: &Options, at: (&GatewayId, u16, &HostPattern)) -> Translated {
    let (mut filled, mut reports) = (Vec::new(), Vec::new());
    for frontend in options.order {
        let (host, said) = of_frontend(resources, options, frontend, at);
        // What is said to an Ingress is said once, by the shard without a port.
        if frontend != Frontend::Ingress {
            reports.extend(said);
        }
        filled.extend(host.map(|host| Filled { frontend, host }));
    }
    let mut filled = match passed::host(resources, options, (at.0, at.1), filled) {
        Ok((host, said)) if *at.2 == HostPattern::Any => {
            reports.extend(said);
            return (host, reports);
        }
        // What it was asked for as HTTP, or as a tunnel of some names, is served nowhere: the port is another's.
        Ok(_) => return (None, reports),
        Err(filled) => filled,
    };
    if let Some(owner) = options.shared(at.0).and_then(|shared| owner_of(resources, options, (shared, at.1, at.2), &filled)) {
        for it in filled.iter_mut().filter(|it| it.frontend != Frontend::Ingress) {
            reports.extend(claims::keep_out(resources, &owner, &mut it.host));
        }
        filled.retain(|it| it.frontend == Frontend::Ingress || !it.host.routes.is_empty() || it.host.tunnel.is_some());
    }
    if filled.iter().all(|it| it.frontend == Frontend::Ingress) {
        return (None, reports);
    }
    // The deep wildcard serves this by itself.
    if matches!(at.2, HostPattern::OneLabel(_)) && filled.iter().all(|it| it.frontend != Frontend::Ingress) {
        return (None, Vec::new());
    }
    let protocol = || listening::protocol(resources, options, at.0, at.1);
    let (host, said) = merge(resources, at.2, filled, protocol);
    reports.extend(said);
    (Some(host), reports)
}

fn owner_of(
    resources: &Resources,
    options: &Options,
    (shared, port, host): (&SharedGateway, u16, &HostPattern),
    filled: &[Filled],
) -> Option<claims::Owner> {
    let objects: BTreeSet<ObjectRef> = filled.iter().flat_map(|it| sources(&it.host)).map(|it| it.object.clone()).collect();
    claims::owner(resources, options, (shared, Some(port), host), &objects)
}

/// Whether there may be anything but Ingresses.
pub(crate) fn frontends(resources: &Resources) -> bool {
    resources.istio_gateways().next().is_some() || resources.gateways().next().is_some()
}

pub(crate) fn of_frontend(resources: &Resources, options: &Options, frontend: Frontend, at: (&GatewayId, u16, &HostPattern)) -> Translated {
    let (gateway, port, host) = at;
    let deep = deep(host);
    let at = (gateway, port, deep.as_ref().unwrap_or(host));
    match frontend {
        Frontend::Ingress => match options.shared(gateway) {
            Some(shared) if port == shared.http || port == shared.https => ingress(resources, options, gateway, host),
            _ => (None, Vec::new()),
        },
        Frontend::Istio => translate_istio::translate_host(resources, &options.istio, &options.gateways, at),
        Frontend::GatewayApi => translate_gateway_api::translate_host(resources, &options.gateway_api, &options.gateways, at),
    }
}

/// What the others call the names that an Ingress's wildcard covers.
fn deep(host: &HostPattern) -> Option<HostPattern> {
    match host {
        HostPattern::OneLabel(suffix) => Some(HostPattern::AnyDepth(suffix.clone())),
        _ => None,
    }
}

/// Every shard there can be something in, on the options' gateways.
pub fn keys(resources: &Resources, options: &Options) -> BTreeSet<ShardKey> {
    let mut keys = BTreeSet::new();
    for ingress in resources.ingresses() {
        for gateway in options.gateways.iter().filter(|it| it.scope.covers(&ingress.meta.name.namespace)) {
            keys.extend(ingress.hosts().into_iter().map(|host| ShardKey { gateway: gateway.id.clone(), port: None, host }));
        }
    }
    let istio = translate_istio::hosts(resources, &options.istio, &options.gateways);
    let gateway_api = translate_gateway_api::hosts(resources, &options.gateway_api, &options.gateways);
    for (gateway, port, host) in istio.into_iter().chain(gateway_api) {
        keys.extend(with_wildcard(gateway, port, host));
    }
    keys.extend(passed::keys(&options.gateways));
    if options.services == Services::Forwarded {
        let services = translate_service::hosts(resources, &options.gateways);
        keys.extend(services.map(|(gateway, port, host)| ShardKey { gateway, port: Some(port), host }));
    }
    keys
}

/// The shard of a host on a port, and where it is a deep wildcard, the one of the Ingress wildcard that is asked before it.
pub(crate) fn with_wildcard(gateway: GatewayId, port: u16, host: HostPattern) -> impl Iterator<Item = ShardKey> {
    let one_label = match &host {
        HostPattern::AnyDepth(suffix) => Some(HostPattern::OneLabel(suffix.clone())),
        _ => None,
    };
    one_label.into_iter().chain([host]).map(move |host| ShardKey { gateway: gateway.clone(), port: Some(port), host })
}

#[cfg(test)]
mod tests;
