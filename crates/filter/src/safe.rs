//! Text on its way into a target or a `Location`.

/// Appends visible ASCII as it is and escapes the rest, and what cannot be in a URI. A `%` that begins no escape is escaped.
pub(crate) fn append(out: &mut String, text: &str) {
    let octets = text.as_bytes();
    if octets.iter().all(|octet| allowed(*octet)) {
        return out.push_str(text);
    }
    for (at, octet) in octets.iter().enumerate() {
        let whole = || octets.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if allowed(*octet) || *octet == b'%' && whole() {
            out.push(char::from(*octet));
        } else {
            escape(out, *octet);
        }
    }
}

/// Appends a path in canonical form: it begins with `/`, has no dot segments, and nothing unreserved is escaped.
///
/// A template joins pieces of a canonical path, and at the seams an escape or a dot segment can come about that was in none of them.
pub(crate) fn append_path(out: &mut String, path: &str) {
    let begin = out.len();
    if !path.starts_with('/') {
        out.push('/');
    }
    append(out, path);
    let new = &out.as_bytes()[begin..];
    let dots = new.windows(2).any(|pair| pair == b"/.");
    let escapes = new.contains(&b'%');
    if dots || escapes {
        let unescaped = unescape(&out[begin..]);
        out.truncate(begin);
        push_segments(out, &unescaped);
    }
}

/// RFC 3986 pchar, `/` and `?`, less `%`; also `[` and `]`, which clients send in queries.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut octet: u8 = b'!';
    while octet <= b'~' {
        allowed[octet as usize] = !matches!(octet, b'%' | b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
        octet += 1;
    }
    allowed
};

fn allowed(octet: u8) -> bool {
    ALLOWED[usize::from(octet)]
}

fn escape(out: &mut String, octet: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(octet >> 4)]));
    out.push(char::from(DIGITS[usize::from(octet & 15)]));
}

/// Decodes escapes of unreserved octets and writes the others in upper case. Every `%` begins an escape already.
fn unescape(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((plain, escaped)) = rest.split_once('%') {
        out.push_str(plain);
        let octet = escaped.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match octet {
            Some(octet) if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') => out.push(char::from(octet)),
            Some(octet) => escape(&mut out, octet),
            None => escape(&mut out, b'%'),
        }
        rest = escaped.get(if octet.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// RFC 3986 5.2.4, for a path that begins with `/`.
fn push_segments(out: &mut String, path: &str) {
    let begin = out.len();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => out.truncate(out[begin..].rfind('/').map_or(begin, |at| begin + at)),
            segment => {
                out.push('/');
                out.push_str(segment);
                continue;
            }
        }
        if last {
            out.push('/');
        }
    }
    if out.len() == begin {
        out.push('/');
    }
}
