use super::*;
use crate::names::PERMISSIONS as ANNOTATION;

/// Whether somebody with `held` may do a verb on a resource, or has it all.
fn holds(held: &[Rule], group: &str, resource: &str, verb: &str) -> bool {
    let has = |set: &std::collections::BTreeSet<String>, it: &str| set.contains("*") || set.contains(it);
    held.iter().any(|it| has(&it.groups, group) && has(&it.resources, resource) && has(&it.verbs, verb))
}

/// What of `wanted` is not in `held`, verb by verb, as RBAC weighs a binding.
fn missing(held: &[Rule], wanted: &[Rule]) -> Vec<String> {
    let mut missing = Vec::new();
    for rule in wanted {
        for group in &rule.groups {
            for resource in &rule.resources {
                let lacking = rule.verbs.iter().filter(|verb| !holds(held, group, resource, verb));
                missing.extend(lacking.map(|verb| format!("{verb} {resource}.{group}")));
            }
        }
    }
    missing
}

fn role(place: Place, name: &str) -> &'static [Rule] {
    built_in(place, name).unwrap_or_else(|| panic!("{name} is built in")).rules()
}

#[test]
fn an_admin_can_give_every_role_of_the_place() {
    for place in [Place::Workspace, Place::Project] {
        let admin = role(place, ADMIN);
        for other in built_ins(place) {
            assert_eq!(missing(admin, other.rules()), [""; 0], "{}", other.name);
        }
        for permission in PERMISSIONS.iter().filter(|it| it.place == place) {
            for level in permission.levels() {
                assert_eq!(missing(admin, &permission.rules(level)), [""; 0], "{} {level}", permission.name);
            }
        }
    }
    for place in [Place::Platform, Place::Workspace, Place::Project] {
        for other in built_ins(place) {
            assert_eq!(missing(role(Place::Platform, PLATFORM_ADMIN), other.rules()), [""; 0], "{}", other.name);
        }
    }
}

/// Who is bound to these in a workspace is mirrored into its projects, so no permission may add up to them.
#[test]
fn no_permissions_add_up_to_a_role_that_is_mirrored() {
    let everything: Permissions = PERMISSIONS.iter().filter(|it| it.place == Place::Workspace).map(|it| (it.name, Level::Manage)).collect();
    let held = rules(Place::Workspace, &everything);
    for name in [ADMIN, VIEWER] {
        assert!(!missing(&held, role(Place::Workspace, name)).is_empty(), "{name}");
    }
    assert!(!missing(role(Place::Workspace, VIEWER), role(Place::Workspace, ADMIN)).is_empty());
}

#[test]
fn the_rights_table() {
    let (admin, operator, viewer) = (role(Place::Project, ADMIN), role(Place::Project, "operator"), role(Place::Project, VIEWER));
    let gateway = ["paifang.dev ingressgateways", "gateway.kubesphere.io gateways", "gateway.networking.k8s.io gateways"];
    let routes = ["networking.k8s.io ingresses", "gateway.networking.k8s.io httproutes", "networking.istio.io virtualservices"];
    let of = |held: &[Rule], them: &[&str], verb: &str| {
        them.iter().all(|it| it.split_once(' ').is_some_and(|(group, resource)| holds(held, group, resource, verb)))
    };
    let none = |held: &[Rule], them: &[&str], verb: &str| {
        !them.iter().any(|it| it.split_once(' ').is_some_and(|(group, resource)| holds(held, group, resource, verb)))
    };
    for verb in ["create", "update", "patch", "delete"] {
        assert!(of(admin, &gateway, verb) && none(operator, &gateway, verb) && none(viewer, &gateway, verb), "{verb} gateways");
        assert!(of(admin, &routes, verb) && of(operator, &routes, verb) && none(viewer, &routes, verb), "{verb} routes");
        let grayscale = ["servicemesh.kubesphere.io strategies"];
        assert!(of(operator, &grayscale, verb) && none(viewer, &grayscale, verb), "{verb} grayscale");
        let people = ["rbac.authorization.k8s.io rolebindings", "rbac.authorization.k8s.io roles"];
        assert!(of(admin, &people, verb) && none(operator, &people, verb), "{verb} members and roles");
    }
    for held in [admin, operator, viewer] {
        assert!(of(held, &gateway, "get") && of(held, &gateway, "list") && of(held, &routes, "watch"));
    }
    assert!(holds(operator, "", "secrets", "get"));
    for verb in ["get", "list", "watch"] {
        assert!(!holds(viewer, "", "secrets", verb), "a viewer sees no Secret: {verb}");
    }
}

/// A namespace's labels say whose project it is, and what its pods may do.
#[test]
fn nobody_in_a_project_changes_its_namespace_or_takes_more_than_they_have() {
    for name in [ADMIN, "operator", VIEWER] {
        let held = role(Place::Project, name);
        for verb in ["create", "update", "patch"] {
            assert!(!holds(held, "", "namespaces", verb), "{name}: {verb}");
        }
        for verb in ["bind", "escalate"] {
            assert!(!holds(held, "rbac.authorization.k8s.io", "roles", verb), "{name}: {verb}");
        }
        assert!(!held.iter().any(|it| it.groups.contains("*") || it.resources.contains("*") || it.verbs.contains("*")), "{name}");
    }
    assert!(!holds(role(Place::Project, "operator"), "", "serviceaccounts/token", "create"));
    let workspace = role(Place::Workspace, ADMIN);
    assert!(!holds(workspace, crate::names::GROUP, "projects/status", "update"), "what is made for a Project is the system's word");
    assert!(!holds(role(Place::Workspace, "self-provisioner"), crate::names::GROUP, "projects", "update"));
    assert!(!holds(role(Place::Workspace, "self-provisioner"), crate::names::GROUP, "projects", "list"));
}

#[test]
fn an_annotation_reads_back_as_it_is_written() {
    let permissions = Permissions::from([("gateway", Level::View), ("routes", Level::Manage)]);
    assert_eq!(write(&permissions), r#"{"gateway":"view","routes":"manage"}"#);
    assert_eq!(read(Place::Project, &write(&permissions)), Ok(permissions));
    assert_eq!(read(Place::Workspace, r#"{"projects":"create"}"#), Ok(Permissions::from([("projects", Level::Create)])));
    for (annotation, problem) in [
        ("routes", "it is no object of permissions and levels, such as {\"routes\":\"manage\"}"),
        (r#"{"route":"manage"}"#, "there is no permission \"route\""),
        (r#"{"routes":"all"}"#, "\"all\" is no level; write view, create or manage"),
        (r#"{"routes":"create"}"#, "the permission \"routes\" has no level create"),
        (r#"{"projects":"manage"}"#, "there is no permission \"projects\""),
    ] {
        assert_eq!(read(Place::Project, annotation), Err(problem.to_owned()), "{annotation}");
    }
}

#[test]
fn a_role_that_says_more_than_its_annotation_is_told() {
    let permissions = Permissions::from([("routes", Level::View)]);
    let values = |rules: &[Rule]| rules.iter().map(Rule::to_value).collect::<Value>();
    let mut role = json!({
        "metadata": { "annotations": { ANNOTATION: write(&permissions) } }, "rules": values(&rules(Place::Project, &permissions)),
    });
    assert_eq!(drift(Place::Project, &role), Some(Ok(permissions)));
    role["rules"].as_array_mut().expect("rules").reverse();
    assert!(drift(Place::Project, &role).expect("annotated").is_ok(), "the order of rules means nothing");
    role["rules"][0]["verbs"] = json!(["*"]);
    assert_eq!(drift(Place::Project, &role), Some(Err("its rules are others than those of the permissions it names".to_owned())));
    assert_eq!(drift(Place::Project, &json!({ "metadata": {}, "rules": [] })), None);
}

#[test]
fn names_of_permissions_and_roles_are_unique_in_their_place() {
    let mut names: Vec<(Place, &str)> = PERMISSIONS.iter().map(|it| (it.place, it.name)).collect();
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
