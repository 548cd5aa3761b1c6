//! The first message of a TLS connection, read by itself: what a server must know before it decides who answers.
//!
//! Nothing is kept and nothing is answered here. Who calls looks at the octets as they gather, from the first on, and asks again with more.
//!
//! **Invariant:** never more than [`LONGEST_HELLO`] octets are looked at, and what is no `ClientHello` so far is refused at once.

use std::borrow::Cow;
use std::net::IpAddr;

/// Most octets a `ClientHello` may take, record headers included. With post-quantum keys it is some 2 KiB.
pub const LONGEST_HELLO: usize = 16 * 1024;

/// RFC 8446 5.1: most octets of a record.
const LONGEST_RECORD: usize = 1 << 14;
const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// What a client says first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Lower case, without trailing dot. `None`: the client sent none, or an address (which RFC 6066 rules out).
    pub server_name: Option<String>,
}

/// Why the octets cannot become a `ClientHello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHello {
    #[error("this is not TLS")]
    NotTls,
    #[error("the ClientHello is malformed")]
    Malformed,
    #[error("the ClientHello takes more than {LONGEST_HELLO} octets")]
    TooLong,
}

/// What a server says to a client it does not serve (RFC 8446 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alert {
    AccessDenied = 49,
    DecodeError = 50,
    InternalError = 80,
    UnrecognizedName = 112,
}

/// What has been received so far: a whole `ClientHello`, a part of one (`None`), or something else.
pub fn read_hello(octets: &[u8]) -> Result<Option<Hello>, NoHello> {
    let seen = octets.get(..LONGEST_HELLO).unwrap_or(octets);
    match message(seen)? {
        Some(message) => body(message.get(MESSAGE_HEADER..).unwrap_or_default()).map(Some),
        None if octets.len() >= LONGEST_HELLO => Err(NoHello::TooLong),
        None => Ok(None),
    }
}

/// The handshake message, its header included, from as many records as it takes.
fn message(mut records: &[u8]) -> Result<Option<Cow<'_, [u8]>>, NoHello> {
    let mut gathered: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    let mut used = 0;
    loop {
        if records.first().is_some_and(|kind| *kind != 22) || records.get(1).is_some_and(|major| *major != 3) {
            return Err(NoHello::NotTls);
        }
        let &[_, _, _, high, low, ref rest @ ..] = records else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || length > LONGEST_RECORD {
            return Err(NoHello::Malformed);
        }
        used += RECORD_HEADER + length;
        if used > LONGEST_HELLO {
            return Err(NoHello::TooLong);
        }
        // The kind of message shows before the record is whole.
        if gathered.is_empty() && rest.first().is_some_and(|kind| *kind != 1) {
            return Err(NoHello::NotTls);
        }
        let Some((fragment, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        if gathered.is_empty() {
            gathered = Cow::Borrowed(fragment);
        } else {
            gathered.to_mut().extend_from_slice(fragment);
        }
        if let &[_, high, middle, low, ref body @ ..] = &*gathered {
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            if length + MESSAGE_HEADER > LONGEST_HELLO {
                return Err(NoHello::TooLong);
            }
            match body.len().cmp(&length) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(Some(gathered)),
                std::cmp::Ordering::Greater => return Err(NoHello::Malformed),
            }
        }
        records = rest;
    }
}

/// RFC 8446 4.1.2; the same octets in TLS 1.2.
fn body(octets: &[u8]) -> Result<Hello, NoHello> {
    let mut reader = Reader(octets);
    let mut fixed = || -> Option<()> {
        reader.take(2 + 32)?;
        let session = reader.block8()?;
        let suites = reader.block16()?;
        let compression = reader.block8()?;
        (session.len() <= 32 && suites.len() >= 2 && suites.len().is_multiple_of(2) && !compression.is_empty()).then_some(())
    };
    fixed().ok_or(NoHello::Malformed)?;
    if reader.0.is_empty() {
        // TLS 1.2 without extensions.
        return Ok(Hello::default());
    }
    let mut extensions = Reader(reader.block16().ok_or(NoHello::Malformed)?);
    if !reader.0.is_empty() {
        return Err(NoHello::Malformed);
    }
    let mut named = None;
    while !extensions.0.is_empty() {
        let kind = extensions.u16().ok_or(NoHello::Malformed)?;
        let content = extensions.block16().ok_or(NoHello::Malformed)?;
        if kind == 0 && named.replace(server_name(content)?).is_some() {
            return Err(NoHello::Malformed);
        }
    }
    Ok(Hello { server_name: named.flatten() })
}

/// RFC 6066 3: one host name.
fn server_name(content: &[u8]) -> Result<Option<String>, NoHello> {
    let mut content = Reader(content);
    let mut list = Reader(content.block16().ok_or(NoHello::Malformed)?);
    let kind = list.take(1).ok_or(NoHello::Malformed)?;
    let name = list.block16().ok_or(NoHello::Malformed)?;
    if kind != [0] || !list.0.is_empty() || !content.0.is_empty() {
        return Err(NoHello::Malformed);
    }
    let name = std::str::from_utf8(name).map_err(|_| NoHello::Malformed)?;
    if name.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let good = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 253 || !name.bytes().all(good) || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err(NoHello::Malformed);
    }
    Ok(Some(name.to_ascii_lowercase()))
}

/// Octets from front to back.
struct Reader<'a>(&'a [u8]);

// === impl NoHello, Alert ===

impl NoHello {
    pub fn alert(self) -> Alert {
        Alert::DecodeError
    }
}

impl Alert {
    /// The alert as it is written where no handshake has begun: fatal, in the clear.
    pub fn octets(self) -> [u8; 7] {
        [21, 3, 3, 0, 2, 2, self as u8]
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// Octets behind their count of one octet.
    fn block8(&mut self) -> Option<&'a [u8]> {
        let &[count] = self.take(1)? else { return None };
        self.take(count.into())
    }

    /// Octets behind their count of two octets.
    fn block16(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(count.into())
    }
}

#[cfg(test)]
mod tests;
