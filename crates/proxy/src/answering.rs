//! The head a client gets: a backend's answer, or one of our own.

use crate::date::Date;
use crate::heads::Facts;
use crate::outgoing::{replaces, write_edits};
use filter::{Edits, Permission};
use http1::{Field, Framing, HeadWriter, Known, Method, NotWritable, ResponseHead, Version};
use model::{HeaderEdit, Reason, Replies, ReplyBody, Scheme, ServerHeader, Text};
use route::CompiledRoute;

/// Whether the client's connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    Keep,
    Close,
}

/// A backend's answer on its way to the client.
pub(crate) struct Forwarded<'a> {
    pub head: &'a ResponseHead,
    pub octets: &'a [u8],
    pub facts: &'a Facts,
    pub route: &'a CompiledRoute,
    pub edits: &'a Edits,
    pub scheme: Scheme,
    pub framing: Framing,
    pub persistence: Persistence,
}

/// An answer of our own.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub status: u16,
    pub reason: Reason,
    pub location: Option<String>,
    pub body: Option<Text>,
    pub replies: Replies,
    /// Further fields.
    pub fields: Vec<(&'static str, String)>,
}

/// What a route's filters do to an answer's head.
pub(crate) struct Edited<'a> {
    pub edits: &'a Edits,
    pub route: &'a CompiledRoute,
    pub scheme: Scheme,
}

// === impl Edited ===

impl Edited<'_> {
    fn headers(&self) -> impl Iterator<Item = &HeaderEdit> {
        self.edits.response_headers(self.route)
    }

    fn hsts(&self) -> Option<&str> {
        self.edits.hsts(self.route).filter(|_| self.scheme == Scheme::Https)
    }

    /// Whether a field of this name gives way to what an edit sets, or goes.
    fn replaces(&self, name: &[u8]) -> bool {
        self.headers().any(|edit| replaces(edit, name))
    }

    /// What is set in place of the backend's, and what edits set and add.
    fn write(&self, writer: &mut HeadWriter<'_>) -> Result<(), NotWritable> {
        if let Some(hsts) = self.hsts() {
            writer.field("Strict-Transport-Security", hsts.as_bytes())?;
        }
        if let Some(permission) = self.edits.permission(self.route) {
            write_permission(writer, &permission)?;
        }
        write_edits(writer, || self.headers())
    }
}

fn write_permission(writer: &mut HeadWriter<'_>, permission: &Permission<'_>) -> Result<(), NotWritable> {
    writer.field("Access-Control-Allow-Origin", permission.origin.as_bytes())?;
    if permission.credentials {
        writer.own("Access-Control-Allow-Credentials", b"true");
    }
    if let Some(expose) = permission.expose() {
        writer.field("Access-Control-Expose-Headers", expose.as_bytes())?;
    }
    writer.own("Vary", b"Origin");
    Ok(())
}

// === impl Forwarded ===

impl Forwarded<'_> {
    /// A final answer.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), NotWritable> {
        let mut writer = HeadWriter::new(out);
        writer.status_line(self.head.status, self.head.reason(self.octets));
        let edited = self.facts.answer_edited.then_some(Edited { edits: self.edits, route: self.route, scheme: self.scheme });
        let hsts = edited.as_ref().is_some_and(|it| it.hsts().is_some());
        let permission = edited.as_ref().is_some_and(|it| it.edits.permission(it.route).is_some());
        let server = &self.route.replies().server;
        write_server(&mut writer, server, edited.as_ref())?;
        writer.fields(self.octets, &self.head.fields, |field| {
            let name = || field.name.of(self.octets);
            match field.known {
                Known::Server if *server != ServerHeader::Keep => false,
                Known::StrictTransportSecurity if hsts => false,
                _ if permission && Permission::REPLACES.iter().any(|it| name().eq_ignore_ascii_case(it.as_bytes())) => false,
                _ => edited.as_ref().is_none_or(|it| !it.replaces(name())),
            }
        });
        if let Some(edited) = &edited {
            edited.write(&mut writer)?;
        }
        match (self.framing, self.head.length) {
            (Framing::Length(length), _) => writer.number("Content-Length", length),
            (Framing::Chunked, _) => writer.own("Transfer-Encoding", b"chunked"),
            // What GET would have: HEAD and 304 say it, and nothing follows.
            (Framing::None, Some(length)) if self.head.status != 204 => writer.number("Content-Length", length),
            (Framing::None | Framing::Close, _) => {}
        }
        persistence(&mut writer, self.facts, self.persistence);
        writer.end();
        Ok(())
    }
}

/// Before all other fields, in lower case: scripts look at the line behind the status.
fn write_server(writer: &mut HeadWriter<'_>, server: &ServerHeader, edited: Option<&Edited<'_>>) -> Result<(), NotWritable> {
    match server {
        ServerHeader::Set(text) if edited.is_none_or(|it| !it.replaces(b"server")) => writer.field("server", text.as_bytes()),
        ServerHeader::Set(_) | ServerHeader::Keep | ServerHeader::Remove => Ok(()),
    }
}

/// 100 or 103.
pub(crate) fn write_interim(out: &mut Vec<u8>, head: &ResponseHead, octets: &[u8], route: &CompiledRoute) {
    let mut writer = HeadWriter::new(out);
    writer.status_line(head.status, head.reason(octets));
    if head.status != 100 {
        writer.fields(octets, &head.fields, |field| shown(field, route));
    }
    writer.end();
}

/// 101: the connection is WebSocket's from here on.
pub(crate) fn write_switch(out: &mut Vec<u8>, head: &ResponseHead, octets: &[u8], route: &CompiledRoute) {
    let mut writer = HeadWriter::new(out);
    writer.status_line(101, head.reason(octets));
    writer.fields(octets, &head.fields, |field| shown(field, route));
    writer.own("Connection", b"Upgrade");
    writer.own("Upgrade", b"websocket");
    writer.end();
}

fn shown(field: &Field, route: &CompiledRoute) -> bool {
    field.known != Known::Server || route.replies().server == ServerHeader::Keep
}

/// How a body goes on, given how it came: HTTP/1.0 knows no chunks.
pub(crate) fn framing_for(client: Version, came: Framing) -> Framing {
    match (came, client) {
        (Framing::Chunked | Framing::Close, Version::Http11) => Framing::Chunked,
        (Framing::Chunked | Framing::Close, Version::Http10) => Framing::Close,
        (known, _) => known,
    }
}

// === impl Local ===

impl Local {
    pub fn new(status: u16, reason: Reason, replies: &Replies) -> Self {
        Self { status, reason, location: None, body: None, replies: replies.clone(), fields: Vec::new() }
    }

    /// The whole answer. `facts: None`: the request was not understood.
    pub fn write(&self, out: &mut Vec<u8>, facts: Option<&Facts>, kept: Persistence, date: &Date, edited: Option<&Edited<'_>>) {
        let text = match (&self.body, self.replies.body) {
            (Some(body), _) => body.to_string(),
            (None, ReplyBody::Text) => format!("{} {}: {}\n", self.status, phrase(self.status), self.reason),
            (None, ReplyBody::Empty) => String::new(),
        };
        let bodiless = matches!(self.status, 204 | 304);
        let untouched = |name: &str| edited.is_none_or(|it| !it.replaces(name.as_bytes()));
        let mut writer = HeadWriter::new(out);
        writer.status_line(self.status, phrase(self.status).as_bytes());
        // What is not writable is left out here and below: an answer without it is better than none.
        let _ = write_server(&mut writer, &self.replies.server, edited);
        date.with(|date| writer.own("Date", date.as_bytes()));
        if let Some(location) = &self.location {
            let _ = writer.field("Location", location.as_bytes());
        }
        for (name, value) in &self.fields {
            let _ = writer.field(name, value.as_bytes());
        }
        if untouched("x-paifang-reason") {
            writer.own("x-paifang-reason", self.reason.word().as_bytes());
        }
        if self.status == 405 {
            writer.own("Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        }
        if !bodiless && !text.is_empty() && untouched("content-type") {
            writer.own("Content-Type", b"text/plain; charset=utf-8");
        }
        if let Some(edited) = edited {
            let _ = edited.write(&mut writer);
        }
        if !bodiless {
            writer.number("Content-Length", text.len() as u64);
        }
        match facts {
            Some(facts) => persistence(&mut writer, facts, kept),
            None => writer.own("Connection", b"close"),
        }
        writer.end();
        if !bodiless && facts.is_none_or(|facts| facts.method != Method::Head) {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn persistence(writer: &mut HeadWriter<'_>, facts: &Facts, persistence: Persistence) {
    match (persistence, facts.version) {
        (Persistence::Close, _) => writer.own("Connection", b"close"),
        (Persistence::Keep, Version::Http10) => writer.own("Connection", b"keep-alive"),
        (Persistence::Keep, Version::Http11) => {}
    }
}

/// RFC 9110 15, what a gateway says by itself.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        511 => "Network Authentication Required",
        _ => "",
    }
}
