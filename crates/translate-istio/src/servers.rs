//! Which servers of which Gateways a gateway has, and which of them give way to older ones.

use crate::Context;
use model::{HostPattern, ObjectRef};
use resources::hosts::wider;
use resources::istio::{Family, Server};
use resources::{Cause, IstioGateway, Kind, Name, Problem, SharedGateway};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

/// A server, with its Gateway.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    pub(crate) gateway: &'a Arc<IstioGateway>,
    pub(crate) server: &'a Server,
}

/// In which order Gateways count.
pub(crate) type Age<'a> = (i64, &'a str, &'a str, usize);

// === impl Bound ===

impl<'a> Bound<'a> {
    pub(crate) fn age(&self) -> Age<'a> {
        let meta = &self.gateway.meta;
        (meta.created, &meta.name.name, &meta.name.namespace, self.server.index)
    }

    pub(crate) fn object(&self) -> ObjectRef {
        Kind::IstioGateway.object_ref(&self.gateway.meta.name)
    }

    pub(crate) fn field(&self) -> String {
        format!("spec.servers[{}]", self.server.index)
    }

    /// Whether it has exactly this host.
    fn names(&self, host: &HostPattern) -> bool {
        self.server.hosts.iter().any(|it| it.host == *host)
    }
}

/// Whether a Gateway's selector means a shared gateway, which serves its namespace.
pub(crate) fn selects(gateway: &IstioGateway, shared: &SharedGateway) -> bool {
    gateway.selector.as_ref().is_some_and(|selector| shared.is_selected(selector)) && shared.scope.covers(&gateway.meta.name.namespace)
}

/// The port that a number in a Gateway means: the Service's, also for the workload's own.
pub(crate) fn port_of(shared: &SharedGateway, number: u16) -> u16 {
    shared.aliases.get(&number).copied().unwrap_or(number)
}

/// The numbers that mean a port.
fn numbers(shared: &SharedGateway, port: u16) -> impl Iterator<Item = u16> {
    let aliases = shared.aliases.iter().filter(move |(_, meant)| **meant == port).map(|(number, _)| *number);
    std::iter::once(port).filter(|port| !shared.aliases.contains_key(port)).chain(aliases)
}

impl<'a> Context<'a> {
    /// The servers of one family on a port, in no order.
    fn of_family(self, shared: &'a SharedGateway, port: u16, family: Family) -> impl Iterator<Item = Bound<'a>> {
        let gateways =
            numbers(shared, port).flat_map(move |number| self.resources.istio_gateways_of_port(number, family).map(move |it| (number, it)));
        gateways.filter(move |(_, gateway)| selects(gateway, shared)).flat_map(move |(number, gateway)| {
            let servers = gateway.servers.iter().filter(move |it| it.port == number && it.family() == family);
            servers.map(move |server| Bound { gateway, server })
        })
    }

    /// The servers of one family on a port that name exactly this host, in no order.
    fn of_host(self, shared: &'a SharedGateway, port: u16, family: Family, host: &HostPattern) -> Vec<Bound<'a>> {
        let gateways = self.resources.istio_gateways_of_host(host).filter(|gateway| selects(gateway, shared));
        let servers = gateways.flat_map(|gateway| gateway.servers.iter().map(move |server| Bound { gateway, server }));
        let fits = |it: &Bound<'_>| it.server.family() == family && port_of(shared, it.server.port) == port && it.names(host);
        servers.filter(fits).collect()
    }

    /// What a port is for: what the gateway has it for by itself, else what the oldest of its servers says.
    pub(crate) fn family(self, shared: &'a SharedGateway, port: u16) -> Option<(Family, Option<Bound<'a>>)> {
        if port == shared.http {
            return Some((Family::Http, None));
        }
        if port == shared.https {
            return Some((Family::Tls, None));
        }
        let families = [Family::Http, Family::Tls, Family::Tcp];
        let mut present = families.into_iter().filter(|family| self.of_family(shared, port, *family).next().is_some());
        let (first, second) = (present.next()?, present.next());
        // Who was first need only be known where they disagree.
        if second.is_none() {
            return Some((first, None));
        }
        let all = families.into_iter().flat_map(|family| self.of_family(shared, port, family));
        let oldest = all.min_by_key(Bound::age)?;
        Some((oldest.server.family(), Some(oldest)))
    }

    /// Why a server gives way; `None`: it is served.
    pub(crate) fn gives_way(self, shared: &'a SharedGateway, bound: Bound<'a>) -> Option<Problem> {
        let port = port_of(shared, bound.server.port);
        let (family, owner) = self.family(shared, port)?;
        if family != bound.server.family() {
            let owner = owner.map_or("the gateway's own listener for Ingresses".to_owned(), |it| format!("{} {}", it.object(), it.field()));
            let message = format!("port {port} is {} of {owner}, which was there first", shown(family));
            return Some(Problem::error(format!("{}.port", bound.field()), Cause::Conflict, message).hint("Take another port"));
        }
        match family {
            Family::Http => None,
            Family::Tcp => {
                let oldest = self.tcp_server(shared, port)?;
                let message = format!("port {port} is TCP of {} {}, which was there first", oldest.object(), oldest.field());
                let problem = Problem::error(format!("{}.port", bound.field()), Cause::Conflict, message).hint("Take another port");
                (oldest.age() != bound.age()).then_some(problem)
            }
            Family::Tls => self.tls_servers(shared, port, bound.server.hosts.iter().map(|it| it.host.clone())).taken(bound),
        }
    }

    /// The one server of TCP on a port.
    pub(crate) fn tcp_server(self, shared: &'a SharedGateway, port: u16) -> Option<Bound<'a>> {
        self.of_family(shared, port, Family::Tcp).min_by_key(Bound::age)
    }

    /// The server whose host is the most specific that covers a name, and that host.
    pub(crate) fn tls_server(self, shared: &'a SharedGateway, port: u16, host: &HostPattern) -> Option<Bound<'a>> {
        wider(host).into_iter().find_map(|wide| {
            let servers = self.tls_servers(shared, port, [wide.clone()]);
            servers.owner(&wide)
        })
    }

    /// The servers of HTTP whose hosts cover a name, oldest first.
    pub(crate) fn http_servers(self, shared: &'a SharedGateway, port: u16, host: &HostPattern) -> Vec<Bound<'a>> {
        let mut servers: Vec<Bound<'a>> = wider(host).iter().flat_map(|wide| self.of_host(shared, port, Family::Http, wide)).collect();
        servers.sort_by_key(Bound::age);
        servers.dedup_by_key(|it| it.age());
        servers
    }

    /// The servers of TLS on a port that have, directly or over others, a host with one of these in common.
    pub(crate) fn tls_servers(self, shared: &'a SharedGateway, port: u16, hosts: impl IntoIterator<Item = HostPattern>) -> TlsServers<'a> {
        let mut waiting: VecDeque<HostPattern> = hosts.into_iter().collect();
        let mut seen: HashSet<HostPattern> = HashSet::new();
        let mut found: BTreeMap<Age<'a>, Bound<'a>> = BTreeMap::new();
        while let Some(host) = waiting.pop_front() {
            if !seen.insert(host.clone()) {
                continue;
            }
            for bound in self.of_host(shared, port, Family::Tls, &host) {
                if found.insert(bound.age(), bound).is_none() {
                    waiting.extend(bound.server.hosts.iter().map(|it| it.host.clone()));
                }
            }
        }
        TlsServers::settle(found.into_values())
    }

    /// The Gateways whose servers a change of this version of a Gateway may bring in or push out.
    pub(crate) fn rivals(self, shared: &'a SharedGateway, gateway: &IstioGateway) -> BTreeSet<Name> {
        let mut rivals = BTreeSet::new();
        let families = [Family::Http, Family::Tls, Family::Tcp];
        for server in &gateway.servers {
            let port = port_of(shared, server.port);
            let own = port == shared.http || port == shared.https;
            let others = families.into_iter().filter(|family| *family != server.family());
            let disagree = !own && others.clone().any(|family| self.of_family(shared, port, family).next().is_some());
            if disagree {
                rivals.extend(
                    families.into_iter().flat_map(|family| self.of_family(shared, port, family)).map(|it| it.gateway.meta.name.clone()),
                );
            }
            match server.family() {
                Family::Http => {}
                Family::Tcp => rivals.extend(self.of_family(shared, port, Family::Tcp).map(|it| it.gateway.meta.name.clone())),
                Family::Tls => {
                    let servers = self.tls_servers(shared, port, server.hosts.iter().map(|it| it.host.clone()));
                    rivals.extend(servers.all.iter().map(|(it, _)| it.gateway.meta.name.clone()));
                }
            }
        }
        rivals
    }
}

/// Servers of TLS on one port, oldest first, and whose host each gives way for.
pub(crate) struct TlsServers<'a> {
    all: Vec<(Bound<'a>, Option<(HostPattern, Bound<'a>)>)>,
}

// === impl TlsServers ===

impl<'a> TlsServers<'a> {
    /// A server with a host that an older one has is left out whole.
    fn settle(servers: impl Iterator<Item = Bound<'a>>) -> Self {
        let mut owners: BTreeMap<HostPattern, Bound<'a>> = BTreeMap::new();
        let mut all = Vec::new();
        for bound in servers {
            let hosts = || bound.server.hosts.iter().map(|it| &it.host);
            let taken = hosts().find_map(|host| Some((host.clone(), *owners.get(host)?)));
            if taken.is_none() {
                owners.extend(hosts().map(|host| (host.clone(), bound)));
            }
            all.push((bound, taken));
        }
        Self { all }
    }

    fn owner(&self, host: &HostPattern) -> Option<Bound<'a>> {
        self.all.iter().find(|(bound, taken)| taken.is_none() && bound.names(host)).map(|(bound, _)| *bound)
    }

    fn taken(&self, of: Bound<'_>) -> Option<Problem> {
        let (_, taken) = self.all.iter().find(|(bound, _)| bound.age() == of.age())?;
        let (host, owner) = taken.as_ref()?;
        let port = owner.server.port;
        let message = format!(
            "`{host}` on port {port} belongs to {} {}, which was there first, so this server is left out",
            owner.object(),
            owner.field()
        );
        Some(Problem::error(format!("{}.hosts", of.field()), Cause::Conflict, message).hint("Delete the host here or there"))
    }
}

fn shown(family: Family) -> &'static str {
    match family {
        Family::Http => "HTTP",
        Family::Tls => "TLS",
        Family::Tcp => "TCP",
    }
}
