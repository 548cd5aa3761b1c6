//! The listener: TLS, HTTP/1.1 and HTTP/2, and the limits that hold before a request is understood.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::reply::{Body, Refusal};
use crate::stall::Patient;

const CONNECTIONS: usize = 512;
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(30);
/// How long a request may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(90);
const STREAMS: u32 = 128;
/// Of all fields of a request together, and how many.
const HEADER_OCTETS: u32 = 32 << 10;
const HEADER_FIELDS: usize = 100;
/// How often an HTTP/2 client that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(30);
/// How long connections get to finish when the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// After a failed accept (no file descriptors left, mostly).
const BREATH: Duration = Duration::from_millis(50);

/// Accepts until `stop` turns true, then lets connections finish.
pub(crate) async fn run(listener: TcpListener, tls: Option<TlsAcceptor>, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the console");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            tracing::debug!(%peer, limit = CONNECTIONS, "too many connections to the console");
            continue;
        };
        let (tls, app, stop) = (tls.clone(), app.clone(), stop.clone());
        tokio::spawn(async move {
            connection(socket, peer, tls, app, stop).await;
            drop(slot);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    // Connections that outlast this are dropped with the runtime.
    let _ = tokio::time::timeout(GRACE, slots.acquire_many(all)).await;
}

async fn connection(socket: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, app: Arc<App>, stop: watch::Receiver<bool>) {
    // Answers are written whole; waiting to fill a packet only delays them.
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else { return talk(socket, peer, app, stop).await };
    match tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await {
        Ok(Ok(stream)) => talk(stream, peer, app, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake with the console failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake with the console took too long"),
    }
}

async fn talk<S>(stream: S, peer: SocketAddr, app: Arc<App>, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(answer(&app, request, peer).await) }
    });
    let builder = builder();
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(Patient::new(stream)), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(GRACE, serving).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection to the console ended early");
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could stop us is gone.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_headers(HEADER_FIELDS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_OCTETS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

async fn answer(app: &App, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    // Without the query: what is searched for is nobody else's.
    let line = (request.method().clone(), request.uri().path().to_owned());
    let reply = match tokio::time::timeout(ANSWER, Box::pin(app.answer(request, peer))).await {
        Ok(reply) => reply,
        Err(_) => Refusal::late().into_reply(),
    };
    tracing::debug!(method = %line.0, path = line.1, status = reply.status().as_u16(), "console");
    reply
}
