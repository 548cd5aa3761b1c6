//! The set of objects, and how it changes.

use crate::generated::{self, HostTemplate, Templates};
use crate::kind::class::IngressClass;
use crate::kind::ingress::Ingress;
use crate::kind::ingress_gateway::IngressGateway;
use crate::kind::meta::{Meta, Name};
use crate::kind::secret::Secret;
use crate::kind::service::Service;
use crate::kind::slice::EndpointSlice;
use crate::kind::{Kind, Lives, Object, for_each_kind};
use crate::references::{Edit, References};
use model::{GatewayId, HostPattern, ObjectRef, Text};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

mod gateway_api;
mod istio;

pub use gateway_api::GatewayRoute;

macro_rules! resources {
    ($($variant:ident = $($path:ident)::+, $field:ident, $name:literal, $word:literal, [$($version:literal),+], $plural:literal, $lives:ident;)*) => {
        /// The objects we read, at one moment. A clone is a set of its own that shares the objects.
        #[derive(Clone, Debug, Default)]
        pub struct Resources {
            $($field: BTreeMap<Name, Arc<crate::kind::$($path)::+>>,)*
            /// What external names resolve to; whoever resolves them says so with [`Change::Resolved`].
            addresses: HashMap<Text, Arc<[IpAddr]>>,
            /// How hosts are generated; whoever knows where gateways are says so with [`Change::Hosts`].
            templates: Templates,
            /// As written, those that ask for a host.
            asking: BTreeMap<(Kind, Name), Object>,
            references: References,
        }

        impl Resources {
            fn insert(&mut self, object: Object) {
                let name = object.meta().name.clone();
                match object {
                    $(Object::$variant(it) => drop(self.$field.insert(name, it)),)*
                }
            }

            fn remove(&mut self, kind: Kind, name: &Name) {
                match kind {
                    $(Kind::$variant => drop(self.$field.remove(name)),)*
                }
            }

            /// The names of a kind's objects, in order.
            pub fn names(&self, kind: Kind) -> Box<dyn Iterator<Item = &Name> + '_> {
                match kind {
                    $(Kind::$variant => Box::new(self.$field.keys()),)*
                }
            }

            pub fn get(&self, kind: Kind, name: &Name) -> Option<Object> {
                match kind {
                    $(Kind::$variant => self.$field.get(name).cloned().map(Object::$variant),)*
                }
            }
        }
    };
}
for_each_kind!(resources);

/// One thing that became different.
#[derive(Clone, Debug)]
pub enum Change {
    /// An object as it is now; `None`: it is gone.
    Object { kind: Kind, name: Name, object: Option<Arc<Value>> },
    /// The addresses of a Service's `externalName`; empty: it has none.
    Resolved { name: Text, addresses: Vec<IpAddr> },
    /// How hosts are generated on a gateway; `None`: there are none any more.
    Hosts { gateway: GatewayId, template: Option<HostTemplate> },
}

/// A change that was made: both versions, for whoever asks what it touches.
#[derive(Clone, Debug)]
pub enum Applied {
    Object {
        old: Option<Object>,
        new: Option<Object>,
    },
    Resolved {
        name: Text,
    },
    /// Several objects at once.
    Several(Vec<Applied>),
    /// Nothing we read is different.
    Nothing,
}

// === impl Resources ===

impl Resources {
    /// All of these objects; those of other kinds, and those without a name, are passed over.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut resources = Self::default();
        for object in objects {
            if let Some(change) = Change::of(object) {
                resources.apply(change);
            }
        }
        resources
    }

    pub fn apply(&mut self, change: Change) -> Applied {
        match change {
            Change::Object { kind, name, object } => {
                let new = object.map(|value| Object::read(kind, name.clone(), &value));
                let new = self.with_hosts(kind, &name, new);
                self.put(kind, name, new)
            }
            Change::Resolved { name, addresses } => {
                if self.addresses(&name) == addresses {
                    return Applied::Nothing;
                }
                self.addresses.insert(name.clone(), addresses.into());
                Applied::Resolved { name }
            }
            Change::Hosts { gateway, template } => self.generate(gateway, template),
        }
    }

    /// The object as it is served, where it asks for a host.
    fn with_hosts(&mut self, kind: Kind, name: &Name, new: Option<Object>) -> Option<Object> {
        let key = (kind, name.clone());
        let object = match new {
            Some(object) if generated::asks(&object) => object,
            other => {
                self.asking.remove(&key);
                return other;
            }
        };
        let served = generated::generated(&object, &self.templates);
        self.asking.insert(key, object);
        Some(served)
    }

    /// A gateway has moved: whoever asks for a host has another one.
    fn generate(&mut self, gateway: GatewayId, template: Option<HostTemplate>) -> Applied {
        if self.templates.get(&gateway) == template.as_ref() {
            return Applied::Nothing;
        }
        match template {
            Some(template) => drop(self.templates.insert(gateway, template)),
            None => drop(self.templates.remove(&gateway)),
        }
        let asking: Vec<((Kind, Name), Object)> = self.asking.iter().map(|(key, it)| (key.clone(), it.clone())).collect();
        let again = asking.into_iter().map(|((kind, name), written)| {
            let served = generated::generated(&written, &self.templates);
            self.put(kind, name, Some(served))
        });
        Applied::Several(again.filter(|it| !matches!(it, Applied::Nothing)).collect())
    }

    fn put(&mut self, kind: Kind, name: Name, new: Option<Object>) -> Applied {
        let old = self.get(kind, &name);
        if same(old.as_ref(), new.as_ref()) {
            return Applied::Nothing;
        }
        if let Some(old) = &old {
            self.references.edit(old, Edit::Remove);
        }
        match &new {
            Some(object) => {
                self.references.edit(object, Edit::Add);
                self.insert(object.clone());
            }
            None => self.remove(kind, &name),
        }
        Applied::Object { old, new }
    }

    /// An object's metadata, by what a report names it.
    pub fn meta(&self, object: &ObjectRef) -> Option<Meta> {
        let kind = Kind::named(&object.kind)?;
        let name = Name::new(object.namespace.clone(), object.name.clone());
        self.get(kind, &name).map(|object| object.meta().clone())
    }

    pub fn ingress(&self, name: &Name) -> Option<&Arc<Ingress>> {
        self.ingresses.get(name)
    }

    pub fn ingresses(&self) -> impl Iterator<Item = &Arc<Ingress>> {
        self.ingresses.values()
    }

    pub fn class(&self, name: &str) -> Option<&Arc<IngressClass>> {
        self.classes.get(&Name::new("", name))
    }

    pub fn classes(&self) -> impl Iterator<Item = &Arc<IngressClass>> {
        self.classes.values()
    }

    /// All that ask for gateways, KubeSphere's way too.
    pub fn ingress_gateways(&self) -> impl Iterator<Item = &Arc<IngressGateway>> {
        self.ingress_gateways.values().chain(self.kubesphere_gateways.values().map(|it| &it.request))
    }

    /// The workspace whose project a namespace is.
    pub fn workspace_of(&self, namespace: &Text) -> Option<&Text> {
        self.namespaces.get(&Name::new("", namespace.clone()))?.workspace()
    }

    pub fn service(&self, name: &Name) -> Option<&Arc<Service>> {
        self.services.get(name)
    }

    pub fn services(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.services.values()
    }

    /// Names of Services that may have been meant by `name`: those that begin alike, and some others. A bounded number, however many there are.
    pub fn services_like<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        alike(&self.services, name)
    }

    /// The same of Secrets.
    pub fn secrets_like<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a str> {
        alike(&self.secrets, name)
    }

    pub fn slice(&self, name: &Name) -> Option<&Arc<EndpointSlice>> {
        self.slices.get(name)
    }

    /// The EndpointSlices that say they are this Service's, by name.
    pub fn slices_of<'a>(&'a self, service: &Name) -> impl Iterator<Item = &'a Arc<EndpointSlice>> {
        self.references.slices_by_service.get(service).filter_map(|name| self.slices.get(name))
    }

    pub fn secret(&self, name: &Name) -> Option<&Arc<Secret>> {
        self.secrets.get(name)
    }

    /// What an external name resolves to, as far as it has been told.
    pub fn addresses(&self, external_name: &str) -> &[IpAddr] {
        self.addresses.get(external_name).map_or(&[], |addresses| addresses)
    }

    // what names what

    /// Hosts that Ingresses name, in no order.
    pub fn ingress_hosts(&self) -> impl Iterator<Item = &HostPattern> {
        self.references.ingresses_by_host.keys()
    }

    /// The Ingresses that can change this host's routes, by name.
    pub fn ingresses_of_host<'a>(&'a self, host: &HostPattern) -> impl Iterator<Item = &'a Arc<Ingress>> {
        self.references.ingresses_by_host.get(host).filter_map(|name| self.ingresses.get(name))
    }

    pub fn ingresses_of_service<'a>(&'a self, service: &Name) -> impl Iterator<Item = &'a Arc<Ingress>> {
        self.references.ingresses_by_service.get(service).filter_map(|name| self.ingresses.get(name))
    }

    pub fn ingresses_of_secret<'a>(&'a self, secret: &Name) -> impl Iterator<Item = &'a Arc<Ingress>> {
        self.references.ingresses_by_secret.get(secret).filter_map(|name| self.ingresses.get(name))
    }

    /// Those that name a Secret like this, whatever its namespace.
    pub fn ingresses_of_secret_name<'a>(&'a self, secret: &Text) -> impl Iterator<Item = &'a Arc<Ingress>> {
        self.references.ingresses_by_secret_name.get(secret).filter_map(|name| self.ingresses.get(name))
    }

    pub fn ingresses_of_class<'a>(&'a self, class: &Text) -> impl Iterator<Item = &'a Arc<Ingress>> {
        self.references.ingresses_by_class.get(class).filter_map(|name| self.ingresses.get(name))
    }

    /// The names that have to be resolved, in no order.
    pub fn external_names(&self) -> impl Iterator<Item = &Text> {
        self.references.services_by_external_name.keys().filter(|name| name.parse::<IpAddr>().is_err() && !name.is_empty())
    }

    pub fn services_of_external_name<'a>(&'a self, name: &Text) -> impl Iterator<Item = &'a Arc<Service>> {
        self.references.services_by_external_name.get(name).filter_map(|name| self.services.get(name))
    }
}

fn same(old: Option<&Object>, new: Option<&Object>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => old.same(new),
        _ => false,
    }
}

/// Most names of a kind that are looked at for what was meant.
const ALIKE: usize = 300;

fn alike<'a, T>(objects: &'a BTreeMap<Name, Arc<T>>, name: &'a Name) -> impl Iterator<Item = &'a str> {
    let begin = name.name.char_indices().nth(2).map_or(&*name.name, |(at, _)| &name.name[..at]);
    let from = |start: &str| objects.range(Name::new(name.namespace.clone(), start)..).map(|(name, _)| name).take(ALIKE);
    let near = from(begin).take_while(move |it| it.name.starts_with(begin));
    near.chain(from("")).filter(|it| it.namespace == name.namespace).map(|it| &*it.name)
}

// === impl Change ===

impl Change {
    /// An object that is there, by its own kind and name; `None` where it is of no kind we read, or has no name.
    pub fn of(object: &Value) -> Option<Self> {
        let kind = Kind::of(object)?;
        let name = Name::of(object, kind.lives() == Lives::Cluster)?;
        Some(Self::Object { kind, name, object: Some(Arc::new(object.clone())) })
    }

    pub fn gone(kind: Kind, name: Name) -> Self {
        Self::Object { kind, name, object: None }
    }
}

#[cfg(test)]
mod tests;
