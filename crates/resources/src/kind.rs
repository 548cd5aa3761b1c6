//! The kinds we read, each in a file of its own.

pub(crate) mod class;
pub(crate) mod ingress;
pub(crate) mod meta;
pub(crate) mod secret;
pub(crate) mod service;
pub(crate) mod slice;

use crate::problem::Problem;
use class::IngressClass;
use ingress::Ingress;
use meta::{Meta, Name};
use model::{HostPattern, Hostname, HostnameError, ObjectRef};
use secret::Secret;
use serde_json::Value;
use service::Service;
use slice::EndpointSlice;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Ingress,
    IngressClass,
    Service,
    EndpointSlice,
    Secret,
}

/// An object of one of the kinds.
#[derive(Clone, Debug)]
pub enum Object {
    Ingress(Arc<Ingress>),
    IngressClass(Arc<IngressClass>),
    Service(Arc<Service>),
    EndpointSlice(Arc<EndpointSlice>),
    Secret(Arc<Secret>),
}

// === impl Kind ===

impl Kind {
    pub const ALL: [Self; 5] = [Self::Ingress, Self::IngressClass, Self::Service, Self::EndpointSlice, Self::Secret];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::IngressClass => "IngressClass",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Secret => "Secret",
        }
    }

    /// For example `networking.k8s.io/v1`; `v1` for the core group.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::Ingress | Self::IngressClass => "networking.k8s.io/v1",
            Self::Service | Self::Secret => "v1",
            Self::EndpointSlice => "discovery.k8s.io/v1",
        }
    }

    /// As in URLs, for example `ingresses`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Ingress => "ingresses",
            Self::IngressClass => "ingressclasses",
            Self::Service => "services",
            Self::EndpointSlice => "endpointslices",
            Self::Secret => "secrets",
        }
    }

    /// The kind of an object, if it is one we read.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |field| object.get(field).and_then(Value::as_str);
        let (kind, version) = (text("kind")?, text("apiVersion")?);
        Self::ALL.into_iter().find(|it| it.name() == kind && it.api_version() == version)
    }

    pub fn object_ref(self, name: &Name) -> ObjectRef {
        ObjectRef { kind: self.name().into(), namespace: name.namespace.clone(), name: name.name.clone() }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Object ===

impl Object {
    /// Reads an object. What cannot be read is among its [`problems`](Self::problems).
    pub fn read(kind: Kind, name: Name, value: &Value) -> Self {
        match kind {
            Kind::Ingress => Self::Ingress(Arc::new(Ingress::read(name, value))),
            Kind::IngressClass => Self::IngressClass(Arc::new(IngressClass::read(name, value))),
            Kind::Service => Self::Service(Arc::new(Service::read(name, value))),
            Kind::EndpointSlice => Self::EndpointSlice(Arc::new(EndpointSlice::read(name, value))),
            Kind::Secret => Self::Secret(Arc::new(Secret::read(name, value))),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Ingress(_) => Kind::Ingress,
            Self::IngressClass(_) => Kind::IngressClass,
            Self::Service(_) => Kind::Service,
            Self::EndpointSlice(_) => Kind::EndpointSlice,
            Self::Secret(_) => Kind::Secret,
        }
    }

    pub fn meta(&self) -> &Meta {
        match self {
            Self::Ingress(it) => &it.meta,
            Self::IngressClass(it) => &it.meta,
            Self::Service(it) => &it.meta,
            Self::EndpointSlice(it) => &it.meta,
            Self::Secret(it) => &it.meta,
        }
    }

    /// What was wrong with the object by itself.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Ingress(it) => &it.problems,
            Self::IngressClass(it) => &it.problems,
            Self::Service(it) => &it.problems,
            Self::EndpointSlice(it) => &it.problems,
            Self::Secret(it) => &it.problems,
        }
    }

    pub fn object_ref(&self) -> ObjectRef {
        self.kind().object_ref(&self.meta().name)
    }
}

/// The hosts an Ingress's `host` field means: a name, `*.` and a name (one label), or empty for all.
pub fn host_pattern(host: &str) -> Result<HostPattern, HostnameError> {
    match (host, host.strip_prefix("*.")) {
        ("", _) => Ok(HostPattern::Any),
        (_, Some(suffix)) => Hostname::parse(suffix).map(HostPattern::OneLabel),
        _ => Hostname::parse(host).map(HostPattern::Exact),
    }
}
