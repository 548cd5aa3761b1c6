//! Connections that break, controls that come and go, pods that lag behind. Time is virtual.

use super::world::{Pod, Served, endpoints, gateway, key, shard, version};
use crate::framing::{LARGEST, LinkError, Reader, Writer};
use crate::hub::{Hub, container_port};
use crate::identity::Identity;
use crate::serve::serve_stream;
use crate::wire::frame::{Hello, Said, ToControl, ToGateway};
use model::{Ack, GatewayId, Update};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

const A: &str = "team-a/web";
const B: &str = "team-b/web";
const MOMENT: Duration = Duration::from_millis(50);

fn first(epoch: u64, sequence: u64) -> Update {
    Update {
        version: version(epoch, sequence),
        endpoints: vec![endpoints("a/one:80", 1), endpoints("a/two:80", 2), endpoints("of-b/one:80", 3)],
        gateways: vec![gateway(A), gateway(B)],
        shards: vec![
            (key(A, "a.test"), Some(shard("a.test", "key of a", &["a/one:80"]))),
            (key(B, "of-b.test"), Some(shard("of-b.test", "key of-b", &["of-b/one:80"]))),
        ],
    }
}

fn hub(epoch: u64) -> (Arc<Hub>, mpsc::Receiver<Ack>) {
    let hub = Hub::new(epoch, vec![([198, 51, 100, 1], 7443).into()]);
    let (send, acks) = mpsc::channel(1024);
    let of = hub.clone();
    tokio::spawn(async move { of.acknowledge(send).await });
    (hub, acks)
}

fn served(updates: &[Update]) -> Served {
    let mut served = Served::default();
    updates.iter().for_each(|it| served.apply(it));
    served
}

/// The newest acknowledgement that has come.
fn newest(acks: &mut mpsc::Receiver<Ack>) -> Option<Ack> {
    let mut newest = None;
    while let Ok(ack) = acks.try_recv() {
        newest = Some(ack);
    }
    newest
}

#[tokio::test(start_paused = true)]
async fn a_gateway_gets_its_own_and_nothing_else() {
    let (hub, _acks) = hub(1);
    hub.publish(&first(1, 1));
    let mut pod = Pod::of(A);
    assert!(pod.talk_for(&hub, MOMENT).await.is_none());
    assert_eq!(pod.plane.look().served, served(&[first(1, 1)]).of(&GatewayId::new(A)));
    assert_eq!(pod.plane.look().refused, [([198, 51, 100, 1], 7443).into()]);
    let read = pod.read.lock().expect("nothing panics with it");
    let has = |words: &str| read.windows(words.len()).any(|it| it == words.as_bytes());
    assert!(has("key of a") && has("a.test"));
    assert!(!has("of-b"), "something of another gateway has gone over its link");
    // It asks for no other than its certificate names: there is no field for it.
    assert!(!has("a/two:80"), "endpoints that none of its routes lead to");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_back_is_sent_nothing_twice() {
    let (hub, mut acks) = hub(1);
    hub.publish(&first(1, 1));
    let mut pod = Pod::of(A);
    assert!(pod.talk_for(&hub, MOMENT).await.is_none());
    let counts = |pod: &Pod| {
        let it = pod.plane.look();
        (it.bodies, it.updates)
    };
    let (bodies, updates) = counts(&pod);
    assert_eq!(bodies, 1);
    hub.publish(&Update {
        version: version(1, 2),
        shards: vec![(key(A, "new.test"), Some(shard("new.test", "key of a", &["a/two:80"])))],
        ..Update::default()
    });
    assert!(pod.talk_for(&hub, MOMENT).await.is_none());
    assert_eq!(counts(&pod), (bodies + 1, updates + 1), "only what is new");
    assert_eq!(newest(&mut acks).expect("it was heard").version, version(1, 2));
    // Another control, with the same to say.
    let (other, mut acks) = self::hub(2);
    assert!(pod.talk_for(&other, MOMENT).await.is_none());
    assert_eq!(pod.plane.look().served.shards.len(), 2, "a control that knows nothing yet takes nothing away");
    other.publish(&first(2, 1));
    assert!(pod.talk_for(&other, MOMENT).await.is_none());
    assert_eq!(pod.plane.look().bodies, bodies + 2, "the one that is gone, and none that is there");
    assert_eq!(pod.plane.look().served, served(&[first(2, 1)]).of(&GatewayId::new(A)));
    assert_eq!(newest(&mut acks).expect("it was heard").version, version(2, 1));
    // The control that was followed by another is not obeyed any more.
    let stale = pod.talk_for(&hub, MOMENT).await;
    assert!(matches!(stale, Some(LinkError::Stale(1, 2))), "{stale:?}");
}

/// Random edits over connections that break at random octets: in the end, what is served is what was published.
#[tokio::test(start_paused = true)]
async fn whatever_breaks_the_gateway_ends_up_with_what_was_published() {
    for seed in 0..25 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (hub, mut acks) = hub(1);
        let mut updates = vec![first(1, 1)];
        hub.publish(&updates[0]);
        let steady = Arc::new(AtomicBool::new(false));
        let mut pod = Pod::of(A);
        let plane = pod.plane.clone();
        let dialing = {
            let (hub, steady, mut rng) = (hub.clone(), steady.clone(), rng.fork());
            tokio::spawn(async move {
                loop {
                    let octets = if steady.load(Ordering::Relaxed) { usize::MAX } else { rng.usize(1..6_000) };
                    pod.talk(&hub, octets).await;
                    tokio::time::sleep(Duration::from_millis(rng.u64(..5))).await;
                }
            })
        };
        for sequence in 2..40 {
            let update = edit(&mut rng, sequence);
            hub.publish(&update);
            updates.push(update);
            tokio::time::sleep(Duration::from_millis(rng.u64(..7))).await;
        }
        steady.store(true, Ordering::Relaxed);
        let expected = served(&updates).of(&GatewayId::new(A));
        let settled = async {
            while plane.look().served != expected {
                tokio::time::sleep(MOMENT).await;
            }
        };
        let settled = tokio::time::timeout(Duration::from_secs(600), settled).await;
        assert!(settled.is_ok(), "seed {seed}: {:#?} is to be {expected:#?}", plane.look().served);
        tokio::time::sleep(MOMENT).await;
        assert_eq!(newest(&mut acks).expect("it was heard").version, version(1, 39), "seed {seed}");
        dialing.abort();
    }
}

/// A few things come, change and go. Each shard leads to backends whose endpoints are known.
fn edit(rng: &mut fastrand::Rng, sequence: u64) -> Update {
    let mut update = Update { version: version(1, sequence), ..Update::default() };
    let (backends, secrets) = (["a/one:80", "a/two:80", "of-b/one:80"], ["one", "two", "three"]);
    for _ in 0..rng.usize(1..5) {
        let host = format!("h{}.test", rng.u8(..12));
        let (gateway, to) = if rng.bool() { (A, backends[rng.usize(..2)]) } else { (B, backends[2]) };
        let new = rng.u8(..4) > 0;
        let entry = (key(gateway, &host), new.then(|| shard(&host, secrets[rng.usize(..3)], &[to])));
        update.shards.retain(|it| it.0 != entry.0);
        update.shards.push(entry);
    }
    if rng.bool() {
        update.endpoints.push(endpoints(backends[rng.usize(..3)], rng.u8(1..)));
    }
    update
}

#[tokio::test(start_paused = true)]
async fn a_version_is_served_once_every_pod_that_serves_has_it() {
    let (hub, mut acks) = hub(1);
    hub.publish(&first(1, 1));
    tokio::time::sleep(MOMENT).await;
    let ack = newest(&mut acks).expect("it is said that nobody serves");
    assert_eq!(ack.version, version(1, 1), "a gateway without pods holds nobody up");
    assert_eq!(ack.bindings, []);
    let mut pod = Pod::of(A);
    let plane = pod.plane.clone();
    let of = hub.clone();
    let talking = tokio::spawn(async move { pod.talk(&of, usize::MAX).await });
    tokio::time::sleep(MOMENT).await;
    let ack = newest(&mut acks).expect("it was heard");
    let bound: Vec<(&str, bool)> = ack.bindings.iter().map(|it| (it.gateway.as_str(), it.bound.is_ok())).collect();
    assert_eq!(bound, [(A, true)]);
    assert_eq!(ack.bindings[0].bound, Ok(([192, 0, 2, 1], 30_080).into()), "as control planned it");
    assert_eq!(hub.connected().iter().map(|it| it.instance.as_str()).collect::<Vec<_>>(), ["pod-1"]);

    // What it refuses is told once; and again when the shard has changed and is refused again.
    plane.look().refuses.insert(key(A, "bad.test"), "too odd".into());
    for (sequence, secret) in [(2, "one"), (3, "two")] {
        hub.publish(&Update {
            version: version(1, sequence),
            shards: vec![(key(A, "bad.test"), Some(shard("bad.test", secret, &["a/one:80"])))],
            ..Update::default()
        });
        tokio::time::sleep(MOMENT).await;
        let nacks: Vec<_> = std::iter::from_fn(|| acks.try_recv().ok()).flat_map(|it| it.nacks).collect();
        assert_eq!(nacks.len(), 1, "{nacks:?}");
        assert_eq!((&nacks[0].shard, nacks[0].message.as_str()), (&key(A, "bad.test"), "too odd"));
    }
    talking.abort();
    tokio::time::sleep(MOMENT).await;
    let ack = newest(&mut acks).expect("it is said that the pod has gone");
    assert_eq!(ack.bindings, []);
}

/// A pod that greets, takes what it is told, acknowledges so many times, and then says nothing more.
async fn mute(hub: Arc<Hub>, times: usize) -> LinkError {
    let (here, there) = tokio::io::duplex(1 << 20);
    let identity = Identity { gateway: GatewayId::new(A), until: SystemTime::now() + Duration::from_secs(86_400) };
    let server = tokio::spawn(serve_stream(there, identity, hub));
    let (reader, writer) = tokio::io::split(here);
    let (mut reader, mut writer) = (Reader::new(reader), Writer::new(writer));
    let hello = Hello { protocol: crate::PROTOCOL, build: "0".into(), instance: "mute".into() };
    let said = |said| ToControl { said: Some(said) };
    writer.send(&said(Said::Hello(hello))).await.expect("it is taken");
    let mut intake = crate::intake::Intake::new(crate::Families::Both);
    let mut left = times;
    while left > 0 {
        let told: ToGateway = reader.receive().await.expect("something is told");
        match intake.told(told.told.expect("it is known")).expect("it belongs here") {
            crate::intake::Step::Nothing => {}
            crate::intake::Step::Say(all) => {
                for it in all {
                    writer.send(&said(it)).await.expect("it is taken");
                }
            }
            crate::intake::Step::Apply(order) => {
                let ack = Ack { version: order.update.version, ..Ack::default() };
                let ack = intake.applied(*order, ack);
                writer.send(&said(ack)).await.expect("it is taken");
                left -= 1;
            }
        }
    }
    let ended = server.await.expect("it does not panic").expect_err("it ends because of something");
    drop(writer);
    ended
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_says_nothing_holds_a_version_up_until_it_is_let_go() {
    let (hub, mut acks) = hub(1);
    hub.publish(&first(1, 1));
    let pod = tokio::spawn(mute(hub.clone(), 1));
    tokio::time::sleep(MOMENT).await;
    assert_eq!(newest(&mut acks).expect("it was heard").version, version(1, 1));
    let change = |sequence, gateway: &str| Update {
        version: version(1, sequence),
        shards: vec![(key(gateway, "new.test"), Some(shard("new.test", "key", &["a/one:80"])))],
        ..Update::default()
    };
    // What another gateway is told does not concern it.
    hub.publish(&change(2, B));
    tokio::time::sleep(MOMENT).await;
    assert_eq!(newest(&mut acks).expect("nobody is waited for").version, version(1, 2));
    hub.publish(&change(3, A));
    tokio::time::sleep(MOMENT).await;
    assert!(newest(&mut acks).is_none_or(|it| it.version < version(1, 3)), "it is not served yet");
    let ended = tokio::time::timeout(Duration::from_secs(600), pod).await.expect("it is let go").expect("it does not panic");
    assert!(matches!(ended, LinkError::Silent), "{ended}");
    tokio::time::sleep(MOMENT).await;
    assert_eq!(newest(&mut acks).expect("nobody is waited for").version, version(1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_nobody_asks_for_any_more_is_told_so_and_serves_on() {
    let (hub, _acks) = hub(1);
    hub.publish(&first(1, 1));
    let mut pod = Pod::of(A);
    assert!(pod.talk_for(&hub, MOMENT).await.is_none());
    let of = hub.clone();
    let gone = tokio::spawn(async move {
        tokio::time::sleep(MOMENT).await;
        of.publish(&Update { version: version(1, 2), gateways: vec![(GatewayId::new(A), None)], ..Update::default() });
    });
    let ended = pod.talk_for(&hub, Duration::from_secs(5)).await;
    assert!(matches!(&ended, Some(LinkError::Refused(why)) if why.contains("nobody asks")), "{ended:?}");
    gone.await.expect("it does not panic");
    assert_eq!(pod.plane.look().served.shards.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_too_large_is_closed_and_said() {
    let (hub, mut acks) = hub(1);
    hub.publish(&first(1, 1));
    let backends: Vec<String> = (0..20).map(|it| format!("a/{it}:{}", "x".repeat(1 << 20))).collect();
    let names: Vec<&str> = backends.iter().map(String::as_str).collect();
    let large = (key(A, "large.test"), Some(shard("large.test", "key", &names)));
    hub.publish(&Update { version: version(1, 2), shards: vec![large], ..Update::default() });
    let mut pod = Pod::of(A);
    assert!(pod.talk_for(&hub, MOMENT).await.is_none());
    let host = pod.plane.look().served.shards[&key(A, "large.test")].clone();
    assert_eq!(host, crate::closed_host(host.name.clone()));
    let nacks: Vec<_> = std::iter::from_fn(|| acks.try_recv().ok()).flat_map(|it| it.nacks).collect();
    assert!(matches!(nacks.as_slice(), [it] if it.shard == key(A, "large.test") && it.message.contains("octets")), "{nacks:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_believed_a_length_or_waited_for_without_end() {
    let identity = || Identity { gateway: GatewayId::new(A), until: SystemTime::now() + Duration::from_secs(86_400) };
    let (hub, _acks) = hub(1);
    // More than any message has.
    let (mut here, there) = tokio::io::duplex(64);
    let server = tokio::spawn(serve_stream(there, identity(), hub.clone()));
    let length = u32::try_from(LARGEST + 1).expect("it fits").to_be_bytes();
    tokio::io::AsyncWriteExt::write_all(&mut here, &length).await.expect("it is taken");
    assert!(matches!(server.await.expect("it does not panic"), Err(LinkError::TooLarge(_))));
    // Nothing at all.
    let (_here, there) = tokio::io::duplex(64);
    assert!(matches!(serve_stream(there, identity(), hub.clone()).await, Err(LinkError::Silent)));
    // A certificate that ends while it is connected.
    let (here, there) = tokio::io::duplex(1 << 16);
    let until = SystemTime::now() + Duration::from_secs(30);
    let server = tokio::spawn(serve_stream(there, Identity { until, ..identity() }, hub.clone()));
    let (_reader, writer) = tokio::io::split(here);
    let hello = Hello { protocol: crate::PROTOCOL, build: "0".into(), instance: String::new() };
    Writer::new(writer).send(&ToControl { said: Some(Said::Hello(hello)) }).await.expect("it is taken");
    assert!(matches!(server.await.expect("it does not panic"), Err(LinkError::Unexpected(why)) if why.contains("certificate")));
    // Another protocol.
    let (here, there) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(serve_stream(there, identity(), hub));
    let (reader, writer) = tokio::io::split(here);
    let hello = Hello { protocol: 99, build: "9".into(), instance: String::new() };
    Writer::new(writer).send(&ToControl { said: Some(Said::Hello(hello)) }).await.expect("it is taken");
    let told: ToGateway = Reader::new(reader).receive().await.expect("it is told why");
    assert!(matches!(told.told, Some(crate::wire::frame::Told::Refused(it)) if it.why.contains("99")));
    assert!(server.await.expect("it does not panic").is_err());
}

#[test]
fn no_two_ports_of_a_pod_become_one() {
    let asked: BTreeSet<u16> = (1..=1023).chain([8080, 10_080, 11_104, 31_400]).collect();
    let given: BTreeSet<u16> = asked.iter().map(|it| container_port(*it, &asked)).collect();
    assert_eq!(given.len(), asked.len());
    assert!(given.iter().all(|it| *it >= 1024));
    assert_eq!(container_port(80, &[80].into()), 10_080);
    assert_eq!(container_port(8080, &[80].into()), 8080);
    assert_eq!(container_port(80, &[80, 10_080].into()), 11_104);
}
