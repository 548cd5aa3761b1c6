//! A server on a port of its own, and a small HTTPS client that hides nothing.

use std::sync::Arc;
use std::time::Duration;

use apiserver::{Admit, Options, Running};
use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use store::Store;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// No wait of a test is longer; none is expected to come near.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    pub running: Running,
    pub store: Store,
    pub dir: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    pub async fn start_with(admit: Option<Admit>) -> Self {
        Self::serve(tempfile::tempdir().expect("a temporary directory"), |options| options.admit = admit).await
    }

    pub async fn start_as(change: impl FnOnce(&mut Options)) -> Self {
        Self::serve(tempfile::tempdir().expect("a temporary directory"), change).await
    }

    /// Stops, and serves the same directory again.
    pub async fn restart(self) -> Self {
        self.running.stop().await;
        self.store.close().await;
        Self::serve(self.dir, |_| {}).await
    }

    async fn serve(dir: TempDir, change: impl FnOnce(&mut Options)) -> Self {
        let store = Store::open(dir.path()).expect("the store opens");
        let mut options = Options::new(dir.path());
        options.address = ([127, 0, 0, 1], 0).into();
        change(&mut options);
        let running = apiserver::start(store.clone(), options).await.expect("the API starts");
        Self { running, store, dir }
    }

    /// Asks as the user whose kubeconfig it is.
    pub async fn ask_with(&self, kubeconfig: &str, request: Request<Full<Bytes>>) -> Answer {
        let data = |field: &str| {
            let line = kubeconfig.lines().find_map(|line| line.trim().strip_prefix(field)).expect("a field");
            base64::engine::general_purpose::STANDARD.decode(line.trim()).expect("base64")
        };
        let (chain, key) = (data("client-certificate-data:"), data("client-key-data:"));
        Answer::read(self.send_over(self.tls(Some((&chain, &key))), request).await).await
    }

    fn tls(&self, certificate: Option<(&[u8], &[u8])>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        for one in CertificateDer::pem_slice_iter(self.running.ca_certificate.as_bytes()) {
            roots.add(one.expect("a certificate")).expect("a root");
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let Some((chain, key)) = certificate else {
            return builder.with_no_client_auth();
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let key = PrivateKeyDer::from_pem_slice(key).expect("a key");
        builder.with_client_auth_cert(chain.expect("a chain"), key).expect("a client certificate")
    }

    pub async fn send(&self, request: Request<Full<Bytes>>, certificate: bool) -> Response<Incoming> {
        let admin = (self.running.client_certificate.as_bytes(), self.running.client_key().as_bytes());
        self.send_over(self.tls(certificate.then_some(admin)), request).await
    }

    async fn send_over(&self, tls: ClientConfig, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let socket = TcpStream::connect(self.running.local_addr).await.expect("connects");
        let connector = tokio_rustls::TlsConnector::from(Arc::new(tls));
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = connector.connect(name, socket).await.expect("TLS");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        tokio::time::timeout(PATIENCE, sender.send_request(request)).await.expect("in time").expect("an answer")
    }

    pub async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        Answer::read(self.send(request, true).await).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, "", "")).await
    }

    pub async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let mut request = request(Method::GET, path, "", "");
        request.headers_mut().insert("accept", accept.parse().expect("a header"));
        self.ask(request).await
    }

    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.ask(request(method, path, "application/json", &body.to_string())).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(request(Method::DELETE, path, "", "")).await
    }

    pub async fn patch(&self, path: &str, media_type: &str, body: &Value) -> Answer {
        self.ask(request(Method::PATCH, path, media_type, &body.to_string())).await
    }

    /// Opens a watch and reads its lines one by one.
    pub async fn watch(&self, path: &str) -> Lines {
        let response = self.send(request(Method::GET, path, "", ""), true).await;
        assert_eq!(response.status(), StatusCode::OK);
        Lines { body: response.into_body(), buffer: Vec::new() }
    }
}

pub fn request(method: Method, path: &str, media_type: &str, body: &str) -> Request<Full<Bytes>> {
    let mut builder = Request::builder().method(method).uri(path).header("host", "localhost");
    if !media_type.is_empty() {
        builder = builder.header("content-type", media_type);
    }
    builder.body(Full::new(Bytes::from(body.to_owned()))).expect("a request")
}

impl Answer {
    pub async fn read(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Self { status: head.status, headers: head.headers, bytes }
    }

    /// Of an answer that does not end: only how it begins, unless it is a refusal.
    pub async fn head(server: &Server, path: &str) -> Self {
        let response = server.send(request(Method::GET, path, "", ""), true).await;
        if !response.status().is_success() {
            return Self::read(response).await;
        }
        Self { status: response.status(), headers: response.headers().clone(), bytes: Bytes::new() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.bytes))
    }

    /// The object, of an answer that must be a success.
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {:?}", self.status, self.bytes);
        self.json()
    }

    /// The `Status`, of an answer that must have this code.
    pub fn refused(&self, code: u16) -> Value {
        assert_eq!(self.status.as_u16(), code, "{:?}", self.bytes);
        let status = self.json();
        assert_eq!((&status["kind"], &status["apiVersion"], &status["status"]), (&"Status".into(), &"v1".into(), &"Failure".into()));
        assert_eq!(status["code"], code);
        status
    }
}

/// The lines of a watch.
pub struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Lines {
    /// The next event, or `None` when the watch has ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("a line of JSON"));
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("in time")?;
            if let Ok(data) = frame.expect("a frame").into_data() {
                self.buffer.extend_from_slice(&data);
            }
        }
    }

    /// The next event as its type and the object's name.
    pub async fn brief(&mut self) -> (String, String) {
        let event = self.next().await.expect("an event");
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        (text(&event["type"]), text(&event["object"]["metadata"]["name"]))
    }
}
