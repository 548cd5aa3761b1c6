//! Which VirtualServices a server has.

use crate::Context;
use crate::servers::{Bound, port_of, selects};
use model::{GatewayId, HostPattern, Hostname};
use resources::hosts::{narrower, wider};
use resources::istio::{GatewayName, L4Match, Serves, Visibility};
use resources::{Name, SharedGateway, VirtualService};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where a rule is applied.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) shared: &'a SharedGateway,
    pub(crate) gateway: &'a Name,
    /// The server's, as written; `None`: it is not known.
    pub(crate) port: Option<u16>,
}

/// A host of a gateway's port.
pub(crate) type Spot = (GatewayId, u16, HostPattern);

// === impl Place ===

impl<'a> Place<'a> {
    pub(crate) fn of(shared: &'a SharedGateway, bound: Bound<'a>) -> Self {
        Self { shared, gateway: &bound.gateway.meta.name, port: Some(bound.server.port) }
    }

    /// Whether a match's `port` and `gateways` mean this place.
    pub(crate) fn is_meant(&self, port: Option<u16>, gateways: &BTreeSet<GatewayName>) -> bool {
        let named = gateways.is_empty() || gateways.iter().any(|it| matches!(it, GatewayName::Gateway(name) if name == self.gateway));
        named && port.is_none_or(|port| self.port.is_none_or(|own| own == port))
    }

    pub(crate) fn meets(&self, only: &L4Match) -> bool {
        !only.never && self.is_meant(only.port, &only.gateways)
    }
}

/// In which order VirtualServices count.
fn order<'a>(shared: &SharedGateway, it: &'a VirtualService) -> (Option<Visibility>, i64, &'a str, &'a str) {
    let meta = &it.meta;
    (it.export_to.sees(&meta.name.namespace, &shared.namespace), meta.created, &meta.name.name, &meta.name.namespace)
}

fn is_bound(it: &VirtualService, gateway: &Name) -> bool {
    it.bound().any(|(_, name)| name == gateway)
}

pub(crate) fn is_visible(shared: &SharedGateway, it: &VirtualService) -> bool {
    it.export_to.sees(&it.meta.name.namespace, &shared.namespace).is_some()
}

impl<'a> Context<'a> {
    /// The VirtualServices with a host that covers this one, in no order.
    pub(crate) fn candidates(self, host: &HostPattern) -> Vec<&'a Arc<VirtualService>> {
        let mut keys = wider(host);
        // Short names stand in the index without the cluster's domain.
        if let HostPattern::Exact(name) = host
            && let Some(short) = name.as_str().strip_suffix(&*self.options.domain).and_then(|it| it.strip_suffix('.'))
        {
            keys.extend(Hostname::parse(short).ok().map(HostPattern::Exact));
        }
        keys.iter().flat_map(|key| self.resources.virtual_services_of_host(key)).collect()
    }

    /// Of these, those whose rules for HTTP a server has for exactly this host, in order.
    pub(crate) fn of_server(
        self,
        shared: &SharedGateway,
        bound: Bound<'_>,
        host: &HostPattern,
        candidates: &[&'a Arc<VirtualService>],
    ) -> Vec<&'a Arc<VirtualService>> {
        let meets = |it: &VirtualService| {
            let hosts = it.hosts.iter().map(|(_, own)| own.full(&self.options.domain));
            let ours = || bound.server.hosts.iter().filter(|own| own.is_for(&it.meta.name.namespace));
            hosts.into_iter().any(|own| ours().any(|server| narrower(&server.host, &own) == Some(host)))
        };
        let fits = |it: &&&'a Arc<VirtualService>| is_bound(it, &bound.gateway.meta.name) && is_visible(shared, it) && meets(it);
        let mut found: Vec<_> = candidates.iter().filter(fits).copied().collect();
        found.sort_by_key(|it| order(shared, it));
        found.dedup_by_key(|it| &it.meta.name);
        found
    }

    /// Those with rules for TCP, whose hosts overlap the server's, in order.
    pub(crate) fn tcp_of_server(self, shared: &SharedGateway, bound: Bound<'a>) -> Vec<&'a Arc<VirtualService>> {
        let all = self.resources.tcp_virtual_services_of_gateway(&bound.gateway.meta.name);
        let mut found: Vec<_> = all.filter(|it| is_visible(shared, it) && self.overlap(it, bound)).collect();
        found.sort_by_key(|it| order(shared, it));
        found
    }

    /// Those that pass a server name on, in order.
    pub(crate) fn passing(self, shared: &SharedGateway, bound: Bound<'a>, host: &HostPattern) -> Vec<&'a Arc<VirtualService>> {
        let all = wider(host).into_iter().flat_map(|name| self.resources.virtual_services_of_server_name(&name).collect::<Vec<_>>());
        let mut found: Vec<_> = all.filter(|it| is_bound(it, &bound.gateway.meta.name) && is_visible(shared, it)).collect();
        found.sort_by_key(|it| order(shared, it));
        found.dedup_by_key(|it| &it.meta.name);
        found
    }

    /// Whether a host of a VirtualService and one of a server have a name in common.
    pub(crate) fn overlap(self, it: &VirtualService, bound: Bound<'_>) -> bool {
        it.hosts.iter().any(|(_, host)| self.host_overlaps(it, &host.full(&self.options.domain), bound))
    }

    pub(crate) fn host_overlaps(self, it: &VirtualService, host: &HostPattern, bound: Bound<'_>) -> bool {
        let ours = bound.server.hosts.iter().filter(|own| own.is_for(&it.meta.name.namespace));
        ours.into_iter().any(|own| narrower(&own.host, host).is_some())
    }

    /// Where a VirtualService is bound: the servers of the Gateways it names that select one of ours.
    pub(crate) fn places(self, it: &'a VirtualService) -> Vec<(&'a SharedGateway, Bound<'a>)> {
        let gateways = it.bound().filter_map(|(_, name)| self.resources.istio_gateway(name));
        let servers = gateways.flat_map(|gateway| gateway.servers.iter().map(move |server| Bound { gateway, server }));
        let mut places = Vec::new();
        for bound in servers {
            places.extend(self.shared.iter().filter(|shared| selects(bound.gateway, shared)).map(|shared| (shared, bound)));
        }
        places
    }

    /// The spots where a VirtualService has something to say by itself.
    pub(crate) fn spots_of(self, it: &'a VirtualService) -> BTreeSet<Spot> {
        self.places(it).into_iter().flat_map(|(shared, bound)| self.spots_at(shared, bound, it)).collect()
    }

    /// Of one server.
    pub(crate) fn spots_at(self, shared: &SharedGateway, bound: Bound<'_>, it: &VirtualService) -> Vec<Spot> {
        let port = port_of(shared, bound.server.port);
        let at = |host: &HostPattern| (shared.id.clone(), port, host.clone());
        let own = || bound.server.hosts.iter().filter(|own| own.is_for(&it.meta.name.namespace)).map(|own| &own.host);
        match &bound.server.serves {
            Serves::Http | Serves::Https(_) => {
                let hosts: Vec<HostPattern> = it.hosts.iter().map(|(_, host)| host.full(&self.options.domain)).collect();
                own().flat_map(|server| hosts.iter().filter_map(|host| narrower(server, host)).map(at).collect::<Vec<_>>()).collect()
            }
            Serves::Passthrough => {
                own().flat_map(|server| it.server_names().filter_map(|name| narrower(server, name)).map(at).collect::<Vec<_>>()).collect()
            }
            // One tunnel for all names of the server, also for those that by themselves are for another namespace.
            Serves::Tls(_) if own().next().is_none() => Vec::new(),
            Serves::Tls(_) => bound.server.hosts.iter().map(|own| at(&own.host)).collect(),
            Serves::Tcp => vec![at(&HostPattern::Any)],
            Serves::RefusedTls => Vec::new(),
        }
    }

    /// The spots a server has whatever VirtualServices say.
    pub(crate) fn own_spots(self, shared: &SharedGateway, bound: Bound<'_>) -> Vec<Spot> {
        let port = port_of(shared, bound.server.port);
        let at = |host: &HostPattern| (shared.id.clone(), port, host.clone());
        let hosts = bound.server.hosts.iter().map(|own| at(&own.host));
        match &bound.server.serves {
            Serves::Http if !bound.server.https_redirect => Vec::new(),
            Serves::Http => hosts.collect(),
            Serves::Tcp => vec![at(&HostPattern::Any)],
            _ if port == shared.https => hosts.collect(),
            // What no server names is refused on a port that is Istio's alone.
            _ => hosts.chain([at(&HostPattern::Any)]).collect(),
        }
    }
}
