//! Objects at random: of few names, so that they meet, and some of them broken.

use model::GatewayId;
use proptest::prelude::*;
use resources::{AddressForm, Change, HOST_ANNOTATION, HostTemplate, Name, Projects, Scope};
use serde_json::{Value, json};
use std::net::IpAddr;

/// One of a few, so that objects meet.
fn of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

pub(super) fn junk() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), of(&["", "/", "*.", "true", "always", "\u{0}", "%", "$1", "(?=a)b", "[", "\\1"])];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, {"path": 7}])),
    ]
}

fn path() -> impl Strategy<Value = Value> {
    let text = of(&[
        "/",
        "/foo",
        "/foo/",
        "/foo/bar",
        "/foo(/|$)(.*)",
        "/(?!x)y",
        "/broken(",
        "/a++",
        "/(?i)x",
        "/\\d{1,900}{9}",
        "/[[:word:]]",
        "/(?<n>a)\\k<n>",
        "",
        "no-slash",
        "/a b",
        "/f|/g",
    ]);
    let kind = of(&["Exact", "Prefix", "ImplementationSpecific"]);
    let service = of(&["web", "api", "wbe", "external"]);
    (text, kind, service, prop_oneof![Just(json!({"number": 80})), Just(json!({"name": "http"})), Just(json!({"number": 9}))]).prop_map(
        |(path, kind, service, port)| json!({"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": port}}}),
    )
}

fn annotations() -> impl Strategy<Value = Value> {
    let key = of(&[
        "use-regex",
        "rewrite-target",
        "canary",
        "canary-weight",
        "canary-by-header",
        "canary-by-cookie",
        "ssl-redirect",
        "service-upstream",
        "upstream-vhost",
        "backend-protocol",
        "auth-url",
        "server-snippet",
        "canary-by-header-pattern",
        "proxy-body-size",
        "typo",
    ]);
    let value = of(&["true", "false", "/x/$1", "/foo", "20", "x-canary", "maybe", "HTTPS", "deny all;", "(", ""]);
    prop::collection::vec((key, value), 0..4).prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(key, value)| (format!("nginx.ingress.kubernetes.io/{key}"), Value::from(value)));
        Value::Object(pairs.collect())
    })
}

pub(super) fn ingress() -> impl Strategy<Value = Value> {
    let host = prop_oneof![of(&["a.test", "b.test", "*.test", "", "A.test", "-bad-"]).prop_map(Value::from)];
    let rule = (host, prop::collection::vec(path(), 0..4)).prop_map(|(host, paths)| json!({"host": host, "http": {"paths": paths}}));
    let tls =
        prop_oneof![Just(json!([])), Just(json!([{"hosts": ["a.test"], "secretName": "tls"}])), Just(json!([{"secretName": "none"}]))];
    let default = prop_oneof![Just(Value::Null), Just(json!({"service": {"name": "web", "port": {"number": 80}}}))];
    let created = of(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]);
    let annotations = (annotations(), prop::bool::weighted(0.25), wish()).prop_map(|(mut annotations, istio, wish)| {
        if istio {
            annotations["kubernetes.io/ingress.class"] = "istio".into();
        }
        if let Some(wish) = wish {
            annotations[HOST_ANNOTATION] = wish.into();
        }
        annotations
    });
    let class = prop_oneof![3 => Just(Value::Null), 1 => Just(json!("named"))];
    let spec = (prop::collection::vec(rule, 0..3), tls, default, class);
    (of(&["one", "two", "three", "four"]), of(&["a", "b"]), created, annotations, spec).prop_map(
        |(name, namespace, created, annotations, (rules, tls, default, class))| {
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "metadata": {"name": name, "namespace": namespace, "creationTimestamp": created, "annotations": annotations},
                "spec": {"rules": rules, "tls": tls, "defaultBackend": default, "ingressClassName": class},
            })
        },
    )
}

/// Whether a host is to be generated.
fn wish() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![4 => Just(None), 3 => Just(Some("auto")), 1 => Just(Some("maybe"))]
}

/// Where a gateway is, and was.
fn template() -> impl Strategy<Value = Change> {
    let address = || prop::option::weighted(0.8, (1_u8..4).prop_map(|it| IpAddr::from([10, 0, 0, it])));
    let gateway = of(&["cluster", "project", "a/gw"]);
    (gateway, address(), address(), prop::bool::weighted(0.8)).prop_map(|(gateway, address, former, there)| {
        let (ingresses, projects, parents) = match &*gateway {
            "cluster" => (Some(Scope::Cluster), Projects::Many, [Name::new("a", "other"), Name::new("b", "gw")].into()),
            "project" => (Some(Scope::Namespace("b".into())), Projects::One, Default::default()),
            _ => (None, Projects::Many, [Name::new("a", "gw")].into()),
        };
        let form = AddressForm::Dotted;
        let template =
            HostTemplate { ingresses, parents, projects, form, suffix: "test".into(), address, former: former.into_iter().collect() };
        Change::Hosts { gateway: GatewayId::new(gateway), template: there.then_some(template) }
    })
}

/// A change of an object, or of where a gateway is.
pub(super) fn change() -> impl Strategy<Value = Change> {
    let of_object = (object(), any::<bool>(), any::<u64>(), junk()).prop_filter_map("no object", |(mut object, gone, way, junk)| {
        if way % 3 == 0 {
            mutate(&mut object["spec"], way, junk);
        }
        let Change::Object { kind, name, object } = Change::of(&object)? else { return None };
        Some(Change::Object { kind, name, object: object.filter(|_| !gone) })
    });
    prop_oneof![6 => of_object, 1 => template()]
}

fn service() -> impl Strategy<Value = Value> {
    let spec = prop_oneof![
        Just(json!({"ports": [{"name": "http", "port": 80}]})),
        Just(json!({"clusterIP": "10.96.0.1", "ports": [{"port": 80, "targetPort": 9}]})),
        Just(json!({"type": "ExternalName", "externalName": "web.test"})),
        Just(json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}, {"port": 80, "protocol": "UDP", "name": "u"}]})),
        Just(
            json!({"type": "LoadBalancer", "sessionAffinity": "ClientIP", "ports": [{"port": 53, "protocol": "UDP"}, {"port": 9, "protocol": "SCTP"}]})
        ),
        Just(json!({"externalIPs": ["10.0.0.1"], "ports": [{"port": 81, "name": "http"}]})),
    ];
    (of(&["web", "api", "external"]), of(&["a", "b"]), spec).prop_map(|(name, namespace, spec)| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    })
}

fn meta(name: String, namespace: String, created: String) -> Value {
    json!({"name": name, "namespace": namespace, "creationTimestamp": created})
}

fn created() -> impl Strategy<Value = String> {
    of(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"])
}

/// Names that Gateway API's and Istio's objects share, so that they meet.
fn deep_host() -> impl Strategy<Value = String> {
    of(&["a.test", "b.test", "*.test", "*.a.test", "*", "x.a.test", "-bad-"])
}

fn class() -> impl Strategy<Value = Value> {
    let controller = of(&["istio.io/gateway-controller", "paifang.dev/gateway-controller", "others.example/controller"]);
    let request = of(&["a", "b", "kubesphere-system"])
        .prop_map(|namespace| json!({"group": "paifang.dev", "kind": "IngressGateway", "name": "one", "namespace": namespace}));
    let parameters = prop_oneof![2 => Just(Value::Null), 1 => request];
    (of(&["istio", "paifang"]), controller, parameters).prop_map(|(name, controller, parameters)| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": name},
            "spec": {"controllerName": controller, "parametersRef": parameters},
        })
    })
}

fn listener() -> impl Strategy<Value = Value> {
    let from = prop_oneof![
        Just(json!({"from": "Same"})),
        Just(json!({"from": "All"})),
        Just(json!({"from": "Selector", "selector": {"matchLabels": {"team": "x"}}})),
    ];
    let host = prop_oneof![2 => Just(Value::Null), 3 => deep_host().prop_map(Value::from)];
    let protocol = of(&["HTTP", "HTTP", "HTTPS", "TLS", "TCP", "UDP"]);
    let tls = prop_oneof![
        Just(Value::Null),
        Just(json!({"certificateRefs": [{"name": "tls"}]})),
        Just(json!({"certificateRefs": [{"name": "tls", "namespace": "b"}]})),
        Just(json!({"mode": "Passthrough"})),
    ];
    let port = prop::sample::select(&[80_u16, 443, 8080][..]);
    (of(&["one", "two", "three"]), port, protocol, host, from, tls).prop_map(|(name, port, protocol, host, from, tls)| {
        json!({"name": name, "port": port, "protocol": protocol, "hostname": host, "allowedRoutes": {"namespaces": from}, "tls": tls})
    })
}

fn gateway() -> impl Strategy<Value = Value> {
    let address = prop_oneof![
        4 => Just(Value::Null),
        2 => Just(json!([{"type": "Hostname", "value": "istio-ingressgateway.istio-system.svc.cluster.local"}])),
        1 => Just(json!([{"type": "IPAddress", "value": "127.0.0.9"}])),
        1 => Just(json!([{"type": "Hostname", "value": "gw-istio"}])),
    ];
    let listeners = prop::collection::vec(listener(), 0..4);
    (of(&["gw", "other"]), of(&["a", "b"]), created(), of(&["istio", "paifang", "none"]), address, listeners).prop_map(
        |(name, namespace, created, class, addresses, listeners)| {
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": meta(name, namespace, created),
                "spec": {"gatewayClassName": class, "listeners": listeners, "addresses": addresses},
            })
        },
    )
}

fn backend_ref() -> impl Strategy<Value = Value> {
    let namespace = prop_oneof![2 => Just(Value::Null), 1 => of(&["a", "b"]).prop_map(Value::from)];
    (of(&["web", "api", "wbe"]), namespace, prop_oneof![Just(json!(80)), Just(json!(9)), Just(Value::Null)], 0_u8..3)
        .prop_map(|(name, namespace, port, weight)| json!({"name": name, "namespace": namespace, "port": port, "weight": weight}))
}

fn http_route() -> impl Strategy<Value = Value> {
    let section = prop_oneof![2 => Just(Value::Null), 1 => of(&["one", "two", "nine"]).prop_map(Value::from)];
    let namespace = prop_oneof![2 => Just(Value::Null), 1 => of(&["a", "b"]).prop_map(Value::from)];
    let parent = (of(&["gw", "other", "absent"]), namespace, section)
        .prop_map(|(name, namespace, section)| json!({"name": name, "namespace": namespace, "sectionName": section}));
    let matching = (of(&["Exact", "PathPrefix", "RegularExpression"]), of(&["/", "/foo", "/foo/bar", "/(", "x"]))
        .prop_map(|(kind, value)| json!([{"path": {"type": kind, "value": value}}]));
    let filter = prop_oneof![
        3 => Just(json!([])),
        1 => Just(json!([{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "api", "port": 80}}}])),
        1 => Just(json!([{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}])),
        1 => Just(json!([{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/z"}}}])),
        1 => Just(json!([{"type": "ExtensionRef", "extensionRef": {"group": "x", "kind": "Y", "name": "z"}}])),
    ];
    let rule = (matching, filter, prop::collection::vec(backend_ref(), 0..3))
        .prop_map(|(matches, filters, backends)| json!({"matches": matches, "filters": filters, "backendRefs": backends}));
    let hosts = prop::collection::vec(deep_host(), 0..3);
    let (parents, rules) = (prop::collection::vec(parent, 0..3), prop::collection::vec(rule, 0..3));
    (of(&["one", "two", "three"]), of(&["a", "b"]), (created(), wish()), parents, hosts, rules).prop_map(
        |(name, namespace, (created, wish), parents, hosts, rules)| {
            let mut metadata = meta(name, namespace, created);
            if let Some(wish) = wish {
                metadata["annotations"] = json!({ HOST_ANNOTATION: wish });
            }
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata,
                "spec": {"parentRefs": parents, "hostnames": hosts, "rules": rules},
            })
        },
    )
}

fn stream_route() -> impl Strategy<Value = Value> {
    (of(&["TCPRoute", "TLSRoute"]), of(&["one", "two"]), of(&["a", "b"]), created(), of(&["gw", "other"]), deep_host(), backend_ref())
        .prop_map(|(kind, name, namespace, created, parent, host, backend)| {
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": meta(name, namespace, created),
                "spec": {"parentRefs": [{"name": parent}], "hostnames": [host], "rules": [{"backendRefs": [backend]}]},
            })
        })
}

fn grant() -> impl Strategy<Value = Value> {
    let kinds = (of(&["Gateway", "HTTPRoute", "TCPRoute"]), of(&["Secret", "Service"]));
    (of(&["a", "b"]), of(&["a", "b"]), kinds).prop_map(|(namespace, from, (kind, to))| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "ReferenceGrant", "metadata": {"name": "grant", "namespace": namespace},
            "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": from}], "to": [{"group": "", "kind": to}]},
        })
    })
}

fn istio_gateway() -> impl Strategy<Value = Value> {
    let tls = prop_oneof![
        Just(Value::Null),
        Just(json!({"mode": "SIMPLE", "credentialName": "tls"})),
        Just(json!({"mode": "MUTUAL", "credentialName": "tls"})),
        Just(json!({"mode": "PASSTHROUGH"})),
        Just(json!({"httpsRedirect": true})),
    ];
    let port = prop::sample::select(&[80_u16, 443, 8080, 31400][..]);
    let host = (of(&["", "./", "a/", "*/"]), deep_host()).prop_map(|(namespace, host)| format!("{namespace}{host}"));
    let server = (port, of(&["HTTP", "HTTPS", "TLS", "TCP", "GRPC"]), prop::collection::vec(host, 1..3), tls).prop_map(
        |(number, protocol, hosts, tls)| json!({"port": {"number": number, "name": format!("p{number}"), "protocol": protocol}, "hosts": hosts, "tls": tls}),
    );
    let selector = prop_oneof![4 => Just(json!({"istio": "ingressgateway"})), 1 => Just(Value::Null), 1 => Just(json!({"istio": "none"}))];
    (of(&["gw", "edge"]), of(&["a", "b"]), created(), selector, prop::collection::vec(server, 0..3)).prop_map(
        |(name, namespace, created, selector, servers)| {
            json!({
                "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": meta(name, namespace, created),
                "spec": {"selector": selector, "servers": servers},
            })
        },
    )
}

fn virtual_service() -> impl Strategy<Value = Value> {
    let uri = prop_oneof![
        Just(Value::Null),
        Just(json!([{"uri": {"prefix": "/"}}])),
        Just(json!([{"uri": {"prefix": "/foo"}}, {"uri": {"exact": "/bar"}}])),
        Just(json!([{"uri": {"regex": ".*"}}])),
        Just(json!([{"uri": {"regex": "("}}])),
        Just(json!([{"headers": {"x": {"exact": "y"}}, "port": 80}])),
    ];
    let subset = prop_oneof![Just(Value::Null), of(&["v1", "v2"]).prop_map(Value::from)];
    let destination = (of(&["web", "api.a.svc.cluster.local", "wbe", "api"]), subset)
        .prop_map(|(host, subset)| json!({"destination": {"host": host, "subset": subset}, "weight": 50}));
    let action = prop_oneof![
        4 => prop::collection::vec(destination, 0..3).prop_map(|route| json!({"route": route})),
        1 => Just(json!({"redirect": {"uri": "/z"}})),
        1 => Just(json!({"delegate": {"name": "part", "namespace": "a"}})),
        1 => Just(json!({"directResponse": {"status": 418}})),
    ];
    let rule = (uri, action).prop_map(|(matching, mut rule)| {
        rule["match"] = matching;
        rule
    });
    let gateways = prop::collection::vec(of(&["gw", "edge", "a/gw", "mesh", "absent"]), 0..3);
    let tcp = prop_oneof![
        3 => Just(Value::Null),
        1 => Just(json!([{"match": [{"port": 31400}], "route": [{"destination": {"host": "web", "port": {"number": 80}}}]}])),
    ];
    let tls = prop_oneof![
        3 => Just(Value::Null),
        1 => Just(json!([{"match": [{"port": 443, "sniHosts": ["a.test"]}], "route": [{"destination": {"host": "api"}}]}])),
    ];
    let export = prop_oneof![3 => Just(Value::Null), 1 => Just(json!(["."])), 1 => Just(json!(["istio-system"]))];
    let parts = (gateways, prop::collection::vec(deep_host(), 0..3), prop::collection::vec(rule, 0..3), tcp, tls, export);
    (of(&["one", "two", "part"]), of(&["a", "b"]), created(), parts).prop_map(
        |(name, namespace, created, (gateways, hosts, http, tcp, tls, export))| {
            let hosts = if name == "part" { Value::Null } else { json!(hosts) };
            json!({
                "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": meta(name, namespace, created),
                "spec": {"hosts": hosts, "gateways": gateways, "http": http, "tcp": tcp, "tls": tls, "exportTo": export},
            })
        },
    )
}

fn destination_rule() -> impl Strategy<Value = Value> {
    let policy = prop_oneof![
        Just(Value::Null),
        Just(json!({"loadBalancer": {"simple": "RANDOM"}})),
        Just(json!({"tls": {"mode": "SIMPLE"}})),
        Just(json!({"connectionPool": {"tcp": {"maxConnections": 3}}})),
    ];
    let namespace = of(&["a", "b", "istio-system"]);
    (of(&["one", "two"]), namespace, created(), of(&["web", "api.a.svc.cluster.local", "*"]), policy).prop_map(
        |(name, namespace, created, host, policy)| {
            json!({
                "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": meta(name, namespace, created),
                "spec": {"host": host, "trafficPolicy": policy, "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
            })
        },
    )
}

fn cluster_object() -> impl Strategy<Value = Value> {
    let workspace =
        prop_oneof![Just(json!({})), Just(json!({"kubesphere.io/workspace": "w"})), Just(json!({"kubesphere.io/workspace": "v"}))];
    let namespace = (of(&["a", "b"]), of(&["x", "y"]), workspace).prop_map(|(name, team, mut labels)| {
        labels["team"] = team.into();
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    });
    let pod = (of(&["p", "q"]), of(&["v1", "v2"])).prop_map(|(name, version)| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "a", "labels": {"version": version}}})
    });
    prop_oneof![namespace, pod, class()]
}

/// A gateway that somebody asks for, and a class that means it.
fn request() -> impl Strategy<Value = Value> {
    let scope = prop_oneof![
        3 => Just(json!({"scope": "Project"})),
        1 => Just(json!({"scope": "Cluster"})),
        1 => Just(json!({"scope": "Workspace", "workspace": "w"})),
        1 => Just(json!({})),
    ];
    let config = prop_oneof![Just(json!({})), Just(json!({"proxy-body-size": "2m"})), Just(json!({"block-cidrs": "x", "typo": ""}))];
    let labels = prop_oneof![Just(json!({})), Just(json!({"istio": "ingressgateway"}))];
    let request = (of(&["one", "two"]), of(&["a", "b", "c", "kubesphere-system"]), created(), scope, config, labels).prop_map(
        |(name, namespace, created, mut spec, config, labels)| {
            spec["config"] = config;
            spec["labels"] = labels;
            json!({
                "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": meta(name, namespace, created), "spec": spec,
            })
        },
    );
    let class = (of(&["istio", "named"]), of(&["a", "b", "kubesphere-system"])).prop_map(|(name, namespace)| {
        let parameters = json!({"apiGroup": "paifang.dev", "kind": "IngressGateway", "name": "one", "namespace": namespace});
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
            "spec": {"controller": "paifang.dev/ingress-controller", "parameters": parameters},
        })
    });
    let of_kubesphere = (of(&["a", "kubesphere-controls-system"]), created(), of(&["a", "b", "c"])).prop_map(|(namespace, created, project)| {
        let spec = json!({"controller": {"scope": {"enabled": true, "namespace": project}}, "service": {"type": "NodePort"}});
        json!({
            "apiVersion": "gateway.kubesphere.io/v1alpha1", "kind": "Gateway", "metadata": meta("one".into(), namespace, created), "spec": spec,
        })
    });
    prop_oneof![4 => request, 1 => class, 1 => of_kubesphere]
}

pub(super) fn object() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => request(),
        4 => of_ingress(),
        2 => cluster_object(),
        3 => gateway(),
        4 => http_route(),
        2 => stream_route(),
        1 => grant(),
        3 => istio_gateway(),
        4 => virtual_service(),
        2 => destination_rule(),
    ]
}

pub(super) fn of_ingress() -> impl Strategy<Value = Value> {
    let secret = of(&["a", "b", "istio-system"]).prop_map(|namespace| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls", "namespace": namespace}, "type": "kubernetes.io/tls"})
    });
    prop_oneof![6 => ingress(), 3 => service(), 1 => secret]
}

/// Where to put something else in an object.
pub(super) fn mutate(value: &mut Value, mut way: u64, junk: Value) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let at = usize::try_from(way % map.len() as u64).expect("an index");
            way /= 7;
            if let Some((_, inner)) = map.iter_mut().nth(at) {
                if way == 0 { *inner = junk } else { mutate(inner, way, junk) }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let at = usize::try_from(way % items.len() as u64).expect("an index");
            way /= 7;
            if way == 0 { items[at] = junk } else { mutate(&mut items[at], way, junk) }
        }
        other => *other = junk,
    }
}
