//! Finding the end of a line, however its octets arrive.

use crate::Fault;
use memchr::memchr2;

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of the start line. Beyond: 414.
    pub start_line: usize,
    /// Octets of all names and values, with 32 more for each field. Beyond: 431.
    pub section: usize,
    /// Field lines. Beyond: 431.
    pub fields: usize,
}

impl Limits {
    /// Octets of a whole head as received, white space included.
    pub(crate) const RAW: usize = 128 * 1024;

    pub const REQUEST: Self = Self { start_line: 16 * 1024, section: 60 * 1024, fields: 100 };
    /// Backends are trusted with more fields than clients.
    pub const RESPONSE: Self = Self { start_line: 16 * 1024, section: 60 * 1024, fields: 256 };
}

/// Where the line being read begins, and how far it has been looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    pub start: usize,
    scanned: usize,
}

impl Lines {
    /// The end of the current line (its CR), or `None` while it is not whole. `budget`: how long it may be, else `over`.
    ///
    /// The first octet that decides is the same one however the octets arrive: one past the budget, or a CR or LF before it.
    #[inline]
    pub fn end(&mut self, octets: &[u8], budget: usize, over: Fault) -> Result<Option<usize>, Fault> {
        let from = self.scanned.max(self.start);
        let unseen = octets.get(from..).unwrap_or_default();
        let Some(found) = memchr2(b'\r', b'\n', unseen).map(|at| from + at) else {
            self.scanned = octets.len();
            return if octets.len().saturating_sub(self.start) > budget { Err(over) } else { Ok(None) };
        };
        if found - self.start > budget {
            return Err(over);
        }
        match (octets.get(found), octets.get(found + 1)) {
            (Some(b'\r'), Some(b'\n')) => Ok(Some(found)),
            (Some(b'\r'), None) => {
                self.scanned = found;
                Ok(None)
            }
            _ => Err(Fault::LineEnd),
        }
    }

    /// Goes on behind the line that ended at `end`.
    #[inline]
    pub fn next(&mut self, end: usize) {
        self.start = end + 2;
    }
}
