use super::*;
use resources::Kind;

fn wants(number: u16, protocol: ListenerProtocol, name: &str, created: i64) -> WantedPort {
    let owner = Kind::IstioGateway.object_ref(&resources::Name::new("demo", name));
    WantedPort { number, protocol, name: SectionName::new("p"), owner, created, field: "spec.servers[0].port".into() }
}

/// What is listened on, and who was told.
fn put(wanted: Vec<WantedPort>) -> (Vec<(u16, ListenerProtocol, usize)>, Vec<String>) {
    let mut options = Options::new(GatewayId::new("shared"));
    options.gateways[0].http = 80;
    let asked = Wanted { gateway: GatewayId::new("shared"), workload: None, request: None, ports: wanted, replies: Replies::default() };
    let (listening, reports) = settle(&options, vec![asked]);
    let ports = &listening.gateways[&GatewayId::new("shared")].ports;
    let ports = ports.iter().map(|(number, port)| (*number, port.protocol, port.owners.len())).collect();
    (ports, reports.iter().map(|report| report.object.name.to_string()).collect())
}

#[test]
fn owners_who_want_the_same_share_a_port_and_the_younger_of_two_that_do_not_is_told() {
    use ListenerProtocol::{Http, Https, Tcp};
    assert_eq!(put(vec![wants(8080, Http, "a", 2), wants(8080, Http, "b", 1)]), (vec![(8080, Http, 2)], vec![]));
    assert_eq!(put(vec![wants(9000, Http, "a", 2), wants(9000, Tcp, "b", 1)]), (vec![(9000, Tcp, 1)], vec!["a".to_owned()]));
    assert_eq!(put(vec![wants(9000, Http, "a", 1), wants(9000, Tcp, "b", 1)]), (vec![(9000, Http, 1)], vec!["b".to_owned()]));
    assert_eq!(put(vec![wants(443, Https, "a", 1), wants(80, Tcp, "b", 0)]), (vec![(443, Https, 1)], vec!["b".to_owned()]));
}

#[test]
fn who_asks_for_too_many_ports_is_told_and_takes_none_from_older_ones() {
    use ListenerProtocol::Http;
    let many = (0..=MOST_PORTS).map(|index| wants(2000 + u16::try_from(index).expect("small"), Http, "many", 2));
    let (ports, told) =
        put(many.chain([wants(9000, Http, "older", 1), wants(9000, Http, "young", 3), wants(80, Http, "own", 3)]).collect());
    // One that is there already, or is the gateway's own, costs nothing.
    assert_eq!((ports.len(), told.len()), (MOST_PORTS + 1, 2));
    assert!(ports.contains(&(9000, Http, 2)) && ports.contains(&(80, Http, 1)));
    assert!(told.iter().all(|name| name == "many"));
}
