//! The gateway that is there whoever asks, and the names it goes by.

use model::GatewayId;
use resources::{Name, Scope, SharedGateway};

/// As KubeSphere names its cluster gateway.
pub const GATEWAY_NAMESPACE: &str = "kubesphere-controls-system";
pub const GATEWAY_NAME: &str = "kubesphere-router-kubesphere-system";
pub const GATEWAY_ID: &str = "kubesphere-controls-system/kubesphere-router-kubesphere-system";
/// As Istio names it.
pub const ISTIO_NAMESPACE: &str = "istio-system";
pub const ISTIO_NAME: &str = "istio-ingressgateway";
/// Whose IngressClasses are ours.
pub const CONTROLLER: &str = "paifang.dev/ingress-controller";
/// Whose GatewayClasses are ours.
pub const GATEWAY_CONTROLLER: &str = "paifang.dev/gateway-controller";
/// Whose classes Istio serves where it is.
pub const ISTIO_CONTROLLER: &str = "istio.io/ingress-controller";
pub const ISTIO_GATEWAY_CONTROLLER: &str = "istio.io/gateway-controller";

/// What the workload of the shared gateway is labelled with.
pub(crate) const LABELS: [(&str, &str); 2] = [("istio", "ingressgateway"), ("app", "istio-ingressgateway")];

/// The shared gateway as translation sees it: the same for everyone who translates.
pub fn shared_gateway() -> SharedGateway {
    SharedGateway {
        id: GatewayId::new(GATEWAY_ID.to_owned()),
        scope: Scope::Cluster,
        labels: LABELS.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        namespace: ISTIO_NAMESPACE.into(),
        services: vec![Name::new(GATEWAY_NAMESPACE, GATEWAY_NAME), Name::new(ISTIO_NAMESPACE, ISTIO_NAME)],
        http: 80,
        https: 443,
        // Where Istio's own workload listens for what its Service has as 80 and 443.
        aliases: [(8080, 80), (8443, 443)].into(),
        ..SharedGateway::new(GatewayId::new(GATEWAY_ID.to_owned()))
    }
}
