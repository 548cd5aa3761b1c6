//! The sockets of all gateways, as asked for and as they are.

use crate::dataplane::Shared;
use crate::worker::Command;
use model::{Binding, BindingState, Gateway, GatewayId, Listener, ListenerProtocol, SectionName};
use observe::{ListenerMetrics, RouteMetrics};
use socket2::{Domain, Protocol, Type};
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::oneshot;
use upstream::Cell;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// What a connection knows about where it came in.
#[derive(Debug)]
pub(crate) struct Context {
    pub gateway: GatewayId,
    pub section: SectionName,
    pub protocol: ListenerProtocol,
    /// The port users asked for.
    pub port: u16,
    pub https_port: Option<u16>,
    /// The socket's own address.
    pub address: SocketAddr,
    pub tls: Option<Arc<tls::Server>>,
    pub metrics: Arc<ListenerMetrics>,
    /// Counters of what no route takes.
    pub unrouted: Arc<RouteMetrics>,
    /// The socket is gone: connections end with their next answer.
    pub closed: Arc<AtomicBool>,
}

/// A socket all workers accept from.
#[derive(Debug)]
pub(crate) struct Socket {
    pub context: Arc<Cell<Context>>,
    pub connections: Arc<AtomicU32>,
    closed: Arc<AtomicBool>,
}

/// The control side: which sockets there are. One writer.
#[derive(Default)]
pub(crate) struct Listeners {
    open: HashMap<Key, Open>,
    tls: HashMap<(GatewayId, u16), Arc<tls::Server>>,
    next: u64,
}

/// Two bindings with port 0 are two sockets; with any other port the address says it all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    address: SocketAddr,
    transport: Transport,
    owner: Option<(GatewayId, SectionName, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Transport {
    Streams,
    Datagrams,
}

struct Open {
    id: u64,
    address: SocketAddr,
    slot: Arc<Socket>,
}

/// One binding that somebody asks for.
struct Wanted<'a> {
    key: Key,
    gateway: &'a Gateway,
    listener: &'a Listener,
    binding: Binding,
}

// === impl Listeners ===

impl Listeners {
    /// Opens what is asked for and not open, closes what is open and no longer asked for, and leaves everything else alone.
    pub async fn apply(&mut self, gateways: &[Arc<Gateway>], shared: &Arc<Shared>) -> Vec<BindingState> {
        let wanted: Vec<_> = gateways.iter().flat_map(|gateway| wanted(gateway)).collect();
        let keys: HashSet<&Key> = wanted.iter().map(|it| &it.key).collect();
        let gone: Vec<Key> = self.open.keys().filter(|key| !keys.contains(key)).cloned().collect();
        for key in gone {
            if let Some(open) = self.open.remove(&key) {
                close(&open, shared).await;
            }
        }
        let mut owners: HashMap<Key, String> = HashMap::new();
        let mut states = Vec::with_capacity(wanted.len());
        for it in &wanted {
            let bound = match owners.get(&it.key) {
                Some(owner) => Err(format!("{} is taken by {owner}", it.binding.address)),
                None => {
                    owners.insert(it.key.clone(), format!("listener `{}` of gateway {}", it.listener.name, it.gateway.id));
                    self.keep(it, shared).await
                }
            };
            states.push(BindingState {
                gateway: it.gateway.id.clone(),
                listener: it.listener.name.clone(),
                address: it.binding.address,
                bound,
            });
        }
        let served: HashSet<(&GatewayId, u16)> = wanted.iter().map(|it| (&it.gateway.id, it.listener.port)).collect();
        self.tls.retain(|(id, port), _| served.contains(&(id, *port)));
        states
    }

    /// Opens a socket, or tells an open one whose it is now.
    async fn keep(&mut self, it: &Wanted<'_>, shared: &Arc<Shared>) -> Result<SocketAddr, String> {
        if let Some(open) = self.open.get(&it.key) {
            let (address, slot) = (open.address, open.slot.clone());
            slot.context.publish(Arc::new(self.context(it, address, &slot.closed, shared)?));
            return Ok(address);
        }
        let transport = it.key.transport;
        let overlaps = self.open.iter().filter(|(key, _)| key.transport == transport).any(|(_, open)| {
            open.address.port() == it.binding.address.port()
                && (open.address.ip().is_unspecified() || it.binding.address.ip().is_unspecified())
        });
        let raw = bind((it.binding.address, transport), shared.loads.len(), overlaps);
        let raw = raw.map_err(|error| said(it.binding.address, &error))?;
        let address = raw.first().ok_or("there is no worker")?.local_addr().ok().and_then(|it| it.as_socket());
        let address = address.ok_or("the socket has no address")?;
        let closed = Arc::default();
        let context = Cell::new(self.context(it, address, &closed, shared)?);
        let slot = Arc::new(Socket { context, connections: Arc::default(), closed });
        self.next += 1;
        let id = self.next;
        // Known before any worker has it: what is cut off here can still be closed.
        self.open.insert(it.key.clone(), Open { id, address, slot: slot.clone() });
        for (worker, socket) in raw.into_iter().enumerate() {
            let command = match transport {
                Transport::Streams => Command::Listen(id, socket.into(), slot.clone()),
                Transport::Datagrams => Command::Receive(id, socket.into(), slot.clone()),
            };
            shared.tell_surely(worker, command).await.map_err(|()| "a worker has ended")?;
        }
        Ok(address)
    }

    fn context(&mut self, it: &Wanted<'_>, address: SocketAddr, closed: &Arc<AtomicBool>, shared: &Arc<Shared>) -> Result<Context, String> {
        let tls = match it.listener.protocol {
            ListenerProtocol::Http | ListenerProtocol::Tcp | ListenerProtocol::Udp => None,
            ListenerProtocol::Https => Some(self.tls(&it.gateway.id, it.listener.port, shared)?),
        };
        Ok(Context {
            gateway: it.gateway.id.clone(),
            section: it.listener.name.clone(),
            protocol: it.listener.protocol,
            port: it.listener.port,
            https_port: it.binding.https_port,
            address,
            tls,
            metrics: shared.metrics.listener(&it.gateway.id, &it.listener.name),
            unrouted: shared.metrics.unrouted(&it.gateway.id),
            closed: closed.clone(),
        })
    }

    /// One for each port of a gateway: its tickets are good at all the port's sockets.
    fn tls(&mut self, gateway: &GatewayId, port: u16, shared: &Arc<Shared>) -> Result<Arc<tls::Server>, String> {
        if let Some(server) = self.tls.get(&(gateway.clone(), port)) {
            return Ok(server.clone());
        }
        let (snapshot, id) = (shared.snapshot.clone(), gateway.clone());
        let find = move |name: Option<&str>| snapshot.load().gateway(&id)?.certificate(port, name).cloned();
        let server = tls::Server::new(find).map_err(|error| error.to_string())?;
        self.tls.insert((gateway.clone(), port), server.clone());
        Ok(server)
    }
}

fn wanted(gateway: &Gateway) -> impl Iterator<Item = Wanted<'_>> {
    gateway.listeners.iter().flat_map(move |listener| {
        listener.bindings.iter().enumerate().map(move |(at, binding)| {
            let owner = (binding.address.port() == 0).then(|| (gateway.id.clone(), listener.name.clone(), at));
            let transport = match listener.protocol {
                ListenerProtocol::Http | ListenerProtocol::Https | ListenerProtocol::Tcp => Transport::Streams,
                ListenerProtocol::Udp => Transport::Datagrams,
            };
            Wanted { key: Key { address: binding.address, transport, owner }, gateway, listener, binding: *binding }
        })
    })
}

/// Waits until no worker has the socket any more, so that its address is free.
async fn close(open: &Open, shared: &Shared) {
    open.slot.closed.store(true, Ordering::Relaxed);
    let mut closed = Vec::new();
    for worker in 0..shared.loads.len() {
        let (done, wait) = oneshot::channel();
        if shared.tell_surely(worker, Command::Unlisten(open.id, done)).await.is_ok() {
            closed.push(wait);
        }
    }
    for wait in closed {
        // A worker that is gone has no sockets.
        let _ = wait.await;
    }
}

/// One socket for each worker, all at one address. SO_REUSEPORT would hide that another process has it, so it is first tried without;
/// not where a socket of ours covers the address: that one would be found.
fn bind((address, transport): (SocketAddr, Transport), workers: usize, overlaps_ours: bool) -> io::Result<Vec<socket2::Socket>> {
    if address.port() != 0 && !overlaps_ours {
        let probe = socket(address, transport)?;
        probe.bind(&address.into())?;
        if transport == Transport::Streams {
            probe.listen(1)?;
        }
    }
    let mut sockets: Vec<socket2::Socket> = Vec::with_capacity(workers);
    for _ in 0..workers {
        let at = sockets.first().map_or_else(|| Ok(address.into()), socket2::Socket::local_addr)?;
        let socket = socket(address, transport)?;
        socket.set_reuse_port(true)?;
        socket.bind(&at)?;
        if transport == Transport::Streams {
            socket.listen(BACKLOG)?;
        }
        sockets.push(socket);
    }
    Ok(sockets)
}

fn socket(address: SocketAddr, transport: Transport) -> io::Result<socket2::Socket> {
    let (kind, protocol) = match transport {
        Transport::Streams => (Type::STREAM, Protocol::TCP),
        Transport::Datagrams => (Type::DGRAM, Protocol::UDP),
    };
    let socket = socket2::Socket::new(Domain::for_address(address), kind.nonblocking().cloexec(), Some(protocol))?;
    if transport == Transport::Streams {
        // Otherwise connections of a process that went before block the address for a minute. For datagrams it would hide that another has it.
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// What is wrong, for whoever asked for the address.
fn said(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("{address} is in use by another process"),
        io::ErrorKind::PermissionDenied => format!("{address} may not be bound by this user"),
        io::ErrorKind::AddrNotAvailable => format!("this machine has no address {}", address.ip()),
        _ => format!("{address} cannot be bound: {error}"),
    }
}
