use super::*;
use model::SectionName;
use resources::Truth;

const NOW: &str = "2026-01-02T03:04:05Z";
const BEFORE: &str = "2026-01-01T00:00:00Z";
const US: &str = "paifang.dev/gateway-controller";

fn condition(kind: &str, status: bool, reason: &str) -> Condition {
    Condition::new(kind, Truth::from(status), reason, "")
}

fn written(kind: &str, status: &str, reason: &str, generation: i64, at: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": "", "observedGeneration": generation, "lastTransitionTime": at })
}

fn about(generation: i64, shape: Shape) -> Statement {
    Statement { uid: "u".into(), generation, shape }
}

/// An object with this status.
fn object(status: &Value) -> Value {
    json!({ "metadata": { "uid": "u" }, "status": status })
}

/// What is written to an object with this status.
fn change(statement: &Statement, status: &Value) -> Option<Value> {
    statement.change(&object(status), NOW)
}

fn conditions(generation: i64, wanted: &[Condition]) -> Statement {
    about(generation, Shape::Conditions(wanted.to_vec()))
}

/// The status after writing.
fn apply(statement: &Statement, status: &Value) -> Value {
    let mut status = status.clone();
    if let Some(change) = change(statement, &status) {
        json_patch::merge(&mut status, &change);
    }
    assert_eq!(statement.change(&object(&status), "later"), None, "a second time nothing is written");
    status
}

#[test]
fn conditions_are_joined_by_type() {
    let foreign = json!({ "type": "example.com/Seen", "status": "True", "anything": [1], "observedGeneration": 99 });
    let there = json!({ "observedGeneration": 1, "conditions": [
        written("Programmed", "False", "Pending", 1, BEFORE),
        foreign,
        written("Accepted", "True", "Accepted", 1, BEFORE),
        written("Conflicted", "True", "MatchConflict", 1, BEFORE),
    ], "validationMessages": [] });
    let wanted = [
        condition("Accepted", true, "Accepted"),
        condition("ResolvedRefs", true, "ResolvedRefs"),
        condition("Programmed", true, "Programmed"),
    ];
    let expect = json!({ "observedGeneration": 2, "conditions": [
        written("Programmed", "True", "Programmed", 2, NOW),
        foreign,
        written("Accepted", "True", "Accepted", 2, BEFORE),
        written("ResolvedRefs", "True", "ResolvedRefs", 2, NOW),
    ], "validationMessages": [] });
    assert_eq!(apply(&conditions(2, &wanted), &there), expect);
}

#[test]
fn a_status_of_a_later_version_is_left_alone() {
    let there =
        |generation: Value| json!({ "conditions": [written("Accepted", "True", "Accepted", 3, BEFORE)], "observedGeneration": generation });
    let wanted = [condition("Accepted", false, "Invalid")];
    for (ours, generation, expect) in [(2, json!(1), false), (3, json!(3), true), (3, json!("4"), false), (4, json!("4"), true)] {
        assert_eq!(change(&conditions(ours, &wanted), &there(generation.clone())).is_some(), expect, "{ours} {generation}");
    }
    let foreign = json!({ "conditions": [written("example.com/Seen", "True", "Seen", 9, BEFORE)] });
    assert!(change(&conditions(1, &wanted), &foreign).is_some(), "others' generations are not looked at");
}

#[test]
fn an_object_that_was_made_anew_is_not_spoken_of_by_what_was_known_of_the_one_before() {
    let wanted = conditions(7, &[condition("Accepted", true, "Accepted")]);
    let other = json!({ "metadata": { "uid": "v", "generation": 1 } });
    assert_eq!(wanted.change(&other, NOW), None);
    // Where that happened nevertheless, it does not last.
    let status = json!({ "conditions": [written("Accepted", "True", "Accepted", 7, BEFORE)], "observedGeneration": 7 });
    let wrong = json!({ "metadata": { "uid": "u", "generation": 2 }, "status": status });
    let change = conditions(2, &[condition("Accepted", true, "Accepted")]).change(&wrong, NOW).expect("it is mended");
    assert_eq!(change["observedGeneration"], 2);
}

#[test]
fn a_server_s_number_as_text_is_no_difference() {
    let wanted = [condition("Accepted", true, "Accepted")];
    let there = json!({ "conditions": [written("Accepted", "True", "Accepted", 1, BEFORE)], "observedGeneration": "1" });
    assert_eq!(change(&conditions(1, &wanted), &there), None);
}

fn parent(reference: Value, controller: &str) -> ParentStatus {
    ParentStatus { parent: reference, controller: controller.into(), conditions: vec![condition("Accepted", true, "Accepted")] }
}

fn entry(reference: &Value, controller: &str, at: &str) -> Value {
    json!({ "parentRef": reference, "controllerName": controller, "conditions": [written("Accepted", "True", "Accepted", 1, at)] })
}

fn route(parents: Vec<ParentStatus>) -> Statement {
    about(1, Shape::Route { parents, controllers: [US.into(), "istio.io/gateway-controller".into()].into() })
}

#[test]
fn entries_of_others_stay_where_they_are_and_ours_follow_the_references() {
    let [a, b, c] = [json!({ "name": "g", "port": 80 }), json!({ "name": "g", "port": 81 }), json!({ "name": "g", "sectionName": "x" })];
    let foreign = json!({ "parentRef": a, "controllerName": "example.com/other", "conditions": [] });
    let there = json!({ "parents": [entry(&b, US, BEFORE), foreign, entry(&a, US, BEFORE), entry(&a, US, BEFORE), entry(&json!({ "name": "gone" }), US, BEFORE)] });
    let wanted = [&a, &c].map(|it| parent(it.clone(), US)).to_vec();
    let expect = json!({ "parents": [foreign, entry(&a, US, BEFORE), entry(&c, US, NOW)] });
    assert_eq!(apply(&route(wanted), &there), expect);
    assert_eq!(apply(&route(Vec::new()), &there), json!({ "parents": [foreign] }), "no reference, no entry");
    assert_eq!(change(&route(Vec::new()), &Value::Null), None);
}

#[test]
fn a_parent_of_another_class_of_ours_is_another_entry() {
    let a = json!({ "name": "g" });
    let there = json!({ "parents": [entry(&a, US, BEFORE)] });
    let moved = apply(&route(vec![parent(a.clone(), "istio.io/gateway-controller")]), &there);
    assert_eq!(moved, json!({ "parents": [entry(&a, "istio.io/gateway-controller", NOW)] }));
}

#[test]
fn a_list_that_others_have_filled_has_no_room_for_ours() {
    let foreign: Vec<Value> =
        (0..PARENTS - 1).map(|n| json!({ "parentRef": { "name": n.to_string() }, "controllerName": "example.com/other" })).collect();
    let wanted = ["a", "b"].map(|it| parent(json!({ "name": it }), US)).to_vec();
    let status = apply(&route(wanted), &json!({ "parents": foreign }));
    assert_eq!(status["parents"].as_array().map(Vec::len), Some(PARENTS));
    assert_eq!(status["parents"][PARENTS - 1]["parentRef"], json!({ "name": "a" }));
}

#[test]
fn an_entry_of_ours_of_a_later_version_keeps_the_route_s_status() {
    let a = json!({ "name": "g" });
    let mut there = json!({ "parents": [entry(&a, "example.com/other", BEFORE), entry(&a, US, BEFORE)] });
    there["parents"][0]["conditions"][0]["observedGeneration"] = 7.into();
    assert!(change(&route(Vec::new()), &there).is_some());
    there["parents"][1]["conditions"][0]["observedGeneration"] = 2.into();
    assert_eq!(change(&route(Vec::new()), &there), None);
}

fn listener(name: &str, routes: u32) -> ListenerStatus {
    ListenerStatus {
        name: SectionName(name.into()),
        port: 80,
        supported_kinds: vec![("gateway.networking.k8s.io".into(), "HTTPRoute".into())],
        attached_routes: routes,
        conditions: vec![condition("Accepted", true, "Accepted")],
    }
}

#[test]
fn listeners_are_those_of_the_spec_in_its_order() {
    let status =
        GatewayStatus { conditions: vec![condition("Accepted", true, "Accepted")], listeners: vec![listener("b", 2), listener("a", 0)] };
    let gateway = |addresses: &[&str]| {
        about(1, Shape::Gateway { status: status.clone(), addresses: addresses.iter().map(|it| (*it).into()).collect() })
    };
    let shown = |name: &str, routes: u32, at: &str| {
        json!({ "name": name, "supportedKinds": [{ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute" }], "attachedRoutes": routes,
            "conditions": [written("Accepted", "True", "Accepted", 1, at)] })
    };
    // As the schema's default has it before anybody looked.
    let pending = json!({ "type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "wait", "lastTransitionTime": "1970-01-01T00:00:00Z" });
    let there =
        json!({ "conditions": [pending], "listeners": [shown("a", 0, BEFORE), shown("gone", 1, BEFORE)], "attachedListenerSets": 0 });
    let after = apply(&gateway(&["127.1.0.1", "lb.example"]), &there);
    let expect = json!({
        "conditions": [written("Accepted", "True", "Accepted", 1, NOW)],
        "listeners": [shown("b", 2, NOW), shown("a", 0, BEFORE)],
        "addresses": [{ "type": "IPAddress", "value": "127.1.0.1" }, { "type": "Hostname", "value": "lb.example" }],
        "attachedListenerSets": 0,
    });
    assert_eq!(after, expect);
    assert_eq!(apply(&gateway(&[]), &after)["addresses"], json!([]));
}

#[test]
fn features_are_sorted_and_conditions_bounded() {
    let shape =
        Shape::Class { conditions: vec![condition("Accepted", true, "Accepted")], features: vec!["b".into(), "a".into(), "b".into()] };
    let foreign: Vec<Value> = (0..CONDITIONS).map(|n| json!({ "type": format!("example.com/{n}"), "status": "True" })).collect();
    let status = apply(&about(1, shape), &json!({ "conditions": foreign }));
    assert_eq!(status["supportedFeatures"], json!([{ "name": "a" }, { "name": "b" }]));
    assert_eq!(status["conditions"], json!(foreign), "a schema takes no more");
}

#[test]
fn kubernetes_own_kinds_have_no_generation_in_their_conditions() {
    let fields = json!({ "observedGeneration": 2, "replicas": 1 });
    let fields = fields.as_object().cloned().unwrap_or_default();
    let shape = Shape::Plain { conditions: vec![condition("Available", false, "NoContainers")], fields };
    let progressing = json!({ "type": "Progressing", "status": "True" });
    let status = apply(&about(2, shape), &json!({ "conditions": [progressing], "collisionCount": 0, "observedGeneration": 1 }));
    let available = json!({ "type": "Available", "status": "False", "reason": "NoContainers", "lastTransitionTime": NOW });
    assert_eq!(status, json!({ "observedGeneration": 2, "replicas": 1, "collisionCount": 0, "conditions": [progressing, available] }));
}
