//! Field lines, as places in the read buffer.

use crate::line::Lines;
use crate::octet::{is_value, token};
use crate::{Fault, Limits};

/// A range of octets of the head that was parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

/// One field line.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: Span,
    pub value: Span,
    pub known: Known,
    /// It goes no further: hop-by-hop, nominated by `Connection`, ambiguous, or written anew by us.
    pub dropped: bool,
    /// The line is, octet for octet, what would be written for it (`Name: value`): neighbours like that are copied in one go.
    pub canonical: bool,
}

/// The names a gateway treats in a way of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Known {
    Other,
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    /// `Keep-Alive`, `Proxy-*`, `Proxy`, `Trailer`, `HTTP2-Settings`: of this hop, or not meant for anybody behind it.
    Hop,
    Te,
    Upgrade,
    Expect,
    /// `X-Forwarded-For`.
    ForwardedFor,
    /// `X-Forwarded-Host`.
    ForwardedHost,
    /// Every other field that says how a request came here: `X-Real-IP`, `Forwarded`, `X-Forwarded-Proto`…
    Forwarding,
    RequestId,
    /// A name with `_`: many backends cannot tell it from the same name with `-`.
    Underscore,
    Server,
    Date,
    StrictTransportSecurity,
}

/// The fields of one head, in order. The memory is reused from head to head.
#[derive(Debug, Default)]
pub struct Fields {
    list: Vec<Field>,
    section: usize,
    seen: Set,
}

/// Some of the [`Known`] names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(u32);

// === impl Span ===

impl Span {
    #[inline]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The octets meant. `head` begins where the head begins.
    #[inline]
    pub fn of(self, head: &[u8]) -> &[u8] {
        head.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

// === impl Set ===

impl Set {
    pub(crate) const fn of(names: &[Known]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < names.len() {
            bits |= 1 << names[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    #[inline]
    pub(crate) fn has(self, known: Known) -> bool {
        self.0 & (1 << known as u32) != 0
    }

    #[inline]
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[inline]
    fn add(&mut self, known: Known) {
        self.0 |= 1 << known as u32;
    }
}

// === impl Known ===

impl Known {
    /// Compares without regard to case; the length and the first letter decide for almost every name.
    #[inline]
    pub(crate) fn of(name: &[u8]) -> Self {
        let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
        let first = name.first().map_or(0, |first| first | 0x20);
        match (first, name.len()) {
            (b'h', 4) if is("host") => Self::Host,
            (b't', 2) if is("te") => Self::Te,
            (b'd', 4) if is("date") => Self::Date,
            (b'e', 6) if is("expect") => Self::Expect,
            (b's', 6) if is("server") => Self::Server,
            (b't', 7) if is("trailer") => Self::Hop,
            (b'u', 7) if is("upgrade") => Self::Upgrade,
            (b'c', 10) if is("connection") => Self::Connection,
            (b'k', 10) if is("keep-alive") => Self::Hop,
            (b'c', 14) if is("content-length") => Self::ContentLength,
            (b'h', 14) if is("http2-settings") => Self::Hop,
            (b't', 17) if is("transfer-encoding") => Self::TransferEncoding,
            (b's', 25) if is("strict-transport-security") => Self::StrictTransportSecurity,
            (b'f', 9) if is("forwarded") => Self::Forwarding,
            (b'p', 5) if is("proxy") => Self::Hop,
            (b'p', length) if length > 6 && name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"proxy-")) => Self::Hop,
            (b'x', _) => Self::of_x(name),
            _ => Self::Other,
        }
    }

    fn of_x(name: &[u8]) -> Self {
        let is = |text: &str| name.eq_ignore_ascii_case(text.as_bytes());
        match name.len() {
            8 if is("x-scheme") => Self::Forwarding,
            9 if is("x-real-ip") => Self::Forwarding,
            12 if is("x-request-id") => Self::RequestId,
            14 if is("x-original-uri") => Self::Forwarding,
            15 if is("x-forwarded-for") => Self::ForwardedFor,
            16 if is("x-forwarded-host") => Self::ForwardedHost,
            16 if is("x-forwarded-port") => Self::Forwarding,
            17 if is("x-forwarded-proto") => Self::Forwarding,
            18 if is("x-forwarded-scheme") || is("x-forwarded-server") || is("x-forwarded-prefix") => Self::Forwarding,
            // Says who the client is: backends behind Envoy believe it.
            23 if is("x-forwarded-client-cert") => Self::Forwarding,
            24 if is("x-original-forwarded-for") => Self::Forwarding,
            25 if is("x-original-forwarded-host") => Self::Forwarding,
            _ => Self::Other,
        }
    }

    /// What `Connection` must not name: framing, `Host`, and what we write ourselves.
    fn never_nominated(self) -> bool {
        matches!(
            self,
            Self::Host
                | Self::ContentLength
                | Self::TransferEncoding
                | Self::Expect
                | Self::ForwardedFor
                | Self::ForwardedHost
                | Self::Forwarding
                | Self::RequestId
                | Self::Date
                | Self::Server
        )
    }
}

// === impl Fields ===

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.section = 0;
        self.seen = Set::default();
    }

    /// Whether there is a field of this name. Costs a look at one number.
    #[inline]
    pub fn has(&self, known: Known) -> bool {
        self.seen.has(known)
    }

    /// Whether there is a field of one of these names.
    #[inline]
    pub(crate) fn has_any(&self, names: Set) -> bool {
        self.seen.meets(names)
    }

    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.list.iter()
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn get(&self, at: usize) -> Option<Field> {
        self.list.get(at).copied()
    }

    /// The values of every field of this name, compared without regard to case. Fields that go no further are seen, too, except
    /// ambiguous ones.
    pub fn named<'a, 'n>(&'a self, head: &'a [u8], name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        let same = move |field: &&Field| {
            field.name.len() == name.len() && field.known != Known::Underscore && field.name.of(head).eq_ignore_ascii_case(name.as_bytes())
        };
        self.list.iter().filter(same).map(move |field| field.value.of(head))
    }

    /// Reads field lines up to the empty one; those in `dropped` are marked so. `Some`: where the head ends.
    #[inline]
    pub(crate) fn parse(&mut self, octets: &[u8], lines: &mut Lines, limits: &Limits, dropped: Set) -> Result<Option<usize>, Fault> {
        loop {
            let start = lines.start;
            let budget = limits.section.saturating_sub(self.section);
            let Some(end) = lines.end(octets, budget, Fault::TooManyFields)? else { return Ok(None) };
            if end == start {
                return Ok(Some(end + 2));
            }
            if end > Limits::RAW || self.list.len() == limits.fields {
                return Err(Fault::TooManyFields);
            }
            let mut field = parse_line(octets, start, end)?;
            field.dropped = dropped.has(field.known);
            self.seen.add(field.known);
            self.section += field.name.len() + field.value.len() + 32;
            if self.section > limits.section {
                return Err(Fault::TooManyFields);
            }
            self.list.push(field);
            lines.next(end);
        }
    }

    /// Drops what `Connection: a, b` names. `Err` where it names what it must not.
    pub(crate) fn nominate(&mut self, head: &[u8], token: &[u8]) -> Result<(), Fault> {
        if Known::of(token).never_nominated() {
            return Err(Fault::Nominated);
        }
        for field in &mut self.list {
            if field.name.len() == token.len() && field.name.of(head).eq_ignore_ascii_case(token) {
                field.dropped = true;
            }
        }
        Ok(())
    }
}

/// `name ":" OWS value OWS`, nothing else: no space before the colon, no fold, no control octets.
#[inline]
fn parse_line(octets: &[u8], start: usize, end: usize) -> Result<Field, Fault> {
    let line = octets.get(start..end).unwrap_or_default();
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Fault::Folded);
    }
    let mut underscore = false;
    let colon = line.iter().position(|&octet| {
        underscore |= octet == b'_';
        !token(octet)
    });
    let Some(colon) = colon.filter(|&at| at > 0 && line.get(at) == Some(&b':')) else { return Err(Fault::FieldLine) };
    let (mut from, mut to) = (colon + 1, line.len());
    while from < to && matches!(line.get(from), Some(b' ' | b'\t')) {
        from += 1;
    }
    while to > from && matches!(line.get(to - 1), Some(b' ' | b'\t')) {
        to -= 1;
    }
    let value = line.get(from..to).unwrap_or_default();
    if !is_value(value) {
        return Err(Fault::FieldLine);
    }
    let known = if underscore { Known::Underscore } else { Known::of(line.get(..colon).unwrap_or_default()) };
    let canonical = from == colon + 2 && to == line.len() && line.get(colon + 1) == Some(&b' ');
    Ok(Field { name: Span::new(start, start + colon), value: Span::new(start + from, start + to), known, dropped: false, canonical })
}
