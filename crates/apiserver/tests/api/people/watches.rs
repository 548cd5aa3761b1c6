//! A watch ends when who began it would no longer be let in.

use http::{HeaderValue, Method};
use http_body_util::BodyExt;
use serde_json::json;

use super::{USERS, session, start, user};
use crate::client::{Server, request};
use crate::rights::{RBAC, bind, role};

const MAPS: &str = "/api/v1/namespaces/default/configmaps?watch=1";

/// Begins a watch, does what ends it, and returns what was said before the stream ended.
pub async fn said_as(server: &Server, token: &str, user: &str, end: impl AsyncFnOnce()) -> String {
    let mut asked = request(Method::GET, MAPS, "", "");
    asked.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).expect("a header"));
    if !user.is_empty() {
        asked.headers_mut().insert("impersonate-user", HeaderValue::from_str(user).expect("a header"));
    }
    let response = server.send(asked, false).await;
    assert_eq!(response.status(), 200);
    end().await;
    let body = tokio::time::timeout(crate::client::PATIENCE, response.into_body().collect()).await.expect("it ends").expect("a body");
    String::from_utf8(body.to_bytes().to_vec()).expect("text")
}

#[derive(Clone, Copy)]
enum End {
    Deleted,
    Suspended,
    NewPassword,
    Unbound,
}

/// What somebody's watch says when their place is taken from them.
async fn last_words(server: &Server, name: &str, end: End) -> String {
    let password = format!("{name} was here, too");
    user(server, name, &password).await;
    bind(server, "reader", name, "default").await;
    let token = session(server, name, &password).await;
    let path = format!("{USERS}/{name}");
    let merge = "application/merge-patch+json";
    let end = async || match end {
        End::Deleted => drop(server.delete(&path).await.ok()),
        End::Suspended => drop(server.patch(&path, merge, &json!({ "spec": { "suspended": true } })).await.ok()),
        End::NewPassword => super::set_password(server, name, "another one").await,
        End::Unbound => drop(server.delete(&format!("{RBAC}/namespaces/default/rolebindings/reader-{name}")).await.ok()),
    };
    said_as(server, &token, "", end).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_loses_their_place_watches_no_longer() {
    let server = start().await;
    role(&server, "reader", "", "configmaps", "get,list,watch").await;
    let (deleted, suspended, changed, unbound) = tokio::join!(
        last_words(&server, "ann", End::Deleted),
        last_words(&server, "bob", End::Suspended),
        last_words(&server, "cat", End::NewPassword),
        last_words(&server, "dan", End::Unbound),
    );
    for said in [deleted, suspended, changed] {
        assert!(said.contains(r#""type":"ERROR""#) && said.contains(r#""code":401"#), "{said}");
    }
    assert!(unbound.contains(r#""code":403"#) && unbound.contains("cannot watch resource"), "{unbound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_in_somebodys_place_watches_as_long_as_both_may() {
    let server = start().await;
    role(&server, "reader", "", "configmaps", "get,list,watch").await;
    role(&server, "twin", "", "users", "impersonate").await;
    user(&server, "ann", "annabelle was here").await;
    bind(&server, "reader", "bob", "default").await;
    bind(&server, "twin", "ann", "").await;
    let token = session(&server, "ann", "annabelle was here").await;
    let end = async || drop(server.delete(&format!("{RBAC}/clusterrolebindings/twin-ann")).await.ok());
    let said = said_as(&server, &token, "bob", end).await;
    assert!(said.contains("cannot impersonate resource"), "{said}");
}
