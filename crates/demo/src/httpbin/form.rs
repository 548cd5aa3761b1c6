//! Forms: `application/x-www-form-urlencoded` (and query strings) and `multipart/form-data`.

use serde_json::{Map, Value};

use super::request::as_data;

/// The most fields of one form; what is beyond is left out.
const FIELDS: usize = 1000;

/// Names and values in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

// === impl Pairs ===

impl Pairs {
    /// A name that came once has a string, one that came more often a list.
    pub fn into_json(self) -> Value {
        let mut out = Map::new();
        for (name, value) in self.0 {
            let value = Value::String(value);
            match out.get_mut(&name) {
                None => drop(out.insert(name, value)),
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        out.sort_keys();
        Value::Object(out)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

pub fn urlencoded(text: &[u8]) -> Pairs {
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).take(FIELDS);
    Pairs(
        pairs
            .map(|pair| {
                let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
                let value = pair.get(middle + 1..).unwrap_or_default();
                (decode(&pair[..middle]), decode(value))
            })
            .collect(),
    )
}

/// `+` is a space; a `%` that no two hexadecimal digits follow stays.
fn decode(text: &[u8]) -> String {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (byte, hex(text.get(at + 1)), hex(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The boundary, where this is the type of a multipart form.
pub fn boundary(kind: &str) -> Option<String> {
    let parameters = kind.strip_prefix("multipart/form-data")?;
    let value = parameters.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
    let value = value.trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// Fields and files of a multipart form; a part without a name is left out.
pub fn multipart(body: &[u8], boundary: &str) -> (Pairs, Pairs) {
    let (mut fields, mut files) = (Pairs::default(), Pairs::default());
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    // The first delimiter may lack its line break.
    let body = [b"\r\n", body].concat();
    let mut rest = find(&body, &delimiter).map_or(&[][..], |at| &body[at + delimiter.len()..]);
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, &delimiter).unwrap_or(part.len());
        read_part(&part[..end], &mut fields, &mut files);
        if fields.0.len() + files.0.len() >= FIELDS {
            break;
        }
        rest = part.get(end + delimiter.len()..).unwrap_or_default();
    }
    (fields, files)
}

fn read_part(part: &[u8], fields: &mut Pairs, files: &mut Pairs) {
    let Some(blank) = find(part, b"\r\n\r\n") else { return };
    let head = String::from_utf8_lossy(&part[..blank]);
    let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
    let parameter = |name: &str| {
        disposition?.split(';').find_map(|piece| {
            let value = piece.trim().strip_prefix(name)?.strip_prefix('=')?;
            Some(value.trim_matches('"').to_owned())
        })
    };
    let Some(name) = parameter("name") else { return };
    let to = if parameter("filename").is_some() { files } else { fields };
    to.0.push((name, as_data(&part[blank + 4..])));
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(urlencoded(text.as_bytes()).into_json().to_string(), expect, "{text}");
    }

    #[test]
    fn query_strings() {
        check("", "{}");
        check("b=2&a=1", r#"{"a":"1","b":"2"}"#);
        check("a=1&a=2&a=3", r#"{"a":["1","2","3"]}"#);
        check("a", r#"{"a":""}"#);
        check("a=b=c", r#"{"a":"b=c"}"#);
        check("a=x+y%20z%2", r#"{"a":"x y z%2"}"#);
        check("%E7%89%8C=%e5%9d%8a", r#"{"牌":"坊"}"#);
        check("&&", "{}");
    }

    #[test]
    fn multipart_forms() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --B\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\n\
                    two\r\nlines\r\n--B--\r\n";
        let (fields, files) = multipart(body.as_bytes(), "B");
        assert_eq!(fields.0, [("a".to_owned(), "1".to_owned())]);
        assert_eq!(files.0, [("f".to_owned(), "two\r\nlines".to_owned())]);
    }

    #[test]
    fn a_broken_form_has_no_fields() {
        for body in ["", "--B", "--B\r\n", "--B\r\nno blank line\r\n--B--", "\r\n\r\n"] {
            let (fields, files) = multipart(body.as_bytes(), "B");
            assert!(fields.0.is_empty() && files.0.is_empty(), "{body:?}");
        }
    }

    #[test]
    fn boundaries() {
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary("text/plain; boundary=x"), None);
    }
}
