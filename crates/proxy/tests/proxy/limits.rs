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

#[test]
fn requests_to_a_backend_are_bounded_over_all_workers() {
    let origin = Origin::start(Behaviour::Trickle { octets: 2, pause: Duration::from_millis(400) });
    let mut plan = Plan::to(&[origin.address()]);
    plan.backend.limits.requests = 3;
    plan.workers = 2;
    let gate = plan.start();
    let mut clients: Vec<_> = (0..6).map(|_| gate.open()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    let mut statuses: Vec<u16> = clients.iter_mut().map(|client| client.response("GET").status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 503, 503, 503]);
    let again = clients[0].send(GET).response("GET");
    assert_eq!(again.status, 200, "{}", reason(&again));
}

#[test]
fn so_many_requests_may_wait_for_a_connection() {
    let origin = Origin::start(Behaviour::Trickle { octets: 2, pause: Duration::from_millis(150) });
    let mut plan = Plan::to(&[origin.address()]);
    plan.backend.limits.connections = 1;
    plan.backend.limits.pending = 3;
    plan.workers = 2;
    let gate = plan.start();
    let mut clients: Vec<_> = (0..6).map(|_| gate.open()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    let mut answers: Vec<_> = clients.iter_mut().map(|client| client.response("GET")).collect();
    answers.sort_by_key(|answer| answer.status);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 503, 503]);
    assert_eq!(reason(&answers[5]), "overflow");
}

#[test]
fn a_connection_is_used_for_so_many_requests() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.backend.limits.requests_per_connection = Some(2);
    let gate = plan.start();
    let mut client = gate.open();
    for _ in 0..6 {
        assert_eq!(client.get(HOST, "/").status, 200);
    }
    let connections: Vec<usize> = origin.requests().iter().map(|it| it.connection).collect();
    assert_eq!(connections, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn a_backend_says_how_long_connecting_may_take() {
    // A full queue of a socket that nobody accepts from: further connections are not answered.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&crate::support::loopback().into()).expect("bound");
    socket.listen(0).expect("it listens");
    let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("its address");
    let attempt = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200));
    let _queued: Vec<_> = std::iter::from_fn(|| attempt().ok()).take(16).collect();
    let mut plan = Plan::to(&[address]);
    plan.backend.limits.connect = Some(Duration::from_millis(200));
    let gate = plan.start();
    let response = gate.open().send(GET).response("GET");
    assert_eq!((response.status, reason(&response)), (504, "connect-timeout"));
}
