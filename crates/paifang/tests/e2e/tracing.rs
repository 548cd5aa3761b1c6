//! Traces of a gateway's requests, as its admin turns them on; and what else is saved with that.

use crate::harness::{Up, chance, word};
use crate::objects::{annotated, service, simple};
use crate::project_gateways::{KIND, of_workspace, reached, request, router};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use testkit::client::{Connection, Response};
use testkit::collector::{Collector, Span};
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

const HOST: &str = "web.example";

/// A project with a gateway and a route, and the backend of that.
struct Project {
    up: Up,
    name: String,
    origin: Origin,
}

/// What a backend was told: the trace, whose request it is, and the flags.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    trace: String,
    span: String,
    flags: String,
}

impl Project {
    fn start(test: &str, more: &[&str]) -> Self {
        let (up, name) = (Up::start(more), word(&mut chance(test)));
        let origin = Origin::start(Behaviour::body("here"));
        up.apply(&[of_workspace(&name, "demo"), service(&name, "web", &[origin.address()]), simple(&name, "web", HOST, "web")]);
        Self { up, name, origin }
    }

    fn save(&self, spec: &Value) {
        self.up.apply(&[request(&self.name, spec)]);
    }

    /// Once its route is served.
    fn serves(&self) -> SocketAddr {
        let at = reached(&self.up, &self.name);
        self.up.until_at(at, HOST, "/", "its route", |it| it.text() == "here");
        at
    }

    fn until(&self, condition: &str, beginning: &str) -> String {
        self.up.until_condition(&[KIND, "-n", &self.name, "gateway"], "/status/conditions", condition, beginning)
    }

    fn condition(&self, condition: &str) -> Option<String> {
        self.up.condition(&[KIND, "-n", &self.name, "gateway"], "/status/conditions", condition)
    }

    /// Asks, and what the backend heard of it.
    fn ask(&self, at: SocketAddr, fields: &str) -> Option<Heard> {
        let before = self.origin.requests().len();
        let answer = ask(at, fields);
        assert_eq!((answer.status, answer.text().as_str()), (200, "here"));
        let request = self.origin.wait_for(before + 1).remove(before);
        let field = request.head.get("traceparent")?;
        let parts: Vec<&str> = field.split('-').collect();
        let [_, trace, span, flags] = parts.as_slice() else { panic!("{field} is no traceparent") };
        Some(Heard { trace: (*trace).into(), span: (*span).into(), flags: (*flags).into() })
    }

    /// Asks until what the backend hears is as wanted.
    fn until_heard(&self, at: SocketAddr, what: &str, wanted: impl Fn(Option<&Heard>) -> bool) -> Option<Heard> {
        eventually(what, || Some(self.ask(at, "")).filter(|it| wanted(it.as_ref())))
    }
}

fn ask(at: SocketAddr, fields: &str) -> Response {
    Connection::open(at).send(format!("GET /a?token=secret HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n")).response("GET")
}

/// The gateway's span of a trace, and the one below it.
fn of_trace(collector: &Collector, trace: &str) -> (Span, Span) {
    eventually("both spans of the trace", || {
        let all: Vec<Span> = collector.spans().into_iter().filter(|it| it.trace == trace).collect();
        let kind = |kind: i32| all.iter().find(|it| it.kind == kind).cloned();
        Some((kind(2)?, kind(3)?))
    })
}

#[test]
fn a_trace_s_root_is_the_gateway_and_its_backend_hears_of_it() {
    let (it, collector) = (Project::start("a_trace_s_root_is_the_gateway_and_its_backend_hears_of_it", &[]), Collector::start());
    let traced = |sampling: f64| json!({ "tracing": { "enabled": true, "sampling": sampling, "endpoint": collector.url() } });
    it.save(&json!({}));
    let at = it.serves();
    assert_eq!((it.ask(at, ""), it.condition("Traced")), (None, None), "nothing is traced that is not to be");

    it.save(&traced(100.0));
    let said = it.until("Traced", "True Traced");
    assert!(said.contains(&collector.url()), "{said}");
    let heard = it.until_heard(at, "a trace reaches the backend", |it| it.is_some()).expect("it is there");
    let (root, below) = of_trace(&collector, &heard.trace);
    assert_eq!((root.parent.as_str(), root.resource["service.name"].as_str()), ("", router(&it.name).as_str()));
    assert_eq!((&below.parent, &below.id, heard.flags.as_str()), (&root.id, &heard.span, "01"));
    let keys =
        ["http.request.method", "url.path", "server.address", "http.response.status_code", "paifang.route.name", "paifang.route.kind"];
    assert_eq!(keys.map(|key| root.attribute(key)), ["GET", "/a", HOST, "200", "web", "Ingress"]);
    assert!(!format!("{root:?}{below:?}").contains("secret"), "no query is told: {root:?}");

    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let heard = it.ask(at, &format!("traceparent: 00-{trace}-{parent}-01\r\n")).expect("it goes on");
    assert_eq!(heard.trace, trace);
    let (root, below) = of_trace(&collector, trace);
    assert_eq!((root.parent.as_str(), below.id), (parent, heard.span));

    // None is sampled: they are carried on, and nobody is told.
    it.save(&traced(0.0));
    it.until_heard(at, "no trace is sampled", |it| it.is_some_and(|it| it.flags == "00"));
    let unsampled: BTreeSet<String> = (0..20).map(|_| it.ask(at, "").expect("it is carried").trace).collect();
    it.save(&traced(100.0));
    let last = it.until_heard(at, "all are again", |it| it.is_some_and(|it| it.flags == "01")).expect("it is there");
    of_trace(&collector, &last.trace);
    assert!(collector.spans().iter().all(|it| !unsampled.contains(&it.trace)), "what came after them has arrived, and they have not");

    it.save(&json!({ "tracing": { "enabled": false, "endpoint": collector.url() } }));
    it.until_heard(at, "nothing is traced any more", |it| it.is_none());
    let heard = it.ask(at, &format!("traceparent: 00-{trace}-{parent}-01\r\n")).expect("it goes through");
    assert_eq!((heard.trace.as_str(), heard.span.as_str()), (trace, parent), "as it came");
    eventually("and nothing is said of it", || it.condition("Traced").is_none().then_some(()));
}

#[test]
fn a_collector_that_is_gone_costs_spans_and_no_request() {
    let (it, collector) = (Project::start("a_collector_that_is_gone_costs_spans_and_no_request", &[]), Collector::start());
    let address = collector.address();
    it.save(&json!({ "tracing": { "endpoint": collector.url() } }));
    let at = it.serves();
    it.until("Traced", "True Traced");
    let heard = it.until_heard(at, "a trace", |it| it.is_some()).expect("it is there");
    of_trace(&collector, &heard.trace);
    drop(collector);
    eventually("it is noticed by what is told next", || {
        it.ask(at, "");
        it.condition("Traced").filter(|it| it.starts_with("False CollectorUnreachable"))
    });
    it.up.event(&it.name, "gateway", &["CollectorUnreachable", &address.to_string()]);
    assert!(it.condition("Accepted").is_some_and(|it| it.starts_with("True")));
    let waiting = it.ask(at, "").expect("requests go on, and say what they did");
    let collector = Collector::at(address);
    of_trace(&collector, &waiting.trace);
    it.until("Traced", "True Traced");
    let heard = it.ask(at, "").expect("a trace");
    of_trace(&collector, &heard.trace);
}

#[test]
fn what_cannot_be_traced_is_said_and_governance_traces_to_the_collector_of_all() {
    let it = Project::start("what_cannot_be_traced_is_said_and_governance_traces_to_the_collector_of_all", &[]);
    it.save(&json!({ "tracing": { "endpoint": "collector:4317" } }));
    let at = it.serves();
    let said = it.until("Traced", "False EndpointMalformed");
    assert!(said.contains("collector:4317") && said.contains("http://"), "{said}");
    it.until("Accepted", "True");
    assert_eq!(it.ask(at, ""), None);
    it.save(&json!({ "governance": true }));
    let said = it.until("Traced", "False EndpointMissing");
    assert!(said.contains("--tracing-endpoint"), "{said}");
    it.until("SidecarNotNeeded", "True");

    let collector = Collector::start();
    let it = Project::start("and with a collector of all", &["--tracing-endpoint", &collector.url()]);
    it.save(&json!({ "governance": true }));
    let at = it.serves();
    let heard = it.until_heard(at, "a trace", |it| it.is_some()).expect("it is there");
    let (root, _) = of_trace(&collector, &heard.trace);
    assert_eq!(root.resource["service.name"], router(&it.name));
}

/// Options and tracing are saved together on a gateway that serves.
#[test]
fn options_and_tracing_hold_and_no_route_is_lost() {
    let (it, collector) = (Project::start("options_and_tracing_hold_and_no_route_is_lost", &[]), Collector::start());
    let upstream = annotated(simple(&it.name, "upstream", "upstream.example", "web"), &[("service-upstream", "true")]);
    let vhost = format!("web.{}.svc.cluster.local", it.name);
    let both = [("service-upstream", "true"), ("upstream-vhost", &*vhost)];
    it.up.apply(&[upstream, annotated(simple(&it.name, "vhost", "vhost.example", "web"), &both)]);
    it.save(&json!({}));
    let at = it.serves();
    let reachable = || {
        for host in [HOST, "upstream.example", "vhost.example"] {
            it.up.until_at(at, host, "/", "with or without service-upstream", |it| it.text() == "here");
        }
    };
    reachable();
    let config = json!({ "proxy-body-size": "1m", "proxy-body-sise": "2m" });
    let saved = |enabled: bool| json!({ "config": config, "tracing": { "enabled": enabled, "endpoint": collector.url() } });
    it.save(&saved(true));
    it.until("Traced", "True");
    let said = it.until("OptionsIgnored", "True UnknownOptions");
    assert!(said.contains("proxy-body-sise"), "{said}");
    it.until("Accepted", "True");
    it.until("Programmed", "True");
    let heard = it.until_heard(at, "a trace", |it| it.is_some()).expect("it is there");
    let (root, below) = of_trace(&collector, &heard.trace);
    assert_eq!((root.parent.as_str(), &below.id), ("", &heard.span));
    reachable();

    let post = |octets: usize| {
        let file = it.up.file("body", &"x".repeat(octets));
        let data = format!("@{}", file.display());
        it.up.curl(&format!("http://{HOST}:{}/", at.port()), at, &["--data-binary", &data]).expect("an answer").0
    };
    eventually("two megabytes are too many", || (post(2 << 20) == 413).then_some(()));
    assert_eq!(post(500_000), 200);
    let refused = collector.until("what is refused is traced too", |it| it.attribute("http.response.status_code") == "413");
    assert_eq!(refused[0].attribute("paifang.reason"), "body-too-large");

    it.save(&saved(false));
    it.until_heard(at, "nothing is traced any more", |it| it.is_none());
    reachable();
}
