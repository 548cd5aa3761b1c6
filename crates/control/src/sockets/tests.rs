use super::*;
use crate::gateways::{AskedPort, Shape, Wishes, asks};
use model::{ListenerProtocol, SectionName};
use resources::SharedGateway;
use std::net::IpAddr;
use translate::Listening;

/// Two addresses of a subnet that no other test uses, and node ports that hardly anybody has.
fn machine(offset: u16) -> Machine {
    Machine {
        shape: Shape::Cluster,
        node_address: IpAddr::from([127, 0, 0, 1]),
        pool: "127.77.3.0/30".parse().expect("a pool"),
        port_offset: offset,
        node_ports: 1024..=65_535,
    }
}

fn shared() -> (SharedGateway, Asks) {
    let shared = SharedGateway::new(GatewayId::new("a/a"));
    let asks = asks(&shared, &Listening::default(), Wishes::default());
    (shared, asks)
}

/// What is found where these are in use, with what was given before.
fn search(machine: &Machine, asks: &Asks, before: &Gateways, demand: Demand, in_use: &[&str]) -> Result<Gateways, SocketError> {
    let in_use: BTreeSet<SocketAddr> = in_use.iter().map(|it| it.parse().expect("a socket")).collect();
    let probe = |address: SocketAddr| if in_use.contains(&address) { Probe::Taken } else { Probe::Free };
    let given = before.iter().map(|it| (it.id.clone(), Given::from(it))).collect();
    Search::new(machine, &given, before, (demand, Taken::default()), &probe).run(asks)
}

#[test]
fn addresses_and_node_ports_in_use_are_passed_over() {
    let ((shared, asks), machine) = (shared(), machine(20_000));
    let found =
        search(&machine, &asks, &Gateways::default(), Demand::Must, &["127.77.3.1:20443", "127.0.0.1:30080"]).expect("there is another");
    let plan = found.get(&shared.id).expect("it is planned");
    assert_eq!((plan.address, plan.ports[0].node_port), (Some(IpAddr::from([127, 77, 3, 2])), Some(30_081)));
}

#[test]
fn a_given_node_port_does_not_move_by_itself() {
    let ((shared, asks), machine) = (shared(), machine(20_000));
    let given = [(shared.id, Given { node_ports: vec![("http".into(), 20_080, 30_080)], ..Given::default() })].into();
    let probe = |address: SocketAddr| if address.port() == 30_080 { Probe::Taken } else { Probe::Free };
    let before = Gateways::default();
    let error = Search::new(&machine, &given, &before, (Demand::Must, Taken::default()), &probe).run(&asks).expect_err("it is taken");
    assert!(matches!(error, SocketError::Taken { .. }), "{error}");
    Search::new(&machine, &given, &before, (Demand::Can, Taken::default()), &probe).run(&asks).expect("the others serve");
}

#[test]
fn without_a_pool_a_node_port_for_each_listener_is_needed() {
    let ((_, asks), mut machine) = (shared(), machine(0));
    (machine.pool, machine.node_ports) = (pools::Pool::None, 30_000..=30_000);
    let error = search(&machine, &asks, &Gateways::default(), Demand::Must, &[]).expect_err("one is too few");
    assert_eq!(error, SocketError::NoNodePort { from: 30_000, to: 30_000 });
}

#[test]
fn a_port_taken_everywhere_is_named_or_done_without() {
    let ((shared, asks), machine) = (shared(), machine(21_000));
    let in_use = ["127.77.3.1:21080", "127.77.3.2:21080"];
    let error = search(&machine, &asks, &Gateways::default(), Demand::Must, &in_use).expect_err("none is left");
    assert_eq!(error, SocketError::AllTaken { port: 21_080 });
    let found = search(&machine, &asks, &Gateways::default(), Demand::Can, &in_use).expect("443 serves");
    assert_eq!(found.get(&shared.id).and_then(|it| it.address), Some(IpAddr::from([127, 77, 3, 1])));
    let before = search(&machine, &asks, &Gateways::default(), Demand::Must, &[]).expect("all is free");
    let again = search(&machine, &asks, &before, Demand::Must, &in_use).expect("our own sockets are not in the way");
    assert_eq!(again, before);
}

#[test]
fn a_port_that_comes_later_moves_nothing() {
    let ((shared, mut asks), machine) = (shared(), machine(0));
    let before = search(&machine, &asks, &Gateways::default(), Demand::Can, &[]).expect("all is free");
    let more = AskedPort { name: SectionName::new("more"), protocol: ListenerProtocol::Http, listens: true };
    asks.get_mut(&shared.id).expect("it is asked for").ports.insert(9000, more);
    let after = search(&machine, &asks, &before, Demand::Can, &["127.77.3.1:9000"]).expect("the others go on");
    let (before, after) = (before.get(&shared.id).expect("there"), after.get(&shared.id).expect("there"));
    assert_eq!((after.address, &after.ports[..2]), (before.address, &before.ports[..2]));
    assert_eq!(after.ports.len(), 3);
}

#[test]
fn what_is_really_in_use_is_found() {
    let address = testkit::ports::own_at([127, 77, 3, 1]);
    let taken = TcpListener::bind(address).expect("it is free");
    assert_eq!(probe(address), Probe::Taken);
    drop(taken);
    assert_eq!(probe(address), Probe::Free);
}
