//! A console before the real embedded API, asked by an HTTP/1.1 client that sends what it is told and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use console::{
    Account, Accounts, Addresses, Asked, Assets, Backend, BackendEndpoint, Catalogues, Elsewhere, Explains, Gateways, Host, Mode, Options,
    Owner, Pem, Pool, Ports, Question, Refused, Secrets, Serving, Waiting, Ways,
};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use kube::api::{Api, Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use model::{GatewayId, ObjectRef, Sealed};
use observe::{History, Keeper, Kept, Measured, Metrics};
use serde_json::{Value, json};
use std::io::Write;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

pub const PASSWORD: &str = "correct horse battery";
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that runs.
pub struct World {
    pub address: SocketAddr,
    pub api: apiserver::Running,
    pub client: kube::Client,
    console: Option<console::Running>,
    dir: TempDir,
}

/// The people of the API.
struct People {
    logins: apiserver::Logins,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// A browser: its cookie and its token.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    pub cookie: String,
    pub token: String,
}

impl Accounts for People {
    fn ways(&self) -> Ways {
        Ways { passwords: true, tokens: false }
    }

    fn by_password(&self, asked: Asked) -> Waiting<'_, Result<Account, Refused>> {
        Box::pin(async move {
            let Asked { user, password, new, from, agent } = asked;
            let done = self.logins.by_password(apiserver::Password { user, password, new, from, agent }).await;
            let login = done.map_err(|refusal| match refusal {
                apiserver::LoginRefusal::Wrong => Refused::Wrong,
                apiserver::LoginRefusal::ChangeRequired => Refused::ChangeRequired,
                apiserver::LoginRefusal::Weak(why) => Refused::Weak(why),
                apiserver::LoginRefusal::TooMany(seconds) => Refused::TooMany(seconds),
                apiserver::LoginRefusal::Busy(seconds) => Refused::Busy(seconds),
                apiserver::LoginRefusal::Failed(why) => Refused::Failed(why),
            })?;
            Ok(Account::new(login.user.clone(), login.groups.clone(), Arc::new(login)))
        })
    }

    fn by_issuer(&self, person: login::Person) -> Result<Account, String> {
        let login = self.logins.by_issuer(person)?;
        Ok(Account::new(login.user.clone(), login.groups.clone(), Arc::new(login)))
    }

    fn stands(&self, account: &Account) -> bool {
        account.login.downcast_ref::<apiserver::Login>().is_some_and(|login| self.logins.stands(login))
    }
}

/// One gateway, of the IngressGateway `shop/gateway`.
struct Machine {
    history: History,
    kept: Kept,
}

const GATEWAY: &str = "edge/shop";

impl Gateways for Machine {
    fn find(&self, namespace: &str, name: &str) -> Option<GatewayId> {
        (namespace == "shop" && name == "gateway").then(|| GatewayId::new(GATEWAY))
    }

    fn sockets(&self, _: &GatewayId) -> Vec<(String, SocketAddr)> {
        Vec::new()
    }

    fn backends(&self, _: &GatewayId, object: &ObjectRef) -> Option<Vec<Backend>> {
        let endpoint = |address: &str, trouble| BackendEndpoint { address: address.into(), in_flight: Some(2), trouble };
        let endpoints = vec![endpoint("10.1.0.1:80", None), endpoint("10.1.0.2:80", Some("Refused".to_owned()))];
        Some(vec![Backend { id: format!("{}/{}:80", object.namespace, object.name), connections: 3, endpoints }])
    }

    fn history(&self) -> Option<&History> {
        Some(&self.history)
    }

    fn log(&self) -> Option<&Kept> {
        Some(&self.kept)
    }
}

/// What is known of routes and addresses in a test: little.
struct Oracle;

impl Explains for Oracle {
    fn explain(&self, gateway: &GatewayId, question: Question) -> Waiting<'_, Result<Value, String>> {
        let told = json!({ "gateway": gateway.as_str(), "url": question.url });
        Box::pin(async move { Ok(told) })
    }

    fn check(&self, _: &GatewayId, url: String) -> Option<Waiting<'_, Result<Vec<Value>, String>>> {
        let hop = json!({ "hop": "name", "verdict": "broken", "said": url, "mend": "write it into the hosts file" });
        Some(Box::pin(async move { Ok(vec![hop]) }))
    }
}

impl Addresses for Oracle {
    fn host(&self, namespace: String, service: String, _: Option<(String, String)>) -> Waiting<'_, Result<Host, String>> {
        let host = Host { host: format!("{service}.{namespace}.10.0.0.1.nip.io"), address: Some("10.0.0.1".into()), ..Host::default() };
        Box::pin(async move { Ok(host) })
    }

    fn serving(&self, namespace: Option<String>) -> Waiting<'_, Result<Vec<Serving>, String>> {
        let serving = Serving { namespace: namespace.unwrap_or_default(), name: "gateway".into(), ..Serving::default() };
        Box::pin(async move { Ok(vec![serving]) })
    }

    fn pools(&self) -> Waiting<'_, Result<Vec<Pool>, String>> {
        let owner = |address: &str, namespace: &str| Owner {
            address: address.into(),
            namespace: namespace.into(),
            name: "web".into(),
            kind: "Service".into(),
        };
        let owners = vec![owner("10.0.0.1", "shop"), owner("10.0.0.2", "other")];
        Box::pin(async move { Ok(vec![Pool { name: "pool".into(), ranges: vec!["10.0.0.0/29".into()], total: 6, owners }]) })
    }
}

impl Secrets for Oracle {
    fn certificate(&self, _: String, _: String) -> Waiting<'_, Result<Option<Pem>, String>> {
        Box::pin(async { Ok(None) })
    }
}

// === impl World ===

impl World {
    /// With `admin`, and with the members of two projects: `ann` admin, `olga` operator and `vic` viewer of `shop`; `eve` of `other` alone.
    pub async fn start() -> Self {
        Self::with_issuer(None).await
    }

    /// The same, and people sign in at `issuer`, too.
    pub async fn with_issuer(issuer: Option<&str>) -> Self {
        let dir = TempDir::new().expect("a folder");
        let store = store::Store::open(&dir.path().join("data")).expect("a store");
        let mut options = apiserver::Options::new(dir.path().join("data"));
        options.address = ([127, 0, 0, 1], 0).into();
        let api = apiserver::start(store, options).await.expect("the API starts");
        let first = apiserver::FirstLogin::Password(Sealed::new(PASSWORD.to_owned()));
        api.first_login(&first).await.expect("somebody may log in");
        let client = client(&api.keeper_kubeconfig).await;
        let people = Arc::new(People { logins: api.logins() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let config = config(&api.kubeconfig_for("paifang-console", "").expect("a certificate")).await;
        let log = dir.path().join("log");
        let machine = Machine { history: History::new(counted()), kept: Kept::at(&log) };
        logged(&log);
        machine.history.tick(1_000);
        let oracle = Arc::new(Oracle);
        let ports = Ports {
            accounts: people,
            elsewhere: issuer.map(|url| Elsewhere {
                issuer: login::Issuer::new(login::oidc::Options::new(url, testkit::issuer::CLIENT)).expect("an issuer"),
                name: "Example".into(),
                secret: None,
                url: format!("http://{}", listener.local_addr().expect("bound")),
            }),
            gateways: Some(Arc::new(machine)),
            explains: Some(oracle.clone()),
            addresses: Some(oracle.clone()),
            secrets: Some(oracle),
            shows: None,
            pods: None,
            catalogues: Catalogues::default(),
            pool: true,
        };
        let options = Options { listener, certificate: None, api: config, ports, mode: Mode::Up, assets: Assets::Embedded };
        let console = console::start(options).expect("the console starts");
        let world = Self { address: console.address, api, client, console: Some(console), dir };
        world.fill().await;
        world
    }

    async fn fill(&self) {
        let role = |name: &str, rules: Value| json!({ "kind": "ClusterRole", "metadata": { "name": name }, "rules": rules });
        let rbac = "rbac.authorization.k8s.io/v1";
        let subject = |user: &str| json!([{ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user }]);
        let to = |name: &str| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name });
        self.put(
            rbac,
            "",
            role("paifang:console", json!([{ "apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"] }])),
        )
        .await;
        self.put(
            rbac,
            "",
            json!({ "kind": "ClusterRoleBinding", "metadata": { "name": "paifang:console" }, "subjects": subject("paifang-console"),
                "roleRef": to("paifang:console") }),
        )
        .await;
        self.put(rbac, "", role("platform-admin", json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]))).await;
        let all = json!({ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] });
        let read = json!({ "apiGroups": ["", "networking.k8s.io", "paifang.dev"], "resources": ["configmaps", "services", "ingresses", "ingressgateways"],
            "verbs": ["get", "list", "watch"] });
        let write = json!({ "apiGroups": ["", "networking.k8s.io"], "resources": ["configmaps", "services", "ingresses"],
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"] });
        self.put(rbac, "", role("project-admin", json!([all]))).await;
        self.put(rbac, "", role("project-operator", json!([read, write]))).await;
        self.put(rbac, "", role("project-viewer", json!([read]))).await;
        for namespace in ["shop", "other"] {
            self.put("v1", "", json!({ "kind": "Namespace", "metadata": { "name": namespace } })).await;
        }
        for (user, namespace, role) in [
            ("ann", "shop", "project-admin"),
            ("olga", "shop", "project-operator"),
            ("vic", "shop", "project-viewer"),
            ("eve", "other", "project-admin"),
        ] {
            self.put("paifang.dev/v1alpha1", "", json!({ "kind": "User", "metadata": { "name": user }, "spec": {} })).await;
            self.put(
                rbac,
                namespace,
                json!({ "kind": "RoleBinding", "metadata": { "name": user }, "subjects": subject(user), "roleRef": to(role) }),
            )
            .await;
            self.set_password(user, PASSWORD).await;
        }
    }

    /// As the program itself.
    pub async fn put(&self, api_version: &str, namespace: &str, mut object: Value) {
        object["apiVersion"] = api_version.into();
        let (kind, name) =
            (object["kind"].as_str().expect("a kind").to_owned(), object["metadata"]["name"].as_str().expect("a name").to_owned());
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
        let api: Api<DynamicObject> = match namespace {
            "" => Api::all_with(self.client.clone(), &resource),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &resource),
        };
        api.patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&object))
            .await
            .unwrap_or_else(|error| panic!("{object}: {error}"));
    }

    pub async fn set_password(&self, user: &str, password: &str) {
        let request = Request::post(format!("/apis/paifang.dev/v1alpha1/users/{user}/password"))
            .header("content-type", "application/json")
            .body(json!({ "newPassword": password }).to_string().into_bytes());
        self.client.request::<Value>(request.expect("a request")).await.expect("it is set");
    }

    pub async fn send(&self) -> SendRequest<Full<Bytes>> {
        send_to(self.address).await
    }

    /// What is answered to a request as it is given: whatever stands in it.
    pub async fn raw(&self, request: Request<Full<Bytes>>) -> http::Response<Incoming> {
        let mut send = self.send().await;
        let answer = tokio::time::timeout(PATIENCE, send.send_request(request)).await.expect("in time");
        answer.expect("an answer")
    }

    pub async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        Answer::read(self.raw(request).await).await
    }

    /// A request without anything of a browser.
    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header("host", self.address.to_string())
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Answer {
        self.ask(browser.on(self.request("GET", path)).body(Full::default()).expect("a request")).await
    }

    pub async fn post(&self, browser: &Browser, path: &str, body: &Value) -> Answer {
        let request = browser.on(self.request("POST", path)).header("content-type", "application/json");
        self.ask(request.body(Full::from(body.to_string())).expect("a request")).await
    }

    pub async fn login(&self, user: &str, password: &str) -> Answer {
        self.post(&Browser::default(), "/console/login", &json!({ "username": user, "password": password })).await
    }

    /// A browser in which somebody has signed in.
    pub async fn browser(&self, user: &str) -> Browser {
        let answer = self.login(user, PASSWORD).await;
        assert_eq!(answer.status, 200, "{user}: {answer:?}");
        Browser { cookie: answer.cookie(), token: answer.json()["csrf"].as_str().expect("a token").to_owned() }
    }

    pub fn path(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub async fn stop(mut self) {
        if let Some(console) = self.console.take() {
            console.stop().await;
        }
        self.api.stop().await;
    }
}

// === impl Browser ===

impl Browser {
    pub fn on(&self, mut request: http::request::Builder) -> http::request::Builder {
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if !self.token.is_empty() {
            request = request.header("x-csrf-token", &self.token);
        }
        request
    }
}

// === impl Answer ===

impl Answer {
    pub async fn read(answer: http::Response<Incoming>) -> Self {
        let (head, body) = answer.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await.expect("in time").expect("a body").to_bytes();
        Self { status: head.status.as_u16(), headers: head.headers, text: String::from_utf8_lossy(&body).into_owned() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or("").to_owned()
    }

    /// The one that names a session, as a browser sends it back.
    pub fn cookie(&self) -> String {
        let line = self.headers.get("set-cookie").expect("a cookie").to_str().expect("text");
        line.split(';').next().expect("a pair").to_owned()
    }
}

pub async fn send_to(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    send
}

async fn config(kubeconfig: &str) -> kube::Config {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = kube::config::Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await.expect("a config")
}

async fn client(kubeconfig: &str) -> kube::Client {
    kube::Client::try_from(config(kubeconfig).await).expect("a client")
}

fn counted() -> Arc<Metrics> {
    let metrics = Metrics::new(1);
    let route = metrics.route(&GatewayId::new(GATEWAY), &ObjectRef::new("Ingress", "shop", "web"));
    route.record(0, &Measured { status: 200, reason: None, duration: Duration::from_millis(3), received: 1, sent: 2 });
    metrics
}

fn logged(folder: &std::path::Path) {
    let mut keeper = Keeper::open(folder).expect("a log");
    for (gateway, path) in [(GATEWAY, "/one"), ("edge/other", "/theirs"), (GATEWAY, "/two")] {
        writeln!(keeper, "{{\"time\":\"2026-11-21T10:00:00.000Z\",\"path\":\"{path}\",\"gateway\":\"{gateway}\"}}").expect("written");
    }
}
