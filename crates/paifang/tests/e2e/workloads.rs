//! Gateways as workloads: an address, ports, a Service, a Deployment and a Pod each; they come, move and go.

use crate::harness::{GATEWAY, Up, chance, word};
use crate::objects::{namespace, service, simple};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

const GATEWAYS: &str = "gateways.gateway.networking.k8s.io";

fn gateway(namespace: &str, name: &str, ports: &[u16], annotations: &Value) -> Value {
    let listener = |port: &u16| json!({ "name": format!("p{port}"), "port": port, "protocol": "HTTP" });
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": { "name": name, "namespace": namespace, "annotations": annotations },
        "spec": { "gatewayClassName": "paifang", "listeners": ports.iter().map(listener).collect::<Vec<_>>() },
    })
}

fn route(namespace: &str, gateway: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": { "name": gateway, "namespace": namespace },
        "spec": { "parentRefs": [{ "name": gateway }], "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }] },
    })
}

fn text(object: &Value, pointer: &str) -> Option<String> {
    Some(object.pointer(pointer)?.as_str()?.to_owned())
}

/// Where a gateway's Service says that the port answers: on its address, and on the node's.
fn sockets(up: &Up, project: &str, name: &str, port: &str) -> Option<(Option<SocketAddr>, Option<SocketAddr>)> {
    let service = up.get(&["service", "-n", project, &format!("{name}-paifang")])?;
    let ports = service.pointer("/spec/ports")?.as_array()?.clone();
    let port = ports.into_iter().find(|it| it["name"] == port)?;
    let number = |name: &str| port.get(name).and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
    let at = |address: Option<String>, number: Option<u16>| Some(SocketAddr::new(address?.parse().ok()?, number?));
    let balanced = at(text(&service, "/status/loadBalancer/ingress/0/ip").or_else(|| text(&service, "/spec/clusterIP")), number("port"));
    Some((balanced, at(Some("127.0.0.1".into()), number("nodePort"))))
}

/// A project with a backend, and a gateway that serves it.
fn served(up: &Up, project: &str, origin: &Origin, gateways: &[Value]) {
    up.apply(&[namespace(project), service(project, "web", &[origin.address()])]);
    up.apply(gateways);
    for it in gateways {
        up.apply(&[route(project, &text(it, "/metadata/name").expect("a name"))]);
    }
}

fn answers(up: &Up, at: SocketAddr) {
    up.until_at(at, "any.example", "/", "served", |it| it.text() == "here");
}

#[test]
fn a_gateway_has_its_own_address_and_ports_and_gives_them_back() {
    let rng = &mut chance("a_gateway_has_its_own_address_and_ports_and_gives_them_back");
    let (mut up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    let (first, second) = (gateway(&project, "one", &[8080, 9000], &json!({})), gateway(&project, "two", &[8080], &json!({})));
    served(&up, &project, &origin, &[first, second]);
    let find = |up: &Up, name: &str, port: &str| {
        eventually("both sockets of a port", || match sockets(up, &project, name, port)? {
            (Some(balanced), Some(node)) => Some((balanced, node)),
            _ => None,
        })
    };
    let all = |up: &Up| [("one", "p8080"), ("one", "p9000"), ("two", "p8080")].map(|(name, port)| find(up, name, port));
    let before = all(&up);
    for (balanced, node) in before {
        answers(&up, balanced);
        answers(&up, node);
    }
    let addresses: BTreeSet<_> = before.iter().map(|it| it.0.ip()).chain([up.front().ip()]).collect();
    assert_eq!(addresses.len(), 3, "each gateway has an address of its own: {before:?}");
    for kind in ["deployment", "serviceaccount"] {
        let seen = up.get(&[kind, "-n", &project, "one-paifang"]).unwrap_or_else(|| panic!("a {kind}"));
        assert_eq!(text(&seen, "/metadata/ownerReferences/0/name").as_deref(), Some("one"));
    }
    let pods = up.get(&["pods", "-n", &project, "-l", "gateway.networking.k8s.io/gateway-name=one"]).expect("pods");
    assert_eq!(text(&pods, "/items/0/status/phase").as_deref(), Some("Running"));

    up.kill();
    up.start_again();
    assert_eq!(all(&up), before, "a restart moves nothing");
    for (balanced, _) in before {
        answers(&up, balanced);
    }

    up.kubectl(&["delete", "-n", &project, GATEWAYS, "one"], "").expect("it is deleted");
    eventually("all of it goes", || {
        let left = up.get(&["services,deployments,pods,serviceaccounts", "-n", &project])?;
        let names: Vec<String> = left["items"].as_array()?.iter().filter_map(|it| text(it, "/metadata/name")).collect();
        names.iter().all(|it| !it.starts_with("one-")).then_some(())
    });
    eventually("its sockets close", || std::net::TcpStream::connect(before[0].0).is_err().then_some(()));
    answers(&up, before[2].0);
    up.apply(&[gateway(&project, "three", &[8080], &json!({}))]);
    assert_eq!(find(&up, "three", "p8080").0.ip(), before[0].0.ip(), "what was given back is given again");
}

#[test]
fn a_gateway_says_how_it_wants_to_be_reached() {
    let rng = &mut chance("a_gateway_says_how_it_wants_to_be_reached");
    let (up, project, origin) = (Up::start(&[]), word(rng), Origin::start(Behaviour::body("here")));
    let of = |name: &str, access: &str| gateway(&project, name, &[8080], &json!({ "networking.istio.io/service-type": access }));
    served(&up, &project, &origin, &[of("inside", "ClusterIP"), of("node", "NodePort")]);
    let inside = eventually("an address of this machine alone", || sockets(&up, &project, "inside", "p8080")?.0);
    assert!(inside.ip().is_loopback(), "{inside}");
    answers(&up, inside);
    assert_eq!(sockets(&up, &project, "inside", "p8080").and_then(|it| it.1), None);
    let node = eventually("a node port", || sockets(&up, &project, "node", "p8080")?.1);
    answers(&up, node);
    assert_eq!(sockets(&up, &project, "node", "p8080").and_then(|it| it.0), None);

    up.apply(&[of("node", "LoadBalancer")]);
    let balanced = eventually("an address of the pool", || sockets(&up, &project, "node", "p8080")?.0);
    answers(&up, balanced);
    assert_eq!(sockets(&up, &project, "node", "p8080").and_then(|it| it.1), Some(node), "what it has it keeps");
}

#[test]
fn a_host_name_that_a_cloud_gives_is_taken_over_everywhere() {
    let rng = &mut chance("a_host_name_that_a_cloud_gives_is_taken_over_everywhere");
    let (mut up, project) = (Up::start(&["--pool", "none"]), word(rng));
    let (origin, name) = (Origin::start(Behaviour::body("here")), format!("{}.example", word(rng)));
    served(&up, &project, &origin, &[gateway(&project, "edge", &[8080], &json!({}))]);
    up.apply(&[simple(&project, "web", "web.example", "web")]);
    let given = json!({ "status": { "loadBalancer": { "ingress": [{ "hostname": name }] } } }).to_string();
    let give = |namespace: &str, service: &str| {
        eventually("the Service is there", || up.get(&["service", "-n", namespace, service]));
        up.kubectl(&["patch", "service", "-n", namespace, service, "--subresource=status", "--type=merge", "-p", &given], "")
            .expect("patched");
    };
    give("istio-system", "istio-ingressgateway");
    give(&project, "edge-paifang");
    let shown = |up: &Up| {
        let ingress = up.get(&["ingress", "-n", &project, "web"])?;
        let gateway = up.get(&[GATEWAYS, "-n", &project, "edge"])?;
        let kind = text(&gateway, "/status/addresses/0/type")?;
        (kind == "Hostname").then_some(())?;
        Some((text(&ingress, "/status/loadBalancer/ingress/0/hostname")?, text(&gateway, "/status/addresses/0/value")?))
    };
    assert_eq!(eventually("both show it", || shown(&up)), (name.clone(), name.clone()));
    up.until_condition(&[GATEWAYS, "-n", &project, "edge"], "/status/conditions", "Programmed", "True");
    up.kill();
    up.start_again();
    let service = up.get(&["service", "-n", "istio-system", "istio-ingressgateway"]).expect("it is there");
    assert_eq!(text(&service, "/status/loadBalancer/ingress/0/hostname"), Some(name), "a restart leaves it alone");
}

#[test]
fn what_the_gateway_is_seen_as_is_made_again_and_classes_are_not() {
    let mut up = Up::start(&[]);
    let classes = |up: &Up| {
        let all = up.get(&["ingressclasses,gatewayclasses"]).and_then(|it| it["items"].as_array().cloned()).unwrap_or_default();
        all.iter().filter_map(|it| Some(format!("{}/{}", text(it, "/kind")?, text(it, "/metadata/name")?))).collect::<BTreeSet<_>>()
    };
    let [of_gateways, of_ingresses] = ["GatewayClass", "IngressClass"].map(|it| format!("{it}/{}", GATEWAY.1));
    let expect = ["GatewayClass/istio", "GatewayClass/paifang", &of_gateways, "IngressClass/istio", &of_ingresses, "IngressClass/paifang"];
    let expect = BTreeSet::from(expect.map(str::to_owned));
    eventually("its classes are there", || (classes(&up) == expect).then_some(()));
    up.kubectl(&["delete", "gatewayclass", "istio"], "").expect("it is deleted");
    up.kubectl(&["delete", "namespace", "istio-system"], "").expect("it is deleted");
    up.kubectl(&["delete", "service", "-n", GATEWAY.0, GATEWAY.1], "").expect("it is deleted");
    let seen = [("service", "istio-ingressgateway"), ("deployment", "istio-ingressgateway"), ("pod", "istio-ingressgateway-0")];
    for (kind, name) in seen {
        eventually(&format!("the {kind} is there again"), || {
            let found = up.get(&[kind, "-n", "istio-system", name])?;
            found.pointer("/metadata/deletionTimestamp").is_none().then_some(())
        });
    }
    eventually("its own Service too", || up.get(&["service", "-n", GATEWAY.0, GATEWAY.1]));
    up.kill();
    up.start_again();
    assert!(!classes(&up).contains("GatewayClass/istio"), "its owner deleted it");
}
