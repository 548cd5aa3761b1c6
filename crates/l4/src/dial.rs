//! A connection to one of a tunnel's backends.

use model::{Backend, BackendId, Egress, Reason, Tunnel};
use observe::{BackendMetrics, Metrics};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use upstream::{Choice, ConnectError, InFlight, Lease, Pools, connect, pick_weighted};

/// Endpoints that are tried for one connection.
const TRIES: u8 = 5;

/// What a choice is made with. `C` is what the worker keeps of other connections to the same backends.
pub struct Dialer<'a, C> {
    pub pools: &'a RefCell<Pools<C>>,
    pub egress: &'a Egress,
    pub metrics: &'a Metrics,
    /// The worker's clock.
    pub now: &'a dyn Fn() -> Duration,
}

/// A backend that took the connection.
#[derive(Debug)]
pub struct Reached<C> {
    pub stream: TcpStream,
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
    _lease: Lease<C>,
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
        let picked = pick_weighted(&tunnel.backends, self.pools.borrow_mut().rng()).cloned();
        let mut unreached = Unreached { reason: Reason::NoBackend, backend: None, endpoint: None, tries: 0 };
        let Some(backend) = picked else { return Err(unreached) };
        unreached.backend = Some(backend.id.clone());
        let until = Instant::now() + backend.limits.connect.unwrap_or(tunnel.connect);
        self.try_endpoints(&backend, until, &mut unreached).await.ok_or(unreached)
    }

    /// `None`: `unreached` says why.
    async fn try_endpoints(&self, backend: &Backend, until: Instant, unreached: &mut Unreached) -> Option<Reached<C>> {
        let mut tried: Vec<SocketAddr> = Vec::new();
        loop {
            let choice = self.pools.borrow_mut().choose_new(backend, &tried, (self.now)());
            let lease = match choice {
                Choice::Connect(lease) => lease,
                none => {
                    // After a refusal, that is what happened; before one, why there was none to ask.
                    if tried.is_empty() {
                        unreached.reason = match none {
                            Choice::NoEndpoints => Reason::NoEndpoints,
                            Choice::Overflow => Reason::Overflow,
                            Choice::Exhausted | Choice::Reuse(..) | Choice::Connect(_) => Reason::ConnectFailed,
                        };
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
                    let held = Held { metrics, _in_flight: lease.begin(backend.balancing), _lease: lease };
                    return Some(Reached { stream, backend: backend.id.clone(), endpoint, tries: unreached.tries, held });
                }
                Err(error) => {
                    lease.endpoint.failed((self.now)());
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

impl<C> Drop for Held<C> {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

#[cfg(test)]
mod tests;
