//! Which gateways there are to be, and where each listens.

use crate::{Options, Services, requests, tracing};
use model::{GatewayId, GatewayOptions, ListenerProtocol, ObjectRef, Replies, SectionName, Tracing};
use resources::{Cause, IngressGateway, Problem, Report, Resources, Wanted, WantedPort, Workload};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use translate_service::Exposed;

/// Ports of all gateways together, beside those a shared one has by itself: each takes a socket of every worker at every address, and node
/// ports, and who asks for many must not leave the others none.
pub const MOST_PORTS: usize = 1024;

/// Every gateway that objects ask something of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    pub gateways: BTreeMap<GatewayId, Listens>,
    /// Services that are to be reached from outside.
    pub services: BTreeMap<GatewayId, Exposed>,
}

/// Where one gateway listens, beside the ports that a shared one has by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listens {
    /// `None`: a shared gateway.
    pub workload: Option<Workload>,
    /// Who says how a shared one is to be; `None`: nobody does.
    pub request: Option<Arc<IngressGateway>>,
    pub ports: BTreeMap<u16, Port>,
    pub replies: Replies,
    /// What of its requests is traced.
    pub tracing: Option<Arc<Tracing>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub protocol: ListenerProtocol,
    pub name: SectionName,
    pub owners: BTreeSet<ObjectRef>,
}

/// What objects ask for, put together; of two that want a port for different things, the older has it and the younger is told.
pub fn listening(resources: &Resources, options: &Options) -> (Listening, Vec<Report>) {
    let istio = translate_istio::wanted(resources, &options.istio, &options.gateways);
    let gateway_api = translate_gateway_api::wanted(resources, &options.gateway_api, &options.gateways);
    let (mut listening, reports) = settle(options, istio.into_iter().chain(gateway_api).chain(requests::wanted(options)));
    for (id, request) in options.gateways.iter().filter_map(|it| Some((&it.id, it.request.as_ref()?))) {
        if let Some(listens) = listening.gateways.get_mut(id) {
            listens.tracing = tracing::tracing(request, options).map(Arc::new);
        }
    }
    if options.services == Services::Forwarded {
        let exposed = resources.services().filter_map(|it| translate_service::exposed(it, &options.gateways));
        listening.services = exposed.map(|it| (translate_service::gateway_id(&it.service), it)).collect();
    }
    (listening, reports)
}

fn settle(options: &Options, wanted: impl IntoIterator<Item = Wanted>) -> (Listening, Vec<Report>) {
    let (mut listening, mut ports) = (Listening::default(), BTreeMap::<GatewayId, Vec<WantedPort>>::new());
    for Wanted { gateway, workload, request, ports: wanted, replies } in wanted {
        ports.entry(gateway.clone()).or_default().extend(wanted);
        let empty = || Listens { workload: None, request: None, ports: BTreeMap::new(), replies, tracing: None };
        let listens = listening.gateways.entry(gateway).or_insert_with(empty);
        listens.workload = listens.workload.take().or(workload);
        listens.request = listens.request.take().or(request);
    }
    let mut wanted: Vec<(&GatewayId, WantedPort)> =
        ports.iter_mut().flat_map(|(gateway, wanted)| wanted.drain(..).map(move |port| (gateway, port))).collect();
    wanted.sort_by(|(at, a), (of, b)| (a.created, &a.owner, a.number, at).cmp(&(b.created, &b.owner, b.number, of)));
    let (mut reports, mut taken) = (Vec::new(), 0);
    for (gateway, port) in wanted {
        let Some(listens) = listening.gateways.get_mut(gateway) else { continue };
        let own = options.shared(gateway).map(|shared| [(shared.http, ListenerProtocol::Http), (shared.https, ListenerProtocol::Https)]);
        let own = own.iter().flatten().find(|(number, _)| *number == port.number);
        if let Some((_, protocol)) = own.filter(|(_, protocol)| *protocol != port.protocol) {
            reports.push(conflict(&port, *protocol, "the gateway's own listener for Ingresses"));
            continue;
        }
        let another = own.is_none() && !listens.ports.contains_key(&port.number);
        if another && taken == MOST_PORTS {
            reports.push(too_many(&port));
            continue;
        }
        taken += usize::from(another);
        reports.extend(listens.add(port));
    }
    (listening, reports)
}

/// What a port of a gateway is, after all conflicts.
pub(crate) fn protocol(resources: &Resources, options: &Options, gateway: &GatewayId, port: u16) -> Option<ListenerProtocol> {
    let (listening, _) = listening(resources, options);
    listening.gateways.get(gateway)?.ports.get(&port).map(|it| it.protocol)
}

// === impl Listens ===

impl Listens {
    /// What holds for every request.
    pub fn options(&self) -> Arc<GatewayOptions> {
        let asked = self.request.as_deref().map(translate_ingress::gateway_options).unwrap_or_default();
        Arc::new(GatewayOptions { tracing: self.tracing.clone(), ..asked })
    }

    fn add(&mut self, wanted: WantedPort) -> Option<Report> {
        let WantedPort { number, protocol, ref name, ref owner, .. } = wanted;
        let port = self.ports.entry(number).or_insert_with(|| Port { protocol, name: name.clone(), owners: BTreeSet::new() });
        if port.protocol != protocol {
            let first = port.owners.first().map(ToString::to_string).unwrap_or_default();
            return Some(conflict(&wanted, port.protocol, &first));
        }
        port.owners.insert(owner.clone());
        None
    }
}

fn conflict(wanted: &WantedPort, protocol: ListenerProtocol, owner: &str) -> Report {
    let message = format!("port {} is {} of {owner}, which was there first", wanted.number, shown(protocol));
    let mut report = Report::new(wanted.owner.clone());
    let problem = Problem::error(wanted.field.clone(), Cause::Conflict, message);
    report.problems.insert(problem.hint("Take another port"));
    report
}

fn too_many(wanted: &WantedPort) -> Report {
    let message = format!("port {} is not listened on: older objects have {MOST_PORTS} ports already", wanted.number);
    let mut report = Report::new(wanted.owner.clone());
    let problem = Problem::error(wanted.field.clone(), Cause::Conflict, message);
    report.problems.insert(problem.hint("Take a port that is there already, or delete some"));
    report
}

fn shown(protocol: ListenerProtocol) -> &'static str {
    match protocol {
        ListenerProtocol::Http => "HTTP",
        ListenerProtocol::Https => "TLS",
        ListenerProtocol::Tcp => "TCP",
        ListenerProtocol::Udp => "UDP",
    }
}

#[cfg(test)]
mod tests;
