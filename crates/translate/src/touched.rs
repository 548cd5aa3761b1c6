//! What a change touches.

use crate::Options;
use model::ShardKey;
use resources::{Applied, Ingress, IngressClass, Name, Object, Resources, Secret};
use std::collections::BTreeSet;

/// What has to be asked for again after a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// For [`translate_shard`](crate::translate_shard).
    pub shards: BTreeSet<ShardKey>,
    /// Services whose backends' endpoints may differ: [`InUse::of`](crate::InUse::of) says which are in use.
    pub services: BTreeSet<Name>,
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
    }

    pub fn is_empty(&self) -> bool {
        self.shards.is_empty() && self.services.is_empty()
    }

    fn by_object(&mut self, resources: &Resources, options: &Options, object: &Object) {
        match object {
            Object::Ingress(ingress) => self.shards_of(options, ingress),
            Object::IngressClass(class) => self.by_class(resources, options, class),
            Object::Secret(secret) => self.by_secret(resources, options, secret),
            Object::EndpointSlice(slice) => self.services.extend(slice.service.clone()),
            Object::Service(service) => {
                for ingress in resources.ingresses_of_service(&service.meta.name) {
                    self.shards_of(options, ingress);
                }
                self.services.insert(service.meta.name.clone());
            }
        }
    }

    fn by_class(&mut self, resources: &Resources, options: &Options, class: &IngressClass) {
        for ingress in resources.ingresses_of_class(&class.meta.name.name) {
            self.shards_of(options, ingress);
        }
    }

    fn by_secret(&mut self, resources: &Resources, options: &Options, secret: &Secret) {
        for ingress in resources.ingresses_of_secret(&secret.meta.name) {
            self.shards_of(options, ingress);
        }
    }

    fn shards_of(&mut self, options: &Options, ingress: &Ingress) {
        for gateway in options.gateways.iter().filter(|gateway| gateway.scope.covers(&ingress.meta.name.namespace)) {
            let keys = ingress.hosts().into_iter().map(|host| ShardKey { gateway: gateway.id.clone(), host });
            self.shards.extend(keys);
        }
    }
}
