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
