//! The canonical path: the only one anybody sees, from matching to the backend.

use crate::octet::{path, unreserved};
use std::borrow::Cow;
use thiserror::Error;

/// Why a path has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    #[error("it does not begin with `/`")]
    NotAbsolute,
    #[error("`%` is not followed by two hexadecimal digits")]
    BadEscape,
    #[error("an escaped NUL, CR or LF")]
    EscapedControl,
    #[error("an escaped `/` or `\\`")]
    EscapedSlash,
    #[error("an octet that must not stand in a path")]
    BadOctet,
    #[error("`..` leads above the root")]
    AboveRoot,
}

/// RFC 3986 6.2.2, refusing what backends read in different ways: unreserved octets are decoded, escapes get upper case, dot segments are
/// removed (escaped ones, too), octets outside of RFC 3986 are escaped. `//` stays. A path that is canonical already is borrowed.
pub fn canonical_path(raw: &[u8]) -> Result<Cow<'_, str>, PathError> {
    if raw.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    let mut plain = true;
    let mut dots = false;
    let mut before = 0;
    for &octet in raw {
        plain &= path(octet);
        dots |= octet == b'.' && before == b'/';
        before = octet;
    }
    if plain {
        // Every octet of the class is ASCII.
        let text = std::str::from_utf8(raw).map_err(|_| PathError::BadOctet)?;
        return if dots { remove_dots(text).map(Cow::Owned) } else { Ok(Cow::Borrowed(text)) };
    }
    remove_dots(&normalise(raw)?).map(Cow::Owned)
}

/// The query with octets above ASCII escaped; all else stays as it came.
pub fn canonical_query(raw: &[u8]) -> Cow<'_, str> {
    if raw.is_ascii() {
        return std::str::from_utf8(raw).map(Cow::Borrowed).unwrap_or_default();
    }
    let mut out = String::with_capacity(raw.len() + 16);
    for &octet in raw {
        if octet.is_ascii() { out.push(char::from(octet)) } else { escape(&mut out, octet) }
    }
    Cow::Owned(out)
}

fn normalise(raw: &[u8]) -> Result<String, PathError> {
    let mut out = String::with_capacity(raw.len() + 16);
    let mut octets = raw.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'%' => {
                let digits = octets.next().and_then(hex).zip(octets.next().and_then(hex));
                let (high, low) = digits.ok_or(PathError::BadEscape)?;
                match high << 4 | low {
                    0 | b'\r' | b'\n' => return Err(PathError::EscapedControl),
                    b'/' | b'\\' => return Err(PathError::EscapedSlash),
                    octet if unreserved(octet) => out.push(char::from(octet)),
                    octet => escape(&mut out, octet),
                }
            }
            b'\\' | b'#' | b'?' | 0..=b' ' | 0x7f => return Err(PathError::BadOctet),
            octet if path(octet) => out.push(char::from(octet)),
            octet => escape(&mut out, octet),
        }
    }
    Ok(out)
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn escape(out: &mut String, octet: u8) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('%');
    out.extend(DIGITS.get(usize::from(octet >> 4)));
    out.extend(DIGITS.get(usize::from(octet & 15)));
}

/// RFC 3986 5.2.4, but leading above the root is an error: nobody means that well.
fn remove_dots(path: &str) -> Result<String, PathError> {
    let mut kept: Vec<&str> = Vec::new();
    let mut open = false;
    for segment in path.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop().ok_or(PathError::AboveRoot)?;
            }
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len());
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    if open || out.is_empty() {
        out.push('/');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form_for_all_spellings() {
        for (raw, expect) in [
            ("/", Ok("/")),
            ("/a/b", Ok("/a/b")),
            ("/a.b/.c/..d/e..", Ok("/a.b/.c/..d/e..")),
            ("/%41%2d%7e", Ok("/A-~")),
            ("/%e4%b8%ad", Ok("/%E4%B8%AD")),
            ("/\u{4e2d}", Ok("/%E4%B8%AD")),
            ("/a//b", Ok("/a//b")),
            ("/a/./b/.", Ok("/a/b/")),
            ("/a/b/..", Ok("/a/")),
            ("/a/b/../c", Ok("/a/c")),
            ("/a//../b", Ok("/a/b")),
            ("/pub/.%2E/admin", Ok("/admin")),
            ("/pub/%2e%2e/admin", Ok("/admin")),
            ("/pub/%252e%252e/admin", Ok("/pub/%252e%252e/admin")),
            ("/a..;/b", Ok("/a..;/b")),
            ("/a%20b%3Fc", Ok("/a%20b%3Fc")),
            ("/a|b[c]{d}\"", Ok("/a%7Cb%5Bc%5D%7Bd%7D%22")),
            ("/..", Err(PathError::AboveRoot)),
            ("/a/../../b", Err(PathError::AboveRoot)),
            ("", Err(PathError::NotAbsolute)),
            ("a", Err(PathError::NotAbsolute)),
            ("/%", Err(PathError::BadEscape)),
            ("/%4", Err(PathError::BadEscape)),
            ("/%4g", Err(PathError::BadEscape)),
            ("/%+4", Err(PathError::BadEscape)),
            ("/%00", Err(PathError::EscapedControl)),
            ("/%0d%0aX:%201", Err(PathError::EscapedControl)),
            ("/a%2fb", Err(PathError::EscapedSlash)),
            ("/a%5Cb", Err(PathError::EscapedSlash)),
            ("/a\\b", Err(PathError::BadOctet)),
            ("/a#b", Err(PathError::BadOctet)),
            ("/a b", Err(PathError::BadOctet)),
        ] {
            assert_eq!(canonical_path(raw.as_bytes()).as_deref(), expect.as_deref(), "{raw:?}");
        }
    }

    #[test]
    fn a_query_keeps_everything_but_its_octets_above_ascii() {
        assert_eq!(canonical_query(b"a=%2f&b[]=\"|{}"), "a=%2f&b[]=\"|{}");
        assert_eq!(canonical_query("q=\u{e9}".as_bytes()), "q=%C3%A9");
    }

    proptest! {
        #[test]
        fn canonical_is_a_fixed_point_without_dots(raw in "/[ -~\u{80}-\u{ff}]{0,40}") {
            if let Ok(once) = canonical_path(raw.as_bytes()) {
                let twice = canonical_path(once.as_bytes());
                prop_assert_eq!(twice.as_deref(), Ok(&*once));
                prop_assert!(!once.split('/').any(|segment| segment == "." || segment == ".."));
                prop_assert!(once.bytes().all(|octet| path(octet) || octet == b'%'));
            }
        }

        #[test]
        fn any_octets_are_read_without_a_panic(raw in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = canonical_path(&raw);
            let _ = canonical_query(&raw);
        }
    }
}
