//! One host on one port of one gateway.

use crate::Context;
use crate::credentials::refused;
use crate::rules::Made;
use crate::servers::{Age, Bound};
use crate::services::{Place, Spot};
use crate::told::Told;
use model::{
    Action, Host, HostPattern, HostTls, Match, ObjectRef, OnMiss, Redirect, RedirectPort, Route, Scheme, Source, TlsPolicy, Tunnel,
};
use resources::istio::{Clients, Family, Serves};
use resources::{Report, SharedGateway};
use std::collections::{BTreeMap, HashSet};

impl<'a> Context<'a> {
    pub(crate) fn host(self, (gateway, port, name): (&model::GatewayId, u16, &HostPattern)) -> (Option<Host>, Vec<Report>) {
        let Some(shared) = self.shared.iter().find(|shared| shared.id == *gateway) else { return (None, Vec::new()) };
        let mut told = Told::default();
        let host = match self.family(shared, port) {
            None => None,
            Some((Family::Http, _)) => self.plain(shared, port, name),
            Some((Family::Tls, _)) => self.tls(shared, port, name, &mut told),
            Some((Family::Tcp, _)) if *name == HostPattern::Any => {
                let tunnel = self.tcp_server(shared, port).and_then(|bound| self.tcp(shared, bound, &mut told));
                tunnel.map(|tunnel| Host { tunnel: Some(tunnel), ..self.empty(name) })
            }
            Some((Family::Tcp, _)) => None,
        };
        let reports = host.as_ref().map(|host| reports(host, &(gateway.clone(), port, name.clone()), &mut told)).unwrap_or_default();
        (host, reports)
    }

    fn empty(self, name: &HostPattern) -> Host {
        Host {
            name: name.clone(),
            tls: HostTls::None,
            tls_policy: TlsPolicy::default(),
            tunnel: None,
            datagrams: None,
            routes: Vec::new(),
            on_miss: OnMiss::Stop,
            replies: self.options.replies.clone(),
        }
    }

    /// All servers of the port together.
    fn plain(self, shared: &'a SharedGateway, port: u16, name: &HostPattern) -> Option<Host> {
        let servers = self.http_servers(shared, port, name);
        let (made, used) = self.of_servers(shared, &servers, name);
        let has_it = |bound: &&Bound<'_>| bound.server.hosts.iter().any(|own| own.host == *name) || used.contains(&bound.age());
        let redirects = servers.iter().filter(|bound| bound.server.https_redirect).find(has_it);
        let routes = match redirects {
            Some(bound) => vec![to_https(*bound)],
            None => last_what_catches_all(made),
        };
        (!routes.is_empty()).then(|| Host { routes, ..self.empty(name) })
    }

    /// The one server whose host is nearest to the name: routes are never shared between servers of TLS.
    fn tls(self, shared: &'a SharedGateway, port: u16, name: &HostPattern, told: &mut Told) -> Option<Host> {
        let Some(bound) = self.tls_server(shared, port, name) else {
            // A port that Ingresses have too goes on showing their certificates.
            let ours = *name == HostPattern::Any && port != shared.https;
            return ours.then(|| Host { tls: HostTls::Refuse, ..self.empty(name) });
        };
        let own = bound.server.hosts.iter().any(|own| own.host == *name);
        let empty = self.empty(name);
        match &bound.server.serves {
            Serves::Https(tls) => {
                let (made, _) = self.of_servers(shared, &[bound], name);
                let routes = last_what_catches_all(made);
                let (tls, tls_policy, _) = self.handshake(shared, bound, tls);
                (own || !routes.is_empty()).then_some(Host { tls, tls_policy, routes, ..empty })
            }
            Serves::Tls(tls) if own => {
                let (tls, tls_policy, _) = self.handshake(shared, bound, tls);
                match self.tcp(shared, bound, told) {
                    Some(tunnel) => Some(Host { tls, tls_policy, tunnel: Some(tunnel), ..empty }),
                    None => Some(Host { tls: HostTls::Refuse, tls_policy, ..empty }),
                }
            }
            Serves::Passthrough => match self.passed_on(shared, bound, name, told) {
                Some(tunnel) => Some(Host { tls: HostTls::Passthrough, tunnel: Some(tunnel), ..empty }),
                None => own.then_some(Host { tls: HostTls::Refuse, ..empty }),
            },
            // Nobody knows what it was to demand.
            Serves::RefusedTls => own.then(|| Host { tls: HostTls::Refuse, tls_policy: refused(Clients::Unverified), ..empty }),
            Serves::Tls(_) | Serves::Http | Serves::Tcp => None,
        }
    }

    /// The routes of servers for a name, one server after another; and those that have any.
    fn of_servers(self, shared: &'a SharedGateway, servers: &[Bound<'a>], name: &HostPattern) -> (Vec<Made>, HashSet<Age<'a>>) {
        let candidates = self.candidates(name);
        let (mut made, mut used, mut seen) = (Vec::new(), HashSet::new(), HashSet::new());
        for bound in servers {
            for it in self.of_server(shared, *bound, name, &candidates) {
                used.insert(bound.age());
                for one in self.routes(Place::of(shared, *bound), it, &mut Told::default()) {
                    if seen.insert((one.route.source.clone(), one.route.matches.clone())) {
                        made.push(one);
                    }
                }
            }
        }
        (made, used)
    }
}

/// Else in the order written.
fn last_what_catches_all(made: Vec<Made>) -> Vec<Route> {
    let (last, first): (Vec<Made>, Vec<Made>) = made.into_iter().partition(|made| made.catch_all);
    first.into_iter().chain(last).map(|made| made.route).collect()
}

fn to_https(bound: Bound<'_>) -> Route {
    let redirect = Redirect { status: 301, scheme: Some(Scheme::Https), host: None, port: RedirectPort::Own, path: None };
    Route {
        source: Source { object: bound.object(), rule: format!("{}.tls.httpsRedirect", bound.field()).into() },
        replies: None,
        matches: vec![Match::default()],
        filters: Vec::new(),
        action: Action::Redirect(redirect),
    }
}

/// What of each object is served here.
fn reports(host: &Host, (gateway, _, name): &Spot, told: &mut Told) -> Vec<Report> {
    let mut reports: BTreeMap<ObjectRef, Report> = BTreeMap::new();
    let sources = host.routes.iter().map(|route| &route.source).chain(host.tunnel.iter().map(|tunnel: &Tunnel| &tunnel.source));
    for source in sources {
        let report = reports.entry(source.object.clone()).or_insert_with(|| Report::new(source.object.clone()));
        report.routes += 1;
        report.gateways.insert(gateway.clone());
        report.hosts.insert(name.clone());
    }
    for (object, problems) in told.take() {
        reports.entry(object.clone()).or_insert_with(|| Report::new(object)).problems.extend(problems);
    }
    reports.into_values().collect()
}
