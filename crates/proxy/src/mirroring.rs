//! Copies of requests: sent, answered to nobody.
//!
//! **Invariant:** a copy never holds up, changes or fails the request it is a copy of: it has a task, a connection and a deadline of its own,
//! and what is under way is bounded. Past a bound copies are counted as dropped.

use crate::clock::Deadline;
use crate::connection::Connection;
use crate::heads::Answer;
use crate::passage::Passage;
use crate::transfer::{Sink, Source, Transfer};
use crate::warm::Taken;
use crate::worker::Worker;
use http1::{Chunked, Framing, Method};
use model::Backend;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use upstream::{Asking, Choice};

/// Copies of one worker that are under way, and their octets.
const MOST: usize = 256;
const MOST_OCTETS: usize = 32 << 20;
/// For a copy, from connecting to the end of its answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// An answer of more than this is not read to its end for the sake of the connection.
const DRAINABLE: usize = 64 << 10;
/// Endpoints that are asked for a connection.
const TRIES: usize = 2;
/// Interim answers that are passed over.
const INTERIM: u8 = 8;

/// What a worker has under way.
#[derive(Debug, Default)]
pub(crate) struct Mirrors {
    copies: Cell<usize>,
    octets: Cell<usize>,
}

/// A copy on its way.
struct Copy {
    worker: Rc<Worker>,
    backend: Arc<Backend>,
    octets: Rc<[u8]>,
    asked: Method,
}

/// What a copy under way counts for.
struct Share {
    worker: Rc<Worker>,
    octets: usize,
}

impl Connection {
    /// Sends copies where the whole request is at hand.
    pub fn mirror(&self, it: &mut Passage<'_>) {
        let Some(body) = it.upload.copy() else { return };
        let octets: Rc<[u8]> = [&it.kit.out, body].concat().into();
        it.mirrors = false;
        for backend in it.kit.edits.mirrors(it.route).filter_map(|mirror| mirror.backend.as_ref()) {
            let copy = Copy { worker: self.worker.clone(), backend: backend.clone(), octets: octets.clone(), asked: it.facts.method };
            copy.begin();
        }
    }

    /// The last chance of copies that waited for the request's body.
    pub fn mirror_or_drop(&self, it: &mut Passage<'_>) {
        self.mirror(it);
        if it.mirrors {
            for backend in it.kit.edits.mirrors(it.route).filter_map(|mirror| mirror.backend.as_ref()) {
                self.worker.shared.metrics.backend(&backend.id).mirror_dropped();
            }
        }
    }
}

impl Copy {
    fn begin(self) {
        let Some(share) = Share::take(&self.worker, self.octets.len()) else {
            return self.worker.shared.metrics.backend(&self.backend.id).mirror_dropped();
        };
        tokio::task::spawn_local(async move {
            let _share = share;
            let metrics = self.worker.shared.metrics.backend(&self.backend.id);
            match self.run().await {
                Some(()) => metrics.mirrored(),
                None => metrics.mirror_dropped(),
            }
        });
    }

    /// `None`: it was not answered.
    async fn run(&self) -> Option<()> {
        let worker = &self.worker;
        let _admitted = worker.pools.borrow_mut().admit(&self.backend).ok()?;
        let deadline = worker.clock.deadline();
        deadline.cap(Some(PATIENCE));
        let mut taken = self.connect(&deadline).await?;
        let mut answer = worker.answers.take();
        let answered = self.exchange(&mut taken, &mut answer, &deadline).await;
        answer.reset();
        worker.answers.put(answer);
        if answered? {
            worker.keep_warm(taken, &self.backend);
        }
        Some(())
    }

    async fn connect(&self, deadline: &Deadline) -> Option<Taken> {
        let mut tried: Vec<SocketAddr> = Vec::new();
        while tried.len() < TRIES {
            let asking = Asking { tried: &tried, client: None, now: self.worker.clock.now() };
            let choice = self.worker.pools.borrow_mut().choose(&self.backend, asking);
            let lease = match choice {
                Choice::Reuse(warm, lease) if warm.is_surely_open() => return Some(Taken::new(warm, lease, &self.backend, true)),
                Choice::Reuse(..) => continue,
                Choice::Connect(lease) => lease,
                Choice::NoEndpoints | Choice::Exhausted | Choice::Overflow => return None,
            };
            let limit = self.backend.limits.connect.unwrap_or(PATIENCE).min(deadline.left());
            match self.worker.dial(&lease, &self.backend, limit).await {
                Ok((warm, _)) => return Some(Taken::new(warm, lease, &self.backend, false)),
                Err(_) => tried.push(lease.endpoint.address),
            }
        }
        None
    }

    /// Whether the connection can be used again; `None`: there was no answer.
    async fn exchange(&self, taken: &mut Taken, answer: &mut Answer, deadline: &Deadline) -> Option<bool> {
        let stream = &mut taken.warm.stream;
        let mut written = 0;
        deadline.set(PATIENCE);
        let wrote = deadline.bound(|cx| {
            while let Some(rest) = self.octets.get(written..).filter(|rest| !rest.is_empty()) {
                match std::task::ready!(stream.poll_write(cx, rest)) {
                    Ok(count) if count > 0 => written += count,
                    _ => return Poll::Ready(None),
                }
            }
            Poll::Ready(Some(()))
        });
        wrote.await.ok()??;
        for _ in 0..=INTERIM {
            let length = self.head(taken, answer, deadline).await?;
            answer.buffer.consume(length);
            if !answer.head.interim() {
                return Some(self.drain(taken, answer, deadline).await);
            }
            answer.head.clear();
        }
        None
    }

    /// Reads until a head is whole; its length.
    async fn head(&self, taken: &mut Taken, answer: &mut Answer, deadline: &Deadline) -> Option<usize> {
        let stream = &mut taken.warm.stream;
        let read = deadline.bound(|cx| {
            loop {
                match answer.head.parse(answer.buffer.unread(), self.asked) {
                    Ok(Some(length)) => return Poll::Ready(Some(length)),
                    Ok(None) => {}
                    Err(_) => return Poll::Ready(None),
                }
                match std::task::ready!(stream.poll_read(cx, answer.buffer.space(usize::MAX))) {
                    Ok(count) if count > 0 => answer.buffer.filled(count),
                    _ => return Poll::Ready(None),
                }
            }
        });
        read.await.ok()?
    }

    /// Reads the answer's body, if it is not too much; whether the connection can be used again.
    async fn drain(&self, taken: &mut Taken, answer: &mut Answer, deadline: &Deadline) -> bool {
        let source = match answer.head.framing {
            Framing::None => Source::Length(0),
            Framing::Length(length) => Source::Length(length),
            Framing::Chunked => Source::Chunked(Chunked::new()),
            Framing::Close => return false,
        };
        let buffers = &self.worker.buffers;
        let buffer = std::mem::replace(&mut answer.buffer, buffers.small.take());
        let mut body = Transfer::new(source, Sink::Nowhere, Some(buffer), Vec::new(), None);
        let (mut budget, stream) = (DRAINABLE, &mut taken.warm.stream);
        let drained = deadline.bound(|cx| body.poll_discard(cx, stream, buffers, &mut budget)).await;
        let rest = body.finish(buffers);
        drained.is_ok_and(|drained| drained.is_ok()) && rest.is_none() && answer.head.keep_alive
    }
}

// === impl Share ===

impl Share {
    /// `None`: enough is under way.
    fn take(worker: &Rc<Worker>, octets: usize) -> Option<Self> {
        let mirrors = &worker.mirrors;
        let (copies, all) = (mirrors.copies.get() + 1, mirrors.octets.get() + octets);
        if copies > MOST || all > MOST_OCTETS || worker.draining() {
            return None;
        }
        mirrors.copies.set(copies);
        mirrors.octets.set(all);
        Some(Self { worker: worker.clone(), octets })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mirrors = &self.worker.mirrors;
        mirrors.copies.set(mirrors.copies.get().saturating_sub(1));
        mirrors.octets.set(mirrors.octets.get().saturating_sub(self.octets));
    }
}
