//! Logging in, over the wire: passwords, sessions, personal tokens, and what ends them.

mod issuer;
mod logins;
mod passwords;
mod watches;

use apiserver::FirstLogin;
use http::{HeaderValue, Method};
use model::Sealed;
use serde_json::{Value, json};

use crate::client::{Answer, Server, request};

pub const USERS: &str = "/apis/paifang.dev/v1alpha1/users";
pub const ADMIN: &str = "correct horse battery";
/// What everybody who is known may read.
const OPEN: &str = "/api";

/// With an `admin` who has a password, and the role that it is bound to.
pub async fn start() -> Server {
    started(Server::start().await).await
}

pub async fn started(server: Server) -> Server {
    let first = FirstLogin::Password(Sealed::new(ADMIN.into()));
    assert!(server.running.first_login(&first).await.expect("stored").is_none(), "there is nothing to tell");
    let rule = json!({ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] });
    let role = json!({ "metadata": { "name": "platform-admin" }, "rules": [rule] });
    server.post(&format!("{}/clusterroles", crate::rights::RBAC), &role).await.ok();
    server
}

/// As somebody who shows nothing but this body.
pub async fn post(server: &Server, path: &str, media_type: &str, body: &str) -> Answer {
    Answer::read(server.send(request(Method::POST, path, media_type, body), false).await).await
}

pub async fn login(server: &Server, user: &str, password: &str) -> Answer {
    let body = json!({ "username": user, "password": password });
    post(server, "/login", "application/json", &body.to_string()).await
}

/// The session token of somebody whose password it is.
pub async fn session(server: &Server, user: &str, password: &str) -> String {
    text(&login(server, user, password).await.ok()["token"])
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Asks as who shows this token.
pub async fn with(server: &Server, token: &str, method: Method, path: &str, body: &Value) -> Answer {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let media_type = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    let mut request = request(method, path, media_type, &text);
    request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).expect("a header"));
    Answer::read(server.send(request, false).await).await
}

pub async fn is_let_in(server: &Server, token: &str) -> bool {
    let answer = with(server, token, Method::GET, OPEN, &Value::Null).await;
    if !answer.status.is_success() {
        answer.refused(401);
    }
    answer.status.is_success()
}

/// Makes a User with a password; the uid.
pub async fn user(server: &Server, name: &str, password: &str) -> String {
    let made = server.post(USERS, &json!({ "metadata": { "name": name } })).await.ok();
    set_password(server, name, password).await;
    text(&made["metadata"]["uid"])
}

pub async fn set_password(server: &Server, name: &str, password: &str) {
    server.post(&format!("{USERS}/{name}/password"), &json!({ "newPassword": password })).await.ok();
}

/// What `kubectl auth whoami` asks.
pub async fn who_am_i(server: &Server, token: &str) -> Value {
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    with(server, token, Method::POST, path, &json!({})).await.ok()["status"]["userInfo"].clone()
}
