use super::*;
use crate::gateways::Shape;
use resources::Name;
use std::net::Ipv4Addr;
use translate::gateway_of_service;

const NODE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn machine() -> Machine {
    let pool = "127.98.0.1-127.98.0.4".parse().expect("a pool");
    Machine { shape: Shape::Up, node_address: NODE, pool, port_offset: 0, node_ports: 30_000..=30_005 }
}

fn port(protocol: ListenerProtocol, number: u16, node_port: Option<u16>) -> ExposedPort {
    ExposedPort { name: SectionName::new(format!("{protocol:?}-{number}")), protocol, number, node_port }
}

fn tcp(number: u16) -> ExposedPort {
    port(ListenerProtocol::Tcp, number, None)
}

fn balanced(name: &str, ports: &[ExposedPort]) -> Exposed {
    Exposed {
        service: Name::new("demo", name),
        address: WantedAddress::Pool(None),
        node_ports: NodePorts::Allocated,
        external: BTreeSet::new(),
        ports: ports.to_vec(),
    }
}

fn on_node(name: &str, ports: &[ExposedPort]) -> Exposed {
    Exposed { address: WantedAddress::None, ..balanced(name, ports) }
}

/// What surrounds the Services of a test.
struct Scene {
    machine: Machine,
    taken: Taken,
    given: BTreeMap<GatewayId, Given>,
    unusable: BTreeSet<Socket>,
    arrival: Arrival,
}

impl Scene {
    fn new() -> Self {
        Self { machine: machine(), taken: Taken::default(), given: BTreeMap::new(), unusable: BTreeSet::new(), arrival: Arrival::Over }
    }

    fn plan(&self, asked: &[Exposed]) -> BTreeMap<String, Forward> {
        let asked = asked.iter().map(|it| (gateway_of_service(&it.service), it.clone())).collect();
        let unusable = |socket: Socket| self.unusable.contains(&socket);
        let around = Around { machine: &self.machine, taken: &self.taken, given: &self.given, unusable: &unusable, arrival: self.arrival };
        plan(&asked, &around).into_values().map(|it| (it.exposed.service.name.to_string(), it)).collect()
    }

    fn gave(&mut self, name: &str, address: Option<&str>, node_ports: &[(u16, u16)]) {
        let node_ports = node_ports.iter().map(|(number, given)| ((*number, ListenerProtocol::Tcp), *given)).collect();
        self.given.insert(gateway_of_service(&Name::new("demo", name)), Given { address: address.map(ip), node_ports });
    }
}

fn node_ports(plan: &Forward) -> Vec<Option<u16>> {
    plan.ports.iter().map(|it| it.node_port).collect()
}

#[test]
fn each_gets_an_address_and_node_ports_that_nobody_has() {
    let mut scene = Scene::new();
    scene.taken = Taken { addresses: [ip("127.98.0.1")].into(), node_ports: [30_000].into() };
    scene.unusable = [Socket::Address(ip("127.98.0.2")), Socket::NodePort(ListenerProtocol::Tcp, 30_001)].into();
    let plans = scene.plan(&[balanced("a", &[tcp(80)]), balanced("b", &[tcp(80), tcp(443)]), on_node("c", &[tcp(80)])]);
    assert_eq!((plans["a"].address, node_ports(&plans["a"])), (Some(ip("127.98.0.3")), vec![Some(30_002)]));
    assert_eq!((plans["b"].address, node_ports(&plans["b"])), (Some(ip("127.98.0.4")), vec![Some(30_003), Some(30_004)]));
    assert_eq!((plans["c"].address, node_ports(&plans["c"])), (None, vec![Some(30_005)]));
    assert!(plans.values().all(|it| it.refused.is_empty() && it.shortage.is_none()));
}

#[test]
fn what_was_given_stays_whoever_comes_and_although_it_cannot_be_used_now() {
    let mut scene = Scene::new();
    scene.gave("z", Some("127.98.0.1"), &[(80, 30_000)]);
    scene.unusable = [Socket::Address(ip("127.98.0.1")), Socket::NodePort(ListenerProtocol::Tcp, 30_000)].into();
    let plans = scene.plan(&[balanced("a", &[tcp(80)]), balanced("z", &[tcp(80)])]);
    assert_eq!((plans["z"].address, node_ports(&plans["z"])), (Some(ip("127.98.0.1")), vec![Some(30_000)]));
    assert_eq!((plans["a"].address, node_ports(&plans["a"])), (Some(ip("127.98.0.2")), vec![Some(30_001)]));
}

#[test]
fn before_all_are_known_nothing_new_is_given() {
    let mut scene = Scene::new();
    scene.arrival = Arrival::UnderWay;
    scene.gave("z", Some("127.98.0.2"), &[(80, 30_002)]);
    let plans = scene.plan(&[balanced("a", &[tcp(80)]), balanced("z", &[tcp(80)])]);
    assert_eq!((plans["a"].address, node_ports(&plans["a"])), (None, vec![None]));
    assert_eq!((plans["z"].address, node_ports(&plans["z"])), (Some(ip("127.98.0.2")), vec![Some(30_002)]));
    assert!(plans["a"].shortage.is_none() && plans["a"].refused.is_empty(), "it is not told that there is none");
}

#[test]
fn a_node_port_that_is_written_is_kept_to_or_refused() {
    let mut scene = Scene::new();
    scene.taken.node_ports.insert(30_001);
    let written = |name: &str, number| on_node(name, &[port(ListenerProtocol::Tcp, 80, Some(number))]);
    let plans = scene.plan(&[written("a", 30_003), written("b", 30_003), written("c", 30_001), written("d", 22)]);
    assert_eq!(node_ports(&plans["a"]), [Some(30_003)]);
    let told = |name: &str| (node_ports(&plans[name]), plans[name].refused[0].field.as_str(), plans[name].refused[0].message.as_str());
    assert_eq!(told("b"), (vec![None], "spec.ports[0].nodePort", "node port 30003 is somebody else's"));
    assert_eq!(told("c").2, "node port 30001 is somebody else's");
    assert_eq!(told("d").2, "node port 22 is not in the range 30000 to 30005");
}

#[test]
fn connections_and_datagrams_may_have_one_number() {
    let both = [port(ListenerProtocol::Tcp, 53, Some(30_003)), port(ListenerProtocol::Udp, 53, Some(30_003))];
    let plans = Scene::new().plan(&[balanced("dns", &both)]);
    assert_eq!((node_ports(&plans["dns"]), plans["dns"].refused.len()), (vec![Some(30_003), Some(30_003)], 0));
    let gateway = plans["dns"].gateway(&gateway_of_service(&Name::new("demo", "dns")), &machine());
    let sockets: Vec<String> = gateway.listeners[1].bindings.iter().map(|it| it.address.to_string()).collect();
    assert_eq!(sockets, ["127.0.0.1:30003", "127.98.0.1:53", "192.0.2.1:30003"]);
    assert_eq!(gateway.listeners[1].protocol, ListenerProtocol::Udp);
}

#[test]
fn who_wants_no_node_ports_gets_none() {
    let withheld = Exposed { node_ports: NodePorts::Withheld, ..balanced("a", &[tcp(80)]) };
    let plans = Scene::new().plan(&[withheld]);
    assert_eq!((plans["a"].address, node_ports(&plans["a"])), (Some(ip("127.98.0.1")), vec![None]));
}

#[test]
fn an_external_address_is_the_nodes_or_a_free_one_of_the_pool() {
    let mut scene = Scene::new();
    scene.taken.addresses.insert(ip("127.98.0.1"));
    let external = |name: &str, number, all: &[&str]| Exposed {
        external: all.iter().map(|it| ip(it)).collect(),
        node_ports: NodePorts::Withheld,
        ..on_node(name, &[tcp(number)])
    };
    let asked = [
        balanced("a", &[tcp(80)]),
        external("b", 8080, &["192.0.2.1", "127.98.0.4"]),
        external("c", 8080, &["192.0.2.1"]),
        external("d", 8081, &["192.0.2.1"]),
        external("e", 80, &["127.98.0.1", "127.98.0.2", "8.8.8.8"]),
    ];
    let plans = scene.plan(&asked);
    let had = |name: &str| plans[name].external.iter().map(ToString::to_string).collect::<Vec<_>>();
    let told = |name: &str| plans[name].refused.iter().map(|it| it.message.as_str()).collect::<Vec<_>>();
    assert_eq!((had("b"), told("b")), (vec!["127.98.0.4".to_owned(), "192.0.2.1".to_owned()], vec![]));
    assert_eq!((had("c"), told("c")), (vec![], vec!["port 8080 of 192.0.2.1 is another Service's"]));
    assert_eq!(had("d"), ["192.0.2.1"]);
    let expect =
        ["8.8.8.8 is neither the node's address nor in the pool", "127.98.0.1 is a gateway's", "127.98.0.2 is given to Service/demo/a"];
    assert_eq!((had("e"), told("e")), (vec![], expect.to_vec()));
}

#[test]
fn an_address_that_is_asked_for_is_given_or_none() {
    let mut scene = Scene::new();
    scene.taken.addresses.insert(ip("127.98.0.3"));
    let wants = |name: &str, address: &str| Exposed { address: WantedAddress::Pool(Some(ip(address))), ..balanced(name, &[tcp(80)]) };
    let plans = scene.plan(&[wants("a", "127.98.0.2"), wants("b", "10.0.0.1"), wants("c", "127.98.0.3")]);
    assert_eq!(plans["a"].address, Some(ip("127.98.0.2")));
    assert_eq!(plans["b"].shortage, Some(Shortage::NotInPool(ip("10.0.0.1"))));
    assert_eq!(plans["c"].shortage, Some(Shortage::Taken(ip("127.98.0.3"))));
}

#[test]
fn ports_of_all_together_are_bounded() {
    let many: Vec<ExposedPort> = (1..=1000).map(tcp).collect();
    let withheld = |name: &str, ports: &[ExposedPort]| Exposed { node_ports: NodePorts::Withheld, ..balanced(name, ports) };
    let plans = Scene::new().plan(&[withheld("a", &many), withheld("b", &many), withheld("c", &many[..20])]);
    assert_eq!(plans.values().map(|it| it.ports.len()).collect::<Vec<_>>(), [1000, 0, 20]);
    assert_eq!(plans["b"].refused[0].reason, "TooManyPorts");
    assert_eq!(plans["b"].address, None, "an address would be of no use");
}

#[test]
fn an_offset_moves_ports_below_1024_at_addresses() {
    let mut scene = Scene::new();
    scene.machine.port_offset = 10_000;
    let plans = scene.plan(&[balanced("a", &[tcp(80), tcp(8080)])]);
    assert_eq!(plans["a"].ports.iter().map(|it| it.real).collect::<Vec<_>>(), [10_080, 8080]);
}
