//! The issuer's keys: fetched when a token asks for one that is not known, and kept.
//!
//! **Invariant:** whatever tokens come, at most one fetch is under way, and the next begins no sooner than [`PAUSE`] after it.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch::{Client, FetchError};
use super::{ALGORITHMS, Refusal, options};

/// Between two fetches.
const PAUSE: Duration = Duration::from_secs(10);
/// Older keys are fetched again, beside the requests that go on using them.
const STALE: Duration = Duration::from_secs(10 * 60);
/// Still older ones are no longer trusted: one that leaked was taken back.
const OLDEST: Duration = Duration::from_secs(60 * 60);
/// How long a token waits for a fetch that others began.
const PATIENCE: Duration = Duration::from_secs(10);
/// Keys of one issuer.
const MOST: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Keys {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    issuer: String,
    known: RwLock<Option<Arc<Set>>>,
    /// What the issuer says of itself, and since when that is known.
    said: Mutex<Option<(Value, Instant)>>,
    /// Held while fetching: when the next may begin.
    next: Mutex<Instant>,
}

/// The keys of one fetch.
struct Set {
    keys: Vec<Key>,
    fetched: Instant,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    /// The only algorithm it is for, if it says.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

// === impl Keys ===

impl Keys {
    pub(super) fn new(client: Client, issuer: String) -> Self {
        let next = Mutex::new(Instant::now());
        Self { shared: Arc::new(Shared { client, issuer, known: RwLock::default(), said: Mutex::default(), next }) }
    }

    /// The key that a token of this head was signed with.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Refusal> {
        let begun = Instant::now();
        if let Some(set) = self.known() {
            if begun - set.fetched > STALE {
                self.refresh();
            }
            if let Some(key) = set.find(id, algorithm) {
                return Ok(key);
            }
        }
        let next = tokio::time::timeout(PATIENCE, self.shared.next.lock()).await;
        let mut next = next.map_err(|_| Refusal::NoKeys)?;
        // Who waited may find what it waited for.
        if self.known().is_none_or(|set| set.fetched < begun) && *next <= Instant::now() {
            self.shared.fetch(&mut next).await.map_err(|error| {
                tracing::warn!(%error, "the keys of the OIDC issuer cannot be had");
                Refusal::NoKeys
            })?;
        }
        drop(next);
        let set = self.known().ok_or(Refusal::NoKeys)?;
        set.find(id, algorithm).ok_or(Refusal::Token("signed with a key that the issuer does not have"))
    }

    pub(super) fn client(&self) -> &Client {
        &self.shared.client
    }

    /// What the issuer says of itself. One that is a few minutes old is taken; at most one is fetched at a time.
    pub(super) async fn document(&self) -> Result<Value, FetchError> {
        let mut said =
            tokio::time::timeout(PATIENCE, self.shared.said.lock()).await.map_err(|_| FetchError::Slow(self.shared.issuer.clone()))?;
        if let Some((document, _)) = said.as_ref().filter(|(_, at)| at.elapsed() <= STALE) {
            return Ok(document.clone());
        }
        let document = self.shared.document().await?;
        *said = Some((document.clone(), Instant::now()));
        Ok(document)
    }

    pub(super) async fn fetch_now(&self) -> Result<(), FetchError> {
        let mut next = self.shared.next.lock().await;
        self.shared.fetch(&mut next).await
    }

    fn known(&self) -> Option<Arc<Set>> {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        known.filter(|set| set.fetched.elapsed() <= OLDEST)
    }

    /// Fetches beside, unless somebody does or did just now.
    fn refresh(&self) {
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let Ok(mut next) = shared.next.try_lock() else { return };
            if *next <= Instant::now()
                && let Err(error) = shared.fetch(&mut next).await
            {
                tracing::warn!(%error, "the keys of the OIDC issuer cannot be had; those known are used for an hour at most");
            }
        });
    }
}

// === impl Shared ===

impl Shared {
    async fn fetch(&self, next: &mut Instant) -> Result<(), FetchError> {
        let fetched = self.read().await;
        *next = Instant::now() + PAUSE;
        let set = Arc::new(Set { keys: fetched?, fetched: Instant::now() });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(set);
        Ok(())
    }

    fn url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'))
    }

    async fn document(&self) -> Result<Value, FetchError> {
        let document = self.client.get(&self.url()).await?;
        match document["issuer"] == *self.issuer {
            true => Ok(document),
            false => Err(FetchError::Failed(self.url(), format!("it is the document of the issuer {}", document["issuer"]))),
        }
    }

    async fn read(&self) -> Result<Vec<Key>, FetchError> {
        let (url, document) = (self.url(), self.document().await?);
        let failed = |reason: String| FetchError::Failed(url.clone(), reason);
        let at = document["jwks_uri"].as_str().ok_or_else(|| failed("it does not say where the keys are".into()))?;
        let secure = self.issuer.starts_with("https://");
        options::check_url(at)
            .and_then(|uri| match secure && uri.scheme_str() != Some("https") {
                true => Err("its keys must be had by https".into()),
                false => Ok(()),
            })
            .map_err(failed)?;
        let keys = read_keys(&self.client.get(at).await?);
        match keys.is_empty() {
            true => Err(FetchError::Failed(at.to_owned(), "there is no key in it that can be used".into())),
            false => Ok(keys),
        }
    }
}

/// The keys that signatures can be checked with; others are passed over.
fn read_keys(document: &Value) -> Vec<Key> {
    let list = document["keys"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().take(MOST).filter_map(read_key).collect()
}

fn read_key(value: &Value) -> Option<Key> {
    // A secret in a public document is no key, whatever it calls itself.
    if value["kty"] == "oct" {
        return None;
    }
    let algorithm = match value.get("alg").filter(|alg| !alg.is_null()) {
        None => None,
        Some(alg) => Some(alg.as_str()?.parse().ok().filter(|algorithm| ALGORITHMS.contains(algorithm))?),
    };
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok().filter(|key| key.family() != AlgorithmFamily::Hmac)?;
    Some(Key { id: jwk.common.key_id, algorithm, key })
}

// === impl Set ===

impl Set {
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let fits = |key: &&Key| key.algorithm.is_none_or(|own| own == algorithm) && key.key.family().algorithms().contains(&algorithm);
        let mut fitting = self.keys.iter().filter(fits);
        let key = match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id))?,
            // Which one is meant need not be said where there is one.
            None => fitting.next().filter(|_| fitting.next().is_none())?,
        };
        Some(key.key.clone())
    }
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Set").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
