//! Projects: their roles, and the members of their workspace who are members of all of them.
//!
//! | role in the workspace | role in each of its projects |
//! |---|---|
//! | `admin` | `admin` |
//! | `viewer` | `viewer` |

use super::keep::{Binding, Owner};
use super::standing::{self, MIRRORED, Scope, Standing};
use super::{Plan, membership};
use crate::catalogue::{ADMIN, Place, VIEWER};
use crate::names::{KEPT_LABEL, WORKSPACE_LABEL, WORKSPACE_UID};
use crate::object::{Kind, Object, Subject};
use crate::world::Key;
use crate::write::Write;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Roles of projects, by namespace.
pub(super) fn plan<'a>(plan: &mut Plan<'a>) -> BTreeMap<&'a str, Standing<'a>> {
    let projects: Vec<(&'a str, &'a str)> = plan.projects.iter().map(|(namespace, workspace)| (*namespace, *workspace)).collect();
    let mut standings = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    for (name, workspace) in projects {
        let Some(namespace) = plan.world.get(Kind::Namespace, "", name) else { continue };
        belong(plan, namespace, workspace);
        let standing = standing::settle(plan, Scope { place: Place::Project, namespace: name, uid: namespace.uid() });
        for role in [ADMIN, VIEWER] {
            let subjects = subjects(&plan.homes[workspace].standing, role);
            if standing.whole.contains(role) && !subjects.is_empty() {
                let key = Key::new(Kind::RoleBinding, name, format!("{MIRRORED}{role}"));
                wanted.insert(key.clone());
                plan.keep_binding(None, key, &Binding { role: (Kind::Role, role), subjects });
            }
        }
        standings.insert(name, standing);
    }
    withdraw(plan, &wanted);
    leave(plan);
    standings
}

/// Those whom the workspace binds to a role, as far as they may be trusted.
fn subjects(standing: &Standing<'_>, role: &str) -> Vec<Subject> {
    let bound = standing.trusted.iter().filter(|it| it.role().1 == role && standing.whole.contains(role) && !it.is_deleting());
    let all: BTreeSet<Subject> = bound.flat_map(|it| it.subjects()).collect();
    all.into_iter().collect()
}

/// The workspace owns its projects' namespaces, so that they go with it.
fn belong(plan: &mut Plan<'_>, namespace: &Object, workspace: &str) {
    let workspace = plan.homes[workspace].workspace;
    let owner = Owner(Kind::Workspace, workspace);
    let wanted = membership::owners(namespace, Some(&owner));
    let mut metadata = json!({});
    if namespace.annotation(WORKSPACE_UID) != Some(workspace.uid()) {
        metadata["annotations"][WORKSPACE_UID] = workspace.uid().into();
    }
    let uids = |list: &[serde_json::Value]| list.iter().map(|it| it["uid"].clone()).collect::<Vec<_>>();
    if uids(wanted.as_array().map_or(&[], Vec::as_slice)) != uids(namespace.list("/metadata/ownerReferences")) {
        metadata["ownerReferences"] = wanted;
    }
    plan.mend_owned(&owner, namespace, json!({ "metadata": metadata }));
}

/// Mirrored bindings of members who are no longer, and in namespaces that have left.
fn withdraw(plan: &mut Plan<'_>, wanted: &BTreeSet<Key>) {
    let world = plan.world;
    let going = |namespace: &str| world.get(Kind::Namespace, "", namespace).is_none_or(Object::is_deleting);
    for it in world.all(Kind::RoleBinding) {
        let mirrored = it.name().starts_with(MIRRORED) && it.label(KEPT_LABEL).is_some();
        let key = Key::of(Kind::RoleBinding, it);
        if mirrored && !wanted.contains(&key) && !it.is_deleting() && !going(it.namespace()) && !waits(plan, it.namespace()) {
            plan.write(Write::Delete(key, it.uid().to_owned()));
        }
    }
}

/// Whether the workspace of a namespace is only on its way: what was mirrored before stays until it is known anew.
fn waits(plan: &Plan<'_>, namespace: &str) -> bool {
    let workspace = plan.world.get(Kind::Namespace, "", namespace).and_then(|it| it.label(WORKSPACE_LABEL));
    workspace.and_then(|it| plan.world.get(Kind::Workspace, "", it)).is_some_and(Object::is_deleting)
}

/// Namespaces whose label no longer names the workspace that owns them.
fn leave(plan: &mut Plan<'_>) {
    let world = plan.world;
    let live: BTreeMap<&str, &str> = world.all(Kind::Workspace).map(|it| (it.uid(), it.name())).collect();
    for namespace in world.all(Kind::Namespace).filter(|it| !it.is_deleting() && it.label(crate::names::HOME_LABEL).is_none()) {
        let Some(owner) = namespace.annotation(WORKSPACE_UID).and_then(|uid| live.get(uid)) else { continue };
        if namespace.label(WORKSPACE_LABEL).is_none_or(|it| it != *owner) && !plan.projects.contains_key(namespace.name()) {
            let metadata = json!({ "annotations": { WORKSPACE_UID: null }, "ownerReferences": membership::owners(namespace, None) });
            plan.mend(Key::of(Kind::Namespace, namespace), namespace, json!({ "metadata": metadata }));
        }
    }
}
