//! The same through TLS.

use crate::support::{HOST, Plan, reason};
use model::{Certificate, Filter, Sealed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use testkit::PATIENCE;
use testkit::certificates::Authority;
use testkit::client::{Close, Connection};
use testkit::origin::{Behaviour, Origin};

type TlsClient = Connection<StreamOwned<ClientConnection, TcpStream>>;

struct Secure {
    gate: crate::support::Gate,
    config: Arc<ClientConfig>,
}

fn secure(change: impl FnOnce(&mut Plan), origin: &Origin) -> Secure {
    let authority = Authority::new();
    let issued = authority.issue(&[HOST]);
    let mut plan = Plan::to(&[origin.address()]);
    plan.certificate = Some(Certificate {
        origin: "test".into(),
        chain: issued.chain.iter().map(|der| der.to_vec()).collect(),
        key: Sealed::new(issued.key.secret_der().to_vec()),
        names: vec![HOST.into()],
    });
    change(&mut plan);
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()).expect("a certificate");
    let provider = rustls::crypto::aws_lc_rs::default_provider().into();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Secure { gate: plan.start(), config: Arc::new(config) }
}

impl Secure {
    fn open(&self) -> TlsClient {
        let name = ServerName::try_from(HOST).expect("a name");
        let session = ClientConnection::new(self.config.clone(), name).expect("a session");
        let stream = TcpStream::connect(self.gate.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Connection::over(StreamOwned::new(session, stream))
    }
}

#[test]
fn requests_bodies_and_pipelines_pass() {
    let origin = Origin::start(Behaviour::make(|_, body| {
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    }));
    let secure = secure(|_| {}, &origin);
    let mut client = secure.open();
    for length in [0, 1, 20_000, 300_000] {
        let body: Vec<u8> = (0..length).map(|at: usize| (at % 251) as u8).collect();
        let head = format!("POST / HTTP/1.1\r\nHost: gw.test\r\nContent-Length: {length}\r\n\r\n");
        assert!(client.send([head.as_bytes(), &body].concat()).response("POST").body == body, "{length}");
    }
    client.send(crate::support::GET.repeat(5));
    for _ in 0..5 {
        assert_eq!(client.response("GET").status, 200);
    }
    let head = &origin.requests()[0].head;
    assert_eq!((head.get("x-forwarded-proto"), head.get("x-forwarded-port")), (Some("https"), Some("443")));
}

#[test]
fn strict_transport_security_replaces_the_backends_own() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nStrict-Transport-Security: max-age=1\r\n\r\n".as_slice();
    let origin = Origin::start(Behaviour::Octets(answer.into()));
    let secure = secure(|plan| plan.filters = vec![Filter::Hsts("max-age=31536000".into())], &origin);
    let response = secure.open().get(HOST, "/");
    assert_eq!(response.head.all("strict-transport-security").collect::<Vec<_>>(), ["max-age=31536000"]);
    secure.gate.set_endpoints(&[]);
    let response = secure.open().get(HOST, "/");
    assert_eq!((reason(&response), response.get("strict-transport-security")), ("no-endpoints", Some("max-age=31536000")));
}

#[test]
fn a_handshake_has_a_deadline() {
    let origin = Origin::recording();
    let secure = secure(|plan| plan.limits.handshake = Duration::from_millis(200), &origin);
    assert_ne!(secure.gate.open().closed(), Close::Open);
    assert_ne!(secure.gate.open().send("GET / HTTP/1.1\r\n\r\n").rest(), b"HTTP/1.1 400".to_vec());
    assert_eq!(secure.open().get(HOST, "/").status, 200);
}

#[test]
fn an_absolute_target_names_the_connections_scheme() {
    let origin = Origin::recording();
    let secure = secure(|_| {}, &origin);
    let ask = |target: &str| secure.open().send(format!("GET {target} HTTP/1.1\r\nHost: gw.test\r\n\r\n")).response("GET").status;
    assert_eq!((ask("https://gw.test/"), ask("http://gw.test/")), (200, 400));
}
