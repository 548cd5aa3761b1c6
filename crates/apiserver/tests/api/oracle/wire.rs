//! One connection to an API, ours or a real one, as the administrator of its kubeconfig.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;

use crate::client::{Answer, PATIENCE, request};

/// No answer here takes longer.
const ENDLESS: Duration = Duration::from_secs(10);

pub struct Wire {
    address: String,
    tls: Arc<ClientConfig>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

// === impl Wire ===

impl Wire {
    /// Of a kubeconfig with one cluster and one user, who has a certificate.
    pub fn new(kubeconfig: &str) -> Self {
        let field = |name: &str| {
            let line = kubeconfig.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(name));
            line.unwrap_or_else(|| panic!("the kubeconfig has no {name}")).trim().trim_matches('"').to_owned()
        };
        let data = |name: &str| base64::engine::general_purpose::STANDARD.decode(field(name)).expect("base64");
        let mut roots = RootCertStore::empty();
        for one in CertificateDer::pem_slice_iter(&data("certificate-authority-data:")) {
            roots.add(one.expect("a certificate")).expect("a root");
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&data("client-certificate-data:")).collect();
        let key = PrivateKeyDer::from_pem_slice(&data("client-key-data:")).expect("a key");
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.expect("a chain"), key)
            .expect("a client certificate");
        let address = field("server:").trim_start_matches("https://").trim_end_matches('/').to_owned();
        Self { address, tls: Arc::new(tls), sender: None }
    }

    /// The answer; the connection is kept for the next request.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> Answer {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await,
        };
        let response = tokio::time::timeout(PATIENCE, sender.send_request(request)).await.expect("in time").expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        match tokio::time::timeout(ENDLESS, Answer::read(response)).await {
            Ok(answer) => {
                if sender.ready().await.is_ok() {
                    self.sender = Some(sender);
                }
                answer
            }
            // A watch that should have been refused, or should have ended.
            Err(_) => Answer { status, headers, bytes: Bytes::from_static(b"(no end)") },
        }
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let socket = TcpStream::connect(&self.address).await.expect("connects");
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host).to_owned();
        let name = ServerName::try_from(host).expect("a name");
        let stream = tokio_rustls::TlsConnector::from(self.tls.clone()).connect(name, socket).await.expect("TLS");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        sender
    }

    /// What the answers come from, and when: the head of a file.
    pub async fn made(&mut self) -> String {
        let version = self.ask(request(Method::GET, "/version", "", "")).await.ok();
        let date = jiff::Timestamp::now().strftime("%Y-%m-%d");
        format!("kube-apiserver {}, {date}", version["gitVersion"].as_str().unwrap_or("of no version"))
    }
}
