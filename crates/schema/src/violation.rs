//! One way in which an object breaks the rules, worded as Kubernetes words it.

use std::fmt;

use serde_json::Value;

/// A field and what is wrong with it. `Display` is the line `kubectl` prints.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// The place, such as `spec.rules[0].host`. Kubernetes writes `<nil>` for the object itself.
    pub field: String,
    pub kind: ViolationKind,
    /// What comes after the kind; may be empty.
    pub detail: String,
}

/// What sort of wrong; the same ten as `metav1.CauseType`.
#[derive(Clone, Debug, PartialEq)]
pub enum ViolationKind {
    Required,
    Forbidden,
    TooLong,
    Internal,
    NotFound {
        value: Value,
    },
    /// Without a value where it would be a whole object or list.
    Duplicate {
        value: Option<Value>,
    },
    /// Without a value where it would be a whole object or list.
    Invalid {
        value: Option<Value>,
    },
    TypeInvalid {
        value: Value,
    },
    NotSupported {
        value: Value,
        supported: Vec<String>,
    },
    TooMany {
        actual: usize,
    },
}

// === impl Violation ===

impl Violation {
    /// Whether CEL rules are not asked about an object that has this wrong.
    pub(crate) fn hinders_rules(&self) -> bool {
        use ViolationKind::{NotSupported, Required, TooLong, TooMany, TypeInvalid};
        matches!(self.kind, NotSupported { .. } | Required | TooLong | TooMany { .. } | TypeInvalid { .. })
    }

    /// The `reason` of a cause in a `Status`.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            ViolationKind::Required => "FieldValueRequired",
            ViolationKind::Forbidden => "FieldValueForbidden",
            ViolationKind::TooLong => "FieldValueTooLong",
            ViolationKind::Internal => "InternalError",
            ViolationKind::NotFound { .. } => "FieldValueNotFound",
            ViolationKind::Duplicate { .. } => "FieldValueDuplicate",
            ViolationKind::Invalid { .. } => "FieldValueInvalid",
            ViolationKind::TypeInvalid { .. } => "FieldValueTypeInvalid",
            ViolationKind::NotSupported { .. } => "FieldValueNotSupported",
            ViolationKind::TooMany { .. } => "FieldValueTooMany",
        }
    }

    /// The `message` of a cause in a `Status`: everything but the field.
    pub fn message(&self) -> String {
        let mut message = self.kind.to_string();
        if !self.detail.is_empty() {
            message.push_str(": ");
            message.push_str(&self.detail);
        }
        message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message())
    }
}

impl std::error::Error for Violation {}

// === impl ViolationKind ===

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("Required value"),
            Self::Forbidden => f.write_str("Forbidden"),
            Self::TooLong => f.write_str("Too long"),
            Self::Internal => f.write_str("Internal error"),
            Self::NotFound { value } => write!(f, "Not found: {}", Shown(value)),
            Self::Duplicate { value: None } => f.write_str("Duplicate value"),
            Self::Duplicate { value: Some(value) } => write!(f, "Duplicate value: {}", Shown(value)),
            Self::Invalid { value: None } => f.write_str("Invalid value"),
            Self::Invalid { value: Some(value) } | Self::TypeInvalid { value } => write!(f, "Invalid value: {}", Shown(value)),
            Self::NotSupported { value, .. } => write!(f, "Unsupported value: {}", Shown(value)),
            Self::TooMany { actual } => write!(f, "Too many: {actual}"),
        }
    }
}

/// A value as Go prints it: strings quoted, the rest as JSON.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) => f.write_str(&quoted(text)),
            other => write!(f, "{other}"),
        }
    }
}

/// A string in Go's `%q`.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(other))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
