//! Tokens of an issuer that the test starts: what is taken, what is refused, and what it costs when the issuer fails.

use std::time::Duration;

use login::oidc::{Options, Refusal};
use login::{Issuer, Person};
use serde_json::{Value, json};
use testkit::certificates::Authority;
use testkit::issuer::{CLIENT, Issuer as Origin, Trouble, now};
use tokio::time;

/// Longer than two fetches are apart.
const PAUSE: Duration = Duration::from_secs(11);
const NO_KEYS: Refusal = Refusal::NoKeys;

fn issuer(origin: &Origin) -> Issuer {
    Issuer::new(Options { groups_claim: Some("groups".into()), ..Options::new(origin.url(), CLIENT) }).expect("the options are right")
}

async fn user(issuer: &Issuer, token: &str) -> Result<String, Refusal> {
    issuer.verify(token).await.map(|person| person.user)
}

/// Lets time pass at once; sockets need the real clock again afterwards.
async fn pass(duration: Duration) {
    time::pause();
    time::advance(duration).await;
    time::resume();
}

#[tokio::test]
async fn who_the_issuer_knows_is_known_here() {
    let origin = Origin::start();
    let issuer = issuer(&origin);
    let mut claims = origin.claims("ann");
    claims["groups"] = json!(["dev"]);
    claims["jti"] = "1".into();
    let expires = claims["exp"].as_i64().expect("a number");
    let ann = Person { user: "oidc:ann".into(), groups: vec!["oidc:dev".into()], expires, id: Some("1".into()) };
    for token in [origin.sign(&claims), origin.sign_rsa(&claims)] {
        assert!(issuer.is_named_by(&token));
        assert_eq!(issuer.verify(&token).await, Ok(ann.clone()));
    }
    claims["aud"] = json!(["other", CLIENT]);
    assert_eq!(issuer.verify(&origin.sign(&claims)).await, Ok(ann));
    assert_eq!(origin.asked(), 2, "one document and its keys, whatever comes");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_enough() {
    let origin = Origin::start();
    let (issuer, other) = (issuer(&origin), Origin::start());
    let good = origin.claims("ann");
    let with = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        claims
    };
    let (head, id) = (json!({ "alg": "ES256", "kid": origin.key_id("ec") }), origin.key_id("ec"));
    let headed = |more: Value| {
        let mut head = head.clone();
        head.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        origin.sign_with(&head, &good)
    };
    assert!(issuer.verify(&origin.sign(&good)).await.is_ok());
    let parts: Vec<String> = origin.sign(&good).split('.').map(str::to_owned).collect();
    let another: Vec<String> = origin.sign(&with("sub", "bob".into())).split('.').map(str::to_owned).collect();
    for (why, token) in [
        ("of another issuer", origin.sign(&with("iss", "https://other.example".into()))),
        ("without an issuer", origin.sign(&with("iss", Value::Null))),
        ("for another client", origin.sign(&with("aud", "other".into()))),
        ("for nobody", origin.sign(&with("aud", json!([])))),
        ("without an audience", origin.sign(&with("aud", Value::Null))),
        ("expired", origin.sign(&with("exp", json!(now() - 60)))),
        ("without an end", origin.sign(&with("exp", Value::Null))),
        ("not valid yet", origin.sign(&with("nbf", json!(now() + 120)))),
        ("without a name", origin.sign(&with("sub", Value::Null))),
        ("signed by nobody", headed(json!({ "alg": "none" }))),
        ("signed with the public key as a secret", headed(json!({ "alg": "HS256" }))),
        ("signed with the key of another sort", headed(json!({ "alg": "RS256" }))),
        ("of an algorithm that is not one", headed(json!({ "alg": "ES999" }))),
        ("of an algorithm that is not the key's", headed(json!({ "alg": "ES384" }))),
        ("with a key for something else", headed(json!({ "kid": "for-secrets" }))),
        ("with a key that nobody has", headed(json!({ "kid": "ec-99" }))),
        ("with a demand", headed(json!({ "crit": ["b64"], "b64": false }))),
        ("an access token", headed(json!({ "typ": "at+jwt" }))),
        ("signed by another issuer", other.sign_with(&json!({ "alg": "ES256", "kid": id }), &good)),
        ("with other claims", format!("{}.{}.{}", parts[0], another[1], parts[2])),
        ("without a signature", format!("{}.{}.", parts[0], parts[1])),
        ("in two parts", format!("{}.{}", parts[0], parts[1])),
        ("too long", origin.sign(&with("more", "x".repeat(20_000).into()))),
        ("nothing", String::new()),
    ] {
        assert!(matches!(issuer.verify(&token).await, Err(Refusal::Token(_))), "{why}: {:?}", issuer.verify(&token).await);
    }
    assert!(issuer.verify(&headed(json!({ "kid": null }))).await.is_ok(), "there is one key of that sort");
    // A key in a token's head is the token's word.
    let theirs = json!({ "kty": "oct", "k": "c2VjcmV0" });
    assert!(issuer.verify(&origin.sign_with(&json!({ "alg": "HS256", "jwk": theirs }), &good)).await.is_err());
    assert!(issuer.verify(&origin.sign(&good)).await.is_ok());
}

#[tokio::test]
async fn keys_that_change_are_fetched_and_seldom() {
    let origin = Origin::start();
    let issuer = issuer(&origin);
    let old = origin.sign(&origin.claims("ann"));
    assert!(user(&issuer, &old).await.is_ok());
    origin.rotate();
    let new = origin.sign(&origin.claims("ann"));
    let asked = origin.asked();
    for _ in 0..100 {
        assert!(user(&issuer, &new).await.is_err(), "it was asked just now");
    }
    assert_eq!(origin.asked(), asked);
    pass(PAUSE).await;
    assert_eq!(user(&issuer, &new).await, Ok("oidc:ann".into()));
    assert!(user(&issuer, &old).await.is_err(), "the old key is taken back");
    assert_eq!(origin.asked(), asked + 2);
    let flood = (0..200).map(|n| origin.sign_with(&json!({ "alg": "ES256", "kid": format!("made-up-{n}") }), &origin.claims("eve")));
    let flood: Vec<_> = flood
        .map(|token| {
            tokio::spawn({
                let issuer = issuer.clone();
                async move { user(&issuer, &token).await }
            })
        })
        .collect();
    for one in flood {
        assert!(one.await.expect("no panic").is_err());
    }
    assert_eq!(origin.asked(), asked + 2, "whatever tokens come");
}

#[tokio::test]
async fn many_who_come_first_make_one_fetch() {
    let origin = Origin::start();
    let issuer = issuer(&origin);
    let token = origin.sign(&origin.claims("ann"));
    let crowd: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let (issuer, token) = (issuer.clone(), token.clone());
                async move { user(&issuer, &token).await }
            })
        })
        .collect();
    for one in crowd {
        assert!(one.await.expect("no panic").is_ok());
    }
    assert_eq!(origin.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_fails_refuses_its_own_tokens() {
    for trouble in [
        Trouble::Gone,
        Trouble::Failing,
        Trouble::Elsewhere,
        Trouble::Endless,
        Trouble::OtherIssuer,
        Trouble::OpenKeys,
        Trouble::SecretKeys,
    ] {
        let origin = Origin::start();
        let issuer = issuer(&origin);
        let token = origin.sign(&origin.claims("ann"));
        origin.trouble(Some(trouble));
        assert_eq!(user(&issuer, &token).await, Err(NO_KEYS), "{trouble:?}");
        let asked = origin.asked();
        assert_eq!(user(&issuer, &token).await, Err(NO_KEYS), "{trouble:?}");
        assert_eq!(origin.asked(), asked, "not again so soon");
        origin.trouble(None);
        pass(PAUSE).await;
        assert!(user(&issuer, &token).await.is_ok(), "{trouble:?}: it works again");
    }
}

#[tokio::test]
async fn an_issuer_that_says_nothing_is_not_waited_for_long() {
    let origin = Origin::start();
    let issuer = issuer(&origin);
    let token = origin.sign(&origin.claims("ann"));
    origin.trouble(Some(Trouble::Silent));
    // A clock that stands still but for waits: the deadline comes at once.
    time::pause();
    let begun = time::Instant::now();
    assert_eq!(user(&issuer, &token).await, Err(NO_KEYS));
    assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
    time::resume();
}

#[tokio::test]
async fn known_keys_go_on_for_an_hour_without_their_issuer() {
    let origin = Origin::start();
    let issuer = issuer(&origin);
    let token = origin.sign(&origin.claims("ann"));
    assert!(user(&issuer, &token).await.is_ok());
    origin.trouble(Some(Trouble::Gone));
    let (asked, minutes) = (origin.asked(), |minutes: u64| Duration::from_secs(60 * minutes));
    pass(minutes(30)).await;
    assert!(user(&issuer, &token).await.is_ok());
    let asked_beside = async {
        while origin.asked() == asked {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(testkit::PATIENCE, asked_beside).await.expect("it is asked beside");
    pass(minutes(31)).await;
    assert_eq!(user(&issuer, &token).await, Err(NO_KEYS));
    origin.trouble(None);
    pass(PAUSE).await;
    assert!(user(&issuer, &token).await.is_ok());
}

#[tokio::test]
async fn tls_is_checked_against_the_authority_that_is_named() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let origin = Origin::start_secure(&ours.issue(&["localhost"]));
    let token = origin.sign(&origin.claims("ann"));
    let trusting = |authorities: Option<Vec<u8>>| Issuer::new(Options { authorities, ..Options::new(origin.url(), CLIENT) });
    let with = |authority: &Authority| trusting(Some(authority.certificate_pem().into_bytes())).expect("a certificate");
    assert_eq!(user(&with(&ours), &token).await, Ok("oidc:ann".into()));
    assert_eq!(user(&with(&theirs), &token).await, Err(NO_KEYS));
    if let Ok(issuer) = trusting(None) {
        assert_eq!(user(&issuer, &token).await, Err(NO_KEYS));
    }
    for nothing in [&b""[..], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(trusting(Some(nothing.to_vec())).expect_err("no certificate").flag, "--oidc-ca");
    }
}

#[tokio::test]
async fn tokens_of_others_ask_nobody() {
    let origin = Origin::start();
    let issuer = issuer(&origin);
    for token in ["", "a.b.c", &origin.sign(&json!({ "iss": "https://other.example" })), &origin.sign(&json!({}))] {
        assert!(!issuer.is_named_by(token));
    }
    assert_eq!(origin.asked(), 0);
}
