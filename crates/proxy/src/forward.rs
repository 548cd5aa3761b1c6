//! A request at its backend: which endpoint, which connection, how often.
//!
//! **Invariant:** a request that may have side effects is sent a second time only if nothing of it was written the first time.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::exchange::{Failure, Fault, Onward};
use crate::heads::{Answer, Facts, Incoming, Kit};
use crate::outgoing::Outgoing;
use crate::stream::Stream;
use crate::telemetry::Account;
use crate::transfer::{Sink, Source, Stop, Transfer, end, put};
use http1::{Chunked, Framing, Piece};
use model::{Action, Backend, Forward, Reason, WeightedBackend};
use observe::BackendMetrics;
use route::CompiledRoute;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;
use upstream::{Choice, ConnectError, InFlight, Lease, Picked, connect, pick_backend};

/// So often, and so long each time, a request waits where a backend's limit is reached, before it is refused.
const WAITS: u8 = 10;
const WAIT: Duration = Duration::from_millis(2);

/// An open connection to an endpoint.
#[derive(Debug)]
pub(crate) struct Warm {
    pub stream: Stream,
    metrics: Arc<BackendMetrics>,
}

/// A connection in use by one request.
pub(crate) struct Taken {
    pub warm: Warm,
    pub lease: Lease<Warm>,
    pub reused: bool,
    _in_flight: InFlight,
}

/// What of a request's body is still to be sent.
#[derive(Default)]
pub(crate) struct Upload {
    pub body: Option<Transfer>,
    /// The backend takes no more of it, or it is malformed.
    pub broken: bool,
    /// Octets of body that went out with the head, or all of them once it is done.
    pub octets: u64,
}

/// An upgraded connection.
pub(crate) struct Tunnel {
    pub taken: Taken,
    pub answer: Box<Answer>,
    pub idle: Duration,
}

/// Why a try brought no answer.
pub(crate) struct Trouble {
    pub failure: Failure,
    /// Nothing came back.
    pub silent: bool,
    /// Octets of the request that were written.
    pub written: usize,
}

// === impl Warm ===

impl Warm {
    fn new(stream: Stream, metrics: Arc<BackendMetrics>) -> Self {
        metrics.connected();
        Self { stream, metrics }
    }

    /// Whether the endpoint has closed it, or sent what nobody asked for, as far as the runtime has been told. Costs no system call where it
    /// has been told nothing.
    pub fn is_gone(&self) -> bool {
        let Some(stream) = self.stream.plain() else { return true };
        let mut cx = Context::from_waker(Waker::noop());
        if stream.poll_read_ready(&mut cx).is_pending() {
            return false;
        }
        // Told of octets that have been read since: where none are left, this tells the runtime so.
        let looked = stream.try_io(Interest::READABLE, || peek(stream));
        !looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The same, asking the system: it may know what the runtime has not been told yet.
    fn is_surely_open(&self) -> bool {
        self.stream.plain().is_some_and(|stream| peek(stream).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
    }
}

/// Octets waiting to be read, at most one; 0 at the end.
fn peek(stream: &TcpStream) -> io::Result<usize> {
    let (count, _) = recv(stream, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    Ok(count)
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

// === impl Failure ===

impl Failure {
    pub fn backend(status: u16, reason: Reason) -> Self {
        Self { status, reason, fault: Fault::Backend }
    }

    pub fn client(status: u16, reason: Reason) -> Self {
        Self { status, reason, fault: Fault::Client }
    }

    pub fn client_gone() -> Self {
        Self { status: 0, reason: Reason::BadRequest, fault: Fault::ClientGone }
    }

    pub fn reset() -> Self {
        Self::backend(502, Reason::UpstreamReset)
    }

    pub fn timeout() -> Self {
        Self::backend(504, Reason::UpstreamTimeout)
    }

    fn connect(error: &ConnectError) -> Self {
        match error {
            ConnectError::Timeout => Self::backend(504, Reason::ConnectTimeout),
            ConnectError::Failed(_) | ConnectError::Egress(_) => Self::backend(502, Reason::ConnectFailed),
        }
    }
}

impl Connection {
    /// Sends the request to the route's backend and its answer to the client. `Err`: the client has not been answered.
    #[expect(clippy::too_many_arguments, reason = "an exchange's parts, each borrowed for its own time")]
    pub async fn forward(
        &mut self,
        incoming: Box<Incoming>,
        length: usize,
        facts: &Facts,
        route: &CompiledRoute,
        kit: &mut Box<Kit>,
        account: &mut Account,
        upload: &mut Upload,
    ) -> Result<Onward, Failure> {
        let Action::Forward(forward) = route.action() else { return Err(Failure::backend(500, Reason::Internal)) };
        let picked = match forward.backends.as_slice() {
            // Whether it has endpoints is found out when one is chosen.
            [WeightedBackend { backend: Some(only), weight: 1.., .. }] => Picked::Backend(only),
            _ => {
                let mut pools = self.worker.pools.borrow_mut();
                let table = pools.table().clone();
                pick_backend(forward, |id| table.ready(id), pools.rng())
            }
        };
        let backend = match picked {
            Picked::Backend(backend) => backend,
            refused => {
                upload.body = self.body_of(incoming, length, facts);
                return Err(match refused {
                    Picked::NoEndpoints => Failure::backend(503, Reason::NoEndpoints),
                    _ => Failure::backend(forward.unresolved, Reason::NoBackend),
                });
            }
        };
        if self.worker.shared.access_log.is_on() {
            account.backend = Some(backend.id.clone());
        }
        self.deadline.cap(forward.timeouts.request);
        self.prepare(incoming, length, facts, route, kit, upload)?;
        if !facts.answer_edited && !self.worker.shared.access_log.is_on() {
            self.worker.slim(kit);
        }
        self.try_endpoints(facts, route, forward, backend, kit, account, upload).await
    }

    #[expect(clippy::too_many_arguments, reason = "an exchange's parts, each borrowed for its own time")]
    async fn try_endpoints(
        &mut self,
        facts: &Facts,
        route: &CompiledRoute,
        forward: &Forward,
        backend: &Backend,
        kit: &mut Kit,
        account: &mut Account,
        upload: &mut Upload,
    ) -> Result<Onward, Failure> {
        let mut last = None;
        loop {
            let mut taken = self.acquire(facts, forward, backend, kit, account, last).await?;
            let sent = self.worker.shared.access_log.is_on().then(Clock::exact);
            let trouble = match self.ask(&mut taken, facts, route, &forward.timeouts, kit, upload).await {
                Ok((answer, length)) => {
                    account.header = sent.map(|sent| Clock::exact().saturating_duration_since(sent));
                    return self.deliver(taken, answer, length, facts, route, forward, backend, kit, account, upload).await;
                }
                Err(trouble) => trouble,
            };
            let Trouble { failure, silent, written } = trouble;
            let replayable = silent && failure.fault == Fault::Backend && upload.body.as_ref().is_none_or(|body| !body.begun);
            let harmless = written == 0 || facts.method.idempotent();
            // A kept connection may close just when it is used again: that says nothing about the endpoint.
            let stale = taken.reused && failure.reason == Reason::UpstreamReset;
            if !stale {
                kit.tried.push(taken.lease.endpoint.address);
            }
            if !replayable || !harmless || !stale && account.tries >= forward.retries.tries || self.deadline.spent() {
                return Err(failure);
            }
            taken.warm.metrics.retried();
            last = Some(failure);
        }
    }

    /// A connection to an endpoint this request has not been at. `last`: how the try before failed.
    async fn acquire(
        &mut self,
        facts: &Facts,
        forward: &Forward,
        backend: &Backend,
        kit: &mut Kit,
        account: &mut Account,
        mut last: Option<Failure>,
    ) -> Result<Taken, Failure> {
        let mut waits = 0;
        loop {
            if self.deadline.left().is_zero() {
                return Err(last.unwrap_or(Failure::timeout()));
            }
            let now = self.worker.clock.now();
            let choice = self.worker.pools.borrow_mut().choose(backend, &kit.tried, now);
            let lease = match choice {
                Choice::Reuse(warm, lease) => {
                    if warm.is_gone() || !facts.method.idempotent() && !warm.is_surely_open() {
                        continue;
                    }
                    account.tries = account.tries.saturating_add(1);
                    (account.endpoint, account.connect) = (Some(lease.endpoint.address), None);
                    let _in_flight = lease.begin(backend.balancing);
                    return Ok(Taken { warm, lease, reused: true, _in_flight });
                }
                Choice::Connect(lease) => lease,
                Choice::NoEndpoints => return Err(last.unwrap_or(Failure::backend(503, Reason::NoEndpoints))),
                Choice::Exhausted => return Err(last.unwrap_or(Failure::backend(502, Reason::ConnectFailed))),
                // Another worker may be about to give its share back.
                Choice::Overflow if waits < WAITS => {
                    waits += 1;
                    tokio::time::sleep(WAIT).await;
                    continue;
                }
                Choice::Overflow => return Err(Failure::backend(503, Reason::Overflow)),
            };
            account.tries = account.tries.saturating_add(1);
            account.endpoint = Some(lease.endpoint.address);
            let failure = match self.open(&lease, forward, backend, account).await {
                Ok(warm) => {
                    let _in_flight = lease.begin(backend.balancing);
                    return Ok(Taken { warm, lease, reused: false, _in_flight });
                }
                Err(failure) => failure,
            };
            kit.tried.push(lease.endpoint.address);
            if account.tries >= forward.retries.tries {
                return Err(failure);
            }
            last = Some(failure);
        }
    }

    async fn open(&self, lease: &Lease<Warm>, forward: &Forward, backend: &Backend, account: &mut Account) -> Result<Warm, Failure> {
        let metrics = self.worker.shared.metrics.backend(&backend.id);
        let egress = self.worker.shared.egress();
        let begun = Clock::exact();
        let limit = forward.timeouts.connect.min(self.deadline.left());
        match connect(lease.endpoint.address, &egress, limit).await {
            Ok(stream) => {
                lease.endpoint.succeeded();
                account.connect = Some(Clock::exact().saturating_duration_since(begun));
                Ok(Warm::new(Stream::Plain(stream), metrics))
            }
            Err(error) => {
                lease.endpoint.failed(self.worker.clock.now());
                metrics.connect_failed();
                tracing::debug!(backend = backend.id.as_str(), endpoint = %lease.endpoint.address, %error, "no connection");
                Err(Failure::connect(&error))
            }
        }
    }

    /// Writes the head, and the body as far as it is there, into `kit.out`; the rest is the upload.
    fn prepare(
        &mut self,
        incoming: Box<Incoming>,
        length: usize,
        facts: &Facts,
        route: &CompiledRoute,
        kit: &mut Kit,
        upload: &mut Upload,
    ) -> Result<(), Failure> {
        let local;
        let octets = incoming.buffer.unread().get(..length).unwrap_or_default();
        let host = if kit.authority.is_empty() {
            local = self.context.address.to_string();
            &*local
        } else {
            &*kit.authority
        };
        let outgoing = Outgoing {
            head: &incoming.head,
            octets,
            facts,
            route,
            edits: &kit.edits,
            path: &kit.path,
            query: kit.queried.then_some(&*kit.query),
            authority: &kit.authority,
            host,
            request_id: &kit.request_id,
            forwarding: &self.forwarding,
        };
        if outgoing.write(&mut kit.out).is_err() {
            upload.body = self.body_of(incoming, length, facts);
            return Err(Failure::backend(500, Reason::Internal));
        }
        self.begin_body(incoming, length, facts, kit, upload)
    }

    /// What of the body has arrived with the head goes out with the head, checked before anybody is connected to.
    fn begin_body(
        &mut self,
        incoming: Box<Incoming>,
        length: usize,
        facts: &Facts,
        kit: &mut Kit,
        upload: &mut Upload,
    ) -> Result<(), Failure> {
        let limit = kit.edits.body_limit();
        let here = incoming.buffer.unread().get(length..).unwrap_or_default();
        let (used, body) = match facts.framing {
            Framing::Length(whole) if whole > 0 => {
                let there = usize::try_from(whole).unwrap_or(usize::MAX).min(here.len());
                kit.out.extend_from_slice(here.get(..there).unwrap_or_default());
                let left = whole - there as u64;
                let mut body = Transfer::new(Source::Length(left), Sink::Raw, None, Vec::new(), limit);
                body.octets = there as u64;
                upload.octets = body.octets;
                (there, (left > 0).then_some(body))
            }
            Framing::Chunked => {
                let (mut decoder, mut at, mut octets) = (Chunked::new(), 0, 0_u64);
                let ended = loop {
                    match decoder.next(here, &mut at) {
                        Ok(Piece::Data(count)) => {
                            octets += count as u64;
                            if limit.is_some_and(|limit| octets > limit) {
                                return Err(Failure::client(413, Reason::BodyTooLarge));
                            }
                            put(&mut kit.out, Sink::Chunked, here.get(at..at + count).unwrap_or_default());
                            at += count;
                        }
                        Ok(Piece::More) => break false,
                        Ok(Piece::End) => break true,
                        Err(fault) => return Err(Failure::client(fault.status(), Reason::BadRequest)),
                    }
                };
                if ended {
                    end(&mut kit.out, Sink::Chunked);
                }
                let mut body = Transfer::new(Source::Chunked(decoder), Sink::Chunked, None, Vec::new(), limit);
                body.octets = octets;
                upload.octets = octets;
                (at, (!ended).then_some(body))
            }
            _ => (0, None),
        };
        upload.body = body;
        self.let_go(incoming, length + used);
        Ok(())
    }

    /// Writes the request and waits for the head of a final answer, or of 101. Interim answers are passed on.
    async fn ask(
        &mut self,
        taken: &mut Taken,
        facts: &Facts,
        route: &CompiledRoute,
        timeouts: &model::Timeouts,
        kit: &Kit,
        upload: &mut Upload,
    ) -> Result<(Box<Answer>, usize), Trouble> {
        let mut written = 0;
        self.deadline.set(timeouts.send);
        let stream = &mut taken.warm.stream;
        let wrote = self.deadline.bound(|cx| {
            while let Some(rest) = kit.out.get(written..).filter(|rest| !rest.is_empty()) {
                match std::task::ready!(stream.poll_write(cx, rest)) {
                    Ok(count) if count > 0 => written += count,
                    _ => return Poll::Ready(Err(Failure::reset())),
                }
            }
            Poll::Ready(Ok(()))
        });
        wrote.await.unwrap_or(Err(Failure::timeout())).map_err(|failure| Trouble { failure, silent: true, written })?;
        self.await_answer(taken, facts, route, timeouts, upload, written).await
    }
}

// === impl Upload ===

impl Upload {
    /// Octets of body that were sent.
    pub fn total(&self) -> u64 {
        self.body.as_ref().map_or(self.octets, |body| body.octets)
    }

    /// There is more to send, and the backend takes it.
    pub fn active(&self) -> bool {
        self.body.is_some() && !self.broken
    }

    /// Whether the body's end has not been seen, so that what follows on the client's connection is not a request.
    pub fn unfinished(&self) -> bool {
        self.body.is_some()
    }

    /// How its breaking off is to be understood. `None`: go on without.
    pub fn break_off(&mut self, stop: &Stop) -> Option<Failure> {
        self.broken = true;
        match stop {
            // The answer may still come: an origin that says 413 does not read on.
            Stop::To(_) => None,
            Stop::From(_) => Some(Failure::client_gone()),
            Stop::Malformed(fault) => Some(Failure::client(fault.status(), Reason::BadRequest)),
            Stop::TooLarge => Some(Failure::client(413, Reason::BodyTooLarge)),
        }
    }
}
