//! Writing heads, field by field.

use crate::field::{Field, Fields};
use crate::octet::{is_token, is_value, target};
use thiserror::Error;

/// A part of a head (from a filter, say) that would break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a part of the head cannot be written")]
pub struct NotWritable;

/// Appends one head to a buffer.
#[derive(Debug)]
pub struct HeadWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> HeadWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// `target`: a canonical path, or `*`.
    pub fn request_line(&mut self, method: &str, path: &str, query: Option<&str>) -> Result<(), NotWritable> {
        let good = |text: &str| text.bytes().all(target);
        if !is_token(method.as_bytes()) || path.is_empty() || !good(path) || !query.is_none_or(good) {
            return Err(NotWritable);
        }
        self.out.extend_from_slice(method.as_bytes());
        self.out.push(b' ');
        self.out.extend_from_slice(path.as_bytes());
        if let Some(query) = query {
            self.out.push(b'?');
            self.out.extend_from_slice(query.as_bytes());
        }
        self.out.extend_from_slice(b" HTTP/1.1\r\n");
        Ok(())
    }

    /// `reason`: as read from a backend, or one of ours.
    pub fn status_line(&mut self, status: u16, reason: &[u8]) {
        self.out.extend_from_slice(b"HTTP/1.1 ");
        decimal(self.out, u64::from(status));
        self.out.push(b' ');
        self.out.extend_from_slice(reason);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Octets in the buffer by now.
    #[inline]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Field lines that were written before, by a writer like this.
    #[inline]
    pub fn raw(&mut self, lines: &[u8]) {
        self.out.extend_from_slice(lines);
    }

    /// A field of known good parts: our own names, and values read from a head or made here.
    #[inline]
    pub fn own(&mut self, name: &str, value: &[u8]) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        self.out.extend_from_slice(value);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A field whose value is a number.
    #[inline]
    pub fn number(&mut self, name: &str, value: u64) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        decimal(self.out, value);
        self.out.extend_from_slice(b"\r\n");
    }

    /// A field that someone configured.
    pub fn field(&mut self, name: &str, value: &[u8]) -> Result<(), NotWritable> {
        if !is_token(name.as_bytes()) || !is_value(value) {
            return Err(NotWritable);
        }
        self.own(name, value);
        Ok(())
    }

    /// The fields of a head that `keep` says yes to and that were not dropped. Neighbours that are in canonical form are copied together.
    #[inline]
    pub fn fields(&mut self, head: &[u8], fields: &Fields, mut keep: impl FnMut(&Field) -> bool) {
        let mut run: Option<(u32, u32)> = None;
        for field in fields.iter() {
            let kept = !field.dropped && keep(field);
            run = match run {
                Some((start, end)) if kept && field.canonical && field.name.start == end => Some((start, field.value.end + 2)),
                earlier => {
                    self.run(head, earlier);
                    if kept && field.canonical {
                        Some((field.name.start, field.value.end + 2))
                    } else {
                        if kept {
                            self.out.extend_from_slice(field.name.of(head));
                            self.out.extend_from_slice(b": ");
                            self.out.extend_from_slice(field.value.of(head));
                            self.out.extend_from_slice(b"\r\n");
                        }
                        None
                    }
                }
            };
        }
        self.run(head, run);
    }

    /// Ends the head.
    pub fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    fn run(&mut self, head: &[u8], run: Option<(u32, u32)>) {
        if let Some((start, end)) = run {
            self.out.extend_from_slice(head.get(start as usize..end as usize).unwrap_or_default());
        }
    }
}

/// A number in decimal.
pub fn decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        at -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}
