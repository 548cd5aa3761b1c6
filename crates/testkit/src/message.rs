//! Cutting HTTP/1 messages out of octets, for judging: it keeps every octet and says how the message was framed.
//!
//! Stricter than clients in use: what a test's peer should never see is an error, not a guess.

use std::fmt;

/// Where a message's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    Length(usize),
    Chunked,
    /// The end of the connection.
    Close,
}

/// The first line and the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Without its line break.
    pub first_line: String,
    /// Names as they came.
    pub fields: Vec<(String, String)>,
}

/// A complete body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Without chunk framing.
    pub data: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    /// How many octets it took, framing included.
    pub length: usize,
}

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

// === impl Malformed ===

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

// === impl Head ===

impl Head {
    /// The head at the beginning of `octets` and its length; `None` while it is not complete.
    pub fn parse(octets: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let Some(end) = find(octets, b"\r\n\r\n") else { return Ok(None) };
        let text = std::str::from_utf8(&octets[..end]).map_err(|_| Malformed("a head with other octets than text".into()))?;
        let mut lines = text.split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let fields = lines.map(field).collect::<Result<_, _>>()?;
        Ok(Some((Self { first_line, fields }, end + 4)))
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether a list field has this element.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|given| given.trim().eq_ignore_ascii_case(element))
    }

    /// As the fields say; `otherwise` where they say nothing.
    pub fn framing(&self, otherwise: Framing) -> Result<Framing, Malformed> {
        let lengths: Vec<&str> = self.all("content-length").collect();
        let codings: Vec<&str> = self.all("transfer-encoding").collect();
        match (codings.as_slice(), lengths.as_slice()) {
            ([], []) => Ok(otherwise),
            (["chunked"], []) => Ok(Framing::Chunked),
            ([], [length]) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map(Framing::Length).map_err(|_| Malformed(format!("Content-Length: {length}")))
            }
            _ => Err(Malformed(format!("framed by Transfer-Encoding {codings:?} and Content-Length {lengths:?}"))),
        }
    }

    /// Of a response.
    pub fn status(&self) -> Result<u16, Malformed> {
        let malformed = || Malformed(format!("not a status line: {:?}", self.first_line));
        let rest = self.first_line.strip_prefix("HTTP/1.1 ").or_else(|| self.first_line.strip_prefix("HTTP/1.0 "));
        let code = rest.and_then(|rest| rest.get(..3)).ok_or_else(malformed)?;
        code.parse().map_err(|_| malformed())
    }

    /// The second word of a request's first line.
    pub fn target(&self) -> &str {
        self.first_line.split(' ').nth(1).unwrap_or_default()
    }

    /// The first word of a request's first line.
    pub fn method(&self) -> &str {
        self.first_line.split(' ').next().unwrap_or_default()
    }
}

fn field(line: &str) -> Result<(String, String), Malformed> {
    let (name, value) = line.split_once(':').ok_or_else(|| Malformed(format!("not a field: {line:?}")))?;
    if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Err(Malformed(format!("not a field's name: {name:?}")));
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

// === impl Body ===

impl Body {
    /// The body at the beginning of `octets`; `None` while it is not complete. [`Framing::Close`] is complete only at the end.
    pub fn parse(octets: &[u8], framing: Framing, ended: bool) -> Result<Option<Self>, Malformed> {
        match framing {
            Framing::None => Ok(Some(Self::default())),
            Framing::Length(length) => {
                let data = octets.get(..length).map(<[u8]>::to_vec);
                Ok(data.map(|data| Self { data, trailers: Vec::new(), length }))
            }
            Framing::Close => Ok(ended.then(|| Self { data: octets.to_vec(), trailers: Vec::new(), length: octets.len() })),
            Framing::Chunked => chunked(octets),
        }
    }
}

fn chunked(octets: &[u8]) -> Result<Option<Body>, Malformed> {
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&octets[at..], b"\r\n") else { return Ok(None) };
        let size = String::from_utf8_lossy(&octets[at..at + line]);
        let digits = size.split(';').next().unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Malformed(format!("not a chunk's size: {size:?}")));
        }
        let size = usize::from_str_radix(digits, 16).map_err(|_| Malformed(format!("a chunk of {digits}")))?;
        at += line + 2;
        if size == 0 {
            return Ok(trailers(&octets[at..])?.map(|(trailers, length)| Body { data, trailers, length: at + length }));
        }
        let Some(chunk) = at.checked_add(size).and_then(|end| octets.get(at..end.checked_add(2)?)) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err(Malformed("a chunk that does not end where it says".into()));
        }
        data.extend_from_slice(&chunk[..size]);
        at += size + 2;
    }
}

type Fields = Vec<(String, String)>;

fn trailers(octets: &[u8]) -> Result<Option<(Fields, usize)>, Malformed> {
    let (mut fields, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&octets[at..], b"\r\n") else { return Ok(None) };
        let text = String::from_utf8_lossy(&octets[at..at + line]);
        at += line + 2;
        if line == 0 {
            return Ok(Some((fields, at)));
        }
        fields.push(field(&text)?);
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &str) -> Result<Framing, Malformed> {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let (head, length) = Head::parse(text.as_bytes())?.expect("complete");
        assert_eq!(length, text.len());
        head.framing(Framing::Close)
    }

    #[test]
    fn framings() {
        assert_eq!(framing(""), Ok(Framing::Close));
        assert_eq!(framing("content-LENGTH: 12\r\n"), Ok(Framing::Length(12)));
        assert_eq!(framing("Transfer-Encoding: chunked\r\n"), Ok(Framing::Chunked));
        for doubtful in [
            "Content-Length: +1\r\n",
            "Content-Length: \r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Content-Length : 1\r\n",
        ] {
            assert!(framing(doubtful).is_err(), "{doubtful:?}");
        }
    }

    #[test]
    fn chunks() {
        let whole = b"3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: v\r\n\r\nnext";
        let body = Body::parse(whole, Framing::Chunked, false).expect("good").expect("complete");
        assert_eq!((body.data.as_slice(), body.length), (&b"abcd"[..], whole.len() - 4));
        assert_eq!(body.trailers, [("T".to_owned(), "v".to_owned())]);
        for end in 0..whole.len() - 4 {
            assert_eq!(Body::parse(&whole[..end], Framing::Chunked, false), Ok(None), "{end}");
        }
        for broken in ["x\r\n", "3\r\nabcd\r\n", "\r\n", "0x1\r\na\r\n0\r\n\r\n", "fffffffffffffffffffff\r\n"] {
            assert!(Body::parse(broken.as_bytes(), Framing::Chunked, false).is_err(), "{broken:?}");
        }
    }
}
