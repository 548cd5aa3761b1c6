//! What helps those who fill in forms: annotations, options, permissions. Written once at the start, handed out as it is.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::reply::{self, Reply};

/// Something that may be written, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// What its value is like, in words: `seconds`, `boolean`.
    pub value: String,
    /// The only values it may have, where they are few.
    pub values: Vec<String>,
    /// Empty: none.
    pub default: String,
    pub support: Support,
    pub english: String,
    pub chinese: String,
}

/// Whether it is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Yes,
    Partly,
    No,
}

/// The catalogues: data, filled by who knows the frontends and the roles.
#[derive(Clone, Debug, Default)]
pub struct Catalogues {
    pub annotations: Vec<Entry>,
    pub options: Vec<Entry>,
    pub permissions: Vec<Permission>,
}

/// Something one may be allowed.
#[derive(Clone, Debug)]
pub struct Permission {
    pub name: String,
    /// `platform`, `workspace` or `project`.
    pub place: &'static str,
    pub english: String,
    pub chinese: String,
    /// By level: `view`, `create`, `manage`.
    pub levels: Vec<(&'static str, Vec<Value>)>,
}

/// The catalogues, as they are handed out.
pub(crate) struct Written {
    pub(crate) annotations: Bytes,
    pub(crate) options: Bytes,
    pub(crate) permissions: Bytes,
}

// === impl Written ===

impl Written {
    pub(crate) fn new(of: &Catalogues) -> Self {
        let text = |list: Vec<Value>| Bytes::from(Value::from(list).to_string());
        Self {
            annotations: text(of.annotations.iter().map(Entry::json).collect()),
            options: text(of.options.iter().map(Entry::json).collect()),
            permissions: text(of.permissions.iter().map(Permission::json).collect()),
        }
    }
}

pub(crate) fn answer(written: &Bytes) -> Reply {
    reply::bytes(StatusCode::OK, "application/json", written.clone())
}

// === impl Entry ===

impl Entry {
    fn json(&self) -> Value {
        let mut shown = json!({
            "name": self.name, "type": self.value, "support": match self.support {
                Support::Yes => "yes",
                Support::Partly => "partly",
                Support::No => "no",
            },
            "about": { "en": self.english, "zh": self.chinese },
        });
        if !self.values.is_empty() {
            shown["values"] = self.values.clone().into();
        }
        if !self.default.is_empty() {
            shown["default"] = self.default.clone().into();
        }
        shown
    }
}

// === impl Permission ===

impl Permission {
    fn json(&self) -> Value {
        let manage = self.levels.last().map(|(_, rules)| rules.clone()).unwrap_or_default();
        let levels: serde_json::Map<String, Value> =
            self.levels.iter().map(|(level, rules)| ((*level).to_owned(), rules.clone().into())).collect();
        json!({
            "name": self.name, "place": self.place, "about": { "en": self.english, "zh": self.chinese }, "rules": manage, "levels": levels,
        })
    }
}
