use super::*;
use model::GatewayId;
use resources::load::load;

const SHOP: &str = r#"
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {nginx.ingress.kubernetes.io/use-regex: "true"}
spec:
  ingressClassName: nginx
  tls: [{hosts: [shop.test], secretName: tls}]
  rules:
  - host: shop.test
    http:
      paths:
      - {path: "/a(", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 80}}}}
      - {path: "/b", pathType: ImplementationSpecific, backend: {service: {name: web, port: {number: 81}}}}
      - {path: "/c", pathType: ImplementationSpecific, backend: {service: {name: other, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {paifang.dev/endpoints: "127.0.0.1:80 nonsense 169.254.0.1:80"}}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: off}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
"#;

fn told() -> Vec<String> {
    let objects: Vec<Value> = load("shop.yaml", SHOP).expect("good YAML").into_iter().map(|loaded| loaded.object).collect();
    let problems = check(&objects, &Options::new(GatewayId::new("g")));
    problems.iter().map(|(object, problem)| format!("{} {object} {} {}", problem.severity, problem.reason, problem.field)).collect()
}

#[test]
fn every_problem_with_its_place_and_references_as_notes() {
    let paths = "spec.rules[0].http.paths";
    let annotation = "metadata.annotations[paifang.dev/endpoints]";
    assert_eq!(
        told(),
        [
            "note Ingress default/shop ClassNotFound spec.ingressClassName".to_owned(),
            format!("error Ingress default/shop InvalidRegex {paths}[0].path"),
            format!("error Ingress default/shop PortNotFound {paths}[1].backend.service.port.number"),
            format!("note Ingress default/shop ServiceNotFound {paths}[2].backend.service.name"),
            "note Ingress default/shop SecretNotFound spec.tls[0].secretName".to_owned(),
            format!("error Service default/web EndpointRefused {annotation}"),
            format!("error Service default/web InvalidEndpoint {annotation}"),
            "error Service  Malformed metadata.name".to_owned(),
        ]
    );
}

#[test]
fn a_reference_that_is_nearly_right_says_so() {
    let text = SHOP.replace("name: other", "name: wbe");
    let objects: Vec<Value> = load("shop.yaml", &text).expect("good YAML").into_iter().map(|loaded| loaded.object).collect();
    let hints = |objects: &[Value]| -> Vec<String> {
        let problems = check(objects, &Options::new(GatewayId::new("g")));
        problems
            .into_iter()
            .filter(|(_, it)| it.reason == Cause::ServiceNotFound)
            .filter_map(|(_, it)| it.hint)
            .map(|it| it.to_string())
            .collect()
    };
    assert_eq!(hints(&objects), ["Did you mean `web`?"]);
    assert!(hints(&objects[..1]).iter().all(|hint| hint.contains("not among these objects")));
}
