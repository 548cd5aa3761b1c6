//! The kinds we read and write, and how the API names them.

use kube::core::{ApiResource, GroupVersionKind};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Namespace,
    Service,
    EndpointSlice,
    Secret,
    Ingress,
    IngressClass,
    Event,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    pub kind: Kind,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
}

// === impl Kind ===

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Namespace, Self::Service, Self::EndpointSlice, Self::Secret, Self::Ingress, Self::IngressClass, Self::Event];

    /// As in an object's `kind`.
    pub const fn word(self) -> &'static str {
        self.row().1
    }

    /// As in an object's `apiVersion`.
    pub fn api_version(self) -> String {
        let (group, ..) = self.row();
        if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") }
    }

    pub fn resource(self) -> ApiResource {
        let (group, kind, plural, _) = self.row();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural)
    }

    pub const fn namespaced(self) -> bool {
        self.row().3
    }

    /// Group, kind, plural, namespaced. Every kind is read in its `v1`.
    const fn row(self) -> (&'static str, &'static str, &'static str, bool) {
        match self {
            Self::Namespace => ("", "Namespace", "namespaces", false),
            Self::Service => ("", "Service", "services", true),
            Self::EndpointSlice => ("discovery.k8s.io", "EndpointSlice", "endpointslices", true),
            Self::Secret => ("", "Secret", "secrets", true),
            Self::Ingress => ("networking.k8s.io", "Ingress", "ingresses", true),
            Self::IngressClass => ("networking.k8s.io", "IngressClass", "ingressclasses", false),
            Self::Event => ("", "Event", "events", true),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

// === impl Target ===

impl Target {
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        if namespace.is_empty() { write!(f, "{kind} {name}") } else { write!(f, "{kind} {namespace}/{name}") }
    }
}
