//! Structural schemas: defaults, pruning, values, CEL, and what clients read of them.

use schema::{Described, List, Structural, Violation, builtin, default_builtin, openapi_v2, openapi_v3, structural};
use serde_json::{Value, json};

fn custom(spec: Value) -> Structural {
    Structural::from_crd(&json!({ "type": "object", "properties": { "spec": spec } })).expect("a structural schema")
}

#[track_caller]
fn check(spec_schema: Value, spec: Value, expect: &[&str]) {
    check_update(spec_schema, spec, None, expect);
}

#[track_caller]
fn check_update(spec_schema: Value, new: Value, old: Option<Value>, expect: &[&str]) {
    let old = old.map(|old| json!({ "spec": old }));
    let found = custom(spec_schema).validate(&json!({ "spec": new }), old.as_ref());
    assert_eq!(found.iter().map(Violation::to_string).collect::<Vec<_>>(), expect);
}

#[test]
fn values_are_checked_in_kubernetes_words() {
    check(json!({ "type": "integer" }), json!("3"), &["spec: Invalid value: \"string\": spec in body must be of type integer: \"string\""]);
    check(json!({ "type": "integer" }), json!(3.0), &[]);
    check(
        json!({ "type": "integer", "minimum": 1 }),
        json!(0),
        &["spec: Invalid value: 0: spec in body should be greater than or equal to 1"],
    );
    check(
        json!({ "type": "integer", "maximum": 9, "exclusiveMaximum": true }),
        json!(9),
        &["spec: Invalid value: 9: spec in body should be less than 9"],
    );
    check(json!({ "type": "string", "pattern": "^a+$" }), json!("b"), &["spec: Invalid value: \"b\": spec in body should match '^a+$'"]);
    check(json!({ "type": "string", "maxLength": 2 }), json!("äöü"), &["spec: Too long: may not be more than 2 bytes"]);
    check(json!({ "type": "string", "maxLength": 3 }), json!("äöü"), &[]);
    check(
        json!({ "type": "string", "minLength": 1 }),
        json!(""),
        &["spec: Invalid value: \"\": spec in body should be at least 1 chars long"],
    );
    check(json!({ "type": "string", "enum": ["a", "b"] }), json!("c"), &["spec: Unsupported value: \"c\": supported values: \"a\", \"b\""]);
    check(
        json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } }),
        json!({}),
        &["spec.a: Required value"],
    );
    check(
        json!({ "type": "array", "items": { "type": "string" }, "maxItems": 1 }),
        json!(["a", "b"]),
        &["spec: Too many: 2: must have at most 1 item"],
    );
    check(
        json!({ "type": "string", "format": "date-time" }),
        json!("today"),
        &["spec: Invalid value: \"today\": spec in body must be of type date-time: \"today\""],
    );
    check(
        json!({ "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "set" }),
        json!(["a", "b", "a"]),
        &["spec[2]: Duplicate value: \"a\""],
    );
    check(json!({ "x-kubernetes-int-or-string": true, "anyOf": [{ "type": "integer" }, { "type": "string" }] }), json!("50%"), &[]);
    check(json!({ "type": "string", "nullable": true }), json!(null), &[]);
}

#[test]
fn combinations_narrow() {
    let either = json!({
        "type": "object",
        "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
        "oneOf": [{ "required": ["a"] }, { "required": ["b"] }],
    });
    check(either.clone(), json!({ "a": "x" }), &[]);
    check(
        either.clone(),
        json!({ "a": "x", "b": "y" }),
        &["<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives"],
    );
    check(
        either,
        json!({}),
        &["<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid", "spec.a: Required value"],
    );
    check(
        json!({ "type": "string", "not": { "enum": ["root"] } }),
        json!("root"),
        &["<nil>: Invalid value: \"\": \"spec\" must not validate the schema (not)"],
    );
}

#[test]
fn what_has_not_changed_is_not_checked_again() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string", "maxLength": 1 }, "b": { "type": "string" } } });
    check_update(schema.clone(), json!({ "a": "long", "b": "2" }), Some(json!({ "a": "long", "b": "1" })), &[]);
    check_update(schema, json!({ "a": "longer" }), Some(json!({ "a": "long" })), &["spec.a: Too long: may not be more than 1 byte"]);
    let ruled = json!({ "type": "integer", "x-kubernetes-validations": [{ "rule": "self > 5", "message": "too small" }] });
    let schema = json!({ "type": "object", "properties": { "a": ruled, "b": { "type": "string" } } });
    check_update(schema.clone(), json!({ "a": 1, "b": "2" }), Some(json!({ "a": 1, "b": "1" })), &[]);
    check_update(schema, json!({ "a": 2 }), Some(json!({ "a": 1 })), &["spec.a: Invalid value: 2: too small"]);
}

#[test]
fn rules_in_cel() {
    let rules =
        |kind: &str, rules: Value, properties: Value| json!({ "type": kind, "properties": properties, "x-kubernetes-validations": rules });
    let replicas = json!({ "min": { "type": "integer" }, "max": { "type": "integer" } });
    let ordered = rules("object", json!([{ "rule": "self.min <= self.max", "message": "min must not exceed max" }]), replicas.clone());
    check(ordered.clone(), json!({ "min": 1, "max": 2 }), &[]);
    check(ordered.clone(), json!({ "min": 3, "max": 2 }), &["spec: Invalid value: min must not exceed max"]);
    check(
        ordered.clone(),
        json!({ "min": "3", "max": 2 }),
        &[
            "spec.min: Invalid value: \"string\": spec.min in body must be of type integer: \"string\"",
            "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to \
             complete validation",
        ],
    );
    let missing = custom(ordered).validate(&json!({ "spec": { "min": 1 } }), None);
    assert_eq!(missing[0].to_string(), "spec: Invalid value: \"object\": no such key: max evaluating rule: min must not exceed max");
    check(
        rules("object", json!([{ "rule": "has(self.min)", "reason": "FieldValueRequired", "fieldPath": ".min" }]), replicas.clone()),
        json!({}),
        &["spec.min: Required value: failed rule: has(self.min)"],
    );
    check(
        rules("object", json!([{ "rule": "self.min > 5", "messageExpression": "'min is ' + string(self.min)" }]), replicas),
        json!({ "min": 1 }),
        &["spec: Invalid value: min is 1"],
    );
}

#[test]
fn rules_ask_for_types() {
    let rule = "type(self) == int ? self < 10 : self == '5%' || type(self) != string";
    let schema =
        json!({ "x-kubernetes-int-or-string": true, "x-kubernetes-validations": [{ "rule": rule, "message": "at most 10 or 5%" }] });
    check(schema.clone(), json!(9), &[]);
    check(schema.clone(), json!("5%"), &[]);
    check(schema.clone(), json!(10), &["spec: Invalid value: 10: at most 10 or 5%"]);
    check(schema, json!("6%"), &["spec: Invalid value: \"6%\": at most 10 or 5%"]);
}

#[test]
fn rules_know_fields_by_their_escaped_names() {
    let properties = json!({
        "snake_case": { "type": "integer" }, "two__lines": { "type": "integer" }, "with-dash": { "type": "integer" }, "namespace": { "type": "integer" },
        "labels": { "type": "object", "additionalProperties": { "type": "string" } }
    });
    let rule = "self.snake_case == 1 && self.two__underscores__lines == 2 && self.with__dash__dash == 3 && self.__namespace__ == 4 \
                && self.labels['a-b'] == 'c'";
    let schema = json!({ "type": "object", "properties": properties, "x-kubernetes-validations": [{ "rule": rule }] });
    check(schema, json!({ "snake_case": 1, "two__lines": 2, "with-dash": 3, "namespace": 4, "labels": { "a-b": "c" } }), &[]);
}

#[test]
fn transition_rules_compare_with_what_was() {
    let fixed = json!({ "type": "string", "x-kubernetes-validations": [{ "rule": "self == oldSelf", "message": "is immutable" }] });
    check(fixed.clone(), json!("a"), &[]);
    check_update(fixed.clone(), json!("b"), Some(json!("a")), &["spec: Invalid value: \"b\": is immutable"]);
    let keyed = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" }, "value": fixed } },
    });
    let list = |first: &str, second: &str| json!([{ "name": first, "value": first }, { "name": second, "value": second }]);
    check_update(keyed.clone(), list("b", "a"), Some(list("a", "b")), &[]);
    let mut changed = list("b", "a");
    changed[0]["value"] = json!("c");
    check_update(keyed, changed, Some(list("a", "b")), &["spec[0].value: Invalid value: \"c\": is immutable"]);
    let optional = json!({
        "type": "integer",
        "x-kubernetes-validations": [{ "rule": "!oldSelf.hasValue() || oldSelf.value() <= self", "optionalOldSelf": true, "message": "only grows" }],
    });
    check(optional.clone(), json!(1), &[]);
    check_update(optional, json!(1), Some(json!(2)), &["spec: Invalid value: 1: only grows"]);
}

/// The kind of rules the Gateway API's own definitions carry.
#[test]
fn rules_as_gateway_api_writes_them() {
    let listener = json!({
        "type": "object",
        "required": ["name", "port", "protocol"],
        "properties": {
            "name": { "type": "string" }, "port": { "type": "integer" }, "protocol": { "type": "string" }, "hostname": { "type": "string" },
            "tls": { "type": "object", "properties": { "mode": { "type": "string", "default": "Terminate" } } },
        },
    });
    let listeners = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": listener,
        "x-kubernetes-validations": [
            { "rule": "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)", "message": "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']" },
            { "rule": "self.all(l1, self.exists_one(l2, l1.name == l2.name))", "message": "Listener name must be unique within the Gateway" },
            { "rule": "self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))", "message": "Combination of port, protocol and hostname must be unique for each listener" },
        ],
    });
    let one = |name: &str, port: u16| json!({ "name": name, "port": port, "protocol": "HTTP" });
    check(listeners.clone(), json!([one("a", 80), one("b", 81)]), &[]);
    check(
        listeners,
        json!([one("a", 80), one("b", 80)]),
        &["spec: Invalid value: Combination of port, protocol and hostname must be unique for each listener"],
    );
}

#[test]
fn defaults_fill_in_and_nulls_go() {
    let schema = custom(json!({
        "type": "object",
        "properties": {
            "replicas": { "type": "integer", "default": 1 },
            "mode": { "type": "string", "nullable": true, "default": "fast" },
            "nested": { "type": "object", "default": {}, "properties": { "on": { "type": "boolean", "default": true } } },
            "list": { "type": "array", "items": { "type": "object", "properties": { "a": { "type": "integer", "default": 7 } } } },
        },
    }));
    let mut value = json!({ "spec": { "replicas": null, "mode": null, "list": [{}, { "a": 1 }] } });
    schema.default(&mut value);
    assert_eq!(value, json!({ "spec": { "replicas": 1, "mode": null, "nested": { "on": true }, "list": [{ "a": 7 }, { "a": 1 }] } }));
}

#[test]
fn unknown_fields_are_found_and_taken_out() {
    let schema = custom(json!({
        "type": "object",
        "properties": {
            "known": { "type": "string" },
            "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            "map": { "type": "object", "additionalProperties": { "type": "object", "properties": { "a": { "type": "string" } } } },
            "list": { "type": "array", "items": { "type": "object", "properties": { "a": { "type": "string" } } } },
        },
    }));
    let value = json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "a", "nickname": "b" }, "extra": 1,
        "spec": { "known": "x", "knwon": "y", "free": { "any": 1 }, "map": { "k": { "a": "1", "b": "2" } }, "list": [{ "c": 1 }] },
    });
    let unknown = ["metadata.nickname", "extra", "spec.knwon", "spec.map.k.b", "spec.list[0].c"];
    assert_eq!(schema.unknown(&value), unknown);
    let mut pruned = value.clone();
    assert_eq!(schema.prune(&mut pruned), unknown);
    assert_eq!(pruned["spec"], json!({ "known": "x", "free": { "any": 1 }, "map": { "k": { "a": "1" } }, "list": [{}] }));
    assert!(schema.unknown(&pruned).is_empty());
}

#[test]
fn built_in_kinds_have_their_fields() {
    for kind in builtin().kinds() {
        let schema = structural(kind);
        let object =
            json!({ "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": { "name": "a", "labels": { "a": "b" } }, "bogus": 1 });
        assert_eq!(schema.unknown(&object), ["bogus"], "{}", kind.kind);
        assert!(schema.validate(&object, None).is_empty(), "{}", kind.kind);
        assert_eq!(builtin().find(kind.group, kind.version, kind.plural), Some(kind));
        assert_eq!(builtin().by_kind(&kind.api_version(), kind.kind), Some(kind));
    }
}

/// A schema inside a schema, values of any type, and the fields that may be a schema, a list or a flag.
#[test]
fn a_custom_resource_definition_contains_itself() {
    let kind = builtin().by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition").unwrap();
    let schema = |inner: Value| {
        let versions = json!([{ "name": "v1", "schema": { "openAPIV3Schema": inner } }]);
        json!({ "spec": { "versions": versions } })
    };
    let value = schema(json!({
        "type": "object", "x-kubernetes-preserve-unknown-fields": true,
        "properties": { "a": { "type": "array", "items": { "type": "string", "default": null, "enum": ["x", 1, null] } } },
        "additionalProperties": { "type": "string", "bogus": 1 },
        "not": { "additionalProperties": false },
    }));
    assert_eq!(structural(kind).unknown(&value), ["spec.versions[0].schema.openAPIV3Schema.additionalProperties.bogus"]);
    let mut defaulted = value.clone();
    default_builtin(kind, &mut defaulted);
    let items = &defaulted["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["a"]["items"];
    assert_eq!(items, &json!({ "type": "string", "default": null, "enum": ["x", 1, null] }));
}

#[test]
fn strategic_merge_finds_its_keys() {
    let service = structural(builtin().by_kind("v1", "Service").unwrap());
    let ports = service.patch_meta(["spec", "ports"]).unwrap();
    assert_eq!((ports.merge_key.as_deref(), ports.strategy.as_str()), (Some("port"), "merge"));
    assert_eq!(
        service.root().property("spec").unwrap().property("ports").unwrap().list(),
        &List::Map(vec!["port".into(), "protocol".into()])
    );
    let finalizers = service.patch_meta(["metadata", "finalizers"]).unwrap();
    assert_eq!((finalizers.merge_key, finalizers.strategy.as_str()), (None, "merge"));
    let ingress = structural(builtin().by_kind("networking.k8s.io/v1", "Ingress").unwrap());
    assert_eq!(ingress.patch_meta(["spec", "rules"]), None);
}

#[test]
fn service_defaults() {
    let kind = builtin().by_kind("v1", "Service").unwrap();
    let mut service = json!({ "metadata": { "creationTimestamp": null }, "spec": { "type": "LoadBalancer", "ports": [{ "port": 80 }] }, "status": { "loadBalancer": {} } });
    default_builtin(kind, &mut service);
    let expect = json!({
        "metadata": {},
        "spec": {
            "type": "LoadBalancer", "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 80 }], "sessionAffinity": "None",
            "externalTrafficPolicy": "Cluster", "internalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": true,
        },
        "status": { "loadBalancer": {} },
    });
    assert_eq!(service, expect);
}

#[test]
fn plain_text_of_a_secret_becomes_data() {
    let kind = builtin().by_kind("v1", "Secret").unwrap();
    let mut secret = json!({ "data": { "a": "YQ==", "c": null }, "stringData": { "b": "hello" } });
    default_builtin(kind, &mut secret);
    assert_eq!(secret, json!({ "data": { "a": "YQ==", "c": "", "b": "aGVsbG8=" }, "type": "Opaque" }));
}

/// Every reference in `document` leads somewhere.
fn check_references(document: &Value, at: &Value) {
    match at {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                let pointer = target.strip_prefix('#').expect("a local reference");
                assert!(document.pointer(pointer).is_some(), "{target}");
            }
            fields.values().for_each(|value| check_references(document, value));
        }
        Value::Array(items) => items.iter().for_each(|value| check_references(document, value)),
        _ => {}
    }
}

#[test]
fn openapi_is_complete() {
    let kinds: Vec<Described<'_>> = builtin().kinds().iter().map(Described::from).collect();
    let v2 = openapi_v2(&kinds);
    check_references(&v2, &v2);
    for group_version in ["v1", "networking.k8s.io/v1", "apiextensions.k8s.io/v1", "discovery.k8s.io/v1"] {
        let v3 = openapi_v3(group_version, &kinds);
        check_references(&v3, &v3);
        assert!(!v3["paths"].as_object().unwrap().is_empty());
    }
    let v3 = openapi_v3("networking.k8s.io/v1", &kinds);
    let path = &v3["paths"]["/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/{name}"];
    assert_eq!(path["get"]["x-kubernetes-group-version-kind"], json!({ "group": "networking.k8s.io", "version": "v1", "kind": "Ingress" }));
    assert!(path["patch"]["requestBody"]["content"]["application/strategic-merge-patch+json"].is_object());
    let ingress = &v3["components"]["schemas"]["io.k8s.api.networking.v1.Ingress"];
    assert_eq!(ingress["x-kubernetes-group-version-kind"][0]["kind"], "Ingress");
    assert!(ingress["properties"]["spec"]["description"].as_str().unwrap().contains("spec is the desired state"));
    let ports = &openapi_v3("v1", &kinds)["components"]["schemas"]["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"];
    assert_eq!((&ports["x-kubernetes-patch-merge-key"], &ports["x-kubernetes-patch-strategy"]), (&json!("port"), &json!("merge")));
    assert!(v2["definitions"]["io.k8s.api.core.v1.Service"]["properties"]["spec"]["$ref"].is_string());
}

#[test]
fn custom_kinds_are_described_too() {
    let schema = custom(json!({ "type": "object", "description": "What is wanted." }));
    let widget = Described {
        group: "example.com",
        version: "v1",
        kind: "Widget",
        list_kind: "WidgetList",
        plural: "widgets",
        namespaced: true,
        status_subresource: false,
        schema: &schema,
    };
    let v3 = openapi_v3("example.com/v1", &[widget]);
    check_references(&v3, &v3);
    assert_eq!(v3["components"]["schemas"]["com.example.v1.Widget"]["properties"]["spec"]["description"], "What is wanted.");
    let patch = &v3["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"]["requestBody"]["content"];
    assert!(patch["application/strategic-merge-patch+json"].is_null() && patch["application/merge-patch+json"].is_object());
}
