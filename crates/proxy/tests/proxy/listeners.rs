//! Sockets that come and go.

use crate::support::{GET, Gate, HOST, Plan, bound, gateway, host, id, named, shard};
use crate::trap;
use model::{Action, Backend, BackendId, Binding, Forward, ListenerProtocol, Reason, Respond, Update};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use testkit::client::Connection;
use testkit::origin::Origin;
use testkit::ports::{self, own_address, own_at};

fn at(gate: &Gate, addresses: &[SocketAddr]) -> model::Ack {
    let gateway = gateway(ListenerProtocol::Http, addresses);
    gate.apply(Update { gateways: vec![(id(), Some(Arc::new(gateway)))], ..Update::default() })
}

#[test]
fn a_new_socket_serves_and_the_old_one_does_not_notice() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.workers = 2;
    let gate = plan.start();
    let mut kept = gate.open();
    kept.get(HOST, "/1");
    let (first, other) = (own_address(), own_at([127, 1, 0, 1]));
    let ack = at(&gate, &[first, other]);
    assert_eq!(bound(&ack).len(), 2, "{ack:?}");
    let ending = kept.get(HOST, "/2");
    assert_eq!((ending.status, ending.get("connection")), (200, Some("close")), "connections outlive their socket by one answer");
    let mut kept = Connection::open(first);
    assert_eq!(kept.get(HOST, "/2").get("connection"), None);
    assert_eq!(Connection::open(other).get(HOST, "/3").status, 200);
    let ack = at(&gate, &[other]);
    assert_eq!(bound(&ack), [other]);
    assert!(TcpStream::connect(first).is_err(), "closed when the change is acknowledged");
    assert_eq!(kept.get(HOST, "/4").get("connection"), Some("close"));
    assert_eq!(bound(&at(&gate, &[first, other]))[0], first, "an address can come back");
}

#[test]
fn a_taken_port_is_told_and_costs_nothing_else() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let holder = ports::listener();
    let taken = holder.local_addr().expect("its address");
    let good = own_address();
    let ack = at(&gate, &[taken, good]);
    let error = ack.bindings[0].bound.clone().expect_err("it is taken");
    assert_eq!(error, format!("{taken} is in use by another process"));
    assert_eq!(ack.bindings[1].bound, Ok(good));
    assert_eq!(Connection::open(good).get(HOST, "/").status, 200);
    drop(holder);
    assert_eq!(bound(&at(&gate, &[taken, good]))[0], taken, "free again, bound with the next change");
}

#[test]
fn two_listeners_at_one_address_are_one_too_many() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let address = own_address();
    let mut both = gateway(ListenerProtocol::Http, &[address]);
    both.listeners.push(both.listeners[0].clone());
    both.listeners[1].name = model::SectionName::new("second");
    let ack = gate.apply(Update { gateways: vec![(id(), Some(Arc::new(both)))], ..Update::default() });
    assert_eq!(ack.bindings[0].bound, Ok(address));
    let error = ack.bindings[1].bound.clone().expect_err("it is taken");
    assert_eq!(error, format!("{address} is taken by listener `web` of gateway demo/gateway"));
}

#[test]
fn an_open_socket_learns_its_new_https_port() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let address = own_address();
    let mut it = gateway(ListenerProtocol::Http, &[]);
    let redirect = model::Filter::HttpsRedirect(model::HttpsRedirect {
        when: model::RedirectWhen::Always,
        status: 308,
        trailing_slash: model::TrailingSlash::Keep,
    });
    let forward = Action::Forward(Forward::to(Arc::new(gate.backend.clone())));
    for (https_port, location) in [(None, "https://gw.test/a?b"), (Some(8443), "https://gw.test:8443/a?b")] {
        it.listeners[0].bindings = vec![Binding { address, https_port }];
        gate.apply(Update {
            gateways: vec![(id(), Some(Arc::new(it.clone())))],
            shards: vec![shard(host(forward.clone(), vec![redirect.clone()]))],
            ..Update::default()
        });
        let response = Connection::open(address).get(HOST, "/a?b");
        assert_eq!((response.status, response.get("location")), (308, Some(location)));
    }
}

#[test]
fn the_next_request_sees_a_change_on_every_worker() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.workers = 3;
    let gate = plan.start();
    let mut clients: Vec<_> = (0..9).map(|_| gate.open()).collect();
    for status in [418, 419, 420] {
        let respond = Action::Respond(Respond { status, reason: Reason::Respond, body: Some("fixed".into()) });
        gate.apply(Update { shards: vec![shard(named(HOST, host(respond, Vec::new())))], ..Update::default() });
        for client in &mut clients {
            let response = client.send(GET).response("GET");
            assert_eq!((response.status, response.text().as_str()), (status, "fixed"));
        }
    }
}

#[test]
fn connections_spread_over_workers() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.workers = 4;
    let gate = plan.start();
    let mut clients: Vec<_> = (0..32).map(|_| gate.open()).collect();
    for client in &mut clients {
        assert_eq!(client.get(HOST, "/").status, 200);
    }
    let loads = gate.dataplane.loads();
    assert!(loads.iter().all(|&load| (6..=10).contains(&load)), "{loads:?}");
}

#[test]
fn what_waits_in_the_queue_of_a_socket_that_goes_is_served() {
    const WAITING: usize = 400;
    trap::set();
    let mut plan = Plan::to(&[own_address()]);
    plan.backend = Backend::new(BackendId::new(trap::SLEEPS));
    let gate = plan.start();
    let address = own_address();
    at(&gate, &[address]);
    // While the only worker is held up, connections gather.
    let mut busy = Connection::open(address);
    busy.send(GET);
    std::thread::sleep(Duration::from_millis(200));
    let mut clients: Vec<_> = (0..WAITING).map(|_| Connection::open(address)).collect();
    assert!(at(&gate, &[]).bindings.is_empty());
    assert_eq!(busy.response("GET").status, 502);
    gate.set_endpoints(&[]);
    for client in &mut clients {
        assert_eq!(client.get(HOST, "/").status, 503);
    }
}
