//! Stopping without cutting anybody off.

use crate::support::{GET, Gate, HOST, Plan};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use testkit::PATIENCE;
use testkit::client::Close;
use testkit::origin::{Behaviour, Origin};

#[test]
fn a_request_under_way_is_finished_and_idle_connections_end() {
    let origin = Origin::start(Behaviour::Trickle { octets: 4, pause: Duration::from_millis(150) });
    let mut plan = Plan::to(&[origin.address()]);
    plan.workers = 2;
    let gate = plan.start();
    let mut idle = gate.open();
    let mut busy = gate.open();
    busy.send(GET);
    origin.wait_for(1);
    let begun = Instant::now();
    thread::scope(|scope| {
        let draining = scope.spawn(|| gate.runtime.block_on(gate.dataplane.drain(PATIENCE)));
        assert_eq!(idle.closed(), Close::Clean);
        assert_eq!(busy.response("GET").body.len(), 4);
        assert_eq!(busy.closed(), Close::Clean);
        draining.join().expect("no panic");
    });
    assert!(begun.elapsed() < PATIENCE, "it ended because all was done");
    assert!(TcpStream::connect(gate.address).is_err());
}

#[test]
fn answers_while_stopping_say_close() {
    let origin = Origin::start(Behaviour::SlowHead { pause: Duration::from_millis(10) });
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send(GET);
    origin.wait_for(1);
    thread::scope(|scope| {
        scope.spawn(|| gate.runtime.block_on(gate.dataplane.drain(PATIENCE)));
        assert_eq!(client.response("GET").get("connection"), Some("close"));
        assert_eq!(client.closed(), Close::Clean);
    });
}

#[test]
fn the_deadline_ends_what_does_not_end() {
    let origin = Origin::start(Behaviour::Silent);
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send(GET);
    origin.wait_for(1);
    gate.runtime.block_on(gate.dataplane.drain(Duration::from_millis(100)));
    assert_ne!(client.closed(), Close::Open);
}

#[test]
fn dropping_it_ends_everything() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.get(HOST, "/");
    drop(gate);
    assert_ne!(client.closed(), Close::Open);
}

#[test]
fn what_cannot_start_says_so_in_a_runtime_too() {
    let options = || proxy::Options { access_log: proxy::Sink::File("/nowhere/at/all/access.log".into()), ..proxy::Options::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let error = runtime.block_on(async { proxy::start(options()).err() });
    assert_eq!(error.map(|error| error.kind()), Some(std::io::ErrorKind::NotFound));
}
