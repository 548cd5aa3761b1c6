//! Bodies both ways, however framed and however large.

use crate::support::{GET, Gate, HOST, Plan, reason};
use model::Filter;
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;
use testkit::client::{Close, NoResponse};
use testkit::message::Framing;
use testkit::origin::{Behaviour, Origin};

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let step = |state: &mut u32| {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        *state as u8
    };
    (0..length).map(|_| step(&mut state)).collect()
}

fn post(length: usize) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

fn chunked(body: &[u8], piece: usize) -> Vec<u8> {
    let mut wire = b"POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in body.chunks(piece) {
        write!(wire, "{:x};ext=\"1\"\r\n", piece.len()).expect("memory");
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\nX-Trailer: t\r\n\r\n");
    wire
}

/// Sends in a thread, so that both directions can be full at once.
fn exchange(gate: &Gate, wire: Vec<u8>) -> testkit::client::Response {
    let mut client = gate.open();
    let mut writer = client.stream().try_clone().expect("a socket");
    let sending = thread::spawn(move || writer.write_all(&wire));
    let response = client.response("POST");
    sending.join().expect("no panic").expect("all was taken");
    assert_eq!(client.get(HOST, "/again").status, 200, "the connection goes on");
    response
}

#[test]
fn request_bodies_arrive_whole() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut count = 0;
    for length in [0, 1, 100, 16_000, 16_384, 65_535, 65_536, 200_000, 3_000_000] {
        let body = noise(length);
        exchange(&gate, [post(length), body.clone()].concat());
        assert!(origin.requests()[count].body == body, "{length} octets by length");
        exchange(&gate, chunked(&body, 7_001));
        let request = &origin.requests()[count + 2];
        assert!(request.body == body && request.framing == Framing::Chunked, "{length} octets in chunks");
        assert!(request.trailers.is_empty(), "trailers end here");
        count += 4;
    }
    assert!(origin.record().strays.is_empty());
}

#[test]
fn answers_arrive_whole_by_length_in_chunks_and_by_close() {
    for length in [0, 1, 100, 16_384, 65_536, 70_000, 1 << 20, 5 << 20] {
        let body = noise(length);
        let by_length = [format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes(), &body].concat();
        let mut in_chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in body.chunks(10_000) {
            write!(in_chunks, "{:X}\r\n", piece.len()).expect("memory");
            in_chunks.extend_from_slice(piece);
            in_chunks.extend_from_slice(b"\r\n");
        }
        in_chunks.extend_from_slice(b"0\r\n\r\n");
        let by_close = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &body].concat();
        let origin = Origin::start(Behaviour::Octets(by_length.into()));
        let gate = Gate::to(&origin);
        let mut client = gate.open();
        for (behaviour, framing) in [
            (None, Framing::Length(length)),
            (Some(Behaviour::Octets(in_chunks.into())), Framing::Chunked),
            (Some(Behaviour::OctetsThenClose(by_close.into())), Framing::Chunked),
        ] {
            if let Some(behaviour) = behaviour {
                origin.behave(behaviour);
            }
            for _ in 0..2 {
                let response = client.send(GET).response("GET");
                assert!(response.body == body && response.framing == framing, "{length} octets, {framing:?}");
            }
        }
        assert_eq!(origin.record().connections.len(), 2, "kept, until the one that ends with its answer; {length} octets");
    }
}

#[test]
fn head_has_the_fields_and_no_body() {
    let origin = Origin::start(Behaviour::Octets(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".as_slice().into()));
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    for _ in 0..3 {
        let response = client.send("HEAD / HTTP/1.1\r\nHost: gw.test\r\n\r\n").response("HEAD");
        assert_eq!((response.get("content-length"), response.body.len()), (Some("1234"), 0));
    }
    origin.behave(Behaviour::Octets(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: x\r\n\r\n".as_slice().into()));
    assert_eq!(client.send(GET).response("GET").status, 304);
    origin.behave(Behaviour::Octets(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n".as_slice().into()));
    let response = client.send(GET).response("GET");
    assert_eq!((response.status, response.get("content-length"), response.get("transfer-encoding")), (204, None, None));
    assert_eq!(origin.record().connections.len(), 1);
}

#[test]
fn a_slow_reader_gets_everything_and_slows_the_backend_down() {
    let body = noise(8 << 20);
    let origin = Origin::start(Behaviour::body(body.clone()));
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send(GET);
    thread::sleep(Duration::from_millis(300));
    assert!(client.response("GET").body == body);
    assert_eq!(client.get(HOST, "/").body.len(), body.len());
}

#[test]
fn a_truncated_answer_does_not_look_whole() {
    let origin = Origin::start(Behaviour::ResetMidBody { promised: 100, sent: 40 });
    let gate = Gate::to(&origin);
    let truncated = |behaviour: Behaviour, request: &str| {
        origin.behave(behaviour);
        let mut client = gate.open();
        match client.send(request).any_response("GET") {
            Err(NoResponse::Truncated(_) | NoResponse::Closed(Close::Reset)) => {}
            other => panic!("not truncated: {other:?}"),
        }
    };
    truncated(Behaviour::ResetMidBody { promised: 100, sent: 40 }, GET);
    truncated(Behaviour::CloseMidChunks { sent: 40 }, GET);
    let bad_chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n".as_slice();
    truncated(Behaviour::Octets(bad_chunk.into()), GET);
    let old = "GET / HTTP/1.0\r\nHost: gw.test\r\n\r\n";
    origin.behave(Behaviour::CloseMidChunks { sent: 40 });
    let mut client = gate.open();
    let mut all = Vec::new();
    let end = client.send(old).stream().read_to_end(&mut all);
    assert!(end.is_err(), "a body that ends with the connection must end with a reset: {:?}", String::from_utf8_lossy(&all));
}

#[test]
fn a_malformed_request_body_ends_at_the_gateway() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    thread::sleep(Duration::from_millis(50));
    let response = client.send("5 \r\nworld\r\n0\r\n\r\n").response("POST");
    assert_eq!((response.status, reason(&response)), (400, "bad-request"));
    assert_eq!(client.closed(), Close::Clean);
    assert!(origin.requests().is_empty());
}

#[test]
fn a_body_above_the_limit_is_refused_by_length_and_in_chunks() {
    let origin = Origin::recording();
    let mut plan = Plan::to(&[origin.address()]);
    plan.filters = vec![Filter::BodyLimit(1000)];
    let gate = plan.start();
    let status = |wire: Vec<u8>| {
        let response = gate.open().send(wire).response("POST");
        (response.status, reason(&response).to_owned())
    };
    assert_eq!(status([post(1000), noise(1000)].concat()).0, 200);
    assert_eq!(status(chunked(&noise(1000), 100)).0, 200);
    assert_eq!(status([post(1001), noise(1001)].concat()), (413, "body-too-large".to_owned()));
    assert_eq!(status(chunked(&noise(1001), 100)), (413, "body-too-large".to_owned()));
    assert_eq!(status(chunked(&noise(1_000_000), 60_000)), (413, "body-too-large".to_owned()));
    assert_eq!(origin.requests().len(), 2);
    // The body may also grow too large long after its head was sent on.
    let mut client = gate.open();
    client.send("POST / HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    testkit::eventually("the head at the origin", || {
        (origin.record().connections.iter().any(|it| it.ends_with(b"\r\n\r\n"))).then_some(())
    });
    thread::sleep(Duration::from_millis(50));
    client.send([b"3e8\r\n".as_slice(), &noise(1000), b"\r\n1\r\nx\r\n0\r\n\r\n"].concat());
    let response = client.response("POST");
    assert_eq!((response.status, reason(&response)), (413, "body-too-large"));
    assert_eq!(client.closed(), Close::Clean);
    assert_eq!(origin.requests().len(), 2, "it never became a whole request");
}

#[test]
fn an_early_answer_is_passed_on_while_the_body_still_comes() {
    let origin = Origin::start(Behaviour::Early { status: 403 });
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send(post(10_000_000)).send(noise(1000));
    let response = client.response("POST");
    assert_eq!((response.status, response.get("connection")), (403, Some("close")));
    assert_eq!(response.text(), "early\n");
    // A small rest is read, and the connection goes on.
    let mut client = gate.open();
    client.send(post(2000)).send(noise(1000));
    assert_eq!(client.response("POST").status, 403);
    client.send(noise(1000));
    assert_eq!(client.get(HOST, "/next").status, 403);
}

#[test]
fn octets_behind_an_answer_are_no_answer_to_the_next_request() {
    let extra = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison".as_slice();
    let origin = Origin::start(Behaviour::ExtraOctets(extra.into()));
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    for at in 0..5 {
        assert_eq!(client.get(HOST, &format!("/{at}")).text(), format!("served /{at}\n"));
    }
    assert_eq!(origin.record().connections.len(), 5);
}
