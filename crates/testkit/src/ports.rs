//! Ports of this machine for tests that run side by side, in one process and in many.
//!
//! A port that the system chose may be anybody's as soon as it is let go: of a client's own end, of a test beside. So a test that names a port before
//! somebody else listens there, or comes back to one, takes one of its process's [`own`], from below those that systems choose from.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::{Range, RangeInclusive};
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Socket, Type};

/// What [`own`] takes rows from: Linux chooses from 32768 on, others from 49152, and Kubernetes' node ports begin at 30000.
const OWN: Range<u16> = 20_000..30_000;

/// The first port of a row is bound as long as this process lives, and so says that the row is taken.
const ROW: u16 = 20;

static TAKEN: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
static LEFT: Mutex<Vec<u16>> = Mutex::new(Vec::new());

/// Ports in a row that no other test is given, nor this process once more. Programs of others may be at some of them.
///
/// # Panics
///
/// If all rows are taken.
pub fn row(among: Range<u16>) -> RangeInclusive<u16> {
    let rows = among.len() / usize::from(ROW);
    // Processes do not all begin at the same row, or each would try what those before it have.
    let begin = std::process::id() as usize % rows.max(1);
    let firsts = (0..rows).map(|at| among.start + ((begin + at) % rows) as u16 * ROW);
    for first in firsts {
        if let Ok(marker) = TcpListener::bind((Ipv4Addr::LOCALHOST, first)) {
            TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push(marker);
            return first + 1..=first + ROW - 1;
        }
    }
    panic!("no row of {ROW} ports is left in {among:?}: do many tests run beside these?")
}

/// A port at which nothing is, TCP or UDP, on no address of this machine; no other test is given it, nor this process once more.
///
/// # Panics
///
/// If all ports are taken.
pub fn own() -> u16 {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some(port) = left.pop() else {
            left.extend(row(OWN).rev());
            continue;
        };
        let anywhere = (Ipv4Addr::UNSPECIFIED, port);
        if TcpListener::bind(anywhere).is_ok() && UdpSocket::bind(anywhere).is_ok() {
            return port;
        }
    }
}

/// An [`own`] port of a loopback address.
pub fn own_at(ip: [u8; 4]) -> SocketAddr {
    SocketAddr::from((ip, own()))
}

/// An [`own`] port of `127.0.0.1`.
pub fn own_address() -> SocketAddr {
    own_at(Ipv4Addr::LOCALHOST.octets())
}

/// A listener on a loopback port of its own, where another may follow it.
///
/// # Panics
///
/// If loopback has no free port.
pub fn listener() -> TcpListener {
    TcpListener::bind(own_address()).expect("it was free a moment ago, and is given to nobody else")
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
        Self::bind(own_address()).expect("it was free a moment ago, and is given to nobody else")
    }

    /// At this address, for example of an origin that has gone.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nobody_is_given_a_port_twice() {
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| (0..30).map(|_| own()).collect::<Vec<_>>())).collect();
        let given: Vec<u16> = threads.into_iter().flat_map(|it| it.join().expect("they are enough")).collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 240, "{given:?}");
        assert!(given.iter().all(|it| OWN.contains(it)), "{given:?}");
        let beside = row(OWN);
        assert!(beside.clone().all(|it| !given.contains(&it)) && beside.count() == usize::from(ROW) - 1);
    }

    #[test]
    fn a_port_that_somebody_has_is_passed_over() {
        let row = row(OWN);
        let _held = UdpSocket::bind((Ipv4Addr::LOCALHOST, *row.start())).expect("it is this test's");
        LEFT.lock().unwrap_or_else(PoisonError::into_inner).extend(row.clone().rev());
        let given: BTreeSet<u16> = (0..100).map(|_| own()).collect();
        assert!(given.contains(row.end()) && !given.contains(row.start()), "{given:?}");
    }

    #[test]
    fn rows_end() {
        let few = 19_900..19_940;
        let rows = [(); 3].map(|()| std::panic::catch_unwind(|| row(few.clone())).ok());
        assert_ne!(rows[0], rows[1]);
        assert_eq!(rows[2], None);
    }
}
