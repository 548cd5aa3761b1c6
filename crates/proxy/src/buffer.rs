//! Read buffers, and the pools that keep them warm.

use crate::splice::Splice;
use std::cell::RefCell;
use std::fmt;
use std::io;

/// What most reads need.
pub(crate) const SMALL: usize = 16 * 1024;
/// For bodies on their way through: the bound of one direction of one exchange.
pub(crate) const LARGE: usize = 64 * 1024;
/// The largest head there may be, and something behind it.
const LARGEST: usize = 144 * 1024;

/// Octets read and not yet used.
pub(crate) struct Buffer {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
}

/// Things that are costly to make or good to have warm, newest first.
pub(crate) struct Pool<T> {
    free: RefCell<Vec<T>>,
    keep: usize,
    make: fn() -> T,
}

/// What bodies pass through.
#[derive(Debug)]
pub(crate) struct Buffers {
    pub small: Pool<Buffer>,
    pub large: Pool<Buffer>,
    pipes: RefCell<Vec<Splice>>,
    make_pipe: fn() -> io::Result<Splice>,
}

/// So many pipes are kept open.
const PIPES: usize = 64;

// === impl Buffers ===

impl Buffers {
    pub fn new() -> Self {
        Self {
            small: Pool::new(256, || Buffer::new(SMALL)),
            large: Pool::new(128, || Buffer::new(LARGE)),
            pipes: RefCell::default(),
            make_pipe: Splice::new,
        }
    }

    /// As where no descriptor is left for a pipe.
    #[cfg(test)]
    pub fn without_pipes() -> Self {
        Self { make_pipe: || Err(io::ErrorKind::Other.into()), ..Self::new() }
    }

    /// Pipes that nobody uses.
    #[cfg(test)]
    pub fn pipes(&self) -> usize {
        self.pipes.borrow().len()
    }

    /// Takes a buffer back, whatever its size.
    pub fn give(&self, mut buffer: Buffer) {
        buffer.clear();
        match buffer.size() {
            SMALL => self.small.put(buffer),
            LARGE => self.large.put(buffer),
            _ => {}
        }
    }

    pub fn pipe(&self) -> io::Result<Splice> {
        let kept = self.pipes.borrow_mut().pop();
        kept.map_or_else(self.make_pipe, Ok)
    }

    /// Takes a pipe back, if nothing is left in it.
    pub fn give_pipe(&self, pipe: Splice) {
        let mut pipes = self.pipes.borrow_mut();
        if pipe.is_empty() && pipes.len() < PIPES {
            pipes.push(pipe);
        }
    }
}

// === impl Buffer ===

impl Buffer {
    pub fn new(size: usize) -> Self {
        Self { octets: vec![0; size].into_boxed_slice(), start: 0, end: 0 }
    }

    #[inline]
    pub fn unread(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Where the next read goes; at most `most` octets. Never empty unless the buffer is as large as any may be.
    #[inline]
    pub fn space(&mut self, most: usize) -> &mut [u8] {
        if self.end == self.octets.len() {
            self.make_room();
        }
        let to = self.octets.len().min(self.end.saturating_add(most));
        self.octets.get_mut(self.end..to).unwrap_or_default()
    }

    /// So many octets were read into [`space`](Self::space).
    #[inline]
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.octets.len());
    }

    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    pub fn size(&self) -> usize {
        self.octets.len()
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.octets.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        } else if self.octets.len() < LARGEST {
            let mut larger = vec![0; (self.octets.len() * 2).min(LARGEST)].into_boxed_slice();
            if let Some(to) = larger.get_mut(..self.end) {
                to.copy_from_slice(self.unread());
            }
            self.octets = larger;
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} of {})", self.end - self.start, self.octets.len())
    }
}

// === impl Pool ===

impl<T> Pool<T> {
    pub fn new(keep: usize, make: fn() -> T) -> Self {
        Self { free: RefCell::default(), keep, make }
    }

    #[inline]
    pub fn take(&self) -> T {
        self.free.borrow_mut().pop().unwrap_or_else(self.make)
    }

    #[inline]
    pub fn put(&self, thing: T) {
        let mut free = self.free.borrow_mut();
        if free.len() < self.keep {
            free.push(thing);
        }
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} of {})", self.free.borrow().len(), self.keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut Buffer, text: &[u8]) {
        for &octet in text {
            buffer.space(1)[0] = octet;
            buffer.filled(1);
        }
    }

    #[test]
    fn what_is_unread_survives_growth_and_moves() {
        let mut buffer = Buffer::new(4);
        fill(&mut buffer, b"abcd");
        buffer.consume(3);
        fill(&mut buffer, b"efg");
        assert_eq!((buffer.unread(), buffer.size()), (&b"defg"[..], 4));
        fill(&mut buffer, b"hi");
        assert_eq!((buffer.unread(), buffer.size()), (&b"defghi"[..], 8));
        buffer.consume(6);
        assert!(buffer.is_empty());
    }

    #[test]
    fn growth_ends() {
        let mut buffer = Buffer::new(SMALL);
        loop {
            let room = buffer.space(usize::MAX).len();
            if room == 0 {
                break;
            }
            buffer.filled(room);
        }
        assert_eq!(buffer.unread().len(), LARGEST);
    }
}
