//! What a structural schema may not say, and how it must name the keys of a list.

use serde_json::{Map, Value, json};

use super::{Place, Reader};
use crate::path::Path;
use crate::structural::{List, Node, Type};

impl Reader<'_> {
    /// Keywords that a structural schema may not use here.
    pub(super) fn refuse(&mut self, fields: &Map<String, Value>, place: Place, path: &Path<'_>) {
        const NEVER: [&str; 6] = ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "id"];
        for name in NEVER.into_iter().filter(|name| fields.contains_key(*name)) {
            self.violations.push(path.child(name).forbidden(format!("{name} is not supported")));
        }
        let set = |name: &str| fields.get(name) == Some(&Value::Bool(true));
        if set("uniqueItems") {
            let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.violations.push(path.child("uniqueItems").forbidden(detail));
        }
        let more = fields.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        match place {
            Place::Narrowing => self.refuse_narrowing(fields, path),
            Place::Root if more => self.violations.push(path.child("additionalProperties").forbidden("must not be used at the root")),
            _ if more && fields.contains_key("properties") => {
                let detail = "additionalProperties and properties are mutual exclusive";
                self.violations.push(path.child("additionalProperties").forbidden(detail));
            }
            _ => {}
        }
        let extensible = fields.contains_key("properties") || set("x-kubernetes-preserve-unknown-fields");
        if set("x-kubernetes-embedded-resource") && !extensible {
            let detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
            self.violations.push(path.child("properties").required(detail));
        }
        if place == Place::Root || set("x-kubernetes-embedded-resource") {
            self.refuse_meta(fields, path);
        }
    }

    /// What says more than it narrows.
    fn refuse_narrowing(&mut self, fields: &Map<String, Value>, path: &Path<'_>) {
        const ROWS: [(&str, &str); 13] = [
            ("type", "empty"),
            ("title", "empty"),
            ("description", "empty"),
            ("additionalProperties", "undefined"),
            ("default", "undefined"),
            ("nullable", "false"),
            ("x-kubernetes-preserve-unknown-fields", "false"),
            ("x-kubernetes-embedded-resource", "false"),
            ("x-kubernetes-int-or-string", "false"),
            ("x-kubernetes-list-map-keys", "empty"),
            ("x-kubernetes-list-type", "undefined"),
            ("x-kubernetes-map-type", "undefined"),
            ("x-kubernetes-validations", "empty"),
        ];
        for (name, how) in ROWS {
            if fields.get(name).is_some_and(|value| value != &Value::Bool(false) && value != "") {
                self.violations.push(path.child(name).forbidden(format!("must be {how} to be structural")));
            }
        }
    }

    /// `metadata` has its schema already; only the names in it may be narrowed.
    fn refuse_meta(&mut self, fields: &Map<String, Value>, path: &Path<'_>) {
        let said = fields.get("properties").and_then(|properties| properties.get("metadata")?.get("properties")?.as_object());
        if said.is_some_and(|said| said.keys().any(|name| name != "name" && name != "generateName")) {
            let at = path.child("properties");
            let detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
            self.violations.push(at.key("metadata").forbidden(detail));
        }
    }

    pub(super) fn list(&mut self, node: &Node, fields: &Map<String, Value>, place: Place, path: &Path<'_>) -> List {
        let keys = || {
            let keys = fields.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            keys.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let list = match fields.get("x-kubernetes-list-type").and_then(Value::as_str) {
            Some("set") => List::Set,
            Some("map") => List::Map(keys()),
            Some("atomic") | None => List::Atomic,
            Some(other) => {
                let at = path.child("x-kubernetes-list-type");
                self.violations.push(at.not_supported(other, &["atomic", "set", "map"]));
                List::Atomic
            }
        };
        let typed = fields.contains_key("x-kubernetes-list-type") && place != Place::Builtin && place != Place::Narrowing;
        let said = |schema: &Map<String, Value>| schema.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
        if typed && node.kind != Type::Array {
            let (at, detail) = (path.child("type"), "must be array if x-kubernetes-list-type is specified");
            self.violations.push(if said(fields).is_empty() { at.required(detail) } else { at.invalid(said(fields), detail) });
        }
        if place != Place::Builtin && place != Place::Narrowing && !keys().is_empty() && !matches!(list, List::Map(_)) {
            let (at, detail) = (path.child("x-kubernetes-list-type"), "must be map if x-kubernetes-list-map-keys is non-empty");
            let kind = fields.get("x-kubernetes-list-type").and_then(Value::as_str);
            self.violations.push(kind.map_or_else(|| at.required(detail), |kind| at.invalid(kind, detail)));
        }
        if typed && let List::Map(keys) = &list {
            let element = fields.get("items").and_then(Value::as_object).map(said).unwrap_or_default();
            self.check_keys(node, keys, &element, path);
        }
        list
    }

    fn check_keys(&mut self, node: &Node, keys: &[String], element: &str, path: &Path<'_>) {
        let at = path.child("x-kubernetes-list-map-keys");
        if keys.is_empty() {
            self.violations.push(at.required("must not be empty if x-kubernetes-list-type is map"));
        }
        let Some(items) = node.items.map(|id| &self.nodes[id.index()]) else { return };
        let items_at = path.child("items");
        let properties_at = items_at.child("properties");
        let mut wrong = Vec::new();
        if items.kind != Type::Object {
            wrong.push(items_at.child("type").invalid(element, "must be object if parent array's x-kubernetes-list-type is map"));
        }
        for (index, key) in keys.iter().enumerate() {
            let field = items.properties.get(key).map(|id| &self.nodes[id.index()]);
            if keys[..index].contains(key) {
                wrong.push(at.invalid(json!(keys), "must not contain duplicate entries"));
            }
            match field {
                None => wrong.push(at.invalid(json!(keys), "entries must all be names of item properties")),
                Some(field) if field.default.is_none() && !items.checks.required.contains(key) => {
                    let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
                    wrong.push(properties_at.key(key).child("default").required(detail));
                }
                Some(_) => {}
            }
        }
        self.violations.append(&mut wrong);
    }
}
