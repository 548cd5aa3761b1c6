//! Tokens of ServiceAccounts.

use http::Method;
use serde_json::{Value, json};

use super::{bind, role};
use crate::client::{Answer, Server, request};
use crate::kubectl::{Kubectl, check};

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

async fn with(server: &Server, token: &str, path: &str) -> Answer {
    let mut request = request(Method::GET, path, "", "");
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    Answer::read(server.send(request, false).await).await
}

async fn account(server: &Server, name: &str) {
    server.post(ACCOUNTS, &json!({ "metadata": { "name": name } })).await.ok();
}

async fn token(server: &Server, name: &str, spec: Value) -> Value {
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec });
    server.post(&format!("{ACCOUNTS}/{name}/token"), &body).await.ok()
}

fn text(answer: &Value) -> String {
    answer["status"]["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_token_is_good_as_long_as_its_account_is_there() {
    let server = Server::start().await;
    account(&server, "robot").await;
    role(&server, "reader", "", "configmaps", "list").await;
    bind(&server, "reader", "system:serviceaccount:default:robot", "default").await;
    let made = token(&server, "robot", json!({})).await;
    assert_eq!((&made["spec"]["expirationSeconds"], &made["kind"]), (&json!(3600), &json!("TokenRequest")));
    let token = text(&made);
    with(&server, &token, MAPS).await.ok();
    let said = with(&server, &token, "/api/v1/namespaces/default/secrets").await.refused(403)["message"].to_string();
    assert!(said.contains(r#"User \"system:serviceaccount:default:robot\" cannot list resource \"secrets\""#), "{said}");
    let server = server.restart().await;
    with(&server, &token, MAPS).await.ok();
    for broken in [&token[..token.len() - 2], "x", "..", ""] {
        assert_eq!(with(&server, broken, MAPS).await.refused(401)["reason"], "Unauthorized");
    }
    // One of the same name that is made later is another.
    server.delete(&format!("{ACCOUNTS}/robot")).await.ok();
    with(&server, &token, MAPS).await.refused(401);
    account(&server, "robot").await;
    with(&server, &token, MAPS).await.refused(401);
    with(&server, &token, "/api").await.refused(401);
}

#[tokio::test]
async fn a_token_of_another_server_is_none_here() {
    let (server, other) = (Server::start().await, Server::start().await);
    account(&other, "robot").await;
    account(&server, "robot").await;
    let token = text(&token(&other, "robot", json!({})).await);
    with(&other, &token, "/api").await.ok();
    with(&server, &token, "/api").await.refused(401);
}

#[tokio::test]
async fn a_token_is_for_whom_it_says_and_ends_with_what_it_is_bound_to() {
    let server = Server::start().await;
    account(&server, "robot").await;
    let review = async |token: &str, audiences: Value| {
        server.post(REVIEWS, &json!({ "spec": { "token": token, "audiences": audiences } })).await.ok()["status"].clone()
    };
    let vault = text(&token(&server, "robot", json!({ "audiences": ["vault"], "expirationSeconds": 600 })).await);
    with(&server, &vault, "/api").await.refused(401);
    let status = review(&vault, json!(["vault", "other"])).await;
    assert_eq!((&status["authenticated"], &status["audiences"]), (&json!(true), &json!(["vault"])));
    assert_eq!(status["user"]["username"], "system:serviceaccount:default:robot");
    assert_eq!(status["user"]["groups"], json!(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]));
    assert_ne!(review(&vault, json!([])).await["authenticated"], true);
    assert_ne!(review("x.y.z", json!([])).await["authenticated"], true);

    server.post("/api/v1/namespaces/default/secrets", &json!({ "metadata": { "name": "s" } })).await.ok();
    let reference = json!({ "apiVersion": "v1", "kind": "Secret", "name": "s" });
    let bound = text(&token(&server, "robot", json!({ "boundObjectRef": reference })).await);
    with(&server, &bound, "/api").await.ok();
    server.delete("/api/v1/namespaces/default/secrets/s").await.ok();
    with(&server, &bound, "/api").await.refused(401);
}

#[tokio::test]
async fn requests_for_tokens_are_checked() {
    let server = Server::start().await;
    account(&server, "robot").await;
    let ask = async |name: &str, spec: Value| server.post(&format!("{ACCOUNTS}/{name}/token"), &json!({ "spec": spec })).await;
    ask("nobody", json!({})).await.refused(404);
    let status = ask("robot", json!({ "expirationSeconds": 10 })).await.refused(422);
    assert_eq!(
        status["message"],
        "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes"
    );
    ask("robot", json!({ "expirationSeconds": (1u64 << 32) + 1 })).await.refused(422);
    ask("robot", json!({ "expirationSeconds": "1h" })).await.refused(422);
    ask("robot", json!({ "audiences": [1] })).await.refused(422);
    ask("robot", json!({ "boundObjectRef": { "apiVersion": "v1", "kind": "Service", "name": "a" } })).await.refused(400);
    ask("robot", json!({ "boundObjectRef": { "apiVersion": "v1", "kind": "Secret", "name": "a" } })).await.refused(404);
    server.post(&format!("{ACCOUNTS}/robot/token"), &json!({ "kind": "Secret" })).await.refused(400);
    server.get(&format!("{ACCOUNTS}/robot/token")).await.refused(405);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_makes_a_token_and_uses_it() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    kubectl.ok("create serviceaccount robot").await;
    kubectl.ok("create rolebinding robot --clusterrole=view --serviceaccount=default:robot").await;
    let token = kubectl.ok("create token robot --duration=1h").await;
    let robot = Kubectl::with_token(&server, token.trim());
    robot.ok("get services,ingresses").await;
    check(&robot.ok("auth whoami").await, &["system:serviceaccount:default:robot", "system:serviceaccounts:default", "JTI="]);
    check(&robot.fails_with("get secrets", "").await, &["Error from server (Forbidden): secrets is forbidden"]);
    check(&robot.fails_with("auth can-i get secrets", "").await, &[]);
    assert_eq!(robot.ok("auth can-i list services").await.trim(), "yes");
}
