//! Kubernetes' protobuf, which client-go prefers for built-in kinds: bodies are read, and answers and watches written in it for who asks.
//!
//! Straight from and to JSON, by a table of field numbers, `protobuf/messages.txt`. A line is a message and its fields,
//! `number:name:type`. Types are one letter (text, integer, boolean, double, bytes as base64, time, time with microseconds, integer or text
//! `x`, quantity, JSON `f`, list of texts `l`, and what may stand for a schema: `o` a boolean, `a` a list of schemas, `e` a list of names) or
//! another message; `*` is a list, `%` a map by text, `!` a field that Go writes when it is zero, and a name `+` a message whose fields are its
//! parent's.
//!
//! ```text
//! body ─► magic, envelope ─► message ─► JSON      JSON ─► message ─► envelope, magic ─► answer, or frame of a watch
//! ```
//!
//! **Invariant:** what is cut or damaged is 400; how deep and how large it is, is bounded.

mod messages;
mod write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use self::messages::Shape;
pub(crate) use self::write::{Unfit, encode, encode_list, frame};
use crate::failure::Failure;

pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// The media type of a watch.
pub(crate) const STREAM: &str = "application/vnd.kubernetes.protobuf;stream=watch";
const MAGIC: &[u8] = b"k8s\0";
/// How deep messages may lie in one another: schemas of definitions are the deepest.
const DEPTH: usize = 64;
const SCHEMA: &str = "apiextensions.JSONSchemaProps";

/// Reads a body: the magic, and an envelope that names the kind.
pub(crate) fn decode(bytes: &[u8], accepted: &str) -> Result<Value, Failure> {
    let broken = |what: &str| Failure::bad_request(format!("the protobuf body cannot be read: {what}"));
    let bytes = bytes.strip_prefix(MAGIC).ok_or_else(|| broken("it does not begin with k8s\\0"))?;
    let envelope = Envelope::read(bytes).ok_or_else(|| broken("its envelope is cut or damaged"))?;
    let name = message_name(&envelope.api_version, &envelope.kind);
    if messages::find(&name).is_none() || !envelope.encoding.is_empty() {
        return Err(Failure::unsupported_media(accepted));
    }
    let fields = read_message(&name, envelope.raw, 0).ok_or_else(|| broken(&format!("{name} is cut or damaged")))?;
    let mut object = json!({ "apiVersion": envelope.api_version, "kind": envelope.kind });
    if let Value::Object(map) = &mut object {
        map.extend(fields);
    }
    Ok(object)
}

#[derive(Default)]
struct Envelope<'a> {
    api_version: String,
    kind: String,
    raw: &'a [u8],
    encoding: String,
}

impl<'a> Envelope<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut envelope = Self::default();
        for (number, wire) in fields(bytes)? {
            match number {
                1 => {
                    for (number, wire) in fields(wire.bytes()?)? {
                        match number {
                            1 => envelope.api_version = wire.text()?,
                            2 => envelope.kind = wire.text()?,
                            _ => {}
                        }
                    }
                }
                2 => envelope.raw = wire.bytes()?,
                3 => envelope.encoding = wire.text()?,
                _ => {}
            }
        }
        Some(envelope)
    }
}

/// `networking.Ingress` of `networking.k8s.io/v1`, `Ingress`. Options and statuses are of every group.
fn message_name(api_version: &str, kind: &str) -> String {
    let group = match api_version.split_once('/') {
        _ if matches!(kind, "DeleteOptions" | "Status") => "meta",
        Some((group, "v1")) => group.split('.').next().unwrap_or(""),
        None if api_version == "v1" => "core",
        _ => "",
    };
    format!("{group}.{kind}")
}

#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }

    fn text(self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn integer(self) -> Option<i64> {
        match self {
            // Negative numbers are sent as the two's complement of 64 bits.
            Self::Number(number) => Some(number.cast_signed()),
            Self::Bytes(_) => None,
        }
    }
}

/// The fields of a message as they come; `None` when it is cut or damaged.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let wire = match tag & 7 {
            0 => Wire::Number(varint(&mut bytes)?),
            1 => Wire::Bytes(take(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Wire::Bytes(take(&mut bytes, length)?)
            }
            5 => Wire::Bytes(take(&mut bytes, 4)?),
            _ => return None,
        };
        fields.push((tag >> 3, wire));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn read_message(name: &str, bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    let known = messages::find(name).filter(|_| depth < DEPTH)?;
    let mut map = Map::new();
    for (number, wire) in fields(bytes)? {
        // A field of a newer version than this table: the schema would prune it too.
        let Some(field) = known.field(number) else { continue };
        match field.shape {
            Shape::Spread => map.extend(read_message(field.kind, wire.bytes()?, depth + 1)?),
            Shape::One => {
                let value = read_value(field.kind, wire, depth)?;
                if !value.is_null() && (field.kept || !is_zero(&value)) {
                    map.insert(field.name.into(), value);
                }
            }
            Shape::List => {
                let list = map.entry(field.name).or_insert_with(|| json!([]));
                list.as_array_mut()?.push(read_value(field.kind, wire, depth)?);
            }
            Shape::Map => {
                let (key, value) = read_entry(field.kind, wire.bytes()?, depth)?;
                let entries = map.entry(field.name).or_insert_with(|| json!({}));
                entries.as_object_mut()?.insert(key, value);
            }
        }
    }
    Some(map)
}

fn read_entry(kind: &str, bytes: &[u8], depth: usize) -> Option<(String, Value)> {
    let (mut key, mut value) = (String::new(), Wire::Bytes(&[]));
    for (number, wire) in fields(bytes)? {
        match number {
            1 => key = wire.text()?,
            2 => value = wire,
            _ => {}
        }
    }
    Some((key, read_value(kind, value, depth)?))
}

fn read_value(kind: &str, wire: Wire<'_>, depth: usize) -> Option<Value> {
    Some(match kind {
        "s" => wire.text()?.into(),
        "i" => wire.integer()?.into(),
        "b" => (wire.integer()? != 0).into(),
        "y" => STANDARD.encode(wire.bytes()?).into(),
        "t" => time(wire.bytes()?, "%Y-%m-%dT%H:%M:%SZ")?,
        "m" => time(wire.bytes()?, "%Y-%m-%dT%H:%M:%S%.6fZ")?,
        "x" => int_or_string(wire.bytes()?)?,
        "q" => match fields(wire.bytes()?)?.first() {
            Some((1, text)) => text.text()?.into(),
            _ => "0".into(),
        },
        "f" => match fields(wire.bytes()?)?.first() {
            Some((1, raw)) => serde_json::from_slice(raw.bytes()?).ok()?,
            _ => json!({}),
        },
        "d" => double(wire.bytes()?)?,
        "l" => fields(wire.bytes()?)?.into_iter().map(|(_, one)| one.text().map(Value::String)).collect::<Option<_>>()?,
        "o" | "a" | "e" => schema_or(kind, wire.bytes()?, depth)?,
        name => Value::Object(read_message(name, wire.bytes()?, depth + 1)?),
    })
}

fn double(bytes: &[u8]) -> Option<Value> {
    let number = f64::from_le_bytes(bytes.try_into().ok()?);
    // Go writes a whole number without a point.
    let whole = number.fract() == 0.0 && number.abs() < 9e15;
    if whole { Some((number as i64).into()) } else { serde_json::Number::from_f64(number).map(Value::Number) }
}

/// A schema, or what else may stand in its place: a boolean, a list of schemas, a list of names.
fn schema_or(kind: &str, bytes: &[u8], depth: usize) -> Option<Value> {
    let (mut allows, mut schema, mut list) = (false, None, Vec::new());
    for (number, wire) in fields(bytes)? {
        match (kind, number) {
            ("o", 1) => allows = wire.integer()? != 0,
            ("o", 2) | (_, 1) => schema = Some(read_value(SCHEMA, wire, depth)?),
            ("a", 2) => list.push(read_value(SCHEMA, wire, depth)?),
            ("e", 2) => list.push(read_value("s", wire, depth)?),
            _ => {}
        }
    }
    Some(schema.unwrap_or(if kind == "o" { allows.into() } else { list.into() }))
}

/// The zero time is `null`.
fn time(bytes: &[u8], format: &str) -> Option<Value> {
    let (mut seconds, mut nanos) = (0, 0);
    for (number, wire) in fields(bytes)? {
        match number {
            1 => seconds = wire.integer()?,
            2 => nanos = i32::try_from(wire.integer()?).ok()?,
            _ => {}
        }
    }
    if (seconds, nanos) == (0, 0) {
        return Some(Value::Null);
    }
    let stamp = jiff::Timestamp::new(seconds, nanos).ok()?;
    Some(stamp.strftime(format).to_string().into())
}

fn int_or_string(bytes: &[u8]) -> Option<Value> {
    let (mut kind, mut number, mut text) = (0, 0, String::new());
    for (field, wire) in fields(bytes)? {
        match field {
            1 => kind = wire.integer()?,
            2 => number = wire.integer()?,
            3 => text = wire.text()?,
            _ => {}
        }
    }
    Some(if kind == 0 { number.into() } else { text.into() })
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests;
