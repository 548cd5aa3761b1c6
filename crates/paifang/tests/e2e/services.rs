//! Plain Services that are reached from outside: by an address of the pool, by node ports, by external addresses.

use crate::harness::{Up, chance, word};
use crate::objects::namespace;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

/// Sends datagrams back.
fn echo() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("its address");
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..length], peer);
        }
    });
    address
}

/// Whether a datagram comes back from there.
fn answers(at: SocketAddr) -> Option<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.connect(at).ok()?;
    socket.set_read_timeout(Some(Duration::from_millis(300))).ok()?;
    socket.send(b"anyone?").ok()?;
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).ok()?;
    (&buffer[..length] == b"anyone?").then_some(())
}

fn service(project: &str, name: &str, endpoints: &[SocketAddr], spec: Value) -> Value {
    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    json!({
        "apiVersion": "v1", "kind": "Service", "spec": spec,
        "metadata": { "name": name, "namespace": project, "annotations": { "paifang.dev/endpoints": endpoints.join(",") } },
    })
}

struct Given {
    address: Option<IpAddr>,
    node_ports: Vec<u16>,
}

/// What a Service shows, once it shows what is wanted.
fn given(up: &Up, project: &str, name: &str, wanted: impl Fn(&Given) -> bool) -> Given {
    eventually("what it was given", || {
        let service = up.get(&["service", "-n", project, name])?;
        let ip = service.pointer("/status/loadBalancer/ingress/0/ip").and_then(Value::as_str);
        let ports = service.pointer("/spec/ports")?.as_array()?.clone();
        let number = |it: &Value| u16::try_from(it.get("nodePort")?.as_u64()?).ok();
        let given = Given { address: ip.and_then(|it| it.parse().ok()), node_ports: ports.iter().filter_map(number).collect() };
        wanted(&given).then_some(given)
    })
}

fn on_node(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Which of the origins answers there.
fn answer(at: SocketAddr) -> String {
    eventually("somebody who answers", || {
        let mut connection = Connection::over(std::net::TcpStream::connect(at).ok()?);
        connection.try_send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        connection.any_response("GET").ok().map(|it| it.text())
    })
}

#[test]
fn a_load_balancer_has_an_address_and_node_ports_and_keeps_them() {
    let rng = &mut chance("a_load_balancer_has_an_address_and_node_ports_and_keeps_them");
    let (mut up, project) = (Up::start(&[]), word(rng));
    let origin = Origin::start(Behaviour::body("here"));
    let port = 8_000 + rng.u16(..1_000);
    up.apply(&[
        namespace(&project),
        service(&project, "web", &[origin.address()], json!({ "type": "LoadBalancer", "ports": [{ "name": "http", "port": port }] })),
        service(
            &project,
            "echo",
            &[echo()],
            json!({ "type": "LoadBalancer", "ports": [{ "name": "u", "port": port, "protocol": "UDP" }] }),
        ),
    ]);
    let whole = |it: &Given| it.address.is_some() && it.node_ports.len() == 1;
    let (web, echo) = (given(&up, &project, "web", whole), given(&up, &project, "echo", whole));
    let [web_at, echo_at] = [&web, &echo].map(|it| SocketAddr::new(it.address.expect("an address"), port));
    assert_ne!(web_at, echo_at, "each has its own");
    assert_eq!([answer(web_at), answer(on_node(web.node_ports[0]))], ["here", "here"]);
    eventually("datagrams at the address", || answers(echo_at));
    eventually("datagrams at the node port", || answers(on_node(echo.node_ports[0])));

    up.kill();
    up.start_again();
    for (name, before) in [("web", &web), ("echo", &echo)] {
        let after = given(&up, &project, name, whole);
        assert_eq!((after.address, &after.node_ports), (before.address, &before.node_ports));
    }
    assert_eq!(answer(web_at), "here");

    // What is no longer asked for is given back, and may be somebody else's.
    up.kubectl(&["patch", "service", "-n", &project, "web", "-p", r#"{"spec":{"type":"ClusterIP"}}"#], "").expect("it is taken");
    let none = given(&up, &project, "web", |it| it.address.is_none() && it.node_ports.is_empty());
    assert_eq!(none.address, None);
    eventually("nobody at its address", || std::net::TcpStream::connect(web_at).is_err().then_some(()));
    up.kubectl(&["delete", "service", "-n", &project, "echo"], "").expect("it is gone");
    eventually("no datagrams any more", || answers(echo_at).is_none().then_some(()));
}

#[test]
fn ranges_affinity_and_node_ports_are_as_the_service_says() {
    let rng = &mut chance("ranges_affinity_and_node_ports_are_as_the_service_says");
    let (up, project) = (Up::start(&[]), word(rng));
    let origins: Vec<Origin> = ["one", "two", "three"].map(|it| Origin::start(Behaviour::body(it))).into();
    let all: Vec<SocketAddr> = origins.iter().map(Origin::address).collect();
    let port = 8_000 + rng.u16(..1_000);
    let spec = |more: Value| {
        let mut spec = json!({ "type": "LoadBalancer", "ports": [{ "port": port }] });
        more.as_object().expect("fields").iter().for_each(|(key, value)| spec[key] = value.clone());
        spec
    };
    up.apply(&[
        namespace(&project),
        service(&project, "spread", &all, spec(json!({ "allocateLoadBalancerNodePorts": false }))),
        service(&project, "sticky", &all, spec(json!({ "sessionAffinity": "ClientIP" }))),
        service(&project, "closed", &all, spec(json!({ "loadBalancerSourceRanges": ["192.0.2.0/24"] }))),
    ]);
    let at = |name: &str| SocketAddr::new(given(&up, &project, name, |it| it.address.is_some()).address.expect("one"), port);
    let seen = |name: &str| (0..12).map(|_| answer(at(name))).collect::<BTreeSet<_>>().len();
    assert_eq!((seen("spread"), seen("sticky")), (3, 1));
    given(&up, &project, "sticky", |it| it.node_ports.len() == 1);
    assert_eq!(given(&up, &project, "spread", |_| true).node_ports, [0_u16; 0]);
    let closed = at("closed");
    eventually("a connection that is closed at once", || {
        let mut connection = Connection::over(std::net::TcpStream::connect(closed).ok()?);
        connection.try_send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
        connection.any_response("GET").is_err().then_some(())
    });
}

#[test]
fn what_cannot_be_had_is_told_and_costs_nobody_else_anything() {
    let rng = &mut chance("what_cannot_be_had_is_told_and_costs_nobody_else_anything");
    let (up, project) = (Up::start(&[]), word(rng));
    let origin = Origin::start(Behaviour::body("here"));
    let node_port = |number: u16| json!({ "type": "NodePort", "ports": [{ "port": 80, "nodePort": number }] });
    let mut external = |ip: &str| json!({ "externalIPs": [ip], "ports": [{ "port": 8_000 + rng.u16(..1_000) }] });
    let front = up.front().ip().to_string();
    up.apply(&[
        namespace(&project),
        service(&project, "outside", &[origin.address()], node_port(32_767)),
        service(&project, "a-thief", &[origin.address()], external(&front)),
        service(&project, "stranger", &[origin.address()], external("203.0.113.9")),
        service(&project, "sctp", &[origin.address()], json!({ "type": "NodePort", "ports": [{ "port": 9, "protocol": "SCTP" }] })),
        service(&project, "fine", &[origin.address()], json!({ "type": "NodePort", "ports": [{ "port": 80 }] })),
    ]);
    up.event(&project, "outside", &["node port 32767", "range"]);
    up.event(&project, "a-thief", &[&front, "gateway"]);
    up.event(&project, "stranger", &["203.0.113.9", "pool"]);
    up.event(&project, "sctp", &["SCTP"]);
    let fine = given(&up, &project, "fine", |it| it.node_ports.len() == 1);
    assert_eq!(answer(on_node(fine.node_ports[0])), "here");
}
