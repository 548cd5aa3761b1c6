//! Signing in with a token of one's own: the Kubernetes API says whose it is, and is asked with it from then on.
//!
//! **Invariant:** with a token nobody is impersonated: what its owner may do, the API decides of the token alone.
//! **Invariant:** a token that the API has refused once ends every session that has it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use http::Method;
use http::header::HeaderValue;
use login::guard::{Guard, Wait};
use model::Sealed;
use serde_json::json;

use crate::app::App;
use crate::reply::Refusal;
use crate::sign_in::{Account, Refused};

const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
/// Whom the API takes for somebody who has shown nothing.
const NOBODY: &str = "system:anonymous";

/// A bearer token that somebody has signed in with.
#[derive(Debug)]
pub(crate) struct Token {
    header: Sealed<HeaderValue>,
    digest: [u8; 32],
    refused: AtomicBool,
}

/// Tries to sign in with tokens, counted by where they come from.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<Guard>);

/// Whose token it is.
pub(crate) async fn account(app: &App, from: IpAddr, text: &str) -> Result<Account, Refusal> {
    let token = Arc::new(Token::new(text).ok_or(Refused::Wrong)?);
    let tries = &app.tries;
    let attempt = tries
        .with(|guard, now| guard.attempt(now, &from.to_string(), from))
        .map_err(|Wait(wait)| Refused::TooMany(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1)))?;
    let asking = Account { token: Some(token.clone()), ..Account::new("", Vec::new(), Arc::new(())) };
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let (code, said) = match app.relay.ask(&asking, Method::POST, REVIEW, Some(&review)).await {
        Ok(answer) => answer,
        Err(refusal) => {
            tries.with(|guard, _| guard.not_tried(attempt));
            return Err(refusal);
        }
    };
    let who = &said["status"]["userInfo"];
    match (code, who["username"].as_str()) {
        (200 | 201, Some(user)) if !user.is_empty() && user != NOBODY => {
            tries.with(|guard, now| guard.succeeded(now, attempt));
            let groups = who["groups"].as_array().into_iter().flatten().filter_map(|it| Some(it.as_str()?.to_owned())).collect();
            Ok(Account { token: Some(token), ..Account::new(user, groups, Arc::new(())) })
        }
        (200 | 201 | 401, _) => Err(Refused::Wrong.into()),
        _ => {
            tries.with(|guard, _| guard.not_tried(attempt));
            tracing::warn!(code, "the API does not say whose a token is (SelfSubjectReview)");
            Err(Refusal::unavailable("This cluster does not say whose a token is."))
        }
    }
}

// === impl Token ===

impl Token {
    /// `None`: it cannot be one.
    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|octet| (b'!'..=b'~').contains(&octet)) {
            return None;
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).ok()?;
        header.set_sensitive(true);
        let mut own = [0; 32];
        own.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
        Some(Self { header: Sealed::new(header), digest: own, refused: AtomicBool::new(false) })
    }

    /// As it stands in `Authorization`.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.open().clone()
    }

    /// What tells it from others.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The API does not take it any more.
    pub(crate) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

// === impl Tries ===

impl Tries {
    fn with<T>(&self, act: impl FnOnce(&mut Guard, Instant) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_token_is_sent() {
        for good in ["abc", " a.b-c_d~e+f/g=\n"] {
            assert!(Token::new(good).is_some(), "{good:?}");
        }
        for bad in ["", " ", "a b", "a\r\nImpersonate-User: root", "ä"] {
            assert!(Token::new(bad).is_none(), "{bad:?}");
        }
        let token = Token::new("secret-text").expect("a token");
        assert!(!format!("{token:?} {:?}", token.header()).contains("secret-text"), "it is shown nowhere");
        assert_eq!(token.header(), "Bearer secret-text");
    }
}
