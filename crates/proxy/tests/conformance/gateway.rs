//! The gateway under test: one data plane, and for every case a gateway, a listener, ten routes and an origin of its own, so that cases run
//! side by side and nothing of one is taken for another's.

use crate::origin::{After, Origin};
use model::*;
use proxy::{Dataplane, Options};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

pub struct Running {
    dataplane: Dataplane,
    addresses: Vec<SocketAddr>,
    origins: Vec<Origin>,
    _runtime: tokio::runtime::Runtime,
}

/// Prefixes with a route of their own on `gw.test`; the value of `X-Route` behind it.
const PREFIXES: [(&str, &str); 9] = [
    ("/pub", "pub"),
    ("/admin", "admin"),
    ("/ws", "ws"),
    ("/api/v1", "v1"),
    ("/api/v2", "v2"),
    ("/static", "static"),
    ("/shop", "shop"),
    ("/shop/cart", "cart"),
    ("", "root"),
];

pub fn start(cases: usize, after: After) -> Running {
    let origins: Vec<Origin> = (0..cases).map(|_| Origin::start(after)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let dataplane = proxy::start(Options { workers: NonZeroUsize::new(2), ..Options::default() }).expect("workers");
    let mut update = Update { version: Version { epoch: 1, sequence: 1 }, ..Update::default() };
    for (number, origin) in origins.iter().enumerate() {
        add(&mut update, number, origin.address);
    }
    let ack = runtime.block_on(dataplane.apply(update));
    assert_eq!(ack.nacks, []);
    let address = |number: usize| {
        let binding = ack.bindings.iter().find(|it| it.gateway == id(number)).expect("every gateway has a listener");
        binding.bound.clone().expect("a free port")
    };
    Running { addresses: (0..cases).map(address).collect(), dataplane, origins, _runtime: runtime }
}

impl Running {
    pub fn address(&self, number: usize) -> SocketAddr {
        self.addresses[number]
    }

    pub fn origin(&self, number: usize) -> &Origin {
        &self.origins[number]
    }

    /// Metrics were on, and counted what went through.
    pub fn check_metrics(&self) {
        let text = self.dataplane.metrics().render();
        for what in ["paifang_requests_total{", r#"route="conformance/cases""#, r#"reason="bad-request""#] {
            assert!(text.contains(what), "{what} is not in\n{text}");
        }
    }
}

fn id(number: usize) -> GatewayId {
    GatewayId::new(format!("conformance/case-{number}"))
}

fn add(update: &mut Update, number: usize, origin: SocketAddr) {
    let backend = BackendId::new(format!("conformance/origin-{number}:80"));
    update.endpoints.push((backend.clone(), Some(Arc::from([Endpoint { address: origin }]))));
    let binding = Binding { address: "127.0.0.1:0".parse().expect("an address"), https_port: None };
    let listener = Listener { name: SectionName::new("http"), protocol: ListenerProtocol::Http, port: 80, bindings: vec![binding] };
    let gateway = Gateway {
        id: id(number),
        listeners: vec![listener],
        default_certificate: None,
        replies: Replies::default(),
        options: Arc::default(),
    };
    update.gateways.push((id(number), Some(Arc::new(gateway))));
    let backend = Arc::new(Backend::new(backend));
    let named = HostPattern::Exact(Hostname::parse("gw.test").expect("a good name"));
    let routes = PREFIXES.into_iter().map(|(prefix, name)| route(PathMatch::Prefix(prefix.into()), name, &backend)).collect();
    // Every other host is served as well, so that cases about `Host` ask the parser and not the routes; it is told by its name.
    let rest = vec![route(PathMatch::Any, "other", &backend)];
    for (name, routes) in [(named, routes), (HostPattern::Any, rest)] {
        let host = Host {
            tls_policy: Default::default(),
            tunnel: None,
            datagrams: None,
            name: name.clone(),
            tls: HostTls::None,
            routes,
            on_miss: OnMiss::Stop,
            replies: Replies::default(),
        };
        update.shards.push((ShardKey { port: None, gateway: id(number), host: name }, Some(Shard::new(host))));
    }
}

fn route(path: PathMatch, name: &str, backend: &Arc<Backend>) -> Route {
    Route {
        replies: None,
        source: Source { object: ObjectRef::new("Ingress", "conformance", "cases"), rule: name.into() },
        matches: vec![Match { path, ..Match::default() }],
        filters: vec![Filter::RequestHeader(HeaderEdit::Set { name: "x-route".into(), value: name.into() })],
        action: Action::Forward(Forward::to(backend.clone())),
    }
}
