//! Endpoints come and go: the answer changes at once, and edits under load cost no request.

use crate::harness::{Up, chance, word};
use crate::load::Load;
use crate::objects::{bare_service, namespace, service, simple, slice};
use std::net::SocketAddr;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

#[test]
fn lost_refusing_and_back() {
    let rng = &mut chance("lost_refusing_and_back");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let one = Origin::recording();
    let address = one.address();
    up.apply(&[
        namespace(&project),
        bare_service(&project, "web"),
        slice(&project, "web", &[address]),
        simple(&project, "web", &host, "web"),
    ]);
    up.until(&host, "/", "served", |it| it.status == 200);

    up.apply(&[slice(&project, "web", &[])]);
    let answer = up.until(&host, "/", "no endpoint", |it| it.status == 503);
    assert_eq!(answer.get("x-paifang-reason"), Some("no-endpoints"));

    up.apply(&[slice(&project, "web", &[address])]);
    up.until(&host, "/", "back", |it| it.status == 200);

    drop(one);
    let answer = up.until(&host, "/", "refused", |it| it.status == 502);
    assert_eq!(answer.get("x-paifang-reason"), Some("connect-failed"));

    let _back = Origin::at(address, Behaviour::Answer);
    up.until(&host, "/", "back", |it| it.status == 200);

    up.kubectl(&["-n", &project, "delete", "endpointslice", "web-hand"], "").expect("it is deleted");
    up.until(&host, "/", "no endpoint", |it| it.status == 503);
}

#[test]
fn annotated_endpoints_follow_their_service() {
    let rng = &mut chance("annotated_endpoints_follow_their_service");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let (one, two) = (Origin::start(Behaviour::body("one")), Origin::start(Behaviour::body("two")));
    let slices = || up.get(&["endpointslices", "-n", &project]).map_or(0, |it| it["items"].as_array().map_or(0, Vec::len));
    up.apply(&[namespace(&project), service(&project, "web", &[one.address()]), simple(&project, "web", &host, "web")]);
    up.until(&host, "/", "one", |it| it.text() == "one");
    up.apply(&[service(&project, "web", &[two.address()])]);
    up.until(&host, "/", "two", |it| it.text() == "two");
    eventually("the first slice is gone", || (slices() == 1).then_some(()));

    up.kubectl(&["-n", &project, "delete", "endpointslices", "--all"], "").expect("they are deleted");
    eventually("it is made again", || (slices() == 1).then_some(()));
    up.until(&host, "/", "two again", |it| it.text() == "two");

    up.kubectl(&["-n", &project, "delete", "service", "web"], "").expect("it is deleted");
    eventually("no slice is left behind", || (slices() == 0).then_some(()));
    up.until(&host, "/", "without its Service", |it| it.status == 503);
    up.event(&project, "web", &["ServiceNotFound"]);
}

/// 200 requests a second over reused and new connections, a third of them POSTs, while the slice is edited again and again.
#[test]
fn edits_under_load_fail_no_request() {
    let rng = &mut chance("edits_under_load_fail_no_request");
    let (up, project, host) = (Up::start(&[]), word(rng), format!("{}.example", word(rng)));
    let origins: Vec<Origin> = (0..3).map(|_| Origin::recording()).collect();
    // Each has a port of its own, so each gets a slice of its own: slices come and go with every edit.
    let addresses: Vec<SocketAddr> = origins.iter().map(Origin::address).collect();
    up.apply(&[namespace(&project), service(&project, "web", &addresses), simple(&project, "web", &host, "web")]);
    up.until(&host, "/", "served", |it| it.status == 200);

    let load = Load::start(up.front(), &host, 200);
    for _ in 0..12 {
        let kept = rng.usize(1..=3);
        let mut some = addresses.clone();
        rng.shuffle(&mut some);
        up.apply(&[service(&project, "web", &some[..kept])]);
    }
    let sent = load.finish();
    assert!(sent.failures.is_empty(), "of {}: {:?}", sent.ids.len(), sent.failures);
    assert!(sent.ids.len() > 200, "only {} requests were sent", sent.ids.len());
    let seen: Vec<String> = origins.iter().flat_map(Origin::requests).filter_map(|it| it.head.get("x-id").map(str::to_owned)).collect();
    for id in &sent.ids {
        assert_eq!(seen.iter().filter(|it| *it == id).count(), 1, "copies of {id}");
    }
    assert!(origins.iter().all(|it| it.record().strays.is_empty()));
}
