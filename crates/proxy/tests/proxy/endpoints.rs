//! Endpoints that change under load: no request fails, none arrives twice.

use crate::support::{Gate, HOST, Plan, reason};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testkit::client::Connection;
use testkit::origin::{Behaviour, Origin};

#[test]
fn the_last_endpoint_goes_and_comes_back() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    for _ in 0..3 {
        assert_eq!(client.get(HOST, "/").status, 200);
        gate.set_endpoints(&[]);
        let response = client.get(HOST, "/");
        assert_eq!((response.status, reason(&response)), (503, "no-endpoints"));
        gate.set_endpoints(&[origin.address()]);
    }
    assert_eq!(client.get(HOST, "/").status, 200);
}

#[test]
fn a_removed_endpoints_idle_connections_are_closed() {
    let (one, two) = (Origin::recording(), Origin::recording());
    let gate = Plan::to(&[one.address(), two.address()]).start();
    let mut client = gate.open();
    for _ in 0..4 {
        client.get(HOST, "/");
    }
    gate.set_endpoints(&[two.address()]);
    let before = one.requests().len();
    for _ in 0..10 {
        assert_eq!(client.get(HOST, "/").status, 200);
    }
    assert_eq!(one.requests().len(), before);
}

#[test]
fn a_request_under_way_at_a_removed_endpoint_is_finished() {
    let origin = Origin::start(Behaviour::Trickle { octets: 5, pause: Duration::from_millis(60) });
    let other = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send(crate::support::GET);
    origin.wait_for(1);
    gate.set_endpoints(&[other.address()]);
    assert_eq!(client.response("GET").body.len(), 5);
    assert_eq!(client.get(HOST, "/").status, 200);
    assert_eq!(other.requests().len(), 1);
}

/// One client: half of its requests on kept connections, half on new ones, half of them POST. Returns how many it sent.
fn load(gate: &Gate, client: usize, stop: &AtomicBool) -> usize {
    let mut kept = gate.open();
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let name = format!("{client}-{sent}");
        let request = if sent % 2 == 0 {
            format!("GET / HTTP/1.1\r\nHost: gw.test\r\nX-Id: {name}\r\n\r\n")
        } else {
            format!("POST / HTTP/1.1\r\nHost: gw.test\r\nX-Id: {name}\r\nContent-Length: 5\r\n\r\nhello")
        };
        let mut fresh;
        let connection: &mut Connection = if sent % 4 < 2 {
            &mut kept
        } else {
            fresh = gate.open();
            &mut fresh
        };
        assert_eq!(connection.send(request).response("POST").status, 200, "{name}");
        sent += 1;
        thread::sleep(Duration::from_millis(2));
    }
    sent
}

#[test]
fn edits_under_load_fail_no_request_and_repeat_none() {
    let origins: Vec<_> = (0..4).map(|_| Origin::recording()).collect();
    let addresses: Vec<_> = origins.iter().map(Origin::address).collect();
    let mut plan = Plan::to(&addresses);
    plan.workers = 2;
    let gate = plan.start();
    let (stop, total) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for client in 0..4 {
            let (gate, stop, total) = (&gate, &stop, &total);
            scope.spawn(move || total.fetch_add(load(gate, client, stop), Ordering::Relaxed));
        }
        for edit in 0..60 {
            let kept: Vec<_> =
                addresses.iter().enumerate().filter(|(at, _)| (edit >> at) & 1 == 0 || edit % 16 == 15).map(|(_, it)| *it).collect();
            gate.set_endpoints(&kept);
            thread::sleep(Duration::from_millis(15));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let mut copies: HashMap<String, usize> = HashMap::new();
    for request in origins.iter().flat_map(Origin::requests) {
        *copies.entry(request.head.get("x-id").expect("named").to_owned()).or_default() += 1;
    }
    assert_eq!(copies.len(), total.load(Ordering::Relaxed));
    assert!(copies.values().all(|&count| count == 1), "exactly one copy of each");
}
