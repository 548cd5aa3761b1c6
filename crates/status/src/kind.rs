//! The kinds we read and write, and how the API names them.

use kube::core::{ApiResource, GroupVersionKind};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Namespace,
    Service,
    EndpointSlice,
    Secret,
    ConfigMap,
    ServiceAccount,
    Pod,
    Node,
    Deployment,
    HorizontalPodAutoscaler,
    Ingress,
    IngressClass,
    GatewayClass,
    Gateway,
    HttpRoute,
    TlsRoute,
    TcpRoute,
    ReferenceGrant,
    IstioGateway,
    VirtualService,
    DestinationRule,
    IngressGateway,
    KubesphereGateway,
    Definition,
    Event,
}

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ISTIO: &str = "networking.istio.io";
const OWN: &str = "paifang.dev";
const KUBESPHERE: &str = "gateway.kubesphere.io";

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
    pub const ALL: [Self; 25] = [
        Self::Namespace,
        Self::Service,
        Self::EndpointSlice,
        Self::Secret,
        Self::ConfigMap,
        Self::ServiceAccount,
        Self::Pod,
        Self::Node,
        Self::Deployment,
        Self::HorizontalPodAutoscaler,
        Self::Ingress,
        Self::IngressClass,
        Self::GatewayClass,
        Self::Gateway,
        Self::HttpRoute,
        Self::TlsRoute,
        Self::TcpRoute,
        Self::ReferenceGrant,
        Self::IstioGateway,
        Self::VirtualService,
        Self::DestinationRule,
        Self::IngressGateway,
        Self::KubesphereGateway,
        Self::Definition,
        Self::Event,
    ];

    /// As a [`model::ObjectRef`] calls it: three groups have a kind `Gateway`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IstioGateway => "Gateway.networking.istio.io",
            Self::KubesphereGateway => "Gateway.gateway.kubesphere.io",
            other => other.word(),
        }
    }

    /// By the name that a [`model::ObjectRef`] has.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// As in an object's `kind`.
    pub const fn word(self) -> &'static str {
        self.row().1
    }

    /// As in an object's `apiVersion`.
    pub fn api_version(self) -> String {
        let (group, ..) = self.row();
        if group.is_empty() { self.version().to_owned() } else { format!("{group}/{}", self.version()) }
    }

    pub fn resource(self) -> ApiResource {
        let (group, kind, plural, _) = self.row();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, self.version(), kind), plural)
    }

    pub const fn namespaced(self) -> bool {
        self.row().3
    }

    /// The same among the kinds that are translated; `None`: nobody translates it.
    pub fn read(self) -> Option<resources::Kind> {
        resources::Kind::named(self.name())
    }

    /// Whether a server that is a Kubernetes has it without a CustomResourceDefinition.
    pub fn is_built_in(self) -> bool {
        !matches!(self.row().0, GATEWAY_API | ISTIO | OWN | KUBESPHERE)
    }

    /// Whether everything else goes on where it may not be read.
    pub fn is_optional(self) -> bool {
        !self.is_built_in() || matches!(self, Self::Node | Self::HorizontalPodAutoscaler)
    }

    /// The version it is read in.
    fn version(self) -> &'static str {
        match self.row().0 {
            OWN | KUBESPHERE => "v1alpha1",
            "autoscaling" => "v2",
            _ => "v1",
        }
    }

    /// Group, kind, plural, namespaced.
    const fn row(self) -> (&'static str, &'static str, &'static str, bool) {
        match self {
            Self::Namespace => ("", "Namespace", "namespaces", false),
            Self::Service => ("", "Service", "services", true),
            Self::EndpointSlice => ("discovery.k8s.io", "EndpointSlice", "endpointslices", true),
            Self::Secret => ("", "Secret", "secrets", true),
            Self::ConfigMap => ("", "ConfigMap", "configmaps", true),
            Self::ServiceAccount => ("", "ServiceAccount", "serviceaccounts", true),
            Self::Pod => ("", "Pod", "pods", true),
            Self::Node => ("", "Node", "nodes", false),
            Self::Deployment => ("apps", "Deployment", "deployments", true),
            Self::HorizontalPodAutoscaler => ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
            Self::Ingress => ("networking.k8s.io", "Ingress", "ingresses", true),
            Self::IngressClass => ("networking.k8s.io", "IngressClass", "ingressclasses", false),
            Self::GatewayClass => (GATEWAY_API, "GatewayClass", "gatewayclasses", false),
            Self::Gateway => (GATEWAY_API, "Gateway", "gateways", true),
            Self::HttpRoute => (GATEWAY_API, "HTTPRoute", "httproutes", true),
            Self::TlsRoute => (GATEWAY_API, "TLSRoute", "tlsroutes", true),
            Self::TcpRoute => (GATEWAY_API, "TCPRoute", "tcproutes", true),
            Self::ReferenceGrant => (GATEWAY_API, "ReferenceGrant", "referencegrants", true),
            Self::IstioGateway => (ISTIO, "Gateway", "gateways", true),
            Self::VirtualService => (ISTIO, "VirtualService", "virtualservices", true),
            Self::DestinationRule => (ISTIO, "DestinationRule", "destinationrules", true),
            Self::IngressGateway => (OWN, "IngressGateway", "ingressgateways", true),
            Self::KubesphereGateway => (KUBESPHERE, "Gateway", "gateways", true),
            Self::Definition => ("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false),
            Self::Event => ("", "Event", "events", true),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_translated_is_named_and_found_alike() {
        for read in resources::Kind::ALL {
            let kind = Kind::named(read.name()).unwrap_or_else(|| panic!("{read} has a kind here"));
            assert_eq!(kind.read(), Some(*read));
            let resource = kind.resource();
            assert_eq!((resource.api_version.as_str(), resource.plural.as_str()), (read.api_version(), read.plural()));
            assert_eq!(kind.namespaced(), read.lives() == resources::Lives::Namespace, "{read}");
        }
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!((Kind::named(kind.name()), Kind::ALL.iter().position(|it| *it == kind)), (Some(kind), Some(place)));
        }
    }
}
