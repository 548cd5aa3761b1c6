//! What is said about an object as a whole.

use crate::Context;
use crate::conditions::{Nothing, conditions};
use crate::destination::{Else, is_for};
use crate::servers::{Bound, port_of, selects};
use crate::services::{Place, is_visible};
use crate::told::Told;
use model::{GatewayId, HostPattern, ObjectRef};
use resources::hosts::narrower;
use resources::istio::{GatewayName, IstioHost, Serves};
use resources::{
    Cause, DestinationRule, IstioGateway, Kind, Name, Problem, Report, Severity, SharedGateway, Status, VirtualService, nearest, suggest,
};
use std::collections::BTreeSet;

impl<'a> Context<'a> {
    pub(crate) fn report(self, object: &ObjectRef) -> Option<Report> {
        let name = Name::new(object.namespace.clone(), object.name.clone());
        match Kind::named(&object.kind)? {
            Kind::IstioGateway => self.of_gateway(self.resources.istio_gateway(&name)?),
            Kind::VirtualService => self.of_virtual_service(self.resources.virtual_service(&name)?),
            Kind::DestinationRule => self.of_destination_rule(self.resources.destination_rule(&name)?),
            _ => None,
        }
    }

    // === Gateway ===

    fn of_gateway(self, gateway: &'a std::sync::Arc<IstioGateway>) -> Option<Report> {
        let shared: Vec<&SharedGateway> = self.shared.iter().filter(|shared| selects(gateway, shared)).collect();
        // A selector that cannot be read might mean us.
        if shared.is_empty() && gateway.selector.is_some() {
            return None;
        }
        let mut report = Report::new(Kind::IstioGateway.object_ref(&gateway.meta.name));
        report.problems.extend(gateway.problems.iter().cloned());
        for shared in shared {
            for server in &gateway.servers {
                let (served, problems) = self.server(shared, Bound { gateway, server });
                report.problems.extend(problems);
                if served {
                    report.gateways.insert(shared.id.clone());
                    report.hosts.extend(server.hosts.iter().map(|own| own.host.clone()));
                }
            }
        }
        let nothing = report.gateways.is_empty().then(|| {
            let errors: Vec<&Problem> = report.problems.iter().filter(|it| it.severity == Severity::Error).collect();
            let conflict = !errors.is_empty() && errors.iter().all(|it| it.reason == Cause::Conflict);
            Nothing { reason: if conflict { "Conflicted" } else { "Invalid" }, message: Problem::list(errors).into() }
        });
        report.status = Some(Status::Conditions(conditions(&report.problems, nothing)));
        Some(report)
    }

    /// Whether something of a server is served, and what is wrong with it.
    fn server(self, shared: &'a SharedGateway, bound: Bound<'a>) -> (bool, Vec<Problem>) {
        if let Some(problem) = self.gives_way(shared, bound) {
            return (false, vec![problem]);
        }
        if bound.server.hosts.is_empty() {
            return (false, Vec::new());
        }
        match &bound.server.serves {
            Serves::Http | Serves::Passthrough => (true, Vec::new()),
            Serves::RefusedTls => (false, Vec::new()),
            Serves::Tcp => {
                let waits = self.tcp(shared, bound, &mut Told::default()).is_none().then(|| without_rule(bound, "nothing is listened on"));
                (true, waits.into_iter().collect())
            }
            Serves::Https(tls) => {
                let (shows, _, problems) = self.handshake(shared, bound, tls);
                (shows != model::HostTls::Refuse, problems)
            }
            Serves::Tls(tls) => {
                let (shows, _, mut problems) = self.handshake(shared, bound, tls);
                problems.extend(
                    self.tcp(shared, bound, &mut Told::default()).is_none().then(|| without_rule(bound, "every handshake is refused")),
                );
                (shows != model::HostTls::Refuse, problems)
            }
        }
    }

    // === VirtualService ===

    fn of_virtual_service(self, it: &'a VirtualService) -> Option<Report> {
        let object = Kind::VirtualService.object_ref(&it.meta.name);
        let mut report = Report::new(object.clone());
        let mut told = Told::default();
        let nothing = if it.is_delegate { self.delegate(it, &mut told)? } else { self.root(it, &mut report, &mut told)? };
        if matches!(nothing, Said::NotOurs) {
            return Some(report);
        }
        report.problems.extend(it.problems.iter().cloned());
        report.problems.extend(told.of(&object));
        let nothing = match nothing {
            Said::Nothing(nothing) => Some(nothing),
            Said::Served | Said::NotOurs => None,
        };
        report.status = Some(Status::Conditions(conditions(&report.problems, nothing)));
        Some(report)
    }

    /// What the rules of a VirtualService and of its delegates come to, wherever it is bound.
    fn tell(self, it: &'a VirtualService, told: &mut Told) {
        let object = Kind::VirtualService.object_ref(&it.meta.name);
        let bound = self.places(it);
        let mut places: Vec<Place<'_>> = bound.iter().map(|(shared, bound)| Place::of(shared, *bound)).collect();
        if places.is_empty()
            && let (Some(shared), Some((_, gateway))) = (self.shared.first(), it.bound().next())
        {
            places.push(Place { shared, gateway, port: None });
        }
        let mut seen = BTreeSet::new();
        for place in places {
            if !seen.insert((&place.shared.id, place.gateway, place.port)) {
                continue;
            }
            self.routes(place, it, told);
            for share in it.tls.iter().flat_map(|rule| &rule.route).chain(it.tcp.iter().flat_map(|rule| &rule.route)) {
                self.backend(place, (&share.destination, Else::Closes), &object, told);
            }
        }
    }

    /// `None`: nobody of ours delegates to it.
    fn delegate(self, it: &'a VirtualService, told: &mut Told) -> Option<Said> {
        let roots: Vec<_> = self.resources.roots_of(&it.meta.name).filter(|root| self.concerns(root)).collect();
        if roots.is_empty() {
            return None;
        }
        for root in roots {
            self.tell(root, told);
        }
        Some(Said::Served)
    }

    /// `None`: none of its Gateways is ours.
    fn root(self, it: &'a VirtualService, report: &mut Report, told: &mut Told) -> Option<Said> {
        let mesh = it.gateways.iter().find(|(_, name)| *name == GatewayName::Mesh);
        if it.bound().next().is_none() {
            let field = mesh.map_or("spec.gateways".to_owned(), |(index, _)| format!("spec.gateways[{index}]"));
            let message = "it is for sidecars alone, and there are none here, so it does nothing";
            report.problems.insert(Problem::note(field, Cause::NoEffect, message).hint("Name a Gateway in `gateways`"));
            return Some(Said::NotOurs);
        }
        if !self.concerns(it) {
            return None;
        }
        if let Some((index, _)) = mesh {
            let message = "there are no sidecars here, so this does nothing";
            report.problems.insert(Problem::note(format!("spec.gateways[{index}]"), Cause::NoEffect, message));
        }
        for (index, name) in it.bound().filter(|(_, name)| self.resources.istio_gateway(name).is_none()) {
            report.problems.insert(self.gateway_not_found(index, name));
        }
        self.tell(it, told);
        Some(self.said(it, report))
    }

    /// Whether one of its Gateways selects a gateway of ours, or is not there (and so might).
    pub(crate) fn concerns(self, it: &VirtualService) -> bool {
        it.bound().any(|(_, name)| match self.resources.istio_gateway(name) {
            Some(gateway) => self.shared.iter().any(|shared| selects(gateway, shared)),
            None => true,
        })
    }

    fn gateway_not_found(self, index: usize, name: &Name) -> Problem {
        let problem =
            Problem::error(format!("spec.gateways[{index}]"), Cause::ReferenceNotFound, format!("Gateway `{name}` does not exist"));
        let near = nearest(&name.name, self.resources.istio_gateways_like(name));
        problem.hint(suggest(near, || "A Gateway of another namespace is named `NAMESPACE/NAME`".to_owned()))
    }

    /// Whether anything of it is served.
    fn said(self, it: &'a VirtualService, report: &mut Report) -> Said {
        let places = self.places(it);
        if places.is_empty() {
            return nothing("GatewayNotFound", "none of its Gateways exists");
        }
        let (visible, hidden): (Vec<_>, Vec<_>) = places.into_iter().partition(|(shared, _)| is_visible(shared, it));
        if let Some((shared, _)) = hidden.first() {
            let message = format!("it is not exported to namespace `{}`, where the gateway runs", shared.namespace);
            report
                .problems
                .insert(Problem::warning("spec.exportTo", Cause::NoEffect, message).hint("Add the namespace, or leave `exportTo` out"));
        }
        if visible.is_empty() {
            return nothing("NotExported", "it is not exported to the namespace where the gateway runs");
        }
        let unmet = self.unmet(it, &visible);
        let met = unmet.len() < it.hosts.len();
        report.problems.extend(unmet);
        if !met {
            return nothing("HostNotInGateway", "no server of its Gateways has one of its hosts");
        }
        let overlapping = visible.into_iter().filter(|(_, bound)| self.overlap(it, *bound));
        let is_served = |(shared, bound): &(&'a SharedGateway, Bound<'a>)| {
            bound.server.serves != Serves::RefusedTls && self.gives_way(shared, *bound).is_none()
        };
        let served: Vec<_> = overlapping.filter(is_served).collect();
        if served.is_empty() {
            return nothing("ServerNotServed", "none of the servers it is for is served; their Gateways say why");
        }
        let fits = |bound: &Bound<'_>| match &bound.server.serves {
            Serves::Http | Serves::Https(_) => !it.http.is_empty(),
            Serves::Passthrough => !it.tls.is_empty(),
            Serves::Tls(_) | Serves::Tcp => !it.tcp.is_empty(),
            Serves::RefusedTls => false,
        };
        let fitting: Vec<_> = served.into_iter().filter(|(_, bound)| fits(bound)).collect();
        if fitting.is_empty() {
            return nothing(
                "NoMatchingRule",
                "it has no rule of the kind that the servers of its Gateways want: `http` for HTTP and HTTPS, `tls` for PASSTHROUGH, `tcp` for TCP and for TLS that is terminated",
            );
        }
        for (shared, bound) in &fitting {
            report.problems.extend(self.taken_by_nearer(shared, *bound, it));
        }
        let gateways: BTreeSet<GatewayId> = fitting.iter().map(|(shared, _)| shared.id.clone()).collect();
        report.gateways.extend(gateways);
        Said::Served
    }

    /// Hosts that no server of its Gateways has, each once.
    fn unmet(self, it: &VirtualService, visible: &[(&'a SharedGateway, Bound<'a>)]) -> Vec<Problem> {
        let met = |full: &HostPattern| visible.iter().any(|(_, bound)| self.host_overlaps(it, full, *bound));
        let unmet = it.hosts.iter().filter(|(_, host)| !met(&host.full(&self.options.domain)));
        let problem = |(index, host): &(usize, IstioHost)| {
            let message = format!("no server of its Gateways has host `{}`, so it does nothing there", host.text);
            let problem = Problem::warning(format!("spec.hosts[{index}]"), Cause::NoEffect, message);
            problem.hint("Add the host to a server of the Gateway (also as `NAMESPACE/HOST` for this namespace)")
        };
        unmet.map(problem).collect()
    }

    /// Hosts for which another server of TLS has a nearer host: its VirtualServices alone are asked.
    fn taken_by_nearer(self, shared: &'a SharedGateway, bound: Bound<'a>, it: &VirtualService) -> Vec<Problem> {
        if !matches!(bound.server.serves, Serves::Https(_)) {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (index, host) in &it.hosts {
            let full = host.full(&self.options.domain);
            for own in bound.server.hosts.iter().filter(|own| own.is_for(&it.meta.name.namespace)) {
                let Some(name) = narrower(&own.host, &full) else { continue };
                let owner = self.tls_server(shared, port_of(shared, bound.server.port), name);
                let others = |owner: &Bound<'_>| it.bound().all(|(_, name)| *name != owner.gateway.meta.name);
                let Some(owner) = owner.filter(others) else { continue };
                let message = format!(
                    "`{name}` on port {} belongs to {} of {}, whose host is nearer to the name, so this is not asked there",
                    owner.server.port,
                    owner.field(),
                    owner.object()
                );
                let problem = Problem::warning(format!("spec.hosts[{index}]"), Cause::NoEffect, message);
                problems.push(problem.hint("Name that Gateway in `gateways`"));
            }
        }
        problems
    }

    // === DestinationRule ===

    fn of_destination_rule(self, rule: &'a DestinationRule) -> Option<Report> {
        let domain = &self.options.domain;
        let selected = |shared: &SharedGateway| rule.is_for_workload(rule.meta.name.namespace == shared.namespace, &shared.labels);
        if !self.shared.iter().any(selected) {
            return None;
        }
        let concerned = |service: &Name| {
            let virtual_services = self.resources.virtual_services_of_service(service);
            virtual_services.into_iter().any(|it| {
                if it.is_delegate { self.resources.roots_of(&it.meta.name).any(|root| self.concerns(root)) } else { self.concerns(it) }
            })
        };
        let one = rule.service.service(domain);
        let ours = match one {
            Some(service) => concerned(service),
            None => self.resources.destination_services().filter(|service| is_for(rule, service, domain)).any(concerned),
        };
        if !ours {
            return None;
        }
        let mut report = Report::new(Kind::DestinationRule.object_ref(&rule.meta.name));
        report.problems.extend(rule.problems.iter().cloned());
        if let Some(service) = one {
            self.of_service(rule, service, &mut report);
        }
        report.status = Some(Status::Conditions(conditions(&report.problems, None)));
        Some(report)
    }

    fn of_service(self, rule: &DestinationRule, service: &Name, report: &mut Report) {
        if self.resources.service(service).is_none() {
            let message = format!("Service `{service}` does not exist");
            let problem = Problem::error("spec.host", Cause::ServiceNotFound, message);
            let near = nearest(&service.name, self.resources.services_like(service));
            let short = || format!("A short name is one of namespace `{}`", rule.meta.name.namespace);
            report.problems.insert(problem.hint(suggest(near, short)));
            return;
        }
        for shared in self.shared {
            if rule.export_to.sees(&rule.meta.name.namespace, &shared.namespace).is_none() {
                let message = format!("it is not exported to namespace `{}`, where the gateway runs", shared.namespace);
                report.problems.insert(Problem::note("spec.exportTo", Cause::NoEffect, message));
                continue;
            }
            report.problems.extend(self.rules_of(shared, service).in_vain(rule));
        }
        for subset in rule.subsets.iter().filter(|subset| !subset.labels.is_empty() && !subset.closed) {
            let mut slices = self.resources.slices_of(service).flat_map(|slice| &slice.endpoints);
            let selected = slices
                .any(|endpoint| endpoint.pod.as_ref().and_then(|pod| self.resources.pod(pod)).is_some_and(|pod| pod.has(&subset.labels)));
            if !selected {
                let labels: Vec<String> = subset.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let message =
                    format!("no Pod of Service `{service}` has the labels {}, so nothing can be sent to the subset", labels.join(", "));
                report.problems.insert(Problem::warning(
                    format!("spec.subsets[{}].labels", subset.index),
                    Cause::ReferenceNotFound,
                    message,
                ));
            }
        }
    }
}

fn without_rule(bound: Bound<'_>, so: &str) -> Problem {
    let message = format!("no VirtualService has a rule for TCP here, so {so}");
    Problem::note(bound.field(), Cause::NoEffect, message)
        .hint("Add a VirtualService with `tcp` that names this Gateway and one of the server's hosts")
}

/// What comes of a VirtualService.
enum Said {
    /// It is for sidecars.
    NotOurs,
    Nothing(Nothing),
    Served,
}

fn nothing(reason: &'static str, message: &str) -> Said {
    Said::Nothing(Nothing { reason, message: message.into() })
}
