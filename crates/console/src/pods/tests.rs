use super::*;

fn service(name: &str, requested_by: &str, labels: Value) -> Value {
    json!({ "metadata": { "name": name, "labels": labels, "annotations": { "paifang.dev/gateway": format!("edge/{name}"), "paifang.dev/requested-by": requested_by } } })
}

#[test]
fn whose_a_gateway_is_says_what_control_wrote() {
    let all = [
        service("gw-shop", "IngressGateway/shop/gateway", json!({})),
        service("gw-other", "IngressGateway/other/gateway", json!({})),
        service("gw-kubesphere", "KubesphereGateway/shop/old", json!({})),
        service("gw-kubesphere-system", "", json!({ "kubesphere.io/gateway-type": "cluster" })),
    ];
    let found = |namespace, name| of_request(&all, namespace, name).map(|it| id(it).to_string());
    assert_eq!(found("shop", "gateway").as_deref(), Some("edge/gw-shop"));
    assert_eq!(found("other", "gateway").as_deref(), Some("edge/gw-other"));
    // One that was refused, because there is another; one of a kind that was not asked about.
    assert_eq!(found("shop", "second"), None);
    assert_eq!(found("shop", "old"), None);
    assert_eq!(found("sho", "p/gateway"), None);
    assert_eq!(found("kubesphere-system", "cluster").as_deref(), Some("edge/gw-kubesphere-system"));
    assert_eq!(of_namespace(&all, "shop").map(|it| id(it).to_string()).as_deref(), Some("edge/gw-shop"));
    assert_eq!(of_namespace(&all, "sho"), None);
}

fn found(spec: Value, status: Value) -> Found {
    let annotations = json!({ "paifang.dev/node-address": "10.0.0.7", "paifang.dev/address": "" });
    let service = json!({ "metadata": { "annotations": annotations }, "spec": spec, "status": status });
    Found { id: GatewayId::new("edge/gw"), service, everybody: None, members: Vec::new(), left_out: 0 }
}

#[test]
fn requests_are_led_where_pods_listen() {
    let port = |name: &str, port: u16, target: Value, node: Value| json!({ "name": name, "port": port, "targetPort": target, "nodePort": node, "protocol": "TCP" });
    let mut ports = vec![
        port("http", 80, json!(1104), json!(30080)),
        port("https", 443, json!(1467), Value::Null),
        // Its own address is nobody's business, nor is a port that has but a name.
        port("sly", 81, json!(19_090), Value::Null),
        port("named", 82, json!("http"), Value::Null),
        port("dns", 53, json!(1077), Value::Null),
    ];
    ports[4]["protocol"] = "UDP".into();
    let ports = found(json!({ "ports": ports }), Value::Null).ports();
    let shown: Vec<_> = ports.iter().map(|(name, seen, target)| (name.as_str(), *seen, *target)).collect();
    assert_eq!(shown, [("http", 80, 1104), ("http", 30080, 1104), ("https", 443, 1467)]);
}

#[test]
fn only_a_gateway_s_own_addresses_are_tried() {
    let found = found(
        json!({ "clusterIPs": ["198.19.0.9"], "externalIPs": ["203.0.113.4"] }),
        json!({ "loadBalancer": { "ingress": [{ "ip": "203.0.113.5" }, { "hostname": "lb.example" }] } }),
    );
    let addresses = |request: &Value| found.addresses(request).iter().map(ToString::to_string).collect::<Vec<_>>();
    let said = ["10.0.0.8", "127.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:127.0.0.1", "gw.example"];
    let status = json!({ "addresses": said.map(|it| json!({ "value": it })) });
    let own = ["10.0.0.7", "198.19.0.9", "203.0.113.4", "203.0.113.5"];
    assert_eq!(addresses(&json!({ "status": status })), ["10.0.0.7", "10.0.0.8", "198.19.0.9", "203.0.113.4", "203.0.113.5"]);
    // What its owner says is what its status shows then.
    assert_eq!(addresses(&json!({ "spec": { "access": { "publicAddresses": ["10.0.0.8"] } }, "status": status })), own);
    assert_eq!(addresses(&Value::Null), own);
}

#[test]
fn pods_that_end_are_not_asked() {
    let pod = |phase: &str, deleted: Value, ready: &str| {
        let pod = json!({
            "metadata": { "name": "gw-1", "deletionTimestamp": deleted },
            "status": { "phase": phase, "conditions": [{ "type": "Ready", "status": ready }] },
        });
        Member::of(&serde_json::from_value(pod).expect("a pod")).map(|it| it.is_ready)
    };
    assert_eq!(pod("Running", Value::Null, "True"), Some(true));
    assert_eq!(pod("Running", Value::Null, "False"), Some(false));
    assert_eq!(pod("Pending", Value::Null, "False"), None);
    assert_eq!(pod("Running", json!("2026-11-21T10:00:00Z"), "True"), None);
}
