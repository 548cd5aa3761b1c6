//! The gateways of this process, for the console.

use crate::serve::Serving;
use console::{Backend, BackendEndpoint, Gateways};
use control::Picture;
use model::{GatewayId, ObjectRef};
use observe::{History, Kept};
use proxy::Dataplane;
use resources::Kind;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use tokio::sync::watch;
use translate::PLATFORM;

/// What runs here.
///
/// **Invariant:** whose a gateway is says the plan that it runs by: nobody gets to one by what they write into an object.
pub struct Here {
    picture: watch::Receiver<Picture>,
    /// The one for everybody.
    shared: Option<GatewayId>,
    /// Not held: it ends with what serves.
    dataplane: Weak<Dataplane>,
    history: Arc<History>,
    kept: Kept,
}

// === impl Here ===

impl Here {
    pub fn new(serving: &Serving, history: Arc<History>, kept: Kept) -> Self {
        let shared = serving.plan.as_ref().map(|plan| plan.id.clone());
        Self { picture: serving.picture.clone(), shared, dataplane: Arc::downgrade(serving.dataplane()), history, kept }
    }

    pub fn shared(&self) -> Option<&GatewayId> {
        self.shared.as_ref()
    }

    /// The gateway that somebody in a namespace has asked for, and what its Service is called.
    pub fn asked_for_in(&self, namespace: &str) -> Option<GatewayId> {
        let picture = self.picture.borrow();
        let of = |it: &&control::GatewayPicture| {
            it.owner.as_ref().is_some_and(|owner| is_request(&owner.kind) && *owner.namespace == *namespace)
        };
        picture.gateways.iter().find(of).map(|it| it.id.clone())
    }

    /// Namespace and name of the Service that a gateway is seen as.
    pub fn service(&self, id: &GatewayId) -> Option<(String, String)> {
        let picture = self.picture.borrow();
        let service = picture.gateways.iter().find(|it| it.id == *id)?.services.first()?.clone();
        Some((service.namespace.to_string(), service.name.to_string()))
    }

    /// Who asked for the gateway that a Service is of: kind, namespace, name.
    pub fn owner(&self, namespace: &str, name: &str) -> Option<(String, String, String)> {
        let picture = self.picture.borrow();
        let of = |it: &&control::GatewayPicture| it.services.iter().any(|it| *it.namespace == *namespace && *it.name == *name);
        let owner = picture.gateways.iter().find(of)?.owner.clone()?;
        Some((owner.kind.to_string(), owner.namespace.to_string(), owner.name.to_string()))
    }
}

/// As the console has it.
fn shown(fares: proxy::Fares) -> Backend {
    let endpoint = |it: proxy::EndpointFares| BackendEndpoint {
        address: it.address.to_string(),
        in_flight: it.in_flight,
        trouble: it.trouble.map(|it| it.word().to_owned()),
    };
    Backend {
        id: fares.backend.to_string(),
        connections: fares.connections,
        endpoints: fares.endpoints.into_iter().map(endpoint).collect(),
    }
}

fn is_request(kind: &str) -> bool {
    kind == Kind::IngressGateway.name() || kind == Kind::KubesphereGateway.name()
}

impl Gateways for Here {
    fn find(&self, namespace: &str, name: &str) -> Option<GatewayId> {
        let picture = self.picture.borrow();
        let asked = picture.gateways.iter().find(|it| {
            it.owner.as_ref().is_some_and(|owner| is_request(&owner.kind) && *owner.namespace == *namespace && *owner.name == *name)
        });
        // Only the platform's own people ask for anything there, and it is the gateway for everybody that they ask for.
        asked.map(|it| it.id.clone()).or_else(|| self.shared.clone().filter(|_| namespace == PLATFORM))
    }

    fn sockets(&self, gateway: &GatewayId) -> Vec<(String, SocketAddr)> {
        let picture = self.picture.borrow();
        let of = picture.gateways.iter().filter(|it| it.id == *gateway).flat_map(|it| &it.sockets);
        of.filter(|it| it.fault.is_none()).map(|it| (it.listener.clone(), it.address)).collect()
    }

    fn backends(&self, gateway: &GatewayId, object: &ObjectRef) -> Option<Vec<Backend>> {
        let dataplane = self.dataplane.upgrade()?;
        Some(dataplane.fares(gateway, object).into_iter().map(shown).collect())
    }

    fn history(&self) -> Option<&History> {
        Some(&self.history)
    }

    fn log(&self) -> Option<&Kept> {
        Some(&self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_of_gateway_api_is_nobody_s_request() {
        let of = |kind: Kind| is_request(&ObjectRef::new(kind.name(), "shop", "edge").kind);
        assert!(of(Kind::IngressGateway) && of(Kind::KubesphereGateway));
        assert!(!of(Kind::Gateway) && !of(Kind::IstioGateway));
    }
}
