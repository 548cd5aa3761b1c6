use super::*;
use model::GatewayId;
use serde_json::{Value, json};

fn service(spec: Value, annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "demo", "annotations": annotations}, "spec": spec})
}

fn slice(name: &str, ports: Value, endpoints: Value) -> Value {
    let labels = json!({"kubernetes.io/service-name": "web"});
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": name, "namespace": "demo", "labels": labels},
        "addressType": "IPv4", "ports": ports, "endpoints": endpoints})
}

fn check(objects: &[Value], id: &str, expect: &[&str]) -> Vec<(String, String)> {
    let mut options = Options::new(GatewayId::new("g"));
    options.egress = Egress::new(vec!["127.0.0.1:6443".parse().expect("an address")]);
    let (endpoints, reports) = endpoints(&Resources::of(objects), &options, &BackendId::new(id));
    let found: Vec<String> = endpoints.iter().map(|endpoint| endpoint.address.to_string()).collect();
    assert_eq!(found, expect);
    let problem =
        |report: &Report| (report.object.to_string(), report.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    reports.iter().map(problem).collect()
}

#[test]
fn ready_addresses_of_the_ports_name_each_once() {
    let web = service(json!({"ports": [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "other", "port": 81}]}), json!({}));
    let ports = json!([{"name": "http", "port": 8080}, {"name": "other", "port": 9090}]);
    let one =
        slice("one", ports.clone(), json!([{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"], "conditions": {"ready": false}}]));
    let two = slice("two", ports, json!([{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.3"], "conditions": {"ready": true}}]));
    let objects = [web, one, two];
    check(&objects, "demo/web:80", &["10.0.0.1:8080", "10.0.0.3:8080"]);
    check(&objects, "demo/web:81", &["10.0.0.1:9090", "10.0.0.3:9090"]);
    check(&objects, "demo/web:82", &[]);
    check(&objects, "demo/other:80", &[]);
    check(&objects, "nonsense", &[]);
}

#[test]
fn a_subset_has_the_endpoints_whose_pod_has_its_labels() {
    let web = service(json!({"ports": [{"port": 80}]}), json!({}));
    let pod = |name: &str, version: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "demo", "labels": {"app": "web", "version": version}}});
    let target = |name: &str| json!({"kind": "Pod", "name": name});
    let endpoints = json!([
        {"addresses": ["10.0.0.1"], "targetRef": target("one")}, {"addresses": ["10.0.0.2"], "targetRef": target("two")},
        {"addresses": ["10.0.0.3"], "targetRef": target("gone")}, {"addresses": ["10.0.0.4"]},
    ]);
    let objects = [web, slice("one", json!([{"port": 80}]), endpoints), pod("one", "v1"), pod("two", "v2")];
    check(&objects, "demo/web:80{version=v1}", &["10.0.0.1:80"]);
    check(&objects, "demo/web:80{app=web,version=v2}~demo/web", &["10.0.0.2:80"]);
    check(&objects, "demo/web:80{app=other}", &[]);
    check(&objects, "demo/web:80", &["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"]);
    let external = service(json!({"type": "ExternalName", "externalName": "10.0.0.9"}), json!({}));
    check(std::slice::from_ref(&external), "demo/web:80", &["10.0.0.9:80"]);
    check(&[external], "demo/web:80{version=v1}", &[]);
}

#[test]
fn a_slice_without_ports_means_the_target_port() {
    let web = service(json!({"ports": [{"port": 80, "targetPort": 8080}]}), json!({}));
    check(&[web, slice("one", json!([]), json!([{"addresses": ["10.0.0.1"]}]))], "demo/web:80", &["10.0.0.1:8080"]);
}

#[test]
fn refused_addresses_are_named_at_who_wrote_them() {
    let web = service(json!({"ports": [{"port": 80}]}), json!({}));
    let bad = json!([{"addresses": ["127.0.0.1", "169.254.169.254"]}, {"addresses": ["web.local"]}]);
    let told = check(&[web, slice("one", json!([{"port": 6443}]), bad)], "demo/web:80", &[]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "EndpointSlice demo/one");
    for part in ["endpoints[0].addresses[0]: `127.0.0.1:6443`", "endpoints[0].addresses[1]", "endpoints[1].addresses[0]: `web.local`"] {
        assert!(told[0].1.contains(part), "{part}: {told:?}");
    }
}

#[test]
fn the_annotation_becomes_slices() {
    let text = json!({"paifang.dev/endpoints": "127.0.0.1:8000, 127.0.0.1:6443 web:80 [::1]:8000,127.0.0.2:8000"});
    let web = service(json!({"ports": [{"name": "http", "port": 80}]}), text);
    let resources = Resources::of([&web]);
    let (slices, problems) = crate::endpoint_slices(resources.services().next().expect("one"));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("`web:80`"));
    let names: Vec<&Value> = slices.iter().map(|slice| &slice["metadata"]["name"]).collect();
    assert_eq!(names, ["web-paifang-6443", "web-paifang-8000", "web-paifang-8000-v6"]);
    let objects: Vec<Value> = std::iter::once(web).chain(slices).collect();
    let told = check(&objects, "demo/web:80", &["127.0.0.1:8000", "127.0.0.2:8000", "[::1]:8000"]);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "Service demo/web");
    assert!(told[0].1.contains("metadata.annotations[paifang.dev/endpoints]: `127.0.0.1:6443`"), "{told:?}");
}

#[test]
fn an_external_name_is_what_it_resolves_to() {
    let web = service(json!({"type": "ExternalName", "externalName": "web.test"}), json!({}));
    let told = check(std::slice::from_ref(&web), "demo/web:8000", &[]);
    assert!(told[0].1.contains("no address"), "{told:?}");
    let mut resources = Resources::of([&web]);
    assert_eq!(resources.external_names().map(|it| it.to_string()).collect::<Vec<_>>(), ["web.test"]);
    resources.apply(resources::Change::Resolved { name: "web.test".into(), addresses: vec!["10.0.0.7".parse().expect("an address")] });
    let (endpoints, _) = endpoints(&resources, &Options::new(GatewayId::new("g")), &BackendId::new("demo/web:8000"));
    assert_eq!(endpoints[0].address.to_string(), "10.0.0.7:8000");
}

#[test]
fn an_external_name_may_be_an_address() {
    let web = service(json!({"type": "ExternalName", "externalName": "10.0.0.9"}), json!({}));
    check(&[web], "demo/web:8000", &["10.0.0.9:8000"]);
}

#[test]
fn a_cluster_address_is_one_endpoint() {
    let web = service(json!({"clusterIP": "10.96.0.7", "ports": [{"port": 80, "targetPort": 8080}]}), json!({}));
    check(&[web], "demo/web:80@cluster-ip", &["10.96.0.7:80"]);
}
