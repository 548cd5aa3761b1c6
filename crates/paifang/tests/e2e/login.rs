//! Logging in, with the real binary: the first password, sessions, tokens for kubeconfigs, an OIDC issuer.

use crate::harness::{Up, binary, run, text};
use serde_json::{Value, json};
use std::process::Command;
use tempfile::TempDir;
use testkit::eventually;
use testkit::issuer::{CLIENT, Issuer};

const PASSWORD: &str = "correct horse battery";

/// The API's address and the file of its authority, from the administrator's kubeconfig.
fn api(up: &Up) -> (String, String) {
    let view = up.kubectl(&["config", "view", "--raw", "-o", "json"], "").expect("a kubeconfig");
    let view: Value = serde_json::from_str(&view).expect("JSON");
    let authority = up.data().join("pki/ca.crt").display().to_string();
    (view["clusters"][0]["cluster"]["server"].as_str().expect("an address").to_owned(), authority)
}

/// Status and body of a login by curl.
fn login(up: &Up, body: &Value) -> (u16, Value) {
    let (server, authority) = api(up);
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "60", "--cacert", &authority]);
    command.args(["--header", "content-type: application/json", "--data", "@-", "--write-out", "\n%{http_code}"]);
    let output = run(command.arg(format!("{server}/login")), &body.to_string());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let (body, code) = said.rsplit_once('\n').expect("curl writes the code");
    (code.parse().expect("a code"), serde_json::from_str(body).expect("JSON"))
}

fn session(up: &Up, user: &str, password: &str) -> String {
    let (code, body) = login(up, &json!({ "username": user, "password": password }));
    assert_eq!(code, 200, "{body}");
    body["token"].as_str().expect("a token").to_owned()
}

/// kubectl as who shows this token, and nothing else.
fn kubectl(up: &Up, token: &str, arguments: &[&str]) -> Result<String, String> {
    let (server, authority) = api(up);
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", "/dev/null").args(["--server", &server, "--certificate-authority", &authority, "--token", token]);
    let output = run(command.args(arguments), "");
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn who_am_i(up: &Up, token: &str) -> String {
    kubectl(up, token, &["auth", "whoami"]).unwrap_or_else(|error| panic!("{error}"))
}

fn with_password() -> (TempDir, String) {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("password");
    std::fs::write(&path, format!("{PASSWORD}\n")).expect("a file");
    let path = path.display().to_string();
    (dir, path)
}

fn ann(spec: Value) -> Value {
    json!({ "apiVersion": "paifang.dev/v1alpha1", "kind": "User", "metadata": { "name": "ann" }, "spec": spec })
}

#[test]
fn the_first_login_chooses_a_password_and_may_do_everything() {
    let mut up = Up::start(&[]);
    let told = eventually("it says how to log in", || {
        let said = up.said();
        Some(said.split_once("user admin, password ")?.1.split_whitespace().next()?.to_owned())
    });
    let (code, refused) = login(&up, &json!({ "username": "admin", "password": told }));
    assert_eq!((code, &refused["reason"]), (403, &json!("PasswordChangeRequired")));
    let (code, body) = login(&up, &json!({ "username": "admin", "password": told, "newPassword": PASSWORD }));
    assert_eq!(code, 200, "{body}");
    let token = body["token"].as_str().expect("a token").to_owned();
    let who = who_am_i(&up, &token);
    assert!(who.contains("admin") && who.contains("system:authenticated") && !who.contains("system:masters"), "{who}");
    eventually("the administrator of the platform may do everything", || kubectl(&up, &token, &["auth", "can-i", "*", "*", "-A"]).ok());
    kubectl(&up, &token, &["create", "namespace", "shop"]).expect("allowed");
    // Nothing of a password is written anywhere but its hash.
    up.signal("-TERM");
    assert!(up.wait().success());
    up.start_again();
    assert_eq!(up.said().matches("user admin, password").count(), 1, "it is told once");
    assert_eq!(login(&up, &json!({ "username": "admin", "password": told })).0, 401);
    kubectl(&up, &token, &["get", "namespace", "shop"]).expect("a session outlasts a restart");
    let audit = std::fs::read_to_string(up.data().join("audit.log")).expect("a log");
    assert!(audit.contains(r#""verb":"login""#) && !audit.contains("horse") && !audit.contains(&told), "{audit}");
}

#[test]
fn a_person_has_tokens_and_loses_them() {
    let (_dir, file) = with_password();
    let up = Up::start(&["--admin-password-file", &file]);
    assert!(!up.said().contains(PASSWORD) && !up.said().contains("user admin, password"), "{}", up.said());
    let admin = session(&up, "admin", PASSWORD);
    up.apply(&[ann(json!({}))]);
    let raw = |what: &str, body: &Value| {
        let path = format!("/apis/paifang.dev/v1alpha1/users/ann/{what}");
        up.kubectl(&["create", "--raw", &path, "-f", "-"], &body.to_string())
    };
    raw("password", &json!({ "newPassword": "annabelle was here" })).expect("changed");
    let made = raw("token", &json!({ "spec": { "expirationSeconds": 3600 } })).expect("made");
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let (personal, session) = (made["status"]["token"].as_str().expect("a token").to_owned(), session(&up, "ann", "annabelle was here"));
    for token in [&personal, &session] {
        assert!(who_am_i(&up, token).contains("ann"));
        // What every user may: see itself.
        eventually("ann may see herself", || kubectl(&up, token, &["get", "user", "ann"]).ok());
        let refused = kubectl(&up, token, &["get", "users"]).expect_err("not all");
        assert!(refused.contains(r#"User "ann" cannot list resource "users""#), "{refused}");
    }
    kubectl(&up, &admin, &["patch", "user", "ann", "--type=merge", "-p", r#"{"spec":{"suspended":true}}"#]).expect("suspended");
    for token in [&personal, &session] {
        let refused = kubectl(&up, token, &["auth", "whoami"]).expect_err("suspended");
        assert!(refused.contains("You must be logged in") || refused.contains("Unauthorized"), "{refused}");
    }
    assert_eq!(login(&up, &json!({ "username": "ann", "password": "annabelle was here" })).0, 401);
}

#[test]
fn a_watch_ends_when_its_user_is_suspended() {
    let (_dir, file) = with_password();
    let up = Up::start(&["--admin-password-file", &file]);
    up.apply(&[ann(json!({}))]);
    up.kubectl(&["create", "rolebinding", "ann", "--clusterrole=view", "--user=ann"], "").expect("bound");
    let made = up.kubectl(&["create", "--raw", "/apis/paifang.dev/v1alpha1/users/ann/token", "-f", "-"], "{}").expect("made");
    let token = serde_json::from_str::<Value>(&made).expect("JSON")["status"]["token"].as_str().expect("a token").to_owned();
    let (server, authority) = api(&up);
    let mut watching = Command::new("kubectl");
    watching.env("KUBECONFIG", "/dev/null").args(["--server", &server, "--certificate-authority", &authority, "--token", &token]);
    watching.args(["get", "configmaps", "--watch"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = watching.spawn().expect("kubectl starts");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().expect("it can be waited for").is_none(), "it watches");
    up.kubectl(&["patch", "user", "ann", "--type=merge", "-p", r#"{"spec":{"suspended":true}}"#], "").expect("suspended");
    eventually("the watch ends", || child.try_wait().expect("it can be waited for"));
}

#[test]
fn who_the_issuer_knows_is_let_in() {
    let issuer = Issuer::start();
    let url = issuer.url().to_owned();
    let up =
        Up::start(&["--oidc-issuer", &url, "--oidc-client-id", CLIENT, "--oidc-username-claim", "email", "--oidc-groups-claim", "groups"]);
    let mut claims = issuer.claims("1");
    (claims["email"], claims["groups"]) = ("ann@example.com".into(), json!(["dev"]));
    let token = issuer.sign(&claims);
    let who = who_am_i(&up, &token);
    assert!(who.contains("oidc:ann@example.com") && who.contains("oidc:dev"), "{who}");
    up.kubectl(&["create", "clusterrolebinding", "dev", "--clusterrole=view", "--group=oidc:dev"], "").expect("bound");
    kubectl(&up, &token, &["get", "services", "-A"]).expect("her group may");
    up.apply(&[ann(json!({ "identities": ["oidc:ann@example.com"] }))]);
    let who = who_am_i(&up, &token);
    assert!(!who.contains("oidc:ann") && who.contains("oidc:dev"), "{who}");
    claims["aud"] = "other".into();
    kubectl(&up, &issuer.sign(&claims), &["auth", "whoami"]).expect_err("for another client");
}

#[test]
fn an_account_has_tokens_that_last() {
    let up = Up::start(&[]);
    up.kubectl(&["create", "namespace", "shop"], "").expect("made");
    eventually("an account by itself", || up.get(&["serviceaccount", "default", "-n", "shop"]));
    up.apply(&[json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": { "name": "lasting", "namespace": "shop", "annotations": { "kubernetes.io/service-account.name": "default" } },
    })]);
    let encoded = eventually("its token", || Some(up.get(&["secret", "lasting", "-n", "shop"])?["data"]["token"].as_str()?.to_owned()));
    let token = text(&run(Command::new("base64").arg("-d"), &encoded).stdout);
    assert!(who_am_i(&up, &token).contains("system:serviceaccount:shop:default"));
    up.kubectl(&["delete", "secret", "lasting", "-n", "shop"], "").expect("gone");
    kubectl(&up, &token, &["auth", "whoami"]).expect_err("its Secret is gone");
}

#[test]
fn flags_that_cannot_be_are_named() {
    let dir = TempDir::new().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path.display().to_string()
    };
    let (short, lines, nothing) = (file("short", "abc"), file("lines", "a password\nin two lines"), file("nothing", ""));
    let data = dir.path().join("data").display().to_string();
    let issuer = ["--oidc-issuer", "https://id.example", "--oidc-client-id", "paifang"];
    for (flags, named) in [
        (vec!["--admin-password-file", "/nowhere/at/all"], "--admin-password-file"),
        (vec!["--admin-password-file", &short], "--admin-password-file"),
        (vec!["--admin-password-file", &lines], "--admin-password-file"),
        (issuer[..2].to_vec(), "--oidc-client-id"),
        (issuer[2..].to_vec(), "--oidc-issuer"),
        (vec!["--oidc-issuer", "http://id.example", "--oidc-client-id", "paifang"], "--oidc-issuer"),
        ([&issuer[..], &["--oidc-ca", "/nowhere/at/all"]].concat(), "--oidc-ca"),
        ([&issuer[..], &["--oidc-ca", &nothing]].concat(), "--oidc-ca"),
        ([&issuer[..], &["--oidc-username-prefix", "system:"]].concat(), "--oidc-username-prefix"),
        ([&issuer[..], &["--oidc-groups-prefix", "system:"]].concat(), "--oidc-groups-prefix"),
        ([&issuer[..], &["--oidc-required-claim", "hd"]].concat(), "--oidc-required-claim"),
    ] {
        let output = run(Command::new(binary()).args(["up", "--data-dir", &data, "--api-address", "127.0.0.1:0"]).args(&flags), "");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.contains(named), "{flags:?}: {said}");
        assert!(!std::path::Path::new(&data).exists(), "{flags:?}: nothing is made");
    }
}
