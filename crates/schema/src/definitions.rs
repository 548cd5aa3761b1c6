//! The CustomResourceDefinitions that come with Paifang: Istio's and Gateway API's kinds, as their projects define them, in words of our own;
//! and our own kinds.
//!
//! ```text
//! shape (types and limits) ─► one file per kind ─► Definition ─► the CustomResourceDefinition to install
//!                                                            └─► Structural, for checks without a server
//! ```
//!
//! **Invariant:** what upstream's own definitions accept is accepted here, and what they refuse is refused.

mod gateway_api;
mod istio;
mod paifang;
mod shape;

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use serde_json::{Map, Value, json};

use self::shape::Shape;
use crate::kind::api_version;
use crate::structural::Structural;

/// One kind that is served by a definition.
#[derive(Debug)]
pub(crate) struct Definition {
    pub group: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub scope: Scope,
    pub has_status: bool,
    pub columns: Vec<Column>,
    pub annotations: &'static [(&'static str, &'static str)],
    /// The preferred one first.
    pub versions: Vec<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Cluster,
    Namespaced,
}

#[derive(Debug)]
pub(crate) struct Version {
    name: &'static str,
    storage: bool,
    /// What a client of this version is told.
    deprecated: Option<String>,
    schema: Shape,
}

/// A column of `kubectl get`.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    name: &'static str,
    kind: &'static str,
    path: &'static str,
    about: &'static str,
    wide: bool,
}

/// A kind of ours at one version, for checks. Its schema is read when it is first needed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub namespaced: bool,
    schema: &'static Shape,
    structural: OnceLock<Structural>,
}

static ALL: LazyLock<Vec<Definition>> =
    LazyLock::new(|| istio::definitions().into_iter().chain(gateway_api::definitions()).chain(paifang::definitions()).collect());

/// The CustomResourceDefinitions, ready to be installed: Istio's, then Gateway API's, then ours.
pub fn crds() -> Vec<Value> {
    ALL.iter().map(Definition::crd).collect()
}

/// The kind of one of our definitions that an object says it is.
pub(crate) fn find(version: &str, kind: &str) -> Option<&'static Entry> {
    static ENTRIES: LazyLock<HashMap<String, Entry>> = LazyLock::new(|| ALL.iter().flat_map(Definition::entries).collect());
    ENTRIES.get(&format!("{version}, {kind}"))
}

// === impl Definition ===

impl Definition {
    fn crd(&self) -> Value {
        let mut names = json!({
            "kind": self.kind, "listKind": format!("{}List", self.kind), "plural": self.plural, "singular": self.kind.to_lowercase(),
            "categories": self.categories,
        });
        if !self.short_names.is_empty() {
            names["shortNames"] = json!(self.short_names);
        }
        let mut metadata = json!({ "name": format!("{}.{}", self.plural, self.group) });
        if !self.annotations.is_empty() {
            metadata["annotations"] =
                self.annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<Map<_, _>>().into();
        }
        let versions: Vec<Value> = self.versions.iter().map(|version| self.version(version)).collect();
        let scope = if self.scope == Scope::Namespaced { "Namespaced" } else { "Cluster" };
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata,
            "spec": { "group": self.group, "names": names, "scope": scope, "versions": versions },
        })
    }

    fn version(&self, version: &Version) -> Value {
        let mut value = json!({ "name": version.name, "served": true, "storage": version.storage });
        if let Some(warning) = &version.deprecated {
            value["deprecated"] = true.into();
            value["deprecationWarning"] = warning.as_str().into();
        }
        value["schema"] = json!({ "openAPIV3Schema": Value::from(version.schema.clone()) });
        if self.has_status {
            value["subresources"] = json!({ "status": {} });
        }
        if !self.columns.is_empty() {
            value["additionalPrinterColumns"] = self.columns.iter().map(Column::json).collect();
        }
        value
    }

    fn entries(&'static self) -> impl Iterator<Item = (String, Entry)> {
        self.versions.iter().map(|version| {
            let entry = Entry { namespaced: self.scope == Scope::Namespaced, schema: &version.schema, structural: OnceLock::new() };
            (format!("{}, {}", api_version(self.group, version.name), self.kind), entry)
        })
    }
}

// === impl Entry ===

impl Entry {
    pub(crate) fn structural(&self) -> &Structural {
        let read = || Structural::from_crd(&self.schema.clone().into()).expect("a definition of ours is structural, as a test says");
        self.structural.get_or_init(read)
    }
}

// === impl Column ===

impl Column {
    fn of(name: &'static str, kind: &'static str, path: &'static str) -> Self {
        Self { name, kind, path, about: "", wide: false }
    }

    fn text(name: &'static str, path: &'static str) -> Self {
        Self::of(name, "string", path)
    }

    fn age() -> Self {
        Self::of("Age", "date", ".metadata.creationTimestamp")
    }

    fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Only in `-o wide`.
    fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    fn json(&self) -> Value {
        let mut value = json!({ "name": self.name, "type": self.kind, "jsonPath": self.path });
        if !self.about.is_empty() {
            value["description"] = self.about.into();
        }
        if self.wide {
            value["priority"] = 1.into();
        }
        value
    }
}

#[cfg(test)]
mod tests;
