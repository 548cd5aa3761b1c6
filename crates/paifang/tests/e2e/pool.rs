//! Without addresses to give: what is pending says why, and node ports go on.

use crate::harness::{Up, chance, word};
use crate::objects::{namespace, service};
use serde_json::Value;
use std::net::SocketAddr;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

#[test]
fn without_a_pool_addresses_are_pending_and_node_ports_go_on() {
    let rng = &mut chance("without_a_pool_addresses_are_pending_and_node_ports_go_on");
    let (up, project, host) = (Up::start(&["--pool", "none"]), word(rng), format!("{}.example", word(rng)));
    let origin = Origin::start(Behaviour::body("here"));
    up.apply(&[namespace(&project), service(&project, "web", &[origin.address()])]);
    let shown = up.kubectl(&["get", "svc", "-n", "istio-system", "istio-ingressgateway"], "").expect("a table");
    assert!(shown.lines().nth(1).is_some_and(|it| it.contains(" LoadBalancer ") && it.contains(" <pending> ")), "{shown}");
    up.event("istio-system", "istio-ingressgateway", &["pool"]);
    up.yaml(&format!(
        "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: web, namespace: {project} }}
spec:
  selector: {{ istio: ingressgateway }}
  servers: [{{ port: {{ number: 80, name: http, protocol: HTTP }}, hosts: [{host}] }}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: web, namespace: {project} }}
spec:
  hosts: [{host}]
  gateways: [web]
  http: [{{ route: [{{ destination: {{ host: web }} }}] }}]
"
    ));
    let node_port = node_port(&up, "istio-system", "istio-ingressgateway", "http2");
    up.until_at(node_port, &host, "/", "served on the node port", |it| it.text() == "here");

    up.yaml(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: edge, namespace: {project} }}
spec:
  gatewayClassName: paifang
  listeners: [{{ name: http, port: 80, protocol: HTTP }}]
"
    ));
    let gateway = ["gateways.gateway.networking.k8s.io", "-n", &project, "edge"];
    up.until_condition(&gateway, "/status/conditions", "Programmed", "False AddressNotAssigned");
}

fn node_port(up: &Up, namespace: &str, name: &str, port: &str) -> SocketAddr {
    let number = eventually("a node port", || {
        let service = up.get(&["service", "-n", namespace, name])?;
        let ports = service.pointer("/spec/ports")?.as_array()?.clone();
        ports.iter().find(|it| it["name"] == port).and_then(|it| it.get("nodePort")).and_then(Value::as_u64)
    });
    SocketAddr::from(([127, 0, 0, 1], u16::try_from(number).expect("a port")))
}
