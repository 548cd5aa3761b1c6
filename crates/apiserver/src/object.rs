//! Objects as JSON values, and as the bytes that are stored.
//!
//! **Invariant:** stored bytes begin with `apiVersion`, `kind`, `metadata` in this order and hold no
//! `resourceVersion`; it is spliced in when they are read, so a list of thousands is copied, not parsed.

use serde_json::{Map, Value};

use crate::kinds::Kind;

const METADATA: &[u8] = br#""metadata":{"#;

/// The fields every request reads or sets.
pub(crate) trait Object {
    fn meta(&self) -> Option<&Map<String, Value>>;
    fn meta_mut(&mut self) -> &mut Map<String, Value>;
    fn meta_str(&self, key: &str) -> &str;

    fn name(&self) -> &str {
        self.meta_str("name")
    }
    fn namespace(&self) -> &str {
        self.meta_str("namespace")
    }
    fn is_deleting(&self) -> bool {
        !self.meta_str("deletionTimestamp").is_empty()
    }
    fn has_finalizers(&self) -> bool {
        let finalizers = self.meta().and_then(|meta| meta.get("finalizers"));
        finalizers.and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    }
    fn generation(&self) -> u64 {
        self.meta().and_then(|meta| meta.get("generation")).and_then(Value::as_u64).unwrap_or(0)
    }
}

impl Object for Value {
    fn meta(&self) -> Option<&Map<String, Value>> {
        self.get("metadata").and_then(Value::as_object)
    }

    fn meta_mut(&mut self) -> &mut Map<String, Value> {
        as_map(as_map(self).entry("metadata").or_insert_with(empty))
    }

    fn meta_str(&self, key: &str) -> &str {
        self.meta().and_then(|meta| meta.get(key)).and_then(Value::as_str).unwrap_or("")
    }
}

pub(crate) fn empty() -> Value {
    Value::Object(Map::new())
}

/// The value as an object; whatever else it was is replaced by an empty one.
pub(crate) fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = empty();
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was just made an object"),
    }
}

/// Sets `key`, or takes it away.
pub(crate) fn set(map: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.shift_remove(key),
    };
}

/// The bytes to store.
pub(crate) fn encode(kind: &Kind, object: &Value) -> Vec<u8> {
    let core = crate::events::to_stored(kind, object);
    let (object, api_version) = match &core {
        Some(event) => (event, "v1"),
        None => (object, kind.api_version.as_str()),
    };
    let mut ordered = Map::new();
    ordered.insert("apiVersion".into(), api_version.into());
    ordered.insert("kind".into(), kind.kind.clone().into());
    let mut meta = object.meta().cloned().unwrap_or_default();
    meta.shift_remove("resourceVersion");
    ordered.insert("metadata".into(), Value::Object(meta));
    for (key, value) in object.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
            ordered.insert(key.clone(), value.clone());
        }
    }
    serde_json::to_vec(&ordered).unwrap_or_default()
}

/// A stored object as a value of `kind`'s version.
pub(crate) fn decode(kind: &Kind, stored: &store::Object) -> Value {
    let mut object = decode_bytes(kind, &stored.bytes);
    object.meta_mut().insert("resourceVersion".into(), stored.revision.to_string().into());
    object
}

fn decode_bytes(kind: &Kind, bytes: &[u8]) -> Value {
    // What was stored was encoded above; an object that does not parse shows as an empty one rather than nothing.
    let mut object: Value = serde_json::from_slice(bytes).unwrap_or_else(|_| empty());
    if object.get("apiVersion").and_then(Value::as_str) != Some(&kind.api_version) {
        crate::events::from_stored(kind, &mut object);
        as_map(&mut object).insert("apiVersion".into(), kind.api_version.clone().into());
    }
    object
}

/// Appends a stored object as `kind`'s version to `out`.
pub(crate) fn splice(kind: &Kind, stored: &store::Object, out: &mut Vec<u8>) {
    let bytes = &stored.bytes;
    let rest = bytes.strip_prefix(&*kind.prefix);
    let at = rest.and_then(|rest| rest.windows(METADATA.len()).position(|window| window == METADATA));
    match at {
        Some(at) => {
            let at = kind.prefix.len() + at + METADATA.len();
            out.extend_from_slice(&bytes[..at]);
            out.extend_from_slice(format!("\"resourceVersion\":\"{}\",", stored.revision).as_bytes());
            out.extend_from_slice(&bytes[at..]);
        }
        None => out.extend_from_slice(&serde_json::to_vec(&decode(kind, stored)).unwrap_or_default()),
    }
}

/// Everything but metadata and status: what a change of `generation` is about.
pub(crate) fn same_intent(old: &Value, new: &Value, status_apart: bool) -> bool {
    let intent = |object: &Value| {
        let mut map = object.as_object().cloned().unwrap_or_default();
        for key in ["apiVersion", "kind", "metadata"] {
            map.shift_remove(key);
        }
        if status_apart {
            map.shift_remove("status");
        }
        map
    };
    intent(old) == intent(new)
}
