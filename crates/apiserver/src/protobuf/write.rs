//! From JSON to protobuf.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::messages::{self, Field, Shape};
use super::{MAGIC, message_name};

/// A value that the table has no place for; it would be lost, so nothing is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit(String);

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be written as protobuf", self.0)
    }
}

type Fits = Result<(), Unfit>;

/// An object with the magic and its envelope.
pub(crate) fn encode(object: &Value) -> Result<Vec<u8>, Unfit> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let mut raw = Vec::new();
    write_message(&message_name(api_version, kind), object, &mut raw)?;
    Ok(envelope(api_version, kind, &raw))
}

/// A list, one object after the other: never are all of them there as values at once.
pub(crate) fn encode_list(api_version: &str, list_kind: &str, meta: &Value, items: impl Iterator<Item = Value>) -> Result<Vec<u8>, Unfit> {
    let name = message_name(api_version, list_kind);
    let item = messages::find(&name).and_then(|list| list.field(2)).ok_or(Unfit(name))?;
    let (mut raw, mut one) = (Vec::new(), Vec::new());
    write_message("meta.ListMeta", meta, &mut one)?;
    bytes(1, &one, &mut raw);
    for object in items {
        one.clear();
        write_message(item.kind, &object, &mut one)?;
        bytes(2, &one, &mut raw);
    }
    Ok(envelope(api_version, list_kind, &raw))
}

/// An event of a watch, with the length before it. `object` is an object as [`encode`] writes it.
pub(crate) fn frame(what: &str, object: &[u8]) -> Vec<u8> {
    let (mut raw, mut event) = (Vec::with_capacity(object.len() + 8), Vec::with_capacity(object.len() + 32));
    bytes(1, object, &mut raw);
    bytes(1, what.as_bytes(), &mut event);
    bytes(2, &raw, &mut event);
    // An object is far smaller than what the length can say.
    let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), &*event].concat()
}

fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let mut who = Vec::new();
    bytes(1, api_version.as_bytes(), &mut who);
    bytes(2, kind.as_bytes(), &mut who);
    let mut out = MAGIC.to_vec();
    bytes(1, &who, &mut out);
    bytes(2, raw, &mut out);
    bytes(3, b"", &mut out);
    bytes(4, b"", &mut out);
    out
}

fn write_message(name: &str, value: &Value, out: &mut Vec<u8>) -> Fits {
    let unfit = || Unfit(name.to_owned());
    let message = messages::find(name).ok_or_else(unfit)?;
    let map = value.as_object().ok_or_else(unfit)?;
    for (number, field) in message.fields() {
        if field.shape == Shape::Spread {
            let mut inner = Vec::new();
            write_message(field.kind, value, &mut inner)?;
            if !inner.is_empty() {
                bytes(number, &inner, out);
            }
        } else if let Some(value) = map.get(field.name).filter(|value| !value.is_null()) {
            write_field(number, field, value, out).map_err(|unfit| unfit.under(field.name))?;
        }
    }
    Ok(())
}

fn write_field(number: u64, field: &Field, value: &Value, out: &mut Vec<u8>) -> Fits {
    let unfit = || Unfit(String::new());
    match field.shape {
        Shape::List => {
            for one in value.as_array().ok_or_else(unfit)? {
                write_value(number, field.kind, one, out)?;
            }
            Ok(())
        }
        Shape::Map => {
            for (key, one) in sorted(value.as_object().ok_or_else(unfit)?) {
                let mut entry = Vec::new();
                bytes(1, key.as_bytes(), &mut entry);
                write_value(2, field.kind, one, &mut entry).map_err(|unfit| unfit.under(key))?;
                bytes(number, &entry, out);
            }
            Ok(())
        }
        Shape::One | Shape::Spread => write_value(number, field.kind, value, out),
    }
}

fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

fn write_value(number: u64, kind: &str, value: &Value, out: &mut Vec<u8>) -> Fits {
    let unfit = || Unfit(String::new());
    let text = || value.as_str().ok_or_else(unfit);
    match kind {
        "s" => bytes(number, text()?.as_bytes(), out),
        "i" => varint_field(number, integer(value).ok_or_else(unfit)?, out),
        "b" => varint_field(number, value.as_bool().ok_or_else(unfit)?.into(), out),
        "d" => double(number, value.as_f64().ok_or_else(unfit)?, out),
        "y" => bytes(number, &STANDARD.decode(text()?).map_err(|_| unfit())?, out),
        "t" | "m" => bytes(number, &time(text()?, kind).ok_or_else(unfit)?, out),
        "x" => bytes(number, &int_or_string(value).ok_or_else(unfit)?, out),
        "q" => inner(number, value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_bytes(), out),
        "f" => inner(number, value.to_string().as_bytes(), out),
        "l" => {
            let mut list = Vec::new();
            for one in value.as_array().ok_or_else(unfit)? {
                write_value(1, "s", one, &mut list)?;
            }
            bytes(number, &list, out);
        }
        "o" | "a" | "e" => bytes(number, &schema_or(kind, value)?, out),
        name => {
            let mut message = Vec::new();
            write_message(name, value, &mut message)?;
            bytes(number, &message, out);
        }
    }
    Ok(())
}

/// A schema, or what else may stand in its place.
fn schema_or(kind: &str, value: &Value) -> Result<Vec<u8>, Unfit> {
    let mut out = Vec::new();
    match (kind, value) {
        ("o", Value::Bool(allows)) => varint_field(1, i64::from(*allows), &mut out),
        ("o", _) => {
            varint_field(1, 1, &mut out);
            write_value(2, super::SCHEMA, value, &mut out)?;
        }
        ("a" | "e", Value::Array(list)) => {
            let kind = if kind == "a" { super::SCHEMA } else { "s" };
            for one in list {
                write_value(2, kind, one, &mut out)?;
            }
        }
        _ => write_value(1, super::SCHEMA, value, &mut out)?,
    }
    Ok(out)
}

fn integer(value: &Value) -> Option<i64> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_u64().map(u64::cast_signed)).or_else(|| value.as_f64().and_then(whole))
}

fn time(text: &str, kind: &str) -> Option<Vec<u8>> {
    let stamp: jiff::Timestamp = text.parse().ok()?;
    let (nanos, mut out) = (stamp.subsec_nanosecond(), Vec::new());
    varint_field(1, stamp.as_second(), &mut out);
    // A `Time` has whole seconds, a `MicroTime` microseconds.
    varint_field(2, if kind == "m" { i64::from(nanos / 1000 * 1000) } else { 0 }, &mut out);
    Some(out)
}

fn int_or_string(value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match value {
        Value::String(text) => {
            varint_field(1, 1, &mut out);
            varint_field(2, 0, &mut out);
            bytes(3, text.as_bytes(), &mut out);
        }
        number => {
            varint_field(1, 0, &mut out);
            varint_field(2, integer(number)?, &mut out);
            bytes(3, b"", &mut out);
        }
    }
    Some(out)
}

/// A message with one field.
fn inner(number: u64, content: &[u8], out: &mut Vec<u8>) {
    let mut message = Vec::with_capacity(content.len() + 4);
    bytes(1, content, &mut message);
    bytes(number, &message, out);
}

fn bytes(number: u64, content: &[u8], out: &mut Vec<u8>) {
    varint(number << 3 | 2, out);
    varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

fn varint_field(number: u64, value: i64, out: &mut Vec<u8>) {
    varint(number << 3, out);
    varint(value.cast_unsigned(), out);
}

fn double(number: u64, value: f64, out: &mut Vec<u8>) {
    varint(number << 3 | 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

// === impl Unfit ===

impl Unfit {
    fn under(self, step: &str) -> Self {
        if self.0.is_empty() { Self(step.to_owned()) } else { Self(format!("{step}.{}", self.0)) }
    }
}
