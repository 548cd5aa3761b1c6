//! Every default must itself be what its schema says.

use serde_json::Value;

use crate::path::Path;
use crate::structural::{Additional, NodeId, Structural};
use crate::violation::Violation;

pub(crate) fn check_defaults(structural: &Structural, path: &Path<'_>, schema: &Value, found: &mut Vec<Violation>) {
    walk_defaults(structural, structural.root, path, schema, found);
}

fn walk_defaults(structural: &Structural, id: NodeId, path: &Path<'_>, schema: &Value, found: &mut Vec<Violation>) {
    let node = &structural.nodes[id.index()];
    if let Some(default) = &node.default {
        // Kubernetes checks a default as an object of its own, so the words count places from there.
        let mut wrong = Vec::new();
        structural.check(id, default, None, &Path::ROOT, &mut wrong);
        let at = path.child("default").to_string();
        found.extend(wrong.into_iter().map(|violation| match violation.field.as_str() {
            "<nil>" => Violation { field: at.clone(), ..violation },
            below => Violation { field: format!("{at}.{below}"), ..violation },
        }));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let at = path.child("properties");
        for (name, schema) in properties {
            if let Some(field) = node.properties.get(name) {
                walk_defaults(structural, *field, &at.key(name), schema, found);
            }
        }
    }
    if let (Some(items), Some(schema)) = (node.items, schema.get("items")) {
        walk_defaults(structural, items, &path.child("items"), schema, found);
    }
    if let (Additional::Schema(more), Some(schema)) = (node.additional, schema.get("additionalProperties")) {
        walk_defaults(structural, more, &path.child("additionalProperties"), schema, found);
    }
}
