//! TLS ports: who is asked for, who may come in, and what goes on untouched.

use crate::support::{Echo, Gate, HOST, Plan, bound, endpoints, host, id, listener, loopback, reason, shard_of, tunnel};
use model::{
    Action, Backend, BackendId, Certificate, ClientAuth, ClientTrust, Forward, Gateway, Host, HostPattern, HostTls, Hostname,
    ListenerProtocol, Replies, Sealed, TlsPolicy, TlsVersions, Update,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SignatureScheme, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};
use testkit::certificates::{Alternative, Authority, Issued};
use testkit::client::{Close, Connection};
use testkit::origin::Origin;
use testkit::{PATIENCE, eventually};

const PORT: u16 = 443;

type TlsClient = Connection<StreamOwned<ClientConnection, TcpStream>>;

/// A gate whose only port is TLS.
struct Servers {
    gate: Gate,
    origin: Origin,
    /// Of the servers.
    authority: Authority,
    /// Of clients.
    clients: Authority,
    at: SocketAddr,
}

/// A name and what is done for it.
type Named = (&'static str, HostTls, TlsPolicy);

fn pattern(name: &str) -> HostPattern {
    let hostname = |name: &str| Hostname::parse(name).expect("a name");
    match name.strip_prefix("*.") {
        _ if name == "*" => HostPattern::Any,
        Some(suffix) => HostPattern::AnyDepth(hostname(suffix)),
        None => HostPattern::Exact(hostname(name)),
    }
}

fn shown(issued: &Issued) -> Arc<Certificate> {
    Arc::new(Certificate {
        origin: "test".into(),
        chain: issued.chain.iter().map(|der| der.to_vec()).collect(),
        key: Sealed::new(issued.key.secret_der().to_vec()),
        names: Vec::new(),
    })
}

impl Servers {
    fn start(change: impl FnOnce(&mut Plan)) -> Self {
        let origin = Origin::recording();
        let mut plan = Plan::to(&[origin.address()]);
        change(&mut plan);
        let gate = plan.start();
        let gateway = Gateway {
            id: id(),
            listeners: vec![listener("tls", ListenerProtocol::Https, PORT, loopback())],
            default_certificate: None,
            replies: Replies::default(),
            options: Arc::default(),
        };
        let ack = gate.apply(Update { gateways: vec![(id(), Some(Arc::new(gateway)))], ..Update::default() });
        Self { gate, origin, authority: Authority::new(), clients: Authority::called("authority of clients"), at: bound(&ack)[0] }
    }

    fn certificate(&self, name: &str) -> HostTls {
        HostTls::Certificate(shown(&self.authority.issue(&[name])))
    }

    fn trust(&self) -> ClientTrust {
        ClientTrust {
            origin: "Secret istio-system/ca".into(),
            authorities: vec![self.clients.certificate().to_vec()],
            revoked: Vec::new(),
            names: Vec::new(),
            pins: Vec::new(),
        }
    }

    /// All requests of these hosts go to the origin.
    fn serve(&self, hosts: Vec<Named>) -> model::Ack {
        let forward = || Action::Forward(Forward::to(Arc::new(self.gate.backend.clone())));
        let shards = hosts
            .into_iter()
            .map(|(name, tls, tls_policy)| shard_of(PORT, Host { name: pattern(name), tls, tls_policy, ..host(forward(), Vec::new()) }));
        self.gate.apply(Update { shards: shards.collect(), ..Update::default() })
    }

    fn pass_on(&self, name: &str, tls: HostTls, tls_policy: TlsPolicy, to: SocketAddr) {
        let backend = Backend::new(BackendId::new("demo/other:443"));
        let host = Host { tls, tls_policy, tunnel: Some(tunnel(&backend)), ..Host::new(pattern(name)) };
        self.gate.apply(Update { endpoints: vec![endpoints(&backend, &[to])], shards: vec![shard_of(PORT, host)], ..Update::default() });
    }

    fn client(&self, issued: Option<&Issued>) -> Arc<ClientConfig> {
        client(&self.authority, issued)
    }

    fn connect(&self, config: &Arc<ClientConfig>, name: &'static str) -> Result<TlsClient, std::io::Error> {
        connect(self.at, config, name)
    }

    /// Waits until so many handshakes are counted as failed.
    fn failures(&self, count: usize) {
        let line = format!("paifang_tls_handshake_failures_total{{gateway=\"demo/gateway\",listener=\"tls\"}} {count}\n");
        eventually(&line, || self.gate.dataplane.metrics().render().contains(&line).then_some(()));
    }

    /// What a handshake for this name ends with.
    fn alert(&self, config: &Arc<ClientConfig>, name: &'static str) -> Option<AlertDescription> {
        let failed = self.connect(config, name).err()?;
        match failed.get_ref().and_then(|error| error.downcast_ref()) {
            Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
            _ => panic!("no alert: {failed:?}"),
        }
    }
}

fn client(authority: &Authority, issued: Option<&Issued>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()).expect("a certificate");
    let builder = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    Arc::new(match issued {
        Some(issued) => {
            let key = aws_lc_rs::sign::any_supported_type(&issued.key).expect("a key");
            builder.with_client_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(issued.chain.clone(), key)))))
        }
        None => builder.with_no_client_auth(),
    })
}

/// Shows one certificate to every server.
#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
    fn has_certs(&self) -> bool {
        true
    }
}

/// Connected once the server has had its say about the client's certificate, too, which in TLS 1.3 comes after the handshake.
fn connect(at: SocketAddr, config: &Arc<ClientConfig>, name: &'static str) -> Result<TlsClient, std::io::Error> {
    let mut session = ClientConnection::new(config.clone(), ServerName::try_from(name).expect("a name")).expect("a session");
    let mut stream = TcpStream::connect(at).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    session.complete_io(&mut stream)?;
    while session.tls13_tickets_received() == 0 {
        if session.read_tls(&mut stream)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        session.process_new_packets().map_err(std::io::Error::other)?;
    }
    Ok(Connection::over(StreamOwned::new(session, stream)))
}

fn required(trust: ClientTrust) -> TlsPolicy {
    TlsPolicy { client: ClientAuth::Required(Arc::new(trust)), versions: TlsVersions::Both }
}

fn none() -> TlsPolicy {
    TlsPolicy::default()
}

#[test]
fn each_name_is_met_in_its_own_way() {
    let inner = Servers::start(|_| {});
    inner.serve(vec![("*", inner.certificate("passed.test"), none())]);
    let it = Servers::start(|_| {});
    it.serve(vec![("ours.test", it.certificate("ours.test"), none()), ("refused.test", HostTls::Refuse, none())]);
    it.pass_on("passed.test", HostTls::Passthrough, none(), inner.at);
    let ours = it.client(None);
    let mut client = it.connect(&ours, "ours.test").expect("a handshake");
    assert_eq!(client.get("ours.test", "/").status, 200);
    // The certificate is the inner one's, which only its own authority vouches for.
    let mut through = it.connect(&inner.client(None), "passed.test").expect("a handshake behind the gate");
    let body = vec![b'x'; 300_000];
    let head = format!("POST / HTTP/1.1\r\nHost: passed.test\r\nContent-Length: {}\r\n\r\n", body.len());
    assert_eq!(through.send([head.as_bytes(), &body].concat()).response("POST").status, 200);
    assert_eq!((inner.origin.requests().len(), it.origin.requests().len()), (1, 1));
    assert!(it.connect(&ours, "passed.test").is_err());
    for name in ["refused.test", "nobody.test"] {
        assert_eq!(it.alert(&ours, name), Some(AlertDescription::UnrecognisedName), "{name}");
    }
    let ip = it.connect(&ours, "127.0.0.1").expect_err("no name is nobody's name");
    assert!(ip.to_string().contains("UnrecognisedName"), "{ip}");
    it.failures(3);
    assert_eq!(client.get("refused.test", "/").status, 421);
    assert_eq!(client.get("passed.test", "/").status, 421);
}

#[test]
fn where_all_is_passed_on_nobodys_connection_is_closed_without_an_alert() {
    let inner = Servers::start(|_| {});
    inner.serve(vec![("*", inner.certificate("passed.test"), none())]);
    let it = Servers::start(|_| {});
    it.pass_on("passed.test", HostTls::Passthrough, none(), inner.at);
    assert_eq!(it.alert(&inner.client(None), "nobody.test"), Some(AlertDescription::UnrecognisedName), "all ports read some requests");
    let all_ports = model::ShardKey { gateway: id(), port: None, host: HostPattern::Any };
    it.gate.apply(Update { shards: vec![(all_ports, None)], ..Update::default() });
    let closed = it.connect(&inner.client(None), "nobody.test").expect_err("nobody takes it");
    assert!(matches!(closed.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof), "{closed:?}");
    it.failures(2);
    it.connect(&inner.client(None), "passed.test").expect("a handshake behind the gate");
}

#[test]
fn octets_behind_ended_tls_are_passed_on() {
    let echo = Echo::start();
    let it = Servers::start(|_| {});
    it.pass_on("raw.test", it.certificate("raw.test"), none(), echo.address);
    let mut config = ClientConfig::clone(&it.client(None));
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    let mut client = it.connect(&Arc::new(config), "raw.test").expect("a handshake");
    let sent: Vec<u8> = (0..200_000).map(|at| (at % 251) as u8).collect();
    for chunk in sent.chunks(10_000) {
        assert!(client.send(chunk).exactly(chunk.len()).expect("an echo") == chunk);
    }
    let stream = client.stream();
    stream.conn.send_close_notify();
    stream.flush().expect("it is taken");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("an end in good order");
    assert_eq!(rest, b"bye");
    // An end of the connection that is not TLS's own may be anybody's: it is passed on as what it is.
    let backend = TcpListener::bind(loopback()).expect("a port");
    it.pass_on("raw.test", it.certificate("raw.test"), none(), backend.local_addr().expect("its address"));
    let mut client = it.connect(&it.client(None), "raw.test").expect("a handshake");
    client.send("half of");
    let mut stream = backend.accept().expect("it is connected to").0;
    stream.read_exact(&mut [0; 7]).expect("octets");
    client.stream().sock.shutdown(Shutdown::Write).expect("open");
    let error = stream.read(&mut [0]).expect_err("it was broken off");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    it.pass_on("raw.test", it.certificate("raw.test"), required(it.trust()), echo.address);
    assert!(it.connect(&it.client(None), "raw.test").is_err());
    let known = it.clients.issue(&["c.test"]);
    let mut client = it.connect(&it.client(Some(&known)), "raw.test").expect("a handshake");
    assert_eq!(client.send("a").exactly(1).expect("an echo"), b"a");
}

#[test]
fn who_shows_no_good_certificate_stays_out() {
    let it = Servers::start(|_| {});
    it.serve(vec![("m.test", it.certificate("m.test"), required(it.trust()))]);
    let strangers = Authority::called("authority of clients");
    let (good, old, bad) = (it.clients.issue(&["c.test"]), it.clients.issue_version_one("c.test"), strangers.issue(&["c.test"]));
    for known in [&good, &old] {
        let mut client = it.connect(&it.client(Some(known)), "m.test").expect("a handshake");
        assert_eq!(client.get("m.test", "/").status, 200);
    }
    assert_eq!(it.alert(&it.client(None), "m.test"), Some(AlertDescription::CertificateRequired));
    assert!(it.connect(&it.client(Some(&bad)), "m.test").is_err());
    let list = it.clients.revoke(&[&good], SystemTime::now() + Duration::from_secs(3_600));
    let revoking = ClientTrust { revoked: vec![list], ..it.trust() };
    it.serve(vec![("m.test", it.certificate("m.test"), required(revoking))]);
    assert_eq!(it.alert(&it.client(Some(&good)), "m.test"), Some(AlertDescription::CertificateRevoked));
    assert!(it.connect(&it.client(Some(&old)), "m.test").is_ok(), "the others come in as before");
    let optional = TlsPolicy { client: ClientAuth::Optional(Arc::new(it.trust())), versions: TlsVersions::Only13 };
    it.serve(vec![("m.test", it.certificate("m.test"), optional)]);
    let outcomes = [None, Some(&good), Some(&bad)].map(|issued| it.connect(&it.client(issued), "m.test").is_ok());
    assert_eq!(outcomes, [true, true, false]);
}

/// What one may ask over whose connection.
#[test]
fn no_connection_made_for_one_host_opens_another_that_demands_more() {
    let it = Servers::start(|_| {});
    let (known, trust) = (it.clients.issue(&["c.test"]), it.trust());
    let named = ClientTrust { names: vec!["c.test".into()], ..it.trust() };
    it.serve(vec![
        ("open.test", it.certificate("open.test"), none()),
        ("also.test", it.certificate("also.test"), none()),
        ("m.test", it.certificate("m.test"), required(trust.clone())),
        ("same.test", it.certificate("same.test"), required(trust)),
        ("*.deep.test", it.certificate("*.deep.test"), required(named)),
        ("optional.test", it.certificate("optional.test"), TlsPolicy { client: ClientAuth::Unverified, ..none() }),
        ("*", it.certificate("127.0.0.1"), none()),
    ]);
    let config = it.client(Some(&known));
    let all = ["open.test", "also.test", "m.test", "same.test", "a.deep.test", "optional.test", "other.test"];
    for (name, may) in [
        ("open.test", &["open.test", "also.test", "other.test"][..]),
        ("m.test", &["m.test", "same.test"]),
        ("a.deep.test", &["a.deep.test"]),
        ("optional.test", &["optional.test"]),
        ("127.0.0.1", &["open.test", "also.test", "other.test"]),
    ] {
        let mut client = it.connect(&config, name).expect("a handshake");
        for asked in all {
            for spelled in [asked.to_owned(), asked.to_ascii_uppercase(), format!("{asked}."), format!("{asked}:443")] {
                let response = client.get(&spelled, "/");
                let expect = if may.contains(&asked) { (200, "none") } else { (421, "misdirected") };
                assert_eq!((response.status, reason(&response)), expect, "{spelled} over a connection for {name}");
            }
        }
    }
    // A session of the open host, with its ticket, is no way in either.
    let nobody = it.client(None);
    for _ in 0..2 {
        it.connect(&nobody, "open.test").expect("a handshake").get("open.test", "/");
    }
    assert_eq!(it.connect(&nobody, "open.test").expect("a handshake").stream().conn.handshake_kind(), Some(HandshakeKind::Resumed));
    assert_eq!(it.alert(&nobody, "m.test"), Some(AlertDescription::CertificateRequired));
    // A policy that comes later is for connections that were there before, too.
    let mut early = it.connect(&nobody, "open.test").expect("a handshake");
    assert_eq!(early.get("open.test", "/").status, 200);
    it.serve(vec![("open.test", it.certificate("open.test"), required(it.trust()))]);
    assert_eq!(early.get("open.test", "/").status, 421);
}

#[test]
fn backends_are_told_who_the_client_is_and_by_us_alone() {
    let it = Servers::start(|_| {});
    let optional = TlsPolicy { client: ClientAuth::Optional(Arc::new(it.trust())), ..none() };
    it.serve(vec![
        ("open.test", it.certificate("open.test"), none()),
        ("m.test", it.certificate("m.test"), optional),
        ("any.test", it.certificate("any.test"), TlsPolicy { client: ClientAuth::Unverified, ..none() }),
    ]);
    let known = it.clients.issue_to("web", &[Alternative::Uri("spiffe://demo/web"), Alternative::Dns("web.test")]);
    let expect = tls::forwarded_client_cert(&known.chain[0]).expect("readable");
    assert!(expect.ends_with(";Subject=\"CN=web\";URI=spiffe://demo/web;DNS=web.test"));
    for (name, issued, expect) in [
        ("open.test", None, None),
        ("m.test", None, None),
        ("m.test", Some(&known), Some(&*expect)),
        // What nobody has verified says nothing.
        ("any.test", Some(&known), None),
    ] {
        let mut client = it.connect(&it.client(issued), name).expect("a handshake");
        let forged = "X-Forwarded-Client-Cert: Hash=0\r\nx-forwarded-client-cert: Hash=1\r\n";
        let request = format!("GET /{name} HTTP/1.1\r\nHost: {name}\r\n{forged}\r\n");
        assert_eq!(client.send(request).response("GET").status, 200);
        let requests = it.origin.requests();
        let head = &requests.last().expect("one").head;
        assert_eq!(head.all("x-forwarded-client-cert").collect::<Vec<_>>(), expect.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_policy_that_cannot_be_kept_closes_its_hosts_and_says_why() {
    let it = Servers::start(|_| {});
    let broken = ClientTrust { authorities: vec![b"nonsense".to_vec()], ..it.trust() };
    let ack = it.serve(vec![("m.test", it.certificate("m.test"), required(broken)), ("open.test", it.certificate("open.test"), none())]);
    let [nack] = ack.nacks.as_slice() else { panic!("{:?}", ack.nacks) };
    assert_eq!((nack.shard.host.to_string(), nack.route), ("m.test".to_owned(), 0));
    assert_eq!(nack.message, "none of the certificate authorities in Secret istio-system/ca can be read, so no client is let in");
    let known = it.clients.issue(&["c.test"]);
    for _ in 0..2 {
        assert_eq!(it.alert(&it.client(Some(&known)), "m.test"), Some(AlertDescription::AccessDenied));
    }
    let mut client = it.connect(&it.client(None), "open.test").expect("a handshake");
    assert_eq!(client.get("m.test", "/").status, 421);
    assert_eq!(it.serve(vec![("m.test", it.certificate("m.test"), required(it.trust()))]).nacks, []);
    assert_eq!(it.connect(&it.client(Some(&known)), "m.test").expect("a handshake").get("m.test", "/").status, 200);
}

/// The first octets of a handshake for this name.
fn hello(name: &'static str) -> Vec<u8> {
    let config = client(&Authority::new(), None);
    let mut session = ClientConnection::new(config, ServerName::try_from(name).expect("a name")).expect("a session");
    let mut octets = Vec::new();
    session.write_tls(&mut octets).expect("memory");
    octets
}

const DECODE_ERROR: [u8; 7] = [21, 3, 3, 0, 2, 2, 50];

#[test]
fn a_hello_may_come_in_pieces_but_not_too_large_or_too_late() {
    let inner = Servers::start(|_| {});
    inner.serve(vec![("*", inner.certificate("passed.test"), none())]);
    let it = Servers::start(|plan| plan.limits.handshake = Duration::from_millis(1_500));
    it.pass_on("passed.test", HostTls::Passthrough, none(), inner.at);
    let octets = hello("passed.test");
    let mut slow = TcpStream::connect(it.at).expect("it listens");
    slow.set_nodelay(true).expect("a socket");
    for piece in octets.chunks(400) {
        slow.write_all(piece).expect("it is taken");
        thread::sleep(Duration::from_millis(20));
    }
    let mut answer = [0; 3];
    slow.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, [22, 3, 3], "the inner one's ServerHello");

    for octets in
        [&b"GET / HTTP/1.1\r\nHost: passed.test\r\n\r\n"[..], &[&[22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xf0][..], &[0; 40_000]].concat()]
    {
        let mut client = Connection::open(it.at);
        let _ = client.try_send(octets);
        assert_eq!(client.rest(), DECODE_ERROR);
    }
    let half = octets.len() / 2;
    let mut waiting = [(); 2].map(|()| Connection::open(it.at));
    waiting[1].send(&octets[..half]);
    for client in &mut waiting {
        assert_ne!(client.closed(), Close::Open);
    }
    it.failures(4);
}

#[test]
fn a_hello_that_breaks_off_is_not_waited_for() {
    let it = Servers::start(|plan| plan.limits.handshake = Duration::from_secs(3_600));
    let octets = hello("ours.test");
    for length in [0, 1, octets.len() / 2] {
        let mut client = Connection::open(it.at);
        client.send(&octets[..length]).stream().shutdown(Shutdown::Write).expect("open");
        assert_ne!(client.closed(), Close::Open, "{length}");
    }
    it.failures(3);
}

#[test]
fn plain_ports_take_no_policy_and_tell_nobody_of_certificates() {
    let origin = Origin::recording();
    let gate = Gate::to(&origin);
    let mut client = gate.open();
    client.send("GET / HTTP/1.1\r\nHost: gw.test\r\nX-Forwarded-Client-Cert: Hash=0\r\n\r\n").response("GET");
    assert_eq!(client.get(HOST, "/").status, 200);
    assert_eq!(origin.requests()[0].head.get("x-forwarded-client-cert"), None);
}
