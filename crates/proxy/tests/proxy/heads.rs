//! What a backend sees of a request, and a client of an answer.

use crate::support::{GET, Gate, HOST, Plan, reason};
use model::{Filter, HeaderEdit, Replies, ReplyBody, ServerHeader, Text};
use testkit::origin::{Behaviour, Origin};

fn seen(origin: &Origin, gate: &Gate, request: &str) -> testkit::message::Head {
    let before = origin.requests().len();
    assert_eq!(gate.open().send(request).response("GET").status, 200);
    origin.requests()[before].head.clone()
}

#[test]
fn forwarding_fields_are_ours() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let head = seen(
        &origin,
        &gate,
        "GET /a%41/./b?q=%2f HTTP/1.1\r\nHost: GW.test:8080\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 8.8.8.8\r\n\
         X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\nX-Forwarded-Client-Cert: Subject=me\r\nX_Forwarded_For: 1.2.3.4\r\n\
         Proxy: http://evil.test\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\n\
         TE: trailers\r\nX-Kept:  v \r\n\r\n",
    );
    assert_eq!(head.first_line, "GET /aA/b?q=%2f HTTP/1.1");
    let fields: Vec<_> = head.fields.iter().filter(|(name, _)| name != "X-Request-ID").cloned().collect();
    let expect = [
        ("Host", "gw.test:8080"),
        ("X-Kept", "v"),
        ("X-Real-IP", "127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Scheme", "http"),
        ("X-Scheme", "http"),
        ("X-Forwarded-Host", "gw.test:8080"),
        ("X-Original-Forwarded-For", "9.9.9.9, 8.8.8.8"),
        ("X-Original-Forwarded-Host", "evil.test"),
    ];
    assert_eq!(fields, expect.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn a_request_id_is_kept_or_made() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let id = |field: &str| {
        let head = seen(&origin, &gate, &format!("GET / HTTP/1.1\r\nHost: gw.test\r\n{field}\r\n"));
        head.get("x-request-id").expect("always one").to_owned()
    };
    assert_eq!(id("X-Request-ID: abc-123\r\n"), "abc-123");
    for made in [id(""), id("X-Request-ID: a b\r\n"), id("X-Request-ID: a\r\nX-Request-ID: b\r\n")] {
        assert!(made.len() == 32 && made.bytes().all(|octet| octet.is_ascii_hexdigit()), "{made}");
    }
}

#[test]
fn edits_replace_add_and_remove_but_never_touch_framing() {
    let origin = Origin::start(Behaviour::Octets(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Old: 1\r\nX-Gone: 1\r\nServer: origin\r\n\r\nok".as_slice().into(),
    ));
    let set = |name: &str, value: &str| HeaderEdit::Set { name: name.into(), value: value.into() };
    let add = |name: &str, value: &str| HeaderEdit::Add { name: name.into(), value: value.into() };
    let remove = |name: &str| HeaderEdit::Remove { name: name.into() };
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![
        Filter::RequestHeader(set("x-forwarded-proto", "https")),
        Filter::RequestHeader(remove("x-client")),
        Filter::RequestHeader(add("x-more", "1")),
        Filter::RequestHeader(add("x-more", "2")),
        Filter::RequestHeader(set("content-length", "9")),
        Filter::SetHost(Text::from("upstream.internal")),
        Filter::ResponseHeader(set("x-old", "2")),
        Filter::ResponseHeader(remove("x-gone")),
        Filter::ResponseHeader(add("x-new", "3")),
        Filter::ResponseHeader(set("transfer-encoding", "gzip")),
    ];
    let gate = plan.start();
    let response = gate.open().send("GET / HTTP/1.1\r\nHost: gw.test\r\nX-Client: 1\r\nX-More: 0\r\n\r\n").response("GET");
    let head = &origin.requests()[0].head;
    assert_eq!(head.all("x-forwarded-proto").collect::<Vec<_>>(), ["https"]);
    assert_eq!(head.all("x-more").collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!((head.get("x-client"), head.get("content-length")), (None, None));
    assert_eq!((head.get("host"), head.get("x-forwarded-host")), (Some("upstream.internal"), Some(HOST)));
    assert_eq!((response.get("x-old"), response.get("x-gone"), response.get("x-new")), (Some("2"), None, Some("3")));
    assert_eq!((response.text().as_str(), response.get("server"), response.get("transfer-encoding")), ("ok", None, None));
}

#[test]
fn the_server_field_is_removed_kept_or_set() {
    let origin = Origin::start(Behaviour::Octets(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: origin\r\n\r\n".as_slice().into()));
    for (server, expect) in
        [(ServerHeader::Remove, None), (ServerHeader::Keep, Some("origin")), (ServerHeader::Set("paifang".into()), Some("paifang"))]
    {
        let mut plan = Plan::to(&[origin.address()]);
        plan.replies.server = server;
        assert_eq!(plan.start().open().send(GET).response("GET").get("server"), expect);
    }
}

#[test]
fn local_answers_look_as_the_host_says() {
    for (body, text) in [(ReplyBody::Text, "503 Service Unavailable: no-endpoints\n"), (ReplyBody::Empty, "")] {
        let mut plan = Plan::to(&[]);
        plan.replies = Replies { body, server: ServerHeader::Set("paifang".into()) };
        let gate = plan.start();
        let response = gate.open().send(GET).response("GET");
        assert_eq!((response.status, reason(&response), response.text().as_str()), (503, "no-endpoints", text));
        assert_eq!(response.get("server"), Some("paifang"));
        let head = gate.open().send("HEAD / HTTP/1.1\r\nHost: gw.test\r\n\r\n").response("HEAD");
        assert_eq!(head.get("content-length"), Some(&*text.len().to_string()));
    }
}

#[test]
fn an_answer_that_is_no_http_is_a_502() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    for octets in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\n\r\n",
        "HTTP/1.1 099 Odd\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ] {
        origin.behave(Behaviour::Octets(octets.as_bytes().into()));
        let response = gate.open().send(GET).response("GET");
        assert_eq!((response.status, reason(&response)), (502, "upstream-protocol"), "{octets:?}");
    }
}

#[test]
fn a_large_head_passes_and_a_larger_one_does_not() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let status = |length: usize| {
        let request = format!("GET / HTTP/1.1\r\nHost: gw.test\r\nX-Big: {}\r\n\r\n", "x".repeat(length));
        gate.open().send(request).response("GET").status
    };
    assert_eq!((status(40_000), status(59_000), status(62_000), status(200_000)), (200, 200, 431, 431));
    let target =
        |length: usize| gate.open().send(format!("GET /{} HTTP/1.1\r\nHost: gw.test\r\n\r\n", "x".repeat(length))).response("GET").status;
    assert_eq!((target(16_000), target(17_000)), (200, 414));
    let fields = |count: usize| {
        gate.open().send(format!("GET / HTTP/1.1\r\nHost: gw.test\r\n{}\r\n", "X-A: 1\r\n".repeat(count))).response("GET").status
    };
    assert_eq!((fields(99), fields(100)), (200, 431));
}

#[test]
fn every_form_of_target_has_one_meaning() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let ask = |line: &str| gate.open().send(format!("{line} HTTP/1.1\r\nHost: gw.test\r\n\r\n")).response("GET").status;
    for (line, first_line, host) in [
        ("GET http://other.test/c?x=1", "GET /c?x=1 HTTP/1.1", "other.test"),
        ("GET HTTP://Other.test:81", "GET / HTTP/1.1", "other.test:81"),
        ("GET http://other.test?x", "GET /?x HTTP/1.1", "other.test"),
        ("OPTIONS *", "OPTIONS * HTTP/1.1", HOST),
        ("GET /a?", "GET /a? HTTP/1.1", HOST),
        ("GET /a?b?c=/../d", "GET /a?b?c=/../d HTTP/1.1", HOST),
    ] {
        assert_eq!(ask(line), 200, "{line}");
        let head = origin.requests().pop().expect("a request").head;
        assert_eq!((head.first_line.as_str(), head.get("host")), (first_line, Some(host)), "{line}");
    }
    for (line, status) in [
        ("GET *", 400),
        ("GET https://gw.test/", 400),
        ("GET ftp://gw.test/", 400),
        ("GET http://u@gw.test/", 400),
        ("GET http:///", 400),
        ("GET /a#b", 400),
        ("GET /../a", 400),
        ("GET /a%2fb", 400),
        ("CONNECT gw.test:443", 405),
        ("TRACE /", 405),
    ] {
        assert_eq!(ask(line), status, "{line}");
    }
}
