//! Unknown fields: found, and taken out.

use serde_json::{Map, Value};

use super::{Additional, Node, NodeId, Structural};

impl Structural {
    /// Takes out every field the schema does not know and returns their places.
    pub fn prune(&self, value: &mut Value) -> Vec<String> {
        let mut found = Vec::new();
        self.prune_at(self.root, value, &mut String::new(), &mut found);
        found
    }

    /// The places of the fields the schema does not know.
    pub fn unknown(&self, value: &Value) -> Vec<String> {
        self.prune(&mut value.clone())
    }

    fn prune_at(&self, id: NodeId, value: &mut Value, path: &mut String, found: &mut Vec<String>) {
        let node = self.node(id, value);
        match value {
            Value::Object(fields) => self.prune_object(node, fields, path, found),
            Value::Array(items) => {
                let Some(item) = node.items else { return };
                for (index, value) in items.iter_mut().enumerate() {
                    let length = path.len();
                    path.push_str(&format!("[{index}]"));
                    self.prune_at(item, value, path, found);
                    path.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn prune_object(&self, node: &Node, fields: &mut Map<String, Value>, path: &mut String, found: &mut Vec<String>) {
        let length = path.len();
        fields.retain(|name, value| {
            if length > 0 {
                path.push('.');
            }
            path.push_str(name);
            let keep = match node.field(name) {
                Some(field) => {
                    self.prune_at(field, value, path, found);
                    true
                }
                None => node.preserve || node.additional == Additional::Any,
            };
            if !keep {
                found.push(path.clone());
            }
            path.truncate(length);
            keep
        });
    }
}
