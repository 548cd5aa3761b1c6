//! The sockets: opened where they are free, tried again where they are not.

use crate::addresses::meant_by;
use crate::answer::Zones;
use crate::counters::Counters;
use crate::{tcp, udp};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two looks at what could not be opened, and at the addresses of the machine.
const LOOK: Duration = Duration::from_secs(5);
/// Tries to find a number that is free for UDP and TCP alike, where any will do.
const TRIES: usize = 16;

/// A DNS server. Dropping it ends it.
pub struct Server {
    listening: watch::Receiver<Listening>,
    counters: Arc<Counters>,
    _task: JoinSet<()>,
}

/// Where it answers, and where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    pub sockets: Vec<SocketAddr>,
    pub faults: Vec<Fault>,
}

/// A socket that could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub address: SocketAddr,
    /// For example: the port is taken by another program.
    pub why: String,
}

// === impl Server ===

impl Server {
    /// Begins to answer, and goes on looking for what is not free yet.
    pub async fn start(address: SocketAddr, zones: Zones) -> Self {
        let counters = Arc::new(Counters::default());
        let mut open = Open { address, zones, counters: counters.clone(), sockets: BTreeMap::new() };
        let (tell, listening) = watch::channel(open.look().await);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let now = open.look().await;
                tell.send_if_modified(|it| {
                    let modified = *it != now;
                    *it = now;
                    modified
                });
            }
        });
        Self { listening, counters, _task: task }
    }

    pub fn listening(&self) -> watch::Receiver<Listening> {
        self.listening.clone()
    }

    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }
}

struct Open {
    address: SocketAddr,
    zones: Zones,
    counters: Arc<Counters>,
    sockets: BTreeMap<IpAddr, Socket>,
}

struct Socket {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

// === impl Open ===

impl Open {
    /// Opens what is to be open and is not.
    async fn look(&mut self) -> Listening {
        let wanted = meant_by(self.address.ip());
        self.sockets.retain(|it, _| wanted.contains(it));
        let mut faults = Vec::new();
        for ip in wanted {
            if self.sockets.contains_key(&ip) {
                continue;
            }
            let address = SocketAddr::new(ip, self.address.port());
            match self.open(address).await {
                Ok(socket) => drop(self.sockets.insert(ip, socket)),
                Err(error) => faults.push(Fault { address, why: why(&error) }),
            }
        }
        Listening { sockets: self.sockets.values().map(|it| it.address).collect(), faults }
    }

    async fn open(&self, address: SocketAddr) -> io::Result<Socket> {
        let (udp, tcp) = bind(address).await?;
        let (address, mut tasks) = (udp.local_addr()?, JoinSet::new());
        tasks.spawn(udp::serve(udp, address.ip(), self.zones.clone(), self.counters.clone()));
        tasks.spawn(tcp::serve(tcp, address.ip(), self.zones.clone(), self.counters.clone()));
        Ok(Socket { address, _tasks: tasks })
    }
}

/// Both, with the same number.
async fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = if address.port() == 0 { TRIES } else { 1 };
    loop {
        let udp = UdpSocket::bind(address).await?;
        tries -= 1;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is taken by another program".into(),
        io::ErrorKind::PermissionDenied => "this user may not listen on a port below 1024".into(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have that address".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
