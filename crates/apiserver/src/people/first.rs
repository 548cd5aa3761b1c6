//! The first start: somebody must be able to log in.
//!
//! **Invariant:** it happens once, whole or not at all: the same write marks the namespace of the system. A User who is there already keeps
//! its password.

use login::password;
use model::Sealed;
use serde_json::json;
use store::{Expect, Op};

use super::{GROUP, NAMESPACE, PLURAL, User, VERSION, kept};
use crate::api::Api;
use crate::failure::Failure;
use crate::object::{Object, as_map, decode, empty, encode};
use crate::{StartError, builtin, clock, names, rbac};

const ADMIN: &str = "admin";
const ROLE: &str = "platform-admin";
/// When the first start was.
const MARK: &str = "paifang.dev/first-start";

/// Who can log in after the first start.
#[derive(Clone, Debug)]
pub enum FirstLogin {
    /// `admin`, by a password that is made up, told once and good for choosing another.
    OneTime,
    /// `admin`, by this password.
    Password(Sealed<String>),
}

/// The first login, for the one who starts this.
#[derive(Clone, Debug)]
pub struct OneTime {
    pub user: String,
    pub password: Sealed<String>,
}

/// Makes the namespace of the system, and at the first start who can log in.
pub(crate) async fn settle(api: &Api, first: &FirstLogin) -> Result<Option<OneTime>, StartError> {
    let Some(namespace) = mark(api).map_err(|failure| failed(&failure))? else { return Ok(None) };
    let (password, must_change) = match first {
        FirstLogin::Password(password) => (password.clone(), false),
        FirstLogin::OneTime => (password::one_time().map_err(|error| StartError::Login { reason: error.to_string() })?, true),
    };
    let hash = api.people.hashing.hash(password.clone()).await.map_err(|error| StartError::Login { reason: error.to_string() })?;
    let (admin, has_password) = admin(api, &kept::New { hash: Some(hash), must_change }).map_err(|failure| failed(&failure))?;
    api.store.write([namespace].into_iter().chain(admin).collect()).await?;
    Ok((must_change && !has_password).then(|| OneTime { user: ADMIN.into(), password }))
}

/// The write that says that this start was the first; `None` when one has said so.
fn mark(api: &Api) -> Result<Option<Op>, Failure> {
    let kinds = api.kinds();
    let kind = kinds.find("", "v1", "namespaces").ok_or_else(Failure::no_resource)?;
    let key = kind.key("", NAMESPACE);
    let stored = api.store.get(&key);
    let expect = stored.as_ref().map_or(Expect::Absent, |stored| Expect::Revision(stored.revision));
    let mut namespace = stored.map_or_else(|| builtin::new_namespace(kind, NAMESPACE), |stored| decode(kind, &stored));
    let annotations = as_map(namespace.meta_mut().entry("annotations").or_insert_with(empty));
    if annotations.insert(MARK.into(), clock::now().into()).is_some() {
        return Ok(None);
    }
    Ok(Some(Op::put(key, expect, encode(kind, &namespace))))
}

/// The User, its binding and its password, as far as they are not there; whether the password was.
fn admin(api: &Api, new: &kept::New) -> Result<(Vec<Op>, bool), Failure> {
    let kinds = api.kinds();
    let kind = kinds.find(GROUP, VERSION, PLURAL).ok_or_else(Failure::no_resource)?;
    let binding_kind = kinds.find(rbac::GROUP, "v1", "clusterrolebindings").ok_or_else(Failure::no_resource)?;
    let mut ops = Vec::new();
    let user = match api.people.user(ADMIN) {
        Some(user) => user,
        None => {
            let user = User::fresh(ADMIN, &names::uid());
            let object = json!({
                "metadata": { "name": ADMIN, "uid": user.uid, "creationTimestamp": clock::now(), "generation": 1 }, "spec": {},
            });
            ops.push(Op::put(kind.key("", ADMIN), Expect::Absent, encode(kind, &object)));
            user.into()
        }
    };
    let name = format!("{ADMIN}-{ROLE}");
    let key = binding_kind.key("", &name);
    if api.store.get(&key).is_none() {
        let object = json!({
            "metadata": { "name": name, "uid": names::uid(), "creationTimestamp": clock::now() },
            "subjects": [{ "kind": "User", "apiGroup": rbac::GROUP, "name": ADMIN }],
            "roleRef": { "apiGroup": rbac::GROUP, "kind": "ClusterRole", "name": ROLE },
        });
        ops.push(Op::put(key, Expect::Absent, encode(binding_kind, &object)));
    }
    let has_password = api.people.password(&user).is_some();
    if !has_password {
        ops.push(kept::op(api, &user, new, None)?);
    }
    Ok((ops, has_password))
}

fn failed(failure: &Failure) -> StartError {
    StartError::Login { reason: failure.message().to_owned() }
}
