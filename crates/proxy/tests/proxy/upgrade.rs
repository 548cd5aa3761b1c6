//! WebSocket, and nothing else.

use crate::support::{Gate, HOST, Plan, reason};
use std::time::Duration;
use testkit::client::Close;
use testkit::origin::{Behaviour, Origin};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: gw.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn octets_pass_both_ways_after_101() {
    let origin = Origin::start(Behaviour::Upgrade);
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    let response = client.send(UPGRADE).response("GET");
    assert_eq!((response.status, response.get("upgrade"), response.get("connection")), (101, Some("websocket"), Some("Upgrade")));
    for at in 0..20_u32 {
        let message = at.to_be_bytes().repeat(1 + at as usize * 997);
        assert!(client.send(&message).exactly(message.len()).expect("an echo") == message);
    }
    client.finish();
    assert_eq!(client.closed(), Close::Clean);
    let head = &origin.requests()[0].head;
    assert_eq!((head.get("upgrade"), head.get("sec-websocket-version")), (Some("websocket"), Some("13")));
}

#[test]
fn octets_sent_too_early_wait_for_101() {
    let origin = Origin::start(Behaviour::Upgrade);
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send([UPGRADE, "GET /forbidden HTTP/1.1\r\n\r\n"].concat());
    assert_eq!(client.response("GET").status, 101);
    assert_eq!(client.exactly(27).expect("an echo"), b"GET /forbidden HTTP/1.1\r\n\r\n");
    // An origin that does not switch gets them as the next request, through the routes.
    origin.behave(Behaviour::Answer);
    let mut client = gate.open();
    client.send([UPGRADE, "GET /next HTTP/1.1\r\nHost: gw.test\r\n\r\n"].concat());
    assert_eq!(client.response("GET").text(), "served /ws\n");
    assert_eq!(client.response("GET").text(), "served /next\n");
    let record = origin.record();
    assert!(record.requests.iter().all(|request| request.head.get("x-request-id").is_some()));
}

#[test]
fn no_upgrade_but_a_whole_one_to_websocket() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    for fields in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: gw.test\r\n{fields}\r\n");
        assert_eq!(gate.open().send(request).response("GET").status, 200);
    }
    let post = "POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 2\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nab";
    assert_eq!(gate.open().send(post).response("POST").status, 200);
    for request in origin.requests() {
        assert_eq!((request.head.get("upgrade"), request.head.get("connection")), (None, None), "{request:?}");
        assert_eq!(request.head.get("http2-settings"), None);
    }
}

#[test]
fn a_101_to_something_else_is_refused() {
    let origin = Origin::start(Behaviour::Octets(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".as_slice().into(),
    ));
    let gate = Gate::to(&origin);
    let response = gate.open().send(UPGRADE).response("GET");
    assert_eq!((response.status, reason(&response)), (502, "upstream-protocol"));
}

#[test]
fn a_silent_tunnel_ends() {
    let origin = Origin::start(Behaviour::Upgrade);
    let mut plan = Plan::to(&[origin.address()]);
    plan.forward = |forward| forward.timeouts.read = Duration::from_millis(200);
    let gate = plan.start();
    let mut client = gate.open();
    assert_eq!(client.send(UPGRADE).response("GET").status, 101);
    assert_eq!(client.closed(), Close::Clean);
    origin.behave(Behaviour::Answer);
    assert_eq!(gate.open().get(HOST, "/").status, 200);
}
