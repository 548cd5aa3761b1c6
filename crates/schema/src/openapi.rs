//! OpenAPI v3 and v2: what `kubectl explain`, client-side checks and patches read.
//!
//! Paths are there for their marks alone: clients find a kind by `x-kubernetes-group-version-kind` on an operation, which patch types it takes
//! by the content types of its `patch`, and whether the server checks fields by the `fieldValidation` parameter.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::generate::{REFERENCE, definitions, structural};
use crate::kind::{Kind, api_version};
use crate::structural::{Source, Structural};

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/// A kind whose fields that all kinds have are described.
const COMMON: &str = "io.k8s.api.core.v1.ConfigMap";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// One kind at one version, built in or custom, as OpenAPI needs it.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    pub group: &'a str,
    pub version: &'a str,
    pub kind: &'a str,
    pub list_kind: &'a str,
    pub plural: &'a str,
    pub namespaced: bool,
    pub status_subresource: bool,
    pub schema: &'a Structural,
}

/// The document at `/openapi/v3/apis/<group>/<version>`; `group_version` is `v1` or `group/version`, and `kinds` of other ones are left out.
pub fn openapi_v3(group_version: &str, kinds: &[Described<'_>]) -> Value {
    let kinds = || kinds.iter().filter(|kind| api_version(kind.group, kind.version) == group_version);
    let mut schemas = Map::new();
    let mut paths = Map::new();
    for kind in kinds() {
        kind.add_schemas(&mut schemas);
        kind.add_paths(&mut paths);
    }
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "v1.36.0" },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// The document at `/openapi/v2`: every kind in one.
pub fn openapi_v2(kinds: &[Described<'_>]) -> Value {
    let mut schemas = Map::new();
    let mut paths = Map::new();
    for kind in kinds {
        kind.add_schemas(&mut schemas);
        kind.add_paths(&mut paths);
    }
    schemas.values_mut().for_each(to_v2);
    for operations in paths.values_mut().filter_map(Value::as_object_mut) {
        operations.values_mut().filter_map(Value::as_object_mut).for_each(operation_to_v2);
    }
    json!({
        "swagger": "2.0",
        "info": { "title": "Kubernetes", "version": "v1.36.0" },
        "paths": paths,
        "definitions": schemas,
    })
}

// === impl Described ===

impl From<&'static Kind> for Described<'static> {
    fn from(kind: &'static Kind) -> Self {
        Described {
            group: kind.group,
            version: kind.version,
            kind: kind.kind,
            list_kind: kind.list_kind,
            plural: kind.plural,
            namespaced: kind.namespaced,
            status_subresource: kind.status_subresource,
            schema: structural(kind),
        }
    }
}

impl Described<'_> {
    /// `io.k8s.api.core.v1.Service`; a custom kind's group is turned around: `io.example.v1.Widget`.
    fn definition(&self, kind: &str) -> String {
        match self.schema.source() {
            Source::Definition(name) => {
                name.strip_suffix(self.kind).map_or_else(|| (*name).to_owned(), |package| format!("{package}{kind}"))
            }
            Source::Schema(_) => {
                let turned: Vec<&str> = self.group.rsplit('.').collect();
                format!("{}.{}.{kind}", turned.join("."), self.version)
            }
        }
    }

    fn mark(&self, kind: &str) -> Value {
        json!({ "group": self.group, "version": self.version, "kind": kind })
    }

    fn add_schemas(&self, schemas: &mut Map<String, Value>) {
        let name = self.definition(self.kind);
        let schema = match self.schema.source() {
            Source::Definition(_) => self.schema.openapi(),
            Source::Schema(schema) => self.custom_schema(schema),
        };
        let list = json!({
            "description": format!("{} is a list of {} objects.", self.list_kind, self.kind),
            "type": "object",
            "required": ["items"],
            "properties": {
                "apiVersion": { "type": "string" },
                "items": { "type": "array", "items": { "$ref": format!("{REFERENCE}{name}") } },
                "kind": { "type": "string" },
                "metadata": { "$ref": format!("{REFERENCE}{LIST_META}") },
            },
            "x-kubernetes-group-version-kind": [self.mark(self.list_kind)],
        });
        add_referenced(&schema, schemas);
        add_referenced(&list, schemas);
        schemas.insert(name, schema);
        schemas.insert(self.definition(self.list_kind), list);
    }

    /// What every object has, beside what the CustomResourceDefinition says.
    fn custom_schema(&self, schema: &Value) -> Value {
        let mut schema = schema.clone();
        let Some(fields) = schema.as_object_mut() else { return schema };
        let properties = fields.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            for name in ["apiVersion", "kind"] {
                let field = properties.entry(name).or_insert_with(|| json!({ "type": "string" }));
                if let (None, Some(words)) = (field.get("description"), common_words(name)) {
                    field["description"] = words;
                }
            }
            let mut metadata = json!({ "allOf": [{ "$ref": format!("{REFERENCE}{OBJECT_META}") }] });
            if let Some(words) = common_words("metadata") {
                metadata["description"] = words;
            }
            properties.insert("metadata".to_owned(), metadata);
        }
        fields.insert("x-kubernetes-group-version-kind".to_owned(), json!([self.mark(self.kind)]));
        schema
    }

    fn add_paths(&self, paths: &mut Map<String, Value>) {
        let prefix =
            if self.group.is_empty() { format!("/api/{}", self.version) } else { format!("/apis/{}/{}", self.group, self.version) };
        if self.namespaced {
            paths.insert(format!("{prefix}/{}", self.plural), self.collection(&["get"]));
        }
        let base = if self.namespaced {
            format!("{prefix}/namespaces/{{namespace}}/{}", self.plural)
        } else {
            format!("{prefix}/{}", self.plural)
        };
        paths.insert(format!("{base}/{{name}}"), self.single());
        if self.status_subresource {
            paths.insert(format!("{base}/{{name}}/status"), self.single());
        }
        paths.insert(base, self.collection(&["get", "post", "delete"]));
    }

    fn collection(&self, methods: &[&str]) -> Value {
        methods.iter().map(|method| ((*method).to_owned(), self.operation(method, "list"))).collect::<Map<_, _>>().into()
    }

    fn single(&self) -> Value {
        ["get", "put", "patch", "delete"]
            .map(|method| (method.to_owned(), self.operation(method, "get")))
            .into_iter()
            .collect::<Map<_, _>>()
            .into()
    }

    fn operation(&self, method: &str, read: &str) -> Value {
        let query = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
        let action = match method {
            "get" => read,
            other => other,
        };
        let reference = json!({ "schema": { "$ref": format!("{REFERENCE}{}", self.definition(self.kind)) } });
        let mut operation = json!({
            "responses": { "200": { "description": "OK", "content": { "application/json": reference } } },
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self.mark(self.kind),
        });
        if method != "get" {
            operation["parameters"] = json!([query("dryRun"), query("fieldManager"), query("fieldValidation")]);
        }
        if method == "post" || method == "put" {
            operation["requestBody"] = json!({ "content": { "*/*": reference } });
        }
        if method == "patch" {
            operation["requestBody"] = json!({ "content": self.patch_types().map(|kind| (kind, json!({}))).collect::<Map<_, _>>() });
        }
        operation
    }

    /// Custom kinds have no strategic merge: it is defined by Go types.
    fn patch_types(&self) -> impl Iterator<Item = String> {
        let built_in = matches!(self.schema.source(), Source::Definition(_));
        let strategic = built_in.then_some("application/strategic-merge-patch+json");
        ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
            .into_iter()
            .chain(strategic)
            .map(str::to_owned)
    }
}

/// What is said of a field that every kind has.
fn common_words(field: &str) -> Option<Value> {
    definitions().get(COMMON)?.get("properties")?.get(field)?.get("description").cloned()
}

/// Adds the definitions of ours that `schema` refers to, and theirs.
fn add_referenced(schema: &Value, schemas: &mut Map<String, Value>) {
    let mut names = BTreeSet::new();
    collect_references(schema, &mut names);
    for name in names {
        if let (false, Some(definition)) = (schemas.contains_key(&name), definitions().get(&name)) {
            schemas.insert(name, definition.clone());
            add_referenced(definition, schemas);
        }
    }
}

fn collect_references(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(REFERENCE)) {
                names.insert(name.to_owned());
            }
            fields.values().for_each(|value| collect_references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, names)),
        _ => {}
    }
}

/// v2 has other places for references and no way to say one of two types.
fn to_v2(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    let whole = fields.get("allOf").and_then(|all| all.as_array()?.first()?.get("$ref")).cloned();
    for name in ["oneOf", "anyOf", "allOf", "not", "nullable"] {
        fields.remove(name);
    }
    if let Some(Value::String(target)) = whole.or_else(|| fields.get("$ref").cloned()) {
        fields.insert("$ref".to_owned(), Value::String(target.replacen(REFERENCE, "#/definitions/", 1)));
    }
    if fields.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        fields.insert("type".to_owned(), json!("string"));
        fields.insert("format".to_owned(), json!("int-or-string"));
    }
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(name) {
            to_v2(inner);
        }
    }
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(to_v2);
    }
}

fn operation_to_v2(operation: &mut Map<String, Value>) {
    operation.insert("responses".to_owned(), json!({ "200": { "description": "OK" } }));
    if let Some(body) = operation.remove("requestBody") {
        let types: Vec<String> = body["content"].as_object().into_iter().flat_map(|content| content.keys().cloned()).collect();
        operation.insert("consumes".to_owned(), json!(types));
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(parameter) = parameter.as_object_mut() {
            parameter.remove("schema");
            parameter.insert("type".to_owned(), json!("string"));
        }
    }
}
