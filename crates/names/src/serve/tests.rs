use super::*;
use crate::Table;
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use std::str::FromStr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

fn question() -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.queries.push(Query::query(Name::from_str("app.10.0.0.1.nip.io.").expect("a name"), RecordType::A));
    message.to_vec().expect("it can be written")
}

fn address(reply: &[u8]) -> String {
    Message::from_vec(reply).expect("an answer").answers[0].data.to_string()
}

async fn by_udp(server: SocketAddr) -> (Vec<u8>, SocketAddr) {
    let client = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    client.send_to(&question(), server).await.expect("it is sent");
    let mut buffer = [0; 600];
    let (length, from) = timeout(SOON, client.recv_from(&mut buffer)).await.expect("in time").expect("an answer");
    (buffer[..length].to_vec(), from)
}

#[tokio::test]
async fn both_ways_and_several_questions_on_one_connection() {
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), Zones::new(["nip.io"], Table::default())).await;
    let at = server.listening().borrow().sockets[0];
    assert_eq!(address(&by_udp(at).await.0), "10.0.0.1");
    let mut stream = TcpStream::connect(at).await.expect("a connection");
    for _ in 0..3 {
        let mut framed = u16::try_from(question().len()).expect("short").to_be_bytes().to_vec();
        framed.extend(question());
        stream.write_all(&framed).await.expect("it is sent");
        let length = timeout(SOON, stream.read_u16()).await.expect("in time").expect("an answer");
        let mut reply = vec![0; usize::from(length)];
        stream.read_exact(&mut reply).await.expect("all of it");
        assert_eq!(address(&reply), "10.0.0.1");
    }
    let text = server.counters().render();
    assert!(text.contains("paifang_dns_packets_total{over=\"tcp\"} 3") && text.contains("{outcome=\"noerror\"} 4"), "{text}");
}

#[tokio::test]
async fn where_all_addresses_are_meant_the_answer_comes_from_the_one_that_was_asked() {
    let server = Server::start(SocketAddr::from(([0, 0, 0, 0], 0)), Zones::new(["nip.io"], Table::default())).await;
    let listening = server.listening().borrow().clone();
    for at in listening.sockets {
        assert!(!at.ip().is_unspecified());
        assert_eq!(by_udp(at).await.1, at);
    }
}

#[tokio::test]
async fn a_taken_port_is_no_end() {
    let at = testkit::ports::own_address();
    let taken = UdpSocket::bind(at).await.expect("it is free");
    let server = Server::start(at, Zones::new(["nip.io"], Table::default())).await;
    let mut listening = server.listening();
    let fault = Fault { address: at, why: "the port is taken by another program".into() };
    assert_eq!(*listening.borrow(), Listening { sockets: Vec::new(), faults: vec![fault] });
    drop(taken);
    timeout(SOON, listening.wait_for(|it| it.sockets == [at])).await.expect("in time").expect("it goes on");
    assert_eq!(address(&by_udp(at).await.0), "10.0.0.1");
}

#[tokio::test]
async fn one_client_cannot_have_all_connections() {
    let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), Zones::new(["nip.io"], Table::default())).await;
    let at = server.listening().borrow().sockets[0];
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(TcpStream::connect(at).await.expect("a connection"));
    }
    let mut closed = 0;
    for stream in &mut held[16..] {
        closed += usize::from(matches!(timeout(SOON, stream.read(&mut [0; 1])).await, Ok(Ok(0) | Err(_))));
    }
    assert_eq!(closed, 24);
}
