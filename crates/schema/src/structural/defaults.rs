//! Defaults: what an absent field is, and `null` where a schema does not allow it.

use serde_json::Value;

use super::{Additional, NodeId, Structural};

impl Structural {
    /// Drops each `null` where the schema does not allow one (in the lists and maps of built-in kinds it becomes the empty value), then fills in the defaults of absent fields. Doing it twice changes nothing.
    pub fn default(&self, value: &mut Value) {
        self.default_at(self.root, value);
    }

    fn default_at(&self, id: NodeId, value: &mut Value) {
        let node = self.node(id, value);
        match value {
            Value::Object(fields) => {
                if let (true, Additional::Schema(more)) = (node.decoded, node.additional) {
                    // A key of a Go map stays, whatever its value.
                    fields.values_mut().filter(|value| value.is_null()).for_each(|value| *value = self.nodes[more.index()].kind.empty());
                }
                fields.retain(|name, value| {
                    let nullable = node.field(name).is_none_or(|field| self.nodes[field.index()].nullable);
                    !value.is_null() || nullable
                });
                for (name, field) in &node.properties {
                    if let Some(default) = &self.nodes[field.index()].default
                        && !fields.contains_key(name)
                    {
                        fields.insert(name.clone(), default.clone());
                    }
                }
                for (name, value) in fields.iter_mut() {
                    if let Some(field) = node.field(name) {
                        self.default_at(field, value);
                    }
                }
            }
            Value::Array(items) => {
                let Some(item) = node.items else { return };
                for value in items {
                    if node.decoded && value.is_null() {
                        *value = self.nodes[item.index()].kind.empty();
                    }
                    self.default_at(item, value);
                }
            }
            _ => {}
        }
    }
}
