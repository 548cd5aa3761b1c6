//! Where passwords are kept: Secret `password-NAME` in the system's own namespace, owned by its User.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Sealed;
use serde_json::{Value, json};
use store::{Expect, Op};

use super::{GROUP, KIND, NAMESPACE, Password, User, VERSION};
use crate::api::Api;
use crate::failure::Failure;
use crate::object::{Object, decode, encode};
use crate::{builtin, clock, names};

/// How the keys of these Secrets begin.
pub(crate) const PREFIX: &str = "/secrets/paifang-system/password-";
pub(crate) const TYPE: &str = "paifang.dev/password";
pub(crate) const HASH: &str = "hash";
pub(crate) const MUST_CHANGE: &str = "mustChange";
pub(crate) const EPOCH: &str = "epoch";
/// To write what another write came before.
const TRIES: usize = 4;
/// Octets of chance in an epoch.
const CHANCE: usize = 16;

/// A password that is about to be kept.
#[derive(Clone, Debug)]
pub(crate) struct New {
    /// `None` for who gets tokens and has no password.
    pub(crate) hash: Option<Sealed<String>>,
    /// Whether the first login has to choose another.
    pub(crate) must_change: bool,
}

/// The write that keeps `new` for `user` under a new epoch. `over` is the epoch that must be there now.
pub(super) fn op(api: &Api, user: &User, new: &New, over: Option<&str>) -> Result<Op, Failure> {
    let kinds = api.kinds();
    let kind = kinds.find("", "v1", "secrets").ok_or_else(Failure::no_resource)?;
    let name = format!("password-{}", user.name);
    let key = kind.key(NAMESPACE, &name);
    let stored = api.store.get(&key);
    let now = stored.as_ref().and_then(|stored| Password::read(&stored.bytes)).filter(|password| password.owner == user.uid);
    if now.map(|password| password.epoch).as_deref() != over {
        return Err(Failure::password_conflict(&user.name));
    }
    let expect = stored.as_ref().map_or(Expect::Absent, |stored| Expect::Revision(stored.revision));
    let old = stored.map(|stored| decode(kind, &stored)).unwrap_or_default();
    let owner = json!({ "apiVersion": format!("{GROUP}/{VERSION}"), "kind": KIND, "name": user.name, "uid": user.uid });
    let text = |text: &str| Value::from(STANDARD.encode(text));
    let epoch: String = names::chance::<CHANCE>().iter().map(|octet| format!("{octet:02x}")).collect();
    let mut data = json!({ EPOCH: text(&epoch), MUST_CHANGE: text(if new.must_change { "true" } else { "false" }) });
    if let Some(hash) = &new.hash {
        data[HASH] = text(hash.open());
    }
    // One that another user of this name left is not the same object.
    let same = old["metadata"]["ownerReferences"][0]["uid"] == user.uid;
    let kept = |field: &str| if same { old.meta_str(field).to_owned() } else { String::new() };
    let or = |text: String, fresh: fn() -> String| if text.is_empty() { fresh() } else { text };
    let object = json!({
        "metadata": {
            "name": name, "namespace": NAMESPACE, "uid": or(kept("uid"), names::uid),
            "creationTimestamp": or(kept("creationTimestamp"), clock::now),
            "labels": { "app.kubernetes.io/managed-by": "paifang" }, "ownerReferences": [owner],
        },
        "type": TYPE, "data": data,
    });
    Ok(Op::put(key, expect, encode(kind, &object)))
}

/// The write that makes the namespace, or the check that it stays.
pub(super) fn namespace(api: &Api) -> Result<Op, Failure> {
    let kinds = api.kinds();
    let kind = kinds.find("", "v1", "namespaces").ok_or_else(Failure::no_resource)?;
    let key = kind.key("", NAMESPACE);
    let Some(stored) = api.store.get(&key) else {
        return Ok(Op::put(key, Expect::Absent, encode(kind, &builtin::new_namespace(kind, NAMESPACE))));
    };
    match decode(kind, &stored).is_deleting() {
        true => Err(Failure::namespace_terminating(kind, NAMESPACE, NAMESPACE)),
        false => Ok(Op::check(key, Expect::Revision(stored.revision))),
    }
}

/// Keeps a password; every token from before is none from then on.
///
/// What another user of this name left may go in this very moment: then it is tried again, as long as the epoch is `over`.
///
/// # Errors
/// `Conflict` when the epoch is not `over` any more: somebody else changed it just now.
pub(crate) async fn put(api: &Api, user: &User, new: &New, over: Option<&str>) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let ops = vec![namespace(api)?, op(api, user, new, over)?];
        match api.store.write(ops).await {
            Ok(_) => return Ok(()),
            Err(store::WriteError::Conflict { .. } | store::WriteError::Exists { .. } | store::WriteError::NotFound { .. }) => {}
            Err(error) => return Err(Failure::storage(&error)),
        }
    }
    Err(Failure::password_conflict(&user.name))
}
