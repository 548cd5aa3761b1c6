//! Request bodies in Kubernetes' protobuf, which `kubectl create` and controllers send for built-in kinds.
//!
//! Only read, never written: every client that sends it also accepts JSON. Read straight into JSON, by a table of field
//! numbers, `protobuf/messages.txt`. A line is a message and its fields, `number:name:type`; the types are one letter
//! or another message; `*` is a list, `%` a map by text, `+` a message whose fields are its parent's, and `!` a field
//! that is kept when it is zero.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
const MAGIC: &[u8] = b"k8s\0";
/// How deep messages may lie in one another; the deepest of ours is 8.
const DEPTH: usize = 16;

type Messages = HashMap<&'static str, HashMap<u64, Field>>;

#[derive(Debug)]
struct Field {
    name: &'static str,
    shape: Shape,
    kind: &'static str,
    kept: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
}

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| include_str!("protobuf/messages.txt").lines().filter_map(message).collect());

fn message(line: &'static str) -> Option<(&'static str, HashMap<u64, Field>)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    Some((name, words.filter_map(field).collect()))
}

fn field(text: &'static str) -> Option<(u64, Field)> {
    let mut parts = text.split(':');
    let (number, name, kind) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
    let (kind, kept) = kind.strip_suffix('!').map_or((kind, false), |kind| (kind, true));
    let (shape, kind) = match kind.as_bytes() {
        [b'*', ..] => (Shape::List, &kind[1..]),
        [b'%', ..] => (Shape::Map, &kind[1..]),
        _ => (Shape::One, kind),
    };
    Some((number, Field { name, shape, kind, kept }))
}

/// Reads a body: the magic, and an envelope that names the kind.
pub(crate) fn decode(bytes: &[u8], accepted: &str) -> Result<Value, Failure> {
    let broken = |what: &str| Failure::bad_request(format!("the protobuf body cannot be read: {what}"));
    let bytes = bytes.strip_prefix(MAGIC).ok_or_else(|| broken("it does not begin with k8s\\0"))?;
    let envelope = Envelope::read(bytes).ok_or_else(|| broken("its envelope is cut or damaged"))?;
    let name = envelope.message();
    if !MESSAGES.contains_key(name.as_str()) || !envelope.encoding.is_empty() {
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

    /// `networking.Ingress` of `networking.k8s.io/v1`, `Ingress`.
    fn message(&self) -> String {
        let group = match self.api_version.split_once('/') {
            _ if self.kind == "DeleteOptions" => "meta",
            Some((group, "v1")) => group.split('.').next().unwrap_or(""),
            None if self.api_version == "v1" => "core",
            _ => "",
        };
        format!("{group}.{}", self.kind)
    }
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
    let known = MESSAGES.get(name).filter(|_| depth < DEPTH)?;
    let mut map = Map::new();
    for (number, wire) in fields(bytes)? {
        // A field of a newer version than this table: the schema would prune it too.
        let Some(field) = known.get(&number) else { continue };
        if field.name == "+" {
            map.extend(read_message(field.kind, wire.bytes()?, depth + 1)?);
            continue;
        }
        match field.shape {
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
        name => Value::Object(read_message(name, wire.bytes()?, depth + 1)?),
    })
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
mod tests {
    use super::*;

    fn length(bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![u8::try_from(bytes.len()).expect("short")];
        out.extend_from_slice(bytes);
        out
    }

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [vec![number << 3 | 2], length(bytes)].concat()
    }

    fn config_map() -> Vec<u8> {
        let meta = [field(1, b"a"), field(2, b"")].concat();
        let entry = [field(1, b"x"), field(2, b"y")].concat();
        let raw = [field(1, &meta), field(2, &entry), vec![4 << 3, 0]].concat();
        let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
        [MAGIC.to_vec(), field(1, &kind), field(2, &raw), field(3, b""), field(4, b"")].concat()
    }

    #[test]
    fn a_config_map_is_read_and_zero_values_are_left_out_where_go_leaves_them_out() {
        let value = decode(&config_map(), "").expect("a valid body");
        let expect = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "x": "y" }, "immutable": false,
        });
        assert_eq!(value, expect);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_answered() {
        let whole = config_map();
        for end in 0..whole.len() {
            let _ = decode(&whole[..end], "");
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[end] ^= 1 << bit;
                let _ = decode(&flipped, "");
            }
        }
    }

    #[test]
    fn every_message_that_a_field_names_is_there() {
        for (name, fields) in MESSAGES.iter() {
            for field in fields.values().filter(|field| field.kind.len() > 1) {
                assert!(MESSAGES.contains_key(field.kind), "{name}.{}: {}", field.name, field.kind);
            }
        }
    }

    #[test]
    fn all_built_in_kinds_but_definitions_can_be_read() {
        for kind in schema::builtin().kinds().iter().filter(|kind| kind.kind != "CustomResourceDefinition") {
            let envelope = Envelope { api_version: kind.api_version(), kind: kind.kind.into(), ..Envelope::default() };
            assert!(MESSAGES.contains_key(envelope.message().as_str()), "{}", kind.kind);
        }
    }
}
