use super::*;
use crate::self_signed;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, HandshakeKind, ServerConnection, SignatureScheme};
use std::time::SystemTime;

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
    let mut config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_protocol_versions(versions)
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A whole handshake in memory: the client's view of it.
fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &'static str) -> Result<ClientConnection, rustls::Error> {
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
    Ok(client)
}

fn certificate(name: &str) -> Arc<Certificate> {
    Arc::new(self_signed(&[name], SystemTime::now()).expect("a certificate"))
}

#[test]
fn each_server_name_gets_what_is_found_for_it() {
    let (a, other) = (certificate("a.test"), certificate("other.test"));
    let (a_leaf, other_leaf) = (a.chain[0].clone(), other.chain[0].clone());
    let server = server_config(move |name| Some(if name == Some("a.test") { a.clone() } else { other.clone() })).expect("a configuration");
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
    let server = server_config(|_| None).expect("a configuration");
    assert!(shake(&client(rustls::ALL_VERSIONS), &server, "a.test").is_err());
}

#[test]
fn a_second_handshake_resumes_by_ticket() {
    let certificate = certificate("a.test");
    let server = server_config(move |_| Some(certificate.clone())).expect("a configuration");
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
