//! Where a Service's connections and datagrams go.

use crate::exposed::{exposed, protocol, service_of};
use model::{Backend, Balancing, GatewayId, Host, HostPattern, ListenerProtocol, Source, Timeouts, Tunnel, WeightedBackend};
use resources::{
    Affinity, BackendName, Cause, Kind, PortRef, Problem, Report, Resources, Service, ServicePort, ServiceType, SharedGateway, Traffic,
    Transport,
};
use std::sync::Arc;
use std::time::Duration;

/// A connection may be silent for so long.
const CONNECTION: Duration = Duration::from_secs(3600);
/// A client of datagrams is forgotten after so long.
const DATAGRAMS: Duration = Duration::from_secs(60);
/// Settings of backends whose clients stay where they are.
const STICKY: &str = "client-address";

/// All of one port of a Service's gateway. `None`: the Service is not there, or not to be reached.
pub fn translate_host(
    resources: &Resources,
    gateways: &[SharedGateway],
    (gateway, port): (&GatewayId, u16),
) -> (Option<Host>, Vec<Report>) {
    let service = service_of(gateway).and_then(|name| resources.service(&name));
    let Some(service) = service.filter(|it| exposed(it, gateways).is_some()) else { return (None, Vec::new()) };
    let (mut host, mut problems) = (Host::new(HostPattern::Any), Vec::new());
    for (index, it) in service.ports.iter().enumerate().filter(|(_, it)| it.port == port) {
        match protocol(it) {
            Some(ListenerProtocol::Udp) => host.datagrams = Some(tunnel(service, (index, it), Transport::Udp)),
            Some(_) => host.tunnel = Some(tunnel(service, (index, it), Transport::Tcp)),
            None => problems.push(not_forwarded(index, it)),
        }
    }
    problems.extend(not_kept(service));
    let mut report = Report::new(Kind::Service.object_ref(&service.meta.name));
    report.problems.extend(problems);
    let served = host.tunnel.is_some() || host.datagrams.is_some();
    (served.then_some(host), if report.problems.is_empty() { Vec::new() } else { vec![report] })
}

/// Where what comes to somebody else's port goes on to one of a Service's. `None`: it has no such port.
pub fn tunnel_to(service: &Service, port: &PortRef, transport: Transport, source: Source) -> Option<Tunnel> {
    let is = |it: &&ServicePort| it.protocol == transport.word() && matches!(port, PortRef::Number(number) if it.port == *number);
    let named = |it: &&ServicePort| it.protocol == transport.word() && matches!(port, PortRef::Name(name) if it.name == *name);
    let found = service.ports.iter().enumerate().find(|(_, it)| is(it) || named(it))?;
    // Who may come is said by whoever has the port.
    Some(Tunnel { source, clients: None, ..tunnel(service, found, transport) })
}

fn tunnel(service: &Service, (index, port): (usize, &ServicePort), transport: Transport) -> Tunnel {
    let mut name = BackendName { transport, ..BackendName::new(service.meta.name.clone(), port.port) };
    let balancing = match service.exposure.affinity {
        Affinity::None => Balancing::RoundRobin,
        Affinity::ClientAddress => {
            name.settings = STICKY.into();
            Balancing::ClientAddress
        }
    };
    let backend = Backend { balancing, ..Backend::new(name.id()) };
    Tunnel {
        source: Source { object: Kind::Service.object_ref(&service.meta.name), rule: format!("spec.ports[{index}]").into() },
        backends: vec![WeightedBackend::new(Some(Arc::new(backend)), 1)],
        connect: Timeouts::default().connect,
        idle: if transport == Transport::Udp { DATAGRAMS } else { CONNECTION },
        // Of any other type the field says nothing.
        clients: service.exposure.clients.clone().filter(|_| service.kind == ServiceType::LoadBalancer),
    }
}

fn not_forwarded(index: usize, port: &ServicePort) -> Problem {
    let message = format!("{} is not forwarded, so nothing answers at port {}", port.protocol, port.port);
    Problem::error(format!("spec.ports[{index}].protocol"), Cause::Unsupported, message).hint("Use TCP or UDP")
}

fn not_kept(service: &Service) -> Option<Problem> {
    let message = "endpoints see this machine as the client: connections are passed on by a process here, on this node";
    let problem = || Problem::note("spec.externalTrafficPolicy", Cause::NoEffect, message);
    (service.exposure.traffic == Traffic::Local).then(problem)
}
