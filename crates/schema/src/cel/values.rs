//! JSON as CEL sees it: typed by the schema, fields under the names that rules use.

use std::collections::HashMap;
use std::sync::Arc;

use kube_cel::cel::objects::{Key, Map as CelMap};
use kube_cel::cel::{Program, Value as Cel};
use serde_json::{Map, Value};

use super::{Walk, guarded};
use crate::structural::{NodeId, Type};

impl Walk<'_> {
    /// A JSON value as CEL sees it through its schema.
    pub(super) fn cel(&self, id: NodeId, value: &Value) -> Cel {
        let node = self.schema.node(id, value);
        match value {
            Value::Array(items) => Cel::List(Arc::new(items.iter().map(|item| self.cel_in(node.items, item)).collect())),
            Value::Object(fields) => {
                let mut map = HashMap::with_capacity(fields.len());
                for (name, value) in fields {
                    let declared = node.properties.contains_key(name);
                    let key = if declared { escaped(name) } else { name.clone() };
                    map.insert(Key::String(Arc::new(key)), self.cel_in(node.field(name), value));
                }
                Cel::Map(CelMap { map: Arc::new(map) })
            }
            Value::Number(number) if node.kind == Type::Number => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) if node.kind == Type::String => match node.checks.format.as_deref() {
                Some("date-time" | "date") => self.convert("timestamp", text),
                Some("duration") => self.convert("duration", text),
                Some("byte") => bytes(text),
                _ => plain(value),
            },
            other => plain(other),
        }
    }

    fn cel_in(&self, id: Option<NodeId>, value: &Value) -> Cel {
        id.map_or_else(|| plain(value), |id| self.cel(id, value))
    }

    fn convert(&self, function: &str, text: &str) -> Cel {
        let as_text = Cel::String(Arc::new(text.to_owned()));
        let Ok(program) = Program::compile(&format!("{function}(text)")) else { return as_text };
        let mut scope = self.functions.new_inner_scope();
        let full = if function == "timestamp" && text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        scope.add_variable_from_value("text", Cel::String(Arc::new(full)));
        guarded(|| program.execute(&scope)).and_then(Result::ok).unwrap_or(as_text)
    }
}

fn bytes(text: &str) -> Cel {
    use base64::Engine;
    match base64::engine::general_purpose::STANDARD.decode(text) {
        Ok(bytes) => Cel::Bytes(Arc::new(bytes)),
        Err(_) => Cel::String(Arc::new(text.to_owned())),
    }
}

/// A JSON value that no schema describes.
fn plain(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(flag) => Cel::Bool(*flag),
        Value::Number(number) => whole(number).unwrap_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(plain).collect())),
        Value::Object(fields) => plain_map(fields),
    }
}

fn whole(number: &serde_json::Number) -> Option<Cel> {
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15);
    #[expect(clippy::cast_possible_truncation, reason = "whole and well inside the range of i64")]
    let from_float = || float().map(|float| Cel::Int(float as i64));
    number.as_i64().map(Cel::Int).or_else(|| number.as_u64().map(Cel::UInt)).or_else(from_float)
}

fn plain_map(fields: &Map<String, Value>) -> Cel {
    let map = fields.iter().map(|(name, value)| (Key::String(Arc::new(name.clone())), plain(value))).collect::<HashMap<_, _>>();
    Cel::Map(CelMap { map: Arc::new(map) })
}

/// A declared field's name in a rule: CEL's own words and characters that no identifier has are spelled out.
pub(super) fn escaped(name: &str) -> String {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    if !name.contains(['-', '.', '/']) && !name.contains("__") {
        return name.to_owned();
    }
    name.replace("__", "__underscores__").replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__")
}
