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
    pub(crate) group: String,
    pub(crate) resource: String,
    /// Empty: all of them.
    pub(crate) namespace: String,
    /// Empty: all of them.
    pub(crate) name: String,
    /// Empty: the object itself.
    pub(crate) subresource: String,
}

/// What was answered of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    known: Arc<Mutex<HashMap<Asked, (Instant, bool)>>>,
}

/// Who, with which groups and which token, and what.
type Asked = (String, Vec<String>, Option<[u8; 32]>, Deed);

// === impl Deed ===

impl Deed {
    pub(crate) fn new(verb: &'static str, group: &str, resource: &str, namespace: &str, name: &str) -> Self {
        let [group, resource, namespace, name] = [group, resource, namespace, name].map(str::to_owned);
        Self { verb, group, resource, namespace, name, subresource: String::new() }
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
        let token = account.token.as_ref().map(|it| it.digest());
        let key = (account.user.clone(), account.groups.clone(), token, deed.clone());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some((_, allowed)) = known.filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(allowed);
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "verb": deed.verb, "group": deed.group, "resource": deed.resource, "namespace": deed.namespace, "name": deed.name,
                "subresource": deed.subresource,
            } },
        });
        let (code, answer) = relay.ask(account, Method::POST, REVIEW, Some(&review)).await?;
        let allowed = match (code, answer["status"]["allowed"].as_bool()) {
            (200 | 201, Some(allowed)) => allowed,
            (401, _) if account.token.is_some() => return Err(Refusal::not_signed_in()),
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
                let (verb, resource, group) = (deed.verb, &deed.resource, &deed.group);
                let place = if deed.namespace.is_empty() { String::new() } else { format!(" in {}", deed.namespace) };
                Err(Refusal::forbidden(format!("You may not {verb} {resource}.{group}{place}.")))
            }
        }
    }
}
