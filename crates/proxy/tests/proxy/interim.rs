//! Interim answers and `Expect`.

use crate::support::{GET, Gate, reason};
use std::time::Duration;
use testkit::client::Close;
use testkit::origin::{Behaviour, Origin};

const EXPECT: &str = "POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

#[test]
fn the_origins_100_is_passed_on_and_the_body_follows() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    for _ in 0..2 {
        client.send(EXPECT);
        assert_eq!(client.any_response("POST").expect("interim").status, 100);
        assert_eq!(client.send("hello").any_response("POST").expect("final").status, 200);
    }
    let requests = origin.requests();
    assert_eq!((requests[1].body.as_slice(), requests[1].head.get("expect")), (&b"hello"[..], Some("100-continue")));
}

#[test]
fn a_final_status_instead_of_100_ends_the_connection() {
    let origin = Origin::start(Behaviour::Early { status: 417 });
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let response = client.send(EXPECT).any_response("POST").expect("an answer");
    assert_eq!((response.status, response.get("connection")), (417, Some("close")));
    assert_eq!(client.closed(), Close::Clean);
}

#[test]
fn any_other_expectation_is_refused() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let response = gate.open().send("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 5\r\nExpect: tea\r\n\r\nhello").response("POST");
    assert_eq!((response.status, reason(&response)), (417, "bad-request"));
    assert!(origin.requests().is_empty());
}

fn interim(heads: &str) -> Behaviour {
    Behaviour::Octets(format!("{heads}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").into_bytes().into())
}

#[test]
fn hints_are_passed_on_and_other_interim_answers_are_not() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n";
    let origin = Origin::start(interim(&format!("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{hints}")));
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let hint = client.send(GET).any_response("GET").expect("a hint");
    assert_eq!((hint.status, hint.get("link"), hint.get("x-hop")), (103, Some("</a.css>"), None));
    assert_eq!(client.any_response("GET").expect("final").text(), "ok");
    let old = gate.open().send("GET / HTTP/1.0\r\nHost: gw.test\r\n\r\n").any_response("GET").expect("final");
    assert_eq!((old.status, old.text().as_str()), (200, "ok"));
}

#[test]
fn interim_answers_have_an_end() {
    let hint = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let origin = Origin::start(interim(&hint.repeat(8)));
    let gate = Gate::to(&origin);
    assert_eq!(gate.open().send(GET).response("GET").status, 200);
    origin.behave(interim(&hint.repeat(9)));
    let response = gate.open().send(GET).response("GET");
    assert_eq!((response.status, reason(&response)), (502, "upstream-protocol"));
}

#[test]
fn a_slow_100_does_not_hold_back_a_body_that_comes_anyway() {
    let origin = Origin::start(Behaviour::SlowHead { pause: Duration::from_millis(1) });
    let gate = Gate::to(&origin);
    assert_eq!(gate.open().send(EXPECT).send("hello").response("POST").status, 200);
    assert_eq!(origin.requests()[0].body, b"hello");
}
