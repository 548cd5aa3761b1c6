use super::*;
use model::{Balancing, GatewayId, Host};
use resources::{Change, Kind, Name, NodePorts, Problem};
use serde_json::{Value, json};

fn resources(service: &Value) -> Resources {
    let mut resources = Resources::default();
    resources.apply(Change::of(service).expect("an object"));
    resources
}

fn service(spec: Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "dns", "namespace": "demo" }, "spec": spec })
}

fn name() -> Name {
    Name::new("demo", "dns")
}

fn asked(spec: Value) -> Option<Exposed> {
    let resources = resources(&service(spec));
    resources.services().find_map(|it| exposed(it, &[]))
}

fn host(spec: Value, port: u16) -> (Option<Host>, Vec<Problem>) {
    let (host, reports) = translate_host(&resources(&service(spec)), &[], (&gateway_id(&name()), port));
    (host, reports.into_iter().flat_map(|it| it.problems).collect())
}

#[test]
fn an_id_is_read_as_it_was_written_and_no_gateways_is_taken_for_one() {
    assert_eq!(service_of(&gateway_id(&name())), Some(name()));
    for other in ["demo/dns", "kubesphere-controls-system/kubesphere-router-demo", "Service", "Service/x"] {
        assert_eq!(service_of(&GatewayId::new(other.to_owned())), None, "{other}");
    }
}

#[test]
fn who_asks_for_what() {
    let ports = json!([{ "port": 80 }]);
    let of = |spec: Value| {
        let mut spec = spec;
        spec["ports"] = ports.clone();
        asked(spec).map(|it| (it.address, it.node_ports))
    };
    for (spec, expect) in [
        (json!({}), None),
        (json!({ "type": "ExternalName", "externalName": "web.test", "externalIPs": ["10.0.0.1"] }), None),
        (json!({ "externalIPs": ["10.0.0.1"] }), Some((WantedAddress::None, NodePorts::Withheld))),
        (json!({ "type": "NodePort" }), Some((WantedAddress::None, NodePorts::Allocated))),
        (json!({ "type": "LoadBalancer" }), Some((WantedAddress::Pool(None), NodePorts::Allocated))),
        (
            json!({ "type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "loadBalancerIP": "10.0.0.9" }),
            Some((WantedAddress::Pool("10.0.0.9".parse().ok()), NodePorts::Withheld)),
        ),
        (json!({ "type": "LoadBalancer", "loadBalancerClass": CLASS }), Some((WantedAddress::Pool(None), NodePorts::Allocated))),
        (json!({ "type": "LoadBalancer", "loadBalancerClass": "others.example/lb" }), Some((WantedAddress::None, NodePorts::Allocated))),
    ] {
        assert_eq!(of(spec.clone()), expect, "{spec}");
    }
}

#[test]
fn what_a_gateway_is_seen_as_is_not_forwarded() {
    let mut managed = service(json!({ "type": "LoadBalancer", "ports": [{ "port": 80 }] }));
    let plain = resources(&managed);
    let shared = SharedGateway { services: vec![name()], ..SharedGateway::new(GatewayId::new("cluster")) };
    assert_eq!(hosts(&plain, &[]).count(), 1);
    assert_eq!(hosts(&plain, &[shared]).count(), 0);
    managed["metadata"]["labels"] = json!({ "app.kubernetes.io/managed-by": "paifang" });
    assert_eq!(hosts(&resources(&managed), &[]).count(), 0);
}

#[test]
fn connections_and_datagrams_of_one_number_go_to_their_own_ports() {
    let spec = json!({ "type": "NodePort", "ports": [{ "name": "tcp", "port": 53 }, { "name": "udp", "port": 53, "protocol": "UDP" }] });
    let (host, problems) = host(spec, 53);
    let host = host.expect("it is served");
    let led = |it: &Option<model::Tunnel>| {
        let it = it.as_ref().expect("somewhere");
        (it.backends[0].backend.as_ref().expect("a backend").id.to_string(), it.source.rule.to_string(), it.idle.as_secs())
    };
    assert_eq!(led(&host.tunnel), ("demo/dns:53".into(), "spec.ports[0]".into(), 3600));
    assert_eq!(led(&host.datagrams), ("demo/dns:53/udp".into(), "spec.ports[1]".into(), 60));
    assert_eq!(problems, []);
}

#[test]
fn clients_stay_where_they_are_and_others_are_kept_out() {
    let spec = |ranges: Value| json!({ "type": "LoadBalancer", "sessionAffinity": "ClientIP", "loadBalancerSourceRanges": ranges, "ports": [{ "port": 80 }] });
    let tunnel = |ranges| host(spec(ranges), 80).0.and_then(|it| it.tunnel).expect("it is served");
    let it = tunnel(json!(["10.0.0.0/8", " 192.0.2.0/24 "]));
    let backend = it.backends[0].backend.as_ref().expect("a backend");
    assert_eq!((backend.balancing, backend.id.as_str()), (Balancing::ClientAddress, "demo/dns:80~client-address"));
    let admits = |text: &str| it.admits(text.parse().expect("an address"));
    assert!(admits("10.1.2.3") && admits("192.0.2.7") && admits("::ffff:10.1.2.3") && !admits("127.0.0.1") && !admits("::1"));
    let closed = tunnel(json!(["10.0.0.0/33"]));
    assert!(!closed.admits("10.0.0.1".parse().expect("an address")), "what cannot be read admits nobody");
    let node_port = host(json!({ "type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"], "ports": [{ "port": 80 }] }), 80);
    assert_eq!(node_port.0.and_then(|it| it.tunnel).expect("it is served").clients, None, "the field is of load balancers");
}

#[test]
fn what_is_not_done_is_told() {
    let spec = json!({
        "type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{ "port": 80 }, { "port": 9, "protocol": "SCTP" }],
    });
    let (served, problems) = host(spec.clone(), 80);
    assert!(served.is_some());
    assert_eq!(problems.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["spec.externalTrafficPolicy"]);
    let (served, problems) = host(spec, 9);
    assert!(served.is_none());
    assert!(problems.iter().any(|it| it.field == "spec.ports[1].protocol" && it.message.contains("SCTP")), "{problems:?}");
}

#[test]
fn a_change_touches_every_port() {
    let resources = resources(&service(
        json!({ "type": "NodePort", "ports": [{ "port": 80 }, { "name": "b", "port": 81, "protocol": "UDP" }, { "name": "c", "port": 9, "protocol": "SCTP" }] }),
    ));
    let service = resources.service(&name()).expect("it is there");
    let ports: Vec<u16> = touched(service, &[]).map(|it| it.1).collect();
    assert_eq!(ports, [80, 81, 9], "that one is not forwarded is said, too");
    assert_eq!(Kind::Service.object_ref(&name()).to_string(), "Service demo/dns");
}
