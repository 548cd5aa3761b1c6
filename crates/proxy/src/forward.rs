//! A request at its backend: which endpoint, which connection, how often.
//!
//! **Invariant:** a request that may have side effects is sent a second time only if nothing of it was written the first time, or its route
//! asks for that.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::exchange::{Failure, Onward};
use crate::heads::{Answer, Incoming};
use crate::passage::{Passage, Trouble};
use crate::warm::Taken;
use http1::Framing;
use model::{Reason, RetryOn};
use std::task::Poll;
use std::time::{Duration, Instant};
use upstream::{Asking, Choice, Waiting};

/// So often, and so long each time, a request waits where a backend's limit is reached and none may queue, before it is refused.
const WAITS: u8 = 10;
const WAIT: Duration = Duration::from_millis(2);
/// A request that queues looks again after this at the latest.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The longest wait between two tries, in multiples of the first.
const LONGEST_BACKOFF: u32 = 10;

/// An upgraded connection.
pub(crate) struct Tunnel {
    pub taken: Taken,
    pub answer: Box<Answer>,
    pub idle: Duration,
    pub _admitted: Option<upstream::Admitted>,
}

/// Why the next try is made.
#[derive(Clone, Copy)]
pub(crate) struct Again {
    /// `None`: there was an answer, but not a wanted one.
    failure: Option<Failure>,
    /// An endpoint may be asked a second time where there is no other.
    same: bool,
}

/// Waiting where a backend's connections are all in use.
#[derive(Default)]
struct Queue {
    waits: u8,
    place: Option<(Waiting, Instant)>,
}

impl Connection {
    /// Sends the request to the picked backend and its answer to the client. `Err`: the client has not been answered.
    pub async fn forward(&mut self, incoming: Box<Incoming>, length: usize, it: &mut Passage<'_>) -> Result<Onward, Failure> {
        let logged = self.worker.shared.access_log.is_on() || it.account.recording.is_some();
        if logged {
            it.account.backend = Some(it.backend.id.clone());
        }
        let admitted = self.worker.pools.borrow_mut().admit(it.backend);
        it.admitted = match admitted {
            Ok(admitted) => admitted,
            Err(_) => {
                it.upload.body = self.body_of(incoming, length, &it.facts);
                return Err(Failure::backend(503, Reason::Overflow));
            }
        };
        self.deadline.cap(it.forward.timeouts.request);
        self.prepare(incoming, length, it)?;
        if it.mirrors {
            self.mirror(it);
        } else if !it.facts.answer_edited && !logged && it.kit.errand.is_empty() {
            self.worker.slim(it.kit);
        }
        let result = self.try_endpoints(it).await;
        self.deadline.lap(None);
        if it.mirrors {
            self.mirror_or_drop(it);
        }
        result
    }

    async fn try_endpoints(&mut self, it: &mut Passage<'_>) -> Result<Onward, Failure> {
        let mut again = None;
        loop {
            let mut taken = self.acquire(it, again).await?;
            let sent = self.worker.shared.access_log.is_on().then(Clock::exact);
            it.account.asked = sent;
            let trouble = match self.ask(&mut taken, it).await {
                Ok((answer, length)) => {
                    it.answered(answer.head.status);
                    it.account.header = sent.map(|sent| Clock::exact().saturating_duration_since(sent));
                    if !self.asks_again(&answer, it) {
                        self.deadline.lap(None);
                        if it.mirrors {
                            self.mirror(it);
                        }
                        if let Some(onward) = Box::pin(self.page(answer.head.status, None, it)).await {
                            self.discard(taken, answer, length, it);
                            return Ok(onward);
                        }
                        return self.deliver(taken, answer, length, it).await;
                    }
                    it.passed_over();
                    it.kit.tried.push(taken.lease.endpoint.address);
                    again = Some(Again { failure: None, same: true });
                    taken.warm.metrics.retried();
                    self.discard(taken, answer, length, it);
                    self.back_off(it).await?;
                    it.upload.rewind(&mut it.kit.out);
                    continue;
                }
                Err(trouble) => trouble,
            };
            it.failed(&trouble.failure);
            // A kept connection may close just when it is used again: that says nothing about the endpoint.
            let stale = taken.reused && trouble.failure.reason == Reason::UpstreamReset;
            if !stale {
                it.kit.tried.push(taken.lease.endpoint.address);
            }
            if !it.retries_trouble(&trouble, stale) || self.deadline.spent() {
                return Err(trouble.failure);
            }
            taken.warm.metrics.retried();
            drop(taken);
            again = Some(Again { failure: Some(trouble.failure), same: it.forward.retries.backoff.is_some() });
            if !stale {
                self.back_off(it).await?;
            }
            it.upload.rewind(&mut it.kit.out);
        }
    }

    /// Whether the route wants another answer than this one, and it can be asked for.
    fn asks_again(&self, answer: &Answer, it: &Passage<'_>) -> bool {
        it.retries_status(answer.head.status) && it.has_tries_left() && it.upload.is_replayable() && !self.deadline.spent()
    }

    /// Lets go of an answer nobody gets. Its connection is kept if it has been read to its end.
    fn discard(&mut self, taken: Taken, mut answer: Box<Answer>, length: usize, it: &Passage<'_>) {
        answer.buffer.consume(length);
        let body = match answer.head.framing {
            Framing::None => Some(0),
            Framing::Length(length) => usize::try_from(length).ok(),
            Framing::Chunked | Framing::Close => None,
        };
        let whole = body.is_some_and(|body| body == answer.buffer.unread().len());
        let reusable = whole && answer.head.keep_alive && !it.upload.unfinished();
        answer.reset();
        self.worker.answers.put(answer);
        if reusable {
            self.worker.keep_warm(taken, it.backend);
        }
    }

    /// Waits between two tries, longer each time.
    async fn back_off(&mut self, it: &Passage<'_>) -> Result<(), Failure> {
        self.deadline.lap(None);
        let Some(base) = it.forward.retries.backoff else { return Ok(()) };
        let doubled = 1_u32.checked_shl(u32::from(it.account.tries.saturating_sub(1))).unwrap_or(LONGEST_BACKOFF).min(LONGEST_BACKOFF);
        let wait = base.saturating_mul(doubled);
        let jitter = self.worker.rng.borrow_mut().f64() / 2.0;
        let wait = wait.saturating_add(wait.mul_f64(jitter)).min(self.deadline.left());
        if Box::pin(self.pause(wait, it.upload.body.is_none())).await { Ok(()) } else { Err(Failure::client_gone()) }
    }

    /// A connection to an endpoint this request has not been at, while there is one.
    pub async fn acquire(&mut self, it: &mut Passage<'_>, mut again: Option<Again>) -> Result<Taken, Failure> {
        let mut queue = Queue::default();
        let or = |again: Option<Again>, failure| again.and_then(|again| again.failure).unwrap_or(failure);
        loop {
            self.deadline.lap(it.forward.retries.per_try.filter(|it| !it.is_zero()));
            if self.deadline.spent() || self.deadline.left().is_zero() {
                return Err(or(again, Failure::timeout()));
            }
            let asking =
                Asking { tried: &it.kit.tried, client: Some(it.facts.client.unwrap_or(self.peer.ip())), now: self.worker.clock.now() };
            let choice = self.worker.pools.borrow_mut().choose(it.backend, asking);
            let lease = match choice {
                Choice::Reuse(warm, lease) => {
                    if warm.is_gone() || !it.facts.method.idempotent() && !warm.is_surely_open() {
                        continue;
                    }
                    it.begin_try(lease.endpoint.address, &self.worker.rng);
                    it.account.connect = None;
                    return Ok(Taken::new(warm, lease, it.backend, true));
                }
                Choice::Connect(lease) => lease,
                Choice::NoEndpoints => return Err(or(again, Failure::backend(503, Reason::NoEndpoints))),
                Choice::Exhausted if again.is_some_and(|again| again.same) && !it.kit.tried.is_empty() => {
                    it.kit.tried.clear();
                    continue;
                }
                Choice::Exhausted => return Err(or(again, Failure::backend(502, Reason::ConnectFailed))),
                Choice::Overflow if Box::pin(self.queue(&mut queue, it)).await => continue,
                Choice::Overflow => return Err(Failure::backend(503, Reason::Overflow)),
            };
            it.begin_try(lease.endpoint.address, &self.worker.rng);
            let limit = it.backend.limits.connect.unwrap_or(it.forward.timeouts.connect).min(self.deadline.left());
            // Not part of every connection's state: most requests find a connection open.
            let failure = match Box::pin(self.worker.dial(&lease, it.backend, limit)).await {
                Ok((warm, took)) => {
                    it.account.connect = Some(took);
                    return Ok(Taken::new(warm, lease, it.backend, false));
                }
                Err(error) => Failure::connect(&error),
            };
            it.failed(&failure);
            it.kit.tried.push(lease.endpoint.address);
            drop(lease);
            if !it.has_tries_left() || !it.retries_on(RetryOn::ConnectFailure) {
                return Err(failure);
            }
            again = Some(Again { failure: Some(failure), same: it.forward.retries.backoff.is_some() });
            self.back_off(it).await?;
        }
    }

    /// Waits for a connection to become free; `false`: none will, in time.
    async fn queue(&self, queue: &mut Queue, it: &Passage<'_>) -> bool {
        if it.backend.limits.pending == 0 {
            // Another worker may be about to give its share back.
            queue.waits += 1;
            tokio::time::sleep(WAIT).await;
            return queue.waits <= WAITS;
        }
        if queue.place.is_none() {
            let limit = it.backend.limits.connect.unwrap_or(it.forward.timeouts.connect);
            let place = self.worker.pools.borrow_mut().wait(it.backend);
            queue.place = place.map(|place| (place, Clock::exact() + limit));
        }
        let Some((place, until)) = &queue.place else { return false };
        let left = until.saturating_duration_since(Clock::exact()).min(self.deadline.left());
        // Told or not, it looks again: what was freed may be gone, or have been freed while nobody listened.
        let _ = tokio::time::timeout(left.min(LOOK_AGAIN), place.freed()).await;
        !left.is_zero()
    }

    /// Writes the request and waits for the head of a final answer, or of 101. Interim answers are passed on.
    pub async fn ask(&mut self, taken: &mut Taken, it: &mut Passage<'_>) -> Result<(Box<Answer>, usize), Trouble> {
        let mut written = 0;
        self.deadline.set(it.forward.timeouts.send);
        let (stream, out) = (&mut taken.warm.stream, &it.kit.out);
        let wrote = self.deadline.bound(|cx| {
            while let Some(rest) = out.get(written..).filter(|rest| !rest.is_empty()) {
                match std::task::ready!(stream.poll_write(cx, rest)) {
                    Ok(count) if count > 0 => written += count,
                    _ => return Poll::Ready(Err(Failure::reset())),
                }
            }
            Poll::Ready(Ok(()))
        });
        wrote.await.unwrap_or(Err(Failure::timeout())).map_err(|failure| Trouble { failure, silent: true, written })?;
        self.await_answer(taken, it, written).await
    }
}
