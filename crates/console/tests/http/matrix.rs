//! Every endpoint × everybody, from the router's own table: an endpoint without a row here fails.

use crate::world::{Answer, Browser, World};
use console::{Access, ENDPOINTS, Endpoint};
use serde_json::{Value, json};

/// Platform administrator, project administrator, operator, viewer, the administrator of another project, nobody.
const EVERYBODY: [&str; 6] = ["admin", "ann", "olga", "vic", "eve", ""];

/// One endpoint: what is sent, and the status that each of [`EVERYBODY`] gets.
type Row = (&'static str, &'static str, &'static str, Value, [u16; 6]);

fn rows() -> Vec<Row> {
    let none = Value::Null;
    let all = [200, 200, 200, 200, 200, 401];
    let gateway = [200, 200, 200, 200, 403, 401];
    let attempt = json!({ "method": "GET", "url": "http://shop.example/" });
    vec![
        ("GET", "/console/session", "/console/session", none.clone(), all),
        // Without a password: what is asked of it says another test.
        ("POST", "/console/login", "/console/login", json!({ "username": "" }), [400; 6]),
        ("POST", "/console/logout", "/console/logout", none.clone(), [204, 204, 204, 204, 204, 401]),
        ("GET", "/console/oidc", "/console/oidc", none.clone(), [200; 6]),
        // There is no issuer here.
        ("GET", "/console/oidc/start", "/console/oidc/start", none.clone(), [404; 6]),
        ("GET", "/console/oidc/callback", "/console/oidc/callback", none.clone(), [404; 6]),
        ("GET", "/console/gateways", "/console/gateways?namespace=shop", none.clone(), gateway),
        ("GET", "/console/gateways/{namespace}/{name}/metrics", "/console/gateways/shop/gateway/metrics", none.clone(), gateway),
        ("GET", "/console/gateways/{namespace}/{name}/logs", "/console/gateways/shop/gateway/logs", none.clone(), gateway),
        ("POST", "/console/gateways/{namespace}/{name}/try", "/console/gateways/shop/gateway/try", attempt, gateway),
        (
            "POST",
            "/console/gateways/{namespace}/{name}/check",
            "/console/gateways/shop/gateway/check",
            json!({ "url": "http://shop.example/" }),
            gateway,
        ),
        (
            "GET",
            "/console/gateways/{namespace}/{name}/endpoints",
            "/console/gateways/shop/gateway/endpoints?route=shop/web",
            none.clone(),
            gateway,
        ),
        ("GET", "/console/annotations", "/console/annotations", none.clone(), all),
        ("GET", "/console/options", "/console/options", none.clone(), all),
        ("GET", "/console/permissions", "/console/permissions", none.clone(), all),
        ("POST", "/console/generated-host", "/console/generated-host", json!({ "namespace": "shop", "services": ["web"] }), gateway),
        // The Secret is not there: who may look hears that, and nobody else hears anything.
        (
            "POST",
            "/console/certificate",
            "/console/certificate",
            json!({ "namespace": "shop", "name": "tls" }),
            [200, 200, 200, 403, 403, 401],
        ),
        ("GET", "/console/pools", "/console/pools", none, all),
    ]
}

async fn ask(world: &World, browser: &Browser, endpoint: &Endpoint, path: &str, body: &Value) -> Answer {
    match endpoint.method {
        "GET" => world.get(browser, path).await,
        _ => world.post(browser, path, body).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_what_is_theirs() {
    let world = World::start().await;
    let rows = rows();
    for endpoint in ENDPOINTS {
        let row = rows.iter().find(|row| (row.0, row.1) == (endpoint.method, endpoint.path));
        let (.., path, body, expect) = row.unwrap_or_else(|| panic!("{} {} has no row", endpoint.method, endpoint.path));
        assert_eq!(endpoint.access == Access::Anyone, expect[5] != 401, "{}: who is signed out", endpoint.path);
        for (user, expect) in EVERYBODY.into_iter().zip(expect) {
            let browser = if user.is_empty() { Browser::default() } else { world.browser(user).await };
            let answer = ask(&world, &browser, endpoint, path, body).await;
            assert_eq!(answer.status, *expect, "{user:?} {} {path}: {answer:?}", endpoint.method);
            // Nothing of anybody's secrets is in any answer.
            assert!(!answer.text.contains("argon2") && !answer.text.contains("correct horse"), "{answer:?}");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        }
    }
    assert_eq!(rows.len(), ENDPOINTS.len(), "a row without an endpoint");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_read_changes_anything() {
    for endpoint in ENDPOINTS {
        assert!(matches!(endpoint.method, "GET" | "POST"), "{endpoint:?}");
    }
    let world = World::start().await;
    let browser = world.browser("ann").await;
    for endpoint in ENDPOINTS.iter().filter(|it| it.method == "POST") {
        let path = endpoint.path.replace("{namespace}", "shop").replace("{name}", "gateway");
        assert_eq!(world.get(&browser, &path).await.status, 405, "{path}");
    }
    assert_eq!(world.get(&browser, "/console/session").await.status, 200);
    for path in ["/console", "/console/", "/console/nothing", "/console/session/x", "/console/gateways/shop/gateway/none"] {
        assert_eq!(world.get(&browser, path).await.status, 404, "{path}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_gateway() {
    let world = World::start().await;
    let viewer = world.browser("vic").await;
    let lines = world.get(&viewer, "/console/gateways/shop/gateway/logs").await.text;
    assert!(lines.contains("/one") && lines.contains("/two") && !lines.contains("/theirs"), "{lines}");
    let found = world.get(&viewer, "/console/gateways/shop/gateway/logs?search=TWO").await.text;
    assert!(found.contains("/two") && found.lines().count() == 1, "{found}");
    let export = world.get(&viewer, "/console/gateways/shop/gateway/logs?download=1").await;
    assert_eq!(export.headers["content-disposition"], "attachment; filename=\"shop-gateway.log\"");
    assert_eq!(export.text, lines);
    let measured = world.get(&viewer, "/console/gateways/shop/gateway/metrics?window=1h").await.json();
    assert_eq!((measured["step"].as_u64(), measured["points"].as_array().map(Vec::len)), (Some(60), Some(60)));
    assert!(measured["points"][0]["at"].is_u64() && measured["total"]["requests"].is_u64() && measured["total"]["mean"].is_null());
    for bad in ["metrics?window=2h", "logs?limit=0", "logs?limit=x", "logs?since=yesterday"] {
        assert_eq!(world.get(&viewer, &format!("/console/gateways/shop/gateway/{bad}")).await.status, 400, "{bad}");
    }
    let health = world.get(&viewer, "/console/gateways/shop/gateway/endpoints?route=shop/web").await.json();
    let states: Vec<&str> =
        health["backends"][0]["endpoints"].as_array().into_iter().flatten().filter_map(|it| it["state"].as_str()).collect();
    assert_eq!((health["backends"][0]["backend"].as_str(), states), (Some("shop/web:80"), vec!["Serving", "Failing"]), "{health}");
    // A route of others, on whatever gateway, is theirs; so is one of a kind that this role does not read.
    for (asked, status) in [
        ("?route=other/web", 403),
        ("?route=shop/web&kind=HTTPRoute", 403),
        ("?route=shop/web&kind=Secret", 400),
        ("?route=web", 400),
        ("?route=shop/web/x", 400),
        ("", 400),
    ] {
        assert_eq!(world.get(&viewer, &format!("/console/gateways/shop/gateway/endpoints{asked}")).await.status, status, "{asked}");
    }
    // Another gateway of the same project is not there.
    assert_eq!(world.get(&viewer, "/console/gateways/shop/none/metrics").await.status, 404);
    // Whose an address is sees who may list the Services there; that it is taken, everybody.
    let pool = |answer: Answer| answer.json()["pools"][0].clone();
    let owners = |pool: &Value| pool["owners"].as_array().map_or(0, Vec::len);
    for (user, expect) in [("admin", 2), ("vic", 1), ("eve", 1)] {
        let pool = pool(world.get(&world.browser(user).await, "/console/pools").await);
        assert_eq!((owners(&pool), pool["used"].as_u64(), pool["total"].as_u64()), (expect, Some(2), Some(6)), "{user}");
    }
    world.stop().await;
}
