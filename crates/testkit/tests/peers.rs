//! The client and the origin against each other: what one does, the other must see.

use std::net::TcpStream;
use std::time::Duration;

use testkit::client::{Close, Connection, NoResponse};
use testkit::message::Framing;
use testkit::origin::{Behaviour, Origin};
use testkit::ports::Refusing;

const GET: &[u8] = b"GET /x HTTP/1.1\r\nHost: h\r\nX-Id: 7\r\n\r\n";

fn asked(behaviour: Behaviour) -> (Origin, Connection) {
    let origin = Origin::start(behaviour);
    let mut connection = Connection::open(origin.address());
    connection.send(GET);
    (origin, connection)
}

#[test]
fn every_octet_is_recorded() {
    let (origin, mut connection) = asked(Behaviour::Answer);
    let response = connection.response("GET");
    assert_eq!((response.status, response.text().as_str(), response.framing), (200, "served /x\n", Framing::Length(10)));
    let post = b"POST /y HTTP/1.1\r\nHost: h\r\nX-Id: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: v\r\n\r\n";
    connection.send(post).response("POST");
    let record = origin.record();
    assert_eq!(record.connections, [[GET, post].concat()]);
    assert_eq!(record.requests[1].body, b"ab");
    assert_eq!(record.requests[1].trailers, [("T".to_owned(), "v".to_owned())]);
    assert_eq!((origin.copies("x-id", "7"), origin.copies("x-id", "8")), (2, 0));
    assert!(record.strays.is_empty());
}

#[test]
fn requests_in_one_write_are_told_apart() {
    let origin = Origin::recording();
    let mut connection = Connection::open(origin.address());
    connection.send(GET.repeat(3));
    for _ in 0..3 {
        assert_eq!(connection.response("GET").status, 200);
    }
    assert_eq!(origin.requests().len(), 3);
}

#[test]
fn what_is_no_request_is_a_stray() {
    let origin = Origin::recording();
    Connection::open(origin.address()).send("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n").rest();
    let mut half = Connection::open(origin.address());
    half.send("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab").finish();
    assert_eq!(half.rest(), b"");
    let record = origin.record();
    assert_eq!((record.requests.len(), record.strays.len()), (0, 2));
}

#[test]
fn continue_is_said_before_the_body() {
    let origin = Origin::recording();
    let mut connection = Connection::open(origin.address());
    connection.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(connection.any_response("POST").expect("interim").status, 100);
    connection.send("ab");
    assert_eq!(connection.any_response("POST").expect("final").status, 200);
}

#[test]
fn refusing() {
    let refusing = Refusing::new();
    let error = TcpStream::connect(refusing.address()).expect_err("it does not listen");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn resets_and_closes() {
    let (_origin, mut connection) = asked(Behaviour::ResetMidBody { promised: 10, sent: 3 });
    assert!(matches!(connection.any_response("GET"), Err(NoResponse::Truncated(octets)) if octets.ends_with(b"xxx")));
    assert_eq!(connection.closed_within(Duration::from_millis(1)), Close::Data, "the three octets are still unread");

    let (_origin, mut connection) = asked(Behaviour::ResetAtOnce);
    assert!(matches!(connection.any_response("GET"), Err(NoResponse::Closed(Close::Reset))));
    let (_origin, mut connection) = asked(Behaviour::CloseAtOnce);
    assert!(connection.any_response("GET").expect_err("it closes").is_closed());
    let (_origin, mut connection) = asked(Behaviour::CloseMidChunks { sent: 3 });
    assert!(matches!(connection.any_response("GET"), Err(NoResponse::Truncated(_))));
    let (_origin, mut connection) = asked(Behaviour::CloseAfterAnswer);
    assert_eq!(connection.response("GET").status, 200);
    assert_eq!(connection.closed(), Close::Clean);
}

#[test]
fn slow_ones_arrive_whole() {
    let pause = Duration::from_millis(1);
    let (_origin, mut connection) = asked(Behaviour::SlowHead { pause });
    assert_eq!(connection.response("GET").text(), "served /x\n");
    let (_origin, mut connection) = asked(Behaviour::Trickle { octets: 20, pause });
    assert_eq!(connection.response("GET").body.len(), 20);
}

#[test]
fn early_half_extra_silent() {
    let origin = Origin::start(Behaviour::Early { status: 413 });
    let mut connection = Connection::open(origin.address());
    connection.send("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n");
    assert_eq!(connection.response("POST").status, 413, "before any of the body");

    let (origin, mut connection) = asked(Behaviour::HalfClose);
    assert_eq!(connection.response("GET").status, 200);
    assert_eq!(connection.closed(), Close::Clean);
    assert!(connection.try_send("more").is_ok(), "its other half is open");
    drop(origin);

    let (_origin, mut connection) = asked(Behaviour::ExtraOctets(b"HTTP/1.1 200 OK\r\n".as_slice().into()));
    assert_eq!(connection.response("GET").status, 200);
    assert_eq!(connection.closed_within(Duration::from_secs(30)), Close::Data);

    let (origin, mut connection) = asked(Behaviour::Silent);
    assert_eq!(origin.wait_for(1).len(), 1);
    assert_eq!(connection.closed_within(Duration::from_millis(50)), Close::Open);
}

#[test]
fn upgrades_echo_and_bodies_can_be_made() {
    let origin = Origin::start(Behaviour::Upgrade);
    let mut connection = Connection::open(origin.address());
    connection.send("GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly");
    assert_eq!(connection.response("GET").status, 101);
    assert_eq!(connection.exactly(5).expect("an echo"), b"early");
    assert_eq!(connection.send("later").exactly(5).expect("an echo"), b"later");

    origin.behave(Behaviour::make(|head, _| format!("HTTP/1.1 200 OK\r\n\r\n{}", head.target()).into_bytes()));
    let mut connection = Connection::open(origin.address());
    connection.send(GET);
    origin.wait_for(2);
    drop(origin);
    assert_eq!(connection.response("GET").text(), "/x", "ended by the connection's end");
}

#[test]
fn an_origin_can_come_back() {
    let origin = Origin::recording();
    let address = origin.address();
    drop(origin);
    assert!(TcpStream::connect(address).is_err());
    let _refusing = Refusing::bind(address).expect("the port is free");
    drop(_refusing);
    let origin = Origin::at(address, Behaviour::body("again"));
    assert_eq!(Connection::open(origin.address()).get("h", "/").text(), "again");
}

#[test]
fn certificates_name_their_hosts() {
    let authority = testkit::certificates::Authority::new();
    let issued = authority.issue(&["a.test", "*.b.test", "127.0.0.1"]);
    assert_eq!((issued.chain.len(), issued.chain_pem.matches("BEGIN CERTIFICATE").count()), (2, 2));
    assert_eq!(issued.chain[1], authority.certificate());
    assert!(issued.key_pem.contains("PRIVATE KEY"));
    let contains = |text: &[u8]| issued.chain[0].windows(text.len()).any(|window| window == text);
    assert!(contains(b"a.test") && contains(b"*.b.test") && contains(&[127, 0, 0, 1]));
}
