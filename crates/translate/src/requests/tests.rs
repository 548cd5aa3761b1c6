use super::*;
use crate::{Part, translate};
use model::{HostPattern, Hostname};
use serde_json::{Value, json};

const OWN: &str = "kubesphere-controls-system/kubesphere-router-";

fn options() -> Options {
    Options::new(GatewayId::new(format!("{OWN}kubesphere-system")))
}

fn project(name: &str, workspace: Option<&str>) -> Value {
    let labels = workspace.map_or(json!({}), |it| json!({ "kubesphere.io/workspace": it }));
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } })
}

fn request(namespace: &str, name: &str, created: &str, spec: &Value) -> Value {
    let metadata = json!({ "namespace": namespace, "name": name, "uid": name, "creationTimestamp": created });
    json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": metadata, "spec": spec })
}

fn class(name: &str, controller: &str, of: Option<(&str, &str)>) -> Value {
    let mut class = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": { "name": name }, "spec": { "controller": controller },
    });
    if let Some((namespace, name)) = of {
        class["spec"]["parameters"] = json!({ "apiGroup": "paifang.dev", "kind": "IngressGateway", "namespace": namespace, "name": name });
    }
    class
}

fn ingress(namespace: &str, name: &str, created: &str, class: Option<&str>) -> Value {
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } });
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": { "namespace": namespace, "name": name, "uid": name, "creationTimestamp": created },
        "spec": { "ingressClassName": class, "rules": [{ "host": "a.test", "http": { "paths": [path] } }] },
    })
}

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-02T00:00:00Z";
const OURS: &str = "paifang.dev/ingress-controller";

/// Which gateways have it, without what all their names begin with; and the reasons of what is wrong.
fn served(objects: &[Value], namespace: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let translation = translate(&Resources::of(objects), &options());
    let Some(report) = translation.reports.get(&ObjectRef::new("Ingress", namespace, name)) else { return (Vec::new(), Vec::new()) };
    let gateways = report.gateways.iter().map(|it| it.as_str().trim_start_matches(OWN).to_owned()).collect();
    let of_service = |cause: Cause| matches!(cause, Cause::ServiceNotFound);
    let reasons = report.problems.iter().filter(|it| !of_service(it.reason)).map(|it| it.reason.to_string()).collect();
    (gateways, reasons)
}

/// Every class, every gateway that there may be, each of them there and not: who serves an Ingress of project `p` in workspace `w`.
#[test]
fn an_ingress_goes_to_one_gateway_and_which_is_said_by_its_class_and_by_what_is_enabled() {
    let own = request("p", "own", EARLY, &json!({}));
    let workspace = request(PLATFORM, "ws", EARLY, &json!({ "scope": "Workspace", "workspace": "w" }));
    let everybody = request(PLATFORM, "all", EARLY, &json!({ "scope": "Cluster" }));
    let other = request("q", "other", EARLY, &json!({}));
    let classes = [
        class("plain", OURS, None),
        class("of-own", OURS, Some(("p", "own"))),
        class("of-ws", OURS, Some((PLATFORM, "ws"))),
        class("of-all", OURS, Some((PLATFORM, "all"))),
        class("of-other", OURS, Some(("q", "other"))),
        class("traefik", "traefik.io/ingress-controller", None),
    ];
    for enabled in 0..8_u32 {
        let [with_own, with_ws, with_all] = [1, 2, 4].map(|bit| enabled & bit != 0);
        let mut objects = vec![project("p", Some("w")), project("q", Some("v")), other.clone()];
        objects.extend(classes.clone());
        objects
            .extend([(with_own, &own), (with_ws, &workspace), (with_all, &everybody)].into_iter().filter(|it| it.0).map(|it| it.1.clone()));
        let home = if with_own {
            "p"
        } else if with_ws {
            "workspace-w"
        } else {
            "kubesphere-system"
        };
        let named = |there: bool, gateway: &'static str| if there { (vec![gateway], vec![]) } else { (vec![], vec!["ClassNotFound"]) };
        let expect = [
            (None, (vec![home], vec![])),
            (Some("plain"), (vec![home], vec![])),
            (Some("of-own"), named(with_own, "p")),
            (Some("of-ws"), named(with_ws, "workspace-w")),
            (Some("of-all"), named(with_all, "kubesphere-system")),
            (Some("of-other"), (vec![], vec!["ScopeNotAllowed"])),
            // Somebody else's: never said to be unserved.
            (Some("traefik"), (vec![], vec![])),
        ];
        for (class, (gateways, reasons)) in expect {
            let mut objects = objects.clone();
            objects.push(ingress("p", "web", EARLY, class));
            let (found, said) = served(&objects, "p", "web");
            assert_eq!(
                (found, said),
                (gateways.iter().map(ToString::to_string).collect(), reasons.iter().map(ToString::to_string).collect()),
                "{class:?} {enabled:b}"
            );
        }
    }
}

#[test]
fn of_two_requests_for_one_gateway_the_older_has_it_and_requests_are_made_where_they_may() {
    let said = |objects: &[Value], namespace: &str, name: &str| {
        let translation = translate(&Resources::of(objects), &options());
        let report = translation.reports.get(&ObjectRef::new("IngressGateway", namespace, name)).expect("it is spoken of");
        let Some(Status::Entrance(conditions)) = report.status else { panic!("a status") };
        let accepted = conditions.into_iter().find(|it| it.kind == *"Accepted").expect("a condition");
        (accepted.reason.to_string(), accepted.message.to_string())
    };
    let two = [request("p", "a-second", LATE, &json!({})), request("p", "first", EARLY, &json!({}))];
    assert_eq!(said(&two, "p", "first").0, "Accepted");
    let (reason, message) = said(&two, "p", "a-second");
    assert_eq!(reason, "Conflict");
    assert!(message.contains("p/first"), "{message}");
    let wide = |namespace: &str| request(namespace, "wide", EARLY, &json!({ "scope": "Cluster" }));
    assert_eq!(said(&[wide("p")], "p", "wide").0, "ScopeNotAllowed");
    assert_eq!(said(&[wide(PLATFORM)], PLATFORM, "wide").0, "Accepted");
    assert_eq!(said(&[request(PLATFORM, "own", EARLY, &json!({}))], PLATFORM, "own").0, "ScopeNotAllowed");
    assert_eq!(said(&[request("p", "odd", EARLY, &json!({ "scope": "Workspace" }))], "p", "odd").0, "Invalid");
}

#[test]
fn a_host_that_two_projects_want_is_the_older_s_and_others_share_it() {
    let objects = |first: Option<&str>, second: Option<&str>| {
        vec![project("p", first), project("q", second), ingress("p", "old", EARLY, None), ingress("q", "new", LATE, None)]
    };
    let of = |objects: &[Value], namespace: &str, name: &str| served(objects, namespace, name);
    let everybody = || vec!["kubesphere-system".to_owned()];
    let taken = objects(Some("w"), Some("v"));
    assert_eq!(of(&taken, "p", "old"), (everybody(), vec![]));
    assert_eq!(of(&taken, "q", "new"), (vec![], vec!["HostTaken".to_owned()]));
    let of_one = objects(Some("w"), Some("w"));
    assert_eq!(of(&of_one, "q", "new").1, ["HostTaken"], "two projects of one workspace are two");
    for (first, second) in [(None, None), (Some("w"), None), (None, Some("w"))] {
        let shared = objects(first, second);
        assert_eq!(of(&shared, "q", "new").1, ["DuplicatePath"], "{first:?} {second:?}");
    }
    let mut more = taken.clone();
    more.push(ingress("p", "newest", "2026-01-03T00:00:00Z", None));
    assert_eq!(of(&more, "q", "new").1, ["HostTaken"], "a project has a host since the first of its objects");
    let mut apart = taken.clone();
    apart.push(request("q", "own", LATE, &json!({})));
    assert_eq!(of(&apart, "q", "new"), (vec!["q".to_owned()], vec![]), "on its own gateway it has what it wants");
}

#[test]
fn a_generated_host_is_that_of_the_project_it_is_made_for() {
    let generated = "web.q.10.0.0.1.nip.io";
    let mut written = ingress("p", "early", EARLY, None);
    written["spec"]["rules"][0]["host"] = generated.into();
    let mut auto = ingress("q", "late", LATE, None);
    auto["metadata"]["annotations"] = json!({ resources::HOST_ANNOTATION: "auto" });
    auto["spec"]["rules"][0]["host"] = Value::Null;
    let template = resources::HostTemplate {
        ingresses: Some(Scope::Cluster),
        parents: BTreeSet::new(),
        projects: resources::Projects::Many,
        form: resources::AddressForm::Dotted,
        suffix: "nip.io".into(),
        address: Some([10, 0, 0, 1].into()),
        former: Vec::new(),
    };
    let gateway = options().gateways[0].id.clone();
    let told = |objects: &[Value], namespace: &str, name: &str| {
        let mut resources = Resources::of(objects);
        resources.apply(resources::Change::Hosts { gateway: gateway.clone(), template: Some(template.clone()) });
        let translation = translate(&resources, &options());
        let report = translation.reports.get(&ObjectRef::new("Ingress", namespace, name)).expect("it is spoken of");
        let taken = report.problems.iter().find(|it| it.reason == Cause::HostTaken).map(|it| it.message.to_string());
        (report.hosts.len(), taken)
    };
    let both = [project("p", Some("w")), project("q", Some("v")), written.clone(), auto.clone()];
    assert_eq!(told(&both, "q", "late"), (1, None), "the younger has what is made for it");
    let (hosts, taken) = told(&both, "p", "early");
    assert_eq!(hosts, 0);
    let taken = taken.expect("the older is told");
    assert!(taken.contains("project `q`") && taken.contains("generated for its Ingress q/late"), "{taken}");
    let alone = [project("p", Some("w")), project("q", Some("v")), written.clone()];
    assert_eq!(told(&alone, "p", "early"), (1, None), "while nobody else wants it, it may be written");
    let plain = [project("p", None), project("q", Some("v")), written, auto];
    assert_eq!(told(&plain, "q", "late").1, None);
    assert_eq!(told(&plain, "p", "early").1, None, "who is no project shares by path");
}

#[test]
fn a_host_is_whose_it_is_whatever_the_api() {
    let gateway = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": { "namespace": "p", "name": "g" },
        "spec": {
            "gatewayClassName": "ours", "addresses": [{ "type": "Hostname", "value": "shared.system.svc.cluster.local" }],
            "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }],
        },
    });
    let class = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": { "name": "ours" },
        "spec": { "controllerName": "paifang.dev/gateway-controller" },
    });
    let route = |created: &str| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": { "namespace": "p", "name": "r", "uid": "r", "creationTimestamp": created },
            "spec": { "parentRefs": [{ "name": "g" }], "hostnames": ["a.test"], "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }] },
        })
    };
    let mut options = options();
    options.gateways[0].services = vec![Name::new("system", "shared")];
    let owners = |created: &str, port: Option<u16>| {
        let objects = [
            gateway.clone(),
            class.clone(),
            route(created),
            project("p", Some("w")),
            project("q", Some("v")),
            ingress("q", "i", "2026-01-02T00:00:00Z", None),
        ];
        let translation = translate(&Resources::of(&objects), &options);
        let host = HostPattern::Exact(Hostname::parse("a.test").expect("a name"));
        let key = model::ShardKey { gateway: options.gateways[0].id.clone(), port, host };
        let shard = translation.shards.get(&key);
        let kinds: BTreeSet<String> =
            shard.into_iter().flat_map(|it| &it.host.routes).map(|it| it.source.object.kind.to_string()).collect();
        let told = translation
            .reports
            .parts(&ObjectRef::new("HTTPRoute", "p", "r"))
            .any(|(part, report)| matches!(part, Part::Shard(_)) && report.problems.iter().any(|it| it.reason == Cause::Conflict));
        (kinds, told)
    };
    let only = |kind: &str| BTreeSet::from([kind.to_owned()]);
    assert_eq!(owners(EARLY, Some(80)), (only("HTTPRoute"), false));
    assert_eq!(owners(EARLY, None), (BTreeSet::new(), false), "nor does the younger have it over TLS");
    assert_eq!(owners("2026-01-03T00:00:00Z", None), (only("Ingress"), true));
    assert_eq!(owners("2026-01-03T00:00:00Z", Some(80)), (BTreeSet::new(), true), "the shard of all ports serves it");
}

#[test]
fn names_of_workloads_are_names_of_services() {
    let naming = Naming::default();
    let of = |namespace: &str| {
        let value = request(namespace, "own", EARLY, &json!({}));
        let request = IngressGateway::read(Name::new(namespace, "own"), &value);
        naming.workload(&request).expect("a name").name.to_string()
    };
    assert_eq!(of("demo-project"), "kubesphere-router-demo-project");
    let (one, other) = (of(&"a".repeat(63)), of(&format!("{}b", "a".repeat(62))));
    assert!(one != other && one.len() <= 63 && other.len() <= 63, "{one} {other}");
}

#[test]
fn kubesphere_s_request_is_read_as_the_same() {
    let gateway = |namespace: &str, project: &str| {
        let controller = json!({ "scope": { "enabled": true, "namespace": project } });
        json!({
            "apiVersion": "gateway.kubesphere.io/v1alpha1", "kind": "Gateway",
            "metadata": { "namespace": namespace, "name": format!("kubesphere-router-{project}"), "creationTimestamp": LATE },
            "spec": { "controller": controller, "service": { "type": "NodePort" } },
        })
    };
    let reason = |objects: &[Value], namespace: &str| {
        let translation = translate(&Resources::of(objects), &options());
        let report = translation.reports.get(&ObjectRef::new("Gateway.gateway.kubesphere.io", namespace, "kubesphere-router-p"))?;
        let Some(Status::Entrance(conditions)) = report.status else { return None };
        conditions.first().map(|it| it.reason.to_string())
    };
    let there = [project("p", Some("w")), ingress("p", "web", EARLY, None), gateway("kubesphere-controls-system", "p")];
    assert_eq!(served(&there, "p", "web"), (vec!["p".to_owned()], vec![]));
    assert_eq!(reason(&there, "kubesphere-controls-system").as_deref(), Some("Accepted"));
    assert_eq!(reason(&[gateway("q", "p")], "q").as_deref(), Some("ScopeNotAllowed"), "no project asks for another's");
    let two = [request("p", "own", EARLY, &json!({})), gateway("kubesphere-controls-system", "p")];
    assert_eq!(reason(&two, "kubesphere-controls-system").as_deref(), Some("Conflict"));
}

#[test]
fn ports_are_passed_on_to_services_that_a_gateway_may_name() {
    let service = |namespace: &str, port: Value| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": namespace, "name": "db" },
            "spec": { "clusterIP": "10.96.0.9", "ports": [port] },
        })
    };
    let here = service("p", json!({ "name": "sql", "port": 5432, "protocol": "TCP" }));
    let dns = service("q", json!({ "port": 53, "protocol": "UDP" }));
    // Where each port of the gateway leads, its protocol, and what is said of the rest.
    let of = |namespace: &str, spec: Value| {
        let objects = [project("p", Some("w")), project("q", Some("v")), here.clone(), dns.clone(), request(namespace, "g", EARLY, &spec)];
        let resources = Resources::of(&objects);
        let translation = translate(&resources, &options());
        let led = translation.shards.iter().map(|(key, shard)| {
            let tunnel = shard.host.tunnel.as_ref().or(shard.host.datagrams.as_ref()).expect("somewhere");
            let backend = tunnel.backends[0].backend.as_ref().expect("a backend").id.to_string();
            (key.port.expect("a port"), backend)
        });
        let led: Vec<(u16, String)> = led.collect();
        let gateway = translation.shards.keys().next().and_then(|it| translation.listening.gateways.get(&it.gateway));
        let ports = gateway.iter().flat_map(|it| &it.ports).filter(|(port, _)| ![80, 443].contains(*port));
        let ports: Vec<String> = ports.map(|(port, it)| format!("{port} {:?}", it.protocol)).collect();
        let report = translation.reports.get(&ObjectRef::new("IngressGateway", namespace, "g")).expect("it is spoken of");
        let Some(Status::Entrance(conditions)) = &report.status else { panic!("a status") };
        let said = conditions.iter().find(|it| it.kind == *"PortsIgnored").map(|it| it.reason.to_string());
        (led, ports, said)
    };
    let none = || (vec![], vec![]);
    let with = |(led, ports): (Vec<(u16, String)>, Vec<String>), said: Option<&str>| (led, ports, said.map(str::to_owned));
    let sql = || (vec![(9000, "p/db:5432".to_owned())], vec!["9000 Tcp".to_owned()]);
    for value in ["p/db:5432", "p/db:sql", "db:5432"] {
        assert_eq!(of("p", json!({ "tcp": { "9000": value } })), with(sql(), None), "{value}");
    }
    let both = (vec![(53, "q/db:53/udp".to_owned()), (9000, "p/db:5432".to_owned())], vec!["53 Udp".to_owned(), "9000 Tcp".to_owned()]);
    let maps = json!({ "scope": "Cluster", "tcp": { "9000": "p/db:5432" }, "udp": { "53": "q/db:53" } });
    assert_eq!(of(PLATFORM, maps), with(both, None), "the platform's admin may name any namespace");
    for (map, value, said) in [
        ("tcp", "q/db:53", "ScopeNotAllowed"),
        ("tcp", "p/nobody:5432", "ServiceNotFound"),
        ("tcp", "p/db:99", "PortNotFound"),
        ("udp", "p/db:5432", "PortNotFound"),
        ("tcp", "p/db:5432:PROXY", "Unsupported"),
        ("tcp", "p/db", "InvalidValue"),
        ("tcp", "p/db:0", "InvalidValue"),
        ("tcp", "/:1", "InvalidValue"),
    ] {
        assert_eq!(of("p", json!({ map: { "9000": value } })), with(none(), Some(said)), "{map} {value}");
    }
    assert_eq!(of("p", json!({ "tcp": { "x": "p/db:5432" } })), with(none(), Some("InvalidValue")));
    assert_eq!(of("p", json!({ "tcp": { "80": "p/db:5432" } })), with(none(), None), "its own port is told of elsewhere");
    let twice = json!({ "tcp": { "9000": "p/db:5432" }, "udp": { "9000": "p/db:5432" } });
    assert_eq!(of("p", twice), with(sql(), Some("Conflict")));
}

#[test]
fn a_port_that_is_passed_on_follows_its_service_and_its_gateway() {
    let gateway =
        |port: &str| request("p", "g", EARLY, &json!({ "tcp": { port: "p/db:5432" }, "config": { "default-backend-service": "p/db" } }));
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "namespace": "p", "name": "db" },
        "spec": { "clusterIP": "10.96.0.9", "ports": [{ "port": 5432 }] },
    });
    let mut resources = Resources::of(&[project("p", Some("w")), gateway("9000"), ingress("p", "web", EARLY, None)]);
    let mut options = options().with_gateways(&resources);
    let mut apply = |object: &Value| {
        let applied = resources.apply(resources::Change::of(object).expect("a change"));
        crate::touched(&resources, &mut options, &applied)
    };
    let touched = apply(&service);
    let shards: Vec<String> = touched.shards.iter().map(ToString::to_string).collect();
    assert!(shards.iter().any(|it| it.contains(":9000")) && shards.iter().any(|it| it.contains("a.test")), "{shards:?}");
    assert!(touched.objects.contains(&ObjectRef::new("IngressGateway", "p", "g")));
    let touched = apply(&gateway("9001"));
    let ports: Vec<Option<u16>> = touched.shards.iter().map(|it| it.port).filter(|it| it.is_some_and(|it| it > 9000 - 1)).collect();
    assert_eq!(ports, [Some(9000), Some(9001)]);
    assert!(touched.listening);
}
