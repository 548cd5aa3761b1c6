//! Cases after the documentation of strategic merge patch and the tests' stories in `strategicpatch`.

use serde_json::{Value, json};

use super::*;

fn service() -> &'static schema::Structural {
    let kind = schema::builtin().find("", "v1", "services").expect("services are built in");
    schema::structural(kind)
}

fn check(object: Value, patch: Value, expect: Value) {
    let mut after = object.clone();
    merge(&mut after, &patch, service().root()).unwrap_or_else(|error| panic!("{patch}: {error}"));
    assert_eq!(after, expect, "{object} patched with {patch}");
}

fn ports(ports: Value) -> Value {
    json!({ "spec": { "ports": ports } })
}

#[test]
fn fields_merge_and_null_deletes() {
    check(
        json!({ "metadata": { "labels": { "a": "1", "b": "2" } }, "spec": { "type": "ClusterIP" } }),
        json!({ "metadata": { "labels": { "a": null, "c": "3" } } }),
        json!({ "metadata": { "labels": { "b": "2", "c": "3" } }, "spec": { "type": "ClusterIP" } }),
    );
    check(json!({}), json!({ "spec": { "type": "NodePort", "gone": null } }), json!({ "spec": { "type": "NodePort" } }));
}

#[test]
fn lists_with_a_key_merge_by_it() {
    let before = ports(json!([{ "port": 80, "name": "a" }, { "port": 81, "name": "b" }]));
    check(
        before.clone(),
        ports(json!([{ "port": 81, "targetPort": 9 }, { "port": 82 }])),
        ports(json!([{ "port": 80, "name": "a" }, { "port": 81, "name": "b", "targetPort": 9 }, { "port": 82 }])),
    );
    check(before.clone(), ports(json!([{ "port": 80, "$patch": "delete" }])), ports(json!([{ "port": 81, "name": "b" }])));
    check(before.clone(), ports(json!([{ "port": 90 }, { "$patch": "replace" }])), ports(json!([{ "port": 90 }])));
    check(before.clone(), ports(json!([{ "port": 90, "$patch": "delete" }])), before);
}

#[test]
fn lists_without_a_key_are_replaced() {
    check(
        json!({ "spec": { "externalIPs": ["192.0.2.1"] } }),
        json!({ "spec": { "externalIPs": ["192.0.2.2"] } }),
        json!({ "spec": { "externalIPs": ["192.0.2.2"] } }),
    );
}

#[test]
fn lists_of_values_that_merge_are_sets() {
    let before = json!({ "metadata": { "finalizers": ["a", "b"] } });
    check(before.clone(), json!({ "metadata": { "finalizers": ["b", "c"] } }), json!({ "metadata": { "finalizers": ["a", "b", "c"] } }));
    check(
        before,
        json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"] } }),
        json!({ "metadata": { "finalizers": ["c", "b"] } }),
    );
}

#[test]
fn directives_on_objects() {
    let before = json!({ "spec": { "selector": { "a": "1", "b": "2" }, "type": "ClusterIP" } });
    check(
        before.clone(),
        json!({ "spec": { "selector": { "$patch": "replace", "c": "3" } } }),
        json!({ "spec": { "selector": { "c": "3" }, "type": "ClusterIP" } }),
    );
    check(before.clone(), json!({ "spec": { "$retainKeys": ["type"], "type": "NodePort" } }), json!({ "spec": { "type": "NodePort" } }));
    check(before, json!({ "spec": { "selector": { "$patch": "delete" } } }), json!({ "spec": { "selector": {}, "type": "ClusterIP" } }));
}

#[test]
fn the_order_that_the_patch_wants_is_kept() {
    let before = ports(json!([{ "port": 1 }, { "port": 2 }, { "port": 3 }]));
    check(
        before.clone(),
        json!({ "spec": { "$setElementOrder/ports": [{ "port": 3 }, { "port": 1 }], "ports": [{ "port": 1, "name": "x" }] } }),
        ports(json!([{ "port": 2 }, { "port": 3 }, { "port": 1, "name": "x" }])),
    );
    check(
        before,
        json!({ "spec": { "$setElementOrder/ports": [{ "port": 2 }, { "port": 1 }, { "port": 3 }] } }),
        ports(json!([{ "port": 2 }, { "port": 1 }, { "port": 3 }])),
    );
}

#[test]
fn what_cannot_be_followed_is_refused() {
    for patch in [
        json!({ "spec": { "$patch": "sideways" } }),
        ports(json!([{ "name": "no key" }])),
        ports(json!(["no object"])),
        json!({ "spec": { "$retainKeys": "type" } }),
        json!([]),
    ] {
        let mut object = ports(json!([{ "port": 80 }]));
        assert!(merge(&mut object, &patch, service().root()).is_err(), "{patch}");
    }
}
