//! What `subresources.scale` of a definition reads of an object: counts and a selector, which must be such wherever the schema lets anything be.

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::path::Path;
use crate::violation::Violation;

/// Places as a definition writes them: `.spec.replicas`.
#[derive(Debug)]
pub(crate) struct Scale {
    counts: Vec<String>,
    selector: Option<String>,
}

// === impl Scale ===

impl Scale {
    /// Reads `subresources.scale` of one version of a CustomResourceDefinition.
    pub fn read(scale: &Value) -> Self {
        let at = |field: &str| scale[field].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        Self { counts: ["specReplicasPath", "statusReplicasPath"].into_iter().filter_map(at).collect(), selector: at("labelSelectorPath") }
    }

    pub fn check(&self, object: &Value, found: &mut Vec<Violation>) {
        let counts = self.counts.iter().map(|at| (at, count(object, at)));
        let selector = self.selector.iter().map(|at| (at, text(object, at)));
        for (at, wrong) in counts.chain(selector) {
            if let Err((value, detail)) = wrong {
                found.push(Path::new(at).invalid(value, detail));
            }
        }
    }
}

/// What is said to be there, and why it is wrong.
type Wrong = (Value, String);

fn count(object: &Value, at: &str) -> Result<(), Wrong> {
    let Some(found) = place(object, at).map_err(|detail| (0.into(), detail))? else { return Ok(()) };
    match found.as_i64() {
        None => Err((0.into(), mistaken(at, found, "int64"))),
        Some(..0) => Err((found.clone(), "should be a non-negative integer".into())),
        Some(number) if number > i32::MAX.into() => Err((found.clone(), format!("should be less than or equal to {}", i32::MAX))),
        Some(_) => Ok(()),
    }
}

fn text(object: &Value, at: &str) -> Result<(), Wrong> {
    match place(object, at).map_err(|detail| ("".into(), detail))? {
        None | Some(Value::String(_)) => Ok(()),
        Some(other) => Err(("".into(), mistaken(at, other, "string"))),
    }
}

/// What is there, if anything; not what has something else than an object in its way.
fn place<'a>(object: &'a Value, at: &str) -> Result<Option<&'a Value>, String> {
    let mut found = object;
    let mut length = 0;
    for step in at.trim_start_matches('.').split('.') {
        length += 1 + step.len();
        let next = match found {
            Value::Null => None,
            Value::Object(fields) => fields.get(step),
            // Go names the place that is not reached.
            other => return Err(mistaken(at.get(..length).unwrap_or(at), other, "map[string]interface{}")),
        };
        let Some(next) = next else { return Ok(None) };
        found = next;
    }
    Ok(Some(found))
}

/// In Go's words: `at` is not what a function was to find there.
fn mistaken(at: &str, found: &Value, expected: &str) -> String {
    let kind = match found {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    format!("{at} accessor error: {} is of the type {kind}, expected {expected}", Printed(found))
}

/// A value in Go's `%v`.
struct Printed<'a>(&'a Value);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("<nil>"),
            Value::Bool(it) => it.fmt(f),
            Value::Number(it) => match it.as_i64() {
                Some(whole) => whole.fmt(f),
                None => f.write_str(&float(it.as_f64().unwrap_or_default())),
            },
            Value::String(it) => f.write_str(it),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|it| Printed(it).to_string()).collect();
                write!(f, "[{}]", items.join(" "))
            }
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| *name);
                let fields: Vec<String> = fields.into_iter().map(|(name, it)| format!("{name}:{}", Printed(it))).collect();
                write!(f, "map[{}]", fields.join(" "))
            }
        }
    }
}

/// As few digits as say it, with an exponent from 10⁶ on and below 10⁻⁴.
fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e').and_then(|(digits, it)| Some((digits, it.parse::<i32>().ok()?))) else {
        return scientific;
    };
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let mut out = digits.to_owned();
    let _ = write!(out, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The answers of a kube-apiserver of 1.36.
    #[test]
    fn what_is_no_count_and_no_selector_is_told_as_kubernetes_does() {
        let scale = Scale::read(
            &json!({ "specReplicasPath": ".spec.a.size", "statusReplicasPath": ".status.b.size", "labelSelectorPath": ".status.sel" }),
        );
        let said = |object: Value| {
            let mut found = Vec::new();
            scale.check(&object, &mut found);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let size = |value: Value| said(json!({ "spec": { "a": { "size": value } } }));
        for fine in [json!({}), json!({ "spec": null }), json!({ "spec": {} }), json!({ "spec": { "a": null } })] {
            assert_eq!(said(fine.clone()), [""; 0], "{fine}");
        }
        assert_eq!(size(json!(0)), [""; 0]);
        assert_eq!(size(json!(i32::MAX)), [""; 0]);
        let is = |what: &str| [format!(".spec.a.size: Invalid value: {what}")];
        assert_eq!(size(json!(-1)), is("-1: should be a non-negative integer"));
        assert_eq!(size(json!(i64::MAX)), is("9223372036854775807: should be less than or equal to 2147483647"));
        let of_type = |value: Value, printed: &str| {
            assert_eq!(size(value), is(&format!("0: .spec.a.size accessor error: {printed}, expected int64")));
        };
        of_type(json!(null), "<nil> is of the type <nil>");
        of_type(json!(true), "true is of the type bool");
        of_type(json!("x\"y\n"), "x\"y\n is of the type string");
        of_type(
            json!({ "b": [1, "x", null, 1.5, true], "a": {} }),
            "map[a:map[] b:[1 x <nil> 1.5 true]] is of the type map[string]interface {}",
        );
        for (number, printed) in [
            (1.0, "1"),
            (1000.0, "1000"),
            (-1.5, "-1.5"),
            (1e20, "1e+20"),
            (1_000_000.5, "1.0000005e+06"),
            (123_456_789.25, "1.2345678925e+08"),
            (1.8446744073709552e19, "1.8446744073709552e+19"),
            (1e-5, "1e-05"),
        ] {
            of_type(json!(number), &format!("{printed} is of the type float64"));
        }
        of_type(json!(u64::MAX), "1.8446744073709552e+19 is of the type float64");
        assert_eq!(
            said(json!({ "spec": [1] })),
            is("0: .spec.a accessor error: [1] is of the type []interface {}, expected map[string]interface{}")
        );
        assert_eq!(
            said(json!({ "status": { "sel": 1, "b": "x" } })),
            [
                ".status.b.size: Invalid value: 0: .status.b.size accessor error: x is of the type string, expected map[string]interface{}",
                ".status.sel: Invalid value: \"\": .status.sel accessor error: 1 is of the type int64, expected string"
            ]
        );
    }
}
