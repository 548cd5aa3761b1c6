use super::*;
use fastrand::Rng;
use model::{Backend, Endpoint, ObjectRef, Source, WeightedBackend};
use std::net::TcpListener;
use testkit::ports::{Refusing, listener};
use upstream::Registry;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Fixture {
    registry: Registry,
    pools: RefCell<Pools<()>>,
    metrics: Arc<Metrics>,
    egress: Egress,
}

impl Fixture {
    fn new() -> Self {
        let registry = Registry::new();
        let pools = RefCell::new(Pools::new(&registry, 1, Rng::with_seed(7)));
        Self { registry, pools, metrics: Metrics::new(1), egress: Egress::default() }
    }

    fn set(&self, backend: &Backend, addresses: &[SocketAddr]) {
        let endpoints = addresses.iter().map(|&address| Endpoint { address }).collect();
        self.registry.apply(&[(backend.id.clone(), Some(endpoints))]);
    }

    fn dial(&self, tunnel: &Tunnel) -> Result<Reached<()>, Unreached> {
        let now = || Duration::from_secs(100);
        let dialer = Dialer { pools: &self.pools, egress: &self.egress, metrics: &self.metrics, client: CLIENT, now: &now };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(dialer.dial(tunnel))
    }
}

fn backend(name: &str) -> Backend {
    Backend::new(BackendId::new(name))
}

fn tunnel(backends: &[(&Backend, u32)]) -> Tunnel {
    Tunnel {
        source: Source { object: ObjectRef::new("TCPRoute", "demo", "echo"), rule: "spec.rules[0]".into() },
        backends: backends.iter().map(|(backend, weight)| WeightedBackend::new(Some(Arc::new((*backend).clone())), *weight)).collect(),
        connect: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        clients: None,
    }
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("it is bound")
}

fn reason(outcome: Result<Reached<()>, Unreached>) -> Reason {
    outcome.expect_err("nobody takes it").reason
}

#[test]
fn an_endpoint_that_refuses_gives_way_to_the_next() {
    let (it, echo) = (Fixture::new(), backend("demo/echo:9000"));
    let (refusing, open) = ([Refusing::new(), Refusing::new(), Refusing::new()], listener());
    let all: Vec<SocketAddr> = refusing.iter().map(Refusing::address).chain([address(&open)]).collect();
    it.set(&echo, &all);
    for _ in 0..5 {
        let reached = it.dial(&tunnel(&[(&echo, 1)])).expect("one of them takes it");
        assert_eq!((reached.endpoint, reached.backend.as_str()), (address(&open), "demo/echo:9000"));
    }
    it.set(&echo, &all[..3]);
    let unreached = it.dial(&tunnel(&[(&echo, 1)])).expect_err("all refuse");
    assert_eq!((unreached.reason, unreached.tries, unreached.backend), (Reason::ConnectFailed, 3, Some(echo.id.clone())));
    assert!(all.contains(&unreached.endpoint.expect("the last one")));
}

#[test]
fn weights_decide_the_backend_and_nothing_else_stands_in() {
    let (it, [one, other, idle]) = (Fixture::new(), ["demo/one:1", "demo/other:1", "demo/idle:1"].map(backend));
    let (here, there) = (listener(), listener());
    it.set(&one, &[address(&here)]);
    it.set(&other, &[address(&there)]);
    let picked = |tunnel: &Tunnel| it.dial(tunnel).map(|reached| reached.backend);
    let shared = tunnel(&[(&one, 80), (&other, 20), (&idle, 0)]);
    let to_one = (0..100).filter(|_| picked(&shared) == Ok(one.id.clone())).count();
    assert!((65..95).contains(&to_one), "{to_one} of 100");
    assert_eq!(reason(it.dial(&tunnel(&[(&idle, 1)]))), Reason::NoEndpoints);
    assert_eq!(reason(it.dial(&tunnel(&[(&one, 0)]))), Reason::NoBackend);
    assert_eq!(reason(it.dial(&tunnel(&[]))), Reason::NoBackend);
    let mut unresolved = tunnel(&[(&one, 1)]);
    unresolved.backends[0].backend = None;
    assert_eq!(reason(it.dial(&unresolved)), Reason::NoBackend);
}

#[test]
fn a_connection_holds_its_share_until_it_is_dropped() {
    let (it, mut echo, open) = (Fixture::new(), backend("demo/echo:9000"), listener());
    echo.limits.connections = 1;
    it.set(&echo, &[address(&open)]);
    let first = it.dial(&tunnel(&[(&echo, 1)])).expect("the first");
    assert_eq!(reason(it.dial(&tunnel(&[(&echo, 1)]))), Reason::Overflow);
    drop(first);
    assert!(it.dial(&tunnel(&[(&echo, 1)])).is_ok());
}

#[test]
fn what_egress_refuses_is_not_connected_to() {
    let (mut it, echo, own) = (Fixture::new(), backend("demo/echo:9000"), listener());
    it.egress = Egress::new(vec![address(&own)]);
    it.set(&echo, &[address(&own)]);
    assert_eq!(reason(it.dial(&tunnel(&[(&echo, 1)]))), Reason::ConnectFailed);
    own.set_nonblocking(true).expect("a socket");
    assert!(own.accept().is_err(), "nobody knocked");
}

#[test]
fn all_tries_together_have_one_deadline() {
    let (it, mut echo) = (Fixture::new(), backend("demo/echo:9000"));
    // Full queues of connections to be accepted: the system answers no further one.
    let full = [listener_with_a_full_queue(), listener_with_a_full_queue()];
    it.set(&echo, &[full[0].0, full[1].0]);
    let mut through = tunnel(&[(&echo, 1)]);
    through.connect = Duration::from_millis(50);
    let unreached = it.dial(&through).expect_err("nobody answers");
    assert_eq!((unreached.reason, unreached.tries), (Reason::ConnectTimeout, 1), "the first try took all the time there was");
    (through.connect, echo.limits.connect) = (Duration::from_secs(3_600), Some(Duration::from_millis(50)));
    through.backends = vec![WeightedBackend::new(Some(Arc::new(echo)), 1)];
    assert_eq!(reason(it.dial(&through)), Reason::ConnectTimeout, "the backend's own limit comes first");
}

/// An address at which connecting takes for ever.
fn listener_with_a_full_queue() -> (SocketAddr, TcpListener, Vec<std::net::TcpStream>) {
    let listener = testkit::ports::crowded();
    let (at, mut waiting) = (address(&listener), Vec::new());
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&at, Duration::from_millis(100)) {
        waiting.push(stream);
        assert!(waiting.len() < 64, "the queue has no end");
    }
    (at, listener, waiting)
}
