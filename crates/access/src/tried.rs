//! What is tried on the way: a connection, and a handshake. Never a request.

use crate::certificate::Shown;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How trying to connect went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connected {
    Open,
    /// Nothing listens there.
    Refused,
    /// Nobody says anything.
    Silent,
    /// No way leads there, or something else is in the way.
    Failed(String),
}

/// How a handshake went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shaken {
    Shown(Shown),
    /// The other side ends it.
    Refused(String),
    /// It does not speak TLS.
    NotTls,
    Silent,
    Failed(String),
}

pub(crate) async fn connect(to: SocketAddr, patience: Duration) -> Connected {
    match tokio::time::timeout(patience, TcpStream::connect(to)).await {
        Ok(Ok(_)) => Connected::Open,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Connected::Refused,
        Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => Connected::Silent,
        Ok(Err(error)) => Connected::Failed(error.to_string()),
        Err(_) => Connected::Silent,
    }
}

/// Shakes hands as a client of `host`, looks at the certificate, and leaves.
pub(crate) async fn handshake(to: SocketAddr, host: &str, patience: Duration) -> Shaken {
    let Ok(name) = ServerName::try_from(host.to_owned()) else { return Shaken::Failed(format!("`{host}` is no name for a certificate")) };
    let config = match looking() {
        Ok(config) => config,
        Err(error) => return Shaken::Failed(error.to_string()),
    };
    let shaking = async {
        let stream = TcpStream::connect(to).await?;
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    match tokio::time::timeout(patience, shaking).await {
        Err(_) => Shaken::Silent,
        Ok(Ok(stream)) => {
            let first = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            match first.and_then(|it| Shown::read(it)) {
                Some(shown) => Shaken::Shown(shown),
                None => Shaken::Failed("the certificate cannot be read".to_owned()),
            }
        }
        Ok(Err(error)) => match error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::AlertReceived(alert)) => Shaken::Refused(format!("{alert:?}")),
            Some(rustls::Error::InvalidMessage(_)) => Shaken::NotTls,
            _ if error.kind() == ErrorKind::UnexpectedEof || error.kind() == ErrorKind::ConnectionReset => {
                Shaken::Refused("the connection is closed".to_owned())
            }
            _ => Shaken::Failed(error.to_string()),
        },
    }
}

/// A client that looks at certificates and judges none: nothing is ever sent over its connections.
fn looking() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Looking(provider))).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[derive(Debug)]
struct Looking(Arc<CryptoProvider>);

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
