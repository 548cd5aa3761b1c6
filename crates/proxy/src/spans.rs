//! Traces: what a request carries on to its backend, and what is told of it afterwards.
//!
//! A gateway that traces nothing pays one look at its options for each request. One that does writes a `traceparent` of its own into every request
//! that goes out; only what is sampled is remembered beyond that.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::exchange::{Failure, Fault};
use crate::heads::{Facts, Kit};
use crate::origin::word;
use crate::passage::Passage;
use crate::telemetry::Account;
use http1::{RequestHead, Version};
use model::{BackendId, PathMatch, Reason, Source, Text, Tracing};
use observe::{TraceContext, Traced, Try, hexadecimal, trace_state};
use route::CompiledRoute;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// What a traced request takes to its backend.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// `None`: nothing is traced, and what the client says goes on as it is.
    pub context: Option<TraceContext>,
    /// The trace's `tracestate`, if it has one.
    pub state: Option<String>,
    /// Where in the head that goes out `traceparent` stands.
    pub place: Option<usize>,
}

/// What is remembered of a sampled request.
#[derive(Debug)]
pub(crate) struct Recording {
    tracing: Arc<Tracing>,
    trace: u128,
    /// The gateway's own span.
    own: u64,
    parent: Option<u64>,
    template: Option<Text>,
    tries: Vec<Attempt>,
}

#[derive(Debug)]
struct Attempt {
    span: u64,
    started: Instant,
    /// `None`: it goes on.
    ended: Option<Instant>,
    backend: BackendId,
    endpoint: SocketAddr,
    asked: Asked,
    status: u16,
    reason: Option<Reason>,
}

/// What a backend is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// What the client asked for, as filters have it.
    Request,
    /// A page, in the place of an answer.
    Page,
}

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

// === impl Carried ===

impl Carried {
    pub fn clear(&mut self) {
        (self.context, self.state, self.place) = (None, None, None);
    }

    /// Whether we write this field, and a client's goes.
    #[inline]
    pub fn replaces<'a>(&self, name: impl Fn() -> &'a [u8]) -> bool {
        self.context.is_some() && [TRACEPARENT, TRACESTATE].iter().any(|it| name().eq_ignore_ascii_case(it.as_bytes()))
    }

    /// The fields that say it.
    pub fn fields(&self, mut write: impl FnMut(&'static str, &[u8])) {
        if let Some(context) = &self.context {
            write(TRACEPARENT, &context.text());
            if let Some(state) = &self.state {
                write(TRACESTATE, state.as_bytes());
            }
        }
    }

    /// The same request goes out once more, of another span.
    fn rewrite(&mut self, head: &mut [u8], span: u64) {
        let value = self.place.and_then(|at| head.get_mut(at..)?.get_mut(..TraceContext::SPAN.end));
        if let Some((value, digits)) = value.and_then(|it| it.split_at_mut_checked(TraceContext::SPAN.start))
            && value.starts_with(b"00-")
        {
            hexadecimal(digits, span.into());
        }
    }
}

/// Where the value begins of a `traceparent` that was written from here on.
pub(crate) fn value_at(start: usize) -> usize {
    start + TRACEPARENT.len() + 2
}

pub(crate) fn is_traceparent(name: &str) -> bool {
    name == TRACEPARENT
}

impl Connection {
    /// Goes on with the trace that the request brings, or begins one; what is sampled is remembered from here on.
    pub fn trace(&self, tracing: &Arc<Tracing>, (head, octets): (&RequestHead, &[u8]), kit: &mut Kit, account: &mut Account) {
        let mut rng = self.worker.rng.borrow_mut();
        let given = TraceContext::of(head.fields.named(octets, TRACEPARENT));
        let sampled = given.map_or_else(|| rng.u32(..1_000_000) < tracing.sampling.0, |it| it.sampled);
        let context = TraceContext { trace: given.map_or_else(|| rng.u128(1..), |it| it.trace), span: rng.u64(1..), sampled };
        let state = given.and_then(|_| trace_state(head.fields.named(octets, TRACESTATE)));
        kit.carried = Carried { context: Some(context), state, place: None };
        if sampled {
            if kit.user_agent.is_empty() {
                kit.user_agent.extend_from_slice(head.fields.named(octets, "user-agent").next().unwrap_or_default());
            }
            let (parent, own) = (given.map(|it| it.span), rng.u64(1..));
            let (tracing, trace) = (tracing.clone(), context.trace);
            account.recording = Some(Box::new(Recording { tracing, trace, own, parent, template: None, tries: Vec::new() }));
        }
    }

    /// Leaves what is to be told of an exchange that is over.
    pub fn tell(&self, recording: &Recording, account: &Account, (facts, kit): (&Facts, &Kit), route: Option<&Source>) {
        let now = Clock::exact();
        let duration = now.saturating_duration_since(account.started);
        let (host, port) = split(&kit.authority);
        let text = |it: &str| Traced::shortened(it.as_bytes());
        let asked = kit.edits.target().map(|it| it.split_once('?').map_or(it, |(path, _)| path));
        let asked = text(asked.unwrap_or(&kit.path));
        let tries = recording.tries.iter().map(|it| Try {
            span: it.span,
            since: it.started.saturating_duration_since(account.started),
            duration: it.ended.unwrap_or(now).saturating_duration_since(it.started),
            backend: it.backend.clone(),
            endpoint: it.endpoint,
            path: if it.asked == Asked::Page { "/".to_owned() } else { asked.clone() },
            status: it.status,
            reason: it.reason,
        });
        let traced = Traced {
            tracing: recording.tracing.clone(),
            trace: recording.trace,
            span: recording.own,
            parent: recording.parent,
            state: kit.carried.state.clone().unwrap_or_default(),
            started: SystemTime::now().checked_sub(duration).unwrap_or(SystemTime::UNIX_EPOCH),
            duration,
            client: facts.client.unwrap_or(self.peer.ip()),
            peer: self.peer,
            method: text(&kit.method),
            scheme: word(kit.origin.as_ref().map_or(self.scheme, |it| it.scheme)),
            host: text(host),
            port: port.unwrap_or(self.context.port),
            path: text(&kit.path),
            version: match facts.version {
                Version::Http10 => "1.0",
                Version::Http11 => "1.1",
            },
            user_agent: Traced::shortened(&kit.user_agent),
            request_id: kit.request_id.clone(),
            status: account.status,
            reason: account.reason,
            received: account.received,
            sent: account.sent,
            gateway: self.context.gateway.clone(),
            listener: self.context.section.clone(),
            route: route.cloned(),
            template: recording.template.clone(),
            tries: tries.collect(),
        };
        self.worker.shared.spans.put(self.worker.index, traced);
    }
}

/// `host[:port]`.
fn split(authority: &str) -> (&str, Option<u16>) {
    match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    }
}

impl Passage<'_> {
    /// The request goes to this endpoint now: the backend hears of the span of this try.
    pub fn begin_try(&mut self, endpoint: SocketAddr, rng: &std::cell::RefCell<fastrand::Rng>) {
        self.account.tries = self.account.tries.saturating_add(1);
        self.account.endpoint = Some(endpoint);
        let Some(recording) = &mut self.account.recording else { return };
        let first = self.kit.carried.context.map(|it| it.span).filter(|_| recording.tries.is_empty());
        let span = first.unwrap_or_else(|| {
            let span = rng.borrow_mut().u64(1..);
            self.kit.carried.rewrite(&mut self.kit.out, span);
            span
        });
        let (started, backend) = (Clock::exact(), self.backend.id.clone());
        recording.tries.push(Attempt { span, started, ended: None, backend, endpoint, asked: Asked::Request, status: 0, reason: None });
    }

    /// The try that goes on is for a page.
    pub fn asks_for_page(&mut self) {
        if let Some(attempt) = self.attempt() {
            attempt.asked = Asked::Page;
        }
    }

    /// What came of the try that goes on. It is over with a reason, and otherwise when its answer is.
    pub fn answered(&mut self, status: u16) {
        if let Some(attempt) = self.attempt() {
            attempt.status = status;
        }
    }

    pub fn failed(&mut self, failure: &Failure) {
        if let Some(attempt) = self.attempt() {
            attempt.reason = (failure.fault == Fault::Backend).then_some(failure.reason);
            attempt.ended = Some(Clock::exact());
        }
    }

    /// Its answer is let go, for another one.
    pub fn passed_over(&mut self) {
        if let Some(attempt) = self.attempt() {
            attempt.ended = Some(Clock::exact());
        }
    }

    fn attempt(&mut self) -> Option<&mut Attempt> {
        self.account.recording.as_mut()?.tries.last_mut()
    }
}

impl Recording {
    /// The route it takes.
    pub fn take(&mut self, route: &CompiledRoute) {
        self.template = template(route);
    }
}

/// The path that the route has, where it has one alone.
fn template(route: &CompiledRoute) -> Option<Text> {
    let matches = &route.host().routes.get(route.index())?.matches;
    let path = |it: &PathMatch| match it {
        PathMatch::Any => Some("/".into()),
        PathMatch::Exact(path) | PathMatch::Prefix(path) | PathMatch::StartsWith(path) => {
            Some(if path.is_empty() { "/".into() } else { path.clone() })
        }
        PathMatch::Regex(pattern) => Some(pattern.text.clone()),
    };
    let (first, more) = matches.split_first()?;
    more.iter().all(|it| it.path == first.path).then(|| path(&first.path)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_in_the_place_of_another() {
        let context = TraceContext { trace: 5, span: 6, sampled: true };
        let mut carried = Carried { context: Some(context), state: Some("a=1".into()), place: None };
        let mut head = b"GET / HTTP/1.1\r\n".to_vec();
        let start = head.len();
        carried.fields(|name, value| head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat()));
        carried.place = Some(value_at(start));
        carried.rewrite(&mut head, 0xabc);
        let text = String::from_utf8(head.clone()).expect("text");
        let (trace, span) = (format!("{:032x}", 5), format!("{:016x}", 0xabc));
        assert_eq!(text, format!("GET / HTTP/1.1\r\ntraceparent: 00-{trace}-{span}-01\r\ntracestate: a=1\r\n"));
        // A place that is not there changes nothing.
        carried.place = Some(4_000);
        carried.rewrite(&mut head, 1);
        assert_eq!(String::from_utf8(head).expect("text"), text);
    }

    #[test]
    fn host_and_port_of_what_was_asked_for() {
        for (authority, expect) in [
            ("a.test", ("a.test", None)),
            ("a.test:81", ("a.test", Some(81))),
            ("[::1]:81", ("[::1]", Some(81))),
            ("[::1]", ("[::1]", None)),
            ("", ("", None)),
        ] {
            assert_eq!(split(authority), expect, "{authority}");
        }
    }
}
