//! The part of JSONPath that printer columns use: fields, indexes, `[*]`, and filters that compare for equality.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    All,
    /// Elements whose field equals the text.
    Where {
        field: Path,
        value: String,
        equal: bool,
    },
}

// === impl Path ===

impl Path {
    /// `None` for a path that uses more of JSONPath.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let end = closing(inner)?;
                steps.push(bracket(inner[..end].trim())?);
                rest = &inner[end + 1..];
            } else {
                let (step, after) = field(rest.strip_prefix('.').unwrap_or(rest))?;
                steps.extend(step);
                rest = after;
            }
        }
        Some(Self(steps))
    }

    pub(crate) fn find<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![object];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| step.of(value)).collect();
        }
        found.retain(|value| !value.is_null());
        found
    }
}

impl Step {
    fn of<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Index(at) => {
                let list = value.as_array().map_or(&[][..], Vec::as_slice);
                let at = if *at < 0 { i64::try_from(list.len()).unwrap_or(0) + at } else { *at };
                usize::try_from(at).ok().and_then(|at| list.get(at)).into_iter().collect()
            }
            Self::All => match value {
                Value::Array(list) => list.iter().collect(),
                Value::Object(map) => map.values().collect(),
                _ => Vec::new(),
            },
            Self::Where { field, value: wanted, equal } => {
                let list = value.as_array().map_or(&[][..], Vec::as_slice);
                let fits = |item: &&Value| {
                    let is = field.find(item).first().is_some_and(|found| match found {
                        Value::String(text) => text == wanted,
                        other => other.to_string() == *wanted,
                    });
                    is == *equal
                };
                list.iter().filter(fits).collect()
            }
        }
    }
}

/// A field's name up to the next `.` or `[`; `\.` is part of it. An empty one is the object itself.
fn field(text: &str) -> Option<(Option<Step>, &str)> {
    let (mut name, mut escaped) = (String::new(), false);
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '.' | '[' if !escaped => {
                end = at;
                break;
            }
            c => {
                name.push(c);
                escaped = false;
            }
        }
    }
    let step = match name.as_str() {
        "" if end < text.len() && text[end..].starts_with('.') => return None,
        "" => None,
        "*" => Some(Step::All),
        _ => Some(Step::Field(name)),
    };
    Some((step, &text[end..]))
}

/// Where the bracket that is open closes, quotes apart.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(text: &str) -> Option<Step> {
    if text == "*" {
        return Some(Step::All);
    }
    if let Some(name) = unquote(text) {
        return Some(Step::Field(name.to_owned()));
    }
    if let Some(filter) = text.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        let (equal, (left, right)) = match filter.split_once("==") {
            Some(sides) => (true, sides),
            None => (false, filter.split_once("!=")?),
        };
        let right = right.trim();
        let field = Path::parse(left.trim().strip_prefix('@')?)?;
        return Some(Step::Where { field, value: unquote(right).unwrap_or(right).to_owned(), equal });
    }
    text.parse().ok().map(Step::Index)
}

fn unquote(text: &str) -> Option<&str> {
    ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(path: &str, expect: &[Value]) {
        let object = json!({
            "metadata": { "labels": { "a.b/c": "d" } },
            "spec": { "hosts": ["x", "y"], "n": 5 },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }, { "type": "Other", "status": "False" }] },
        });
        let found: Vec<Value> = Path::parse(path).unwrap_or_else(|| panic!("{path} parses")).find(&object).into_iter().cloned().collect();
        assert_eq!(found, expect, "{path}");
    }

    #[test]
    fn the_paths_that_columns_use() {
        check(".spec.n", &[json!(5)]);
        check("{.spec.n}", &[json!(5)]);
        check("$.spec.hosts[0]", &[json!("x")]);
        check(".spec.hosts[-1]", &[json!("y")]);
        check(".spec.hosts[*]", &[json!("x"), json!("y")]);
        check(r#".status.conditions[?(@.type=="Ready")].status"#, &[json!("True")]);
        check(".status.conditions[?(@.type!='Ready')].status", &[json!("False")]);
        check(r".metadata.labels.a\.b/c", &[json!("d")]);
        check(".metadata.labels['a.b/c']", &[json!("d")]);
        check(".spec.missing.deeper", &[]);
    }

    #[test]
    fn other_paths_are_not_understood() {
        for path in ["..name", ".a[", ".a[?(@.x>1)]", ".a[1:2]"] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
    }
}
