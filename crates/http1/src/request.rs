//! Request heads.

use crate::connection::Said;
use crate::field::{Fields, Known, Set, Span};
use crate::framing::{Framing, declared};
use crate::host::authority;
use crate::line::Lines;
use crate::octet::{is_token, target};
use crate::{Fault, Limits};

/// One request head. Parsed piece by piece as octets arrive; cleared and used again for the next request.
#[derive(Debug, Default)]
pub struct RequestHead {
    lines: Lines,
    stage: Stage,
    line: RequestLine,
    pub fields: Fields,
    host: String,
    pub port: Option<u16>,
    pub framing: Framing,
    /// What the client wishes for its connection; the gateway may still close it.
    pub keep_alive: bool,
    /// `Expect: 100-continue`, and a body.
    pub expects_continue: bool,
    /// A well-formed request to switch to WebSocket.
    pub websocket: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Start,
    /// One empty line came before.
    AfterEmptyLine,
    Fields,
}

#[derive(Clone, Copy, Debug, Default)]
struct RequestLine {
    name: Span,
    method: Method,
    version: Version,
    target: Span,
    path: Span,
    query: Option<Span>,
    form: Form,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Path,
    Asterisk,
}

/// Methods that mean something to the gateway itself; every other token is forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Get,
    Head,
    Options,
    /// PUT, DELETE: may be sent twice.
    Idempotent,
    /// POST, PATCH and everything unknown: never sent twice.
    Other,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    Http10,
    #[default]
    Http11,
}

/// The scheme of the connection; an absolute target must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Not yet canonical. The query is without its `?`.
    Path { path: &'a [u8], query: Option<&'a [u8]> },
    /// `OPTIONS *`.
    Asterisk,
}

// === impl Method ===

impl Method {
    fn of(name: &[u8]) -> Result<Self, Fault> {
        Ok(match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"OPTIONS" => Self::Options,
            b"PUT" | b"DELETE" => Self::Idempotent,
            b"TRACE" | b"CONNECT" => return Err(Fault::MethodRefused),
            _ => Self::Other,
        })
    }

    /// RFC 9110 9.2.2.
    pub fn idempotent(self) -> bool {
        !matches!(self, Self::Other)
    }
}

// === impl RequestHead ===

impl RequestHead {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn clear(&mut self) {
        self.lines = Lines::default();
        self.stage = Stage::Start;
        self.fields.clear();
        self.host.clear();
        self.port = None;
    }

    /// Reads on where the last call stopped. `octets` begin where the head begins, and hold at least what earlier calls saw. `Some`: how long
    /// the head is; the body begins behind it.
    pub fn parse(&mut self, octets: &[u8], scheme: Scheme) -> Result<Option<usize>, Fault> {
        let limits = Limits::REQUEST;
        while self.stage != Stage::Fields {
            let Some(end) = self.lines.end(octets, limits.start_line, Fault::StartLineTooLong)? else { return Ok(None) };
            if end == self.lines.start {
                if self.stage == Stage::AfterEmptyLine {
                    return Err(Fault::StartLine);
                }
                self.stage = Stage::AfterEmptyLine;
            } else {
                self.line = RequestLine::parse(octets, self.lines.start, end)?;
                self.stage = Stage::Fields;
            }
            self.lines.next(end);
        }
        let Some(length) = self.fields.parse(octets, &mut self.lines, &limits, DROPPED)? else { return Ok(None) };
        self.understand(octets, scheme)?;
        Ok(Some(length))
    }

    /// Whether nothing of a head has arrived: what a kept connection may wait in for long.
    pub fn untouched(&self) -> bool {
        self.stage == Stage::Start && self.lines.start == 0
    }

    pub fn method(&self) -> Method {
        self.line.method
    }

    /// The method as it came. A token, hence text.
    pub fn method_name<'a>(&self, head: &'a [u8]) -> &'a str {
        std::str::from_utf8(self.line.name.of(head)).unwrap_or_default()
    }

    pub fn version(&self) -> Version {
        self.line.version
    }

    pub fn target<'a>(&self, head: &'a [u8]) -> Target<'a> {
        match self.line.form {
            Form::Asterisk => Target::Asterisk,
            // An absolute target may lack its path: `http://a` means `http://a/`.
            Form::Path if self.line.path.is_empty() => Target::Path { path: b"/", query: self.line.query.map(|query| query.of(head)) },
            Form::Path => Target::Path { path: self.line.path.of(head), query: self.line.query.map(|query| query.of(head)) },
        }
    }

    /// Path and query as sent, without scheme and authority.
    pub fn raw_target<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        match self.line.form {
            Form::Asterisk => b"*",
            Form::Path => Span { start: self.line.path.start, end: self.line.target.end }.of(head),
        }
    }

    /// Lower case, no port, no trailing dot. Empty where an HTTP/1.0 request names none.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The rules that need the whole head.
    fn understand(&mut self, head: &[u8], scheme: Scheme) -> Result<(), Fault> {
        self.line.method = Method::of(self.line.name.of(head))?;
        let from_target = self.line.split_target(head, scheme)?;
        self.read_host(head, from_target)?;
        let declared = declared(&self.fields, head, self.line.version)?;
        self.framing = match (declared.chunked, declared.length) {
            (true, _) => Framing::Chunked,
            (false, None | Some(0)) => Framing::None,
            (false, Some(length)) => Framing::Length(length),
        };
        // A body of no octets is still one to an origin that asks for a length.
        if declared.length == Some(0) {
            self.framing = Framing::Length(0);
        }
        self.read_connection(head)
    }

    fn read_host(&mut self, head: &[u8], from_target: Option<Span>) -> Result<(), Fault> {
        let mut hosts = self.fields.iter().filter(|field| field.known == Known::Host);
        let (first, second) = (hosts.next(), hosts.next());
        let named = match first {
            _ if second.is_some() => return Err(Fault::Host),
            Some(field) => Some(authority(field.value.of(head))?),
            None if self.line.version == Version::Http10 => None,
            None => return Err(Fault::Host),
        };
        let meant = match from_target {
            Some(span) => Some(authority(span.of(head))?),
            None => named,
        };
        if let Some(meant) = meant {
            self.host.extend(meant.host.iter().map(|octet| char::from(octet.to_ascii_lowercase())));
            self.port = meant.port;
        }
        Ok(())
    }

    /// Hop-by-hop fields: what they ask for.
    fn read_connection(&mut self, head: &[u8]) -> Result<(), Fault> {
        let modern = self.line.version == Version::Http11;
        (self.keep_alive, self.expects_continue, self.websocket) = (modern, false, false);
        if !self.fields.has_any(CONNECTION) {
            return Ok(());
        }
        let mut said = Said::default();
        for at in 0..self.fields.len() {
            let Some(field) = self.fields.get(at) else { break };
            let value = field.value.of(head);
            match field.known {
                Known::Connection => said.read(value, |token| self.fields.nominate(head, token))?,
                Known::Upgrade => said.read_upgrade(value),
                Known::Expect if modern && !value.eq_ignore_ascii_case(b"100-continue") => return Err(Fault::Expect),
                _ => {}
            }
        }
        let bodiless = matches!(self.framing, Framing::None | Framing::Length(0));
        self.keep_alive = !said.close && (modern || said.keep);
        self.expects_continue = modern && self.fields.has(Known::Expect) && !bodiless;
        self.websocket = modern && said.websocket() && self.line.method == Method::Get && bodiless;
        Ok(())
    }
}

/// They end here, are ambiguous, or are written anew.
const DROPPED: Set = Set::of(&[
    Known::Host,
    Known::ContentLength,
    Known::TransferEncoding,
    Known::Connection,
    Known::Hop,
    Known::Te,
    Known::Upgrade,
    Known::Expect,
    Known::ForwardedFor,
    Known::ForwardedHost,
    Known::Forwarding,
    Known::RequestId,
    Known::Underscore,
]);

const CONNECTION: Set = Set::of(&[Known::Connection, Known::Upgrade, Known::Expect]);

// === impl RequestLine ===

impl RequestLine {
    /// `method SP target SP HTTP-version`, single spaces.
    #[inline]
    fn parse(octets: &[u8], start: usize, end: usize) -> Result<Self, Fault> {
        let line = octets.get(start..end).unwrap_or_default();
        let space = memchr::memchr(b' ', line).ok_or(Fault::StartLine)?;
        let (name, rest) = line.split_at_checked(space).ok_or(Fault::StartLine)?;
        let rest = rest.get(1..).unwrap_or_default();
        if !is_token(name) {
            return Err(Fault::StartLine);
        }
        let space = memchr::memchr(b' ', rest).ok_or(Fault::StartLine)?;
        let (asked, version) = rest.split_at_checked(space).ok_or(Fault::StartLine)?;
        let version = Version::of(version.get(1..).unwrap_or_default())?;
        if asked.is_empty() || !asked.iter().all(|&octet| target(octet)) {
            return Err(Fault::StartLine);
        }
        let at = start + name.len() + 1;
        Ok(Self { name: Span::new(start, start + name.len()), version, target: Span::new(at, at + asked.len()), ..Self::default() })
    }

    /// Tells the four forms apart (RFC 9112 3.2). `Some`: the authority of an absolute target.
    fn split_target(&mut self, head: &[u8], scheme: Scheme) -> Result<Option<Span>, Fault> {
        let whole = self.target.of(head);
        if memchr::memchr(b'#', whole).is_some() {
            return Err(Fault::Target);
        }
        if whole == b"*" {
            self.form = Form::Asterisk;
            return if self.method == Method::Options { Ok(None) } else { Err(Fault::Target) };
        }
        let start = self.target.start as usize;
        let (authority, path_at) = if whole.first() == Some(&b'/') {
            (None, 0)
        } else {
            let prefix = match scheme {
                Scheme::Http => &b"http://"[..],
                Scheme::Https => b"https://",
            };
            let same = whole.get(..prefix.len()).is_some_and(|given| given.eq_ignore_ascii_case(prefix));
            let rest = whole.get(prefix.len()..).filter(|_| same).ok_or(Fault::Target)?;
            let end = rest.iter().position(|octet| matches!(octet, b'/' | b'?')).unwrap_or(rest.len());
            (Some(Span::new(start + prefix.len(), start + prefix.len() + end)), prefix.len() + end)
        };
        let query_at = memchr::memchr(b'?', whole.get(path_at..).unwrap_or_default()).map(|at| path_at + at);
        self.path = Span::new(start + path_at, start + query_at.unwrap_or(whole.len()));
        self.query = query_at.map(|at| Span::new(start + at + 1, start + whole.len()));
        Ok(authority)
    }
}

// === impl Version ===

impl Version {
    pub(crate) fn of(text: &[u8]) -> Result<Self, Fault> {
        match text {
            b"HTTP/1.1" => Ok(Self::Http11),
            b"HTTP/1.0" => Ok(Self::Http10),
            [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
                Err(Fault::HttpVersion)
            }
            _ => Err(Fault::StartLine),
        }
    }
}

#[cfg(test)]
mod tests;
