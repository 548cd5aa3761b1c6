//! What Istio's objects name, and which Pods are behind Services.

use super::{Edit, Map};
use crate::kind::Object;
use crate::kind::istio::destination_rule::DestinationRule;
use crate::kind::istio::gateway::{Family, IstioGateway};
use crate::kind::istio::virtual_service::VirtualService;
use crate::kind::meta::Name;
use crate::kind::slice::EndpointSlice;
use model::{HostPattern, Text};

/// **Invariant:** what is in here is exactly what the objects of the set say.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {
    pub(crate) slices_by_pod: Map<Name>,
    /// Hosts of servers, without their namespace.
    pub(crate) gateways_by_host: Map<HostPattern>,
    /// Numbers as written.
    pub(crate) gateways_by_port: Map<(u16, Family)>,
    /// Names of Secrets alone: which namespace is meant depends on where the gateway runs.
    pub(crate) gateways_by_secret: Map<Text>,
    /// Namespaces where, beside the gateway's, a Secret may be by leave: the one that is written, or the Gateway's own.
    pub(crate) gateways_by_secret_namespace: Map<Text>,
    /// Hosts of those that have rules for HTTP.
    pub(crate) virtual_services_by_host: Map<HostPattern>,
    pub(crate) virtual_services_by_server_name: Map<HostPattern>,
    pub(crate) virtual_services_by_gateway: Map<Name>,
    /// Of those, the ones with rules for TCP.
    pub(crate) tcp_by_gateway: Map<Name>,
    pub(crate) virtual_services_by_service: Map<Name>,
    pub(crate) virtual_services_by_delegate: Map<Name>,
    pub(crate) destination_rules_by_service: Map<Name>,
    /// Those that are for no one Service.
    pub(crate) destination_rules_by_host: Map<HostPattern>,
}

// === impl References ===

impl References {
    pub(crate) fn edit(&mut self, object: &Object, edit: Edit) {
        match object {
            Object::EndpointSlice(slice) => self.slice(slice, edit),
            Object::IstioGateway(gateway) => self.gateway(gateway, edit),
            Object::VirtualService(it) => self.virtual_service(it, edit),
            Object::DestinationRule(rule) => self.destination_rule(rule, edit),
            _ => {}
        }
    }

    fn slice(&mut self, slice: &EndpointSlice, edit: Edit) {
        for pod in slice.endpoints.iter().filter_map(|endpoint| endpoint.pod.as_ref()) {
            self.slices_by_pod.edit(pod.clone(), &slice.meta.name, edit);
        }
    }

    fn gateway(&mut self, gateway: &IstioGateway, edit: Edit) {
        let name = &gateway.meta.name;
        for server in &gateway.servers {
            self.gateways_by_port.edit((server.port, server.family()), name, edit);
            for host in &server.hosts {
                self.gateways_by_host.edit(host.host.clone(), name, edit);
            }
        }
        for credential in gateway.credentials() {
            self.gateways_by_secret.edit(credential.name.clone(), name, edit);
            self.gateways_by_secret.edit(authorities_of(&credential.name), name, edit);
            let namespace = credential.namespace.as_ref().unwrap_or(&name.namespace);
            self.gateways_by_secret_namespace.edit(namespace.clone(), name, edit);
        }
    }

    fn virtual_service(&mut self, it: &VirtualService, edit: Edit) {
        let name = &it.meta.name;
        if !it.http.is_empty() {
            for (_, host) in &it.hosts {
                self.virtual_services_by_host.edit(host.pattern.clone(), name, edit);
            }
        }
        for server_name in it.server_names() {
            self.virtual_services_by_server_name.edit(server_name.clone(), name, edit);
        }
        for (_, gateway) in it.bound() {
            self.virtual_services_by_gateway.edit(gateway.clone(), name, edit);
            if !it.tcp.is_empty() {
                self.tcp_by_gateway.edit(gateway.clone(), name, edit);
            }
        }
        for service in it.destinations().filter_map(|it| it.host.service.as_ref()) {
            self.virtual_services_by_service.edit(service.clone(), name, edit);
        }
        for delegate in it.delegates() {
            self.virtual_services_by_delegate.edit(delegate.clone(), name, edit);
        }
    }

    fn destination_rule(&mut self, rule: &DestinationRule, edit: Edit) {
        let name = &rule.meta.name;
        match (&rule.service.service, &rule.host) {
            (Some(service), _) => self.destination_rules_by_service.edit(service.clone(), name, edit),
            (None, Some(host)) => self.destination_rules_by_host.edit(host.pattern.clone(), name, edit),
            (None, None) => {}
        }
    }
}

/// The Secret that has the authorities for clients of a credential, where there is one of that name.
pub(crate) fn authorities_of(credential: &str) -> Text {
    format!("{credential}-cacert").into()
}
