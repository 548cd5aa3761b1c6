//! How the backends of an object's routes fare, as this data plane sees it.

use crate::Dataplane;
use model::{Backend, BackendId, Balancing, GatewayId, ObjectRef, Route};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use upstream::Trouble;

/// A backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fares {
    pub backend: BackendId,
    /// Open to its endpoints, together.
    pub connections: u32,
    /// Those that are ready.
    pub endpoints: Vec<EndpointFares>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointFares {
    pub address: SocketAddr,
    /// Requests under way; `None`: they are not counted, because nothing depends on it.
    pub in_flight: Option<u32>,
    /// Why the last connection could not be made.
    pub trouble: Option<Trouble>,
}

// === impl Dataplane ===

impl Dataplane {
    /// What the routes of an object lead to on a gateway, each backend once; none of it where the gateway has none of its routes.
    pub fn fares(&self, gateway: &GatewayId, object: &ObjectRef) -> Vec<Fares> {
        let snapshot = self.snapshot();
        let hosts = snapshot.gateway(gateway).into_iter().flat_map(|table| table.hosts());
        let mut found: BTreeMap<&BackendId, &Backend> = BTreeMap::new();
        for host in hosts {
            let routes = host.routes.iter().filter(|it| it.source.object == *object).flat_map(Route::backends);
            let tunnels = host.tunnel.iter().chain(&host.datagrams).filter(|it| it.source.object == *object);
            let passed = tunnels.flat_map(|it| &it.backends).filter_map(|it| it.backend.as_ref());
            found.extend(routes.chain(passed).map(|it| (&it.id, &**it)));
        }
        found.into_values().map(|it| self.fare(it)).collect()
    }

    fn fare(&self, backend: &Backend) -> Fares {
        let known = self.endpoints(&backend.id);
        let all = known.iter().flat_map(|set| set.endpoints());
        let endpoints = all.map(|it| EndpointFares {
            address: it.address,
            in_flight: (backend.balancing == Balancing::LeastRequest).then(|| it.in_flight()),
            trouble: it.trouble(),
        });
        Fares {
            backend: backend.id.clone(),
            connections: known.as_ref().map_or(0, |set| set.connections()),
            endpoints: endpoints.collect(),
        }
    }
}
