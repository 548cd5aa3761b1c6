//! What a change touches.

use crate::Options;
use crate::shard::with_wildcard;
use model::{HostPattern, ObjectRef, ShardKey};
use resources::{Applied, Ingress, IngressClass, Name, Object, Resources, Secret, Touch};
use std::collections::BTreeSet;

/// What has to be asked for again after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// For [`translate_shard`](crate::translate_shard).
    pub shards: BTreeSet<ShardKey>,
    /// Services whose backends' endpoints may differ: [`InUse::of`](crate::InUse::of) says which are in use.
    pub services: BTreeSet<Name>,
    /// For [`report`](crate::report()).
    pub objects: BTreeSet<ObjectRef>,
    /// Whether [`listening`](crate::listening()) may say something else.
    pub listening: bool,
}

/// What a change, already applied to `resources`, can have changed: of its old version and of its new one.
///
/// **Invariant:** the cost follows what is touched, never how much there is.
pub fn touched(resources: &Resources, options: &Options, applied: &Applied) -> Touched {
    let mut touched = Touched::default();
    match applied {
        Applied::Object { old, new } => {
            for object in old.iter().chain(new) {
                touched.by_object(resources, options, object);
            }
            let (old, new) = (old.as_ref(), new.as_ref());
            touched.by_frontend(translate_gateway_api::touched(resources, &options.gateway_api, &options.gateways, old, new));
        }
        Applied::Resolved { name } => {
            touched.services.extend(resources.services_of_external_name(name).map(|service| service.meta.name.clone()));
        }
        Applied::Nothing => {}
    }
    touched
}

// === impl Touched ===

impl Touched {
    pub fn extend(&mut self, other: Self) {
        self.shards.extend(other.shards);
        self.services.extend(other.services);
        self.objects.extend(other.objects);
        self.listening |= other.listening;
    }

    pub fn is_empty(&self) -> bool {
        self.shards.is_empty() && self.services.is_empty() && self.objects.is_empty() && !self.listening
    }

    fn by_object(&mut self, resources: &Resources, options: &Options, object: &Object) {
        self.by_frontend(translate_istio::touched(resources, &options.istio, &options.gateways, object));
        match object {
            Object::Ingress(ingress) => self.shards_of(resources, options, ingress),
            Object::IngressClass(class) => self.by_class(resources, options, class),
            Object::Secret(secret) => self.by_secret(resources, options, secret),
            Object::EndpointSlice(slice) => self.services.extend(slice.service.clone()),
            Object::Service(service) => {
                for ingress in resources.ingresses_of_service(&service.meta.name) {
                    self.shards_of(resources, options, ingress);
                }
                self.services.insert(service.meta.name.clone());
            }
            Object::Pod(pod) => self.services.extend(resources.services_of_pod(&pod.meta.name)),
            _ => {}
        }
    }

    fn by_class(&mut self, resources: &Resources, options: &Options, class: &IngressClass) {
        for ingress in resources.ingresses_of_class(&class.meta.name.name) {
            self.shards_of(resources, options, ingress);
        }
    }

    fn by_secret(&mut self, resources: &Resources, options: &Options, secret: &Secret) {
        let named = resources.ingresses_of_secret(&secret.meta.name);
        let of_gateway = secret.meta.name.namespace == options.ingress.istio.namespace;
        let elsewhere = of_gateway.then(|| resources.ingresses_of_secret_name(&secret.meta.name.name)).into_iter().flatten();
        for ingress in named.chain(elsewhere) {
            self.shards_of(resources, options, ingress);
        }
    }

    fn by_frontend(&mut self, touch: Touch) {
        self.shards.extend(touch.hosts.into_iter().flat_map(|(gateway, port, host)| with_wildcard(gateway, port, host)));
        self.objects.extend(touch.objects);
        self.listening |= touch.wanted;
    }

    fn shards_of(&mut self, resources: &Resources, options: &Options, ingress: &Ingress) {
        let alone = resources.istio_gateways().next().is_none() && resources.gateways().next().is_none();
        for gateway in options.gateways.iter().filter(|gateway| gateway.scope.covers(&ingress.meta.name.namespace)) {
            let mut key = |port, host: &HostPattern| self.shards.insert(ShardKey { gateway: gateway.id.clone(), port, host: host.clone() });
            for host in ingress.hosts() {
                key(None, &host);
                // Where others may have the host too, the shards of a port have all of it.
                for port in [gateway.http, gateway.https].into_iter().filter(|_| !alone) {
                    key(Some(port), &host);
                }
            }
        }
    }
}
