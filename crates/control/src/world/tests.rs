use super::*;
use fastrand::Rng;
use model::GatewayId;
use resources::Report;
use serde_json::json;
use std::collections::BTreeMap;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A change by chance: an object made, changed or gone, of few names, so that they meet.
fn random_change(rng: &mut Rng) -> Change {
    let name = NAMES[rng.usize(..NAMES.len())];
    let (kind, object) = match rng.u8(..9) {
        0 => (Kind::Ingress, ingress(rng, name)),
        1 => (Kind::Service, service(rng, name)),
        2 => (Kind::EndpointSlice, slice(rng, name)),
        3 => (Kind::Gateway, gateway(rng, name)),
        4 => (Kind::HttpRoute, http_route(rng, name)),
        5 => (Kind::IstioGateway, istio_gateway(rng, name)),
        6 => (Kind::VirtualService, virtual_service(rng, name)),
        7 => return class(rng),
        _ => return Change::Resolved { name: "away.test".into(), addresses: vec![[127, 0, 0, rng.u8(1..4)].into()] },
    };
    let gone = rng.u8(..4) == 0;
    Change::Object { kind, name: Name::new("demo", name), object: (!gone).then(|| Arc::new(object)) }
}

fn any<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

fn class(rng: &mut Rng) -> Change {
    let object = json!({ "metadata": { "name": "paifang" }, "spec": { "controllerName": "paifang.dev/gateway-controller" } });
    let there = rng.u8(..4) > 0;
    Change::Object { kind: Kind::GatewayClass, name: Name::new("", "paifang"), object: there.then(|| Arc::new(object)) }
}

fn gateway(rng: &mut Rng, name: &str) -> Value {
    let listener = |rng: &mut Rng, name: &str| {
        let host = any(rng, &["one.test", "two.test", "*.test"]);
        json!({ "name": name, "port": any(rng, &[80, 8080]), "protocol": "HTTP", "hostname": host })
    };
    let mut spec = json!({ "gatewayClassName": "paifang", "listeners": [listener(rng, "x"), listener(rng, "y")] });
    if rng.bool() {
        spec["addresses"] = json!([{ "type": "Hostname", "value": "gateway.a.svc.cluster.local" }]);
    }
    json!({ "metadata": { "namespace": "demo", "name": name, "uid": name }, "spec": spec })
}

fn http_route(rng: &mut Rng, name: &str) -> Value {
    let parent = any(rng, &NAMES);
    let path = any(rng, &["/", "/x"]);
    let rule = json!({ "matches": [{ "path": { "type": "PathPrefix", "value": path } }], "backendRefs": [{ "name": any(rng, &NAMES), "port": 80 }] });
    let spec = json!({ "parentRefs": [{ "name": parent }], "hostnames": [any(rng, &["one.test", "a.test"])], "rules": [rule] });
    json!({ "metadata": { "namespace": "demo", "name": name }, "spec": spec })
}

fn istio_gateway(rng: &mut Rng, name: &str) -> Value {
    let (number, protocol) = any(rng, &[(80, "HTTP"), (8080, "HTTP"), (31_400, "TCP")]);
    let port = json!({ "number": number, "name": "x", "protocol": protocol });
    let spec = json!({ "selector": { "istio": "ingressgateway" }, "servers": [{ "port": port, "hosts": [any(rng, &["*", "one.test"])] }] });
    json!({ "metadata": { "namespace": "demo", "name": name }, "spec": spec })
}

fn virtual_service(rng: &mut Rng, name: &str) -> Value {
    let destination = json!({ "destination": { "host": any(rng, &NAMES), "port": { "number": 80 } } });
    let mut spec = json!({ "hosts": [any(rng, &["*", "one.test", "two.test"])], "gateways": [any(rng, &NAMES)] });
    if rng.bool() {
        spec["http"] = json!([{ "match": [{ "uri": { "prefix": any(rng, &["/", "/x"]) } }], "route": [destination] }]);
    } else {
        spec["tcp"] = json!([{ "route": [destination] }]);
    }
    json!({ "metadata": { "namespace": "demo", "name": name }, "spec": spec })
}

fn ingress(rng: &mut Rng, name: &str) -> Value {
    let backend = json!({ "service": { "name": NAMES[rng.usize(..NAMES.len())], "port": { "number": 80 } } });
    let path = ["/", "/x", "/y/"][rng.usize(..3)];
    let path = json!({ "path": path, "pathType": "Prefix", "backend": backend });
    let host = ["one.test", "two.test", "*.test"][rng.usize(..3)];
    json!({ "metadata": { "namespace": "demo", "name": name }, "spec": { "rules": [{ "host": host, "http": { "paths": [path] } }] } })
}

fn service(rng: &mut Rng, name: &str) -> Value {
    let mut spec = json!({ "ports": [{ "port": 80 }] });
    if rng.bool() {
        spec["type"] = "ExternalName".into();
        spec["externalName"] = "away.test".into();
    }
    json!({ "metadata": { "namespace": "demo", "name": name }, "spec": spec })
}

fn slice(rng: &mut Rng, name: &str) -> Value {
    let labels = json!({ "kubernetes.io/service-name": NAMES[rng.usize(..NAMES.len())] });
    let addresses: Vec<Value> = (0..rng.u8(..3)).map(|_| json!({ "addresses": [format!("127.0.0.{}", rng.u8(1..9))] })).collect();
    json!({ "metadata": { "namespace": "demo", "name": name, "labels": labels }, "addressType": "IPv4", "endpoints": addresses,
        "ports": [{ "port": 8000 }] })
}

/// What a data plane has after all updates.
#[derive(Default)]
struct Published {
    shards: BTreeMap<ShardKey, ContentHash>,
    endpoints: BTreeMap<BackendId, Vec<Endpoint>>,
}

impl Published {
    fn take(&mut self, update: &Update) {
        for (id, endpoints) in &update.endpoints {
            match endpoints {
                Some(endpoints) => drop(self.endpoints.insert(id.clone(), endpoints.to_vec())),
                None => drop(self.endpoints.remove(id)),
            }
        }
        for (key, shard) in &update.shards {
            match shard {
                Some(shard) => drop(self.shards.insert(key.clone(), shard.hash)),
                None => drop(self.shards.remove(key)),
            }
        }
    }
}

fn options() -> Options {
    let mut options = Options::new(GatewayId::new("a/gateway".to_owned()));
    let shared = &mut options.gateways[0];
    shared.labels.insert("istio".into(), "ingressgateway".into());
    shared.services.push(Name::new("a", "gateway"));
    options
}

/// Everything at once, for comparison.
fn from_scratch(resources: &Resources) -> (Published, translate::Translation) {
    let translation = translate::translate(resources, &options());
    let mut published = Published::default();
    for (key, shard) in &translation.shards {
        for backend in shard.host.backends() {
            published.endpoints.insert(backend.id.clone(), translate::endpoints(resources, &options(), &backend.id).0);
        }
        published.shards.insert(key.clone(), shard.hash);
    }
    (published, translation)
}

/// A report and its status, without words that may name what has come later and is called alike.
fn without_hints(reports: &Reports, object: &ObjectRef) -> Option<(Report, Value)> {
    let mut report = reports.get(object)?;
    report.problems = report.problems.into_iter().map(|it| Problem { hint: None, ..it }).collect();
    let status = report.status.take().and_then(|it| serde_json::to_value(it).ok()).unwrap_or_default();
    Some((report, without_messages(status)))
}

fn without_messages(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(name, _)| name != "message").map(|(name, it)| (name, without_messages(it))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_messages).collect(),
        other => other,
    }
}

#[test]
fn any_series_of_changes_publishes_what_translating_at_once_would() {
    for seed in 0..40 {
        let rng = &mut Rng::with_seed(seed);
        let (mut world, mut published) = (World::new(options(), 0), Published::default());
        for _ in 0..40 {
            let changes: Vec<Change> = (0..rng.usize(1..4)).map(|_| random_change(rng)).collect();
            let step = world.step(changes);
            let version = step.update.version;
            let before = published.endpoints.clone();
            published.take(&step.update);
            assert!(before.keys().all(|it| published.endpoints.contains_key(it)), "seed {seed}: nothing goes before it is served");
            if let Some(step) = rng.bool().then(|| world.served(version)).flatten() {
                published.take(&step.update);
            }
            let (wanted, whole) = from_scratch(&world.resources);
            assert_eq!(published.shards, wanted.shards, "seed {seed}");
            assert_eq!(world.listening, whole.listening, "seed {seed}: who listens where");
            for object in whole.reports.objects().into_iter().chain(world.reports.objects()) {
                // What is said of backends comes apart from translation.
                if translate::has_status(Kind::named(&object.kind).expect("it is read")) {
                    assert_eq!(without_hints(&world.reports, object), without_hints(&whole.reports, object), "seed {seed}: {object}");
                }
            }
            for (id, endpoints) in &wanted.endpoints {
                assert_eq!(published.endpoints.get(id), Some(endpoints), "seed {seed}: {id}");
            }
        }
        let last = world.step([]).update.version;
        if let Some(step) = world.served(last) {
            published.take(&step.update);
        }
        assert_eq!(published.endpoints, from_scratch(&world.resources).0.endpoints, "seed {seed}: what nobody needs is taken back");
    }
}

#[test]
fn slices_alone_translate_nothing() {
    let rng = &mut Rng::with_seed(1);
    let mut world = World::new(options(), 0);
    let object = |kind, name: &str, object| Change::Object { kind, name: Name::new("demo", name), object: Some(Arc::new(object)) };
    let service = json!({ "metadata": { "namespace": "demo", "name": "a" }, "spec": { "ports": [{ "port": 80 }] } });
    let mut route = ingress(rng, "a");
    route["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "a".into();
    world.step([object(Kind::Service, "a", service), object(Kind::Ingress, "a", route)]);
    let mut endpoints = slice(rng, "a");
    endpoints["metadata"]["labels"]["kubernetes.io/service-name"] = "a".into();
    endpoints["endpoints"] = json!([{ "addresses": ["127.0.0.1"] }]);
    let step = world.step([object(Kind::EndpointSlice, "a", endpoints)]);
    assert!(step.update.shards.is_empty() && step.update.endpoints.len() == 1, "{:?}", step.update);
}

#[test]
fn a_name_that_was_not_looked_up_yet_is_no_problem() {
    let mut world = World::new(options(), 0);
    let service = json!({ "metadata": { "namespace": "demo", "name": "a" }, "spec": { "type": "ExternalName", "externalName": "away.test", "ports": [{ "port": 80 }] } });
    let mut route = ingress(&mut Rng::with_seed(1), "a");
    route["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "a".into();
    let object = |kind, object| Change::Object { kind, name: Name::new("demo", "a"), object: Some(Arc::new(object)) };
    world.step([object(Kind::Service, service), object(Kind::Ingress, route)]);
    let about = Kind::Service.object_ref(&Name::new("demo", "a"));
    assert_eq!(world.external_names(), [Text::from("away.test")].into());
    assert!(world.problems(&about).is_empty());
    let step = world.step([Change::Resolved { name: "away.test".into(), addresses: Vec::new() }]);
    assert!(step.about.contains(&about));
    assert_eq!(world.problems(&about).iter().map(|it| it.reason).collect::<Vec<_>>(), [resources::Cause::NameNotResolved]);
}

#[test]
fn a_certificate_s_expiry_is_noticed_though_nothing_changes() {
    let pair = rcgen::generate_simple_self_signed(["one.test".to_owned()]).expect("a certificate");
    let secret = json!({ "metadata": { "namespace": "demo", "name": "tls" }, "type": "kubernetes.io/tls",
        "stringData": { "tls.crt": pair.cert.pem(), "tls.key": pair.signing_key.serialize_pem() } });
    let mut route = ingress(&mut Rng::with_seed(1), "tls");
    route["spec"]["rules"][0]["host"] = "one.test".into();
    route["spec"]["tls"] = json!([{ "hosts": ["one.test"], "secretName": "tls" }]);
    let mut options = options();
    options.ingress.now = Some(0);
    let mut world = World::new(options, 0);
    let object = |kind, object| Change::Object { kind, name: Name::new("demo", "tls"), object: Some(Arc::new(object)) };
    world.step([object(Kind::Secret, secret), object(Kind::Ingress, route)]);

    let about = Kind::Ingress.object_ref(&Name::new("demo", "tls"));
    let expires = |world: &World| world.problems(&about).iter().any(|it| it.reason == resources::Cause::CertificateExpires);
    assert!(!expires(&world));
    assert!(world.clock(60).is_none(), "hardly any time has passed");
    // Such certificates last until the year 4096.
    let step = world.clock(80_000_000_000).expect("time has passed");
    assert!(step.update.shards.is_empty() && step.about.contains(&about), "{:?}", step.about);
    assert!(expires(&world));
}

#[test]
fn an_address_that_is_refused_is_said_of_its_service_though_no_route_leads_there() {
    let mut world = World::new(options(), 0);
    let annotations = json!({ translate::ENDPOINTS_ANNOTATION: "169.254.0.1:80" });
    let service =
        json!({ "metadata": { "namespace": "demo", "name": "a", "annotations": annotations }, "spec": { "ports": [{ "port": 80 }] } });
    world.step([Change::Object { kind: Kind::Service, name: Name::new("demo", "a"), object: Some(Arc::new(service)) }]);
    let problems = world.problems(&Kind::Service.object_ref(&Name::new("demo", "a")));
    assert_eq!(problems.iter().map(|it| it.reason).collect::<Vec<_>>(), [resources::Cause::EndpointRefused]);
}

#[test]
fn hosts_and_routes_are_counted() {
    let mut world = World::new(options(), 0);
    let rng = &mut Rng::with_seed(7);
    for _ in 0..200 {
        world.step([random_change(rng)]);
        assert_eq!(world.size(), (world.shards.len(), world.shards.values().map(|it| it.host.routes.len()).sum()));
    }
}
