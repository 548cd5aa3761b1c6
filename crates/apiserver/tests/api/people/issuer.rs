//! Id tokens of an OIDC issuer as bearer tokens, and the Users that they are.

use http::Method;
use login::Issuer;
use login::oidc::Options;
use serde_json::{Value, json};
use testkit::issuer::{CLIENT, Issuer as Origin, Trouble, now};

use super::{USERS, is_let_in, session, started, user, who_am_i, with};
use crate::client::Server;
use crate::rights::{RBAC, role};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// An API that takes the tokens of `origin`.
async fn serve(origin: &Origin, change: impl FnOnce(&mut Options)) -> Server {
    let mut options = Options { groups_claim: Some("groups".into()), ..Options::new(origin.url(), CLIENT) };
    change(&mut options);
    let issuer = Issuer::new(options).expect("the options are right");
    started(Server::start_as(|options| options.issuer = Some(issuer)).await).await
}

fn in_groups(origin: &Origin, name: &str, groups: &[&str]) -> String {
    let mut claims = origin.claims(name);
    claims["groups"] = json!(groups);
    origin.sign(&claims)
}

async fn reader_of(server: &Server, kind: &str, name: &str) {
    role(server, "reader", "", "configmaps", "get,list,watch").await;
    let body = json!({
        "metadata": { "name": "reader" }, "subjects": [{ "kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io" }],
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader" },
    });
    server.post(&format!("{RBAC}/clusterrolebindings"), &body).await.ok();
}

#[tokio::test]
async fn a_stranger_is_known_by_the_issuers_names() {
    let origin = Origin::start();
    let server = serve(&origin, |_| {}).await;
    let token = in_groups(&origin, "ann", &["dev"]);
    let info = who_am_i(&server, &token).await;
    assert_eq!(info, json!({ "username": "oidc:ann", "groups": ["oidc:dev", "system:authenticated"] }));
    with(&server, &token, Method::GET, MAPS, &Value::Null).await.refused(403);
    reader_of(&server, "Group", "oidc:dev").await;
    with(&server, &token, Method::GET, MAPS, &Value::Null).await.ok();
    with(&server, &in_groups(&origin, "ann", &["ops"]), Method::GET, MAPS, &Value::Null).await.refused(403);
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review = server.post(reviews, &json!({ "spec": { "token": token } })).await.ok();
    assert_eq!((&review["status"]["authenticated"], &review["status"]["user"]), (&json!(true), &info));
    let mut wrong = origin.claims("ann");
    wrong["aud"] = "other".into();
    let review = server.post(reviews, &json!({ "spec": { "token": origin.sign(&wrong) } })).await.ok();
    assert_ne!(review["status"]["authenticated"], true);
}

#[tokio::test]
async fn a_user_says_which_names_of_the_issuer_are_theirs() {
    let origin = Origin::start();
    let server = serve(&origin, |_| {}).await;
    let spec = json!({ "identities": ["oidc:ann@example.com"] });
    let made = server.post(USERS, &json!({ "metadata": { "name": "ann" }, "spec": spec })).await.ok();
    let token = in_groups(&origin, "ann@example.com", &["dev"]);
    let info = who_am_i(&server, &token).await;
    assert_eq!((&info["username"], &info["uid"]), (&json!("ann"), &made["metadata"]["uid"]));
    assert_eq!(info["groups"], json!(["oidc:dev", "system:authenticated"]));
    let merge = "application/merge-patch+json";
    server.patch(&format!("{USERS}/ann"), merge, &json!({ "spec": { "suspended": true } })).await.ok();
    assert!(!is_let_in(&server, &token).await, "suspended, not a stranger");
    server.patch(&format!("{USERS}/ann"), merge, &json!({ "spec": { "suspended": false, "identities": [] } })).await.ok();
    assert_eq!(who_am_i(&server, &token).await["username"], "oidc:ann@example.com");
}

#[tokio::test]
async fn without_a_prefix_nobody_takes_a_users_name() {
    let origin = Origin::start();
    let server = serve(&origin, |options| (options.username_prefix, options.groups_prefix) = (String::new(), String::new())).await;
    user(&server, "ann", "annabelle was here").await;
    assert!(!is_let_in(&server, &in_groups(&origin, "ann", &[])).await, "her name is not hers by the issuer's word");
    for name in ["system:admin", "system:serviceaccount:kube-system:default", "paifang", "paifang-admin"] {
        assert!(!is_let_in(&server, &in_groups(&origin, name, &[])).await, "{name}");
    }
    let token = in_groups(&origin, "eve", &["system:masters", "system:authenticated", "dev"]);
    assert_eq!(who_am_i(&server, &token).await["groups"], json!(["dev", "system:authenticated"]));
    server.patch(&format!("{USERS}/ann"), "application/merge-patch+json", &json!({ "spec": { "identities": ["ann"] } })).await.ok();
    assert_eq!(who_am_i(&server, &in_groups(&origin, "ann", &[])).await["username"], "ann");
}

#[tokio::test]
async fn an_issuer_that_is_down_disturbs_nobody_else() {
    let origin = Origin::start();
    let server = serve(&origin, |_| {}).await;
    user(&server, "bob", "bob was here, too").await;
    let token = session(&server, "bob", "bob was here, too").await;
    origin.trouble(Some(Trouble::Silent));
    let theirs = origin.sign(&origin.claims("ann"));
    let (refused, ()) = tokio::join!(is_let_in(&server, &theirs), async {
        for _ in 0..20 {
            assert!(is_let_in(&server, &token).await);
        }
        server.get("/api").await.ok();
    });
    assert!(!refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_its_id_token() {
    let origin = Origin::start();
    let server = serve(&origin, |_| {}).await;
    reader_of(&server, "User", "oidc:ann").await;
    let mut claims = origin.claims("ann");
    claims["exp"] = json!(now() + 2);
    let said = super::watches::said_as(&server, &origin.sign(&claims), "", async || ()).await;
    assert!(said.contains(r#""code":401"#), "{said}");
}
