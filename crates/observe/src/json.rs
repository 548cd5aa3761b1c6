//! JSON objects on one line, written straight into a buffer.

use std::fmt;
use std::io::Write as _;

/// An object under construction. Keys are constants of ours and need no escaping.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(crate) fn text(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        string(self.out, value);
    }

    /// Text that needs no escaping: numbers' and addresses' own forms.
    pub(crate) fn plain(&mut self, key: &str, value: impl fmt::Display) {
        self.key(key);
        self.out.push(b'"');
        write(self.out, value);
        self.out.push(b'"');
    }

    pub(crate) fn number(&mut self, key: &str, value: impl Into<u64>) {
        self.key(key);
        write(self.out, value.into());
    }

    /// Milliseconds with three decimals.
    pub(crate) fn millis(&mut self, key: &str, value: std::time::Duration) {
        self.key(key);
        let micros = value.as_micros();
        write(self.out, format_args!("{}.{:03}", micros / 1000, micros % 1000));
    }

    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object)) {
        self.key(key);
        let mut inner = Object::open(self.out);
        fill(&mut inner);
        inner.close();
    }
}

fn write(out: &mut Vec<u8>, value: impl fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

/// A string: what is not UTF-8 becomes U+FFFD, so that every line is JSON whatever a client sent.
fn string(out: &mut Vec<u8>, value: &[u8]) {
    out.push(b'"');
    inner(out, value);
    out.push(b'"');
}

/// The same without its quotes.
pub(crate) fn inner(out: &mut Vec<u8>, value: &[u8]) {
    let plain = |octet: &u8| matches!(octet, b' '..=b'~') && !matches!(octet, b'"' | b'\\');
    if value.iter().all(plain) {
        out.extend_from_slice(value);
    } else {
        for chunk in value.utf8_chunks() {
            chunk.valid().chars().for_each(|c| character(out, c));
            if !chunk.invalid().is_empty() {
                out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    }
}

fn character(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        // Controls, and what terminals and line-oriented tools take for a line's end or a change of direction.
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
            write(out, format_args!("\\u{:04x}", u32::from(c)));
        }
        c => {
            let mut utf8 = [0; 4];
            out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_octets_make_one_line_of_json(value in proptest::collection::vec(any::<u8>(), 0..64), more in ".*") {
            let mut line = Vec::new();
            let mut object = Object::open(&mut line);
            object.text("a", &value);
            object.object("b", |inner| inner.text("c", more.as_bytes()));
            object.millis("d", std::time::Duration::from_micros(1_002_003));
            object.close();
            let read: serde_json::Value = serde_json::from_slice(&line).expect("it is JSON");
            prop_assert_eq!(&read["a"], &serde_json::Value::from(String::from_utf8_lossy(&value)));
            prop_assert_eq!(&read["b"]["c"], &serde_json::Value::from(more));
            prop_assert_eq!(read["d"].as_f64(), Some(1002.003));
            prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r') && !line.contains(&0x1b));
        }
    }
}
