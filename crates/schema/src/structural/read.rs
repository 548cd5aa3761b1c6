//! JSON schemas read into nodes: our own definitions of the built-in kinds, and what a CustomResourceDefinition brings.
//!
//! A custom schema must be *structural*: every value has a type written outside of `allOf`, `anyOf`, `oneOf` and `not`, which may only
//! narrow it. What is not is refused with the place and Kubernetes' reason.

mod defaults;
mod refuse;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Additional, Bound, Checks, Node, NodeId, PatchMeta, Type};
use crate::cel;
use crate::path::Path;
use crate::violation::Violation;

pub(crate) use defaults::check_defaults;

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Where a schema stands, which decides what it may say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The top of a custom schema.
    Root,
    /// A field of an object.
    Field,
    /// The element of a list, or the value of a map.
    Element,
    /// Inside `allOf`, `anyOf`, `oneOf` or `not`.
    Narrowing,
    /// A definition of ours.
    Builtin,
}

struct Reader<'a> {
    nodes: Vec<Node>,
    definitions: &'a Map<String, Value>,
    named: HashMap<String, NodeId>,
    violations: Vec<Violation>,
    /// Patterns and rules that were compiled already.
    patterns: HashMap<String, regex::Regex>,
    rules: cel::Compiled,
}

/// The nodes of all `definitions` and the number of each.
pub(crate) fn builtin(definitions: &Map<String, Value>) -> (Vec<Node>, HashMap<String, NodeId>) {
    let mut reader = Reader::new(definitions);
    for name in definitions.keys() {
        reader.definition(name);
    }
    reader.mark_ruled();
    (reader.nodes, reader.named)
}

/// The nodes of a custom schema and its top.
pub(crate) fn custom(schema: &Value, path: &Path<'_>) -> Result<(Vec<Node>, NodeId), Vec<Violation>> {
    let mut reader = Reader::new(crate::generate::definitions());
    let root = reader.read(schema, Place::Root, path);
    reader.add_object_fields(root);
    for index in 0..reader.nodes.len() {
        if reader.nodes[index].embedded {
            reader.add_object_fields(NodeId::new(index));
        }
    }
    reader.mark_ruled();
    if reader.violations.is_empty() { Ok((reader.nodes, root)) } else { Err(reader.violations) }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn new(definitions: &'a Map<String, Value>) -> Self {
        Self {
            nodes: Vec::new(),
            definitions,
            named: HashMap::new(),
            violations: Vec::new(),
            patterns: HashMap::new(),
            rules: cel::Compiled::default(),
        }
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId::new(self.nodes.len() - 1)
    }

    /// A definition of ours by name; one that contains itself finds its own number.
    fn definition(&mut self, name: &str) -> NodeId {
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        let id = self.add(Node::of(Type::Any));
        self.named.insert(name.to_owned(), id);
        if let Some(schema) = self.definitions.get(name) {
            let node = self.node(schema, Place::Builtin, &Path::ROOT);
            self.nodes[id.index()] = node;
        }
        id
    }

    fn read(&mut self, schema: &Value, place: Place, path: &Path<'_>) -> NodeId {
        if place == Place::Builtin
            && let Some(name) = reference(schema)
        {
            return self.definition(name);
        }
        let node = self.node(schema, place, path);
        self.add(node)
    }

    fn node(&mut self, schema: &Value, place: Place, path: &Path<'_>) -> Node {
        let Some(fields) = schema.as_object() else {
            self.violations.push(path.type_invalid(schema.clone(), "must be a schema"));
            return Node::of(Type::Any);
        };
        let flag = |name: &str| fields.get(name).and_then(Value::as_bool).unwrap_or(false);
        let kind = self.kind(fields, place, path);
        let mut node = Node::of(kind);
        node.nullable =
            if kind == Type::Any { place != Place::Field && place != Place::Element || flag("nullable") } else { flag("nullable") };
        node.preserve = flag("x-kubernetes-preserve-unknown-fields") || (kind == Type::Any && place == Place::Builtin);
        node.embedded = flag("x-kubernetes-embedded-resource");
        node.whole = fields.get("x-kubernetes-map-type").is_some_and(|kind| kind == "atomic");
        node.default = fields.get("default").cloned();
        node.decoded = place == Place::Builtin;
        if place == Place::Builtin {
            node.patch = patch_meta(fields);
        } else {
            self.refuse(fields, place, path);
        }
        self.read_children(&mut node, fields, place, path);
        node.list = self.list(&node, fields, place, path);
        node.checks = self.checks(fields, place, path);
        if let Some(rules) = fields.get("x-kubernetes-validations") {
            let at = path.child("x-kubernetes-validations");
            node.rules = cel::read(rules, &self.nodes, &node, &at, &mut self.rules, &mut self.violations);
        }
        if place == Place::Builtin {
            // What Go decodes as absent, its own rules judge.
            node.checks.required.clear();
        }
        node
    }

    fn kind(&mut self, fields: &Map<String, Value>, place: Place, path: &Path<'_>) -> Type {
        if fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
            return Type::IntOrString;
        }
        let name = fields.get("type").and_then(Value::as_str).unwrap_or("");
        let kind = match name {
            "object" => Type::Object,
            "array" => Type::Array,
            "string" => Type::String,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            _ => Type::Any,
        };
        let at = path.child("type");
        let untyped = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        match place {
            Place::Root if kind != Type::Object && name.is_empty() => self.violations.push(at.required("must not be empty at the root")),
            Place::Root if kind != Type::Object => self.violations.push(at.invalid(name, "must be object at the root")),
            Place::Field | Place::Element if name.is_empty() && untyped => {}
            Place::Field if name.is_empty() => self.violations.push(at.required("must not be empty for specified object fields")),
            Place::Element if name.is_empty() => self.violations.push(at.required("must not be empty for specified array items")),
            Place::Field | Place::Element if kind == Type::Any => {
                let known = ["array", "boolean", "integer", "number", "object", "string"];
                self.violations.push(at.not_supported(name, &known));
            }
            _ => {}
        }
        kind
    }

    fn read_children(&mut self, node: &mut Node, fields: &Map<String, Value>, place: Place, path: &Path<'_>) {
        let (field, element) = match place {
            Place::Builtin => (Place::Builtin, Place::Builtin),
            Place::Narrowing => (Place::Narrowing, Place::Narrowing),
            Place::Root | Place::Field | Place::Element => (Place::Field, Place::Element),
        };
        if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
            let at = path.child("properties");
            for (name, schema) in properties {
                let id = self.read(schema, field, &at.key(name));
                node.properties.insert(name.clone(), id);
            }
        }
        match fields.get("additionalProperties") {
            Some(Value::Bool(true)) => node.additional = Additional::Any,
            Some(schema @ Value::Object(_)) => {
                let at = path.child("additionalProperties");
                // Kubernetes speaks of a map's values as of fields.
                node.additional = Additional::Schema(self.read(schema, field, &at));
            }
            _ => {}
        }
        match fields.get("items") {
            Some(schema @ Value::Object(_)) => node.items = Some(self.read(schema, element, &path.child("items"))),
            Some(other) => {
                let detail = "items must be a schema object and not an array";
                self.violations.push(path.child("items").invalid(other.clone(), detail));
            }
            None if node.kind == Type::Array && matches!(place, Place::Field | Place::Element) => {
                self.violations.push(path.child("items").required("must be specified"));
            }
            None => {}
        }
        if place == Place::Builtin
            && node.kind == Type::Any
            && let Some(either) = fields.get("oneOf").and_then(Value::as_array)
        {
            node.either = either.iter().map(|schema| self.read(schema, place, path)).collect();
        }
    }

    fn checks(&mut self, fields: &Map<String, Value>, place: Place, path: &Path<'_>) -> Checks {
        let count = |name: &str| fields.get(name).and_then(Value::as_u64);
        let bound = |name: &str, exclusive: &str| {
            let value = fields.get(name).and_then(Value::as_f64)?;
            Some(Bound { value, exclusive: fields.get(exclusive) == Some(&Value::Bool(true)) })
        };
        let texts = |name: &str| -> Vec<String> {
            let list = fields.get(name).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut checks = Checks {
            required: texts("required"),
            one_of_values: fields.get("enum").and_then(Value::as_array).cloned(),
            pattern: None,
            format: fields.get("format").and_then(Value::as_str).map(str::to_owned),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            multiple_of: fields.get("multipleOf").and_then(Value::as_f64),
            length: (count("minLength"), count("maxLength")),
            items: (count("minItems"), count("maxItems")),
            properties: (count("minProperties"), count("maxProperties")),
            ..Checks::default()
        };
        checks.pattern = self.pattern(fields, path);
        if place != Place::Builtin {
            self.combinations(&mut checks, fields, path);
        }
        checks
    }

    fn pattern(&mut self, fields: &Map<String, Value>, path: &Path<'_>) -> Option<regex::Regex> {
        let pattern = fields.get("pattern").and_then(Value::as_str)?;
        if let Some(known) = self.patterns.get(pattern) {
            return Some(known.clone());
        }
        match regex::Regex::new(pattern) {
            Ok(regex) => {
                self.patterns.insert(pattern.to_owned(), regex.clone());
                Some(regex)
            }
            Err(why) => {
                let why = why.to_string();
                let detail = format!("must be a valid regular expression, but isn't: {}", why.lines().last().unwrap_or("").trim());
                self.violations.push(path.child("pattern").invalid(pattern, detail));
                None
            }
        }
    }

    fn combinations(&mut self, checks: &mut Checks, fields: &Map<String, Value>, path: &Path<'_>) {
        // An int-or-string may spell its two types out, alone or at the head of `allOf`.
        let either = json!([{ "type": "integer" }, { "type": "string" }]);
        let int_or_string = fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true));
        let spelled = |value: Option<&Value>| int_or_string && value == Some(&either);
        let skipped = usize::from(spelled(fields.get("allOf").and_then(|all| all.get(0)?.get("anyOf"))));
        checks.all_of = self.narrowings(fields, "allOf", path, skipped);
        if !spelled(fields.get("anyOf")) {
            checks.any_of = self.narrowings(fields, "anyOf", path, 0);
        }
        checks.one_of = self.narrowings(fields, "oneOf", path, 0);
        checks.not = fields.get("not").map(|schema| self.read(schema, Place::Narrowing, &path.child("not")));
    }

    fn narrowings(&mut self, fields: &Map<String, Value>, name: &str, path: &Path<'_>, from: usize) -> Vec<NodeId> {
        let at = path.child(name);
        let list = fields.get(name).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .enumerate()
            .skip(from)
            .map(|(index, schema)| self.read(schema, Place::Narrowing, &at.index(index)))
            .collect()
    }

    /// The fields every object has, whether or not its schema names them. What a schema says of `metadata` narrows the real one.
    fn add_object_fields(&mut self, id: NodeId) {
        let meta = self.definition(OBJECT_META);
        let text = self.add(Node::of(Type::String));
        for name in ["apiVersion", "kind"] {
            self.nodes[id.index()].properties.entry(name.to_owned()).or_insert(text);
        }
        let mut node = self.copy_of_meta(meta);
        if let Some(said) = self.nodes[id.index()].properties.get("metadata") {
            node.checks.all_of = vec![*said];
        }
        let metadata = self.add(node);
        self.nodes[id.index()].properties.insert("metadata".to_owned(), metadata);
    }

    fn copy_of_meta(&self, meta: NodeId) -> Node {
        let mut node = Node::of(Type::Object);
        node.properties.clone_from(&self.nodes[meta.index()].properties);
        node
    }

    /// Marks the nodes that have CEL rules in or under them, until nothing changes: definitions may contain themselves.
    fn mark_ruled(&mut self) {
        loop {
            let mut changed = false;
            for index in 0..self.nodes.len() {
                let node = &self.nodes[index];
                let more = match node.additional {
                    Additional::Schema(id) => Some(id),
                    Additional::None | Additional::Any => None,
                };
                let below = |id: &NodeId| self.nodes[id.index()].ruled;
                let ruled = !node.rules.is_empty() || node.properties.values().chain(&node.items).chain(&more).any(below);
                changed |= ruled != node.ruled;
                self.nodes[index].ruled = ruled;
            }
            if !changed {
                return;
            }
        }
    }
}

/// The definition that a schema of ours points at, bare or in the one-element `allOf` that OpenAPI needs beside a description.
fn reference(schema: &Value) -> Option<&str> {
    let direct = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"));
    direct?.as_str()?.rsplit('/').next()
}

fn patch_meta(fields: &Map<String, Value>) -> Option<PatchMeta> {
    let strategy = fields.get("x-kubernetes-patch-strategy")?.as_str()?.to_owned();
    let merge_key = fields.get("x-kubernetes-patch-merge-key").and_then(Value::as_str).map(str::to_owned);
    Some(PatchMeta { merge_key, strategy })
}
