use super::*;
use crate::services;
use fastrand::Rng;
use model::SectionName;
use serde_json::{Value, json};
use std::net::SocketAddr;
use translate::Port;

fn machine(pool: &str, shape: Shape, port_offset: u16, node: [u8; 4]) -> Machine {
    let pool = pool.parse().expect("a pool");
    Machine { shape, node_address: IpAddr::from(node), pool, port_offset, node_ports: 30_000..=30_030 }
}

fn workload(name: &str, access: WorkloadAccess, address: Option<IpAddr>) -> Workload {
    Workload {
        owner: ObjectRef::new("Gateway", "demo", name.to_owned()),
        owner_uid: format!("uid-{name}").into(),
        name: Name::new("demo", format!("{name}-istio")),
        class: "istio".into(),
        entrance: resources::Entrance { access, address, ..resources::Entrance::default() },
        size: resources::Size::default(),
        labels: [("team".into(), "a".into()), (services::MANAGED_BY.into(), "Helm".into())].into(),
        annotations: [("note".into(), "b".into())].into(),
    }
}

fn listens(workload: Option<Workload>, ports: &[(u16, &str, ListenerProtocol)]) -> Listens {
    let port = |(number, name, protocol): &(u16, &str, ListenerProtocol)| {
        (*number, Port { protocol: *protocol, name: SectionName::new((*name).to_owned()), owners: BTreeSet::new() })
    };
    Listens { workload, request: None, ports: ports.iter().map(port).collect(), replies: Replies::default(), tracing: None }
}

fn id(name: &str) -> GatewayId {
    GatewayId::new(format!("demo/{name}"))
}

fn listening(gateways: &[(&str, Listens)]) -> Listening {
    let gateways = gateways.iter().map(|(name, it)| (id(name), it.clone())).collect();
    Listening { gateways, ..Listening::default() }
}

fn shared_listens(listens: Listens) -> Listening {
    Listening { gateways: [(crate::shared_gateway(&translate::Naming::default()).id, listens)].into(), ..Listening::default() }
}

fn planned(machine: &Machine, listening: &Listening) -> Gateways {
    machine.plan(
        &asks(&crate::shared_gateway(&translate::Naming::default()), listening, Wishes::default()),
        &BTreeMap::new(),
        &Taken::default(),
    )
}

/// `name asked→real/node`, a star for what does not listen.
fn ports(plan: &Plan) -> Vec<String> {
    let shown = |it: &PlannedPort| {
        let star = if it.listens { "" } else { "*" };
        format!("{}{star} {}→{}/{}", it.name, it.port, it.real, it.node_port.unwrap_or_default())
    };
    plan.ports.iter().map(shown).collect()
}

#[test]
fn the_shared_gateway_has_its_own_ports_and_those_asked_for() {
    let machine = Machine { node_ports: 30_000..=32_767, ..machine("127.1.0.0/24", Shape::Up, 0, [127, 0, 0, 1]) };
    let asked = [
        (80, "web", ListenerProtocol::Http),
        (8080, "http", ListenerProtocol::Http),
        (9443, "Tls_Server", ListenerProtocol::Https),
        (31_400, "echo", ListenerProtocol::Tcp),
    ];
    let shared = crate::shared_gateway(&translate::Naming::default()).id;
    let none = planned(&machine, &Listening::default());
    assert_eq!(ports(none.get(&shared).expect("there")), ["http 80→80/30080", "https 443→443/30443", "tcp* 31400→31400/31400"]);
    let all = planned(&machine, &shared_listens(listens(None, &asked)));
    assert_eq!(
        ports(all.get(&shared).expect("there")),
        ["http 80→80/30080", "https 443→443/30443", "http-8080 8080→8080/30000", "tls-server 9443→9443/30001", "tcp 31400→31400/31400"]
    );
}

#[test]
fn an_offset_goes_around_numbers_that_are_asked_for() {
    let machine = machine("127.1.0.0/24", Shape::Up, 10_000, [127, 0, 0, 1]);
    let plans =
        planned(&machine, &shared_listens(listens(None, &[(10_080, "x", ListenerProtocol::Http), (81, "y", ListenerProtocol::Http)])));
    let real: Vec<(u16, u16)> = plans
        .get(&crate::shared_gateway(&translate::Naming::default()).id)
        .expect("there")
        .ports
        .iter()
        .map(|it| (it.port, it.real))
        .collect();
    assert_eq!(real, [(80, 10_081), (81, 10_082), (443, 10_443), (10_080, 10_080), (31_400, 31_400)]);
}

#[test]
fn each_access_has_its_sockets() {
    let machine = machine("127.1.0.0/24", Shape::Up, 0, [127, 0, 0, 1]);
    let web = [(80, "http", ListenerProtocol::Http)];
    let gateways = listening(&[
        ("balanced", listens(Some(workload("balanced", WorkloadAccess::LoadBalancer, None)), &web)),
        ("inside", listens(Some(workload("inside", WorkloadAccess::ClusterIp, None)), &web)),
        ("node", listens(Some(workload("node", WorkloadAccess::NodePort, None)), &web)),
        ("other", listens(Some(workload("other", WorkloadAccess::LoadBalancer, Some(IpAddr::from([10, 9, 9, 9])))), &web)),
    ]);
    let plans = planned(&machine, &gateways);
    let sockets = |name: &str| plans.get(&id(name)).expect("there").sockets_of(80).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(sockets("balanced"), ["127.1.0.1:80", "127.0.0.1:30000"]);
    assert_eq!(sockets("inside"), ["127.97.0.1:80"]);
    assert_eq!(sockets("node"), ["127.0.0.1:30001"]);
    assert_eq!(sockets("other"), ["127.0.0.1:30002"]);
    let other = plans.get(&id("other")).expect("there");
    assert_eq!(other.shortage.map(|it| it.to_string()), Some("10.9.9.9 is not in the pool".to_owned()));
    assert_eq!(plans.get(&id("inside")).expect("there").status(), Vec::<String>::new());
}

/// As a server keeps a Service, with the status we write.
fn kept(machine: &Machine, asks: &Asks, plans: &Gateways) -> BTreeMap<GatewayId, Given> {
    let notes = BTreeMap::new();
    let of = |plan: &Plan| {
        let service = |name: &Name| {
            let mut object = services::service((machine, &notes), &asks[&plan.id], plan, name);
            let ingress: Vec<Value> = plan.status().iter().map(|it| json!({ "ip": it })).collect();
            object["status"] = json!({ "loadBalancer": { "ingress": ingress } });
            Given::read(&object)
        };
        let given: Vec<Given> = plan.services.iter().map(service).collect();
        (plan.id.clone(), Given::of(&given))
    };
    plans.iter().map(of).collect()
}

#[test]
fn services_say_what_was_given_and_it_reads_back_the_same() {
    let machine = machine("127.1.0.0/24", Shape::Up, 10_000, [127, 0, 0, 1]);
    let web = [(80, "http", ListenerProtocol::Http), (8443, "https", ListenerProtocol::Https)];
    let gateways = listening(&[
        ("a", listens(Some(workload("a", WorkloadAccess::LoadBalancer, None)), &web)),
        ("b", listens(Some(workload("b", WorkloadAccess::ClusterIp, None)), &web)),
    ]);
    let asks = asks(&crate::shared_gateway(&translate::Naming::default()), &gateways, Wishes::default());
    let taken = Taken { addresses: [IpAddr::from([127, 1, 0, 1])].into(), node_ports: [30_000].into() };
    let plans = machine.plan(&asks, &BTreeMap::new(), &taken);
    let again = machine.plan(&asks, &kept(&machine, &asks, &plans), &Taken::default());
    assert_eq!(again, plans, "what was taken is free now, and nothing moves");
}

#[test]
fn a_gateway_s_service_is_its_owner_s_and_ours() {
    let machine = machine("127.1.0.0/24", Shape::Up, 0, [127, 0, 0, 1]);
    let gateways =
        listening(&[("a", listens(Some(workload("a", WorkloadAccess::LoadBalancer, None)), &[(80, "http", ListenerProtocol::Http)]))]);
    let asks = asks(&crate::shared_gateway(&translate::Naming::default()), &gateways, Wishes::default());
    let plans = machine.plan(&asks, &BTreeMap::new(), &Taken::default());
    let plan = plans.get(&id("a")).expect("there");
    let service = services::service((&machine, &BTreeMap::new()), &asks[&plan.id], plan, &plan.services[0]);
    assert_eq!(service["metadata"]["name"], "a-istio");
    assert_eq!(
        service["metadata"]["ownerReferences"],
        json!([{ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "name": "a", "uid": "uid-a" }])
    );
    let label = |name: &str| service["metadata"]["labels"][name].as_str().map(str::to_owned).unwrap_or_default();
    assert_eq!(
        (label("team"), label(services::MANAGED_BY), label(services::GATEWAY_NAME_LABEL)),
        ("a".into(), "paifang".into(), "a".into())
    );
    assert_eq!(service["metadata"]["annotations"]["note"], "b");
    assert_eq!(service["spec"]["ports"][0]["nodePort"], 30_000);
    assert!(services::is_ours(&service));
}

#[test]
fn the_istio_service_names_its_ports_as_istio_does() {
    let asked = [(8080, "http2", ListenerProtocol::Http)];
    let gateways = shared_listens(listens(None, &asked));
    for (shape, node_ports) in [(Shape::Up, true), (Shape::Cluster, false)] {
        let machine = machine("127.1.0.0/24", shape, 0, [127, 0, 0, 1]);
        let asks = asks(&crate::shared_gateway(&translate::Naming::default()), &gateways, Wishes::default());
        let plans = machine.plan(&asks, &BTreeMap::new(), &Taken::default());
        let plan = plans.get(&crate::shared_gateway(&translate::Naming::default()).id).expect("there");
        let service = |at: usize| services::service((&machine, &BTreeMap::new()), &asks[&plan.id], plan, &plan.services[at]);
        let names = |service: &Value| {
            let ports = service["spec"]["ports"].as_array().cloned().unwrap_or_default();
            ports.iter().map(|it| format!("{} {}", it["name"].as_str().unwrap_or_default(), it["port"])).collect::<Vec<_>>()
        };
        assert_eq!(names(&service(0)), ["http 80", "https 443", "http2 8080"]);
        assert_eq!(names(&service(1)), ["http2 80", "https 443", "http2-8080 8080", "tcp 31400"]);
        assert_eq!(service(1)["metadata"]["labels"]["istio"], "ingressgateway");
        assert_eq!(service(1)["spec"]["ports"][0].get("nodePort").is_some(), node_ports, "a server hands each out once");
    }
}

#[test]
fn others_addresses_are_taken_over_where_we_have_none_and_names_always() {
    let status = |entries: Value| json!({ "metadata": { "annotations": { "paifang.dev/address": "127.1.0.1" } }, "status": { "loadBalancer": { "ingress": entries } } });
    for (pool, entries, expect) in [
        ("none", json!([{ "ip": "127.1.0.1" }]), vec![]),
        ("none", json!([{ "ip": "203.0.113.7" }]), vec!["203.0.113.7"]),
        ("none", json!([{ "hostname": "lb.example" }]), vec!["lb.example"]),
        ("127.1.0.0/24", json!([{ "ip": "203.0.113.7" }]), vec![]),
        ("127.1.0.0/24", json!([{ "hostname": "lb.example" }]), vec!["lb.example"]),
    ] {
        let (machine, shared) = (machine(pool, Shape::Up, 0, [127, 0, 0, 1]), crate::shared_gateway(&translate::Naming::default()));
        let given = [(shared.id.clone(), Given::read(&status(entries.clone())))].into();
        let plans = machine.plan(&asks(&shared, &Listening::default(), Wishes::default()), &given, &Taken::default());
        assert_eq!(plans.get(&shared.id).expect("there").others, expect, "{pool} {entries}");
    }
}

/// Gateways by chance: few names and ports, so that they meet.
fn by_chance(rng: &mut Rng) -> Listening {
    let numbers = [80, 443, 8080, 10_080, 30_000, 30_001, 30_080, 31_400];
    let ports = |rng: &mut Rng| {
        let mut all = Vec::new();
        for number in numbers {
            if rng.bool() {
                continue;
            }
            let protocol = [ListenerProtocol::Http, ListenerProtocol::Https, ListenerProtocol::Tcp][rng.usize(..3)];
            all.push((number, ["http", "a", ""][rng.usize(..3)], protocol));
        }
        all
    };
    let mut gateways: Vec<(&str, Listens)> = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        if rng.bool() {
            continue;
        }
        let access = [WorkloadAccess::LoadBalancer, WorkloadAccess::NodePort, WorkloadAccess::ClusterIp][rng.usize(..3)];
        let wanted = (rng.u8(..4) == 0).then(|| IpAddr::from([127, 1, 0, rng.u8(0..6)]));
        let asked = ports(rng);
        gateways.push((name, listens(Some(workload(name, access, wanted)), &asked)));
    }
    let mut all = listening(&gateways);
    if rng.bool() {
        all.gateways.insert(crate::shared_gateway(&translate::Naming::default()).id, listens(None, &ports(rng)));
    }
    all
}

#[test]
fn gateways_that_come_and_go_never_share_a_socket_and_leak_nothing() {
    for seed in 0..300 {
        let rng = &mut Rng::with_seed(seed);
        let pool = ["127.1.0.0/29", "127.1.0.1-127.1.0.2", "127.0.0.1", "none"][rng.usize(..4)];
        let node = [[127, 0, 0, 1], [127, 0, 0, 9], [0, 0, 0, 0]][rng.usize(..3)];
        let machine = machine(pool, [Shape::Up, Shape::Cluster][rng.usize(..2)], [0, 10_000][rng.usize(..2)], node);
        let shared = crate::shared_gateway(&translate::Naming::default());
        let mut given: BTreeMap<GatewayId, Given> = BTreeMap::new();
        for _ in 0..12 {
            let asks = asks(&shared, &by_chance(rng), Wishes::default());
            let plans = machine.plan(&asks, &given, &Taken::default());
            disjoint(&plans, seed);
            assert_eq!(machine.plan(&asks, &kept(&machine, &asks, &plans), &Taken::default()).0.len(), asks.len());
            let again: BTreeMap<GatewayId, Given> = plans.iter().map(|it| (it.id.clone(), Given::from(it))).collect();
            assert_eq!(machine.plan(&asks, &again, &Taken::default()), plans, "seed {seed}: nothing moves by itself");
            for plan in plans.iter() {
                stays(plan, given.get(&plan.id), &machine, seed);
            }
            given = again;
        }
        let alone = asks(&shared, &Listening::default(), Wishes::default());
        let last = machine.plan(&alone, &given, &Taken::default());
        assert_eq!(last.iter().count(), 1, "seed {seed}");
        let all: Vec<IpAddr> = last.iter().filter_map(|it| it.address).collect();
        assert!(all.len() <= 1, "seed {seed}: what others had is given back");
    }
}

fn disjoint(plans: &Gateways, seed: u64) {
    let mut seen: BTreeSet<SocketAddr> = BTreeSet::new();
    let mut any: BTreeSet<u16> = BTreeSet::new();
    for plan in plans.iter() {
        for port in &plan.ports {
            for socket in plan.sockets(port) {
                assert!(seen.insert(socket), "seed {seed}: {socket} twice");
                if socket.ip().is_unspecified() {
                    any.insert(socket.port());
                }
            }
        }
        let names: BTreeSet<&SectionName> = plan.ports.iter().map(|it| &it.name).collect();
        assert_eq!(names.len(), plan.ports.len(), "seed {seed}: names are unique");
        let real: BTreeSet<u16> = plan.ports.iter().map(|it| it.real).collect();
        assert_eq!(real.len(), plan.ports.len(), "seed {seed}: real ports are unique");
    }
    assert!(seen.iter().all(|it| it.ip().is_unspecified() || !any.contains(&it.port())), "seed {seed}: one socket covers another");
}

/// What a gateway was given it still has, where that is in the pool and nobody asked for something else.
fn stays(plan: &Plan, before: Option<&Given>, machine: &Machine, seed: u64) {
    let Some(before) = before else { return };
    if let (Some(had), None, Access::LoadBalancer) = (before.address, plan.wanted, plan.access)
        && machine.pool.contains(had)
    {
        assert_eq!(plan.address, Some(had), "seed {seed}: {} moved", plan.id);
    }
}

mod stability;

#[test]
fn a_class_of_balancers_leaves_the_address_to_others_where_it_means_others() {
    let machine = machine("127.64.0.0/28", Shape::Up, 0, [10, 0, 0, 1]);
    for (access, class, has) in [
        (WorkloadAccess::LoadBalancer, None, true),
        (WorkloadAccess::LoadBalancer, Some(translate::SERVICE_CLASS), true),
        (WorkloadAccess::LoadBalancer, Some("others.example/lb"), false),
        (WorkloadAccess::ClusterIp, Some("others.example/lb"), true),
    ] {
        let mut workload = workload("web", access, None);
        workload.entrance.class = class.map(Text::from);
        let listening = listening(&[("web", listens(Some(workload), &[(80, "http", ListenerProtocol::Http)]))]);
        let plans = planned(&machine, &listening);
        let address = plans.iter().find(|it| it.id == id("web")).and_then(|it| it.address);
        assert_eq!(address.is_some(), has, "{access:?} {class:?}");
    }
}
