//! Lines of the access log in a form of a gateway's own.
//!
//! **Invariant:** whatever a client, a backend or the format's author wrote, a line ends where it ends: what is no visible ASCII is escaped, or
//! left out. Within [`Named`](model::LogLine::Named) it cannot pass for another gateway's either.

use crate::json::{self, Object};
use crate::{Exchange, RouteRef};
use model::{LogEscape, LogFormat, LogPart, LogValue};
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

/// What a line in a form of its own tells, beside what every line does.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    pub format: &'a LogFormat,
    pub heard: &'a Heard,
    /// The one users asked for.
    pub port: u16,
    /// As the client has it.
    pub client_scheme: &'a str,
    /// Octets of the request's head.
    pub head: u64,
    /// From the last try until the end.
    pub endpoint: Option<Duration>,
}

/// What of a request's head its line will tell, kept until it is written. The memory is reused.
#[derive(Debug, Default)]
pub struct Heard {
    octets: Vec<u8>,
    /// In the order of the format; `None`: it is not there.
    parts: Vec<Option<(usize, usize)>>,
}

// === impl Heard ===

impl Heard {
    pub fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(4096);
        self.parts.clear();
    }

    /// Takes note of all that the format asks of a head. `of` appends a value, and says whether there is one.
    pub fn hear(&mut self, format: &LogFormat, mut of: impl FnMut(&LogValue, &mut Vec<u8>) -> bool) {
        self.clear();
        for value in format.values().filter(|it| is_heard(it)) {
            let from = self.octets.len();
            let there = of(value, &mut self.octets);
            self.parts.push(there.then_some((from, self.octets.len())));
        }
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        let (from, to) = self.parts.get(at).copied().flatten()?;
        self.octets.get(from..to)
    }
}

/// Whether a value stands in the request's head alone.
fn is_heard(value: &LogValue) -> bool {
    matches!(value, LogValue::User | LogValue::Target | LogValue::Header(_) | LogValue::Cookie(_))
}

/// Appends the line, with its end.
pub(crate) fn write(out: &mut Vec<u8>, it: &Exchange<'_>, own: &Own<'_>) {
    Line { it, own, heard: 0 }.write(out);
    out.push(b'\n');
}

/// The line within an object that says whose it is.
pub(crate) fn fill(object: &mut Object<'_>, it: &Exchange<'_>, own: &Own<'_>) {
    let mut text = Vec::with_capacity(256);
    Line { it, own, heard: 0 }.write(&mut text);
    object.text("gateway", it.gateway.as_bytes());
    object.text("line", &text);
}

struct Line<'a> {
    it: &'a Exchange<'a>,
    own: &'a Own<'a>,
    /// So many of the values that were heard have been written.
    heard: usize,
}

// === impl Line ===

impl Line<'_> {
    fn write(&mut self, out: &mut Vec<u8>) {
        for part in &self.own.format.parts {
            match part {
                LogPart::Text(text) => out.extend(text.bytes().filter(|it| !it.is_ascii_control())),
                LogPart::Value(value) => {
                    let before = out.len();
                    if !self.value(value, out) {
                        out.truncate(before);
                        self.nothing(out);
                    }
                }
            }
        }
    }

    fn nothing(&self, out: &mut Vec<u8>) {
        if self.own.format.escape == LogEscape::Hexadecimal {
            out.push(b'-');
        }
    }

    /// `false`: there is none.
    fn value(&mut self, value: &LogValue, out: &mut Vec<u8>) -> bool {
        if is_heard(value) {
            self.heard += 1;
            return self.own.heard.get(self.heard - 1).is_some_and(|it| self.text(out, it));
        }
        let it = self.it;
        match value {
            LogValue::Client => plain(out, it.forwarded.unwrap_or_else(|| it.client.ip().to_canonical())),
            LogValue::Peer => plain(out, it.client.ip().to_canonical()),
            LogValue::PeerPort => plain(out, it.client.port()),
            LogValue::TimeLocal => self.time(out, "%d/%b/%Y:%H:%M:%S +0000"),
            LogValue::TimeIso => self.time(out, "%Y-%m-%dT%H:%M:%S+00:00"),
            LogValue::TimeSeconds => seconds(out, it.time.duration_since(UNIX_EPOCH).unwrap_or_default()),
            LogValue::RequestLine => self.request_line(out),
            LogValue::Method => self.text(out, it.method),
            LogValue::Path => self.text(out, it.path),
            LogValue::Query => it.query.is_some_and(|query| self.text(out, query)),
            LogValue::QueryMark => {
                out.extend(it.query.filter(|it| !it.is_empty()).map(|_| b'?'));
                true
            }
            LogValue::Protocol => plain(out, it.protocol),
            LogValue::Scheme => plain(out, it.scheme),
            LogValue::ClientScheme => plain(out, self.own.client_scheme),
            LogValue::Host => self.text(out, it.host),
            LogValue::Port => plain(out, self.own.port),
            LogValue::Status => plain(out, if it.status == 0 { 499 } else { it.status }),
            LogValue::BodySent => plain(out, it.bytes_out),
            LogValue::RequestLength => plain(out, it.bytes_in + self.own.head),
            LogValue::Duration => seconds(out, it.duration),
            LogValue::RequestId => self.text(out, it.request_id),
            LogValue::Parameter(name) => it.query.and_then(|query| parameter(query, name.as_bytes())).is_some_and(|it| self.text(out, it)),
            LogValue::Namespace => it.route.is_some_and(|RouteRef(source)| self.text(out, source.object.namespace.as_bytes())),
            LogValue::Object => it.route.is_some_and(|RouteRef(source)| self.text(out, source.object.name.as_bytes())),
            LogValue::Service | LogValue::ServicePort | LogValue::Backend => self.backend(value, out),
            _ => self.endpoint(value, out),
        }
    }

    fn request_line(&self, out: &mut Vec<u8>) -> bool {
        let it = self.it;
        if it.method.is_empty() {
            return false;
        }
        self.text(out, it.method);
        out.push(b' ');
        self.text(out, it.path);
        if let Some(query) = it.query {
            out.push(b'?');
            self.text(out, query);
        }
        out.push(b' ');
        plain(out, it.protocol)
    }

    /// A backend's id is `NAMESPACE/NAME:PORT`, and what tells it from others of that name.
    fn backend(&self, value: &LogValue, out: &mut Vec<u8>) -> bool {
        let Some((namespace, rest)) = self.it.backend.and_then(|it| it.split_once('/')) else { return false };
        let Some((name, port)) = rest.split_once(':') else { return false };
        let port = port.split(['/', '~']).next().unwrap_or_default();
        match value {
            LogValue::Service => self.text(out, name.as_bytes()),
            LogValue::ServicePort => self.text(out, port.as_bytes()),
            _ => self.text(out, format!("{namespace}-{name}-{port}").as_bytes()),
        }
    }

    fn endpoint(&self, value: &LogValue, out: &mut Vec<u8>) -> bool {
        let Some(upstream) = &self.it.upstream else { return false };
        let answered = self.it.reason.is_none();
        match value {
            LogValue::Endpoint => plain(out, upstream.address),
            LogValue::EndpointStatus if answered => plain(out, self.it.status),
            LogValue::EndpointSent if answered => plain(out, self.it.bytes_out),
            LogValue::EndpointConnect => seconds(out, upstream.connect.unwrap_or_default()),
            LogValue::EndpointHead => upstream.header.is_some_and(|it| seconds(out, it)),
            LogValue::EndpointDuration => self.own.endpoint.is_some_and(|it| seconds(out, it)),
            _ => false,
        }
    }

    fn time(&self, out: &mut Vec<u8>, format: &str) -> bool {
        let since = self.it.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = i64::try_from(since.as_secs()).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
        time.is_some_and(|it| plain(out, it.strftime(format)))
    }

    /// What somebody else chose. Nothing at all counts as missing.
    fn text(&self, out: &mut Vec<u8>, value: &[u8]) -> bool {
        match self.own.format.escape {
            LogEscape::Json => json::inner(out, value),
            LogEscape::Hexadecimal => value.iter().for_each(|it| hexadecimal(out, *it)),
        }
        !value.is_empty()
    }
}

fn hexadecimal(out: &mut Vec<u8>, octet: u8) {
    match octet {
        b'"' | b'\\' | ..=0x1f | 0x7f.. => plain(out, format_args!("\\x{octet:02X}")),
        _ => {
            out.push(octet);
            true
        }
    };
}

/// What needs no escaping.
fn plain(out: &mut Vec<u8>, value: impl std::fmt::Display) -> bool {
    write!(out, "{value}").is_ok()
}

fn seconds(out: &mut Vec<u8>, duration: Duration) -> bool {
    plain(out, format_args!("{}.{:03}", duration.as_secs(), duration.subsec_millis()))
}

/// The first of that name.
fn parameter<'a>(query: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut pairs = query.split(|it| *it == b'&');
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests;
