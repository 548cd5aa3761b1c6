//! The listener: TLS, HTTP/1.1 and HTTP/2, and the limits that hold before a request is understood.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::access::{Identity, Peer};
use crate::api::Api;
use crate::failure::Failure;
use crate::reply::{Reply, ReplyBody};

const CONNECTIONS: usize = 1024;
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(30);
/// How long a request may take until its answer begins; a watch's answer begins at once.
const ANSWER: Duration = Duration::from_secs(60);
const STREAMS: u32 = 250;
/// How often an HTTP/2 client that says nothing is asked whether it is there.
const PING: Duration = Duration::from_secs(30);
/// How long connections get to finish when the server stops.
const GRACE: Duration = Duration::from_secs(5);
/// After a failed accept (no file descriptors left, mostly).
const BREATH: Duration = Duration::from_millis(50);

/// Accepts until `stop` turns true, then lets connections finish.
pub(crate) async fn run(listener: TcpListener, tls: ServerConfig, api: Arc<Api>, mut stop: watch::Receiver<bool>) {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the API");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            tracing::warn!(%peer, limit = CONNECTIONS, "too many connections to the API");
            continue;
        };
        let (acceptor, api, stop) = (acceptor.clone(), api.clone(), stop.clone());
        tokio::spawn(async move {
            connection(socket, peer, &acceptor, api, stop).await;
            drop(slot);
        });
    }
    drop(listener);
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    // Connections that outlast this are dropped with the runtime.
    let _ = tokio::time::timeout(GRACE, slots.acquire_many(all)).await;
}

async fn connection(socket: TcpStream, peer: SocketAddr, acceptor: &TlsAcceptor, api: Arc<Api>, mut stop: watch::Receiver<bool>) {
    // Answers are written whole; waiting to fill a packet only delays them.
    let _ = socket.set_nodelay(true);
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "no TLS with a client of the API"),
        Err(_) => return tracing::debug!(%peer, "a client of the API did not finish its TLS handshake"),
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let certificate = certificate.and_then(|certificate| Identity::of_certificate(certificate));
    let end = Arc::new(Peer { address: peer, certificate });
    let service = service_fn(move |request| {
        let (api, end) = (api.clone(), end.clone());
        async move { Ok::<_, Infallible>(answer(&api, request, &end).await) }
    });
    let builder = builder();
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
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
        tracing::debug!(%peer, %error, "a connection to the API ended early");
    }
}

pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could stop us is gone.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS).keep_alive_interval(PING).keep_alive_timeout(PING);
    builder
}

async fn answer(api: &Api, request: Request<Incoming>, peer: &Peer) -> Response<ReplyBody> {
    let without_body = *request.method() == Method::HEAD;
    let line = (request.method().clone(), request.uri().path().to_owned());
    let reply = match tokio::time::timeout(ANSWER, Box::pin(api.answer(request, peer))).await {
        Ok(reply) => reply,
        Err(_) => Reply::failure(&Failure::timeout("the request took too long")),
    };
    let response = reply.into_response(without_body);
    tracing::debug!(method = %line.0, path = line.1, status = response.status().as_u16(), "API");
    response
}
