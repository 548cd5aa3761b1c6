//! A console in front of a cluster: tokens, and streams that the cluster itself would never end.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use console::{
    Account, Accounts, Asked, Assets, Gathered, Host, Listed, Mode, Options, Ports, Question, Refused, Running, Serving, Shows, Waiting,
    Ways,
};
use futures::StreamExt;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::GatewayId;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{Answer, Browser, PATIENCE, send_to};

const TOKEN: &str = "the-token-of-ann";
const OWN: &str = "the-token-of-the-console";
const WATCH: &str = "/api/v1/namespaces/shop/services?watch=1";

/// What an API server says to everything, and what it was asked.
#[derive(Default)]
struct Cluster {
    /// Whether Ann's token is taken, whether she may do anything, whether our kinds are installed.
    is_good: bool,
    may: bool,
    has_kinds: bool,
    /// Whether the console itself may look at pods.
    shows_pods: bool,
    asked: Vec<(String, HeaderMap, Value)>,
}

type Shared = Arc<Mutex<Cluster>>;

struct Nobody;

impl Accounts for Nobody {
    fn ways(&self) -> Ways {
        Ways { passwords: false, tokens: true }
    }
    fn by_password(&self, _: Asked) -> Waiting<'_, Result<Account, Refused>> {
        Box::pin(async { Err(Refused::Wrong) })
    }
    fn by_issuer(&self, _: login::Person) -> Result<Account, String> {
        Err("nobody".into())
    }
    fn stands(&self, _: &Account) -> bool {
        true
    }
}

struct Names;

impl Shows for Names {
    fn serving(&self, _: Option<&str>, _: Option<&str>, objects: &[Value]) -> Vec<Serving> {
        let name = |it: &Value| Serving { name: it["metadata"]["name"].as_str().unwrap_or_default().to_owned(), ..Serving::default() };
        objects.iter().map(name).collect()
    }
    fn kinds(&self) -> Vec<Listed> {
        let listed = |kind, versions, plural, is_namespaced| Listed { kind, versions, plural, is_namespaced };
        vec![
            listed("Ingress", &["networking.k8s.io/v1"], "ingresses", true),
            listed("Secret", &["v1"], "secrets", true),
            listed("Namespace", &["v1"], "namespaces", false),
            listed("New", &["new.example/v2", "new.example/v1"], "news", true),
        ]
    }
    fn explain(&self, gathered: &Gathered, gateway: &GatewayId, _: &Question) -> Result<Value, String> {
        let name = |it: &Value| format!("{}/{}", it["kind"].as_str().unwrap_or("?"), it["metadata"]["name"].as_str().unwrap_or("?"));
        let objects: Vec<String> = gathered.objects.iter().map(name).collect();
        Ok(json!({ "gateway": gateway.as_str(), "objects": objects, "isWhole": gathered.is_whole }))
    }
    fn check(&self, gathered: Gathered, (_, own): (GatewayId, BTreeSet<IpAddr>), url: String) -> Waiting<'_, Result<Vec<Value>, String>> {
        Box::pin(async move { Ok(vec![json!({ "said": url, "own": own, "isWhole": gathered.is_whole })]) })
    }
    fn host(&self, (_, gateway): (&Value, &GatewayId), alone: bool, (namespace, service): (&str, &str)) -> Host {
        Host { host: format!("{service}.{namespace}.{gateway}.{alone}"), ..Host::default() }
    }
}

struct Alone {
    cluster: Shared,
    console: Running,
}

impl Alone {
    async fn start() -> Self {
        Self::before(None).await
    }

    async fn before(pods: Option<&str>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let cluster = Shared::new(Mutex::new(Cluster { is_good: true, may: true, has_kinds: true, ..Cluster::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let mut config = kube::Config::new(format!("http://{}", listener.local_addr().expect("bound")).parse().expect("a URL"));
        config.auth_info.token = Some(OWN.to_owned().into());
        tokio::spawn(serve(listener, cluster.clone()));
        let mut ports = Ports::new(Arc::new(Nobody));
        ports.shows = Some(Arc::new(Names));
        ports.pods = pods.map(str::to_owned);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let options = Options { listener, certificate: None, api: config, ports, mode: Mode::Cluster, assets: Assets::Embedded };
        Self { cluster, console: console::start(options).expect("it starts") }
    }

    async fn raw(&self, browser: &Browser, method: &str, path: &str, body: &Value) -> Response<Incoming> {
        let request = Request::builder().method(method).uri(path).header("host", self.console.address.to_string());
        let request = browser.on(request).header("content-type", "application/json");
        let body = if body.is_null() { Full::default() } else { Full::from(body.to_string()) };
        let sent = send_to(self.console.address).await.send_request(request.body(body).expect("a request")).await;
        sent.expect("an answer")
    }

    async fn get(&self, browser: &Browser, path: &str) -> Answer {
        Answer::read(self.raw(browser, "GET", path, &Value::Null).await).await
    }

    async fn login(&self, body: &Value) -> Answer {
        Answer::read(self.raw(&Browser::default(), "POST", "/console/login", body).await).await
    }

    async fn ann(&self) -> Browser {
        let answer = self.login(&json!({ "token": TOKEN })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["user"], "system:serviceaccount:shop:ann");
        Browser { cookie: answer.cookie(), token: answer.json()["csrf"].as_str().expect("a token").to_owned() }
    }

    fn now(&self, change: impl FnOnce(&mut Cluster)) {
        change(&mut self.cluster.lock().expect("no panic"));
    }

    fn asked(&self) -> Vec<(String, HeaderMap, Value)> {
        self.cluster.lock().expect("no panic").asked.clone()
    }
}

async fn serve(listener: TcpListener, cluster: Shared) {
    while let Ok((socket, _)) = listener.accept().await {
        let cluster = cluster.clone();
        let service = service_fn(move |request| {
            let cluster = cluster.clone();
            async move { Ok::<_, Infallible>(answer(&cluster, request).await) }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service));
    }
}

async fn answer(cluster: &Shared, request: Request<Incoming>) -> Response<BoxBody<Bytes, Infallible>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|it| it.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut cluster = cluster.lock().expect("no panic");
    cluster.asked.push((head.uri.to_string(), head.headers.clone(), body.clone()));
    let reply = |code: u16, body: Value| {
        let answer = Response::builder().status(code).header("content-type", "application/json");
        answer.body(Full::from(body.to_string()).boxed()).expect("an answer")
    };
    let whose = head.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    if whose == format!("Bearer {OWN}") {
        let (code, body) = own(head.uri.path(), head.uri.query().unwrap_or_default(), cluster.shows_pods);
        return Response::builder().status(code).body(Full::from(body).boxed()).expect("an answer");
    }
    if whose != format!("Bearer {TOKEN}") || !cluster.is_good {
        return reply(401, json!({ "kind": "Status", "code": 401, "reason": "Unauthorized" }));
    }
    let gateway = json!({ "metadata": { "name": "gateway" }, "status": { "pods": [{ "name": "shop-1" }] } });
    match head.uri.path() {
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            let info = json!({ "username": "system:serviceaccount:shop:ann", "groups": ["system:authenticated"] });
            reply(201, json!({ "status": { "userInfo": info } }))
        }
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => reply(201, json!({ "status": { "allowed": cluster.may } })),
        path if path.starts_with("/apis/paifang.dev/") && !cluster.has_kinds => {
            Response::builder().status(404).body(Full::from("404 page not found\n").boxed()).expect("an answer")
        }
        "/apis/paifang.dev/v1alpha1" => reply(200, json!({ "kind": "APIResourceList" })),
        "/apis/paifang.dev/v1alpha1/namespaces/shop/ingressgateways" => reply(200, json!({ "items": [gateway] })),
        "/apis/paifang.dev/v1alpha1/namespaces/shop/ingressgateways/gateway" => reply(200, gateway),
        "/apis/networking.k8s.io/v1/ingresses" => {
            let first = !head.uri.query().unwrap_or_default().contains("continue=more%2Fof%20it");
            let (name, more) = if first { ("web", "more/of it") } else { ("api", "") };
            reply(200, json!({ "metadata": { "continue": more }, "items": [{ "metadata": { "name": name } }] }))
        }
        "/api/v1/namespaces/shop" => reply(200, json!({ "metadata": { "name": "shop" } })),
        "/api/v1/namespaces/shop/secrets" => reply(200, json!({ "items": [{ "metadata": { "name": "tls" } }] })),
        "/api/v1/secrets" | "/api/v1/namespaces" | "/api/v1/namespaces/mine/secrets" | "/api/v1/namespaces/mine" => {
            reply(403, json!({ "kind": "Status", "code": 403 }))
        }
        path if path.starts_with("/apis/paifang.dev/") => reply(403, json!({ "kind": "Status", "code": 403 })),
        "/api/v1/namespaces/shop/services" => {
            let first = futures::stream::once(async { Ok(Frame::data(Bytes::from_static(b"{\"type\":\"ADDED\"}\n"))) });
            // It says nothing more, and never ends.
            let body = StreamBody::new(first.chain(futures::stream::pending()));
            Response::new(BodyExt::boxed(body))
        }
        _ => reply(404, json!({ "kind": "Status", "code": 404 })),
    }
}

/// What is said to the console itself: of two gateways, one with three pods.
fn own(path: &str, query: &str, may: bool) -> (u16, String) {
    let status = |code: u16, reason: &str| {
        (code, json!({ "kind": "Status", "status": "Failure", "message": "", "code": code, "reason": reason }).to_string())
    };
    let Some(path) = path.strip_prefix("/api/v1/namespaces/edge/").filter(|_| may) else { return status(403, "Forbidden") };
    let service = |name: &str, requested_by: &str| {
        let annotations = json!({ "paifang.dev/gateway": format!("edge/{name}"), "paifang.dev/requested-by": requested_by, "paifang.dev/node-address": "10.0.0.7" });
        json!({ "apiVersion": "v1", "kind": "Service", "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 10080 }] }, "metadata": { "uid": name, "name": name, "labels": { "app.kubernetes.io/instance": name }, "annotations": annotations } })
    };
    let pod = |name: &str| {
        let conditions = json!([{ "type": "Ready", "status": "True" }]);
        json!({ "metadata": { "name": name }, "status": { "phase": "Running", "conditions": conditions } })
    };
    let line = |second: u32, path: &str, gateway: &str| {
        format!(
            "2026-11-21T10:00:0{second}.7Z {{\"time\":\"2026-11-21T10:00:0{second}.000Z\",\"path\":\"{path}\",\"gateway\":\"{gateway}\"}}\n"
        )
    };
    let wanted = query.contains("instance%3Dgw-shop");
    match path {
        "services" => (
            200,
            json!({ "kind": "ServiceList", "apiVersion": "v1", "metadata": {}, "items": [
            service("gw-other", "IngressGateway/other/gateway"), service("gw-shop", "IngressGateway/shop/gateway"),
        ] })
            .to_string(),
        ),
        "pods" if wanted => (
            200,
            json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [pod("gw-1"), pod("gw-2"), pod("gw-3")] }).to_string(),
        ),
        "pods/gw-1/log" => (
            200,
            [line(1, "/one", "edge/gw-shop"), "2026-11-21T10:00:01.8Z WARN of something\n".to_owned(), line(4, "/four", "edge/gw-shop")]
                .concat(),
        ),
        "pods/gw-2/log" => {
            (200, [line(2, "/two", "edge/gw-shop"), line(3, "/theirs", "edge/gw-other"), line(3, "/three", "edge/gw-shop")].concat())
        }
        _ => status(404, "NotFound"),
    }
}

async fn begun(alone: &Alone, browser: &Browser) -> Incoming {
    let answer = alone.raw(browser, "GET", WATCH, &Value::Null).await;
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    tokio::time::timeout(PATIENCE, body.frame()).await.expect("in time").expect("a line").expect("it is read");
    body
}

async fn until_end(mut body: Incoming) {
    let ended = async { while let Some(Ok(_)) = body.frame().await {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_token_is_asked_for_by_it_alone() {
    let alone = Alone::start().await;
    let ways = alone.get(&Browser::default(), "/console/oidc").await.json();
    assert_eq!((&ways["enabled"], &ways["passwords"], &ways["tokens"]), (&json!(false), &json!(false), &json!(true)));
    for (body, status) in [
        (json!({ "token": "another" }), 401),
        (json!({ "token": "" }), 401),
        (json!({ "token": "a b" }), 401),
        (json!({ "username": "ann", "password": TOKEN }), 501),
        (json!({ "token": TOKEN, "username": "admin" }), 400),
    ] {
        assert_eq!(alone.login(&body).await.status, status, "{body}");
    }
    let ann = alone.ann().await;
    let session = alone.get(&ann, "/console/session").await;
    assert_eq!(session.json()["mode"], "cluster");
    assert_eq!(alone.get(&ann, "/api/v1/namespaces/shop/nothing").await.status, 404, "as the API says");
    assert!(!session.text.contains(TOKEN), "the browser has no need of it");
    let mine = |headers: &HeaderMap| headers.get("authorization").is_some_and(|it| it == &format!("Bearer {TOKEN}"));
    let asked = alone.asked();
    let (_, last, _) = asked.last().expect("it was asked");
    assert!(mine(last), "{last:?}");
    for (path, headers, _) in &asked {
        let spoken_for = headers.keys().any(|it| it.as_str().starts_with("impersonate-"));
        let own = headers.get("authorization").is_some_and(|it| it == &format!("Bearer {OWN}"));
        assert!(!spoken_for && !own, "{path}: {headers:?}");
    }
    // What the cluster does not take any more is no session either.
    alone.now(|it| it.is_good = false);
    assert_eq!(alone.get(&ann, "/api/v1/namespaces/shop/nothing").await.status, 401);
    alone.now(|it| it.is_good = true);
    assert_eq!(alone.get(&ann, "/console/session").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_tokens_is_slowed_down() {
    let alone = Alone::start().await;
    let mut last = 0;
    for n in 0..8 {
        let answer = alone.login(&json!({ "token": format!("guess-{n}") })).await;
        last = answer.status;
        if last == 429 {
            assert!(answer.json()["retryAfterSeconds"].as_u64().is_some_and(|it| it > 0));
            break;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_right_to_it() {
    let alone = Alone::start().await;
    let ann = alone.ann().await;
    let mut body = begun(&alone, &ann).await;
    // It goes on as long as she may, however often that is asked.
    let reviews = |alone: &Alone| alone.asked().iter().filter(|it| it.0.ends_with("/selfsubjectaccessreviews")).count();
    let asked = reviews(&alone);
    let looked = tokio::time::timeout(PATIENCE, async {
        while reviews(&alone) < asked + 2 {
            tokio::select! {
                ended = body.frame() => panic!("it ends: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    });
    looked.await.expect("it is asked again");
    let (_, _, review) = alone.asked().into_iter().rev().find(|it| it.0.ends_with("/selfsubjectaccessreviews")).expect("asked");
    let wanted = &review["spec"]["resourceAttributes"];
    assert_eq!((&wanted["verb"], &wanted["resource"], &wanted["namespace"]), (&json!("watch"), &json!("services"), &json!("shop")));
    alone.now(|it| it.may = false);
    until_end(body).await;
    assert_eq!(alone.get(&ann, "/console/session").await.status, 200, "she is still signed in");
    // And so with her token.
    alone.now(|it| it.may = true);
    let body = begun(&alone, &ann).await;
    alone.now(|it| it.is_good = false);
    until_end(body).await;
    assert_eq!(alone.get(&ann, "/console/session").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_gateway_runs_it_is_said() {
    let alone = Alone::start().await;
    let ann = alone.ann().await;
    let found = alone.get(&ann, "/console/gateways?namespace=shop").await;
    assert_eq!((found.status, &found.json()[0]["name"]), (200, &json!("gateway")), "{found:?}");
    let at = "/console/gateways/shop/gateway";
    for (path, command) in [
        ("metrics", "kubectl get --raw /api/v1/namespaces/kubesphere-controls-system/pods/shop-1:19090/proxy/metrics"),
        ("logs", "kubectl logs -n kubesphere-controls-system shop-1 --follow"),
    ] {
        let refused = alone.get(&ann, &format!("{at}/{path}")).await;
        assert_eq!((refused.status, refused.reason().as_str(), &refused.json()["command"]), (501, "NotAvailable", &json!(command)));
    }
    alone.now(|it| it.has_kinds = false);
    for path in ["/console/gateways?namespace=shop", "/console/gateways", "/console/gateways/shop/gateway/metrics"] {
        let refused = alone.get(&ann, path).await;
        assert_eq!((refused.status, refused.reason().as_str()), (501, "NoGateways"), "{path}: {refused:?}");
    }
    alone.now(|it| it.may = false);
    tokio::time::timeout(PATIENCE, async {
        while alone.get(&ann, "/console/gateways/shop/gateway/logs").await.status != 403 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("it is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_object_the_gateway_s_pods_are_asked_for() {
    let alone = Alone::before(Some("edge")).await;
    let ann = alone.ann().await;
    let at = "/console/gateways/shop/gateway";
    // The console's own account has no right to them, and it is said what gives it.
    let refused = alone.get(&ann, &format!("{at}/logs")).await;
    let gives = json!("kubectl apply -f deploy/kubernetes/console-gateways.yaml");
    assert_eq!((refused.status, refused.reason().as_str(), &refused.json()["command"]), (501, "MayNotLook", &gives), "{refused:?}");
    assert_eq!(alone.get(&ann, "/console/gateways?namespace=shop").await.status, 200, "objects are shown without it");

    alone.now(|it| it.shows_pods = true);
    let read = async |query: &str| {
        let answer = alone.get(&ann, &format!("{at}/logs{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let lines: Vec<Value> = answer.text.lines().map(|it| serde_json::from_str(it).expect("JSON")).collect();
        assert_eq!(lines[0]["pods"]["silent"], json!([{ "pod": "gw-3", "why": "it is gone" }]), "{lines:?}");
        lines[1..].iter().map(|it| it["path"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(read("").await, ["/one", "/two", "/three", "/four"]);
    assert_eq!(read("?limit=2").await, ["/three", "/four"]);
    assert_eq!(read("?search=/T").await, ["/two", "/three"]);
    assert_eq!(read("?since=2026-11-21T10:00:03Z").await, ["/three", "/four"]);
    assert_eq!(read("?download=1").await, ["/one", "/two", "/three", "/four"]);
    // Whoever may look at one gateway gets to no other, whatever is written into its object's status.
    let host = json!({ "namespace": "shop", "services": ["web"] });
    let body = alone.raw(&ann, "POST", "/console/generated-host", &host).await;
    assert_eq!(Answer::read(body).await.json()["host"], "web.shop.edge/gw-shop.true");
    let foreign = json!({ "namespace": "shop", "services": ["web"], "gateway": { "namespace": "other", "name": "gateway" } });
    assert_eq!(alone.raw(&ann, "POST", "/console/generated-host", &foreign).await.status(), 403);
    let own = format!("Bearer {OWN}");
    for (path, headers, _) in alone.asked().iter().filter(|it| it.1.get("authorization").is_some_and(|it| *it == own)) {
        assert!(path.starts_with("/api/v1/namespaces/edge/"), "{path} is asked with the console's own account");
        assert!(!path.contains("shop-1"), "{path}");
        assert!(headers.keys().all(|it| !it.as_str().starts_with("impersonate-")), "{path}");
    }
    // A follower hears of no more once they may not.
    let following = alone.raw(&ann, "GET", &format!("{at}/logs?follow=1"), &Value::Null).await;
    assert_eq!(following.status(), 200);
    alone.now(|it| it.may = false);
    until_end(following.into_body()).await;
    assert_eq!(alone.get(&ann, &format!("{at}/logs")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_is_made_of_what_one_may_list() {
    let alone = Alone::before(Some("edge")).await;
    alone.now(|it| it.shows_pods = true);
    let ann = alone.ann().await;
    let post = async |path: &str, body: Value| {
        let answer = alone.raw(&ann, "POST", &format!("/console/gateways/shop/gateway/{path}"), &body).await;
        Answer::read(answer).await
    };
    let asked = json!({ "method": "GET", "url": "http://shop.example/", "project": "mine" });
    let tried = post("try", asked).await;
    assert_eq!(tried.status, 200, "{tried:?}");
    // All pages of what she may list everywhere, of the rest what is in the gateway's namespace and in hers; nothing of kinds that there are not.
    let objects = json!(["Ingress/web", "Ingress/api", "Secret/tls", "Namespace/shop", "Service/gw-shop"]);
    assert_eq!(tried.json()["explanation"], json!({ "gateway": "edge/gw-shop", "objects": objects, "isWhole": false }));
    // No pod opens its port here, which is said beside.
    assert_eq!((&tried.json()["answer"], &tried.json()["error"]), (&Value::Null, &json!("it is gone")));
    let elsewhere = post("try", json!({ "method": "GET", "url": "http://shop.example:19090/" })).await;
    assert_eq!(elsewhere.json()["error"], "the gateway does not listen there");
    // What its status names that is near the console is not tried.
    let checked = post("check", json!({ "url": "http://shop.example/" })).await;
    assert_eq!(checked.json()["hops"][0]["own"], json!(["10.0.0.7"]), "{checked:?}");
    assert_eq!(post("check", json!({ "url": "http://shop.example/", "project": "a/b" })).await.status, 400);
    let own = format!("Bearer {OWN}");
    for (path, ..) in alone.asked().iter().filter(|it| it.1.get("authorization").is_some_and(|it| *it == own)) {
        assert!(path.starts_with("/api/v1/namespaces/edge/"), "{path} is asked with the console's own account");
    }
}
