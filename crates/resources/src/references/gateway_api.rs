//! What Gateway API's objects name.

use super::{Edit, Map};
use crate::kind::gateway_api::gateway::Gateway;
use crate::kind::gateway_api::{BackendRef, ParentRef, Reference};
use crate::kind::meta::{Meta, Name};
use crate::kind::{Kind, Object};
use model::{HostPattern, Text};
use std::collections::BTreeSet;

/// **Invariant:** what is in here is exactly what the objects of the set say.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {
    pub(crate) gateways_by_class: Map<Text>,
    /// By the Service that a Gateway's own workload has, or would have.
    pub(crate) gateways_by_workload: Map<Name>,
    /// By the Service whose host name is their address.
    pub(crate) gateways_by_address: Map<Name>,
    pub(crate) gateways_by_secret: Map<Name>,
    pub(crate) gateways_by_config_map: Map<Name>,
    /// By kind of route and Gateway.
    pub(crate) routes_by_parent: Map<(Kind, Name)>,
    pub(crate) routes_by_host: Map<(Kind, Name, HostPattern)>,
    /// By kind of route and Service.
    pub(crate) routes_by_backend: Map<(Kind, Name)>,
    /// By kind and the namespace, not their own, that they point into.
    pub(crate) by_target: Map<(Kind, Text)>,
}

// === impl References ===

impl References {
    pub(crate) fn edit(&mut self, object: &Object, edit: Edit) {
        match object {
            Object::Gateway(gateway) => self.gateway(gateway, edit),
            Object::HttpRoute(route) => {
                let backends: Vec<&BackendRef> = route.backends().collect();
                self.route(Kind::HttpRoute, (&route.meta, &route.parents, &route.hosts), backends.iter().copied(), edit);
            }
            Object::TlsRoute(route) => {
                let backends = route.rules.iter().flat_map(|rule| &rule.backends);
                self.route(Kind::TlsRoute, (&route.meta, &route.parents, &route.hosts), backends, edit);
            }
            Object::TcpRoute(route) => {
                let backends = route.rules.iter().flat_map(|rule| &rule.backends);
                self.route(Kind::TcpRoute, (&route.meta, &route.parents, &[HostPattern::Any]), backends, edit);
            }
            _ => {}
        }
    }

    fn gateway(&mut self, gateway: &Gateway, edit: Edit) {
        let name = &gateway.meta.name;
        self.gateways_by_class.edit(gateway.class.clone(), name, edit);
        self.gateways_by_workload.edit(gateway.workload_name(), name, edit);
        if let Some((service, _)) = gateway.joined_service() {
            self.gateways_by_address.edit(service, name, edit);
        }
        for secret in gateway.secrets() {
            self.gateways_by_secret.edit(secret, name, edit);
        }
        for config_map in gateway.authorities().filter(|it| it.is("", "ConfigMap")) {
            self.gateways_by_config_map.edit(config_map.name.clone(), name, edit);
        }
        let certificates = gateway.certificates().chain(gateway.authorities());
        self.targets(Kind::Gateway, name, certificates.map(|it| &it.name), edit);
    }

    fn route<'a>(
        &mut self,
        kind: Kind,
        (meta, parents, hosts): (&Meta, &[ParentRef], &[HostPattern]),
        backends: impl Iterator<Item = &'a BackendRef> + Clone,
        edit: Edit,
    ) {
        for gateway in parents.iter().filter_map(ParentRef::gateway) {
            self.routes_by_parent.edit((kind, gateway.clone()), &meta.name, edit);
            for host in hosts {
                self.routes_by_host.edit((kind, gateway.clone(), host.clone()), &meta.name, edit);
            }
        }
        for service in backends.clone().filter_map(BackendRef::service) {
            self.routes_by_backend.edit((kind, service.clone()), &meta.name, edit);
        }
        self.targets(kind, &meta.name, backends.filter_map(|it| it.to.as_ref()).map(|to| &to.name), edit);
    }

    fn targets<'a>(&mut self, kind: Kind, own: &Name, targets: impl Iterator<Item = &'a Name>, edit: Edit) {
        for namespace in targets.map(|name| &name.namespace).filter(|namespace| **namespace != own.namespace).collect::<BTreeSet<_>>() {
            self.by_target.edit((kind, namespace.clone()), own, edit);
        }
    }
}

// === impl Gateway ===

/// Istio's name for the Service, instead of the Gateway's name and class.
pub(crate) const NAME_OVERRIDE: &str = "gateway.istio.io/name-override";

/// Istio's option of a listener: whether clients must show a certificate.
pub(crate) const TERMINATE_MODE: &str = "gateway.istio.io/tls-terminate-mode";

impl Gateway {
    /// Of the Service, Deployment and ServiceAccount of a workload of its own: `<gateway>-<class>`.
    pub fn workload_name(&self) -> Name {
        let own = &self.meta.name;
        let named = self.meta.annotation(NAME_OVERRIDE).filter(|name| is_label(name)).cloned();
        let name = named.unwrap_or_else(|| label(&format!("{}-{}", own.name, self.class)).into());
        Name::new(own.namespace.clone(), name)
    }

    /// The Service whose host name is the Gateway's one address, and the DNS domain that follows `svc.` there, if one does.
    pub fn joined_service(&self) -> Option<(Name, Text)> {
        let [address] = self.addresses.as_slice() else { return None };
        if address.kind != *"Hostname" {
            return None;
        }
        let mut labels = address.value.splitn(4, '.');
        let service = labels.next().filter(|label| !label.is_empty())?;
        let namespace = labels.next().map_or_else(|| self.meta.name.namespace.clone(), Text::from);
        match labels.next() {
            None | Some("svc") => Some((Name::new(namespace, service), labels.next().unwrap_or_default().trim_end_matches('.').into())),
            Some(_) => None,
        }
    }

    /// Every certificate its listeners name.
    pub fn certificates(&self) -> impl Iterator<Item = &Reference> {
        self.listeners.iter().filter_map(|listener| listener.tls.as_ref()).flat_map(|tls| &tls.certificates)
    }

    /// Every authority for certificates of clients.
    pub fn authorities(&self) -> impl Iterator<Item = &Reference> {
        self.frontend.validations().flat_map(|validation| &validation.authorities)
    }

    /// Every Secret it can depend on.
    fn secrets(&self) -> BTreeSet<Name> {
        let secrets = self.certificates().chain(self.authorities()).filter(|it| it.is("", "Secret"));
        let beside =
            self.listeners.iter().filter_map(|listener| listener.tls.as_ref()).filter(|tls| tls.options.contains_key(TERMINATE_MODE));
        let beside = beside.flat_map(|tls| &tls.certificates).map(Reference::beside);
        secrets.map(|it| it.name.clone()).chain(beside).collect()
    }
}

impl Reference {
    /// The Secret that may have the authorities for a certificate's clients, where its own has none (Istio).
    pub fn beside(&self) -> Name {
        Name::new(self.name.namespace.clone(), format!("{}-cacert", self.name.name))
    }
}

/// A DNS label (RFC 1035), as names of Services are.
fn is_label(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(good) && name.as_bytes()[0].is_ascii_lowercase() && !name.ends_with('-')
}

/// The text itself where it is a label; else what is left of it, and a hash of the whole, so that no two become one.
fn label(text: &str) -> String {
    if is_label(text) {
        return text.to_owned();
    }
    let plain: String =
        text.chars().map(|char| if char.is_ascii_lowercase() || char.is_ascii_digit() { char } else { '-' }).take(50).collect();
    let plain = plain.trim_matches('-');
    let begin = if plain.starts_with(|char: char| char.is_ascii_lowercase()) { "" } else { "gw-" };
    format!("{begin}{plain}-{:08x}", fnv(text))
}

/// FNV-1a: it must be the same in every release, because names are made of it.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workload(name: &str, class: &str) -> String {
        let value = json!({"spec": {"gatewayClassName": class}});
        Gateway::read(Name::new("shop", name), &value).workload_name().name.to_string()
    }

    #[test]
    fn names_of_workloads_are_labels_and_no_two_are_one() {
        assert_eq!(workload("httpbin-gateway", "istio"), "httpbin-gateway-istio");
        let long = "a".repeat(253);
        let names = [
            workload("a.b", "istio"),
            workload("a-b", "istio"),
            workload("1st", "istio"),
            workload(&long, "istio"),
            workload(&long[1..], "istio"),
        ];
        assert!(names.iter().all(|name| is_label(name)), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        assert_eq!(names[0], "a-b-istio-3c51127d", "the same in every release");
    }

    fn joined(kind: &str, value: &str) -> Option<(String, String)> {
        let value = json!({"spec": {"addresses": [{"type": kind, "value": value}]}});
        let gateway = Gateway::read(Name::new("shop", "g"), &value);
        gateway.joined_service().map(|(name, domain)| (name.to_string(), domain.to_string()))
    }

    #[test]
    fn a_service_is_named_as_dns_names_it() {
        let some = |name: &str, domain: &str| Some((name.to_owned(), domain.to_owned()));
        assert_eq!(joined("Hostname", "in"), some("shop/in", ""));
        assert_eq!(joined("Hostname", "in.infra"), some("infra/in", ""));
        assert_eq!(joined("Hostname", "in.infra.svc"), some("infra/in", ""));
        assert_eq!(joined("Hostname", "in.infra.svc.cluster.local"), some("infra/in", "cluster.local"));
        assert_eq!(joined("Hostname", "in.example.com"), None);
        assert_eq!(joined("Hostname", ""), None);
        assert_eq!(joined("IPAddress", "in"), None);
    }
}
