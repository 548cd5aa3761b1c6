//! The console beside the API of `paifang up`, in one process.
//!
//! **Invariant:** the console reaches the API as a user of its own, who may impersonate people and groups and do nothing else.

use crate::fault::Fault;
use crate::screen::Screen;
use anyhow::Context;
use apiserver::{LoginRefusal, Logins};
use cli::Exit;
use cli::args::console::ConsoleArgs;
use console::{Account, Accounts, Asked, Assets, Mode, Ports, Refused, Waiting};
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

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

/// Serves the console, and says where it is.
pub async fn start(
    socket: Socket,
    args: &ConsoleArgs,
    api: &apiserver::Running,
    client: &Client,
    screen: &Screen,
) -> Result<Option<console::Running>, Fault> {
    let (listener, address) = match socket {
        Socket::Bound(listener, address) => (listener, address),
        Socket::None(said) => {
            screen.write(&said.map(|it| crate::screen::no_console(&it, screen.paint())).unwrap_or_default());
            return Ok(None);
        }
    };
    permit(client).await.context("the console's role cannot be written")?;
    let certificate = match args.console_plain {
        true => None,
        false => Some(api.certificate_for(USER, address.ip(), &[]).context("the console's certificate")?),
    };
    let options = console::Options {
        listener,
        certificate,
        api: config(api).await?,
        ports: Ports::new(Arc::new(People(api.logins()))),
        mode: Mode::Up,
        assets: args.console_dir.clone().map_or(Assets::Embedded, Assets::Folder),
    };
    let running = console::start(options).map_err(|error| Fault::new(Exit::Usage, error.to_string()))?;
    let authority = api.kubeconfig_path.parent().unwrap_or(Path::new("")).join("pki/ca.crt");
    let authority = (!args.console_plain).then(|| authority.display().to_string());
    screen.write(&crate::screen::console(&running.url, authority.as_deref(), screen.paint()));
    Ok(Some(running))
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
    fn by_password(&self, asked: Asked) -> Waiting<'_, Result<Account, Refused>> {
        Box::pin(async move {
            let Asked { user, password, new, from, agent } = asked;
            let login = self.0.by_password(apiserver::Password { user, password, new, from, agent }).await.map_err(refused)?;
            Ok(Account::new(login.user.clone(), login.groups.clone(), Arc::new(login)))
        })
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
