//! Waits that end. Every bound is short here, and every test would hang without it.

use crate::support::{GET, Plan, reason};
use std::net::SocketAddr;
use std::time::Duration;
use testkit::client::Close;
use testkit::origin::{Behaviour, Origin};

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_silent_backend_is_a_504() {
    let origin = Origin::start(Behaviour::Silent);
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| forward.timeouts.read = SHORT;
    let gate = plan.start();
    let mut client = gate.open();
    let response = client.send(GET).response("GET");
    assert_eq!((response.status, reason(&response)), (504, "upstream-timeout"));
    origin.behave(Behaviour::Answer);
    assert_eq!(client.send(GET).response("GET").status, 200, "the client's connection goes on");
}

#[test]
fn a_bound_for_the_whole_exchange_counts_in_total() {
    let origin = Origin::start(Behaviour::SlowHead { pause: Duration::from_millis(20) });
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| forward.timeouts.request = Some(SHORT);
    let gate = plan.start();
    let response = gate.open().send(GET).response("GET");
    assert_eq!((response.status, reason(&response)), (504, "upstream-timeout"));
}

#[test]
fn a_slow_backend_that_goes_on_is_waited_for() {
    let origin = Origin::start(Behaviour::Trickle { octets: 12, pause: Duration::from_millis(50) });
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| forward.timeouts.read = Duration::from_millis(300);
    let response = plan.start().open().send(GET).response("GET");
    assert_eq!(response.body.len(), 12, "600 ms in all, never 300 in silence");
}

#[test]
fn a_client_that_does_not_finish_its_head_gets_a_408() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.limits.header = SHORT;
    let gate = plan.start();
    let mut client = gate.open();
    let response = client.send("GET / HTTP/1.1\r\nHost: gw.te").response("GET");
    assert_eq!((response.status, reason(&response)), (408, "request-timeout"));
    assert_eq!(client.closed(), Close::Clean);
}

#[test]
fn a_silent_client_is_let_go() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    (plan.limits.header, plan.limits.idle) = (SHORT, SHORT);
    let gate = plan.start();
    assert_eq!(gate.open().closed(), Close::Clean);
    let mut kept = gate.open();
    assert_eq!(kept.send(GET).response("GET").status, 200);
    assert_eq!(kept.closed(), Close::Clean);
}

#[test]
fn a_body_that_stops_coming_ends_the_exchange() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| forward.timeouts.read = SHORT;
    let gate = plan.start();
    let mut client = gate.open();
    let response = client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 10\r\n\r\nhello").response("POST");
    assert_eq!(response.status, 504);
    assert!(origin.requests().is_empty());
}

#[test]
fn a_client_that_stops_reading_is_let_go() {
    let origin = Origin::start(Behaviour::body(vec![b'x'; 32 << 20]));
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| forward.timeouts.read = SHORT;
    let gate = plan.start();
    let mut client = gate.open();
    client.send(GET);
    origin.wait_for(1);
    testkit::eventually("the connection ends", || (gate.dataplane.connections() == 0).then_some(()));
    assert!(client.rest().len() < 32 << 20);
}

#[test]
fn a_client_that_leaves_a_quiet_answer_is_noticed() {
    let promised = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".as_slice();
    let origin = Origin::start(Behaviour::Octets(promised.into()));
    let gate = Plan::to(&[origin.address()]).start();
    for reset in [true, false] {
        let mut client = gate.open();
        client.send(GET).exactly(promised.len()).expect("what there is");
        if reset {
            client.reset().expect("a socket");
        } else {
            drop(client);
        }
        // Well before the backend's silence, of a minute, would end it.
        testkit::eventually("the connection ends", || (gate.dataplane.connections() == 0).then_some(()));
    }
}

/// A socket that accepts no connection, and what keeps it so.
fn deaf() -> (SocketAddr, Vec<socket2::Socket>) {
    let new = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let listener = new();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).and_then(|()| listener.listen(0)).expect("a port");
    let address = listener.local_addr().ok().and_then(|address| address.as_socket()).expect("its address");
    let mut all = vec![listener];
    for _ in 0..4 {
        let filling = new();
        // The queue takes one or two of them.
        let _ = filling.connect_timeout(&address.into(), SHORT);
        all.push(filling);
    }
    (address, all)
}

#[test]
fn a_bound_for_the_whole_exchange_counts_connecting_too() {
    let origin = Origin::recording();
    let (address, _keeping) = deaf();
    let mut plan = Plan::to(&[address, origin.address()]);
    plan.forward = |forward| forward.timeouts.request = Some(SHORT);
    let gate = plan.start();
    let mut client = gate.open();
    // One of them goes to the deaf one first, and has no time left for the other then.
    let mut statuses = [client.get("gw.test", "/").status, client.get("gw.test", "/").status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 504]);
}

#[test]
fn a_client_that_has_ended_its_side_is_not_waited_for_long_at_any_of_its_requests() {
    let origin = Origin::start(Behaviour::make(|head, _| {
        if head.target() == "/last" {
            return Vec::new();
        }
        // Long enough for the end of the client's side to be noticed.
        std::thread::sleep(SHORT);
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()
    }));
    let gate = Plan::to(&[origin.address()]).start();
    let mut client = gate.open();
    client.send("GET / HTTP/1.1\r\nHost: gw.test\r\n\r\nGET /last HTTP/1.1\r\nHost: gw.test\r\n\r\n").finish();
    origin.wait_for(2);
    // Well before the backend's silence, of a minute, would end it.
    testkit::eventually("the connection ends", || (gate.dataplane.connections() == 0).then_some(()));
}
