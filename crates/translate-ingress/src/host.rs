//! One host, from the Ingresses that name it.

use crate::annotation;
use crate::backend::{Resolved, resolve};
use crate::canary_routes::{Attached, Side, attach};
use crate::certificate;
use crate::class::{Class, Style, class, of_gateway};
use crate::config::Defaults;
use crate::error_pages;
use crate::istio_class::{self, IstioMember};
use crate::location::{Location, LocationKind, Member, by_age, locations, rules};
use crate::options::Options;
use crate::order::{Mode, Placed, Serves, place};
use crate::pattern;
use crate::settings::{Access, Settings};
use model::{
    Action, Backend, Filter, Forward, GatewayId, Host, HostPattern, HostTls, Match, OnMiss, PathModifier, Pattern, Reason, Redirect,
    RedirectPort, Replies, Respond, Rewrite, Route, Source, Text, TlsPolicy,
};
use resources::{Cause, Ingress, IngressBackend, Kind, Problem, Report, Resources, SharedGateway, host_pattern};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The order in which nginx runs what ingress-nginx configures; users observe it, so it is not improved.
///
/// Error pages are said first, since they stand for whatever follows. The rewrite comes before the redirect to https (which names the request's own target all the same); what a route answers by itself, also
/// that it is closed, comes before all of them.
pub(crate) const ORDER: [Step; 6] = [Step::ErrorPages, Step::Rewrite, Step::HttpsRedirect, Step::Host, Step::BodyLimit, Step::Hsts];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    ErrorPages,
    Rewrite,
    HttpsRedirect,
    Host,
    BodyLimit,
    Hsts,
}

/// One host of one of these gateways; `None`: nothing is served there. The reports are of the Ingresses that have a say in it. `taken`: what
/// is said to one whose host is another's; it has none then.
pub fn translate_host(
    resources: &Resources,
    options: &Options,
    (gateways, shared): (&[SharedGateway], &SharedGateway),
    host: &HostPattern,
    taken: &dyn Fn(&Ingress) -> Option<Problem>,
) -> (Option<Host>, Vec<Report>) {
    let gateway = &shared.id;
    let Members { mut nginx, istio, mut reports } = Members::of(resources, options, (gateways, shared), host, taken);
    let mut locations = locations(&mut nginx, host);
    attach(&mut nginx, &mut locations, host);
    let mode = Mode::of(&nginx, &locations);
    let placed = place(&nginx, &locations, mode);
    let defaults = shared.request.as_ref().map(|it| Defaults::of(it).0).unwrap_or_default();
    let mut maker = Maker { resources, options, defaults, members: nginx, resolved: BTreeMap::new() };
    let mut routes: Vec<(bool, Route)> = Vec::new();
    for placed in &placed {
        let location = &locations[placed.location];
        let by_itself = location.kind >= LocationKind::Implicit;
        routes.extend(maker.routes(location, placed).into_iter().map(|route| (by_itself, route)));
    }
    let alone = maker.members.is_empty();
    let server = maker.defaults.server.clone();
    let tls = maker.tls(host);
    let served: Vec<Route> = routes.iter().map(|(_, route)| route.clone()).collect();
    reports.extend(maker.reports(gateway, host, &locations, &served));
    let (own, said) = istio_class::host(resources, options, gateway, host, istio);
    reports.extend(said);
    let routes = own.together(routes);
    let host = Host {
        name: host.clone(),
        tls: better(tls, own.tls),
        tls_policy: TlsPolicy::default(),
        tunnel: None,
        datagrams: None,
        on_miss: OnMiss::Stop,
        replies: if alone { options.istio.replies.clone() } else { Replies { server, ..Replies::default() } },
        routes,
    };
    ((!host.routes.is_empty()).then_some(host), reports)
}

/// The Ingresses that a gateway has on a host.
pub fn members<'a>(
    resources: &'a Resources,
    options: &'a Options,
    (gateways, shared): (&'a [SharedGateway], &'a SharedGateway),
    host: &'a HostPattern,
) -> impl Iterator<Item = &'a Ingress> {
    let covered = resources.ingresses_of_host(host).filter(|it| shared.scope.covers(&it.meta.name.namespace));
    // One that is only looked at here, since it has no host anywhere, wants none.
    let covered = covered.filter(move |it| it.wants(host) && it.is_at(host, &shared.id));
    let served = covered.filter(move |ingress| {
        let (speaks, class) = of_gateway(resources, gateways, ingress, class(resources, options, ingress));
        speaks == Some(&shared.id) && matches!(class, Class::Ours(..))
    });
    served.map(AsRef::as_ref)
}

/// A certificate is better than none.
fn better(one: HostTls, other: HostTls) -> HostTls {
    match (&one, &other) {
        (HostTls::Certificate(_), _) | (_, HostTls::None) => one,
        (HostTls::None, _) | (_, HostTls::Certificate(_)) => other,
        _ => one,
    }
}

/// The Ingresses that have a say, oldest first; and what is said to those that have none.
struct Members<'a> {
    nginx: Vec<Member<'a>>,
    istio: Vec<IstioMember<'a>>,
    reports: Vec<Report>,
}

impl<'a> Members<'a> {
    fn of(
        resources: &'a Resources,
        options: &Options,
        (gateways, shared): (&[SharedGateway], &SharedGateway),
        host: &HostPattern,
        taken: &dyn Fn(&Ingress) -> Option<Problem>,
    ) -> Self {
        let mut members = Self { nginx: Vec::new(), istio: Vec::new(), reports: Vec::new() };
        for ingress in resources.ingresses_of_host(host).filter(|ingress| shared.scope.covers(&ingress.meta.name.namespace)) {
            if !ingress.is_at(host, &shared.id) {
                continue;
            }
            let class = class(resources, options, ingress);
            let (speaks, class) = of_gateway(resources, gateways, ingress, class);
            if speaks != Some(&shared.id) {
                continue;
            }
            if matches!(class, Class::Ours(..))
                && let Some(problem) = taken(ingress)
            {
                let mut report = Report::new(Kind::Ingress.object_ref(&ingress.meta.name));
                report.problems.insert(problem);
                members.reports.push(report);
                continue;
            }
            match class {
                Class::Ours(Style::Nginx, problem) => members.nginx.push(nginx(resources, options, ingress, problem)),
                Class::Ours(Style::Istio, problem) => {
                    let mut member = IstioMember::of(resources, options, ingress);
                    member.problems.extend(problem);
                    member.problems.extend(spec_problems(ingress));
                    members.istio.push(member);
                }
                Class::NotOurs(Some(problem)) => {
                    let mut report = Report::new(Kind::Ingress.object_ref(&ingress.meta.name));
                    report.problems.insert(problem);
                    members.reports.push(report);
                }
                Class::NotOurs(None) => {}
            }
        }
        members.nginx.sort_by(|a, b| by_age(a.ingress, b.ingress));
        members.istio.sort_by(|a, b| by_age(a.ingress, b.ingress));
        members
    }
}

fn nginx<'a>(resources: &Resources, options: &Options, ingress: &'a Ingress, problem: Option<Problem>) -> Member<'a> {
    let (settings, mut told) = Settings::read(&ingress.meta.annotations);
    if settings.canary.is_some() {
        told = annotation::on_canary(&ingress.meta.annotations, told);
    }
    let mut member = Member { ingress, settings, problems: ingress.problems.clone() };
    member.problems.extend(problem);
    member.problems.extend(told);
    member.problems.extend(certificate::problems(resources, options, ingress));
    member.problems.extend(spec_problems(ingress));
    member
}

/// What is wrong whatever the host, and whatever the class.
fn spec_problems(ingress: &Ingress) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in &ingress.rules {
        if let Err(why) = host_pattern(&rule.host) {
            let problem = Problem::error(
                format!("spec.rules[{}].host", rule.index),
                Cause::InvalidHost,
                format!("`{}` is no host: {why}", rule.host),
            );
            problems.push(problem.hint("Write a name such as `demo.example.com`, or `*.example.com`"));
        }
        for path in rule.paths.iter().flatten().filter(|path| !path.path.is_empty() && !path.path.starts_with('/')) {
            let at = format!("spec.rules[{}].http.paths[{}].path", rule.index, path.index);
            let problem = Problem::error(at, Cause::InvalidPath, format!("`{}` does not begin with `/`, so no request has it", path.path));
            problems.push(problem.hint(format!("Write `/{}`", path.path)));
        }
    }
    if ingress.catch_all && ingress.default_backend.is_none() {
        let problem = Problem::error("spec", Cause::BackendMissing, "it has neither rules nor a default backend, so nothing is served");
        problems.push(problem.hint("Add `rules` or a `defaultBackend`"));
    }
    problems
}

struct Maker<'a> {
    resources: &'a Resources,
    options: &'a Options,
    /// Of the gateway.
    defaults: Defaults,
    members: Vec<Member<'a>>,
    /// By member and field path, so that a backend is resolved, and its problems told, once.
    resolved: BTreeMap<(usize, Text), Resolved>,
}

// === impl Maker ===

impl Maker<'_> {
    /// The routes of a place: one, or with a canary one for each of its rules.
    fn routes(&mut self, location: &Location<'_>, placed: &Placed) -> Vec<Route> {
        let matching = Match { path: placed.path.clone(), ..Match::default() };
        let source = self.source(location.member, location.rule.clone());
        let alone = |source, filters, action| vec![Route { source, replies: None, matches: vec![matching.clone()], filters, action }];
        let rewrite = match &placed.serves {
            Serves::Slash => return alone(source, Vec::new(), slash(&location.path)),
            Serves::Closed(why) => {
                self.bad_pattern(location, why);
                self.backend(location);
                return alone(source, self.hsts(), closed());
            }
            Serves::Location(rewrite) => rewrite,
        };
        if self.defaults.closed || self.members[location.member].settings.access == Access::Closed {
            self.backend(location);
            return alone(source, self.hsts(), closed());
        }
        self.pattern_notes(location, placed);
        let filters = self.filters(location, rewrite.as_ref());
        let primary = match self.backend(location) {
            Some(Resolved::Backend(backend)) => backend,
            Some(Resolved::Missing) => return alone(source, filters, unresolved()),
            Some(Resolved::NoService) | None => {
                let filters = filters.into_iter().filter(|filter| !matches!(filter, Filter::BodyLimit(_))).collect();
                return alone(source, filters, not_found());
            }
        };
        match location.canary.as_ref().and_then(|attached| Some((attached, self.canary_backend(attached)?))) {
            None => alone(source, filters, Action::Forward(self.of_gateway(Forward::to(primary)))),
            Some((attached, canary)) => self.with_canary(&source, attached, &placed.path, &filters, &primary, &canary),
        }
    }

    fn with_canary(
        &self,
        source: &Source,
        attached: &Attached,
        path: &model::PathMatch,
        filters: &[Filter],
        primary: &Arc<Backend>,
        canary: &Arc<Backend>,
    ) -> Vec<Route> {
        let Some(settings) = &self.members[attached.member].settings.canary else { return Vec::new() };
        let route = |(matching, side): (Match, Side)| Route {
            replies: None,
            source: if side == Side::Canary { self.source(attached.member, attached.rule.clone()) } else { source.clone() },
            matches: vec![Match { path: path.clone(), ..matching }],
            filters: filters.to_vec(),
            action: Action::Forward(self.of_gateway(settings.forward(side, primary.clone(), canary.clone()))),
        };
        settings.sides().into_iter().map(route).collect()
    }

    fn backend(&mut self, location: &Location<'_>) -> Option<Resolved> {
        let backend = location.backend?;
        Some(self.resolve(location.member, backend, &location.backend_at))
    }

    /// `None`: there is none, so the primary serves all.
    fn canary_backend(&mut self, attached: &Attached) -> Option<Arc<Backend>> {
        let at = format!("{}.backend", attached.rule).into();
        match self.resolve(attached.member, &attached.backend, &at) {
            Resolved::Backend(backend) => Some(backend),
            Resolved::Missing | Resolved::NoService => None,
        }
    }

    fn resolve(&mut self, member: usize, backend: &IngressBackend, at: &Text) -> Resolved {
        let key = (member, at.clone());
        if let Some(resolved) = self.resolved.get(&key) {
            return resolved.clone();
        }
        let Member { ingress, settings, problems } = &mut self.members[member];
        let resolved = resolve(self.resources, self.options, ingress, settings, (backend, at), problems);
        self.resolved.insert(key, resolved.clone());
        resolved
    }

    fn filters(&mut self, location: &Location<'_>, rewrite: Option<&Pattern>) -> Vec<Filter> {
        let (pages, problem) = error_pages::of_location(self.resources, &self.defaults, &self.members[location.member], location);
        self.members[location.member].problems.extend(problem);
        let settings = &self.members[location.member].settings;
        let https = if location.is_catch_all() { Default::default() } else { settings.https };
        let step = |step| match step {
            Step::ErrorPages => pages.clone(),
            Step::Rewrite => {
                let template = settings.rewrite.as_ref()?.template.clone();
                Some(Filter::Rewrite(Rewrite::Regex { pattern: rewrite?.clone(), template }))
            }
            Step::HttpsRedirect => https.of_path(&location.path, &self.defaults.redirects).map(Filter::HttpsRedirect),
            Step::Host => settings.upstream_vhost.as_ref().map(|vhost| Filter::SetHost(vhost.0.clone())),
            Step::BodyLimit => self.defaults.body_limit.map(Filter::BodyLimit),
            Step::Hsts => self.defaults.hsts.clone().map(Filter::Hsts),
        };
        ORDER.into_iter().filter_map(step).collect()
    }

    fn hsts(&self) -> Vec<Filter> {
        self.defaults.hsts.clone().map(Filter::Hsts).into_iter().collect()
    }

    fn of_gateway(&self, forward: Forward) -> Forward {
        Forward { timeouts: self.defaults.timeouts, ..forward }
    }

    fn source(&self, member: usize, rule: Text) -> Source {
        Source { object: self.members[member].object(), rule }
    }

    fn bad_pattern(&mut self, location: &Location<'_>, why: &str) {
        let message = format!("this regular expression is not usable ({why}), so the path answers 503");
        let problem = Problem::error(path_field(location), Cause::InvalidRegex, message);
        self.members[location.member].problems.push(problem.hint("A character that is meant as itself is written with `\\` before it"));
    }

    /// What is worth knowing about a pattern that works.
    fn pattern_notes(&mut self, location: &Location<'_>, placed: &Placed) {
        let model::PathMatch::Regex(pattern) = &placed.path else { return };
        let member = &mut self.members[location.member];
        if !member.settings.wants_regex(&location.path) {
            return;
        }
        if pattern.engine == model::Engine::Backtracking {
            member.problems.push(annotation::backtracking(path_field(location)));
        }
        let wanted =
            member.settings.rewrite.as_ref().filter(|_| member.settings.rewrites(&location.path)).map_or(0, |rewrite| rewrite.groups());
        if let Ok(judged) = pattern::judge(&location.path)
            && usize::from(wanted) > judged.groups
        {
            let message = format!("`${wanted}` is not a group of path `{}`, so it is empty", location.path);
            let problem = Problem::warning(annotation::field("rewrite-target"), Cause::CaptureNotInPath, message);
            member.problems.push(problem.hint("Groups are written in parentheses, for example `/foo(/|$)(.*)`"));
        }
    }

    /// The certificate of the oldest Ingress that has a usable one.
    fn tls(&self, host: &HostPattern) -> HostTls {
        let mut tls = HostTls::None;
        let having = self.members.iter().filter(|member| !member.is_canary() && rules(member.ingress, host).next().is_some());
        for member in having {
            match certificate::of_ingress(self.resources, self.options, member.ingress, host) {
                HostTls::None => {}
                HostTls::Default => tls = HostTls::Default,
                other => return other,
            }
        }
        tls
    }

    fn reports(self, gateway: &GatewayId, host: &HostPattern, locations: &[Location<'_>], routes: &[Route]) -> Vec<Report> {
        let attached = |index| locations.iter().any(|location| location.canary.as_ref().is_some_and(|it| it.member == index));
        let report = |(index, member): (usize, Member<'_>)| {
            let mut report = Report::new(member.object());
            report.problems.extend(member.problems);
            report.routes = routes.iter().filter(|route| route.source.object == report.object).count();
            if report.routes > 0 || attached(index) {
                report.gateways.insert(gateway.clone());
                report.hosts.insert(host.clone());
            }
            report
        };
        self.members.into_iter().enumerate().map(report).collect()
    }
}

fn path_field(location: &Location<'_>) -> String {
    format!("{}.path", location.rule)
}

/// Closed: something that guards is not usable.
fn closed() -> Action {
    Action::Respond(Respond { status: 503, reason: Reason::Closed, body: None })
}

pub(crate) fn not_found() -> Action {
    Action::Respond(Respond { status: 404, reason: Reason::NoRoute, body: None })
}

/// A Service or port that does not exist: 503, `no-backend`.
pub(crate) fn unresolved() -> Action {
    Action::Forward(Forward {
        backends: vec![model::WeightedBackend::new(None, 1)],
        spill: model::Spill::default(),
        timeouts: model::Timeouts::default(),
        retries: model::Retries::usual(),
        unresolved: 503,
    })
}

/// nginx's redirect to the path with its slash.
fn slash(path: &str) -> Action {
    let path = Some(PathModifier::Full(pattern::canonical(path)));
    Action::Redirect(Redirect { status: 301, scheme: None, host: None, port: RedirectPort::Own, path })
}
