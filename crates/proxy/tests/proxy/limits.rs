//! How many connections there may be, on both sides.

use crate::support::{GET, HOST, Plan, reason};
use std::time::Duration;
use testkit::origin::{Behaviour, Origin};

#[test]
fn connections_of_one_client_are_bounded() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.limits.connections_per_client = 2;
    plan.workers = 2;
    let gate = plan.start();
    let (mut one, mut two) = (gate.open(), gate.open());
    assert_eq!((one.get(HOST, "/").status, two.get(HOST, "/").status), (200, 200));
    let mut third = gate.open();
    assert!(third.send(GET).any_response("GET").is_err_and(|error| error.is_closed()));
    drop(one);
    testkit::eventually("room again", || gate.open().send(GET).any_response("GET").ok());
}

#[test]
fn connections_to_a_backend_are_bounded_over_all_workers() {
    let origin = Origin::start(Behaviour::Trickle { octets: 2, pause: Duration::from_millis(400) });
    let mut plan = Plan::to(&[origin.address()]);
    plan.backend.limits.connections = 3;
    plan.workers = 2;
    let gate = plan.start();
    let mut clients: Vec<_> = (0..6).map(|_| gate.open()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    let mut answers: Vec<_> = clients.iter_mut().map(|client| client.response("GET")).collect();
    answers.sort_by_key(|answer| answer.status);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 503, 503, 503]);
    assert_eq!(reason(&answers[5]), "overflow");
    assert_eq!(origin.record().connections.len(), 3);
}

#[test]
fn a_limit_of_one_is_enough_for_one_after_the_other_on_any_worker() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.backend.limits.connections = 1;
    plan.workers = 2;
    let gate = plan.start();
    let mut clients: Vec<_> = (0..4).map(|_| gate.open()).collect();
    for at in 0..20 {
        assert_eq!(clients[at % 4].get(HOST, "/").status, 200, "request {at}");
    }
}
