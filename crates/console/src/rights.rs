//! What somebody may do, as the Kubernetes API says it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use crate::relay::Relay;
use crate::reply::Refusal;
use crate::sign_in::Account;

const REVIEW: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// For so long an answer is good.
pub(crate) const KEPT: Duration = Duration::from_secs(2);
const MOST: usize = 4096;

/// Something that somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Deed {
    pub(crate) verb: &'static str,
    pub(crate) group: &'static str,
    pub(crate) resource: &'static str,
    /// Empty: all of them.
    pub(crate) namespace: String,
    /// Empty: all of them.
    pub(crate) name: String,
}

/// What was answered of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    known: Arc<Mutex<HashMap<Asked, (Instant, bool)>>>,
}

/// Who, with which groups, and what.
type Asked = (String, Vec<String>, Deed);

// === impl Deed ===

impl Deed {
    pub(crate) fn new(verb: &'static str, group: &'static str, resource: &'static str, namespace: &str, name: &str) -> Self {
        Self { verb, group, resource, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Looking at a gateway that somebody has asked for.
    pub(crate) fn gateway(namespace: &str, name: &str) -> Self {
        Self::new("get", "paifang.dev", "ingressgateways", namespace, name)
    }
}

// === impl Rights ===

impl Rights {
    /// Whether somebody may; an answer that is two seconds old is taken.
    ///
    /// # Errors
    /// When the API does not say.
    pub(crate) async fn allow(&self, relay: &Relay, account: &Account, deed: &Deed) -> Result<bool, Refusal> {
        let key = (account.user.clone(), account.groups.clone(), deed.clone());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some((_, allowed)) = known.filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(allowed);
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "verb": deed.verb, "group": deed.group, "resource": deed.resource, "namespace": deed.namespace, "name": deed.name,
            } },
        });
        let (code, answer) = relay.ask(account, Method::POST, REVIEW, Some(&review)).await?;
        let allowed = match (code, answer["status"]["allowed"].as_bool()) {
            (200 | 201, Some(allowed)) => allowed,
            _ => return Err(Refusal::unreachable()),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (at, _)| at.elapsed() < KEPT);
        }
        if known.len() < MOST {
            known.insert(key, (Instant::now(), allowed));
        }
        Ok(allowed)
    }

    /// # Errors
    /// `Forbidden` for who may not.
    pub(crate) async fn check(&self, relay: &Relay, account: &Account, deed: &Deed) -> Result<(), Refusal> {
        match self.allow(relay, account, deed).await? {
            true => Ok(()),
            false => {
                let (verb, resource, group) = (deed.verb, deed.resource, deed.group);
                let place = if deed.namespace.is_empty() { String::new() } else { format!(" in {}", deed.namespace) };
                Err(Refusal::forbidden(format!("You may not {verb} {resource}.{group}{place}.")))
            }
        }
    }
}
