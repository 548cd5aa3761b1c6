use super::*;
use crate::self_signed;
use crate::signing::Keys;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, ServerConnection, SignatureScheme};
use std::time::SystemTime;
use testkit::certificates::{Authority, Issued};

/// Takes any certificate; signatures are checked.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer,
        _: &[CertificateDer],
        _: &ServerName,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &aws_lc_rs::default_provider().signature_verification_algorithms,
        )
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &aws_lc_rs::default_provider().signature_verification_algorithms,
        )
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn client(versions: &[&'static rustls::SupportedProtocolVersion]) -> Arc<ClientConfig> {
    client_of(versions, None)
}

/// A client that shows this certificate when asked.
pub(crate) fn client_of(versions: &[&'static rustls::SupportedProtocolVersion], issued: Option<&Issued>) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_protocol_versions(versions)
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let mut config = match issued {
        Some(issued) => {
            let key = aws_lc_rs::sign::any_supported_type(&issued.key).expect("a key");
            // The library would not take a certificate of version 1.
            let shown = Arc::new(CertifiedKey::new(issued.chain.clone(), key));
            builder.with_client_cert_resolver(Arc::new(Shows(shown)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
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

/// A whole handshake in memory, as both sides see it.
pub(crate) struct Seen {
    client: ClientConnection,
    pub(crate) client_certificate: Option<Vec<u8>>,
}

impl std::ops::Deref for Seen {
    type Target = ClientConnection;
    fn deref(&self) -> &ClientConnection {
        &self.client
    }
}

pub(crate) fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &'static str) -> Result<Seen, rustls::Error> {
    let mut client = ClientConnection::new(client.clone(), ServerName::try_from(name).expect("a name"))?;
    let mut server = ServerConnection::new(server.clone())?;
    for _ in 0..8 {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).expect("memory");
        server.read_tls(&mut wire.as_slice()).expect("memory");
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).expect("memory");
        client.read_tls(&mut wire.as_slice()).expect("memory");
        client.process_new_packets()?;
    }
    let client_certificate = server.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.to_vec());
    Ok(Seen { client, client_certificate })
}

/// The configuration of hosts that demand nothing.
fn server_config(find: impl Fn(Option<&str>) -> Option<Arc<Certificate>> + Send + Sync + 'static) -> Arc<ServerConfig> {
    let server = Server::new(find).expect("a server");
    server.config(&TlsPolicy::default(), Carries::Http).expect("the plain one")
}

pub(crate) fn certificate(name: &str) -> Arc<Certificate> {
    Arc::new(self_signed(&[name], SystemTime::now()).expect("a certificate"))
}

#[test]
fn each_server_name_gets_what_is_found_for_it() {
    let (a, other) = (certificate("a.test"), certificate("other.test"));
    let (a_leaf, other_leaf) = (a.chain[0].clone(), other.chain[0].clone());
    let server = server_config(move |name| Some(if name == Some("a.test") { a.clone() } else { other.clone() }));
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        for (name, leaf) in [("a.test", &a_leaf), ("b.test", &other_leaf), ("127.0.0.1", &other_leaf)] {
            let seen = shake(&client(versions), &server, name).expect("a handshake");
            assert_eq!(seen.peer_certificates().map(|it| it[0].to_vec()).as_ref(), Some(leaf), "{name}");
            assert_eq!(seen.alpn_protocol(), Some(&b"http/1.1"[..]));
        }
    }
}

#[test]
fn without_a_certificate_there_is_no_handshake() {
    let server = server_config(|_| None);
    assert!(shake(&client(rustls::ALL_VERSIONS), &server, "a.test").is_err());
}

#[test]
fn a_second_handshake_resumes_by_ticket() {
    let certificate = certificate("a.test");
    let server = server_config(move |_| Some(certificate.clone()));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = client(&[version]);
        let kinds = [0; 2].map(|_| shake(&client, &server, "a.test").expect("a handshake").handshake_kind());
        assert_eq!(kinds[1], Some(HandshakeKind::Resumed), "{version:?} {kinds:?}");
    }
}

#[test]
fn a_key_is_parsed_once_per_certificate_and_not_kept_beyond_it() {
    let keys = Keys::default();
    let first = certificate("a.test");
    let key = keys.get(&first).expect("a key");
    assert!(Arc::ptr_eq(&key, &keys.get(&first).expect("a key")));
    drop(first);
    for _ in 0..100 {
        let next = certificate("a.test");
        let got = keys.get(&next).expect("a key");
        assert_eq!(got.cert[0].as_ref(), next.chain[0], "a key of another certificate");
    }
    assert!(keys.len() < 10, "{} keys are kept, of one certificate in use", keys.len());
}

fn trust(authority: &Authority) -> Arc<ClientTrust> {
    Arc::new(ClientTrust {
        origin: "test".into(),
        authorities: vec![authority.certificate().to_vec()],
        revoked: Vec::new(),
        names: Vec::new(),
        pins: Vec::new(),
    })
}

fn policy(client: ClientAuth) -> TlsPolicy {
    TlsPolicy { client, versions: TlsVersions::Both }
}

fn fixed() -> Arc<Server> {
    let shown = certificate("a.test");
    Server::new(move |_| Some(shown.clone())).expect("a server")
}

#[test]
fn a_certificate_of_version_one_is_shown() {
    let issued = Authority::new().issue_version_one("a.test");
    let read = crate::parse("test", issued.chain_pem.as_bytes(), issued.key_pem.as_bytes()).expect("it is readable");
    let read = Arc::new(read);
    let server = server_config(move |_| Some(read.clone()));
    let seen = shake(&client(&[&TLS12]), &server, "a.test").map(|seen| seen.handshake_kind());
    // This client's library does not check signatures of such certificates; that the server showed it is all that is asked.
    assert!(!matches!(seen, Err(rustls::Error::AlertReceived(_))), "{seen:?}");
}

#[test]
fn versions_are_kept_to() {
    let server = fixed();
    for (versions, by_12, by_13) in
        [(TlsVersions::Both, true, true), (TlsVersions::Only12, true, false), (TlsVersions::Only13, false, true)]
    {
        let config = server.config(&TlsPolicy { client: ClientAuth::None, versions }, Carries::Http).expect("a configuration");
        let seen = [&TLS12, &TLS13].map(|version| shake(&client(&[version]), &config, "a.test").is_ok());
        assert_eq!(seen, [by_12, by_13], "{versions:?}");
    }
}

#[test]
fn a_ticket_of_another_policy_is_worth_nothing() {
    let authority = Authority::new();
    let (one, equal) = (trust(&authority), trust(&authority));
    let other = Arc::new(ClientTrust { names: vec!["c.test".into()], ..ClientTrust::clone(&one) });
    let server = fixed();
    let required = server.config(&policy(ClientAuth::Required(one.clone())), Carries::Http).expect("a configuration");
    let others = [ClientAuth::None, ClientAuth::Optional(one.clone()), ClientAuth::Unverified, ClientAuth::Required(other)];
    let same = server.config(&policy(ClientAuth::Required(equal)), Carries::Http).expect("a configuration");
    assert!(Arc::ptr_eq(&required, &same), "equal demands are one");
    for version in [&TLS12, &TLS13] {
        for other in &others {
            let elsewhere = server.config(&policy(other.clone()), Carries::Http).expect("a configuration");
            // With a certificate where one is asked for, so that there is a ticket at all.
            let issued = authority.issue(&["c.test"]);
            let client = client_of(&[version], Some(&issued));
            assert!(shake(&client, &elsewhere, "a.test").is_ok(), "{other:?}");
            assert_eq!(shake(&client, &elsewhere, "a.test").map(|it| it.handshake_kind()), Ok(Some(HandshakeKind::Resumed)));
            let seen = shake(&client, &required, "a.test").expect("it has a certificate");
            assert_ne!(seen.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?} {other:?}");
            assert!(seen.client_certificate.is_some());
        }
        let nobody = client(&[version]);
        assert!(shake(&nobody, &server.plain, "a.test").is_ok());
        assert!(shake(&nobody, &required, "a.test").is_err(), "a ticket of the plain host opened this one");
        let issued = authority.issue(&["c.test"]);
        let known = client_of(&[version], Some(&issued));
        let kinds = [0; 2].map(|_| {
            let seen = shake(&known, &required, "a.test").expect("a handshake");
            assert!(seen.client_certificate.is_some(), "who it is outlives the first handshake");
            seen.handshake_kind()
        });
        assert_eq!(kinds[1], Some(HandshakeKind::Resumed), "{version:?}");
    }
}

#[test]
fn a_configuration_is_made_once_and_kept_as_long_as_its_trust() {
    let server = fixed();
    let plain = || server.config(&TlsPolicy::default(), Carries::Http).expect("a configuration");
    assert!(Arc::ptr_eq(&plain(), &plain()) && server.made() == 0);
    let authority = Authority::new();
    for at in 0..100 {
        let trust = Arc::new(ClientTrust { names: vec![format!("{at}.test").into()], ..ClientTrust::clone(&trust(&authority)) });
        let get = || server.config(&policy(ClientAuth::Required(trust.clone())), Carries::Http).expect("a configuration");
        assert!(Arc::ptr_eq(&get(), &get()));
        let octets = server.config(&policy(ClientAuth::Required(trust.clone())), Carries::Octets).expect("a configuration");
        assert!(!Arc::ptr_eq(&get(), &octets));
    }
    assert!(server.made() < 20, "{} are kept, of no trust in use", server.made());
}

#[test]
fn octets_have_no_protocol_of_ours() {
    let config = fixed().config(&TlsPolicy::default(), Carries::Octets).expect("a configuration");
    let mut other = ClientConfig::clone(&client(rustls::ALL_VERSIONS));
    other.alpn_protocols = vec![b"mongodb".to_vec()];
    let seen = shake(&Arc::new(other), &config, "a.test").expect("a handshake");
    assert_eq!(seen.alpn_protocol(), None);
}
