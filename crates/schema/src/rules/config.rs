//! Secret and ConfigMap.

use base64::Engine;
use serde_json::Value;

use super::{entries, given, immutable, say, text};
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

const MOST_BYTES: usize = 1 << 20;
const FROZEN: &str = "field is immutable when `immutable` is set";

pub(super) fn check_secret(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let data = Path::new("data");
    let mut bytes = 0;
    for (key, value) in entries(new, "data") {
        say(found, &data.key(key), key.as_str(), name::config_key(key));
        bytes += decoded_length(value);
    }
    if bytes > MOST_BYTES {
        found.push(data.too_long(MOST_BYTES));
    }
    for key in required_keys(text(new, "type")) {
        if new.get("data").and_then(|data| data.get(key)).is_none() {
            found.push(data.key(key).required(""));
        }
    }
    check_typed(new, &data, found);
    if let Some(old) = old {
        immutable(found, &Path::new("type"), new.get("type"), old.get("type"));
        check_frozen(new, old, &["data"], found);
    }
}

/// The keys a Secret of a well-known type must have.
fn required_keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    }
}

fn check_typed(new: &Value, data: &Path<'_>, found: &mut Vec<Violation>) {
    let has = |key: &str| new.get("data").is_some_and(|data| data.get(key).is_some());
    match text(new, "type") {
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            found.push(data.key("username").required(""));
            found.push(data.key("password").required(""));
        }
        "kubernetes.io/service-account-token" => {
            let (metadata, key) = (Path::new("metadata"), "kubernetes.io/service-account.name");
            let name = new.pointer("/metadata/annotations").and_then(|all| all.get(key)?.as_str()).unwrap_or("");
            if name.is_empty() {
                let at = metadata.child("annotations");
                found.push(at.key(key).required(""));
            }
        }
        "kubernetes.io/dockercfg" => check_json(new, ".dockercfg", data, found),
        "kubernetes.io/dockerconfigjson" => check_json(new, ".dockerconfigjson", data, found),
        _ => {}
    }
}

fn check_json(new: &Value, key: &str, data: &Path<'_>, found: &mut Vec<Violation>) {
    let Some(text) = new.get("data").and_then(|data| data.get(key)?.as_str()) else { return };
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    if let Err(why) = serde_json::from_slice::<Value>(&bytes) {
        // The value is a credential: it is not shown.
        found.push(data.key(key).invalid("<secret contents redacted>", why.to_string()));
    }
}

pub(super) fn check_config_map(new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    let (data, binary) = (Path::new("data"), Path::new("binaryData"));
    let mut bytes = 0;
    for (key, value) in entries(new, "data") {
        say(found, &data.key(key), key.as_str(), name::config_key(key));
        if new.get("binaryData").is_some_and(|binary| binary.get(key).is_some()) {
            found.push(data.key(key).invalid(key.as_str(), "duplicate of key present in binaryData"));
        }
        bytes += value.as_str().map_or(0, str::len);
    }
    for (key, value) in entries(new, "binaryData") {
        say(found, &binary.key(key), key.as_str(), name::config_key(key));
        bytes += decoded_length(value);
    }
    if bytes > MOST_BYTES {
        found.push(Path::new("").too_long(MOST_BYTES));
    }
    if let Some(old) = old {
        check_frozen(new, old, &["data", "binaryData"], found);
    }
}

/// Once `immutable` is set, neither it nor the data changes.
fn check_frozen(new: &Value, old: &Value, fields: &[&str], found: &mut Vec<Violation>) {
    if old.get("immutable") != Some(&Value::Bool(true)) {
        return;
    }
    if new.get("immutable") != Some(&Value::Bool(true)) {
        found.push(Path::new("immutable").forbidden(FROZEN));
    }
    for field in fields {
        let filled = |value: &Value| given(value, field).filter(|data| data.as_object().is_none_or(|data| !data.is_empty())).cloned();
        if filled(new) != filled(old) {
            found.push(Path::new(field).forbidden(FROZEN));
        }
    }
}

fn decoded_length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.trim_end_matches('=').len() / 4 * 3)
}
