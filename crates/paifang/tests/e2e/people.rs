//! People, workspaces and projects: who may do what, by kubectl as each of them, and what is left when they go.

use crate::harness::{Up, binary, run, text};
use serde_json::{Value, json};
use std::process::Command;
use testkit::eventually;

const NOBODY: &[&str] = &["--no-password"];

/// What a command of ours says: of a success what it prints, of a failure what it complains of.
fn paifang(up: &Up, arguments: &[&str]) -> Result<String, String> {
    let output = run(Command::new(binary()).env("KUBECONFIG", up.kubeconfig()).args(arguments), "");
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn refused(up: &Up, arguments: &[&str], words: &[&str]) {
    let said = paifang(up, arguments).expect_err(&format!("{arguments:?} is refused"));
    for word in words {
        assert!(said.contains(word), "{arguments:?}: {word:?} is not in: {said}");
    }
}

fn make_users(up: &Up, names: &[&str]) {
    for name in names {
        up.paifang(&[&["user", "create", name], NOBODY].concat());
    }
}

/// A workspace `demo`, managed by `wendy`, with a project `shop` that `sam` made.
fn demo() -> Up {
    let up = Up::start(&[]);
    make_users(&up, &["wendy", "sam"]);
    up.paifang(&["workspace", "create", "demo", "--admin", "wendy", "--alias", "Demo"]);
    up.paifang(&["invite", "sam", "--workspace", "demo", "--role", "self-provisioner", "--as", "wendy"]);
    eventually("sam may make projects", || paifang(&up, &["project", "create", "shop", "--as", "sam", "--alias", "The shop"]).ok());
    up
}

fn can(up: &Up, user: &str, question: &[&str]) -> bool {
    up.kubectl(&[&["auth", "can-i", "--as", user], question].concat(), "").is_ok()
}

/// The rows of a User's status.
fn told(up: &Up, user: &str, field: &str) -> Vec<String> {
    let Some(user) = up.get(&["user", user]) else { return Vec::new() };
    let places = user["status"][field].as_array().cloned().unwrap_or_default();
    let roles = |it: &Value| it["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    places.iter().map(|it| format!("{} {}", it["name"].as_str().unwrap_or_default(), roles(it))).collect()
}

#[test]
fn who_may_make_projects_makes_one_and_invites_others_who_see_it_then() {
    let up = demo();
    assert_eq!(told(&up, "sam", "projects"), ["shop admin"]);
    make_users(&up, &["kim", "zoe"]);
    // Someone not invited sees nothing, and is told so.
    assert!(paifang(&up, &["project", "list", "--as", "zoe"]).is_ok_and(|it| it.is_empty()));
    for question in [["list", "namespaces"], ["list", "workspaces"], ["list", "users"], ["get", "namespaces/shop"], ["get", "users/kim"]] {
        assert!(!can(&up, "zoe", &question), "{question:?}");
    }
    assert!(up.kubectl(&["get", "projects", "-A", "--as", "zoe"], "").is_err());
    refused(&up, &["workspace", "create", "zoes", "--as", "zoe"], &["you may not make workspaces", "platform-self-provisioner"]);
    refused(&up, &["project", "create", "zoes", "--workspace", "demo", "--as", "zoe"], &["you may not make projects", "self-provisioner"]);
    refused(&up, &["user", "list", "--as", "zoe"], &["a platform admin can"]);
    refused(&up, &["invite", "zoe", "--project", "shop", "--role", "admin", "--as", "zoe"], &["the admins of the project shop"]);

    up.paifang(&["invite", "kim", "--project", "shop", "--role", "operator", "--as", "sam"]);
    eventually("kim sees the project", || (told(&up, "kim", "projects") == ["shop operator"]).then_some(()));
    let listed = up.paifang(&["project", "list", "--as", "kim"]);
    let words: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(words, ["NAME", "WORKSPACE", "ALIAS", "ROLES", "shop", "demo", "The", "shop", "operator"]);
    assert_eq!(up.paifang(&["project", "list", "--as", "kim", "-o", "name"]), "namespace/shop\n");
    assert!(can(&up, "kim", &["get", "users/kim"]) && !can(&up, "kim", &["get", "users/sam"]));
    assert!(can(&up, "sam", &["get", "workspaces/demo"]) && !can(&up, "kim", &["get", "workspaces/demo"]));
    let members = up.paifang(&["project", "members", "shop", "--as", "sam", "--no-headers"]);
    let members: Vec<Vec<&str>> = members.lines().map(|it| it.split_whitespace().take(3).collect()).collect();
    assert_eq!(members, [["kim", "User", "operator"], ["sam", "User", "admin"], ["wendy", "User", "admin"]]);

    up.paifang(&["invite", "kim", "--project", "shop", "--remove", "--as", "sam"]);
    assert!(!can(&up, "kim", &["list", "services", "-n", "shop"]));
    eventually("kim is told", || told(&up, "kim", "projects").is_empty().then_some(()));
    refused(&up, &["invite", "nobody", "--project", "shop", "--role", "viewer"], &["there is no user nobody"]);
    refused(&up, &["invite", "kim", "--project", "shop", "--role", "boss"], &["has no role boss", "admin, operator, viewer"]);
}

/// Rows: verb, resource; then whether the project's admin, operator and viewer may, the workspace's admin, viewer and regular member.
const RIGHTS: &[(&str, &str, &str, [bool; 6])] = &[
    ("create", "paifang.dev", "ingressgateways", [true, false, false, true, false, false]),
    ("delete", "paifang.dev", "ingressgateways", [true, false, false, true, false, false]),
    ("get", "paifang.dev", "ingressgateways", [true, true, true, true, true, false]),
    ("create", "gateway.networking.k8s.io", "gateways", [true, false, false, true, false, false]),
    ("list", "gateway.networking.k8s.io", "gateways", [true, true, true, true, true, false]),
    ("create", "networking.k8s.io", "ingresses", [true, true, false, true, false, false]),
    ("list", "networking.k8s.io", "ingresses", [true, true, true, true, true, false]),
    ("patch", "gateway.networking.k8s.io", "httproutes", [true, true, false, true, false, false]),
    ("create", "networking.istio.io", "virtualservices", [true, true, false, true, false, false]),
    ("update", "", "services", [true, true, false, true, false, false]),
    ("delete", "apps", "deployments", [true, true, false, true, false, false]),
    ("create", "servicemesh.kubesphere.io", "strategies", [true, true, false, true, false, false]),
    ("get", "", "secrets", [true, true, false, true, false, false]),
    ("create", "", "secrets", [true, true, false, true, false, false]),
    ("list", "", "configmaps", [true, true, true, true, true, false]),
    ("create", "rbac.authorization.k8s.io", "rolebindings", [true, false, false, true, false, false]),
    ("list", "rbac.authorization.k8s.io", "rolebindings", [true, true, true, true, true, false]),
    ("create", "rbac.authorization.k8s.io", "roles", [true, false, false, true, false, false]),
    ("delete", "", "namespaces", [true, false, false, true, false, false]),
    ("update", "", "namespaces", [false, false, false, false, false, false]),
    ("escalate", "rbac.authorization.k8s.io", "roles", [false, false, false, false, false, false]),
    ("bind", "rbac.authorization.k8s.io", "roles", [false, false, false, false, false, false]),
];

#[test]
fn every_role_has_the_rights_of_the_table_and_no_others() {
    let up = demo();
    let members = ["ada", "oki", "vic", "wad", "wvi", "wre"];
    make_users(&up, &members);
    up.paifang(&["user", "create", "pia", "--no-password"]);
    for (user, place, role) in [
        ("ada", "--project=shop", "admin"),
        ("oki", "--project=shop", "operator"),
        ("vic", "--project=shop", "viewer"),
        ("wad", "--workspace=demo", "admin"),
        ("wvi", "--workspace=demo", "viewer"),
        ("wre", "--workspace=demo", "regular"),
        ("pia", "--platform", "platform-admin"),
    ] {
        up.paifang(&["invite", user, place, "--role", role]);
    }
    eventually("members of the workspace are members of its project", || (told(&up, "wvi", "projects") == ["shop viewer"]).then_some(()));
    eventually("its admins too", || (told(&up, "wad", "projects") == ["shop admin"]).then_some(()));
    let mut questions = Vec::new();
    for (verb, group, resource, expected) in RIGHTS {
        let of = members.iter().zip(expected.iter().copied()).chain([(&"pia", true)]);
        questions.extend(of.map(|(user, expected)| (*user, *verb, *group, *resource, expected)));
    }
    let review = |(user, verb, group, resource, _): &(&str, &str, &str, &str, bool)| {
        let asked = json!({ "namespace": "shop", "verb": verb, "group": group, "resource": resource });
        let spec = json!({ "user": user, "groups": ["system:authenticated"], "resourceAttributes": asked });
        json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec }).to_string()
    };
    let documents: Vec<String> = questions.iter().map(review).collect();
    let answers =
        up.kubectl(&["create", "-f", "-", "-o", "jsonpath={.status.allowed}{'\\n'}"], &documents.join("\n")).expect("they are asked");
    let answers: Vec<bool> = answers.split_whitespace().map(|it| it == "true").collect();
    assert_eq!(answers.len(), questions.len());
    let wrong: Vec<_> = questions.iter().zip(answers).filter(|(it, allowed)| it.4 != *allowed).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");

    // As users ask it; outside of the project nobody has anything.
    for user in members {
        assert!(!can(&up, user, &["list", "ingresses", "-n", "default"]), "{user}");
        assert!(!can(&up, user, &["get", "secrets", "-n", "paifang-system"]), "{user}");
        assert!(!can(&up, user, &["list", "projects.paifang.dev", "-A"]), "{user}");
        assert!(!can(&up, user, &["create", "namespaces"]), "{user}");
    }
    assert!(can(&up, "wad", &["create", "projects.paifang.dev", "-n", "workspace-demo"]));
    assert!(!can(&up, "wvi", &["create", "projects.paifang.dev", "-n", "workspace-demo"]));
    assert!(can(&up, "pia", &["create", "users.paifang.dev"]) && can(&up, "pia", &["*", "*", "-A"]));
}

#[test]
fn nobody_gets_more_than_they_hold() {
    let up = demo();
    make_users(&up, &["oki", "mallory"]);
    up.paifang(&["invite", "oki", "--project", "shop", "--role", "operator"]);
    // An own role for who looks after members, and one who is given it.
    up.paifang(&[
        "role",
        "create",
        "hosts",
        "--project",
        "shop",
        "--permission",
        "members=manage",
        "--permission",
        "roles=manage",
        "--as",
        "sam",
    ]);
    up.paifang(&["invite", "mallory", "--project", "shop", "--role", "hosts", "--as", "sam"]);
    refused(&up, &["invite", "mallory", "--project", "shop", "--role", "admin", "--as", "mallory"], &["not currently held"]);
    refused(
        &up,
        &["role", "create", "more", "--project", "shop", "--permission", "routes=manage", "--as", "mallory"],
        &["nobody can put more into a role than they have"],
    );
    // Emptied, the role can be bound; filled again, it gives nothing to who did that.
    up.kubectl(&["patch", "role", "admin", "-n", "shop", "--type=merge", "-p", r#"{"rules":[]}"#, "--as", "mallory"], "")
        .expect("fewer rights");
    let bound = up.kubectl(&["create", "rolebinding", "mine", "-n", "shop", "--role=admin", "--user=mallory", "--as", "mallory"], "");
    eventually("the role is as it was", || can(&up, "sam", &["create", "ingressgateways.paifang.dev", "-n", "shop"]).then_some(()));
    eventually("the binding is gone", || up.kubectl(&["get", "rolebinding", "mine", "-n", "shop"], "").is_err().then_some(()));
    assert!(!can(&up, "mallory", &["create", "ingresses", "-n", "shop"]), "{bound:?}");
    // Neither a label, nor a Project, nor a name gives a namespace that is somebody's.
    up.kubectl(&["label", "namespace", "shop", "kubesphere.io/workspace=other", "--overwrite", "--as", "sam"], "").expect_err("not theirs");
    up.kubectl(&["create", "namespace", "prod"], "").expect("a namespace");
    refused(&up, &["project", "create", "prod", "--workspace", "demo", "--as", "sam"], &["NameTaken"]);
    refused(&up, &["project", "create", "cert-system", "--workspace", "demo", "--as", "sam"], &["belong to the system"]);
    assert!(!can(&up, "sam", &["list", "services", "-n", "prod"]));
    // Whose word a status is.
    for user in ["sam", "wendy"] {
        assert!(!can(&up, user, &["patch", "users/sam", "--subresource=status"]), "{user}");
        assert!(!can(&up, user, &["patch", "projects.paifang.dev/shop", "-n", "workspace-demo", "--subresource=status"]), "{user}");
    }
}

#[test]
fn own_roles_are_put_together_from_permissions() {
    let up = demo();
    make_users(&up, &["rita"]);
    refused(
        &up,
        &["role", "create", "r", "--project", "shop", "--permission", "route=manage", "--as", "sam"],
        &["there is no permission \"route\"", "routes"],
    );
    up.paifang(&[
        "role",
        "create",
        "router",
        "--project",
        "shop",
        "--permission",
        "routes=manage",
        "--permission",
        "services=view",
        "--as",
        "sam",
    ]);
    up.paifang(&["invite", "rita", "--project", "shop", "--role", "router", "--as", "sam"]);
    assert!(can(&up, "rita", &["create", "ingresses", "-n", "shop"]) && can(&up, "rita", &["list", "services", "-n", "shop"]));
    assert!(!can(&up, "rita", &["create", "services", "-n", "shop"]) && !can(&up, "rita", &["list", "pods", "-n", "shop"]));
    let role = up.get(&["role", "router", "-n", "shop"]).expect("the role");
    assert_eq!(role["metadata"]["annotations"]["paifang.dev/permissions"], r#"{"routes":"manage","services":"view"}"#);
    let listed = || up.paifang(&["role", "list", "--project", "shop", "--as", "sam"]);
    assert!(listed().contains("routes=manage,services=view"), "{}", listed());
    let more = r#"[{"op":"add","path":"/rules/-","value":{"apiGroups":[""],"resources":["pods"],"verbs":["list"]}}]"#;
    up.kubectl(&["patch", "role", "router", "-n", "shop", "--type=json", "-p", more], "").expect("it is changed");
    assert!(listed().contains("problem: its rules are others than those of the permissions it names"), "{}", listed());
    refused(&up, &["role", "delete", "router", "--project", "shop", "--as", "sam"], &["rita still has it", "--remove"]);
    up.paifang(&["invite", "rita", "--project", "shop", "--role", "router", "--remove", "--as", "sam"]);
    up.paifang(&["role", "delete", "router", "--project", "shop", "--as", "sam"]);
    refused(&up, &["role", "delete", "admin", "--project", "shop", "--as", "sam"], &["built-in"]);
}

/// All that names somebody or something.
fn traces(up: &Up, name: &str) -> Vec<String> {
    let kinds =
        "users,workspaces,projects,namespaces,roles,rolebindings,clusterroles,clusterrolebindings,secrets,configmaps,serviceaccounts";
    let all = up.get(&[kinds, "-A"]).expect("all objects");
    let named = |it: &&Value| {
        let mut it = (*it).clone();
        // Who made a field, and when, is history.
        it["metadata"]["managedFields"] = Value::Null;
        it.to_string().contains(name)
    };
    let items = all["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter(named).map(|it| format!("{} {}", it["kind"], it["metadata"]["name"])).collect()
}

#[test]
fn what_is_deleted_leaves_nothing_behind() {
    let up = demo();
    up.paifang(&["user", "create", "leo-the-leaver"]);
    for place in ["--project=shop", "--workspace=demo"] {
        up.paifang(&["invite", "leo-the-leaver", place, "--role", "admin"]);
    }
    up.paifang(&["invite", "leo-the-leaver", "--platform", "--role", "platform-self-provisioner"]);
    assert!(traces(&up, "leo-the-leaver").len() > 6, "{:?}", traces(&up, "leo-the-leaver"));
    up.paifang(&["user", "delete", "leo-the-leaver"]);
    eventually("nothing names them", || traces(&up, "leo-the-leaver").is_empty().then_some(()));

    up.paifang(&["project", "create", "passing", "--workspace", "demo"]);
    up.kubectl(&["create", "configmap", "in-it", "-n", "passing"], "").expect("something in it");
    up.paifang(&["project", "delete", "passing", "--as", "wendy"]);
    eventually("nothing of the project stays", || traces(&up, "passing").is_empty().then_some(()));

    up.paifang(&["workspace", "create", "kept-and-gone", "--admin", "wendy"]);
    up.paifang(&["project", "create", "stays", "--workspace", "kept-and-gone", "--admin", "sam"]);
    up.paifang(&["workspace", "delete", "kept-and-gone", "--keep-projects", "--as", "wendy"]);
    eventually("the workspace is gone from all objects", || traces(&up, "kept-and-gone").is_empty().then_some(()));
    assert!(up.get(&["namespace", "stays"]).is_some() && can(&up, "sam", &["create", "ingresses", "-n", "stays"]));
    assert!(!can(&up, "wendy", &["list", "ingresses", "-n", "stays"]));

    up.paifang(&["workspace", "delete", "demo"]);
    eventually("its projects go with it", || up.get(&["namespace", "shop"]).is_none().then_some(()));
    eventually("nothing of it stays", || traces(&up, "workspace-demo").is_empty().then_some(()));
}

/// What all objects are, but for times.
fn versions(up: &Up) -> Vec<String> {
    let kinds = "users,workspaces,projects,namespaces,roles,rolebindings,clusterroles,clusterrolebindings,configmaps";
    let all = up.get(&[kinds, "-A"]).expect("all objects");
    let version = |it: &Value| format!("{} {} {}", it["kind"], it["metadata"]["name"], it["metadata"]["resourceVersion"]);
    all["items"].as_array().into_iter().flatten().map(version).collect()
}

#[test]
fn a_restart_writes_nothing() {
    let mut up = demo();
    make_users(&up, &["kim"]);
    up.paifang(&["invite", "kim", "--project", "shop", "--role", "viewer"]);
    eventually("kim is told", || (told(&up, "kim", "projects") == ["shop viewer"]).then_some(()));
    // What is still under way ends when a new workspace has gone all the way.
    up.paifang(&["workspace", "create", "last"]);
    up.signal("-TERM");
    up.wait();
    up.start_again();
    let before = versions(&up);
    up.paifang(&["workspace", "create", "later"]);
    up.paifang(&["workspace", "delete", "later"]);
    eventually("the new one is gone", || traces(&up, "later").is_empty().then_some(()));
    assert_eq!(versions(&up), before);
}

#[test]
fn people_log_in_and_have_kubeconfigs_of_their_own() {
    let up = Up::start(&["--demo"]);
    let said = eventually("it says who can log in", || Some(up.said()).filter(|it| it.contains("project-regular") && it.contains("try ")));
    let password = |user: &str| {
        let line = said.lines().find(|it| it.contains(user) && it.contains("one-time password")).expect("a line for each");
        line.split_whitespace().last().expect("a password").to_owned()
    };
    let file = |name: &str| up.dir.path().join(name).display().to_string();
    // A one-time password is good for choosing another.
    let mine = file("mine");
    let login = |lines: &str| {
        let mut command = Command::new(binary());
        command.env("KUBECONFIG", up.kubeconfig()).args(["login", "project-admin", "--password-stdin", "--file", &mine]);
        let output = run(&mut command, lines);
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    };
    let first = password("project-admin");
    login(&format!("{first}\n")).expect_err("another has to be chosen");
    let said = login(&format!("{first}\na long enough one\n")).expect("another is chosen");
    assert!(said.contains("logged in as project-admin until"), "{said}");
    login(&format!("{first}\n")).expect_err("it was for once");
    let who = |kubeconfig: &str| {
        let output = run(
            Command::new("kubectl").args(["--kubeconfig", kubeconfig, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]),
            "",
        );
        text(&output.stdout)
    };
    assert_eq!(who(&mine), "project-admin");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&mine).expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
    // Who has logged in invites, lists, and changes their password.
    let listed = run(Command::new(binary()).args(["project", "list", "--kubeconfig", &mine, "--no-headers"]), "");
    assert!(text(&listed.stdout).starts_with("demo-project   demo-workspace   Demo project   admin"), "{listed:?}");

    let theirs = file("theirs");
    up.paifang(&["user", "kubeconfig", "project-regular", "--file", &theirs]);
    assert_eq!(who(&theirs), "project-regular");
    let ingress = ["--kubeconfig", &theirs, "auth", "can-i", "create", "ingresses", "-n", "demo-project"];
    assert!(run(Command::new("kubectl").args(ingress), "").status.success());
    up.paifang(&["user", "suspend", "project-regular"]);
    eventually("their token is refused", || who(&theirs).is_empty().then_some(()));
    refused(&up, &["user", "kubeconfig", "project-regular"], &["suspended"]);
    up.paifang(&["user", "resume", "project-regular"]);
    eventually("and is good again", || (who(&theirs) == "project-regular").then_some(()));
}
