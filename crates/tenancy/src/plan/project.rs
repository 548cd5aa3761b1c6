//! Projects: a namespace each, made for them and deleted with them.

use super::keep::Owner;
use super::standing::Standing;
use super::status::{self, Condition};
use super::{Plan, membership};
use crate::catalogue::ADMIN;
use crate::names::{HOME_LABEL, PROJECT_FINALIZER, PROJECT_UID, WORKSPACE_LABEL, WORKSPACE_UID, is_reserved};
use crate::object::{Kind, Object};
use crate::world::Key;
use crate::write::{Chain, Write};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn plan(plan: &mut Plan<'_>, standings: &BTreeMap<&str, Standing<'_>>) {
    let mut projects: Vec<&Object> = plan.world.all(Kind::Project).collect();
    // Of two that want one name the older has it.
    let age = |it: &&Object| (it.text("/metadata/creationTimestamp").to_owned(), it.namespace().to_owned(), it.name().to_owned());
    projects.sort_by_key(age);
    let mut claimed = BTreeSet::new();
    for project in projects {
        if project.is_deleting() {
            release(plan, project);
        } else if let Some(workspace) = workspace_of(plan, project) {
            serve(plan, project, workspace, (standings, &mut claimed));
        }
    }
}

/// The workspace in whose namespace it stands, if that is served.
fn workspace_of(plan: &Plan<'_>, project: &Object) -> Option<String> {
    let name = plan.world.get(Kind::Namespace, "", project.namespace())?.label(HOME_LABEL)?;
    let home = plan.homes.get(name).filter(|it| it.namespace.is_ok_and(|it| it.name() == project.namespace()));
    home.map(|it| it.workspace.name().to_owned())
}

/// Whether the namespace was made for that Project.
fn is_made_for(namespace: &Object, project: &Object) -> bool {
    namespace.annotation(PROJECT_UID) == Some(project.uid())
}

fn serve<'a>(
    plan: &mut Plan<'a>,
    project: &Object,
    workspace: String,
    (standings, claimed): (&BTreeMap<&str, Standing<'_>>, &mut BTreeSet<String>),
) {
    let name = project.name();
    let key = Key::of(Kind::Project, project);
    let namespace = plan.world.get(Kind::Namespace, "", name);
    let seeded = project.text("/status/seeded");
    if !project.has_finalizer(PROJECT_FINALIZER) {
        let all: Vec<&str> = project.texts("/metadata/finalizers").chain([PROJECT_FINALIZER]).collect();
        plan.mend(key, project, json!({ "metadata": { "finalizers": all } }));
        return;
    }
    let condition = match namespace {
        _ if is_reserved(name) => Condition::not_ready("NameReserved", format!("namespaces of names such as {name} belong to the system")),
        // Whoever deleted the namespace has deleted the project.
        None if !seeded.is_empty() => {
            let given = vec![(Key::new(Kind::Namespace, "", name), String::new())];
            plan.write(Chain { given, writes: vec![Write::Delete(key, project.uid().to_owned())] });
            return;
        }
        None if !claimed.insert(name.to_owned()) => taken(name),
        None => {
            let write = create(plan, project, &workspace);
            plan.write(write);
            Condition::not_ready("Pending", format!("the namespace {name} is being made"))
        }
        Some(it) if !is_made_for(it, project) => taken(name),
        Some(it) if it.is_deleting() => Condition::not_ready("Deleting", format!("the namespace {name} is being deleted")),
        Some(it) if it.label(WORKSPACE_LABEL) != Some(workspace.as_str()) => {
            let other = it.label(WORKSPACE_LABEL).map_or_else(|| "no workspace".to_owned(), |it| format!("the workspace {it}"));
            Condition::not_ready("Moved", format!("the namespace {name} belongs to {other} now"))
        }
        Some(it) => made(plan, project, it, standings.get(name)),
    };
    let mut wanted = json!({});
    let own = namespace.filter(|it| is_made_for(it, project));
    if own.is_some() {
        wanted["namespace"] = name.into();
    }
    if let Some(seeded) = membership::seeded(project, own, &condition) {
        wanted["seeded"] = seeded.into();
    }
    if let Some(status) = status::change(project, wanted, &[condition], plan.now) {
        plan.write(Write::status(key, project.resource_version(), &status));
    }
}

fn taken<'a>(name: &str) -> Condition<'a> {
    Condition::not_ready("NameTaken", format!("there is a namespace {name} that was not made for this Project: choose another name"))
}

/// The namespace is there: words, admins, condition.
fn made<'a>(plan: &mut Plan<'_>, project: &Object, namespace: &Object, standing: Option<&Standing<'_>>) -> Condition<'a> {
    let mut metadata = json!({});
    membership::describe(&mut metadata, project, Some(namespace));
    plan.mend(Key::of(Kind::Namespace, namespace), namespace, json!({ "metadata": metadata }));
    let ready = standing.is_some_and(|it| it.whole.contains(ADMIN));
    if let Some(taken) = standing.and_then(|it| it.taken.as_ref()) {
        return Condition::not_ready("RoleTaken", taken.clone());
    }
    if !ready {
        return Condition::not_ready("Pending", "its roles are being made");
    }
    if project.text("/status/seeded") != namespace.uid() {
        membership::seed(plan, project, namespace.name());
    }
    if !membership::is_seeded(plan.world, project, namespace) {
        return Condition::not_ready("Pending", "its admins are being bound");
    }
    Condition::ready()
}

fn create(plan: &Plan<'_>, project: &Object, workspace: &str) -> Write {
    let owner = Owner(Kind::Workspace, plan.homes[workspace].workspace);
    let mut metadata: Value = json!({
        "labels": { WORKSPACE_LABEL: workspace },
        "annotations": { WORKSPACE_UID: owner.1.uid(), PROJECT_UID: project.uid() },
        "ownerReferences": [owner.reference()],
    });
    membership::describe(&mut metadata, project, None);
    Write::create(Key::new(Kind::Namespace, "", project.name()), json!({ "metadata": metadata }))
}

/// A Project that goes takes the namespace along that was made for it, if it is still its workspace's.
fn release(plan: &mut Plan<'_>, project: &Object) {
    if !project.has_finalizer(PROJECT_FINALIZER) {
        return;
    }
    let world = plan.world;
    let home = world.get(Kind::Namespace, "", project.namespace()).and_then(|it| it.label(HOME_LABEL));
    let own = |it: &&Object| is_made_for(it, project) && it.label(WORKSPACE_LABEL) == home && home.is_some();
    match world.get(Kind::Namespace, "", project.name()).filter(own) {
        Some(it) if it.is_deleting() => {}
        Some(it) => plan.write(Write::Delete(Key::of(Kind::Namespace, it), it.uid().to_owned())),
        None => {
            let left: Vec<&str> = project.texts("/metadata/finalizers").filter(|it| *it != PROJECT_FINALIZER).collect();
            let patch = json!({ "metadata": { "finalizers": left } });
            plan.write(Write::patch(Key::of(Kind::Project, project), project.resource_version(), patch));
        }
    }
}
