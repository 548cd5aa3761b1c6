//! `users/NAME/password`, `users/NAME/token`, and who may use them.

use http::Method;
use serde_json::{Value, json};

use super::{ADMIN, USERS, is_let_in, login, session, start, text, user, who_am_i, with};
use crate::client::Server;
use crate::rights::{RBAC, bind};

const ANN: &str = "annabelle was here";

/// What every User gets: its own password and its own tokens.
async fn own_role(server: &Server, name: &str) {
    let resources = ["users/password", "users/token"];
    let rules = json!([
        { "apiGroups": ["paifang.dev"], "resources": resources, "resourceNames": [name], "verbs": ["create"] },
        { "apiGroups": ["paifang.dev"], "resources": ["users"], "resourceNames": [name], "verbs": ["get"] },
    ]);
    let role = format!("paifang:user:{name}");
    server.post(&format!("{RBAC}/clusterroles"), &json!({ "metadata": { "name": role }, "rules": rules })).await.ok();
    bind(server, &role, name, "").await;
}

fn password(name: &str) -> String {
    format!("{USERS}/{name}/password")
}

fn token(name: &str) -> String {
    format!("{USERS}/{name}/token")
}

#[tokio::test]
async fn ones_own_password_is_changed_by_who_knows_it() {
    let server = start().await;
    user(&server, "ann", ANN).await;
    own_role(&server, "ann").await;
    let first = session(&server, "ann", ANN).await;
    let change = async |body: Value| with(&server, &first, Method::POST, &password("ann"), &body).await;
    change(json!({ "newPassword": "something else" })).await.refused(400);
    change(json!({ "newPassword": "something else", "currentPassword": "wrong" })).await.refused(403);
    change(json!({ "newPassword": "short", "currentPassword": ANN })).await.refused(422);
    change(json!({ "newPassword": "ANN     ", "currentPassword": ANN })).await.refused(422);
    let refused = change(json!({ "newPassword": "x".repeat(600), "currentPassword": ANN })).await.refused(422);
    assert!(!refused.to_string().contains("xxx"), "no answer shows a password: {refused}");
    // Neither is what a role grants, nor what the body says.
    change(json!({ "newPassword": "something else", "currentPassword": ANN, "user": "bob" })).await.refused(400);
    assert!(is_let_in(&server, &first).await);
    change(json!({ "newPassword": "something else", "currentPassword": ANN, "mustChange": true })).await.ok();
    assert!(!is_let_in(&server, &first).await, "sessions from before end");
    login(&server, "ann", ANN).await.refused(401);
    session(&server, "ann", "something else").await;
}

#[tokio::test]
async fn somebody_elses_password_needs_a_right_on_their_name() {
    let server = start().await;
    user(&server, "ann", ANN).await;
    user(&server, "bob", "bob was here, too").await;
    own_role(&server, "ann").await;
    own_role(&server, "bob").await;
    let (ann, admin) = (session(&server, "ann", ANN).await, session(&server, "admin", ADMIN).await);
    for path in [password("bob"), token("bob"), password("admin"), token("admin")] {
        with(&server, &ann, Method::POST, &path, &json!({ "newPassword": "hers from now on" })).await.refused(403);
    }
    with(&server, &admin, Method::POST, &password("nobody"), &json!({ "newPassword": "something else" })).await.refused(404);
    let bob = session(&server, "bob", "bob was here, too").await;
    let body = json!({ "newPassword": "given by the admin", "mustChange": true });
    with(&server, &admin, Method::POST, &password("bob"), &body).await.ok();
    assert!(!is_let_in(&server, &bob).await);
    assert_eq!(login(&server, "bob", "given by the admin").await.refused(403)["reason"], "PasswordChangeRequired");
    // Who has the right on all names has it on their own, and is oneself all the same.
    with(&server, &admin, Method::POST, &password("admin"), &json!({ "newPassword": "something else" })).await.refused(400);
    let mut request = crate::client::request(Method::POST, &password("bob"), "application/json", r#"{"newPassword":"something else"}"#);
    request.headers_mut().insert("impersonate-user", "bob".parse().expect("a header"));
    server.ask(request).await.refused(400);
}

#[tokio::test]
async fn personal_tokens_last_until_something_ends_them() {
    let server = start().await;
    user(&server, "ann", ANN).await;
    own_role(&server, "ann").await;
    let ann = session(&server, "ann", ANN).await;
    let ask = async |by: &str, spec: Value| with(&server, by, Method::POST, &token("ann"), &json!({ "spec": spec })).await;
    let made = ask(&ann, json!({})).await.ok();
    assert_eq!((&made["kind"], &made["spec"]["expirationSeconds"]), (&json!("TokenRequest"), &json!(90 * 24 * 3600)));
    let personal = text(&made["status"]["token"]);
    let info = who_am_i(&server, &personal).await;
    assert_eq!((&info["username"], &info["extra"]["paifang.dev/login"]), (&json!("ann"), &json!(["personal"])));
    for (spec, code) in [
        (json!({ "expirationSeconds": 366 * 24 * 3600 }), 422),
        (json!({ "expirationSeconds": 60 }), 422),
        (json!({ "audiences": ["vault"] }), 422),
        (json!({ "boundObjectRef": { "apiVersion": "v1", "kind": "Secret", "name": "a" } }), 422),
        (json!({ "expirationSeconds": 365 * 24 * 3600 }), 201),
    ] {
        assert_eq!(ask(&ann, spec.clone()).await.status, code, "{spec}");
    }
    // One that leaked makes none that outlasts it.
    let short = text(&ask(&ann, json!({ "expirationSeconds": 600 })).await.ok()["status"]["token"]);
    let made = ask(&short, json!({ "expirationSeconds": 90 * 24 * 3600 })).await.ok();
    assert!(made["spec"]["expirationSeconds"].as_i64().is_some_and(|seconds| seconds <= 600), "{made}");
    let server = server.restart().await;
    assert!(is_let_in(&server, &personal).await);
    super::set_password(&server, "ann", "another one of hers").await;
    assert!(!is_let_in(&server, &personal).await && !is_let_in(&server, &short).await);
}

#[tokio::test]
async fn who_has_no_password_may_have_tokens() {
    let server = start().await;
    server.post(USERS, &json!({ "metadata": { "name": "robot" } })).await.ok();
    let personal = text(&server.post(&token("robot"), &json!({})).await.ok()["status"]["token"]);
    assert!(is_let_in(&server, &personal).await);
    login(&server, "robot", "").await.refused(401);
    // Whoever takes the password object away revokes what it stands for.
    server.delete("/api/v1/namespaces/paifang-system/secrets/password-robot").await.ok();
    assert!(!is_let_in(&server, &personal).await);
    server.post(&token("robot"), &json!({})).await.ok();
    assert!(!is_let_in(&server, &personal).await);
    server.patch(&format!("{USERS}/robot"), "application/merge-patch+json", &json!({ "spec": { "suspended": true } })).await.ok();
    server.post(&token("robot"), &json!({})).await.refused(403);
}

#[tokio::test]
async fn nobody_is_called_like_the_system() {
    let server = start().await;
    for name in ["paifang", "paifang-admin"] {
        server.post(USERS, &json!({ "metadata": { "name": name } })).await.refused(422);
    }
    let with_identity = |name: &str, identity: &str| json!({ "metadata": { "name": name }, "spec": { "identities": [identity] } });
    for identity in ["system:admin", "paifang"] {
        server.post(USERS, &with_identity("ann", identity)).await.refused(422);
    }
    server.post(USERS, &with_identity("ann", "oidc:ann")).await.ok();
    let status = server.post(USERS, &with_identity("bob", "oidc:ann")).await.refused(422);
    assert_eq!(status["details"]["causes"][0]["reason"], "FieldValueDuplicate");
    server.patch(&format!("{USERS}/ann"), "application/merge-patch+json", &json!({ "spec": { "displayName": "Ann" } })).await.ok();
}

#[tokio::test]
async fn discovery_shows_both() {
    let server = start().await;
    let list = server.get("/apis/paifang.dev/v1alpha1").await.ok();
    let find = |name: &str| list["resources"].as_array().expect("a list").iter().find(|one| one["name"] == name).cloned();
    assert_eq!(find("users/password").expect("there")["verbs"], json!(["create"]));
    let token = find("users/token").expect("there");
    assert_eq!((&token["kind"], &token["verbs"]), (&json!("TokenRequest"), &json!(["create"])));
    server.get(&password("admin")).await.refused(405);
    server.post(&format!("{USERS}/admin/secrets"), &json!({})).await.refused(404);
}
