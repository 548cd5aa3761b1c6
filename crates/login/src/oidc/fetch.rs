//! The issuer's documents over HTTP: one request, one connection, a deadline and a bound.
//!
//! Redirects are not followed: where the keys are says the issuer's own document.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Builder;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::rt::TokioIo;
use model::Sealed;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::options::{self, Options, OptionsError};

/// From the name's resolution to the last octet.
const DEADLINE: Duration = Duration::from_secs(5);
/// The largest document.
const LARGEST: usize = 256 << 10;

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0} does not answer in time")]
    Slow(String),
    #[error("{0}: {1}")]
    Failed(String, String),
}

pub(super) struct Client {
    /// `None` for an issuer on loopback without TLS.
    tls: Option<TlsConnector>,
}

// === impl Client ===

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("tls", &self.tls.is_some()).finish()
    }
}

impl Client {
    pub(super) fn new(options: &Options) -> Result<Self, OptionsError> {
        let roots = match &options.authorities {
            Some(pem) => given(pem)?,
            None if options.issuer.starts_with("http://") => return Ok(Self { tls: None }),
            None => of_this_machine()?,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| OptionsError::new("--oidc-ca", error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Some(TlsConnector::from(Arc::new(config))) })
    }

    /// The JSON document at `url`.
    pub(super) async fn get(&self, url: &str) -> Result<Value, FetchError> {
        match tokio::time::timeout(DEADLINE, self.read(url)).await {
            Ok(result) => result.map_err(|reason| FetchError::Failed(url.to_owned(), reason)),
            Err(_) => Err(FetchError::Slow(url.to_owned())),
        }
    }

    /// The JSON document that answers a form. `basic`: who asks, as `Authorization: Basic` has it.
    pub(super) async fn post(&self, url: &str, form: String, basic: Option<&Sealed<String>>) -> Result<Value, FetchError> {
        let mut request = Request::builder().method("POST").header("content-type", "application/x-www-form-urlencoded");
        if let Some(basic) = basic {
            request = request.header("authorization", format!("Basic {}", basic.open()));
        }
        match tokio::time::timeout(DEADLINE, self.send(url, request, form.into())).await {
            Ok(result) => result.map_err(|reason| FetchError::Failed(url.to_owned(), reason)),
            Err(_) => Err(FetchError::Slow(url.to_owned())),
        }
    }

    async fn read(&self, url: &str) -> Result<Value, String> {
        self.send(url, Request::builder(), Bytes::new()).await
    }

    async fn send(&self, url: &str, request: Builder, body: Bytes) -> Result<Value, String> {
        let uri = options::check_url(url)?;
        let host = uri.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let socket = TcpStream::connect((host.as_str(), port)).await.map_err(|error| error.to_string())?;
        if !secure {
            return exchange(socket, &uri, request, body).await;
        }
        let tls = self.tls.as_ref().ok_or("there are no authorities to check its certificate against")?;
        let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
        let stream = tls.connect(name, socket).await.map_err(|error| error.to_string())?;
        exchange(stream, &uri, request, body).await
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    uri: &Uri,
    request: Builder,
    body: Bytes,
) -> Result<Value, String> {
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(|error| error.to_string())?;
    let request = request
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", uri.authority().map_or("", |authority| authority.as_str()))
        .header("accept", "application/json")
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("it answers {}", answer.status()));
        }
        match Limited::new(answer.into_body(), LARGEST).collect().await {
            Ok(body) => serde_json::from_slice(&body.to_bytes()).map_err(|error| error.to_string()),
            Err(error) if error.is::<LengthLimitError>() => Err(format!("it is longer than {LARGEST} octets")),
            Err(error) => Err(error.to_string()),
        }
    };
    // The connection goes with this future, also when the deadline ends it.
    let mut connection = std::pin::pin!(connection);
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        result = &mut asked => result,
        _ = &mut connection => asked.await,
    }
}

fn given(pem: &[u8]) -> Result<RootCertStore, OptionsError> {
    let refused = |reason: String| OptionsError::new("--oidc-ca", reason);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| refused(error.to_string()))?;
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refused("there is no certificate in it".into()));
    }
    Ok(roots)
}

fn of_this_machine() -> Result<RootCertStore, OptionsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(OptionsError::new("--oidc-ca", "this machine has no certificate authorities; name a file with the issuer's"));
    }
    Ok(roots)
}
