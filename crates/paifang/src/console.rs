//! The console beside the API of `paifang up`, in one process; and alone ([`alone`]).
//!
//! **Invariant:** the console reaches the API as a user of its own, who may impersonate people and groups and do nothing else.

use crate::fault::Fault;
use crate::screen::Screen;
use crate::serve::Serving;
use anyhow::Context;
use apiserver::{LoginRefusal, Logins};
use cli::Exit;
use cli::args::UpArgs;
use cli::args::console::ConsoleArgs;
use cli::args::sign_in::IssuerArgs;
use console::{Account, Accounts, Asked, Assets, Elsewhere, Mode, Ports, Refused, Waiting, Ways};
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

mod addresses;
pub mod alone;
mod catalogues;
mod chinese;
mod explains;
mod gateways;

/// The user that the console is. No person has that name.
const USER: &str = "paifang-console";
const ROLE: &str = "paifang:console";

/// The console's socket.
pub enum Socket {
    Bound(TcpListener, SocketAddr),
    /// It was not asked for, or another program has it: what to say.
    None(Option<String>),
}

/// People, as the API knows them.
struct People(Logins);

// === impl Socket ===

impl Socket {
    /// Takes the socket. One that is taken is no reason to end: everything else works.
    pub async fn bind(args: &ConsoleArgs, offset: u16) -> Self {
        let Some(address) = args.address(offset) else { return Self::None(None) };
        let bound = TcpListener::bind(address).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
        match bound {
            Ok((address, listener)) => Self::Bound(listener, address),
            Err(error) => {
                let why = if error.kind() == std::io::ErrorKind::AddrInUse {
                    "is taken by another program".to_owned()
                } else {
                    error.to_string()
                };
                Self::None(Some(format!("no console: {address} {why}; choose another --console-address, or none")))
            }
        }
    }

    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Bound(_, address) => Some(*address),
            Self::None(_) => None,
        }
    }
}

/// The issuer at which people sign in; without an address where that is the console's own.
pub fn elsewhere(args: (&ConsoleArgs, &IssuerArgs), issuer: Option<&login::Issuer>) -> Result<Option<Elsewhere>, Fault> {
    let (console, named) = args;
    let Some(issuer) = issuer.cloned() else { return Ok(None) };
    let secret = crate::sign_in::secret(named)?;
    let named = named.oidc_issuer.as_deref().unwrap_or_default();
    let name = named.split("://").nth(1).and_then(|it| it.split('/').next()).unwrap_or(named).to_owned();
    Ok(Some(Elsewhere { issuer, name, secret, url: console.console_url.clone().unwrap_or_default() }))
}

/// Where the last lines of the access log are kept.
pub fn log(api: &apiserver::Running) -> PathBuf {
    data(api).join("gateway-log")
}

fn data(api: &apiserver::Running) -> PathBuf {
    api.kubeconfig_path.parent().map(PathBuf::from).unwrap_or_default()
}

/// Serves the console, and says where it is.
pub async fn start(
    socket: Socket,
    (all, elsewhere): (&UpArgs, Option<Elsewhere>),
    api: &apiserver::Running,
    client: &Client,
    (serving, screen): (&mut Serving, &Screen),
) -> Result<Option<console::Running>, Fault> {
    let args = &all.console;
    let (listener, address) = match socket {
        Socket::Bound(listener, address) => (listener, address),
        Socket::None(said) => {
            screen.write(&said.map(|it| crate::screen::no_console(&it, screen.paint())).unwrap_or_default());
            return Ok(None);
        }
    };
    let mut ports = ports(all, api, client, serving);
    ports.elsewhere = elsewhere.map(|it| reached(it, args, address));
    permit(client).await.context("the console's role cannot be written")?;
    let certificate = match args.console_plain {
        true => None,
        false => Some(api.certificate_for(USER, address.ip(), &[]).context("the console's certificate")?),
    };
    let options = console::Options {
        listener,
        certificate,
        api: config(api).await?,
        ports,
        mode: Mode::Up,
        assets: args.console_dir.clone().map_or(Assets::Embedded, Assets::Folder),
    };
    let running = console::start(options).map_err(|error| Fault::new(Exit::Usage, error.to_string()))?;
    let authority = data(api).join("pki/ca.crt");
    let authority = (!args.console_plain).then(|| authority.display().to_string());
    screen.write(&crate::screen::console(&running.url, authority.as_deref(), screen.paint()));
    Ok(Some(running))
}

/// Where nobody says how browsers reach the console, they do as one types it.
fn reached(elsewhere: Elsewhere, args: &ConsoleArgs, address: SocketAddr) -> Elsewhere {
    match elsewhere.url.is_empty() {
        true => Elsewhere { url: format!("{}://{address}", if args.console_plain { "http" } else { "https" }), ..elsewhere },
        false => elsewhere,
    }
}

/// What the console is given of this process.
fn ports(args: &UpArgs, api: &apiserver::Running, client: &Client, serving: &mut Serving) -> Ports {
    let history = Arc::new(observe::History::new(serving.metrics().clone()));
    serving.accompany(observe::remember(history.clone()));
    let gateways = Arc::new(gateways::Here::new(serving, history, observe::Kept::at(log(api))));
    let known = Arc::new(explains::Known { client: client.clone(), api: api.local_addr, gateways: gateways.clone() });
    let addresses =
        Arc::new(addresses::Known { client: client.clone(), gateways: gateways.clone(), pool: args.pool.clone(), node: args.node_address });
    Ports {
        accounts: Arc::new(People(api.logins())),
        elsewhere: None,
        gateways: Some(gateways),
        explains: Some(known),
        addresses: Some(addresses.clone()),
        secrets: Some(addresses),
        shows: None,
        pods: None,
        catalogues: catalogues::all(),
        pool: args.pool != pools::Pool::None,
    }
}

async fn config(api: &apiserver::Running) -> Result<kube::Config, Fault> {
    let kubeconfig = api.kubeconfig_for(USER, "").context("the console's own certificate")?;
    let file = kube::config::Kubeconfig::from_yaml(&kubeconfig).context("the kubeconfig just made cannot be read")?;
    let config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await;
    Ok(config.context("the kubeconfig just made cannot be used")?)
}

/// Lets the console stand in for people. Which of them it never does says the console: roles have no way to.
async fn permit(client: &Client) -> Result<(), kube::Error> {
    use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
    let parameters = PatchParams::apply("paifang").force();
    let group = "rbac.authorization.k8s.io";
    let labels = json!({ "app.kubernetes.io/managed-by": "paifang" });
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": ROLE, "labels": labels },
        "rules": [{ "apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"] }],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": ROLE, "labels": labels },
        "subjects": [{ "kind": "User", "apiGroup": group, "name": USER }],
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": ROLE },
    });
    Api::<ClusterRole>::all(client.clone()).patch(ROLE, &parameters, &Patch::Apply(&role)).await?;
    Api::<ClusterRoleBinding>::all(client.clone()).patch(ROLE, &parameters, &Patch::Apply(&binding)).await?;
    Ok(())
}

// === impl People ===

impl Accounts for People {
    fn ways(&self) -> Ways {
        Ways { passwords: true, tokens: false }
    }

    fn by_password(&self, asked: Asked) -> Waiting<'_, Result<Account, Refused>> {
        Box::pin(async move {
            let Asked { user, password, new, from, agent } = asked;
            let login = self.0.by_password(apiserver::Password { user, password, new, from, agent }).await.map_err(refused)?;
            Ok(Account::new(login.user.clone(), login.groups.clone(), Arc::new(login)))
        })
    }

    fn by_issuer(&self, person: login::Person) -> Result<Account, String> {
        let login = self.0.by_issuer(person)?;
        Ok(Account::new(login.user.clone(), login.groups.clone(), Arc::new(login)))
    }

    fn stands(&self, account: &Account) -> bool {
        account.login.downcast_ref::<apiserver::Login>().is_some_and(|login| self.0.stands(login))
    }
}

fn refused(refusal: LoginRefusal) -> Refused {
    match refusal {
        LoginRefusal::Wrong => Refused::Wrong,
        LoginRefusal::ChangeRequired => Refused::ChangeRequired,
        LoginRefusal::Weak(why) => Refused::Weak(why),
        LoginRefusal::TooMany(seconds) => Refused::TooMany(seconds),
        LoginRefusal::Busy(seconds) => Refused::Busy(seconds),
        LoginRefusal::Failed(why) => Refused::Failed(why),
    }
}
