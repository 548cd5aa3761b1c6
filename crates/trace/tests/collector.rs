//! To real collectors, over real sockets: what arrives, and what becomes of it where nobody listens.

use model::{
    BackendId, Collector as To, CollectorProtocol, Egress, GatewayId, ObjectRef, Percent, Reason, Scheme, SectionName, Source, Tracing,
};
use observe::{Metrics, Spans, Traced, Try};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::collector::{Collector, Span};
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::Refusing;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tonic::Code;
use trace::{Exporter, Faults};

/// An exporter that runs.
struct Running {
    spans: Arc<Spans>,
    metrics: Arc<Metrics>,
    wanted: Arc<Mutex<BTreeSet<To>>>,
    faults: watch::Receiver<Faults>,
    stop: Option<oneshot::Sender<()>>,
    runtime: Runtime,
    task: tokio::task::JoinHandle<()>,
}

fn to(address: SocketAddr, protocol: CollectorProtocol) -> To {
    To { scheme: Scheme::Http, host: address.ip().to_string().into(), port: address.port(), protocol }
}

fn start(egress: Egress) -> Running {
    let metrics = Metrics::new(1);
    let (spans, wanted) = (Spans::new(1, metrics.clone()), Arc::new(Mutex::new(BTreeSet::new())));
    let (egress, named) = (Arc::new(egress), wanted.clone());
    let exporter = Exporter {
        spans: spans.clone(),
        metrics: metrics.clone(),
        instance: "here".into(),
        egress: Arc::new(move || egress.clone()),
        wanted: Box::new(move || named.lock().expect("nobody panics").clone()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (told, faults) = watch::channel(Faults::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let task = runtime.spawn(exporter.run(told, async move { drop(stopped.await) }));
    Running { spans, metrics, wanted, faults, stop: Some(stop), runtime, task }
}

impl Running {
    fn want(&self, all: impl IntoIterator<Item = To>) {
        *self.wanted.lock().expect("nobody panics") = all.into_iter().collect();
    }

    fn put(&self, it: Traced) {
        self.spans.put(0, it);
    }

    fn count(&self, name: &str) -> u64 {
        let text = self.metrics.render();
        let line = text.lines().find_map(|it| it.strip_prefix(&format!("paifang_trace_{name}_total "))).expect("it is counted");
        line.parse::<f64>().expect("a number") as u64
    }

    fn until_fault(&self, of: &To, words: &str) {
        eventually(&format!("{of}: {words}"), || self.faults.borrow().get(of).filter(|it| it.contains(words)).map(drop));
    }
}

fn traced(to: &To, trace: u128) -> Traced {
    let one = |span: u64, status: u16, reason: Option<Reason>| Try {
        span,
        since: Duration::from_millis(1),
        duration: Duration::from_millis(2),
        backend: BackendId::new("demo/web:80"),
        endpoint: ([10, 0, 0, 1], 8080).into(),
        path: "/b".into(),
        status,
        reason,
    };
    Traced {
        tracing: Arc::new(Tracing { sampling: Percent::ALL, collector: to.clone() }),
        trace,
        span: 0xaa,
        parent: Some(0xbb),
        state: "a=1".into(),
        started: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        duration: Duration::from_millis(5),
        client: [192, 0, 2, 7].into(),
        peer: ([10, 1, 1, 1], 5555).into(),
        method: "GET".into(),
        scheme: "http",
        host: "shop.test".into(),
        port: 80,
        path: "/a".into(),
        version: "1.1",
        user_agent: "tester".into(),
        request_id: "r1".into(),
        status: 200,
        reason: None,
        received: 0,
        sent: 12,
        gateway: GatewayId::new("demo/router"),
        listener: SectionName::new("http"),
        route: Some(Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: "spec.rules[0]".into() }),
        template: Some("/".into()),
        tries: vec![one(1, 0, Some(Reason::ConnectFailed)), one(2, 200, None)],
    }
}

fn said<'a>(span: &'a Span, keys: &[&str]) -> Vec<&'a str> {
    keys.iter().map(|it| span.attribute(it)).collect()
}

#[test]
fn a_collector_is_told_in_the_words_of_the_conventions() {
    let (collector, running) = (Collector::start(), start(Egress::default()));
    let to = to(collector.address(), CollectorProtocol::Grpc);
    running.want([to.clone()]);
    running.put(traced(&to, 7));
    running.put(Traced { status: 503, reason: Some(Reason::NoEndpoints), tries: Vec::new(), parent: None, ..traced(&to, 8) });
    running.put(Traced { method: "BREW".into(), status: 404, reason: Some(Reason::NoRoute), tries: Vec::new(), ..traced(&to, 9) });
    running.put(Traced { status: 0, tries: Vec::new(), gateway: GatewayId::new("shop/own"), ..traced(&to, 10) });
    let all = eventually("all spans", || Some(collector.spans()).filter(|it| it.len() == 6));
    let of = |trace: u128| all.iter().filter(move |it| it.trace == format!("{trace:032x}")).collect::<Vec<_>>();
    let spans = of(7);
    let [root, first, second] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((root.name.as_str(), root.kind, root.status, root.state.as_str()), ("GET /", 2, 0, "a=1"));
    assert_eq!((root.id.as_str(), root.parent.as_str(), root.flags), ("00000000000000aa", "00000000000000bb", 0x301));
    assert_eq!(root.ended - root.began, 5_000_000);
    let keys =
        ["http.request.method", "url.scheme", "url.path", "server.address", "server.port", "http.response.status_code", "http.route"];
    assert_eq!(said(root, &keys), ["GET", "http", "/a", "shop.test", "80", "200", "/"]);
    let keys = ["client.address", "network.peer.address", "user_agent.original", "error.type", "http.response.body.size"];
    assert_eq!(said(root, &keys), ["192.0.2.7", "10.1.1.1", "tester", "", "12"]);
    let keys = ["paifang.route.kind", "paifang.route.namespace", "paifang.route.name", "paifang.route.rule", "paifang.request_id"];
    assert_eq!(said(root, &keys), ["Ingress", "demo", "web", "spec.rules[0]", "r1"]);
    let resource = ["service.name", "service.namespace", "service.instance.id"].map(|it| root.resource[it].as_str());
    assert_eq!(resource, ["router", "demo", "here"]);
    for (it, id) in [(first, "0000000000000001"), (second, "0000000000000002")] {
        assert_eq!((it.name.as_str(), it.kind, it.id.as_str(), it.parent.as_str(), it.flags), ("GET", 3, id, root.id.as_str(), 0x101));
        assert_eq!((it.began - root.began, it.ended - it.began), (1_000_000, 2_000_000));
        assert_eq!(said(it, &["url.full", "server.address", "server.port"]), ["http://10.0.0.1:8080/b", "10.0.0.1", "8080"]);
    }
    assert_eq!((first.status, said(first, &["error.type", "http.request.resend_count"])), (2, vec!["connect-failed", ""]));
    let keys = ["error.type", "http.request.resend_count", "http.response.status_code"];
    assert_eq!((second.status, said(second, &keys)), (0, vec!["", "1", "200"]));
    let own = of(8)[0];
    assert_eq!((own.status, own.parent.as_str(), own.flags, own.attribute("error.type")), (2, "", 0x101, "no-endpoints"));
    let odd = of(9)[0];
    assert_eq!(said(odd, &["http.request.method", "http.request.method_original", "error.type"]), ["_OTHER", "BREW", ""]);
    assert_eq!((odd.name.as_str(), odd.status, odd.attribute("paifang.reason")), ("HTTP /", 0, "no-route"));
    let gone = of(10)[0];
    assert_eq!(
        (gone.resource["service.name"].as_str(), said(gone, &["error.type", "http.response.status_code"])),
        ("own", vec!["client-gone", ""])
    );
    eventually("it is counted", || (running.count("spans_sent") == 6).then_some(()));
    assert_eq!(running.count("spans_dropped"), 0);
}

#[test]
fn a_collector_that_comes_back_is_told_what_has_waited() {
    let (refusing, running) = (Refusing::new(), start(Egress::default()));
    let address = refusing.address();
    let (to, other) = (to(address, CollectorProtocol::Grpc), Collector::start());
    let elsewhere = self::to(other.address(), CollectorProtocol::Grpc);
    running.want([to.clone(), elsewhere.clone()]);
    running.until_fault(&to, "refused");
    running.put(traced(&to, 7));
    running.put(traced(&elsewhere, 8));
    other.until("one that is gone does not hold up another", |it| it.trace.ends_with('8'));
    assert!(!running.faults.borrow().contains_key(&elsewhere));
    drop(refusing);
    let collector = Collector::at(address);
    collector.until("what has waited", |it| it.trace.ends_with('7'));
    eventually("and it is said that it answers", || (!running.faults.borrow().contains_key(&to)).then_some(()));
    // Gone while nothing is told, it is noticed by what is told next, and nothing of that is lost.
    drop(collector);
    running.put(traced(&to, 9));
    running.until_fault(&to, "");
    let collector = Collector::at(address);
    collector.until("what has waited again", |it| it.trace.ends_with('9'));
    assert_eq!(running.count("spans_dropped"), 0);
    assert!(running.count("exports_failed") > 1);
}

#[test]
fn what_a_collector_refuses_is_dropped_and_what_it_cannot_take_now_is_not() {
    let (collector, running) = (Collector::start(), start(Egress::default()));
    let to = to(collector.address(), CollectorProtocol::Grpc);
    running.want([to.clone()]);
    collector.refuse(Some(Code::PermissionDenied));
    running.put(traced(&to, 7));
    running.until_fault(&to, "PermissionDenied");
    eventually("they are dropped", || (running.count("spans_dropped") == 3).then_some(()));
    collector.refuse(Some(Code::Unavailable));
    running.put(traced(&to, 8));
    running.until_fault(&to, "Unavailable");
    collector.refuse(None);
    collector.until("the second is told", |it| it.trace.ends_with('8'));
    assert!(collector.spans().iter().all(|it| !it.trace.ends_with('7')));
    assert_eq!(running.count("spans_dropped"), 3);
}

#[test]
fn over_http_it_is_posted_in_protobuf() {
    let (origin, running) = (Origin::start(Behaviour::Answer), start(Egress::default()));
    let to = to(origin.address(), CollectorProtocol::Http("/v1/traces".into()));
    running.want([to.clone()]);
    running.put(traced(&to, 7));
    let request = origin.wait_for(1).remove(0);
    let head = &request.head;
    assert_eq!((head.method(), head.target(), head.get("content-type")), ("POST", "/v1/traces", Some("application/x-protobuf")));
    let read = ExportTraceServiceRequest::decode(request.body.as_slice()).expect("protobuf");
    assert_eq!(read.resource_spans[0].scope_spans[0].spans.len(), 3);
    eventually("it is counted", || (running.count("spans_sent") == 3).then_some(()));
    // One that ends the connection is connected to again.
    origin.behave(Behaviour::CloseAfterAnswer);
    for trace in 8..11 {
        running.put(traced(&to, trace));
        origin.wait_for(trace as usize - 6);
    }
}

#[test]
fn nothing_is_connected_to_that_no_backend_may_be() {
    let (collector, metadata) = (Collector::start(), SocketAddr::from(([169, 254, 169, 254], 80)));
    let running = start(Egress::new(vec![collector.address()]));
    let (own, link_local) = (to(collector.address(), CollectorProtocol::Grpc), to(metadata, CollectorProtocol::Grpc));
    running.want([own.clone(), link_local.clone()]);
    running.until_fault(&own, "own sockets");
    running.until_fault(&link_local, "link-local");
}

#[test]
fn stopping_tells_what_is_left_and_a_collector_nobody_names_is_let_go() {
    let (collector, mut running) = (Collector::start(), start(Egress::default()));
    let (to, refusing) = (to(collector.address(), CollectorProtocol::Grpc), Refusing::new());
    let gone = self::to(refusing.address(), CollectorProtocol::Grpc);
    running.want([to.clone(), gone.clone()]);
    running.until_fault(&gone, "");
    running.put(traced(&gone, 6));
    running.want([to.clone()]);
    eventually("what waits for it is dropped", || (running.count("spans_dropped") == 3).then_some(()));
    assert!(!running.faults.borrow().contains_key(&gone));
    running.put(Traced { started: SystemTime::now(), ..traced(&to, 7) });
    drop(running.stop.take());
    let Running { runtime, task, .. } = running;
    runtime.block_on(task).expect("it ends");
    assert_eq!(collector.spans().len(), 3);
}
