//! Istio's objects in the set.

use super::Resources;
use crate::kind::istio::destination_rule::DestinationRule;
use crate::kind::istio::gateway::{Family, IstioGateway};
use crate::kind::istio::virtual_service::VirtualService;
use crate::kind::meta::Name;
use crate::kind::pod::Pod;
use model::{HostPattern, Text};
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

    /// Names of VirtualServices that may have been meant by `name`.
    pub fn virtual_services_like<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        super::alike(&self.virtual_services, name)
    }

    /// The same of Gateways.
    pub fn istio_gateways_like<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        super::alike(&self.istio_gateways, name)
    }

    // what names what

    /// The Gateways with a server for this host, by name.
    pub fn istio_gateways_of_host<'a>(&'a self, host: &HostPattern) -> impl Iterator<Item = &'a Arc<IstioGateway>> {
        self.references.istio.gateways_by_host.get(host).filter_map(|name| self.istio_gateways.get(name))
    }

    /// The Gateways with a server of this family on a port of this number.
    pub fn istio_gateways_of_port(&self, port: u16, family: Family) -> impl Iterator<Item = &Arc<IstioGateway>> {
        self.references.istio.gateways_by_port.get(&(port, family)).filter_map(|name| self.istio_gateways.get(name))
    }

    /// The Gateways that may mean a Secret of this name, whatever its namespace.
    pub fn istio_gateways_of_secret<'a>(&'a self, secret: &Text) -> impl Iterator<Item = &'a Arc<IstioGateway>> {
        self.references.istio.gateways_by_secret.get(secret).filter_map(|name| self.istio_gateways.get(name))
    }

    /// The Gateways that name a Secret together with this namespace.
    pub fn istio_gateways_of_secrets_in<'a>(&'a self, namespace: &Text) -> impl Iterator<Item = &'a Arc<IstioGateway>> {
        self.references.istio.gateways_by_secret_namespace.get(namespace).filter_map(|name| self.istio_gateways.get(name))
    }

    /// The VirtualServices with rules for HTTP that name this host; of short ones without the cluster's domain.
    pub fn virtual_services_of_host<'a>(&'a self, host: &HostPattern) -> impl Iterator<Item = &'a Arc<VirtualService>> {
        self.references.istio.virtual_services_by_host.get(host).filter_map(|name| self.virtual_services.get(name))
    }

    /// The VirtualServices that pass this server name on.
    pub fn virtual_services_of_server_name<'a>(&'a self, name: &HostPattern) -> impl Iterator<Item = &'a Arc<VirtualService>> {
        self.references.istio.virtual_services_by_server_name.get(name).filter_map(|name| self.virtual_services.get(name))
    }

    pub fn virtual_services_of_gateway<'a>(&'a self, gateway: &Name) -> impl Iterator<Item = &'a Arc<VirtualService>> {
        self.references.istio.virtual_services_by_gateway.get(gateway).filter_map(|name| self.virtual_services.get(name))
    }

    /// Those with rules for TCP.
    pub fn tcp_virtual_services_of_gateway<'a>(&'a self, gateway: &Name) -> impl Iterator<Item = &'a Arc<VirtualService>> {
        self.references.istio.tcp_by_gateway.get(gateway).filter_map(|name| self.virtual_services.get(name))
    }

    /// The VirtualServices with a destination or mirror that is this Service.
    pub fn virtual_services_of_service<'a>(&'a self, service: &Name) -> impl Iterator<Item = &'a Arc<VirtualService>> {
        self.references.istio.virtual_services_by_service.get(service).filter_map(|name| self.virtual_services.get(name))
    }

    /// The Services that VirtualServices lead to, in no order.
    pub fn destination_services(&self) -> impl Iterator<Item = &Name> {
        self.references.istio.virtual_services_by_service.keys()
    }

    /// The VirtualServices that delegate to this one.
    pub fn roots_of<'a>(&'a self, delegate: &Name) -> impl Iterator<Item = &'a Arc<VirtualService>> {
        self.references.istio.virtual_services_by_delegate.get(delegate).filter_map(|name| self.virtual_services.get(name))
    }

    /// The DestinationRules for this one Service.
    pub fn destination_rules_of_service<'a>(&'a self, service: &Name) -> impl Iterator<Item = &'a Arc<DestinationRule>> {
        self.references.istio.destination_rules_by_service.get(service).filter_map(|name| self.destination_rules.get(name))
    }

    /// The DestinationRules for exactly these hosts, such as `*.demo.svc.cluster.local`.
    pub fn destination_rules_of_host<'a>(&'a self, host: &HostPattern) -> impl Iterator<Item = &'a Arc<DestinationRule>> {
        self.references.istio.destination_rules_by_host.get(host).filter_map(|name| self.destination_rules.get(name))
    }
}
