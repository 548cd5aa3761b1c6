//! Users: what each may do with themselves, where each is a member, and that nothing of one stays who is deleted.

use super::Plan;
use super::keep::{Binding, Owner};
use super::status::{self, Condition};
use crate::catalogue::Rule;
use crate::names::{ALIAS, GROUP, SYSTEM_NAMESPACE, USER_FINALIZER, own_role, password_secret, workspace_namespace};
use crate::object::{Kind, Object, Subject};
use crate::world::Key;
use crate::write::{Chain, Write};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Roles by place: a namespace, or "" for the platform.
type Places<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

pub(super) fn plan(plan: &mut Plan<'_>) {
    let world = plan.world;
    let mut places: BTreeMap<&str, Places<'_>> = BTreeMap::new();
    for binding in world.all(Kind::ClusterRoleBinding).chain(world.all(Kind::RoleBinding)).filter(|it| !it.is_deleting()) {
        for subject in binding.list("/subjects").iter().filter(|it| it["kind"] == "User") {
            let user = subject["name"].as_str().unwrap_or_default();
            places.entry(user).or_default().entry(binding.namespace()).or_default().insert(binding.role().1);
        }
    }
    let claims = claims(plan);
    let none = Places::new();
    for user in world.all(Kind::User) {
        if user.is_deleting() {
            erase(plan, user);
        } else {
            serve(plan, user, places.get(user.name()).unwrap_or(&none), &claims);
        }
    }
}

/// The oldest user of each identity.
fn claims<'a>(plan: &Plan<'a>) -> BTreeMap<&'a str, &'a str> {
    let mut users: Vec<&Object> = plan.world.all(Kind::User).collect();
    users.sort_by_key(|it| (it.text("/metadata/creationTimestamp"), it.name()));
    let mut claims = BTreeMap::new();
    for user in users {
        for identity in user.texts("/spec/identities") {
            claims.entry(identity).or_insert(user.name());
        }
    }
    claims
}

fn serve(plan: &mut Plan<'_>, user: &Object, places: &Places<'_>, claims: &BTreeMap<&str, &str>) {
    let key = Key::of(Kind::User, user);
    if !user.has_finalizer(USER_FINALIZER) {
        let all: Vec<&str> = user.texts("/metadata/finalizers").chain([USER_FINALIZER]).collect();
        plan.mend(key, user, json!({ "metadata": { "finalizers": all } }));
        return;
    }
    let (name, owner) = (user.name(), Owner(Kind::User, user));
    let role = own_role(name);
    let rules = [Rule::of(GROUP, "users", "get").named(name), Rule::of(GROUP, "users/password users/token", "create").named(name)];
    plan.keep_role(&owner, &role, &rules);
    let binding = Binding { role: (Kind::ClusterRole, &role), subjects: vec![Subject::user(name)] };
    plan.keep_binding(Some(&owner), Key::new(Kind::ClusterRoleBinding, "", role.as_str()), &binding);
    let taken = user.texts("/spec/identities").find_map(|it| claims.get(it).filter(|of| **of != name).map(|of| (it, *of)));
    let condition = match taken {
        Some((identity, of)) => Condition::not_ready("IdentityTaken", format!("the identity {identity} belongs to the user {of}")),
        None => Condition::ready(),
    };
    if let Some(status) = status::change(user, memberships(plan, places), &[condition], plan.now) {
        plan.write(Write::status(key, user.resource_version(), &status));
    }
}

fn memberships(plan: &Plan<'_>, places: &Places<'_>) -> Value {
    let empty = BTreeSet::new();
    let platform: Vec<&&str> = places.get("").unwrap_or(&empty).iter().filter(|it| !it.starts_with("paifang:")).collect();
    let alias = |object: Option<&Object>| object.and_then(|it| it.annotation(ALIAS)).unwrap_or_default().to_owned();
    let (mut workspaces, mut projects) = (Vec::new(), Vec::new());
    for (name, home) in &plan.homes {
        if let Some(roles) = places.get(workspace_namespace(name).as_str()).filter(|_| home.namespace.is_ok()) {
            workspaces.push(json!({ "name": name, "alias": alias(Some(home.workspace)), "roles": roles }));
        }
    }
    for (name, workspace) in &plan.projects {
        if let Some(roles) = places.get(name) {
            let alias = alias(plan.world.get(Kind::Namespace, "", name));
            projects.push(json!({ "name": name, "workspace": workspace, "alias": alias, "roles": roles }));
        }
    }
    json!({ "roles": platform, "workspaces": workspaces, "projects": projects })
}

/// Takes a user out of every binding, then what is theirs, then lets them go.
fn erase(plan: &mut Plan<'_>, user: &Object) {
    if !user.has_finalizer(USER_FINALIZER) {
        return;
    }
    let (world, name) = (plan.world, user.name());
    let own = own_role(name);
    let mut held = false;
    for kind in [Kind::ClusterRoleBinding, Kind::RoleBinding] {
        for binding in world
            .all(kind)
            .filter(|it| !(kind == Kind::ClusterRoleBinding && it.name() == own) && it.subjects().iter().any(|it| it.is_user(name)))
        {
            held = true;
            let left: Vec<&Value> = binding.list("/subjects").iter().filter(|it| !(it["kind"] == "User" && it["name"] == name)).collect();
            let key = Key::of(kind, binding);
            match left.is_empty() {
                true => plan.write(Write::Delete(key, binding.uid().to_owned())),
                false => plan.write(Write::patch(key, binding.resource_version(), json!({ "subjects": left }))),
            }
        }
    }
    if held {
        return;
    }
    let mut writes = vec![Write::Delete(Key::new(Kind::Secret, SYSTEM_NAMESPACE, password_secret(name)), String::new())];
    for kind in [Kind::ClusterRoleBinding, Kind::ClusterRole] {
        writes.extend(world.get(kind, "", &own).map(|it| Write::Delete(Key::of(kind, it), it.uid().to_owned())));
    }
    let left: Vec<&str> = user.texts("/metadata/finalizers").filter(|it| *it != USER_FINALIZER).collect();
    writes.push(Write::patch(Key::of(Kind::User, user), user.resource_version(), json!({ "metadata": { "finalizers": left } })));
    plan.write(Chain::of(writes));
}
