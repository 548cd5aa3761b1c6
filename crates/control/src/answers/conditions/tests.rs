use super::*;
use crate::plan::PlannedPort;
use crate::reference::{CONDITIONS, Of};
use model::{HostPattern, ListenerProtocol, Replies, SectionName};
use serde_json::{Value, json};
use std::net::IpAddr;

const ID: &str = "demo/web";

/// A plan whose port 80 is really `real`.
fn plan(access: Access, address: Option<&str>, real: u16) -> Plan {
    Plan {
        id: GatewayId::new(ID),
        owner: None,
        services: Vec::new(),
        access,
        address: address.map(|it| it.parse().expect("an address")),
        wanted: None,
        entrance: resources::Entrance::default(),
        shortage: None,
        others: Vec::new(),
        node_address: IpAddr::from([127, 0, 0, 1]),
        node_ports: 30_000..=32_767,
        nodes: Vec::new(),
        crew: None,
        ports: vec![PlannedPort {
            name: SectionName::new("http"),
            protocol: ListenerProtocol::Http,
            port: 80,
            real,
            node_port: Some(30_080),
            listens: true,
        }],
        replies: Replies::default(),
        options: Default::default(),
    }
}

fn bound(plan: &Plan, fault: Option<&str>) -> Vec<BindingState> {
    let state = |address| BindingState {
        gateway: plan.id.clone(),
        listener: SectionName::new("http"),
        address,
        bound: fault.map_or(Ok(address), |it| Err(it.to_owned())),
    };
    plan.sockets_of(80).into_iter().map(state).collect()
}

fn accepted(truth: bool) -> Condition {
    Condition::new(ACCEPTED, Truth::from(truth), if truth { ACCEPTED } else { "UnsupportedProtocol" }, "why")
}

fn listener(name: &'static str, port: u16, conditions: Vec<Condition>) -> ListenerStatus {
    ListenerStatus { name: SectionName::new(name), port, supported_kinds: Vec::new(), attached_routes: 0, conditions }
}

fn draft(status: Status) -> Draft {
    Draft {
        uid: Text::default(),
        generation: 1,
        status,
        gateways: [GatewayId::new(ID)].into(),
        ports: [(GatewayId::new(ID), 80)].into(),
        parents: Vec::new(),
        conflicts: Vec::new(),
        attached: 0,
    }
}

fn gateway(listeners: Vec<ListenerStatus>) -> Draft {
    draft(Status::Gateway(GatewayStatus { conditions: vec![accepted(true)], listeners }))
}

fn finish(draft: &Draft, kind: &'static str, plans: &[Plan], bindings: &[BindingState], refusals: &[(ShardKey, Text, String)]) -> Shape {
    let gateways: Gateways = plans.iter().cloned().collect();
    let (controllers, refusals) = (BTreeSet::new(), refusals.to_vec());
    let heard = Heard { gateways: &gateways, bindings, refusals, controllers, host: "here", collectors: &BTreeMap::new() };
    let shape = heard.finish(draft, &ObjectRef::new(kind, "demo", "web")).shape;
    assert_on_the_page(draft, &shape);
    shape
}

/// What is said here and was not drafted stands on the reference pages.
fn assert_on_the_page(draft: &Draft, shape: &Shape) {
    let listeners = |status: &GatewayStatus| status.listeners.iter().map(|it| (Of::Listener, it.conditions.clone())).collect::<Vec<_>>();
    let mut said = match shape {
        Shape::Gateway { status, .. } => listeners(status),
        Shape::Route { parents, .. } => parents.iter().map(|it| (Of::Route, it.conditions.clone())).collect(),
        Shape::Conditions(conditions) => vec![(Of::Istio, conditions.clone())],
        Shape::Class { .. } | Shape::Entrance { .. } | Shape::Plain { .. } => Vec::new(),
    };
    if let Shape::Gateway { status, .. } = shape {
        said.push((Of::Gateway, status.conditions.clone()));
    }
    let drafted: Vec<Condition> = match &draft.status {
        Status::Gateway(it) => it.conditions.iter().chain(it.listeners.iter().flat_map(|it| &it.conditions)).cloned().collect(),
        Status::Route(parents) => parents.iter().flat_map(|it| &it.conditions).cloned().collect(),
        Status::Class { conditions, .. } | Status::Conditions(conditions) | Status::Entrance(conditions) => conditions.clone(),
    };
    for (of, condition) in said.iter().flat_map(|(of, conditions)| conditions.iter().map(move |it| (of, it))) {
        let row = |it: &Condition| format!("{}={} {}", it.kind, it.status.as_str(), it.reason);
        let said = row(condition);
        let known = drafted.iter().any(|it| row(it) == said) || CONDITIONS.iter().any(|it| (it.0, it.1) == (*of, said.as_str()));
        assert!(known, "{of:?} {said}");
    }
}

fn shown(condition: Option<&Condition>) -> String {
    condition.map(|it| format!("{}/{}", it.status.as_str(), it.reason)).unwrap_or_default()
}

/// Gateway's and listener's `Programmed`, and the addresses.
fn check(draft: &Draft, plan: &Plan, bindings: &[BindingState], expect: (&str, &[&str], &[&str])) -> GatewayStatus {
    let shape = finish(draft, "Gateway", std::slice::from_ref(plan), bindings, &[]);
    let Shape::Gateway { status, addresses } = shape else { panic!("a Gateway") };
    let listeners: Vec<String> = status.listeners.iter().map(|it| shown(find(&it.conditions, PROGRAMMED))).collect();
    let whole = shown(find(&status.conditions, PROGRAMMED));
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    assert_eq!(
        (whole.as_str(), listeners.iter().map(String::as_str).collect::<Vec<_>>(), addresses),
        (expect.0, expect.1.to_vec(), expect.2.to_vec())
    );
    status
}

fn http() -> Draft {
    gateway(vec![listener("http", 80, vec![accepted(true)])])
}

#[test]
fn a_gateway_is_programmed_when_every_socket_is_bound_and_it_has_an_address() {
    let balanced = plan(Access::LoadBalancer, Some("127.1.0.1"), 80);
    let all = bound(&balanced, None);
    check(&http(), &balanced, &all, ("True/Programmed", &["True/Programmed"], &["127.1.0.1"]));
    check(&http(), &balanced, &all[..1], ("False/Pending", &["False/Pending"], &["127.1.0.1"]));
    check(&http(), &balanced, &[], ("False/Pending", &["False/Pending"], &["127.1.0.1"]));
    let status =
        check(&http(), &balanced, &bound(&balanced, Some("it is in use")), ("False/Invalid", &["False/PortUnavailable"], &["127.1.0.1"]));
    assert!(status.conditions.iter().any(|it| it.message.contains("127.1.0.1:80 cannot be listened on: it is in use")), "{status:?}");

    let node = plan(Access::NodePort, None, 80);
    check(&http(), &node, &bound(&node, None), ("True/Programmed", &["True/Programmed"], &["127.0.0.1"]));
    let mut cloud = plan(Access::LoadBalancer, None, 80);
    cloud.others = vec!["lb.example".into()];
    check(&http(), &cloud, &bound(&cloud, None), ("True/Programmed", &["True/Programmed"], &["lb.example"]));
}

#[test]
fn without_an_address_it_says_why() {
    let taken = IpAddr::from([127, 1, 0, 9]);
    for (shortage, expect) in [
        (Some(Shortage::NoPool), "False/AddressNotAssigned"),
        (Some(Shortage::Exhausted), "False/AddressNotAssigned"),
        (Some(Shortage::NotInPool(taken)), "False/AddressNotUsable"),
        (Some(Shortage::Taken(taken)), "False/AddressNotUsable"),
        (None, "False/AddressNotAssigned"),
    ] {
        let plan = Plan { shortage, ..plan(Access::LoadBalancer, None, 80) };
        check(&http(), &plan, &bound(&plan, None), (expect, &["True/Programmed"], &[]));
    }
}

#[test]
fn another_port_than_asked_for_is_named() {
    let plan = plan(Access::LoadBalancer, Some("127.1.0.1"), 10_080);
    let status = check(&http(), &plan, &bound(&plan, None), ("True/Programmed", &["True/Programmed"], &["127.1.0.1"]));
    for conditions in [&status.conditions, &status.listeners[0].conditions] {
        let programmed = find(conditions, PROGRAMMED).expect("it is said");
        assert!(programmed.message.contains("port 80 is reached as port 10080"), "{programmed:?}");
    }
}

#[test]
fn one_good_listener_is_enough_and_what_translation_said_stays() {
    let plan = plan(Access::LoadBalancer, Some("127.1.0.1"), 80);
    let closed = Condition::new(PROGRAMMED, Truth::False, "Invalid", "no certificate");
    let two = gateway(vec![
        listener("http", 80, vec![accepted(true)]),
        listener("https", 80, vec![accepted(true), closed]),
        listener("udp", 53, vec![accepted(false)]),
    ]);
    let status = check(
        &two,
        &plan,
        &bound(&plan, None),
        ("True/Programmed", &["True/Programmed", "False/Invalid", "False/Invalid"], &["127.1.0.1"]),
    );
    let message = &find(&status.conditions, PROGRAMMED).expect("it is said").message;
    assert!(message.contains("listener https: no certificate"), "{message}");

    let none = gateway(vec![listener("https", 443, vec![accepted(false)])]);
    check(&none, &plan, &bound(&plan, None), ("False/Invalid", &["False/Invalid"], &["127.1.0.1"]));
    let nowhere = Draft { gateways: BTreeSet::new(), ..http() };
    check(&nowhere, &plan, &bound(&plan, None), ("False/Pending", &["False/Pending"], &[]));
}

#[test]
fn a_port_that_another_object_has_is_unavailable() {
    let plan = plan(Access::LoadBalancer, Some("127.1.0.1"), 80);
    let mut draft = gateway(vec![
        listener("a", 81, vec![accepted(true)]),
        listener("b", 80, vec![accepted(true)]),
        listener("c", 80, vec![accepted(true)]),
    ]);
    let conflict = Conflict { at: None, field: "spec.listeners[1].port".into(), message: "port 80 is TCP of somebody".into() };
    draft.conflicts.push(conflict);
    let status =
        check(&draft, &plan, &bound(&plan, None), ("False/Pending", &["False/Pending", "False/Invalid", "False/Invalid"], &["127.1.0.1"]));
    let said = |index: usize, kind: &str| shown(find(&status.listeners[index].conditions, kind));
    assert_eq!((said(0, ACCEPTED), said(0, CONFLICTED)), ("True/Accepted".into(), String::new()));
    assert_eq!(shown(find(&status.conditions, ACCEPTED)), "True/ListenersNotValid");
    for index in [1, 2] {
        assert_eq!((said(index, ACCEPTED), said(index, CONFLICTED)), ("False/PortUnavailable".into(), "True/ProtocolConflict".into()));
    }
}

#[test]
fn a_gateway_whose_listeners_all_lost_their_port_is_not_accepted() {
    let plan = plan(Access::LoadBalancer, Some("127.1.0.1"), 80);
    let mut draft = http();
    let conflict = Conflict { at: None, field: "spec.listeners[0].port".into(), message: "port 80 is TCP of somebody".into() };
    draft.conflicts.push(conflict);
    let status = check(&draft, &plan, &bound(&plan, None), ("False/Invalid", &["False/Invalid"], &["127.1.0.1"]));
    assert_eq!(shown(find(&status.conditions, ACCEPTED)), "False/ListenersNotValid");
}

fn key(port: Option<u16>) -> ShardKey {
    ShardKey { gateway: GatewayId::new(ID), port, host: HostPattern::Any }
}

fn conditions(draft: &Draft, kind: &'static str, bindings: &[BindingState], refusals: &[(ShardKey, Text, String)]) -> Vec<String> {
    let plan = plan(Access::LoadBalancer, Some("127.1.0.1"), 80);
    let Shape::Conditions(conditions) = finish(draft, kind, &[plan], bindings, refusals) else { panic!("conditions") };
    conditions.iter().map(|it| format!("{} {}", it.kind, shown(Some(it)))).collect()
}

#[test]
fn istio_s_gateways_are_programmed_likewise() {
    let plan = plan(Access::LoadBalancer, Some("127.1.0.1"), 80);
    let (all, istio) = (bound(&plan, None), "Gateway.networking.istio.io");
    let one = draft(Status::Conditions(vec![accepted(true)]));
    assert_eq!(conditions(&one, istio, &all, &[]), ["Accepted True/Accepted", "Programmed True/Programmed"]);
    assert_eq!(conditions(&one, istio, &[], &[]), ["Accepted True/Accepted", "Programmed False/Pending"]);
    assert_eq!(conditions(&one, "VirtualService", &all, &[]), ["Accepted True/Accepted"], "only what listens is programmed");
    let mut younger = Draft { ports: BTreeSet::new(), ..one };
    younger.conflicts.push(Conflict { at: None, field: "spec.servers[0].port".into(), message: "port 80 is HTTP of somebody".into() });
    let expect = ["Accepted True/Accepted", "Programmed False/PortUnavailable", "Conflicted True/ProtocolConflict"];
    assert_eq!(conditions(&younger, istio, &all, &[]), expect);
    let inside = Condition::new(CONFLICTED, Truth::True, "Conflict", "two servers want it");
    younger.status = Status::Conditions(vec![accepted(true), inside]);
    let expect = ["Accepted True/Accepted", "Programmed False/PortUnavailable", "Conflicted True/Conflict"];
    assert_eq!(conditions(&younger, istio, &all, &[]), expect, "both are said in one");
}

#[test]
fn what_the_data_plane_refuses_is_said_on_its_object() {
    let refusal = (key(Some(80)), Text::from("spec.http[0]"), "no".to_owned());
    let one = draft(Status::Conditions(vec![accepted(true)]));
    assert_eq!(conditions(&one, "VirtualService", &[], std::slice::from_ref(&refusal)), ["Accepted False/NotServed"]);
}

fn route(parents: &[(Value, Parent)], conflicts: &[Conflict], refusals: &[(ShardKey, Text, String)]) -> Vec<Vec<String>> {
    let entry = |it: &Value| ParentStatus { parent: it.clone(), controller: "us".into(), conditions: vec![accepted(true)] };
    let mut draft = draft(Status::Route(parents.iter().map(|(it, _)| entry(it)).collect()));
    draft.parents = parents.iter().map(|(_, leads)| leads.clone()).collect();
    draft.conflicts = conflicts.to_vec();
    let Shape::Route { parents, .. } = finish(&draft, "HTTPRoute", &[], &[], refusals) else { panic!("a route") };
    parents.iter().map(|it| it.conditions.iter().map(|it| format!("{} {}", it.kind, shown(Some(it)))).collect()).collect()
}

#[test]
fn a_route_is_told_on_the_entry_it_is_about() {
    let to = |id: &'static str, port| Parent { gateways: [GatewayId::new(id)].into(), port };
    let parents = [
        (json!({ "name": "web" }), to(ID, None)),
        (json!({ "name": "web", "port": 80 }), to(ID, Some(80))),
        (json!({ "name": "web", "port": 81 }), to(ID, Some(81))),
        (json!({ "name": "other" }), to("demo/other", None)),
        (json!({ "name": "not-there" }), Parent::default()),
    ];
    let conflict = Conflict { at: Some(key(Some(80))), field: "spec.rules[0]".into(), message: "somebody was there first".into() };
    let (good, told) = (vec!["Accepted True/Accepted"], vec!["Accepted True/Accepted", "Conflicted True/MatchConflict"]);
    assert_eq!(route(&parents, &[conflict], &[]), [told.clone(), told, good.clone(), good.clone(), good.clone()]);
    let refusal = (key(Some(81)), Text::from("spec.rules[0]"), "no".to_owned());
    let refused = vec!["Accepted False/UnsupportedValue"];
    assert_eq!(route(&parents, &[], &[refusal]), [refused.clone(), good.clone(), refused, good.clone(), good]);
}
