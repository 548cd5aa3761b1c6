//! A backend's answer on its way to the client.

use crate::answering::{Forwarded, Persistence, framing_for};
use crate::buffer::Buffers;
use crate::connection::{Connection, Next};
use crate::exchange::{Failure, Onward};
use crate::forward::Tunnel;
use crate::heads::{Answer, Facts};
use crate::passage::{Passage, Upload};
use crate::stream::Stream;
use crate::telemetry::Account;
use crate::transfer::{Sink, Source, Stop, Transfer};
use crate::tunnel::{self, direction};
use crate::waiting::{Leaving, patience, poll_client};
use crate::warm::{Taken, Warm};
use http1::{Chunked, Framing};
use model::Reason;
use std::task::{Context, Poll};
use std::time::Duration;

/// A request body of more than this is not read to its end for the sake of the connection.
const DRAINABLE: u64 = 64 * 1024;

/// So small a body is copied behind its head: that costs less than handing the system two pieces.
const JOINED: usize = 4 * 1024;

/// How the answer's body came through.
enum Body {
    Whole,
    /// The client stopped reading.
    ClientGone,
    /// It ended too early, or was no body.
    Broken,
}

impl Connection {
    pub async fn deliver(
        &mut self,
        mut taken: Taken,
        mut answer: Box<Answer>,
        length: usize,
        it: &mut Passage<'_>,
    ) -> Result<Onward, Failure> {
        if answer.head.status == 101 {
            return self.switch(taken, answer, length, it).await;
        }
        let facts = it.facts;
        let framing = framing_for(facts.version, answer.head.framing);
        let persistence = self.persistence(&facts, framing, &it.upload);
        let Answer { head, buffer, out } = &mut *answer;
        let forwarded = Forwarded {
            head,
            octets: buffer.unread().get(..length).unwrap_or_default(),
            facts: &facts,
            route: it.route,
            edits: &it.kit.edits,
            scheme: self.scheme,
            framing,
            persistence,
        };
        out.clear();
        forwarded.write(out).map_err(|_| Failure::backend(500, Reason::Internal))?;
        answer.buffer.consume(length);
        it.account.status = answer.head.status;
        let body = self.send_body(&mut taken, &mut answer, framing, it).await;
        self.finish_upload(&mut it.upload);
        it.account.received = it.upload.total();
        let reusable = answer.head.keep_alive && answer.buffer.is_empty() && !it.upload.unfinished();
        answer.reset();
        self.worker.answers.put(answer);
        match body {
            Body::Whole => {
                if reusable {
                    self.worker.keep_warm(taken, it.backend);
                }
                Ok(Onward::Next(self.after(persistence, &mut it.upload).await))
            }
            Body::ClientGone => Ok(Onward::Next(Next::Abort)),
            Body::Broken => {
                // The end of the connection must not look like the end of the body.
                self.reset_on_drop();
                Ok(Onward::Next(Next::Abort))
            }
        }
    }

    /// Whether the client's connection can go on after this answer.
    fn persistence(&self, facts: &Facts, framing: Framing, upload: &Upload) -> Persistence {
        let drainable = match &upload.body {
            None => true,
            Some(_) if facts.expects_continue || upload.broken => false,
            Some(body) => body.left().is_none_or(|left| left <= DRAINABLE),
        };
        let over = self.ended && self.unread.is_none();
        if facts.keep_alive && framing != Framing::Close && drainable && !over && !self.worn_out() {
            Persistence::Keep
        } else {
            Persistence::Close
        }
    }

    async fn after(&mut self, persistence: Persistence, upload: &mut Upload) -> Next {
        match (persistence, upload.body.take()) {
            (Persistence::Close, body) => {
                drop(body.and_then(|body| body.finish(&self.worker.buffers)));
                Next::Close
            }
            (Persistence::Keep, None) => Next::KeepAlive,
            (Persistence::Keep, Some(body)) => self.drain(body).await,
        }
    }

    /// Writes the head that is ready, and the body behind it.
    async fn send_body(&mut self, taken: &mut Taken, answer: &mut Answer, framing: Framing, it: &mut Passage<'_>) -> Body {
        let Passage { upload, account, forward, .. } = it;
        let read_timeout = forward.timeouts.read;
        let whole = match answer.head.framing {
            Framing::None => Some(0),
            Framing::Length(length) => usize::try_from(length).ok().filter(|&length| length <= answer.buffer.unread().len()),
            Framing::Chunked | Framing::Close => None,
        };
        if let Some(whole) = whole.filter(|_| !upload.active()) {
            let body = answer.buffer.unread().get(..whole).unwrap_or_default();
            let sent = if whole <= JOINED {
                answer.out.extend_from_slice(body);
                self.write(&answer.out).await
            } else {
                self.write_two(&answer.out, body).await
            };
            account.sent = whole as u64;
            answer.buffer.consume(whole);
            return if sent { Body::Whole } else { Body::ClientGone };
        }
        let source = match answer.head.framing {
            Framing::None => Source::Length(0),
            Framing::Length(length) => Source::Length(length),
            Framing::Chunked => Source::Chunked(Chunked::new()),
            Framing::Close => Source::Close,
        };
        let sink = if framing == Framing::Chunked { Sink::Chunked } else { Sink::Raw };
        let buffer = std::mem::replace(&mut answer.buffer, self.worker.buffers.small.take());
        let mut down = Transfer::new(source, sink, Some(buffer), std::mem::take(&mut answer.out), None);
        let body = self.both_ways(taken, &mut down, upload, read_timeout).await;
        account.sent = down.octets;
        answer.out = down.take_out();
        if let Some(rest) = down.finish(&self.worker.buffers) {
            // Octets beyond the answer: the connection will not be used again.
            self.worker.buffers.give(std::mem::replace(&mut answer.buffer, rest));
        }
        body
    }

    /// The answer's body to the client, and what is left of the request's to the backend.
    async fn both_ways(&mut self, taken: &mut Taken, down: &mut Transfer, upload: &mut Upload, read_timeout: Duration) -> Body {
        let (worker, client, deadline) = (&self.worker, &mut self.client, &self.deadline);
        let (unread, ended) = (&mut self.unread, &mut self.ended);
        let upstream = &mut taken.warm.stream;
        deadline.set(read_timeout);
        let done = deadline.bound(|cx| {
            let up = poll_upload(cx, upload, client, upstream, &worker.buffers);
            let polled = down.poll(cx, upstream, client, &worker.buffers);
            if up.is_ok_and(|moved| moved) | std::mem::take(&mut down.moved) {
                deadline.set(patience(*ended, read_timeout));
            }
            match (up, polled) {
                (Err(()), _) => return Poll::Ready(Body::ClientGone),
                (Ok(_), Poll::Ready(Ok(()))) => return Poll::Ready(Body::Whole),
                (Ok(_), Poll::Ready(Err(stop))) => {
                    tracing::debug!(?stop, "an answer was cut off");
                    return Poll::Ready(if let Stop::To(_) = stop { Body::ClientGone } else { Body::Broken });
                }
                (Ok(_), Poll::Pending) => {}
            }
            if *ended || upload.unfinished() {
                return Poll::Pending;
            }
            match std::task::ready!(poll_client(cx, worker, client, unread)) {
                Leaving::Gone => Poll::Ready(Body::ClientGone),
                Leaving::Ended => {
                    *ended = true;
                    deadline.set(patience(true, read_timeout));
                    Poll::Pending
                }
            }
        });
        done.await.unwrap_or(Body::Broken)
    }

    /// 101: only where a switch was asked for, and to what was asked for.
    async fn switch(&mut self, taken: Taken, mut answer: Box<Answer>, length: usize, it: &mut Passage<'_>) -> Result<Onward, Failure> {
        if !it.facts.websocket || !answer.head.websocket {
            return Err(Failure::backend(502, Reason::UpstreamProtocol));
        }
        let Answer { head, buffer, out } = &mut *answer;
        out.clear();
        crate::answering::write_switch(out, head, buffer.unread().get(..length).unwrap_or_default(), it.route);
        answer.buffer.consume(length);
        it.account.status = 101;
        if !self.write(&answer.out).await {
            return Ok(Onward::Next(Next::Abort));
        }
        Ok(Onward::Tunnel(Box::new(Tunnel { taken, answer, idle: it.forward.timeouts.read, _admitted: it.admitted.take() })))
    }

    /// Octets both ways until the end.
    pub async fn tunnel(&mut self, tunnel: Tunnel, account: &mut Account) {
        let Tunnel { mut taken, mut answer, idle, _admitted } = tunnel;
        let down = std::mem::replace(&mut answer.buffer, self.worker.buffers.small.take());
        answer.reset();
        self.worker.answers.put(answer);
        let up = self.unread.take().map(|mut unread| {
            let buffer = std::mem::replace(&mut unread.buffer, self.worker.buffers.small.take());
            self.put_back(unread);
            buffer
        });
        let Warm { stream, .. } = &mut taken.warm;
        let (up, down) = (direction(up), direction(Some(down)));
        let carried = tunnel::run(&mut self.client, stream, up, down, idle, &self.deadline, &self.worker.buffers).await;
        (account.received, account.sent) = (carried.received, carried.sent);
    }

    /// The client will see a reset, not an orderly end.
    fn reset_on_drop(&self) {
        if let Some(stream) = self.client.plain() {
            // Where that fails the connection just ends.
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Sends on what there is of the request's body. `Ok`: whether there was any; `Err`: the client cannot go on.
fn poll_upload(
    cx: &mut Context<'_>,
    upload: &mut Upload,
    client: &mut Stream,
    upstream: &mut Stream,
    buffers: &Buffers,
) -> Result<bool, ()> {
    if !upload.active() {
        return Ok(false);
    }
    let Some(body) = upload.body.as_mut().filter(|body| !body.is_done()) else { return Ok(false) };
    let polled = body.poll(cx, client, upstream, buffers);
    let moved = std::mem::take(&mut body.moved);
    match polled {
        Poll::Ready(Err(stop)) if upload.break_off(&stop).is_some() => Err(()),
        _ => Ok(moved),
    }
}
