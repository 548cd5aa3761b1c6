//! Ports of this machine for tests that run side by side.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A listener on a loopback port that the system chose.
///
/// # Panics
///
/// If loopback has no free port.
pub fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port")
}

/// As [`listener`], with next to no room for connections that wait to be accepted: further ones get no answer.
///
/// # Panics
///
/// If loopback has no free port.
pub fn crowded() -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let bound = socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).and_then(|()| socket.listen(0));
    bound.expect("loopback has a free port");
    socket.into()
}

/// A loopback address at which every connection is refused for as long as this lives: the port is taken but does not listen.
#[derive(Debug)]
pub struct Refusing {
    address: SocketAddr,
    _socket: Socket,
}

// === impl Refusing ===

impl Refusing {
    /// # Panics
    ///
    /// If loopback has no free port.
    pub fn new() -> Self {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("loopback has a free port")
    }

    /// At this address, for example of an origin that has gone.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        let address = socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an address of the internet"))?;
        Ok(Self { address, _socket: socket })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Default for Refusing {
    fn default() -> Self {
        Self::new()
    }
}

/// A port that was free a moment ago, for programs that must be told one. Another program may take it meanwhile.
pub fn likely_free() -> u16 {
    listener().local_addr().expect("a bound socket has an address").port()
}
