//! Tokens of ServiceAccounts that stand in a Secret and do not expire: Secrets of type `kubernetes.io/service-account-token`.
//!
//! ```text
//! Secret that names an account ─► filled in: token, ca.crt, namespace        account or Secret gone ─► Secret gone, token none
//! ```
//!
//! **Invariant:** such a token is good only as long as its Secret holds it and its ServiceAccount is there with the same uid.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use store::{Expect, Object as Stored, Op};

use crate::access::{Identity, service_account};
use crate::api::Api;
use crate::kinds::Kind;
use crate::object::{Object, as_map, decode, empty, encode};

pub(crate) const ISSUER: &str = "kubernetes/serviceaccount";
const TYPE: &str = "kubernetes.io/service-account-token";
const NAME: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";
const CLAIM_NAMESPACE: &str = "kubernetes.io/serviceaccount/namespace";
const CLAIM_SECRET: &str = "kubernetes.io/serviceaccount/secret.name";
const CLAIM_NAME: &str = "kubernetes.io/serviceaccount/service-account.name";
const CLAIM_UID: &str = "kubernetes.io/serviceaccount/service-account.uid";
/// In the bytes of such a Secret.
const MARK: &[u8] = br#""type":"kubernetes.io/service-account-token""#;

/// Whose token it is.
///
/// # Errors
/// What is gone.
pub(crate) fn subject(api: &Api, token: &str, claims: &Value) -> Result<Identity, &'static str> {
    let text = |field: &str| claims[field].as_str().unwrap_or("");
    let (namespace, name, secret) = (text(CLAIM_NAMESPACE), text(CLAIM_NAME), text(CLAIM_SECRET));
    let account = object(api, "serviceaccounts", namespace, name).ok_or("its ServiceAccount is gone")?;
    if account.meta_str("uid").is_empty() || account.meta_str("uid") != text(CLAIM_UID) {
        return Err("its ServiceAccount is gone");
    }
    let secret = object(api, "secrets", namespace, secret).ok_or("its Secret is gone")?;
    if secret["type"] != TYPE || secret["data"]["token"] != STANDARD.encode(token) {
        return Err("its Secret holds another token");
    }
    let mut user = Identity::of_service_account(namespace, name);
    user.uid = account.meta_str("uid").to_owned();
    Ok(user)
}

/// An object of the core group that is there to stay.
fn object(api: &Api, plural: &str, namespace: &str, name: &str) -> Option<Value> {
    let kinds = api.kinds();
    let kind = kinds.find("", "v1", plural).filter(|_| !name.is_empty())?;
    let object = decode(kind, &api.store.get(&kind.key(namespace, name))?);
    (!object.is_deleting()).then_some(object)
}

/// Whether the bytes of a Secret are those of one for a token.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MARK).is_some()
}

/// What has to be written so that the Secrets for tokens are as they should be.
pub(crate) fn due(api: &Api, authority: &str) -> Vec<Op> {
    let kinds = api.kinds();
    let Some(kind) = kinds.find("", "v1", "secrets") else { return Vec::new() };
    let secrets = api.store.list(&kind.root).1.into_iter();
    let tokens = secrets.filter(|(_, stored)| is_token(&stored.bytes));
    tokens.filter_map(|(key, stored)| settle(api, kind, authority, &key, &stored)).collect()
}

fn settle(api: &Api, kind: &Kind, authority: &str, key: &str, stored: &Stored) -> Option<Op> {
    let mut secret = decode(kind, stored);
    if secret["type"] != TYPE || secret.is_deleting() {
        return None;
    }
    let annotation = |secret: &Value, key: &str| secret["metadata"]["annotations"][key].as_str().unwrap_or("").to_owned();
    let (namespace, name, uid) = (secret.namespace().to_owned(), annotation(&secret, NAME), annotation(&secret, UID));
    let expect = Expect::Revision(stored.revision);
    let account = object(api, "serviceaccounts", &namespace, &name);
    let Some(account) = account.filter(|account| uid.is_empty() || account.meta_str("uid") == uid) else {
        return Some(Op::delete(key, expect));
    };
    let uid = account.meta_str("uid");
    let before = secret.clone();
    as_map(secret.meta_mut().entry("annotations").or_insert_with(empty)).insert(UID.into(), uid.into());
    let token = json!({
        "iss": ISSUER, "sub": service_account(&namespace, &name), CLAIM_NAMESPACE: namespace, CLAIM_SECRET: secret.name(),
        CLAIM_NAME: name, CLAIM_UID: uid,
    });
    let data = as_map(as_map(&mut secret).entry("data").or_insert_with(empty));
    data.insert("ca.crt".into(), STANDARD.encode(authority).into());
    data.insert("namespace".into(), STANDARD.encode(&namespace).into());
    let missing = data.get("token").and_then(Value::as_str).is_none_or(str::is_empty);
    if missing {
        // One that cannot be signed now is signed at the next look.
        data.insert("token".into(), STANDARD.encode(api.signer.sign(&token).ok()?).into());
    }
    (secret != before).then(|| Op::put(key, expect, encode(kind, &secret)))
}
