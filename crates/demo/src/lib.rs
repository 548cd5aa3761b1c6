//! Sample backends for trying a gateway: the httpbin endpoints people use, a hello in two versions, and echo for
//! HTTP, WebSocket, gRPC, TCP and UDP.
//!
//! It is not a load generator's target and not a full httpbin: what it lacks answers 404. Nothing in it knows the gateway.
//!
//! ```text
//! start ─► bind all seven sockets ─► serve: accept ─► a bounded number of connections ─► httpbin | hello | echo | grpc
//!                                 ├► tcp: copy back                                    each with deadlines
//!                                 └► udp: send back
//! Sample::start ─► one of them by itself, as often as asked: what stands in for the containers of a Deployment
//! ```
//!
//! **Invariant:** no answer is larger than [`BODY_LIMIT`], no request body is kept beyond it, no connection outlives
//! [`serve::LIFETIME`], and every wait for a peer has a deadline. A datagram is answered by at most one of the same size.

mod echo;
mod grpc;
mod hello;
mod httpbin;
mod sample;
mod serve;
mod sockets;

pub use sample::{Answering, Sample};

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The largest request body that is read, and the largest answer that is made: 10 MiB. A larger request is answered 413.
pub const BODY_LIMIT: usize = 10 << 20;

/// How long [`Running::shutdown`] waits for answers that are under way.
const DRAIN: Duration = Duration::from_secs(2);

/// Where the sample backends listen.
#[derive(Clone, Debug)]
pub struct Options {
    /// Loopback unless told otherwise: nothing is exposed unasked.
    pub address: IpAddr,
    /// One port each.
    pub ports: Ports,
}

/// The port of each backend; 0 lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The httpbin endpoints.
    pub httpbin: u16,
    /// `hello from v1`.
    pub hello_v1: u16,
    /// `hello from v2`.
    pub hello_v2: u16,
    /// HTTP echo, and WebSocket echo on `/ws`.
    pub echo: u16,
    /// gRPC echo: HTTP/2 without TLS.
    pub grpc: u16,
    /// TCP echo.
    pub tcp: u16,
    /// UDP echo.
    pub udp: u16,
}

/// Backends that are running. Dropping it stops them at once.
#[derive(Debug)]
pub struct Running {
    /// Where the httpbin endpoints answer.
    pub httpbin: SocketAddr,
    /// Where `hello from v1` answers.
    pub hello_v1: SocketAddr,
    /// Where `hello from v2` answers.
    pub hello_v2: SocketAddr,
    /// Where HTTP is described and `/ws` echoes.
    pub echo: SocketAddr,
    /// Where any gRPC method echoes.
    pub grpc: SocketAddr,
    /// Where octets come back.
    pub tcp: SocketAddr,
    /// Where datagrams come back.
    pub udp: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

// === impl Ports ===

impl Ports {
    /// Every port chosen by the system.
    pub const ANY: Self = Self { httpbin: 0, hello_v1: 0, hello_v2: 0, echo: 0, grpc: 0, tcp: 0, udp: 0 };

    /// Seven ports in a row, from `first`.
    ///
    /// ```
    /// assert_eq!(demo::Ports::from(9000).udp, 9006);
    /// ```
    pub const fn from(first: u16) -> Self {
        const fn nth(first: u16, n: u16) -> u16 {
            first.saturating_add(n)
        }
        Self {
            httpbin: first,
            hello_v1: nth(first, 1),
            hello_v2: nth(first, 2),
            echo: nth(first, 3),
            grpc: nth(first, 4),
            tcp: nth(first, 5),
            udp: nth(first, 6),
        }
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self::from(8000)
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), ports: Ports::default() }
    }
}

// === impl Running ===

impl Running {
    /// Takes no new connection, lets answers under way finish for up to two seconds, then ends.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        // Past the deadline the set is dropped, which aborts what is left.
        let _ = tokio::time::timeout(DRAIN + Duration::from_secs(1), drained).await;
    }
}

/// Binds all sockets, then serves them in the background.
///
/// # Errors
///
/// The first address that cannot be bound, named in the error's text; nothing is left running then.
pub async fn start(options: Options) -> io::Result<Running> {
    let Options { address, ports } = options;
    let [httpbin, hello_v1, hello_v2, echo, grpc, tcp] = [ports.httpbin, ports.hello_v1, ports.hello_v2, ports.echo, ports.grpc, ports.tcp]
        .map(|port| listen(SocketAddr::new(address, port)));
    let (httpbin, hello_v1, hello_v2) = (httpbin.await?, hello_v1.await?, hello_v2.await?);
    let (echo, grpc, tcp) = (echo.await?, grpc.await?, tcp.await?);
    let udp = SocketAddr::new(address, ports.udp);
    let udp = UdpSocket::bind(udp).await.map_err(|error| named(udp, &error))?;

    let (stop, stopped) = watch::channel(false);
    let mut running = Running {
        httpbin: httpbin.local_addr()?,
        hello_v1: hello_v1.local_addr()?,
        hello_v2: hello_v2.local_addr()?,
        echo: echo.local_addr()?,
        grpc: grpc.local_addr()?,
        tcp: tcp.local_addr()?,
        udp: udp.local_addr()?,
        stop,
        tasks: JoinSet::new(),
    };
    let tasks = &mut running.tasks;
    tasks.spawn(serve::http(httpbin, httpbin::router(), stopped.clone()));
    tasks.spawn(serve::http(hello_v1, hello::router("v1"), stopped.clone()));
    tasks.spawn(serve::http(hello_v2, hello::router("v2"), stopped.clone()));
    tasks.spawn(serve::http(echo, echo::router(stopped.clone()), stopped.clone()));
    tasks.spawn(serve::http(grpc, grpc::router(), stopped.clone()));
    tasks.spawn(sockets::tcp(tcp, stopped.clone()));
    tasks.spawn(sockets::udp(udp, stopped));
    Ok(running)
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| named(address, &error))
}

fn named(address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}
