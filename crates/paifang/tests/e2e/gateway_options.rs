//! What a gateway's request says of all its requests, and of ports that it passes on: on a project's gateway and on everybody's, changed while
//! they serve.

use crate::harness::{Up, chance, word};
use crate::objects::{annotated, namespace, service, simple};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

const KIND: &str = "ingressgateways.paifang.dev";
const PLATFORM: &str = "kubesphere-system";

/// A gateway that is asked for, and where it is.
struct Asked<'a> {
    up: &'a Up,
    namespace: String,
    scope: &'static str,
    at: SocketAddr,
}

/// A project's gateway and everybody's; the second serves the project of the second name.
fn both<'a>(up: &'a Up, own: &str, other: &str) -> [Asked<'a>; 2] {
    for name in [own, other, PLATFORM] {
        let mut namespace = namespace(name);
        if name != PLATFORM {
            namespace["metadata"]["labels"] = json!({ "kubesphere.io/workspace": "demo" });
        }
        up.apply(&[namespace]);
    }
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut project = Asked { up, namespace: own.to_owned(), scope: "Project", at: nowhere };
    let everybody = Asked { up, namespace: PLATFORM.to_owned(), scope: "Cluster", at: up.front() };
    project.say(&json!({}));
    everybody.say(&json!({}));
    project.at = project.reached("http");
    [project, everybody]
}

impl Asked<'_> {
    /// Puts these fields beside the scope.
    fn say(&self, spec: &Value) {
        // Everybody's stays where it is.
        let access = if self.scope == "Cluster" { "LoadBalancer" } else { "NodePort" };
        let mut object = json!({
            "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway",
            "metadata": { "name": "gateway", "namespace": self.namespace }, "spec": { "scope": self.scope, "access": { "type": access } },
        });
        for (key, value) in spec.as_object().expect("fields") {
            object["spec"][key] = value.clone();
        }
        self.up.apply(&[object]);
    }

    fn reached(&self, name: &str) -> SocketAddr {
        eventually("an address and a port", || {
            let status = self.up.get(&[KIND, "-n", &self.namespace, "gateway"])?.get("status")?.clone();
            let address: IpAddr = status.pointer("/addresses/0/value")?.as_str()?.parse().ok()?;
            let ports = status.get("ports")?.as_array()?.clone();
            let port = ports.iter().find(|it| it["name"] == name)?.get("reachedAt")?.as_u64()?;
            Some(SocketAddr::new(address, u16::try_from(port).ok()?))
        })
    }

    fn told(&self, condition: &str, beginning: &str) -> String {
        self.up.until_condition(&[KIND, "-n", &self.namespace, "gateway"], "/status/conditions", condition, beginning)
    }
}

fn said(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n")
}

#[test]
fn proxies_are_believed_once_they_are_named_and_lines_look_as_asked() {
    let rng = &mut chance("proxies_are_believed_once_they_are_named_and_lines_look_as_asked");
    let (up, own, other) = (Up::start(&[]), word(rng), word(rng));
    let origin = Origin::recording();
    for (gateway, project, host) in
        both(&up, &own, &other).iter().zip([&own, &other]).map(|(it, project)| (it, project, format!("{project}.example")))
    {
        up.apply(&[service(project, "web", &[origin.address()]), simple(project, "web", &host, "web")]);
        up.until_at(gateway.at, &host, "/", "served", |it| it.status == 200);
        let client = |wanted: &str| {
            eventually(&format!("{host}: {wanted} is the client"), || {
                assert_eq!(Connection::open(gateway.at).send(said(&host)).response("GET").status, 200);
                let last = origin.requests().pop()?;
                let of = |name: &str| last.head.all(name).collect::<Vec<_>>().join("|");
                let scheme = if wanted == "192.0.2.1" { "https" } else { "http" };
                (of("x-real-ip") == wanted && of("x-forwarded-proto") == scheme).then_some(())
            });
        };
        gateway.say(&json!({ "config": { "use-forwarded-headers": "true" } }));
        gateway.told("OptionsIgnored", "True NoEffect");
        client("127.0.0.1");
        let format = "LINE $remote_addr $namespace $ingress_name $status $http_x_odd $nonsense";
        gateway.say(&json!({ "config": {
            "use-forwarded-headers": "true", "proxy-real-ip-cidr": "127.0.0.0/8", "log-format-upstream": format,
        } }));
        let believed = gateway.told("ProxiesTrusted", "True Believed");
        assert!(believed.contains("127.0.0.0/8"), "{believed}");
        let unknown = gateway.told("OptionsIgnored", "True UnknownOptions");
        assert!(unknown.contains("$nonsense"), "{unknown}");
        client("192.0.2.1");
        let odd = said(&host).replace("\r\n\r\n", "\r\nX-Odd: \"}\\\r\n\r\n");
        assert_eq!(Connection::open(gateway.at).send(odd).response("GET").status, 200);
        let line = format!("LINE 192.0.2.1 {project} web 200 \\x22}}\\x5C -");
        let name = format!("kubesphere-controls-system/kubesphere-router-{own}");
        let named =
            |it: &str| serde_json::from_str::<Value>(it).is_ok_and(|it| it["gateway"] == name.as_str() && it["line"] == line.as_str());
        eventually("the line", || {
            let log = std::fs::read_to_string(up.access_log()).ok()?;
            let same = |it: &str| if gateway.scope == "Project" { named(it) } else { it == line };
            log.lines().any(same).then_some(())
        });
        gateway.say(&json!({}));
        client("127.0.0.1");
    }
}

#[test]
fn errors_give_way_to_pages() {
    let rng = &mut chance("errors_give_way_to_pages");
    let (up, own, other) = (Up::start(&[]), word(rng), word(rng));
    let broken = Origin::start(Behaviour::Octets(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"[..].into()));
    let pages = Origin::start(Behaviour::Octets(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\npage"[..].into()));
    for (gateway, project) in both(&up, &own, &other).iter().zip([&own, &other]) {
        let host = format!("{project}.example");
        up.apply(&[
            service(project, "web", &[broken.address()]),
            service(project, "pages", &[pages.address()]),
            service(project, "empty", &[]),
            simple(project, "web", &host, "web"),
            annotated(simple(project, "empty", &format!("empty.{host}"), "empty"), &[("default-backend", "pages")]),
        ]);
        up.until_at(gateway.at, &host, "/", "as it is", |it| (it.status, it.text().as_str()) == (500, "oops"));
        up.until_at(gateway.at, &format!("empty.{host}"), "/", "a page where nobody is", |it| it.text() == "page");
        gateway.say(&json!({ "config": { "custom-http-errors": "500,503" } }));
        gateway.told("OptionsIgnored", "True NoEffect");
        let config = json!({ "custom-http-errors": "500,503", "default-backend-service": format!("{project}/pages") });
        gateway.say(&json!({ "config": config }));
        up.until_at(gateway.at, &host, "/some?q=1", "a page", |it| (it.status, it.text().as_str()) == (404, "page"));
        let asked = pages.requests().pop().expect("it was asked");
        for (name, value) in [
            ("x-code", "500"),
            ("x-original-uri", "/some?q=1"),
            ("x-namespace", project.as_str()),
            ("x-ingress-name", "web"),
            ("x-service-name", "web"),
            ("x-service-port", "http"),
        ] {
            assert_eq!(asked.head.all(name).collect::<Vec<_>>(), [value], "{name}");
        }
        up.kubectl(&["delete", "service", "-n", project, "pages"], "").expect("it goes");
        up.until_at(gateway.at, &host, "/", "as it was", |it| (it.status, it.text().as_str()) == (500, "oops"));
        gateway.told("OptionsIgnored", "True ServiceNotFound");
        gateway.say(&json!({}));
    }
}

/// Answers a datagram with itself.
fn udp_echo() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("its address");
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..count], from);
        }
    });
    at
}

fn udp_answers(at: SocketAddr) -> Option<()> {
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.set_read_timeout(Some(Duration::from_millis(300))).ok()?;
    socket.send_to(b"ask", at).ok()?;
    let mut buffer = [0; 16];
    (socket.recv(&mut buffer).ok()? == 3).then_some(())
}

#[test]
fn ports_are_passed_on_to_services_that_the_gateway_may_name() {
    let rng = &mut chance("ports_are_passed_on_to_services_that_the_gateway_may_name");
    let (up, own, other) = (Up::start(&[]), word(rng), word(rng));
    let (origin, datagrams) = (Origin::start(Behaviour::body("passed")), udp_echo());
    let [project, everybody] = both(&up, &own, &other);
    for name in [&own, &other] {
        let mut dns = service(name, "dns", &[datagrams]);
        dns["spec"]["ports"] = json!([{ "name": "dns", "port": 53, "protocol": "UDP" }]);
        up.apply(&[service(name, "web", &[origin.address()]), dns]);
    }
    project.say(&json!({ "tcp": { "9000": format!("{own}/web:80"), "9001": format!("{other}/web:80") } }));
    let refused = project.told("PortsIgnored", "True ScopeNotAllowed");
    assert!(refused.contains("spec.tcp[9001]") && refused.contains(&other), "{refused}");
    let at = project.reached("tcp-9000");
    eventually("it is passed on", || {
        std::net::TcpStream::connect(at).ok()?;
        Connection::open(at).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").any_response("GET").ok().filter(|it| it.text() == "passed")
    });
    project.say(&json!({ "udp": { "5300": "dns:dns" } }));
    let at = project.reached("udp-5300");
    eventually("datagrams are passed on", || udp_answers(at));
    everybody.say(&json!({ "tcp": { "9100": format!("{other}/web:80") } }));
    let at = everybody.reached("tcp-9100");
    eventually("everybody's leads into any project", || {
        std::net::TcpStream::connect(at).ok()?;
        Connection::open(at).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").any_response("GET").ok().filter(|it| it.text() == "passed")
    });
}
