//! Copies of requests.

use crate::support::{GET, Gate, Plan, endpoints};
use model::{Backend, BackendId, Filter, HeaderEdit, Mirror, Percent, Update};
use std::net::SocketAddr;
use std::sync::Arc;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::Refusing;

fn backend(name: &str) -> Backend {
    Backend::new(BackendId::new(format!("demo/{name}:80")))
}

fn to(name: &str, percent: Percent) -> Filter {
    Filter::Mirror(Mirror { backend: Some(Arc::new(backend(name))), percent })
}

fn mirrored(main: &Origin, mirrors: &[(&str, SocketAddr)], filters: Vec<Filter>) -> Gate {
    let mut plan = Plan::to(&[main.address()]);
    plan.filters = filters;
    let gate = plan.start();
    let endpoints = mirrors.iter().map(|(name, address)| endpoints(&backend(name), &[*address])).collect();
    gate.apply(Update { endpoints, ..Update::default() });
    gate
}

fn counter(gate: &Gate, name: &str) -> u64 {
    let text = gate.dataplane.metrics().render();
    let lines = text.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
}

#[test]
fn each_mirror_gets_the_whole_request_as_the_backend_does() {
    let (main, one, two) = (Origin::recording(), Origin::recording(), Origin::recording());
    let edit = HeaderEdit::Set { name: "x-edited".into(), value: "yes".into() };
    let filters = vec![Filter::RequestHeader(edit), to("one", Percent::ALL), to("two", Percent::ALL), to("none", Percent(0))];
    let gate = mirrored(&main, &[("one", one.address()), ("two", two.address())], filters);
    let mut client = gate.open();
    let chunks: String = (0..40).map(|_| format!("1000\r\n{}\r\n", "x".repeat(4096))).collect();
    let chunked = format!("POST /b HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let long = format!("PUT /c HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 300000\r\n\r\n{}", "y".repeat(300_000));
    for (request, method) in [(GET, "GET"), (&*chunked, "POST"), (&*long, "PUT")] {
        assert_eq!(client.send(request).response(method).status, 200);
    }
    let all = main.requests();
    for mirror in [one, two] {
        let copies = mirror.wait_for(3);
        for it in &all {
            let same = |copy: &&testkit::origin::Request| copy.head_octets == it.head_octets && copy.body == it.body;
            assert_eq!(copies.iter().filter(same).count(), 1, "{}", it.head.target());
        }
    }
    testkit::eventually("all are counted", || (counter(&gate, "paifang_upstream_mirrored_total") == 6).then_some(()));
    assert_eq!(counter(&gate, "paifang_upstream_mirrors_dropped_total"), 0);
}

#[test]
fn a_mirror_that_is_silent_broken_or_gone_changes_nothing() {
    let main = Origin::recording();
    let (silent, broken, gone) = (Origin::start(Behaviour::Silent), Origin::start(Behaviour::ResetAtOnce), Refusing::new());
    let addresses = [("silent", silent.address()), ("broken", broken.address()), ("gone", gone.address())];
    let filters = ["silent", "broken", "gone", "unknown"].map(|name| to(name, Percent::ALL)).to_vec();
    let gate = mirrored(&main, &addresses, filters);
    let mut client = gate.open();
    for _ in 0..5 {
        assert_eq!(client.send(GET).response("GET").status, 200);
    }
    assert_eq!(main.requests().len(), 5);
    // Those that nobody answers in time are counted later.
    testkit::eventually("the others are counted", || (counter(&gate, "paifang_upstream_mirrors_dropped_total") >= 15).then_some(()));
}

#[test]
fn a_body_beyond_the_bound_is_not_mirrored_and_arrives() {
    let (main, mirror) = (Origin::recording(), Origin::recording());
    let gate = mirrored(&main, &[("one", mirror.address())], vec![to("one", Percent::ALL)]);
    let body = "z".repeat(3 << 20);
    let request = format!("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(gate.open().send(request).response("POST").status, 200);
    assert_eq!(main.requests()[0].body.len(), body.len());
    testkit::eventually("it is counted", || (counter(&gate, "paifang_upstream_mirrors_dropped_total") == 1).then_some(()));
    assert!(mirror.requests().is_empty());
}

#[test]
fn copies_under_way_are_bounded() {
    let (main, silent) = (Origin::recording(), Origin::start(Behaviour::Silent));
    let gate = mirrored(&main, &[("silent", silent.address())], vec![to("silent", Percent::ALL)]);
    let mut client = gate.open();
    for _ in 0..300 {
        assert_eq!(client.send(GET).response("GET").status, 200);
    }
    // Of 300 at once 256 may be.
    testkit::eventually("the rest is counted", || (counter(&gate, "paifang_upstream_mirrors_dropped_total") >= 44).then_some(()));
    assert!(silent.record().connections.len() <= 256);
}
