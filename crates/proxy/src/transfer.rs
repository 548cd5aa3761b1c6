//! A body on its way from one connection to another.
//!
//! Used for both directions alike, and polled beside its counterpart. Holds a buffer only while there is something in it.
//!
//! **Invariant:** no more is read than was written, so a slow receiver slows its sender down and nothing piles up here.

use crate::buffer::{Buffer, Buffers, LARGE};
use crate::splice::{Broken, Splice, WORTH};
use crate::stream::Stream;
use http1::{CHUNK_END, Chunked, Fault, LAST_CHUNK, Piece, chunk_head};
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// How the body arrives.
#[derive(Debug)]
pub(crate) enum Source {
    /// So many octets are still to come.
    Length(u64),
    Chunked(Chunked),
    /// Until the connection ends.
    Close,
}

/// How it is sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// As it is: by length, or until the connection ends.
    Raw,
    Chunked,
    /// Thrown away.
    Nowhere,
}

/// Why a body did not get through.
#[derive(Debug)]
#[expect(dead_code, reason = "the causes are for the log")]
pub(crate) enum Stop {
    /// Reading failed, or ended too early.
    From(io::Error),
    /// What was read is no body.
    Malformed(Fault),
    To(io::Error),
    /// More than allowed.
    TooLarge,
}

#[derive(Debug)]
pub(crate) struct Transfer {
    source: Source,
    sink: Sink,
    /// The source has given all there is.
    ended: bool,
    done: bool,
    buffer: Option<Buffer>,
    /// Framed and not yet written: a part of a head, chunks.
    out: Vec<u8>,
    written: usize,
    splice: Option<Splice>,
    /// What was taken from the source, framed as it is sent on.
    kept: Option<Kept>,
    /// There was no pipe to be had: through memory, then.
    pipeless: bool,
    /// The last read filled its buffer: more of that size may come.
    bulk: bool,
    /// Most octets of body.
    limit: u64,
    /// Octets of body sent on.
    pub octets: u64,
    /// Something was read or written since this was last set to false.
    pub moved: bool,
    /// Something was read: what came before cannot be sent a second time as if it were all.
    pub begun: bool,
}

/// A copy of what was sent, to be sent again. Bounded, and so are all of a worker together.
#[derive(Debug)]
pub(crate) struct Kept {
    pub octets: Vec<u8>,
    room: usize,
    /// What it counts for among all of its worker.
    counted: usize,
    all: Rc<Cell<usize>>,
}

/// Octets that all copies of one worker may have.
const MOST_KEPT: usize = 64 << 20;

// === impl Kept ===

impl Kept {
    pub fn new(room: usize, all: Rc<Cell<usize>>) -> Self {
        Self { octets: Vec::new(), room, counted: 0, all }
    }

    /// `false`: there is no room for it.
    fn take(&mut self, data: &[u8]) -> bool {
        let (counted, all) = (self.counted + data.len(), self.all.get() + data.len());
        if counted > self.room || all > MOST_KEPT {
            return false;
        }
        self.counted = counted;
        self.all.set(all);
        self.octets.extend_from_slice(data);
        true
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.set(self.all.get().saturating_sub(self.counted));
    }
}

// === impl Transfer ===

impl Transfer {
    /// Keeps a copy of what goes through, as long as there is room for it.
    pub fn keep(&mut self, kept: Kept) {
        self.kept = Some(kept);
    }

    /// The copy; `None`: there is none, or it would have been too large.
    pub fn take_kept(&mut self) -> Option<Kept> {
        self.kept.take()
    }

    pub fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Hands the copy out and goes on from there, with another receiver: what was framed and not yet written is part of it.
    pub fn rewind(&mut self, onto: &mut Vec<u8>) {
        if let Some(kept) = &mut self.kept {
            onto.append(&mut kept.octets);
            self.out.clear();
            self.written = 0;
        }
    }

    /// `buffer`: what was read already. `out`: what is to be written first.
    pub fn new(source: Source, sink: Sink, buffer: Option<Buffer>, out: Vec<u8>, limit: Option<u64>) -> Self {
        Self {
            source,
            sink,
            ended: false,
            done: false,
            buffer,
            out,
            written: 0,
            splice: None,
            kept: None,
            pipeless: false,
            bulk: false,
            limit: limit.unwrap_or(u64::MAX),
            octets: 0,
            moved: false,
            begun: false,
        }
    }

    /// All of it has been read and written when this is ready.
    pub fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream, pool: &Buffers) -> Poll<Result<(), Stop>> {
        loop {
            self.take(pool)?;
            ready!(self.write_out(cx, to))?;
            if matches!(self.source, Source::Length(0)) && self.splice.as_ref().is_none_or(Splice::is_empty) {
                self.ended = true;
            }
            if self.ended {
                ready!(to.poll_flush(cx)).map_err(Stop::To)?;
                self.done = true;
                return Poll::Ready(Ok(()));
            }
            if self.can_splice(from, to) {
                ready!(self.splice(cx, from, to, pool))?;
                continue;
            }
            if self.buffered() == 0 {
                ready!(self.read(cx, from, Some(to), pool))?;
            } else {
                ready!(self.write_raw(cx, to))?;
            }
        }
    }

    /// Reads the rest of the body and throws it away, at most `budget` octets of it.
    pub fn poll_discard(&mut self, cx: &mut Context<'_>, from: &mut Stream, pool: &Buffers, budget: &mut usize) -> Poll<Result<(), Stop>> {
        self.sink = Sink::Nowhere;
        loop {
            self.out.clear();
            self.written = 0;
            let before = self.buffered();
            self.take(pool)?;
            *budget = budget.saturating_sub(before - self.buffered());
            if self.ended || matches!(self.source, Source::Length(0)) {
                return Poll::Ready(Ok(()));
            }
            if *budget == 0 {
                return Poll::Ready(Err(Stop::TooLarge));
            }
            ready!(self.read(cx, from, None, pool))?;
        }
    }

    /// What was read beyond the body's end.
    pub fn finish(self, pool: &Buffers) -> Option<Buffer> {
        if let Some(splice) = self.splice {
            pool.give_pipe(splice);
        }
        match self.buffer {
            Some(buffer) if buffer.is_empty() => {
                pool.give(buffer);
                None
            }
            other => other,
        }
    }

    /// Everything was read, written and flushed.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The memory of what was framed, for further use.
    pub fn take_out(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// How much is still to be read, where that is known.
    pub fn left(&self) -> Option<u64> {
        match self.source {
            Source::Length(left) => Some(left),
            Source::Chunked(_) | Source::Close => None,
        }
    }

    fn buffered(&self) -> usize {
        self.buffer.as_ref().map_or(0, |buffer| buffer.unread().len())
    }

    fn write_out(&mut self, cx: &mut Context<'_>, to: &mut Stream) -> Poll<Result<(), Stop>> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            let count = ready!(to.poll_write(cx, rest)).map_err(Stop::To)?;
            if count == 0 {
                return Poll::Ready(Err(Stop::To(io::ErrorKind::WriteZero.into())));
            }
            self.written += count;
            self.moved = true;
        }
        if self.written > 0 {
            self.out.clear();
            self.written = 0;
        }
        Poll::Ready(Ok(()))
    }

    /// Frames what is in the buffer into `out`, except where the body is passed through as it is: then only to join a head that waits.
    fn take(&mut self, pool: &Buffers) -> Result<(), Stop> {
        if self.ended {
            return Ok(());
        }
        let Some(mut buffer) = self.buffer.take() else { return Ok(()) };
        let result = self.frame(&mut buffer);
        if buffer.is_empty() {
            pool.give(buffer);
        } else {
            self.buffer = Some(buffer);
        }
        result
    }

    fn frame(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        match (&mut self.source, self.sink) {
            (Source::Chunked(decoder), sink) => {
                let (mut at, before) = (0, self.out.len());
                let ended = loop {
                    match decoder.next(buffer.unread(), &mut at).map_err(Stop::Malformed)? {
                        Piece::Data(count) => {
                            self.octets += count as u64;
                            if self.octets > self.limit {
                                return Err(Stop::TooLarge);
                            }
                            let data = buffer.unread().get(at..at + count).unwrap_or_default();
                            at += count;
                            put(&mut self.out, sink, data);
                        }
                        Piece::More => break false,
                        Piece::End => {
                            end(&mut self.out, sink);
                            break true;
                        }
                    }
                };
                self.ended = ended;
                copy(&mut self.kept, self.out.get(before..).unwrap_or_default());
                buffer.consume(at);
            }
            (Source::Length(left), sink) => {
                if sink == Sink::Raw && (self.out.is_empty() || self.written > 0) {
                    return Ok(());
                }
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.unread().len());
                let data = buffer.unread().get(..most).unwrap_or_default();
                put(&mut self.out, sink, data);
                copy(&mut self.kept, data);
                buffer.consume(most);
                self.octets += most as u64;
                *left -= most as u64;
            }
            (Source::Close, Sink::Raw) if self.out.is_empty() || self.written > 0 => {}
            (Source::Close, sink) => {
                self.octets += buffer.unread().len() as u64;
                put(&mut self.out, sink, buffer.unread());
                buffer.clear();
            }
        }
        Ok(())
    }

    /// Reads once. At the end of the connection the body is over, or broken.
    fn read(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: Option<&mut Stream>, pool: &Buffers) -> Poll<Result<(), Stop>> {
        let mut buffer = self.buffer.take().unwrap_or_else(|| pool.large.take());
        let most = match self.source {
            Source::Length(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Source::Chunked(_) | Source::Close => usize::MAX,
        };
        let count = match from.poll_read(cx, buffer.space(most)) {
            Poll::Ready(count) => count,
            Poll::Pending => {
                pool.give(buffer);
                // What was written so far is not held back while nothing more comes.
                if let Some(to) = to {
                    ready!(to.poll_flush(cx)).map_err(Stop::To)?;
                }
                return Poll::Pending;
            }
        };
        let count = match count {
            Ok(count) => count,
            Err(error) => {
                pool.give(buffer);
                return Poll::Ready(Err(Stop::From(error)));
            }
        };
        if count == 0 {
            pool.give(buffer);
            let Source::Close = self.source else { return Poll::Ready(Err(Stop::From(io::ErrorKind::UnexpectedEof.into()))) };
            self.ended = true;
            end(&mut self.out, self.sink);
            return Poll::Ready(Ok(()));
        }
        buffer.filled(count);
        self.bulk = count >= LARGE;
        self.buffer = Some(buffer);
        (self.moved, self.begun) = (true, true);
        Poll::Ready(Ok(()))
    }

    /// Writes the buffer as it is.
    fn write_raw(&mut self, cx: &mut Context<'_>, to: &mut Stream) -> Poll<Result<(), Stop>> {
        let Some(buffer) = &mut self.buffer else { return Poll::Ready(Ok(())) };
        let most = match self.source {
            Source::Length(left) => usize::try_from(left).unwrap_or(usize::MAX).min(buffer.unread().len()),
            Source::Chunked(_) | Source::Close => buffer.unread().len(),
        };
        let octets = buffer.unread().get(..most).unwrap_or_default();
        if octets.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let count = ready!(to.poll_write(cx, octets)).map_err(Stop::To)?;
        if count == 0 {
            return Poll::Ready(Err(Stop::To(io::ErrorKind::WriteZero.into())));
        }
        copy(&mut self.kept, octets.get(..count).unwrap_or_default());
        buffer.consume(count);
        self.octets += count as u64;
        if let Source::Length(left) = &mut self.source {
            *left -= count as u64;
            self.ended = *left == 0;
        }
        self.moved = true;
        Poll::Ready(Ok(()))
    }

    /// Large bodies, and what has no known length as long as it comes in bulk.
    fn can_splice(&self, from: &Stream, to: &Stream) -> bool {
        let worth = match (&self.splice, &self.source) {
            (Some(_), _) => true,
            (None, Source::Length(left)) => !self.pipeless && *left >= WORTH,
            (None, Source::Close) => !self.pipeless && self.bulk && self.sink == Sink::Raw,
            (None, Source::Chunked(_)) => false,
        };
        worth && self.kept.is_none() && self.buffered() == 0 && from.plain().is_some() && to.plain().is_some()
    }

    fn splice(&mut self, cx: &mut Context<'_>, from: &Stream, to: &Stream, pool: &Buffers) -> Poll<Result<(), Stop>> {
        let (Some(from), Some(to)) = (from.plain(), to.plain()) else {
            return Poll::Ready(Err(Stop::From(io::ErrorKind::Unsupported.into())));
        };
        if self.splice.is_none() {
            self.splice = pool.pipe().ok();
        }
        let Some(splice) = &mut self.splice else {
            self.pipeless = true;
            return Poll::Ready(Ok(()));
        };
        let mut left = match &mut self.source {
            Source::Length(left) => Some(left),
            Source::Close | Source::Chunked(_) => None,
        };
        let to_the_end = left.is_none();
        let before = (left.as_deref().copied(), splice.is_empty(), self.octets);
        let result = splice.poll(cx, from, to, left.as_deref_mut(), &mut self.octets);
        if (left.as_deref().copied(), splice.is_empty(), self.octets) != before {
            (self.moved, self.begun) = (true, true);
        }
        if result.is_pending() && to_the_end && splice.is_empty() {
            // Nothing is under way: a connection that waits holds no pipe.
            self.bulk = false;
            self.splice.take().into_iter().for_each(|splice| pool.give_pipe(splice));
        }
        match ready!(result) {
            Ok(()) => {
                self.ended = true;
                Poll::Ready(Ok(()))
            }
            Err(Broken::Ended) if to_the_end => {
                self.ended = true;
                end(&mut self.out, self.sink);
                Poll::Ready(Ok(()))
            }
            Err(Broken::From(error)) => Poll::Ready(Err(Stop::From(error))),
            Err(Broken::Ended) => Poll::Ready(Err(Stop::From(io::ErrorKind::UnexpectedEof.into()))),
            Err(Broken::To(error)) => Poll::Ready(Err(Stop::To(error))),
        }
    }
}

/// Copies a piece that goes through. What would be too large is given up.
fn copy(kept: &mut Option<Kept>, data: &[u8]) {
    if kept.as_mut().is_some_and(|kept| !kept.take(data)) {
        *kept = None;
    }
}

/// Frames a piece of body.
pub(crate) fn put(out: &mut Vec<u8>, sink: Sink, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    match sink {
        Sink::Raw => out.extend_from_slice(data),
        Sink::Nowhere => {}
        Sink::Chunked => {
            chunk_head(out, data.len());
            out.extend_from_slice(data);
            out.extend_from_slice(CHUNK_END);
        }
    }
}

/// Ends a body.
pub(crate) fn end(out: &mut Vec<u8>, sink: Sink) {
    if sink == Sink::Chunked {
        out.extend_from_slice(LAST_CHUNK);
    }
}

const _: () = assert!(LARGE as u64 <= WORTH, "a body that fits a buffer is not worth a pipe");

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("its address");
        let (one, other) = tokio::join!(TcpStream::connect(address), listener.accept());
        (one.expect("connected"), other.expect("accepted").0)
    }

    #[test]
    fn copies_of_one_worker_are_bounded_together() {
        let all = Rc::new(Cell::new(MOST_KEPT - 10));
        let (mut one, mut two) = (Some(Kept::new(100, all.clone())), Some(Kept::new(4, all.clone())));
        copy(&mut one, b"123456");
        copy(&mut two, b"1234");
        assert!(one.is_some() && two.is_some() && all.get() == MOST_KEPT);
        copy(&mut one, b"7");
        assert!(one.is_none() && all.get() == MOST_KEPT - 6, "given up, it makes room for others");
        copy(&mut two, b"5");
        assert!(two.is_none() && all.get() == MOST_KEPT - 10);
    }

    #[test]
    fn what_comes_in_bulk_without_a_length_arrives_whole_and_a_rest_holds_no_pipe() {
        const LENGTH: usize = 3 << 20;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let ((mut sender, from), (to, mut receiver)) = (pair().await, pair().await);
            let (mut from, mut to, pool) = (Stream::Plain(from), Stream::Plain(to), Buffers::new());
            let mut transfer = Transfer::new(Source::Close, Sink::Raw, None, Vec::new(), None);
            let body: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
            let mut got = vec![0; LENGTH];
            for round in 0..2 {
                let moving = poll_fn(|cx| transfer.poll(cx, &mut from, &mut to, &pool));
                let passing = async { tokio::join!(sender.write_all(&body), receiver.read_exact(&mut got)) };
                let passed = async {
                    tokio::select! {
                        moved = moving => panic!("it goes on: {moved:?}"),
                        (sent, read) = passing => assert!(sent.is_ok() && read.is_ok()),
                    }
                };
                tokio::time::timeout(Duration::from_secs(10), passed).await.expect("it gets through");
                assert!(got == body, "round {round}");
            }
            let resting = poll_fn(|cx| {
                assert!(transfer.poll(cx, &mut from, &mut to, &pool).is_pending());
                Poll::Ready(())
            });
            resting.await;
            assert_eq!(pool.pipes(), 1, "some of it went through a pipe");
            assert!(transfer.splice.is_none() && transfer.buffered() == 0, "nothing is held");
            drop(sender);
            let ended = poll_fn(|cx| transfer.poll(cx, &mut from, &mut to, &pool));
            assert!(tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it ends").is_ok());
            assert_eq!(transfer.octets, 2 * LENGTH as u64);
        });
    }

    #[test]
    fn where_no_pipe_is_to_be_had_a_large_body_goes_through_memory() {
        const LENGTH: usize = 1 << 20;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let ((mut sender, from), (to, mut receiver)) = (pair().await, pair().await);
            let (mut from, mut to, pool) = (Stream::Plain(from), Stream::Plain(to), Buffers::without_pipes());
            let mut transfer = Transfer::new(Source::Length(LENGTH as u64), Sink::Raw, None, Vec::new(), None);
            let mut got = vec![0; LENGTH];
            let body: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
            let moved = poll_fn(|cx| transfer.poll(cx, &mut from, &mut to, &pool));
            let all = async { tokio::join!(sender.write_all(&body), moved, receiver.read_exact(&mut got)) };
            let (sent, moved, read) = tokio::time::timeout(Duration::from_secs(10), all).await.expect("it gets through");
            assert!(sent.is_ok() && moved.is_ok() && read.is_ok(), "{moved:?}");
            assert!(got == body);
        });
    }
}
