//! What a request gets, through a data plane in this process.

use crate::trusting;
use model::{Ack, BackendId, Binding, Certificate, Endpoint, Gateway, GatewayId, Listener, ListenerProtocol, Replies, SectionName, Update};
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
use translate::{InUse, Options, endpoints, translate};

/// A running data plane, and an origin for each backend that has endpoints.
pub struct Asked {
    dataplane: Dataplane,
    gateway: GatewayId,
    http: SocketAddr,
    https: SocketAddr,
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
        let gateway = options.gateways[0].id.clone();
        let shards = translate(resources, options).shards;
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
            gateways: vec![(gateway.clone(), Some(Arc::new(listening(&gateway))))],
            shards: shards.into_iter().map(|(key, shard)| (key, Some(shard))).collect(),
            ..Update::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let dataplane = proxy::start(proxy::Options { workers: NonZeroUsize::new(1), ..proxy::Options::default() }).expect("it starts");
        let ack = runtime.block_on(dataplane.apply(update));
        assert!(ack.nacks.is_empty(), "what is translated is served: {:?}", ack.nacks);
        let (http, https) = (bound(&ack, "http"), bound(&ack, "https"));
        Self { dataplane, gateway, http, https, origins, _runtime: runtime }
    }

    pub fn ask(&self, probe: &probe::Request) -> Result<Answer, String> {
        let before: Vec<usize> = self.origins.values().map(|origin| origin.requests().len()).collect();
        let response = match probe.scheme {
            probe::Scheme::Http => Connection::open(self.http).send(probe.octets()).any_response(&probe.method),
            probe::Scheme::Https => trusting::open(self.https, probe.host()).send(probe.octets()).any_response(&probe.method),
        };
        let response = response.map_err(|error| format!("{error:?}"))?;
        let mut answer = Answer { status: response.status, headers: response.head.fields, route: self.route(probe), ..Answer::default() };
        let asked = self.origins.iter().zip(before).find(|((_, origin), before)| origin.requests().len() > *before);
        if let Some(((id, origin), _)) = asked {
            let head = origin.requests().pop().ok_or("it was recorded")?.head;
            answer.backend = Some(id.to_string());
            answer.target = Some(head.target().to_owned());
            answer.saw = head.fields;
        }
        Ok(answer)
    }

    /// The route that the data plane's own table names.
    fn route(&self, probe: &probe::Request) -> Option<String> {
        let snapshot = self.dataplane.snapshot();
        let (path, query) = probe.target.split_once('?').map_or((probe.target.as_str(), None), |(path, query)| (path, Some(query)));
        let path = http1::canonical_path(path.as_bytes()).ok()?;
        let (scheme, port) = match probe.scheme {
            probe::Scheme::Http => (model::Scheme::Http, 80),
            probe::Scheme::Https => (model::Scheme::Https, 443),
        };
        let (host, fields) = (probe.host().to_ascii_lowercase(), Fields(probe));
        let headers = &fields;
        let request = Request { method: &probe.method, scheme, port, host: &host, authority: &host, path: &path, query, headers };
        match snapshot.gateway(&self.gateway)?.find(&request) {
            Lookup::Route(route) => Some(format!("{} {}", route.source().object, route.source().rule)),
            Lookup::Miss { .. } | Lookup::OverBudget { .. } => None,
        }
    }
}

fn listening(id: &GatewayId) -> Gateway {
    let listener = |name: &str, protocol, port| Listener {
        name: SectionName::new(name.to_owned()),
        protocol,
        port,
        bindings: vec![Binding { address: SocketAddr::from(([127, 0, 0, 1], 0)), https_port: None }],
    };
    let listeners = vec![listener("http", ListenerProtocol::Http, 80), listener("https", ListenerProtocol::Https, 443)];
    Gateway { id: id.clone(), listeners, default_certificate: Some(default_certificate()), replies: Replies::default() }
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

fn bound(ack: &Ack, listener: &str) -> SocketAddr {
    let binding = ack.bindings.iter().find(|binding| binding.listener.as_str() == listener).expect("it was asked for");
    binding.bound.clone().expect("it is bound")
}
