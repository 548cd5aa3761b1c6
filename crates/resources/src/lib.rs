//! The Kubernetes objects we read, at one moment, and what we say back about them.
//!
//! Every kind is a trimmed type of our own, read from JSON field by field: what cannot be read becomes a [`Problem`] of that object, with its
//! field path, and the rest of the object is still there. It is *not* a client (nothing here talks to an API server) and not a schema
//! (what Kubernetes itself refuses is `schema`'s word).
//!
//! ```text
//! Value ──read──► Ingress, Service, … ──apply──► Resources ──► translate ──► Report (Problem, Problem, …)
//!                                          └──► Applied: the old and the new version, for whoever asks what a change touches
//! YAML ──load──► Value + Places: which line says what
//! ```
//!
//! **Invariant:** reading never fails and never panics; one malformed object costs only itself.

mod at;
mod backend_name;
mod certificate;
mod condition;
mod few;
pub mod gateway_api;
mod generated;
pub mod hosts;
pub mod istio;
mod kind;
pub mod load;
pub mod pattern;
mod problem;
mod references;
mod scope;
mod set;
mod suggest;
mod wanted;

pub use backend_name::{BackendName, Transport, Via};
pub use certificate::CertificateFault;
pub use condition::{Condition, GatewayStatus, ListenerStatus, ParentStatus, Status, Truth};
pub use few::Few;
pub use generated::{AddressForm, Age, GENERATED_HOST_ANNOTATION, Generated, HOST_ANNOTATION, HostTemplate, Projects, label};
pub use kind::class::{ClassGateway, IngressClass};
pub use kind::config_map::ConfigMap;
pub use kind::gateway_api::class::GatewayClass;
pub use kind::gateway_api::gateway::Gateway;
pub use kind::gateway_api::grant::ReferenceGrant;
pub use kind::gateway_api::http_route::HttpRoute;
pub use kind::gateway_api::tcp_route::TcpRoute;
pub use kind::gateway_api::tls_route::TlsRoute;
pub use kind::ingress::{HttpPath, Ingress, IngressBackend, PathType, PortRef, Rule, ServiceRef, TlsEntry};
pub use kind::ingress_gateway::{GatewayScope, IngressGateway, Tracing};
pub use kind::istio::destination_rule::DestinationRule;
pub use kind::istio::gateway::IstioGateway;
pub use kind::istio::virtual_service::VirtualService;
pub use kind::kubesphere_gateway::KubesphereGateway;
pub use kind::meta::{Meta, Name};
pub use kind::namespace::Namespace;
pub use kind::pod::Pod;
pub use kind::secret::{Authorities, Secret};
pub use kind::service::{Affinity, Exposure, NodePorts, Service, ServicePort, ServiceType, TargetPort, Traffic};
pub use kind::size::{Autoscaling, Size};
pub use kind::slice::{EndpointSlice, SliceEndpoint, SlicePort};
pub use kind::{Kind, Lives, Object, deep_host_pattern, host_pattern};
pub use problem::{Cause, Problem, Report, Severity};
pub use scope::{Origin, Scope, SharedGateway, home};
pub use set::{Applied, Change, GatewayRoute, Resources};
pub use suggest::{nearest, suggest};
pub use wanted::{Entrance, Touch, Wanted, WantedPort, Workload, WorkloadAccess};
