//! A place in a JSON object, which knows its field path.

use crate::problem::{Cause, Problem};
use model::Text;
use serde_json::Value;
use std::fmt;

/// A value and how one got there. The path is only written out when there is a problem to tell.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) value: &'a Value,
    from: Option<(&'a At<'a>, Step<'a>)>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Key(&'a str),
    Index(usize),
}

pub(crate) type Problems = Vec<Problem>;

// === impl At ===

impl<'a> At<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, from: None }
    }

    /// A field of an object; `None` where it is missing or null.
    pub(crate) fn field(&'a self, name: &'a str) -> Option<At<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(At { value, from: Some((self, Step::Field(name))) })
    }

    pub(crate) fn text(&'a self, name: &'a str, problems: &mut Problems) -> Option<Text> {
        let at = self.field(name)?;
        let text = at.value.as_str().map(Text::from);
        at.expected(text, "a string", problems)
    }

    pub(crate) fn flag(&'a self, name: &'a str, problems: &mut Problems) -> Option<bool> {
        let at = self.field(name)?;
        at.expected(at.value.as_bool(), "true or false", problems)
    }

    pub(crate) fn port(&'a self, name: &'a str, problems: &mut Problems) -> Option<u16> {
        let at = self.field(name)?;
        let port = at.value.as_u64().and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
        at.expected(port, "a port number, 1 to 65535", problems)
    }

    /// The items of a list field; none where it is missing.
    pub(crate) fn list(&'a self, name: &'a str, problems: &mut Problems, mut each: impl FnMut(usize, &At<'_>, &mut Problems)) {
        let Some(at) = self.field(name) else { return };
        let Some(items) = at.expected(at.value.as_array(), "a list", problems) else { return };
        for (index, value) in items.iter().enumerate() {
            each(index, &At { value, from: Some((&at, Step::Index(index))) }, problems);
        }
    }

    /// The entries of a field that maps names to values.
    pub(crate) fn entries(&'a self, name: &'a str, problems: &mut Problems, mut each: impl FnMut(&str, &At<'_>, &mut Problems)) {
        let Some(at) = self.field(name) else { return };
        let Some(entries) = at.expected(at.value.as_object(), "a mapping", problems) else { return };
        for (key, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
            each(key, &At { value, from: Some((&at, Step::Key(key))) }, problems);
        }
    }

    /// `None` becomes a problem here.
    pub(crate) fn expected<T>(&self, read: Option<T>, what: &str, problems: &mut Problems) -> Option<T> {
        if read.is_none() {
            let message = format!("{} is not {what}", Shown(self.value));
            problems.push(Problem::error(self.path(), Cause::Malformed, message));
        }
        read
    }

    pub(crate) fn path(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((parent, step)) = self.from else { return Ok(()) };
        write!(f, "{parent}")?;
        match step {
            Step::Field(name) if parent.from.is_none() => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Key(key) => write!(f, "[{key}]"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A value in a message, cut short.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Array(_) => f.write_str("a list"),
            Value::Object(_) => f.write_str("a mapping"),
            other => {
                let text = other.to_string();
                let shown: String = text.chars().take(60).collect();
                write!(f, "`{shown}`{}", if shown.len() < text.len() { "…" } else { "" })
            }
        }
    }
}
