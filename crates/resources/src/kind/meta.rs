//! What every object has.

use crate::at::{At, Problems};
use crate::problem::{Cause, Problem};
use model::Text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Which object of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Empty for cluster-scoped objects.
    pub namespace: Text,
    pub name: Text,
}

/// `metadata`, as far as we read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub name: Name,
    pub uid: Text,
    pub generation: i64,
    /// Seconds since 1970; 0 where missing, so that a file's objects are all equally old.
    pub created: i64,
    pub annotations: BTreeMap<Text, Text>,
    pub labels: BTreeMap<Text, Text>,
}

// === impl Name ===

impl Name {
    pub fn new(namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// By an object's own metadata; namespaced objects without one are in `default`.
    pub fn of(object: &Value, cluster_scoped: bool) -> Option<Self> {
        let text = |field| object.get("metadata")?.get(field)?.as_str();
        let name = text("name").filter(|name| !name.is_empty())?;
        let namespace = if cluster_scoped { "" } else { text("namespace").unwrap_or("default") };
        Some(Self::new(namespace, name))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() { write!(f, "{}", self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}

// === impl Meta ===

impl Meta {
    pub(crate) fn read(name: Name, root: &At<'_>, problems: &mut Problems) -> Self {
        let mut meta =
            Self { name, uid: Text::default(), generation: 0, created: 0, annotations: BTreeMap::new(), labels: BTreeMap::new() };
        let Some(at) = root.field("metadata") else { return meta };
        meta.uid = at.text("uid", problems).unwrap_or_default();
        meta.generation = at.field("generation").and_then(|at| at.value.as_i64()).unwrap_or(0);
        meta.created = created(&at, problems);
        at.entries("annotations", problems, |key, at, problems| {
            meta.annotations.insert(key.into(), annotation(at, problems));
        });
        at.entries("labels", problems, |key, at, _| {
            if let Some(value) = at.value.as_str() {
                meta.labels.insert(key.into(), value.into());
            }
        });
        meta
    }

    pub fn annotation(&self, key: &str) -> Option<&Text> {
        self.annotations.get(key)
    }
}

fn created(at: &At<'_>, problems: &mut Problems) -> i64 {
    let Some(at) = at.field("creationTimestamp") else { return 0 };
    let time = at.value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    at.expected(time, "a time", problems).map_or(0, jiff::Timestamp::as_second)
}

/// A value of the wrong type keeps its text: an annotation that guards must not vanish because somebody forgot its quotes.
fn annotation(at: &At<'_>, problems: &mut Problems) -> Text {
    if let Some(text) = at.value.as_str() {
        return text.into();
    }
    let text = at.value.to_string();
    let problem = Problem::error(at.path(), Cause::Malformed, format!("an annotation is a string, and `{text}` is none"));
    problems.push(problem.hint(format!("Write `\"{}\"`", text.replace('"', "\\\""))));
    text.into()
}
