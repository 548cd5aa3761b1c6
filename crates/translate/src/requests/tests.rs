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
