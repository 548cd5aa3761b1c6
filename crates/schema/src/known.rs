//! Kinds whose objects can be checked without a server: the built-in ones, and those of our own definitions.

use serde_json::Value;

use crate::definitions::{self, Entry};
use crate::kind::{Kind, builtin};
use crate::violation::Violation;
use crate::{default_builtin, review_builtin, structural, validate_custom_metadata};

/// The kind of an object, at one version.
#[derive(Clone, Copy, Debug)]
pub struct Known(Origin);

#[derive(Clone, Copy, Debug)]
enum Origin {
    Builtin(&'static Kind),
    Defined(&'static Entry),
}

/// The kind an object says it is, in any version that is served.
pub fn known(api_version: &str, kind: &str) -> Option<Known> {
    let builtin = builtin().by_kind(api_version, kind).map(Origin::Builtin);
    builtin.or_else(|| definitions::find(api_version, kind).map(Origin::Defined)).map(Known)
}

// === impl Known ===

impl Known {
    pub fn is_namespaced(self) -> bool {
        match self.0 {
            Origin::Builtin(kind) => kind.namespaced,
            Origin::Defined(entry) => entry.namespaced,
        }
    }

    /// The places of fields that nobody declared.
    pub fn unknown(self, object: &Value) -> Vec<String> {
        match self.0 {
            Origin::Builtin(kind) => structural(kind).unknown(object),
            Origin::Defined(entry) => entry.structural().unknown(object),
        }
    }

    /// Fills in what is left unsaid.
    pub fn default(self, object: &mut Value) {
        match self.0 {
            Origin::Builtin(kind) => default_builtin(kind, object),
            Origin::Defined(entry) => entry.structural().default(object),
        }
    }

    /// Everything wrong with `new`; with `old` it is an update.
    pub fn review(self, new: &Value, old: Option<&Value>) -> Vec<Violation> {
        match self.0 {
            Origin::Builtin(kind) => review_builtin(kind, new, old),
            Origin::Defined(entry) => {
                let found = validate_custom_metadata(entry.namespaced, new, old);
                if found.is_empty() { entry.structural().validate(new, old) } else { found }
            }
        }
    }
}
