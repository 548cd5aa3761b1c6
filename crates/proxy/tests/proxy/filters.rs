//! Filters whose effect is on the wire.

use crate::support::{GET, Gate, HOST, Plan, host, named, reason, shard};
use model::{
    Action, Anchor, Backend, BackendId, Balancing, Case, Cors, Engine, Fault, Filter, HeaderEdit, NamedMatch, Pattern, Percent, Reason,
    Redirect, RedirectPort, Replies, ReplyBody, Respond, Rewrite, Scheme, ServerHeader, TemplatePart, UnmatchedPreflight, Update,
    ValueMatch, WeightedBackend,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::client::Response;
use testkit::origin::{Behaviour, Origin};

fn set(name: &str, value: &str) -> HeaderEdit {
    HeaderEdit::Set { name: name.into(), value: value.into() }
}

fn istio() -> Replies {
    Replies { body: ReplyBody::Empty, server: ServerHeader::Set("istio-envoy".into()) }
}

fn first_lines(response: &Response) -> String {
    String::from_utf8_lossy(&response.head_octets).lines().take(2).collect::<Vec<_>>().join("|")
}

#[test]
fn the_server_field_is_the_first_line_behind_the_status() {
    let origin =
        Origin::start(Behaviour::Octets(b"HTTP/1.1 200 OK\r\nDate: now\r\nServer: gunicorn\r\nContent-Length: 0\r\n\r\n"[..].into()));
    let mut plan = Plan::to(&[origin.address()]);
    plan.replies = istio();
    let gate = plan.start();
    let response = gate.open().send("HEAD / HTTP/1.1\r\nHost: gw.test\r\n\r\n").response("HEAD");
    assert_eq!(first_lines(&response), "HTTP/1.1 200 OK|server: istio-envoy");
    assert_eq!(response.head.all("server").count(), 1);
    gate.set_endpoints(&[]);
    let response = gate.open().send(GET).response("GET");
    assert_eq!(first_lines(&response), "HTTP/1.1 503 Service Unavailable|server: istio-envoy");
    assert_eq!((response.body.len(), response.get("content-length")), (0, Some("0")));
}

#[test]
fn a_route_can_look_other_than_its_host() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut host = named("istio.test", host(Action::Respond(Respond { status: 404, reason: Reason::NoRoute, body: None }), Vec::new()));
    host.routes[0].replies = Some(istio());
    gate.apply(Update { shards: vec![shard(host)], ..Update::default() });
    let response = gate.open().get("istio.test", "/");
    assert_eq!((first_lines(&response).as_str(), response.body.len()), ("HTTP/1.1 404 Not Found|server: istio-envoy", 0));
    assert_eq!(gate.open().get(HOST, "/").get("server"), None);
}

#[test]
fn a_preflight_never_reaches_the_backend_and_an_actual_request_carries_its_permission() {
    let answer = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nVary: Accept\r\nContent-Length: 0\r\n\r\n";
    let origin = Origin::start(Behaviour::Octets(answer.as_bytes().into()));
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![Filter::Cors(Cors {
        origins: vec![ValueMatch::Exact("https://a.test".into())],
        methods: vec!["GET".into()],
        headers: Vec::new(),
        expose: vec!["x-out".into()],
        credentials: true,
        max_age: None,
        preflight: 204,
        unmatched: UnmatchedPreflight::Forward,
    })];
    let gate = plan.start();
    let mut client = gate.open();
    let ask = |method: &str, origin: &str| {
        format!("{method} / HTTP/1.1\r\nHost: gw.test\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: GET\r\n\r\n")
    };
    let preflight = client.send(ask("OPTIONS", "https://a.test")).response("OPTIONS");
    assert_eq!((preflight.status, preflight.get("access-control-allow-origin")), (204, Some("https://a.test")));
    assert_eq!((preflight.get("access-control-allow-methods"), preflight.get("vary")), (Some("GET"), Some("Origin")));
    assert_eq!(origin.requests().len(), 0);
    let actual = client.send(ask("GET", "https://a.test")).response("GET");
    let allowed: Vec<_> = actual.head.all("access-control-allow-origin").collect();
    assert_eq!(allowed, ["https://a.test"]);
    assert_eq!(actual.get("access-control-allow-credentials"), Some("true"));
    assert_eq!(actual.get("access-control-expose-headers"), Some("x-out"));
    assert_eq!(actual.head.all("vary").collect::<Vec<_>>(), ["Accept", "Origin"]);
    let other = client.send(ask("GET", "https://b.test")).response("GET");
    assert_eq!(other.get("access-control-allow-origin"), Some("*"), "what the backend says is its own affair");
    // A page may read why its request failed, too.
    gate.set_endpoints(&[]);
    let failed = client.send(ask("GET", "https://a.test")).response("GET");
    assert_eq!((failed.status, failed.get("access-control-allow-origin")), (503, Some("https://a.test")));
}

#[test]
fn a_delayed_request_holds_nobody_up_and_may_fail_in_the_end() {
    let delay = Duration::from_millis(700);
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![Filter::Fault(Fault { delay: Some((Percent::ALL, delay)), abort: None })];
    let gate = plan.start();
    let abort = Fault { delay: Some((Percent::ALL, delay)), abort: Some((Percent::ALL, 418)) };
    let respond = || Action::Respond(Respond { status: 200, reason: Reason::Respond, body: Some("at once".into()) });
    let shards = vec![
        shard(named("abort.test", host(respond(), vec![Filter::Fault(abort)]))),
        shard(named("free.test", host(respond(), Vec::new()))),
    ];
    gate.apply(Update { shards, ..Update::default() });
    let (mut delayed, mut aborted) = (gate.open(), gate.open());
    let begun = Instant::now();
    delayed.send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5\r\n\r\nhello");
    aborted.send("GET / HTTP/1.1\r\nHost: abort.test\r\n\r\n");
    assert_eq!(gate.open().get("free.test", "/").text(), "at once");
    assert_eq!(origin.requests().len(), 0, "the one worker served another meanwhile");
    let response = aborted.response("GET");
    assert!(begun.elapsed() >= delay);
    assert_eq!((response.status, reason(&response), response.text()), (418, "fault", "fault filter abort".to_owned()));
    assert_eq!(delayed.response("POST").status, 200);
    assert_eq!(origin.requests()[0].body, b"hello");
}

#[test]
fn a_client_that_leaves_during_a_delay_is_let_go() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![Filter::Fault(Fault { delay: Some((Percent::ALL, Duration::from_secs(600))), abort: None })];
    let gate = plan.start();
    let mut client = gate.open();
    client.send(GET);
    testkit::eventually("the connection", || (gate.dataplane.connections() == 1).then_some(()));
    client.reset().expect("reset");
    testkit::eventually("the connection's end", || (gate.dataplane.connections() == 0).then_some(()));
}

#[test]
fn the_picked_backends_filters_run_after_the_routes() {
    let (one, two) = (Origin::recording(), Origin::recording());
    let mut plan = Plan::to(&[one.address()]);
    plan.filters = vec![Filter::RequestHeader(set("x-from", "route")), Filter::Rewrite(Rewrite::Full("/route".into()))];
    plan.forward = |forward| {
        let second = Backend::new(BackendId::new("demo/second:80"));
        let mut weighted = WeightedBackend::new(Some(Arc::new(second)), 1);
        weighted.filters = vec![
            Filter::RequestHeader(set("x-from", "backend")),
            Filter::ResponseHeader(set("x-which", "second")),
            Filter::SetHost("second.test".into()),
            Filter::Rewrite(Rewrite::Full("/second".into())),
        ];
        forward.backends.push(weighted);
    };
    let gate = plan.start();
    let second = Backend::new(BackendId::new("demo/second:80"));
    gate.apply(Update { endpoints: vec![crate::support::endpoints(&second, &[two.address()])], ..Update::default() });
    let mut client = gate.open();
    let answers: Vec<Response> = (0..40).map(|_| client.get(HOST, "/")).collect();
    let marked = answers.iter().filter(|it| it.get("x-which") == Some("second")).count();
    let seen = |origin: &Origin| {
        let mut seen: Vec<String> = origin
            .requests()
            .iter()
            .map(|it| format!("{} {:?} {:?}", it.head.target(), it.head.get("host"), it.head.get("x-from")))
            .collect();
        let count = seen.len();
        seen.dedup();
        (seen.join("; "), count)
    };
    assert_eq!(seen(&one), ("/route Some(\"gw.test\") Some(\"route\")".to_owned(), 40 - marked));
    assert_eq!(seen(&two), ("/second Some(\"second.test\") Some(\"backend\")".to_owned(), marked));
    assert!(marked > 0 && marked < 40);
}

#[test]
fn a_requests_own_parts_are_matched_like_fields() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let says = |text: &str, name: &str, value: ValueMatch| {
        let respond = Respond { status: 200, reason: Reason::Respond, body: Some(text.into()) };
        let mut route = host(Action::Respond(respond), Vec::new()).routes.remove(0);
        route.matches[0].headers = vec![NamedMatch { name: name.into(), value }];
        route
    };
    let mut own = named("own.test", host(Action::Respond(Respond { status: 404, reason: Reason::NoRoute, body: None }), Vec::new()));
    let rest = own.routes.remove(0);
    own.routes = vec![
        says("authority", ":authority", ValueMatch::Exact("own.test:8080".into())),
        says("path", ":path", ValueMatch::Prefix("/x?y=".into())),
        says("method", ":method", ValueMatch::Exact("PURGE".into())),
        rest,
    ];
    gate.apply(Update { shards: vec![shard(own)], ..Update::default() });
    let mut client = gate.open();
    assert_eq!(client.get("own.test:8080", "/").text(), "authority");
    assert_eq!(client.get("own.test", "/./x?y=1").text(), "path");
    assert_eq!(client.send("PURGE / HTTP/1.1\r\nHost: own.test\r\n\r\n").response("PURGE").text(), "method");
    assert_eq!(client.get("own.test", "/").status, 404);
}

#[test]
fn a_pattern_is_replaced_everywhere_and_a_redirect_names_the_listeners_port() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    let pattern = Pattern { text: "/v([0-9])".into(), case: Case::Sensitive, anchor: Anchor::None, engine: Engine::Linear };
    let template = vec![TemplatePart::Literal("/version-".into()), TemplatePart::Capture(1)];
    plan.filters = vec![Filter::Rewrite(Rewrite::Replace { pattern, template })];
    let gate = plan.start();
    assert_eq!(gate.open().get(HOST, "/v1/a/v2?v3").status, 200);
    assert_eq!(origin.requests()[0].head.target(), "/version-1/a/version-2?v3");
    let redirect = Redirect { status: 301, scheme: Some(Scheme::Https), host: None, port: RedirectPort::Listener, path: None };
    gate.apply(Update { shards: vec![shard(named("moved.test", host(Action::Redirect(redirect), Vec::new())))], ..Update::default() });
    // The listener's port is 80, whatever the socket's is.
    assert_eq!(gate.open().get("moved.test:12345", "/a").get("location"), Some("https://moved.test:80/a"));
}

#[test]
fn chance_finds_every_endpoint() {
    let (one, two) = (Origin::recording(), Origin::recording());
    let mut plan = Plan::to(&[one.address(), two.address()]);
    plan.backend.balancing = Balancing::Random;
    let gate = plan.start();
    let mut client = gate.open();
    for _ in 0..60 {
        assert_eq!(client.get(HOST, "/").status, 200);
    }
    let (one, two) = (one.requests().len(), two.requests().len());
    assert!(one > 5 && two > 5 && one + two == 60, "{one} and {two}");
}

#[test]
fn answers_of_our_own_are_edited_as_the_route_says() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let edits = || {
        let add = HeaderEdit::Add { name: "x-more".into(), value: "1".into() };
        vec![Filter::ResponseHeader(set("content-type", "application/json")), Filter::ResponseHeader(add)]
    };
    let respond = Action::Respond(Respond { status: 200, reason: Reason::Respond, body: Some("{}".into()) });
    let redirect = Action::Redirect(Redirect { status: 302, scheme: None, host: None, port: RedirectPort::Own, path: None });
    let shards = vec![shard(named("json.test", host(respond, edits()))), shard(named("moved.test", host(redirect, edits())))];
    gate.apply(Update { shards, ..Update::default() });
    let response = gate.open().get("json.test", "/");
    assert_eq!(response.head.all("content-type").collect::<Vec<_>>(), ["application/json"]);
    assert_eq!((response.text().as_str(), response.get("x-more")), ("{}", Some("1")));
    let moved = gate.open().get("moved.test", "/");
    assert_eq!((moved.status, moved.get("x-more"), moved.get("location")), (302, Some("1"), Some("http://moved.test/")));
}
