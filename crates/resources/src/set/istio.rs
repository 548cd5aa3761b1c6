//! Istio's objects in the set.

use super::Resources;
use crate::kind::istio::destination_rule::DestinationRule;
use crate::kind::istio::gateway::IstioGateway;
use crate::kind::istio::virtual_service::VirtualService;
use crate::kind::meta::Name;
use crate::kind::pod::Pod;
use std::sync::Arc;

impl Resources {
    pub fn istio_gateway(&self, name: &Name) -> Option<&Arc<IstioGateway>> {
        self.istio_gateways.get(name)
    }

    pub fn istio_gateways(&self) -> impl Iterator<Item = &Arc<IstioGateway>> {
        self.istio_gateways.values()
    }

    pub fn virtual_service(&self, name: &Name) -> Option<&Arc<VirtualService>> {
        self.virtual_services.get(name)
    }

    pub fn virtual_services(&self) -> impl Iterator<Item = &Arc<VirtualService>> {
        self.virtual_services.values()
    }

    pub fn destination_rule(&self, name: &Name) -> Option<&Arc<DestinationRule>> {
        self.destination_rules.get(name)
    }

    pub fn destination_rules(&self) -> impl Iterator<Item = &Arc<DestinationRule>> {
        self.destination_rules.values()
    }

    pub fn pod(&self, name: &Name) -> Option<&Arc<Pod>> {
        self.pods.get(name)
    }

    pub fn pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.pods.values()
    }

    /// The Services with an endpoint that is this Pod.
    pub fn services_of_pod<'a>(&'a self, pod: &'a Name) -> impl Iterator<Item = Name> + 'a {
        self.references.istio.slices_by_pod.get(pod).filter_map(|slice| self.slice(slice)?.service.clone())
    }
}
