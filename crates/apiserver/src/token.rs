//! Tokens of ServiceAccounts: made on request (`kubectl create token`), signed with a key of the data directory.
//!
//! ```text
//! TokenRequest ─► claims ─► sign (ES256) ─► token ─► verify, times, audience, ServiceAccount and bound object still there ─► Identity
//! ```
//!
//! **Invariant:** a token is good only as long as its ServiceAccount, and what it is bound to, is there with the same uid.

use http::StatusCode;
use serde_json::{Value, json};

use crate::access::Identity;
use crate::api::{Api, Ask};
use crate::body::Parsed;
use crate::clock;
use crate::failure::{Cause, Failure};
use crate::names;
use crate::object::{Object, as_map, decode, empty};

pub(crate) use signer::Signer;

pub(crate) mod lasting;
mod signer;

pub(crate) const GROUP: &str = "authentication.k8s.io";
pub(crate) const KIND: &str = "TokenRequest";
/// Whom a token is for that does not say: this API. It issues them, too.
pub(crate) const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

const USUAL: i64 = 3600;
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;
/// By how much the clock that a token was made by may be ahead: it may have been set back since.
const AHEAD: i64 = 60;
const CLAIMS: &str = "kubernetes.io";
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

pub(crate) fn is_target(ask: &Ask) -> bool {
    ask.kind.is("", "serviceaccounts") && ask.target.subresource == "token"
}

/// Answers a `TokenRequest` for a ServiceAccount.
pub(crate) fn request(api: &Api, ask: &Ask, body: Parsed) -> Result<crate::reply::Reply, Failure> {
    let mut asked = body.value;
    check(&asked)?;
    let stored = api.store.get(&ask.key()).ok_or_else(|| Failure::not_found(&ask.kind, &ask.target.name))?;
    let account = decode(&ask.kind, &stored);
    if !asked.name().is_empty() && asked.name() != ask.target.name {
        let message = format!("Invalid value: {:?}: must match the service account name if specified", asked.name());
        return Err(Failure::invalid_review_of(GROUP, KIND, &ask.target.name, Cause::new("FieldValueInvalid", "metadata.name", message)));
    }
    if !asked.namespace().is_empty() && asked.namespace() != ask.target.namespace {
        return Err(Failure::misplaced());
    }
    let spec = as_map(as_map(&mut asked).entry("spec").or_insert_with(empty));
    if spec.get("audiences").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        spec.insert("audiences".into(), json!([AUDIENCE]));
    }
    let seconds = spec.get("expirationSeconds").and_then(Value::as_i64).unwrap_or(USUAL);
    spec.insert("expirationSeconds".into(), seconds.into());
    spec.entry("boundObjectRef").or_insert(Value::Null);
    let (namespace, name) = (account.namespace(), account.name());
    let mut own = json!({ "namespace": namespace, "serviceaccount": { "name": name, "uid": account.meta_str("uid") } });
    if let Some(reference) = spec.get("boundObjectRef").filter(|reference| !reference.is_null()) {
        let (kind, object) = bound(api, ask, reference)?;
        own[kind] = json!({ "name": object.name(), "uid": object.meta_str("uid") });
    }
    let now = clock::seconds();
    let mut claims = json!({
        "aud": spec["audiences"], "exp": now + seconds, "iat": now, "iss": AUDIENCE, "jti": names::uid(), "nbf": now,
        "sub": crate::access::service_account(namespace, name),
    });
    claims[CLAIMS] = own;
    let token = if ask.dry_run { String::new() } else { api.signer.sign(&claims).map_err(Failure::internal)? };
    let expires = jiff::Timestamp::from_second(now + seconds).map_err(Failure::internal)?;
    let answer = json!({
        "kind": KIND, "apiVersion": format!("{GROUP}/v1"),
        "metadata": { "name": name, "namespace": namespace, "creationTimestamp": clock::now() },
        "spec": spec, "status": { "token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() },
    });
    Ok(ask.format.reply(StatusCode::CREATED, &answer))
}

pub(crate) fn check(asked: &Value) -> Result<(), Failure> {
    let said = |field: &str| asked.get(field).and_then(Value::as_str).unwrap_or("");
    if !asked.is_object() || !matches!(said("kind"), "" | KIND) || !matches!(said("apiVersion"), "" | "authentication.k8s.io/v1") {
        return Err(Failure::bad_request(format!("the body must be a {KIND} of {GROUP}/v1")));
    }
    let invalid = |field: &str, message: String| Failure::invalid_review(GROUP, KIND, Cause::new("FieldValueInvalid", field, message));
    let spec = asked.get("spec").unwrap_or(&Value::Null);
    let audiences = spec.get("audiences").unwrap_or(&Value::Null);
    let strings = audiences.as_array().is_some_and(|list| list.iter().all(|one| one.as_str().is_some_and(|text| !text.is_empty())));
    if !audiences.is_null() && !strings {
        return Err(invalid("spec.audiences", format!("Invalid value: {audiences}: must be a list of texts")));
    }
    match spec.get("expirationSeconds").filter(|seconds| !seconds.is_null()) {
        None => Ok(()),
        Some(value) => {
            let wrong = |what: &str| Err(invalid("spec.expirationSeconds", format!("Invalid value: {value}: {what}")));
            match value.as_i64() {
                None => wrong("must be a whole number"),
                Some(..SHORTEST) => wrong("may not specify a duration less than 10 minutes"),
                Some(seconds) if seconds > LONGEST => wrong("may not specify a duration larger than 2^32 seconds"),
                Some(_) => Ok(()),
            }
        }
    }
}

/// What the token is to end with: its word in the claims, and the object.
fn bound(api: &Api, ask: &Ask, reference: &Value) -> Result<(&'static str, Value), Failure> {
    let text = |field: &str| reference.get(field).and_then(Value::as_str).unwrap_or("");
    let (word, plural) = match (text("kind"), text("apiVersion")) {
        ("Pod", "v1" | "") => ("pod", "pods"),
        ("Secret", "v1" | "") => ("secret", "secrets"),
        ("Node", "v1" | "") => ("node", "nodes"),
        (kind, version) => {
            let slash = if version.contains('/') { "" } else { "/" };
            return Err(Failure::bad_request(format!("cannot bind token to object of type {slash}{version}, Kind={kind}")));
        }
    };
    let kinds = api.kinds();
    let kind = kinds.find("", "v1", plural).ok_or_else(Failure::no_resource)?;
    let name = text("name");
    let stored = api.store.get(&kind.key(&ask.target.namespace, name)).ok_or_else(|| Failure::not_found(kind, name))?;
    let object = decode(kind, &stored);
    let (wanted, is) = (text("uid"), object.meta_str("uid"));
    if !wanted.is_empty() && wanted != is {
        return Err(Failure::conflict_of_kind(
            kind,
            name,
            &format!(
                "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated"
            ),
        ));
    }
    let account = object.pointer("/spec/serviceAccountName").and_then(Value::as_str).unwrap_or("default");
    if word == "pod" && account != ask.target.name {
        let asked = &ask.target.name;
        return Err(Failure::bad_request(format!(
            "cannot bind token for serviceaccount {asked:?} to pod running with different serviceaccount name."
        )));
    }
    Ok((word, object))
}

/// Those of `audiences` that verified claims are for now.
///
/// # Errors
/// Why they are for none of them.
pub(crate) fn meant(claims: &Value, audiences: &[String]) -> Result<Vec<String>, &'static str> {
    let now = clock::seconds();
    let number = |field: &str| claims.get(field).and_then(Value::as_i64);
    if claims["iss"] != AUDIENCE {
        return Err("of another issuer");
    }
    if number("exp").is_none_or(|until| until <= now) {
        return Err("expired");
    }
    if number("nbf").is_none_or(|from| from > now + AHEAD) {
        return Err("not valid yet");
    }
    let own = claims["aud"].as_array().map_or(&[][..], Vec::as_slice);
    let meant: Vec<String> = audiences.iter().filter(|one| own.iter().any(|audience| audience == one.as_str())).cloned().collect();
    if meant.is_empty() { Err("for another audience") } else { Ok(meant) }
}

/// The ServiceAccount that verified claims are of, as long as it is there.
///
/// # Errors
/// What is gone.
pub(crate) fn subject(api: &Api, claims: &Value) -> Result<Identity, &'static str> {
    let own = &claims[CLAIMS];
    let namespace = own["namespace"].as_str().ok_or("without a namespace")?;
    let account = &own["serviceaccount"];
    let name = account["name"].as_str().ok_or("without a ServiceAccount")?;
    if !is_there(api, "serviceaccounts", namespace, account) {
        return Err("its ServiceAccount is gone");
    }
    let mut user = Identity::of_service_account(namespace, name);
    user.uid = account["uid"].as_str().unwrap_or("").to_owned();
    if let Some(id) = claims["jti"].as_str() {
        user.extra.insert(CREDENTIAL.into(), vec![format!("JTI={id}")]);
    }
    for (word, plural) in [("pod", "pods"), ("secret", "secrets"), ("node", "nodes")] {
        let Some(object) = own.get(word) else { continue };
        if !is_there(api, plural, namespace, object) {
            return Err("what it is bound to is gone");
        }
        if word != "secret" {
            for field in ["name", "uid"] {
                let value = object[field].as_str().unwrap_or("").to_owned();
                user.extra.insert(format!("authentication.kubernetes.io/{word}-{field}"), vec![value]);
            }
        }
    }
    Ok(user)
}

/// Whether the object that claims name is there, and not about to go.
fn is_there(api: &Api, plural: &str, namespace: &str, claimed: &Value) -> bool {
    let kinds = api.kinds();
    let (Some(kind), Some(name)) = (kinds.find("", "v1", plural), claimed["name"].as_str()) else { return false };
    let Some(stored) = api.store.get(&kind.key(namespace, name)) else { return false };
    let object = decode(kind, &stored);
    let uid = object.meta_str("uid");
    !uid.is_empty() && claimed["uid"] == *uid && !object.is_deleting()
}
