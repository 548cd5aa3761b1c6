//! Gateway.

use super::listener::{self, Said};
use super::{has_a_rule, overlap};
use crate::attach::is_attached;
use crate::given::Given;
use crate::listener::{Judged, judged};
use crate::ours::{Ours, ours};
use crate::place::{Nowhere, Verdict, place, served_by};
use crate::wanted::{SERVICE_TYPE, access};
use resources::{Cause, Condition, Gateway, GatewayRoute, GatewayStatus, Kind, Name, Problem, Report, Status, Truth};

pub(super) fn report(given: Given<'_>, name: &Name) -> Option<Report> {
    let ours = ours(given, given.resources.gateway(name)?)?;
    let gateway = ours.gateway;
    let mut report = Report::new(Kind::Gateway.object_ref(name));
    report.problems.extend(gateway.problems.iter().cloned());
    report.problems.extend(own_problems(ours));
    report.gateways.extend(served_by(given, ours));
    let nowhere = place(given, ours).err();
    report.problems.extend(nowhere.iter().map(|it| it.problem.clone()));
    let judged = judged(given, ours);
    let said: Vec<Said> = judged.iter().map(|it| listener::said(given, gateway, it)).collect();
    let conditions = conditions(gateway, nowhere.as_ref(), &said);
    let mut listeners = Vec::new();
    for ((it, said), attached) in judged.iter().zip(said).zip(attached(given, gateway, &judged)) {
        let mut status = said.status(it, attached, nowhere.is_some());
        status.conditions.extend(overlap::condition(given, gateway, it, &judged));
        report.problems.extend(said.problems);
        listeners.push(status);
    }
    report.status = Some(Status::Gateway(GatewayStatus { conditions, listeners }));
    Some(report)
}

fn own_problems(ours: Ours<'_>) -> Vec<Problem> {
    let gateway = ours.gateway;
    let mut problems = Vec::new();
    if ours.class.is_none() {
        let message = format!("GatewayClass `{}` does not exist", gateway.class);
        problems.push(Problem::error("spec.gatewayClassName", Cause::ClassNotFound, message));
    }
    if access(gateway).is_none() {
        let field = format!("metadata.annotations[{SERVICE_TYPE}]");
        let problem = Problem::error(field, Cause::InvalidValue, "this type of a Service is not known, so LoadBalancer is taken");
        problems.push(problem.hint("Write LoadBalancer, NodePort or ClusterIP"));
    }
    for (index, port, _) in &gateway.frontend.per_port {
        if !gateway.listeners.iter().any(|listener| listener.port == *port) {
            let message = format!("no listener has port {port}");
            problems.push(Problem::warning(format!("spec.tls.frontend.perPort[{index}].port"), Cause::NoEffect, message));
        }
    }
    problems
}

/// How many routes attach to each listener, whether or not it serves them.
fn attached(given: Given<'_>, gateway: &Gateway, judged: &[Judged<'_>]) -> Vec<u32> {
    let mut counts = vec![0; judged.len()];
    for kind in GatewayRoute::KINDS.into_iter().filter(|kind| judged.iter().any(|it| it.takes(*kind))) {
        for route in given.resources.routes_of_gateway(kind, &gateway.meta.name).filter(|route| has_a_rule(given, route)) {
            for (count, it) in counts.iter_mut().zip(judged) {
                *count += u32::from(is_attached(given, &route, gateway, it));
            }
        }
    }
    counts
}

fn conditions(gateway: &Gateway, nowhere: Option<&Nowhere>, said: &[Said]) -> Vec<Condition> {
    let bad: Vec<&Problem> = said.iter().filter_map(|it| it.not_accepted()).collect();
    let mut conditions = Vec::new();
    match nowhere {
        Some(Nowhere { verdict: Verdict::NotAccepted(reason), problem }) => {
            conditions.push(Condition::new("Accepted", Truth::False, *reason, problem.to_string()));
            conditions.push(Condition::new("Programmed", Truth::False, "Invalid", problem.to_string()));
        }
        _ if bad.len() == said.len() => {
            let message = if said.is_empty() { "spec.listeners: there is none".to_owned() } else { Problem::list(bad) };
            conditions.push(Condition::new("Accepted", Truth::False, "ListenersNotValid", message.clone()));
            conditions.push(Condition::new("Programmed", Truth::False, "Invalid", message));
        }
        other => {
            let (reason, message) = match bad.is_empty() {
                true => ("Accepted", "the Gateway is accepted".to_owned()),
                false => ("ListenersNotValid", Problem::list(bad)),
            };
            conditions.push(Condition::new("Accepted", Truth::True, reason, message));
            if let Some(Nowhere { verdict: Verdict::NotProgrammed(reason), problem }) = other {
                conditions.push(Condition::new("Programmed", Truth::False, *reason, problem.to_string()));
            }
        }
    }
    conditions.push(match &gateway.client_certificate {
        None => Condition::new("ResolvedRefs", Truth::True, "ResolvedRefs", "all references are resolved"),
        Some(_) => {
            let message = "spec.tls.backend.clientCertificateRef: backends are spoken to without TLS, so no certificate is shown to them";
            Condition::new("ResolvedRefs", Truth::False, "InvalidClientCertificateRef", message)
        }
    });
    if said.iter().any(|it| it.insecure) {
        let message = "clients come in with certificates that no authority vouches for, or with none";
        conditions.push(Condition::new("InsecureFrontendValidationMode", Truth::True, "ConfigurationChanged", message));
    }
    conditions
}
