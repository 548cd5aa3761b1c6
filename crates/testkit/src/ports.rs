//! Ports of this machine for tests that run side by side, in one process and in many.
//!
//! A port that the system chose may be anybody's as soon as it is let go: of a client's own end, of a test beside. So a test that names a port before
//! somebody else listens there, or comes back to one, takes one of its process's [`own`], from below those that systems choose from.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::{Range, RangeInclusive};
use std::sync::{Mutex, PoisonError};
use std::{fmt, io};

use socket2::{Domain, Socket, Type};

/// Of node ports.
pub const NODE_PORTS: Range<u16> = 30_100..32_700;

/// What [`own`] takes rows from: Linux chooses from 32768 on, others from 49152, and Kubernetes' node ports begin at 30000.
const OWN: Range<u16> = 20_000..30_000;

const ROW: u16 = 20;

static TAKEN: Mutex<Vec<Row>> = Mutex::new(Vec::new());
static LEFT: Mutex<Vec<u16>> = Mutex::new(Vec::new());

/// Ports in a row that no other test is given as long as this lives. Programs of others may be at some of them.
#[derive(Debug)]
pub struct Row {
    first: u16,
    /// At the port before them: what says to all processes that the row is taken.
    _marker: TcpListener,
}

/// A port at which nothing listens, on no address of this machine; no other test is given it, nor this process once more.
///
/// # Panics
///
/// If all ports are taken.
pub fn own() -> u16 {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some(port) = left.pop() else {
            let row = Row::among(OWN);
            left.extend(row.ports().rev());
            TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push(row);
            continue;
        };
        if is_free(port) {
            return port;
        }
    }
}

/// The socket that finds out never listens: a process that is started meanwhile has a copy of it for a moment, beside which others may listen.
fn is_free(port: u16) -> bool {
    let bind = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())
    };
    bind().is_ok()
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

// === impl Row ===

impl Row {
    /// # Panics
    ///
    /// If all rows are taken.
    pub fn among(ports: Range<u16>) -> Self {
        let rows = ports.len() / usize::from(ROW);
        // Processes do not all begin at the same row, or each would try what those before it have.
        let begin = std::process::id() as usize % rows.max(1);
        let markers = (0..rows).map(|at| ports.start + ((begin + at) % rows) as u16 * ROW);
        let row = |marker| TcpListener::bind((Ipv4Addr::LOCALHOST, marker)).map(|it| Self { first: marker + 1, _marker: it });
        let taken = markers.filter_map(|it| row(it).ok()).next();
        taken.unwrap_or_else(|| panic!("no row of {ROW} ports is left in {ports:?}: do many tests run beside these?"))
    }

    pub fn ports(&self) -> RangeInclusive<u16> {
        self.first..=self.first + ROW - 2
    }
}

/// As `--node-ports` takes it.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ports().start(), self.ports().end())
    }
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
        let beside = Row::among(OWN);
        assert!(beside.ports().all(|it| !given.contains(&it)) && beside.ports().count() == usize::from(ROW) - 1);
    }

    #[test]
    fn a_port_that_somebody_has_is_passed_over() {
        let row = Row::among(OWN).ports();
        let held = row.clone().find_map(|it| Some((it, TcpListener::bind((Ipv4Addr::LOCALHOST, it)).ok()?))).expect("one is free");
        LEFT.lock().unwrap_or_else(PoisonError::into_inner).extend(row.rev());
        assert!((0..100).all(|_| own() != held.0));
    }

    #[test]
    fn a_port_can_be_listened_on_while_processes_are_started() {
        let starting = std::thread::spawn(|| {
            for _ in 0..200 {
                std::process::Command::new("true").status().expect("it starts");
            }
        });
        for _ in 0..500 {
            let _listener = listener();
        }
        starting.join().expect("they end");
    }

    #[test]
    fn rows_end_and_come_back() {
        let row = || std::panic::catch_unwind(|| Row::among(19_900..19_940)).ok();
        let [first, second] = [(); 2].map(|()| row().expect("one of two"));
        assert_ne!(first.ports(), second.ports());
        assert!(row().is_none());
        drop(first);
        crate::eventually("one is left again", row);
    }
}
