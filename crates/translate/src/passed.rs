//! Ports that a gateway passes on as they are: what `spec.tcp` and `spec.udp` of an IngressGateway say, in the form of ingress-nginx's
//! ConfigMaps (`9000: NAMESPACE/SERVICE:PORT`).
//!
//! **Invariant:** a project's gateway leads into its own project alone; only what the platform's admin writes may name any namespace.

use crate::merge::{Filled, sources};
use crate::{Options, listening};
use model::{GatewayId, Host, HostPattern, ListenerProtocol, ObjectRef, Source, Text, Tunnel};
use resources::{Cause, GatewayScope, IngressGateway, Name, PortRef, Problem, Report, Resources, SharedGateway, Transport, WantedPort};
use std::collections::BTreeSet;

/// One of these ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub number: u16,
    pub transport: Transport,
    pub service: Name,
    pub port: PortRef,
    /// Where it is said.
    pub field: Text,
}

/// What a gateway is to pass on, and what is wrong with the rest.
pub(crate) fn of(request: &IngressGateway) -> (Vec<Passed>, Vec<Problem>) {
    let (mut passed, mut problems) = (Vec::<Passed>::new(), Vec::new());
    for (transport, name, map) in [(Transport::Tcp, "tcp", &request.tcp), (Transport::Udp, "udp", &request.udp)] {
        for (key, value) in map {
            match read(request, (key, value), transport, format!("spec.{name}[{key}]").into()) {
                Ok(it) => match passed.iter().find(|other| other.number == it.number) {
                    Some(other) => problems.push(one_for_both(&it, other)),
                    None => passed.push(it),
                },
                Err(problem) => problems.push(problem),
            }
        }
    }
    (passed, problems)
}

fn read(request: &IngressGateway, (key, value): (&Text, &Text), transport: Transport, field: Text) -> Result<Passed, Problem> {
    let Some(number) = key.parse().ok().filter(|it| *it > 0) else {
        let problem = Problem::error(field, Cause::InvalidValue, format!("`{}` is no port", shown(key)));
        return Err(problem.hint("Write a number from 1 to 65535"));
    };
    let mut parts = value.split(':');
    let (place, port, more) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    if more.is_some() {
        let message = "PROXY protocol is not spoken, so nothing listens on this port";
        return Err(Problem::error(field, Cause::Unsupported, message).hint("Leave `:PROXY` out"));
    }
    let (namespace, name) = place.split_once('/').unwrap_or((request.meta.name.namespace.as_str(), place));
    let port = match port.parse() {
        Ok(number) if number > 0 => PortRef::Number(number),
        Err(_) if !port.is_empty() => PortRef::Name(port.into()),
        _ => PortRef::Missing,
    };
    if namespace.is_empty() || name.is_empty() || name.contains('/') || port == PortRef::Missing {
        let problem = Problem::error(field, Cause::InvalidValue, format!("`{}` names no port of a Service", shown(value)));
        return Err(problem.hint("Write `NAMESPACE/SERVICE:PORT`"));
    }
    if request.scope == GatewayScope::Project && *namespace != *request.project {
        let message =
            format!("a project's gateway leads into its own project alone, and `{namespace}` is another: nothing listens on this port");
        return Err(Problem::error(field, Cause::ScopeNotAllowed, message).hint("Name a Service of this project"));
    }
    Ok(Passed { number, transport, service: Name::new(namespace, name), port, field })
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

fn one_for_both(it: &Passed, other: &Passed) -> Problem {
    let message =
        format!("port {} is passed on as {} ({}), and a gateway's port is for one of both", it.number, other.transport.word(), other.field);
    Problem::error(it.field.clone(), Cause::Conflict, message).hint("Take another port, or a Service of type LoadBalancer, which has both")
}

/// The ports a gateway is to have for it.
pub(crate) fn wanted(request: &IngressGateway) -> impl Iterator<Item = WantedPort> {
    of(request).0.into_iter().map(|it| WantedPort {
        number: it.number,
        protocol: it.protocol(),
        name: model::SectionName::new(format!("{}-{}", it.transport.word().to_lowercase(), it.number)),
        owner: request.object_ref(),
        created: request.meta.created,
        field: it.field,
    })
}

/// Every port of these gateways that is passed on.
pub(crate) fn keys<'a>(gateways: &'a [SharedGateway]) -> impl Iterator<Item = model::ShardKey> + 'a {
    let requests = gateways.iter().filter_map(|it| Some((it, it.request.as_ref()?)));
    requests.flat_map(|(gateway, request)| of(request).0.into_iter().map(|it| it.key(&gateway.id)))
}

/// What is wrong with what is passed on, to be told to the gateway's owner.
pub(crate) fn problems(resources: &Resources, request: &IngressGateway) -> Vec<Problem> {
    let (passed, mut problems) = of(request);
    problems.extend(passed.iter().filter_map(|it| tunnel(resources, request, it).err()));
    problems
}

/// The host of a port, where it is passed on; and what is said to others who want the port for a tunnel of their own. `Err`: it is theirs.
pub(crate) fn host(
    resources: &Resources,
    options: &Options,
    (gateway, port): (&GatewayId, u16),
    others: Vec<Filled>,
) -> Result<(Option<Host>, Vec<Report>), Vec<Filled>> {
    let Some(request) = options.shared(gateway).and_then(|it| it.request.as_ref()) else { return Err(others) };
    let Some(it) = of(request).0.into_iter().find(|it| it.number == port) else { return Err(others) };
    let protocol = listening::protocol(resources, options, gateway, port);
    let theirs: BTreeSet<ObjectRef> = others.iter().flat_map(|it| sources(&it.host)).map(|it| it.object.clone()).collect();
    let age = |object: &ObjectRef| resources.meta(object).map(|it| it.created);
    let older = theirs.iter().any(|it| age(it).is_some_and(|it| it < request.meta.created));
    if protocol != Some(it.protocol()) || older {
        return Err(others);
    }
    let reports = theirs.into_iter().map(|object| {
        let mut report = Report::new(object);
        let message = format!("port {port} is that of {}, which passes it on", request.object_ref());
        report.problems.insert(Problem::error("spec", Cause::Conflict, message).hint("Take another port"));
        report
    });
    let tunnel = tunnel(resources, request, &it).ok();
    let host = tunnel.map(|tunnel| match it.transport {
        Transport::Tcp => Host { tunnel: Some(tunnel), ..Host::new(HostPattern::Any) },
        Transport::Udp => Host { datagrams: Some(tunnel), ..Host::new(HostPattern::Any) },
    });
    Ok((host, reports.collect()))
}

fn tunnel(resources: &Resources, request: &IngressGateway, it: &Passed) -> Result<Tunnel, Problem> {
    let Some(service) = resources.service(&it.service) else {
        let message = format!("Service `{}` does not exist, so connections are closed", it.service);
        return Err(Problem::error(it.field.clone(), Cause::ServiceNotFound, message).hint(resources.suggest_service(&it.service)));
    };
    let source = Source { object: request.object_ref(), rule: it.field.clone() };
    translate_service::tunnel_to(service, &it.port, it.transport, source).ok_or_else(|| {
        let message = format!("Service `{}` has no such port for {}, so connections are closed", it.service, it.transport.word());
        Problem::error(it.field.clone(), Cause::PortNotFound, message).hint(service.suggest_port())
    })
}

// === impl Passed ===

impl Passed {
    fn protocol(&self) -> ListenerProtocol {
        match self.transport {
            Transport::Tcp => ListenerProtocol::Tcp,
            Transport::Udp => ListenerProtocol::Udp,
        }
    }

    pub fn key(&self, gateway: &GatewayId) -> model::ShardKey {
        model::ShardKey { gateway: gateway.clone(), port: Some(self.number), host: HostPattern::Any }
    }
}
