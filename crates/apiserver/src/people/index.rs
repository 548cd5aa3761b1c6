//! Users and their passwords as the store has them, read once for each change.
//!
//! **Invariant:** what cannot be read is nobody's: a User without a uid is not there, a password without an owner or an epoch neither. A
//! `suspended` that is no boolean suspends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Sealed;
use serde_json::Value;

use super::{USERS, kept};
use crate::follow::Index;
use crate::object::Object;

/// A User as far as logging in goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) suspended: bool,
    /// Whether it was asked to go.
    pub(crate) going: bool,
    identities: BTreeSet<String>,
}

/// What is kept of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Password {
    /// The uid of the User.
    pub(crate) owner: String,
    /// `None` for who cannot log in with one.
    pub(crate) hash: Option<Sealed<String>>,
    pub(crate) must_change: bool,
    pub(crate) epoch: String,
}

#[derive(Default)]
pub(super) struct Users {
    by_name: HashMap<String, Arc<User>>,
    by_identity: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Default)]
pub(super) struct Passwords(HashMap<String, Arc<Password>>);

// === impl User ===

impl User {
    pub(super) fn fresh(name: &str, uid: &str) -> Self {
        Self { name: name.into(), uid: uid.into(), suspended: false, going: false, identities: BTreeSet::new() }
    }

    fn read(name: &str, bytes: &[u8]) -> Option<Self> {
        let object: Value = serde_json::from_slice(bytes).ok()?;
        let uid = object.meta_str("uid").to_owned();
        if uid.is_empty() {
            return None;
        }
        let spec = &object["spec"];
        let suspended = !matches!(spec["suspended"], Value::Null | Value::Bool(false));
        let identities = spec["identities"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { name: name.to_owned(), uid, suspended, going: object.is_deleting(), identities })
    }
}

// === impl Password ===

impl Password {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let object: Value = serde_json::from_slice(bytes).ok()?;
        if object["type"] != kept::TYPE || object.is_deleting() {
            return None;
        }
        let owners = object["metadata"]["ownerReferences"].as_array()?;
        let owner = owners.iter().find(|owner| owner["kind"] == super::KIND)?["uid"].as_str()?.to_owned();
        let text = |key: &str| {
            let octets = STANDARD.decode(object["data"][key].as_str()?).ok()?;
            String::from_utf8(octets).ok().filter(|text| !text.is_empty())
        };
        let epoch = text(kept::EPOCH)?;
        Some(Self {
            owner,
            hash: text(kept::HASH).map(Sealed::new),
            must_change: text(kept::MUST_CHANGE).as_deref() == Some("true"),
            epoch,
        })
    }
}

// === impl Users ===

impl Users {
    pub(super) fn get(&self, name: &str) -> Option<Arc<User>> {
        self.by_name.get(name).cloned()
    }

    pub(super) fn of_identity(&self, identity: &str) -> Vec<Arc<User>> {
        self.by_identity.get(identity).into_iter().flatten().filter_map(|name| self.get(name)).collect()
    }

    fn forget(&mut self, name: &str) {
        let Some(old) = self.by_name.remove(name) else { return };
        for identity in &old.identities {
            if let Some(names) = self.by_identity.get_mut(identity) {
                names.remove(name);
                if names.is_empty() {
                    self.by_identity.remove(identity);
                }
            }
        }
    }
}

impl Index for Users {
    fn put(&mut self, key: &str, bytes: &[u8]) {
        self.remove(key);
        let Some(user) = key.strip_prefix(USERS).and_then(|name| User::read(name, bytes)) else { return };
        for identity in &user.identities {
            self.by_identity.entry(identity.clone()).or_default().insert(user.name.clone());
        }
        self.by_name.insert(user.name.clone(), Arc::new(user));
    }

    fn remove(&mut self, key: &str) {
        if let Some(name) = key.strip_prefix(USERS) {
            self.forget(name);
        }
    }
}

// === impl Passwords ===

impl Passwords {
    pub(super) fn get(&self, user: &str) -> Option<Arc<Password>> {
        self.0.get(user).cloned()
    }
}

impl Index for Passwords {
    fn put(&mut self, key: &str, bytes: &[u8]) {
        let Some(user) = key.strip_prefix(kept::PREFIX) else { return };
        match Password::read(bytes) {
            Some(password) => self.0.insert(user.to_owned(), Arc::new(password)),
            None => self.0.remove(user),
        };
    }

    fn remove(&mut self, key: &str) {
        if let Some(user) = key.strip_prefix(kept::PREFIX) {
            self.0.remove(user);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(users: &mut Users, name: &str, spec: &Value) {
        let object = json!({ "metadata": { "name": name, "uid": format!("uid-{name}") }, "spec": spec });
        Index::put(users, &format!("{USERS}{name}"), object.to_string().as_bytes());
    }

    #[test]
    fn users_are_found_by_name_and_by_identity() {
        let mut users = Users::default();
        put(&mut users, "ann", &json!({ "identities": ["oidc:a", "oidc:b"] }));
        put(&mut users, "bob", &json!({ "identities": ["oidc:b"] }));
        let names = |users: &Users, identity: &str| users.of_identity(identity).iter().map(|user| user.name.clone()).collect::<Vec<_>>();
        assert_eq!((names(&users, "oidc:a"), names(&users, "oidc:b")), (vec!["ann".into()], vec!["ann".into(), "bob".into()]));
        put(&mut users, "ann", &json!({ "identities": ["oidc:c"] }));
        assert_eq!((names(&users, "oidc:a"), names(&users, "oidc:b")), (vec![], vec!["bob".to_owned()]));
        users.remove(&format!("{USERS}ann"));
        assert!(users.get("ann").is_none() && users.of_identity("oidc:c").is_empty() && users.get("bob").is_some());
        assert_eq!(users.by_identity.len(), 1, "nothing is left behind");
    }

    #[test]
    fn what_cannot_be_read_lets_nobody_in() {
        let mut users = Users::default();
        for (spec, suspended) in [(json!({}), false), (json!({ "suspended": false }), false), (json!({ "suspended": "no" }), true)] {
            put(&mut users, "ann", &spec);
            assert_eq!(users.get("ann").expect("there").suspended, suspended, "{spec}");
        }
        Index::put(&mut users, &format!("{USERS}ann"), b"{}");
        assert!(users.get("ann").is_none());
        let good = json!({
            "metadata": { "ownerReferences": [{ "kind": "User", "uid": "u" }] }, "type": kept::TYPE,
            "data": { "hash": STANDARD.encode("h"), "epoch": STANDARD.encode("e"), "mustChange": STANDARD.encode("true") },
        });
        let read = |object: &Value| Password::read(object.to_string().as_bytes());
        let password = Password { owner: "u".into(), hash: Some(Sealed::new("h".into())), must_change: true, epoch: "e".into() };
        assert_eq!(read(&good), Some(password));
        for (pointer, value) in [
            ("/type", json!("Opaque")),
            ("/data/epoch", json!("")),
            ("/data/epoch", json!("*")),
            ("/metadata/ownerReferences/0/kind", json!("Pod")),
            ("/metadata/ownerReferences", Value::Null),
        ] {
            let mut broken = good.clone();
            *broken.pointer_mut(pointer).expect("a field") = value;
            assert_eq!(read(&broken), None, "{pointer}");
        }
    }
}
