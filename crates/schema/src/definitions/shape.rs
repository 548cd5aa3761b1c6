//! A JSON schema as one writes it in Rust: a type, then what narrows it.
//!
//! ```text
//! object([("host", text().about("…")), ("weight", int32().default(1))]).required(["host"])
//! ```

use serde_json::{Map, Value, json};

/// A structural schema that is being put together.
#[derive(Clone, Debug)]
pub(super) struct Shape(Map<String, Value>);

pub(super) fn text() -> Shape {
    Shape::of("string")
}

/// A text that is one of these.
pub(super) fn word<const N: usize>(words: [&str; N]) -> Shape {
    text().set("enum", json!(words.as_slice()))
}

pub(super) fn flag() -> Shape {
    Shape::of("boolean")
}

pub(super) fn integer() -> Shape {
    Shape::of("integer")
}

pub(super) fn int32() -> Shape {
    integer().format("int32")
}

/// A whole number that 32 bits without a sign hold.
pub(super) fn uint32() -> Shape {
    integer().least(0).most(u32::MAX.into())
}

/// A number, whole or not.
pub(super) fn decimal() -> Shape {
    Shape::of("number").format("double")
}

pub(super) fn list(item: Shape) -> Shape {
    Shape::of("array").set("items", item.into())
}

/// An object with keys of the user's choice.
pub(super) fn map(value: Shape) -> Shape {
    Shape::of("object").set("additionalProperties", value.into())
}

pub(super) fn object<const N: usize>(fields: [(&str, Shape); N]) -> Shape {
    let properties: Map<String, Value> = fields.into_iter().map(|(name, shape)| (name.to_owned(), shape.into())).collect();
    Shape::of("object").set("properties", properties.into())
}

/// A whole number, or a text.
pub(super) fn number_or_text() -> Shape {
    let either = json!([{ "type": "integer" }, { "type": "string" }]);
    Shape(Map::new()).set("anyOf", either).set("x-kubernetes-int-or-string", true.into())
}

// === impl Shape ===

impl Shape {
    fn of(kind: &str) -> Self {
        Self(Map::from_iter([("type".to_owned(), kind.into())]))
    }

    fn set(mut self, key: &str, value: Value) -> Self {
        self.0.insert(key.to_owned(), value);
        self
    }

    /// What `kubectl explain` says.
    pub(super) fn about(self, description: &str) -> Self {
        self.set("description", description.into())
    }

    pub(super) fn required<const N: usize>(self, names: [&str; N]) -> Self {
        self.set("required", json!(names.as_slice()))
    }

    pub(super) fn default(self, value: impl Into<Value>) -> Self {
        self.set("default", value.into())
    }

    pub(super) fn nullable(self) -> Self {
        self.set("nullable", true.into())
    }

    pub(super) fn format(self, format: &str) -> Self {
        self.set("format", format.into())
    }

    pub(super) fn pattern(self, pattern: &str) -> Self {
        self.set("pattern", pattern.into())
    }

    /// Characters.
    pub(super) fn length(self, least: u64, most: u64) -> Self {
        let shape = if least > 0 { self.set("minLength", least.into()) } else { self };
        shape.set("maxLength", most.into())
    }

    /// The numbers that are allowed.
    pub(super) fn one_of<const N: usize>(self, values: [u64; N]) -> Self {
        self.set("enum", json!(values.as_slice()))
    }

    pub(super) fn least(self, least: u64) -> Self {
        self.set("minimum", least.into())
    }

    pub(super) fn most(self, most: u64) -> Self {
        self.set("maximum", most.into())
    }

    /// Elements of a list.
    pub(super) fn items(self, least: u64, most: u64) -> Self {
        let shape = if least > 0 { self.set("minItems", least.into()) } else { self };
        shape.set("maxItems", most.into())
    }

    /// Entries of a map.
    pub(super) fn entries(self, most: u64) -> Self {
        self.set("maxProperties", most.into())
    }

    /// A list whose elements are told apart by a field, and merge.
    pub(super) fn keyed(self, key: &str) -> Self {
        self.set("x-kubernetes-list-type", "map".into()).set("x-kubernetes-list-map-keys", json!([key]))
    }

    /// A list that holds each value once.
    pub(super) fn distinct(self) -> Self {
        self.set("x-kubernetes-list-type", "set".into())
    }

    /// An object that is replaced as a whole, never field by field.
    pub(super) fn atomic(self) -> Self {
        self.set("x-kubernetes-map-type", "atomic".into())
    }

    /// An object that may hold fields nobody declared.
    pub(super) fn open(self) -> Self {
        self.set("x-kubernetes-preserve-unknown-fields", true.into())
    }

    /// A rule in CEL, and what is said where it does not hold.
    pub(super) fn rule(mut self, rule: &str, message: &str) -> Self {
        let rules = self.0.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
        if let Some(rules) = rules.as_array_mut() {
            rules.push(json!({ "rule": rule, "message": message }));
        }
        self
    }

    /// Of these fields there is at most one.
    pub(super) fn at_most_one<const N: usize>(mut self, names: [&str; N]) -> Self {
        let one = |name: &&str| json!({ "required": [name] });
        let all: Vec<Value> = names.iter().map(one).collect();
        let none = json!({ "not": { "anyOf": all } });
        let choice: Value = std::iter::once(none).chain(all).collect();
        match self.0.remove("oneOf") {
            None => self.set("oneOf", choice),
            Some(other) => self.set("allOf", json!([{ "oneOf": other }, { "oneOf": choice }])),
        }
    }

    /// More that holds, in the words of JSON schema.
    pub(super) fn narrowed(self, key: &str, value: Value) -> Self {
        self.set(key, value)
    }

    /// The same schema without one of its limits.
    pub(super) fn without(mut self, key: &str) -> Self {
        self.0.remove(key);
        self
    }

    /// The same object with one field described anew.
    pub(super) fn with(mut self, name: &str, shape: Self) -> Self {
        if let Some(properties) = self.0.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert(name.to_owned(), shape.into());
        }
        self
    }
}

impl From<Shape> for Value {
    fn from(shape: Shape) -> Self {
        Self::Object(shape.0)
    }
}
