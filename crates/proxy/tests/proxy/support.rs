//! A data plane with one gateway, and ways to change what it serves.

use model::{
    Ack, Action, Backend, BackendId, Binding, Certificate, Endpoint, Filter, Forward, Gateway, GatewayId, GatewayOptions, Host,
    HostPattern, HostTls, Hostname, Listener, ListenerProtocol, Match, ObjectRef, OnMiss, PathMatch, Replies, Route, SectionName, Shard,
    ShardKey, Source, Tunnel, Update, WeightedBackend,
};
use proxy::{Dataplane, Limits, Options, Sink};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::client::Connection;
use testkit::origin::Origin;
use tokio::runtime::Runtime;

pub const HOST: &str = "gw.test";
pub const GET: &str = "GET / HTTP/1.1\r\nHost: gw.test\r\n\r\n";

/// A running data plane.
pub struct Gate {
    pub dataplane: Dataplane,
    pub runtime: Runtime,
    pub address: SocketAddr,
    pub backend: Backend,
}

/// What a [`Gate`] is made from.
pub struct Plan {
    pub endpoints: Vec<SocketAddr>,
    pub limits: Limits,
    pub workers: usize,
    pub filters: Vec<Filter>,
    pub replies: Replies,
    pub options: GatewayOptions,
    pub backend: Backend,
    pub forward: fn(&mut Forward),
    pub certificate: Option<Certificate>,
    pub access_log: Sink,
}

impl Plan {
    pub fn to(endpoints: &[SocketAddr]) -> Self {
        Self {
            endpoints: endpoints.to_vec(),
            limits: Limits::default(),
            workers: 1,
            filters: Vec::new(),
            replies: Replies::default(),
            options: GatewayOptions::default(),
            backend: Backend::new(BackendId::new("demo/web:80")),
            forward: |_| {},
            certificate: None,
            access_log: Sink::None,
        }
    }

    pub fn start(self) -> Gate {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let options =
            Options { workers: NonZeroUsize::new(self.workers), limits: self.limits, access_log: self.access_log, ..Options::default() };
        let dataplane = proxy::start(options).expect("the data plane starts");
        let protocol = if self.certificate.is_some() { ListenerProtocol::Https } else { ListenerProtocol::Http };
        let mut gateway = gateway(protocol, &[loopback()]);
        gateway.replies = self.replies.clone();
        gateway.options = Arc::new(self.options);
        let mut forward = Forward::to(Arc::new(self.backend.clone()));
        (self.forward)(&mut forward);
        let mut host = host(Action::Forward(forward), self.filters);
        host.replies = self.replies;
        host.tls = self.certificate.map_or(HostTls::None, |certificate| HostTls::Certificate(Arc::new(certificate)));
        let update = Update {
            endpoints: vec![endpoints(&self.backend, &self.endpoints)],
            gateways: vec![(id(), Some(Arc::new(gateway)))],
            shards: vec![shard(host)],
            ..Update::default()
        };
        let ack = runtime.block_on(dataplane.apply(update));
        assert!(ack.nacks.is_empty(), "{:?}", ack.nacks);
        let address = bound(&ack)[0];
        Gate { dataplane, runtime, address, backend: self.backend }
    }
}

impl Gate {
    /// All requests go to this origin.
    pub fn to(origin: &Origin) -> Self {
        Plan::to(&[origin.address()]).start()
    }

    pub fn open(&self) -> Connection {
        Connection::open(self.address)
    }

    pub fn apply(&self, update: Update) -> Ack {
        self.runtime.block_on(self.dataplane.apply(update))
    }

    pub fn set_endpoints(&self, addresses: &[SocketAddr]) {
        self.apply(Update { endpoints: vec![endpoints(&self.backend, addresses)], ..Update::default() });
    }
}

pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub fn id() -> GatewayId {
    GatewayId::new("demo/gateway")
}

pub fn gateway(protocol: ListenerProtocol, addresses: &[SocketAddr]) -> Gateway {
    let binding = |&address: &SocketAddr| Binding { address, https_port: None };
    Gateway {
        id: id(),
        listeners: vec![Listener {
            name: SectionName::new("web"),
            protocol,
            port: if protocol == ListenerProtocol::Http { 80 } else { 443 },
            bindings: addresses.iter().map(binding).collect(),
        }],
        default_certificate: None,
        replies: Replies::default(),
        options: Arc::default(),
    }
}

/// Every host, every path.
pub fn host(action: Action, filters: Vec<Filter>) -> Host {
    let source = Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: "spec.rules[0].http.paths[0]".into() };
    let matches = vec![Match { path: PathMatch::Any, ..Match::default() }];
    Host {
        tls_policy: Default::default(),
        tunnel: None,
        datagrams: None,
        name: HostPattern::Any,
        tls: HostTls::None,
        routes: vec![Route { replies: None, source, matches, filters, action }],
        on_miss: OnMiss::Stop,
        replies: Replies::default(),
    }
}

pub fn shard(host: Host) -> (ShardKey, Option<Shard>) {
    (ShardKey { port: None, gateway: id(), host: host.name.clone() }, Some(Shard::new(host)))
}

pub fn named(name: &str, host: Host) -> Host {
    Host { name: HostPattern::Exact(Hostname::parse(name).expect("a host name")), ..host }
}

pub fn endpoints(backend: &Backend, addresses: &[SocketAddr]) -> (BackendId, Option<Arc<[Endpoint]>>) {
    (backend.id.clone(), Some(addresses.iter().map(|&address| Endpoint { address }).collect()))
}

/// The addresses of an acknowledgement's sockets.
pub fn bound(ack: &Ack) -> Vec<SocketAddr> {
    ack.bindings.iter().map(|state| state.bound.clone().expect("bound")).collect()
}

/// The word in `x-paifang-reason`.
pub fn reason(response: &testkit::client::Response) -> &str {
    response.get("x-paifang-reason").unwrap_or("none")
}

/// Hosts of one port alone.
pub fn shard_of(port: u16, host: Host) -> (ShardKey, Option<Shard>) {
    (ShardKey { port: Some(port), gateway: id(), host: host.name.clone() }, Some(Shard::new(host)))
}

pub fn listener(name: &str, protocol: ListenerProtocol, port: u16, address: SocketAddr) -> Listener {
    Listener { name: SectionName::new(name), protocol, port, bindings: vec![Binding { address, https_port: None }] }
}

/// To this backend alone.
pub fn tunnel(backend: &Backend) -> Tunnel {
    Tunnel {
        source: Source { object: ObjectRef::new("TCPRoute", "demo", "echo"), rule: "spec.rules[0]".into() },
        backends: vec![WeightedBackend::new(Some(Arc::new(backend.clone())), 1)],
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(60),
        clients: None,
    }
}

/// A backend that sends back what it gets and, after that has ended, says goodbye.
pub struct Echo {
    pub address: SocketAddr,
    /// Connections it has had.
    pub count: Arc<AtomicUsize>,
}

impl Echo {
    pub fn start() -> Self {
        let listener = TcpListener::bind(loopback()).expect("a port");
        let address = listener.local_addr().expect("its address");
        let count: Arc<AtomicUsize> = Arc::default();
        let counted = count.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || {
                    let mut both = (&stream, &stream);
                    if std::io::copy(&mut both.0, &mut both.1).is_ok() {
                        let _ = both.1.write_all(b"bye");
                    }
                });
            }
        });
        Self { address, count }
    }
}
