//! Whatever JSON comes, nothing panics, defaulting twice is defaulting once, and a pruned object has nothing left to prune.

use proptest::prelude::*;
use schema::{Structural, builtin, default_builtin, structural, validate_builtin, validate_custom_metadata};
use serde_json::{Map, Value, json};

/// Words that mean something somewhere, so that random objects reach deep.
const WORDS: [&str; 44] = [
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "spec",
    "status",
    "rules",
    "http",
    "paths",
    "path",
    "pathType",
    "backend",
    "service",
    "port",
    "ports",
    "number",
    "type",
    "data",
    "subsets",
    "addresses",
    "endpoints",
    "addressType",
    "subjects",
    "roleRef",
    "versions",
    "schema",
    "openAPIV3Schema",
    "properties",
    "items",
    "additionalProperties",
    "default",
    "nullable",
    "enum",
    "pattern",
    "required",
    "x-kubernetes-validations",
    "rule",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "allOf",
    "anyOf",
];

const TEXTS: [&str; 16] = [
    "",
    "/",
    "a",
    "object",
    "array",
    "string",
    "integer",
    "map",
    "set",
    "self.a == oldSelf.a",
    "self.all(x, x > 0)",
    "[",
    "127.0.0.1",
    "*.example",
    "Prefix",
    "\u{0}ä",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        let key = prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn built_in_kinds_take_anything(new in value(), old in value(), index in 0..builtin().kinds().len()) {
        let kind = &builtin().kinds()[index];
        validate_builtin(kind, &new, Some(&old));
        structural(kind).validate(&new, Some(&old)).iter().for_each(|violation| assert!(!violation.to_string().is_empty()));
        let mut pruned = new.clone();
        structural(kind).prune(&mut pruned);
        prop_assert!(structural(kind).unknown(&pruned).is_empty());
        let mut once = new;
        default_builtin(kind, &mut once);
        let mut twice = once.clone();
        default_builtin(kind, &mut twice);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn custom_schemas_take_anything(schema in value(), new in value(), old in value()) {
        let mut schema = schema;
        if let Some(fields) = schema.as_object_mut() {
            fields.insert("type".to_owned(), json!("object"));
        }
        if let Ok(schema) = Structural::from_crd(&schema) {
            let mut once = new.clone();
            schema.default(&mut once);
            let mut twice = once.clone();
            schema.default(&mut twice);
            prop_assert_eq!(&once, &twice);
            schema.validate(&once, Some(&old));
            schema.prune(&mut once);
            prop_assert!(schema.unknown(&once).is_empty());
        }
        validate_custom_metadata(true, &new, Some(&old));
    }
}
