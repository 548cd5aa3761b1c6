//! Nobody gives rights that they do not have: neither in a role nor by a binding.
//!
//! Who has the verb `escalate` on a role, or `bind` on the role of a binding, may.

use serde_json::Value;

use super::policy::Sort;
use super::rule::{Rule, quoted};
use super::{Attempt, GROUP, cover};
use crate::api::{Api, Ask};
use crate::failure::Failure;
use crate::object::{Object, as_map};

const NOT_ADMIN: &str = "must have cluster-admin privileges to use the aggregationRule";

/// Refuses a role or a binding that gives more than its writer has.
///
/// # Errors
/// `Forbidden` with what is missing; `NotFound` for a binding to a role that is not there.
pub(crate) fn guard(api: &Api, ask: &Ask, old: Option<&Value>, new: Option<&Value>) -> Result<(), Failure> {
    let Some(new) = new else { return Ok(()) };
    let sort = Sort::of_plural(&ask.kind.plural).filter(|_| ask.kind.group == GROUP);
    let Some(sort) = sort else { return Ok(()) };
    if ask.user.is_master() || old.is_some_and(|old| without_bookkeeping(old) == without_bookkeeping(new)) {
        return Ok(());
    }
    match sort {
        Sort::ClusterRole | Sort::Role => role(api, ask, old, new),
        Sort::ClusterRoleBinding | Sort::RoleBinding => binding(api, ask, new),
    }
}

/// Without what the garbage collector must be able to change.
fn without_bookkeeping(object: &Value) -> Value {
    let mut object = object.clone();
    let meta = object.meta_mut();
    for field in ["ownerReferences", "finalizers", "managedFields", "resourceVersion"] {
        meta.shift_remove(field);
    }
    as_map(&mut object).retain(|_, value| !value.is_null());
    object
}

fn role(api: &Api, ask: &Ask, old: Option<&Value>, new: &Value) -> Result<(), Failure> {
    let target = &ask.target;
    let escalate = Attempt::on("escalate", GROUP, &ask.kind.plural, &target.namespace, &target.name);
    if api.rights.check(&ask.user, &escalate).allowed {
        return Ok(());
    }
    confirm(api, ask, new.name(), &Rule::read_all(new))?;
    // What gathers may gather anything, sooner or later.
    let gathers = |role: &Value| role.get("aggregationRule").is_some_and(|rule| !rule.is_null());
    if gathers(new) || old.is_some_and(gathers) {
        let everything = [Rule::resources(&["*"], "*", "*"), Rule::urls("*", "*")];
        confirm(api, ask, new.name(), &everything).map_err(|_| Failure::forbidden(&ask.kind, new.name(), NOT_ADMIN))?;
    }
    Ok(())
}

fn binding(api: &Api, ask: &Ask, new: &Value) -> Result<(), Failure> {
    let namespace = &ask.target.namespace;
    let reference = &new["roleRef"];
    let name = reference["name"].as_str().unwrap_or("");
    let (plural, of) = if reference["kind"] == "Role" { ("roles", namespace.as_str()) } else { ("clusterroles", "") };
    if api.rights.check(&ask.user, &Attempt::on("bind", GROUP, plural, namespace, name)).allowed {
        return Ok(());
    }
    let rules = api.rights.read(|policy| policy.role(of, name).cloned());
    match rules {
        Some(rules) => confirm(api, ask, new.name(), &rules),
        // As Kubernetes says it: of the binding's kind, with the role's name.
        None => Err(Failure::not_found(&ask.kind, name)),
    }
}

fn confirm(api: &Api, ask: &Ask, name: &str, wanted: &[Rule]) -> Result<(), Failure> {
    let user = &ask.user;
    let missing = api.rights.read(|policy| cover::missing(&policy.rules_for(user, &ask.target.namespace), wanted));
    if missing.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = missing.iter().map(Rule::brief).collect();
    lines.sort_unstable();
    lines.dedup();
    let why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        user.user,
        quoted(&user.groups),
        lines.join("\n")
    );
    Err(Failure::forbidden(&ask.kind, name, &why))
}
