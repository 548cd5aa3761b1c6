//! People whom an OIDC issuer knows: its id tokens as bearer tokens.
//!
//! ```text
//! token ─► algorithm and key id ─► keys (discovery, JWKS: fetched when asked for, kept) ─► signature, iss, aud, exp, nbf
//!       ─► claims: user name, groups, what is required ─► Person
//! ```
//!
//! **Invariant:** the algorithm is one of ours and of the key's kind; a key is never taken from a token, nor a shared secret from a key.
//! **Invariant:** only a token that names the issuer makes anything be fetched, and seldom: an issuer that is slow or down refuses its own
//! tokens and keeps nobody else waiting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

mod code;
mod fetch;
mod keys;
mod options;
mod person;

pub use code::{CodeError, Flow};
pub use fetch::FetchError;
pub use options::{Options, OptionsError};
pub use person::Person;

use fetch::Client;
use keys::Keys;

/// The longest token that is looked at.
const LONGEST: usize = 16 << 10;
/// Seconds by which the issuer's clock may differ.
const LEEWAY: u64 = 30;
/// What may sign. No `none`, no shared secrets.
pub(crate) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Token(&'static str),
    /// Nobody knows whether the token is good.
    #[error("the issuer's keys are not known now")]
    NoKeys,
}

/// An issuer whose tokens are taken.
#[derive(Clone, Debug)]
pub struct Issuer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    keys: Keys,
}

/// What a token says of itself before anything is believed.
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

// === impl Issuer ===

impl Issuer {
    /// Checks the options; nothing is fetched yet.
    ///
    /// # Errors
    /// What is wrong, and with which of them.
    pub fn new(options: Options) -> Result<Self, OptionsError> {
        options.check()?;
        let keys = Keys::new(Client::new(&options)?, options.issuer.clone());
        Ok(Self { inner: Arc::new(Inner { options, keys }) })
    }

    /// Fetches the keys, so that the first token need not wait.
    ///
    /// # Errors
    /// When the issuer does not answer as it should.
    pub async fn prepare(&self) -> Result<(), FetchError> {
        self.inner.keys.fetch_now().await
    }

    /// Whether `token` says that it is of this issuer. Nothing of it is believed yet.
    pub fn is_named_by(&self, token: &str) -> bool {
        let claims = token.split('.').nth(1).filter(|_| token.len() <= LONGEST).and_then(|part| BASE64.decode(part).ok());
        let claims = claims.and_then(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes).ok());
        claims.is_some_and(|claims| claims.get("iss").and_then(Value::as_str) == Some(&self.inner.options.issuer))
    }

    /// Whose token it is.
    ///
    /// # Errors
    /// Why it is nobody's, in words for the log.
    pub async fn verify(&self, token: &str) -> Result<Person, Refusal> {
        let (algorithm, id) = head(token).map_err(Refusal::Token)?;
        let key = self.inner.keys.find(id.as_deref(), algorithm).await?;
        let data = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &self.validation(algorithm));
        let claims = data.map_err(|error| Refusal::Token(said(error.kind())))?.claims;
        person::read(&self.inner.options, &claims, now()).map_err(Refusal::Token)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.inner.options.issuer]);
        validation.set_audience(&[&self.inner.options.client_id]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation
    }
}

fn head(token: &str) -> Result<(Algorithm, Option<String>), &'static str> {
    if token.len() > LONGEST || token.split('.').count() != 3 {
        return Err("not a signed token");
    }
    let octets = token.split('.').next().and_then(|part| BASE64.decode(part).ok());
    let head: Head = octets.and_then(|octets| serde_json::from_slice(&octets).ok()).ok_or("its head cannot be read")?;
    if head.crit.is_some() {
        return Err("it demands what is not known");
    }
    // An access token or a logout token is signed by the same key.
    if head.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err("not an id token");
    }
    let algorithm = head.alg.parse().ok().filter(|algorithm| ALGORITHMS.contains(algorithm));
    Ok((algorithm.ok_or("signed in a way that is not taken")?, head.kid))
}

fn said(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not valid yet",
        ErrorKind::InvalidAudience => "for another audience",
        ErrorKind::InvalidIssuer => "of another issuer",
        ErrorKind::MissingRequiredClaim(_) => "without iss, aud or exp",
        ErrorKind::InvalidSignature => "not signed by the issuer",
        _ => "not a good token",
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Claims that a token must have, by name.
pub type Required = BTreeMap<String, String>;
