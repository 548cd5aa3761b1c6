//! One host that several frontends fill.

use crate::options::Frontend;
use model::{
    Action, ClientAuth, Host, HostPattern, HostTls, ListenerProtocol, Match, ObjectRef, OnMiss, Reason, Replies, Route, Source, TlsPolicy,
};
use resources::{Cause, Problem, Report, Resources};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What one frontend has for a host.
pub(crate) struct Filled {
    pub frontend: Frontend,
    pub host: Host,
}

/// Their routes one after another. Where two have the same match, or one of them is no HTTP, the older object keeps it and the younger is told.
///
/// `protocol` is asked only where HTTP and something else meet: what the port is.
pub(crate) fn merge(
    resources: &Resources,
    name: &HostPattern,
    mut filled: Vec<Filled>,
    protocol: impl FnOnce() -> Option<ListenerProtocol>,
) -> (Host, Vec<Report>) {
    if filled.len() == 1
        && let Some(Filled { host, .. }) = filled.pop()
    {
        return (Host { name: name.clone(), ..host }, Vec::new());
    }
    let mut told = Told::default();
    let filled = one_kind(resources, filled, protocol, &mut told);
    let (mut filled, tls_policy) = of_one_demand(resources, filled, &mut told);
    let tls = tls(&filled);
    let (refused, served): (Vec<_>, Vec<_>) = filled.iter_mut().partition(|it| it.host.tls == HostTls::Refuse);
    if tls == HostTls::Refuse {
        let by = refused.iter().flat_map(|it| sources(&it.host)).next();
        served.iter().flat_map(|it| sources(&it.host)).for_each(|source| told.refused(source, by));
    } else {
        // Nothing stands in for a handshake that cannot be had.
        refused.into_iter().for_each(|it| it.host.routes.clear());
    }
    let misses: Vec<(Route, Replies)> = filled.iter_mut().flat_map(misses).collect();
    let owners = owners(resources, &filled);
    let mut merged = Host {
        name: name.clone(),
        tls,
        tls_policy,
        tunnel: None,
        datagrams: None,
        routes: Vec::new(),
        on_miss: if filled.iter().all(|it| it.host.on_miss == OnMiss::Wider) { OnMiss::Wider } else { OnMiss::Stop },
        replies: filled.first().map(|it| it.host.replies.clone()).unwrap_or_default(),
    };
    for (index, Filled { host, .. }) in filled.into_iter().enumerate() {
        merged.tunnel = merged.tunnel.or(host.tunnel);
        for route in host.routes {
            let kept = kept(route, index, &owners, &mut told);
            merged.routes.extend(kept.map(|route| of_its_own_look(route, &host.replies, &merged.replies)));
        }
    }
    for (route, replies) in misses {
        let route = of_its_own_look(route, &replies, &merged.replies);
        merged.routes.push(route);
    }
    (merged, told.reports())
}

/// Takes out the routes that only say 404 for what no other matches: nobody wrote them, so they are nobody's in a conflict, and come last.
fn misses(filled: &mut Filled) -> Vec<(Route, Replies)> {
    let says_404 = |route: &mut Route| matches!(&route.action, Action::Respond(it) if it.reason == Reason::NoRoute);
    let replies = filled.host.replies.clone();
    filled.host.routes.extract_if(.., says_404).map(|route| (route, replies.clone())).collect()
}

/// A host is HTTP or it is not: where the port leaves that open, whoever was there first decides. Only one tunnel can be.
fn one_kind(
    resources: &Resources,
    filled: Vec<Filled>,
    protocol: impl FnOnce() -> Option<ListenerProtocol>,
    told: &mut Told,
) -> Vec<Filled> {
    if filled.iter().all(|it| it.host.tunnel.is_none()) {
        return filled;
    }
    let oldest = |host: &Host| sources(host).map(|source| age(resources, &source.object)).min();
    let fits: fn(&Filled) -> bool = match protocol() {
        Some(ListenerProtocol::Http) => |it| it.host.tunnel.is_none(),
        Some(ListenerProtocol::Tcp) => |it| it.host.tunnel.is_some(),
        Some(ListenerProtocol::Https | ListenerProtocol::Udp) | None => |_| true,
    };
    let rank = |it: &Filled| (!fits(it), oldest(&it.host).is_none(), oldest(&it.host));
    let Some(first) = (0..filled.len()).min_by_key(|index| rank(&filled[*index])) else { return filled };
    let owner = sources(&filled[first].host).min_by_key(|source| age(resources, &source.object)).cloned();
    let tunnel = filled[first].host.tunnel.is_some();
    let keep = |(index, it): &(usize, Filled)| *index == first || !tunnel && it.host.tunnel.is_none();
    let (kept, gone): (Vec<_>, Vec<_>) = filled.into_iter().enumerate().partition(keep);
    for source in gone.iter().flat_map(|(_, it)| sources(&it.host)) {
        told.conflict(source, owner.as_ref(), "this host on this port");
    }
    kept.into_iter().map(|(_, it)| it).collect()
}

pub(crate) fn sources(host: &Host) -> impl Iterator<Item = &Source> {
    host.routes.iter().map(|route| &route.source).chain(host.tunnel.iter().map(|tunnel| &tunnel.source))
}

type Age = (i64, ObjectRef);

fn age(resources: &Resources, object: &ObjectRef) -> Age {
    (resources.meta(object).map_or(0, |meta| meta.created), object.clone())
}

/// Who has each match that two frontends have: index among them, and the route's source.
type Owners = HashMap<Match, (usize, Source)>;

fn owners(resources: &Resources, filled: &[Filled]) -> Owners {
    let mut owners: HashMap<Match, (usize, Source, Age)> = HashMap::new();
    for (index, it) in filled.iter().enumerate() {
        for route in &it.host.routes {
            for matching in &route.matches {
                let age = age(resources, &route.source.object);
                match owners.get(matching) {
                    Some((_, _, known)) if *known <= age => {}
                    _ => drop(owners.insert(matching.clone(), (index, route.source.clone(), age))),
                }
            }
        }
    }
    owners.into_iter().map(|(matching, (index, source, _))| (matching, (index, source))).collect()
}

/// The route without the matches that another frontend's object had first.
fn kept(mut route: Route, index: usize, owners: &Owners, told: &mut Told) -> Option<Route> {
    let source = &route.source;
    route.matches.retain(|matching| match owners.get(matching) {
        Some((owner, first)) if *owner != index => {
            told.conflict(source, Some(first), "the same match on this host");
            false
        }
        _ => true,
    });
    (!route.matches.is_empty()).then_some(route)
}

/// Answers of a route look as its own frontend's do.
fn of_its_own_look(route: Route, own: &Replies, merged: &Replies) -> Route {
    let replies = route.replies.clone().or_else(|| (own != merged).then(|| own.clone()));
    Route { replies, ..route }
}

/// A certificate is better than the default one, and that better than none. What was to demand something of clients and cannot leaves none.
fn tls(filled: &[Filled]) -> HostTls {
    let rank = |host: &Host| match host.tls {
        HostTls::Refuse if host.tls_policy.client != ClientAuth::None => 0,
        HostTls::Certificate(_) | HostTls::Passthrough => 1,
        HostTls::Refuse => 2,
        HostTls::Default => 3,
        HostTls::None => 4,
    };
    filled.iter().min_by_key(|it| rank(&it.host)).map(|it| it.host.tls.clone()).unwrap_or_default()
}

/// What one demands of clients is not given away by another: where both cannot be kept, the younger has nothing here.
fn of_one_demand(resources: &Resources, filled: Vec<Filled>, told: &mut Told) -> (Vec<Filled>, TlsPolicy) {
    let oldest = |it: &Filled| sources(&it.host).map(|source| age(resources, &source.object)).min();
    let mut by_age: Vec<usize> = (0..filled.len()).collect();
    by_age.sort_by_cached_key(|index| (oldest(&filled[*index]).is_none(), oldest(&filled[*index])));
    let (mut policy, mut first, mut gone) = (TlsPolicy::default(), None, HashSet::new());
    for index in by_age {
        let host = &filled[index].host;
        match policy.both(&host.tls_policy) {
            Some(both) => {
                policy = both;
                let demands = host.tls_policy != TlsPolicy::default();
                first = first.or_else(|| sources(host).next().filter(|_| demands).cloned());
            }
            None => {
                sources(host).for_each(|source| told.conflict(source, first.as_ref(), "other demands of this host's clients"));
                gone.insert(index);
            }
        }
    }
    let kept = filled.into_iter().enumerate().filter(|(index, _)| !gone.contains(index)).map(|(_, it)| it);
    (kept.collect(), policy)
}

/// What the younger ones are told.
#[derive(Default)]
struct Told {
    reports: BTreeMap<ObjectRef, Report>,
    said: HashSet<(Source, ObjectRef)>,
}

// === impl Told ===

impl Told {
    fn conflict(&mut self, source: &Source, first: Option<&Source>, what: &str) {
        let Some(first) = first else { return };
        if !self.said.insert((source.clone(), first.object.clone())) {
            return;
        }
        let message = format!("{} was there first with {what}, and keeps it", first.object);
        let problem = Problem::error(source.rule.clone(), Cause::Conflict, message);
        let problem = problem.hint(format!("Change the path or the host here, or take {} of {} away", first.rule, first.object));
        let report = self.reports.entry(source.object.clone()).or_insert_with(|| Report::new(source.object.clone()));
        report.problems.insert(problem);
    }

    fn refused(&mut self, source: &Source, by: Option<&Source>) {
        let whose = by.map(|by| format!(" of {}", by.object)).unwrap_or_default();
        let message = format!(
            "a Gateway{whose} has this host too and cannot have the TLS it asks for, so over TLS nobody is let in to this one either"
        );
        let problem = Problem::error(source.rule.clone(), Cause::Conflict, message);
        let problem = problem.hint("Look at that Gateway's status, or take another host here");
        let report = self.reports.entry(source.object.clone()).or_insert_with(|| Report::new(source.object.clone()));
        report.problems.insert(problem);
    }

    fn reports(self) -> Vec<Report> {
        self.reports.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
