//! What holds for every request of a gateway: whom it believes, and how its lines look.

use crate::support::{GET, Gate, Plan, gateway, id};
use model::{
    Filter, Forwarded, ForwardedFor, GatewayOptions, HttpsRedirect, ListenerProtocol, LogEscape, LogFormat, LogLine, LogPart, LogValue,
    RedirectWhen, TrailingSlash, Update,
};
use std::sync::Arc;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Origin, Request};

fn believing(from: &[&str]) -> Forwarded {
    let from = from.iter().map(|it| it.parse().expect("a range")).collect();
    Forwarded { from, field: "x-forwarded-for".into(), addresses: ForwardedFor::Client }
}

fn start(origin: &Origin, forwarded: Forwarded) -> Gate {
    let mut plan = Plan::to(&[origin.address()]);
    plan.options.forwarded = Some(forwarded);
    plan.start()
}

const SAID: &str = "GET / HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\
                    X-Forwarded-Port: 8443\r\nX-Forwarded-Host: Shop.Example:8443\r\n\r\n";

/// What the backend got of each.
fn got(request: &Request, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| request.head.all(name).collect::<Vec<_>>().join("|")).collect()
}

const NAMES: [&str; 8] = [
    "x-real-ip",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-scheme",
    "x-forwarded-port",
    "x-forwarded-host",
    "host",
    "x-original-forwarded-for",
];

#[test]
fn a_proxy_that_is_named_says_where_requests_come_from_and_nobody_else_does() {
    let origin = Origin::recording();
    let believed = start(&origin, believing(&["127.0.0.0/8"]));
    assert_eq!(believed.open().send(SAID).response("GET").status, 200);
    let list = "203.0.113.9, 192.0.2.1";
    let last = || origin.requests().pop().expect("a request");
    assert_eq!(got(&last(), &NAMES), ["192.0.2.1", "192.0.2.1", "https", "https", "8443", "shop.example:8443", "shop.example:8443", list]);
    for nobody in [start(&origin, believing(&["10.0.0.0/8"])), Gate::to(&origin)] {
        assert_eq!(nobody.open().send(SAID).response("GET").status, 200);
        assert_eq!(got(&last(), &NAMES), ["127.0.0.1", "127.0.0.1", "http", "http", "80", "gw.test", "gw.test", list]);
    }
    assert_eq!(believed.open().send(GET).response("GET").status, 200);
    assert_eq!(got(&last(), &NAMES), ["127.0.0.1", "127.0.0.1", "http", "http", "80", "gw.test", "gw.test", ""]);
    let all = start(&origin, Forwarded { addresses: ForwardedFor::All, ..believing(&["127.0.0.0/8"]) });
    assert_eq!(all.open().send(SAID).response("GET").status, 200);
    assert_eq!(got(&last(), &["x-real-ip", "x-forwarded-for"]), ["192.0.2.1", "203.0.113.9, 192.0.2.1, 127.0.0.1"]);
}

#[test]
fn what_is_said_twice_or_is_no_host_is_not_believed() {
    let origin = Origin::recording();
    let gate = start(&origin, believing(&["127.0.0.1/32"]));
    for (said, at, expect) in [
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http", 2, "http"),
        ("X-Forwarded-Proto: https, http", 2, "http"),
        ("X-Forwarded-Proto: gopher", 2, "http"),
        ("X-Forwarded-Proto: HTTPS", 4, "443"),
        ("X-Forwarded-Port: 0", 4, "80"),
        ("X-Forwarded-Port: 99999", 4, "80"),
        ("X-Forwarded-Host: a b", 6, "gw.test"),
        ("X-Forwarded-Host: a/b", 6, "gw.test"),
        ("X-Forwarded-Host: a.test, b.test", 6, "gw.test"),
        ("X-Forwarded-For: nonsense", 0, "127.0.0.1"),
        ("X-Forwarded-For: 192.0.2.7:1234", 0, "192.0.2.7"),
    ] {
        gate.open().send(format!("GET / HTTP/1.1\r\nHost: gw.test\r\n{said}\r\n\r\n")).response("GET");
        let last = origin.requests().pop().expect("a request");
        assert_eq!(got(&last, &NAMES)[at], expect, "{said}");
    }
}

#[test]
fn another_field_with_the_clients_address_comes_from_proxies_alone() {
    let origin = Origin::recording();
    let field = |from: &[&str]| Forwarded { field: "cf-connecting-ip".into(), ..believing(from) };
    let request = "GET / HTTP/1.1\r\nHost: gw.test\r\nCF-Connecting-IP: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n";
    for (from, expect) in [("127.0.0.0/8", ["192.0.2.1", "192.0.2.1"]), ("10.0.0.0/8", ["127.0.0.1", ""])] {
        start(&origin, field(&[from])).open().send(request).response("GET");
        let last = origin.requests().pop().expect("a request");
        assert_eq!(got(&last, &["x-real-ip", "cf-connecting-ip"]), expect, "{from}");
    }
}

#[test]
fn who_came_over_https_is_not_sent_there_again() {
    let origin = Origin::recording();
    let status = |from: &[&str]| {
        let mut plan = Plan::to(&[origin.address()]);
        plan.options.forwarded = Some(believing(from));
        plan.filters =
            vec![Filter::HttpsRedirect(HttpsRedirect { when: RedirectWhen::Always, status: 308, trailing_slash: TrailingSlash::Keep })];
        plan.start().open().send(SAID).response("GET").status
    };
    assert_eq!((status(&["127.0.0.1/32"]), status(&["192.0.2.0/24"])), (200, 308));
}

#[test]
fn lines_look_as_the_gateway_says_and_change_with_it() {
    let (origin, folder) = (Origin::recording(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("access.log");
    let text = |it: &str| LogPart::Text(it.into());
    let parts = vec![
        LogPart::Value(LogValue::Client),
        text(" \""),
        LogPart::Value(LogValue::RequestLine),
        text("\" "),
        LogPart::Value(LogValue::Status),
        text(" "),
        LogPart::Value(LogValue::Target),
        text(" "),
        LogPart::Value(LogValue::User),
        text(" "),
        LogPart::Value(LogValue::Cookie("Id".into())),
        text(" "),
        LogPart::Value(LogValue::Header("x-a".into())),
        text(" "),
        LogPart::Value(LogValue::EndpointStatus),
    ];
    let options = |line| GatewayOptions {
        forwarded: Some(believing(&["127.0.0.0/8"])),
        log: Some(Arc::new(LogFormat { parts: parts.clone(), escape: LogEscape::Hexadecimal, line })),
        tracing: None,
    };
    let mut plan = Plan::to(&[origin.address()]);
    (plan.access_log, plan.options) = (proxy::Sink::File(path.clone()), options(LogLine::Whole));
    let gate = plan.start();
    let request = "GET /a/../b?q=%22 HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-For: 192.0.2.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n\
                   Cookie: x=1; Id=\"z\"\r\nX-A: \u{e9}\"\\\r\n\r\n";
    let mut clients: Vec<Connection> = Vec::new();
    let mut send = |gate: &Gate| {
        let mut client = gate.open();
        assert_eq!(client.send(request).response("GET").status, 200);
        clients.push(client);
    };
    send(&gate);
    let mut named = gateway(ListenerProtocol::Http, &[gate.address]);
    named.options = Arc::new(options(LogLine::Named));
    gate.apply(Update { gateways: vec![(id(), Some(Arc::new(named)))], ..Update::default() });
    send(&gate);
    gate.open().send("nonsense\r\n\r\n").response("GET");
    let lines = eventually("three lines", || {
        let lines: Vec<String> = std::fs::read_to_string(&path).ok()?.lines().map(str::to_owned).collect();
        (lines.len() == 3).then_some(lines)
    });
    let expect = r#"192.0.2.1 "GET /b?q=%22 HTTP/1.1" 200 /a/../b?q=%22 alice \x22z\x22 \xC3\xA9\x22\x5C 200"#;
    assert_eq!(lines[0], expect);
    let read = |at: usize| serde_json::from_str::<serde_json::Value>(&lines[at]).expect("JSON");
    assert_eq!((&read(1)["gateway"], &read(1)["line"]), (&id().as_str().into(), &expect.into()));
    assert!(read(1)["time"].is_string());
    assert_eq!(read(2)["line"], "127.0.0.1 \"-\" 400 - - - - -");
}
