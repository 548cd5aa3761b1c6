use super::*;
use crate::plan::Access;
use model::{ListenerProtocol, Replies, SectionName};
use resources::{Workload, WorkloadAccess};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::IpAddr;
use translate::{Listens, Port};

/// A machine on which no other test listens.
fn entrances(pool: &str) -> Entrances {
    let machine = Machine {
        shape: Shape::Up,
        node_address: IpAddr::from([127, 0, 0, 1]),
        pool: pool.parse().expect("a pool"),
        port_offset: 23_000,
        node_ports: 1024..=65_000,
    };
    Entrances::new(machine, crate::shared_gateway(&translate::Naming::default()), Prepared::default(), None, "here".into())
}

fn gateway(name: &str, access: WorkloadAccess, ports: &[(u16, ListenerProtocol)]) -> (GatewayId, Listens) {
    let workload = Workload {
        owner: ObjectRef::new("Gateway", "demo", name.to_owned()),
        owner_uid: "u".into(),
        name: Name::new("demo", format!("{name}-istio")),
        class: "istio".into(),
        entrance: resources::Entrance { access, ..resources::Entrance::default() },
        size: resources::Size::default(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
    };
    let port = |(number, protocol): &(u16, ListenerProtocol)| {
        (*number, Port { protocol: *protocol, name: SectionName::new(format!("p{number}")), owners: BTreeSet::new() })
    };
    let listens = Listens {
        workload: Some(workload),
        request: None,
        ports: ports.iter().map(port).collect(),
        replies: Replies::default(),
        tracing: None,
    };
    (GatewayId::new(format!("demo/{name}")), listens)
}

fn listening<const N: usize>(gateways: [(GatewayId, Listens); N]) -> Listening {
    Listening { gateways: gateways.into(), ..Listening::default() }
}

impl Entrances {
    /// What the data plane is told when this is asked for: gateway, and its sockets' addresses.
    fn told(&mut self, listening: &Listening) -> Vec<(String, Vec<String>)> {
        self.touch();
        self.settle(listening, Taken::default(), &Mailbox::default());
        let sockets = |it: &Gateway| it.listeners.iter().flat_map(|it| &it.bindings).map(|it| it.address.ip().to_string()).collect();
        self.publish().into_iter().map(|(id, it)| (id.to_string(), it.map(|it| sockets(&it)).unwrap_or_default())).collect()
    }
}

const WEB: [(u16, ListenerProtocol); 1] = [(80, ListenerProtocol::Http)];

#[test]
fn a_gateway_comes_and_goes_and_no_other_is_told() {
    let mut entrances = entrances("127.77.4.0/28");
    let first = entrances.told(&Listening::default());
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].1, ["127.77.4.1", "127.0.0.1", "127.77.4.1", "127.0.0.1"]);
    let a = gateway("a", WorkloadAccess::LoadBalancer, &WEB);
    assert_eq!(entrances.told(&listening([a.clone()])), [("demo/a".into(), vec!["127.77.4.2".into(), "127.0.0.1".into()])]);
    let b = gateway("b", WorkloadAccess::NodePort, &WEB);
    assert_eq!(entrances.told(&listening([a.clone(), b.clone()])), [("demo/b".into(), vec!["127.0.0.1".into()])]);
    assert_eq!(entrances.told(&listening([a.clone(), b.clone()])), []);
    assert_eq!(entrances.told(&listening([b])), [("demo/a".into(), vec![])]);
    let c = gateway("c", WorkloadAccess::LoadBalancer, &WEB);
    let told = entrances.told(&listening([c]));
    assert_eq!(told[1], ("demo/c".into(), vec!["127.77.4.2".into(), "127.0.0.1".into()]), "what was given back is given again");
}

#[test]
fn what_its_services_say_from_an_earlier_time_is_kept() {
    let mut entrances = entrances("127.77.5.0/28");
    entrances.told(&Listening::default());
    let annotations =
        json!({ "paifang.dev/address": "127.77.5.9", "paifang.dev/gateway": "demo/a", "paifang.dev/node-address": "127.0.0.1" });
    let service = json!({ "metadata": { "annotations": annotations }, "spec": { "type": "LoadBalancer",
        "ports": [{ "name": "p80", "port": 23_080, "nodePort": 4711 }] } });
    entrances.observe(&Target::new(Kind::Service, "demo", "a-istio"), Some(&service));
    entrances.told(&listening([gateway("a", WorkloadAccess::LoadBalancer, &WEB)]));
    let plans = entrances.gateways();
    let plan = plans.get(&GatewayId::new("demo/a")).expect("it is planned");
    assert_eq!((plan.address, plan.ports[0].node_port), (Some(IpAddr::from([127, 77, 5, 9])), Some(4711)));
}

#[test]
fn the_owner_of_the_own_service_may_ask_for_node_ports_only_and_for_other_ones() {
    let mut entrances = entrances("127.77.6.0/28");
    entrances.told(&Listening::default());
    let taken = testkit::ports::listener();
    let number = taken.local_addr().expect("bound").port();
    let service = |number: u16| {
        json!({ "metadata": {}, "spec": { "type": "NodePort",
            "ports": [{ "name": "http", "port": 23_080, "nodePort": number }, { "name": "https", "port": 23_443, "nodePort": 4713 }] } })
    };
    let own = Target::new(Kind::Service, "kubesphere-controls-system", "kubesphere-router-kubesphere-system");
    let plan = |entrances: &Entrances| entrances.gateways().get(&entrances.shared.id).expect("there").clone();
    let before = plan(&entrances);

    entrances.observe(&own, Some(&service(number)));
    entrances.told(&Listening::default());
    let refused = plan(&entrances);
    assert_eq!((refused.access, refused.ports[0].node_port), (Access::NodePort, before.ports[0].node_port));
    let reasons: Vec<String> = entrances.trouble().into_values().flatten().map(|it| it.reason).collect();
    assert_eq!(reasons, ["NotListening"]);

    drop(taken);
    entrances.told(&Listening::default());
    assert_eq!((plan(&entrances).ports[0].node_port, plan(&entrances).ports[1].node_port), (Some(number), Some(4713)));
    assert!(entrances.trouble().is_empty());
}

#[test]
fn a_host_name_that_somebody_else_writes_is_taken_over_and_left_alone() {
    let mut entrances = entrances("none");
    entrances.told(&Listening::default());
    let about: Vec<String> = entrances.trouble().into_keys().map(|it| it.to_string()).collect();
    assert_eq!(about.len(), 2, "both Services say why they wait: {about:?}");
    let status = json!({ "loadBalancer": { "ingress": [{ "hostname": "lb.example" }] } });
    let service =
        json!({ "metadata": { "annotations": { "paifang.dev/address": "" } }, "spec": { "type": "LoadBalancer" }, "status": status });
    entrances.observe(&Target::new(Kind::Service, crate::ISTIO_NAMESPACE, crate::ISTIO_NAME), Some(&service));
    let mailbox = Mailbox::default();
    assert!(entrances.settle(&Listening::default(), Taken::default(), &mailbox), "there is something else to be said");
    let plans = entrances.gateways();
    assert_eq!(plans.iter().map(|it| it.shown()).collect::<Vec<_>>(), [["lb.example"]]);
    let about: Vec<String> = entrances.trouble().into_keys().map(|it| it.to_string()).collect();
    assert_eq!(about, ["Service kubesphere-controls-system/kubesphere-router-kubesphere-system"]);
}
