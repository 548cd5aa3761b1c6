//! HTTPRoute, TLSRoute and TCPRoute: one entry for each parent that is a Gateway of ours.

use crate::attach::{Miss, attached, is_attached};
use crate::findings::Findings;
use crate::given::Given;
use crate::host::owner;
use crate::listener::{Judged, judged};
use crate::options::Absent;
use crate::ours::ours;
use crate::place::served_by;
use crate::rule::rules;
use crate::tunnel::tunnel;
use model::HostPattern;
use resources::gateway_api::ParentRef;
use resources::hosts::narrower;
use resources::{Cause, Condition, Gateway, GatewayRoute, Kind, Name, ParentStatus, Problem, Report, Status, Truth, nearest, suggest};

pub(super) fn report(given: Given<'_>, kind: Kind, name: &Name) -> Option<Report> {
    let route = given.resources.route(kind, name)?;
    let mut report = Report::new(kind.object_ref(name));
    let (mut parents, mut found) = (Vec::new(), None);
    for parent in route.parents() {
        let Some(name) = parent.gateway() else { continue };
        let Some(gateway) = given.resources.gateway(name) else {
            report.problems.insert(missing(given, parent, name));
            // It may well be ours where the route is going.
            if given.options.absent == Absent::Ours {
                found.get_or_insert_with(|| Found::of(given, &route));
            }
            continue;
        };
        let Some(ours) = ours(given, gateway) else { continue };
        let judged = judged(given, ours);
        let attached = attached(given, &route, parent, gateway, &judged);
        report.problems.extend(attached.iter().flatten().flat_map(|it| elsewhere(given, &route, gateway, &judged, it)));
        if attached.as_ref().is_ok_and(|it| it.iter().all(|it| !it.serves())) || served_by(given, ours).is_none() {
            report.problems.insert(idle(parent, name));
        }
        let miss = attached.err().map(|miss| (reason(miss), missed(miss, parent, name)));
        report.problems.extend(miss.iter().map(|(_, problem)| problem.clone()));
        let found = found.get_or_insert_with(|| Found::of(given, &route));
        let conditions = found.conditions(miss.as_ref());
        parents.push(ParentStatus { parent: parent.written.clone(), controller: ours.controller.clone(), conditions });
    }
    // What somebody else serves is theirs to judge.
    if let Some(found) = found {
        report.problems.extend(problems(&route).iter().cloned());
        report.problems.extend(found.findings.problems().cloned());
    }
    report.status = Some(Status::Route(parents));
    Some(report)
}

/// Hosts that a more specific listener has, to which the route does not attach: nobody asks the route for them.
fn elsewhere(given: Given<'_>, route: &GatewayRoute, gateway: &Gateway, all: &[Judged<'_>], listener: &Judged<'_>) -> Vec<Problem> {
    if !listener.serves() {
        return Vec::new();
    }
    let lost = |host: &HostPattern| {
        let host = narrower(listener.host(), host)?;
        let owner = owner(all, listener.listener.port, host)?;
        let has = owner.listener.index == listener.listener.index || is_attached(given, route, gateway, owner);
        let name = &owner.listener.name;
        let message = format!("host `{host}` belongs to listener `{name}`, to which this route does not attach, so it is not served there");
        (!has).then(|| Problem::warning("spec.hostnames", Cause::NoEffect, message))
    };
    route.hosts().iter().filter_map(lost).collect()
}

/// Whether anything of a route can be served at all.
pub(crate) fn has_a_rule(given: Given<'_>, route: &GatewayRoute) -> bool {
    match route {
        // Only what cannot be understood makes a route of nothing, and that is seen without a look at other objects.
        GatewayRoute::Http(http) if http.rules.is_empty() || http.rules.iter().any(crate::rule::is_plain) => true,
        _ => !Found::of(given, route).is_nothing,
    }
}

fn problems(route: &GatewayRoute) -> &[Problem] {
    match route {
        GatewayRoute::Http(it) => &it.problems,
        GatewayRoute::Tls(it) => &it.problems,
        GatewayRoute::Tcp(it) => &it.problems,
    }
}

/// What a route's rules come to, whatever the parent.
struct Found {
    findings: Findings,
    /// No rule does what it says.
    is_nothing: bool,
}

// === impl Found ===

impl Found {
    fn of(given: Given<'_>, route: &GatewayRoute) -> Self {
        match route {
            GatewayRoute::Http(http) => {
                let rules = rules(given, http);
                Self { findings: rules.findings, is_nothing: rules.whole == 0 && rules.broken > 0 }
            }
            GatewayRoute::Tls(_) | GatewayRoute::Tcp(_) => {
                let (_, findings) = tunnel(given, route);
                Self { findings, is_nothing: false }
            }
        }
    }

    fn conditions(&self, miss: Option<&(&'static str, Problem)>) -> Vec<Condition> {
        let invalid = &self.findings.invalid;
        let wrong = || Problem::list(invalid.iter().map(|(_, problem)| problem));
        let mut conditions = vec![match (miss, invalid.first()) {
            (Some((reason, problem)), _) => Condition::new("Accepted", Truth::False, *reason, problem.to_string()),
            (None, Some((reason, _))) if self.is_nothing => Condition::new("Accepted", Truth::False, *reason, wrong()),
            (None, _) => Condition::new("Accepted", Truth::True, "Accepted", "the route is accepted"),
        }];
        conditions.push(match self.findings.unresolved.first() {
            None => Condition::new("ResolvedRefs", Truth::True, "ResolvedRefs", "all references are resolved"),
            Some((reason, _)) => Condition::new(
                "ResolvedRefs",
                Truth::False,
                *reason,
                Problem::list(self.findings.unresolved.iter().map(|(_, problem)| problem)),
            ),
        });
        if let Some((reason, _)) = invalid.first().filter(|_| miss.is_none() && !self.is_nothing) {
            conditions.push(Condition::new("PartiallyInvalid", Truth::True, *reason, format!("Dropped Rule: {}", wrong())));
        }
        conditions
    }
}

fn reason(miss: Miss) -> &'static str {
    match miss {
        Miss::NoParent => "NoMatchingParent",
        Miss::NotAllowed => "NotAllowedByListeners",
        Miss::NoHost => "NoMatchingListenerHostname",
    }
}

fn missed(miss: Miss, parent: &ParentRef, gateway: &Name) -> Problem {
    let at = format!("spec.parentRefs[{}]", parent.to.index);
    match miss {
        Miss::NoParent => {
            let named = parent.section.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
            let port = parent.port.map(|port| format!(" on port {port}")).unwrap_or_default();
            Problem::error(at, Cause::ReferenceNotFound, format!("Gateway `{gateway}` has no listener{named}{port}"))
        }
        Miss::NotAllowed => {
            let message = format!("no listener of Gateway `{gateway}` takes routes of this kind from this namespace");
            Problem::error(at, Cause::Unsupported, message).hint("Its `allowedRoutes` says which it takes")
        }
        Miss::NoHost => {
            let message = format!("no listener of Gateway `{gateway}` has a host of this route");
            Problem::error("spec.hostnames", Cause::NoEffect, message)
        }
    }
}

fn idle(parent: &ParentRef, gateway: &Name) -> Problem {
    let message = format!("what it attaches to is not served itself: Gateway `{gateway}` says why");
    Problem::warning(format!("spec.parentRefs[{}]", parent.to.index), Cause::NoEffect, message)
}

fn missing(given: Given<'_>, parent: &ParentRef, name: &Name) -> Problem {
    let at = format!("spec.parentRefs[{}].name", parent.to.index);
    let problem = Problem::error(at, Cause::ReferenceNotFound, format!("Gateway `{name}` does not exist"));
    let near = nearest(&name.name, given.resources.gateways_like(name));
    problem.hint(suggest(near, || format!("Create a Gateway `{}` in namespace `{}`", name.name, name.namespace)))
}
