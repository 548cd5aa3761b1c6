//! Tries at other endpoints, and what is never tried twice.

use crate::support::{GET, Gate, HOST, Plan, reason};
use std::sync::Arc;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::Refusing;

const POST: &str = "POST / HTTP/1.1\r\nHost: gw.test\r\nX-Id: 1\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn a_refused_connection_leads_to_the_next_endpoint_for_any_method() {
    let (origin, refusing) = (Origin::recording(), Refusing::new());
    let gate = Plan::to(&[refusing.address(), origin.address()]).start();
    for request in [GET, POST, GET, POST] {
        assert_eq!(gate.open().send(request).response("GET").status, 200);
    }
    assert_eq!(origin.copies("x-id", "1"), 2);
}

#[test]
fn nobody_accepts_is_a_502_at_once_and_over_when_somebody_does() {
    let refusing = Refusing::new();
    let gate = Plan::to(&[refusing.address()]).start();
    for request in [GET, POST] {
        let response = gate.open().send(request).response("GET");
        assert_eq!((response.status, reason(&response)), (502, "connect-failed"));
    }
    let address = refusing.address();
    drop(refusing);
    let origin = Origin::at(address, Behaviour::Answer);
    assert_eq!(gate.open().send(POST).response("POST").status, 200);
    drop(origin);
}

#[test]
fn own_and_link_local_addresses_are_refused() {
    let gate = Plan::to(&["169.254.169.254:80".parse().expect("an address")]).start();
    let response = gate.open().send(GET).response("GET");
    assert_eq!((response.status, reason(&response)), (502, "connect-failed"));
}

/// A POST that meets the end of a kept connection on the wire may fail: nobody can know whether it was taken. It is never sent twice.
#[test]
fn a_closed_kept_connection_costs_no_get_and_repeats_no_post() {
    let origin = Origin::start(Behaviour::CloseAfterAnswer);
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let mut served = 0;
    for at in 0..40_u64 {
        assert_eq!(client.send(GET).response("GET").status, 200, "request {at}");
        std::thread::sleep(std::time::Duration::from_millis(at % 5 * 4));
        let id = format!("{at}");
        let post = format!("POST / HTTP/1.1\r\nHost: gw.test\r\nX-Id: {id}\r\nContent-Length: 5\r\n\r\nhello");
        let status = client.send(post).response("POST").status;
        assert!(origin.copies("x-id", &id) <= 1 && (status == 200 || status == 502), "POST {at}: {status}");
        served += usize::from(status == 200 && origin.copies("x-id", &id) == 1);
    }
    assert!(served > 0, "where the end had arrived before, another connection is taken");
}

#[test]
fn an_idempotent_request_goes_to_another_endpoint_and_a_post_does_not() {
    let (bad, good) = (Origin::start(Behaviour::CloseAtOnce), Origin::recording());
    let gate = Plan::to(&[bad.address(), good.address()]).start();
    for _ in 0..6 {
        assert_eq!(gate.open().send(GET).response("GET").status, 200);
    }
    let statuses: Vec<u16> = (0..6).map(|_| gate.open().send(POST).response("POST").status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&502), "{statuses:?}");
    assert_eq!(good.copies("x-id", "1"), statuses.iter().filter(|&&status| status == 200).count());
}

#[test]
fn a_reset_instead_of_an_answer_is_a_502() {
    let origin = Origin::start(Behaviour::ResetAtOnce);
    let gate = Gate::to(&origin);
    for request in [GET, POST] {
        let response = gate.open().send(request).response("GET");
        assert_eq!((response.status, reason(&response)), (502, "upstream-reset"));
    }
}

#[test]
fn tries_are_counted() {
    let origins: Vec<_> = (0..4).map(|_| Origin::start(Behaviour::CloseAtOnce)).collect();
    let addresses: Vec<_> = origins.iter().map(Origin::address).collect();
    let mut plan = Plan::to(&addresses);
    plan.forward = |forward| forward.retries.tries = 2;
    let gate = plan.start();
    assert_eq!(gate.open().send(GET).response("GET").status, 502);
    let connections: usize = origins.iter().map(|origin| origin.record().connections.len()).sum();
    assert_eq!(connections, 2);
}

#[test]
fn a_canary_without_endpoints_gives_way_to_the_first() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| {
        let canary = Arc::new(model::Backend::new(model::BackendId::new("demo/canary:80")));
        forward.backends.push(model::WeightedBackend { filters: Vec::new(), backend: Some(canary), weight: 1_000_000 });
        forward.spill = model::Spill::ToFirst;
    };
    assert_eq!(plan.start().open().get(HOST, "/").status, 200);
}

#[test]
fn an_unresolved_backend_answers_as_the_route_says() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| {
        forward.backends[0].backend = None;
        forward.unresolved = 500;
    };
    let response = plan.start().open().get(HOST, "/");
    assert_eq!((response.status, reason(&response)), (500, "no-backend"));
}

#[test]
fn a_silent_endpoint_gives_way_for_what_may_be_sent_twice() {
    let (silent, good) = (Origin::start(Behaviour::Silent), Origin::recording());
    let mut plan = Plan::to(&[silent.address(), good.address()]);
    plan.forward = |forward| forward.timeouts.read = std::time::Duration::from_millis(200);
    let gate = plan.start();
    for _ in 0..3 {
        assert_eq!(gate.open().send(GET).response("GET").status, 200);
    }
    let statuses: Vec<u16> = (0..4).map(|_| gate.open().send(POST).response("POST").status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&504), "{statuses:?}");
}
