//! Answers that stand in for failures.

use crate::support::{GET, Gate, Plan, endpoints, host, shard};
use model::{
    Action, Backend, BackendId, ErrorPages, Filter, Forward, HttpsRedirect, Reason, RedirectWhen, Respond, TrailingSlash, Unavailable,
    Update,
};
use std::net::SocketAddr;
use std::sync::Arc;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::Refusing;

fn backend() -> Backend {
    Backend::new(BackendId::new("demo/pages:80"))
}

fn pages(statuses: &[u16], unavailable: Unavailable) -> Filter {
    Filter::ErrorPages(Arc::new(ErrorPages {
        statuses: statuses.to_vec(),
        unavailable,
        forward: Forward::to(Arc::new(backend())),
        fields: vec![("X-Namespace".into(), "demo".into()), ("X-Ingress-Name".into(), "web".into())],
    }))
}

fn start(main: &[SocketAddr], pages_at: &[SocketAddr], filters: Vec<Filter>) -> Gate {
    let mut plan = Plan::to(main);
    plan.filters = filters;
    let gate = plan.start();
    gate.apply(Update { endpoints: vec![endpoints(&backend(), pages_at)], ..Update::default() });
    gate
}

fn answering(head: &str) -> Origin {
    Origin::start(Behaviour::Octets(format!("HTTP/1.1 {head}\r\nContent-Length: 5\r\n\r\nwrong").into_bytes().into()))
}

fn page(status: &str) -> Origin {
    Origin::start(Behaviour::Octets(format!("HTTP/1.1 {status}\r\nX-Page: yes\r\nContent-Length: 4\r\n\r\npage").into_bytes().into()))
}

#[test]
fn a_status_gives_way_to_a_page_that_is_told_what_happened() {
    let (main, page) = (answering("404 Not Found"), page("410 Gone"));
    let gate = start(&[main.address()], &[page.address()], vec![pages(&[404, 503], Unavailable::ByStatus)]);
    let mut client = gate.open();
    for _ in 0..3 {
        let request = "POST /a/../b?q=1 HTTP/1.1\r\nHost: gw.test\r\nAccept: text/html\r\nX-Code: 200\r\nX-Namespace: mine\r\nIf-None-Match: x\r\n\
                       Range: bytes=0-1\r\nX-Request-ID: r1\r\nCookie: a=b\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody";
        let answer = client.send(request).response("POST");
        assert_eq!((answer.status, answer.text().as_str(), answer.get("x-page")), (410, "page", Some("yes")));
    }
    let asked = page.requests();
    assert_eq!(asked.len(), 3);
    let it = &asked[0];
    assert_eq!((it.head.target(), it.body.len()), ("/", 0));
    assert!(it.head_octets.starts_with(b"GET / HTTP/1.1\r\n"));
    for (name, value) in [
        ("x-code", "404"),
        ("x-format", "text/html"),
        ("x-original-uri", "/a/../b?q=1"),
        ("x-namespace", "demo"),
        ("x-ingress-name", "web"),
        ("x-request-id", "r1"),
        ("x-forwarded-for", "127.0.0.1"),
        ("host", "gw.test"),
        ("cookie", "a=b"),
    ] {
        assert_eq!(it.head.all(name).collect::<Vec<_>>(), [value], "{name}");
    }
    for name in ["if-none-match", "range", "content-type", "content-length"] {
        assert_eq!(it.head.all(name).count(), 0, "{name}");
    }
}

#[test]
fn what_is_no_failure_or_has_no_page_stays_as_it_was() {
    let (main, page, gone) = (answering("404 Not Found"), page("200 OK"), Refusing::new());
    for (statuses, at) in [(&[503][..], page.address()), (&[404][..], gone.address())] {
        let gate = start(&[main.address()], &[at], vec![pages(statuses, Unavailable::Page)]);
        let mut client = gate.open();
        for _ in 0..2 {
            let answer = client.send(GET).response("GET");
            assert_eq!((answer.status, answer.text().as_str()), (404, "wrong"), "{statuses:?}");
        }
    }
    let silent = Origin::start(Behaviour::ResetAtOnce);
    let gate = start(&[main.address()], &[silent.address()], vec![pages(&[404], Unavailable::Page)]);
    assert_eq!(gate.open().send(GET).response("GET").text(), "wrong");
    assert_eq!(page.requests().len(), 0);
}

#[test]
fn the_gateways_own_answers_give_way_too() {
    let (page, gone) = (page("200 OK"), Refusing::new());
    let told = |gate: &Gate, request: &str, method: &str| {
        let answer = gate.open().send(request).response(method);
        let code = page.requests().pop().and_then(|it| it.head.all("x-code").next().map(str::to_owned));
        (answer.status, answer.get("x-page").is_some(), code)
    };
    let shown = |code: &str| (200, true, Some(code.to_owned()));
    let nobody = start(&[], &[page.address()], vec![pages(&[], Unavailable::Page)]);
    assert_eq!(told(&nobody, GET, "GET"), shown("503"), "no endpoints");
    assert_eq!(told(&nobody, "HEAD / HTTP/1.1\r\nHost: gw.test\r\n\r\n", "HEAD"), shown("503"));
    let refusing = start(&[gone.address()], &[page.address()], vec![pages(&[502], Unavailable::ByStatus)]);
    assert_eq!(told(&refusing, GET, "GET"), shown("502"), "nobody listens");
    let large = start(&[gone.address()], &[page.address()], vec![pages(&[413], Unavailable::ByStatus), Filter::BodyLimit(1)]);
    let body = "POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5\r\n\r\n12345";
    assert_eq!(told(&large, body, "POST"), shown("413"));
    let redirect = HttpsRedirect { when: RedirectWhen::Always, status: 308, trailing_slash: TrailingSlash::Keep };
    let https = start(&[gone.address()], &[page.address()], vec![pages(&[308], Unavailable::ByStatus), Filter::HttpsRedirect(redirect)]);
    assert_eq!(told(&https, GET, "GET"), shown("308"));
    let closed = Action::Respond(Respond { status: 503, reason: Reason::Closed, body: None });
    let gate = start(&[], &[page.address()], Vec::new());
    gate.apply(Update { shards: vec![shard(host(closed, Vec::new()))], ..Update::default() });
    assert_eq!(gate.open().send(GET).response("GET").status, 503, "what is closed has no page");
}

#[test]
fn a_body_that_is_still_coming_is_for_nobody() {
    let (main, page) = (Origin::start(Behaviour::Early { status: 503 }), page("200 OK"));
    let gate = start(&[main.address()], &[page.address()], vec![pages(&[503], Unavailable::ByStatus)]);
    let mut client = gate.open();
    let answer = client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 100000\r\n\r\nbegun").response("POST");
    assert_eq!((answer.status, answer.text().as_str()), (200, "page"));
    assert_eq!(answer.get("connection"), Some("close"), "where the body ends is not waited for");
    assert_eq!(page.requests()[0].body.len(), 0);
    assert_eq!(gate.open().send(GET).response("GET").text(), "page");
}
