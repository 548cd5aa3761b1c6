//! Waiting for a backend's answer, while the request's body goes on.

use crate::clock::Deadline;
use crate::connection::Connection;
use crate::exchange::Failure;
use crate::heads::{Answer, Facts, Incoming};
use crate::passage::{Passage, Trouble, Upload};
use crate::stream::Stream;
use crate::warm::Taken;
use crate::worker::Worker;
use http1::{Method, Version};
use model::Reason;
use route::CompiledRoute;
use std::task::{Context, Poll};
use std::time::Duration;

/// Interim answers of one request that are passed on.
const INTERIM: u8 = 8;
/// For so long an answer is waited for when the client has ended its side: it may be gone, or just have nothing more to say.
const HALF_CLOSED: Duration = Duration::from_secs(5);
/// So much of further requests is read ahead while one is under way.
const AHEAD: usize = 8 * 1024;

/// Both sides of an exchange while the answer's head is awaited.
struct Wait<'a> {
    worker: &'a Worker,
    client: &'a mut Stream,
    unread: &'a mut Option<Box<Incoming>>,
    ended: &'a mut bool,
    deadline: &'a Deadline,
    upstream: &'a mut Stream,
    upload: &'a mut Upload,
    answer: &'a mut Option<Box<Answer>>,
    asked: Method,
    read_timeout: Duration,
}

impl Connection {
    /// The next head that is not passed on as an interim one, and its length.
    pub async fn await_answer(&mut self, taken: &mut Taken, it: &mut Passage<'_>, written: usize) -> Result<(Box<Answer>, usize), Trouble> {
        let (facts, route) = (it.facts, it.route);
        let upload = &mut it.upload;
        let mut answer: Option<Box<Answer>> = None;
        let mut interim = 0;
        loop {
            let patience = patience(self.ended, it.forward.timeouts.read);
            self.deadline.set(patience);
            let mut wait = Wait {
                worker: &self.worker,
                client: &mut self.client,
                unread: &mut self.unread,
                ended: &mut self.ended,
                deadline: &self.deadline,
                upstream: &mut taken.warm.stream,
                upload,
                answer: &mut answer,
                asked: facts.method,
                read_timeout: patience,
            };
            let came = self.deadline.bound(|cx| wait.poll(cx)).await.unwrap_or(Err(Failure::timeout()));
            self.finish_upload(upload);
            let silent = interim == 0 && answer.as_ref().is_none_or(|answer| answer.buffer.is_empty());
            let trouble = |failure| Trouble { failure, silent, written };
            let length = came.map_err(trouble)?;
            let Some(given) = answer.take() else { return Err(trouble(Failure::backend(500, Reason::Internal))) };
            if !given.head.interim() || given.head.status == 101 {
                return Ok((given, length));
            }
            interim += 1;
            if interim > INTERIM {
                return Err(trouble(Failure::backend(502, Reason::UpstreamProtocol)));
            }
            answer = self.pass_on_interim(given, length, &facts, route).await.map_err(trouble)?;
        }
    }

    /// 100 to a client that waits for it, 103 to every client that may see it; others end here. What follows it in the buffer is kept.
    async fn pass_on_interim(
        &mut self,
        mut answer: Box<Answer>,
        length: usize,
        facts: &Facts,
        route: &CompiledRoute,
    ) -> Result<Option<Box<Answer>>, Failure> {
        let wanted = match answer.head.status {
            100 => facts.expects_continue,
            103 => true,
            _ => false,
        };
        if wanted && facts.version == Version::Http11 {
            let octets = answer.buffer.unread().get(..length).unwrap_or_default();
            let mut out = Vec::with_capacity(length + 64);
            crate::answering::write_interim(&mut out, &answer.head, octets, route);
            if !self.write(&out).await {
                return Err(Failure::client_gone());
            }
        }
        answer.buffer.consume(length);
        answer.head.clear();
        if answer.buffer.is_empty() {
            answer.reset();
            self.worker.answers.put(answer);
            return Ok(None);
        }
        Ok(Some(answer))
    }

    /// Lets go of an upload that is done. What was read beyond it is the next request.
    pub fn finish_upload(&mut self, upload: &mut Upload) {
        if let Some(mut body) = upload.body.take_if(|body| body.is_done()) {
            upload.done(&mut body);
            let rest = body.finish(&self.worker.buffers);
            self.keep(rest);
        }
    }
}

impl Wait<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        if let Err(failure) = self.poll_upload(cx) {
            return Poll::Ready(Err(failure));
        }
        if let Poll::Ready(answer) = self.poll_answer(cx) {
            return Poll::Ready(answer);
        }
        if self.upload.body.is_none() && !*self.ended {
            return self.poll_client(cx);
        }
        Poll::Pending
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if !self.upload.active() {
            return Ok(());
        }
        let Some(body) = &mut self.upload.body else { return Ok(()) };
        if body.is_done() {
            return Ok(());
        }
        let polled = body.poll(cx, self.client, self.upstream, &self.worker.buffers);
        if std::mem::take(&mut body.moved) {
            self.deadline.set(self.read_timeout);
        }
        match polled {
            Poll::Ready(Err(stop)) => self.upload.break_off(&stop).map_or(Ok(()), Err),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Reads until a head is whole. While nothing of it is there, no buffer is held.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        let protocol = || Failure::backend(502, Reason::UpstreamProtocol);
        loop {
            let mut answer = self.answer.take().unwrap_or_else(|| self.worker.answers.take());
            if !answer.buffer.is_empty() {
                match answer.head.parse(answer.buffer.unread(), self.asked) {
                    Ok(None) => {}
                    Ok(Some(length)) => {
                        *self.answer = Some(answer);
                        return Poll::Ready(Ok(length));
                    }
                    Err(fault) => {
                        tracing::debug!(%fault, "the backend's answer is refused");
                        *self.answer = Some(answer);
                        return Poll::Ready(Err(protocol()));
                    }
                }
            }
            match self.upstream.poll_read(cx, answer.buffer.space(usize::MAX)) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    answer.buffer.filled(count);
                    *self.answer = Some(answer);
                }
                Poll::Ready(_) => {
                    *self.answer = Some(answer);
                    return Poll::Ready(Err(Failure::reset()));
                }
                Poll::Pending if answer.buffer.is_empty() => {
                    self.worker.answers.put(answer);
                    return Poll::Pending;
                }
                Poll::Pending => {
                    *self.answer = Some(answer);
                    return Poll::Pending;
                }
            }
        }
    }

    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Failure>> {
        match poll_client(cx, self.worker, self.client, self.unread) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Leaving::Gone) => Poll::Ready(Err(Failure::client_gone())),
            Poll::Ready(Leaving::Ended) => {
                *self.ended = true;
                self.deadline.set(patience(true, self.read_timeout));
                Poll::Pending
            }
        }
    }
}

/// How long nothing may happen. `ended`: the client has ended its side.
pub(crate) fn patience(ended: bool, read_timeout: Duration) -> Duration {
    if ended { HALF_CLOSED.min(read_timeout) } else { read_timeout }
}

/// What a client does that gets an answer.
pub(crate) enum Leaving {
    /// It will not read any more.
    Gone,
    /// It sends no more, and may still read.
    Ended,
}

/// Notices a client that leaves; reads a little ahead of one that sends its next request already.
pub(crate) fn poll_client(cx: &mut Context<'_>, worker: &Worker, client: &mut Stream, unread: &mut Option<Box<Incoming>>) -> Poll<Leaving> {
    loop {
        if unread.as_ref().is_some_and(|unread| unread.buffer.unread().len() >= AHEAD) {
            return Poll::Pending;
        }
        let mut incoming = unread.take().unwrap_or_else(|| worker.incoming.take());
        let read = client.poll_read(cx, incoming.buffer.space(AHEAD));
        if let Poll::Ready(Ok(count)) = read {
            incoming.buffer.filled(count);
        }
        if incoming.buffer.is_empty() {
            worker.incoming.put(incoming);
        } else {
            *unread = Some(incoming);
        }
        match read {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(Leaving::Gone),
            Poll::Ready(Ok(0)) => return Poll::Ready(Leaving::Ended),
            Poll::Ready(Ok(_)) => {}
        }
    }
}
