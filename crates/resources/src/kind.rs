//! The kinds we read, each in a file of its own.

pub(crate) mod class;
pub(crate) mod config_map;
pub(crate) mod gateway_api;
pub(crate) mod ingress;
pub(crate) mod ingress_gateway;
pub(crate) mod istio;
pub(crate) mod kubesphere_gateway;
pub(crate) mod meta;
pub(crate) mod namespace;
pub(crate) mod pod;
pub(crate) mod secret;
pub(crate) mod service;
pub(crate) mod size;
pub(crate) mod slice;

use crate::problem::Problem;
use meta::{Meta, Name};
use model::{HostPattern, Hostname, HostnameError, ObjectRef};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Calls a macro with the list of kinds: variant, type, field in [`Resources`](crate::Resources), name in an [`ObjectRef`], `kind` and
/// `apiVersion`s in Kubernetes (the first is the one to watch), plural in URLs, where it lives.
macro_rules! for_each_kind {
    ($then:ident) => {
        $then! {
            Ingress = ingress::Ingress, ingresses, "Ingress", "Ingress", ["networking.k8s.io/v1"], "ingresses", Namespace;
            IngressClass = class::IngressClass, classes, "IngressClass", "IngressClass", ["networking.k8s.io/v1"], "ingressclasses", Cluster;
            Service = service::Service, services, "Service", "Service", ["v1"], "services", Namespace;
            EndpointSlice = slice::EndpointSlice, slices, "EndpointSlice", "EndpointSlice", ["discovery.k8s.io/v1"], "endpointslices", Namespace;
            Secret = secret::Secret, secrets, "Secret", "Secret", ["v1"], "secrets", Namespace;
            ConfigMap = config_map::ConfigMap, config_maps, "ConfigMap", "ConfigMap", ["v1"], "configmaps", Namespace;
            Namespace = namespace::Namespace, namespaces, "Namespace", "Namespace", ["v1"], "namespaces", Cluster;
            Pod = pod::Pod, pods, "Pod", "Pod", ["v1"], "pods", Namespace;
            GatewayClass = gateway_api::class::GatewayClass, gateway_classes, "GatewayClass", "GatewayClass", ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"], "gatewayclasses", Cluster;
            Gateway = gateway_api::gateway::Gateway, gateways, "Gateway", "Gateway", ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"], "gateways", Namespace;
            HttpRoute = gateway_api::http_route::HttpRoute, http_routes, "HTTPRoute", "HTTPRoute", ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"], "httproutes", Namespace;
            TlsRoute = gateway_api::tls_route::TlsRoute, tls_routes, "TLSRoute", "TLSRoute", ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1alpha3", "gateway.networking.k8s.io/v1alpha2"], "tlsroutes", Namespace;
            TcpRoute = gateway_api::tcp_route::TcpRoute, tcp_routes, "TCPRoute", "TCPRoute", ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1alpha2"], "tcproutes", Namespace;
            ReferenceGrant = gateway_api::grant::ReferenceGrant, grants, "ReferenceGrant", "ReferenceGrant", ["gateway.networking.k8s.io/v1", "gateway.networking.k8s.io/v1beta1"], "referencegrants", Namespace;
            IstioGateway = istio::gateway::IstioGateway, istio_gateways, "Gateway.networking.istio.io", "Gateway", ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"], "gateways", Namespace;
            VirtualService = istio::virtual_service::VirtualService, virtual_services, "VirtualService", "VirtualService", ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"], "virtualservices", Namespace;
            DestinationRule = istio::destination_rule::DestinationRule, destination_rules, "DestinationRule", "DestinationRule", ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"], "destinationrules", Namespace;
            IngressGateway = ingress_gateway::IngressGateway, ingress_gateways, "IngressGateway", "IngressGateway", ["paifang.dev/v1alpha1"], "ingressgateways", Namespace;
            KubesphereGateway = kubesphere_gateway::KubesphereGateway, kubesphere_gateways, "Gateway.gateway.kubesphere.io", "Gateway", ["gateway.kubesphere.io/v1alpha1"], "gateways", Namespace;
        }
    };
}
pub(crate) use for_each_kind;

macro_rules! kinds {
    ($($variant:ident = $($path:ident)::+, $field:ident, $name:literal, $word:literal, [$($version:literal),+], $plural:literal, $lives:ident;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($variant,)*
        }

        /// An object of one of the kinds.
        #[derive(Clone, Debug)]
        pub enum Object {
            $($variant(Arc<$($path)::+>),)*
        }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What an [`ObjectRef`] and a reader calls it: the `kind`, and where two groups have the same, with the group of the one that is not
            /// Gateway API's.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// `kind` in Kubernetes.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// Every version that is read, the one to watch first: for example `networking.k8s.io/v1`; `v1` for the core group.
            pub const fn api_versions(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($version,)+],)*
                }
            }

            /// As in URLs, for example `ingresses`.
            pub const fn plural(self) -> &'static str {
                match self {
                    $(Self::$variant => $plural,)*
                }
            }

            pub const fn lives(self) -> Lives {
                match self {
                    $(Self::$variant => Lives::$lives,)*
                }
            }
        }

        impl Object {
            /// Reads an object. What cannot be read is among its [`problems`](Self::problems).
            pub fn read(kind: Kind, name: Name, value: &Value) -> Self {
                match kind {
                    $(Kind::$variant => Self::$variant(Arc::new($($path)::+::read(name, value))),)*
                }
            }

            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$variant(_) => Kind::$variant,)*
                }
            }

            pub fn meta(&self) -> &Meta {
                match self {
                    $(Self::$variant(it) => &it.meta,)*
                }
            }

            /// What was wrong with the object by itself.
            pub fn problems(&self) -> &[Problem] {
                match self {
                    $(Self::$variant(it) => &it.problems,)*
                }
            }

            /// Whether both read the same: a changed `managedFields` or `status` is no change to us.
            pub(crate) fn same(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$variant(one), Self::$variant(other)) => one == other,)*
                    _ => false,
                }
            }
        }
    };
}
for_each_kind!(kinds);

/// Where objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lives {
    Namespace,
    Cluster,
}

// === impl Kind ===

impl Kind {
    /// The version to watch.
    pub const fn api_version(self) -> &'static str {
        self.api_versions()[0]
    }

    /// The group; empty for the core group.
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// The kind of an object, if it is one we read.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |field| object.get(field).and_then(Value::as_str);
        let (kind, version) = (text("kind")?, text("apiVersion")?);
        Self::ALL.iter().copied().find(|it| it.word() == kind && it.api_versions().contains(&version))
    }

    /// By the name that an [`ObjectRef`] has.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
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

/// The hosts a Gateway API or Istio host means: a name, `*.` and a name (one label or more), or empty or `*` for all.
pub fn deep_host_pattern(host: &str) -> Result<HostPattern, HostnameError> {
    match (host, host.strip_prefix("*.")) {
        ("" | "*", _) => Ok(HostPattern::Any),
        (_, Some(suffix)) => Hostname::parse(suffix).map(HostPattern::AnyDepth),
        _ => Hostname::parse(host).map(HostPattern::Exact),
    }
}
