//! Who may do what, as a table.

use serde_json::json;

use super::*;

const SHOP: &str = "shop";

fn place(sort: Sort, namespace: &str, name: &str) -> Place {
    Place { sort, namespace: namespace.into(), name: name.into() }
}

fn role(rules: &[Rule]) -> Value {
    json!({ "rules": rules.iter().map(Rule::to_value).collect::<Vec<_>>() })
}

fn binding(role: &str, name: &str, subjects: &[(&str, &str)]) -> Value {
    let subjects: Vec<Value> = subjects.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect();
    json!({ "roleRef": { "apiGroup": GROUP, "kind": role, "name": name }, "subjects": subjects })
}

/// `reader` and `everything` for the cluster, `keeper` in `shop`; who has which, the test says.
fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.put(place(Sort::ClusterRole, "", "reader"), &role(&[Rule::resources(&[""], "configmaps secrets", "get list watch")]));
    policy.put(place(Sort::ClusterRole, "", "everything"), &role(&[Rule::resources(&["*"], "*", "*"), Rule::urls("*", "*")]));
    policy.put(place(Sort::Role, SHOP, "keeper"), &role(&[Rule::resources(&[""], "configmaps", "create update patch delete")]));
    policy.put(place(Sort::ClusterRoleBinding, "", "root"), &binding("ClusterRole", "everything", &[("User", "root"), ("Group", "ops")]));
    policy.put(place(Sort::ClusterRoleBinding, "", "readers"), &binding("ClusterRole", "reader", &[("Group", "readers")]));
    policy.put(place(Sort::RoleBinding, SHOP, "reads"), &binding("ClusterRole", "reader", &[("User", "ann"), ("ServiceAccount", "robot")]));
    policy.put(place(Sort::RoleBinding, SHOP, "keeps"), &binding("Role", "keeper", &[("User", "ann")]));
    policy.put(place(Sort::RoleBinding, "other", "keeps"), &binding("Role", "keeper", &[("User", "ann")]));
    policy.settle();
    policy
}

fn who(user: &str) -> Identity {
    let (user, group) = user.split_once('@').unwrap_or((user, ""));
    Identity::new(user, vec![group.to_owned(), "system:authenticated".into()])
}

#[test]
fn role_by_verb_by_kind() {
    let policy = policy();
    let robot = "system:serviceaccount:shop:robot";
    for (user, attempt, expect) in [
        ("root", "delete nodes", true),
        ("root", "get /metrics", true),
        ("x@ops", "create pods.apps/x in shop", true),
        ("x", "get configmaps in shop", false),
        ("x@readers", "get configmaps in shop", true),
        ("x@readers", "list secrets", true),
        ("x@readers", "update configmaps in shop", false),
        ("x@readers", "get /metrics", false),
        ("ann", "get configmaps in shop", true),
        ("ann", "get configmaps in other", false),
        ("ann", "list configmaps", false),
        ("ann", "delete configmaps a in shop", true),
        ("ann", "deletecollection configmaps in shop", false),
        ("ann", "delete secrets a in shop", false),
        ("ann", "delete configmaps a in other", false),
        (robot, "get secrets in shop", true),
        (robot, "delete configmaps in shop", false),
        ("robot", "get secrets in shop", false),
        ("system:serviceaccount:other:robot", "get secrets in shop", false),
        ("", "get configmaps in shop", false),
    ] {
        assert_eq!(policy.allows(&who(user), &Attempt::read(attempt)).allowed, expect, "{user} {attempt}");
    }
}

#[test]
fn what_allowed_it_is_named_and_a_role_that_is_missing_too() {
    let mut policy = policy();
    let said = |policy: &Policy, user: &str, attempt: &str| policy.allows(&who(user), &Attempt::read(attempt)).reason;
    let by = r#"RBAC: allowed by RoleBinding "reads/shop" of ClusterRole "reader" to User "ann""#;
    assert_eq!(said(&policy, "ann", "get secrets in shop"), by);
    let by = r#"RBAC: allowed by RoleBinding "reads/shop" of ClusterRole "reader" to ServiceAccount "robot/shop""#;
    assert_eq!(said(&policy, "system:serviceaccount:shop:robot", "get secrets in shop"), by);
    let by = r#"RBAC: allowed by ClusterRoleBinding "root" of ClusterRole "everything" to Group "ops""#;
    assert_eq!(said(&policy, "x@ops", "get nodes"), by);
    assert_eq!(said(&policy, "x", "get nodes"), "");
    let missing = r#"RBAC: role.rbac.authorization.k8s.io "keeper" not found"#;
    assert_eq!(said(&policy, "ann", "delete configmaps a in other"), missing);
    policy.remove(&place(Sort::ClusterRole, "", "reader"));
    policy.settle();
    let missing = r#"RBAC: clusterrole.rbac.authorization.k8s.io "reader" not found"#;
    assert_eq!(said(&policy, "x@readers", "get configmaps in shop"), missing);
}

#[test]
fn what_is_taken_away_holds_no_longer() {
    let mut policy = policy();
    let may = |policy: &Policy, attempt: &str| policy.allows(&who("ann"), &Attempt::read(attempt)).allowed;
    policy.put(place(Sort::RoleBinding, SHOP, "reads"), &binding("ClusterRole", "reader", &[("User", "bob")]));
    assert!(!may(&policy, "get secrets in shop") && may(&policy, "delete configmaps a in shop"));
    policy.put(place(Sort::Role, SHOP, "keeper"), &role(&[]));
    assert!(!may(&policy, "delete configmaps a in shop"));
    for (sort, namespace, name) in [
        (Sort::RoleBinding, SHOP, "reads"),
        (Sort::RoleBinding, SHOP, "keeps"),
        (Sort::RoleBinding, "other", "keeps"),
        (Sort::Role, SHOP, "keeper"),
    ] {
        policy.remove(&place(sort, namespace, name));
    }
    assert!(!policy.grants.contains_key(SHOP) && !policy.rules.contains_key(SHOP), "nothing is left behind");
}

#[test]
fn a_binding_that_is_not_understood_grants_nothing() {
    let mut policy = policy();
    let everything = |change: Value| {
        let mut object = binding("ClusterRole", "everything", &[("User", "ann")]);
        object["roleRef"] = change;
        object
    };
    for (at, role) in [
        json!({ "apiGroup": "example.io", "kind": "ClusterRole", "name": "everything" }),
        json!({ "apiGroup": GROUP, "kind": "Everything", "name": "everything" }),
        json!({ "apiGroup": GROUP, "kind": "Role", "name": "everything" }),
        json!(null),
    ]
    .into_iter()
    .enumerate()
    {
        policy.put(place(Sort::RoleBinding, SHOP, &format!("odd{at}")), &everything(role));
    }
    policy.settle();
    assert!(!policy.allows(&who("ann"), &Attempt::read("list nodes in shop")).allowed);
}

#[test]
fn labels_gather_rules_along_chains_and_rings() {
    let gathering = |label: &str, own: &str| {
        json!({
            "metadata": { "labels": { own: "true" } },
            "aggregationRule": { "clusterRoleSelectors": [{ "matchLabels": { label: "true" } }] },
            "rules": [Rule::resources(&["*"], "*", "*").to_value()],
        })
    };
    let leaf = |labels: Value, resource: &str| {
        let mut object = role(&[Rule::resources(&[""], resource, "get")]);
        object["metadata"] = json!({ "labels": labels });
        object
    };
    let mut policy = Policy::default();
    policy.put(place(Sort::ClusterRole, "", "admin"), &gathering("to-admin", "to-view"));
    policy.put(place(Sort::ClusterRole, "", "view"), &gathering("to-view", "to-admin"));
    policy.put(place(Sort::ClusterRole, "", "pods"), &leaf(json!({ "to-view": "true" }), "pods"));
    policy.put(place(Sort::ClusterRole, "", "secrets"), &leaf(json!({ "to-admin": "true" }), "secrets"));
    policy.put(place(Sort::ClusterRole, "", "nodes"), &leaf(json!({ "to-admin": "false" }), "nodes"));
    policy.put(place(Sort::ClusterRoleBinding, "", "a"), &binding("ClusterRole", "admin", &[("User", "ann")]));
    policy.settle();
    let may = |policy: &Policy, attempt: &str| policy.allows(&who("ann"), &Attempt::read(attempt)).allowed;
    assert!(may(&policy, "get pods") && may(&policy, "get secrets"));
    assert!(!may(&policy, "get nodes"), "neither the label's other value nor the role's own rules count");
    policy.put(place(Sort::ClusterRole, "", "pods"), &leaf(json!({}), "pods"));
    policy.settle();
    assert!(!may(&policy, "get pods"));
    let select = |expression: Value| {
        let mut policy = Policy::default();
        let rule = json!({ "aggregationRule": { "clusterRoleSelectors": [{ "matchExpressions": [expression] }] } });
        policy.put(place(Sort::ClusterRole, "", "admin"), &rule);
        policy.put(place(Sort::ClusterRole, "", "pods"), &leaf(json!({ "a": "b" }), "pods"));
        policy.settle();
        policy.role("", "admin").expect("a role").len()
    };
    for (expression, expect) in [
        (json!({ "key": "a", "operator": "In", "values": ["b", "c"] }), 1),
        (json!({ "key": "a", "operator": "NotIn", "values": ["b"] }), 0),
        (json!({ "key": "a", "operator": "Exists" }), 1),
        (json!({ "key": "x", "operator": "DoesNotExist" }), 1),
        (json!({ "key": "a", "operator": "Always" }), 0),
    ] {
        assert_eq!(select(expression.clone()), expect, "{expression}");
    }
}
