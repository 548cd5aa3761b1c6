//! ServiceAccounts that are there by themselves, and the Secrets that hold their tokens.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::{bind, role};
use crate::client::Server;
use crate::people::{is_let_in, who_am_i, with};

const ACCOUNTS: &str = "/api/v1/namespaces/default/serviceaccounts";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";

/// The object, once it is as it should be.
async fn once(server: &Server, path: &str, is_right: impl Fn(Option<&Value>) -> bool) -> Option<Value> {
    for _ in 0..600 {
        let answer = server.get(path).await;
        let object = answer.status.is_success().then(|| answer.json());
        if is_right(object.as_ref()) {
            return object;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} does not become as it should be");
}

async fn there(server: &Server, path: &str) -> Value {
    once(server, path, |object| object.is_some()).await.expect("it is there")
}

#[tokio::test]
async fn every_namespace_has_its_default_account() {
    let server = Server::start().await;
    // Before the first request.
    for namespace in ["default", "kube-system", "kubesphere-system"] {
        server.get(&format!("/api/v1/namespaces/{namespace}/serviceaccounts/default")).await.ok();
    }
    server.post("/api/v1/namespaces", &json!({ "metadata": { "name": "shop" } })).await.ok();
    let path = "/api/v1/namespaces/shop/serviceaccounts/default";
    let first = there(&server, path).await;
    server.delete(path).await.ok();
    let uid = |account: &Value| account["metadata"]["uid"].clone();
    let second = once(&server, path, |now| now.is_some_and(|now| uid(now) != uid(&first))).await.expect("it came back");
    assert_ne!(uid(&first), uid(&second));
    server.delete("/api/v1/namespaces/shop").await.ok();
    once(&server, "/api/v1/namespaces/shop", |object| object.is_none()).await;
    server.get(path).await.refused(404);
}

/// What a Secret holds, once it has a token.
async fn held(server: &Server, name: &str) -> String {
    let filled =
        once(server, &format!("{SECRETS}/{name}"), |secret| secret.is_some_and(|secret| secret["data"]["token"].is_string())).await;
    let secret = filled.expect("it is there");
    let text = |key: &str| {
        let octets = STANDARD.decode(secret["data"][key].as_str().expect("a text")).expect("base64");
        String::from_utf8(octets).expect("text")
    };
    assert_eq!((text("namespace"), text("ca.crt")), ("default".to_owned(), server.running.ca_certificate.clone()));
    assert!(secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"].is_string());
    text("token")
}

/// Makes a Secret for a token, and waits until it holds one.
async fn token(server: &Server, name: &str, account: &str) -> String {
    let annotations = json!({ "kubernetes.io/service-account.name": account });
    let secret = json!({ "metadata": { "name": name, "annotations": annotations }, "type": "kubernetes.io/service-account-token" });
    server.post(SECRETS, &secret).await.ok();
    held(server, name).await
}

#[tokio::test]
async fn a_secret_holds_a_token_that_does_not_expire() {
    let server = Server::start().await;
    server.post(ACCOUNTS, &json!({ "metadata": { "name": "robot" } })).await.ok();
    role(&server, "reader", "", "configmaps", "list").await;
    bind(&server, "reader", "system:serviceaccount:default:robot", "default").await;
    let first = token(&server, "first", "robot").await;
    let second = token(&server, "second", "robot").await;
    with(&server, &first, Method::GET, "/api/v1/namespaces/default/configmaps", &Value::Null).await.ok();
    let info = who_am_i(&server, &first).await;
    assert_eq!(info["username"], "system:serviceaccount:default:robot");
    assert_eq!(info["groups"], json!(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]));
    // A token is good where it stands.
    server.delete(&format!("{SECRETS}/first")).await.ok();
    assert!(!is_let_in(&server, &first).await && is_let_in(&server, &second).await);
    let other = json!({ "data": { "token": STANDARD.encode(&first) } });
    server.patch(&format!("{SECRETS}/second"), "application/merge-patch+json", &other).await.ok();
    assert!(!is_let_in(&server, &first).await && !is_let_in(&server, &second).await);
    // One that is taken out is made anew.
    server.patch(&format!("{SECRETS}/second"), "application/merge-patch+json", &json!({ "data": { "token": null } })).await.ok();
    let third = held(&server, "second").await;
    assert!(!is_let_in(&server, &second).await);
    let server = server.restart().await;
    assert!(is_let_in(&server, &third).await);
    server.delete(&format!("{ACCOUNTS}/robot")).await.ok();
    assert!(!is_let_in(&server, &third).await);
    once(&server, &format!("{SECRETS}/second"), |object| object.is_none()).await;
    server.post(ACCOUNTS, &json!({ "metadata": { "name": "robot" } })).await.ok();
    assert!(!is_let_in(&server, &third).await, "another of the same name");
}

#[tokio::test]
async fn a_secret_for_nobody_goes() {
    let server = Server::start().await;
    let annotations = json!({ "kubernetes.io/service-account.name": "nobody" });
    let secret = json!({ "metadata": { "name": "lost", "annotations": annotations }, "type": "kubernetes.io/service-account-token" });
    server.post(SECRETS, &secret).await.ok();
    once(&server, &format!("{SECRETS}/lost"), |object| object.is_none()).await;
}
