//! Names: made up, and checked together with the rest of the metadata.

use aws_lc_rs::rand;
use serde_json::Value;

use crate::failure::Cause;
use crate::kinds::Kind;
use crate::object::Object;

/// Without vowels and look-alikes, so that no word comes out.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// A name made up is no longer than this, with its five letters.
const LONGEST_BASE: usize = 58;

/// `base` and five letters of chance.
pub(crate) fn generate(base: &str) -> String {
    let end = base.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= LONGEST_BASE).last();
    let mut name = base[..end.unwrap_or(0)].to_owned();
    name.extend(chance::<5>().iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])));
    name
}

/// A random UUID.
pub(crate) fn uid() -> String {
    let mut bytes = chance::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

pub(crate) fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// What a client may send and the server replaces: it must be readable all the same.
pub(crate) fn check_replaced(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let Some(meta) = object.meta() else { return causes };
    let mut wrong = |field: &str, value: &Value, what: &str| {
        causes.push(Cause::new("FieldValueTypeInvalid", format!("metadata.{field}"), format!("Invalid value: {value}: {what}")));
    };
    if let Some(value) = meta.get("generation").filter(|value| !value.is_null() && value.as_i64().is_none()) {
        wrong("generation", value, "must be a whole number");
    }
    for field in ["creationTimestamp", "deletionTimestamp"] {
        let is_time = |value: &Value| value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
        if let Some(value) = meta.get(field).filter(|value| !value.is_null() && !is_time(value)) {
            wrong(field, value, "must be a time such as 2006-01-02T15:04:05Z");
        }
    }
    causes
}

/// What holds for the metadata of every kind: types, which the schemas of custom kinds leave open, and the name.
pub(crate) fn check_metadata(kind: &Kind, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let Some(meta) = object.meta() else { return causes };
    let mut wrong = |field: String, value: &Value, what: &str| {
        causes.push(Cause::new("FieldValueTypeInvalid", field, format!("Invalid value: {value}: {what}")));
    };
    for key in ["name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"] {
        if let Some(value) = meta.get(key).filter(|value| !value.is_string()) {
            wrong(format!("metadata.{key}"), value, "must be a string");
        }
    }
    for key in ["labels", "annotations"] {
        match meta.get(key) {
            Some(Value::Object(map)) => {
                for (name, value) in map.iter().filter(|(_, value)| !value.is_string()) {
                    wrong(format!("metadata.{key}.{name}"), value, "must be a string");
                }
            }
            Some(value) if !value.is_null() => wrong(format!("metadata.{key}"), value, "must be an object of strings"),
            _ => {}
        }
    }
    for (key, string) in [("finalizers", true), ("ownerReferences", false), ("managedFields", false)] {
        match meta.get(key) {
            Some(Value::Array(list)) => {
                for (at, value) in list.iter().enumerate() {
                    if string != value.is_string() || string == value.is_object() {
                        wrong(format!("metadata.{key}[{at}]"), value, if string { "must be a string" } else { "must be an object" });
                    }
                }
            }
            Some(value) if !value.is_null() => wrong(format!("metadata.{key}"), value, "must be a list"),
            _ => {}
        }
    }
    if object.name().is_empty() {
        causes.push(Cause::new("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"));
    } else if !kind.is_builtin() {
        // The built-in kinds' own rules include their metadata's.
        causes.extend(schema::validate_custom_metadata(kind.namespaced, object, old).iter().map(crate::rules::cause));
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_fit_and_differ() {
        let long = "ä".repeat(100);
        assert!(generate(&long).len() <= 63);
        let (a, b) = (generate("web-"), generate("web-"));
        assert!(a.starts_with("web-") && a.len() == 9, "{a}");
        assert_ne!(a, b);
    }

    #[test]
    fn uids_are_version_4() {
        let uid = uid();
        assert_eq!(uid.len(), 36);
        assert_eq!(&uid[14..15], "4");
    }
}
