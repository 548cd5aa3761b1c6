//! Signing in at an OIDC issuer: code flow with PKCE.
//!
//! ```text
//! start ─► cookie (state, nonce, verifier, where to) ─► the issuer's page ─► callback: the same state ─► id token ─► session
//! ```
//!
//! What a flow is stands in a cookie of the browser that began it, so nothing is kept here of those that never end.
//!
//! **Invariant:** who comes back with another state than their browser began with is not signed in.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::StatusCode;
use http::header::SET_COOKIE;
use login::Issuer;
use login::oidc::Flow;
use model::Sealed;
use serde_json::json;

use crate::app::{App, Visit};
use crate::cookie::Cookie;
use crate::path;
use crate::reply::{self, Refusal, Reply};
use crate::session;
use crate::sign_in;

const CALLBACK: &str = "/console/oidc/callback";
/// Where somebody goes who is not signed in after all.
const BACK: &str = "/sign-in?reason=";
/// The longest path to return to.
const LONGEST: usize = 512;

/// An issuer at which people sign in.
pub struct Elsewhere {
    pub issuer: Issuer,
    /// What people know it by.
    pub name: String,
    /// What proves the console to the issuer, if it asks for that.
    pub secret: Option<Sealed<String>>,
    /// How browsers reach the console: `https://console.example`, without a path.
    pub url: String,
}

/// `GET /console/oidc`.
pub(crate) fn told(app: &App) -> Reply {
    let name = app.elsewhere.as_ref().map_or("", |it| &it.name);
    let ways = app.accounts.ways();
    let told = json!({ "enabled": app.elsewhere.is_some(), "name": name, "passwords": ways.passwords, "tokens": ways.tokens });
    reply::json(StatusCode::OK, &told)
}

/// `GET /console/oidc/start`.
pub(crate) async fn start(app: &App, visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let elsewhere = app.elsewhere.as_ref().ok_or_else(|| Refusal::not_found("Nobody signs in by OIDC here."))?;
    let wanted = path::query(visit.head.uri.query(), "return").filter(|it| is_ours(it)).unwrap_or_else(|| "/".into());
    let [state, nonce, verifier] = [app.chance()?, app.chance()?, app.chance()?].map(|it| session::text(&it));
    let flow = elsewhere.flow(state, nonce, verifier);
    let page = match elsewhere.issuer.page(&flow).await {
        Ok(page) => page,
        Err(error) => return Ok(failed(app, &error)),
    };
    let value = [&flow.state, &flow.nonce, flow.verifier.open(), &BASE64.encode(wanted)].map(String::as_str).join(".");
    let mut reply = reply::redirect(&page);
    reply.headers_mut().append(SET_COOKIE, Cookie::Oidc.set(app.transport, &value));
    Ok(reply)
}

/// `GET /console/oidc/callback`.
pub(crate) async fn callback(app: &App, visit: &Visit<'_>) -> Result<Reply, Refusal> {
    let elsewhere = app.elsewhere.as_ref().ok_or_else(|| Refusal::not_found("Nobody signs in by OIDC here."))?;
    let query = |name: &str| path::query(visit.head.uri.query(), name).unwrap_or_default();
    let begun = Cookie::Oidc.get(app.transport, &visit.head.headers).map(|it| it.split('.').collect::<Vec<_>>());
    let Some([state, nonce, verifier, wanted]) = begun.as_deref() else { return Ok(failed(app, &"no login was begun in this browser")) };
    if verify_slices_are_equal(state.as_bytes(), query("state").as_bytes()).is_err() {
        return Ok(failed(app, &"the login was begun elsewhere"));
    }
    let flow = elsewhere.flow((*state).to_owned(), (*nonce).to_owned(), (*verifier).to_owned());
    let person = match elsewhere.issuer.exchange(&flow, &query("code"), elsewhere.secret.as_ref()).await {
        Ok(person) => person,
        Err(error) => return Ok(failed(app, &error)),
    };
    let account = match app.accounts.by_issuer(person) {
        Ok(account) => account,
        Err(error) => return Ok(failed(app, &error)),
    };
    let entered = sign_in::enter(app, visit.head, account).await?;
    let wanted = BASE64.decode(wanted).ok().and_then(|it| String::from_utf8(it).ok()).filter(|it| is_ours(it));
    let mut reply = reply::redirect(&wanted.unwrap_or_else(|| "/".into()));
    for cookie in entered.headers().get_all(SET_COOKIE) {
        reply.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    reply.headers_mut().append(SET_COOKIE, Cookie::Oidc.clear(app.transport));
    Ok(reply)
}

/// Whether a path leads to a page of this origin.
fn is_ours(wanted: &str) -> bool {
    let path = wanted.split(['?', '#']).next().unwrap_or("");
    wanted.len() <= LONGEST && path::check(path) && wanted.bytes().all(|octet| (b'!'..=b'~').contains(&octet) && octet != b'\\')
}

fn failed(app: &App, error: &dyn std::fmt::Display) -> Reply {
    tracing::warn!(%error, "somebody was not signed in to the console by OIDC");
    let mut reply = reply::redirect(&format!("{BACK}OidcFailed"));
    reply.headers_mut().append(SET_COOKIE, Cookie::Oidc.clear(app.transport));
    reply
}

// === impl Elsewhere ===

impl Elsewhere {
    fn flow(&self, state: String, nonce: String, verifier: String) -> Flow {
        Flow { state, nonce, verifier: Sealed::new(verifier), redirect: format!("{}{CALLBACK}", self.url) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for good in ["/", "/projects/shop/routes", "/try?url=http://a.example/"] {
            assert!(is_ours(good), "{good}");
        }
        for bad in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/a b",
            "/a\r\nx: y",
            "javascript:alert(1)",
        ] {
            assert!(!is_ours(bad), "{bad}");
        }
    }
}
