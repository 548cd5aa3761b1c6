//! The ports that servers ask for.

use crate::Context;
use crate::servers::{Bound, port_of, selects};
use crate::told::Told;
use model::{ListenerProtocol, SectionName};
use resources::istio::Family;
use resources::{SharedGateway, Wanted, WantedPort};

impl<'a> Context<'a> {
    pub(crate) fn wanted(self) -> Vec<Wanted> {
        let wanted = self.shared.iter().map(|shared| Wanted {
            gateway: shared.id.clone(),
            workload: None,
            request: None,
            ports: self.ports(shared),
            replies: self.options.replies.clone(),
        });
        wanted.filter(|wanted| !wanted.ports.is_empty()).collect()
    }

    fn ports(self, shared: &'a SharedGateway) -> Vec<WantedPort> {
        let gateways = self.resources.istio_gateways().filter(|gateway| selects(gateway, shared));
        let servers = gateways.flat_map(|gateway| gateway.servers.iter().map(move |server| Bound { gateway, server }));
        servers.filter_map(|bound| self.port(shared, bound)).collect()
    }

    /// `None`: it gives way, or nothing is to be listened on.
    fn port(self, shared: &'a SharedGateway, bound: Bound<'a>) -> Option<WantedPort> {
        let protocol = match bound.server.family() {
            Family::Http => ListenerProtocol::Http,
            Family::Tls => ListenerProtocol::Https,
            // As in Istio: a port without a rule stays closed.
            Family::Tcp => self.tcp(shared, bound, &mut Told::default()).map(|_| ListenerProtocol::Tcp)?,
        };
        if bound.server.hosts.is_empty() || self.gives_way(shared, bound).is_some() {
            return None;
        }
        Some(WantedPort {
            number: port_of(shared, bound.server.port),
            protocol,
            name: SectionName::new(bound.server.port_name.clone()),
            owner: bound.object(),
            created: bound.gateway.meta.created,
            field: format!("{}.port", bound.field()).into(),
        })
    }
}
