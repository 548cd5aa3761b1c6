//! The log of writes.

use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::send_as;
use crate::client::{PATIENCE, Server, request};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";

/// The lines, once there are as many.
async fn lines(server: &Server, count: usize) -> Vec<Value> {
    let until = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(server.dir.path().join("audit.log")).unwrap_or_default();
        if text.lines().count() >= count {
            return text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        }
        assert!(Instant::now() < until, "{count} lines in: {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn writes_are_told_with_who_and_what_and_never_with_what_was_written() {
    let server = Server::start().await;
    let secret = json!({ "metadata": { "generateName": "key-" }, "stringData": { "password": "hunter2" } });
    let mut sent = request(Method::POST, SECRETS, "application/json", &secret.to_string());
    sent.headers_mut().insert("user-agent", HeaderValue::from_static("test/1"));
    let name = server.ask(sent).await.ok()["metadata"]["name"].clone();
    send_as(&server, "ann", Method::DELETE, &format!("{SECRETS}/x"), &Value::Null).await.refused(403);
    // Who may not be another is told as who they are.
    let kubeconfig = server.running.kubeconfig_for("bob", "").expect("a kubeconfig");
    let mut sent = request(Method::DELETE, &format!("{SECRETS}/x"), "", "");
    sent.headers_mut().insert("impersonate-user", HeaderValue::from_static("ann"));
    server.ask_with(&kubeconfig, sent).await.refused(403);
    // None of these is told.
    server.get(SECRETS).await.ok();
    server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &json!({})).await.ok();
    server.post("/api/v1/namespaces/default/serviceaccounts", &json!({ "metadata": { "name": "robot" } })).await.ok();
    let token = server.post("/api/v1/namespaces/default/serviceaccounts/robot/token", &json!({})).await.ok();
    // What only tries is told, too, and so is what is no resource.
    send_as(&server, "ann", Method::POST, &format!("{SECRETS}?dryRun=All"), &json!({ "metadata": { "name": "dry" } })).await.refused(403);
    send_as(&server, "ann", Method::POST, "/metrics", &Value::Null).await.refused(403);
    let lines = lines(&server, 7).await;
    assert_eq!(lines.len(), 7, "{lines:?}");
    assert_eq!((&lines[5]["dryRun"], &lines[5]["code"]), (&json!(true), &json!(403)));
    assert_eq!((&lines[6]["path"], &lines[6]["verb"]), (&json!("/metrics"), &json!("post")));
    let admin = json!({ "name": "paifang-admin", "groups": ["system:masters", "system:authenticated"] });
    let first = &lines[0];
    assert_eq!(
        (&first["user"], &first["verb"], &first["code"], &first["agent"]),
        (&admin, &json!("create"), &json!(201), &json!("test/1"))
    );
    assert_eq!(first["object"], json!({ "version": "v1", "resource": "secrets", "namespace": "default", "name": name }));
    assert!(first["source"].as_str().is_some_and(|source| source.starts_with("127.0.0.1:")), "{first}");
    assert!(first["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
    let second = &lines[1];
    assert_eq!((&second["user"], &second["as"]["name"], &second["code"]), (&admin, &json!("ann"), &json!(403)));
    assert_eq!((&lines[2]["user"]["name"], &lines[2]["as"], &lines[2]["code"]), (&json!("bob"), &json!(null), &json!(403)));
    assert_eq!(lines[4]["object"]["subresource"], "token");
    let text = std::fs::read_to_string(server.dir.path().join("audit.log")).expect("a file");
    let token = token["status"]["token"].as_str().expect("a token");
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMg") && !text.contains(token), "{text}");
}

#[tokio::test]
async fn who_wants_no_log_gets_none() {
    let server = Server::start_as(|options| options.audit = None).await;
    server.post(SECRETS, &json!({ "metadata": { "name": "a" } })).await.ok();
    assert!(!server.dir.path().join("audit.log").exists());
}
