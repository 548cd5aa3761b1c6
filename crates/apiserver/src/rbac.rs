//! Who may do what: Kubernetes' role-based access control.
//!
//! ```text
//! roles, bindings in the store ─► rights (an index that follows the store) ─► policy: allows(user, attempt)?
//!                                                                          └► cover: may this user grant that rule?
//! ```
//!
//! `rule`, `policy` and `cover` are pure. It is *not* an authenticator: who asks is `crate::access`' and `crate::token`s' word.
//!
//! **Invariant:** what no rule grants is refused. A role that is missing or cannot be read grants nothing.
//! **Invariant:** a change of a role or a binding holds for the first request after its acknowledgement, whoever made it.

pub(crate) mod aggregate;
pub(crate) mod attempt;
pub(crate) mod cover;
pub(crate) mod defaults;
pub(crate) mod escalation;
pub(crate) mod policy;
pub(crate) mod rights;
pub(crate) mod rule;

pub(crate) use attempt::Attempt;
pub(crate) use policy::Decision;
pub(crate) use rights::Rights;

pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";
/// How the keys of roles and bindings begin.
pub(crate) const PREFIX: &str = "rbac.authorization.k8s.io/";
