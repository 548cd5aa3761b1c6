//! What a kind's objects must look like: the one place where this crate meets the schemas.

use std::sync::Arc;

use schema::{Cursor, Structural, Violation};
use serde_json::Value;

use crate::failure::Cause;

/// The schema of one kind at one version, and for a built-in kind also Kubernetes' own rules.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    schema: Schema,
    builtin: Option<&'static schema::Kind>,
}

#[derive(Clone, Debug)]
enum Schema {
    Builtin(&'static Structural),
    Custom(Arc<Structural>),
}

// === impl Rules ===

impl Rules {
    pub(crate) fn builtin(kind: &'static schema::Kind) -> Self {
        Self { schema: Schema::Builtin(schema::structural(kind)), builtin: Some(kind) }
    }

    pub(crate) fn custom(schema: Structural) -> Self {
        Self { schema: Schema::Custom(Arc::new(schema)), builtin: None }
    }

    pub(crate) fn structural(&self) -> &Structural {
        match &self.schema {
            Schema::Builtin(schema) => schema,
            Schema::Custom(schema) => schema,
        }
    }

    pub(crate) fn default(&self, object: &mut Value) {
        match self.builtin {
            Some(kind) => schema::default_builtin(kind, object),
            None => self.structural().default(object),
        }
    }

    /// Takes away what the schema does not know; returns the places.
    pub(crate) fn prune(&self, object: &mut Value) -> Vec<String> {
        self.structural().prune(object)
    }

    pub(crate) fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut violations = self.structural().validate(new, old);
        if violations.is_empty()
            && let Some(kind) = self.builtin
        {
            violations = schema::validate_builtin(kind, new, old);
        }
        violations.iter().map(cause).collect()
    }

    /// Where a strategic merge patch looks up how lists merge.
    pub(crate) fn cursor(&self) -> Cursor<'_> {
        self.structural().root()
    }
}

pub(crate) fn cause(violation: &Violation) -> Cause {
    Cause::new(violation.reason(), violation.field.clone(), violation.message())
}
