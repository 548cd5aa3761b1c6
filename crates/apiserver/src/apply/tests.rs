//! Stories of who writes what, as structured-merge-diff tells them.

use schema::Structural;
use serde_json::{Value, json};

use super::fields::Fields;
use super::managers::{Apply, Manager, Managers, Operation, Part};
use super::typed::Shape;

fn structural() -> Structural {
    let item = json!({ "type": "object", "required": ["name"], "properties": {
        "name": { "type": "string" }, "value": { "type": "string" }, "port": { "type": "integer", "default": 80 },
    } });
    let schema = json!({ "type": "object", "properties": {
        "map": { "type": "object", "additionalProperties": { "type": "string" } },
        "whole": { "type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": { "type": "string" } },
        "struct": { "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } } },
        "set": { "type": "array", "x-kubernetes-list-type": "set", "items": { "type": "string" } },
        "atomic": { "type": "array", "items": { "type": "string" } },
        "list": { "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"], "items": item },
        "any": { "x-kubernetes-preserve-unknown-fields": true },
    } });
    Structural::from_crd(&schema).expect("a structural schema")
}

/// One object and what is done to it.
struct Story {
    schema: Structural,
    object: Value,
    managers: Managers,
}

impl Story {
    fn new() -> Self {
        Self { schema: structural(), object: json!({}), managers: Managers::default() }
    }

    fn try_apply(&mut self, name: &str, config: Value, force: bool) -> Result<(), Vec<String>> {
        let shape = Shape::new(self.schema.root());
        assert_eq!(shape.check(&config), [""; 0], "{config}");
        let manager = manager(name, Operation::Apply);
        let apply = Apply { shape, live: &self.object, config: &config, manager: &manager, part: Part::All, force, now: "now" };
        match self.managers.apply(&apply) {
            Ok(new) => {
                self.object = new;
                Ok(())
            }
            Err(conflicts) => {
                Err(conflicts.iter().flat_map(|one| one.fields.paths().into_iter().map(|path| format!("{} {path}", one.holder))).collect())
            }
        }
    }

    fn apply(mut self, name: &str, config: Value) -> Self {
        self.try_apply(name, config, false).expect("no conflict");
        self
    }

    fn force(mut self, name: &str, config: Value) -> Self {
        self.try_apply(name, config, true).expect("forced");
        self
    }

    fn refused(mut self, name: &str, config: Value, conflicts: &[&str]) -> Self {
        let before = (self.object.clone(), self.managers.clone());
        assert_eq!(self.try_apply(name, config, false), Err(conflicts.iter().map(ToString::to_string).collect()));
        assert_eq!((&self.object, &self.managers), (&before.0, &before.1), "a refused apply changes nothing");
        self
    }

    fn update(mut self, name: &str, new: Value) -> Self {
        let shape = Shape::new(self.schema.root());
        self.managers.update(shape, &self.object, &new, &manager(name, Operation::Update), Part::All, "now");
        self.object = new;
        self
    }

    fn is(self, object: Value) -> Self {
        assert_eq!(self.object, object);
        self
    }

    /// What a manager holds.
    fn holds(self, name: &str, paths: &[&str]) -> Self {
        let mut object = json!({});
        let kind = crate::kinds::Kind::builtin(schema::builtin().find("", "v1", "configmaps").expect("built in"));
        self.managers.clone().write(&kind, &mut object);
        let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let fields =
            entries.iter().filter(|entry| entry["manager"] == name).map(|entry| Fields::read(&entry["fieldsV1"]).expect("readable"));
        let held: Vec<String> = fields.flat_map(|fields| fields.paths()).collect();
        assert_eq!(held, paths, "{name}");
        self
    }
}

fn manager(name: &str, operation: Operation) -> Manager {
    Manager { name: name.into(), operation, api_version: "v1".into(), subresource: String::new() }
}

#[test]
fn who_applies_holds_what_it_set_and_shares_what_others_set_alike() {
    Story::new()
        .apply("a", json!({ "map": { "x": "1" }, "struct": { "a": "1" } }))
        .holds("a", &[".map.x", ".struct.a"])
        .apply("b", json!({ "map": { "x": "1", "y": "2" } }))
        .holds("a", &[".map.x", ".struct.a"])
        .holds("b", &[".map.x", ".map.y"])
        .is(json!({ "map": { "x": "1", "y": "2" }, "struct": { "a": "1" } }));
}

#[test]
fn another_value_is_a_conflict_and_force_takes_the_field() {
    Story::new()
        .apply("a", json!({ "map": { "x": "1", "y": "1" } }))
        .refused("b", json!({ "map": { "x": "2" } }), &[r#""a" .map.x"#])
        .force("b", json!({ "map": { "x": "2" } }))
        .holds("a", &[".map.y"])
        .holds("b", &[".map.x"])
        .is(json!({ "map": { "x": "2", "y": "1" } }));
}

#[test]
fn what_the_last_holder_gives_up_goes() {
    Story::new()
        .apply("a", json!({ "map": { "x": "1", "y": "1" }, "atomic": ["p"] }))
        .apply("b", json!({ "map": { "x": "1" } }))
        .apply("a", json!({ "map": { "y": "1" } }))
        .is(json!({ "map": { "x": "1", "y": "1" } }))
        .apply("b", json!({}))
        .is(json!({ "map": { "y": "1" } }))
        .holds("b", &[])
        .apply("a", json!({}))
        .is(json!({}));
}

#[test]
fn updates_take_what_they_change_and_an_apply_does_not_remove_what_they_hold() {
    Story::new()
        .apply("a", json!({ "map": { "x": "1", "y": "1" } }))
        .update("editor", json!({ "map": { "x": "2", "y": "1", "z": "3" } }))
        .holds("a", &[".map.y"])
        .holds("editor", &[".map.x", ".map.z"])
        .refused("a", json!({ "map": { "x": "1" } }), &[r#""editor" using v1 .map.x"#])
        .apply("a", json!({ "map": { "x": "2" } }))
        .is(json!({ "map": { "x": "2", "z": "3" } }))
        .update("editor", json!({ "map": { "x": "2" } }))
        .holds("editor", &[".map.x"]);
}

#[test]
fn elements_of_a_keyed_list_are_held_one_by_one_and_default_keys_count() {
    let a = json!({ "list": [{ "name": "a", "value": "1" }] });
    Story::new()
        .apply("a", a.clone())
        .holds("a", &[r#".list[name="a",port=80]"#, r#".list[name="a",port=80].name"#, r#".list[name="a",port=80].value"#])
        .apply("b", json!({ "list": [{ "name": "a", "port": 81, "value": "2" }] }))
        .is(json!({ "list": [{ "name": "a", "value": "1" }, { "name": "a", "port": 81, "value": "2" }] }))
        .refused("b", json!({ "list": [{ "name": "a", "value": "9" }] }), &[r#""a" .list[name="a",port=80].value"#])
        .apply("b", json!({}))
        .is(a);
}

#[test]
fn an_element_given_up_keeps_what_others_hold_in_it() {
    Story::new()
        .apply("a", json!({ "list": [{ "name": "a", "value": "1" }] }))
        .apply("b", json!({ "list": [{ "name": "a" }] }))
        .apply("a", json!({}))
        .is(json!({ "list": [{ "name": "a" }] }));
}

#[test]
fn what_nobody_set_in_a_shared_element_stays() {
    let element = json!({ "list": [{ "name": "a" }] });
    let mut story = Story::new().apply("a", element.clone()).apply("b", element);
    // As a default would.
    story.object["list"][0]["value"] = "default".into();
    story.apply("a", json!({})).is(json!({ "list": [{ "name": "a", "value": "default" }] })).apply("b", json!({})).is(json!({}));
}

#[test]
fn sets_unite_and_atomic_values_are_replaced_whole() {
    Story::new()
        .apply("a", json!({ "set": ["x", "y"], "atomic": ["x"], "whole": { "k": "1" } }))
        .holds("a", &[".atomic", r#".set[="x"]"#, r#".set[="y"]"#, ".whole"])
        .apply("b", json!({ "set": ["z", "y"] }))
        .is(json!({ "set": ["x", "z", "y"], "atomic": ["x"], "whole": { "k": "1" } }))
        .refused("b", json!({ "atomic": ["y"] }), &[r#""a" .atomic"#])
        .refused("b", json!({ "whole": { "l": "1" } }), &[r#""a" .whole"#])
        .force("b", json!({ "whole": { "l": "1" } }))
        .is(json!({ "set": ["x", "y"], "atomic": ["x"], "whole": { "l": "1" } }));
}

#[test]
fn a_list_keeps_the_order_of_who_applies() {
    let check = |live: &[&str], applied: &[&str], merged: &[&str]| {
        let schema = structural();
        let set = |list: &[&str]| json!({ "set": list });
        assert_eq!(Shape::new(schema.root()).merge(&set(live), &set(applied)), set(merged), "{live:?} {applied:?}");
    };
    check(&["a", "b", "c"], &["c", "b", "a"], &["c", "b", "a"]);
    check(&["a", "x", "b"], &["b", "a"], &["x", "b", "a"]);
    check(&["a", "b"], &["c"], &["a", "b", "c"]);
    check(&["a", "b", "c"], &["d", "b"], &["a", "d", "b", "c"]);
    check(&[], &["a"], &["a"]);
    check(&["a"], &[], &["a"]);
}

#[test]
fn what_no_schema_describes_merges_by_map() {
    Story::new()
        .apply("a", json!({ "any": { "x": { "y": 1 }, "l": [1] } }))
        .holds("a", &[".any.l", ".any.x", ".any.x.y"])
        .apply("b", json!({ "any": { "x": { "z": 2 } } }))
        .is(json!({ "any": { "x": { "y": 1, "z": 2 }, "l": [1] } }))
        .refused("b", json!({ "any": { "l": [2] } }), &[r#""a" .any.l"#]);
}

#[test]
fn what_nobody_held_before_the_first_apply_stays() {
    let mut story = Story::new();
    story.object = json!({ "map": { "x": "1" } });
    let (schema, object) = (structural(), story.object.clone());
    story.managers.begin(Shape::new(schema.root()), &object, "v1", Part::All, "now");
    story
        .holds("before-first-apply", &[".map", ".map.x"])
        .refused("a", json!({ "map": { "x": "2" } }), &[r#""before-first-apply" using v1 .map.x"#])
        .apply("a", json!({ "map": { "y": "1" } }))
        .apply("a", json!({}))
        .is(json!({ "map": { "x": "1" } }));
}

#[test]
fn unknown_fields_and_elements_that_stand_twice_are_named() {
    let check = |config: Value, expect: &str| assert_eq!(Shape::new(structural().root()).check(&config), [expect]);
    check(json!({ "struct": { "c": 1 } }), ".struct.c: field not declared in schema");
    check(json!({ "set": ["a", "a"] }), r#".set: duplicate entries for key [="a"]"#);
    check(json!({ "list": [{ "name": "a" }, { "name": "a", "port": 80 }] }), r#".list: duplicate entries for key [name="a",port=80]"#);
}

#[test]
fn of_many_updaters_the_oldest_become_one() {
    let mut story = Story::new();
    let mut object = json!({ "map": {} });
    for at in 0..15 {
        object["map"][format!("k{at:02}")] = "v".into();
        story = story.update(&format!("m{at:02}"), object.clone());
    }
    let kept = ["m06", "m14"];
    for name in kept {
        story = story.holds(name, &[&format!(".map.k{}", &name[1..])]);
    }
    story.holds("m05", &[]).holds("ancient-changes", &[".map", ".map.k00", ".map.k01", ".map.k02", ".map.k03", ".map.k04", ".map.k05"]);
}

#[test]
fn fields_are_written_as_kubernetes_writes_them_and_read_back() {
    let value = json!({ "f:a": { ".": {}, "k:{\"port\":80,\"protocol\":\"TCP\"}": { "f:b": {} } }, "f:s": { "v:\"x\"": {} } });
    let fields = Fields::read(&value).expect("readable");
    assert_eq!(fields.paths(), [".a", r#".a[port=80,protocol="TCP"].b"#, r#".s[="x"]"#]);
    assert_eq!(fields.to_json(), value);
    assert_eq!(Fields::read(&json!({ "f:a": { "k:{\"protocol\":\"TCP\",\"port\":80}": {} } })).map(|fields| fields.paths()), {
        Some(vec![r#".a[port=80,protocol="TCP"]"#.to_owned()])
    });
    for broken in [json!([]), json!({ "x": {} }), json!({ "f:a": 1 }), json!({ "k:{": {} })] {
        assert_eq!(Fields::read(&broken), None, "{broken}");
    }
}

#[test]
fn parts_of_what_became_atomic_are_the_whole() {
    let fields = Fields::read(&json!({ "f:whole": { "f:k": {} }, "f:map": { "f:k": {} } })).expect("readable");
    let schema = structural();
    assert_eq!(Shape::new(schema.root()).settle(&fields).paths(), [".map.k", ".whole"]);
}
