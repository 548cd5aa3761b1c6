//! The chunked transfer coding (RFC 9112 7.1), read strictly.

use crate::Fault;
use crate::octet::{token, value};

/// Digits of a chunk size: as many as 64 bits need.
const DIGITS: u8 = 16;
const EXTENSION: u32 = 1024;
const EXTENSIONS: u32 = 16 * 1024;
const TRAILER_OCTETS: u32 = 60 * 1024;
const TRAILER_FIELDS: u32 = 100;

/// Ends a chunk's data.
pub const CHUNK_END: &[u8] = b"\r\n";
/// Ends a chunked body: no trailers are sent.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Reads a chunked body. Extensions are dropped, trailers checked and dropped.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
    /// Of the current chunk: its size while it is read, then the octets of data still to come.
    left: u64,
    digits: u8,
    extension: u32,
    extensions: u32,
    trailer: u32,
    trailers: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    End,
}

/// What comes next in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// So many octets of data, from the position on. They count as taken.
    Data(usize),
    /// All octets are used up.
    More,
    End,
}

impl Chunked {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads framing from `*at` on, and moves `*at` behind it. On `Data(n)` the caller moves `*at` by `n` itself.
    pub fn next(&mut self, octets: &[u8], at: &mut usize) -> Result<Piece, Fault> {
        loop {
            if self.state == State::End {
                return Ok(Piece::End);
            }
            let rest = octets.get(*at..).unwrap_or_default();
            let Some(&octet) = rest.first() else { return Ok(Piece::More) };
            if self.state == State::Data {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
                self.left -= here as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Ok(Piece::Data(here));
            }
            self.framing(octet)?;
            *at += 1;
        }
    }

    pub fn ended(&self) -> bool {
        self.state == State::End
    }

    fn framing(&mut self, octet: u8) -> Result<(), Fault> {
        self.state = match self.state {
            State::Size => return self.size(octet),
            State::Extension => return self.extension(octet),
            State::SizeLf if octet == b'\n' && self.left > 0 => State::Data,
            State::SizeLf if octet == b'\n' => State::TrailerStart,
            State::DataCr if octet == b'\r' => State::DataLf,
            State::DataLf if octet == b'\n' => {
                (self.digits, self.extension) = (0, 0);
                State::Size
            }
            State::EndLf if octet == b'\n' => State::End,
            State::TrailerStart | State::TrailerName | State::TrailerValue | State::TrailerLf => return self.trailer(octet),
            _ => return Err(Fault::Chunk),
        };
        Ok(())
    }

    fn size(&mut self, octet: u8) -> Result<(), Fault> {
        match (char::from(octet).to_digit(16), octet) {
            (Some(digit), _) if self.digits < DIGITS => {
                self.left = self.left << 4 | u64::from(digit);
                self.digits += 1;
            }
            (None, b'\r') if self.digits > 0 => self.state = State::SizeLf,
            (None, b';') if self.digits > 0 => self.state = State::Extension,
            _ => return Err(Fault::Chunk),
        }
        Ok(())
    }

    fn extension(&mut self, octet: u8) -> Result<(), Fault> {
        if octet == b'\r' {
            self.state = State::SizeLf;
            return Ok(());
        }
        self.extension += 1;
        self.extensions += 1;
        match () {
            () if !value(octet) => Err(Fault::Chunk),
            () if self.extension > EXTENSION || self.extensions > EXTENSIONS => Err(Fault::ChunkExtension),
            () => Ok(()),
        }
    }

    fn trailer(&mut self, octet: u8) -> Result<(), Fault> {
        self.trailer += 1;
        if self.trailer > TRAILER_OCTETS || self.trailers > TRAILER_FIELDS {
            return Err(Fault::Trailer);
        }
        self.state = match self.state {
            State::TrailerStart if octet == b'\r' => State::EndLf,
            State::TrailerStart if token(octet) => {
                self.trailers += 1;
                State::TrailerName
            }
            State::TrailerName if octet == b':' => State::TrailerValue,
            State::TrailerName if token(octet) => State::TrailerName,
            State::TrailerValue if octet == b'\r' => State::TrailerLf,
            State::TrailerValue if value(octet) => State::TrailerValue,
            State::TrailerLf if octet == b'\n' => State::TrailerStart,
            _ => return Err(Fault::Trailer),
        };
        Ok(())
    }
}

/// The line before a chunk of so many octets. Not for none: that would end the body.
pub fn chunk_head(out: &mut Vec<u8>, length: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shift = (usize::BITS - length.leading_zeros()).div_ceil(4).max(1) * 4;
    while shift > 0 {
        shift -= 4;
        out.extend(DIGITS.get((length >> shift) & 15));
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The data, and how many octets were used; read in pieces of `step`.
    fn read(octets: &[u8], step: usize) -> Result<(Vec<u8>, bool, usize), Fault> {
        let (mut chunked, mut data, mut at) = (Chunked::new(), Vec::new(), 0);
        for end in (step..=octets.len()).step_by(step.max(1)).chain([octets.len()]) {
            let seen = &octets[..end];
            loop {
                match chunked.next(seen, &mut at)? {
                    Piece::Data(length) => {
                        data.extend_from_slice(&seen[at..at + length]);
                        at += length;
                    }
                    Piece::More => break,
                    Piece::End => return Ok((data, true, at)),
                }
            }
        }
        Ok((data, false, at))
    }

    #[test]
    fn good_bodies() {
        for (raw, data) in [
            ("5\r\nhello\r\n0\r\n\r\n", "hello"),
            ("A;n=v;q=\"x y\"\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("5\r\nhello\r\n000\r\n\r\n", "hello"),
            ("0000000000000005\r\nhello\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", "hello"),
            ("0\r\n\r\nGET", ""),
        ] {
            for step in 1..raw.len() {
                assert_eq!(read(raw.as_bytes(), step).map(|(data, end, _)| (data, end)), Ok((data.into(), true)), "{raw:?} by {step}");
            }
        }
    }

    #[test]
    fn bad_bodies() {
        for raw in [
            "+5\r\n",
            "0_5\r\n",
            "5 \r\n",
            " 5\r\n",
            "0x5\r\n",
            "\r\n",
            ";a\r\n",
            "5\n",
            "5\rh",
            "10000000000000005\r\n",
            "00000000000000005\r\n",
            "5;a\0\r\n",
            "5;a\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello0",
            "5\r\nhelloXY",
            "0\r\nX A: b\r\n\r\n",
            "0\r\n: b\r\n\r\n",
            "0\r\nX-A: b\n\n",
            "0\r\nX-A: b\rc",
            "0\r\n folded\r\n\r\n",
            "0\r\nX-A\r\n\r\n",
            "0\r\nX-A: \0\r\n",
            "0\r\n\rX",
        ] {
            for step in 1..=raw.len() {
                assert!(read(raw.as_bytes(), step).is_err(), "{raw:?} by {step}");
            }
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let one = format!("5;{}\r\nhello", "a".repeat(1025));
        assert_eq!(read(one.as_bytes(), 7).err(), Some(Fault::ChunkExtension));
        let many = format!("1;{}\r\na\r\n", "a".repeat(64)).repeat(300);
        assert_eq!(read(many.as_bytes(), 7).err(), Some(Fault::ChunkExtension));
        let long = format!("0\r\nX: {}\r\n\r\n", "a".repeat(61 * 1024));
        assert_eq!(read(long.as_bytes(), 977).err(), Some(Fault::Trailer));
        let fields = format!("0\r\n{}\r\n", "X: a\r\n".repeat(101));
        assert_eq!(read(fields.as_bytes(), 97).err(), Some(Fault::Trailer));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6), step in 1usize..50) {
            let mut wire = Vec::new();
            for piece in &pieces {
                chunk_head(&mut wire, piece.len());
                wire.extend_from_slice(piece);
                wire.extend_from_slice(CHUNK_END);
            }
            wire.extend_from_slice(LAST_CHUNK);
            let length = wire.len();
            wire.extend_from_slice(b"GET / HTTP/1.1\r\n");
            prop_assert_eq!(read(&wire, step), Ok((pieces.concat(), true, length)));
        }

        #[test]
        fn any_octets_are_read_alike_in_any_pieces(raw in "[0-9a-f;:\r\n xX\\-]{0,60}", step in 1usize..20) {
            let whole = read(raw.as_bytes(), raw.len().max(1));
            let pieces = read(raw.as_bytes(), step);
            prop_assert_eq!(whole, pieces);
        }
    }
}
