//! Response heads of backends.

use crate::connection::Said;
use crate::field::{Fields, Known, Set, Span};
use crate::framing::{Framing, declared};
use crate::line::Lines;
use crate::octet::is_value;
use crate::{Fault, Limits, Method, Version};

/// One response head. Parsed piece by piece as octets arrive; cleared and used again.
#[derive(Debug, Default)]
pub struct ResponseHead {
    lines: Lines,
    stage: Stage,
    version: Version,
    pub status: u16,
    reason: Span,
    pub fields: Fields,
    pub framing: Framing,
    /// Content-Length as sent, also where no body follows (HEAD, 304).
    pub length: Option<u64>,
    /// The backend keeps its connection after this answer.
    pub keep_alive: bool,
    /// The one `Upgrade` of an answer whose `Connection` says so is `websocket`.
    pub websocket: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Start,
    Fields,
}

impl ResponseHead {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn clear(&mut self) {
        self.lines = Lines::default();
        self.stage = Stage::Start;
        self.fields.clear();
    }

    /// As [`RequestHead::parse`](crate::RequestHead::parse). `asked`: the method of the request, which decides whether a body follows.
    pub fn parse(&mut self, octets: &[u8], asked: Method) -> Result<Option<usize>, Fault> {
        let limits = Limits::RESPONSE;
        if self.stage == Stage::Start {
            let Some(end) = self.lines.end(octets, limits.start_line, Fault::StartLineTooLong)? else { return Ok(None) };
            self.read_status_line(octets, end)?;
            self.stage = Stage::Fields;
            self.lines.next(end);
        }
        let Some(length) = self.fields.parse(octets, &mut self.lines, &limits, DROPPED)? else { return Ok(None) };
        self.understand(octets, asked)?;
        Ok(Some(length))
    }

    /// The reason phrase; may be empty.
    pub fn reason<'a>(&self, head: &'a [u8]) -> &'a [u8] {
        self.reason.of(head)
    }

    /// 1xx: another head follows.
    pub fn interim(&self) -> bool {
        self.status < 200
    }

    /// `HTTP-version SP 3DIGIT [SP reason]`.
    fn read_status_line(&mut self, octets: &[u8], end: usize) -> Result<(), Fault> {
        let start = self.lines.start;
        let line = octets.get(start..end).unwrap_or_default();
        let (version, rest) = line.split_at_checked(8).ok_or(Fault::StartLine)?;
        self.version = Version::of(version)?;
        let [b' ', a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = rest else { return Err(Fault::StatusCode) };
        self.status = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
        let reason = match rest {
            [] => rest,
            [b' ', reason @ ..] => reason,
            _ => return Err(Fault::StatusCode),
        };
        if !is_value(reason) {
            return Err(Fault::StartLine);
        }
        self.reason = Span::new(end - reason.len(), end);
        Ok(())
    }

    fn understand(&mut self, head: &[u8], asked: Method) -> Result<(), Fault> {
        let declared = declared(&self.fields, head, self.version)?;
        self.length = declared.length;
        let bodiless = self.interim() || matches!(self.status, 204 | 304) || asked == Method::Head;
        self.framing = match (declared.chunked, declared.length) {
            _ if bodiless => Framing::None,
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Close,
        };
        self.read_connection(head)
    }

    fn read_connection(&mut self, head: &[u8]) -> Result<(), Fault> {
        let mut said = Said::default();
        if self.fields.has_any(CONNECTION) {
            for at in 0..self.fields.len() {
                let Some(field) = self.fields.get(at) else { break };
                match field.known {
                    Known::Connection => said.read(field.value.of(head), |token| self.fields.nominate(head, token))?,
                    Known::Upgrade => said.read_upgrade(field.value.of(head)),
                    _ => {}
                }
            }
        }
        self.websocket = said.websocket();
        // A 204 has no body, whatever it says; whether one follows all the same is not known.
        let doubtful = self.status == 204 && self.fields.has_any(FRAMING) && self.length != Some(0);
        self.keep_alive = !doubtful && !said.close && (self.version == Version::Http11 || said.keep) && self.framing != Framing::Close;
        Ok(())
    }
}

/// They end here or are written anew. What a backend says about forwarding is its own affair.
const DROPPED: Set =
    Set::of(&[Known::Host, Known::ContentLength, Known::TransferEncoding, Known::Connection, Known::Hop, Known::Te, Known::Upgrade]);

const CONNECTION: Set = Set::of(&[Known::Connection, Known::Upgrade]);

const FRAMING: Set = Set::of(&[Known::ContentLength, Known::TransferEncoding]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_whose_answer_may_have_an_unexpected_body_is_not_kept() {
        for (answer, keep) in [
            ("204 No Content\r\n", true),
            ("204 No Content\r\nContent-Length: 0\r\n", true),
            ("204 No Content\r\nContent-Length: 5\r\n", false),
            ("204 No Content\r\nTransfer-Encoding: chunked\r\n", false),
            ("304 Not Modified\r\nContent-Length: 5\r\n", true),
        ] {
            let mut head = ResponseHead::new();
            let octets = format!("HTTP/1.1 {answer}\r\n");
            assert_eq!(head.parse(octets.as_bytes(), Method::Get), Ok(Some(octets.len())));
            assert_eq!((head.framing, head.keep_alive), (Framing::None, keep), "{answer:?}");
        }
    }
}
