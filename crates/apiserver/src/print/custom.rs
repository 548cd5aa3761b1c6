//! The columns that a CustomResourceDefinition asks for.

use serde_json::{Value, json};

use super::path::Path;
use crate::clock::age;
use crate::object::Object;

#[derive(Clone, Debug)]
pub(crate) struct Column {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
    /// `None` when it uses more of JSONPath than is understood: the column stays, empty.
    path: Option<Path>,
}

/// Reads `additionalPrinterColumns`; without any there is the age.
pub(crate) fn read(version: &Value) -> Vec<Column> {
    let columns = version["additionalPrinterColumns"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |column: &Value, key: &str| column[key].as_str().unwrap_or("").to_owned();
    let mut read: Vec<Column> = columns
        .iter()
        .map(|column| Column {
            name: text(column, "name"),
            kind: text(column, "type"),
            format: text(column, "format"),
            description: text(column, "description"),
            priority: column["priority"].as_i64().unwrap_or(0),
            path: Path::parse(&text(column, "jsonPath")),
        })
        .collect();
    if read.is_empty() {
        read.push(Column {
            name: "Age".into(),
            kind: "date".into(),
            format: String::new(),
            description: String::new(),
            priority: 0,
            path: Path::parse(".metadata.creationTimestamp"),
        });
    }
    read
}

pub(super) fn definitions(columns: &[Column]) -> Value {
    let name = json!({ "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0 });
    let others = columns.iter().map(|column| {
        // `kubectl` aligns by type; a date is printed as an age, which is text.
        let kind = if column.kind == "date" { "string" } else { &column.kind };
        json!({
            "name": column.name, "type": kind, "format": column.format, "description": column.description,
            "priority": column.priority,
        })
    });
    std::iter::once(name).chain(others).collect()
}

pub(super) fn cells(columns: &[Column], object: &Value) -> Vec<Value> {
    let others = columns.iter().map(|column| cell(column, &column.path.as_ref().map_or_else(Vec::new, |path| path.find(object))));
    std::iter::once(json!(object.name())).chain(others).collect()
}

fn cell(column: &Column, found: &[&Value]) -> Value {
    let Some(first) = found.first() else { return Value::Null };
    match (column.kind.as_str(), first) {
        ("date", Value::String(stamp)) => json!(age(stamp)),
        ("integer" | "number", Value::Number(_)) | ("boolean", Value::Bool(_)) => (*first).clone(),
        ("string", _) => {
            let all: Vec<String> = found.iter().map(|value| plain(value)).collect();
            json!(all.join(","))
        }
        _ => Value::Null,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
