//! A connection to one of a tunnel's backends.

use model::{Backend, BackendId, Egress, Reason, Tunnel};
use observe::{BackendMetrics, Metrics};
use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::Instant;
use upstream::{Asking, Choice, ConnectError, EndpointState, InFlight, Lease, Pools, connect, pick_weighted};

/// Endpoints that are tried for one connection.
const TRIES: u8 = 5;

/// What a choice is made with. `C` is what the worker keeps of other connections to the same backends.
pub struct Dialer<'a, C> {
    pub pools: &'a RefCell<Pools<C>>,
    pub egress: &'a Egress,
    pub metrics: &'a Metrics,
    pub client: IpAddr,
    /// The worker's clock.
    pub now: &'a dyn Fn() -> Duration,
}

/// A backend that took the connection, or whom datagrams are for.
#[derive(Debug)]
pub struct Reached<C, S = TcpStream> {
    pub stream: S,
    pub backend: BackendId,
    pub endpoint: SocketAddr,
    pub tries: u8,
    /// To be kept as long as the stream.
    pub held: Held<C>,
}

/// What an open connection counts for.
#[derive(Debug)]
pub struct Held<C> {
    metrics: Arc<BackendMetrics>,
    _in_flight: InFlight,
    lease: Lease<C>,
}

/// Why no backend took the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    pub reason: Reason,
    /// The one that was picked, if it exists.
    pub backend: Option<BackendId>,
    /// The last that was tried.
    pub endpoint: Option<SocketAddr>,
    pub tries: u8,
}

impl<C> Dialer<'_, C> {
    /// Connects to a backend of the tunnel. An endpoint that refuses gives way to the next; the time is for all of them together.
    pub async fn dial(&self, tunnel: &Tunnel) -> Result<Reached<C>, Unreached> {
        let (backend, mut unreached) = self.pick(tunnel)?;
        let until = Instant::now() + backend.limits.connect.unwrap_or(tunnel.connect);
        self.try_endpoints(&backend, until, &mut unreached).await.ok_or(unreached)
    }

    /// Opens a socket for one client's datagrams to a backend of the tunnel. Nobody answers for having taken it.
    pub fn assign(&self, tunnel: &Tunnel) -> Result<Reached<C, UdpSocket>, Unreached> {
        let (backend, mut unreached) = self.pick(tunnel)?;
        let lease = match self.choose(&backend, &[]) {
            Ok(lease) => lease,
            Err(reason) => return Err(Unreached { reason, ..unreached }),
        };
        let endpoint = lease.endpoint.address;
        (unreached.endpoint, unreached.tries) = (Some(endpoint), 1);
        let metrics = self.metrics.backend(&backend.id);
        let opened = self.egress.check(endpoint).map_err(ConnectError::Egress).and_then(|()| Ok(datagrams_to(endpoint)?));
        match opened {
            Ok(stream) => {
                metrics.connected();
                let held = Held { metrics, _in_flight: lease.begin(backend.balancing), lease };
                Ok(Reached { stream, backend: backend.id.clone(), endpoint, tries: 1, held })
            }
            Err(error) => {
                metrics.connect_failed();
                tracing::debug!(backend = backend.id.as_str(), %endpoint, %error, "no socket");
                Err(Unreached { reason: Reason::ConnectFailed, ..unreached })
            }
        }
    }

    fn pick(&self, tunnel: &Tunnel) -> Result<(Arc<Backend>, Unreached), Unreached> {
        let none = |reason| Unreached { reason, backend: None, endpoint: None, tries: 0 };
        if !tunnel.admits(self.client) {
            return Err(none(Reason::Closed));
        }
        let picked = pick_weighted(&tunnel.backends, self.pools.borrow_mut().rng()).cloned();
        let backend = picked.ok_or(none(Reason::NoBackend))?;
        let unreached = Unreached { backend: Some(backend.id.clone()), ..none(Reason::NoEndpoints) };
        Ok((backend, unreached))
    }

    fn choose(&self, backend: &Backend, tried: &[SocketAddr]) -> Result<Lease<C>, Reason> {
        let asking = Asking { tried, client: Some(self.client), now: (self.now)() };
        match self.pools.borrow_mut().choose_new(backend, asking) {
            Choice::Connect(lease) => Ok(lease),
            Choice::NoEndpoints => Err(Reason::NoEndpoints),
            Choice::Overflow => Err(Reason::Overflow),
            Choice::Exhausted | Choice::Reuse(..) => Err(Reason::ConnectFailed),
        }
    }

    /// `None`: `unreached` says why.
    async fn try_endpoints(&self, backend: &Backend, until: Instant, unreached: &mut Unreached) -> Option<Reached<C>> {
        let mut tried: Vec<SocketAddr> = Vec::new();
        loop {
            let lease = match self.choose(backend, &tried) {
                Ok(lease) => lease,
                Err(reason) => {
                    // After a refusal, that is what happened; before one, why there was none to ask.
                    if tried.is_empty() {
                        unreached.reason = reason;
                    }
                    return None;
                }
            };
            let endpoint = lease.endpoint.address;
            unreached.endpoint = Some(endpoint);
            unreached.tries += 1;
            let metrics = self.metrics.backend(&backend.id);
            match connect(endpoint, self.egress, until.saturating_duration_since(Instant::now())).await {
                Ok(stream) => {
                    lease.endpoint.succeeded();
                    metrics.connected();
                    let held = Held { metrics, _in_flight: lease.begin(backend.balancing), lease };
                    return Some(Reached { stream, backend: backend.id.clone(), endpoint, tries: unreached.tries, held });
                }
                Err(error) => {
                    lease.endpoint.failed((self.now)(), (&error).into());
                    metrics.connect_failed();
                    tracing::debug!(backend = backend.id.as_str(), %endpoint, %error, "no connection");
                    unreached.reason = match error {
                        ConnectError::Timeout => Reason::ConnectTimeout,
                        ConnectError::Failed(_) | ConnectError::Egress(_) => Reason::ConnectFailed,
                    };
                }
            }
            tried.push(endpoint);
            if unreached.tries >= TRIES || Instant::now() >= until {
                return None;
            }
        }
    }
}

/// A socket that takes octets of this endpoint alone.
fn datagrams_to(endpoint: SocketAddr) -> io::Result<UdpSocket> {
    let any = if endpoint.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = std::net::UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(endpoint)?;
    UdpSocket::from_std(socket)
}

// === impl Held ===

impl<C> Held<C> {
    pub fn endpoint(&self) -> &Arc<EndpointState> {
        &self.lease.endpoint
    }
}

impl<C> Drop for Held<C> {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

#[cfg(test)]
mod tests;
