//! Which route answers a request, from which object and rule, and why the others do not.
//!
//! ```text
//! URL ─► the gateway that listens there ─► its listener ─► Explanation (crate route) ─► told as text, JSON
//!                                                     └─► absent: objects for this host that have no route here
//! ```

mod absent;
mod near;
mod tell;
mod way;

use crate::Asked;
use crate::served::{Served, ServedGateway, ServedListener};
use filter::{Context, Edits, Flow};
use model::{Action, Binding, ClientAuth, ListenerProtocol, Scheme, Tunnel};
use route::{CompiledRoute, Explanation, GatewayTable, Headers, Lookup, Outcome, Request, Shown};

/// In the place of a backend that a route names and that is not there.
const NO_BACKEND: &str = "none: it does not exist, or may not be used";

/// All there is to tell about a request.
pub struct Answer<'a> {
    served: &'a Served,
    asked: &'a Asked,
    /// Where it arrives. `None`: no gateway listens there.
    arrival: Option<Arrival<'a>>,
    /// Other gateways that listen at this port and have a route for it.
    elsewhere: Vec<&'a ServedGateway>,
}

/// A request at one gateway.
struct Arrival<'a> {
    gateway: &'a ServedGateway,
    listener: &'a ServedListener,
    binding: Option<Binding>,
    explanation: Explanation,
    route: Option<&'a CompiledRoute>,
    flow: Option<Flow>,
    /// What the backend gets, if it is not what was asked: target, host.
    sent: (Option<String>, Option<String>),
    /// What a TLS handshake for the host finds.
    handshake: Option<Handshake<'a>>,
}

enum Handshake<'a> {
    Shown { certificate: &'a str, client: &'a ClientAuth },
    Refused,
    PassedOn(Option<&'a Tunnel>),
}

struct AskedHeaders<'a>(&'a Asked);

impl Headers for AskedHeaders<'_> {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        self.0.headers.iter().find(|(name, _)| name == lower_name).map(|(_, value)| value.as_bytes())
    }
    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        self.0.headers.iter().filter(|(name, _)| name == lower_name).for_each(|(_, value)| f(value.as_bytes()));
    }
}

// === impl Answer ===

impl<'a> Answer<'a> {
    /// At the gateway asked for, else at the one whose address the URL has, else at the first that listens there and has a route.
    pub fn find(served: &'a Served, asked: &'a Asked, gateway: Option<&str>) -> Self {
        let named: Vec<&ServedGateway> = served.gateways.iter().filter(|it| gateway.is_none_or(|id| it.is_called(id))).collect();
        let addressed: Vec<&ServedGateway> = named.iter().copied().filter(|it| it.has_address(&asked.at)).collect();
        let candidates = if addressed.is_empty() { named } else { addressed };
        let mut arrivals: Vec<Arrival<'a>> = candidates.into_iter().filter_map(|it| Arrival::at(served, asked, it)).collect();
        let answers = |it: &Arrival<'_>| it.route.is_some() || matches!(it.handshake, Some(Handshake::PassedOn(_)));
        let first = arrivals.iter().position(answers).or_else(|| arrivals.iter().position(|it| !it.explanation.hosts.is_empty()));
        let arrival = (!arrivals.is_empty()).then(|| arrivals.swap_remove(first.unwrap_or(0)));
        let elsewhere = arrivals.iter().filter(|it| answers(it)).map(|it| it.gateway).collect();
        Self { served, asked, arrival, elsewhere }
    }

    /// Backends with their weights and ready endpoints.
    fn backends(&self, backends: &[model::WeightedBackend]) -> Vec<(String, u32, Vec<String>)> {
        let backend = |it: &model::WeightedBackend| {
            let id = it.backend.as_ref().map(|it| &it.id);
            let endpoints = id.and_then(|id| self.served.endpoints.get(id)).into_iter().flatten().map(|it| it.address.to_string());
            let shown = id.map_or_else(|| NO_BACKEND.to_owned(), ToString::to_string);
            (shown, it.weight, endpoints.collect())
        };
        backends.iter().map(backend).collect()
    }

    /// Where the request goes, if it goes on.
    fn forwarded(&self) -> &[model::WeightedBackend] {
        let Some(arrival) = &self.arrival else { return &[] };
        match (&arrival.handshake, arrival.route.map(CompiledRoute::action)) {
            (Some(Handshake::PassedOn(tunnel)), _) => tunnel.map_or(&[], |it| &it.backends),
            (Some(Handshake::Refused), _) => &[],
            (_, Some(Action::Forward(forward))) => &forward.backends,
            _ => &[],
        }
    }

    /// Status, reason and location of an answer that the gateway gives itself.
    fn own_answer(&self) -> Option<(u16, String, Option<String>)> {
        let arrival = self.arrival.as_ref()?;
        if matches!(arrival.handshake, Some(Handshake::PassedOn(_) | Handshake::Refused)) {
            return None;
        }
        match (&arrival.explanation.outcome, &arrival.flow) {
            (_, Some(Flow::Respond(reply))) => Some((reply.status, reply.reason.word().to_owned(), reply.location.clone())),
            (_, Some(Flow::Continue)) => {
                let Some(Action::Forward(forward)) = arrival.route.map(CompiledRoute::action) else { return None };
                let unresolved = forward.backends.iter().all(|it| it.backend.is_none());
                let empty = self.backends(&forward.backends).iter().all(|(_, _, endpoints)| endpoints.is_empty());
                match (unresolved, empty) {
                    (true, _) => Some((forward.unresolved, "no-backend".into(), None)),
                    (false, true) => Some((503, "no-endpoints".into(), None)),
                    (false, false) => None,
                }
            }
            (Outcome::OverBudget { .. }, None) => Some((400, "bad-request".into(), None)),
            (_, None) => Some((404, "no-route".into(), None)),
        }
    }
}

// === impl Arrival ===

impl<'a> Arrival<'a> {
    /// `None`: this gateway has no listener at the URL's port.
    fn at(served: &'a Served, asked: &Asked, gateway: &'a ServedGateway) -> Option<Self> {
        let protocol = if asked.scheme == Scheme::Http { ListenerProtocol::Http } else { ListenerProtocol::Https };
        let listener = gateway.listener(protocol, asked.port).or_else(|| gateway.listener(ListenerProtocol::Tcp, asked.port))?;
        let headers = AskedHeaders(asked);
        let request = Request {
            method: &asked.method,
            scheme: asked.scheme,
            port: listener.port,
            host: &asked.host,
            authority: &asked.authority,
            path: &asked.path,
            query: asked.query.as_deref(),
            headers: &headers,
        };
        let all: Option<&'a GatewayTable> = served.snapshot.gateway(&gateway.id).map(AsRef::as_ref);
        // Of a connection to a TCP port nothing is read.
        let table = all.filter(|_| listener.protocol != ListenerProtocol::Tcp);
        let nothing = || Explanation { hosts: Vec::new(), outcome: Outcome::NoRoute };
        let explanation = table.map_or_else(nothing, |it| it.explain(&request));
        let route = table.and_then(|it| match it.find(&request) {
            Lookup::Route(route) => Some(&**route),
            Lookup::Miss { .. } | Lookup::OverBudget { .. } => None,
        });
        let binding = gateway.binding(listener, asked.port);
        let mut edits = Edits::default();
        let context = Context {
            raw_target: &asked.target,
            https_port: binding.and_then(|it| it.https_port),
            certificate_known: &|| table.is_some_and(|it| it.knows_certificate(&asked.host)),
            // What is for a share of requests is not for this one, unless it is for all.
            chance: &|| 999_999,
        };
        let flow = route.map(|it| filter::run(it, &request, &context, &mut edits));
        let sent = (edits.target().map(str::to_owned), route.and_then(|it| edits.host(it)).map(str::to_owned));
        let handshake = match listener.protocol {
            ListenerProtocol::Http | ListenerProtocol::Udp => None,
            ListenerProtocol::Https => table.map(|it| handshake(it, listener, &asked.host)),
            ListenerProtocol::Tcp => all.map(|it| Handshake::PassedOn(it.tunnel(listener.port))),
        };
        Some(Self { gateway, listener, binding, explanation, route, flow, sent, handshake })
    }
}

fn handshake<'a>(table: &'a GatewayTable, listener: &ServedListener, host: &str) -> Handshake<'a> {
    let server = table.server(listener.port, Some(host));
    match server.shown {
        Shown::Passthrough => Handshake::PassedOn(server.tunnel),
        Shown::Certificate(certificate) => Handshake::Shown { certificate: &certificate.origin, client: &server.policy.client },
        Shown::Refuse | Shown::Close => Handshake::Refused,
    }
}
