//! Properties of the whole: no input panics, no order matters, incremental equals from scratch, and a broken object costs itself alone.

mod objects;

use self::objects::{change, ingress, junk, mutate, object, of_ingress};
use super::*;
use crate::{InUse, Services, touched};
use model::{Action, GatewayId, Route, Update};
use proptest::prelude::*;
use resources::{AddressForm, Change, HOST_ANNOTATION, HostTemplate, Kind, Name, Projects, Scope, SharedGateway, Status};
use route::Snapshot;
use serde_json::{Value, json};

fn options() -> Options {
    let mut options = Options::new(GatewayId::new("cluster"));
    options.gateways[0].labels = [("istio".into(), "ingressgateway".into())].into();
    options.gateways[0].namespace = "istio-system".into();
    options.gateways[0].services = vec![Name::new("istio-system", "istio-ingressgateway")];
    let project = SharedGateway { scope: Scope::Namespace("b".into()), ..SharedGateway::new(GatewayId::new("project")) };
    options.gateways.push(project);
    options.services = Services::Forwarded;
    options
}

/// The later of two objects of one name is the one that is there.
fn last_of_each(objects: &[Value]) -> Vec<Value> {
    let key = |object: &Value| (Kind::of(object), Name::of(object, false));
    let later = |at: usize, object: &Value| objects[at + 1..].iter().any(|it| key(it) == key(object));
    objects.iter().enumerate().filter(|(at, object)| !later(*at, object)).map(|(_, object)| object.clone()).collect()
}

/// All of a translation that can be compared.
fn shown(translation: &Translation) -> (BTreeMap<String, String>, Vec<Report>) {
    let shards = translation.shards.iter().map(|(key, shard)| (key.to_string(), format!("{:?} {:?}", shard.hash, shard.host)));
    let gateways = translation.listening.gateways.iter().map(|(id, listens)| (format!("listening {id}"), format!("{listens:?}")));
    (shards.chain(gateways).collect(), translation.reports.all())
}

/// Hints name what is there, and what is there later does not touch what never named it. Messages of conditions end with them.
fn without_hints(reports: Vec<Report>) -> Vec<Report> {
    let bare = |mut report: Report| {
        report.problems = report.problems.into_iter().map(|problem| resources::Problem { hint: None, ..problem }).collect();
        let lists = match &mut report.status {
            Some(Status::Conditions(list) | Status::Entrance(list) | Status::Class { conditions: list, .. }) => vec![list],
            Some(Status::Route(parents)) => parents.iter_mut().map(|parent| &mut parent.conditions).collect(),
            Some(Status::Gateway(gateway)) => {
                let listeners = gateway.listeners.iter_mut().map(|listener| &mut listener.conditions);
                listeners.chain([&mut gateway.conditions]).collect()
            }
            None => Vec::new(),
        };
        lists.into_iter().flatten().for_each(|condition| condition.message = "".into());
        report
    };
    reports.into_iter().map(bare).collect()
}

/// One change, and the translation of what it touches.
fn take(change: Change, resources: &mut Resources, options: &mut Options, now: &mut Translation) {
    let applied = resources.apply(change);
    let touched = touched(resources, options, &applied);
    for object in touched.objects {
        let said = crate::report(resources, options, &object);
        now.reports.update(Part::Object(object), said.into_iter().collect());
    }
    if touched.listening {
        let (listening, reports) = crate::listening(resources, options);
        now.listening = listening;
        now.reports.update(Part::Listening, reports);
    }
    for key in touched.shards {
        let (shard, reports) = translate_shard(resources, options, &key);
        now.reports.update(Part::Shard(key.clone()), reports);
        match shard {
            Some(shard) => drop(now.shards.insert(key, shard)),
            None => drop(now.shards.remove(&key)),
        }
    }
}

#[test]
fn a_tunnel_of_one_name_of_a_server_is_for_those_of_other_namespaces_too() {
    let object = |kind: &str, namespace: &str, spec: Value| {
        let metadata = json!({ "name": "x", "namespace": namespace, "creationTimestamp": "2026-01-01T00:00:00Z" });
        json!({ "apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec })
    };
    let server = json!({ "port": { "number": 443, "name": "tls", "protocol": "TLS" }, "hosts": ["b.test", "./a.test"],
        "tls": { "mode": "SIMPLE", "credentialName": "tls" } });
    let gateway = object("Gateway", "a", json!({ "selector": { "istio": "ingressgateway" }, "servers": [server] }));
    let route = json!([{ "route": [{ "destination": { "host": "web", "port": { "number": 80 } } }] }]);
    let service = object("VirtualService", "b", json!({ "hosts": ["b.test"], "gateways": ["a/x"], "tcp": route }));
    let (mut options, mut resources, mut now) = (options(), Resources::default(), Translation::default());
    for (kind, namespace, object) in [(Kind::IstioGateway, "a", gateway), (Kind::VirtualService, "b", service)] {
        take(Change::Object { kind, name: Name::new(namespace, "x"), object: Some(object.into()) }, &mut resources, &mut options, &mut now);
    }
    let tunnels = now.shards.values().filter(|shard| shard.host.tunnel.is_some()).count();
    assert_eq!(tunnels, 2);
    assert_eq!(shown(&now).0, shown(&translate(&resources, &options)).0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_all_of_it_can_be_served(objects in prop::collection::vec((object(), any::<u64>(), junk()), 0..12)) {
        let objects: Vec<Value> = objects.into_iter().map(|(mut object, way, junk)| {
            mutate(&mut object, way, junk);
            object
        }).collect();
        let resources = Resources::of(&objects);
        let translation = translate(&resources, &options());
        let mut in_use = InUse::default();
        for (key, shard) in &translation.shards {
            in_use.update(key, Some(shard));
        }
        for id in in_use.iter() {
            crate::endpoints(&resources, &options(), id);
        }
        crate::check(&objects, &options());
        let shards = translation.shards.into_iter().map(|(key, shard)| (key, Some(shard)));
        let (_, nacks) = Snapshot::empty().apply(&Update { shards: shards.collect(), ..Update::default() });
        prop_assert!(nacks.is_empty(), "what is translated can be served: {nacks:?}");
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(objects in prop::collection::vec(object(), 0..12), seed in any::<u64>()) {
        let objects = last_of_each(&objects);
        let mut shuffled = objects.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let (one, other) = (translate(&Resources::of(&objects), &options()), translate(&Resources::of(&shuffled), &options()));
        prop_assert_eq!(shown(&one), shown(&other));
    }

    #[test]
    fn one_change_after_another_equals_from_scratch(changes in prop::collection::vec(change(), 1..24)) {
        let (mut options, mut resources, mut now) = (options(), Resources::default(), Translation::default());
        for change in changes.clone() {
            take(change, &mut resources, &mut options, &mut now);
            let (now, scratch) = (shown(&now), shown(&translate(&resources, &options)));
            prop_assert_eq!(now.0, scratch.0);
            prop_assert_eq!(without_hints(now.1), without_hints(scratch.1));
        }
        // Where gateways are may be known before their routes, or after them.
        let (hosts, objects): (Vec<_>, Vec<_>) = changes.into_iter().partition(|it| matches!(it, Change::Hosts { .. }));
        let mut again = Resources::default();
        hosts.into_iter().chain(objects).for_each(|it| drop(again.apply(it)));
        prop_assert_eq!(shown(&translate(&again, &options)), shown(&translate(&resources, &options)));
    }

    #[test]
    fn a_broken_object_changes_nothing_about_the_routes_of_others(
        others in prop::collection::vec(of_ingress(), 1..8), mut broken in ingress(), way in any::<u64>(), junk in junk(),
    ) {
        // The youngest, so that it owns no path of others; without what is host-wide on purpose.
        mutate(&mut broken, way, junk);
        broken["apiVersion"] = "networking.k8s.io/v1".into();
        broken["kind"] = "Ingress".into();
        let annotations = json!({"nginx.ingress.kubernetes.io/auth-url": 1, "nginx.ingress.kubernetes.io/ssl-redirect": "maybe"});
        broken["metadata"] = json!({"name": "broken", "namespace": "a", "creationTimestamp": "2026-03-01T00:00:00Z", "annotations": annotations});
        let mut with = others.clone();
        with.push(broken);
        // What answers where nobody has a path (a default, a redirect to `/foo/`) gives way to whoever has one.
        let declared = |route: &&Route| {
            let by_itself = matches!(route.action, Action::Redirect(_)) || !route.source.rule.contains(".paths[");
            route.source.object.name != "broken" && !by_itself
        };
        let routes = |objects: &[Value]| {
            let translation = translate(&Resources::of(objects), &options());
            let mut routes: BTreeMap<ShardKey, Vec<Route>> = BTreeMap::new();
            for (key, shard) in translation.shards {
                let of_others = shard.host.routes.iter().filter(declared).cloned().collect::<Vec<_>>();
                if !of_others.is_empty() {
                    routes.insert(key, of_others);
                }
            }
            routes
        };
        prop_assert_eq!(routes(&others), routes(&with));
    }
}

fn many(count: usize) -> Resources {
    let mut resources = Resources::default();
    for n in 0..count {
        for object in named(n, "web") {
            resources.apply(Change::of(&object).expect("a change"));
        }
    }
    resources
}

fn named(n: usize, service: &str) -> [Value; 2] {
    let service = format!("{service}-{n}");
    let path = if n.is_multiple_of(3) { format!("/svc{n}/v1(/|$)(.*)") } else { "/".to_owned() };
    let annotations = if n.is_multiple_of(3) { json!({"nginx.ingress.kubernetes.io/rewrite-target": "/$2"}) } else { json!({}) };
    [
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": service, "namespace": "a"}, "spec": {"ports": [{"port": 80}]}}),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": format!("host-{n}"), "namespace": "a", "annotations": annotations},
            "spec": {"rules": [{"host": format!("host-{n}.test"), "http": {"paths": [
                {"path": path, "pathType": "ImplementationSpecific", "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]},
        }),
    ]
}

#[test]
fn one_edit_among_many_touches_one_shard() {
    let (mut options, mut resources) = (Options::new(GatewayId::new("g")), many(300));
    let applied = resources.apply(Change::of(&named(7, "api")[1]).expect("a change"));
    let touched = touched(&resources, &mut options, &applied);
    let hosts: Vec<String> = touched.shards.iter().map(|key| key.host.to_string()).collect();
    assert_eq!(hosts, ["host-7.test"]);
}

#[test]
fn a_generated_host_is_served_by_the_gateway_it_was_made_for_alone() {
    let [_, mut ingress] = named(1, "web");
    ingress["metadata"]["namespace"] = "b".into();
    ingress["metadata"]["annotations"] = json!({ HOST_ANNOTATION: "auto" });
    ingress["spec"]["rules"][0]["host"] = Value::Null;
    let mut resources = Resources::of(&[ingress]);
    let template = |ingresses, projects, last: u8, former: &[u8]| HostTemplate {
        ingresses: Some(ingresses),
        parents: Default::default(),
        projects,
        form: AddressForm::Dotted,
        suffix: "test".into(),
        address: Some([10, 0, 0, last].into()),
        former: former.iter().map(|it| [10, 0, 0, *it].into()).collect(),
    };
    for (gateway, template) in [
        ("cluster", template(Scope::Cluster, Projects::Many, 1, &[])),
        ("project", template(Scope::Namespace("b".into()), Projects::One, 2, &[3])),
    ] {
        resources.apply(Change::Hosts { gateway: GatewayId::new(gateway), template: Some(template) });
    }
    let shards: Vec<String> = translate(&resources, &options()).shards.keys().map(ToString::to_string).collect();
    assert_eq!(shards, ["web-1.10.0.0.2.test on project", "web-1.10.0.0.3.test on project"]);
}
