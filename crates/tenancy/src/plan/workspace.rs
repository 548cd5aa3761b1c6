//! A workspace's own namespace, its admins from the start, what its members may read, and its status.

use super::keep::{Binding, Owner};
use super::membership;
use super::status::{self, Condition};
use super::{Lack, Plan};
use crate::catalogue::{ADMIN, Rule};
use crate::names::{GROUP, HOME_LABEL, KEPT_LABEL, PROJECT_UID, WORKSPACE_LABEL, WORKSPACE_UID, workspace_namespace};
use crate::object::{Kind, Object, Subject};
use crate::world::Key;
use crate::write::Write;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SELF: &str = "workspaces";

/// Whether the namespace is that workspace's own.
pub(super) fn is_home(namespace: &Object, workspace: &Object) -> bool {
    namespace.label(HOME_LABEL) == Some(workspace.name()) && namespace.annotation(WORKSPACE_UID) == Some(workspace.uid())
}

pub(super) fn plan(plan: &mut Plan<'_>) {
    let homes: Vec<(&Object, Result<&Object, Lack>)> = plan.homes.values().map(|it| (it.workspace, it.namespace)).collect();
    for (workspace, namespace) in homes {
        let owner = Owner(Kind::Workspace, workspace);
        match namespace {
            Err(Lack::Missing) => plan.write(create(&owner)),
            Err(_) => continue,
            Ok(namespace) => {
                let wanted = patch(namespace, &owner);
                plan.mend_owned(&owner, namespace, wanted);
                let ready = plan.homes[workspace.name()].standing.whole.contains(ADMIN);
                if ready && workspace.text("/status/seeded") != namespace.uid() {
                    membership::seed(plan, workspace, namespace.name());
                }
            }
        }
        members(plan, &owner);
    }
    orphans(plan);
}

fn create(owner: &Owner<'_>) -> Write {
    let workspace = owner.1;
    let mut metadata = json!({
        "labels": { HOME_LABEL: workspace.name() },
        "annotations": { WORKSPACE_UID: workspace.uid() },
        "ownerReferences": [owner.reference()],
    });
    membership::describe(&mut metadata, workspace, None);
    Write::create(Key::new(Kind::Namespace, "", workspace_namespace(workspace.name())), json!({ "metadata": metadata }))
}

fn patch(namespace: &Object, owner: &Owner<'_>) -> Value {
    let mut metadata = json!({});
    membership::describe(&mut metadata, owner.1, Some(namespace));
    if !namespace.is_owned_by(owner.1.uid()) {
        metadata["ownerReferences"] = membership::owners(namespace, Some(owner));
    }
    json!({ "metadata": metadata })
}

/// Members may get their Workspace, and its admins change it; nobody lists.
fn members(plan: &mut Plan<'_>, owner: &Owner<'_>) {
    let name = owner.1.name();
    let home = &plan.homes[name];
    let subjects = |bindings: &[&Object]| -> Vec<Subject> {
        let all: BTreeSet<Subject> = bindings.iter().flat_map(|it| it.subjects()).collect();
        all.into_iter().collect()
    };
    let namespace = workspace_namespace(name);
    let everybody = match home.namespace {
        Ok(_) => plan.world.within(Kind::RoleBinding, &namespace).filter(|it| !it.is_deleting()).collect(),
        Err(_) => Vec::new(),
    };
    let admins: Vec<&Object> = home.standing.trusted.iter().filter(|it| it.role().1 == ADMIN).copied().collect();
    let (everybody, admins) = (subjects(&everybody), subjects(&admins));
    let roles = [
        (format!("paifang:workspace:{name}"), "get", everybody),
        (format!("paifang:workspace:{name}:admin"), "delete get patch update", admins),
    ];
    for (role, verbs, subjects) in roles {
        plan.keep_role(owner, &role, &[Rule::of(GROUP, SELF, verbs).named(name)]);
        let binding = Binding { role: (Kind::ClusterRole, &role), subjects };
        plan.keep_binding(Some(owner), Key::new(Kind::ClusterRoleBinding, "", role.as_str()), &binding);
    }
}

/// Namespaces that were kept when their Workspace went become plain ones; then the one of its own goes.
fn orphans(plan: &mut Plan<'_>) {
    let world = plan.world;
    let live: BTreeSet<&str> = world.all(Kind::Workspace).map(Object::uid).collect();
    let orphan =
        |it: &&Object| it.annotation(WORKSPACE_UID).is_some_and(|uid| !live.contains(uid) && !it.is_owned_by(uid)) && !it.is_deleting();
    let (homes, projects): (Vec<&Object>, Vec<&Object>) =
        world.all(Kind::Namespace).filter(orphan).partition(|it| it.label(HOME_LABEL).is_some());
    for namespace in &projects {
        let patch = json!({ "metadata": {
            "labels": { WORKSPACE_LABEL: null }, "annotations": { WORKSPACE_UID: null, PROJECT_UID: null },
        }});
        plan.mend(Key::of(Kind::Namespace, namespace), namespace, patch);
    }
    let held = |home: &Object| projects.iter().any(|it| it.annotation(WORKSPACE_UID) == home.annotation(WORKSPACE_UID));
    for home in homes.into_iter().filter(|it| !held(it)) {
        plan.write(Write::Delete(Key::of(Kind::Namespace, home), home.uid().to_owned()));
    }
    strays(plan);
}

/// ClusterRoles and bindings for members of Workspaces that are gone, where nobody collects what has no owner.
fn strays(plan: &mut Plan<'_>) {
    let world = plan.world;
    let stray = |it: &Object| {
        let kept = it.label(KEPT_LABEL).filter(|_| it.name().starts_with("paifang:workspace:"));
        kept.is_some_and(|name| world.get(Kind::Workspace, "", name).is_none()) && !it.is_deleting()
    };
    // A role of ours may be emptied and bound to anybody before it is filled again: nobody but its own binding has it.
    let foreign = |kind: Kind, it: &Object| {
        let (of, role) = it.role();
        let ours = ["paifang:user:", "paifang:workspace:"].iter().any(|beginning| role.starts_with(beginning));
        of == "ClusterRole" && ours && !(kind == Kind::ClusterRoleBinding && it.name() == role) && !it.is_deleting()
    };
    for kind in [Kind::ClusterRoleBinding, Kind::RoleBinding, Kind::ClusterRole] {
        for it in world.all(kind).filter(|it| stray(it) && kind != Kind::RoleBinding || foreign(kind, it)) {
            plan.write(Write::Delete(Key::of(kind, it), it.uid().to_owned()));
        }
    }
}

/// Statuses, when all else is known.
pub(super) fn tell(plan: &mut Plan<'_>) {
    let homes: Vec<&str> = plan.homes.keys().copied().collect();
    for name in homes {
        let home = &plan.homes[name];
        let (workspace, own) = (home.workspace, workspace_namespace(name));
        let condition = match (home.namespace, &home.standing.taken) {
            (Err(Lack::Missing), _) => Condition::not_ready("Pending", format!("the namespace {own} is being made")),
            (Err(Lack::Going), _) => Condition::not_ready("Deleting", format!("the namespace {own} is being deleted")),
            (Err(Lack::Taken), _) => {
                Condition::not_ready("NameTaken", format!("the namespace {own} was there before: delete it, or choose another name"))
            }
            (Ok(_), Some(taken)) => Condition::not_ready("RoleTaken", format!("in the namespace {own}, {taken}")),
            (Ok(_), None) if !home.standing.whole.contains(ADMIN) => Condition::not_ready("Pending", "its roles are being made"),
            (Ok(it), None) if !membership::is_seeded(plan.world, workspace, it) => {
                Condition::not_ready("Pending", "its admins are being bound")
            }
            (Ok(_), None) => Condition::ready(),
        };
        let projects: Vec<&str> = plan.projects.iter().filter(|(_, of)| **of == name).map(|(it, _)| *it).collect();
        let mut wanted = json!({ "namespace": own, "projects": projects });
        if let Some(seeded) = membership::seeded(workspace, home.namespace.ok(), &condition) {
            wanted["seeded"] = seeded.into();
        }
        if let Some(status) = status::change(workspace, wanted, &[condition], plan.now) {
            plan.write(Write::status(Key::of(Kind::Workspace, workspace), workspace.resource_version(), &status));
        }
    }
}
