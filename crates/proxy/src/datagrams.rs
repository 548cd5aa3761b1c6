//! Datagrams: each client's go to one endpoint, and what that answers goes back from the address that was asked.
//!
//! The system gives all of one client's datagrams to one worker, so what is known about a client is that worker's alone.
//!
//! ```text
//! socket ──► client ─┬─ known, and still right ─► its session ──► endpoint
//!                    └─ else: route, backend, endpoint (l4) ─► a new session, counted as a connection
//! ```
//!
//! **Invariant:** a client has one socket towards the backends at most, and a session that nobody uses ends.

mod wire;

use crate::admission::Admitted;
use crate::clock::{Clock, Deadline};
use crate::listeners::{Context, Socket};
use crate::warm::Warm;
use crate::worker::Worker;
use l4::{Dialer, Held, Reached, Unreached};
use model::{BackendId, ListenerProtocol, Reason, Source, Tunnel};
use observe::{ListenerMetrics, Passage, RouteRef, TunnelMetrics, Upstream};
use rustix::net::SendFlags;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Poll, ready};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use upstream::Trouble;
use wire::{Client, Wire};

/// The largest datagram there can be.
pub(crate) const LARGEST: usize = 65_535;
/// Datagrams taken before others on this worker have their turn.
const TURN: usize = 64;
/// Between two lines about clients that reached nobody.
const QUIET: Duration = Duration::from_secs(1);
/// After a socket could not be read.
const PAUSE: Duration = Duration::from_millis(50);

/// A socket that one worker takes datagrams from.
pub(crate) struct Port {
    worker: Rc<Worker>,
    wire: Wire,
    slot: Arc<Socket>,
    sessions: RefCell<HashMap<Client, Open>>,
    /// When one that reached nobody was last told of.
    told: Cell<Option<Duration>>,
}

struct Open {
    session: Rc<Session>,
    answers: AbortHandle,
}

/// One client and the endpoint it was given.
struct Session {
    worker: Rc<Worker>,
    context: Arc<Context>,
    peer: SocketAddr,
    source: Source,
    backend: BackendId,
    upstream: UdpSocket,
    held: Held<Warm>,
    idle: Duration,
    deadline: Deadline,
    /// When it was last looked at whether the endpoint is still right.
    checked: Cell<Duration>,
    received: Cell<u64>,
    sent: Cell<u64>,
    started: Instant,
    metrics: Arc<TunnelMetrics>,
    listener: Arc<ListenerMetrics>,
    _admitted: Admitted,
}

/// What became of a datagram.
#[derive(PartialEq, Eq)]
enum Passed {
    On,
    /// Nobody is behind the endpoint.
    Refused,
}

// === impl Port ===

impl Port {
    /// `None`: the system does not give what is needed.
    pub fn new(worker: Rc<Worker>, socket: std::net::UdpSocket, slot: Arc<Socket>) -> io::Result<Rc<Self>> {
        let wire = Wire::new(socket)?;
        Ok(Rc::new(Self { worker, wire, slot, sessions: RefCell::default(), told: Cell::new(None) }))
    }

    /// Takes datagrams until told to stop. Sessions end with it: there is no socket left for answers.
    pub async fn receive(self: Rc<Self>, mut stopped: oneshot::Receiver<()>) {
        loop {
            let ready = tokio::select! {
                ready = self.wire.readable() => ready,
                _ = &mut stopped => break,
            };
            if let Err(error) = ready {
                tracing::warn!(%error, "datagrams cannot be read");
                tokio::time::sleep(PAUSE).await;
            }
            self.take_turn();
            tokio::task::yield_now().await;
        }
        for (_, open) in self.sessions.take() {
            open.answers.abort();
        }
    }

    fn take_turn(self: &Rc<Self>) {
        let mut buffer = self.worker.datagram.take();
        buffer.resize(LARGEST, 0);
        for _ in 0..TURN {
            match self.wire.receive(&mut buffer) {
                Ok((client, length)) => self.take(client, buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What an earlier answer met on its way.
                Err(_) => {}
            }
        }
        self.worker.datagram.replace(buffer);
    }

    fn take(self: &Rc<Self>, client: Client, octets: &[u8]) {
        let known = self.sessions.borrow().get(&client).map(|open| open.session.clone());
        if let Some(session) = known {
            if session.is_right() && session.pass(octets) == Passed::On {
                return;
            }
            self.forget(&client, &session);
        }
        if let Some(session) = self.open(client) {
            session.pass(octets);
        }
    }

    /// Gives a client an endpoint. `None`: there is none for it.
    fn open(self: &Rc<Self>, client: Client) -> Option<Rc<Session>> {
        let (worker, context) = (&self.worker, self.slot.context.load());
        if worker.draining() || context.protocol != ListenerProtocol::Udp {
            return None;
        }
        let admitted = worker.shared.admission.admit(client.peer.ip().to_canonical(), &self.slot.connections)?;
        let tunnel = tunnel(worker, &context);
        let source = tunnel.as_ref().map(|it| &it.source);
        let metrics = worker.shared.metrics.tunnel(&context.gateway, source.map(|it| &it.object));
        let (now, egress) = (|| worker.clock.now(), worker.shared.egress());
        let (pools, client_ip) = (&worker.pools, client.peer.ip());
        let dialer = Dialer { pools, egress: &egress, metrics: &worker.shared.metrics, client: client_ip, now: &now };
        let assigned = match &tunnel {
            Some(tunnel) => dialer.assign(tunnel),
            None => Err(Unreached { reason: Reason::NoRoute, backend: None, endpoint: None, tries: 0 }),
        };
        let (reached, tunnel) = match (assigned, tunnel) {
            (Ok(reached), Some(tunnel)) => (reached, tunnel),
            (Err(unreached), tunnel) => {
                metrics.refused(worker.index, unreached.reason);
                self.tell(&context, client.peer, tunnel.as_ref(), &unreached);
                return None;
            }
            (Ok(_), None) => return None,
        };
        let session = Session::new(worker, (context, client.peer), (tunnel, reached), (metrics, admitted));
        let answers = tokio::task::spawn_local(session.clone().answer(self.clone(), client)).abort_handle();
        self.sessions.borrow_mut().insert(client, Open { session: session.clone(), answers });
        Some(session)
    }

    /// Ends a session, unless the client has another one by now.
    fn forget(&self, client: &Client, session: &Rc<Session>) {
        let mut sessions = self.sessions.borrow_mut();
        if sessions.get(client).is_some_and(|open| Rc::ptr_eq(&open.session, session)) {
            let open = sessions.remove(client);
            drop(sessions);
            open.inspect(|it| it.answers.abort());
        }
    }

    /// One line for a client that reached nobody; of a flood of them, one a second.
    fn tell(&self, context: &Context, client: SocketAddr, tunnel: Option<&Tunnel>, unreached: &Unreached) {
        let now = self.worker.clock.now();
        if self.told.get().is_some_and(|last| now.saturating_sub(last) < QUIET) {
            return;
        }
        self.told.set(Some(now));
        let passage = Passage {
            reason: Some(unreached.reason),
            route: tunnel.map(|it| RouteRef(&it.source)),
            backend: unreached.backend.as_ref().map(BackendId::as_str),
            upstream: unreached.endpoint.map(|address| Upstream { address, connect: None, header: None, tries: unreached.tries }),
            ..blank(context, client)
        };
        self.worker.shared.access_log.write_passage(self.worker.index, &passage);
    }
}

/// Where datagrams of this socket go now.
fn tunnel(worker: &Worker, context: &Context) -> Option<Tunnel> {
    worker.snapshot().gateway(&context.gateway)?.datagrams(context.port).cloned()
}

fn blank(context: &Context, client: SocketAddr) -> Passage<'_> {
    Passage {
        time: SystemTime::now(),
        client,
        protocol: "UDP",
        host: None,
        reason: None,
        gateway: context.gateway.as_str(),
        listener: context.section.as_str(),
        route: None,
        backend: None,
        upstream: None,
        bytes_in: 0,
        bytes_out: 0,
        duration: Duration::ZERO,
    }
}

// === impl Session ===

impl Session {
    fn new(
        worker: &Rc<Worker>,
        (context, peer): (Arc<Context>, SocketAddr),
        (tunnel, reached): (Tunnel, Reached<Warm, UdpSocket>),
        (metrics, admitted): (Arc<TunnelMetrics>, Admitted),
    ) -> Rc<Self> {
        let deadline = worker.clock.deadline();
        deadline.set(tunnel.idle);
        let listener = context.metrics.clone();
        metrics.opened(worker.index);
        listener.opened(worker.index);
        Rc::new(Self {
            worker: worker.clone(),
            context,
            peer,
            source: tunnel.source,
            backend: reached.backend,
            upstream: reached.stream,
            held: reached.held,
            idle: tunnel.idle,
            deadline,
            checked: Cell::new(worker.clock.now()),
            received: Cell::new(0),
            sent: Cell::new(0),
            started: Clock::exact(),
            metrics,
            listener,
            _admitted: admitted,
        })
    }

    /// Whether the route still leads this client to this endpoint. Looked at once a tick at most.
    fn is_right(&self) -> bool {
        let now = self.worker.clock.now();
        if self.checked.replace(now) == now {
            return true;
        }
        let route = tunnel(&self.worker, &self.context);
        let leads = route.is_some_and(|it| {
            it.admits(self.peer.ip()) && it.backends.iter().any(|it| it.backend.as_ref().is_some_and(|it| it.id == self.backend))
        });
        let closed = self.context.closed.load(Ordering::Relaxed);
        leads && !closed && self.worker.pools.borrow_mut().serves(&self.backend, self.held.endpoint())
    }

    /// Sends a client's octets on. What the system cannot take now is lost, as datagrams are.
    fn pass(&self, octets: &[u8]) -> Passed {
        self.deadline.set(self.idle);
        match rustix::net::send(&self.upstream, octets, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(_) => self.received.set(self.received.get() + octets.len() as u64),
            Err(rustix::io::Errno::CONNREFUSED) => return self.refused(),
            Err(error) => tracing::debug!(endpoint = %self.held.endpoint().address, %error, "a datagram is lost"),
        }
        Passed::On
    }

    fn refused(&self) -> Passed {
        self.held.endpoint().failed(self.worker.clock.now(), Trouble::Refused);
        Passed::Refused
    }

    /// Sends back what the endpoint says, until neither says anything, or nobody is behind it.
    async fn answer(self: Rc<Self>, port: Rc<Port>, client: Client) {
        let answers = self.deadline.bound(|cx| {
            loop {
                let mut buffer = self.worker.datagram.take();
                buffer.resize(LARGEST, 0);
                let mut answer = ReadBuf::new(&mut buffer);
                let read = self.upstream.poll_recv(cx, &mut answer);
                if matches!(read, Poll::Ready(Ok(()))) {
                    let octets = answer.filled();
                    self.sent.set(self.sent.get() + octets.len() as u64);
                    port.wire.answer(client, octets);
                    self.deadline.set(self.idle);
                }
                self.worker.datagram.replace(buffer);
                if let Err(error) = ready!(read)
                    && error.kind() == io::ErrorKind::ConnectionRefused
                {
                    self.refused();
                    return Poll::Ready(());
                }
            }
        });
        // Silent for too long, or refused: both are its end.
        let _ = answers.await;
        port.forget(&client, &self);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let worker = &self.worker;
        self.metrics.closed(worker.index, self.received.get(), self.sent.get());
        self.listener.closed(worker.index);
        if std::thread::panicking() {
            worker.shared.metrics.panicked();
        }
        if !worker.shared.access_log.is_on() {
            return;
        }
        let duration = Clock::exact().saturating_duration_since(self.started);
        let address = self.held.endpoint().address;
        let passage = Passage {
            time: SystemTime::now().checked_sub(duration).unwrap_or(SystemTime::UNIX_EPOCH),
            route: Some(RouteRef(&self.source)),
            backend: Some(self.backend.as_str()),
            upstream: Some(Upstream { address, connect: None, header: None, tries: 1 }),
            bytes_in: self.received.get(),
            bytes_out: self.sent.get(),
            duration,
            ..blank(&self.context, self.peer)
        };
        worker.shared.access_log.write_passage(worker.index, &passage);
    }
}
