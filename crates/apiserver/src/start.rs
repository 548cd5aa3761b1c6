//! Starting and stopping the API.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Sealed;
use serde_json::Value;
use store::{Expect, Op, Store, WriteError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::{Identity, KEEPER};
use crate::api::{Api, Hooks};
use crate::audit::{Audit, Log};
use crate::builtin::BASIC_NAMESPACES;
use crate::failure::Cause;
use crate::object::encode;
use crate::people::People;
use crate::people::first::{self, FirstLogin, OneTime};
use crate::people::logins::Logins;
use crate::pki::{self, Authority};
use crate::request::Verb;
use crate::restore::Copies;
use crate::token::Signer;
use crate::{accounts, builtin, crd, definitions, garbage, lifecycle, rbac, serve};

/// Where KubeSphere keeps its own and its gateways' objects.
const KUBESPHERE_NAMESPACES: [&str; 2] = ["kubesphere-system", "kubesphere-controls-system"];

/// Asked before an object is written. Warnings are shown by `kubectl`; causes refuse the write with 422.
pub type Admit = Arc<dyn Fn(&Review<'_>) -> Result<Vec<String>, Vec<Cause>> + Send + Sync>;

/// Asked what to say beside an object that is written: `kubectl` shows each as a warning.
pub type Warn = Arc<dyn Fn(&Value) -> Vec<String> + Send + Sync>;

/// A write that is about to happen.
#[derive(Clone, Copy, Debug)]
pub struct Review<'a> {
    pub verb: Verb,
    pub group: &'a str,
    pub version: &'a str,
    pub kind: &'a str,
    /// The plural.
    pub resource: &'a str,
    /// `status`, or empty.
    pub subresource: &'a str,
    /// Empty for kinds without.
    pub namespace: &'a str,
    pub name: &'a str,
    pub user: &'a Identity,
    pub dry_run: bool,
    /// `None` when it is created.
    pub old: Option<&'a Value>,
    /// With defaults; `None` when it is deleted.
    pub new: Option<&'a Value>,
}

#[derive(Clone)]
pub struct Options {
    /// Certificates go into `pki/` below it, and `kubeconfig` beside that.
    pub data_dir: PathBuf,
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// More names and addresses that the server's certificate is for.
    pub names: Vec<String>,
    pub admit: Option<Admit>,
    /// Beside `admit`; [`crate::no_containers`] unless something stands in for them.
    pub warn: Warn,
    /// CustomResourceDefinitions that are there from the start. Those that a user has changed stay as they are.
    pub definitions: Vec<Value>,
    /// `None` keeps no log of who wrote what.
    pub audit: Option<Audit>,
    /// Whose id tokens are taken as bearer tokens.
    pub issuer: Option<login::Issuer>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the API address {address} cannot be used: {source}")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("certificates in {}: {reason}", path.display())]
    Pki { path: PathBuf, reason: String },
    #[error("TLS: {reason}")]
    Tls { reason: String },
    #[error("{} cannot be written: {source}", path.display())]
    Kubeconfig { path: PathBuf, source: io::Error },
    #[error("the audit log {} cannot be written: {source}", path.display())]
    Audit { path: PathBuf, source: io::Error },
    #[error("the first login cannot be made: {reason}")]
    Login { reason: String },
    #[error("the first objects cannot be stored: {0}")]
    Store(#[from] WriteError),
}

/// An API that serves.
pub struct Running {
    pub local_addr: SocketAddr,
    /// `https://127.0.0.1:6443`: what is in the kubeconfig.
    pub url: String,
    pub kubeconfig_path: PathBuf,
    pub kubeconfig: String,
    /// For the controllers of this process: they alone write what is read-only. It stands in no file.
    pub keeper_kubeconfig: String,
    pub ca_certificate: String,
    pub client_certificate: String,
    client_key: String,
    authority: Authority,
    copies: Copies,
    audit: Option<Log>,
    api: Arc<Api>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Serves `store` until [`Running::stop`].
///
/// # Errors
/// One for each remedy: another address, a writable directory, a store that works.
pub async fn start(store: Store, options: Options) -> Result<Running, StartError> {
    let address = options.address;
    let listener = TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })?;
    let local_addr = listener.local_addr().map_err(|source| StartError::Bind { address, source })?;
    let authority = Authority::open(&options.data_dir.join("pki"))?;
    let signer = Signer::open(&options.data_dir.join("pki"))?;
    let tls = authority.server_config(local_addr, &options.names)?;
    let admin = authority.admin()?;
    let url = format!("https://{}", reachable(local_addr));
    let kubeconfig = pki::kubeconfig(&url, &authority, pki::ADMIN, &admin);
    let keeper_kubeconfig = pki::kubeconfig(&url, &authority, KEEPER, &authority.keeper()?);
    let kubeconfig_path = options.data_dir.join("kubeconfig");
    pki::write_private(&kubeconfig_path, &kubeconfig).map_err(|source| StartError::Kubeconfig { path: kubeconfig_path.clone(), source })?;

    let audit = options.audit.clone().map(|audit| {
        let path = audit.path.clone();
        Log::start(audit).map_err(|source| StartError::Audit { path, source })
    });
    let audit = audit.transpose()?;
    let (stop, stopped) = watch::channel(false);
    let people = People::new(store.clone(), options.issuer);
    let api = Api::new(store, people, signer, audit.clone(), Hooks { admit: options.admit, warn: options.warn }, stopped.clone());
    settle_in(&api, &options.definitions).await?;
    accounts::settle(&api, authority.pem()).await;
    let copies = Copies::new(api.clone(), audit.clone(), options.definitions.into());
    let tasks = vec![
        tokio::spawn(serve::run(listener, tls, api.clone(), stopped)),
        tokio::spawn(lifecycle::run(api.clone())),
        tokio::spawn(garbage::run(api.clone())),
        tokio::spawn(accounts::run(api.clone(), authority.pem().to_owned())),
        tokio::spawn(rbac::aggregate::run(api.clone())),
    ];
    Ok(Running {
        local_addr,
        url,
        kubeconfig_path,
        kubeconfig,
        keeper_kubeconfig,
        ca_certificate: authority.pem().to_owned(),
        client_certificate: admin.certificate,
        client_key: admin.key,
        authority,
        copies,
        audit,
        api,
        stop,
        tasks,
    })
}

/// Serves what is stored, with what is always there.
pub(crate) async fn settle_in(api: &Api, definitions: &[Value]) -> Result<(), StartError> {
    crd::refresh(api);
    first_objects(api).await?;
    definitions::install(api, definitions).await?;
    rbac::defaults::install(api).await?;
    Ok(())
}

/// An address one can connect to, for one that is bound.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

/// The namespaces that are always there.
async fn first_objects(api: &Api) -> Result<(), StartError> {
    let kinds = api.kinds();
    let Some(kind) = kinds.find("", "v1", "namespaces") else { return Ok(()) };
    let mut waiting = Vec::new();
    for name in BASIC_NAMESPACES.into_iter().chain(KUBESPHERE_NAMESPACES) {
        let key = kind.key("", name);
        if api.store.get(&key).is_some() {
            continue;
        }
        waiting.push(Op::put(key, Expect::Absent, encode(kind, &builtin::new_namespace(kind, name))));
    }
    if !waiting.is_empty() {
        api.store.write(waiting).await?;
    }
    Ok(())
}

// === impl Options ===

impl Options {
    /// On the usual address of this machine.
    pub fn new(data_dir: impl AsRef<Path>) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 6443));
        Self {
            data_dir: data_dir.as_ref().to_owned(),
            address,
            names: Vec::new(),
            admit: None,
            warn: Arc::new(crate::no_containers),
            definitions: schema::crds(),
            audit: Some(Audit::in_dir(data_dir.as_ref())),
            issuer: None,
        }
    }
}

// === impl Running ===

impl Running {
    /// The administrator's key, in PEM: who holds it may do everything.
    pub fn client_key(&self) -> &str {
        &self.client_key
    }

    /// A kubeconfig with a certificate for `user`, who is in `group` unless that is empty. What they may do, roles say.
    ///
    /// # Errors
    /// For names that a certificate cannot hold.
    pub fn kubeconfig_for(&self, user: &str, group: &str) -> Result<String, StartError> {
        let pair = self.authority.user(user, group)?;
        Ok(pki::kubeconfig(&self.url, &self.authority, user, &pair))
    }

    /// A certificate and its key, in PEM, for a server of this process that answers at `address` and as `names`: whoever trusts this API's
    /// authority trusts it.
    ///
    /// # Errors
    /// For names that a certificate cannot hold.
    pub fn certificate_for(&self, subject: &str, address: IpAddr, names: &[String]) -> Result<(String, Sealed<String>), StartError> {
        let pair = self.authority.server(subject, address, names).map_err(|error| StartError::Tls { reason: error.to_string() })?;
        Ok((pair.certificate, Sealed::new(pair.key)))
    }

    /// For who serves people beside this API.
    pub fn logins(&self) -> Logins {
        Logins::new(self.api.clone())
    }

    /// For backups and restores while it serves.
    pub fn copies(&self) -> &Copies {
        &self.copies
    }

    /// At the first start, lets somebody log in; gives what has to be told, which nobody can tell again.
    ///
    /// # Errors
    /// When it cannot be stored; the next start is the first one then.
    pub async fn first_login(&self, first: &FirstLogin) -> Result<Option<OneTime>, StartError> {
        first::settle(&self.api, first).await
    }

    /// Stops accepting, lets requests finish and ends watches.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(1..) {
            task.abort();
        }
        for task in self.tasks.drain(..) {
            // A panic of the task was logged by the runtime.
            let _ = task.await;
        }
        if let Some(audit) = &self.audit {
            audit.flush().await;
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
