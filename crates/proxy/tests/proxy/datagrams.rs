//! Datagrams: each client's to one endpoint and back.

use crate::support::{Echo, Gate, Plan, bound, endpoints, gateway, id, listener, loopback, shard_of, tunnel};
use model::{Backend, BackendId, Balancing, Host, HostPattern, ListenerProtocol, Tunnel, Update};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use testkit::client::Connection;
use testkit::ports::own_address;
use testkit::{PATIENCE, eventually};

const PORT: u16 = 5300;
/// Long enough for what does not come.
const NEVER: Duration = Duration::from_millis(300);

/// Sends back what it gets, with its own port in front.
struct Oracle {
    address: SocketAddr,
}

impl Oracle {
    fn start() -> Self {
        let socket = UdpSocket::bind(loopback()).expect("a port");
        let address = socket.local_addr().expect("its address");
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer[2..]) {
                buffer[..2].copy_from_slice(&address.port().to_be_bytes());
                let _ = socket.send_to(&buffer[..(length + 2).min(65_507)], peer);
            }
        });
        Self { address }
    }
}

/// A gate with a port for datagrams.
struct Post {
    gate: Gate,
    backend: Backend,
    at: SocketAddr,
}

struct Client(UdpSocket);

impl Client {
    fn to(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(loopback()).expect("a port");
        socket.connect(address).expect("an address");
        socket.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        Self(socket)
    }

    /// The port of whoever answered, and what was said.
    fn ask(&self, octets: &[u8]) -> (u16, Vec<u8>) {
        self.0.send(octets).expect("it is sent");
        let mut buffer = vec![0; 65_536];
        let length = self.0.recv(&mut buffer).expect("an answer");
        (u16::from_be_bytes([buffer[0], buffer[1]]), buffer[2..length].to_vec())
    }

    fn is_not_answered(&self) -> bool {
        self.0.send(b"anyone?").expect("it is sent");
        self.0.set_read_timeout(Some(NEVER)).expect("a deadline");
        let answer = self.0.recv(&mut [0; 64]);
        self.0.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        answer.is_err_and(|it| matches!(it.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }
}

fn post(at: SocketAddr, addresses: &[SocketAddr], change: impl FnOnce(&mut Plan, &mut Backend, &mut Tunnel)) -> Post {
    let mut plan = Plan::to(&[]);
    let mut backend = Backend::new(BackendId::new("demo/dns:53"));
    let mut way = tunnel(&backend);
    change(&mut plan, &mut backend, &mut way);
    way.backends = tunnel(&backend).backends;
    let gate = plan.start();
    let mut ports = gateway(ListenerProtocol::Tcp, &[]);
    ports.listeners = vec![listener("udp", ListenerProtocol::Udp, PORT, at)];
    let ack = gate.apply(Update {
        endpoints: vec![endpoints(&backend, addresses)],
        gateways: vec![(id(), Some(Arc::new(ports)))],
        shards: vec![shard_of(PORT, Host { datagrams: Some(way), ..Host::new(HostPattern::Any) })],
        ..Update::default()
    });
    let at = bound(&ack)[0];
    Post { gate, backend, at }
}

impl Post {
    fn set(&self, addresses: &[SocketAddr]) {
        self.gate.apply(Update { endpoints: vec![endpoints(&self.backend, addresses)], ..Update::default() });
    }

    fn has(&self, line: &str) -> bool {
        self.gate.dataplane.metrics().render().lines().any(|it| it.starts_with(line))
    }

    fn active(&self) -> u64 {
        let text = self.gate.dataplane.metrics().render();
        let line = text.lines().find(|it| it.starts_with("paifang_tcp_connections_active{"));
        line.and_then(|it| it.rsplit(' ').next()).map_or(0, |it| it.parse().expect("a number"))
    }
}

#[test]
fn what_a_client_sends_comes_back_whatever_its_size() {
    let oracle = Oracle::start();
    let it = post(loopback(), &[oracle.address], |_, _, _| {});
    let client = Client::to(it.at);
    for length in [0, 1, 512, 1_400, 9_000, 65_505] {
        let sent: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        assert_eq!(client.ask(&sent), (oracle.address.port(), sent));
    }
}

#[test]
fn a_client_keeps_its_endpoint_and_clients_are_spread() {
    let all = [Oracle::start(), Oracle::start(), Oracle::start()];
    let addresses: Vec<SocketAddr> = all.iter().map(|it| it.address).collect();
    let it = post(loopback(), &addresses, |_, _, _| {});
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let client = Client::to(it.at);
        let first = client.ask(b"1").0;
        assert!((0..5).all(|_| client.ask(b"again").0 == first), "one client, one endpoint");
        seen.insert(first);
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn by_client_address_all_of_one_address_go_to_one_endpoint_through_every_worker() {
    let all = [Oracle::start(), Oracle::start(), Oracle::start()];
    let addresses: Vec<SocketAddr> = all.iter().map(|it| it.address).collect();
    let it = post(loopback(), &addresses, |plan, backend, _| {
        plan.workers = 4;
        backend.balancing = Balancing::ClientAddress;
    });
    let seen: BTreeSet<u16> = (0..30).map(|_| Client::to(it.at).ask(b"1").0).collect();
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_client_whose_endpoint_goes_gets_another() {
    let (one, other) = (Oracle::start(), Oracle::start());
    let it = post(loopback(), &[one.address], |_, _, _| {});
    let client = Client::to(it.at);
    assert_eq!(client.ask(b"1").0, one.address.port());
    it.set(&[other.address]);
    eventually("another endpoint", || (client.ask(b"2").0 == other.address.port()).then_some(()));
}

#[test]
fn behind_a_dead_endpoint_the_next_datagram_goes_elsewhere() {
    let live = Oracle::start();
    let dead = own_address();
    let it = post(loopback(), &[dead, live.address], |_, _, _| {});
    for _ in 0..4 {
        let client = Client::to(it.at);
        client.0.set_read_timeout(Some(NEVER)).expect("a deadline");
        let answered = eventually("an answer", || {
            client.0.send(b"anyone?").expect("it is sent");
            client.0.recv(&mut [0; 64]).ok()
        });
        assert_eq!(answered, b"anyone?".len() + 2);
    }
}

#[test]
fn clients_outside_the_ranges_reach_nobody_and_are_counted() {
    let oracle = Oracle::start();
    let it = post(loopback(), &[oracle.address], |_, _, way| way.clients = Some(["10.0.0.0/8".parse().expect("a range")].into()));
    assert!(Client::to(it.at).is_not_answered());
    assert!(it.gate.dataplane.metrics().render().contains(r#"reason="closed""#), "{}", it.gate.dataplane.metrics().render());
    let open = post(loopback(), &[oracle.address], |_, _, way| way.clients = Some(["127.0.0.0/8".parse().expect("a range")].into()));
    assert_eq!(Client::to(open.at).ask(b"1").1, b"1");
}

#[test]
fn a_silent_client_is_forgotten_and_may_come_back() {
    let oracle = Oracle::start();
    let it = post(loopback(), &[oracle.address], |_, _, way| way.idle = Duration::from_millis(100));
    let client = Client::to(it.at);
    client.ask(b"1");
    assert!(it.has("paifang_tcp_connections_total{"), "{}", it.gate.dataplane.metrics().render());
    eventually("no session", || (it.active() == 0).then_some(()));
    assert_eq!(client.ask(b"2").1, b"2");
}

#[test]
fn a_client_has_no_more_sessions_than_connections() {
    let oracle = Oracle::start();
    let it = post(loopback(), &[oracle.address], |plan, _, _| plan.limits.connections_per_client = 3);
    let kept: Vec<Client> = (0..3).map(|_| Client::to(it.at)).collect();
    for client in &kept {
        client.ask(b"1");
    }
    assert!(Client::to(it.at).is_not_answered());
    assert!(kept.iter().all(|it| it.ask(b"2").1 == b"2"), "the others go on");
}

#[test]
fn a_socket_of_all_addresses_answers_from_the_one_that_was_asked() {
    let oracle = Oracle::start();
    for (any, asked) in [("0.0.0.0:0", "127.0.0.2"), ("0.0.0.0:0", "127.0.0.1")] {
        let it = post(any.parse().expect("an address"), &[oracle.address], |_, _, _| {});
        let asked = SocketAddr::new(asked.parse().expect("an address"), it.at.port());
        // A connected socket takes answers from that address alone.
        assert_eq!(Client::to(asked).ask(b"1").1, b"1");
    }
}

#[test]
fn datagrams_and_connections_of_one_port_have_owners_of_their_own() {
    let (oracle, echo) = (Oracle::start(), Echo::start());
    let plan = Plan::to(&[]);
    let (udp, tcp) = (Backend::new(BackendId::new("demo/udp:53")), Backend::new(BackendId::new("demo/tcp:53")));
    let gate = plan.start();
    let mut both = gateway(ListenerProtocol::Tcp, &[]);
    let at = own_address();
    both.listeners = vec![listener("udp", ListenerProtocol::Udp, PORT, at), listener("tcp", ListenerProtocol::Tcp, PORT, at)];
    let host = Host { datagrams: Some(tunnel(&udp)), tunnel: Some(tunnel(&tcp)), ..Host::new(HostPattern::Any) };
    let ack = gate.apply(Update {
        endpoints: vec![endpoints(&udp, &[oracle.address]), endpoints(&tcp, &[echo.address])],
        gateways: vec![(id(), Some(Arc::new(both.clone())))],
        shards: vec![shard_of(PORT, host)],
        ..Update::default()
    });
    assert_eq!(bound(&ack), [at, at]);
    assert_eq!(Client::to(at).ask(b"1").1, b"1");
    let mut connection = Connection::open(at);
    connection.send(b"hello");
    assert_eq!(connection.exactly(5).expect("an echo"), b"hello");

    both.listeners.remove(0);
    gate.apply(Update { gateways: vec![(id(), Some(Arc::new(both)))], ..Update::default() });
    UdpSocket::bind(at).expect("the socket for datagrams is gone");
    connection.send(b"still");
    assert_eq!(connection.exactly(5).expect("an echo"), b"still");
}

#[test]
fn an_address_that_another_process_has_is_told() {
    let taken = UdpSocket::bind(loopback()).expect("a port");
    let at = taken.local_addr().expect("its address");
    let gate = Plan::to(&[]).start();
    let mut ports = gateway(ListenerProtocol::Tcp, &[]);
    ports.listeners = vec![listener("udp", ListenerProtocol::Udp, PORT, at)];
    let ack = gate.apply(Update { gateways: vec![(id(), Some(Arc::new(ports)))], ..Update::default() });
    assert_eq!(ack.bindings[0].bound, Err(format!("{at} is in use by another process")));
}
