//! What is wrong with the built-in kinds, in the words Kubernetes has for it: one row per rule.

use schema::{builtin, default_builtin, review_builtin};
use serde_json::{Value, json};

/// The lines an object gets: shape first, then rules, as an API server would answer a create.
fn lines(object: &Value, old: Option<&Value>) -> Vec<String> {
    let kind = builtin().by_kind(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).expect("a built-in kind");
    let mut object = object.clone();
    default_builtin(kind, &mut object);
    review_builtin(kind, &object, old).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(object: Value, expect: &[&str]) {
    assert_eq!(lines(&object, None), expect);
}

/// `expect` for turning `old` into `new`; both are defaulted.
#[track_caller]
fn check_update(old: Value, new: Value, expect: &[&str]) {
    let kind = builtin().by_kind(new["apiVersion"].as_str().unwrap(), new["kind"].as_str().unwrap()).expect("a built-in kind");
    let mut old = old;
    default_builtin(kind, &mut old);
    assert_eq!(lines(&new, Some(&old)), expect);
}

/// An object of that kind in namespace `shop`, with the fields of `rest`.
fn object(api_version: &str, kind: &str, rest: Value) -> Value {
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "web", "namespace": "shop" } });
    let fields = rest.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(fields);
    object
}

fn cluster_object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = object(api_version, kind, rest);
    object["metadata"] = json!({ "name": name });
    object
}

fn ingress(spec: Value) -> Value {
    object("networking.k8s.io/v1", "Ingress", json!({ "spec": spec }))
}

fn path(path: &str, kind: &str) -> Value {
    json!({ "path": path, "pathType": kind, "backend": { "service": { "name": "web", "port": { "number": 80 } } } })
}

fn ingress_path(path: Value) -> Value {
    ingress(json!({ "rules": [{ "host": "a.example", "http": { "paths": [path] } }] }))
}

fn service(spec: Value) -> Value {
    object("v1", "Service", json!({ "spec": spec }))
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end \
    with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

#[test]
fn a_route_as_kubesphere_writes_it_is_fine() {
    check(ingress_path(path("/", "ImplementationSpecific")), &[]);
    check(ingress_path(path("/svc(/|$)(.*)", "ImplementationSpecific")), &[]);
    check(ingress(json!({ "defaultBackend": { "service": { "name": "web", "port": { "name": "http" } } } })), &[]);
}

#[test]
fn paths_of_an_ingress() {
    let at = "spec.rules[0].http.paths[0]";
    check(ingress_path(path("foo", "Prefix")), &[&format!("{at}.path: Invalid value: \"foo\": must be an absolute path")]);
    check(ingress_path(path("foo", "ImplementationSpecific")), &[&format!("{at}.path: Invalid value: \"foo\": must be an absolute path")]);
    check(ingress_path(path("/a//b", "Exact")), &[&format!("{at}.path: Invalid value: \"/a//b\": must not contain '//'")]);
    check(ingress_path(path("/a/..", "Exact")), &[&format!("{at}.path: Invalid value: \"/a/..\": cannot end with '/..'")]);
    check(
        ingress_path(path("/", "Regex")),
        &[&format!("{at}.pathType: Unsupported value: \"Regex\": supported values: \"Exact\", \"ImplementationSpecific\", \"Prefix\"")],
    );
    let mut untyped = path("/", "Exact");
    untyped.as_object_mut().unwrap().remove("pathType");
    check(ingress_path(untyped), &[&format!("{at}.pathType: Required value: pathType must be specified")]);
    check(ingress(json!({ "rules": [{ "http": { "paths": [] } }] })), &["spec.rules[0].http.paths: Required value"]);
}

#[test]
fn backends_of_an_ingress() {
    let at = "spec.rules[0].http.paths[0].backend";
    let with = |backend: Value| {
        let mut path = path("/", "Prefix");
        path["backend"] = backend;
        ingress_path(path)
    };
    let resource = json!({ "apiGroup": "k8s.example.com", "kind": "StorageBucket", "name": "static" });
    let service = json!({ "name": "web", "port": { "number": 80 } });
    check(with(json!({ "resource": resource })), &[]);
    check(
        with(json!({ "resource": resource, "service": service })),
        &[&format!("{at}: Invalid value: \"\": cannot set both resource and service backends")],
    );
    check(with(json!({})), &[&format!("{at}: Invalid value: \"\": resource or service backend is required")]);
    check(
        with(json!({ "service": { "name": "web", "port": { "number": 80, "name": "http" } } })),
        &[&format!("{at}: Invalid value: \"\": cannot set both port name & port number")],
    );
    check(with(json!({ "service": { "name": "web" } })), &[&format!("{at}: Required value: port name or number is required")]);
    check(
        with(json!({ "service": { "name": "web", "port": { "number": 70000 } } })),
        &[&format!("{at}.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive")],
    );
    check(
        with(json!({ "service": { "name": "Web", "port": { "number": 80 } } })),
        &[&format!(
            "{at}.service.name: Invalid value: \"Web\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
             must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        )],
    );
}

#[test]
fn hosts_and_classes_of_an_ingress() {
    let host = |host: &str| ingress(json!({ "rules": [{ "host": host, "http": { "paths": [path("/", "Prefix")] } }] }));
    check(host("*.a.example"), &[]);
    check(host("127.0.0.1"), &["spec.rules[0].host: Invalid value: \"127.0.0.1\": must be a DNS name, not an IP address"]);
    check(host("A.example"), &[&format!("spec.rules[0].host: Invalid value: \"A.example\": {SUBDOMAIN}")]);
    assert!(lines(&host("*a.example"), None)[0].starts_with(
        "spec.rules[0].host: Invalid value: \"*a.example\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain"
    ));
    check(ingress(json!({})), &["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]);
    let mut both = ingress_path(path("/", "Prefix"));
    both["spec"]["ingressClassName"] = json!("blue");
    both["metadata"]["annotations"] = json!({ "kubernetes.io/ingress.class": "green" });
    check(
        both,
        &["annotations.kubernetes.io/ingress.class: Invalid value: \"green\": must match `ingressClassName` when both are specified"],
    );
    let mut tls = ingress_path(path("/", "Prefix"));
    tls["spec"]["tls"] = json!([{ "hosts": ["ok.example", "No"], "secretName": "Bad" }]);
    check(
        tls,
        &[
            &format!("spec.tls[0].hosts[1]: Invalid value: \"No\": {SUBDOMAIN}"),
            &format!("spec.tls[0].secretName: Invalid value: \"Bad\": {SUBDOMAIN}"),
        ],
    );
}

#[test]
fn an_ingress_class_keeps_its_controller() {
    let class =
        |controller: &str| cluster_object("networking.k8s.io/v1", "IngressClass", "nginx", json!({ "spec": { "controller": controller } }));
    check(class("k8s.io/ingress-nginx"), &[]);
    check(class(""), &["spec.controller: Required value"]);
    check(class("nginx"), &["spec.controller: Invalid value: \"nginx\": must be a domain-prefixed path (such as \"acme.io/foo\")"]);
    check_update(
        class("k8s.io/ingress-nginx"),
        class("example.com/other"),
        &["spec.controller: Invalid value: \"example.com/other\": field is immutable"],
    );
}

#[test]
fn ports_of_a_service() {
    check(service(json!({ "ports": [{ "port": 80 }] })), &[]);
    check(service(json!({})), &["spec.ports: Required value"]);
    check(service(json!({ "clusterIP": "None" })), &[]);
    check(
        service(json!({ "ports": [{ "port": 0 }] })),
        &[
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
        ],
    );
    check(
        service(json!({ "ports": [{ "port": 80 }, { "port": 81 }] })),
        &["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    );
    check(
        service(json!({ "ports": [{ "name": "a", "port": 80 }, { "name": "a", "port": 80 }] })),
        &[
            "spec.ports[1].name: Duplicate value: \"a\"",
            "spec.ports[1]: Duplicate value: {\"Name\":\"\",\"Protocol\":\"TCP\",\"AppProtocol\":null,\"Port\":80,\"TargetPort\":0,\"NodePort\":0}",
        ],
    );
    check(
        service(json!({ "ports": [{ "port": 80, "protocol": "HTTP" }] })),
        &["spec.ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\""],
    );
    check(
        service(json!({ "ports": [{ "port": 80, "targetPort": "no_such" }] })),
        &["spec.ports[0].targetPort: Invalid value: \"no_such\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"],
    );
    check(
        service(json!({ "ports": [{ "port": 80, "nodePort": 30080 }] })),
        &["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    );
    check(
        service(json!({ "type": "NodePort", "ports": [{ "port": 80, "nodePort": 80 }] })),
        &["spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767"],
    );
}

#[test]
fn types_of_a_service() {
    check(service(json!({ "type": "ExternalName", "externalName": "backend.example." })), &[]);
    check(service(json!({ "type": "ExternalName" })), &["spec.externalName: Required value"]);
    check(
        service(json!({ "type": "Balancer", "ports": [{ "port": 80 }] })),
        &["spec.type: Unsupported value: \"Balancer\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\""],
    );
    check(
        service(json!({ "ports": [{ "port": 80 }], "sessionAffinity": "Cookie" })),
        &["spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", \"None\""],
    );
    check_update(
        service(json!({ "clusterIP": "10.0.0.1", "ports": [{ "port": 80 }] })),
        service(json!({ "clusterIP": "10.0.0.2", "ports": [{ "port": 80 }] })),
        &["spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"],
    );
}

/// A shape that is wrong is all that is said.
#[test]
fn a_field_of_the_wrong_type() {
    check(
        service(json!({ "ports": [{ "port": "http" }] })),
        &["spec.ports[0].port: Invalid value: \"string\": spec.ports[0].port in body must be of type integer: \"string\""],
    );
}

fn slice(kind: &str, address: &str) -> Value {
    object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        json!({ "addressType": kind, "endpoints": [{ "addresses": [address] }], "ports": [{ "port": 80 }] }),
    )
}

#[test]
fn endpoints_may_be_on_this_machine_but_never_link_local() {
    check(slice("IPv4", "127.0.0.1"), &[]);
    check(slice("IPv4", "10.1.2.3"), &[]);
    check(slice("IPv6", "::1"), &[]);
    check(slice("FQDN", "a.example"), &[]);
    let refused = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
    let at = "endpoints[0].addresses[0]: Invalid value";
    check(slice("IPv4", "169.254.169.254"), &[&format!("{at}: \"169.254.169.254\": {refused}")]);
    check(slice("IPv6", "::ffff:169.254.169.254"), &[&format!("{at}: \"::ffff:169.254.169.254\": {refused}")]);
    check(slice("IPv6", "fe80::1"), &[&format!("{at}: \"fe80::1\": {refused}")]);
    check(slice("IPv4", "0.0.0.0"), &[&format!("{at}: \"0.0.0.0\": may not be unspecified (0.0.0.0)")]);
    check(slice("IPv4", "::1"), &["endpoints[0].addresses: Invalid value: \"::1\": must be an IPv4 address"]);
    check(slice("IPv4", "web"), &[&format!("{at}: \"web\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]);
    check(slice("", "127.0.0.1"), &["addressType: Required value"]);
    check(slice("IP", "127.0.0.1"), &["addressType: Unsupported value: \"IP\": supported values: \"FQDN\", \"IPv4\", \"IPv6\""]);
    check_update(slice("IPv4", "127.0.0.1"), slice("FQDN", "a.example"), &["addressType: Invalid value: \"FQDN\": field is immutable"]);
    let subsets = |ip: &str| object("v1", "Endpoints", json!({ "subsets": [{ "addresses": [{ "ip": ip }], "ports": [{ "port": 80 }] }] }));
    check(subsets("127.0.0.9"), &[]);
    check(subsets("169.254.0.1"), &[&format!("subsets[0].addresses[0].ip: Invalid value: \"169.254.0.1\": {refused}")]);
}

#[test]
fn secrets() {
    let tls = |data: Value| object("v1", "Secret", json!({ "type": "kubernetes.io/tls", "data": data }));
    check(tls(json!({ "tls.crt": "", "tls.key": "" })), &[]);
    check(tls(json!({ "tls.crt": "" })), &["data[tls.key]: Required value"]);
    check(
        object("v1", "Secret", json!({ "data": { "a b": "" } })),
        &[
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
           'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ],
    );
    check(
        object("v1", "Secret", json!({ "data": { "a": "not base64!" } })),
        &["data.a: Invalid value: \"not base64!\": data.a in body must be of type byte: \"not base64!\""],
    );
    let frozen = |data: Value| object("v1", "Secret", json!({ "immutable": true, "data": data }));
    check_update(
        frozen(json!({ "a": "YQ==" })),
        frozen(json!({ "a": "Yg==" })),
        &["data: Forbidden: field is immutable when `immutable` is set"],
    );
    check_update(
        object("v1", "Secret", json!({})),
        tls(json!({ "tls.crt": "", "tls.key": "" })),
        &["type: Invalid value: \"kubernetes.io/tls\": field is immutable"],
    );
}

#[test]
fn names_and_labels() {
    let named = |name: &str| cluster_object("v1", "Namespace", name, json!({}));
    check(named("shop"), &[]);
    assert_eq!(lines(&named("a.b"), None)[0], "metadata.name: Invalid value: \"a.b\": must not contain dots");
    check(
        object("v1", "ConfigMap", json!({ "metadata": { "namespace": "shop" } })),
        &["metadata.name: Required value: name or generateName is required"],
    );
    check(object("v1", "ConfigMap", json!({ "metadata": { "name": "a" } })), &["metadata.namespace: Required value"]);
    check(
        object("networking.k8s.io/v1", "IngressClass", json!({ "spec": { "controller": "a.io/b" } })),
        &["metadata.namespace: Forbidden: not allowed on this type"],
    );
    check(object("v1", "ConfigMap", json!({ "metadata": { "generateName": "web-", "namespace": "shop" } })), &[]);
    let labelled = |labels: Value| object("v1", "ConfigMap", json!({ "metadata": { "name": "a", "namespace": "shop", "labels": labels } }));
    check(
        labelled(json!({ "a b": "c" })),
        &[
            "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
           with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
           '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ],
    );
    check(
        labelled(json!({ "a": "c d" })),
        &[
            "metadata.labels: Invalid value: \"c d\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
           '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation \
           is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ],
    );
    check(
        object(
            "v1",
            "ConfigMap",
            json!({ "metadata": { "name": "a", "namespace": "shop", "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": "n" }] } }),
        ),
        &["metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"],
    );
}

#[test]
fn an_update_keeps_what_names_the_object() {
    let made = |uid: &str| object("v1", "ConfigMap", json!({ "metadata": { "name": "a", "namespace": "shop", "uid": uid } }));
    check_update(made("1"), made("2"), &["metadata.uid: Invalid value: \"2\": field is immutable"]);
    let deleted = |finalizers: Value| {
        let meta = json!({ "name": "a", "namespace": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers });
        object("v1", "ConfigMap", json!({ "metadata": meta }))
    };
    check_update(
        deleted(json!(["a.io/x"])),
        deleted(json!(["a.io/x", "a.io/y"])),
        &["metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \
           []string{\"a.io/y\"}"],
    );
}

#[test]
fn roles_and_bindings() {
    let rbac = "rbac.authorization.k8s.io/v1";
    let role = |rules: Value| object(rbac, "Role", json!({ "rules": rules }));
    check(role(json!([{ "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"] }])), &[]);
    check(
        role(json!([{ "apiGroups": [""], "resources": ["secrets"] }])),
        &["rules[0].verbs: Required value: verbs must contain at least one value"],
    );
    check(
        role(json!([{ "verbs": ["get"], "nonResourceURLs": ["/metrics"] }])),
        &["rules[0].nonResourceURLs: Invalid value: [\"/metrics\"]: namespaced rules cannot apply to non-resource URLs"],
    );
    let binding = |role: &str| {
        let subjects = json!([{ "kind": "User", "name": "kim" }]);
        object(rbac, "RoleBinding", json!({ "roleRef": { "kind": "Role", "name": role }, "subjects": subjects }))
    };
    check(binding("view"), &[]);
    check_update(
        binding("view"),
        binding("edit"),
        &[
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"edit\"}: cannot change roleRef",
        ],
    );
    check(
        object(rbac, "RoleBinding", json!({ "roleRef": { "kind": "Rule", "name": "view" } })),
        &["roleRef.kind: Unsupported value: \"Rule\": supported values: \"Role\", \"ClusterRole\""],
    );
}

fn definition(name: &str, schema: Value) -> Value {
    let versions = json!([{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } }]);
    let spec =
        json!({ "group": "example.com", "scope": "Namespaced", "names": { "plural": "widgets", "kind": "Widget" }, "versions": versions });
    cluster_object("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, json!({ "spec": spec }))
}

#[test]
fn custom_resource_definitions() {
    let spec = |spec: Value| json!({ "type": "object", "properties": { "spec": spec } });
    let name = "widgets.example.com";
    check(definition(name, spec(json!({ "type": "object" }))), &[]);
    check(
        definition("widget.example.com", spec(json!({ "type": "object" }))),
        &["metadata.name: Invalid value: \"widget.example.com\": must be spec.names.plural+\".\"+spec.group"],
    );
    let at = "spec.validation.openAPIV3Schema.properties[spec]";
    check(definition(name, spec(json!({}))), &[&format!("{at}.type: Required value: must not be empty for specified object fields")]);
    check(definition(name, spec(json!({ "type": "array" }))), &[&format!("{at}.items: Required value: must be specified")]);
    check(
        definition(name, spec(json!({ "type": "object", "allOf": [{ "properties": { "a": { "default": 1 } } }] }))),
        &[&format!("{at}.allOf[0].properties[a].default: Forbidden: must be undefined to be structural")],
    );
    check(
        definition(name, spec(json!({ "type": "string", "default": 1 }))),
        &[&format!("{at}.default: Invalid value: \"integer\":  in body must be of type string: \"integer\"")],
    );
    let broken = lines(&definition(name, spec(json!({ "type": "object", "x-kubernetes-validations": [{ "rule": "self.(" }] }))), None);
    assert!(
        broken[0].starts_with(&format!("{at}.x-kubernetes-validations[0].rule: Invalid value: \"self.(\": compilation failed: ")),
        "{broken:?}"
    );
    for (rule, why) in [
        ("slef.a > 0", "undeclared reference to 'slef'"),
        ("self.b > 0", "undefined field 'b'"),
        ("self.list.all(x, x.c > 0)", "undefined field 'c'"),
        ("self.list.all(x, y > 0)", "undeclared reference to 'y'"),
        ("has(self.b)", "undefined field 'b'"),
    ] {
        let list = json!({ "type": "array", "maxItems": 3, "items": { "type": "object", "properties": { "n": { "type": "integer" } } } });
        let properties = json!({ "a": { "type": "integer" }, "list": list });
        let found = lines(
            &definition(name, spec(json!({ "type": "object", "properties": properties, "x-kubernetes-validations": [{ "rule": rule }] }))),
            None,
        );
        assert_eq!(found, [format!("{at}.x-kubernetes-validations[0].rule: Invalid value: \"{rule}\": compilation failed: {why}")]);
    }
    let mut two = definition(name, spec(json!({ "type": "object" })));
    let again = two["spec"]["versions"][0].clone();
    two["spec"]["versions"].as_array_mut().unwrap().push(again);
    let found = lines(&two, None);
    assert!(found[1].starts_with("spec.versions: Invalid value: [{\"Name\":\"v1\",\"Served\":true,\"Storage\":true,"), "{found:?}");
    assert!(found[1].ends_with(": must have exactly one version marked as storage version"), "{found:?}");
    let mut official = definition("widgets.gateway.k8s.io", spec(json!({ "type": "object" })));
    official["spec"]["group"] = json!("gateway.k8s.io");
    assert!(
        lines(&official, None)[0]
            .starts_with("metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have")
    );
}

#[test]
fn leases_and_events() {
    let lease = |seconds: i64| object("coordination.k8s.io/v1", "Lease", json!({ "spec": { "leaseDurationSeconds": seconds } }));
    check(lease(15), &[]);
    check(lease(0), &["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]);
    let event = |rest: Value| {
        let mut event = object(
            "events.k8s.io/v1",
            "Event",
            json!({
                "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "example.com/x", "reportingInstance": "x-1", "action": "Route",
                "reason": "NoEndpoints", "type": "Warning", "regarding": { "kind": "Ingress", "namespace": "shop", "name": "web" }
            }),
        );
        event.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event
    };
    check(event(json!({})), &[]);
    check(event(json!({ "reason": "" })), &["reason: Required value"]);
    check(event(json!({ "note": "long".repeat(300) })), &["message: Invalid value: \"\": can have at most 1024 characters"]);
    let old_form =
        |about: &str| object("v1", "Event", json!({ "involvedObject": { "kind": "Ingress", "namespace": about, "name": "web" } }));
    check(old_form("shop"), &[]);
    check(old_form("other"), &["involvedObject.namespace: Invalid value: \"other\": does not match event.namespace"]);
}

#[test]
fn a_violation_fits_into_a_status() {
    let kind = builtin().by_kind("networking.k8s.io/v1", "Ingress").unwrap();
    let found = review_builtin(kind, &ingress_path(path("foo", "Prefix")), None);
    assert_eq!(found[0].field, "spec.rules[0].http.paths[0].path");
    assert_eq!(found[0].reason(), "FieldValueInvalid");
    assert_eq!(found[0].message(), "Invalid value: \"foo\": must be an absolute path");
}
