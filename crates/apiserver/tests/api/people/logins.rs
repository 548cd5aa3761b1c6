//! `POST /login` and the tokens it gives.

use std::time::Duration;

use apiserver::FirstLogin;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use serde_json::{Value, json};

use super::{ADMIN, USERS, is_let_in, login, post, session, start, text, user, who_am_i, with};
use crate::client::Server;
use crate::rights::RBAC;

const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

#[tokio::test]
async fn a_password_becomes_a_session() {
    let server = start().await;
    let answer = login(&server, "admin", ADMIN).await.ok();
    let expires: jiff::Timestamp = text(&answer["expirationTimestamp"]).parse().expect("a time");
    let hours = (expires.as_second() - jiff::Timestamp::now().as_second()) as f64 / 3600.0;
    assert!((11.9..=12.0).contains(&hours), "{hours}");
    let token = text(&answer["token"]);
    with(&server, &token, Method::GET, "/api/v1/secrets", &Value::Null).await.ok();
    let admin = server.get(&format!("{USERS}/admin")).await.ok();
    let info = who_am_i(&server, &token).await;
    assert_eq!((&info["username"], &info["groups"]), (&json!("admin"), &json!(["system:authenticated"])));
    assert_eq!((&info["uid"], &info["extra"]["paifang.dev/login"]), (&admin["metadata"]["uid"], &json!(["session"])));
    let review = server.post(REVIEWS, &json!({ "spec": { "token": token } })).await.ok()["status"].clone();
    assert_eq!((&review["authenticated"], &review["user"]), (&json!(true), &info));
    let elsewhere = server.post(REVIEWS, &json!({ "spec": { "token": token, "audiences": ["vault"] } })).await.ok();
    assert_ne!(elsewhere["status"]["authenticated"], true);
    // The key stands in the data directory.
    let server = server.restart().await;
    assert!(is_let_in(&server, &token).await);
    for broken in [&token[..token.len() - 2], &token.replace('.', ""), "x.y.z"] {
        assert!(!is_let_in(&server, broken).await, "{broken}");
    }
}

#[tokio::test]
async fn who_is_wrong_hears_the_same_whatever_is_wrong() {
    let server = start().await;
    user(&server, "ann", "annabelle was here").await;
    server.post(USERS, &json!({ "metadata": { "name": "without" } })).await.ok();
    user(&server, "gone", "gone was here too").await;
    let merge = "application/merge-patch+json";
    server.patch(&format!("{USERS}/gone"), merge, &json!({ "spec": { "suspended": true } })).await.ok();
    let mut said = Vec::new();
    for (name, password) in
        [("ann", "wrong"), ("nobody", "wrong"), ("without", ""), ("gone", "gone was here too"), ("", ""), ("system:admin", "x")]
    {
        said.push(login(&server, name, password).await.refused(401));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn what_is_no_login_is_refused() {
    let server = start().await;
    let good = json!({ "username": "admin", "password": ADMIN });
    for media_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/yaml"] {
        post(&server, "/login", media_type, &good.to_string()).await.refused(415);
    }
    for body in [
        String::new(),
        "{".into(),
        "[]".into(),
        json!({ "username": "admin" }).to_string(),
        json!({ "username": "admin", "password": 1 }).to_string(),
        json!({ "username": "admin", "password": ADMIN, "token": "x" }).to_string(),
    ] {
        let status = post(&server, "/login", "application/json", &body).await.refused(400);
        assert!(!status.to_string().contains("horse"), "{status}");
    }
    let long = json!({ "username": "admin", "password": "x".repeat(10_000) });
    post(&server, "/login", "application/json", &long.to_string()).await.refused(413);
    server.get("/login").await.refused(405);
}

#[tokio::test]
async fn ten_guesses_of_a_password_are_too_many() {
    let server = start().await;
    let mut tried = 0;
    let refused = loop {
        let answer = login(&server, "admin", &format!("guess {tried}")).await;
        if answer.status == 429 {
            break answer;
        }
        answer.refused(401);
        tried += 1;
        assert!(tried < 10, "nobody counts");
    };
    assert_eq!(tried, 5);
    assert_eq!(refused.refused(429)["reason"], "TooManyRequests");
    let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    login(&server, "admin", ADMIN).await.refused(429);
    // Certificates and tokens are none the worse for it.
    server.get("/api").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_logins_disturbs_nobody() {
    let server = std::sync::Arc::new(start().await);
    let token = session(&server, "admin", ADMIN).await;
    let guesses: Vec<_> = (0..100)
        .map(|n| {
            let server = server.clone();
            tokio::spawn(async move { login(&server, &format!("user-{n}"), "some wrong password").await.status.as_u16() })
        })
        .collect();
    for _ in 0..20 {
        assert!(is_let_in(&server, &token).await);
    }
    let mut codes = Vec::new();
    for guess in guesses {
        codes.push(guess.await.expect("an answer"));
    }
    assert!(codes.iter().all(|code| [401, 429, 503].contains(code)), "{codes:?}");
    assert!(codes.iter().filter(|code| **code == 401).count() <= 20, "one place has twenty tries: {codes:?}");
}

#[tokio::test]
async fn a_token_ends_with_its_user() {
    let server = start().await;
    let uid = user(&server, "ann", "annabelle was here").await;
    let before = session(&server, "ann", "annabelle was here").await;
    assert!(is_let_in(&server, &before).await);
    let path = format!("{USERS}/ann");
    let suspend =
        async |yes: bool| server.patch(&path, "application/merge-patch+json", &json!({ "spec": { "suspended": yes } })).await.ok();
    suspend(true).await;
    assert!(!is_let_in(&server, &before).await);
    suspend(false).await;
    assert!(is_let_in(&server, &before).await);
    server.delete(&path).await.ok();
    assert!(!is_let_in(&server, &before).await);
    // Another of the same name is somebody else: neither token nor password is theirs.
    let made = server.post(USERS, &json!({ "metadata": { "name": "ann" } })).await.ok();
    assert_ne!(made["metadata"]["uid"], uid);
    assert!(!is_let_in(&server, &before).await);
    login(&server, "ann", "annabelle was here").await.refused(401);
    super::set_password(&server, "ann", "annabelle two").await;
    assert!(!is_let_in(&server, &before).await);
    session(&server, "ann", "annabelle two").await;
}

#[tokio::test]
async fn tokens_of_one_kind_never_pass_for_another() {
    let server = start().await;
    let uid = user(&server, "ann", "annabelle was here").await;
    let token = session(&server, "ann", "annabelle was here").await;
    // A ServiceAccount that is called like a login, with a token that is for whom logins are for.
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    server.post(accounts, &json!({ "metadata": { "name": "ann" } })).await.ok();
    for audience in ["https://paifang.dev/api", "https://paifang.dev/login"] {
        let spec = json!({ "audiences": [audience] });
        let made = server.post(&format!("{accounts}/ann/token"), &json!({ "spec": spec })).await.ok();
        assert!(!is_let_in(&server, &text(&made["status"]["token"])).await);
    }
    // The same claims without a signature, and signed by nobody.
    let parts: Vec<&str> = token.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "JWT" }).to_string());
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).expect("base64")).expect("JSON");
    assert_eq!((&claims["sub"], &claims["paifang.dev"]["uid"]), (&json!("ann"), &json!(uid)));
    claims["sub"] = "admin".into();
    let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
    for broken in [format!("{none}.{}.", parts[1]), format!("{}.{forged}.{}", parts[0], parts[2])] {
        assert!(!is_let_in(&server, &broken).await);
    }
}

#[tokio::test]
async fn a_one_time_password_is_good_for_choosing_another() {
    let server = Server::start().await;
    // That is there for other reasons, too.
    server.post("/api/v1/namespaces", &json!({ "metadata": { "name": "paifang-system" } })).await.ok();
    let first = server.running.first_login(&FirstLogin::OneTime).await.expect("stored").expect("it is told");
    assert_eq!(first.user, "admin");
    let password = first.password.open().clone();
    assert_eq!(login(&server, "admin", &password).await.refused(403)["reason"], "PasswordChangeRequired");
    let choose = async |new: &str| {
        let body = json!({ "username": "admin", "password": password, "newPassword": new });
        post(&server, "/login", "application/json", &body.to_string()).await
    };
    choose("short").await.refused(422);
    choose("administrator").await.ok();
    choose("administrator").await.refused(401);
    let token = session(&server, "admin", "administrator").await;
    assert!(is_let_in(&server, &token).await);
    // Once is once, also for who deletes the administrator.
    let server = server.restart().await;
    assert!(server.running.first_login(&FirstLogin::OneTime).await.expect("stored").is_none());
    assert!(is_let_in(&server, &token).await);
    server.delete(&format!("{USERS}/admin")).await.ok();
    let server = server.restart().await;
    assert!(server.running.first_login(&FirstLogin::OneTime).await.expect("stored").is_none());
    server.get(&format!("{USERS}/admin")).await.refused(404);
}

#[tokio::test]
async fn the_first_start_makes_an_administrator_whole() {
    let server = start().await;
    let binding = server.get(&format!("{RBAC}/clusterrolebindings/admin-platform-admin")).await.ok();
    assert_eq!(binding["roleRef"]["name"], "platform-admin");
    let secret = server.get("/api/v1/namespaces/paifang-system/secrets/password-admin").await.ok();
    assert_eq!((&secret["type"], &secret["metadata"]["ownerReferences"][0]["name"]), (&json!("paifang.dev/password"), &json!("admin")));
    let hash = STANDARD.decode(text(&secret["data"]["hash"])).expect("base64");
    assert!(String::from_utf8(hash).expect("text").starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    // The password goes with its user.
    server.delete(&format!("{USERS}/admin")).await.ok();
    for _ in 0..600 {
        if server.get("/api/v1/namespaces/paifang-system/secrets/password-admin").await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the password stays");
}

#[tokio::test]
async fn logins_are_told_without_their_passwords() {
    let server = start().await;
    login(&server, "admin", "a wrong password").await.refused(401);
    login(&server, "admin", ADMIN).await.ok();
    let server = server.restart().await;
    let text = std::fs::read_to_string(server.dir.path().join("audit.log")).expect("a log");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let logins: Vec<&Value> = lines.iter().filter(|line| line["verb"] == "login").collect();
    let codes: Vec<&Value> = logins.iter().map(|line| &line["code"]).collect();
    assert_eq!(codes, [&json!(401), &json!(200)]);
    assert_eq!((&logins[0]["object"]["name"], &logins[0]["user"]["name"]), (&json!("admin"), &json!("system:anonymous")));
    assert!(!text.contains("wrong password") && !text.contains("horse"), "{text}");
}
