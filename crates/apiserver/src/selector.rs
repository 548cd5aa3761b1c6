//! Label and field selectors as they stand in a query.

use serde_json::Value;

use crate::failure::Failure;
use crate::kinds::{Kind, Origin};
use crate::object::Object;

/// All must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
    Greater(i64),
    Less(i64),
}

/// Field, whether it must be equal, value. All must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, Sign, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Equal,
    Unequal,
}

/// Both selectors of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    pub(crate) labels: Labels,
    pub(crate) fields: Fields,
}

/// The selector in an object, as `kubectl get -l` takes it.
pub(crate) fn written(selector: Option<&Value>) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let field = |name: &str| selector.and_then(|selector| selector.get(name));
    let labels = field("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut parts: Vec<String> = labels.map(|(key, value)| format!("{key}={}", text(value))).collect();
    parts.sort_unstable();
    for one in field("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = text(&one["key"]);
        let values: Vec<String> = one["values"].as_array().into_iter().flatten().map(text).collect();
        let values = values.join(",");
        parts.push(match one["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key,
        });
    }
    parts.join(",")
}

// === impl Selector ===

impl Selector {
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.0.is_empty() && self.fields.0.is_empty()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.labels.matches(object) && self.fields.matches(object)
    }
}

// === impl Labels ===

impl Labels {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut tokens = Tokens { rest: text };
        let mut all = Vec::new();
        while !tokens.is_done() {
            if let Some(first) = tokens.peek().filter(|first| is_special(first) && *first != "!") {
                return Err(Failure::bad_request(format!("found '{first}', expected: !, identifier, or 'end of string'")));
            }
            all.push(requirement(&mut tokens).map_err(|what| Failure::bad_request(format!("unable to parse requirement: {what}")))?);
            match tokens.next() {
                None => break,
                Some(",") => match tokens.peek().unwrap_or("") {
                    first if first != "!" && (first.is_empty() || is_special(first)) => {
                        return Err(Failure::bad_request(format!("found '{first}', expected: identifier after ','")));
                    }
                    _ => {}
                },
                Some(other) => return Err(Failure::bad_request(format!("found '{other}', expected: ',' or 'end of string'"))),
            }
        }
        Ok(Self(all))
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = object.meta().and_then(|meta| meta.get("labels"));
        self.0.iter().all(|Requirement { key, test }| {
            let value = labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
            test.holds(value)
        })
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::In(list) => value.is_some_and(|value| list.iter().any(|one| one == value)),
            Self::NotIn(list) => value.is_none_or(|value| list.iter().all(|one| one != value)),
            Self::Exists => value.is_some(),
            Self::Missing => value.is_none(),
            Self::Greater(than) => number().is_some_and(|number| number > *than),
            Self::Less(than) => number().is_some_and(|number| number < *than),
        }
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, String> {
    let first = tokens.next().unwrap_or("");
    let (negated, key) = if first == "!" { (true, tokens.next().unwrap_or("")) } else { (false, first) };
    let key = label_key(key)?;
    if negated {
        return Ok(Requirement { key, test: Test::Missing });
    }
    let test = match tokens.peek() {
        None | Some(",") => Test::Exists,
        Some(operator) => {
            tokens.next();
            compare(operator, &key, tokens)?
        }
    };
    Ok(Requirement { key, test })
}

fn compare(operator: &str, key: &str, tokens: &mut Tokens<'_>) -> Result<Test, String> {
    let number = |tokens: &mut Tokens<'_>| {
        let text = exact(key, tokens)?;
        text.parse().map_err(|_| format!("values[0]: Invalid value: {text:?}: for 'Gt', 'Lt' operators, the value must be an integer"))
    };
    match operator {
        "=" | "==" => Ok(Test::In(vec![exact(key, tokens)?])),
        "!=" => Ok(Test::NotIn(vec![exact(key, tokens)?])),
        "in" => Ok(Test::In(set(key, tokens)?)),
        "notin" => Ok(Test::NotIn(set(key, tokens)?)),
        ">" => Ok(Test::Greater(number(tokens)?)),
        "<" => Ok(Test::Less(number(tokens)?)),
        other => Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
    }
}

/// A value that may be missing: `a=` asks for the empty one.
fn exact(key: &str, tokens: &mut Tokens<'_>) -> Result<String, String> {
    match tokens.peek() {
        None | Some(",") => Ok(String::new()),
        Some(other) if is_special(other) => Err(format!("found '{other}', expected: identifier")),
        Some(_) => label_value(key, 0, tokens.next().unwrap_or("")),
    }
}

fn set(key: &str, tokens: &mut Tokens<'_>) -> Result<Vec<String>, String> {
    match tokens.next().unwrap_or("") {
        "(" => {}
        other => return Err(format!("found '{other}' expected: '('")),
    }
    let mut values = Vec::new();
    loop {
        match tokens.next() {
            Some(")") => {
                values.push(String::new());
                return Ok(values);
            }
            Some(",") => values.push(String::new()),
            Some(value) => {
                values.push(label_value(key, values.len(), value)?);
                match tokens.next() {
                    Some(",") => {}
                    Some(")") => return Ok(values),
                    other => return Err(format!("found '{}', expected: ',' or ')'", other.unwrap_or(""))),
                }
            }
            None => return Err("found '', expected: ',', ')' or identifier".into()),
        }
    }
}

fn label_key(key: &str) -> Result<String, String> {
    if key.is_empty() || is_special(key) {
        return Err(format!("found '{key}', expected: identifier"));
    }
    match schema::label_key_problems(key).as_slice() {
        [] => Ok(key.to_owned()),
        problems => Err(format!("<nil>: Invalid value: {key:?}: {}", problems.join("; "))),
    }
}

fn label_value(key: &str, at: usize, value: &str) -> Result<String, String> {
    match schema::label_value_problems(value).as_slice() {
        [] => Ok(value.to_owned()),
        problems => Err(format!("values[{at}][{key}]: Invalid value: {value:?}: {}", problems.join("; "))),
    }
}

/// Whether it is a sign, not a word.
fn is_special(token: &str) -> bool {
    matches!(token, "=" | "==" | "!=" | "!" | "(" | ")" | "," | ">" | "<")
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn is_done(&self) -> bool {
        self.rest.trim_start().is_empty()
    }

    fn peek(&self) -> Option<&'a str> {
        Tokens { rest: self.rest }.next()
    }

    fn next(&mut self) -> Option<&'a str> {
        const SPECIAL: [char; 8] = ['=', '!', '(', ')', ',', '>', '<', ' '];
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        let length = if rest.starts_with("==") || rest.starts_with("!=") {
            2
        } else if SPECIAL.contains(&first) {
            1
        } else {
            rest.find(|c: char| SPECIAL.contains(&c) || c.is_whitespace()).unwrap_or(rest.len())
        };
        let (token, rest) = rest.split_at(length);
        self.rest = rest;
        Some(token)
    }
}

// === impl Fields ===

impl Fields {
    pub(crate) fn parse(kind: &Kind, text: &str) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for part in split_unescaped(text) {
            let (field, sign, value) =
                term(&part).ok_or_else(|| Failure::bad_request(format!("invalid selector: '{text}'; can't understand '{part}'")))?;
            if !is_selectable(kind, field) {
                return Err(Failure::bad_request(unknown(kind, field)));
            }
            check_escapes(value)?;
            all.push((field.to_owned(), sign, unescape(value)));
        }
        Ok(Self(all))
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(field, sign, wanted)| (value_of(object, field) == *wanted) == (*sign == Sign::Equal))
    }
}

/// `kubectl` says itself of which kind, and in which selector.
fn unknown(kind: &Kind, field: &str) -> String {
    let own = kind.is_builtin() && ["events", "secrets", "namespaces", "pods", "nodes", "services"].contains(&&*kind.plural);
    if own || !kind.is_builtin() {
        format!("field label not supported: {field}")
    } else {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    }
}

/// A backslash takes the meaning from a comma, an equals sign and a backslash, and stands before nothing else.
fn check_escapes(value: &str) -> Result<(), Failure> {
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            continue;
        }
        let next = rest.next();
        if !matches!(next, Some('\\' | ',' | '=')) {
            let next = next.map(String::from).unwrap_or_default();
            return Err(Failure::bad_request(format!("invalid field selector: invalid escape sequence: \\{next}")));
        }
    }
    Ok(())
}

fn term(part: &str) -> Option<(&str, Sign, &str)> {
    if let Some((field, value)) = part.split_once("!=") {
        return Some((field, Sign::Unequal, value));
    }
    let (field, value) = part.split_once('=')?;
    Some((field, Sign::Equal, value.strip_prefix('=').unwrap_or(value)))
}

/// The name that objects must have which a field selector chooses. What [`Fields`] read of the same text chooses no others.
pub(crate) fn selected_name(text: &str) -> Option<String> {
    let parts = split_unescaped(text);
    let mut named = parts.iter().filter_map(|part| term(part)).filter(|(field, sign, _)| *field == "metadata.name" && *sign == Sign::Equal);
    let (_, _, value) = named.next()?;
    check_escapes(value).ok()?;
    Some(unescape(value)).filter(|name| !name.is_empty())
}

const EVENT: [&str; 14] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "reportingController",
    "source",
    "type",
    "regarding.kind",
    "regarding.name",
];

const POD: [&str; 8] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
];

fn is_selectable(kind: &Kind, field: &str) -> bool {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return true;
    }
    match &kind.origin {
        Origin::Custom { selectable, .. } => selectable.iter().any(|one| one == field),
        Origin::Builtin => match kind.plural.as_str() {
            "events" => EVENT.contains(&field) || matches!(field, "regarding.namespace" | "regarding.uid"),
            "secrets" => field == "type",
            "namespaces" => matches!(field, "status.phase" | "name"),
            "pods" => POD.contains(&field),
            "nodes" => field == "spec.unschedulable",
            "services" => matches!(field, "spec.clusterIP" | "spec.type"),
            _ => false,
        },
    }
}

fn value_of(object: &Value, field: &str) -> String {
    if field == "source" && object.pointer("/source/component").and_then(Value::as_str).is_none_or(str::is_empty) {
        return value_of(object, "reportingComponent");
    }
    let field = match field {
        "name" => "metadata.name",
        "source" => "source.component",
        field => field,
    };
    let mut value = object;
    for step in field.split('.') {
        value = value.get(step).unwrap_or(&Value::Null);
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Null if matches!(field, "spec.unschedulable" | "spec.hostNetwork") => "false".into(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn split_unescaped(text: &str) -> Vec<String> {
    let (mut parts, mut part, mut escaped) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        if c == ',' && !escaped {
            parts.push(std::mem::take(&mut part));
            continue;
        }
        escaped = c == '\\' && !escaped;
        part.push(c);
    }
    parts.push(part);
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn unescape(value: &str) -> String {
    value.replace("\\,", ",").replace("\\=", "=").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(selector: &str, expect: bool) {
        let object = json!({ "metadata": { "labels": { "app": "web", "tier": "", "n": "5", "x.io/y": "z" } } });
        let labels = Labels::parse(selector).unwrap_or_else(|failure| panic!("{selector}: {failure:?}"));
        assert_eq!(labels.matches(&object), expect, "{selector}");
    }

    #[test]
    fn every_form_of_label_selector() {
        for (selector, expect) in [
            ("", true),
            ("app=web", true),
            ("app == web", true),
            ("app=web,tier=", true),
            ("app!=web", false),
            ("missing!=web", true),
            ("app in (web, api)", true),
            ("app in (api)", false),
            ("app notin (api,db)", true),
            ("missing notin (a)", true),
            ("tier in (a,)", true),
            ("app", true),
            ("!app", false),
            ("! missing", true),
            ("x.io/y=z,app in (web)", true),
            ("n>4", true),
            ("n < 5", false),
            ("app>4", false),
        ] {
            check(selector, expect);
        }
    }

    #[test]
    fn broken_label_selectors_are_refused() {
        for selector in ["=a", "a in", "a in b", "a in (b", "a b", "a,,b", "a,", "a=b c", "a>x", "a=-b", "/a"] {
            assert!(Labels::parse(selector).is_err(), "{selector}");
        }
    }
}
