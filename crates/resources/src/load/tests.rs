use super::*;

const TEXT: &str = "\
# two objects
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    paifang.dev/endpoints: 127.0.0.1:8000
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {a.b/c: 'x'}}
spec:
  rules:
  - host: a.test
    http:
      paths:
      - path: /x
        backend: {service: {name: web, port: {number: 80}}}
";

fn check(object: usize, field: &str, line: usize, column: usize) {
    let loaded = load("in.yaml", TEXT).expect("good YAML");
    let place = loaded[object].places.of(field).expect("a place");
    assert_eq!((place.line, place.column), (line, column), "{field}: {place:?}");
}

#[test]
fn fields_are_found() {
    check(0, "", 2, 1);
    check(0, "kind", 3, 7);
    check(0, "metadata.annotations[paifang.dev/endpoints]", 7, 28);
    check(1, "metadata.annotations[a.b/c]", 11, 44);
    check(1, "spec.rules[0].host", 14, 11);
    check(1, "spec.rules[0].http.paths[0].backend.service.port.number", 18, 55);
}

#[test]
fn a_missing_field_is_shown_where_it_would_be() {
    check(1, "spec.rules[0].http.paths[0].pathType", 17, 9);
    check(1, "spec.tls[0].secretName", 12, 1);
    check(1, "metadata.annotations[x.y/z]", 11, 23);
}

#[test]
fn the_items_of_a_list_are_objects() {
    let text =
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n- {apiVersion: v1, kind: Secret}\n";
    let loaded = load("in.yaml", text).expect("good YAML");
    assert_eq!(loaded.len(), 2);
    assert_eq!(loaded[0].places.of("metadata.name").map(|place| place.line), Some(4));
}

#[test]
fn what_is_no_object_is_said_with_its_line() {
    for (text, line, message) in [
        ("a: [1\nb: 2\n", 2, ""),
        ("---\nkind: Service\n", 2, "apiVersion"),
        ("---\n- 1\n", 2, "no Kubernetes object"),
        ("a: 1\na: 2\n", 2, ""),
    ] {
        let errors = load("in.yaml", text).expect_err("not good");
        assert_eq!(errors[0].place.line, line, "{errors:?}");
        assert!(errors[0].message.contains(message), "{errors:?}");
    }
    assert!(load("in.yaml", "").expect("nothing is good").is_empty());
    assert!(load("in.yaml", "---\n---\n# nothing\n").expect("nothing is good").is_empty());
}

#[test]
fn words_that_kubectl_reads_as_booleans_are_booleans() {
    let loaded = load("in.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: {a: yes, b: \"yes\", c: \"1\"}\n").expect("good YAML");
    assert_eq!(loaded[0].object["data"], serde_json::json!({"a": true, "b": "yes", "c": "1"}));
}
