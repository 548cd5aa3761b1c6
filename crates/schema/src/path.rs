//! The place of a value inside an object, and the violations one can find there.

use std::fmt;

use serde_json::Value;

use crate::violation::{Violation, ViolationKind};

/// A place, as a chain of borrowed steps: rendered only when something is wrong there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Child(&'a str),
    Index(usize),
    Key(&'a str),
}

// === impl Path ===

impl<'a> Path<'a> {
    /// The object itself.
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// `a` of the object itself; dots in it are part of the text.
    pub const fn new(name: &'a str) -> Self {
        Path { parent: None, step: Step::Child(name) }
    }

    pub fn child<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path { parent: Some(self), step: Step::Child(name) }
    }

    pub fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    pub fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }

    pub fn required(&self, detail: impl Into<String>) -> Violation {
        self.violation(ViolationKind::Required, detail)
    }

    pub fn forbidden(&self, detail: impl Into<String>) -> Violation {
        self.violation(ViolationKind::Forbidden, detail)
    }

    pub fn invalid(&self, value: impl Into<Value>, detail: impl Into<String>) -> Violation {
        self.violation(ViolationKind::Invalid { value: Some(value.into()) }, detail)
    }

    pub fn type_invalid(&self, value: impl Into<Value>, detail: impl Into<String>) -> Violation {
        self.violation(ViolationKind::TypeInvalid { value: value.into() }, detail)
    }

    pub fn duplicate(&self, value: impl Into<Value>) -> Violation {
        self.violation(ViolationKind::Duplicate { value: Some(value.into()) }, "")
    }

    pub fn not_supported(&self, value: impl Into<Value>, supported: &[&str]) -> Violation {
        let list: Vec<String> = supported.iter().map(|one| crate::violation::quoted(one)).collect();
        let detail = if list.is_empty() { String::new() } else { format!("supported values: {}", list.join(", ")) };
        let supported = supported.iter().map(|one| (*one).to_owned()).collect();
        self.violation(ViolationKind::NotSupported { value: value.into(), supported }, detail)
    }

    pub fn too_long(&self, most: usize) -> Violation {
        let unit = if most == 1 { "byte" } else { "bytes" };
        self.violation(ViolationKind::TooLong, format!("may not be more than {most} {unit}"))
    }

    pub fn too_many(&self, actual: usize, most: usize) -> Violation {
        self.violation(ViolationKind::TooMany { actual }, format!("must have at most {most} {}", if most == 1 { "item" } else { "items" }))
    }

    pub fn violation(&self, kind: ViolationKind, detail: impl Into<String>) -> Violation {
        let field = if self.is_root() { "<nil>".to_owned() } else { self.to_string() };
        Violation { field, kind, detail: detail.into() }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let top = self.parent.is_none_or(Path::is_root);
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Child(name) if top => f.write_str(name),
            Step::Child(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}
