//! Edits of headers, as a rule or a destination asks for them.

use super::texts;
use crate::at::{At, Problems};
use crate::problem::{Cause, Problem};
use model::Text;

/// Edits of headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    pub request: HeaderEdits,
    pub response: HeaderEdits,
}

/// Names are lower case. A value of `None` has parts that are not known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    pub set: Vec<(Text, Option<Text>)>,
    pub add: Vec<(Text, Option<Text>)>,
    pub remove: Vec<Text>,
}

// === impl Headers ===

impl Headers {
    pub(crate) fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut edits = |name| at.field(name).map(|at| HeaderEdits::read(&at, problems)).unwrap_or_default();
        Self { request: edits("request"), response: edits("response") }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// === impl HeaderEdits ===

impl HeaderEdits {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut edits = |name: &str| {
            let mut edits = Vec::new();
            at.entries(name, problems, |name, at, problems| {
                let value = at.expected(at.value.as_str(), "a string", problems);
                if let Some(value) = value.filter(|_| is_name(name.trim_start_matches(':'), &at.path(), problems)) {
                    edits.push((name.to_ascii_lowercase().into(), header_value(value, at, problems)));
                }
            });
            edits
        };
        let (set, add) = (edits("set"), edits("add"));
        let remove = names(at, "remove", problems).into_iter().map(|name| name.to_ascii_lowercase().into()).collect();
        Self { set, add, remove }
    }
}

pub(crate) fn is_name(name: &str, path: &str, problems: &mut Problems) -> bool {
    let good = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet));
    if !good {
        let shown: String = name.chars().take(60).collect();
        problems.push(Problem::error(path, Cause::InvalidValue, format!("`{shown}` is no name of a header or method")));
    }
    good
}

/// Envoy's operators stand between `%`; `%%` is one of them as itself. `None`: there is one, and none is known here.
fn header_value(value: &str, at: &At<'_>, problems: &mut Problems) -> Option<Text> {
    if value.bytes().any(|octet| octet < b' ' && octet != b'\t' || octet == 0x7f) {
        problems.push(Problem::error(at.path(), Cause::InvalidValue, "a header's value has no control characters"));
        return None;
    }
    let mut parts = value.split("%%");
    let operator = parts.clone().find_map(|part| part.find('%').map(|from| part[from..].chars().take(60).collect::<String>()));
    if let Some(operator) = operator {
        let problem =
            Problem::warning(at.path(), Cause::Unsupported, format!("`{operator}` is not filled in here, so the header is not sent"));
        problems.push(problem.hint("A `%` that is meant as itself is written `%%`"));
        return None;
    }
    let first = parts.next().unwrap_or_default().to_owned();
    Some(parts.fold(first, |text, part| text + "%" + part).into())
}

/// Names of methods or headers.
pub(crate) fn names(at: &At<'_>, field: &str, problems: &mut Problems) -> Vec<Text> {
    let names = texts(at, field, problems);
    let path = format!("{at}.{field}");
    names.into_iter().filter(|name| is_name(name, &path, problems)).collect()
}
