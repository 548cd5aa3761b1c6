//! One client connection, from accept to its end.

use crate::admission::Admitted;
use crate::clock::{Clock, Deadline};
use crate::heads::Incoming;
use crate::listeners::Context;
use crate::outgoing::Forwarding;
use crate::passing::Passing;
use crate::secure::{Secured, Unsecured, secure};
use crate::stream::Stream;
use crate::worker::Worker;
use http1::Fault;
use model::{ListenerProtocol, Scheme, TlsPolicy};
use observe::ListenerMetrics;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;

/// Octets read and thrown away so that a client gets its answer before the connection closes.
const LINGER_OCTETS: usize = 64 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// A connection and all that its requests share.
pub(crate) struct Connection {
    pub worker: Rc<Worker>,
    pub context: Arc<Context>,
    pub client: Stream,
    pub peer: SocketAddr,
    pub scheme: Scheme,
    /// What was demanded when TLS was set up; `None`: plain text.
    pub policy: Option<TlsPolicy>,
    pub forwarding: Forwarding,
    pub deadline: Deadline,
    /// Read and not yet part of a request that is under way.
    pub unread: Option<Box<Incoming>>,
    /// The client sends no more.
    pub ended: bool,
    pub served: u32,
    born: Duration,
}

/// What follows an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    KeepAlive,
    /// The answer is written; end in good order.
    Close,
    /// An answer was cut off, or nobody is there: end at once.
    Abort,
}

/// What came instead of a request.
pub(crate) enum NoRequest {
    /// The client went away, or said nothing for too long between requests.
    Gone,
    /// It began a request and did not finish it.
    TimedOut,
    Malformed(Fault),
}

/// An accepted connection on its way to a worker.
pub(crate) struct Accepted {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub context: Arc<Context>,
    pub admitted: Admitted,
}

/// A connection whose requests can be read.
pub(crate) struct Arrival {
    pub client: Stream,
    /// `None`: plain text.
    pub policy: Option<TlsPolicy>,
    /// Who the client has proved to be, as backends are told.
    pub identity: Option<String>,
}

/// Counts an open connection.
struct Counted {
    worker: Rc<Worker>,
    listener: Arc<ListenerMetrics>,
    _admitted: Admitted,
}

// === impl Counted ===

impl Drop for Counted {
    fn drop(&mut self) {
        self.listener.closed(self.worker.index);
        self.worker.connection_closed();
        if std::thread::panicking() {
            self.worker.shared.metrics.panicked();
        }
    }
}

/// Serves a connection to its end. A panic in here ends this connection alone.
pub(crate) async fn serve(worker: Rc<Worker>, accepted: Accepted) {
    let Accepted { stream, peer, context, admitted } = accepted;
    let listener = context.metrics.clone();
    listener.opened(worker.index);
    let _counted = Counted { worker: worker.clone(), listener, _admitted: admitted };
    let (deadline, started) = (worker.clock.deadline(), Clock::exact());
    // An answer is written at once, whole: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let arrival = match context.protocol {
        ListenerProtocol::Http => Arrival { client: Stream::Plain(stream), policy: None, identity: None },
        ListenerProtocol::Https => match secure(&worker, &context, stream, &deadline).await {
            Ok(Secured::Http(arrival)) => arrival,
            Ok(Secured::Tunnel { client, tunnel, name }) => {
                return Passing { worker: &worker, context: &context, peer, protocol: "TLS", name, started, deadline }
                    .pass(client, tunnel)
                    .await;
            }
            Err(Unsecured) => return context.metrics.handshake_failed(worker.index),
        },
        ListenerProtocol::Tcp => {
            let tunnel = worker.snapshot().gateway(&context.gateway).and_then(|table| table.tunnel(context.port)).cloned();
            let passing = Passing { worker: &worker, context: &context, peer, protocol: "TCP", name: None, started, deadline };
            return passing.pass(Stream::Plain(stream), tunnel).await;
        }
        // Its sockets take no connections.
        ListenerProtocol::Udp => return,
    };
    let Arrival { client, policy, identity } = arrival;
    let (scheme, word) = if policy.is_some() { (Scheme::Https, "https") } else { (Scheme::Http, "http") };
    let forwarding = Forwarding::new(peer, context.port, word, identity);
    let born = worker.clock.now();
    let mut connection =
        Connection { worker, context, client, peer, scheme, policy, forwarding, deadline, unread: None, ended: false, served: 0, born };
    connection.run().await;
}

impl Connection {
    async fn run(&mut self) {
        loop {
            let next = match self.next_request().await {
                Ok((incoming, length)) => self.exchange(incoming, length).await,
                Err(NoRequest::Gone) => return,
                Err(NoRequest::TimedOut) => self.refuse(408, model::Reason::RequestTimeout).await,
                Err(NoRequest::Malformed(fault)) => self.refuse(fault.status(), model::Reason::BadRequest).await,
            };
            match next {
                Next::KeepAlive => {}
                Next::Close => return self.close().await,
                Next::Abort => return,
            }
        }
    }

    /// Whether the next answer says that it is the last: the connection has had its share, its socket is gone, or the gateway stops.
    pub fn worn_out(&self) -> bool {
        let limits = &self.worker.shared.limits;
        self.served >= limits.requests_per_connection
            || self.worker.clock.now().saturating_sub(self.born) >= limits.connection_age
            || self.worker.draining()
            || self.context.closed.load(Ordering::Relaxed)
    }

    /// Reads a request head. While nothing of it is there, no buffer is held.
    async fn next_request(&mut self) -> Result<(Box<Incoming>, usize), NoRequest> {
        let limits = self.worker.shared.limits;
        let scheme = match self.scheme {
            Scheme::Http => http1::Scheme::Http,
            Scheme::Https => http1::Scheme::Https,
        };
        let mut incoming = self.unread.take();
        self.deadline.cap(None);
        self.deadline.set(if self.served == 0 || incoming.is_some() { limits.header } else { limits.idle });
        loop {
            if let Some(mut given) = incoming.take() {
                match given.head.parse(given.buffer.unread(), scheme) {
                    Ok(Some(length)) => return Ok((given, length)),
                    Ok(None) if self.ended => {
                        self.put_back(given);
                        return Err(NoRequest::Gone);
                    }
                    Ok(None) => incoming = Some(given),
                    Err(fault) => {
                        self.unread = Some(given);
                        return Err(NoRequest::Malformed(fault));
                    }
                }
            }
            if self.ended {
                return Err(NoRequest::Gone);
            }
            let fresh = incoming.is_none();
            match self.fill(&mut incoming).await? {
                0 => return Err(NoRequest::Gone),
                _ if fresh => self.deadline.set(limits.header),
                _ => {}
            }
        }
    }

    /// Reads once.
    async fn fill(&mut self, incoming: &mut Option<Box<Incoming>>) -> Result<usize, NoRequest> {
        let (worker, client, deadline) = (&self.worker, &mut self.client, &self.deadline);
        let begun = incoming.is_some();
        deadline.idle(!begun);
        let read = deadline.bound(|cx| {
            let mut given = incoming.take().unwrap_or_else(|| worker.incoming.take());
            match client.poll_read(cx, given.buffer.space(usize::MAX)) {
                Poll::Pending if begun => {
                    *incoming = Some(given);
                    Poll::Pending
                }
                Poll::Pending => {
                    worker.incoming.put(given);
                    // A gateway that stops does not wait for what may never come.
                    if worker.draining() { Poll::Ready(Ok(0)) } else { Poll::Pending }
                }
                Poll::Ready(read) => {
                    given.buffer.filled(*read.as_ref().unwrap_or(&0));
                    *incoming = Some(given);
                    Poll::Ready(read)
                }
            }
        });
        let read = read.await;
        self.deadline.idle(false);
        match read {
            Ok(Ok(count)) if count > 0 => Ok(count),
            Ok(_) => {
                if let Some(given) = incoming.take() {
                    self.put_back(given);
                }
                Err(NoRequest::Gone)
            }
            Err(_) if begun => {
                self.unread = incoming.take();
                Err(NoRequest::TimedOut)
            }
            Err(_) => Err(NoRequest::Gone),
        }
    }

    /// Gives memory back to the worker.
    pub fn put_back(&self, mut incoming: Box<Incoming>) {
        incoming.reset();
        self.worker.incoming.put(incoming);
    }

    /// Ends the connection so that what was written arrives: a close with unread octets would be a reset, and could take the answer with it.
    async fn close(&mut self) {
        if let Some(unread) = self.unread.take() {
            self.put_back(unread);
        }
        self.deadline.cap(None);
        self.deadline.set(LINGER);
        let (client, worker) = (&mut self.client, &self.worker);
        let mut finished = false;
        let mut budget = LINGER_OCTETS;
        let lingered = self.deadline.bound(|cx| {
            if !finished {
                match client.poll_finish(cx) {
                    Poll::Ready(Ok(())) => finished = true,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
            let mut buffer = worker.buffers.small.take();
            let over = loop {
                match client.poll_read(cx, buffer.space(usize::MAX)) {
                    Poll::Ready(Ok(count)) if count > 0 && budget > count => budget -= count,
                    Poll::Ready(_) => break Poll::Ready(()),
                    Poll::Pending => break Poll::Pending,
                }
            };
            worker.buffers.give(buffer);
            over
        });
        // Waited long enough: the client has the answer or does not want it.
        let _ = lingered.await;
    }
}
