//! Octets both ways after an upgrade. Nothing is looked at; nothing but the two connections is held.

use crate::buffer::{Buffer, Buffers};
use crate::clock::Deadline;
use crate::stream::Stream;
use crate::transfer::{Sink, Source, Stop, Transfer};
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// What went through, and how it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carried {
    /// Octets towards the upstream.
    pub received: u64,
    /// Octets towards the client.
    pub sent: u64,
    /// Who broke off without an end. Whoever is left must not take that for one.
    pub aborted: Option<Side>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Upstream,
}

/// One direction, and whether its end has been passed on.
struct Half {
    transfer: Transfer,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Carries,
    Finishes,
    Finished,
}

/// Runs until both sides have ended, one broke, or neither said anything for `idle`. `up` and `down` hold what was read already.
pub(crate) async fn run(
    client: &mut Stream,
    upstream: &mut Stream,
    up: Transfer,
    down: Transfer,
    idle: Duration,
    deadline: &Deadline,
    pool: &Buffers,
) -> Carried {
    let mut up = Half { transfer: up, state: State::Carries };
    let mut down = Half { transfer: down, state: State::Carries };
    let mut aborted = None;
    deadline.cap(None);
    deadline.set(idle);
    let both = deadline.bound(|cx| {
        let one = up.poll(cx, client, upstream, pool);
        let two = down.poll(cx, upstream, client, pool);
        if std::mem::take(&mut up.transfer.moved) | std::mem::take(&mut down.transfer.moved) {
            deadline.set(idle);
        }
        match (&one, &two) {
            (Poll::Ready(Err(Stop::From(_))), _) => aborted = Some(Side::Client),
            (_, Poll::Ready(Err(Stop::From(_)))) => aborted = Some(Side::Upstream),
            _ => {}
        }
        match (one, two) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) | (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    });
    // Broken, ended or silent: all are ends of a tunnel.
    let _ = both.await;
    let carried = Carried { received: up.transfer.octets, sent: down.transfer.octets, aborted };
    drop((up.transfer.finish(pool), down.transfer.finish(pool)));
    carried
}

impl Half {
    fn poll(&mut self, cx: &mut Context<'_>, from: &mut Stream, to: &mut Stream, pool: &Buffers) -> Poll<Result<(), Stop>> {
        if self.state == State::Carries {
            ready!(self.transfer.poll(cx, from, to, pool))?;
            self.state = State::Finishes;
        }
        if self.state == State::Finishes {
            ready!(to.poll_finish(cx)).map_err(Stop::To)?;
            self.state = State::Finished;
        }
        Poll::Ready(Ok(()))
    }
}

/// One direction of a tunnel.
pub(crate) fn direction(buffer: Option<Buffer>) -> Transfer {
    Transfer::new(Source::Close, Sink::Raw, buffer, Vec::new(), None)
}
