//! What is to be written.

use crate::world::Key;
use serde_json::{Map, Value, json};

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    Create(Key, Value),
    /// A merge patch, for the version that was looked at alone: its `metadata.resourceVersion`.
    Patch(Key, Value),
    /// The same for the status.
    Status(Key, Value),
    /// Of the object with this uid; empty: of whichever is there. One that is gone already counts as deleted.
    Delete(Key, String),
}

/// Writes that are done in their order: where one fails, those behind it are left for the next time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// Objects that must still have these versions, read anew; an empty version: that are not there.
    pub given: Vec<(Key, String)>,
    pub writes: Vec<Write>,
}

// === impl Chain ===

impl Chain {
    pub(crate) fn of(writes: Vec<Write>) -> Self {
        Self { given: Vec::new(), writes }
    }
}

impl From<Write> for Chain {
    fn from(write: Write) -> Self {
        Self::of(vec![write])
    }
}

// === impl Write ===

impl Write {
    pub fn key(&self) -> &Key {
        match self {
            Self::Create(key, _) | Self::Patch(key, _) | Self::Status(key, _) | Self::Delete(key, _) => key,
        }
    }

    /// A new object with these fields; its kind, name and namespace are the key's.
    pub(crate) fn create(key: Key, mut object: Value) -> Self {
        let (kind, version) = (key.kind.word(), key.kind.api_version());
        let metadata = fields(fields(&mut object).entry("metadata").or_insert_with(|| json!({})));
        metadata.insert("name".into(), key.name.as_str().into());
        if !key.namespace.is_empty() {
            metadata.insert("namespace".into(), key.namespace.as_str().into());
        }
        object["apiVersion"] = version.into();
        object["kind"] = kind.into();
        Self::Create(key, object)
    }

    /// A patch of the version that was looked at.
    pub(crate) fn patch(key: Key, version: &str, mut patch: Value) -> Self {
        fields(fields(&mut patch).entry("metadata").or_insert_with(|| json!({}))).insert("resourceVersion".into(), version.into());
        Self::Patch(key, patch)
    }

    pub(crate) fn status(key: Key, version: &str, status: &Value) -> Self {
        Self::Status(key, json!({ "metadata": { "resourceVersion": version }, "status": status }))
    }
}

/// The fields of what is made an object, should it be none.
fn fields(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("it has just been made one")
}
