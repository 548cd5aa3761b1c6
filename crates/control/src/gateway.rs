//! The gateway that is there whoever asks, and the names it goes by.

use crate::services::{EVERYBODY, GATEWAY, TYPE};
use model::GatewayId;
use resources::{Name, Scope, SharedGateway};
use serde_json::Value;
use translate::{Naming, PLATFORM};

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
pub fn shared_gateway(naming: &Naming) -> SharedGateway {
    let own = naming.everybody();
    let id = GatewayId::new(own.to_string());
    SharedGateway {
        scope: Scope::Cluster,
        labels: LABELS.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        namespace: ISTIO_NAMESPACE.into(),
        services: vec![own, Name::new(ISTIO_NAMESPACE, ISTIO_NAME)],
        http: 80,
        https: 443,
        // Where Istio's own workload listens for what its Service has as 80 and 443.
        aliases: [(8080, 80), (8443, 443)].into(),
        ..SharedGateway::new(id)
    }
}

/// How gateways are named where this is the Service of the shared one; `None`: it is another object.
pub fn naming(service: &Value) -> Option<Naming> {
    let text = |pointer: &str, key: &str| service.pointer(pointer)?.get(key)?.as_str();
    let of_everybody = text("", "kind") == Some("Service") && text("/metadata/labels", TYPE) == Some(EVERYBODY);
    let (namespace, name) = (text("/metadata", "namespace")?, text("/metadata", "name")?);
    let is_own = text("/metadata/annotations", GATEWAY) == Some(format!("{namespace}/{name}").as_str());
    let prefix = name.strip_suffix(PLATFORM)?.strip_suffix('-')?;
    (of_everybody && is_own).then(|| Naming { namespace: namespace.into(), prefix: prefix.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn how_gateways_are_named_is_read_off_the_shared_one() {
        let service = |namespace: &str, name: &str, id: &str| {
            let metadata = json!({ "namespace": namespace, "name": name, "labels": { TYPE: EVERYBODY }, "annotations": { GATEWAY: id } });
            json!({ "kind": "Service", "metadata": metadata })
        };
        let found = naming(&service("edge", "gw-kubesphere-system", "edge/gw-kubesphere-system")).expect("it is the shared one's");
        assert_eq!((found.namespace.as_str(), found.prefix.as_str()), ("edge", "gw"));
        assert_eq!(shared_gateway(&found).id.as_str(), "edge/gw-kubesphere-system");
        let default = Naming::default().everybody();
        let shared = service(&default.namespace, &default.name, &default.to_string());
        assert_eq!(naming(&shared), Some(Naming::default()));
        // Another one's word is not taken.
        assert_eq!(naming(&service("demo", "gw-kubesphere-system", "edge/gw-kubesphere-system")), None);
        assert_eq!(naming(&service("edge", "gw-demo", "edge/gw-demo")), None);
    }
}
