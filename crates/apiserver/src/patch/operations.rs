//! JSON patches (RFC 6902), where it leaves room and in what it leaves out as Kubernetes reads them.
//!
//! **Invariant:** what all copies of one patch add stays within [`COPIED`]: a few that copy a whole into its own part would fill memory.
//! **Invariant:** no step makes an object deeper than a body may be: who walks through it does so on a stack.

use serde_json::{Map, Value};

use crate::body;

/// Octets that a patch may copy.
const COPIED: usize = body::LIMIT;

/// One step. What is not known, or lacks something, is found out when it is its turn.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    what: String,
    path: String,
    from: String,
    value: Value,
}

// === impl Operation ===

impl Operation {
    pub(super) fn read(value: &Map<String, Value>) -> Self {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
        Self { what: text("op"), path: text("path"), from: text("from"), value: value.get("value").cloned().unwrap_or_default() }
    }
}

/// Changes `object` step by step.
///
/// # Errors
/// Which step could not be done, and why; `object` is then of no use.
pub(super) fn apply(object: &mut Value, operations: &[Operation]) -> Result<(), String> {
    let mut copied = 0;
    for (at, operation) in operations.iter().enumerate() {
        step(object, operation, &mut copied).map_err(|why| format!("operation {at} ({} of {}): {why}", operation.what, operation.path))?;
    }
    Ok(())
}

fn step(object: &mut Value, operation: &Operation, copied: &mut usize) -> Result<(), String> {
    let Operation { what, path, from, value } = operation;
    match what.as_str() {
        "add" => add(object, path, value.clone()),
        "replace" => replace(object, path, value.clone()),
        "remove" => remove(object, path).map(drop),
        "move" => {
            let value = remove(object, from)?;
            add(object, path, value)
        }
        "copy" => {
            let value = object.pointer(from).cloned().unwrap_or_default();
            *copied += value.to_string().len();
            if *copied > COPIED {
                return Err(format!("the copies of a patch may have {COPIED} octets together"));
            }
            add(object, path, value)
        }
        "test" => match object.pointer(path).unwrap_or(&Value::Null) {
            found if same(found, value) => Ok(()),
            _ => Err("there is another value".into()),
        },
        _ => Err("there is no such operation".into()),
    }
}

/// Where the last step of a path leads to: what holds it, and its name there.
fn place<'a>(object: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (parent, last) = path.strip_prefix('/').and(path.rsplit_once('/')).ok_or("the path must begin with a slash")?;
    let holder = object.pointer_mut(parent).ok_or("there is nothing to hold it")?;
    Ok((holder, last.replace("~1", "/").replace("~0", "~")))
}

fn index(text: &str, length: usize) -> Result<usize, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let at = text.parse().ok().filter(|_| plain).ok_or("a place in a list is a number")?;
    if at < length { Ok(at) } else { Err("the list is not that long".into()) }
}

fn check_depth(path: &str, value: &Value) -> Result<(), String> {
    let depth = path.matches('/').count() + depth(value);
    if depth > body::DEPTH { Err(format!("it would be nested deeper than {}", body::DEPTH)) } else { Ok(()) }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn add(object: &mut Value, path: &str, value: Value) -> Result<(), String> {
    check_depth(path, &value)?;
    match place(object, path)? {
        (Value::Object(map), name) => drop(map.insert(name, value)),
        (Value::Array(list), name) if name == "-" => list.push(value),
        (Value::Array(list), name) => {
            let at = index(&name, list.len() + 1)?;
            list.insert(at, value);
        }
        _ => return Err("there is nothing to hold it".into()),
    }
    Ok(())
}

/// As Kubernetes does it, a field that is not there is added.
fn replace(object: &mut Value, path: &str, value: Value) -> Result<(), String> {
    check_depth(path, &value)?;
    match place(object, path)? {
        (Value::Object(map), name) => drop(map.insert(name, value)),
        (Value::Array(list), name) => {
            let at = index(&name, list.len())?;
            list[at] = value;
        }
        _ => return Err("there is nothing to hold it".into()),
    }
    Ok(())
}

fn remove(object: &mut Value, path: &str) -> Result<Value, String> {
    match place(object, path)? {
        (Value::Object(map), name) => map.shift_remove(&name).ok_or_else(|| "there is nothing".into()),
        (Value::Array(list), name) => {
            let at = index(&name, list.len())?;
            Ok(list.remove(at))
        }
        _ => Err("there is nothing".into()),
    }
}

/// Numbers are compared by what they say: `1` is `1.0`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b)),
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, value)| other.get(key).is_some_and(|there| same(value, there)))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(operations: Value) -> Result<Value, String> {
        let mut object = json!({ "a": { "b/c": 1 }, "l": [1, 2] });
        let operations: Vec<Operation> =
            operations.as_array().expect("a list").iter().map(|one| Operation::read(one.as_object().expect("an object"))).collect();
        apply(&mut object, &operations).map(|()| object)
    }

    #[test]
    fn every_operation() {
        for (operation, expect) in [
            (json!({ "op": "add", "path": "/a/x", "value": 2 }), json!({ "a": { "b/c": 1, "x": 2 }, "l": [1, 2] })),
            (json!({ "op": "add", "path": "/l/-", "value": 3 }), json!({ "a": { "b/c": 1 }, "l": [1, 2, 3] })),
            (json!({ "op": "add", "path": "/l/0", "value": 3 }), json!({ "a": { "b/c": 1 }, "l": [3, 1, 2] })),
            (json!({ "op": "replace", "path": "/a/b~1c", "value": 3 }), json!({ "a": { "b/c": 3 }, "l": [1, 2] })),
            (json!({ "op": "replace", "path": "/a/none", "value": 3 }), json!({ "a": { "b/c": 1, "none": 3 }, "l": [1, 2] })),
            (json!({ "op": "remove", "path": "/l/0" }), json!({ "a": { "b/c": 1 }, "l": [2] })),
            (json!({ "op": "move", "from": "/l", "path": "/a/l" }), json!({ "a": { "b/c": 1, "l": [1, 2] } })),
            (json!({ "op": "copy", "from": "/l/1", "path": "/x" }), json!({ "a": { "b/c": 1 }, "l": [1, 2], "x": 2 })),
            (json!({ "op": "test", "path": "/l", "value": [1.0, 2] }), json!({ "a": { "b/c": 1 }, "l": [1, 2] })),
        ] {
            assert_eq!(patched(json!([operation.clone()])), Ok(expect), "{operation}");
        }
        for (op, path) in [
            ("add", "/l/3"),
            ("add", "/l/01"),
            ("add", "/l/-1"),
            ("add", "/x/y"),
            ("add", ""),
            ("add", "a"),
            ("remove", "/x"),
            ("remove", "/l/2"),
            ("test", "/x"),
            ("jump", "/a"),
        ] {
            assert!(patched(json!([{ "op": op, "path": path, "value": 1 }])).is_err(), "{op} {path}");
        }
    }

    #[test]
    fn copies_do_not_fill_memory() {
        let doubling = |at: usize| json!({ "op": "copy", "from": "/l", "path": format!("/a/{at}") });
        let back = json!({ "op": "copy", "from": "/a", "path": "/l/-" });
        let all = (0..30).flat_map(|at| [doubling(at), back.clone()]).collect();
        let error = patched(all).expect_err("refused");
        assert!(error.contains("octets together"), "{error}");
    }

    #[test]
    fn no_step_makes_an_object_too_deep() {
        let deeper = json!({ "op": "copy", "from": "/a", "path": "/a/a" });
        assert!(patched(Value::Array(vec![deeper.clone(); 90])).is_ok());
        assert!(patched(Value::Array(vec![deeper; 110])).expect_err("refused").contains("deeper"));
        let add = |at: usize| json!({ "op": "add", "path": format!("/a{}", "/x".repeat(at + 1)), "value": { "x": {} } });
        assert!(patched((0..200).map(add).collect()).expect_err("refused").contains("deeper"));
    }
}
