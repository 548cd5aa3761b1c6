//! One host on one port of one gateway, from the Gateways that it serves.

use crate::attach::is_attached;
use crate::given::Given;
use crate::listener::{Judged, Protocol, judged};
use crate::order::{Entry, sorted, specificity};
use crate::ours::{Ours, ours};
use crate::place;
use crate::rule::rules;
use crate::{certificate, trust, tunnel};
use model::{ClientAuth, GatewayId, Host, HostPattern, HostTls, ObjectRef, OnMiss, Replies, Route, Source, TlsPolicy, Tunnel};
use resources::hosts::{covers, narrower, wider};
use resources::{Cause, GatewayRoute, HttpRoute, Kind, Problem, Report};
use std::collections::{BTreeMap, BTreeSet};

/// Every host there can be something for.
pub(crate) fn hosts(given: Given<'_>) -> BTreeSet<(GatewayId, u16, HostPattern)> {
    let mut hosts = BTreeSet::new();
    for ours in given.resources.gateways().filter_map(|gateway| ours(given, gateway)) {
        let Some(id) = place::served_by(given, ours) else { continue };
        let judged = judged(given, ours);
        for listener in judged.iter().filter(|it| it.owns_hosts(&judged)) {
            let at = |host| (id.clone(), listener.listener.port, host);
            hosts.insert(at(listener.host().clone()));
            hosts.extend(certificate::named_hosts(given, listener).into_iter().map(at));
            for kind in listener.kinds().0 {
                let routes = given.resources.routes_of_gateway(kind, &ours.gateway.meta.name);
                for route in routes.filter(|route| is_attached(given, route, ours.gateway, listener)) {
                    let of_route = route.hosts().iter().filter_map(|host| narrower(listener.host(), host)).cloned();
                    hosts.extend(of_route.map(at));
                }
            }
        }
    }
    hosts
}

/// What one Gateway has for a host.
struct Part {
    entries: Vec<Entry>,
    /// Where connections go that are no HTTP to us; the other routes that want them.
    tunnel: Option<Tunnel>,
    /// Whether it is HTTP.
    is_http: bool,
    tls: HostTls,
    policy: TlsPolicy,
    on_miss: OnMiss,
    replies: Replies,
    reports: BTreeMap<ObjectRef, Report>,
}

pub(crate) fn translate_host(given: Given<'_>, gateway: &GatewayId, port: u16, host: &HostPattern) -> (Option<Host>, Vec<Report>) {
    let mut parts = Vec::new();
    for ours in place::at(given, gateway) {
        let judged = judged(given, ours);
        if let Some(owner) = owner(&judged, port, host) {
            parts.extend(part(given, (gateway, ours), &judged, owner, host));
        }
    }
    let mut parts = parts.into_iter();
    let Some(mut whole) = parts.next() else { return (None, Vec::new()) };
    for part in parts {
        whole.join(part);
    }
    let reports = std::mem::take(&mut whole.reports).into_values().collect();
    (Some(whole.into_host(host)), reports)
}

/// A host belongs to the most specific listener of its port that covers it, and no other is asked for it.
pub(crate) fn owner<'j, 'a>(judged: &'j [Judged<'a>], port: u16, host: &HostPattern) -> Option<&'j Judged<'a>> {
    let covering = judged.iter().filter(|it| it.listener.port == port && covers(it.host(), host) && it.owns_hosts(judged));
    let owner = covering.max_by_key(|it| specificity(it.host()))?;
    (owner.protocol != Some(Protocol::Tcp) || *host == HostPattern::Any).then_some(owner)
}

/// The routes that attach to a listener and are for this host, with the host they are written for; the more specific before the wider.
fn attached(given: Given<'_>, ours: Ours<'_>, owner: &Judged<'_>, host: &HostPattern) -> Vec<(HostPattern, GatewayRoute)> {
    let written = if host == owner.host() { wider(host) } else { vec![host.clone()] };
    let (mut routes, mut seen) = (Vec::new(), BTreeSet::new());
    let kinds = owner.kinds().0;
    for written in written {
        for kind in &kinds {
            for route in given.resources.routes_of_host(*kind, &ours.gateway.meta.name, &written) {
                if is_attached(given, &route, ours.gateway, owner) && seen.insert((*kind, route.meta().name.clone())) {
                    routes.push((written.clone(), route));
                }
            }
        }
    }
    routes
}

fn part(
    given: Given<'_>,
    (gateway, ours): (&GatewayId, Ours<'_>),
    judged: &[Judged<'_>],
    owner: &Judged<'_>,
    host: &HostPattern,
) -> Option<Part> {
    let protocol = owner.protocol?;
    let routes = if owner.serves() { attached(given, ours, owner, host) } else { Vec::new() };
    let own = host == owner.host();
    let shows_its_own = || protocol == Protocol::Https && certificate::named_hosts(given, owner).contains(host);
    let is_there = match protocol {
        Protocol::Tcp => !routes.is_empty(),
        _ => own || !routes.is_empty() || shows_its_own(),
    };
    if !is_there {
        return None;
    }
    let trust = trust::of_listener(given, ours.gateway, owner);
    let mut part = Part {
        entries: Vec::new(),
        tunnel: None,
        is_http: matches!(protocol, Protocol::Http | Protocol::Https),
        tls: HostTls::None,
        policy: trust.policy,
        on_miss: if own { OnMiss::Stop } else { OnMiss::Wider },
        replies: ours.replies.clone(),
        reports: BTreeMap::new(),
    };
    if trust.closed.is_some() {
        part.policy.client = ClientAuth::Unverified;
    }
    part.fill(given, routes, (gateway, host));
    part.tls = match protocol {
        Protocol::Http | Protocol::Tcp => HostTls::None,
        _ if !owner.serves() || trust.closed.is_some() || !part.is_http && part.tunnel.is_none() => HostTls::Refuse,
        Protocol::Passthrough => HostTls::Passthrough,
        Protocol::Https | Protocol::Terminate => certificate::of_listener(given, ours.gateway, owner).of_host(host),
    };
    if part.tls == HostTls::Refuse {
        part.tunnel = None;
        let wider =
            |it: &Judged<'_>| it.serves() && it.listener.port == owner.listener.port && it.host() != host && covers(it.host(), host);
        let shut = given.shared(gateway).is_some() && !matches!(host, HostPattern::Exact(_)) && !judged.iter().any(wider);
        // A handshake refused for many hosts would be refused for those of others too, who have nothing to do with it.
        return (!shut).then_some(part);
    }
    Some(part)
}

// === impl Part ===

impl Part {
    fn fill(&mut self, given: Given<'_>, routes: Vec<(HostPattern, GatewayRoute)>, at: (&GatewayId, &HostPattern)) {
        let mut tunnels = Vec::new();
        for (written, route) in routes {
            match &route {
                GatewayRoute::Http(http) => self.http(given, &written, http, at),
                GatewayRoute::Tls(_) | GatewayRoute::Tcp(_) => tunnels.push((written, route)),
            }
        }
        tunnels.sort_by(|(a, one), (b, other)| {
            let age = |route: &GatewayRoute| (route.meta().created, route.meta().name.clone());
            specificity(b).cmp(&specificity(a)).then_with(|| age(one).cmp(&age(other)))
        });
        let mut first: Option<ObjectRef> = None;
        for (_, route) in tunnels {
            let object = route.kind().object_ref(&route.meta().name);
            match &first {
                None => {
                    self.tunnel = tunnel::tunnel(given, &route).0;
                    self.served(object.clone(), at, usize::from(self.tunnel.is_some()));
                    first = Some(object);
                }
                Some(first) => self.told(object, first, at.1, Cause::NoEffect),
            }
        }
    }

    fn http(&mut self, given: Given<'_>, written: &HostPattern, route: &HttpRoute, at: (&GatewayId, &HostPattern)) {
        let object = Kind::HttpRoute.object_ref(&route.meta.name);
        let made = rules(given, route).made;
        self.served(object.clone(), at, made.len());
        for it in made {
            let source = Source { object: object.clone(), rule: it.field };
            let matching = it.matching.clone();
            let made = Route { source, replies: None, matches: vec![it.matching], filters: it.filters, action: it.action };
            self.entries.push(Entry::new(written, &route.meta, (it.rule, it.index), &matching, made));
        }
    }

    fn served(&mut self, object: ObjectRef, (gateway, host): (&GatewayId, &HostPattern), routes: usize) {
        let report = self.reports.entry(object.clone()).or_insert_with(|| Report::new(object));
        report.gateways.insert(gateway.clone());
        report.hosts.insert(host.clone());
        report.routes += routes;
    }

    fn told(&mut self, object: ObjectRef, first: &ObjectRef, host: &HostPattern, cause: Cause) {
        let message = format!("{first} came first and has the connections of `{host}`, so this route gets none");
        let problem = Problem::error("spec.rules[0]", cause, message).hint("Use another listener or host name, or delete one of the two");
        let report = self.reports.entry(object.clone()).or_insert_with(|| Report::new(object));
        report.problems.insert(problem);
    }

    /// What a younger Gateway has for the same host.
    fn join(&mut self, mut part: Part) {
        self.on_miss = if part.on_miss == OnMiss::Stop { OnMiss::Stop } else { self.on_miss };
        // What one demands of clients is not given away by another.
        let policy = self.policy.both(&part.policy).filter(|_| self.is_http == part.is_http);
        let Some(policy) = policy else { return self.keep_out(part.reports) };
        match (self.tls == HostTls::Refuse, part.tls == HostTls::Refuse) {
            (true, false) => stand_in(self, &mut part),
            (false, true) => stand_in(&mut part, self),
            _ => {}
        }
        self.policy = policy;
        let (own, other) = (self.replies.clone(), part.replies);
        self.entries.extend(part.entries.into_iter().map(|mut entry| {
            entry.route.replies = entry.route.replies.or_else(|| (own != other).then(|| other.clone()));
            entry
        }));
        self.join_tunnel(part.tunnel);
        if matches!((&self.tls, &part.tls), (HostTls::None | HostTls::Refuse, HostTls::Certificate(_) | HostTls::Passthrough)) {
            self.tls = part.tls;
        }
        for (object, report) in part.reports {
            self.reports.entry(object.clone()).or_insert_with(|| Report::new(object)).merge(&report);
        }
    }

    /// Tells the younger one's routes that they get nothing here.
    fn keep_out(&mut self, reports: BTreeMap<ObjectRef, Report>) {
        let own = self.reports.keys().next().cloned();
        for (object, report) in reports {
            let first = own.clone().unwrap_or_else(|| object.clone());
            self.told(object, &first, report.hosts.first().unwrap_or(&HostPattern::Any), Cause::Conflict);
        }
    }

    fn join_tunnel(&mut self, tunnel: Option<Tunnel>) {
        match (&self.tunnel, tunnel) {
            (None, tunnel) => self.tunnel = tunnel,
            (Some(first), Some(other)) => {
                let (first, host) = (first.source.object.clone(), HostPattern::Any);
                self.told(other.source.object, &first, &host, Cause::NoEffect);
            }
            (Some(_), None) => {}
        }
    }

    fn into_host(self, host: &HostPattern) -> Host {
        Host {
            name: host.clone(),
            tls: self.tls,
            tls_policy: self.policy,
            tunnel: self.tunnel,
            datagrams: None,
            routes: sorted(self.entries),
            on_miss: self.on_miss,
            replies: self.replies,
        }
    }
}

/// Of two, one's handshake cannot be had: under the other's nothing of it is served, and nothing at all if it was to demand something of
/// clients.
fn stand_in(refused: &mut Part, good: &mut Part) {
    match refused.policy.client {
        ClientAuth::None => refused.entries.clear(),
        ClientAuth::Optional(_) | ClientAuth::Required(_) | ClientAuth::Unverified => good.tls = HostTls::Refuse,
    }
}
