//! Open connections to endpoints: made, kept, and looked at before they are used again.

use crate::clock::Clock;
use crate::stream::Stream;
use crate::worker::Worker;
use model::Backend;
use observe::BackendMetrics;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;
use upstream::{ConnectError, InFlight, Lease, connect};

/// An open connection to an endpoint.
#[derive(Debug)]
pub(crate) struct Warm {
    pub stream: Stream,
    pub metrics: Arc<BackendMetrics>,
    /// Requests it was used for.
    served: u32,
}

/// A connection in use by one request.
pub(crate) struct Taken {
    pub warm: Warm,
    pub lease: Lease<Warm>,
    pub reused: bool,
    _in_flight: InFlight,
}

// === impl Warm ===

impl Warm {
    pub fn new(stream: Stream, metrics: Arc<BackendMetrics>) -> Self {
        metrics.connected();
        Self { stream, metrics, served: 0 }
    }

    /// Whether the endpoint has closed it, or sent what nobody asked for, as far as the runtime has been told. Costs no system call where it
    /// has been told nothing.
    pub fn is_gone(&self) -> bool {
        let Some(stream) = self.stream.plain() else { return true };
        let mut cx = Context::from_waker(Waker::noop());
        if stream.poll_read_ready(&mut cx).is_pending() {
            return false;
        }
        // Told of octets that have been read since: where none are left, this tells the runtime so.
        let looked = stream.try_io(Interest::READABLE, || peek(stream));
        !looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The same, asking the system: it may know what the runtime has not been told yet.
    pub fn is_surely_open(&self) -> bool {
        self.stream.plain().is_some_and(|stream| peek(stream).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock))
    }
}

/// Octets waiting to be read, at most one; 0 at the end.
fn peek(stream: &TcpStream) -> io::Result<usize> {
    let (count, _) = recv(stream, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
    Ok(count)
}

impl Drop for Warm {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

// === impl Taken ===

impl Taken {
    pub fn new(mut warm: Warm, lease: Lease<Warm>, backend: &Backend, reused: bool) -> Self {
        warm.served = warm.served.saturating_add(1);
        let _in_flight = lease.begin(backend.balancing);
        Self { warm, lease, reused, _in_flight }
    }
}

impl Worker {
    /// Opens a connection; says how long that took.
    pub async fn dial(&self, lease: &Lease<Warm>, backend: &Backend, limit: Duration) -> Result<(Warm, Duration), ConnectError> {
        let metrics = self.shared.metrics.backend(&backend.id);
        let egress = self.shared.egress();
        let begun = Clock::exact();
        match connect(lease.endpoint.address, &egress, limit).await {
            Ok(stream) => {
                lease.endpoint.succeeded();
                Ok((Warm::new(Stream::Plain(stream), metrics), Clock::exact().saturating_duration_since(begun)))
            }
            Err(error) => {
                lease.endpoint.failed(self.clock.now(), (&error).into());
                metrics.connect_failed();
                tracing::debug!(backend = backend.id.as_str(), endpoint = %lease.endpoint.address, %error, "no connection");
                Err(error)
            }
        }
    }

    /// Keeps a connection whose answer was read to its end for the next request, unless it has had its share.
    pub fn keep_warm(&self, taken: Taken, backend: &Backend) {
        let Taken { warm, lease, .. } = taken;
        if backend.limits.requests_per_connection.is_none_or(|most| warm.served < most) {
            self.pools.borrow_mut().give_back(warm, lease, backend, self.clock.now());
        }
    }
}
