//! A panic costs the connection it happened on.

use crate::support::{GET, Plan};
use crate::trap;
use model::{Backend, BackendId};
use testkit::client::Close;
use testkit::origin::Origin;
use testkit::ports::Refusing;

#[test]
fn a_panic_ends_its_connection_and_leaves_nothing_behind() {
    trap::set();
    let refusing = Refusing::new();
    let mut plan = Plan::to(&[refusing.address()]);
    plan.backend = Backend::new(BackendId::new(trap::PANICS));
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
