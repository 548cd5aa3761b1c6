use serde_json::{Map, Value, json};

use super::*;

fn length(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![u8::try_from(bytes.len()).expect("short")];
    out.extend_from_slice(bytes);
    out
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], length(bytes)].concat()
}

fn config_map() -> Vec<u8> {
    let meta = [field(1, b"a"), field(2, b"")].concat();
    let entry = [field(1, b"x"), field(2, b"y")].concat();
    let raw = [field(1, &meta), field(2, &entry), vec![4 << 3, 0]].concat();
    let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
    [MAGIC.to_vec(), field(1, &kind), field(2, &raw), field(3, b""), field(4, b"")].concat()
}

/// An object of a kind with something in every field; what would not end is left out.
fn sample(api_version: &str, kind: &str) -> Value {
    let mut object = fill(&message_name(api_version, kind), 0);
    object.insert("apiVersion".into(), api_version.into());
    object.insert("kind".into(), kind.into());
    Value::Object(object)
}

fn fill(name: &str, depth: usize) -> Map<String, Value> {
    let mut map = Map::new();
    for (number, field) in messages::find(name).expect("a message").fields() {
        if depth > 20 || (name == SCHEMA && depth > 5) && !matches!(field.kind, "s" | "d" | "i" | "f") {
            continue;
        }
        if field.shape == Shape::Spread {
            map.extend(fill(field.kind, depth + 1));
            continue;
        }
        let value = fill_one(field.kind, number, depth);
        let value = match field.shape {
            Shape::List => json!([value, value]),
            Shape::Map => json!({ "a": value, "b": value }),
            _ => value,
        };
        map.insert(field.name.into(), value);
    }
    map
}

fn fill_one(kind: &str, number: u64, depth: usize) -> Value {
    match kind {
        "s" | "q" => format!("text-{number}").into(),
        "i" => (-1 - number.cast_signed()).into(),
        "b" => true.into(),
        "d" => 1.5.into(),
        "y" => "AAEC/w==".into(),
        "t" => "2026-01-02T03:04:05Z".into(),
        "m" => "2026-01-02T03:04:05.000006Z".into(),
        "x" if number.is_multiple_of(2) => "http".into(),
        "x" => 80.into(),
        "f" => json!({ "f:a": { "k": [1, null] } }),
        "l" => json!(["a", "b"]),
        "o" => false.into(),
        "a" => json!([{ "type": "string" }, { "type": "number", "maximum": 3 }]),
        "e" => json!(["x"]),
        name => Value::Object(fill(name, depth + 1)),
    }
}

fn kinds() -> impl Iterator<Item = (String, &'static str)> {
    let kinds = schema::builtin().kinds().iter();
    let others = [("meta.k8s.io/v1", "PartialObjectMetadata"), ("v1", "Status"), ("autoscaling/v1", "Scale")];
    let asked = [("authentication.k8s.io/v1", "TokenReview"), ("authorization.k8s.io/v1", "SubjectAccessReview")];
    let others = others.into_iter().chain(asked).map(|(version, kind)| (version.to_owned(), kind));
    kinds.flat_map(|kind| [(kind.api_version(), kind.kind), (kind.api_version(), kind.list_kind)]).chain(others)
}

#[test]
fn what_is_written_is_what_is_read() {
    for (api_version, kind) in kinds() {
        let object = sample(&api_version, kind);
        let bytes = encode(&object).unwrap_or_else(|unfit| panic!("{kind}: {unfit}"));
        // Not `assert_eq`: a Pod with everything in it is no message for people.
        assert!(decode(&bytes, "").expect("what was written") == object, "{kind}");
    }
}

#[test]
fn a_list_is_the_same_however_it_is_written() {
    let (meta, item) = (json!({ "resourceVersion": "7", "continue": "x" }), json!({ "metadata": { "name": "a" }, "data": { "x": "y" } }));
    let whole = json!({ "apiVersion": "v1", "kind": "ConfigMapList", "metadata": meta, "items": [item, item] });
    let by_item = encode_list("v1", "ConfigMapList", &meta, [item.clone(), item].into_iter());
    assert_eq!(by_item.expect("fits"), encode(&whole).expect("fits"));
}

#[test]
fn what_does_not_fit_is_not_left_out() {
    let object = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "x": "no base64!" } });
    assert_eq!(encode(&object).expect_err("nowhere to put it").to_string(), "data.x cannot be written as protobuf");
    assert!(encode(&json!({ "apiVersion": "a.example/v1", "kind": "Thing" })).is_err());
}

#[test]
fn every_field_of_every_schema_has_a_number() {
    for kind in schema::builtin().kinds() {
        let document = schema::openapi_v3(&kind.api_version(), &[kind.into()]);
        let name = message_name(&kind.api_version(), kind.kind);
        let mut seen = std::collections::BTreeSet::new();
        check_schema(&document, kind.definition, &name, &mut seen);
        assert!(seen.len() > 1, "{}", kind.kind);
    }
}

fn check_schema(document: &Value, definition: &str, message: &str, seen: &mut std::collections::BTreeSet<String>) {
    if message.len() == 1 || message == SCHEMA || !seen.insert(message.to_owned()) {
        return;
    }
    let fields = spread(message);
    let properties = document["components"]["schemas"][definition]["properties"].as_object();
    for (name, schema) in properties.into_iter().flatten() {
        if matches!(name.as_str(), "apiVersion" | "kind") && message_name("v1", "x") != message && definition.contains("Kind") {
            continue;
        }
        let Some((_, kind)) = fields.iter().find(|(known, _)| known == name) else {
            assert!(matches!(name.as_str(), "apiVersion" | "kind"), "{message}.{name} has no number");
            continue;
        };
        let target = find_reference(schema);
        if let Some(target) = target.and_then(|target| target.rsplit('/').next()) {
            check_schema(document, target, kind, seen);
        }
    }
}

fn spread(message: &str) -> Vec<(&'static str, &'static str)> {
    let all = messages::find(message).unwrap_or_else(|| panic!("{message}")).fields();
    all.flat_map(|(_, field)| if field.shape == Shape::Spread { spread(field.kind) } else { vec![(field.name, field.kind)] }).collect()
}

fn find_reference(schema: &Value) -> Option<&str> {
    let here = schema.get("$ref").and_then(Value::as_str);
    let deeper = || {
        let all = schema.get("allOf").and_then(|all| all.get(0));
        [all, schema.get("items"), schema.get("additionalProperties")].into_iter().flatten().find_map(find_reference)
    };
    here.or_else(deeper)
}

#[test]
fn a_config_map_is_read_and_zero_values_are_left_out_where_go_leaves_them_out() {
    let value = decode(&config_map(), "").expect("a valid body");
    let expect = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "x": "y" }, "immutable": false,
    });
    assert_eq!(value, expect);
}

#[test]
fn every_cut_and_every_flipped_byte_is_answered() {
    let whole = config_map();
    for end in 0..whole.len() {
        let _ = decode(&whole[..end], "");
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[end] ^= 1 << bit;
            let _ = decode(&flipped, "");
        }
    }
}

/// Thousands of damaged bodies of every kind: each is read or refused.
#[test]
fn damage_of_any_kind_is_answered() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chance = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (below as u64)).expect("small")
    };
    for (api_version, kind) in kinds() {
        let whole = encode(&sample(&api_version, kind)).expect("fits");
        for _ in 0..40 {
            let mut damaged = whole.clone();
            for _ in 0..=chance(4) {
                let at = chance(damaged.len());
                match chance(4) {
                    0 => damaged[at] = chance(256) as u8,
                    1 => damaged.truncate(at.max(1)),
                    2 => damaged.insert(at, 0xff),
                    _ => drop(damaged.drain(at..(at + chance(9)).min(damaged.len()))),
                }
                if damaged.is_empty() {
                    break;
                }
            }
            let _ = decode(&damaged, "");
        }
    }
}

#[test]
fn depth_is_bounded() {
    let mut schema = Vec::new();
    for _ in 0..10_000 {
        let mut outer = Vec::new();
        // `not`, 28, of a schema.
        outer.extend_from_slice(&[0xe2, 0x01]);
        let mut length = schema.len();
        while length >= 0x80 {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend_from_slice(&schema);
        schema = outer;
    }
    assert!(read_value(SCHEMA, Wire::Bytes(&schema), 0).is_none());
}

#[test]
fn all_built_in_kinds_and_their_lists_are_there() {
    for kind in schema::builtin().kinds() {
        for name in [kind.kind, kind.list_kind] {
            assert!(messages::find(&message_name(&kind.api_version(), name)).is_some(), "{name}");
        }
    }
}
