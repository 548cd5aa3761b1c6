//! Addresses no backend may have.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What a gateway refuses to connect to: its own sockets, and link-local addresses (where clouds keep their metadata).
///
/// Asked twice, by the same function: when endpoints are read (so that the owner is told) and on connect (so that nothing slips by).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress {
    own: Vec<SocketAddr>,
}

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is a socket of this process (API, metrics, console).
    OwnSocket,
    /// 169.254.0.0/16 or fe80::/10.
    LinkLocal,
    /// Multicast, broadcast or unspecified port.
    NoHost,
}

impl Egress {
    /// `own`: the sockets this process listens on for itself.
    pub fn new(own: Vec<SocketAddr>) -> Self {
        Self { own }
    }

    pub fn check(&self, address: SocketAddr) -> Result<(), Refusal> {
        let ip = reached(address.ip());
        let link_local = match ip {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        if link_local {
            return Err(Refusal::LinkLocal);
        }
        if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) || address.port() == 0 {
            return Err(Refusal::NoHost);
        }
        let own = |socket: &SocketAddr| socket.port() == address.port() && (socket.ip().is_unspecified() || reached(socket.ip()) == ip);
        if self.own.iter().any(own) { Err(Refusal::OwnSocket) } else { Ok(()) }
    }
}

/// The address a connection to `ip` arrives at: IPv4 in IPv6 unwrapped, the unspecified address meaning loopback.
fn reached(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnSocket => "it is one of the gateway's own sockets",
            Self::LinkLocal => "it is a link-local address",
            Self::NoHost => "it is no host's address and port",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_sockets_are_refused_however_named() {
        let egress = Egress::new(vec!["127.0.0.1:6443".parse().expect("an address")]);
        for (address, expect) in [
            ("127.0.0.1:6443", Err(Refusal::OwnSocket)),
            ("0.0.0.0:6443", Err(Refusal::OwnSocket)),
            ("[::ffff:127.0.0.1]:6443", Err(Refusal::OwnSocket)),
            ("127.0.0.1:8000", Ok(())),
            ("127.0.0.2:6443", Ok(())),
            ("169.254.169.254:80", Err(Refusal::LinkLocal)),
            ("[::ffff:169.254.169.254]:80", Err(Refusal::LinkLocal)),
            ("[fe80::1]:80", Err(Refusal::LinkLocal)),
            ("224.0.0.1:80", Err(Refusal::NoHost)),
            ("127.0.0.1:0", Err(Refusal::NoHost)),
        ] {
            assert_eq!(egress.check(address.parse().expect("an address")), expect, "{address}");
        }
    }

    #[test]
    fn a_socket_on_every_address_is_refused_on_every_address() {
        let egress = Egress::new(vec!["0.0.0.0:9090".parse().expect("an address")]);
        assert_eq!(egress.check("127.0.0.2:9090".parse().expect("an address")), Err(Refusal::OwnSocket));
    }
}
