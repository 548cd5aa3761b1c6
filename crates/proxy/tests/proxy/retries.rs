//! Tries at other endpoints, and what is never tried twice.

use crate::support::{GET, Gate, HOST, Plan, reason};
use model::RetryOn;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
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
    plan.forward = |forward| Arc::make_mut(&mut forward.retries).tries = 2;
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

/// An origin that says 503 so often, then 200.
fn failing(times: usize) -> Origin {
    let left = std::sync::atomic::AtomicUsize::new(times);
    Origin::start(Behaviour::make(move |_, _| {
        let failed = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let status = if failed { "503 Service Unavailable" } else { "200 OK" };
        format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nbody").into_bytes()
    }))
}

fn post(octets: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: gw.test\r\nX-Id: 1\r\nContent-Length: {octets}\r\n\r\n{}", "p".repeat(octets))
}

#[test]
fn a_status_the_route_names_brings_the_next_try_with_the_same_body() {
    for (octets, copies) in [(0, 3), (5, 3), (60_000, 3), (200_000, 1)] {
        let origin = failing(2);
        let mut plan = Plan::to(&[origin.address()]);
        plan.forward = |forward| Arc::make_mut(&mut forward.retries).on = vec![RetryOn::Status(503)];
        let gate = plan.start();
        let response = gate.open().send(post(octets)).response("POST");
        assert_eq!((response.status, origin.copies("x-id", "1")), (if copies == 3 { 200 } else { 503 }, copies), "{octets} octets");
        assert!(origin.requests().iter().all(|it| it.body.len() == octets), "a body is sent whole or not at all");
    }
}

#[test]
fn a_chunked_body_is_sent_again_as_it_was() {
    let origin = failing(1);
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| Arc::make_mut(&mut forward.retries).on = vec![RetryOn::ServerError];
    let gate = plan.start();
    let mut client = gate.open();
    client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    for _ in 0..20 {
        client.send("5\r\nhello\r\n");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(client.send("0\r\n\r\n").response("POST").status, 200);
    let bodies: Vec<_> = origin.requests().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, vec![format!("abc{}", "hello".repeat(20)).into_bytes(); 2]);
}

#[test]
fn an_unwanted_answer_in_the_middle_of_a_body_costs_the_next_endpoint_nothing_of_it() {
    let (hasty, good) = (Origin::start(Behaviour::Early { status: 503 }), Origin::recording());
    let mut plan = Plan::to(&[hasty.address(), good.address()]);
    plan.forward = |forward| Arc::make_mut(&mut forward.retries).on = vec![RetryOn::ServerError];
    let gate = plan.start();
    let request = post(50_000);
    let (first, second) = request.split_at(25_000);
    for _ in 0..4 {
        let mut client = gate.open();
        client.send(first);
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(client.send(second).response("POST").status, 200);
    }
    assert_eq!(good.copies("x-id", "1"), 4);
    assert!(good.requests().iter().all(|it| it.body.len() == 50_000) && good.record().strays.is_empty());
}

#[test]
fn the_last_answer_is_given_when_all_tries_failed() {
    let origin = failing(9);
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| {
        Arc::make_mut(&mut forward.retries).on = vec![RetryOn::ServerError];
        Arc::make_mut(&mut forward.retries).backoff = Some(std::time::Duration::from_millis(20));
    };
    let gate = plan.start();
    let response = gate.open().send(GET).response("GET");
    assert_eq!((response.status, response.text().as_str(), origin.requests().len()), (503, "body", 3));
    assert_eq!(origin.record().connections.len(), 1, "an answer that was there whole leaves its connection");
}

#[test]
fn a_reset_repeats_a_post_only_where_the_route_says_so() {
    for (on, copies) in [(RetryOn::Reset, 1), (RetryOn::SafeReset, 0)] {
        let (bad, good) = (Origin::start(Behaviour::OctetsThenClose(b""[..].into())), Origin::recording());
        let mut plan = Plan::to(&[bad.address(), good.address()]);
        plan.forward = match on {
            RetryOn::Reset => |forward| Arc::make_mut(&mut forward.retries).on = vec![RetryOn::Reset],
            _ => |forward| Arc::make_mut(&mut forward.retries).on = vec![RetryOn::SafeReset],
        };
        let gate = plan.start();
        let statuses: Vec<u16> = (0..2).map(|_| gate.open().send(post(50_000)).response("POST").status).collect();
        assert_eq!(statuses.contains(&502), copies == 0, "{statuses:?}");
        assert_eq!(good.copies("x-id", "1"), 1 + copies);
        assert!(good.requests().iter().all(|it| it.body.len() == 50_000));
    }
}

/// Without a copy at hand, nothing is sent again: half a request would be a wrong one.
#[test]
fn a_put_whose_body_is_gone_is_not_repeated() {
    let (bad, good) = (Origin::start(Behaviour::OctetsThenClose(b""[..].into())), Origin::recording());
    let gate = Plan::to(&[bad.address(), good.address()]).start();
    let put = post(200_000).replace("POST", "PUT");
    let mut statuses: Vec<u16> = (0..2).map(|_| gate.open().send(&put).response("PUT").status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502]);
    assert!(good.record().strays.is_empty() && good.requests().iter().all(|it| it.body.len() == 200_000));
}

#[test]
fn a_try_has_its_own_time() {
    let (silent, good) = (Origin::start(Behaviour::Silent), Origin::recording());
    let mut plan = Plan::to(&[silent.address(), good.address()]);
    plan.forward = |forward| {
        Arc::make_mut(&mut forward.retries).on = vec![RetryOn::Reset];
        Arc::make_mut(&mut forward.retries).per_try = Some(std::time::Duration::from_millis(200));
    };
    let gate = plan.start();
    for _ in 0..2 {
        assert_eq!(gate.open().send(POST).response("POST").status, 200);
    }
    assert_eq!(good.copies("x-id", "1"), 2);
    gate.set_endpoints(&[silent.address()]);
    let response = gate.open().send(POST).response("POST");
    assert_eq!((response.status, reason(&response)), (504, "upstream-timeout"));
}

#[test]
fn with_a_pause_between_tries_the_only_endpoint_is_asked_again() {
    let refusing = Refusing::new();
    let address = refusing.address();
    let mut plan = Plan::to(&[address]);
    plan.forward = |forward| {
        Arc::make_mut(&mut forward.retries).tries = 50;
        Arc::make_mut(&mut forward.retries).backoff = Some(std::time::Duration::from_millis(20));
    };
    let gate = plan.start();
    let mut client = gate.open();
    client.send(POST);
    std::thread::sleep(std::time::Duration::from_millis(50));
    drop(refusing);
    let _origin = Origin::at(address, Behaviour::Answer);
    assert_eq!(client.response("POST").status, 200);
}

#[test]
fn no_condition_is_no_second_try() {
    let (refusing, good) = (Refusing::new(), Origin::recording());
    let mut plan = Plan::to(&[refusing.address(), good.address()]);
    plan.forward = |forward| Arc::make_mut(&mut forward.retries).on.clear();
    let gate = plan.start();
    let mut statuses: Vec<u16> = (0..2).map(|_| gate.open().send(GET).response("GET").status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502]);
}
