//! One request and its answer.

use crate::answering::{Edited, Local, Persistence};
use crate::buffer::Buffer;
use crate::clock::Clock;
use crate::connection::{Connection, Next};
use crate::forward::Tunnel;
use crate::heads::{Facts, Incoming, Kit};
use crate::outgoing::request_id;
use crate::passage::Passage;
use crate::telemetry::Account;
use crate::transfer::{Sink, Source, Transfer};
use crate::waiting::{Leaving, poll_client};
use filter::{Flow, Reply};
use http1::{Chunked, Framing, RequestHead, Target, canonical_path, canonical_query};
use model::{Action, Forward, Reason, Replies, WeightedBackend};
use route::{CompiledRoute, Headers, Lookup};
use std::future::Future;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use upstream::{Picked, pick_backend};

/// Octets of a body nobody wants that are read so that the connection can go on.
const DRAIN_OCTETS: usize = 64 * 1024;
const DRAIN: Duration = Duration::from_secs(1);

/// What was decided about a request.
pub(crate) enum Decision {
    /// To the backend at this place among the route's.
    Forward(Arc<CompiledRoute>, usize),
    Answer(Box<Local>, Option<Arc<CompiledRoute>>),
}

/// What follows a forwarded request.
pub(crate) enum Onward {
    Next(Next),
    /// The connection is no longer HTTP.
    Tunnel(Box<Tunnel>),
}

/// Why there is no answer from the backend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    pub status: u16,
    pub reason: Reason,
    pub fault: Fault,
}

/// Whose fault it is: a client whose body is broken, or who is gone, cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Client,
    ClientGone,
    Backend,
}

/// A head as routes and filters look at it.
struct View<'a> {
    head: &'a RequestHead,
    octets: &'a [u8],
}

impl Headers for View<'_> {
    fn first(&self, lower_name: &str) -> Option<&[u8]> {
        self.head.fields.named(self.octets, lower_name).next()
    }
    fn each(&self, lower_name: &str, f: &mut dyn FnMut(&[u8])) {
        self.head.fields.named(self.octets, lower_name).for_each(f);
    }
}

impl Connection {
    /// Answers one request whose head is complete.
    pub async fn exchange(&mut self, incoming: Box<Incoming>, length: usize) -> Next {
        self.served = self.served.saturating_add(1);
        let mut kit = self.worker.kits.take();
        kit.clear();
        let mut account = Account::new(Clock::exact());
        let mut facts = Facts::of(&incoming.head);
        let decision = self.decide(&incoming, length, &mut kit, &mut account);
        facts.head = u32::try_from(length).unwrap_or(u32::MAX);
        facts.client = kit.origin.as_ref().map(|it| it.client);
        let next = match decision {
            Decision::Answer(local, Some(route))
                if kit.edits.pages(&route).is_some_and(|it| it.covers(local.status, Some(local.reason))) =>
            {
                facts.answer_edited = kit.edits.changes_answer();
                let next = self.answer_by_page(incoming, length, (&local, &route), facts, &mut kit, &mut account).await;
                self.settle(&account, &facts, Some(&route), &kit);
                next
            }
            Decision::Answer(local, route) => {
                let next = if self.held_up(&incoming, length, &facts, route.is_some(), &kit).await {
                    let body = self.body_of(incoming, length, &facts);
                    self.answer(&local, route.as_deref(), &facts, body, &mut kit, &mut account).await
                } else {
                    self.put_back(incoming);
                    Next::Abort
                };
                self.settle(&account, &facts, route.as_deref(), &kit);
                next
            }
            Decision::Forward(route, backend) => {
                facts.answer_edited = kit.edits.changes_answer();
                let onward = match Passage::new(facts, &route, backend, &mut kit, &mut account) {
                    Some(mut passage) => self.forwarded(incoming, length, &mut passage).await,
                    None => Onward::Next(self.refuse(500, Reason::Internal).await),
                };
                match onward {
                    Onward::Next(next) => {
                        self.settle(&account, &facts, Some(&route), &kit);
                        next
                    }
                    Onward::Tunnel(tunnel) => {
                        let mark = self.mark(&route);
                        drop(route);
                        self.tunnel(*tunnel, &mut account).await;
                        self.settle_tunnel(&account, &facts, &mark, &kit);
                        Next::Close
                    }
                }
            }
        };
        self.worker.take_back(kit);
        next
    }

    /// Forwards; answers by itself where that fails.
    async fn forwarded(&mut self, incoming: Box<Incoming>, length: usize, it: &mut Passage<'_>) -> Onward {
        if !self.held_up(&incoming, length, &it.facts, true, it.kit).await {
            self.put_back(incoming);
            return Onward::Next(Next::Abort);
        }
        let failure = match self.forward(incoming, length, it).await {
            Ok(onward) => return onward,
            Err(failure) => failure,
        };
        if failure.fault == Fault::Backend
            && let Some(onward) = Box::pin(self.page(failure.status, Some(failure.reason), it)).await
        {
            return onward;
        }
        let body = it.upload.body.take();
        if failure.fault == Fault::ClientGone {
            return Onward::Next(Next::Abort);
        }
        let local = Local::new(failure.status, failure.reason, it.route.replies());
        // Where a broken body ends is not known.
        let keep_alive = it.facts.keep_alive && failure.fault == Fault::Backend && !it.upload.broken;
        let facts = Facts { keep_alive, ..it.facts };
        Onward::Next(self.answer(&local, Some(it.route), &facts, body, it.kit, it.account).await)
    }

    /// Waits as long as the filters say; `false`: the client went away meanwhile.
    async fn held_up(&mut self, incoming: &Incoming, length: usize, facts: &Facts, routed: bool, kit: &Kit) -> bool {
        match kit.edits.delay().filter(|_| routed) {
            None => true,
            Some(delay) => {
                let whole = matches!(facts.framing, Framing::None) && incoming.buffer.unread().len() <= length;
                Box::pin(self.pause(delay, whole)).await
            }
        }
    }

    /// Lets time pass; `false`: the client went away meanwhile. `watch`: nothing of its request is still to come.
    pub async fn pause(&mut self, time: Duration, watch: bool) -> bool {
        let (worker, client, unread, ended) = (&self.worker, &mut self.client, &mut self.unread, &mut self.ended);
        let mut over = std::pin::pin!(tokio::time::sleep(time));
        std::future::poll_fn(|cx| {
            if over.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            if !watch || *ended {
                return Poll::Pending;
            }
            match std::task::ready!(poll_client(cx, worker, client, unread)) {
                Leaving::Gone => Poll::Ready(false),
                Leaving::Ended => {
                    *ended = true;
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Notes what outlives the head's octets. `false`: the path has no canonical form.
    fn note(&self, head: &RequestHead, octets: &[u8], kit: &mut Kit) -> bool {
        kit.method.push_str(head.method_name(octets));
        kit.authority.push_str(head.host());
        if let Some(port) = head.port {
            kit.authority.push(':');
            kit.authority.push_str(itoa(port).text());
        }
        request_id(&mut kit.request_id, head, octets, &mut self.worker.rng.borrow_mut());
        if self.worker.shared.access_log.is_on() {
            kit.user_agent.extend_from_slice(head.fields.named(octets, "user-agent").next().unwrap_or_default());
        }
        let (path, query) = match head.target(octets) {
            Target::Asterisk => {
                kit.path.push('*');
                return true;
            }
            Target::Path { path, query } => (path, query),
        };
        if let Some(query) = query {
            kit.query.push_str(&canonical_query(query));
            kit.queried = true;
        }
        let canonical = canonical_path(path);
        kit.path.push_str(canonical.as_deref().unwrap_or_default());
        canonical.is_ok()
    }

    /// Takes note of what the gateway says of all requests, and of what of this one's head that asks for.
    fn heed(&self, gateway: Option<&Arc<model::Gateway>>, head: &RequestHead, octets: &[u8], kit: &mut Kit) {
        let Some(options) = gateway.map(|it| &it.options).filter(|it| it.forwarded.is_some() || it.log.is_some()) else { return };
        kit.origin = options.forwarded.as_ref().and_then(|it| self.origin(it, head, octets));
        if let Some(log) = options.log.as_deref().filter(|_| self.worker.shared.access_log.is_on()) {
            kit.heard.hear(log, |value, out| crate::telemetry::hear(value, head, octets, out));
        }
        kit.options = Some(options.clone());
    }

    /// From head to route to filters to backend. Nothing waits in here.
    fn decide(&mut self, incoming: &Incoming, length: usize, kit: &mut Kit, account: &mut Account) -> Decision {
        let octets = incoming.buffer.unread().get(..length).unwrap_or_default();
        let head = &incoming.head;
        let snapshot = self.worker.snapshot();
        let answer = |status, reason, replies: &Replies| Decision::Answer(Box::new(Local::new(status, reason, replies)), None);
        let good = self.note(head, octets, kit);
        let Some(table) = snapshot.gateway(&self.context.gateway) else {
            return answer(503, Reason::Unavailable, &Replies::default());
        };
        if let Some(tracing) = table.tracing() {
            self.trace(tracing, (head, octets), kit, account);
        }
        if !good {
            let replies = table.gateway().map(|gateway| gateway.replies.clone()).unwrap_or_default();
            return answer(400, Reason::BadRequest, &replies);
        }
        let view = View { head, octets };
        self.heed(table.gateway(), head, octets, kit);
        let request = route::Request {
            method: head.method_name(octets),
            scheme: kit.origin.as_ref().map_or(self.scheme, |it| it.scheme),
            port: self.context.port,
            host: head.host(),
            authority: &kit.authority,
            path: &kit.path,
            query: kit.queried.then_some(&*kit.query),
            headers: &view,
        };
        let route = match table.find(&request) {
            Lookup::Route(route) if self.misdirected(route.host()) => return answer(421, Reason::Misdirected, route.replies()),
            Lookup::Route(route) => route.clone(),
            Lookup::Miss { replies, host: Some(host) } if self.misdirected(host) => return answer(421, Reason::Misdirected, replies),
            Lookup::Miss { replies, .. } => return answer(404, Reason::NoRoute, replies),
            Lookup::OverBudget { replies } => return answer(400, Reason::BadRequest, replies),
        };
        if let Some(recording) = &mut account.recording {
            recording.take(&route);
        }
        let context = filter::Context {
            raw_target: std::str::from_utf8(head.raw_target(octets)).unwrap_or(&kit.path),
            https_port: self.context.https_port,
            certificate_known: &|| table.knows_certificate(head.host()),
            chance: &|| self.worker.rng.borrow_mut().u32(..1_000_000),
        };
        let mut flow = filter::run(&route, &request, &context, &mut kit.edits);
        let mut backend = 0;
        if let (Flow::Continue, Action::Forward(forward)) = (&flow, route.action()) {
            backend = match self.pick(forward) {
                Ok(backend) => backend,
                Err((status, reason)) => {
                    return Decision::Answer(Box::new(Local::new(status, reason, route.replies())), Some(route));
                }
            };
            if forward.backends.get(backend).is_some_and(|it| !it.filters.is_empty()) {
                flow = filter::run_backend(&route, backend, &request, &context, &mut kit.edits);
            }
        }
        self.follow(flow, route, backend, head, kit)
    }

    /// Which of the route's backends, or what is answered because there is none.
    fn pick(&self, forward: &Forward) -> Result<usize, (u16, Reason)> {
        // Whether an only one has endpoints is found out when one is chosen.
        if let [WeightedBackend { backend: Some(_), weight: 1.., .. }] = forward.backends.as_slice() {
            return Ok(0);
        }
        let mut pools = self.worker.pools.borrow_mut();
        let table = pools.table().clone();
        match pick_backend(&forward.backends, forward.spill, |id| table.ready(id), pools.rng()) {
            Picked::Backend(at) => Ok(at),
            Picked::NoEndpoints => Err((503, Reason::NoEndpoints)),
            Picked::Unresolved => Err((forward.unresolved, Reason::NoBackend)),
        }
    }

    /// Whether the host wants a connection that was made in another way (RFC 9110 15.5.20).
    fn misdirected(&self, host: &model::Host) -> bool {
        let elsewhere = host.tunnel.is_some() || host.tls == model::HostTls::Refuse;
        self.policy.as_ref().is_some_and(|policy| elsewhere || *policy != host.tls_policy)
    }

    fn follow(&self, flow: Flow, route: Arc<CompiledRoute>, backend: usize, head: &RequestHead, kit: &Kit) -> Decision {
        let local = match flow {
            Flow::Continue => match (kit.edits.body_limit(), head.framing) {
                (Some(limit), Framing::Length(length)) if length > limit => Local::new(413, Reason::BodyTooLarge, route.replies()),
                _ => return Decision::Forward(route, backend),
            },
            Flow::Respond(Reply { status, reason, location, body, fields }) => {
                Local { location, body, fields, ..Local::new(status, reason, route.replies()) }
            }
        };
        Decision::Answer(Box::new(local), Some(route))
    }

    /// Answers by itself, and reads what is left of the request's body, if it is little.
    pub async fn answer(
        &mut self,
        local: &Local,
        route: Option<&CompiledRoute>,
        facts: &Facts,
        body: Option<Transfer>,
        kit: &mut Kit,
        account: &mut Account,
    ) -> Next {
        let drainable = match &body {
            None => true,
            // A client that waits for 100 may send its body or not: its next octets cannot be told apart.
            Some(_) if facts.expects_continue => false,
            Some(body) => body.left().is_none_or(|left| left <= DRAIN_OCTETS as u64),
        };
        let keep = facts.keep_alive && drainable && !self.worn_out();
        let persistence = if keep { Persistence::Keep } else { Persistence::Close };
        kit.out.clear();
        let edited = route.map(|route| Edited { edits: &kit.edits, route, scheme: self.scheme });
        local.write(&mut kit.out, Some(facts), persistence, &self.worker.date, edited.as_ref());
        (account.status, account.reason) = (local.status, Some(local.reason));
        account.sent = local.body.as_ref().map_or(0, |body| body.len() as u64);
        if !self.write(&kit.out).await {
            return Next::Abort;
        }
        match (keep, body) {
            (false, Some(body)) => {
                drop(body.finish(&self.worker.buffers));
                Next::Close
            }
            (false, None) => Next::Close,
            (true, None) => Next::KeepAlive,
            (true, Some(body)) => self.drain(body).await,
        }
    }

    /// An answer to what is no request. The connection ends.
    pub async fn refuse(&mut self, status: u16, reason: Reason) -> Next {
        let mut account = Account::new(Clock::exact());
        let snapshot = self.worker.snapshot();
        let gateway = snapshot.gateway(&self.context.gateway).and_then(|table| table.gateway());
        let replies = gateway.map(|gateway| gateway.replies.clone()).unwrap_or_default();
        let mut kit = self.worker.kits.take();
        kit.clear();
        kit.options = gateway.map(|it| it.options.clone()).filter(|it| it.log.is_some());
        Local::new(status, reason, &replies).write(&mut kit.out, None, Persistence::Close, &self.worker.date, None);
        let written = self.write(&kit.out).await;
        (account.status, account.reason) = (status, Some(reason));
        self.settle_refused(&account, &kit);
        self.worker.kits.put(kit);
        if written { Next::Close } else { Next::Abort }
    }

    /// Reads the rest of a body nobody wants: a little of it, for a little while.
    pub async fn drain(&mut self, mut body: Transfer) -> Next {
        let mut budget = DRAIN_OCTETS;
        self.deadline.cap(None);
        self.deadline.set(DRAIN);
        let (client, worker) = (&mut self.client, &self.worker);
        let drained = self.deadline.bound(|cx| body.poll_discard(cx, client, &worker.buffers, &mut budget)).await;
        let rest = body.finish(&self.worker.buffers);
        match drained {
            Ok(Ok(())) => {
                self.keep(rest);
                Next::KeepAlive
            }
            Ok(Err(_)) | Err(_) => Next::Close,
        }
    }

    /// What was read beyond a request is the beginning of the next one.
    pub fn keep(&mut self, rest: Option<Buffer>) {
        if let Some(buffer) = rest {
            let mut incoming = self.worker.incoming.take();
            let empty = std::mem::replace(&mut incoming.buffer, buffer);
            self.worker.buffers.give(empty);
            self.unread = Some(incoming);
        }
    }

    /// Lets go of a head that is no longer needed; what follows it is the beginning of the next request.
    pub fn let_go(&mut self, mut incoming: Box<Incoming>, used: usize) {
        incoming.buffer.consume(used);
        incoming.head.clear();
        if incoming.buffer.is_empty() {
            self.put_back(incoming);
        } else {
            self.unread = Some(incoming);
        }
    }

    /// The request's body, with what of it is there already; `None`: there is none.
    pub fn body_of(&mut self, mut incoming: Box<Incoming>, length: usize, facts: &Facts) -> Option<Transfer> {
        let source = match facts.framing {
            Framing::Length(left) if left > 0 => Source::Length(left),
            Framing::Chunked => Source::Chunked(Chunked::new()),
            _ => {
                self.let_go(incoming, length);
                return None;
            }
        };
        incoming.buffer.consume(length);
        let buffer = std::mem::replace(&mut incoming.buffer, self.worker.buffers.small.take());
        self.put_back(incoming);
        Some(Transfer::new(source, Sink::Nowhere, Some(buffer), Vec::new(), None))
    }

    /// Writes to the client; `false`: it does not take it.
    pub async fn write(&mut self, octets: &[u8]) -> bool {
        self.write_two(octets, &[]).await
    }

    pub async fn write_two(&mut self, one: &[u8], two: &[u8]) -> bool {
        self.deadline.set(self.worker.shared.limits.client_write);
        let (client, deadline) = (&mut self.client, &self.deadline);
        let mut written = 0;
        let wrote = deadline.bound(|cx| {
            while written < one.len() + two.len() {
                let (one, two) = (one.get(written..).unwrap_or_default(), two.get(written.saturating_sub(one.len())..).unwrap_or_default());
                match client.poll_write_two(cx, one, two) {
                    Poll::Ready(Ok(count)) if count > 0 => {
                        written += count;
                        deadline.set(self.worker.shared.limits.client_write);
                    }
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
            client.poll_flush(cx).map(|flushed| flushed.is_ok())
        });
        wrote.await.unwrap_or(false)
    }
}

/// A port as text, without an allocation.
struct Digits {
    octets: [u8; 5],
    from: usize,
}

fn itoa(mut number: u16) -> Digits {
    let mut digits = Digits { octets: [b'0'; 5], from: 5 };
    for octet in digits.octets.iter_mut().rev() {
        *octet = b'0' + (number % 10) as u8;
        number /= 10;
        digits.from -= 1;
        if number == 0 {
            break;
        }
    }
    digits
}

impl Digits {
    fn text(&self) -> &str {
        std::str::from_utf8(self.octets.get(self.from..).unwrap_or_default()).unwrap_or_default()
    }
}
