//! Starting and stopping the console.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use model::Sealed;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::addresses::Addresses;
use crate::app::App;
use crate::catalogue::Catalogues;
use crate::certificate::Secrets;
use crate::cluster::Shows;
use crate::cookie::Transport;
use crate::gateways::Gateways;
use crate::oidc::Elsewhere;
use crate::page::{Assets, AssetsError, Pages};
use crate::relay::Relay;
use crate::serve;
use crate::sign_in::Accounts;
use crate::trial::Explains;

/// Beside what the console runs: its pages say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the process of `paifang up`, with its gateways.
    Up,
    /// Alone, against a cluster's API.
    Cluster,
}

/// What the console is given.
pub struct Options {
    /// Where it listens.
    pub listener: TcpListener,
    /// A chain and its key, in PEM. `None`: without TLS, which is for loopback alone.
    pub certificate: Option<(String, Sealed<String>)>,
    /// How the API is reached: as a user that may impersonate others and nothing else; where everybody shows a token of their own, not even that.
    pub api: kube::Config,
    pub ports: Ports,
    pub mode: Mode,
    pub assets: Assets,
}

/// What the console needs of the process it runs in. What is not there is answered with 501.
pub struct Ports {
    pub accounts: Arc<dyn Accounts>,
    /// An issuer at which people sign in, too.
    pub elsewhere: Option<Elsewhere>,
    pub gateways: Option<Arc<dyn Gateways>>,
    pub explains: Option<Arc<dyn Explains>>,
    pub addresses: Option<Arc<dyn Addresses>>,
    pub secrets: Option<Arc<dyn Secrets>>,
    /// Where no gateway runs beside it.
    pub shows: Option<Arc<dyn Shows>>,
    /// The namespace of a cluster that gateways run in, in pods: with the API's own right those are asked for what is no object.
    pub pods: Option<String>,
    pub catalogues: Catalogues,
    /// Whether addresses for LoadBalancer are given away here.
    pub pool: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the console's socket: {0}")]
    Socket(io::Error),
    #[error("the console's address {0} is not on loopback, where alone it may be without TLS")]
    Open(SocketAddr),
    #[error("the console's certificate: {0}")]
    Certificate(String),
    #[error("the API cannot be reached as the console needs it: {0}")]
    Api(String),
    #[error(transparent)]
    Assets(#[from] AssetsError),
}

/// A console that serves.
pub struct Running {
    pub address: SocketAddr,
    /// What one types.
    pub url: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Serves until [`Running::stop`].
///
/// # Errors
/// One for each remedy.
pub fn start(options: Options) -> Result<Running, StartError> {
    let address = options.listener.local_addr().map_err(StartError::Socket)?;
    let (tls, transport) = match &options.certificate {
        Some((chain, key)) => (Some(tls(chain, key)?), Transport::Tls),
        None if address.ip().is_loopback() => (None, Transport::Plain),
        None => return Err(StartError::Open(address)),
    };
    let pages = Pages::new(&options.assets)?;
    let mut bare = options.api.clone();
    bare.auth_info = kube::config::AuthInfo::default();
    let relay = Relay::new(client(options.api)?, client(bare)?);
    let (stop, stopped) = watch::channel(false);
    let app = Arc::new(App::new(options.ports, relay, pages, (transport, options.mode), stopped.clone()));
    let looking = app.clone();
    let tasks = vec![
        tokio::spawn(serve::run(options.listener, tls, app, stopped)),
        tokio::spawn(async move { looking.look_after_sessions().await }),
    ];
    let scheme = if transport == Transport::Tls { "https" } else { "http" };
    Ok(Running { address, url: format!("{scheme}://{address}"), stop, tasks })
}

fn client(mut config: kube::Config) -> Result<kube::Client, StartError> {
    let fault = |error: &dyn std::fmt::Display| StartError::Api(error.to_string());
    if config.auth_info.impersonate.is_some() {
        return Err(fault(&"its kubeconfig impersonates somebody itself"));
    }
    // A watch may be silent for long; what waits here has deadlines of its own.
    config.read_timeout = None;
    config.default_retry = false;
    kube::Client::try_from(config).map_err(|error| fault(&error))
}

fn tls(chain: &str, key: &Sealed<String>) -> Result<TlsAcceptor, StartError> {
    let fault = |error: &dyn std::fmt::Display| StartError::Certificate(error.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.open().as_bytes()).map_err(|_| fault(&"there is no private key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(&error))?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(|error| fault(&error))?, key)
        .map_err(|error| fault(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

// === impl Ports ===

impl Ports {
    /// People, and nothing else.
    pub fn new(accounts: Arc<dyn Accounts>) -> Self {
        Self {
            accounts,
            elsewhere: None,
            gateways: None,
            explains: None,
            addresses: None,
            secrets: None,
            shows: None,
            pods: None,
            catalogues: Catalogues::default(),
            pool: false,
        }
    }
}

// === impl Mode ===

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Cluster => "cluster",
        }
    }
}

// === impl Running ===

impl Running {
    /// Stops accepting, ends streams, and lets requests finish.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            // A panic of the task was logged by the runtime.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}
