//! Gateway API across namespaces: who may attach, who may refer, and gateways that join others.

use crate::harness::{Up, chance, word};
use crate::objects::{namespace, service};
use std::net::SocketAddr;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

const PARENT: &str = "/status/parents/0/conditions";

fn gateway(namespace: &str, name: &str, class: &str, more: &str) -> String {
    format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: {name}, namespace: {namespace} }}
spec:
  gatewayClassName: {class}
{more}
"
    )
}

fn listener(host: &str, port: u16, from: &str) -> String {
    format!(
        "  listeners:\n  - {{ name: http, hostname: \"{host}\", port: {port}, protocol: HTTP, allowedRoutes: {{ namespaces: {{ from: {from} }} }} }}"
    )
}

/// One rule for each path; `backend`: namespace, name.
fn route(namespace: &str, name: &str, parent: (&str, &str), host: &str, rules: &str) -> String {
    format!(
        "
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{ name: {name}, namespace: {namespace} }}
spec:
  parentRefs: [{{ name: {}, namespace: {} }}]
  hostnames: [\"{host}\"]
  rules:
{rules}
",
        parent.1, parent.0
    )
}

fn rule(path: &str, backend: (&str, &str), port: u16) -> String {
    format!(
        "  - matches: [{{ path: {{ type: PathPrefix, value: {path} }} }}]\n    backendRefs: [{{ name: {}, namespace: {}, port: {port} }}]\n",
        backend.1, backend.0
    )
}

/// Istio's task Gateway API: gateways live with those who operate them, routes with those who own services.
#[test]
fn routes_of_another_namespace_attach_where_they_may() {
    let rng = &mut chance("routes_of_another_namespace_attach_where_they_may");
    let (up, gateways, project) = (Up::start(&["--demo"]), word(rng), word(rng));
    let (domain, port) = (format!("{}.example", word(rng)), rng.u16(8_100..8_900));
    let host = format!("httpbin.{domain}");
    up.apply(&[namespace(&gateways), namespace(&project)]);
    up.sample(&project, "httpbin/httpbin.yaml");
    up.yaml(&gateway(&gateways, "gateway", "istio", &listener(&format!("*.{domain}"), port, "All")));
    let at = SocketAddr::new(up.gateway_address(&gateways, "gateway"), port);
    let parent = (gateways.as_str(), "gateway");
    up.yaml(&route(&project, "http", parent, &host, &rule("/get", (&project, "httpbin"), 8000)));
    let served = up.until_at(at, &host, "/get", "served", |it| it.status == 200);
    assert_eq!(served.get("server"), Some("istio-envoy"));
    assert_eq!(up.until_at(at, &host, "/headers", "not a route", |it| it.status == 404).text(), "");

    let headers = rule("/headers", (&project, "httpbin"), 8000)
        + "    filters: [{ type: RequestHeaderModifier, requestHeaderModifier: { add: [{ name: my-added-header, value: added-value }] } }]\n";
    up.yaml(&route(&project, "http", parent, &host, &(rule("/get", (&project, "httpbin"), 8000) + &headers)));
    let (status, _, body) = eventually("the header is added", || {
        up.curl(&format!("http://{host}:{port}/headers"), at, &[]).ok().filter(|it| it.2.contains("My-Added-Header"))
    });
    let shown = format!("\"Accept\": \"*/*\",\n    \"Host\": \"{host}:{port}\",\n    \"My-Added-Header\": \"added-value\"");
    assert!(status == 200 && body.contains(&shown), "{body}");

    // The same gateway, closed to other namespaces.
    let object = ["httproute", "-n", &project, "http"];
    up.until_condition(&object, PARENT, "Accepted", "True Accepted");
    up.yaml(&gateway(&gateways, "gateway", "istio", &listener(&format!("*.{domain}"), port, "Same")));
    up.until_condition(&object, PARENT, "Accepted", "False NotAllowedByListeners");
    up.until_at(at, &host, "/get", "no longer served", |it| it.status == 404);
    let told = up.paifang(&["explain", "GET", &format!("http://{host}:{port}/get")]);
    assert!(told.contains("not served here") && told.contains("NotAllowedByListeners"), "{told}");
    let attached = eventually("nothing is attached", || {
        let gateway = up.get(&["gtw", "-n", &gateways, "gateway"])?;
        gateway.pointer("/status/listeners/0/attachedRoutes")?.as_u64().filter(|it| *it == 0)
    });
    assert_eq!(attached, 0);
    up.kubectl(&["-n", &gateways, "delete", "gtw", "gateway"], "").expect("it is deleted");
    eventually("its Service goes with it", || up.get(&["service", "-n", &gateways, "gateway-istio"]).is_none().then_some(()));
    eventually("and its socket", || std::net::TcpStream::connect(at).is_err().then_some(()));
}

#[test]
fn a_grant_is_given_and_taken_away() {
    let rng = &mut chance("a_grant_is_given_and_taken_away");
    let (up, project, backends) = (Up::start(&[]), word(rng), word(rng));
    let (host, port, origin) = (format!("{}.example", word(rng)), rng.u16(8_100..8_900), Origin::start(Behaviour::body("there")));
    up.apply(&[namespace(&project), namespace(&backends), service(&backends, "web", &[origin.address()])]);
    up.yaml(&gateway(&project, "edge", "paifang", &listener(&host, port, "Same")));
    let at = SocketAddr::new(up.gateway_address(&project, "edge"), port);
    up.yaml(&route(&project, "web", (&project, "edge"), &host, &rule("/", (&backends, "web"), 80)));
    let object = ["httproute", "-n", &project, "web"];
    up.until_condition(&object, PARENT, "ResolvedRefs", "False RefNotPermitted");
    up.until_at(at, &host, "/", "refused", |it| it.status == 500);
    up.yaml(&format!(
        "
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{ name: routes, namespace: {backends} }}
spec:
  from: [{{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: {project} }}]
  to: [{{ group: \"\", kind: Service }}]
"
    ));
    up.until_at(at, &host, "/", "served", |it| it.text() == "there");
    up.until_condition(&object, PARENT, "ResolvedRefs", "True ResolvedRefs");
    up.kubectl(&["-n", &backends, "delete", "referencegrant", "routes"], "").expect("it is deleted");
    up.until_at(at, &host, "/", "refused again", |it| it.status == 500);
    up.until_condition(&object, PARENT, "ResolvedRefs", "False RefNotPermitted");
}

#[test]
fn a_gateway_joins_the_one_whose_host_name_is_its_address() {
    let rng = &mut chance("a_gateway_joins_the_one_whose_host_name_is_its_address");
    let (up, project) = (Up::start(&[]), word(rng));
    let (host, origin) = (format!("{}.example", word(rng)), Origin::start(Behaviour::body("joined")));
    up.apply(&[namespace(&project), service(&project, "web", &[origin.address()])]);
    let address = "  addresses: [{ type: Hostname, value: istio-ingressgateway.istio-system.svc.cluster.local }]\n";
    // In the namespace of the Service, as Istio asks for.
    up.yaml(&gateway("istio-system", &project, "istio", &(address.to_owned() + &listener(&host, 80, "All"))));
    up.yaml(&route(&project, "web", ("istio-system", &project), &host, &rule("/", (&project, "web"), 80)));
    up.until(&host, "/", "served on the shared gateway", |it| it.text() == "joined");
    let own = up.get(&["service", "-n", "istio-system", &format!("{project}-istio")]);
    assert!(own.is_none(), "it has no Service of its own: {own:?}");
    let elsewhere = "  addresses: [{ type: Hostname, value: nobody.istio-system.svc.cluster.local }]\n";
    up.yaml(&gateway("istio-system", &project, "istio", &(elsewhere.to_owned() + &listener(&host, 80, "All"))));
    up.until_condition(&["gtw", "-n", "istio-system", &project], "/status/conditions", "Programmed", "False AddressNotUsable");
    up.until(&host, "/", "no longer served", |it| it.status == 404);
}

#[test]
fn tcp_routes_share_connections_out() {
    let (up, project) = (Up::start(&["--demo"]), word(&mut chance("tcp_routes_share_connections_out")));
    up.apply(&[namespace(&project)]);
    up.sample(&project, "tcp-echo/tcp-echo.yaml");
    up.sample(&project, "tcp-echo/gateway-api.yaml");
    let at = SocketAddr::new(up.gateway_address(&project, "tcp-echo-gateway"), 31_400);
    for word in ["one hello\n", "two hello\n"] {
        eventually(word, || crate::istio::said(at).filter(|it| it == word));
    }
    up.until_condition(&["tcproute", "-n", &project, "tcp-echo"], PARENT, "Accepted", "True Accepted");
}

/// Without the right to low ports the spec's port cannot be true; the condition names the one that is.
#[test]
fn under_an_offset_a_condition_names_the_real_port() {
    let rng = &mut chance("under_an_offset_a_condition_names_the_real_port");
    let offset = 20_000;
    let (up, project) = (Up::start(&["--port-offset", &offset.to_string()]), word(rng));
    let (host, origin) = (format!("{}.example", word(rng)), Origin::start(Behaviour::body("shifted")));
    up.apply(&[namespace(&project), service(&project, "web", &[origin.address()])]);
    up.yaml(&gateway(&project, "edge", "paifang", &listener(&host, 80, "Same")));
    up.yaml(&route(&project, "web", (&project, "edge"), &host, &rule("/", (&project, "web"), 80)));
    let at = SocketAddr::new(up.gateway_address(&project, "edge"), 80 + offset);
    up.until_at(at, &host, "/", "served", |it| it.text() == "shifted");
    let gateway = ["gateways.gateway.networking.k8s.io", "-n", &project, "edge"];
    let told = eventually("a condition with the port", || {
        let all = up.get(&gateway)?;
        let lists = [all.pointer("/status/conditions"), all.pointer("/status/listeners/0/conditions")];
        let messages = lists.into_iter().flatten().filter_map(|it| it.as_array()).flatten().filter_map(|it| it["message"].as_str());
        messages.map(str::to_owned).find(|it| it.contains(&(80 + offset).to_string()))
    });
    assert!(told.contains("80"), "{told}");
}
