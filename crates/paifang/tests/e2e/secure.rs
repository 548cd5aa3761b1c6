//! TLS by Istio's and Gateway API's objects: certificates by name, their rotation, clients that must show one, and what passes through.

use crate::harness::{Up, chance, word};
use crate::objects::{namespace, service};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use testkit::certificates::{Authority, Issued};
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

/// Makes or replaces a Secret of these files.
fn secret(up: &Up, namespace: &str, name: &str, files: &[(&str, &str)]) {
    let from: Vec<String> = files.iter().map(|(key, text)| format!("--from-file={key}={}", up.file(key, text).display())).collect();
    let mut arguments = vec!["-n", namespace, "create", "secret", "generic", name, "--dry-run=client", "-o", "json"];
    arguments.extend(from.iter().map(String::as_str));
    let object: Value = serde_json::from_str(&up.kubectl(&arguments, "").expect("a Secret")).expect("JSON");
    up.apply(&[object]);
}

fn pair(up: &Up, namespace: &str, name: &str, issued: &Issued) {
    secret(up, namespace, name, &[("tls.crt", &issued.chain_pem), ("tls.key", &issued.key_pem)]);
}

struct Task {
    up: Up,
    project: String,
    first: String,
    second: String,
    _origins: [Origin; 2],
}

// === impl Task ===

impl Task {
    fn start(test: &str) -> Self {
        let rng = &mut chance(test);
        let (up, project) = (Up::start(&[]), word(rng));
        let origins = [Origin::start(Behaviour::body("first")), Origin::start(Behaviour::body("second"))];
        let [first, second] = ["first", "second"].map(|it| format!("{it}.{}.example", word(rng)));
        up.apply(&[
            namespace(&project),
            service(&project, "first", &[origins[0].address()]),
            service(&project, "second", &[origins[1].address()]),
        ]);
        Self { up, project, first, second, _origins: origins }
    }

    /// What curl gets at a host, trusting this authority: the body, or why not.
    fn ask(&self, host: &str, trusted: &Authority, more: &[&str]) -> Result<String, String> {
        let file = self.up.file("trusted.pem", &trusted.certificate_pem());
        let at = self.up.https[0];
        let more = [&["--cacert", file.to_str().expect("a plain path")], more].concat();
        self.up.curl(&format!("https://{host}:{}/", at.port()), at, &more).map(|(status, _, body)| format!("{status} {body}"))
    }

    fn until(&self, host: &str, trusted: &Authority, more: &[&str], body: &str) {
        eventually(&format!("{host}: {body}"), || self.ask(host, trusted, more).ok().filter(|it| it == body));
    }

    fn refused(&self, host: &str, trusted: &Authority, more: &[&str]) {
        eventually(&format!("{host}: refused"), || self.ask(host, trusted, more).err());
    }

    fn istio(&self, servers: &str) {
        let (project, first, second) = (&self.project, &self.first, &self.second);
        let service = |name: &str, host: &str| {
            format!(
                "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: {name}, namespace: {project} }}
spec:
  hosts: [{host}]
  gateways: [mygateway]
  http:
  - route: [{{ destination: {{ host: {name}, port: {{ number: 80 }} }} }}]
"
            )
        };
        self.up.yaml(&format!(
            "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: mygateway, namespace: {project} }}
spec:
  selector: {{ istio: ingressgateway }}
  servers:
{servers}{}{}",
            service("first", first),
            service("second", second)
        ));
    }

    fn server(&self, name: &str, host: &str, tls: &str) -> String {
        format!("  - port: {{ number: 443, name: https-{name}, protocol: HTTPS }}\n    tls: {{ {tls} }}\n    hosts: [{host}]\n")
    }
}

#[test]
fn two_hosts_a_new_certificate_and_clients_that_must_show_one() {
    let task = Task::start("two_hosts_a_new_certificate_and_clients_that_must_show_one");
    let (one, other) = (Authority::new(), Authority::new());
    pair(&task.up, "istio-system", "first-credential", &one.issue(&[&task.first]));
    let simple = |name: &str, host: &str| task.server(name, host, &format!("mode: SIMPLE, credentialName: {name}-credential"));
    task.istio(&simple("first", &task.first));
    task.until(&task.first, &one, &[], "200 first");
    task.refused(&task.second, &one, &[]);

    pair(&task.up, "istio-system", "first-credential", &other.issue(&[&task.first]));
    task.until(&task.first, &other, &[], "200 first");
    task.refused(&task.first, &one, &[]);

    pair(&task.up, "istio-system", "second-credential", &one.issue(&[&task.second]));
    task.istio(&(simple("first", &task.first) + &simple("second", &task.second)));
    task.until(&task.second, &one, &[], "200 second");
    task.until(&task.first, &other, &[], "200 first");

    let (clients, issued) = (Authority::called("clients"), other.issue(&[&task.first]));
    let files = [("tls.crt", issued.chain_pem.as_str()), ("tls.key", &issued.key_pem), ("ca.crt", &clients.certificate_pem())];
    secret(&task.up, "istio-system", "first-credential", &files);
    task.istio(&(task.server("first", &task.first, "mode: MUTUAL, credentialName: first-credential") + &simple("second", &task.second)));
    task.refused(&task.first, &other, &[]);
    let client = clients.issue(&["client.example.com"]);
    let (cert, key) = (task.up.file("client.pem", &client.chain_pem), task.up.file("client.key", &client.key_pem));
    let shown = ["--cert", cert.to_str().expect("a plain path"), "--key", key.to_str().expect("a plain path")];
    task.until(&task.first, &other, &shown, "200 first");
    task.until(&task.second, &one, &[], "200 second");
    let stranger = other.issue(&["client.example.com"]);
    task.up.file("client.pem", &stranger.chain_pem);
    task.up.file("client.key", &stranger.key_pem);
    task.refused(&task.first, &other, &shown);

    task.up.kubectl(&["-n", "istio-system", "delete", "secret", "first-credential"], "").expect("it is deleted");
    task.refused(&task.first, &other, &shown);
    task.up.event(&task.project, "mygateway", &["first-credential"]);
}

/// A credential lives where the gateway's workload does; one of another namespace needs that namespace's grant.
#[test]
fn a_listener_s_certificate_of_another_namespace_needs_a_grant() {
    let task = Task::start("a_listener_s_certificate_of_another_namespace_needs_a_grant");
    let (authority, secrets) = (Authority::new(), format!("{}-secrets", task.project));
    task.up.apply(&[namespace(&secrets)]);
    pair(&task.up, &secrets, "cert", &authority.issue(&[&task.first]));
    let (project, host) = (&task.project, &task.first);
    task.up.yaml(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: edge, namespace: {project} }}
spec:
  gatewayClassName: paifang
  listeners:
  - name: https
    port: 8443
    protocol: HTTPS
    hostname: {host}
    tls: {{ mode: Terminate, certificateRefs: [{{ name: cert, namespace: {secrets} }}] }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{ name: first, namespace: {project} }}
spec:
  parentRefs: [{{ name: edge }}]
  hostnames: [{host}]
  rules: [{{ backendRefs: [{{ name: first, port: 80 }}] }}]
"
    ));
    let gateway = ["gateways.gateway.networking.k8s.io", "-n", project, "edge"];
    task.up.until_condition(&gateway, "/status/listeners/0/conditions", "ResolvedRefs", "False RefNotPermitted");
    task.up.yaml(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{ name: certificates, namespace: {secrets} }}
spec:
  from: [{{ group: gateway.networking.k8s.io, kind: Gateway, namespace: {project} }}]
  to: [{{ group: \"\", kind: Secret, name: cert }}]
"
    ));
    let at = SocketAddr::new(task.up.gateway_address(project, "edge"), 8443);
    let trusted = task.up.file("trusted.pem", &authority.certificate_pem());
    let more = ["--cacert", trusted.to_str().expect("a plain path")];
    let url = format!("https://{host}:8443/");
    eventually("served", || task.up.curl(&url, at, &more).ok().filter(|it| it.2 == "first"));
    task.up.kubectl(&["-n", &secrets, "delete", "referencegrant", "certificates"], "").expect("it is deleted");
    eventually("refused at once", || task.up.curl(&url, at, &more).err());
    task.up.until_condition(&gateway, "/status/listeners/0/conditions", "ResolvedRefs", "False RefNotPermitted");
}

/// Answers every request over TLS of its own.
fn tls_backend(issued: &Issued) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let config = Arc::new(config.with_single_cert(issued.chain.clone(), issued.key.clone_key()).expect("a pair"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(connection) = ServerConnection::new(config.clone()) else { continue };
            let mut stream = StreamOwned::new(connection, stream);
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok_and(|it| it > 0) {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nServer: of-its-own\r\nContent-Length: 7\r\nConnection: close\r\n\r\nthrough");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    address
}

#[test]
fn what_passes_through_keeps_the_backend_s_certificate() {
    let task = Task::start("what_passes_through_keeps_the_backend_s_certificate");
    let (authority, host, project) = (Authority::new(), &task.first, &task.project);
    let backend = tls_backend(&authority.issue(&[host]));
    let mut own = service(project, "own", &[backend]);
    own["spec"]["ports"] = serde_json::json!([{ "name": "https", "port": 443 }]);
    task.up.apply(&[own]);
    task.up.yaml(&format!(
        "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{ name: mygateway, namespace: {project} }}
spec:
  selector: {{ istio: ingressgateway }}
  servers:
  - port: {{ number: 443, name: https, protocol: HTTPS }}
    tls: {{ mode: PASSTHROUGH }}
    hosts: [{host}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: own, namespace: {project} }}
spec:
  hosts: [{host}]
  gateways: [mygateway]
  tls:
  - match: [{{ port: 443, sniHosts: [{host}] }}]
    route: [{{ destination: {{ host: own, port: {{ number: 443 }} }} }}]
"
    ));
    task.until(host, &authority, &[], "200 through");
    let told = crate::harness::run(
        std::process::Command::new(crate::harness::binary()).env("KUBECONFIG", task.up.kubeconfig()).args([
            "explain",
            "GET",
            &format!("https://{host}:{}/", task.up.https[0].port()),
        ]),
        "",
    );
    let told = crate::harness::text(&told.stdout);
    assert!(
        told.contains("passed on") && told.contains(&format!("VirtualService {project}/own")) && told.contains(&backend.to_string()),
        "{told}"
    );
}

#[test]
fn a_tls_route_passes_through_too() {
    let task = Task::start("a_tls_route_passes_through_too");
    let (authority, host, project) = (Authority::new(), &task.first, &task.project);
    let backend = tls_backend(&authority.issue(&[host]));
    let mut own = service(project, "own", &[backend]);
    own["spec"]["ports"] = serde_json::json!([{ "name": "https", "port": 443 }]);
    task.up.apply(&[own]);
    task.up.yaml(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: edge, namespace: {project} }}
spec:
  gatewayClassName: paifang
  listeners:
  - {{ name: tls, port: 8443, protocol: TLS, hostname: {host}, tls: {{ mode: Passthrough }} }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {{ name: own, namespace: {project} }}
spec:
  parentRefs: [{{ name: edge }}]
  hostnames: [{host}]
  rules: [{{ backendRefs: [{{ name: own, port: 443 }}] }}]
"
    ));
    let at = SocketAddr::new(task.up.gateway_address(project, "edge"), 8443);
    let trusted = task.up.file("trusted.pem", &authority.certificate_pem());
    let more = ["--cacert", trusted.to_str().expect("a plain path")];
    eventually("passed through", || task.up.curl(&format!("https://{host}:8443/"), at, &more).ok().filter(|it| it.2 == "through"));
}
