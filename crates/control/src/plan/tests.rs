use super::*;
use crate::gateways::{Given, Machine, Shape, Taken, Wishes, asks};
use std::collections::BTreeMap;
use translate::Listening;

fn planned(pool: &str, port_offset: u16, node: [u8; 4]) -> Plan {
    let shared = crate::shared_gateway(&translate::Naming::default());
    let machine = Machine {
        shape: Shape::Up,
        node_address: IpAddr::from(node),
        pool: pool.parse().expect("a pool"),
        port_offset,
        node_ports: 30_000..=32_767,
    };
    let asks = asks(&shared, &Listening::default(), Wishes::default());
    machine.plan(&asks, &BTreeMap::<GatewayId, Given>::new(), &Taken::default()).get(&shared.id).expect("it is there").clone()
}

fn bindings(gateway: &Gateway) -> Vec<String> {
    let shown = |it: &Binding| match it.https_port {
        Some(port) => format!("{}→{port}", it.address),
        None => it.address.to_string(),
    };
    gateway.listeners.iter().flat_map(|it| &it.bindings).map(shown).collect()
}

#[test]
fn each_http_socket_knows_its_https_twin() {
    for (pool, offset, expect) in [
        ("127.1.0.0/24", 0, vec!["127.1.0.1:80→443", "127.0.0.1:30080→30443", "127.1.0.1:443", "127.0.0.1:30443"]),
        ("127.1.0.0/24", 10_000, vec!["127.1.0.1:10080→10443", "127.0.0.1:30080→30443", "127.1.0.1:10443", "127.0.0.1:30443"]),
        ("127.0.0.1", 0, vec!["127.0.0.1:80→443", "127.0.0.1:30080→30443", "127.0.0.1:443", "127.0.0.1:30443"]),
        ("none", 0, vec!["127.0.0.1:30080→30443", "127.0.0.1:30443"]),
    ] {
        assert_eq!(bindings(&planned(pool, offset, [127, 0, 0, 1]).gateway(None)), expect, "{pool} {offset}");
    }
}

#[test]
fn node_ports_answer_on_the_node_s_address_and_on_the_loopback_address() {
    let plan = planned("none", 0, [127, 0, 0, 9]);
    assert_eq!(bindings(&plan.gateway(None)), ["127.0.0.9:30080→30443", "127.0.0.1:30080→30443", "127.0.0.9:30443", "127.0.0.1:30443"]);
    assert_eq!(bindings(&planned("none", 0, [0, 0, 0, 0]).gateway(None)), ["0.0.0.0:30080→30443", "0.0.0.0:30443"]);
}

#[test]
fn without_a_pool_the_node_s_address_is_shown_until_somebody_gives_another() {
    let mut plan = planned("none", 0, [127, 0, 0, 1]);
    assert_eq!((plan.waiting(), plan.status(), plan.shown()), (Some(Shortage::NoPool), vec![], vec!["127.0.0.1".to_owned()]));
    assert_eq!(plan.ports[0].port, 80);
    assert_eq!(plan.shown_port(&plan.ports[0]), Some(30_080));
    plan.others = vec!["lb.example".into()];
    assert_eq!((plan.waiting(), plan.status(), plan.shown()), (None, vec![], vec!["lb.example".to_owned()]));
    assert_eq!(plan.shown_port(&plan.ports[0]), Some(80));
}

#[test]
fn inside_a_cluster_a_gateway_is_known_by_its_service_s_name() {
    let plan = Plan { access: Access::ClusterIp, ..planned("none", 0, [127, 0, 0, 1]) };
    assert_eq!(plan.shown(), ["kubesphere-router-kubesphere-system.kubesphere-controls-system.svc.cluster.local"]);
    assert_eq!((plan.status(), plan.shown_port(&plan.ports[0])), (vec![], Some(80)));
}

#[test]
fn a_redirect_goes_to_the_usual_port_or_to_the_only_one() {
    let mut plan = planned("none", 0, [127, 0, 0, 1]);
    let https = |plan: &Plan| plan.https().map(|it| it.port);
    assert_eq!(https(&plan), Some(443));
    let other = PlannedPort { name: SectionName::new("secure"), port: 8443, ..plan.ports[1].clone() };
    plan.ports.push(other);
    assert_eq!(https(&plan), Some(443));
    plan.ports.remove(1);
    assert_eq!(https(&plan), Some(8443));
    let more = PlannedPort { port: 9443, ..plan.ports[2].clone() };
    plan.ports.push(more);
    assert_eq!(https(&plan), None, "nobody knows which is meant");
}
