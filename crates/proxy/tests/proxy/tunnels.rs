//! Connections that are passed on as they come, by port.

use crate::support::{Echo, GET, Gate, HOST, Plan, bound, endpoints, gateway, id, listener, loopback, shard_of, tunnel};
use model::{Backend, BackendId, Gateway, Host, HostPattern, ListenerProtocol, Tunnel, Update};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use testkit::client::{Close, Connection};
use testkit::origin::Origin;
use testkit::ports::{Refusing, own_at};
use testkit::{PATIENCE, eventually};

const TCP: u16 = 31400;

/// A gate with a TCP port beside its HTTP port.
struct Passage {
    gate: Gate,
    echo: Backend,
    at: SocketAddr,
}

fn ask(host: Option<Tunnel>) -> (model::ShardKey, Option<model::Shard>) {
    shard_of(TCP, Host { tunnel: host, ..Host::new(HostPattern::Any) })
}

fn both(http: SocketAddr, tcp: SocketAddr) -> Gateway {
    let mut both = gateway(ListenerProtocol::Http, &[http]);
    both.listeners.push(listener("tcp", ListenerProtocol::Tcp, TCP, tcp));
    both
}

fn passage(addresses: &[SocketAddr], change: impl FnOnce(&mut Plan, &mut Tunnel)) -> Passage {
    let mut plan = Plan::to(&[]);
    let echo = Backend::new(BackendId::new("demo/echo:9000"));
    let mut way = tunnel(&echo);
    change(&mut plan, &mut way);
    let gate = plan.start();
    let ack = gate.apply(Update {
        endpoints: vec![endpoints(&echo, addresses)],
        gateways: vec![(id(), Some(Arc::new(both(loopback(), loopback()))))],
        shards: vec![ask(Some(way))],
        ..Update::default()
    });
    let at = bound(&ack)[1];
    Passage { gate, echo, at }
}

impl Passage {
    fn open(&self) -> Connection {
        Connection::open(self.at)
    }

    fn set(&self, addresses: &[SocketAddr]) {
        self.gate.apply(Update { endpoints: vec![endpoints(&self.echo, addresses)], ..Update::default() });
    }

    /// The value of a metric, all its labels but the gateway's as written; 0 where there is none.
    fn metric(&self, line: &str) -> String {
        let text = self.gate.dataplane.metrics().render();
        let found = text.lines().find_map(|it| it.strip_prefix(line)).map(|value| value.trim().to_owned());
        found.unwrap_or_else(|| "0".to_owned())
    }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn octets_pass_both_ways_and_an_end_is_passed_on() {
    let echo = Echo::start();
    let it = passage(&[echo.address], |_, _| {});
    let mut client = it.open();
    for length in [1, 100, 70_000, 5_000_000] {
        let sent = pattern(length);
        let mut stream = client.stream().try_clone().expect("a descriptor");
        thread::scope(|scope| {
            scope.spawn(|| std::io::Write::write_all(&mut stream, &sent).expect("it is taken"));
            assert!(client.exactly(length).expect("an echo") == sent, "{length}");
        });
    }
    client.finish();
    assert_eq!(client.exactly(3).expect("the other direction goes on"), b"bye");
    assert_eq!(client.closed(), Close::Clean);
    let labels = "{gateway=\"demo/gateway\",kind=\"TCPRoute\",route=\"demo/echo\"}";
    eventually("it is counted", || (it.metric(&format!("paifang_tcp_connections_active{labels}")) == "0").then_some(()));
    assert_eq!(it.metric(&format!("paifang_tcp_connections_total{labels}")), "1");
    assert_eq!(it.metric(&format!("paifang_tcp_received_bytes_total{labels}")), "5070101");
    assert_eq!(it.metric(&format!("paifang_tcp_sent_bytes_total{labels}")), "5070104");
    assert_eq!(it.metric("paifang_upstream_connections_active{backend=\"demo/echo:9000\"}"), "0");
}

#[test]
fn a_backend_that_ends_first_still_gets_what_the_client_sends() {
    let backend = TcpListener::bind(loopback()).expect("a port");
    let it = passage(&[backend.local_addr().expect("its address")], |_, _| {});
    let mut client = it.open();
    let (mut stream, _) = backend.accept().expect("it is connected to");
    std::io::Write::write_all(&mut stream, b"hello").expect("it is taken");
    stream.shutdown(Shutdown::Write).expect("open");
    assert_eq!(client.rest(), b"hello");
    client.send("still here").finish();
    let mut got = String::new();
    std::io::Read::read_to_string(&mut stream, &mut got).expect("it ends");
    assert_eq!(got, "still here");
}

#[test]
fn who_is_broken_off_is_not_told_of_an_end() {
    let backend = TcpListener::bind(loopback()).expect("a port");
    let it = passage(&[backend.local_addr().expect("its address")], |_, _| {});
    let both = || {
        let mut client = it.open();
        let mut stream = backend.accept().expect("it is connected to").0;
        std::io::Write::write_all(&mut stream, b"half of").expect("it is taken");
        assert_eq!(client.exactly(7).expect("octets"), b"half of");
        (client, stream)
    };
    let (mut client, stream) = both();
    Connection::over(stream).reset().expect("a socket");
    assert_eq!(client.closed(), Close::Reset);
    let (client, mut stream) = both();
    client.reset().expect("a socket");
    let error = std::io::Read::read(&mut stream, &mut [0]).expect_err("it was broken off");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn where_nobody_takes_it_the_connection_ends_at_once_and_is_counted() {
    let (refusing, holder) = (Refusing::new(), Echo::start());
    let it = passage(&[], |_, _| {});
    let count = |labels: &str, reason: &str| {
        it.metric(&format!("paifang_tcp_connections_total{{gateway=\"demo/gateway\",{labels}reason=\"{reason}\"}}"))
    };
    let route = "kind=\"TCPRoute\",route=\"demo/echo\",";
    assert_ne!(it.open().closed(), Close::Open);
    eventually("counted", || (count(route, "no-endpoints") == "1").then_some(()));
    it.set(&[refusing.address()]);
    assert_ne!(it.open().closed(), Close::Open);
    eventually("counted", || (count(route, "connect-failed") == "1").then_some(()));
    it.set(&[refusing.address(), holder.address]);
    assert_eq!(it.open().send("a").exactly(1).expect("the other one takes it"), b"a");
    it.gate.apply(Update { shards: vec![ask(None)], ..Update::default() });
    assert_ne!(it.open().closed(), Close::Open);
    eventually("counted", || (count("", "no-route") == "1").then_some(()));
}

#[test]
fn a_changed_route_is_for_new_connections_only() {
    let (old, new) = (Echo::start(), Echo::start());
    let it = passage(&[old.address], |_, _| {});
    let mut kept = it.open();
    assert_eq!(kept.send("a").exactly(1).expect("an echo"), b"a");
    it.set(&[new.address]);
    assert_eq!(kept.send("b").exactly(1).expect("it goes on"), b"b");
    assert_eq!(it.open().send("c").exactly(1).expect("an echo"), b"c");
    it.gate.apply(Update { shards: vec![(ask(None).0, None)], ..Update::default() });
    assert_eq!(kept.send("d").exactly(1).expect("it goes on"), b"d");
    assert_eq!((old.count.load(Ordering::Relaxed), new.count.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn silence_in_both_directions_ends_it_and_speech_in_one_does_not() {
    let echo = Echo::start();
    let it = passage(&[echo.address], |_, way| way.idle = Duration::from_millis(1_500));
    let mut client = it.open();
    for _ in 0..6 {
        thread::sleep(Duration::from_millis(400));
        assert_eq!(client.send("a").exactly(1).expect("an echo"), b"a");
    }
    assert_ne!(client.closed(), Close::Open);
}

#[test]
fn a_limit_of_the_backend_holds() {
    let echo = Echo::start();
    let it = passage(&[echo.address], |_, way| {
        let mut limited = Backend::new(BackendId::new("demo/echo:9000"));
        limited.limits.connections = 1;
        way.backends[0].backend = Some(Arc::new(limited));
    });
    let mut first = it.open();
    assert_eq!(first.send("a").exactly(1).expect("an echo"), b"a");
    assert_ne!(it.open().closed(), Close::Open);
    first.finish();
    assert_eq!(first.rest(), b"bye");
    let again = || it.open().send("a").exactly(1).ok();
    eventually("the share is free again", again);
}

#[test]
fn ports_come_and_go_beside_each_other() {
    let (echo, origin) = (Echo::start(), Origin::recording());
    let it = passage(&[echo.address], |plan, _| plan.endpoints = vec![origin.address()]);
    let (http, tcp) = (own_at([127, 2, 0, 1]), own_at([127, 2, 0, 2]));
    let set = |gateway: Gateway| it.gate.apply(Update { gateways: vec![(id(), Some(Arc::new(gateway)))], ..Update::default() });
    let on_same = SocketAddr::from((tcp.ip(), http.port()));
    assert_eq!(bound(&set(both(http, on_same))), [http, on_same], "one port, two addresses, two protocols");
    let (mut web, mut raw) = (Connection::open(http), Connection::open(on_same));
    assert_eq!(web.send(GET).response("GET").status, 200);
    assert_eq!(raw.send(GET).exactly(GET.len()).expect("an echo"), GET.as_bytes());

    // Twenty more, each a port of its own; then none of them.
    let mut many = both(http, tcp);
    let anywhere = SocketAddr::from(([127, 2, 0, 3], 0));
    many.listeners.extend((0..20).map(|at| listener(&format!("tcp-{at}"), ListenerProtocol::Tcp, 40_000 + at, anywhere)));
    let more = (0..20).map(|at| {
        let (mut key, shard) = ask(Some(tunnel(&it.echo)));
        key.port = Some(40_000 + at);
        (key, shard)
    });
    let shards = more.collect();
    let ack = it.gate.apply(Update { gateways: vec![(id(), Some(Arc::new(many)))], shards, ..Update::default() });
    for address in &bound(&ack)[1..] {
        assert_eq!(Connection::open(*address).send("x").exactly(1).expect("an echo"), b"x", "{address}");
    }
    assert!(TcpStream::connect(on_same).is_err(), "its socket is gone");
    assert_eq!(raw.send("y").exactly(1).expect("what is established goes on"), b"y");
    let gone = bound(&ack);
    assert_eq!(bound(&set(both(http, tcp))), [http, tcp]);
    assert!(gone[2..].iter().all(|address| TcpStream::connect(address).is_err()));
    assert_eq!(web.get(HOST, "/").get("connection"), None, "the HTTP port has not noticed");

    // The same address changes its protocol.
    let mut changed = both(http, tcp);
    (changed.listeners[1].protocol, changed.listeners[1].port) = (ListenerProtocol::Http, 80);
    set(changed);
    assert_eq!(Connection::open(tcp).get(HOST, "/").status, 200);
}

#[test]
fn stopping_waits_for_them() {
    let echo = Echo::start();
    let it = passage(&[echo.address], |_, _| {});
    let mut client = it.open();
    assert_eq!(client.send("a").exactly(1).expect("an echo"), b"a");
    thread::scope(|scope| {
        let draining = scope.spawn(|| it.gate.runtime.block_on(it.gate.dataplane.drain(PATIENCE)));
        eventually("it accepts no more", || TcpStream::connect(it.at).is_err().then_some(()));
        assert_eq!(client.send("b").exactly(1).expect("it goes on"), b"b");
        assert!(!draining.is_finished());
        client.finish();
        assert_eq!(client.rest(), b"bye");
        draining.join().expect("no panic");
    });
}

#[test]
fn stopping_waits_for_them_no_longer_than_until_the_deadline() {
    let echo = Echo::start();
    let it = passage(&[echo.address], |_, _| {});
    let mut client = it.open();
    assert_eq!(client.send("a").exactly(1).expect("an echo"), b"a");
    it.gate.runtime.block_on(it.gate.dataplane.drain(Duration::from_millis(100)));
    assert_ne!(client.closed(), Close::Open);
}

#[test]
fn a_line_in_the_access_log_says_what_became_of_it() {
    let (echo, folder) = (Echo::start(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("access.log");
    let it = passage(&[echo.address], |plan, _| plan.access_log = proxy::Sink::File(path.clone()));
    let mut client = it.open();
    let from = client.local_address().expect("its address");
    assert_eq!(client.send("abc").exactly(3).expect("an echo"), b"abc");
    client.finish();
    assert_eq!(client.rest(), b"bye");
    it.set(&[]);
    assert_ne!(it.open().closed(), Close::Open);
    let lines = eventually("two lines", || {
        let text = std::fs::read_to_string(&path).ok()?;
        (text.lines().count() == 2).then(|| text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<_>>())
    });
    let [mut passed, mut refused]: [serde_json::Value; 2] = lines.try_into().expect("two");
    for line in [&mut passed, &mut refused] {
        let line = line.as_object_mut().expect("an object");
        assert!(line.remove("time").is_some() && line.remove("duration_ms").is_some());
    }
    let upstream = passed["upstream"].as_object_mut().expect("one was reached");
    assert!(upstream.remove("connect_ms").is_some());
    let route = serde_json::json!({"kind": "TCPRoute", "namespace": "demo", "name": "echo", "rule": "spec.rules[0]"});
    let expect = serde_json::json!({
        "client": from.to_string(), "protocol": "TCP", "gateway": "demo/gateway", "listener": "tcp", "route": route,
        "backend": "demo/echo:9000", "upstream": {"address": echo.address.to_string(), "tries": 1}, "bytes_in": 3, "bytes_out": 6,
    });
    assert_eq!(passed, expect);
    assert_eq!(
        (&refused["reason"], &refused["backend"], &refused["bytes_in"]),
        (&"no-endpoints".into(), &"demo/echo:9000".into(), &0.into())
    );
}
