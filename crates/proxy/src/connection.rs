//! One client connection, from accept to its end.

use crate::admission::Admitted;
use crate::clock::Deadline;
use crate::heads::Incoming;
use crate::listeners::Context;
use crate::outgoing::Forwarding;
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
use tokio::task::JoinSet;

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
    let deadline = worker.clock.deadline();
    // An answer is written at once, whole: nothing is gained by waiting for more.
    let _ = stream.set_nodelay(true);
    let (client, scheme, word) = match context.protocol {
        ListenerProtocol::Http => (Stream::Plain(stream), Scheme::Http, "http"),
        ListenerProtocol::Https => match handshake(&worker, &context, stream, &deadline).await {
            Some(stream) => (stream, Scheme::Https, "https"),
            None => return context.metrics.handshake_failed(worker.index),
        },
        ListenerProtocol::Tcp => return,
    };
    let forwarding = Forwarding::new(peer, context.port, word);
    let policy = (scheme == Scheme::Https).then(TlsPolicy::default);
    let born = worker.clock.now();
    let mut connection =
        Connection { worker, context, client, peer, scheme, policy, forwarding, deadline, unread: None, ended: false, served: 0, born };
    connection.run().await;
}

/// Not on the worker: a signature takes long, with RSA half a millisecond.
async fn handshake(worker: &Worker, context: &Context, stream: TcpStream, deadline: &Deadline) -> Option<Stream> {
    deadline.set(worker.shared.limits.handshake);
    let acceptor = tokio_rustls::TlsAcceptor::from(context.tls.clone()?);
    // Dropping the set ends the handshake.
    let mut offloaded = JoinSet::new();
    offloaded.spawn_on(async move { acceptor.accept(stream).await }, &worker.shared.handshakes);
    match deadline.bound(|cx| offloaded.poll_join_next(cx)).await.ok()?? {
        Ok(stream) => Some(Stream::Tls(Box::new(stream.ok()?))),
        Err(error) => {
            if error.is_panic() {
                worker.shared.metrics.panicked();
            }
            None
        }
    }
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
