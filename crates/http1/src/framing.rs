//! Where a message's body ends (RFC 9112 6, without its leniencies).

use crate::field::{Fields, Known, Set};
use crate::{Fault, Version};

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// So many octets.
    Length(u64),
    Chunked,
    /// Until the connection ends; answers only.
    Close,
}

/// What the framing fields say, before the rules on who may have a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    pub length: Option<u64>,
    pub chunked: bool,
}

/// Content-Length and Transfer-Encoding together are refused; a repeated Content-Length must repeat itself; Transfer-Encoding must be
/// exactly `chunked`, once, and never in HTTP/1.0.
pub(crate) fn declared(fields: &Fields, head: &[u8], version: Version) -> Result<Declared, Fault> {
    const FRAMING: Set = Set::of(&[Known::ContentLength, Known::TransferEncoding]);
    let mut declared = Declared::default();
    if !fields.has_any(FRAMING) {
        return Ok(declared);
    }
    for field in fields.iter() {
        match field.known {
            Known::ContentLength => {
                let length = content_length(field.value.of(head))?;
                if declared.length.is_some_and(|before| before != length) {
                    return Err(Fault::ContentLength);
                }
                declared.length = Some(length);
            }
            Known::TransferEncoding => {
                let once = !declared.chunked && field.value.of(head).eq_ignore_ascii_case(b"chunked");
                if !once || version == Version::Http10 {
                    return Err(Fault::TransferEncoding);
                }
                declared.chunked = true;
            }
            _ => {}
        }
    }
    if declared.chunked && declared.length.is_some() { Err(Fault::TwoFramings) } else { Ok(declared) }
}

/// Digits only, at most 19 of them. A list (`5, 5`) is refused: only whole fields that repeat are folded.
fn content_length(value: &[u8]) -> Result<u64, Fault> {
    if value.is_empty() || value.len() > 19 {
        return Err(Fault::ContentLength);
    }
    value.iter().try_fold(0_u64, |sum, octet| match octet {
        b'0'..=b'9' => sum.checked_mul(10).and_then(|sum| sum.checked_add(u64::from(octet - b'0'))).ok_or(Fault::ContentLength),
        _ => Err(Fault::ContentLength),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_digits_and_nothing_else() {
        for (value, expect) in [
            ("0", Some(0)),
            ("5", Some(5)),
            ("0005", Some(5)),
            ("9999999999999999999", Some(9_999_999_999_999_999_999)),
            ("00000000000000000005", None),
            ("18446744073709551616", None),
            ("", None),
            ("+5", None),
            ("-5", None),
            ("0x5", None),
            ("5 5", None),
            ("5,5", None),
            ("5_0", None),
            ("\u{ff15}", None),
        ] {
            assert_eq!(content_length(value.as_bytes()).ok(), expect, "{value:?}");
        }
    }
}
