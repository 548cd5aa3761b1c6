//! Strategic merge patch: a merge patch in which lists merge by key where the schema says so, with directives.
//!
//! Behaviour: `k8s.io/apimachinery/pkg/util/strategicpatch`.

use std::cmp::Ordering;

use schema::Cursor;
use serde_json::{Map, Value};

use crate::object::empty;

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_VALUES: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Merges `patch` into `object`.
///
/// # Errors
/// A sentence about a directive that cannot be followed.
pub(crate) fn merge(object: &mut Value, patch: &Value, schema: Cursor<'_>) -> Result<(), String> {
    let Value::Object(patch) = patch else { return Err("the patch must be an object".into()) };
    merge_map(object, patch, Some(schema))
}

fn merge_map(object: &mut Value, patch: &Map<String, Value>, schema: Option<Cursor<'_>>) -> Result<(), String> {
    match patch.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or("")) {
        None | Some("merge") => {}
        Some("replace") => {
            *object = plain(&Value::Object(patch.clone()));
            return Ok(());
        }
        Some("delete") => {
            *object = empty();
            return Ok(());
        }
        Some(other) => return Err(format!("invalid value for directive {DIRECTIVE}: {other:?}")),
    }
    if !object.is_object() {
        *object = empty();
    }
    let Value::Object(map) = object else { return Ok(()) };
    retain(map, patch)?;
    delete_values(map, patch)?;
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let below = schema.and_then(|schema| schema.property(key));
        let order = patch.get(&format!("{ORDER}{key}")).and_then(Value::as_array);
        merge_field(map, key, value, below, order)?;
    }
    for (key, order) in patch.iter().filter_map(|(key, order)| Some((key.strip_prefix(ORDER)?, order))) {
        // The list itself is not patched, only its order.
        if !patch.contains_key(key)
            && let (Some(Value::Array(list)), Value::Array(order)) = (map.get_mut(key), order)
        {
            let merge_key = schema.and_then(|schema| schema.property(key)).and_then(merge_key);
            let before = list.clone();
            sort(list, &before, order, merge_key.as_deref());
        }
    }
    Ok(())
}

fn merge_field(
    map: &mut Map<String, Value>,
    key: &str,
    value: &Value,
    schema: Option<Cursor<'_>>,
    order: Option<&Vec<Value>>,
) -> Result<(), String> {
    let strategy = schema.and_then(Cursor::patch).map_or("", |patch| patch.strategy.as_str());
    let merges_list = strategy.split(',').any(|one| one == "merge");
    match (map.get_mut(key), value) {
        (_, Value::Null) => {
            map.shift_remove(key);
        }
        (Some(Value::Array(list)), Value::Array(patch)) if merges_list => {
            let before = list.clone();
            let merge_key = schema.and_then(merge_key);
            match &merge_key {
                Some(merge_key) => merge_objects(list, patch, merge_key, schema.and_then(Cursor::items))?,
                None => merge_values(list, patch),
            }
            // Without an order of its own, the patch is one.
            sort(list, &before, order.map_or(patch, Vec::as_slice), merge_key.as_deref());
        }
        (Some(object @ Value::Object(_)), Value::Object(patch)) if strategy != "replace" => {
            merge_map(object, patch, schema)?;
        }
        (_, Value::Object(patch)) if patch.get(DIRECTIVE).is_some_and(|directive| directive == "delete") => {
            map.shift_remove(key);
        }
        (_, value) => {
            map.insert(key.to_owned(), plain(value));
        }
    }
    Ok(())
}

fn merge_key(schema: Cursor<'_>) -> Option<String> {
    schema.patch().and_then(|patch| patch.merge_key.clone())
}

/// Keeps only the keys that the patch lists.
fn retain(map: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), String> {
    match patch.get(RETAIN) {
        None => Ok(()),
        Some(Value::Array(keys)) => {
            map.retain(|key, _| keys.iter().any(|kept| kept == key));
            Ok(())
        }
        Some(_) => Err(format!("{RETAIN} must be a list of strings")),
    }
}

fn delete_values(map: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), String> {
    for (key, gone) in patch.iter().filter_map(|(key, gone)| Some((key.strip_prefix(DELETE_VALUES)?, gone))) {
        let Value::Array(gone) = gone else { return Err(format!("{DELETE_VALUES}{key} must be a list")) };
        if let Some(Value::Array(list)) = map.get_mut(key) {
            list.retain(|value| !gone.contains(value));
        }
    }
    Ok(())
}

/// A list of values is a set.
fn merge_values(list: &mut Vec<Value>, patch: &[Value]) {
    for value in patch {
        if !list.contains(value) {
            list.push(value.clone());
        }
    }
}

fn merge_objects(list: &mut Vec<Value>, patch: &[Value], merge_key: &str, schema: Option<Cursor<'_>>) -> Result<(), String> {
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).unwrap_or("").to_owned();
    if patch.iter().any(|item| directive(item) == "replace") {
        *list = patch.iter().filter(|item| directive(item) != "replace").map(plain).collect();
        return Ok(());
    }
    for item in patch {
        let Value::Object(fields) = item else { return Err("a list that merges by key holds objects only".into()) };
        let key = fields.get(merge_key);
        let key = key.ok_or_else(|| format!("map: {item} does not contain declared merge key: {merge_key}"))?;
        let same = |other: &Value| other.get(merge_key) == Some(key);
        if directive(item) == "delete" {
            list.retain(|other| !same(other));
        } else if let Some(old) = list.iter_mut().find(|other| same(other)) {
            merge_map(old, fields, schema)?;
        } else {
            list.push(plain(item));
        }
    }
    Ok(())
}

/// Brings the elements that `order` names into that order; the others keep their places among them.
fn sort(list: &mut Vec<Value>, before: &[Value], order: &[Value], merge_key: Option<&str>) {
    let id = |value: &Value| merge_key.map_or_else(|| Some(value.clone()), |key| value.get(key).cloned());
    let place = |value: &Value| order.iter().position(|wanted| id(wanted) == id(value));
    let was = |value: &Value| before.iter().position(|old| id(old) == id(value));
    let (mut named, rest): (Vec<Value>, Vec<Value>) = std::mem::take(list).into_iter().partition(|v| place(v).is_some());
    named.sort_by_key(place);
    let (mut named, mut rest) = (named.into_iter().peekable(), rest.into_iter().peekable());
    while let (Some(a), Some(b)) = (named.peek(), rest.peek()) {
        let first = match (was(a), was(b)) {
            (Some(a), Some(b)) => b.cmp(&a),
            _ => Ordering::Greater,
        };
        list.extend(if first == Ordering::Greater { named.next() } else { rest.next() });
    }
    list.extend(named);
    list.extend(rest);
}

/// The value without directives, and without nulls, which mean deletion.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, value)| !key.starts_with('$') && !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::Array(list) => {
            let gone = |item: &&Value| item.get(DIRECTIVE).is_none_or(|directive| directive != "delete");
            Value::Array(list.iter().filter(gone).map(plain).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
