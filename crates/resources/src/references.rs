//! Which objects name which: the reverse of what specs say, kept up to date one object at a time.

mod gateway_api;
mod istio;

use crate::few::Few;
use crate::kind::ingress::{Ingress, IngressBackend};
use crate::kind::meta::Name;
use crate::kind::service::{Service, ServiceType};
use crate::kind::slice::EndpointSlice;
use crate::kind::{Object, host_pattern};
use model::{HostPattern, Text};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// **Invariant:** what is in here is exactly what the objects of the set say; an empty set of names is never kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {
    pub(crate) ingresses_by_host: Map<HostPattern>,
    pub(crate) ingresses_by_service: Map<Name>,
    pub(crate) ingresses_by_secret: Map<Name>,
    /// By the name alone: of some classes, Secrets are looked for where the gateway runs.
    pub(crate) ingresses_by_secret_name: Map<Text>,
    pub(crate) ingresses_by_class: Map<Text>,
    pub(crate) slices_by_service: Map<Name>,
    pub(crate) services_by_external_name: Map<Text>,
    pub(crate) gateway_api: gateway_api::References,
    pub(crate) istio: istio::References,
}

#[derive(Clone, Debug)]
pub(crate) struct Map<K>(HashMap<K, Few<Name>>);

#[derive(Clone, Copy)]
pub(crate) enum Edit {
    Add,
    Remove,
}

// === impl References ===

impl References {
    pub(crate) fn edit(&mut self, object: &Object, edit: Edit) {
        self.gateway_api.edit(object, edit);
        self.istio.edit(object, edit);
        match object {
            Object::Ingress(ingress) => self.ingress(ingress, edit),
            Object::Service(service) => self.service(service, edit),
            Object::EndpointSlice(slice) => self.slice(slice, edit),
            _ => {}
        }
    }

    fn ingress(&mut self, ingress: &Ingress, edit: Edit) {
        let name = &ingress.meta.name;
        for host in ingress.hosts() {
            self.ingresses_by_host.edit(host, name, edit);
        }
        for service in ingress.services() {
            self.ingresses_by_service.edit(service, name, edit);
        }
        for secret in ingress.secrets() {
            self.ingresses_by_secret_name.edit(secret.name.clone(), name, edit);
            self.ingresses_by_secret.edit(secret, name, edit);
        }
        if let Some(class) = ingress.class_name() {
            self.ingresses_by_class.edit(class.clone(), name, edit);
        }
    }

    fn service(&mut self, service: &Service, edit: Edit) {
        if let ServiceType::ExternalName(external) = &service.kind {
            self.services_by_external_name.edit(external.clone(), &service.meta.name, edit);
        }
    }

    fn slice(&mut self, slice: &EndpointSlice, edit: Edit) {
        if let Some(service) = &slice.service {
            self.slices_by_service.edit(service.clone(), &slice.meta.name, edit);
        }
    }
}

// === impl Map ===

impl<K: Eq + Hash> Map<K> {
    pub(crate) fn get<'a>(&'a self, key: &K) -> impl Iterator<Item = &'a Name> + use<'a, K> {
        self.0.get(key).into_iter().flatten()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    pub(crate) fn edit(&mut self, key: K, name: &Name, edit: Edit) {
        match edit {
            Edit::Add => {
                self.0.entry(key).or_default().insert(name.clone());
            }
            Edit::Remove => {
                if let Some(names) = self.0.get_mut(&key) {
                    names.remove(name);
                    if names.is_empty() {
                        self.0.remove(&key);
                    }
                }
            }
        }
    }
}

impl<K> Default for Map<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

// === impl Ingress ===

/// Of an object that uses the annotation in place of `spec.ingressClassName`.
pub(crate) const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// Of an Ingress whose failures another Service answers.
const PAGES_ANNOTATION: &str = "nginx.ingress.kubernetes.io/default-backend";

impl Ingress {
    /// The hosts whose routes this object can change.
    ///
    /// Without rules, or without one readable host, it is looked at with the rules for every host: so each Ingress is looked at somewhere.
    pub fn hosts(&self) -> BTreeSet<HostPattern> {
        let mut hosts: BTreeSet<HostPattern> = self.rules.iter().filter_map(|rule| host_pattern(&rule.host).ok()).collect();
        if hosts.is_empty() {
            hosts.insert(HostPattern::Any);
        }
        hosts
    }

    /// The class named, by field or by annotation.
    pub fn class_name(&self) -> Option<&Text> {
        self.class.as_ref().or_else(|| self.class_annotation())
    }

    pub fn class_annotation(&self) -> Option<&Text> {
        self.meta.annotation(CLASS_ANNOTATION).filter(|class| !class.is_empty())
    }

    pub fn services(&self) -> BTreeSet<Name> {
        let services = self.backends().filter_map(|backend| match backend {
            IngressBackend::Service(service) => Some(Name::new(self.meta.name.namespace.clone(), service.name.clone())),
            IngressBackend::Resource(_) | IngressBackend::Missing => None,
        });
        let pages = self.meta.annotation(PAGES_ANNOTATION).filter(|it| !it.trim().is_empty());
        let pages = pages.map(|it| Name::new(self.meta.name.namespace.clone(), it.trim()));
        services.chain(pages).collect()
    }

    pub fn secrets(&self) -> BTreeSet<Name> {
        let secrets = self.tls.iter().filter_map(|tls| tls.secret.as_ref());
        secrets.map(|secret| Name::new(self.meta.name.namespace.clone(), secret.clone())).collect()
    }
}
