//! Connections that go on, and those that end.

use crate::support::{GET, Gate, HOST, Plan, reason};
use std::time::Duration;
use testkit::client::Close;
use testkit::origin::{Behaviour, Origin};

#[test]
fn one_connection_each_way_serves_many_requests() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    for at in 0..20 {
        let path = format!("/{at}");
        assert_eq!(client.get(HOST, &path).text(), format!("served {path}\n"));
    }
    let record = origin.record();
    assert_eq!((record.requests.len(), record.connections.len()), (20, 1));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let post = "POST /1 HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /2 HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    client.send([GET, post, chunked, GET].concat());
    let bodies: Vec<_> = (0..4).map(|_| client.response("GET").text()).collect();
    assert_eq!(bodies, ["served /\n", "served /1\n", "served /2\n", "served /\n"]);
    let requests = origin.requests();
    assert_eq!((requests[1].body.as_slice(), requests[2].body.as_slice()), (&b"hello"[..], &b"ab"[..]));
}

#[test]
fn more_pipelined_requests_than_a_buffer_holds() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let padded = format!("GET /p HTTP/1.1\r\nHost: gw.test\r\nX-Pad: {}\r\n\r\n", "x".repeat(3000));
    client.send(padded.repeat(40));
    for _ in 0..40 {
        assert_eq!(client.response("GET").status, 200);
    }
    assert_eq!(origin.requests().len(), 40);
}

#[test]
fn close_is_said_and_done() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send("GET / HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n\r\nGET /smug HTTP/1.1\r\nHost: gw.test\r\n\r\n");
    let response = client.response("GET");
    assert_eq!(response.get("connection"), Some("close"));
    assert_eq!(client.closed(), Close::Clean);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn http_1_0_is_kept_only_where_it_asks() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let response = client.send("GET / HTTP/1.0\r\nHost: gw.test\r\nConnection: keep-alive\r\n\r\n").response("GET");
    assert_eq!((response.status, response.get("connection")), (200, Some("keep-alive")));
    let response = client.send("GET / HTTP/1.0\r\nHost: gw.test\r\n\r\n").response("GET");
    assert_eq!((response.status, response.get("connection")), (200, Some("close")));
    assert_eq!(client.closed(), Close::Clean);
    assert!(origin.requests().iter().all(|request| request.head.first_line.ends_with("HTTP/1.1")));
}

#[test]
fn http_1_0_without_a_host_reaches_the_catch_all() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    assert_eq!(gate.open().send("GET / HTTP/1.0\r\n\r\n").response("GET").status, 200);
    assert_eq!(origin.requests()[0].head.get("host"), Some(&*gate.address.to_string()));
}

#[test]
fn http_1_0_gets_no_chunks() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let origin = Origin::start(Behaviour::Octets(chunks.as_bytes().into()));
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let response = client.send("GET / HTTP/1.0\r\nHost: gw.test\r\nConnection: keep-alive\r\n\r\n").response("GET");
    assert_eq!((response.text().as_str(), response.get("transfer-encoding")), ("hello world", None));
    assert_eq!(client.closed(), Close::Clean);
}

#[test]
fn a_local_answer_keeps_the_connection_and_skips_a_small_body() {
    let gate = Plan::to(&[]).start();
    let mut client = gate.open();
    let post = format!("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 20000\r\n\r\n{}", "GET /".repeat(4000));
    for _ in 0..3 {
        let response = client.send(&post).response("POST");
        assert_eq!((response.status, reason(&response)), (503, "no-endpoints"));
        let chunked = client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        assert_eq!(chunked.response("POST").status, 503);
    }
    let big = "POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 70000\r\n\r\n";
    assert_eq!(client.send(big).response("POST").get("connection"), Some("close"));
    assert_eq!(client.closed(), Close::Clean);
}

#[test]
fn a_malformed_request_is_answered_and_ends_the_connection() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.get(HOST, "/");
    let response = client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5, 5\r\n\r\nhello").response("POST");
    assert_eq!((response.status, reason(&response), response.get("connection")), (400, "bad-request", Some("close")));
    assert!(response.get("date").is_some());
    assert_eq!(client.closed(), Close::Clean);
}

#[test]
fn the_last_answer_of_a_connection_says_so() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.limits.requests_per_connection = 3;
    let gate = plan.start();
    let mut client = gate.open();
    let said: Vec<_> = (0..3).map(|_| client.get(HOST, "/").get("connection").map(str::to_owned)).collect();
    assert_eq!(said, [None, None, Some("close".to_owned())]);
    assert_eq!(client.closed(), Close::Clean);
}

#[test]
fn a_client_that_only_ends_its_side_still_gets_its_answers() {
    let origin = Origin::start(Behaviour::SlowHead { pause: Duration::from_millis(2) });
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send([GET, GET].concat()).finish();
    for _ in 0..2 {
        assert_eq!(client.response("GET").status, 200);
    }
    assert_eq!(client.closed(), Close::Clean);
}
