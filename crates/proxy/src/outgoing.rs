//! The head a backend gets.

use crate::heads::Facts;
use crate::spans::{Carried, is_traceparent, value_at};
use filter::Edits;
use http1::{Field, Framing, HeadWriter, Known, NotWritable, RequestHead};
use model::HeaderEdit;
use route::CompiledRoute;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// What every request of one connection says about where it came from, written once.
#[derive(Debug)]
pub(crate) struct Forwarding {
    fields: Vec<(&'static str, String)>,
    block: Vec<u8>,
}

/// A request on its way out.
pub(crate) struct Outgoing<'a> {
    pub head: &'a RequestHead,
    pub octets: &'a [u8],
    pub facts: &'a Facts,
    pub route: &'a CompiledRoute,
    pub edits: &'a Edits,
    /// Canonical, or `*`.
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// As asked for.
    pub authority: &'a str,
    /// Asked for, or the address it was asked at.
    pub host: Cow<'a, str>,
    pub request_id: &'a str,
    pub forwarding: &'a Forwarding,
    /// A field in which nobody who said it may speak for a client.
    pub unheard: Option<&'a str>,
    pub carried: &'a Carried,
}

/// Longest request id that is taken over from a client.
const REQUEST_ID: usize = 128;

// === impl Forwarding ===

impl Forwarding {
    /// `port`: the one users asked for. `scheme`: `http` or `https`. `identity`: who the client has proved to be.
    pub fn new(client: SocketAddr, port: u16, scheme: &'static str, identity: Option<String>) -> Self {
        let ip: IpAddr = client.ip().to_canonical();
        let mut fields = vec![
            ("X-Real-IP", ip.to_string()),
            ("X-Forwarded-For", ip.to_string()),
            ("X-Forwarded-Port", port.to_string()),
            ("X-Forwarded-Proto", scheme.to_owned()),
            ("X-Forwarded-Scheme", scheme.to_owned()),
            ("X-Scheme", scheme.to_owned()),
        ];
        fields.extend(identity.map(|identity| ("X-Forwarded-Client-Cert", identity)));
        Self::of(fields)
    }

    /// The same for a client that somebody else speaks for. `all`: the addresses it came by. `port`: another one than the connection's.
    pub fn of_client(&self, client: IpAddr, all: Option<Vec<u8>>, port: Option<u16>, scheme: &'static str) -> Self {
        let all = all.and_then(|it| String::from_utf8(it).ok());
        let field = |(name, value): &(&'static str, String)| {
            let value = match *name {
                "X-Real-IP" => client.to_string(),
                "X-Forwarded-For" => all.clone().unwrap_or_else(|| client.to_string()),
                "X-Forwarded-Port" => port.map_or_else(|| value.clone(), |it| it.to_string()),
                "X-Forwarded-Proto" | "X-Forwarded-Scheme" | "X-Scheme" => scheme.to_owned(),
                _ => value.clone(),
            };
            (*name, value)
        };
        Self::of(self.fields.iter().map(field).collect())
    }

    fn of(fields: Vec<(&'static str, String)>) -> Self {
        let mut block = Vec::with_capacity(192);
        let mut writer = HeadWriter::new(&mut block);
        for (name, value) in &fields {
            writer.own(name, value.as_bytes());
        }
        Self { fields, block }
    }
}

// === impl Outgoing ===

impl Outgoing<'_> {
    /// Returns where in it the value of `traceparent` stands, if it has one of ours.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<Option<usize>, NotWritable> {
        let mut place = None;
        let method = self.head.method_name(self.octets);
        let edited = self.edits.request_headers(self.route).next().is_some();
        let mut writer = HeadWriter::new(out);
        match self.edits.target() {
            Some(target) => writer.request_line(method, target, None)?,
            None => writer.request_line(method, self.path, self.query)?,
        }
        match self.edits.host(self.route) {
            Some(host) => writer.field("Host", host.as_bytes())?,
            None => writer.own("Host", self.host.as_bytes()),
        }
        if edited {
            self.edited_fields(&mut writer, &mut place)?;
        } else {
            writer.fields(self.octets, &self.head.fields, |field| self.is_heard(field));
            place = self.write_forwarding(&mut writer);
        }
        self.framing(&mut writer);
        writer.end();
        Ok(place)
    }

    /// Fields as received and as we add them, less those that an edit replaces or removes; then what edits set and add.
    fn edited_fields(&self, writer: &mut HeadWriter<'_>, place: &mut Option<usize>) -> Result<(), NotWritable> {
        let edits = || self.edits.request_headers(self.route);
        let untouched = |name: &[u8]| !edits().any(|edit| replaces(edit, name));
        writer.fields(self.octets, &self.head.fields, |field| self.is_heard(field) && untouched(field.name.of(self.octets)));
        for (name, value) in &self.forwarding.fields {
            if untouched(name.as_bytes()) {
                writer.own(name, value.as_bytes());
            }
        }
        if !self.authority.is_empty() && untouched(b"x-forwarded-host") {
            writer.own("X-Forwarded-Host", self.authority.as_bytes());
        }
        if untouched(b"x-request-id") {
            writer.own("X-Request-ID", self.request_id.as_bytes());
        }
        self.originals(|name, value| {
            if untouched(name.as_bytes()) {
                writer.own(name, value);
            }
        });
        self.carried.fields(|name, value| {
            if untouched(name.as_bytes()) {
                *place = is_traceparent(name).then(|| value_at(writer.position())).or(*place);
                writer.own(name, value);
            }
        });
        write_edits(writer, edits)
    }

    /// Where it came from, and who it is. Returns where the value of `traceparent` stands, if there is one of ours.
    pub fn write_forwarding(&self, writer: &mut HeadWriter<'_>) -> Option<usize> {
        writer.raw(&self.forwarding.block);
        if !self.authority.is_empty() {
            writer.own("X-Forwarded-Host", self.authority.as_bytes());
        }
        writer.own("X-Request-ID", self.request_id.as_bytes());
        self.originals(|name, value| writer.own(name, value));
        let mut place = None;
        self.carried.fields(|name, value| {
            place = is_traceparent(name).then(|| value_at(writer.position())).or(place);
            writer.own(name, value);
        });
        place
    }

    /// Whether what somebody said in a field may go on.
    pub fn is_heard(&self, field: &Field) -> bool {
        let name = || field.name.of(self.octets);
        self.unheard.is_none_or(|it| !name().eq_ignore_ascii_case(it.as_bytes())) && !self.carried.replaces(name)
    }

    /// What clients said about forwarding: kept under other names.
    fn originals(&self, mut write: impl FnMut(&'static str, &[u8])) {
        for (known, name) in [(Known::ForwardedFor, "X-Original-Forwarded-For"), (Known::ForwardedHost, "X-Original-Forwarded-Host")] {
            if self.head.fields.has(known) {
                let said = self.head.fields.iter().filter(|field| field.known == known);
                write(name, &joined(said.map(|field| field.value.of(self.octets))));
            }
        }
    }

    fn framing(&self, writer: &mut HeadWriter<'_>) {
        match self.facts.framing {
            Framing::Length(length) => writer.number("Content-Length", length),
            Framing::Chunked => writer.own("Transfer-Encoding", b"chunked"),
            Framing::None | Framing::Close => {}
        }
        if self.facts.expects_continue {
            writer.own("Expect", b"100-continue");
        }
        if self.facts.websocket {
            writer.own("Connection", b"Upgrade");
            writer.own("Upgrade", b"websocket");
        }
    }
}

/// Several fields of one name are one list.
pub(crate) fn joined<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(value);
    }
    out
}

/// Whether fields of this name that were there before the edit are gone after it.
pub(crate) fn replaces(edit: &HeaderEdit, name: &[u8]) -> bool {
    match edit {
        HeaderEdit::Set { name: edited, .. } | HeaderEdit::Remove { name: edited } => name.eq_ignore_ascii_case(edited.as_bytes()),
        HeaderEdit::Add { .. } => false,
    }
}

/// Writes what edits set and add, unless a later edit takes it back. Framing and hop-by-hop fields are ours alone.
pub(crate) fn write_edits<'e, E>(writer: &mut HeadWriter<'_>, edits: impl Fn() -> E) -> Result<(), NotWritable>
where
    E: Iterator<Item = &'e HeaderEdit>,
{
    for (at, edit) in edits().enumerate() {
        let (HeaderEdit::Set { name, value } | HeaderEdit::Add { name, value }) = edit else { continue };
        let taken_back = edits().skip(at + 1).any(|later| replaces(later, name.as_bytes()));
        if !taken_back && !guarded(name) {
            writer.field(name, value.as_bytes())?;
        }
    }
    Ok(())
}

fn guarded(name: &str) -> bool {
    const OURS: [&str; 8] = ["host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"];
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

/// A client's own request id, if it is one that logs can hold; else 32 hexadecimal digits.
pub(crate) fn request_id(out: &mut String, head: &RequestHead, octets: &[u8], rng: &mut fastrand::Rng) {
    let good = |value: &&[u8]| {
        !value.is_empty()
            && value.len() <= REQUEST_ID
            && value.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-._~:/+=@".contains(octet))
    };
    if !head.fields.has(Known::RequestId) {
        return hexadecimal(out, rng.u128(..));
    }
    let mut given = head.fields.iter().filter(|field| field.known == Known::RequestId);
    match (given.next().map(|field| field.value.of(octets)).filter(good), given.next()) {
        (Some(value), None) => out.extend(value.iter().copied().map(char::from)),
        _ => hexadecimal(out, rng.u128(..)),
    }
}

fn hexadecimal(out: &mut String, number: u128) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0_u8; 32];
    let mut rest = number;
    for octet in text.iter_mut().rev() {
        *octet = DIGITS[(rest & 15) as usize];
        rest >>= 4;
    }
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}
