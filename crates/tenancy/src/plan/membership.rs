//! What workspaces and projects have alike: admins from the start, words for people, owners.

use super::Plan;
use super::keep::Owner;
use super::status::Condition;
use crate::catalogue::ADMIN;
use crate::names::{ALIAS, DESCRIPTION, RBAC, VERSION, invitation};
use crate::object::{Kind, Object, Subject};
use crate::world::{Key, World};
use crate::write::Write;
use serde_json::{Value, json};

/// Binds those of `spec.admins` who are not yet bound.
pub(super) fn seed(plan: &mut Plan<'_>, object: &Object, namespace: &str) {
    for admin in object.texts("/spec/admins") {
        let key = Key::new(Kind::RoleBinding, namespace, invitation(admin, ADMIN));
        if plan.world.at(&key).is_none() {
            let role = json!({ "apiGroup": RBAC, "kind": "Role", "name": ADMIN });
            plan.write(Write::create(key, json!({ "roleRef": role, "subjects": [Subject::user(admin).to_value()] })));
        }
    }
}

/// Whether all of `spec.admins` are, or once were, bound in the namespace. Later they may be unbound.
pub(super) fn is_seeded(world: &World, object: &Object, namespace: &Object) -> bool {
    let bound = |admin: &str| world.get(Kind::RoleBinding, namespace.name(), &invitation(admin, ADMIN)).is_some();
    object.text("/status/seeded") == namespace.uid() || object.texts("/spec/admins").all(bound)
}

/// What `status.seeded` should be: the uid of the namespace in which it is ready, or once was.
pub(super) fn seeded(object: &Object, namespace: Option<&Object>, condition: &Condition<'_>) -> Option<String> {
    let before = object.text("/status/seeded");
    match namespace {
        Some(it) if before == it.uid() || condition.status == "True" => Some(it.uid().to_owned()),
        Some(_) => None,
        None => (!before.is_empty()).then(|| before.to_owned()),
    }
}

/// Alias and description of `from`, where `to` does not have them.
pub(super) fn describe(metadata: &mut Value, from: &Object, to: Option<&Object>) {
    for key in [ALIAS, DESCRIPTION] {
        if let Some(text) = from.annotation(key).filter(|it| to.is_none_or(|to| to.annotation(key) != Some(it))) {
            metadata["annotations"][key] = text.into();
        }
    }
}

/// The owners of a namespace, with this Workspace in the place of any other.
pub(super) fn owners(namespace: &Object, workspace: Option<&Owner<'_>>) -> Value {
    let foreign = |it: &&Value| !(it["kind"] == "Workspace" && it["apiVersion"] == VERSION);
    let others = namespace.list("/metadata/ownerReferences").iter().filter(foreign).cloned();
    others.chain(workspace.map(Owner::reference)).collect()
}
