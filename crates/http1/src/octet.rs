//! Classes of octets, one table each.

/// RFC 9110 5.6.2: `tchar`.
const TOKEN: u8 = 1;
/// RFC 9110 5.5: what a field value may hold: visible ASCII, space, tab, and `obs-text` as opaque octets.
const VALUE: u8 = 2;
/// What a request target may hold here: visible ASCII and octets above it (those are escaped before anybody sees them).
const TARGET: u8 = 4;
/// RFC 3986 2.3.
const UNRESERVED: u8 = 8;
/// RFC 3986 3.3 `pchar` without escapes, and `/`.
const PATH: u8 = 16;
/// A letter, digit, `-`, `.`, `_` or `~`: the registered names we accept.
const NAME: u8 = 32;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = class(at as u8);
        at += 1;
    }
    table
}

const fn class(octet: u8) -> u8 {
    let unreserved = octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~');
    let mut bits = 0;
    if octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
    {
        bits |= TOKEN;
    }
    if octet == b'\t' || (octet >= b' ' && octet != 0x7f) {
        bits |= VALUE;
    }
    if octet > b' ' && octet != 0x7f {
        bits |= TARGET;
    }
    if unreserved {
        bits |= UNRESERVED | NAME;
    }
    if unreserved || matches!(octet, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'/') {
        bits |= PATH;
    }
    bits
}

#[inline]
fn is(octet: u8, bits: u8) -> bool {
    CLASS.get(usize::from(octet)).is_some_and(|class| class & bits != 0)
}

#[inline]
pub(crate) fn token(octet: u8) -> bool {
    is(octet, TOKEN)
}

#[inline]
pub(crate) fn value(octet: u8) -> bool {
    is(octet, VALUE)
}

#[inline]
pub(crate) fn target(octet: u8) -> bool {
    is(octet, TARGET)
}

#[inline]
pub(crate) fn unreserved(octet: u8) -> bool {
    is(octet, UNRESERVED)
}

#[inline]
pub(crate) fn path(octet: u8) -> bool {
    is(octet, PATH)
}

#[inline]
pub(crate) fn name(octet: u8) -> bool {
    is(octet, NAME)
}

/// A method, a field name.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&octet| token(octet))
}

/// A field value that may be written: no control octets but tab, hence no line ends.
#[inline]
pub fn is_value(text: &[u8]) -> bool {
    let mut eights = text.chunks_exact(8);
    eights.all(|eight| {
        eight.try_into().is_ok_and(|eight| all_printable(u64::from_le_bytes(eight))) || eight.iter().all(|&octet| value(octet))
    }) && text.chunks_exact(8).remainder().iter().all(|&octet| value(octet))
}

/// Whether none of eight octets is below a space or 0x7f. A tab is below and gets the slow look.
#[inline]
fn all_printable(eight: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below_space = eight.wrapping_sub(LOW * 0x20) & !eight & HIGH;
    let delete = eight ^ (LOW * 0x7f);
    let is_delete = delete.wrapping_sub(LOW) & !delete & HIGH;
    below_space | is_delete == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_agrees_with_one_at_a_time() {
        for octet in 0..=255_u8 {
            for at in 0..19 {
                let mut text = [b'a'; 19];
                text[at] = octet;
                assert_eq!(is_value(&text), value(octet), "{octet:#x} at {at}");
                text = [0xff; 19];
                text[at] = octet;
                assert_eq!(is_value(&text), value(octet), "{octet:#x} at {at} among obs-text");
            }
        }
    }

    #[test]
    fn tokens_are_tchars_only() {
        assert!(is_token(b"X-A!#$%&'*+.^_`|~9"));
        for bad in [&b""[..], b"a b", b"a:", b"a\t", b"a\xc3", b"(a)", b"a/b", b"a\"", b"a@"] {
            assert!(!is_token(bad), "{bad:?}");
        }
    }
}
