//! Logging in at the issuer: its page asks who it is, and sends the browser back with a code that is good for one id token.
//!
//! ```text
//! Flow ─► address of the issuer's page (state, nonce, challenge) ─► the browser comes back: state, code
//!      └► code, verifier ─► token endpoint ─► id token ─► verified, of this nonce ─► Person
//! ```
//!
//! **Invariant:** a code is exchanged only by who began ([`Flow::verifier`]), and an id token counts only for what was begun ([`Flow::nonce`]).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use model::Sealed;
use serde_json::{Map, Value};
use std::fmt::Write;

use super::{FetchError, Issuer, Person, options};

/// The longest code that is taken to the issuer.
const LONGEST: usize = 4096;

/// A login that has begun. What is in it nobody can guess.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the id token.
    pub nonce: String,
    /// Never leaves but to the token endpoint.
    pub verifier: Sealed<String>,
    /// Where the browser comes back to.
    pub redirect: String,
}

/// Why somebody has not logged in at the issuer.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("{0}")]
    Document(&'static str),
    #[error("its token is refused: {0}")]
    Refused(#[from] super::Refusal),
}

// === impl Issuer ===

impl Issuer {
    /// The address of the issuer's page.
    ///
    /// # Errors
    /// When the issuer does not say where it is.
    pub async fn page(&self, flow: &Flow) -> Result<String, CodeError> {
        let at = self.endpoint("authorization_endpoint").await?;
        let challenge = BASE64.encode(digest(&SHA256, flow.verifier.open().as_bytes()));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.inner.options.client_id),
            ("redirect_uri", &flow.redirect),
            ("scope", "openid profile email"),
            ("state", &flow.state),
            ("nonce", &flow.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(format!("{at}?{query}"))
    }

    /// Whose code it is. `secret`: what proves this client to the issuer, if anything does.
    ///
    /// # Errors
    /// Why it is nobody's, in words for the log.
    pub async fn exchange(&self, flow: &Flow, code: &str, secret: Option<&Sealed<String>>) -> Result<Person, CodeError> {
        if code.is_empty() || code.len() > LONGEST {
            return Err(CodeError::Document("the code cannot be one"));
        }
        let at = self.endpoint("token_endpoint").await?;
        let client = &self.inner.options.client_id;
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &flow.redirect),
            ("client_id", client),
            ("code_verifier", flow.verifier.open()),
        ]);
        let basic = secret.map(|secret| Sealed::new(STANDARD.encode(format!("{}:{}", escaped(client), escaped(secret.open())))));
        let answer = self.inner.keys.client().post(&at, body, basic.as_ref()).await?;
        let token = answer["id_token"].as_str().ok_or(CodeError::Document("the issuer gives no id token"))?;
        let person = self.verify(token).await?;
        // Its signature has been checked: what it says may be believed.
        let claims = token.split('.').nth(1).and_then(|part| BASE64.decode(part).ok());
        let claims = claims.and_then(|octets| serde_json::from_slice::<Map<String, Value>>(&octets).ok()).unwrap_or_default();
        match claims.get("nonce").and_then(Value::as_str) == Some(&flow.nonce) {
            true => Ok(person),
            false => Err(CodeError::Document("the id token is of another login")),
        }
    }

    async fn endpoint(&self, name: &str) -> Result<String, CodeError> {
        let document = self.inner.keys.document().await?;
        let at = document[name].as_str().ok_or(CodeError::Document("the issuer does not say where people log in"))?;
        let uri = options::check_url(at).map_err(|_| CodeError::Document("the issuer's page is at no address that may be used"))?;
        let secure = self.inner.options.issuer.starts_with("https://");
        match secure && uri.scheme_str() != Some("https") {
            true => Err(CodeError::Document("the issuer's page must be had by https")),
            false => Ok(at.to_owned()),
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(octet)),
            _ => {
                // Writing to memory does not fail.
                let _ = write!(out, "%{octet:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_values() {
        assert_eq!(form(&[("a", "x y&b=c"), ("d", "é~")]), "a=x%20y%26b%3Dc&d=%C3%A9~");
    }
}
