//! Who gets what, over real sockets and TLS: gateways with their tokens, and an attacker.

use super::world::{Plane, endpoints, gateway, key, shard, version};
use crate::follow::{Authorities, Bootstrap, LinkState, Options, follow};
use crate::framing::{Reader, Writer};
use crate::hub::Hub;
use crate::identity::{Authority, Identity, Key, SERVER_NAME, Shown, client};
use crate::serve::{Review, Reviewed, serve};
use crate::wire::frame::{Enroll, Enrolled, Hello, Said, ToControl, ToGateway, Told};
use crate::{Families, PROTOCOL};
use model::{GatewayId, Sealed, Update};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use testkit::certificates::{Alternative, Authority as Stranger};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const A: &str = "team-a/web";
const B: &str = "team-b/web";
/// Whatever goes well is quick.
const PATIENCE: Duration = Duration::from_secs(60);

struct Tokens;

impl Review for Tokens {
    async fn review(&self, token: Sealed<String>) -> Reviewed {
        match token.open().as_str() {
            "token of a" => Reviewed::Gateway(GatewayId::new(A)),
            "token of b" => Reviewed::Gateway(GatewayId::new(B)),
            _ => Reviewed::Nobody("the token is not good".into()),
        }
    }
}

struct Control {
    address: SocketAddr,
    /// PEM.
    authority: String,
    hub: Arc<Hub>,
    signs: Arc<Authority>,
}

impl Control {
    async fn start() -> Self {
        let (authority, key) = Authority::generate(SystemTime::now()).expect("random octets");
        let signs = Arc::new(Authority::read(&authority, &key).expect("it was just made"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let hub = Hub::new(1, Vec::new());
        hub.publish(&Update {
            version: version(1, 1),
            endpoints: vec![endpoints("a/one:80", 1), endpoints("of-b/one:80", 3)],
            gateways: vec![gateway(A), gateway(B)],
            shards: vec![
                (key_of(A), Some(shard("a.test", "key of a", &["a/one:80"]))),
                (key_of(B), Some(shard("of-b.test", "key of-b", &["of-b/one:80"]))),
            ],
        });
        tokio::spawn(serve(listener, signs.clone(), hub.clone(), Tokens));
        Self { address, authority, hub, signs }
    }

    async fn connect(&self, certificate: Option<Shown<'_>>) -> TlsStream<TcpStream> {
        let config = client(self.authority.as_bytes(), certificate).expect("it can be used");
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let name = SERVER_NAME.try_into().expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("control is who it says")
    }

    /// What comes back to these messages, until the connection ends.
    async fn ask(&self, certificate: Option<Shown<'_>>, messages: Vec<Said>) -> Vec<Told> {
        let (reader, writer) = tokio::io::split(self.connect(certificate).await);
        let (mut reader, mut writer) = (Reader::new(reader), Writer::new(writer));
        for said in messages {
            // Who refuses does not read to the end.
            let _ = writer.send(&ToControl { said: Some(said) }).await;
        }
        let mut all = Vec::new();
        while let Ok(Ok(message)) = tokio::time::timeout(Duration::from_secs(2), reader.receive::<ToGateway>()).await {
            all.extend(message.told);
        }
        all
    }

    async fn enroll(&self, token: &str, request: &[u8]) -> Vec<Told> {
        self.ask(None, vec![Said::Enroll(Enroll { token: token.into(), request: request.to_vec() })]).await
    }
}

fn key_of(gateway: &str) -> model::ShardKey {
    key(gateway, if gateway == A { "a.test" } else { "of-b.test" })
}

fn hello() -> Said {
    Said::Hello(Hello { protocol: PROTOCOL, build: "0".into(), instance: "attacker".into() })
}

/// Which gateway's things these messages are of.
fn of(told: &[Told]) -> (bool, bool) {
    let text = format!("{told:?}");
    (text.contains("a.test"), text.contains("of-b"))
}

fn options(control: &Control, folder: &Path, token: &str) -> Options {
    let file = folder.join("token");
    std::fs::write(&file, token).expect("a temporary folder");
    Options {
        control: control.address.to_string(),
        bootstrap: Bootstrap { authority: Authorities::Pem(control.authority.clone()), token: file },
        instance: "pod-1".into(),
        families: Families::Both,
    }
}

#[tokio::test]
async fn a_token_of_a_gateway_leads_to_what_that_gateway_has() {
    let (control, folder) = (Control::start().await, tempfile::tempdir().expect("a temporary folder"));
    let (plane, state) = (Plane::default(), watch::Sender::new(LinkState::default()));
    let options = options(&control, folder.path(), "  token of a\n");
    let mut seen = state.subscribe();
    let synced = seen.wait_for(|it| it.version.is_some());
    tokio::select! {
        () = follow(&options, &plane, &state) => panic!("it goes on for ever"),
        synced = tokio::time::timeout(PATIENCE, synced) => drop(synced.expect("in time").expect("it is there")),
    }
    assert_eq!(plane.look().served.shards.keys().cloned().collect::<Vec<_>>(), [key_of(A)]);
}

#[tokio::test]
async fn without_a_good_token_there_is_no_link_and_its_reason_is_told() {
    let (control, folder) = (Control::start().await, tempfile::tempdir().expect("a temporary folder"));
    let (plane, state) = (Plane::default(), watch::Sender::new(LinkState::default()));
    let options = options(&control, folder.path(), "token of nobody");
    let mut seen = state.subscribe();
    let refused = seen.wait_for(|it| it.fault.is_some());
    let fault = tokio::select! {
        () = follow(&options, &plane, &state) => panic!("it goes on for ever"),
        refused = tokio::time::timeout(PATIENCE, refused) => refused.expect("in time").expect("it is there").fault.clone(),
    };
    assert!(fault.as_deref().is_some_and(|it| it.contains("the token is not good")), "{fault:?}");
    assert_eq!(plane.look().updates, 0);
}

/// Everything a gateway, or somebody with its token, can try to get what another has.
#[tokio::test]
async fn an_attacker_gets_what_its_own_token_is_good_for_and_nothing_else() {
    let control = Control::start().await;
    let Key { key, request } = Key::generate().expect("random octets");
    // Without a certificate there is nothing to have.
    let told = control.ask(None, vec![hello()]).await;
    assert!(told.is_empty(), "{told:?}");
    // A request for a certificate may name whom it likes.
    let named = rcgen_request(&format!("paifang://gateway/{B}"));
    for request in [&request, &named.1] {
        let told = control.enroll("token of a", request).await;
        let [Told::Enrolled(Enrolled { chain, .. })] = told.as_slice() else { panic!("{told:?}") };
        let identity = Identity::read(&chain[0].clone().into()).expect("it names a gateway");
        assert_eq!(identity.gateway, GatewayId::new(A));
        assert!(identity.until < SystemTime::now() + Duration::from_secs(2 * 3_600));
    }
    let told = control.enroll("token of a", &request).await;
    let [Told::Enrolled(Enrolled { chain, .. })] = told.as_slice() else { panic!("{told:?}") };
    let told = control.ask(Some((chain, &key)), vec![hello()]).await;
    assert_eq!(of(&told), (true, false), "{told:?}");
    // One more enrollment over a connection that has a certificate is no way round.
    let told = control.ask(Some((chain, &key)), vec![Said::Enroll(Enroll { token: "token of b".into(), request: request.clone() })]).await;
    assert_eq!(of(&told), (false, false), "{told:?}");
    // A certificate needs its own key: rustls refuses to use another.
    let other = Key::generate().expect("random octets");
    assert!(client(control.authority.as_bytes(), Some((chain, &other.key))).is_err());
    assert!(control.enroll("token of a", b"no request").await.is_empty());
    drop(control.hub);
}

#[tokio::test]
async fn certificates_of_strangers_or_for_something_else_are_refused() {
    let control = Control::start().await;
    // Signed by somebody else, with the very name.
    let name = format!("paifang://gateway/{B}");
    let strange = Stranger::new().issue_to("gateway", &[Alternative::Uri(&name)]);
    let chain: Vec<Vec<u8>> = strange.chain.iter().map(|it| it.to_vec()).collect();
    let told = control.ask(Some((&chain, &Sealed::new(strange.key.secret_der().to_vec()))), vec![hello()]).await;
    assert!(told.is_empty(), "{told:?}");
    // Of our own authority, but over: an hour and a half ago.
    let Key { key, request } = Key::generate().expect("random octets");
    let long_ago = SystemTime::now() - Duration::from_secs(5_400);
    let (chain, _) = control.signs.issue(&GatewayId::new(B), &request, long_ago).expect("a good request");
    let told = control.ask(Some((&chain, &key)), vec![hello()]).await;
    assert!(told.is_empty(), "{told:?}");
    // A gateway's certificate makes nobody control: it is good for clients alone.
    let (chain, _) = control.signs.issue(&GatewayId::new(B), &request, SystemTime::now()).expect("a good request");
    let address = pretend_to_be_control(chain, &key).await;
    let config = client(control.authority.as_bytes(), None).expect("it can be used");
    let stream = TcpStream::connect(address).await.expect("it listens");
    let name = SERVER_NAME.try_into().expect("a name");
    assert!(TlsConnector::from(Arc::new(config)).connect(name, stream).await.is_err());
}

async fn pretend_to_be_control(chain: Vec<Vec<u8>>, key: &Sealed<Vec<u8>>) -> SocketAddr {
    let chain = chain.into_iter().map(Into::into).collect();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(key.open().clone()).into();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("it speaks 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("somebody comes");
        // The other side is to refuse it.
        let _ = acceptor.accept(stream).await;
    });
    address
}

/// A request that asks for a name.
fn rcgen_request(name: &str) -> (Vec<u8>, Vec<u8>) {
    let key = rcgen::KeyPair::generate().expect("random octets");
    let mut params = rcgen::CertificateParams::default();
    params.subject_alt_names = vec![rcgen::SanType::URI(name.try_into().expect("ASCII"))];
    let request = params.serialize_request(&key).expect("it is complete");
    (key.serialize_der(), request.der().to_vec())
}

/// Nothing that is printed has a key or a token in it.
#[test]
fn nothing_that_is_secret_is_printed() {
    let secret = "MARKER-OF-A-SECRET";
    let certificate = crate::carry::certificate(&super::sample::certificate(secret.as_bytes()));
    let octets = prost::Message::encode_to_vec(&certificate);
    let item = crate::stock::Item { digest: [0; 32], octets: octets.clone().into() };
    let body = crate::wire::frame::Body { key: None, digest: Vec::new(), octets: octets.into() };
    let enroll = Enroll { token: secret.into(), request: Vec::new() };
    let text = format!("{certificate:?} {item:?} {body:?} {enroll:?} {:?}", ToControl { said: Some(Said::Enroll(enroll.clone())) });
    let spelled = format!("{:?}", secret.as_bytes());
    assert!(!text.contains(secret) && !text.contains(spelled.trim_matches(['[', ']'])), "{text}");
}
