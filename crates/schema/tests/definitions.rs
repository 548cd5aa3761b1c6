//! What the definitions of Istio's and Gateway API's kinds accept, fill in and refuse: a row per rule.

use schema::known;
use serde_json::{Value, json};

fn object(api_version: &str, kind: &str, spec: Value) -> Value {
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "web", "namespace": "shop" }, "spec": spec })
}

fn defaulted(mut object: Value) -> Value {
    let kind = known(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).expect("a kind of ours");
    assert_eq!(kind.unknown(&object), [""; 0]);
    kind.default(&mut object);
    object
}

fn lines(object: &Value) -> Vec<String> {
    let kind = known(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).expect("a kind of ours");
    kind.review(&defaulted(object.clone()), None).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn fine(object: Value) {
    assert_eq!(lines(&object), [""; 0]);
}

/// One of the lines is this.
#[track_caller]
fn refused(object: Value, line: &str) {
    let lines = lines(&object);
    assert!(lines.iter().any(|one| one == line), "{line}\nis not in\n{}", lines.join("\n"));
}

fn route(rule: Value) -> Value {
    object("gateway.networking.k8s.io/v1", "HTTPRoute", json!({ "parentRefs": [{ "name": "web" }], "rules": [rule] }))
}

fn parents(parents: Value) -> Value {
    object("gateway.networking.k8s.io/v1beta1", "HTTPRoute", json!({ "parentRefs": parents }))
}

fn path(kind: &str, value: &str) -> Value {
    route(json!({ "matches": [{ "path": { "type": kind, "value": value } }] }))
}

fn filters(filters: Value) -> Value {
    route(json!({ "filters": filters }))
}

fn gateway(listeners: Value) -> Value {
    object("gateway.networking.k8s.io/v1", "Gateway", json!({ "gatewayClassName": "istio", "listeners": listeners }))
}

fn service(http: Value) -> Value {
    object("networking.istio.io/v1alpha3", "VirtualService", json!({ "hosts": ["web.example.com"], "http": [http] }))
}

#[test]
fn what_a_route_leaves_unsaid() {
    let route = defaulted(object("gateway.networking.k8s.io/v1", "HTTPRoute", json!({ "parentRefs": [{ "name": "web" }] })));
    let parent = json!({ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web" });
    assert_eq!(route["spec"]["parentRefs"][0], parent);
    assert_eq!(route["spec"]["rules"], json!([{ "matches": [{ "path": { "type": "PathPrefix", "value": "/" } }] }]));
    let rule = json!({ "backendRefs": [{ "name": "web", "port": 80 }], "filters": [{ "type": "RequestRedirect", "requestRedirect": {} }] });
    let route = defaulted(self::route(rule));
    let backend = json!({ "name": "web", "port": 80, "group": "", "kind": "Service", "weight": 1 });
    assert_eq!(route["spec"]["rules"][0]["backendRefs"][0], backend);
    assert_eq!(route["spec"]["rules"][0]["filters"][0]["requestRedirect"]["statusCode"], 302);
}

#[test]
fn what_a_gateway_leaves_unsaid() {
    let gateway = defaulted(gateway(
        json!([{ "name": "https", "port": 443, "protocol": "HTTPS", "tls": { "certificateRefs": [{ "name": "web" }] } }]),
    ));
    let listener = &gateway["spec"]["listeners"][0];
    assert_eq!(listener["allowedRoutes"], json!({ "namespaces": { "from": "Same" } }));
    assert_eq!(listener["tls"], json!({ "mode": "Terminate", "certificateRefs": [{ "group": "", "kind": "Secret", "name": "web" }] }));
    let waiting = gateway["status"]["conditions"].as_array().expect("conditions").iter().map(|one| (&one["type"], &one["reason"]));
    let expect = [("Accepted", "Pending"), ("Programmed", "Pending")].map(|(kind, reason)| (json!(kind), json!(reason)));
    assert!(waiting.eq(expect.iter().map(|(kind, reason)| (kind, reason))), "{gateway}");
}

#[test]
fn parents_that_are_named_twice() {
    let at = "spec.parentRefs: Invalid value";
    fine(parents(json!([{ "name": "web", "sectionName": "a" }, { "name": "web", "sectionName": "b" }, { "name": "shop" }])));
    fine(parents(json!([{ "name": "web" }, { "name": "web", "namespace": "other" }])));
    refused(
        parents(json!([{ "name": "web" }, { "name": "web", "sectionName": "b" }])),
        &format!("{at}: where one parent is named twice, each needs a sectionName"),
    );
    refused(
        parents(json!([{ "name": "web", "sectionName": "b" }, { "name": "web", "sectionName": "b" }])),
        &format!("{at}: where one parent is named twice, each needs a sectionName of its own"),
    );
}

#[test]
fn paths() {
    let at = "spec.rules[0].matches[0].path: Invalid value";
    fine(path("Exact", "/a/b%20c"));
    fine(path("RegularExpression", "a(b|c)"));
    refused(path("PathPrefix", "a"), &format!("{at}: a path begins with /"));
    refused(path("Exact", "/a//b"), &format!("{at}: a path does not contain //"));
    refused(path("Exact", "/a/../b"), &format!("{at}: a path does not contain /../"));
    refused(path("Exact", "/a#b"), &format!("{at}: a path does not contain #"));
    refused(path("Exact", "/a/.."), &format!("{at}: a path does not end with /.."));
    refused(path("Exact", "/a%zz"), &format!("{at}: a path has letters, digits, -._~!$&'()*+,;=:@/ and escapes such as %20"));
    let many = route(json!({ "matches": vec![json!({}); 65] }));
    refused(many, "spec.rules[0].matches: Too many: 65: must have at most 64 items");
    let rules = json!({ "rules": vec![json!({ "matches": vec![json!({}); 43] }); 3] });
    let sum = "spec.rules: Invalid value: all rules together have no more than 128 matches";
    refused(object("gateway.networking.k8s.io/v1", "HTTPRoute", rules), sum);
}

#[test]
fn filters_and_their_fields() {
    let at = "spec.rules[0].filters[0]: Invalid value";
    fine(filters(json!([{ "type": "URLRewrite", "urlRewrite": { "path": { "type": "ReplaceFullPath", "replaceFullPath": "/" } } }])));
    refused(filters(json!([{ "type": "CORS" }])), &format!("{at}: cors is there if, and only if, type is CORS"));
    refused(
        filters(json!([{ "type": "CORS", "cors": {}, "urlRewrite": {} }])),
        &format!("{at}: urlRewrite is there if, and only if, type is URLRewrite"),
    );
    let twice = json!([{ "type": "CORS", "cors": {} }, { "type": "CORS", "cors": {} }]);
    refused(filters(twice), "spec.rules[0].filters: Invalid value: there is at most one CORS");
    let both = json!([{ "type": "URLRewrite", "urlRewrite": {} }, { "type": "RequestRedirect", "requestRedirect": {} }]);
    refused(filters(both), "spec.rules[0].filters: Invalid value: RequestRedirect and URLRewrite exclude each other");
    let origins = json!([{ "type": "CORS", "cors": { "allowOrigins": ["*", "https://a.example"] } }]);
    refused(filters(origins), "spec.rules[0].filters[0].cors.allowOrigins: Invalid value: `*` stands alone among allowOrigins");
    let share = json!({ "backendRef": { "name": "web", "port": 80 }, "fraction": { "numerator": 200 } });
    let mirror = json!([{ "type": "RequestMirror", "requestMirror": share }]);
    refused(filters(mirror), "spec.rules[0].filters[0].requestMirror.fraction: Invalid value: a fraction is no more than the whole");
}

#[test]
fn what_goes_together_in_a_rule() {
    let redirect = |path: Value| json!([{ "type": "RequestRedirect", "requestRedirect": { "path": path } }]);
    let prefix = || redirect(json!({ "type": "ReplacePrefixMatch", "replacePrefixMatch": "/" }));
    fine(route(json!({ "filters": prefix() })));
    refused(
        route(json!({ "matches": [{ "path": { "type": "Exact", "value": "/a" } }], "filters": prefix() })),
        "spec.rules[0]: Invalid value: replacePrefixMatch of a requestRedirect needs exactly one match, of a PathPrefix",
    );
    refused(
        route(json!({ "backendRefs": [{ "name": "web", "port": 80 }], "filters": prefix() })),
        "spec.rules[0]: Invalid value: what is redirected goes to no backend: a RequestRedirect excludes backendRefs",
    );
    refused(route(json!({ "backendRefs": [{ "name": "web" }] })), "spec.rules[0].backendRefs[0]: Invalid value: a Service needs a port");
    refused(
        route(json!({ "timeouts": { "request": "1s", "backendRequest": "2s" } })),
        "spec.rules[0].timeouts: Invalid value: backendRequest is no longer than request",
    );
    fine(route(json!({ "timeouts": { "request": "0s", "backendRequest": "2s" } })));
}

#[test]
fn listeners() {
    let at = "spec.listeners: Invalid value";
    let http = |name: &str, port: u16| json!({ "name": name, "port": port, "protocol": "HTTP" });
    fine(gateway(json!([http("a", 80), http("b", 81)])));
    refused(gateway(json!([http("a", 80), http("b", 80)])), &format!("{at}: no two listeners have the same port, protocol and hostname"));
    refused(gateway(json!([http("a", 80), http("a", 81)])), "spec.listeners[1]: Duplicate value: {\"name\":\"a\"}");
    refused(gateway(json!([])), "spec.listeners: Invalid value: 0: spec.listeners in body should have at least 1 items");
    let with = |protocol: &str, tls: Value| gateway(json!([{ "name": "a", "port": 1, "protocol": protocol, "tls": tls }]));
    refused(with("HTTP", json!({ "mode": "Passthrough" })), &format!("{at}: a listener of HTTP, TCP or UDP has no tls"));
    refused(with("HTTPS", json!({ "mode": "Passthrough" })), &format!("{at}: HTTPS terminates TLS: its mode is Terminate"));
    refused(with("HTTPS", json!({})), "spec.listeners[0].tls: Invalid value: Terminate needs certificateRefs or options");
    fine(with("TLS", json!({ "mode": "Passthrough" })));
    refused(gateway(json!([{ "name": "a", "port": 1, "protocol": "TLS" }])), &format!("{at}: a listener of TLS needs tls.mode"));
    refused(
        gateway(json!([{ "name": "a", "port": 1, "protocol": "TCP", "hostname": "a.example" }])),
        &format!("{at}: a listener of TCP or UDP has no hostname"),
    );
}

#[test]
fn addresses_of_a_gateway() {
    let with = |addresses: Value| {
        let listeners = json!([{ "name": "a", "port": 80, "protocol": "HTTP" }]);
        object(
            "gateway.networking.k8s.io/v1",
            "Gateway",
            json!({ "gatewayClassName": "istio", "listeners": listeners, "addresses": addresses }),
        )
    };
    fine(with(json!([{ "value": "192.0.2.1" }, { "type": "Hostname", "value": "web.shop.svc.cluster.local" }])));
    fine(with(json!([{ "type": "IPAddress" }])));
    refused(
        with(json!([{ "value": "192.0.2.1" }, { "value": "192.0.2.1" }])),
        "spec.addresses: Invalid value: no address is asked for twice",
    );
    refused(
        with(json!([{ "type": "Hostname", "value": "A_" }])),
        "spec.addresses[0]: Invalid value: the value of a Hostname is a host name",
    );
    let lines = lines(&with(json!([{ "value": "web" }])));
    assert!(lines[0].contains("must validate one and only one schema (oneOf)"), "{lines:?}");
}

#[test]
fn older_versions_of_a_route_ask_for_less() {
    let nameless = json!({ "rules": [{ "backendRefs": [{ "name": "web", "port": 443 }] }] });
    fine(object("gateway.networking.k8s.io/v1alpha2", "TLSRoute", nameless.clone()));
    refused(object("gateway.networking.k8s.io/v1", "TLSRoute", nameless.clone()), "spec.hostnames: Required value");
    fine(object("gateway.networking.k8s.io/v1alpha2", "TCPRoute", nameless));
    let address = json!({ "hostnames": ["192.0.2.1"], "rules": [{ "backendRefs": [{ "name": "web", "port": 443 }] }] });
    refused(object("gateway.networking.k8s.io/v1", "TLSRoute", address), "spec.hostnames: Invalid value: a server name is no address");
}

#[test]
fn a_class_keeps_its_controller() {
    let class = |controller: &str| {
        let spec = json!({ "controllerName": controller });
        json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": { "name": "istio" }, "spec": spec })
    };
    fine(class("istio.io/gateway-controller"));
    let kind = known("gateway.networking.k8s.io/v1", "GatewayClass").expect("a kind of ours");
    assert!(!kind.is_namespaced());
    let changed = kind.review(&class("paifang.dev/other"), Some(&class("istio.io/gateway-controller")));
    let lines: Vec<String> = changed.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["spec.controllerName: Invalid value: \"paifang.dev/other\": a class keeps its controller"]);
}

#[test]
fn istios_objects() {
    let uri = |uri: Value| service(json!({ "match": [{ "uri": uri }], "route": [{ "destination": { "host": "web" } }] }));
    fine(uri(json!({ "prefix": "/status" })));
    // Neither is one of them.
    fine(uri(json!({})));
    refused(
        uri(json!({ "prefix": "/a", "exact": "/a" })),
        "<nil>: Invalid value: \"\": \"spec.http[0].match[0].uri\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
    );
    let at = "spec.http[0].timeout: Invalid value";
    fine(service(json!({ "timeout": "1.5s" })));
    refused(
        service(json!({ "timeout": "10us" })),
        &format!("{at}: \"10us\": must be a duration such as 500ms or 1.5s, and no shorter than 1ms"),
    );
    refused(service(json!({ "route": [{}] })), "spec.http[0].route[0].destination: Required value");
    refused(
        object(
            "networking.istio.io/v1",
            "DestinationRule",
            json!({ "host": "web", "trafficPolicy": { "loadBalancer": { "simple": "FAIR" } } }),
        ),
        "spec.trafficPolicy.loadBalancer.simple: Unsupported value: \"FAIR\": supported values: \"UNSPECIFIED\", \"LEAST_CONN\", \"RANDOM\", \
         \"PASSTHROUGH\", \"ROUND_ROBIN\", \"LEAST_REQUEST\"",
    );
    let server = |tls: Value| {
        let port = json!({ "number": 443, "name": "https", "protocol": "HTTPS" });
        object("networking.istio.io/v1beta1", "Gateway", json!({ "servers": [{ "port": port, "hosts": ["*"], "tls": tls }] }))
    };
    fine(server(json!({ "mode": "SIMPLE", "credentialName": "web" })));
    refused(
        server(json!({ "credentialName": "web", "credentialNames": ["web"] })),
        "spec.servers[0].tls: Invalid value: credentialName and credentialNames exclude each other",
    );
}

/// A status is the writer's: Istio's may say more than is declared, Gateway API's may not.
#[test]
fn statuses() {
    let mut service = service(json!({}));
    service["status"] = json!({ "conditions": [{ "type": "Programmed", "status": "True" }], "more": { "anything": 1 } });
    fine(service);
    let mut route = route(json!({}));
    route["status"] =
        json!({ "parents": [{ "parentRef": { "name": "web" }, "controllerName": "paifang.dev/gateways", "conditions": [] }] });
    refused(route, "status.parents[0].conditions: Invalid value: 0: status.parents[0].conditions in body should have at least 1 items");
}

fn named(kind: &str, name: &str, spec: Value) -> Value {
    let mut object = object("paifang.dev/v1alpha1", kind, spec);
    object["metadata"] = json!({ "name": name });
    if kind == "Project" {
        object["metadata"]["namespace"] = "workspace-demo".into();
    }
    object
}

#[test]
fn people_and_what_they_share() {
    fine(named("User", "kim.lee", json!({ "displayName": "Kim", "email": "kim@example.com", "identities": ["oidc:kim"] })));
    refused(named("User", "paifang", json!({})), "<nil>: Invalid value: this name belongs to a user of the API server itself");
    refused(named("User", &"a".repeat(64), json!({})), "<nil>: Invalid value: a user's name has at most 63 characters");
    refused(
        named("User", "kim", json!({ "email": "kim" })),
        r#"spec.email: Invalid value: "kim": spec.email in body should match '^([^@\s]+@[^@\s]+)?$'"#,
    );
    refused(
        named("User", "kim", json!({ "identities": ["system:admin"] })),
        "spec.identities[0]: Invalid value: \"system:admin\": names that begin with system: belong to Kubernetes",
    );
    fine(named("Workspace", "demo-workspace", json!({ "admins": ["kim"] })));
    refused(named("Workspace", "a.b", json!({})), "<nil>: Invalid value: a workspace's name has letters, digits and -: no dots");
    let long = "<nil>: Invalid value: a workspace's name has at most 53 characters: its namespace is called workspace-NAME";
    refused(named("Workspace", &"a".repeat(54), json!({})), long);
    fine(named("Project", "demo-project", json!({})));
    let reserved = "<nil>: Invalid value: names such as default, kube-…, kubesphere-…, paifang-…, workspace-…, istio-…, openshift-… and …-system belong to the system";
    for name in ["default", "kube-public", "kubesphere-controls-system", "workspace-other", "cert-system", "istio-ingress"] {
        refused(named("Project", name, json!({})), reserved);
    }
}
