//! Plans against a server that does what an API server does with what is written.

mod server;

use super::plan;
use crate::names::{KEPT_LABEL, PROJECT_UID, SYSTEM_NAMESPACE, WORKSPACE_LABEL};
use crate::object::Kind;
use crate::world::Key;
use proptest::prelude::*;
use serde_json::{Value, json};
use server::Server;

const ADMIN: &str = "paifang:workspace:admin";

fn demo() -> Server {
    let mut server = Server::default();
    server.put(Kind::User, "", "wendy", json!({}));
    server.put(Kind::User, "", "kim", json!({}));
    server.put(Kind::Workspace, "", "demo", json!({ "spec": { "admins": ["wendy"] } }));
    server.settle();
    server.put(Kind::Project, "workspace-demo", "shop", json!({ "spec": { "admins": ["kim"] } }));
    server.settle();
    server
}

fn bind(server: &mut Server, namespace: &str, user: &str, role: &str) {
    let object = json!({ "roleRef": { "kind": "Role", "name": role }, "subjects": [{ "kind": "User", "name": user }] });
    server.put(Kind::RoleBinding, namespace, &format!("{user}:{role}"), object);
}

/// Names of users that a binding binds.
fn bound(server: &Server, namespace: &str, name: &str) -> Vec<String> {
    let subjects = server.get(Kind::RoleBinding, namespace, name).map(|it| it["subjects"].clone()).unwrap_or_default();
    subjects.as_array().into_iter().flatten().filter_map(|it| it["name"].as_str().map(str::to_owned)).collect()
}

fn ready(server: &Server, kind: Kind, namespace: &str, name: &str) -> String {
    let object = server.get(kind, namespace, name).unwrap_or_else(|| panic!("{kind} {name} is there"));
    let condition = &object["status"]["conditions"][0];
    format!("{} {}", condition["status"].as_str().unwrap_or_default(), condition["reason"].as_str().unwrap_or_default())
}

#[test]
fn a_workspace_and_a_project_become_namespaces_with_roles_and_admins() {
    let server = demo();
    assert_eq!(ready(&server, Kind::Workspace, "", "demo"), "True Ready");
    assert_eq!(ready(&server, Kind::Project, "workspace-demo", "shop"), "True Ready");
    for role in ["admin", "self-provisioner", "viewer", "regular"] {
        assert!(server.get(Kind::Role, "workspace-demo", role).is_some(), "{role}");
    }
    for role in ["admin", "operator", "viewer"] {
        assert!(server.get(Kind::Role, "shop", role).is_some(), "{role}");
    }
    assert_eq!(bound(&server, "workspace-demo", "wendy:admin"), ["wendy"]);
    assert_eq!(bound(&server, "shop", "kim:admin"), ["kim"]);
    assert_eq!(bound(&server, "shop", ADMIN), ["wendy"], "who manages the workspace manages its projects");
    let kim = server.get(Kind::User, "", "kim").expect("kim");
    let projects = json!([{ "name": "shop", "workspace": "demo", "alias": "", "roles": ["admin"] }]);
    assert_eq!(kim["status"]["projects"], projects);
    assert_eq!(kim["status"]["workspaces"], json!([]));
}

#[test]
fn nothing_is_written_when_all_is_done() {
    let server = demo();
    assert_eq!(plan(&server.world(), "2030-01-01T00:00:00Z"), []);
}

#[test]
fn a_membership_that_ends_is_withdrawn_everywhere() {
    let mut server = demo();
    bind(&mut server, "workspace-demo", "vera", "viewer");
    server.settle();
    assert_eq!(bound(&server, "shop", "paifang:workspace:viewer"), ["vera"]);
    server.delete(Kind::RoleBinding, "workspace-demo", "vera:viewer");
    server.delete(Kind::RoleBinding, "workspace-demo", "wendy:admin");
    server.settle();
    assert!(server.get(Kind::RoleBinding, "shop", "paifang:workspace:viewer").is_none());
    assert!(server.get(Kind::RoleBinding, "shop", ADMIN).is_none(), "an admin from the start is not bound again");
}

#[test]
fn a_project_that_leaves_or_moves_takes_no_members_along() {
    let mut server = demo();
    server.put(Kind::Workspace, "", "other", json!({ "spec": { "admins": ["otto"] } }));
    server.settle();
    server.patch(Kind::Namespace, "", "shop", json!({ "metadata": { "labels": { WORKSPACE_LABEL: "other" } } }));
    server.settle();
    assert_eq!(bound(&server, "shop", ADMIN), ["otto"]);
    assert_eq!(ready(&server, Kind::Project, "workspace-demo", "shop"), "False Moved");
    // What was once made for it is not its own any more.
    server.delete(Kind::Project, "workspace-demo", "shop");
    server.settle();
    assert!(server.get(Kind::Project, "workspace-demo", "shop").is_none());
    assert!(server.get(Kind::Namespace, "", "shop").is_some());
    server.patch(Kind::Namespace, "", "shop", json!({ "metadata": { "labels": { WORKSPACE_LABEL: null } } }));
    server.settle();
    assert!(server.get(Kind::RoleBinding, "shop", ADMIN).is_none());
    server.delete(Kind::Workspace, "", "other");
    server.settle();
    assert!(server.get(Kind::Namespace, "", "shop").is_some(), "a plain namespace belongs to nobody");
}

#[test]
fn a_namespace_that_was_there_is_nobodys_project() {
    let mut server = demo();
    server.put(Kind::Namespace, "", "prod", json!({}));
    server.put(Kind::Project, "workspace-demo", "prod", json!({ "spec": { "admins": ["mallory"] } }));
    server.put(Kind::Project, "workspace-demo", "kube-system", json!({ "spec": { "admins": ["mallory"] } }));
    server.put(Kind::Namespace, "", "workspace-taken", json!({}));
    server.put(Kind::Workspace, "", "taken", json!({ "spec": { "admins": ["mallory"] } }));
    server.settle();
    assert_eq!(ready(&server, Kind::Project, "workspace-demo", "prod"), "False NameTaken");
    assert_eq!(ready(&server, Kind::Project, "workspace-demo", "kube-system"), "False NameReserved");
    assert_eq!(ready(&server, Kind::Workspace, "", "taken"), "False NameTaken");
    assert!(server.get(Kind::RoleBinding, "prod", "mallory:admin").is_none());
    assert!(server.get(Kind::Namespace, "", "kube-system").is_none());
    assert!(server.get(Kind::Role, "workspace-taken", "admin").is_none());
    server.delete(Kind::Project, "workspace-demo", "prod");
    server.settle();
    assert!(server.get(Kind::Namespace, "", "prod").is_some(), "nor is it deleted with one");
}

#[test]
fn of_two_that_want_one_name_the_older_has_it() {
    let mut server = demo();
    server.put(Kind::Workspace, "", "other", json!({}));
    server.settle();
    server.put(Kind::Project, "workspace-other", "new", json!({}));
    server.put(Kind::Project, "workspace-demo", "new", json!({}));
    server.settle();
    assert_eq!(ready(&server, Kind::Project, "workspace-other", "new"), "True Ready");
    assert_eq!(ready(&server, Kind::Project, "workspace-demo", "new"), "False NameTaken");
}

#[test]
fn a_project_goes_with_its_namespace_and_the_namespace_with_its_project() {
    let mut server = demo();
    server.delete(Kind::Project, "workspace-demo", "shop");
    server.settle();
    assert!(server.get(Kind::Namespace, "", "shop").is_none() && server.get(Kind::Role, "shop", "admin").is_none());
    server.put(Kind::Project, "workspace-demo", "next", json!({}));
    server.settle();
    server.delete(Kind::Namespace, "", "next");
    server.settle();
    assert!(server.get(Kind::Project, "workspace-demo", "next").is_none(), "whoever deletes the namespace deletes the project");
    assert!(server.get(Kind::Namespace, "", "next").is_none(), "and it does not come back");
    assert!(server.get(Kind::ConfigMap, SYSTEM_NAMESPACE, "namespace.next").is_none());
}

#[test]
fn a_workspace_takes_its_projects_along() {
    let mut server = demo();
    server.delete(Kind::Workspace, "", "demo");
    server.settle();
    for name in ["shop", "workspace-demo"] {
        assert!(server.get(Kind::Namespace, "", name).is_none(), "{name}");
    }
    assert!(server.keys().all(|it| !it.name.contains("demo")), "{:?}", server.keys().collect::<Vec<_>>());
}

#[test]
fn projects_that_are_kept_are_plain_namespaces() {
    let mut server = demo();
    server.orphan(Kind::Workspace, "", "demo");
    server.settle();
    let shop = server.get(Kind::Namespace, "", "shop").expect("it is kept");
    assert!(shop["metadata"]["labels"][WORKSPACE_LABEL].is_null() && shop["metadata"]["annotations"][PROJECT_UID].is_null(), "{shop}");
    assert!(server.get(Kind::Namespace, "", "workspace-demo").is_none());
    assert!(server.get(Kind::RoleBinding, "shop", ADMIN).is_none(), "the workspace's members are none of it any more");
    assert_eq!(bound(&server, "shop", "kim:admin"), ["kim"], "its own are");
    // A workspace of that name that comes later has none of it.
    server.put(Kind::Workspace, "", "demo", json!({ "spec": { "admins": ["mallory"] } }));
    server.settle();
    assert!(server.get(Kind::RoleBinding, "shop", ADMIN).is_none());
}

#[test]
fn nothing_of_a_user_stays() {
    let mut server = demo();
    server.put(Kind::Secret, SYSTEM_NAMESPACE, "password-kim", json!({}));
    let both = json!([{ "kind": "User", "name": "kim" }, { "kind": "User", "name": "wendy" }]);
    let role = json!({ "kind": "ClusterRole", "name": "view" });
    server.put(Kind::ClusterRoleBinding, "", "both", json!({ "roleRef": role, "subjects": both }));
    server.put(Kind::Namespace, "", "plain", json!({}));
    server.put(Kind::RoleBinding, "plain", "paifang:user:kim", json!({ "roleRef": role, "subjects": [{ "kind": "User", "name": "kim" }] }));
    server.settle();
    server.delete(Kind::User, "", "kim");
    server.settle();
    let left: Vec<String> = server.objects().filter(|(_, it)| it.to_string().contains("\"kim\"")).map(|(key, _)| key.to_string()).collect();
    assert_eq!(left, ["Project workspace-demo/shop"], "only the wish that stands in the Project names them");
    assert!(server.get(Kind::Secret, SYSTEM_NAMESPACE, "password-kim").is_none());
    assert!(server.get(Kind::ClusterRole, "", "paifang:user:kim").is_none());
    assert_eq!(server.get(Kind::ClusterRoleBinding, "", "both").expect("kept")["subjects"], json!([{ "kind": "User", "name": "wendy" }]));
}

#[test]
fn a_built_in_role_that_was_changed_is_filled_again() {
    let mut server = demo();
    server.patch(Kind::Role, "shop", "operator", json!({ "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }] }));
    server.delete(Kind::Role, "shop", "viewer");
    let before = demo();
    server.settle();
    for role in ["operator", "viewer"] {
        let rules = |it: &Server| it.get(Kind::Role, "shop", role).map(|it| it["rules"].clone());
        assert_eq!(rules(&server), rules(&before), "{role}");
    }
    assert_eq!(bound(&server, "shop", "kim:admin"), ["kim"]);
}

/// RBAC lets somebody bind an emptied role who could not bind the whole one.
#[test]
fn who_binds_an_emptied_role_gets_nothing_when_it_is_filled() {
    for (namespace, role) in [("workspace-demo", "admin"), ("shop", "admin")] {
        let mut server = demo();
        server.patch(Kind::Role, namespace, role, json!({ "rules": [] }));
        bind(&mut server, namespace, "mallory", role);
        // Their binding is looked at as long as the role is empty, and after.
        server.settle();
        assert!(server.get(Kind::RoleBinding, namespace, &format!("mallory:{role}")).is_none(), "{namespace}");
        assert!(!server.objects().any(|(_, it)| it.to_string().contains("mallory")), "{namespace}");

        // The same by a role that is deleted and made anew, and by another subject in a binding that was trusted.
        let mut server = demo();
        server.delete(Kind::Role, namespace, role);
        server.put(Kind::Role, namespace, role, json!({ "rules": [] }));
        let trusted = if namespace == "shop" { "kim:admin" } else { "wendy:admin" };
        server.patch(Kind::RoleBinding, namespace, trusted, json!({ "subjects": [{ "kind": "User", "name": "mallory" }] }));
        server.settle();
        assert!(!server.objects().any(|(_, it)| it.to_string().contains("mallory")), "{namespace}");
        assert!(!server.get(Kind::Role, namespace, role).expect("filled")["rules"].as_array().expect("rules").is_empty());
    }
}

/// It may be filled before anybody has looked.
#[test]
fn a_binding_that_is_older_than_the_role_it_leads_to_is_not_trusted() {
    for (namespace, role) in [("workspace-demo", "admin"), ("shop", "operator")] {
        let mut server = demo();
        let whole = server.get(Kind::Role, namespace, role).expect("built in")["rules"].clone();
        server.patch(Kind::Role, namespace, role, json!({ "rules": [] }));
        bind(&mut server, namespace, "mallory", role);
        server.patch(Kind::Role, namespace, role, json!({ "rules": whole }));
        bind(&mut server, namespace, "nora", role);
        server.settle();
        assert!(!server.objects().any(|(_, it)| it.to_string().contains("mallory")), "{namespace}");
        assert_eq!(bound(&server, namespace, &format!("nora:{role}")), ["nora"], "who is bound afterwards is bound by right");
    }
}

/// Those who set up a project make its namespace and its members in one go.
#[test]
fn members_may_be_bound_before_the_roles_are_there() {
    let mut server = demo();
    server.put(Kind::Namespace, "", "new", json!({ "metadata": { "labels": { WORKSPACE_LABEL: "demo" } } }));
    bind(&mut server, "new", "kim", "operator");
    server.settle();
    assert_eq!(bound(&server, "new", "kim:operator"), ["kim"]);
    assert_eq!(bound(&server, "new", ADMIN), ["wendy"]);
    // Nor does it matter that the record was made before the news of the binding came.
    server.patch(Kind::ConfigMap, SYSTEM_NAMESPACE, "namespace.new", json!({ "data": { "bindings": "{}" } }));
    server.settle();
    assert_eq!(bound(&server, "new", "kim:operator"), ["kim"]);
    // When the role is not what it was any more, it does.
    server.patch(Kind::ConfigMap, SYSTEM_NAMESPACE, "namespace.new", json!({ "data": { "bindings": "{}" } }));
    server.patch(Kind::Role, "new", "operator", json!({ "rules": [] }));
    server.settle();
    assert!(server.get(Kind::RoleBinding, "new", "kim:operator").is_none());
}

#[test]
fn a_role_that_somebody_made_first_is_not_filled() {
    let mut server = demo();
    server.put(Kind::Namespace, "", "old", json!({}));
    server.put(Kind::Role, "old", "admin", json!({ "rules": [] }));
    bind(&mut server, "old", "mallory", "admin");
    server.patch(Kind::Namespace, "", "old", json!({ "metadata": { "labels": { WORKSPACE_LABEL: "demo" } } }));
    server.settle();
    assert_eq!(server.get(Kind::Role, "old", "admin").expect("left alone")["rules"], json!([]));
    assert!(server.get(Kind::RoleBinding, "old", ADMIN).is_none());
    server.delete(Kind::RoleBinding, "old", "mallory:admin");
    server.delete(Kind::Role, "old", "admin");
    server.settle();
    assert_eq!(bound(&server, "old", ADMIN), ["wendy"], "when it is out of the way, the project is like others");
}

#[test]
fn a_label_of_ours_makes_nobodys_binding_ours() {
    let mut server = demo();
    let subjects = json!([{ "kind": "User", "name": "mallory" }]);
    let role = json!({ "kind": "Role", "name": "admin" });
    let metadata = json!({ "labels": { KEPT_LABEL: "members" } });
    server.patch(Kind::Role, "shop", "admin", json!({ "rules": [] }));
    for name in [ADMIN, "mine", "paifang:workspace:operator"] {
        server.put(Kind::RoleBinding, "shop", name, json!({ "metadata": metadata, "roleRef": role, "subjects": subjects }));
    }
    server.settle();
    assert_eq!(bound(&server, "shop", ADMIN), ["wendy"]);
    assert!(!server.objects().any(|(_, it)| it.to_string().contains("mallory")));
}

#[test]
fn roles_by_which_users_read_themselves_are_nobody_elses() {
    let mut server = demo();
    server.patch(Kind::ClusterRole, "", "paifang:user:kim", json!({ "rules": [] }));
    let role = json!({ "kind": "ClusterRole", "name": "paifang:user:kim" });
    server.put(Kind::ClusterRoleBinding, "", "mine", json!({ "roleRef": role, "subjects": [{ "kind": "User", "name": "mallory" }] }));
    server.settle();
    assert!(server.get(Kind::ClusterRoleBinding, "", "mine").is_none());
}

/// What users do to a platform.
#[derive(Clone, Debug)]
enum Act {
    Put(Kind, &'static str, &'static str, Value),
    Delete(Kind, &'static str, &'static str),
    Orphan(&'static str),
    Label(&'static str, Value),
    Empty(&'static str, &'static str),
}

fn act() -> impl Strategy<Value = Act> {
    let user = prop::sample::select(vec!["ann", "bob", "cid"]);
    let workspace = prop::sample::select(vec!["one", "two"]);
    let home = prop::sample::select(vec!["workspace-one", "workspace-two"]);
    let project = prop::sample::select(vec!["a", "b", "c"]);
    let place = prop::sample::select(vec!["workspace-one", "workspace-two", "a", "b", "c"]);
    let role = prop::sample::select(vec!["admin", "viewer", "regular", "operator"]);
    let admins = prop::collection::vec(user.clone(), 0..2).prop_map(|it| json!({ "spec": { "admins": it } }));
    prop_oneof![
        user.clone().prop_map(|it| Act::Put(Kind::User, "", it, json!({}))),
        (workspace.clone(), admins.clone()).prop_map(|(it, spec)| Act::Put(Kind::Workspace, "", it, spec)),
        (home, project.clone(), admins).prop_map(|(home, it, spec)| Act::Put(Kind::Project, home, it, spec)),
        project.clone().prop_map(|it| Act::Put(Kind::Namespace, "", it, json!({}))),
        (place.clone(), user.clone(), role.clone()).prop_map(|(place, user, role)| {
            let role = json!({ "kind": "Role", "name": role });
            Act::Put(Kind::RoleBinding, place, user, json!({ "roleRef": role, "subjects": [{ "kind": "User", "name": user }] }))
        }),
        user.prop_map(|it| Act::Delete(Kind::User, "", it)),
        workspace.clone().prop_map(|it| Act::Delete(Kind::Workspace, "", it)),
        workspace.prop_map(Act::Orphan),
        project.clone().prop_map(|it| Act::Delete(Kind::Namespace, "", it)),
        project.clone().prop_map(|it| Act::Delete(Kind::Project, "workspace-one", it)),
        (project.clone(), prop::sample::select(vec![json!("one"), json!("two"), json!("gone"), Value::Null]))
            .prop_map(|(it, to)| Act::Label(it, to)),
        (place, role).prop_map(|(place, role)| Act::Empty(place, role)),
    ]
}

fn perform(server: &mut Server, act: &Act) {
    match act {
        Act::Put(kind, namespace, name, object) => server.put(*kind, namespace, name, object.clone()),
        Act::Delete(kind, namespace, name) => server.delete(*kind, namespace, name),
        Act::Orphan(name) => server.orphan(Kind::Workspace, "", name),
        Act::Label(name, to) => server.patch(Kind::Namespace, "", name, json!({ "metadata": { "labels": { WORKSPACE_LABEL: to } } })),
        Act::Empty(namespace, role) => server.patch(Kind::Role, namespace, role, json!({ "rules": [] })),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever people do, and however much of it at once: it comes to rest, and at rest nothing is written.
    #[test]
    fn every_history_comes_to_rest(acts in prop::collection::vec((act(), prop::bool::weighted(0.6)), 0..25)) {
        let mut server = Server::default();
        for (act, settle) in &acts {
            perform(&mut server, act);
            if *settle {
                server.settle();
            }
        }
        server.settle();
        prop_assert_eq!(plan(&server.world(), "2040-01-01T00:00:00Z"), []);
        server.check();
    }

    /// The order in which writes of one plan are done does not matter.
    #[test]
    fn the_order_of_writes_does_not_matter(acts in prop::collection::vec(act(), 0..15), seed in any::<u64>()) {
        let (mut plain, mut shuffled) = (Server::default(), Server::shuffled(seed));
        for act in &acts {
            for server in [&mut plain, &mut shuffled] {
                perform(server, act);
                server.settle();
            }
        }
        let keys = |it: &Server| it.keys().cloned().collect::<Vec<Key>>();
        prop_assert_eq!(keys(&plain), keys(&shuffled));
    }
}
