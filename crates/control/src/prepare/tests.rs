use super::*;

fn seen_as(gateway: &str, address: &str, node_port: u16) -> Value {
    json!({
        "metadata": { "annotations": { "paifang.dev/gateway": gateway, "paifang.dev/address": address } },
        "spec": { "type": "LoadBalancer", "ports": [{ "name": "http", "port": 80, "targetPort": 80, "nodePort": node_port }] },
    })
}

/// Else a start without Istio's part, after one with it, would move the gateway to another address.
#[test]
fn a_service_that_the_gateway_is_no_longer_seen_as_keeps_nothing_from_it() {
    let shared = SharedGateway {
        services: vec![Name::new("kubesphere-controls-system", "router")],
        ..crate::shared_gateway(&translate::Naming::default())
    };
    let services = BTreeMap::from([
        (shared.services[0].clone(), seen_as(shared.id.as_str(), "192.0.2.1", 30_080)),
        (Name::new("istio-system", "istio-ingressgateway"), seen_as(shared.id.as_str(), "192.0.2.1", 31_080)),
        (Name::new("shop", "web-paifang"), seen_as("shop/web", "192.0.2.2", 30_081)),
    ]);
    let taken = reserved(&shared, &services);
    assert_eq!(taken.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.0.2.2"]);
    assert_eq!(taken.node_ports.iter().copied().collect::<Vec<_>>(), [30_081]);
}
