//! One socket for datagrams, and the address each came to: a socket of all addresses must answer from the one that was asked.

use nix::libc;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt};
use rustix::net::{RecvFlags, SendFlags};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A socket of one address, or of all of them.
pub(super) struct Wire {
    socket: UdpSocket,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    OneAddress,
    Every,
}

/// Who asked, and where: the same client at two addresses is two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    pub peer: SocketAddr,
    /// `None`: the socket has one address alone.
    asked: Option<IpAddr>,
}

// === impl Wire ===

impl Wire {
    pub fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let takes = if address.ip().is_unspecified() { Takes::Every } else { Takes::OneAddress };
        match (takes, address.ip()) {
            (Takes::OneAddress, _) => {}
            (Takes::Every, IpAddr::V4(_)) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
            (Takes::Every, IpAddr::V6(_)) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
        }
        Ok(Self { socket: UdpSocket::from_std(socket)?, takes })
    }

    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// One datagram: who sent it and how long it is.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<(Client, usize)> {
        self.socket.try_io(Interest::READABLE, || match self.takes {
            Takes::OneAddress => {
                let (length, _, peer) = rustix::net::recvfrom(&self.socket, buffer, RecvFlags::DONTWAIT)?;
                let peer = peer.and_then(|it| SocketAddr::try_from(it).ok()).ok_or(io::ErrorKind::InvalidData)?;
                Ok((Client { peer, asked: None }, length))
            }
            Takes::Every => self.receive_with_address(buffer),
        })
    }

    fn receive_with_address(&self, buffer: &mut [u8]) -> io::Result<(Client, usize)> {
        let mut control = nix::cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo);
        let mut octets = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(self.socket.as_raw_fd(), &mut octets, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
        let asked = message.cmsgs()?.find_map(|it| match it {
            ControlMessageOwned::Ipv4PacketInfo(it) => Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(it.ipi_addr.s_addr)))),
            ControlMessageOwned::Ipv6PacketInfo(it) => Some(IpAddr::V6(Ipv6Addr::from(it.ipi6_addr.s6_addr))),
            _ => None,
        });
        let peer = message.address.as_ref().and_then(socket_address).ok_or(io::ErrorKind::InvalidData)?;
        Ok((Client { peer, asked }, message.bytes))
    }

    /// Sends an answer to a client. What the system cannot take now is lost, as datagrams are.
    pub fn answer(&self, client: Client, octets: &[u8]) {
        let sent = match client.asked {
            None => rustix::net::sendto(&self.socket, octets, SendFlags::DONTWAIT | SendFlags::NOSIGNAL, &client.peer).map_err(Into::into),
            Some(asked) => self.answer_from(asked, client.peer, octets),
        };
        if let Err(error) = sent {
            tracing::debug!(client = %client.peer, %error, "an answer is lost");
        }
    }

    fn answer_from(&self, asked: IpAddr, peer: SocketAddr, octets: &[u8]) -> io::Result<usize> {
        let (octets, peer) = ([IoSlice::new(octets)], SockaddrStorage::from(peer));
        let send = |control: ControlMessage<'_>| {
            Ok(sendmsg(self.socket.as_raw_fd(), &octets, &[control], MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL, Some(&peer))?)
        };
        match asked {
            IpAddr::V4(asked) => {
                let from = libc::in_addr { s_addr: u32::from(asked).to_be() };
                send(ControlMessage::Ipv4PacketInfo(&libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: from, ipi_addr: from }))
            }
            IpAddr::V6(asked) => {
                let from = libc::in6_addr { s6_addr: asked.octets() };
                send(ControlMessage::Ipv6PacketInfo(&libc::in6_pktinfo { ipi6_addr: from, ipi6_ifindex: 0 }))
            }
        }
    }
}

fn socket_address(from: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = from.as_sockaddr_in().map(|it| SocketAddr::from((it.ip(), it.port())));
    v4.or_else(|| from.as_sockaddr_in6().map(|it| SocketAddr::from((it.ip(), it.port()))))
}
