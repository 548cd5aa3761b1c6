//! The head a client gets: a backend's answer, or one of our own.

use crate::date::Date;
use crate::heads::Facts;
use crate::outgoing::{replaces, write_edits};
use filter::Edits;
use http1::{Field, Framing, HeadWriter, Known, Method, NotWritable, ResponseHead, Version};
use model::{Reason, Replies, ReplyBody, Scheme, ServerHeader, Text};
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
    pub hsts: Option<String>,
}

// === impl Forwarded ===

impl Forwarded<'_> {
    /// A final answer.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), NotWritable> {
        let mut writer = HeadWriter::new(out);
        writer.status_line(self.head.status, self.head.reason(self.octets));
        let server = &self.route.replies().server;
        let edited = self.facts.answer_edited;
        let hsts = if edited { self.edits.hsts(self.route).filter(|_| self.scheme == Scheme::Https) } else { None };
        let edits = || self.edits.response_headers(self.route);
        writer.fields(self.octets, &self.head.fields, |field| match field.known {
            Known::Server if *server != ServerHeader::Keep => false,
            Known::StrictTransportSecurity if hsts.is_some() => false,
            _ => !edited || !edits().any(|edit| replaces(edit, field.name.of(self.octets))),
        });
        if let ServerHeader::Set(text) = server {
            writer.field("Server", text.as_bytes())?;
        }
        if let Some(hsts) = hsts {
            writer.field("Strict-Transport-Security", hsts.as_bytes())?;
        }
        if edited {
            write_edits(&mut writer, edits)?;
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
        Self { status, reason, location: None, body: None, replies: replies.clone(), hsts: None }
    }

    /// The whole answer. `facts: None`: the request was not understood.
    pub fn write(&self, out: &mut Vec<u8>, facts: Option<&Facts>, kept: Persistence, date: &Date) {
        let text = match (&self.body, self.replies.body) {
            (Some(body), _) => body.to_string(),
            (None, ReplyBody::Text) => format!("{} {}: {}\n", self.status, phrase(self.status), self.reason),
            (None, ReplyBody::Empty) => String::new(),
        };
        let bodiless = matches!(self.status, 204 | 304);
        let mut writer = HeadWriter::new(out);
        writer.status_line(self.status, phrase(self.status).as_bytes());
        date.with(|date| writer.own("Date", date.as_bytes()));
        if let ServerHeader::Set(server) = &self.replies.server {
            // Not writable: left out, as an answer without it is better than none.
            let _ = writer.field("Server", server.as_bytes());
        }
        if let Some(location) = &self.location {
            let _ = writer.field("Location", location.as_bytes());
        }
        if let Some(hsts) = &self.hsts {
            let _ = writer.field("Strict-Transport-Security", hsts.as_bytes());
        }
        writer.own("x-paifang-reason", self.reason.word().as_bytes());
        if self.status == 405 {
            writer.own("Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        }
        if !bodiless {
            if !text.is_empty() {
                writer.own("Content-Type", b"text/plain; charset=utf-8");
            }
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
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
