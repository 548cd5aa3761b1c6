use super::*;
use model::HostPattern;
use resources::{Change, Name};
use serde_json::json;

fn answers(picture: watch::Sender<Picture>) -> Answers {
    let identity = Identity { controller: "paifang.dev/ingress-controller".into(), instance: "here".into() };
    Answers::new(identity, Mailbox::default(), Ledger::default(), ["us".into()].into(), picture)
}

fn world() -> World {
    let mut world = World::new(translate::Options::new(GatewayId::new("a/a")), 0);
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } });
    let ingress = json!({ "metadata": { "namespace": "demo", "name": "web", "uid": "u" },
        "spec": { "rules": [{ "host": "one.test", "http": { "paths": [path] } }] } });
    let service = json!({ "metadata": { "namespace": "demo", "name": "web", "uid": "v" }, "spec": { "ports": [{ "port": 80 }] } });
    let object = |kind, object| Change::Object { kind, name: Name::new("demo", "web"), object: Some(Arc::new(object)) };
    world.step([object(ReadKind::Service, service), object(ReadKind::Ingress, ingress)]);
    world
}

/// Versions are answered with these routes refused; what is said about the Ingress at the end.
fn check(answered: &[(u64, bool)], expect: &[&str]) {
    let (show, picture) = watch::channel(Picture::default());
    let (mut answers, world, now) = (answers(show), world(), Instant::now());
    let host: HostPattern = HostPattern::Exact(model::Hostname::parse("one.test").expect("a name"));
    let key = ShardKey { port: None, gateway: GatewayId::new("a/a"), host };
    let version = |sequence| Version { epoch: 0, sequence };
    let about = ObjectRef::new("Ingress", "demo", "web");
    for (sequence, _) in answered {
        answers.expect(version(*sequence), [about.clone()].into(), [key.clone()], &world);
    }
    for (sequence, refused) in answered {
        let nack = Nack { shard: key.clone(), route: 0, message: "no".into() };
        let nacks = refused.then_some(nack).into_iter().collect();
        answers.acknowledged(Ack { version: version(*sequence), bindings: Vec::new(), nacks }, &world, now);
    }
    answers.say(&world, now + PATIENCE, "2026-01-01T00:00:00Z");
    let problems = picture.borrow().problems.get(&about).cloned().unwrap_or_default();
    assert_eq!(problems.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>(), expect, "{answered:?}");
}

#[test]
fn a_refusal_lasts_until_what_mended_it_is_served() {
    check(&[(1, false)], &[]);
    check(&[(1, true)], &["NotServed"]);
    check(&[(1, true), (2, false)], &[]);
    check(&[(1, false), (2, true)], &["NotServed"]);
    check(&[(1, true), (2, true)], &["NotServed"]);
}

fn step(world: &mut World, answers: &mut Answers, objects: &[(ReadKind, &str, Option<Value>)]) -> Version {
    let changes = objects.iter().map(|(kind, name, object)| {
        let namespace = if kind.lives() == resources::Lives::Cluster { "" } else { "demo" };
        Change::Object { kind: *kind, name: Name::new(namespace, *name), object: object.clone().map(Arc::new) }
    });
    let step = world.step(changes.collect::<Vec<_>>());
    answers.expect(step.update.version, step.about, step.update.shards.into_iter().map(|(key, _)| key), world);
    step.update.version
}

fn acknowledge(world: &World, answers: &mut Answers, version: Version) {
    answers.acknowledged(Ack { version, bindings: Vec::new(), nacks: Vec::new() }, world, Instant::now());
}

/// Of each status that waits to be written: whose it is, and of which generation it speaks.
fn stated(mailbox: &Mailbox) -> Vec<(String, i64)> {
    let statement = |(target, wish): (Target, Wish)| match wish {
        Wish::Status(statement) => Some((target.to_string(), statement.generation)),
        _ => None,
    };
    mailbox.waiting().into_iter().filter_map(statement).collect()
}

const CONTROLLER: &str = "paifang.dev/gateway-controller";

fn class() -> (ReadKind, &'static str, Option<Value>) {
    (ReadKind::GatewayClass, "ours", Some(json!({ "metadata": { "name": "ours" }, "spec": { "controllerName": CONTROLLER } })))
}

fn gateway(generation: i64, port: u16) -> (ReadKind, &'static str, Option<Value>) {
    let listener = json!({ "name": "http", "port": port, "protocol": "HTTP" });
    let object = json!({ "metadata": { "namespace": "demo", "name": "web", "uid": "g", "generation": generation },
        "spec": { "gatewayClassName": "ours", "listeners": [listener] } });
    (ReadKind::Gateway, "web", Some(object))
}

fn route(generation: i64, gateway: &str) -> (ReadKind, &'static str, Option<Value>) {
    let object = json!({ "metadata": { "namespace": "demo", "name": "route", "uid": "r", "generation": generation },
        "spec": { "parentRefs": [{ "name": gateway }], "rules": [{}] } });
    (ReadKind::HttpRoute, "route", Some(object))
}

fn fresh() -> (World, Answers, Mailbox) {
    let world = World::new(translate::Options::new(GatewayId::new("a/a")), 0);
    let mut answers = answers(watch::channel(Picture::default()).0);
    answers.controllers = [CONTROLLER.into()].into();
    let mailbox = answers.mailbox.clone();
    (world, answers, mailbox)
}

#[test]
fn a_status_speaks_of_the_version_that_is_served() {
    let (mut world, mut answers, mailbox) = fresh();
    let first = step(&mut world, &mut answers, &[class(), gateway(1, 80)]);
    let second = step(&mut world, &mut answers, &[gateway(2, 81)]);
    assert_eq!(stated(&mailbox), [], "nobody has acknowledged anything");
    acknowledge(&world, &mut answers, first);
    let of_gateway = |mailbox: &Mailbox| stated(mailbox).into_iter().find(|(it, _)| it == "Gateway demo/web").map(|(_, it)| it);
    assert_eq!(of_gateway(&mailbox), Some(1), "the second version is not served yet");
    acknowledge(&world, &mut answers, second);
    assert_eq!(of_gateway(&mailbox), Some(2));
}

#[test]
fn a_route_of_others_is_left_alone_and_one_that_was_ours_is_cleared() {
    let (mut world, mut answers, mailbox) = fresh();
    let version = step(&mut world, &mut answers, &[class(), gateway(1, 80), route(1, "theirs")]);
    acknowledge(&world, &mut answers, version);
    let of_route = |mailbox: &Mailbox| stated(mailbox).into_iter().find(|(it, _)| it == "HTTPRoute demo/route").map(|(_, it)| it);
    assert_eq!(of_route(&mailbox), None);
    let version = step(&mut world, &mut answers, &[route(2, "web")]);
    acknowledge(&world, &mut answers, version);
    assert_eq!(of_route(&mailbox), Some(2));
    let version = step(&mut world, &mut answers, &[route(3, "theirs")]);
    acknowledge(&world, &mut answers, version);
    assert_eq!(of_route(&mailbox), Some(3), "the entry may be on its way: it is taken back");
    let version = step(&mut world, &mut answers, &[route(4, "theirs")]);
    acknowledge(&world, &mut answers, version);
    assert_eq!(of_route(&mailbox), Some(3), "once is enough");

    let entry = json!({ "status": { "parents": [{ "controllerName": CONTROLLER }] } });
    answers.observe(&Target::new(Kind::HttpRoute, "demo", "route"), Some(&entry));
    let version = step(&mut world, &mut answers, &[route(5, "theirs")]);
    acknowledge(&world, &mut answers, version);
    assert_eq!(of_route(&mailbox), Some(5), "as left by an earlier start");
}

fn plan(id: GatewayId, address: Option<std::net::IpAddr>) -> Plan {
    Plan {
        id,
        owner: None,
        services: vec![Name::new("gateways", "everybody")],
        access: crate::Access::LoadBalancer,
        address,
        wanted: None,
        entrance: resources::Entrance::default(),
        shortage: address.is_none().then_some(pools::Shortage::NoPool),
        others: Vec::new(),
        node_address: [127, 0, 0, 1].into(),
        node_ports: 30_000..=32_767,
        nodes: Vec::new(),
        crew: None,
        ports: Vec::new(),
        replies: model::Replies::default(),
        options: Arc::default(),
    }
}

#[test]
fn gateways_are_spoken_of_again_when_they_move() {
    let (mut world, mut answers, mailbox) = fresh();
    let version = step(&mut world, &mut answers, &[class(), gateway(1, 80)]);
    acknowledge(&world, &mut answers, version);
    let programmed = |mailbox: &Mailbox| {
        let statement = mailbox.waiting().into_iter().find_map(|(_, wish)| match wish {
            Wish::Status(it) => match it.shape {
                status::Shape::Gateway { status, .. } => Some(status),
                _ => None,
            },
            _ => None,
        });
        let conditions = statement.map(|it| it.conditions).unwrap_or_default();
        conditions.into_iter().find(|it| it.kind == *"Programmed").map(|it| it.message.to_string()).unwrap_or_default()
    };
    assert_eq!(programmed(&mailbox), "no gateway serves it yet");
    let plan = plan(GatewayId::new("demo/web"), None);
    answers.gateways(Arc::new([plan].into_iter().collect()), Trouble::new(), Instant::now());
    let version = world.next_version();
    answers.expect(version, BTreeSet::new(), [], &world);
    acknowledge(&world, &mut answers, version);
    assert_eq!(programmed(&mailbox), "there is no pool of addresses; node ports answer on 127.0.0.1");
}

#[test]
fn who_serves_an_ingress_is_said_when_its_addresses_come_and_not_at_a_restart() {
    let (mut world, about) = (world(), ObjectRef::new("Ingress", "demo", "web"));
    let mut answers = answers(watch::channel(Picture::default()).0);
    let (version, mailbox, target) = (world.next_version(), answers.mailbox.clone(), Target::new(Kind::Ingress, "demo", "web"));
    let serve = |answers: &mut Answers, address: [u8; 4]| {
        answers.gateways(
            Arc::new([plan(GatewayId::new("a/a"), Some(address.into()))].into_iter().collect()),
            Trouble::new(),
            Instant::now(),
        );
        answers.expect(version, [about.clone()].into(), [], &world);
        acknowledge(&world, answers, version);
        answers.say(&world, Instant::now() + PATIENCE, "2026-01-01T00:00:00Z");
    };
    let accepted = |mailbox: &Mailbox| {
        let message = |(_, wish): (Target, Wish)| match wish {
            Wish::Event(event) if event["reason"] == "Accepted" => event["message"].as_str().map(str::to_owned),
            _ => None,
        };
        mailbox.waiting().into_iter().filter_map(message).collect::<BTreeSet<String>>()
    };
    let address = |ip: &str| json!({ "status": { "loadBalancer": { "ingress": [{ "ip": ip }] } } });
    answers.observe(&target, Some(&address("10.0.0.1")));
    serve(&mut answers, [10, 0, 0, 1]);
    assert_eq!(accepted(&mailbox), BTreeSet::new(), "an earlier start has said it");
    serve(&mut answers, [10, 0, 0, 2]);
    let said = "served by gateway gateways/everybody, at 10.0.0.2".to_owned();
    assert_eq!(accepted(&mailbox), BTreeSet::from([said.clone()]));
    answers.observe(&target, Some(&address("10.0.0.2")));
    serve(&mut answers, [10, 0, 0, 2]);
    assert_eq!(accepted(&mailbox), BTreeSet::from([said]));
}
