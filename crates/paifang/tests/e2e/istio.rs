//! Istio's neighbouring tasks: Ingress of class `istio`, subsets, TCP, and Deployments nobody runs.

use crate::harness::{Up, chance, run, text, word};
use crate::objects::{namespace, service, simple};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

#[test]
fn an_ingress_of_class_istio_answers_as_istio_does_and_others_do_not() {
    let rng = &mut chance("an_ingress_of_class_istio_answers_as_istio_does_and_others_do_not");
    let (up, project, host, plain) =
        (Up::start(&["--demo"]), word(rng), format!("{}.example", word(rng)), format!("{}.example", word(rng)));
    let named = format!("named.{host}");
    let ingress = |name: &str, host: &str| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": name, "namespace": project },
            "spec": { "rules": [{ "host": host, "http": { "paths": [
                { "path": "/status", "pathType": "Prefix", "backend": { "service": { "name": "httpbin", "port": { "number": 8000 } } } },
            ] } }] },
        })
    };
    let (mut by_annotation, mut by_class) = (ingress("annotation", &host), ingress("class", &named));
    by_annotation["metadata"]["annotations"] = json!({ "kubernetes.io/ingress.class": "istio" });
    by_class["spec"]["ingressClassName"] = "istio".into();
    let class = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": "istio" },
        "spec": { "controller": "istio.io/ingress-controller" },
    });
    up.apply(&[namespace(&project), class, by_annotation, by_class, ingress("plain", &plain)]);
    up.sample(&project, "httpbin/httpbin.yaml");
    for host in [&host, &named] {
        let served = up.until(host, "/status/200", "served", |it| it.status == 200);
        assert_eq!(served.get("server"), Some("istio-envoy"), "{host}");
        let missed = up.ask(host, "/headers");
        assert_eq!((missed.status, missed.get("server"), missed.text().as_str()), (404, Some("istio-envoy"), ""), "{host}");
    }
    let other = up.until(&plain, "/status/200", "served", |it| it.status == 200);
    assert_ne!(other.get("server"), Some("istio-envoy"));
    assert_ne!(up.ask(&plain, "/headers").get("server"), Some("istio-envoy"));
}

#[test]
fn the_server_header_is_one_setting() {
    let rng = &mut chance("the_server_header_is_one_setting");
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    let origin = Origin::start(Behaviour::make(|_, _| b"HTTP/1.1 200 OK\r\nServer: of-its-own\r\nContent-Length: 0\r\n\r\n".to_vec()));
    for (setting, expect) in [("none", None), ("backend", Some("of-its-own"))] {
        let up = Up::start(&["--istio-server-header", setting]);
        up.apply(&[namespace(&project), service(&project, "web", &[origin.address()])]);
        up.yaml(&gateway(&project, &host, "web", 80));
        let served = up.until(&host, "/", "served", |it| it.status == 200);
        assert_eq!(served.get("server"), expect, "{setting}");
    }
}

/// A Gateway and a VirtualService for all of a host.
fn gateway(project: &str, host: &str, service: &str, port: u16) -> String {
    format!(
        "
apiVersion: networking.istio.io/v1beta1
kind: Gateway
metadata: {{ name: {service}, namespace: {project} }}
spec:
  selector: {{ istio: ingressgateway }}
  servers:
  - port: {{ number: 80, name: http, protocol: HTTP }}
    hosts: [{host}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: {service}, namespace: {project} }}
spec:
  hosts: [{host}]
  gateways: [{service}]
  http:
  - route:
    - destination: {{ host: {service}, port: {{ number: {port} }} }}
"
    )
}

#[test]
fn subsets_of_two_deployments() {
    let (up, project) = (Up::start(&["--demo"]), word(&mut chance("subsets_of_two_deployments")));
    up.apply(&[namespace(&project)]);
    up.sample(&project, "helloworld/helloworld.yaml");
    up.sample(&project, "helloworld/gateway-istio.yaml");
    let host = "hello.example.com";
    up.until(host, "/hello", "served", |it| it.status == 200);
    let ask = |field: &str| {
        Connection::open(up.front()).send(format!("GET /hello HTTP/1.1\r\nHost: {host}\r\n{field}\r\n")).response("GET").text()
    };
    let is = |version: &str, body: &str| body.starts_with(&format!("Hello version: {version}, instance: helloworld-{version}-"));
    eventually("both versions are there", || is("v2", &ask("end-user: jason\r\n")).then_some(()));
    assert!((0..20).all(|_| is("v2", &ask("end-user: jason\r\n"))), "the header leads to v2 alone");
    let second = (0..400).filter(|_| is("v2", &ask(""))).count();
    // Six standard deviations around 80.
    assert!((32..=128).contains(&second), "{second} of 400");
    let nowhere = r#"[{"op": "replace", "path": "/spec/http/1/route/1/destination/subset", "value": "v3"}]"#;
    up.kubectl(&["-n", &project, "patch", "virtualservice", "helloworld", "--type=json", "-p", nowhere], "").expect("it is patched");
    up.event(&project, "helloworld", &["v3"]);
}

/// What one connection says to a line.
pub fn said(at: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    stream.write_all(b"hello\n").ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    (!line.is_empty()).then_some(line)
}

#[test]
fn connections_to_a_tcp_port_are_shared_out_by_weight() {
    let (up, project) = (Up::start(&["--demo"]), word(&mut chance("connections_to_a_tcp_port_are_shared_out_by_weight")));
    up.apply(&[namespace(&project)]);
    up.sample(&project, "tcp-echo/tcp-echo.yaml");
    up.sample(&project, "tcp-echo/gateway-istio.yaml");
    let at = SocketAddr::new(up.front().ip(), 31_400);
    let count = |n: usize| (0..n).filter_map(|_| said(at)).filter(|it| it == "two hello\n").count();
    eventually("v1", || said(at).filter(|it| it == "one hello\n"));
    eventually("v2", || said(at).filter(|it| it == "two hello\n"));
    let second = count(200);
    // Six standard deviations around 40.
    assert!((6..=74).contains(&second), "{second} of 200");
    let told = up.paifang(&["explain", "GET", &format!("http://{at}/")]);
    assert!(told.contains(&format!("VirtualService {project}/tcp-echo")) && told.contains("(weight 20)"), "{told}");
    let all_to_one = r#"{"spec": {"tcp": [{"match": [{"port": 31400}], "route": [{"destination": {"host": "tcp-echo", "port": {"number": 9000}, "subset": "v1"}}]}]}}"#;
    up.kubectl(&["-n", &project, "patch", "virtualservice", "tcp-echo", "--type=merge", "-p", all_to_one], "").expect("it is patched");
    eventually("all to v1", || (count(30) == 0).then_some(()));
    up.kubectl(&["-n", &project, "delete", "virtualservice", "tcp-echo"], "").expect("it is deleted");
    eventually("nobody answers", || said(at).is_none().then_some(()));
}

#[test]
fn an_image_that_is_not_carried_runs_nowhere_and_is_said() {
    let (up, project) = (Up::start(&["--demo"]), word(&mut chance("an_image_that_is_not_carried_runs_nowhere_and_is_said")));
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "shop", "namespace": project },
        "spec": {
            "selector": { "matchLabels": { "app": "shop" } },
            "template": { "metadata": { "labels": { "app": "shop" } }, "spec": { "containers": [{ "name": "shop", "image": "registry.example/shop:1" }] } },
        },
    });
    up.apply(&[namespace(&project)]);
    let mut kubectl = Command::new("kubectl");
    let applied = run(kubectl.env("KUBECONFIG", up.kubeconfig()).args(["apply", "-f", "-"]), &deployment.to_string());
    let warning = text(&applied.stderr);
    assert!(applied.status.success() && warning.starts_with("Warning: ") && warning.contains("paifang.dev/endpoints"), "{warning}");
    up.until_condition(&["deployment", "-n", &project, "shop"], "/status/conditions", "Available", "False NoContainers");
    let pods = up.get(&["pods", "-n", &project]).expect("a list");
    assert_eq!(pods["items"], json!([]));
    // Whoever runs it elsewhere says where.
    let origin = Origin::start(Behaviour::body("mine"));
    up.apply(&[service(&project, "shop", &[origin.address()]), simple(&project, "shop", "shop.example", "shop")]);
    up.until("shop.example", "/", "served", |it| it.text() == "mine");
}
