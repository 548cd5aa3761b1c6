//! A connection that is passed on as it comes: to whom, octet by octet, and what is left to say about it.
//!
//! **Invariant:** an hour-long connection holds no route, no host and no snapshot.

use crate::clock::{Clock, Deadline};
use crate::listeners::Context;
use crate::stream::Stream;
use crate::tunnel::{self, Carried, Side};
use crate::worker::Worker;
use l4::{Dialer, Reached, Unreached};
use model::{BackendId, Reason, Source, Tunnel};
use observe::{Passage, RouteRef, TunnelMetrics, Upstream};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;

/// One connection and where it came in.
pub(crate) struct Passing<'a> {
    pub worker: &'a Rc<Worker>,
    pub context: &'a Context,
    pub peer: SocketAddr,
    /// `TCP` or `TLS`.
    pub protocol: &'static str,
    /// The server name a TLS client sent.
    pub name: Option<String>,
    pub started: Instant,
    pub deadline: Deadline,
}

/// What there is to say about it.
#[derive(Default)]
struct Account {
    source: Option<Source>,
    backend: Option<BackendId>,
    upstream: Option<Upstream>,
    reason: Option<Reason>,
    carried: Carried,
}

/// Counts a connection that reached a backend, however it ends.
struct Open {
    metrics: Arc<TunnelMetrics>,
    worker: usize,
    carried: Carried,
}

impl Passing<'_> {
    /// Connects to a backend of the tunnel and carries octets both ways to the end. `None`: nobody takes the connection.
    pub async fn pass(self, mut client: Stream, tunnel: Option<Tunnel>) {
        let source = tunnel.as_ref().map(|tunnel| tunnel.source.clone());
        let metrics = self.worker.shared.metrics.tunnel(&self.context.gateway, source.as_ref().map(|source| &source.object));
        let mut account = Account { source, ..Account::default() };
        match tunnel {
            Some(tunnel) => self.carry(&mut client, tunnel, &metrics, &mut account).await,
            None => account.reason = Some(Reason::NoRoute),
        }
        if let Some(reason) = account.reason {
            metrics.refused(self.worker.index, reason);
        }
        drop(client);
        self.log(&account);
    }

    async fn carry(&self, client: &mut Stream, tunnel: Tunnel, metrics: &Arc<TunnelMetrics>, account: &mut Account) {
        let worker = self.worker;
        let (now, egress) = (|| worker.clock.now(), worker.shared.egress());
        let dialer = Dialer { pools: &worker.pools, egress: &egress, metrics: &worker.shared.metrics, client: self.peer.ip(), now: &now };
        let (asked, idle) = (Clock::exact(), tunnel.idle);
        let dialed = dialer.dial(&tunnel).await;
        drop(tunnel);
        let connect = Clock::exact().saturating_duration_since(asked);
        let upstream = |address, connect, tries| Upstream { address, connect, header: None, tries };
        match dialed {
            Err(Unreached { reason, backend, endpoint, tries }) => {
                account.reason = Some(reason);
                account.backend = backend;
                account.upstream = endpoint.map(|address| upstream(address, None, tries));
            }
            Ok(Reached { stream, backend, endpoint, tries, held }) => {
                account.backend = Some(backend);
                account.upstream = Some(upstream(endpoint, Some(connect), tries));
                let mut open = Open::new(metrics.clone(), worker.index);
                let (up, down) = (tunnel::direction(None), tunnel::direction(None));
                let mut stream = Stream::Plain(stream);
                open.carried = tunnel::run(client, &mut stream, up, down, idle, &self.deadline, &worker.buffers).await;
                account.carried = open.carried;
                let left = match open.carried.aborted {
                    Some(Side::Client) => stream.plain(),
                    Some(Side::Upstream) => client.plain(),
                    None => None,
                };
                // Closing is then a reset. Where TLS is ended here, its end is missing, which says the same.
                left.map(TcpStream::set_zero_linger);
                drop((stream, held));
            }
        }
    }

    fn log(&self, account: &Account) {
        let shared = &self.worker.shared;
        if !shared.access_log.is_on() {
            return;
        }
        let duration: Duration = Clock::exact().saturating_duration_since(self.started);
        let passage = Passage {
            time: SystemTime::now().checked_sub(duration).unwrap_or(SystemTime::UNIX_EPOCH),
            client: self.peer,
            protocol: self.protocol,
            host: self.name.as_deref(),
            reason: account.reason,
            gateway: self.context.gateway.as_str(),
            listener: self.context.section.as_str(),
            route: account.source.as_ref().map(RouteRef),
            backend: account.backend.as_ref().map(BackendId::as_str),
            upstream: account.upstream,
            bytes_in: account.carried.received,
            bytes_out: account.carried.sent,
            duration,
        };
        shared.access_log.write_passage(self.worker.index, &passage);
    }
}

// === impl Open ===

impl Open {
    fn new(metrics: Arc<TunnelMetrics>, worker: usize) -> Self {
        metrics.opened(worker);
        Self { metrics, worker, carried: Carried::default() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.closed(self.worker, self.carried.received, self.carried.sent);
    }
}
