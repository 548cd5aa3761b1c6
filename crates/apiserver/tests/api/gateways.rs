//! Istio's and Gateway API's kinds with the real kubectl, as their tutorials use them.

use crate::client::Server;
use crate::kubectl::{Kubectl, check};

const ISTIO: &str = r#"
apiVersion: networking.istio.io/v1alpha3
kind: Gateway
metadata: {name: web}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["web.example.com"]
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["web.example.com"]
  gateways: [web]
  http:
  - match: [{uri: {prefix: /status}}, {uri: {prefix: /delay}}]
    route: [{destination: {host: web, port: {number: 8000}}}]
"#;

const GATEWAY_API: &str = r#"
apiVersion: gateway.networking.k8s.io/v1beta1
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: istio
  listeners:
  - {name: http, hostname: web.example.com, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: web}]
  hostnames: [web.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /status}}, {path: {value: /delay}}]
    backendRefs: [{name: web, port: 8000}]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_gateway_is_istios_and_gtw_is_gateway_apis() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    kubectl.ok_with("apply -f -", ISTIO).await;
    kubectl.ok_with("apply -f -", GATEWAY_API).await;
    assert_eq!(kubectl.ok("get gateway -o name").await, "gateway.networking.istio.io/web\n");
    assert_eq!(kubectl.ok("get gateway --all-namespaces -o name").await, "gateway.networking.istio.io/web\n");
    assert_eq!(kubectl.ok("get gw,vs,dr,gtw,gc,refgrant -o name").await.lines().count(), 3);
    check(&kubectl.ok("get gtw").await, &["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "istio", "Unknown"]);
    check(&kubectl.ok("get vs,httproute").await, &["GATEWAYS", r#"["web"]"#, "HOSTNAMES", r#"["web.example.com"]"#]);
    assert_eq!(kubectl.ok(r#"get gtw web -o jsonpath={.spec.listeners[?(@.name=="http")].port}"#).await, "80");
    check(&kubectl.ok("api-resources --categories=istio-io -o name").await, &["virtualservices.networking.istio.io"]);
    check(&kubectl.ok("api-versions").await, &["networking.istio.io/v1alpha3", "gateway.networking.k8s.io/v1beta1"]);
    check(&kubectl.ok("explain httproute.spec.parentRefs").await, &["sectionName", "namespace", "<string>"]);
    check(&kubectl.ok("explain gateway.spec.servers.tls.mode").await, &["GROUP:", "networking.istio.io", "ENUM:", "AUTO_PASSTHROUGH"]);
    check(&kubectl.ok("get crd").await, &["gateways.networking.istio.io", "gateways.gateway.networking.k8s.io"]);
    kubectl.ok("delete gateway web").await;
    check(&kubectl.ok("get gtw web -o name").await, &["gateway.gateway.networking.k8s.io/web"]);
    kubectl.ok("delete gtw web").await;
    kubectl.ok_with("delete --ignore-not-found=true -f -", GATEWAY_API).await;
    kubectl.ok_with("delete --ignore-not-found=true -f -", GATEWAY_API).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_one_in_every_version() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    kubectl.ok_with("apply -f -", ISTIO).await;
    let mut watch = server.watch("/apis/networking.istio.io/v1/virtualservices?watch=true").await;
    assert_eq!(watch.next().await.expect("an event")["object"]["apiVersion"], "networking.istio.io/v1");
    for version in ["v1", "v1beta1"] {
        let other = ISTIO.replace("v1alpha3", version).replace("web.example.com", &format!("{version}.example.com"));
        kubectl.ok_with("apply -f -", &other).await;
        check(&kubectl.ok_with("apply -f -", &other).await, &["gateway.networking.istio.io/web unchanged"]);
        let seen = watch.next().await.expect("an event");
        assert_eq!((&seen["object"]["apiVersion"], &seen["object"]["kind"]), (&"networking.istio.io/v1".into(), &"VirtualService".into()));
        assert_eq!(seen["object"]["spec"]["hosts"][0], format!("{version}.example.com"));
    }
    let line = "get virtualservices.v1alpha3.networking.istio.io web -o jsonpath={.apiVersion}";
    assert_eq!(kubectl.ok(line).await, "networking.istio.io/v1alpha3");
    kubectl.ok(r#"patch virtualservices.v1alpha3.networking.istio.io web --type=merge -p {"spec":{"exportTo":["."]}}"#).await;
    assert_eq!(kubectl.ok("get vs web -o jsonpath={.spec.exportTo}").await, r#"["."]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_from_the_server_in_another_version_is_no_conflict() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    for version in ["v1alpha3", "v1", "v1beta1"] {
        let config = ISTIO.replace("v1alpha3", version).replace("/status", &format!("/{version}"));
        kubectl.ok_with("apply --server-side -f -", &config).await;
    }
    assert_eq!(kubectl.ok("get vs web -o jsonpath={.spec.http[0].match[0].uri.prefix}").await, "/v1beta1");
    let managers = kubectl.ok("get vs web --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}").await;
    assert_eq!(managers, "kubectl");
    let refused =
        kubectl.fails_with("apply --server-side --field-manager=other -f -", &ISTIO.replace("web.example.com", "other.example.com")).await;
    check(&refused, &["conflict with \"kubectl\"", ".spec.hosts"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_definition_allows_is_refused_and_old_versions_are_warned_of() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    let both = ISTIO.replace("{prefix: /delay}", "{prefix: /delay, exact: /delay}");
    check(&kubectl.fails_with("apply -f -", &both).await, &["spec.http[0].match[1].uri", "must validate one and only one schema"]);
    let unknown = ISTIO.replace("gateways: [web]", "gatewais: [web]");
    check(&kubectl.fails_with("apply -f -", &unknown).await, &["unknown field \"spec.gatewais\""]);
    let portless = GATEWAY_API.replace(", port: 8000", "");
    check(&kubectl.fails_with("apply -f -", &portless).await, &["spec.rules[0].backendRefs[0]", "a Service needs a port"]);
    let route = "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: tcp}\nspec:\n  rules:\n  - backendRefs: \
                 [{name: tcp, port: 9000}]\n";
    let ended = kubectl.says("apply -f -", route).await;
    check(&ended, &["tcproute.gateway.networking.k8s.io/tcp created", "Warning: ", "TCPRoute is deprecated; use"]);
    assert_eq!(kubectl.ok("get tcproutes.v1.gateway.networking.k8s.io tcp -o jsonpath={.spec.rules[0].backendRefs[0].weight}").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_becomes_programmed_is_waited_for() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    kubectl.ok_with("apply -f -", GATEWAY_API).await;
    check(&kubectl.fails_with("wait --for=condition=programmed gtw web --timeout=1s", "").await, &["timed out"]);
    let status = r#"{"status":{"addresses":[{"value":"127.0.0.1"}],"conditions":[{"type":"Programmed","status":"True","reason":"Programmed","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#;
    kubectl.ok(&format!("patch gtw web --subresource=status --type=merge -p {status}")).await;
    check(&kubectl.ok("wait --for=condition=programmed gtw web --timeout=30s").await, &["condition met"]);
    assert_eq!(kubectl.ok("get gtw web -o jsonpath={.status.addresses[0].value}").await, "127.0.0.1");
    check(&kubectl.ok("get gtw").await, &["127.0.0.1", "True"]);
}

const HTTPBIN: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web, service: web}}
spec:
  ports: [{name: http, port: 8000, targetPort: 8080}]
  selector: {app: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web, version: v1}}
  template:
    metadata: {labels: {app: web, version: v1}}
    spec:
      serviceAccountName: web
      containers:
      - {name: web, image: example/web, imagePullPolicy: IfNotPresent, ports: [{containerPort: 8080}]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_is_applied_changed_and_deleted_twice() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    let said = kubectl.says("apply -f -", HTTPBIN).await;
    check(
        &said,
        &["serviceaccount/web created", "service/web created", "deployment.apps/web created", "Warning: this API runs no containers"],
    );
    check(&kubectl.ok_with("apply -f -", HTTPBIN).await, &["deployment.apps/web unchanged"]);
    check(&kubectl.ok("get deploy,svc,sa").await, &["READY", "UP-TO-DATE", "AVAILABLE", "0/1", "8000/TCP"]);
    kubectl.ok("scale deployment web --replicas=2").await;
    kubectl.ok("set image deployment/web web=example/web:2").await;
    assert_eq!(kubectl.ok("get deploy web -o jsonpath={.spec.replicas}{.spec.template.spec.containers[*].image}").await, "2example/web:2");
    let env = HTTPBIN.replace("ports: [{c", "env: [{name: A, value: b}], ports: [{c");
    kubectl.ok_with("apply -f -", &env).await;
    kubectl.ok("create deployment other --image=example/other --port=80").await;
    kubectl.ok("run one --image=example/one --labels=app=one").await;
    check(&kubectl.ok("get po -l app=one -o wide").await, &["STATUS", "RESTARTS", "NODE", "one", "0/1", "Pending"]);
    check(&kubectl.ok("describe deployment web").await, &["Selector:", "app=web,version=v1", "example/web"]);
    kubectl.ok("describe pod one").await;
    kubectl.ok("delete pod one").await;
    for _ in 0..2 {
        kubectl.ok_with("delete --ignore-not-found=true -f -", HTTPBIN).await;
    }
    check(&kubectl.ok_with("apply -f -", HTTPBIN).await, &["deployment.apps/web created"]);
}
