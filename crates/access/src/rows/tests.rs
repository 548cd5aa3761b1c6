use super::*;
use serde_json::json;

fn ingress(name: &str, spec: Value, status: Value) -> Value {
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": name, "namespace": "demo", "annotations": {} },
        "spec": spec, "status": { "loadBalancer": { "ingress": status } } })
}

fn rule(host: &str, path: &str) -> Value {
    let backend = json!({ "service": { "name": "web", "port": { "number": 80 } } });
    json!({ "host": host, "http": { "paths": [{ "path": path, "pathType": "Prefix", "backend": backend }] } })
}

fn gateway(status: Value) -> Value {
    json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": "demo" },
        "spec": { "scope": "Project", "access": { "type": "NodePort" } }, "status": status })
}

fn node_ports() -> Value {
    json!({
        "addresses": [{ "type": "IPAddress", "value": "10.0.0.5" }, { "type": "IPAddress", "value": "10.0.0.6" }],
        "ports": [
            { "name": "http", "port": 80, "protocol": "HTTP", "nodePort": 32_734, "reachedAt": 32_734 },
            { "name": "https", "port": 443, "protocol": "HTTPS", "nodePort": 32_471, "reachedAt": 32_471 },
        ],
    })
}

/// Of the first row: link, line for a hosts file, command.
fn check(objects: &[Value], expect: [Option<&str>; 3]) {
    let rows = rows(objects);
    let row = rows.first().unwrap_or_else(|| panic!("no row of {objects:?}"));
    let found = [row.link(), row.hosts(), row.curl()];
    assert_eq!(found.each_ref().map(Option::as_deref), expect, "{row:?}");
}

#[test]
fn the_port_stands_in_the_link_and_never_in_the_host() {
    let status = json!([{ "ip": "10.0.0.5" }, { "ip": "10.0.0.6" }]);
    let plain = ingress("web", json!({ "rules": [rule("Demo.Example", "/a")] }), status.clone());
    check(
        &[plain.clone(), gateway(node_ports())],
        [
            Some("http://demo.example:32734/a"),
            Some("10.0.0.5 demo.example"),
            Some("curl --resolve demo.example:32734:10.0.0.5 http://demo.example:32734/a"),
        ],
    );
    let row = &rows(&[plain, gateway(node_ports())])[0];
    assert_eq!(row.reached.addresses, ["10.0.0.5", "10.0.0.6"]);
    assert_eq!((row.reached.access, row.backend.as_str()), (Some(control::Access::NodePort), "web:80"));
    let secure = json!({ "rules": [rule("demo.example", "/")], "tls": [{ "hosts": ["*.example"], "secretName": "none" }] });
    check(
        &[ingress("web", secure, status), gateway(node_ports())],
        [
            Some("https://demo.example:32471/"),
            Some("10.0.0.5 demo.example"),
            Some("curl --resolve demo.example:32471:10.0.0.5 https://demo.example:32471/"),
        ],
    );
}

#[test]
fn who_sees_no_gateway_is_told_by_the_route_s_own_status() {
    let of = |status: Value| ingress("web", json!({ "rules": [rule("demo.example", "/")] }), status);
    let ports = json!([{ "port": 30_080, "protocol": "TCP" }, { "port": 30_443, "protocol": "TCP" }]);
    let there = of(json!([{ "ip": "10.0.0.5", "ports": ports }]));
    check(
        std::slice::from_ref(&there),
        [
            Some("http://demo.example:30080/"),
            Some("10.0.0.5 demo.example"),
            Some("curl --resolve demo.example:30080:10.0.0.5 http://demo.example:30080/"),
        ],
    );
    assert_eq!(rows(&[there])[0].reached.access, Some(control::Access::NodePort));
    let balanced = of(json!([{ "hostname": "lb.example.net" }]));
    check(
        &[balanced],
        [Some("http://demo.example/"), None, Some("curl --connect-to demo.example:80:lb.example.net:80 http://demo.example/")],
    );
    let nowhere = of(json!([]));
    check(std::slice::from_ref(&nowhere), [None, None, None]);
    assert!(rows(&[nowhere])[0].note.is_some(), "and says why");
}

#[test]
fn patterns_of_names_have_no_link_and_every_name_has_that_of_the_address() {
    let status = json!([{ "ip": "::1" }]);
    check(&[ingress("web", json!({ "rules": [rule("*.example", "/")] }), status.clone())], [None, None, None]);
    check(&[ingress("web", json!({ "rules": [rule("", "/x")] }), status)], [Some("http://[::1]/x"), None, Some("curl 'http://[::1]/x'")]);
}

#[test]
fn another_controller_s_routes_are_shown_as_its() {
    let mut object =
        ingress("web", json!({ "ingressClassName": "apisix", "rules": [rule("demo.example", "/")] }), json!([{ "ip": "10.0.0.9" }]));
    let class = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": "apisix" }, "spec": { "controller": "apisix.apache.org/apisix-ingress" } });
    let row = &rows(&[object.clone(), class.clone(), gateway(node_ports())])[0];
    assert_eq!(row.note, Some(Saying::ServedByAnother { controller: "apisix.apache.org/apisix-ingress".into() }));
    assert_eq!((row.reached.addresses.as_slice(), row.reached.http), (&["10.0.0.9".to_owned()][..], Some(80)));
    object["status"] = json!({});
    assert_eq!(rows(&[object, class, gateway(node_ports())])[0].link(), None, "never on ours");
}

#[test]
fn a_canary_is_its_main_route_s_and_generated_hosts_are_shown() {
    let mut canary = ingress("canary", json!({ "rules": [rule("demo.example", "/")] }), json!([{ "ip": "10.0.0.9" }]));
    canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary"] = "true".into();
    assert_eq!(rows(&[canary]), []);
    let mut auto = ingress("auto", json!({ "rules": [rule("", "/")] }), json!([{ "ip": "10.0.0.9" }]));
    auto["metadata"]["annotations"] =
        json!({ "paifang.dev/host": "auto", "paifang.dev/generated-host": "web.demo.10.0.0.9.nip.io, other.demo.10.0.0.9.nip.io" });
    let found = rows(std::slice::from_ref(&auto));
    assert_eq!(found.iter().map(|it| it.domain.as_str()).collect::<Vec<_>>(), ["web.demo.10.0.0.9.nip.io"]);
    write_generated_hosts(&mut auto);
    assert_eq!(auto["spec"]["rules"][0]["host"], "web.demo.10.0.0.9.nip.io");
}

fn gateway_api(listeners: Value, programmed: &str) -> Value {
    let conditions = json!([{ "type": "Programmed", "status": "True", "reason": "Programmed", "message": programmed }]);
    let told: Vec<Value> = listeners
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| json!({ "name": it["name"], "attachedRoutes": 2, "conditions": conditions }))
        .collect();
    json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "name": "edge", "namespace": "demo" },
        "spec": { "gatewayClassName": "paifang", "listeners": listeners },
        "status": { "addresses": [{ "type": "IPAddress", "value": "127.1.0.2" }], "conditions": conditions, "listeners": told } })
}

#[test]
fn a_route_of_gateway_api_is_reached_where_its_gateway_is() {
    let route = |hosts: Value| {
        json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "web", "namespace": "demo" }, "spec": {
            "hostnames": hosts, "parentRefs": [{ "name": "edge" }],
            "rules": [{ "matches": [{ "path": { "type": "Exact", "value": "/get" } }], "backendRefs": [{ "name": "web", "port": 80 }] }] } })
    };
    let http = json!([{ "name": "http", "port": 80, "protocol": "HTTP", "hostname": "*.demo.example" }]);
    let objects = [route(json!(["a.demo.example"])), gateway_api(http.clone(), "port 80 is reached as port 10080")];
    let command = "curl --resolve a.demo.example:10080:127.1.0.2 http://a.demo.example:10080/get";
    check(&objects, [Some("http://a.demo.example:10080/get"), Some("127.1.0.2 a.demo.example"), Some(command)]);
    let other = rows(&[route(json!(["a.other.example"])), gateway_api(http.clone(), "port 80 is served")]);
    assert_eq!((other[0].link(), other[0].note.clone()), (None, Some(Saying::NoListenerOfGateway { gateway: "demo/edge".into() })));
    let unseen = rows(&[route(json!(["a.demo.example"]))]);
    assert!(unseen[0].note.as_ref().is_some_and(|it| it.to_string().contains("you may not see it")), "{unseen:?}");
    let both = json!([http[0], { "name": "https", "port": 443, "protocol": "HTTPS", "tls": { "certificateRefs": [{ "name": "cert" }] } }]);
    let found = rows(&[route(json!(["a.demo.example"])), gateway_api(both, "port 80 is served; port 443 is served")]);
    assert_eq!(found[0].link().as_deref(), Some("https://a.demo.example/get"));
}

#[test]
fn a_virtual_service_is_reached_where_the_gateway_of_its_labels_is() {
    let istio = json!({ "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": { "name": "gw", "namespace": "demo" }, "spec": {
        "selector": { "istio": "ingressgateway" }, "servers": [{ "port": { "number": 80, "name": "http", "protocol": "HTTP" }, "hosts": ["*"] }] },
        "status": { "conditions": [{ "type": "Programmed", "status": "True", "reason": "Programmed", "message": "port 80 is served" }] } });
    let service = json!({ "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": { "name": "web", "namespace": "demo" }, "spec": {
        "hosts": ["httpbin.example.com"], "gateways": ["gw", "mesh"],
        "http": [{ "match": [{ "uri": { "prefix": "/status" } }], "route": [{ "destination": { "host": "httpbin", "port": { "number": 8000 } } }] }] } });
    let everybody = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "r", "namespace": "edge",
        "labels": { "kubesphere.io/gateway-type": "cluster" }, "annotations": { "paifang.dev/gateway": "edge/r" } },
        "spec": { "type": "LoadBalancer", "ports": [{ "name": "http", "port": 80, "nodePort": 30_080 }] },
        "status": { "loadBalancer": { "ingress": [{ "ip": "127.1.0.1" }] } } });
    let expect = [
        Some("http://httpbin.example.com/status"),
        Some("127.1.0.1 httpbin.example.com"),
        Some("curl --resolve httpbin.example.com:80:127.1.0.1 http://httpbin.example.com/status"),
    ];
    check(&[service.clone(), istio.clone(), everybody], expect);
    // For who may not see that Service, another route's status says where it is.
    let other = ingress("other", json!({ "rules": [rule("demo.example", "/")] }), json!([{ "ip": "127.1.0.1" }]));
    let found = rows(&[other, service.clone(), istio]);
    assert_eq!(found[1].link().as_deref(), expect[0]);
    assert_eq!(rows(&[service])[0].link(), None);
}

#[test]
fn a_pattern_s_link_is_what_stands_before_it() {
    let mut object = ingress("web", json!({ "rules": [rule("demo.example", "/api/v[12]/x(.*)")] }), json!([{ "ip": "10.0.0.9" }]));
    object["spec"]["rules"][0]["http"]["paths"][0]["pathType"] = "ImplementationSpecific".into();
    object["metadata"]["annotations"]["nginx.ingress.kubernetes.io/use-regex"] = "true".into();
    let found = rows(&[object]);
    assert_eq!((found[0].path_type, found[0].link().as_deref()), (PathType::Pattern, Some("http://demo.example/api/")));
}

#[test]
fn a_path_cannot_leave_the_command() {
    let object = ingress("web", json!({ "rules": [rule("demo.example", "/a'; rm -rf $HOME #")] }), json!([{ "ip": "10.0.0.9" }]));
    let curl = rows(&[object])[0].curl().expect("a command");
    assert!(curl.ends_with(" 'http://demo.example/a%27; rm -rf $HOME #'"), "{curl}");
    let object = ingress("web", json!({ "rules": [rule("demo.example;id", "/")] }), json!([{ "ip": "10.0.0.9" }]));
    assert_eq!(rows(&[object])[0].curl(), None, "no domain at all");
}
