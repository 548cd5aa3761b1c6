//! Properties of this frontend by itself: no input panics, and one change after another equals from scratch.

use super::*;
use crate::conditions::CONDITIONS;
use model::{HostPattern, HostTls};
use proptest::prelude::*;
use resources::{Applied, Change, Condition, Kind, ListenerStatus, Name, Problem, Scope, Status};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use testkit::certificates::{Authority, Issued};

fn shared() -> Vec<SharedGateway> {
    let services = vec![Name::new("istio-system", "istio-ingressgateway")];
    let of_project = SharedGateway { scope: Scope::Namespace("b".into()), ..SharedGateway::new(GatewayId::new("project")) };
    vec![SharedGateway { services, ..SharedGateway::new(GatewayId::new("shared")) }, of_project]
}

/// One of a few, so that objects meet.
fn of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

/// Nothing, or one of these.
fn perhaps(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), of(words).prop_map(Value::from)]
}

fn some<T: std::fmt::Debug>(of: impl Strategy<Value = T>, most: usize) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(of, 0..=most)
}

const NAMESPACES: &[&str] = &["a", "b"];
const HOSTS: &[&str] = &["x.test", "*.test", "y.x.test", "*.x.test", "other.example"];

fn meta(name: String, namespace: String, created: String, extra: Value) -> Value {
    let mut meta = json!({"name": name, "namespace": namespace, "creationTimestamp": created});
    if let (Value::Object(meta), Value::Object(extra)) = (&mut meta, extra) {
        meta.extend(extra);
    }
    meta
}

fn created() -> impl Strategy<Value = String> {
    of(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"])
}

fn class() -> impl Strategy<Value = Value> {
    let controller = of(&["paifang.dev/gateway-controller", "istio.io/gateway-controller", "example.com/other"]);
    let parameters = prop_oneof![
        6 => Just(Value::Null),
        1 => Just(json!("p")),
        1 => Just(json!({"group": "paifang.dev", "kind": "IngressGateway", "namespace": "a", "name": "none"})),
    ];
    let gateway = perhaps(&["shared", "project", "none"]);
    (of(&["ours", "istio", "shared"]), controller, parameters, gateway).prop_map(|(name, controller, parameters, gateway)| {
        let annotations = json!({"paifang.dev/gateway": gateway});
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": name, "annotations": annotations},
            "spec": {"controllerName": controller, "parametersRef": parameters},
        })
    })
}

/// What is there from the first: without it hardly any Gateway would be ours.
fn classes() -> [Value; 3] {
    let ours = "paifang.dev/gateway-controller";
    [("ours", ours, Value::Null), ("istio", "istio.io/gateway-controller", Value::Null), ("shared", ours, json!("project"))].map(
        |(name, controller, gateway)| {
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
                "metadata": {"name": name, "annotations": {"paifang.dev/gateway": gateway}}, "spec": {"controllerName": controller},
            })
        },
    )
}

fn listener() -> impl Strategy<Value = Value> {
    let namespaces = prop_oneof![
        Just(Value::Null),
        Just(json!({"from": "All"})),
        Just(json!({"from": "Same"})),
        Just(json!({"from": "Selector", "selector": {"matchLabels": {"team": "one"}}})),
    ];
    let kinds = prop_oneof![4 => Just(Value::Null), 1 => Just(json!([{"kind": "HTTPRoute"}])), 1 => Just(json!([{"kind": "TCPRoute"}, {"kind": "Nonsense"}]))];
    let secret =
        (of(&["tls", "other", "none"]), perhaps(NAMESPACES)).prop_map(|(name, namespace)| json!({"name": name, "namespace": namespace}));
    let options = prop_oneof![4 => Just(Value::Null), 1 => Just(json!({"gateway.istio.io/tls-terminate-mode": "MUTUAL"}))];
    let tls = (of(&["Terminate", "Terminate", "Passthrough"]), prop::collection::vec(secret, 1..3), options)
        .prop_map(|(mode, secrets, options)| json!({"mode": mode, "certificateRefs": secrets, "options": options}));
    let protocol = of(&["HTTP", "HTTP", "HTTPS", "TLS", "TCP", "UDP"]);
    let port = prop::sample::select(&[80, 443, 8080, 8080][..]);
    (of(&["one", "two", "three"]), protocol, port, perhaps(HOSTS), namespaces, kinds, tls).prop_map(
        |(name, protocol, port, host, namespaces, kinds, tls)| {
            let tls = if ["HTTPS", "TLS"].contains(&&*protocol) { tls } else { Value::Null };
            let allowed = json!({"namespaces": namespaces, "kinds": kinds});
            json!({"name": name, "protocol": protocol, "port": port, "hostname": host, "tls": tls, "allowedRoutes": allowed})
        },
    )
}

fn gateway() -> impl Strategy<Value = Value> {
    let address = prop_oneof![
        6 => Just(json!([])),
        1 => Just(json!([{"value": "192.0.2.1"}])),
        2 => Just(json!([{"type": "Hostname", "value": "istio-ingressgateway.istio-system.svc.cluster.local"}])),
        3 => of(&["one-istio", "one-istio.a", "two-ours.b.svc", "nobody"]).prop_map(|it| json!([{"type": "Hostname", "value": it}])),
        1 => Just(json!([{"value": "192.0.2.1"}, {"value": "192.0.2.2"}])),
    ];
    let extra = prop_oneof![4 => Just(json!({})), 2 => Just(json!({"annotations": {"gateway.istio.io/name-override": "one-istio"}}))];
    let frontend = prop_oneof![
        4 => Just(Value::Null),
        1 => Just(json!({"frontend": {"default": {"validation": {"caCertificateRefs": [{"kind": "ConfigMap", "name": "ca"}]}}}})),
    ];
    let allowed =
        prop_oneof![Just(Value::Null), Just(json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "one"}}}}))];
    let names = (of(&["one", "two"]), of(NAMESPACES), created(), extra);
    (names, of(&["ours", "ours", "istio", "istio", "shared"]), some(listener(), 4), address, frontend, allowed).prop_map(
        |((name, namespace, created, extra), class, listeners, addresses, tls, allowed)| {
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": meta(name, namespace, created, extra),
                "spec": {"gatewayClassName": class, "listeners": listeners, "addresses": addresses, "tls": tls, "allowedListeners": allowed},
            })
        },
    )
}

fn parents() -> impl Strategy<Value = Vec<Value>> {
    let port = prop_oneof![4 => Just(Value::Null), 1 => Just(json!(80)), 1 => Just(json!(443))];
    let parent = (of(&["one", "two", "none"]), perhaps(NAMESPACES), perhaps(&["one", "two"]), port)
        .prop_map(|(name, namespace, section, port)| json!({"name": name, "namespace": namespace, "sectionName": section, "port": port}));
    some(parent, 2)
}

fn backend() -> impl Strategy<Value = Value> {
    let filters = prop_oneof![
        4 => Just(Value::Null),
        1 => Just(json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-A", "value": "1"}]}}])),
        1 => Just(json!([{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "web", "port": 80}}}])),
    ];
    let port = prop_oneof![4 => Just(json!(80)), 1 => Just(json!(81)), 1 => Just(Value::Null)];
    let kind = prop_oneof![6 => Just(Value::Null), 1 => Just(json!("Bucket"))];
    (of(&["web", "api", "external"]), perhaps(NAMESPACES), kind, port, 0..3_u32, filters).prop_map(|(name, namespace, kind, port, weight, filters)| {
        json!({"name": name, "namespace": namespace, "kind": kind, "port": port, "weight": weight, "filters": filters})
    })
}

fn filter() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(
            json!({"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "X-A", "value": "1"}], "remove": ["Connection"]}})
        ),
        Just(json!({"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "bad name", "value": "1"}]}})),
        Just(json!({"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}}})),
        Just(json!({"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}})),
        Just(json!({"type": "CORS", "cors": {"allowOrigins": ["https://*.test", "nonsense"]}})),
        Just(json!({"type": "ExtensionRef", "extensionRef": {"group": "example.com", "kind": "Limit", "name": "x"}})),
        Just(json!({"type": "ExternalAuth"})),
        Just(
            json!({"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "api", "namespace": "b", "port": 80}, "percent": 5}})
        ),
    ]
}

fn http_route() -> impl Strategy<Value = Value> {
    let path = (perhaps(&["Exact", "PathPrefix", "RegularExpression", "Nonsense"]), of(&["/", "/a", "/a/", "/a/b", "/b(", "/(?!x)y", "c"]))
        .prop_map(|(kind, value)| json!({"path": {"type": kind, "value": value}}));
    let rule = (some(path, 3), some(filter(), 1), some(backend(), 2))
        .prop_map(|(matches, filters, backends)| json!({"matches": matches, "filters": filters, "backendRefs": backends}));
    route("HTTPRoute", some(of(HOSTS).prop_map(Value::from), 2), some(rule, 2).boxed())
}

fn stream_route(kind: &'static str) -> impl Strategy<Value = Value> {
    let rule = some(backend(), 2).prop_map(|backends| json!({"backendRefs": backends}));
    route(kind, some(of(HOSTS).prop_map(Value::from), 2), some(rule, 1).boxed())
}

fn route(kind: &'static str, hosts: impl Strategy<Value = Vec<Value>>, rules: BoxedStrategy<Vec<Value>>) -> impl Strategy<Value = Value> {
    (of(&["r", "s", "t"]), of(NAMESPACES), created(), parents(), hosts, rules).prop_map(
        move |(name, namespace, created, parents, hosts, rules)| {
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": meta(name, namespace, created, json!({})),
                "spec": {"parentRefs": parents, "hostnames": hosts, "rules": rules},
            })
        },
    )
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(Authority::new);
static CERTIFICATES: LazyLock<[Issued; 2]> = LazyLock::new(|| [AUTHORITY.issue(&["x.test"]), AUTHORITY.issue(&["*.x.test", "y.x.test"])]);

fn secret() -> impl Strategy<Value = Value> {
    (of(&["tls", "other", "tls-cacert"]), of(NAMESPACES), 0..4_usize).prop_map(|(name, namespace, content)| {
        let data = match CERTIFICATES.get(content) {
            Some(it) => json!({"tls.crt": it.chain_pem, "tls.key": it.key_pem}),
            None => json!({"ca.crt": if content == 2 { AUTHORITY.certificate_pem() } else { "nonsense".into() }}),
        };
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": data})
    })
}

fn config_map() -> impl Strategy<Value = Value> {
    (of(NAMESPACES), any::<bool>()).prop_map(|(namespace, good)| {
        let data = if good { AUTHORITY.certificate_pem() } else { "nonsense".to_owned() };
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ca", "namespace": namespace}, "data": {"ca.crt": data}})
    })
}

fn service() -> impl Strategy<Value = Value> {
    let spec = prop_oneof![
        Just(json!({"ports": [{"name": "http", "port": 80}]})),
        Just(json!({"ports": [{"port": 80, "appProtocol": "kubernetes.io/h2c"}]})),
        Just(json!({"type": "ExternalName", "externalName": "web.b.svc.cluster.local"})),
    ];
    (of(&["web", "api", "external"]), of(NAMESPACES), spec).prop_map(|(name, namespace, spec)| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    })
}

fn grant() -> impl Strategy<Value = Value> {
    let from = (of(&["HTTPRoute", "TLSRoute", "Gateway"]), of(NAMESPACES))
        .prop_map(|(kind, namespace)| json!({"group": "gateway.networking.k8s.io", "kind": kind, "namespace": namespace}));
    let to =
        (of(&["Service", "Secret"]), perhaps(&["web", "tls"])).prop_map(|(kind, name)| json!({"group": "", "kind": kind, "name": name}));
    (of(&["g", "h"]), of(NAMESPACES), some(from, 2), some(to, 2)).prop_map(|(name, namespace, from, to)| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant", "metadata": {"name": name, "namespace": namespace},
            "spec": {"from": from, "to": to},
        })
    })
}

fn namespace() -> impl Strategy<Value = Value> {
    (of(NAMESPACES), perhaps(&["one", "two"]))
        .prop_map(|(name, team)| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": team}}}))
}

fn object() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => class(), 8 => gateway(), 6 => http_route(), 2 => stream_route("TLSRoute"), 2 => stream_route("TCPRoute"),
        3 => secret(), 1 => config_map(), 3 => service(), 2 => grant(), 3 => namespace(),
    ]
}

/// Where to put something else in an object.
fn mutate(value: &mut Value, mut way: u64, junk: &Value) {
    let inner: Vec<&mut Value> = match value {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    };
    if inner.is_empty() || way == 0 {
        *value = junk.clone();
        return;
    }
    let at = usize::try_from(way).unwrap_or_default() % inner.len();
    way /= 7;
    if let Some(inner) = inner.into_iter().nth(at) {
        mutate(inner, way, junk);
    }
}

fn junk() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), of(&["", "/", "*.", "*", "\u{0}", "%", "[", "Hostname", "Selector"])];
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1]))
    ]
}

// === what is compared ===

type Key = (GatewayId, u16, HostPattern);

/// Everything that is said, kept up to date or made from scratch.
#[derive(Clone, Debug, Default)]
struct Whole {
    hosts: BTreeMap<Key, (Option<Host>, Vec<Report>)>,
    reports: BTreeMap<ObjectRef, Report>,
    wanted: Vec<Wanted>,
}

fn look(resources: &Resources, key: &Key) -> (Option<Host>, Vec<Report>) {
    translate_host(resources, &Options::default(), &shared(), (&key.0, key.1, &key.2))
}

fn said(resources: &Resources, object: &ObjectRef) -> Option<Report> {
    report(resources, &Options::default(), &shared(), object)
}

fn objects(resources: &Resources) -> impl Iterator<Item = ObjectRef> {
    let kinds = [Kind::GatewayClass, Kind::Gateway, Kind::HttpRoute, Kind::TlsRoute, Kind::TcpRoute];
    kinds.into_iter().flat_map(|kind| resources.names(kind).map(move |name| kind.object_ref(name)))
}

impl Whole {
    fn scratch(resources: &Resources) -> Self {
        let mut whole = Self { wanted: wanted(resources, &Options::default(), &shared()), ..Self::default() };
        for key in hosts(resources, &Options::default(), &shared()) {
            let host = look(resources, &key);
            whole.put(key, host);
        }
        whole.reports.extend(objects(resources).filter_map(|object| Some((object.clone(), said(resources, &object)?))));
        whole
    }

    fn put(&mut self, key: Key, host: (Option<Host>, Vec<Report>)) {
        if host.0.is_none() && host.1.is_empty() {
            self.hosts.remove(&key);
        } else {
            self.hosts.insert(key, host);
        }
    }

    fn change(&mut self, resources: &Resources, applied: &Applied) {
        let Applied::Object { old, new } = applied else { return };
        let touch = touched(resources, &Options::default(), &shared(), old.as_ref(), new.as_ref());
        for key in touch.hosts {
            let host = look(resources, &key);
            self.put(key, host);
        }
        for object in touch.objects {
            match said(resources, &object) {
                Some(report) => drop(self.reports.insert(object, report)),
                None => drop(self.reports.remove(&object)),
            }
        }
        if touch.wanted {
            self.wanted = wanted(resources, &Options::default(), &shared());
        }
    }

    /// Hints name what is there, and what is there later does not touch what never named it.
    fn without_hints(mut self) -> Self {
        let told = self.hosts.values_mut().flat_map(|(_, reports)| reports).chain(self.reports.values_mut());
        for report in told {
            report.problems = report.problems.iter().map(|it| Problem { hint: None, ..it.clone() }).collect();
            let conditions: Vec<&mut Condition> = match &mut report.status {
                Some(Status::Gateway(status)) => {
                    let listeners = status.listeners.iter_mut().flat_map(|it: &mut ListenerStatus| &mut it.conditions);
                    status.conditions.iter_mut().chain(listeners).collect()
                }
                Some(Status::Route(parents)) => parents.iter_mut().flat_map(|it| &mut it.conditions).collect(),
                Some(Status::Conditions(list) | Status::Class { conditions: list, .. }) => list.iter_mut().collect(),
                Some(Status::Entrance(_)) | None => Vec::new(),
            };
            for condition in conditions {
                condition.message = condition.message.split("; ").map(without_hint).collect::<Vec<_>>().join("; ").into();
            }
        }
        self
    }
}

fn without_hint(sentence: &str) -> &str {
    let hints = [". Did you mean ", ". Create a ", ". Make it with "];
    hints.iter().filter_map(|hint| sentence.find(hint)).min().map_or(sentence, |at| &sentence[..at])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(objects in prop::collection::vec((object(), any::<u64>(), junk()), 0..16)) {
        let objects: Vec<Value> = objects.into_iter().map(|(mut object, way, junk)| {
            if way % 4 > 0 {
                mutate(&mut object["spec"], way, &junk);
            }
            object
        }).collect();
        let resources = Resources::of(classes().iter().chain(&objects));
        Whole::scratch(&resources);
        let options = Options { absent: Absent::Ours, ..Options::default() };
        for (gateway, port, host) in hosts(&resources, &options, &shared()) {
            translate_host(&resources, &options, &shared(), (&gateway, port, &host));
        }
    }

    #[test]
    fn one_change_after_another_equals_from_scratch(
        changes in prop::collection::vec((object(), prop::bool::weighted(0.2), any::<u64>(), junk()), 1..40),
    ) {
        let mut resources = Resources::of(&classes());
        let mut whole = Whole::scratch(&resources);
        let mut before: Option<Value> = None;
        for (mut object, gone, way, junk) in changes {
            // Often only a route's rules are others than before.
            if object["kind"] == "HTTPRoute" {
                if let Some(before) = before.as_mut().filter(|_| way % 2 == 1) {
                    before["spec"]["rules"] = object["spec"]["rules"].clone();
                    object = before.clone();
                }
                before = Some(object.clone());
            }
            if way % 8 == 0 {
                mutate(&mut object["spec"], way, &junk);
            }
            let Some(Change::Object { kind, name, object }) = Change::of(&object) else { continue };
            let applied = resources.apply(Change::Object { kind, name, object: object.filter(|_| !gone) });
            whole.change(&resources, &applied);
            let (now, scratch) = (whole.clone().without_hints(), Whole::scratch(&resources).without_hints());
            prop_assert_eq!(now.hosts, scratch.hosts);
            prop_assert_eq!(now.reports, scratch.reports);
            prop_assert_eq!(now.wanted, scratch.wanted);
        }
    }

    #[test]
    fn whatever_is_said_nothing_is_shown_in_place_of_a_certificate(objects in prop::collection::vec(object(), 0..24)) {
        let whole = Whole::scratch(&Resources::of(classes().iter().chain(&objects)));
        for host in whole.hosts.values().filter_map(|(host, _)| host.as_ref()) {
            prop_assert!(host.tls != HostTls::Default, "the default certificate is never shown: {host:?}");
        }
    }
}

#[test]
fn a_route_alone_is_judged_where_only_some_objects_are_at_hand() {
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r", "namespace": "a"},
        "spec": {"parentRefs": [{"name": "one"}], "rules": [{"matches": [{"path": {"type": "RegularExpression", "value": "/("}}]}]},
    });
    let resources = Resources::of([&route]);
    let fields = |absent| {
        let options = Options { absent, ..Options::default() };
        let report = report(&resources, &options, &shared(), &Kind::HttpRoute.object_ref(&Name::new("a", "r"))).expect("a report");
        assert_eq!(report.status, Some(Status::Route(Vec::new())), "nobody's entry");
        report.problems.iter().map(|problem| problem.field.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(fields(Absent::NotOurs), ["spec.parentRefs[0].name"]);
    assert_eq!(fields(Absent::Ours), ["spec.parentRefs[0].name", "spec.rules[0].matches[0].path.value"]);
}

/// A class that leads elsewhere takes its Gateways out of the way of those that stay.
#[test]
fn a_class_that_changes_frees_the_ports_of_its_gateways() {
    let class = |name: &str, gateway: &str| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
            "metadata": {"name": name, "annotations": {"paifang.dev/gateway": gateway}},
            "spec": {"controllerName": "paifang.dev/gateway-controller"},
        })
    };
    let gateway = |name: &str, class: &str, created: &str, protocol: &str| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": name, "namespace": "b", "creationTimestamp": created},
            "spec": {"gatewayClassName": class, "listeners": [{"name": "it", "port": 8080, "protocol": protocol}]},
        })
    };
    let older = gateway("older", "leaves", "2026-01-01T00:00:00Z", "TCP");
    let younger = gateway("younger", "stays", "2026-01-02T00:00:00Z", "HTTP");
    let mut resources = Resources::of([&class("leaves", "project"), &class("stays", "project"), &older, &younger]);
    let mut whole = Whole::scratch(&resources);
    assert!(format!("{:?}", whole.reports).contains("PortUnavailable"), "the older has the port");
    let applied = resources.apply(Change::of(&class("leaves", "none")).expect("a change"));
    whole.change(&resources, &applied);
    assert!(!format!("{:?}", whole.reports).contains("PortUnavailable"), "nobody is in its way any more");
}

// === cost ===

fn many(count: usize) -> Resources {
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": "one", "namespace": "a"},
        "spec": {"gatewayClassName": "ours", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
    });
    let class = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "ours"},
        "spec": {"controllerName": "paifang.dev/gateway-controller"},
    });
    let mut resources = Resources::of([&gateway, &class]);
    for object in (0..count).map(|n| numbered(n, "web")) {
        resources.apply(Change::of(&object).expect("a change"));
    }
    resources
}

fn numbered(n: usize, service: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": format!("r{n}"), "namespace": "a"},
        "spec": {
            "parentRefs": [{"name": "one"}], "hostnames": [format!("host-{n}.test")],
            "rules": [{"backendRefs": [{"name": service, "port": 80}]}],
        },
    })
}

#[test]
fn one_edit_among_many_touches_one_host() {
    let mut resources = many(300);
    let Applied::Object { old, new } = resources.apply(Change::of(&numbered(7, "api")).expect("a change")) else { panic!("it changed") };
    let touch = touched(&resources, &Options::default(), &shared(), old.as_ref(), new.as_ref());
    let hosts: Vec<String> = touch.hosts.iter().map(|(gateway, port, host)| format!("{gateway} {port} {host}")).collect();
    assert_eq!(hosts, ["a/one 80 host-7.test"]);
    assert_eq!(touch.objects.len(), 1, "its Gateway has as many routes as before: {:?}", touch.objects);
}

// === goldens ===

fn below(folder: &std::path::Path, name: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            below(&entry, name, found);
        } else if entry.file_name().is_some_and(|it| it == name) {
            found.push(std::fs::read_to_string(&entry).expect("a text"));
        }
    }
}

#[test]
fn every_condition_is_in_some_golden_and_none_goes_unlisted() {
    let mut statuses = Vec::new();
    below(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"), "status.yaml", &mut statuses);
    assert!(statuses.len() >= 30, "{}", statuses.len());
    let said: std::collections::BTreeSet<&str> = statuses
        .iter()
        .flat_map(|status| status.lines())
        .filter_map(|line| line.trim().strip_prefix("- \"")?.split_once(':').map(|(condition, _)| condition))
        .filter(|condition| condition.contains("=True ") || condition.contains("=False "))
        .collect();
    let listed: std::collections::BTreeSet<&str> = CONDITIONS.iter().map(|(_, condition, _)| *condition).collect();
    assert_eq!(said, listed);
}

fn conditions(status: Option<Status>) -> Vec<(&'static str, Condition)> {
    let of = |whose, list: Vec<Condition>| list.into_iter().map(move |it| (whose, it));
    match status {
        Some(Status::Gateway(status)) => {
            let listeners = status.listeners.into_iter().flat_map(|it| of("listener", it.conditions));
            of("Gateway", status.conditions).chain(listeners).collect()
        }
        Some(Status::Route(parents)) => parents.into_iter().flat_map(|it| of("route", it.conditions)).collect(),
        Some(Status::Conditions(list) | Status::Class { conditions: list, .. }) => of("GatewayClass", list).collect(),
        Some(Status::Entrance(_)) | None => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn nothing_is_said_that_is_not_listed(objects in prop::collection::vec(object(), 8..24)) {
        let whole = Whole::scratch(&Resources::of(classes().iter().chain(&objects)));
        for report in whole.reports.into_values() {
            for (of, it) in conditions(report.status) {
                let said = format!("{}={} {}", it.kind, it.status.as_str(), it.reason);
                prop_assert!(CONDITIONS.iter().any(|(whose, condition, _)| (*whose, *condition) == (of, &*said)), "{of}: {said}");
            }
        }
    }
}

/// `PAIFANG_PRINT=1 cargo test -p translate-gateway-api page -- --nocapture` shows it.
#[test]
fn the_reference_page_names_every_condition_and_feature() {
    let page = reference_markdown();
    assert!(CONDITIONS.iter().all(|(of, _, when)| page.contains(&format!("| {of} |")) && page.contains(when)));
    assert!(features::FEATURES.iter().all(|feature| page.contains(&format!("* {feature}\n"))));
    if std::env::var_os("PAIFANG_PRINT").is_some() {
        println!("{page}");
    }
}
