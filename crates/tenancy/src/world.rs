//! All objects that matter, as they were at one moment.

use crate::object::{Kind, Object};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// One object's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub kind: Kind,
    /// Empty for what is the whole cluster's.
    pub namespace: String,
    pub name: String,
}

#[derive(Clone, Debug, Default)]
pub struct World(BTreeMap<Key, Object>);

// === impl Key ===

impl Key {
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    pub fn of(kind: Kind, object: &Object) -> Self {
        Self::new(kind, object.namespace(), object.name())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        if namespace.is_empty() { write!(f, "{kind} {name}") } else { write!(f, "{kind} {namespace}/{name}") }
    }
}

// === impl World ===

impl World {
    pub fn put(&mut self, key: Key, object: Value) {
        self.0.insert(key, Object::new(object));
    }

    pub fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.0.get(&Key::new(kind, namespace, name))
    }

    pub fn at(&self, key: &Key) -> Option<&Object> {
        self.0.get(key)
    }

    /// All of a kind, by namespace and name.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.0.range(Key::new(kind, "", "")..).take_while(move |(key, _)| key.kind == kind).map(|(_, object)| object)
    }

    /// All of a kind in a namespace.
    pub fn within<'a>(&'a self, kind: Kind, namespace: &'a str) -> impl Iterator<Item = &'a Object> {
        let from = self.0.range(Key::new(kind, namespace, "")..);
        from.take_while(move |(key, _)| key.kind == kind && key.namespace == namespace).map(|(_, object)| object)
    }

    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }
}
