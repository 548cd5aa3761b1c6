//! A panic costs the connection it happened on.
//!
//! There is no bug to be had for it, so the log brings it about: what listens to it panics at the line that says that this file's backend
//! refused a connection, deep inside an exchange.

use crate::support::{GET, Plan};
use model::{Backend, BackendId};
use std::fmt;
use std::net::TcpListener;
use testkit::client::Close;
use testkit::origin::Origin;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const BACKEND: &str = "demo/panics:80";

struct Trap;

struct Spring;

impl Subscriber for Trap {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("proxy")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Spring);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Spring {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
    fn record_str(&mut self, field: &Field, value: &str) {
        assert!(field.name() != "backend" || value != BACKEND, "as the test wants it");
    }
}

#[test]
fn a_panic_ends_its_connection_and_leaves_nothing_behind() {
    tracing::subscriber::set_global_default(Trap).expect("the only one in these tests");
    let refusing = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let mut plan = Plan::to(&[refusing]);
    plan.backend = Backend::new(BackendId::new(BACKEND));
    // A share that is not given back would be missed.
    plan.backend.limits.connections = 1;
    let gate = plan.start();
    let mut other = gate.open();
    for _ in 0..3 {
        assert_ne!(gate.open().send(GET).closed(), Close::Open);
    }
    testkit::eventually("the connections ended", || (gate.dataplane.connections() == 1).then_some(()));
    let metrics = gate.dataplane.metrics().render();
    assert!(metrics.lines().any(|line| line.contains("panics") && line.ends_with(" 3")), "{metrics}");
    let origin = Origin::recording();
    gate.set_endpoints(&[origin.address()]);
    for _ in 0..3 {
        assert_eq!(other.send(GET).response("GET").status, 200, "the worker and all else go on");
    }
}
