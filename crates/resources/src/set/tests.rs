use super::*;
use serde_json::json;

fn ingress(host: &str, service: &str) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "demo"},
        "spec": {"rules": [{"host": host, "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]},
    })
}

fn hosts(resources: &Resources) -> Vec<String> {
    let mut hosts: Vec<String> = resources.ingress_hosts().map(ToString::to_string).collect();
    hosts.sort();
    hosts
}

#[test]
fn references_follow_the_objects() {
    let mut resources = Resources::default();
    resources.apply(Change::of(&ingress("a.test", "one")).expect("a change"));
    assert_eq!(hosts(&resources), ["a.test"]);
    resources.apply(Change::of(&ingress("b.test", "two")).expect("a change"));
    assert_eq!(hosts(&resources), ["b.test"]);
    assert_eq!(resources.ingresses_of_service(&Name::new("demo", "one")).count(), 0);
    assert_eq!(resources.ingresses_of_service(&Name::new("demo", "two")).count(), 1);
    resources.apply(Change::gone(Kind::Ingress, Name::new("demo", "web")));
    assert!(hosts(&resources).is_empty());
}

#[test]
fn what_reads_the_same_is_no_change() {
    let mut resources = Resources::of([&ingress("a.test", "one")]);
    let mut object = ingress("a.test", "one");
    object["status"] = json!({"loadBalancer": {"ingress": [{"ip": "127.1.0.1"}]}});
    assert!(matches!(resources.apply(Change::of(&object).expect("a change")), Applied::Nothing));
}

#[test]
fn a_malformed_object_keeps_what_can_be_read() {
    let mut object = ingress("a.test", "one");
    let rules = object["spec"]["rules"].as_array_mut().expect("a list");
    rules.push(json!({"host": 7, "http": {"paths": [{"path": "/x"}]}}));
    rules.push(json!({"host": "b.test", "http": {"paths": [{"path": 1}, {"path": "/y", "pathType": "Prefx", "backend": 3}]}}));
    object["metadata"]["annotations"] = json!({"a/canary-weight": 20});
    let resources = Resources::of([&object]);
    let ingress = resources.ingress(&Name::new("demo", "web")).expect("it is there");
    assert_eq!(ingress.rules.iter().map(|rule| (rule.index, &*rule.host)).collect::<Vec<_>>(), [(0, "a.test"), (2, "b.test")]);
    let fields: Vec<&str> = ingress.problems.iter().map(|problem| &*problem.field).collect();
    assert_eq!(
        fields,
        [
            "metadata.annotations[a/canary-weight]",
            "spec.rules[1].host",
            "spec.rules[1].http.paths[0].backend",
            "spec.rules[2].http.paths[0].path",
            "spec.rules[2].http.paths[0].backend",
            "spec.rules[2].http.paths[1].pathType",
            "spec.rules[2].http.paths[1].backend",
        ]
    );
    assert_eq!(ingress.meta.annotation("a/canary-weight").map(|it| &**it), Some("20"));
}
