//! `paifang console`: the console alone, in front of a cluster.
//!
//! People sign in with a token that the cluster takes, and the cluster is asked with it: the console needs no right for that. Only people who sign
//! in at an OIDC issuer are impersonated, and only then must the console be allowed to.

use super::addresses::places;
use super::{catalogues, elsewhere, reached};
use crate::fault::Fault;
use crate::screen::{self, Screen};
use crate::{sign_in, signals};
use access::{Answer, Gathered, How, Reach, Resolver, SeenGateway, Served, Touch, follow};
use anyhow::Context;
use cli::Exit;
use cli::args::console::{AloneArgs, ConsoleArgs};
use cli::text::Paint;
use console::{Account, Accounts, Asked, Assets, Host, Listed, Mode, Ports, Question, Refused, Serving, Shows, Waiting, Ways};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use model::{GatewayId, Sealed};
use resources::{Kind, Lives, Projects};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

/// Whoever the cluster knows.
struct Anybody;

/// What objects mean, in words of the console.
struct Objects {
    /// The API server's own socket, which no backend may name.
    api: Option<SocketAddr>,
}

/// For each thing that is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn run(args: AloneArgs) -> Result<Exit, Fault> {
    let issuer = sign_in::issuer(&args.issuer)?;
    let elsewhere = elsewhere((&args.console, &args.issuer), issuer.as_ref())?;
    let address = args.console.address(0).ok_or_else(|| Fault::new(Exit::Usage, "--console-address none leaves nothing to serve"))?;
    let config = cli::objects::config(&args.server).await?;
    let api = config.cluster_url.to_string();
    let client = Client::try_from(config.clone()).context("cannot make a client")?;
    client.apiserver_version().await.with_context(|| format!("the cluster at {api} does not answer"))?;
    if elsewhere.is_some() {
        may_impersonate(&client).await?;
    }
    let listener = bind(address).await?;
    let address = listener.local_addr()?;
    let certificate = if args.console.console_plain { None } else { Some(certificate(&args, address)?) };
    let mut ports = Ports::new(Arc::new(Anybody));
    ports.elsewhere = elsewhere.map(|it| reached(it, &args.console, address));
    ports.shows = Some(Arc::new(Objects { api: socket(&config) }));
    ports.pods = Some(args.gateway_names.namespace.to_string());
    ports.catalogues = catalogues::all();
    let assets = args.console.console_dir.clone().map_or(Assets::Embedded, Assets::Folder);
    let options = console::Options { listener, certificate, api: config, ports, mode: Mode::Cluster, assets };
    let running = console::start(options).map_err(|error| Fault::new(Exit::Usage, error))?;
    let screen = Screen::new(Paint::of(&std::io::stderr()));
    screen.write(&screen::head(&api, None, None, screen.paint()));
    screen.write(&screen::console_alone(&running.url, is_made_up(&args), screen.paint()));
    signals::stop().await;
    screen.write("\nstopping\n");
    running.stop().await;
    Ok(Exit::Done)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Fault> {
    TcpListener::bind(address).await.map_err(|error| {
        let why =
            if error.kind() == std::io::ErrorKind::AddrInUse { "it is taken by another program".to_owned() } else { error.to_string() };
        Fault::cannot_listen(format!("the console's address {address}: {why}; choose another --console-address"))
    })
}

/// Whether a certificate is made at each start.
fn is_made_up(args: &AloneArgs) -> bool {
    args.console_certificate.is_none() && !args.console.console_plain
}

/// Chain and key, in PEM.
fn certificate(args: &AloneArgs, address: SocketAddr) -> Result<(String, Sealed<String>), Fault> {
    let text = |flag: &str, path: &std::path::Path| {
        String::from_utf8(sign_in::read(flag, path)?)
            .map_err(|_| Fault::new(Exit::Usage, format!("{flag}: {}: it is not PEM", path.display())))
    };
    if let (Some(chain), Some(key)) = (&args.console_certificate, &args.console_key) {
        return Ok((text("--console-certificate", chain)?, Sealed::new(text("--console-key", key)?)));
    }
    let made = rcgen::generate_simple_self_signed(names(&args.console, address)).context("cannot make a certificate")?;
    Ok((made.cert.pem(), Sealed::new(made.signing_key.serialize_pem())))
}

/// What browsers may call it.
fn names(args: &ConsoleArgs, address: SocketAddr) -> Vec<String> {
    let named = args.console_url.as_deref().and_then(|it| it.split("://").nth(1));
    let named = named.map(|it| it.rsplit_once(':').map_or(it, |(host, _)| host).trim_matches(['[', ']']).to_owned());
    let mut names = vec!["localhost".to_owned(), address.ip().to_string()];
    names.extend(named.filter(|it| !it.is_empty() && !names.contains(it)));
    names
}

/// Without that nobody who comes from the issuer could do anything.
async fn may_impersonate(client: &Client) -> Result<(), Fault> {
    let attributes =
        ResourceAttributes { verb: Some("impersonate".into()), resource: Some("users".into()), ..ResourceAttributes::default() };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..SelfSubjectAccessReviewSpec::default() };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await.context("cannot ask what the console may do")?;
    match answer.status.is_some_and(|it| it.allowed) {
        true => Ok(()),
        false => Err(Fault::new(
            Exit::Usage,
            "with --oidc-issuer the console stands in for people, and it may not: it needs the right to impersonate users and groups \
             (deploy/kubernetes/console-oidc.yaml)",
        )),
    }
}

// === impl Anybody ===

impl Accounts for Anybody {
    fn ways(&self) -> Ways {
        Ways { passwords: false, tokens: true }
    }

    fn by_password(&self, _: Asked) -> Waiting<'_, Result<Account, Refused>> {
        Box::pin(async { Err(Refused::Wrong) })
    }

    fn by_issuer(&self, person: login::Person) -> Result<Account, String> {
        Ok(Account::new(person.user, person.groups, Arc::new(())))
    }

    fn stands(&self, _: &Account) -> bool {
        true
    }
}

// === impl Objects ===

impl Shows for Objects {
    fn serving(&self, namespace: Option<&str>, workspace: Option<&str>, objects: &[Value]) -> Vec<Serving> {
        let mut found = places(objects, namespace, workspace);
        found.iter_mut().for_each(|(_, serving)| {
            // Node ports answer at nodes, which the gateway's status names.
            serving.nodes = if serving.access == "NodePort" { serving.addresses.clone() } else { Vec::new() };
        });
        let is_service = |it: &SeenGateway| *it.object.kind == *Kind::Service.word();
        found.into_iter().map(|(seen, serving)| Serving { is_there_anyway: is_service(&seen), ..serving }).collect()
    }

    fn kinds(&self) -> Vec<Listed> {
        let listed = |it: &Kind| Listed {
            kind: it.word(),
            versions: it.api_versions(),
            plural: it.plural(),
            is_namespaced: it.lives() == Lives::Namespace,
        };
        Kind::ALL.iter().map(listed).collect()
    }

    fn explain(&self, gathered: &console::Gathered, gateway: &GatewayId, question: &Question) -> Result<Value, String> {
        let asked = access::Asked::read(&question.method, &question.url, &question.headers)?;
        let gathered = self.gathered(gathered.clone());
        Ok(Answer::find(&Served::new(&gathered), &asked, Some(gateway.as_str())).json())
    }

    fn check(
        &self,
        gathered: console::Gathered,
        (gateway, own): (GatewayId, BTreeSet<IpAddr>),
        url: String,
    ) -> Waiting<'_, Result<Vec<Value>, String>> {
        Box::pin(async move {
            let asked = access::Asked::read("GET", &url, &[])?;
            let gathered = self.gathered(gathered);
            let known = tokio::task::spawn_blocking(move || access::Known::new(&gathered)).await.map_err(|error| error.to_string())?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let how = How {
                // It is done for somebody else: nothing but the gateway is connected to.
                touch: Touch::Only(own),
                resolver: Resolver::System,
                patience: PATIENCE,
                now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
                gateway: Some(gateway.to_string()),
            };
            Ok(follow(&asked, &known, &how).await.iter().map(access::Hop::json).collect())
        })
    }

    fn host(&self, (service, gateway): (&Value, &GatewayId), alone: bool, (namespace, name): (&str, &str)) -> Host {
        super::addresses::host(service, gateway, if alone { Projects::One } else { Projects::Many }, (namespace, name))
    }
}

// === impl Objects, what is its own ===

impl Objects {
    fn gathered(&self, console::Gathered { objects, is_whole }: console::Gathered) -> Gathered {
        Gathered { objects, from: if is_whole { Reach::Api } else { Reach::Part }, api: self.api }
    }
}

/// Where the API server's address says that it is.
fn socket(config: &kube::Config) -> Option<SocketAddr> {
    let url = &config.cluster_url;
    let ip = url.host().and_then(|it| it.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    ip.zip(url.port_u16()).map(SocketAddr::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_say_which_gateways_serve_a_project() {
        let gateway = |namespace: &str, name: &str, spec: Value| {
            json!({
                "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "namespace": namespace, "name": name }, "spec": spec,
                "status": { "addresses": [{ "type": "IPAddress", "value": "10.0.0.1" }],
                    "ports": [{ "name": "http", "protocol": "HTTP", "port": 80, "nodePort": 30080, "reachedAt": 30080 }] },
            })
        };
        let all = [
            gateway("kubesphere-system", "cluster", json!({ "scope": "Cluster", "access": { "type": "LoadBalancer" } })),
            gateway("workspace-w", "gateway", json!({ "scope": "Workspace", "workspace": "w" })),
            gateway("shop", "gateway", json!({ "access": { "type": "NodePort" }, "tracing": { "enabled": true } })),
            gateway("other", "gateway", json!({})),
        ];
        let objects = Objects { api: None };
        let found = objects.serving(Some("shop"), Some("w"), &all);
        let scopes: Vec<&str> = found.iter().map(|it| it.scope.as_str()).collect();
        assert_eq!(scopes, ["Project", "Workspace", "Cluster"]);
        assert_eq!((found[0].nodes.as_slice(), found[0].ports[0].reached, found[0].tracing), (&["10.0.0.1".to_owned()][..], 30080, true));
        assert!(found[2].nodes.is_empty(), "{found:?}");
        assert_eq!(objects.serving(Some("shop"), None, &all).len(), 2);
        assert_eq!(objects.serving(None, None, &all).len(), 4);
    }

    #[test]
    fn a_certificate_that_is_made_up_has_the_names_that_are_typed() {
        let args = |url: Option<&str>| ConsoleArgs {
            console_address: None,
            console_url: url.map(str::to_owned),
            console_plain: false,
            console_dir: None,
        };
        let address = SocketAddr::from(([10, 0, 0, 1], 9443));
        assert_eq!(names(&args(None), address), ["localhost", "10.0.0.1"]);
        assert_eq!(names(&args(Some("https://console.example:8443")), address), ["localhost", "10.0.0.1", "console.example"]);
        assert_eq!(names(&args(Some("https://[::1]:8443")), address), ["localhost", "10.0.0.1", "::1"]);
    }
}
