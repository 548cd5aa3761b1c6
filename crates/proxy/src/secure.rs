//! From an accepted connection to one that is encrypted, passed on as it is, or refused.
//!
//! The first message is looked at without taking it from the socket: whoever goes on with the connection, a handshake or a backend, finds it
//! untouched.
//!
//! **Invariant:** what a connection remembers of the policy it was made under is what its handshake went by.

use crate::buffer::{Buffer, SMALL};
use crate::clock::Deadline;
use crate::connection::Arrival;
use crate::listeners::Context;
use crate::stream::Stream;
use crate::worker::Worker;
use model::{ClientAuth, ClientTrust, Nack, Shard, ShardKey, TlsPolicy, Tunnel};
use route::Shown;
use rustix::net::{RecvFlags, recv};
use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tls::{Alert, Carries, Hello, LONGEST_HELLO, NoHello};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// For so long, and so many octets, a refused client is listened to, so that the alert reaches it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: usize = 4 * LONGEST_HELLO;

const _: () = assert!(LONGEST_HELLO <= SMALL, "a whole hello can be looked at at once");

/// What became of a connection to a TLS port.
pub(crate) enum Secured {
    Http(Arrival),
    /// Not HTTP to us. `tunnel: None`: nobody takes it.
    Tunnel {
        client: Stream,
        tunnel: Option<Tunnel>,
        /// The server name the client sent.
        name: Option<String>,
    },
}

/// The client has been told, as far as TLS has words for it and they are ours to say.
pub(crate) struct Unsecured;

/// What the routes say about a connection.
enum Verdict {
    PassOn(Option<Tunnel>),
    /// Set up TLS, for HTTP or for a tunnel.
    Meet(TlsPolicy, Option<Tunnel>),
    Refuse(Alert),
    /// End the connection, saying nothing.
    Close,
}

/// A connection after its handshake.
struct Met {
    stream: TlsStream<TcpStream>,
    identity: Option<String>,
}

/// Finds out who is asked for and does what that host wants done.
pub(crate) async fn secure(worker: &Worker, context: &Context, stream: TcpStream, deadline: &Deadline) -> Result<Secured, Unsecured> {
    deadline.set(worker.shared.limits.handshake);
    let hello = {
        let mut looking = pin!(look(worker, &stream));
        deadline.bound(|cx| looking.as_mut().poll(cx)).await
    };
    let hello = match hello {
        Ok(Ok(Ok(hello))) => hello,
        Ok(Ok(Err(none))) => return refuse(stream, none.alert(), deadline).await,
        // Gone, or too slow.
        Ok(Err(_)) | Err(_) => return Err(Unsecured),
    };
    match verdict(worker, context, &hello) {
        Verdict::PassOn(tunnel) => Ok(Secured::Tunnel { client: Stream::Plain(stream), tunnel, name: hello.server_name }),
        Verdict::Refuse(alert) => refuse(stream, alert, deadline).await,
        Verdict::Close => Err(Unsecured),
        Verdict::Meet(policy, tunnel) => {
            let carries = if tunnel.is_some() { Carries::Octets } else { Carries::Http };
            let Met { stream, identity } = meet(worker, context, stream, policy.clone(), carries, deadline).await.ok_or(Unsecured)?;
            let client = Stream::Tls(Box::new(stream));
            Ok(match tunnel {
                Some(_) => Secured::Tunnel { client, tunnel, name: hello.server_name },
                None => Secured::Http(Arrival { client, policy: Some(policy), identity }),
            })
        }
    }
}

fn verdict(worker: &Worker, context: &Context, hello: &Hello) -> Verdict {
    let snapshot = worker.snapshot();
    let Some(table) = snapshot.gateway(&context.gateway) else { return Verdict::Refuse(Alert::InternalError) };
    let server = table.server(context.port, hello.server_name.as_deref());
    match server.shown {
        Shown::Certificate(_) => Verdict::Meet(server.policy.clone(), server.tunnel.cloned()),
        Shown::Passthrough => Verdict::PassOn(server.tunnel.cloned()),
        Shown::Refuse => Verdict::Refuse(Alert::UnrecognizedName),
        Shown::Close => Verdict::Close,
    }
}

/// Looks at what has arrived until it is a whole `ClientHello` or cannot become one. Holds memory only while something is there to look at.
async fn look(worker: &Worker, stream: &TcpStream) -> io::Result<Result<Hello, NoHello>> {
    loop {
        let ready = stream.ready(Interest::READABLE).await?;
        let mut buffer = worker.buffers.small.take();
        // Saying that there is nothing waits for more than there was.
        let looked = stream.try_io(Interest::READABLE, || match peek(stream, &mut buffer)? {
            Ok(None) if ready.is_read_closed() => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(Some(hello)) => Ok(Ok(hello)),
            Err(none) => Ok(Err(none)),
        });
        worker.buffers.give(buffer);
        match looked {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            done => return done,
        }
    }
}

fn peek(stream: &TcpStream, buffer: &mut Buffer) -> io::Result<Result<Option<Hello>, NoHello>> {
    let octets = buffer.space(LONGEST_HELLO);
    match recv(stream, &mut *octets, RecvFlags::PEEK | RecvFlags::DONTWAIT)? {
        (0, _) => Err(io::ErrorKind::UnexpectedEof.into()),
        (count, _) => Ok(tls::read_hello(octets.get(..count).unwrap_or_default())),
    }
}

/// The handshake. Not on the worker: a signature takes long, with RSA half a millisecond, and so does a policy that is new.
async fn meet(
    worker: &Worker,
    context: &Context,
    mut stream: TcpStream,
    policy: TlsPolicy,
    carries: Carries,
    deadline: &Deadline,
) -> Option<Met> {
    let server = context.tls.clone()?;
    let handshake = async move {
        let config = match server.config(&policy, carries) {
            Ok(config) => config,
            Err(error) => {
                tracing::debug!(%error, "a handshake is refused");
                say(&mut stream, Alert::AccessDenied).await;
                return None;
            }
        };
        let stream = TlsAcceptor::from(config).accept(stream).await.ok()?;
        let identity = match policy.client {
            ClientAuth::Optional(_) | ClientAuth::Required(_) => identity(&stream),
            ClientAuth::None | ClientAuth::Unverified => None,
        };
        Some(Met { stream, identity })
    };
    // Dropping the set ends the handshake.
    let mut offloaded = JoinSet::new();
    offloaded.spawn_on(handshake, &worker.shared.handshakes);
    match deadline.bound(|cx| offloaded.poll_join_next(cx)).await.ok()?? {
        Ok(met) => met,
        Err(error) => {
            if error.is_panic() {
                worker.shared.metrics.panicked();
            }
            None
        }
    }
}

fn identity(stream: &TlsStream<TcpStream>) -> Option<String> {
    let (_, session) = stream.get_ref();
    tls::forwarded_client_cert(session.peer_certificates()?.first()?)
}

async fn refuse(mut stream: TcpStream, alert: Alert, deadline: &Deadline) -> Result<Secured, Unsecured> {
    deadline.set(LINGER);
    let mut saying = pin!(say(&mut stream, alert));
    // Long enough: the client knows, or does not want to.
    let _ = deadline.bound(|cx| saying.as_mut().poll(cx)).await;
    Err(Unsecured)
}

/// Writes an alert and ends the connection so that it arrives: a close with unread octets would be a reset, and could take the alert along.
async fn say(stream: &mut TcpStream, alert: Alert) {
    if stream.write_all(&alert.octets()).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    let (mut left, mut scratch) = (LINGER_OCTETS, vec![0; 1024]);
    while left > 0 {
        match stream.read(&mut scratch).await {
            Ok(count) if count > 0 => left = left.saturating_sub(count),
            _ => return,
        }
    }
}

/// What cannot be kept of these hosts' policies: their handshakes are refused, and each of their routes says why.
pub(crate) fn unkept(shards: &[(ShardKey, Option<Shard>)]) -> Vec<Nack> {
    // Many hosts of one listener share what their clients are checked against.
    let mut checked: HashMap<*const ClientTrust, Option<String>> = HashMap::new();
    let mut check = |policy: &TlsPolicy| match &policy.client {
        ClientAuth::None | ClientAuth::Unverified => None,
        ClientAuth::Optional(trust) | ClientAuth::Required(trust) => {
            checked.entry(Arc::as_ptr(trust)).or_insert_with(|| tls::check(policy).err().map(|error| error.to_string())).clone()
        }
    };
    let hosts = shards.iter().filter_map(|(key, shard)| shard.as_ref().map(|shard| (key, &shard.host)));
    let broken: Vec<_> = hosts.filter_map(|(key, host)| check(&host.tls_policy).map(|message| (key, host, message))).collect();
    broken
        .into_iter()
        .flat_map(|(key, host, message)| {
            (0..host.routes.len().max(1)).map(move |route| Nack { shard: key.clone(), route, message: message.clone() })
        })
        .collect()
}
