//! What a request gets, through a data plane in this process.

use crate::trusting;
use model::{
    BackendId, Binding, Certificate, Endpoint, Gateway, GatewayId, GatewayOptions, Listener, ListenerProtocol, Replies, SectionName, Update,
};
use proxy::Dataplane;
use resources::{Name, Resources};
use route::{Headers, Lookup, Request};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use testkit::certificates::Authority;
use testkit::client::Connection;
use testkit::origin::Origin;
use testkit::probe::{self, Answer};
use tokio::runtime::Runtime;
use translate::{InUse, Listening, Options, Translation, endpoints, translate};

/// A running data plane, and an origin for each backend that has endpoints.
pub struct Asked {
    dataplane: Dataplane,
    /// The gateway that is there whoever asks.
    shared: GatewayId,
    /// By gateway and the port that users ask for.
    sockets: BTreeMap<(GatewayId, u16), SocketAddr>,
    origins: BTreeMap<BackendId, Origin>,
    _runtime: Runtime,
}

struct Fields<'a>(&'a probe::Request);

impl Headers for Fields<'_> {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        let mut fields = self.0.headers.iter();
        fields.find(|(name, _)| name.eq_ignore_ascii_case(lower_name)).map(|(_, value)| value.as_bytes())
    }

    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        let fields = self.0.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(lower_name));
        fields.for_each(|(_, value)| f(value.as_bytes()));
    }
}

impl Asked {
    pub fn of(resources: &Resources, options: &Options) -> Self {
        let shared = options.gateways[0].id.clone();
        let Translation { shards, listening, .. } = translate(resources, options);
        let mut in_use = InUse::default();
        for (key, shard) in &shards {
            in_use.update(key, Some(shard));
        }
        // Whatever its addresses: a backend with endpoints has one origin, one without has none.
        let served = in_use.iter().filter(|id| !endpoints(resources, options, id).0.is_empty());
        let origins: BTreeMap<BackendId, Origin> = served.map(|id| (id.clone(), Origin::recording())).collect();
        let endpoints = in_use.iter().map(|id| {
            let addresses: Vec<Endpoint> = origins.get(id).iter().map(|origin| Endpoint { address: origin.address() }).collect();
            (id.clone(), Some(addresses.into()))
        });
        let update = Update {
            endpoints: endpoints.collect(),
            gateways: gateways(&shared, &listening).into_iter().map(|it| (it.id.clone(), Some(Arc::new(it)))).collect(),
            shards: shards.into_iter().map(|(key, shard)| (key, Some(shard))).collect(),
            ..Update::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let dataplane = proxy::start(proxy::Options { workers: NonZeroUsize::new(1), ..proxy::Options::default() }).expect("it starts");
        let ack = runtime.block_on(dataplane.apply(update));
        assert!(ack.nacks.is_empty(), "what is translated is served: {:?}", ack.nacks);
        let sockets = ack.bindings.iter().map(|it| {
            let port = it.listener.as_str().parse().expect("listeners are named by their port");
            ((it.gateway.clone(), port), it.bound.clone().expect("it is bound"))
        });
        let sockets = sockets.collect();
        Self { dataplane, shared, sockets, origins, _runtime: runtime }
    }

    pub fn ask(&self, probe: &probe::Request) -> Result<Answer, String> {
        let (gateway, port, socket) = self.door(probe)?;
        let probe = &without_gateway(probe);
        let before: Vec<usize> = self.origins.values().map(|origin| origin.requests().len()).collect();
        let response = match probe.scheme {
            probe::Scheme::Http => Connection::open(socket).send(probe.octets()).any_response(&probe.method),
            probe::Scheme::Https => trusting::open(socket, probe.host()).send(probe.octets()).any_response(&probe.method),
        };
        // `< 000`: the connection ended without an answer, as after a handshake that failed.
        let Ok(response) = response else { return Ok(Answer::default()) };
        let mut answer = Answer { status: response.status, headers: response.head.fields, ..Answer::default() };
        answer.route = self.route(probe, &gateway, port);
        let asked = self.origins.iter().zip(before).find(|((_, origin), before)| origin.requests().len() > *before);
        if let Some(((id, origin), _)) = asked {
            let head = origin.requests().pop().ok_or("it was recorded")?.head;
            answer.backend = Some(id.to_string());
            answer.target = Some(head.target().to_owned());
            answer.saw = head.fields;
        }
        Ok(answer)
    }

    /// Where a probe goes: to the port of its URL, or where nobody has that, to the one of its scheme; of the gateway that its field `gateway`
    /// names, else of the first that objects asked for and that has it, else of the shared one.
    fn door(&self, probe: &probe::Request) -> Result<(GatewayId, u16, SocketAddr), String> {
        let of_scheme = match probe.scheme {
            probe::Scheme::Http => 80,
            probe::Scheme::Https => 443,
        };
        let written = probe.authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = written.filter(|port| self.sockets.keys().any(|(_, number)| number == port)).unwrap_or(of_scheme);
        let named = probe.headers.iter().find(|(name, _)| name == GATEWAY).map(|(_, value)| GatewayId::new(value.clone()));
        let other = self.sockets.keys().find(|(id, number)| *number == port && *id != self.shared).map(|(id, _)| id.clone());
        let gateway = named.or(other).unwrap_or_else(|| self.shared.clone());
        let socket = self.sockets.get(&(gateway.clone(), port)).ok_or_else(|| format!("{gateway} does not listen on {port}"))?;
        Ok((gateway, port, *socket))
    }

    /// The route that the data plane's own table names.
    fn route(&self, probe: &probe::Request, gateway: &GatewayId, port: u16) -> Option<String> {
        let snapshot = self.dataplane.snapshot();
        let (path, query) = probe.target.split_once('?').map_or((probe.target.as_str(), None), |(path, query)| (path, Some(query)));
        let path = http1::canonical_path(path.as_bytes()).ok()?;
        let scheme = match probe.scheme {
            probe::Scheme::Http => model::Scheme::Http,
            probe::Scheme::Https => model::Scheme::Https,
        };
        let (host, fields) = (probe.host().to_ascii_lowercase(), Fields(probe));
        let headers = &fields;
        let request = Request { method: &probe.method, scheme, port, host: &host, authority: &host, path: &path, query, headers };
        match snapshot.gateway(gateway)?.find(&request) {
            Lookup::Route(route) => Some(format!("{} {}", route.source().object, route.source().rule)),
            Lookup::Miss { .. } | Lookup::OverBudget { .. } => None,
        }
    }
}

/// The probe's field that names a gateway; it is not sent.
const GATEWAY: &str = "gateway";

fn without_gateway(probe: &probe::Request) -> probe::Request {
    let mut probe = probe.clone();
    probe.headers.retain(|(name, _)| name != GATEWAY);
    probe
}

/// How its own replies look, and what holds for all requests.
type Said = (Replies, Arc<GatewayOptions>);

/// The shared gateway with its two ports, and what objects ask for.
fn gateways(shared: &GatewayId, listening: &Listening) -> Vec<Gateway> {
    let own = [(80, ListenerProtocol::Http), (443, ListenerProtocol::Https)];
    let mut gateways = vec![gateway(shared, own.into(), Said::default())];
    for (id, listens) in &listening.gateways {
        let ports = listens.ports.iter().map(|(port, it)| (*port, it.protocol));
        if id == shared {
            gateways[0] = gateway(shared, own.into_iter().chain(ports).collect(), (Replies::default(), listens.options()));
        } else {
            gateways.push(gateway(id, ports.collect(), (listens.replies.clone(), listens.options())));
        }
    }
    gateways
}

fn gateway(id: &GatewayId, ports: BTreeMap<u16, ListenerProtocol>, (replies, options): Said) -> Gateway {
    let listener = |(port, protocol): (u16, ListenerProtocol)| Listener {
        name: SectionName::new(port.to_string()),
        protocol,
        port,
        bindings: vec![Binding { address: SocketAddr::from(([127, 0, 0, 1], 0)), https_port: None }],
    };
    let listeners = ports.into_iter().map(listener).collect();
    Gateway { id: id.clone(), listeners, default_certificate: Some(default_certificate()), replies, options }
}

fn default_certificate() -> Arc<Certificate> {
    let pair = Authority::new().issue(&["default.test"]);
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "default", "namespace": "demo"},
        "stringData": {"tls.crt": pair.chain_pem, "tls.key": pair.key_pem},
    });
    let resources = Resources::of([&secret]);
    let secret = resources.secret(&Name::new("demo", "default")).expect("it is there");
    secret.certificate.clone().expect("a good pair")
}
