//! The real kubectl. Without it these tests fail and say so.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::client::Server;

pub struct Kubectl<'a> {
    server: &'a Server,
    home: tempfile::TempDir,
    /// Another than the administrator's.
    kubeconfig: Option<std::path::PathBuf>,
}

/// What a command printed and how it ended.
struct Ended {
    success: bool,
    out: String,
    err: String,
}

impl<'a> Kubectl<'a> {
    pub fn new(server: &'a Server) -> Self {
        Self { server, home: tempfile::tempdir().expect("a temporary directory"), kubeconfig: None }
    }

    /// For another user than the administrator.
    pub fn with_kubeconfig(server: &'a Server, kubeconfig: &str) -> Self {
        let mut kubectl = Self::new(server);
        let path = kubectl.home.path().join("kubeconfig");
        std::fs::write(&path, kubeconfig).expect("a file");
        kubectl.kubeconfig = Some(path);
        kubectl
    }

    pub fn with_token(server: &'a Server, token: &str) -> Self {
        let text = &server.running.kubeconfig;
        let at = text.find("    client-certificate-data:").expect("a user");
        let end = text.find("contexts:").expect("contexts");
        Self::with_kubeconfig(server, &format!("{}    token: {token}\n{}", &text[..at], &text[end..]))
    }

    async fn run(&self, arguments: &[&str], input: &str) -> Ended {
        let kubeconfig: &Path = self.kubeconfig.as_ref().unwrap_or(&self.server.running.kubeconfig_path);
        let mut command = Command::new("kubectl");
        command.args(arguments).env("KUBECONFIG", kubeconfig).env("HOME", self.home.path()).env("TZ", "UTC");
        command.env("KUBE_EDITOR", "sed -i s/before/after/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("these tests need kubectl: install it and put it on the PATH");
        let mut stdin = child.stdin.take().expect("a pipe");
        // kubectl that reads no input may be gone already.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, input.as_bytes()).await;
        drop(stdin);
        let output = tokio::time::timeout(crate::client::PATIENCE, child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("kubectl {arguments:?} hangs")).expect("it ran");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended { success: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// A command line that must succeed.
    pub async fn ok_with(&self, line: &str, input: &str) -> String {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ended = self.run(&arguments, input).await;
        assert!(ended.success, "kubectl {line}: {}{}", ended.out, ended.err);
        ended.out
    }

    pub async fn ok(&self, line: &str) -> String {
        self.ok_with(line, "").await
    }

    /// All that a command line says which must succeed, warnings too.
    pub async fn says(&self, line: &str, input: &str) -> String {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ended = self.run(&arguments, input).await;
        assert!(ended.success, "kubectl {line}: {}{}", ended.out, ended.err);
        ended.out + &ended.err
    }

    /// A command line that must fail; what it says.
    pub async fn fails_with(&self, line: &str, input: &str) -> String {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ended = self.run(&arguments, input).await;
        assert!(!ended.success, "kubectl {line}: {}", ended.out);
        ended.err
    }
}

pub fn check(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

const WEB: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, labels: {app: web}, annotations: {note: before}}
spec:
  rules:
  - host: demo.kubesphere.io
    http:
      paths:
      - {path: /, pathType: ImplementationSpecific, backend: {service: {name: web, port: {name: http}}}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_is_applied_changed_described_and_deleted() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    let out = kubectl.ok_with("apply -f -", WEB).await;
    check(&out, &["service/web created", "ingress.networking.k8s.io/web created"]);
    let out = kubectl.ok_with("apply -f -", WEB).await;
    check(&out, &["service/web unchanged", "ingress.networking.k8s.io/web unchanged"]);
    let moved = WEB.replace("8080", "9090");
    check(&kubectl.ok_with("apply -f -", &moved).await, &["service/web configured"]);
    assert_eq!(kubectl.ok("get svc web -o jsonpath={.spec.ports[*].targetPort}").await, "9090");
    let renamed = WEB.replace("port: 80,", "port: 81,");
    kubectl.ok_with("apply -f -", &renamed).await;
    assert_eq!(kubectl.ok("get svc web -o jsonpath={.spec.ports[*].port}").await, "81", "a removed port is gone");

    let table = kubectl.ok("get ingress,service").await;
    check(&table, &["NAME", "CLASS", "HOSTS", "ADDRESS", "PORTS", "demo.kubesphere.io", "TYPE", "CLUSTER-IP", "81/TCP"]);
    let text = kubectl.ok("describe ingress web").await;
    check(&text, &["Rules:", "demo.kubesphere.io", "web:http"]);
    kubectl.ok("edit ingress web").await;
    assert_eq!(kubectl.ok("get ing web -o jsonpath={.metadata.annotations.note}").await, "after");
    check(&kubectl.ok_with("diff -f -", "").await, &[]);
    check(&kubectl.ok_with("replace -f -", WEB).await, &["replaced"]);
    check(&kubectl.ok_with("delete -f -", WEB).await, &["service \"web\" deleted", "ingress.networking.k8s.io \"web\" deleted"]);
    check(&kubectl.fails_with("get ing web", "").await, &["(NotFound): ingresses.networking.k8s.io \"web\" not found"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_generators_patches_labels_and_waits() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    check(&kubectl.ok("create namespace shop").await, &["namespace/shop created"]);
    kubectl.ok("create configmap a --from-literal=x=y").await;
    kubectl.ok("create secret generic s --from-literal=a=b").await;
    kubectl.ok("create ingress x --rule=a.example/b=c:80").await;
    kubectl.ok("create service nodeport y --tcp=80:8080 --node-port=30001").await;
    kubectl.ok("create role r --verb=get --resource=services").await;
    kubectl.ok("create serviceaccount x").await;
    check(&kubectl.ok("get svc y").await, &["NodePort", "80:30001/TCP"]);
    kubectl.ok(r#"patch configmap a --type=merge -p {"data":{"x":null,"q":"1"}}"#).await;
    kubectl.ok(r#"patch configmap a --type=json -p [{"op":"add","path":"/data/w","value":"2"}]"#).await;
    kubectl.ok(r#"patch configmap a -p {"data":{"z":"3"}}"#).await;
    assert_eq!(kubectl.ok("get cm a -o jsonpath={.data}").await, r#"{"q":"1","w":"2","z":"3"}"#);
    kubectl.ok("label cm a tier=web").await;
    kubectl.ok("annotate cm a note=b").await;
    assert_eq!(kubectl.ok("get cm -l tier=web -o name").await.trim(), "configmap/a");
    assert_eq!(kubectl.ok("get cm -A --chunk-size=1 -o name").await.trim(), "configmap/a");
    check(&kubectl.ok("wait svc/y --for=jsonpath={.spec.type}=NodePort --timeout=30s").await, &["condition met"]);
    check(&kubectl.ok("delete cm a --wait=true").await, &["deleted"]);
    check(&kubectl.ok("wait cm/a --for=delete --timeout=30s").await, &[]);
    kubectl.ok("delete namespace shop").await;
    check(&kubectl.fails_with("get ns shop", "").await, &["NotFound"]);
    check(&kubectl.ok("auth whoami").await, &["system:masters"]);
    assert_eq!(kubectl.ok("auth can-i delete services").await.trim(), "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_and_explanations() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    check(&kubectl.ok("api-versions").await, &["networking.k8s.io/v1", "apiextensions.k8s.io/v1"]);
    check(&kubectl.ok("api-resources").await, &["ingresses", "ing ", "endpointslices", "customresourcedefinitions"]);
    check(&kubectl.ok("explain ingress.spec.rules").await, &["GROUP:", "networking.k8s.io", "host", "<HTTPIngressRuleValue>"]);
    check(&kubectl.ok("explain service.spec.ports --recursive").await, &["targetPort", "<IntOrString>"]);
    check(&kubectl.ok("version").await, &["Server Version: v1."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_objects_is_applied_and_checked() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    kubectl.ok_with("create -f -", WEB).await;
    let saved = kubectl.ok("get svc,ing -o yaml").await;
    check(&saved, &["kind: List"]);
    kubectl.ok_with("delete -f -", WEB).await;
    let out = kubectl.ok_with("apply -f -", &saved).await;
    check(&out, &["service/web created", "ingress.networking.k8s.io/web created"]);
    kubectl.ok_with("delete -f -", WEB).await;
    let typo = saved.replace("pathType:", "pathTyp:");
    check(&kubectl.fails_with("apply -f -", &typo).await, &[r#"unknown field "spec.rules[0].http.paths[0].pathTyp""#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    let typo = WEB.replace("pathType", "pathTyp");
    check(&kubectl.fails_with("apply -f -", &typo).await, &[r#"unknown field "spec.rules[0].http.paths[0].pathTyp""#]);
    let wrong = WEB.replace("host: demo.kubesphere.io", "host: Demo_");
    check(&kubectl.fails_with("apply -f -", &wrong).await, &["The Ingress \"web\" is invalid", "spec.rules[0].host"]);
    check(&kubectl.fails_with("get nothings", "").await, &["the server doesn't have a resource type \"nothings\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_and_its_objects() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    let definition = crate::custom::definition("things", "example.io").to_string();
    kubectl.ok_with("apply -f -", &definition).await;
    check(&kubectl.ok("wait crd/things.example.io --for=condition=Established --timeout=30s").await, &["condition met"]);
    let thing = r#"{"apiVersion":"example.io/v1","kind":"Kindthings","metadata":{"name":"a"},"spec":{"size":3}}"#;
    kubectl.ok_with("apply -f -", thing).await;
    check(&kubectl.ok_with("apply -f -", &thing.replace('3', "4")).await, &["configured"]);
    let table = kubectl.ok("get xthings -o wide").await;
    check(&table, &["NAME", "SIZE", "COLOR", "a ", "4", "red"]);
    check(&kubectl.ok("explain kindthings.spec").await, &["color", "<string>", "size", "-required-"]);
    check(&kubectl.ok("describe kindthings a").await, &["Color:", "red"]);
    check(&kubectl.fails_with("apply -f -", &thing.replace('3', "0")).await, &["spec.size", "should be greater than or equal to 1"]);
    kubectl.ok("delete crd things.example.io").await;
    check(&kubectl.fails_with("get things.example.io", "").await, &["error"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_shown_by_every_command_that_shows_events() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    kubectl.ok_with("apply -f -", WEB).await;
    let uid = kubectl.ok("get ing web -o jsonpath={.metadata.uid}").await;
    let event = format!(
        "apiVersion: v1\nkind: Event\nmetadata: {{name: web.1}}\ninvolvedObject: {{apiVersion: networking.k8s.io/v1, kind: Ingress, \
         name: web, namespace: default, uid: {uid}}}\nreason: Broken\nmessage: the regex does not compile\ntype: Warning\ncount: 1\n\
         firstTimestamp: \"2026-01-01T00:00:00Z\"\nlastTimestamp: \"2026-01-01T00:00:00Z\"\nsource: {{component: paifang}}\n"
    );
    kubectl.ok_with("create -f -", &event).await;
    for line in ["describe ingress web", "events", "events --for=ingress/web", "get events", "get events.events.k8s.io"] {
        check(&kubectl.ok(line).await, &["Broken", "the regex does not compile"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_side_apply() {
    let server = Server::start().await;
    let kubectl = Kubectl::new(&server);
    let map = |x: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: '{x}'\n");
    // What was applied from the client goes over without a conflict.
    kubectl.ok_with("apply -f -", &map("1")).await;
    let said = kubectl.ok_with("apply --server-side -f -", &map("2")).await;
    assert!(said.contains("configmap/a serverside-applied"), "{said}");
    let shown = kubectl.ok("get configmap a -o yaml --show-managed-fields").await;
    assert!(shown.contains("manager: kubectl\n") && shown.contains("operation: Apply") && shown.contains("f:x: {}"), "{shown}");
    assert!(!shown.contains("kubectl-client-side-apply"), "{shown}");
    assert!(!kubectl.ok("get configmap a -o yaml").await.contains("managedFields"));
    let refused = kubectl.fails_with("apply --server-side --field-manager=other -f -", &map("3")).await;
    assert!(refused.contains(r#"conflict with "kubectl": .data.x"#), "{refused}");
    let diff = kubectl.run(&["diff", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-"], &map("3")).await;
    assert!(!diff.success && diff.out.contains("-  x: \"2\"") && diff.out.contains("+  x: \"3\""), "{}{}", diff.out, diff.err);
    kubectl.ok_with("apply --server-side --field-manager=other --force-conflicts -f -", &map("3")).await;
    assert_eq!(kubectl.ok("get configmap a -o jsonpath={.data.x}").await, "3");
    let dry = kubectl.ok_with("apply --server-side --dry-run=server -f -", &map("3").replace("name: a", "name: b")).await;
    assert!(dry.contains("configmap/b serverside-applied (server dry run)"), "{dry}");
    kubectl.fails_with("get configmap b", "").await;
    // What is applied in turns and no longer names a field gives it up.
    let less = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    kubectl.ok_with("apply --server-side --field-manager=other -f -", less).await;
    kubectl.ok_with("apply --server-side -f -", less).await;
    assert_eq!(kubectl.ok("get configmap a -o jsonpath={.data}").await, "");
}
