//! Gateways in pods of their own: control on this host with the rights of its manifest and no others, everything else the cluster's.

use std::env;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

use crate::support::{Definitions, alone, apply, curl, get, kubectl};

/// Where pods find control: an address of this host that they have a way to.
const LINK: u16 = 17_443;

/// `paifang control`, as the ServiceAccount of the manifest.
struct Control {
    kubeconfig: String,
    link: String,
    node: String,
    running: Option<Child>,
}

impl Control {
    fn new(folder: &Path) -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("deploy/kubernetes/control.yaml");
        let manifest = std::fs::read_to_string(manifest).expect("the manifest");
        // Without its Deployment: control runs here, and its rights are the point.
        let rights: Vec<&str> = manifest.split("\n---\n").filter(|it| !it.contains("\nkind: Deployment\n")).collect();
        kubectl(&["apply", "-f", "-"], &rights.join("\n---\n")).expect("the manifest is accepted");
        let token = eventually("a token of control's ServiceAccount", || {
            kubectl(&["-n", "paifang-system", "create", "token", "paifang-control", "--duration", "1h"], "").ok()
        });
        let kubeconfig = folder.join("control.conf");
        std::fs::copy(env::var_os("KUBECONFIG").expect("KUBECONFIG"), &kubeconfig).expect("a copy");
        let kubeconfig = kubeconfig.display().to_string();
        let config = |arguments: &[&str]| {
            kubectl(&[&["--kubeconfig", &kubeconfig, "config"], arguments].concat(), "").expect("the kubeconfig is written")
        };
        config(&["set-credentials", "control", &format!("--token={}", token.trim())]);
        config(&["set-context", "--current", "--user=control"]);
        let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name}: run `cargo xtask test --cluster`"));
        let link = format!("{}:{LINK}", variable("BACKEND_ADDRESS"));
        Self { kubeconfig, link, node: variable("NODE_ADDRESS"), running: None }
    }

    fn start(&mut self) {
        let image = env::var("GATEWAY_IMAGE").expect("GATEWAY_IMAGE: run `cargo xtask test --cluster`");
        let mut command = Command::new(env::var_os("PAIFANG_BIN").expect("PAIFANG_BIN: run `cargo xtask test --cluster`"));
        command.args(["control", "--admin-address", "none", "--kubeconfig", &self.kubeconfig, "--gateway-image", &image]);
        command.args(["--link-address", &self.link, "--link-target", &self.link, "--node-address", &self.node]);
        self.running = Some(command.stdout(Stdio::null()).spawn().expect("it starts"));
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.kill();
            let _ = running.wait();
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop();
    }
}

fn gateway(namespace: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
        "metadata": { "name": "web", "namespace": namespace, "annotations": { "networking.istio.io/service-type": "NodePort" } },
        "spec": { "gatewayClassName": "paifang", "listeners": [{ "name": "http", "port": 80, "protocol": "HTTP" }] },
    })
}

fn route(namespace: &str, path: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "web", "namespace": namespace },
        "spec": {
            "parentRefs": [{ "name": "web" }], "hostnames": ["pods.test"],
            "rules": [{ "matches": [{ "path": { "value": path } }], "backendRefs": [{ "name": "web", "port": 80 }] }],
        },
    })
}

/// A Service whose backend is on this host.
pub fn backend(namespace: &str) -> (Origin, Value) {
    let address: IpAddr = env::var("BACKEND_ADDRESS").expect("BACKEND_ADDRESS").parse().expect("an address");
    let listener = TcpListener::bind((address, 0)).expect("the address is this machine's");
    let backend = listener.local_addr().expect("an address");
    drop(listener);
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "web", "namespace": namespace, "annotations": { "paifang.dev/endpoints": backend.to_string() } },
        "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 8080 }] },
    });
    (Origin::at(backend, Behaviour::Answer), service)
}

/// The one pod of a gateway that is not on its way out.
pub fn pod(namespace: &str, name: &str) -> Option<Value> {
    let selector = format!("app.kubernetes.io/instance={name}");
    let pods = get(&["-n", namespace, "pods", "-l", &selector])?;
    let stays = |it: &&Value| it["metadata"]["deletionTimestamp"].is_null();
    let mut stay = pods["items"].as_array()?.iter().filter(stays);
    stay.next().filter(|_| stay.next().is_none()).cloned()
}

pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// The gateway's node port for 80, as its Service says.
pub fn node_port(namespace: &str, service: &str) -> Option<SocketAddr> {
    let service = get(&["-n", namespace, "service", service])?;
    let port = service["spec"]["ports"].as_array()?.iter().find(|it| it["port"] == 80)?["nodePort"].as_u64()?;
    let node: IpAddr = env::var("NODE_ADDRESS").expect("NODE_ADDRESS").parse().expect("an address");
    Some(SocketAddr::new(node, u16::try_from(port).ok()?))
}

/// Asks through the node until this comes back.
pub fn asks(at: SocketAddr, path: &str, expect: &str) {
    let url = format!("http://pods.test:{}{path}", at.port());
    eventually(&format!("{url} says {expect:?}"), || curl(&url, "pods.test", at, &[]).filter(|said| said.ends_with(expect)));
}

#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn a_gateway_runs_in_a_pod_of_its_own() {
    let _alone = alone();
    let _definitions = Definitions::install("CRDS_GATEWAY_API");
    let folder = tempfile::tempdir().expect("a folder");
    let mut control = Control::new(folder.path());
    let namespace = format!("pods-{}", std::process::id());
    let (_origin, service) = backend(&namespace);
    control.start();
    apply(vec![
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": namespace, "labels": { "pod-security.kubernetes.io/enforce": "restricted" } },
        }),
        service,
        gateway(&namespace),
        route(&namespace, "/one"),
    ]);

    // A pod that gets its shards, and serves.
    let name = eventually("a Deployment for the Gateway", || {
        let all = get(&["-n", &namespace, "deployments"])?;
        all["items"][0]["metadata"]["name"].as_str().map(str::to_owned)
    });
    let first = eventually("a pod that is ready", || pod(&namespace, &name).filter(is_ready));
    let at = eventually("a node port", || node_port(&namespace, &name));
    asks(at, "/one", "200 ");
    asks(at, "/two", "404 ");
    eventually("Programmed", || {
        let gateway = get(&["-n", &namespace, "gateways.gateway.networking.k8s.io", "web"])?;
        let conditions = gateway["status"]["conditions"].as_array()?.clone();
        conditions.iter().any(|it| it["type"] == "Programmed" && it["status"] == "True").then_some(())
    });
    // It has no rights: its token is good for control alone.
    let account = format!("system:serviceaccount:{namespace}:{name}");
    let may = kubectl(&["auth", "can-i", "--list", "--as", &account], "").unwrap_or_default();
    assert!(!may.contains("secrets") && !may.contains("pods"), "{may}");

    // An edit arrives.
    apply(vec![route(&namespace, "/two")]);
    asks(at, "/two", "200 ");
    asks(at, "/one", "404 ");

    // Without control it serves on; with it again, it follows; and it is the same pod all the time.
    control.stop();
    apply(vec![route(&namespace, "/three")]);
    asks(at, "/two", "200 ");
    control.start();
    asks(at, "/three", "200 ");
    let now = pod(&namespace, &name).expect("it is there");
    assert_eq!(now["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(now["status"]["containerStatuses"][0]["restartCount"], 0);

    // A pod that nobody tells anything is not ready, and no requests are led to it.
    let scale =
        |to: &str| kubectl(&["-n", &namespace, "scale", "deployment", &name, &format!("--replicas={to}")], "").expect("it is scaled");
    control.stop();
    scale("0");
    eventually("no pod", || get(&["-n", &namespace, "pods"])?["items"].as_array()?.is_empty().then_some(()));
    scale("1");
    let running = |it: &Value| !it["status"]["containerStatuses"][0]["state"]["running"].is_null();
    eventually("a pod that runs", || pod(&namespace, &name).filter(running));
    let url =
        format!("http://{}:19090", eventually("its address", || pod(&namespace, &name)?["status"]["podIP"].as_str().map(str::to_owned)));
    let admin = |path: &str| {
        let output = Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", &format!("{url}{path}")]).output();
        String::from_utf8_lossy(&output.expect("curl starts").stdout).into_owned()
    };
    eventually("it lives", || (admin("/livez") == "200").then_some(()));
    assert_eq!(admin("/readyz"), "503");
    assert!(!pod(&namespace, &name).is_some_and(|it| is_ready(&it)), "it is ready before it was told anything");
    control.start();
    eventually("a pod that is ready", || pod(&namespace, &name).filter(is_ready));
    assert_eq!(admin("/readyz"), "200");
    asks(at, "/three", "200 ");

    // What was made goes with the Gateway.
    kubectl(&["-n", &namespace, "delete", "gateways.gateway.networking.k8s.io", "web"], "").expect("it is deleted");
    for kind in ["deployment", "service", "serviceaccount"] {
        eventually(&format!("no {kind}"), || {
            let said = kubectl(&["-n", &namespace, "get", kind, &name], "").err()?;
            said.contains("not found").then_some(())
        });
    }
    kubectl(&["delete", "namespace", &namespace, "--wait=false"], "").expect("it is deleted");
}

/// A project's gateway: asked for in the project, running where the project's people have no rights.
#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn a_project_s_gateway_runs_in_the_gateways_own_namespace() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let _definitions = Definitions::own(folder.path());
    let mut control = Control::new(folder.path());
    let namespace = format!("project-{}", std::process::id());
    let (name, own) = (format!("kubesphere-router-{namespace}"), "kubesphere-controls-system");
    let (_origin, service) = backend(&namespace);
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } });
    control.start();
    apply(vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }),
        json!({
            "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "project", "namespace": namespace },
            "spec": { "scope": "Project", "access": { "type": "NodePort" } },
        }),
        service,
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "web", "namespace": namespace },
            "spec": { "rules": [{ "host": "pods.test", "http": { "paths": [path] } }] },
        }),
    ]);
    eventually("a pod that is ready", || pod(own, &name).filter(is_ready));
    let at = eventually("a node port", || node_port(own, &name));
    asks(at, "/", "200 ");
    // Everybody's gateway runs beside it, and does not have the project's routes.
    let everybody = "kubesphere-router-kubesphere-system";
    eventually("everybody's pod", || pod(own, everybody).filter(is_ready));
    asks(eventually("its node port", || node_port(own, everybody)), "/", "404 ");
    kubectl(&["-n", &namespace, "delete", "ingressgateway", "project"], "").expect("it is deleted");
    for kind in ["deployment", "service", "serviceaccount"] {
        eventually(&format!("no {kind}"), || {
            let said = kubectl(&["-n", own, "get", kind, &name], "").err()?;
            said.contains("not found").then_some(())
        });
    }
    kubectl(&["delete", "namespace", &namespace, "--wait=false"], "").expect("it is deleted");
}
