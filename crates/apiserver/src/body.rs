//! Reading request bodies: JSON, YAML or protobuf, within a limit, with keys that come twice noted.

use std::cell::RefCell;
use std::fmt;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::protobuf;

/// The largest body.
pub(crate) const LIMIT: usize = 3 << 20;
/// How deep values may lie in one another. What is stored is read back to a depth of 128, and the names of managed fields lie deeper
/// than the fields.
pub(crate) const DEPTH: usize = 100;

pub(crate) const OBJECT_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// A body as a value, and the places of keys that came twice (the last counts).
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) value: Value,
    pub(crate) duplicates: Vec<String>,
}

/// Reads the whole body.
pub(crate) async fn read<B>(body: B) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    read_within(body, LIMIT).await
}

/// Reads the whole body, if it is no longer than `limit`.
pub(crate) async fn read_within<B>(body: B, limit: usize) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::too_large(limit)),
        Err(error) => Err(Failure::bad_request(format!("the body could not be read: {error}"))),
    }
}

/// The media type without parameters, in lower case; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

pub(crate) fn parse(media_type: &str, bytes: &[u8]) -> Result<Parsed, Failure> {
    match media_type {
        "" | "application/json" | "*/*" => json(bytes),
        "application/yaml" | "application/x-yaml" | "text/yaml" => yaml(bytes),
        protobuf::MEDIA_TYPE => {
            let value = protobuf::decode(bytes, OBJECT_TYPES)?;
            Ok(Parsed { value, duplicates: Vec::new() })
        }
        _ => Err(Failure::unsupported_media(OBJECT_TYPES)),
    }
}

pub(crate) fn json(bytes: &[u8]) -> Result<Parsed, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let duplicates = RefCell::new(Vec::new());
    let seed = Strict { path: String::new(), depth: 0, duplicates: &duplicates };
    let value = seed.deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    let value = value.map_err(|error| Failure::bad_request(format!("couldn't get version/kind; json parse error: {error}")))?;
    Ok(Parsed { value, duplicates: duplicates.into_inner() })
}

pub(crate) fn yaml(bytes: &[u8]) -> Result<Parsed, Failure> {
    let broken = |error: &dyn fmt::Display| Failure::bad_request(format!("error converting YAML to JSON: yaml: {error}"));
    let text = std::str::from_utf8(bytes).map_err(|error| broken(&error))?;
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::PassThrough };
    let duplicates = RefCell::new(Vec::new());
    let seed = Strict { path: String::new(), depth: 0, duplicates: &duplicates };
    let value = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| seed.deserialize(deserializer));
    let value = value.map_err(|error| broken(&error))?;
    Ok(Parsed { value, duplicates: duplicates.into_inner() })
}

/// Makes a [`Value`] and remembers where it is.
struct Strict<'a> {
    path: String,
    depth: usize,
    duplicates: &'a RefCell<Vec<String>>,
}

impl Strict<'_> {
    fn below(&self, step: &str) -> Strict<'_> {
        Strict { path: format!("{}{step}", self.path), depth: self.depth + 1, duplicates: self.duplicates }
    }

    fn field(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!(".{key}") }
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth >= DEPTH { Err(E::custom(format!("nested deeper than {DEPTH}"))) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(self.below(&format!("[{}]", list.len())))? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            let step = self.field(&key);
            let value = entries.next_value_seed(self.below(&step))?;
            if map.insert(key, value).is_some() {
                self.duplicates.borrow_mut().push(format!("{}{step}", self.path));
            }
        }
        Ok(Value::Object(map))
    }
}

/// A key of any scalar type, as text: YAML has keys such as `80` and `true`.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, value: &str) -> Result<String, E> {
        Ok(value.into())
    }
    fn visit_bool<E>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_f64<E>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_that_come_twice_are_named_and_the_last_counts() {
        let parsed = json(br#"{"a":1,"b":[{"c":1,"c":2}],"a":3}"#).expect("valid JSON");
        assert_eq!(parsed.value, json!({ "a": 3, "b": [{ "c": 2 }] }));
        assert_eq!(parsed.duplicates, ["b[0].c", "a"]);
        let parsed = yaml(b"a: 1\nb:\n- c: 1\n  c: 2\na: 3\n").expect("valid YAML");
        assert_eq!(parsed.value, json!({ "a": 3, "b": [{ "c": 2 }] }));
        assert_eq!(parsed.duplicates, ["b[0].c", "a"]);
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(json(deep.as_bytes()).is_err());
        assert!(yaml(deep.as_bytes()).is_err());
    }

    #[test]
    fn what_yaml_repeats_by_name_does_not_fill_memory() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for at in 1..10 {
            let before = vec![format!("*a{}", at - 1); 10].join(",");
            text.push_str(&format!("a{at}: &a{at} [{before}]\n"));
        }
        assert!(yaml(text.as_bytes()).is_err());
    }

    #[test]
    fn numbers_and_strings_keep_their_type() {
        // `yes` is true to Kubernetes too: it reads YAML 1.1.
        let parsed = yaml(b"a: 80\nb: \"80\"\nc: null\nd: yes\ne: 1.5\nf: true").expect("valid YAML");
        assert_eq!(parsed.value, json!({ "a": 80, "b": "80", "c": null, "d": true, "e": 1.5, "f": true }));
    }
}
