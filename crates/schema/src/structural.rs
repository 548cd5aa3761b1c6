//! Structural schemas: the tree of types an object is checked, pruned and defaulted against.
//!
//! A schema is a flat list of nodes that name one another by number, because `JSONSchemaProps` contains itself. The built-in kinds share
//! one list; each CustomResourceDefinition version has its own.
//!
//! **Invariant:** nothing here panics or loops on any schema or object; recursion goes no deeper than the object does.

mod defaults;
mod format;
mod prune;
pub(crate) mod read;
mod scale;
mod validate;

pub(crate) use validate::counterpart;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cel::Rule;
use crate::path::Path;
use crate::violation::Violation;
use scale::Scale;

/// The schema of one kind at one version.
#[derive(Clone, Debug)]
pub struct Structural {
    pub(crate) nodes: Arc<Vec<Node>>,
    pub(crate) root: NodeId,
    source: Source,
    scale: Option<Arc<Scale>>,
}

/// What [`Structural::openapi`] is made from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The name of a built-in definition.
    Definition(&'static str),
    /// What a CustomResourceDefinition says.
    Schema(Arc<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// One value's type and rules.
#[derive(Debug)]
pub(crate) struct Node {
    pub kind: Type,
    pub nullable: bool,
    /// A built-in kind: what an API server decodes into a Go struct. There `null` is the empty value, and lists with equal keys are judged by
    /// rules of their own.
    pub decoded: bool,
    pub properties: BTreeMap<String, NodeId>,
    pub additional: Additional,
    pub items: Option<NodeId>,
    pub preserve: bool,
    pub embedded: bool,
    /// Any of several types (`JSONSchemaPropsOrBool`): the node for the JSON type at hand is used.
    pub either: Vec<NodeId>,
    pub default: Option<Value>,
    pub list: List,
    /// Replaced whole, never field by field: `x-kubernetes-map-type: atomic`.
    pub whole: bool,
    pub patch: Option<PatchMeta>,
    pub checks: Checks,
    pub rules: Vec<Rule>,
    /// Whether this node or one below has CEL rules.
    pub ruled: bool,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// What an object may hold beside its properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Additional {
    None,
    Any,
    Schema(NodeId),
}

/// How two versions of a list are merged, and what in it must be unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    Atomic,
    Set,
    Map(Vec<String>),
}

/// How a strategic merge patch treats a field: `x-kubernetes-patch-merge-key` and `x-kubernetes-patch-strategy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchMeta {
    /// The key that names an element of a list of objects.
    pub merge_key: Option<String>,
    /// `merge`, `replace`, `retainKeys`, or two of them joined by a comma.
    pub strategy: String,
}

/// Value validations.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub required: Vec<String>,
    pub one_of_values: Option<Vec<Value>>,
    pub pattern: Option<regex::Regex>,
    pub format: Option<String>,
    pub minimum: Option<Bound>,
    pub maximum: Option<Bound>,
    pub multiple_of: Option<f64>,
    pub length: (Option<u64>, Option<u64>),
    pub items: (Option<u64>, Option<u64>),
    pub properties: (Option<u64>, Option<u64>),
    pub all_of: Vec<NodeId>,
    pub any_of: Vec<NodeId>,
    pub one_of: Vec<NodeId>,
    pub not: Option<NodeId>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    pub value: f64,
    pub exclusive: bool,
}

/// A place in a schema, to walk it beside an object.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    schema: &'a Structural,
    node: NodeId,
}

// === impl Structural ===

impl Structural {
    /// Reads the `openAPIV3Schema` of one version of a CustomResourceDefinition.
    pub fn from_crd(schema: &Value) -> Result<Self, Vec<Violation>> {
        Self::from_crd_at(schema, &Path::new("openAPIV3Schema"))
    }

    pub(crate) fn from_crd_at(schema: &Value, path: &Path<'_>) -> Result<Self, Vec<Violation>> {
        let (nodes, root) = read::custom(schema, path)?;
        let structural = Self { nodes: Arc::new(nodes), root, source: Source::Schema(Arc::new(schema.clone())), scale: None };
        let mut violations = Vec::new();
        read::check_defaults(&structural, path, schema, &mut violations);
        if violations.is_empty() { Ok(structural) } else { Err(violations) }
    }

    /// Where `subresources.scale` of the version says that counts are, there must be counts.
    #[must_use]
    pub fn scaled(self, scale: &Value) -> Self {
        Self { scale: Some(Arc::new(Scale::read(scale))), ..self }
    }

    pub(crate) fn of_definition(nodes: Arc<Vec<Node>>, root: NodeId, definition: &'static str) -> Self {
        Self { nodes, root, source: Source::Definition(definition), scale: None }
    }

    /// The top of the schema.
    pub fn root(&self) -> Cursor<'_> {
        Cursor { schema: self, node: self.root }
    }

    /// How a strategic merge patch treats the field at `path` (field names; list elements are passed through).
    pub fn patch_meta<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<PatchMeta> {
        let mut cursor = self.root();
        for name in path {
            cursor = match cursor.property(name) {
                Some(next) => next,
                None => cursor.items()?.property(name)?,
            };
        }
        cursor.patch().cloned()
    }

    /// The schema as OpenAPI v3 writes it, with references into `#/components/schemas` for built-in kinds.
    pub fn openapi(&self) -> Value {
        match &self.source {
            Source::Definition(name) => crate::generate::definitions().get(*name).cloned().unwrap_or_default(),
            Source::Schema(schema) => schema.as_ref().clone(),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The node a value is checked against: of several alternatives, the one for its JSON type.
    pub(crate) fn node(&self, id: NodeId, value: &Value) -> &Node {
        let node = &self.nodes[id.index()];
        let fits = |candidate: &&NodeId| match self.nodes[candidate.index()].kind {
            Type::Object => value.is_object(),
            Type::Array => value.is_array(),
            Type::Boolean => value.is_boolean(),
            Type::String => value.is_string(),
            _ => false,
        };
        node.either.iter().find(fits).map_or(node, |found| &self.nodes[found.index()])
    }
}

// === impl NodeId ===

impl NodeId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

// === impl Type ===

impl Type {
    /// What Go has for a value of this type that nobody set.
    pub(crate) fn empty(self) -> Value {
        match self {
            Self::Any => Value::Null,
            Self::Object => Value::Object(serde_json::Map::new()),
            Self::Array => Value::Array(Vec::new()),
            Self::String => "".into(),
            Self::Integer | Self::Number | Self::IntOrString => 0.into(),
            Self::Boolean => false.into(),
        }
    }

    /// The name JSON schemas have for it; empty where they have none.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any | Self::IntOrString => "",
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

// === impl Node ===

impl Node {
    /// A value of one type and nothing else said about it.
    pub(crate) fn of(kind: Type) -> Self {
        Self {
            kind,
            nullable: kind == Type::Any,
            decoded: false,
            properties: BTreeMap::new(),
            additional: Additional::None,
            items: None,
            preserve: kind == Type::Any,
            embedded: false,
            either: Vec::new(),
            default: None,
            list: List::Atomic,
            whole: false,
            patch: None,
            checks: Checks::default(),
            rules: Vec::new(),
            ruled: false,
        }
    }

    /// The node of a field, declared or not.
    pub(crate) fn field(&self, name: &str) -> Option<NodeId> {
        self.properties.get(name).copied().or(match self.additional {
            Additional::Schema(id) => Some(id),
            Additional::None | Additional::Any => None,
        })
    }
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    fn get(self) -> &'a Node {
        &self.schema.nodes[self.node.index()]
    }

    fn at(self, node: NodeId) -> Self {
        Cursor { schema: self.schema, node }
    }

    /// The schema of a field: a declared property, or what the object allows beside them.
    pub fn property(self, name: &str) -> Option<Self> {
        self.get().field(name).map(|id| self.at(id))
    }

    /// The schema of a list's elements.
    pub fn items(self) -> Option<Self> {
        self.get().items.map(|id| self.at(id))
    }

    pub fn patch(self) -> Option<&'a PatchMeta> {
        self.get().patch.as_ref()
    }

    pub fn list(self) -> &'a List {
        &self.get().list
    }

    /// The type of the value here.
    pub fn kind(self) -> Type {
        self.get().kind
    }

    /// The schema as it applies to `value`: of several alternatives, the one for its JSON type.
    #[must_use]
    pub fn fitting(self, value: &Value) -> Self {
        let node = self.schema.node(self.node, value);
        let other = self.get().either.iter().copied().find(|id| std::ptr::eq(&raw const self.schema.nodes[id.index()], node));
        other.map_or(self, |id| self.at(id))
    }

    /// Whether the field has a schema of its own, beside what the object allows.
    pub fn declares(self, name: &str) -> bool {
        self.get().properties.contains_key(name)
    }

    /// Whether the object may hold the field at all.
    pub fn allows(self, name: &str) -> bool {
        let node = self.get();
        node.field(name).is_some() || node.preserve || node.additional == Additional::Any
    }

    /// Whether an object here is replaced whole, never field by field.
    pub fn is_whole(self) -> bool {
        self.get().whole
    }

    /// What the value is when nobody said.
    pub fn default(self) -> Option<&'a Value> {
        self.get().default.as_ref()
    }
}
