//! What must not work.

use crate::world::{Browser, World};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;

fn namespace() -> Full<Bytes> {
    Full::from(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "made" } }).to_string())
}

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_other_pages_change_nothing() {
    let world = World::start().await;
    let ann = world.browser("ann").await;
    let own = format!("http://{}", world.address);
    let json = ("content-type", "application/json");
    let without = Browser { token: String::new(), ..ann.clone() };
    let wrong = Browser { token: "x".repeat(43), ..ann.clone() };
    let others = world.browser("olga").await;
    let borrowed = Browser { token: others.token, ..ann.clone() };
    for (browser, more) in [
        (&without, vec![json]),
        (&wrong, vec![json]),
        (&borrowed, vec![json]),
        (&ann, vec![json, ("origin", "https://evil.example")]),
        (&ann, vec![json, ("origin", "null")]),
        (&ann, vec![json, ("sec-fetch-site", "cross-site")]),
        (&ann, vec![json, ("sec-fetch-site", "same-site")]),
    ] {
        for (method, path) in [("POST", MAPS), ("DELETE", MAPS), ("PUT", MAPS), ("PATCH", MAPS), ("POST", "/console/logout")] {
            let mut request = browser.on(world.request(method, path));
            for (name, value) in &more {
                request = request.header(*name, *value);
            }
            let answer = world.ask(request.body(namespace()).expect("a request")).await;
            assert_eq!((answer.status, answer.reason().as_str()), (403, "Csrf"), "{method} {path} {more:?}");
        }
    }
    // What a form can send is no body.
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = ann.on(world.request("POST", MAPS)).header("content-type", media);
        assert_eq!(world.ask(request.body(namespace()).expect("a request")).await.status, 415, "{media}");
    }
    // Nor does a page elsewhere sign somebody in.
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let request = world.request("POST", "/console/login").header("content-type", "application/json").header(name, value);
        assert_eq!(world.ask(request.body(Full::from("{}")).expect("a request")).await.reason(), "Csrf");
    }
    assert_eq!(world.get(&ann, &format!("{MAPS}/made")).await.status, 404, "nothing was made");
    let request = ann.on(world.request("POST", MAPS)).header("content-type", "application/json").header("origin", own);
    assert_eq!(world.ask(request.header("sec-fetch-site", "same-origin").body(namespace()).expect("a request")).await.status, 201);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_somebody_else() {
    let world = World::start().await;
    let vic = world.browser("vic").await;
    let who = |more: Vec<(&'static str, &'static str)>| {
        let mut request =
            vic.on(world.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews")).header("content-type", "application/json");
        for (name, value) in more {
            request = request.header(name, value);
        }
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" }).to_string();
        world.ask(request.body(Full::from(body)).expect("a request"))
    };
    for name in ["impersonate-user", "Impersonate-Group", "impersonate-uid", "impersonate-extra-scopes", "impersonate-anything"] {
        assert_eq!(who(vec![(name, "system:masters")]).await.status, 403, "{name}");
    }
    // What a proxy could have written says nothing here, nor does a token of somebody else.
    for more in [
        vec![("authorization", "Bearer abc")],
        vec![("x-remote-user", "admin"), ("x-remote-group", "system:masters")],
        vec![("forwarded", "for=1.2.3.4"), ("x-forwarded-user", "admin")],
        vec![("connection", "x-csrf-token, cookie")],
    ] {
        let answer = who(more.clone()).await;
        assert_eq!(answer.status, 201, "{more:?} {answer:?}");
        let user = answer.json()["status"]["userInfo"].clone();
        assert_eq!(user, json!({ "username": "vic", "groups": ["system:authenticated"] }), "{more:?}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_where_they_say() {
    let world = World::start().await;
    let admin = world.browser("admin").await;
    for path in [
        "/api/../console/session",
        "/api/v1/../../console/session",
        "/console/../api/v1/namespaces",
        "/api/%2e%2e/console/session",
        "/api/v1/namespaces/shop%2fconfigmaps",
        "/api/v1//namespaces",
        "//api/v1/namespaces",
        "/api/v1/namespaces/%252e%252e",
        "/api/v1/namespaces/a%00b",
        "/api/v1/namespaces/a%5cb",
        "/console/gateways/shop/..%2fgateway/metrics",
    ] {
        let answer = world.get(&admin, path).await;
        assert_eq!((answer.status, answer.reason().as_str()), (400, "BadPath"), "{path}");
    }
    // Nothing but its four beginnings reaches the API.
    for path in ["/login", "/livez", "/healthz", "/apiary", "/API/v1", "/metrics", "/openapiv2"] {
        let answer = world.get(&admin, path).await;
        assert!(answer.status == 200 && answer.text.starts_with("<!doctype html>"), "{path}: {answer:?}");
    }
    assert_eq!(world.post(&admin, "/login", &json!({})).await.status, 405);
    assert_eq!(world.get(&admin, "/api/v1/namespaces/shop/services/web/proxy/").await.status, 403, "somebody's page is not ours");
    for path in ["/api/v1", "/apis", "/openapi/v3", "/version"] {
        assert_eq!(world.get(&admin, path).await.status, 200, "{path}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_refused_in_kubernetes_words() {
    let world = World::start().await;
    let eve = world.browser("eve").await;
    for path in [MAPS, "/api/v1/namespaces/shop/secrets", "/api/v1/secrets", "/api/v1/namespaces/paifang-system/secrets/password-ann"] {
        let answer = world.get(&eve, path).await;
        let status = answer.json();
        assert_eq!((answer.status, status["kind"].as_str(), status["reason"].as_str()), (403, Some("Status"), Some("Forbidden")), "{path}");
        assert!(status["message"].as_str().is_some_and(|it| it.contains(r#"User "eve" cannot"#)), "{status}");
    }
    assert_eq!(world.get(&eve, "/api/v1/namespaces/other/configmaps").await.status, 200);
    // An answer of the API is never a page.
    let answer = world.get(&eve, "/api/v1/namespaces/other/configmaps").await;
    assert!(answer.headers["content-security-policy"].to_str().is_ok_and(|it| it.contains("sandbox")));
    assert!(!answer.headers.contains_key("set-cookie"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_not_taken() {
    let world = World::start().await;
    let ann = world.browser("ann").await;
    let request = |size: usize| {
        let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "large" }, "data": { "a": "x".repeat(size) } });
        ann.on(world.request("POST", MAPS))
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))
            .expect("a request")
    };
    let answer = world.ask(request(4 << 20)).await;
    assert_eq!((answer.status, answer.reason().as_str()), (413, "TooLarge"));
    assert_eq!(world.ask(request(1 << 10)).await.status, 201);
    let login = json!({ "username": "ann", "password": "x".repeat(40_000) });
    assert_eq!(world.post(&Browser::default(), "/console/login", &login).await.status, 413);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_may_load_what_is_ours_alone() {
    let world = World::start().await;
    let nobody = Browser::default();
    let first = world.get(&nobody, "/").await;
    let policy = first.headers["content-security-policy"].to_str().expect("text").to_owned();
    for part in
        ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
    {
        assert!(policy.split("; ").any(|it| it == part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).and_then(|it| it.split('\'').next()).expect("a nonce");
    assert!(first.text.contains(nonce) && !first.text.contains("__NONCE__"));
    let second = world.get(&nobody, "/projects/shop/routes").await;
    assert!(second.status == 200 && !second.text.contains(nonce), "no two answers share a nonce");
    assert_eq!(first.headers["cache-control"], "no-store");
    assert_eq!(world.get(&nobody, "/assets/none.js").await.status, 404);
    world.stop().await;
}
