//! Signing in and out, and how sessions end.

use crate::world::{Browser, PASSWORD, World};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_the_browsers_that_signed_in() {
    let world = World::start().await;
    let answer = world.login("ann", PASSWORD).await;
    let line = answer.headers["set-cookie"].to_str().expect("text");
    // Without TLS, as here, there is no `Secure`; with it the name says so, too.
    assert!(line.starts_with("paifang=") && line.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{line}");
    assert_eq!(answer.cookie().len(), "paifang=".len() + 43, "256 bits");
    let told = answer.json();
    assert_eq!((told["user"].as_str(), told["displayName"].as_str(), told["mode"].as_str()), (Some("ann"), Some("ann"), Some("up")));
    let browser = Browser { cookie: answer.cookie(), token: told["csrf"].as_str().expect("a token").to_owned() };
    assert_eq!(world.get(&browser, "/console/session").await.json()["csrf"], told["csrf"]);
    assert_eq!(world.get(&Browser::default(), "/console/session").await.reason(), "NotSignedIn");
    assert_eq!(world.post(&browser, "/console/logout", &json!({})).await.status, 204);
    assert_eq!(world.get(&browser, "/console/session").await.status, 401);
    assert_eq!(world.get(&browser, "/api/v1/namespaces/shop/configmaps").await.status, 401);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_chooses_what_names_a_session() {
    let world = World::start().await;
    let planted = Browser { cookie: format!("paifang={}", "A".repeat(43)), token: String::new() };
    let body = json!({ "username": "ann", "password": PASSWORD });
    let answer = world.post(&planted, "/console/login", &body).await;
    assert_eq!(answer.status, 200);
    assert_ne!(answer.cookie(), planted.cookie);
    assert_eq!(world.get(&planted, "/console/session").await.status, 401, "what an attacker planted names nothing");
    // Who signs in once more gets another session, and the one before ends.
    let first = Browser { cookie: answer.cookie(), token: String::new() };
    let second = world.post(&first, "/console/login", &body).await;
    assert_ne!(second.cookie(), first.cookie);
    assert_eq!(world.get(&first, "/console/session").await.status, 401);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_that_are_wrong_are_all_wrong_alike() {
    let world = World::start().await;
    for (user, password) in
        [("ann", "wrong horse battery"), ("nobody", PASSWORD), ("system:admin", PASSWORD), ("paifang-console", PASSWORD), ("", "")]
    {
        let answer = world.login(user, password).await;
        assert_eq!((answer.status, answer.reason().as_str()), (401, "WrongCredentials"), "{user}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let weak = world
        .post(&Browser::default(), "/console/login", &json!({ "username": "ann", "password": PASSWORD, "newPassword": "short" }))
        .await;
    assert_eq!((weak.status, weak.reason().as_str()), (400, "WeakPassword"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_guesses_get_sixty_tries_at_most() {
    let world = World::start().await;
    let (mut tries, mut send) = (0, world.send().await);
    for n in 0..10_000 {
        let body = json!({ "username": "ann", "password": format!("guess number {n}") }).to_string();
        let request =
            world.request("POST", "/console/login").header("content-type", "application/json").body(body.into()).expect("a request");
        send.ready().await.expect("the connection stays");
        let answer = send.send_request(request).await.expect("an answer");
        match answer.status().as_u16() {
            401 => tries += 1,
            429 => assert!(answer.headers().contains_key("retry-after")),
            other => panic!("{other}"),
        }
        // The connection is used again once the body has been read.
        let _ = http_body_util::BodyExt::collect(answer.into_body()).await;
    }
    assert!((1..=60).contains(&tries), "{tries}");
    let locked = world.login("ann", PASSWORD).await;
    assert_eq!((locked.status, locked.reason().as_str()), (429, "TooManyAttempts"));
    assert!(locked.json()["retryAfterSeconds"].as_u64().is_some_and(|it| it > 0));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_what_it_stood_on() {
    let world = World::start().await;
    let user = |name: &str, spec| json!({ "kind": "User", "metadata": { "name": name }, "spec": spec });
    let (vic, olga) = (world.browser("vic").await, world.browser("olga").await);
    world.put("paifang.dev/v1alpha1", "", user("vic", json!({ "suspended": true }))).await;
    assert_eq!(world.get(&vic, "/console/session").await.status, 401, "suspended");
    world.put("paifang.dev/v1alpha1", "", user("vic", json!({ "suspended": false }))).await;
    assert_eq!(world.get(&vic, "/console/session").await.status, 401, "what has ended does not begin again");
    world.set_password("olga", "another horse battery").await;
    assert_eq!(world.get(&olga, "/console/session").await.status, 401, "another password");
    assert_eq!(world.login("olga", PASSWORD).await.status, 401);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_choose_another_password_does() {
    let world = World::start().await;
    let admin = world.browser("admin").await;
    let given = json!({ "newPassword": "given by the admin", "mustChange": true });
    let made = world.post(&admin, "/apis/paifang.dev/v1alpha1/users/eve/password", &given).await;
    assert_eq!(made.status, 201, "{made:?}");
    let login = |new: Option<&str>| {
        let mut body = json!({ "username": "eve", "password": "given by the admin" });
        if let Some(new) = new {
            body["newPassword"] = new.into();
        }
        body
    };
    let nobody = Browser::default();
    let answer = world.post(&nobody, "/console/login", &login(None)).await;
    assert_eq!((answer.status, answer.reason().as_str()), (403, "PasswordChangeRequired"));
    let answer = world.post(&nobody, "/console/login", &login(Some("chosen by eve herself"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.login("eve", "chosen by eve herself").await.status, 200);
    world.stop().await;
}
