//! One request on its way to a backend and back: what is known of it, and what may have to be sent again.

use crate::exchange::{Failure, Fault};
use crate::heads::{Facts, Kit};
use crate::telemetry::Account;
use crate::transfer::{Kept, Stop, Transfer};
use model::{Action, Backend, ErrorPages, Forward, Reason, RetryOn};
use route::CompiledRoute;
use std::sync::Arc;
use upstream::{Admitted, ConnectError};

/// Of a body, so much is kept to be sent again where the route's retries may need it.
const REPLAYABLE: usize = 64 * 1024;
/// And so much where copies of the request go elsewhere: they are sent whole or not at all.
const MIRRORED: usize = 1024 * 1024;

/// Everything an exchange with a backend needs. Borrowed for as long as it lasts.
pub(crate) struct Passage<'a> {
    pub facts: Facts,
    pub route: &'a CompiledRoute,
    pub forward: &'a Forward,
    pub backend: &'a Arc<Backend>,
    pub kit: &'a mut Box<Kit>,
    pub account: &'a mut Account,
    pub upload: Upload,
    /// The request's share of the backend's limit.
    pub admitted: Option<Admitted>,
    /// Copies of it are still to be sent.
    pub mirrors: bool,
}

/// What of a request's body is still to be sent, and what was.
#[derive(Default)]
pub(crate) struct Upload {
    pub body: Option<Transfer>,
    /// The backend takes no more of it, or it is malformed.
    pub broken: bool,
    /// Octets of body that went out with the head, or all of them once it is done.
    pub octets: u64,
    /// Of a body that is done.
    kept: Option<Kept>,
    /// Some of it is gone for good.
    lost: bool,
}

/// Why a try brought no answer.
pub(crate) struct Trouble {
    pub failure: Failure,
    /// Nothing came back.
    pub silent: bool,
    /// Octets of the request that were written.
    pub written: usize,
}

// === impl Passage ===

impl<'a> Passage<'a> {
    /// `None`: the route forwards nothing, or not there.
    pub fn new(facts: Facts, route: &'a CompiledRoute, backend: usize, kit: &'a mut Box<Kit>, account: &'a mut Account) -> Option<Self> {
        let Action::Forward(forward) = route.action() else { return None };
        let backend = forward.backends.get(backend)?.backend.as_ref()?;
        let mirrors = kit.edits.has_mirrors() && !facts.websocket;
        Some(Self { facts, route, forward, backend, kit, account, upload: Upload::default(), admitted: None, mirrors })
    }

    /// For a page alone. `None`: there is nobody to ask.
    pub fn of_page(
        facts: Facts,
        route: &'a CompiledRoute,
        pages: &'a ErrorPages,
        kit: &'a mut Box<Kit>,
        account: &'a mut Account,
    ) -> Option<Self> {
        let forward = &pages.forward;
        let backend = forward.backends.first()?.backend.as_ref()?;
        Some(Self { facts, route, forward, backend, kit, account, upload: Upload::default(), admitted: None, mirrors: false })
    }

    /// How much of a body is kept as it goes through.
    pub fn room(&self) -> Option<usize> {
        let replays = |on: &RetryOn| matches!(on, RetryOn::Reset | RetryOn::Status(_) | RetryOn::ServerError);
        if self.mirrors {
            Some(MIRRORED)
        } else if self.forward.retries.tries > 1 && self.forward.retries.on.iter().any(replays) {
            Some(REPLAYABLE)
        } else {
            None
        }
    }

    pub fn has_tries_left(&self) -> bool {
        self.account.tries < self.forward.retries.tries
    }

    pub fn retries_on(&self, on: RetryOn) -> bool {
        self.forward.retries.on.contains(&on)
    }

    pub fn retries_status(&self, status: u16) -> bool {
        self.forward.retries.on.iter().any(|on| match on {
            RetryOn::Status(it) => *it == status,
            RetryOn::ServerError => (500..600).contains(&status),
            RetryOn::ConnectFailure | RetryOn::SafeReset | RetryOn::Reset => false,
        })
    }

    /// Whether what went wrong brings another try. `stale`: the connection was a kept one, which may close just when it is used again.
    pub fn retries_trouble(&self, trouble: &Trouble, stale: bool) -> bool {
        if !trouble.silent || trouble.failure.fault != Fault::Backend || !self.upload.is_replayable() {
            return false;
        }
        let unwritten = trouble.written == 0;
        let harmless = unwritten || self.facts.method.idempotent();
        if stale && harmless {
            return true;
        }
        let on = self.retries_on(RetryOn::Reset)
            || self.retries_on(RetryOn::SafeReset) && harmless
            || self.retries_on(RetryOn::ConnectFailure) && unwritten;
        on && self.has_tries_left()
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

    /// A body that is done leaves its count and its copy.
    pub fn done(&mut self, body: &mut Transfer) {
        self.octets = body.octets;
        self.kept = body.take_kept();
        self.lost = body.begun && self.kept.is_none();
    }

    /// Whether all that was sent can be sent once more.
    pub fn is_replayable(&self) -> bool {
        match &self.body {
            Some(body) => !body.begun || body.keeps(),
            None => !self.lost,
        }
    }

    /// Puts what was sent behind the head, to be sent once more with it.
    pub fn rewind(&mut self, out: &mut Vec<u8>) {
        if let Some(kept) = &mut self.kept {
            out.append(&mut kept.octets);
        }
        if let Some(body) = &mut self.body {
            body.rewind(out);
        }
        self.broken = false;
    }

    /// The whole body as it was sent, less what is in the head's buffer. `None`: it is not at hand.
    pub fn copy(&self) -> Option<&[u8]> {
        let whole = self.body.is_none() && !self.lost;
        whole.then(|| self.kept.as_ref().map_or(&[][..], |kept| &kept.octets))
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

    pub fn connect(error: &ConnectError) -> Self {
        match error {
            ConnectError::Timeout => Self::backend(504, Reason::ConnectTimeout),
            ConnectError::Failed(_) | ConnectError::Egress(_) => Self::backend(502, Reason::ConnectFailed),
        }
    }
}
