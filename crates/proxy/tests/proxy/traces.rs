//! What requests carry to their backends, and what is told of them.

use crate::support::{GET, Gate, HOST, Plan, gateway, id, loopback};
use model::{Collector, CollectorProtocol, Filter, GatewayOptions, HeaderEdit, ListenerProtocol, Percent, Reason, Scheme, Tracing, Update};
use observe::{TraceContext, Traced};
use std::net::SocketAddr;
use std::sync::Arc;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin, Request};
use testkit::ports::Refusing;

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const PARENT: u64 = 0xb7ad_6b71_6920_3331;

fn options(sampling: u32) -> GatewayOptions {
    let collector = Collector { scheme: Scheme::Http, host: "c.test".into(), port: 4317, protocol: CollectorProtocol::Grpc };
    GatewayOptions { tracing: Some(Arc::new(Tracing { sampling: Percent(sampling), collector })), ..GatewayOptions::default() }
}

/// Sockets that trace from here on as these options have it: where they are now.
fn trace(gate: &Gate, options: GatewayOptions) -> SocketAddr {
    let mut gateway = gateway(ListenerProtocol::Http, &[loopback()]);
    gateway.options = Arc::new(options);
    let ack = gate.apply(Update { gateways: vec![(id(), Some(Arc::new(gateway)))], ..Update::default() });
    crate::support::bound(&ack)[0]
}

/// The next request that was told.
fn told(gate: &Gate) -> Traced {
    let mut all = eventually("a request is told", || Some(gate.dataplane.spans().take()).filter(|it| !it.is_empty()));
    assert_eq!(all.len(), 1, "each is told once");
    all.remove(0)
}

fn context(request: &Request) -> TraceContext {
    let fields: Vec<&str> = request.head.all("traceparent").collect();
    let [field] = fields.as_slice() else { panic!("one traceparent: {fields:?}") };
    TraceContext::parse(field.as_bytes()).unwrap_or_else(|| panic!("{field} is valid"))
}

fn get(at: SocketAddr, fields: &str) {
    get_over(&mut Connection::open(at), fields);
}

fn get_over(connection: &mut Connection, fields: &str) {
    let request = format!("GET /a?secret=1 HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n");
    assert_eq!(connection.send(request).response("GET").status, 200);
}

#[test]
fn a_gateway_that_traces_nothing_leaves_everything_as_it_is() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    get(gate.address, "Traceparent: as it came\r\ntracestate: x\r\n");
    get(gate.address, "");
    let requests = origin.wait_for(2);
    assert_eq!(requests[0].head.all("traceparent").collect::<Vec<_>>(), ["as it came"]);
    assert_eq!(requests[0].head.all("tracestate").collect::<Vec<_>>(), ["x"]);
    assert_eq!(requests[1].head.all("traceparent").count(), 0);
    assert!(gate.dataplane.spans().take().is_empty());
}

#[test]
fn a_trace_begins_at_the_gateway_and_reaches_the_backend() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let at = trace(&gate, options(1_000_000));
    get(at, "User-Agent: tester\r\n");
    let (request, it) = (origin.wait_for(1).remove(0), told(&gate));
    let heard = context(&request);
    let [one] = it.tries.as_slice() else { panic!("one try: {it:?}") };
    assert_eq!((heard.trace, heard.span, heard.sampled), (it.trace, one.span, true), "the backend's parent is the try");
    assert_eq!((it.parent, it.state.as_str()), (None, ""));
    assert!(it.trace != 0 && it.span != 0 && it.span != one.span);
    assert_eq!((it.method.as_str(), it.path.as_str(), it.host.as_str(), it.port, it.status), ("GET", "/a", HOST, 80, 200));
    assert_eq!((it.user_agent.as_str(), it.template.as_deref(), it.reason), ("tester", Some("/"), None));
    assert_eq!(it.route.as_ref().map(|it| it.object.name.to_string()).as_deref(), Some("web"));
    assert_eq!((one.status, one.endpoint, one.path.as_str(), one.backend.as_str()), (200, origin.address(), "/a", "demo/web:80"));
    assert!(one.since <= it.duration && one.duration <= it.duration);
    assert!(!format!("{it:?}").contains("secret"), "no query is told");
    // Another connection's next request is another trace.
    get(at, "");
    assert_ne!(told(&gate).trace, it.trace);
}

#[test]
fn a_trace_that_a_request_brings_goes_on_as_it_says() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let flagged = |flags: &str| format!("traceparent: 00-{TRACE:032x}-{PARENT:016x}-{flags}\r\n");
    // Sampled by whoever sends it, though none would be that begin here.
    let at = trace(&gate, options(0));
    get(at, &(flagged("01") + "tracestate: a=1\r\nTraceState: b=2\r\n"));
    let (request, it) = (origin.wait_for(1).remove(0), told(&gate));
    let heard = context(&request);
    assert_eq!((heard.trace, heard.sampled, it.trace, it.parent), (TRACE, true, TRACE, Some(PARENT)));
    assert_ne!(heard.span, PARENT);
    assert_eq!((request.head.all("tracestate").collect::<Vec<_>>(), it.state.as_str()), (vec!["a=1,b=2"], "a=1,b=2"));
    // And not, though all would be.
    let at = trace(&gate, options(1_000_000));
    get(at, &flagged("00"));
    let heard = context(&origin.wait_for(2)[1]);
    assert_eq!((heard.trace, heard.sampled), (TRACE, false));
    // What is not valid is dropped, its state with it.
    for bad in ["traceparent: 00-0-0-01\r\n".to_owned(), flagged("01") + &flagged("01")] {
        let before = origin.requests().len();
        get(at, &(bad + "tracestate: a=1\r\n"));
        let request = origin.wait_for(before + 1).remove(before);
        let it = told(&gate);
        assert_ne!(context(&request).trace, TRACE);
        assert_eq!((it.parent, request.head.all("tracestate").count(), it.state.as_str()), (None, 0, ""));
    }
}

#[test]
fn what_is_not_sampled_is_carried_and_not_told() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let at = trace(&gate, options(0));
    let mut client = Connection::open(at);
    for _ in 0..20 {
        get_over(&mut client, "");
    }
    let requests = origin.wait_for(20);
    assert!(requests.iter().all(|it| !context(it).sampled));
    // A half is neither none nor all: of 200, none but one in 2^100 runs is outside these bounds.
    let at = trace(&gate, options(500_000));
    let mut client = Connection::open(at);
    for _ in 0..200 {
        get_over(&mut client, "");
    }
    let sampled = origin.wait_for(220)[20..].iter().filter(|it| context(it).sampled).count();
    assert!((10..190).contains(&sampled), "{sampled} of 200");
    let mut told = gate.dataplane.spans().take().len();
    eventually("those that are sampled are told", || {
        told += gate.dataplane.spans().take().len();
        (told == sampled).then_some(())
    });
}

#[test]
fn each_try_has_a_span_and_the_backend_hears_of_its_own() {
    let (bad, refusing, good) = (Origin::start(Behaviour::CloseAtOnce), Refusing::new(), Origin::recording());
    let mut plan = Plan::to(&[bad.address(), refusing.address(), good.address()]);
    plan.forward = |forward| {
        let retries = Arc::make_mut(&mut forward.retries);
        retries.tries = 3;
    };
    let gate = plan.start();
    let at = trace(&gate, options(1_000_000));
    let mut most = 0;
    for _ in 0..12 {
        let before = good.requests().len();
        get(at, "");
        let it = told(&gate);
        let (last, failed) = it.tries.split_last().expect("a try");
        assert_eq!((last.status, last.reason, last.endpoint), (200, None, good.address()));
        let heard = context(&good.wait_for(before + 1)[before]);
        assert_eq!((heard.span, heard.trace), (last.span, it.trace));
        for one in failed {
            let expect = if one.endpoint == bad.address() { Reason::UpstreamReset } else { Reason::ConnectFailed };
            assert_eq!((one.status, one.reason), (0, Some(expect)), "{one:?}");
            assert_ne!(one.span, last.span);
        }
        most = most.max(it.tries.len());
    }
    assert!(most > 1, "a request met one of those that fail");
    let heads: Vec<String> = bad.record().connections.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    assert!(heads.iter().all(|it| it.contains("traceparent: 00-")), "{heads:?}");
}

#[test]
fn what_the_gateway_answers_by_itself_is_told_too() {
    let gate = Plan::to(&[]).start();
    let at = trace(&gate, options(1_000_000));
    assert_eq!(Connection::open(at).send(GET).response("GET").status, 503);
    let it = told(&gate);
    assert_eq!((it.status, it.reason, it.tries.len()), (503, Some(Reason::NoEndpoints), 0));
    assert!(it.route.is_some());
}

#[test]
fn a_filter_that_sets_the_field_has_its_way() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![Filter::RequestHeader(HeaderEdit::Set { name: "traceparent".into(), value: "mine".into() })];
    let gate = plan.start();
    let at = trace(&gate, options(1_000_000));
    get(at, &format!("traceparent: 00-{TRACE:032x}-{PARENT:016x}-01\r\n"));
    assert_eq!(origin.wait_for(1)[0].head.all("traceparent").collect::<Vec<_>>(), ["mine"]);
    assert_eq!(told(&gate).parent, Some(PARENT));
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![Filter::RequestHeader(HeaderEdit::Set { name: "x-other".into(), value: "1".into() })];
    let gate = plan.start();
    get(trace(&gate, options(1_000_000)), "traceparent: bad\r\n");
    let (request, it) = (origin.wait_for(2).remove(1), told(&gate));
    assert_eq!((context(&request).span, request.head.all("x-other").count()), (it.tries[0].span, 1));
}
