//! Asking the machine which sockets can be had, before anything is promised.

use crate::gateway::{Given, PRIVILEGED, Plan, Request, Taken};
use pools::Shortage;
use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Addresses tried before the pool counts as used up.
const TRIES: usize = 1024;

/// Why the gateway cannot listen. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocketError {
    #[error("port {} on {} is taken by another program; stop it, or {remedy}", address.port(), address.ip())]
    Taken { address: SocketAddr, remedy: String },
    #[error(
        "port {port} is taken on every address of the pool; stop the program that has it, or use --port-offset 10000, another --pool, or --pool none"
    )]
    AllTaken { port: u16 },
    #[error(
        "ports below 1024 are refused to this user ({address}); use --port-offset 10000, or allow them: \
         `sudo setcap cap_net_bind_service=+ep $(command -v paifang)`, or `sudo sysctl net.ipv4.ip_unprivileged_port_start=80`"
    )]
    Refused { address: SocketAddr },
    #[error("every node port from {from} to {to} is taken; stop a program that has one, or use other --node-ports")]
    NoNodePort { from: u16, to: u16 },
    #[error("{address} cannot be listened on: {message}; {remedy}")]
    Other { address: SocketAddr, message: String, remedy: String },
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Probe {
    Free,
    Taken,
    /// Not an address of this machine.
    Foreign,
    Refused,
    Other(String),
}

/// A plan whose sockets could be bound a moment ago, passing over what others use. `ours`: sockets that the gateway has itself.
pub fn find(request: &Request, given: &Given, ours: &BTreeSet<SocketAddr>) -> Result<Plan, SocketError> {
    let mut taken = Taken::default();
    let mut in_use = None;
    for _ in 0..TRIES {
        let plan = request.plan(given, &taken);
        if plan.shortage == Some(Shortage::Exhausted)
            && let Some(port) = in_use
        {
            return Err(SocketError::AllTaken { port });
        }
        if plan.http().is_empty() || plan.https().is_empty() {
            return Err(no_node_port(request));
        }
        match look(&plan, ours, given)? {
            None => return Ok(plan),
            Some(Obstacle::Address(address)) => {
                in_use = Some(address.port());
                taken.addresses.insert(address.ip());
            }
            Some(Obstacle::NodePort(port)) => {
                taken.node_ports.insert(port);
            }
        }
    }
    Err(in_use.map_or_else(|| no_node_port(request), |port| SocketError::AllTaken { port }))
}

fn no_node_port(request: &Request) -> SocketError {
    SocketError::NoNodePort { from: *request.node_ports.start(), to: *request.node_ports.end() }
}

/// What the next plan must pass over.
enum Obstacle {
    Address(SocketAddr),
    NodePort(u16),
}

fn look(plan: &Plan, ours: &BTreeSet<SocketAddr>, given: &Given) -> Result<Option<Obstacle>, SocketError> {
    let sockets = plan.http().into_iter().chain(plan.https());
    for address in sockets.filter(|it| !ours.contains(it)) {
        let node_port = [plan.node_ports.0, plan.node_ports.1].contains(&Some(address.port())) && address.ip() == plan.node_address;
        let kept = [given.http, given.https].contains(&Some(address.port()));
        match probe(address) {
            Probe::Free => {}
            Probe::Taken if node_port && !kept => return Ok(Some(Obstacle::NodePort(address.port()))),
            Probe::Taken if node_port => {
                let remedy = "give the gateway's Service another nodePort".to_owned();
                return Err(SocketError::Taken { address, remedy });
            }
            Probe::Taken | Probe::Foreign if !node_port => return Ok(Some(Obstacle::Address(address))),
            Probe::Refused if address.port() < PRIVILEGED => return Err(SocketError::Refused { address }),
            other => {
                let message = match other {
                    Probe::Foreign => "it is not an address of this machine".to_owned(),
                    Probe::Refused => "permission denied".to_owned(),
                    Probe::Other(message) => message,
                    Probe::Free | Probe::Taken => "it is in use".to_owned(),
                };
                return Err(SocketError::Other { address, message, remedy: "choose another --node-address or --pool".into() });
            }
        }
    }
    Ok(None)
}

/// Binds without SO_REUSEPORT, which would hide whoever is there, and lets go again.
fn probe(address: SocketAddr) -> Probe {
    match TcpListener::bind(address) {
        Ok(_) => Probe::Free,
        Err(error) => match error.kind() {
            io::ErrorKind::AddrInUse => Probe::Taken,
            io::ErrorKind::AddrNotAvailable => Probe::Foreign,
            io::ErrorKind::PermissionDenied => Probe::Refused,
            _ => Probe::Other(error.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::GatewayId;
    use std::net::IpAddr;

    /// Two addresses of a subnet that no other test uses, and free node ports.
    fn request(offset: u16) -> Request {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
        Request {
            id: GatewayId::new("a/a"),
            namespace: "a".into(),
            name: "a".into(),
            node_address: IpAddr::from([127, 0, 0, 1]),
            pool: "127.77.3.0/30".parse().expect("a pool"),
            port_offset: offset,
            node_ports: 1..=65_535,
            preferred: (free(), free()),
        }
    }

    #[test]
    fn addresses_and_node_ports_in_use_are_passed_over() {
        let request = request(20_000);
        let _first = TcpListener::bind("127.77.3.1:20443").expect("free");
        let _node = TcpListener::bind(("127.0.0.1", request.preferred.0)).expect("free");
        let plan = find(&request, &Given::default(), &BTreeSet::new()).expect("there is another");
        assert_eq!(plan.address, Some(IpAddr::from([127, 77, 3, 2])));
        assert_ne!(plan.node_ports.0, Some(request.preferred.0));
        let kept = Given { http: Some(request.preferred.0), ..Given::default() };
        assert!(matches!(find(&request, &kept, &BTreeSet::new()), Err(SocketError::Taken { .. })), "a given node port does not move");
    }

    #[test]
    fn without_a_pool_a_node_port_for_each_listener_is_needed() {
        let mut request = request(0);
        request.pool = pools::Pool::None;
        let one = TcpListener::bind("127.0.0.1:0").expect("free");
        let port = one.local_addr().expect("bound").port();
        (request.node_ports, request.preferred) = (port..=port, (port, port));
        let error = find(&request, &Given::default(), &BTreeSet::new()).expect_err("none is left");
        assert_eq!(error, SocketError::NoNodePort { from: port, to: port });
    }

    #[test]
    fn a_port_taken_everywhere_is_named() {
        let request = request(21_000);
        let _all = [1, 2].map(|n| TcpListener::bind((IpAddr::from([127, 77, 3, n]), 21_080)).expect("free"));
        let error = find(&request, &Given::default(), &BTreeSet::new()).expect_err("none is left");
        assert_eq!(error, SocketError::AllTaken { port: 21_080 });
        let ours = [1, 2].map(|n| SocketAddr::from(([127, 77, 3, n], 21_080))).into();
        find(&request, &Given::default(), &ours).expect("our own sockets are not in the way");
    }
}
