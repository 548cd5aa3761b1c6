use super::*;
use serde_json::json;

#[test]
fn a_gateway_says_what_is_wrong_with_it() {
    let conditions = json!([
        { "type": "Accepted", "status": "True", "reason": "Accepted", "message": "" },
        { "type": "Programmed", "status": "False", "reason": "AddressNotAssigned", "message": "no address" },
        { "type": "OptionsIgnored", "status": "True", "reason": "UnknownOptions", "message": "proxy-body-sise" },
    ]);
    let object = json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": "demo" },
        "spec": { "scope": "Project", "access": { "type": "LoadBalancer", "publicAddresses": ["a.example"] } },
        "status": { "conditions": conditions, "attachedRoutes": 3 } });
    let found = gateways(&[object]);
    let seen = &found[0];
    assert_eq!((seen.ready, seen.routes, seen.access, seen.is_public), (Truth::False, Some(3), Some(Access::LoadBalancer), true));
    assert_eq!(seen.problems.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>(), ["AddressNotAssigned", "UnknownOptions"]);
    assert_eq!((seen.serves.to_string(), seen.kind()), ("Project demo".to_owned(), "IngressGateway"));
}

#[test]
fn everybodys_is_shown_once() {
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "r", "namespace": "edge",
        "labels": { "kubesphere.io/gateway-type": "cluster" }, "annotations": { "paifang.dev/gateway": "edge/r", "paifang.dev/node-address": "10.0.0.1" } },
        "spec": { "type": "NodePort", "ports": [{ "name": "http", "port": 80, "nodePort": 30_080 }, { "name": "https", "port": 443, "nodePort": 30_443 }] } });
    let other = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "namespace": "demo",
        "labels": { "kubesphere.io/gateway-type": "cluster" }, "annotations": { "paifang.dev/gateway": "edge/r" } }, "spec": { "type": "NodePort" } });
    let found = gateways(&[other, service.clone()]);
    assert_eq!(found.len(), 1, "whoever calls itself so is not");
    let reached = found[0].reached();
    assert_eq!((reached.addresses.as_slice(), reached.http, reached.https), (&["10.0.0.1".to_owned()][..], Some(30_080), Some(30_443)));
    let request = json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "all", "namespace": "kubesphere-system" },
        "spec": { "scope": "Cluster" }, "status": { "conditions": [{ "type": "Programmed", "status": "True" }] } });
    let found = gateways(&[request, service]);
    assert_eq!(found.iter().map(SeenGateway::kind).collect::<Vec<_>>(), ["IngressGateway"]);
}

#[test]
fn everybodys_is_reached_by_node_ports_as_long_as_it_waits_for_an_address() {
    let service = |status: serde_json::Value| {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "r", "namespace": "edge",
            "labels": { "kubesphere.io/gateway-type": "cluster" }, "annotations": { "paifang.dev/gateway": "edge/r" } },
            "spec": { "type": "LoadBalancer", "ports": [{ "name": "http", "port": 80, "nodePort": 30_080 }, { "name": "https", "port": 443 }] },
            "status": { "loadBalancer": status } })
    };
    let ports = |status| gateways(&[service(status)])[0].ports.iter().map(|it| it.reached).collect::<Vec<_>>();
    assert_eq!(ports(json!({})), [30_080, 443]);
    assert_eq!(ports(json!({ "ingress": [{ "ip": "10.0.0.1" }] })), [80, 443]);
}

#[test]
fn kubespheres_own_gateways_are_read_as_they_are_there() {
    let object = json!({ "apiVersion": "gateway.kubesphere.io/v1alpha1", "kind": "Gateway",
        "metadata": { "name": "kubesphere-router-demo", "namespace": "kubesphere-controls-system" },
        "spec": { "controller": { "scope": { "enabled": true, "namespace": "demo" } }, "service": { "type": "NodePort" } },
        "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] }, "service": [{ "name": "http", "port": 80, "nodePort": 32_734 }] } });
    let found = gateways(&[object]);
    assert_eq!(found[0].serves, Serves::Project("demo".into()));
    assert_eq!((found[0].reached().http, found[0].reached().https), (Some(32_734), None));
}

#[test]
fn where_a_port_went_is_read_off_our_own_words() {
    assert_eq!(moved("port 80 is reached as port 10080; port 443 is served"), [(80, 10_080)].into());
    assert_eq!(moved("served on 127.1.0.1; listener http: port 80 is reached as port 30080"), [(80, 30_080)].into());
    assert_eq!(moved("port x is reached as port 99999; reached as port 1"), BTreeMap::new());
}
