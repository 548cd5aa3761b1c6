//! Whether an object is what its schema says, in the words of Kubernetes' validator.
//!
//! On an update a subtree that has not changed is not checked again, so that a rule made stricter later does not lock an object.

use serde_json::{Map, Value};

use super::{Bound, Checks, List, Node, NodeId, Structural, Type, format};
use crate::cel;
use crate::name;
use crate::path::Path;
use crate::violation::Violation;

impl Structural {
    /// What is wrong with `new`. CEL rules run only on an object whose shape is right and whose sizes are bounded, as Kubernetes has it: a number
    /// or a text that breaks a rule of the schema hinders none. Transition rules need `old`.
    pub fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<Violation> {
        let mut found = Vec::new();
        self.check(self.root, new, old, &Path::ROOT, &mut found);
        let hindered = found.iter().any(Violation::hinders_rules);
        if let Some(scale) = &self.scale {
            scale.check(new, &mut found);
        }
        if !self.nodes[self.root.index()].ruled {
            return found;
        }
        if !hindered {
            cel::check(self, new, old, &mut found);
        } else {
            found.push(Path::ROOT.invalid(
                Value::Null,
                "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
            ));
        }
        found
    }

    pub(crate) fn check(&self, id: NodeId, new: &Value, old: Option<&Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
        if old == Some(new) {
            return;
        }
        let node = self.node(id, new);
        if new.is_null() && node.nullable {
            return;
        }
        if !is_of(node.kind, new) {
            found.push(wrong_type(node.kind, new, path));
            return;
        }
        check_value(&node.checks, node.kind, new, path, found);
        match new {
            Value::Object(fields) => self.check_object(node, fields, old, path, found),
            Value::Array(items) => self.check_array(node, items, old, path, found),
            _ => {}
        }
        self.check_combined(node, new, path, found);
    }

    fn check_object(&self, node: &Node, fields: &Map<String, Value>, old: Option<&Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
        for name in &node.checks.required {
            if !fields.contains_key(name) {
                found.push(path.child(name).required(""));
            }
        }
        let count = fields.len();
        if let Some(least) = below(node.checks.properties.0, count) {
            found.push(path.invalid(count, format!("{path} in body should have at least {least} properties")));
        }
        if let Some(most) = above(node.checks.properties.1, count) {
            found.push(path.too_many(count, most));
        }
        if node.embedded {
            check_embedded(fields, path, found);
        }
        for (name, value) in fields {
            let old = old.and_then(|old| old.get(name));
            if let Some(field) = node.field(name) {
                self.check(field, value, old, &path.child(name), found);
            }
        }
    }

    fn check_array(&self, node: &Node, items: &[Value], old: Option<&Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
        let count = items.len();
        if let Some(least) = below(node.checks.items.0, count) {
            found.push(path.invalid(count, format!("{path} in body should have at least {least} items")));
        }
        if let Some(most) = above(node.checks.items.1, count) {
            found.push(path.too_many(count, most));
            return;
        }
        if !node.decoded {
            check_unique(&node.list, items, path, found);
        }
        let Some(item) = node.items else { return };
        for (index, value) in items.iter().enumerate() {
            let old = old.and_then(|old| counterpart(&node.list, value, old));
            self.check(item, value, old, &path.index(index), found);
        }
    }

    fn check_combined(&self, node: &Node, new: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
        let attempt = |id: &NodeId| {
            let mut wrong = Vec::new();
            self.check(*id, new, None, path, &mut wrong);
            wrong
        };
        // Kubernetes names no field here, only the place in the words.
        let at = Path::ROOT;
        let wrong: Vec<_> = node.checks.all_of.iter().flat_map(&attempt).collect();
        if !wrong.is_empty() {
            found.extend(wrong);
            found.push(at.invalid("", format!("\"{path}\" must validate all the schemas (allOf)")));
        }
        if !node.checks.any_of.is_empty() {
            let attempts: Vec<_> = node.checks.any_of.iter().map(attempt).collect();
            if !attempts.iter().any(Vec::is_empty) {
                found.push(at.invalid("", format!("\"{path}\" must validate at least one schema (anyOf)")));
                found.extend(attempts.into_iter().min_by_key(Vec::len).unwrap_or_default());
            }
        }
        if !node.checks.one_of.is_empty() {
            let attempts: Vec<_> = node.checks.one_of.iter().map(attempt).collect();
            let right = attempts.iter().filter(|wrong| wrong.is_empty()).count();
            if right == 0 {
                found.push(at.invalid("", format!("\"{path}\" must validate one and only one schema (oneOf). Found none valid")));
                found.extend(attempts.into_iter().min_by_key(Vec::len).unwrap_or_default());
            } else if right > 1 {
                let detail = format!("\"{path}\" must validate one and only one schema (oneOf). Found {right} valid alternatives");
                found.push(at.invalid("", detail));
            }
        }
        if let Some(not) = &node.checks.not
            && attempt(not).is_empty()
        {
            found.push(at.invalid("", format!("\"{path}\" must not validate the schema (not)")));
        }
    }
}

/// The element of the old list that `value` replaces; only lists with keys have one.
pub(crate) fn counterpart<'a>(list: &List, value: &Value, old: &'a Value) -> Option<&'a Value> {
    let List::Map(keys) = list else { return None };
    old.as_array()?.iter().find(|candidate| keys.iter().all(|key| candidate.get(key) == value.get(key)))
}

fn is_of(kind: Type, value: &Value) -> bool {
    match kind {
        Type::Any => true,
        Type::Object => value.is_object(),
        Type::Array => value.is_array(),
        Type::String => value.is_string(),
        Type::Boolean => value.is_boolean(),
        Type::Number => value.is_number(),
        Type::Integer => is_whole(value),
        Type::IntOrString => value.is_string() || is_whole(value),
    }
}

fn is_whole(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0),
        _ => false,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_whole(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wrong_type(kind: Type, value: &Value, path: &Path<'_>) -> Violation {
    let wanted = if kind == Type::IntOrString { "integer,string" } else { kind.name() };
    let actual = type_of(value);
    path.type_invalid(actual, format!("{path} in body must be of type {wanted}: \"{actual}\""))
}

fn check_value(checks: &Checks, kind: Type, value: &Value, path: &Path<'_>, found: &mut Vec<Violation>) {
    if let Some(supported) = &checks.one_of_values
        && !supported.contains(value)
    {
        let names: Vec<String> = supported.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
        found.push(path.not_supported(value.clone(), &names.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    match value {
        Value::String(text) => check_string(checks, kind, text, path, found),
        Value::Number(number) => check_number(checks, number, path, found),
        _ => {}
    }
}

fn check_string(checks: &Checks, kind: Type, text: &str, path: &Path<'_>, found: &mut Vec<Violation>) {
    let length = if checks.length == (None, None) { 0 } else { text.chars().count() };
    // The first of these that is wrong is all that is said.
    if let Some(most) = above(checks.length.1, length) {
        found.push(path.too_long(most));
    } else if let Some(least) = below(checks.length.0, length) {
        found.push(path.invalid(text, format!("{path} in body should be at least {least} chars long")));
    } else if let Some(pattern) = &checks.pattern
        && !pattern.is_match(text)
    {
        found.push(path.invalid(text, format!("{path} in body should match '{pattern}'")));
    }
    if let Some(name) = &checks.format
        && kind != Type::IntOrString
        && !format::accepts(name, text)
    {
        let shown = crate::violation::quoted(text);
        found.push(path.type_invalid(text, format!("{path} in body must be of type {name}: {shown}")));
    }
}

fn check_number(checks: &Checks, number: &serde_json::Number, path: &Path<'_>, found: &mut Vec<Violation>) {
    let shown = || Value::Number(number.clone());
    let value = number.as_f64().unwrap_or(f64::NAN);
    if let Some(Bound { value: least, exclusive }) = checks.minimum
        && (value < least || exclusive && value <= least)
    {
        let relation = if exclusive { "greater than" } else { "greater than or equal to" };
        found.push(path.invalid(shown(), format!("{path} in body should be {relation} {least}")));
    }
    if let Some(Bound { value: most, exclusive }) = checks.maximum
        && (value > most || exclusive && value >= most)
    {
        let relation = if exclusive { "less than" } else { "less than or equal to" };
        found.push(path.invalid(shown(), format!("{path} in body should be {relation} {most}")));
    }
    if let Some(factor) = checks.multiple_of
        && factor > 0.0
        && (value / factor).fract() != 0.0
    {
        found.push(path.invalid(shown(), format!("{path} in body should be a multiple of {factor}")));
    }
    if let Some(name) = &checks.format
        && !format::fits(name, number)
    {
        found.push(path.type_invalid(shown(), format!("{path} in body must be of type {name}: \"{number}\"")));
    }
}

fn check_unique(list: &List, items: &[Value], path: &Path<'_>, found: &mut Vec<Violation>) {
    let key_of = |value: &Value| match list {
        List::Atomic => None,
        List::Set => Some(value.clone()),
        List::Map(keys) => {
            let fields = value.as_object()?;
            Some(Value::Object(keys.iter().filter_map(|key| Some((key.clone(), fields.get(key)?.clone()))).collect()))
        }
    };
    if *list == List::Atomic {
        return;
    }
    let mut seen = std::collections::HashMap::new();
    for (index, item) in items.iter().enumerate() {
        match key_of(item) {
            Some(key) => {
                let count = seen.entry(key.to_string()).or_insert(0_usize);
                *count += 1;
                // Said once for each key, however often it stands there.
                if *count == 2 {
                    found.push(path.index(index).duplicate(key));
                }
            }
            None if item.is_null() => {}
            None => found.push(path.index(index).invalid(item.clone(), "must be an object for an array of list-type map")),
        }
    }
}

fn check_embedded(fields: &Map<String, Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or("");
    match (text("apiVersion"), path.child("apiVersion")) {
        ("", at) => found.push(at.required("")),
        (version, at) if version.matches('/').count() > 1 => {
            found.push(at.invalid(version, format!("unexpected GroupVersion string: {version}")));
        }
        _ => {}
    }
    let (kind, at) = (text("kind"), path.child("kind"));
    let wrong = name::dns_1035_label(&kind.to_lowercase());
    if kind.is_empty() {
        found.push(at.required(""));
    } else if !wrong.is_empty() {
        found.push(at.invalid(kind, format!("may have mixed case, but should otherwise match: {}", wrong.join(","))));
    }
}

fn below(bound: Option<u64>, count: usize) -> Option<u64> {
    bound.filter(|bound| (count as u64) < *bound)
}

fn above(bound: Option<u64>, count: usize) -> Option<usize> {
    bound.filter(|bound| count as u64 > *bound).map(|bound| usize::try_from(bound).unwrap_or(usize::MAX))
}
