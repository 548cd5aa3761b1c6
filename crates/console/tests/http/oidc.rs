//! Signing in at an issuer.

use crate::world::{Answer, Browser, World};
use testkit::issuer::Issuer;

fn location(answer: &Answer) -> String {
    answer.headers["location"].to_str().expect("text").to_owned()
}

/// The pair that a browser sends back, of the cookie of this name.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.filter_map(|line| line.split(';').next()).filter(|pair| !pair.ends_with('='));
    pairs.map(str::to_owned).find(|pair| pair.starts_with(&format!("{name}=")))
}

/// A login that has begun: the issuer's page, and the browser.
async fn begin(world: &World, more: &str) -> (String, Browser) {
    let answer = world.get(&Browser::default(), &format!("/console/oidc/start{more}")).await;
    assert_eq!(answer.status, 302, "{answer:?}");
    let line = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{line}");
    (location(&answer), Browser { cookie: cookie(&answer, "paifang-oidc").expect("a cookie"), token: String::new() })
}

/// The path by which the issuer sends the browser back.
fn back(page: &str, code: &str) -> String {
    let state = page.split('&').find_map(|pair| pair.strip_prefix("state=")).expect("a state");
    format!("/console/oidc/callback?code={}&state={state}", code.replace(' ', "%20"))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_in_at_the_issuer_is_signed_in() {
    let issuer = Issuer::start();
    let world = World::with_issuer(Some(issuer.url())).await;
    let told = world.get(&Browser::default(), "/console/oidc").await.json();
    assert_eq!(told, serde_json::json!({ "enabled": true, "name": "Example", "passwords": true, "tokens": false }));
    let (page, browser) = begin(&world, "?return=/projects/shop/routes?a=b").await;
    let code = issuer.log_in(&page, issuer.claims("ann"));
    let done = world.get(&browser, &back(&page, &code)).await;
    assert_eq!((done.status, location(&done).as_str()), (302, "/projects/shop/routes?a=b"), "{done:?}");
    let signed_in = Browser { cookie: cookie(&done, "paifang").expect("a session"), token: String::new() };
    assert_eq!(world.get(&signed_in, "/console/session").await.json()["user"], "oidc:ann");
    // A code is good once.
    let again = world.get(&browser, &back(&page, &code)).await;
    assert_eq!(location(&again), "/sign-in?reason=OidcFailed");
    assert_eq!(cookie(&again, "paifang"), None);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_what_another_began() {
    let issuer = Issuer::start();
    let world = World::with_issuer(Some(issuer.url())).await;
    let (page, browser) = begin(&world, "").await;
    let (other_page, other) = begin(&world, "").await;
    let code = |page: &str| issuer.log_in(page, issuer.claims("mallory"));
    let mut wrong = issuer.claims("mallory");
    wrong["aud"] = "another".into();
    for (who, path) in [
        ("without a cookie", world.get(&Browser::default(), &back(&page, &code(&page))).await),
        ("by a state of another browser", world.get(&browser, &back(&other_page, &code(&other_page))).await),
        ("by a code of another login", world.get(&other, &back(&other_page, &code(&page))).await),
        ("by a code that was never given", world.get(&browser, &back(&page, "made-up")).await),
        ("by nothing", world.get(&browser, "/console/oidc/callback").await),
        ("by a token for another client", world.get(&browser, &back(&page, &issuer.log_in(&page, wrong))).await),
        ("who said no there", world.get(&browser, &back(&page, "")).await),
    ] {
        assert_eq!((path.status, location(&path).as_str()), (302, "/sign-in?reason=OidcFailed"), "{who}");
        assert_eq!(cookie(&path, "paifang"), None, "{who}");
    }
    // Whatever is asked for, one comes back to a page of ours.
    for elsewhere in ["https://evil.example/", "//evil.example/", "/%5cevil.example/"] {
        let (page, browser) = begin(&world, &format!("?return={elsewhere}")).await;
        let done = world.get(&browser, &back(&page, &issuer.log_in(&page, issuer.claims("ann")))).await;
        assert_eq!(location(&done), "/", "{elsewhere}");
    }
    world.stop().await;
}
