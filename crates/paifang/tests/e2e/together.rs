//! Three APIs on one gateway, one port, one host.

use crate::harness::{Up, binary, chance, run, text, word};
use crate::objects::{by_number, ingress, namespace, path, service};
use serde_json::Value;
use std::process::Command;
use testkit::origin::{Behaviour, Origin};

const JOINED: &str = "  addresses: [{ type: Hostname, value: istio-ingressgateway.istio-system.svc.cluster.local }]\n";

/// An Istio Gateway, a VirtualService, a Gateway that joins the shared one, an HTTPRoute: each for the same host, with a prefix each.
fn istio(project: &str, host: &str, prefix: &str) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: shared, namespace: {project} }}
spec:
  selector: {{ istio: ingressgateway }}
  servers:
  - port: {{ number: 80, name: http, protocol: HTTP }}
    hosts: [{host}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: shared, namespace: {project} }}
spec:
  hosts: [{host}]
  gateways: [shared]
  http:
  - match: [{{ uri: {{ prefix: {prefix} }} }}]
    route:
    - destination: {{ host: two, port: {{ number: 80 }} }}
"
    )
}

fn gateway_api(project: &str, host: &str, prefix: &str) -> String {
    format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: {project}, namespace: istio-system }}
spec:
  gatewayClassName: istio
{JOINED}  listeners:
  - {{ name: http, hostname: {host}, port: 80, protocol: HTTP, allowedRoutes: {{ namespaces: {{ from: All }} }} }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{ name: shared, namespace: {project} }}
spec:
  parentRefs: [{{ name: {project}, namespace: istio-system }}]
  hostnames: [{host}]
  rules:
  - matches: [{{ path: {{ type: PathPrefix, value: {prefix} }} }}]
    backendRefs: [{{ name: three, port: 80 }}]
"
    )
}

/// `first` to `third`: origins that say which of them they are.
fn backends(up: &Up, project: &str) -> Vec<Origin> {
    let origins: Vec<Origin> = ["one", "two", "three"].map(|it| Origin::start(Behaviour::body(it))).into();
    let mut objects = vec![namespace(project)];
    objects.extend(["one", "two", "three"].iter().zip(&origins).map(|(name, it)| service(project, name, &[it.address()])));
    up.apply(&objects);
    origins
}

#[test]
fn three_apis_fill_one_host() {
    let rng = &mut chance("three_apis_fill_one_host");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let _origins = backends(&up, &project);
    up.apply(&[ingress(&project, "shared", &host, &[path("/", "Prefix", by_number("one"))])]);
    up.until(&host, "/three", "an Ingress has all of it", |it| it.text() == "one");
    up.yaml(&istio(&project, &host, "/two"));
    up.yaml(&gateway_api(&project, &host, "/three"));
    for (path, answer) in [("/two", "two"), ("/three", "three"), ("/", "one"), ("/else", "one")] {
        up.until(&host, path, answer, |it| it.text() == answer);
    }
    let url = format!("http://{host}:{}/two", up.front().port());
    let told = up.paifang(&["explain", "GET", &url]);
    for words in [
        "order      routes of Gateway API, then Istio, then Ingress",
        &format!("VirtualService {project}/shared"),
        &format!("Ingress {project}/shared"),
    ] {
        assert!(told.contains(words), "{words:?} is missing:\n{told}");
    }
    let listeners: Value = serde_json::from_str(&up.paifang(&["get", "listeners", "-o", "json"])).expect("JSON");
    let listener = listeners["items"].as_array().expect("a list").iter().find(|it| it["asked"] == 80).expect("port 80").clone();
    assert_eq!((&listener["ingresses"], &listener["protocol"]), (&Value::Bool(true), &"HTTP".into()));
    let owners: Vec<&str> = listener["owners"].as_array().expect("a list").iter().filter_map(|it| it["kind"].as_str()).collect();
    assert_eq!(owners, ["Gateway", "Gateway.networking.istio.io"]);
    let table = up.paifang(&["get", "listeners"]);
    assert!(table.starts_with("GATEWAY ") && table.contains("Ingresses"), "{table}");
    let routes = up.paifang(&["get", "routes", "-n", &project]);
    assert!(["HTTPRoute", "VirtualService", "Ingress"].iter().all(|it| routes.contains(it)), "{routes}");
}

#[test]
fn the_order_of_apis_is_an_option() {
    let rng = &mut chance("the_order_of_apis_is_an_option");
    let up = Up::start(&["--route-order", "ingress,istio,gateway-api"]);
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    let _origins = backends(&up, &project);
    up.apply(&[ingress(&project, "shared", &host, &[path("/two", "Prefix", by_number("one"))])]);
    up.yaml(&istio(&project, &host, "/"));
    up.until(&host, "/else", "the VirtualService has the rest", |it| it.text() == "two");
    up.until(&host, "/two", "the Ingress comes first", |it| it.text() == "one");
    let url = format!("http://{host}:{}/two", up.front().port());
    let told = up.paifang(&["explain", "GET", &url]);
    assert!(told.contains("order      routes of Ingress, then Istio"), "{told}");
}

#[test]
fn of_two_that_want_the_same_the_older_keeps_it() {
    let rng = &mut chance("of_two_that_want_the_same_the_older_keeps_it");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let _origins = backends(&up, &project);
    // An Ingress with the very match that an Istio prefix is: everything.
    up.apply(&[ingress(&project, "older", &host, &[path("/", "Prefix", by_number("one"))])]);
    up.until(&host, "/", "served", |it| it.text() == "one");
    // Ages are whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    up.yaml(&gateway_api(&project, &host, "/"));
    let route = ["httproute", "-n", &project, "shared"];
    let told = testkit::eventually("the younger is told who has it", || {
        let all = up.get(&route)?;
        let messages = all.pointer("/status/parents/0/conditions")?.as_array()?.clone();
        let messages = messages.iter().filter_map(|it| it["message"].as_str()).map(str::to_owned).collect::<Vec<_>>();
        let events = up.events(&project, "shared");
        messages.into_iter().chain(events).find(|it| it.contains(&format!("Ingress {project}/older")))
    });
    assert!(told.contains("first"), "{told}");
    assert_eq!(up.ask(&host, "/").text(), "one", "the option does not say who of two keeps a match");
    let url = format!("http://{host}:{}/", up.front().port());
    let explained = up.paifang(&["explain", "GET", &url]);
    assert!(explained.contains("not served here") && explained.contains(&format!("HTTPRoute {project}/shared")), "{explained}");

    let output = run(Command::new(binary()).env("KUBECONFIG", up.kubeconfig()).args(["check", "--live", "-o", "json"]), "");
    let found: Value = serde_json::from_str(&text(&output.stdout)).expect("JSON");
    let conflict = found.as_array().expect("a list").iter().find(|it| it["reason"] == "Conflict").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!((output.status.code(), &conflict["object"]["kind"]), (Some(1), &"HTTPRoute".into()));

    up.kubectl(&["-n", &project, "delete", "ingress", "older"], "").expect("it is deleted");
    up.until(&host, "/", "the younger has it now", |it| it.text() == "three");
}
