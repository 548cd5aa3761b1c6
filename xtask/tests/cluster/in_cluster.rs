//! Control as the cluster's own: a Deployment of its manifest, with its image, its account, and the rights that stand there.

use std::env;
use std::path::Path;

use serde_json::{Value, json};
use testkit::eventually;

use crate::pods::{asks, backend, is_ready, node_port};
use crate::support::{Definitions, alone, apply, get, kubectl};

pub const OWN: &str = "kubesphere-controls-system";
const CONTROL: &str = "paifang-system";

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name}: run `cargo xtask test --cluster`"))
}

/// Applied, with images that the node has, and taken down when dropped.
pub struct Installed;

impl Installed {
    pub fn new() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("deploy/kubernetes/control.yaml");
        let manifest = std::fs::read_to_string(manifest).expect("the manifest");
        let (deployment, rest): (Vec<&str>, Vec<&str>) = manifest.split("\n---\n").partition(|it| it.contains("\nkind: Deployment\n"));
        kubectl(&["apply", "-f", "-"], &rest.join("\n---\n")).expect("the manifest is accepted");
        // This cluster answers no names.
        let service = get(&["-n", CONTROL, "service", "paifang-control"]).expect("it was applied");
        let target = format!("{}:7443", service["spec"]["clusterIP"].as_str().expect("an address"));
        let deployment = deployment.concat();
        for image in ["image: paifang:0.1.0", "--gateway-image=paifang-gateway:0.1.0"] {
            assert!(deployment.contains(image), "the manifest has it");
        }
        let deployment = deployment.replace("image: paifang:0.1.0", &format!("image: {}", variable("CONTROL_IMAGE"))).replace(
            "- --gateway-image=paifang-gateway:0.1.0",
            &format!("- --gateway-image={}\n            - --link-target={target}", variable("GATEWAY_IMAGE")),
        );
        kubectl(&["apply", "-f", "-"], &deployment).expect("the manifest is accepted");
        Self
    }

    fn log() -> String {
        kubectl(&["-n", CONTROL, "logs", "deployment/paifang-control", "--tail=-1"], "").expect("its log")
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let show = |arguments: &[&str]| kubectl(arguments, "").unwrap_or_else(|error| error);
            eprintln!("--- control ---\n{}", show(&["-n", CONTROL, "logs", "deployment/paifang-control", "--tail=60"]));
            eprintln!("{}", show(&["get", "pods,deployments,hpa", "-A", "-o", "wide"]));
        }
        let _ = kubectl(&["-n", CONTROL, "delete", "deployment", "paifang-control", "--cascade=foreground", "--wait=true"], "");
        for selector in ["app.kubernetes.io/managed-by=paifang", "app.kubernetes.io/part-of=paifang"] {
            let kinds = "deployments,services,serviceaccounts,hpa,endpointslices";
            let _ = kubectl(&["delete", kinds, "-A", "-l", selector, "--wait=true"], "");
        }
    }
}

/// Pods of a gateway that are to stay.
pub fn crew(name: &str) -> Vec<Value> {
    let selector = format!("app.kubernetes.io/instance={name}");
    let pods = get(&["-n", OWN, "pods", "-l", &selector]).unwrap_or_default();
    let pods = pods["items"].as_array().cloned().unwrap_or_default();
    pods.into_iter().filter(|it| it["metadata"]["deletionTimestamp"].is_null()).collect()
}

fn can(arguments: &[&str]) -> bool {
    let account = format!("system:serviceaccount:{CONTROL}:paifang-control");
    kubectl(&[&["auth", "can-i", "--as", &account], arguments].concat(), "").is_ok()
}

/// What it needs and has, and what it has not. Whoever looks after people may do more, and may be left out.
const RIGHTS: [(&str, &[&str], bool); 17] = [
    ("its Nodes", &["list", "nodes"], true),
    ("certificates", &["watch", "secrets", "-A"], true),
    ("its gateways", &["create", "deployments.apps", "-n", OWN], true),
    ("how many there are", &["patch", "horizontalpodautoscalers.autoscaling", "-n", OWN], true),
    ("what it says", &["patch", "ingresses.networking.k8s.io", "--subresource=status", "-A"], true),
    ("its own secret", &["get", "secrets/paifang-link", "-n", CONTROL], true),
    ("no other of its namespace", &["update", "secrets/other", "-n", CONTROL], false),
    ("others' secrets are read, never written", &["create", "secrets", "-n", "default"], false),
    ("nor so", &["patch", "secrets", "-A"], false),
    ("routes are others'", &["delete", "ingresses.networking.k8s.io", "-A"], false),
    ("requests are others'", &["patch", "ingressgateways.paifang.dev", "-A"], false),
    ("nodes are others'", &["patch", "nodes"], false),
    ("pods are made by others", &["create", "pods", "-A"], false),
    ("nobody is spoken for", &["impersonate", "users"], false),
    ("nobody is let in", &["create", "pods", "--subresource=exec", "-A"], false),
    ("rights are given by others", &["bind", "clusterroles.rbac.authorization.k8s.io"], false),
    ("namespaces stay", &["delete", "namespaces"], false),
];

#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn control_runs_in_the_cluster_with_the_rights_of_its_manifest() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let _definitions = Definitions::own(folder.path());
    let _installed = Installed::new();
    let project = format!("project-{}", std::process::id());
    let name = format!("kubesphere-router-{project}");
    let (_origin, service) = backend(&project);
    let gateway = |spec: Value| {
        json!({
            "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": project },
            "spec": spec,
        })
    };
    let resources = json!({ "requests": { "cpu": "20m" }, "limits": { "memory": "256Mi" } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "web", "port": { "number": 80 } } } });
    apply(vec![
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": project } }),
        gateway(json!({ "access": { "type": "NodePort" }, "replicas": 2, "resources": resources, "labels": { "tier": "edge" } })),
        service,
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "web", "namespace": project },
            "spec": { "rules": [{ "host": "pods.test", "http": { "paths": [path] } }] },
        }),
    ]);
    kubectl(&["-n", CONTROL, "rollout", "status", "deployment/paifang-control", "--timeout=120s"], "").expect("control runs");

    // Two pods, as asked, that both serve.
    let two = eventually("two pods that are ready", || Some(crew(&name)).filter(|it| it.len() == 2 && it.iter().all(is_ready)));
    for pod in &two {
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["resources"], json!({ "requests": { "cpu": "20m", "memory": "256Mi" }, "limits": { "memory": "256Mi" } }));
        assert_eq!(pod["metadata"]["labels"]["tier"], "edge");
        let address = pod["status"]["podIP"].as_str().expect("an address");
        asks(format!("{address}:10080").parse().expect("a socket"), "/", "200 ");
    }
    let at = eventually("a node port", || node_port(OWN, &name));
    asks(at, "/", "200 ");
    let none = crate::support::curl(&format!("http://other.test:{}/", at.port()), "other.test", at, &[]).expect("it answers");
    assert!(none.ends_with("404 "), "{none}");

    // Its people read in its status what they may not look at themselves.
    let status = || get(&["-n", &project, "ingressgateways.paifang.dev", "gateway"])?.get("status").cloned();
    let now = eventually("two that are ready, in its status", || status().filter(|it| it["readyReplicas"] == 2 && it["replicas"] == 2));
    let names = |of: &Value| -> Vec<String> {
        let mut names: Vec<String> = of.as_array().into_iter().flatten().filter_map(|it| Some(it["name"].as_str()?.to_owned())).collect();
        names.sort();
        names
    };
    let mut expect: Vec<String> = two.iter().filter_map(|it| Some(it["metadata"]["name"].as_str()?.to_owned())).collect();
    expect.sort();
    assert_eq!(names(&now["pods"]), expect);
    assert_eq!(now["pods"][0]["node"], "node");
    assert_eq!(now["addresses"], json!([{ "type": "IPAddress", "value": variable("NODE_ADDRESS") }]));
    let conditions = now["conditions"].as_array().cloned().unwrap_or_default();
    let said = |kind: &str| conditions.iter().find(|it| it["type"] == kind).map(|it| it["status"].clone());
    assert_eq!((said("Accepted"), said("Programmed"), said("ReplicasIgnored")), (Some(json!("True")), Some(json!("True")), None));

    // As many as it takes, from here on; and one again.
    apply(vec![gateway(json!({ "access": { "type": "NodePort" }, "autoscaling": { "minReplicas": 1, "maxReplicas": 3 } }))]);
    let autoscaler = eventually("an autoscaler", || get(&["-n", OWN, "hpa", &name]));
    assert_eq!((&autoscaler["spec"]["minReplicas"], &autoscaler["spec"]["maxReplicas"]), (&json!(1), &json!(3)));
    eventually("pods without what is no longer asked for", || {
        let pods = Some(crew(&name)).filter(|it| !it.is_empty() && it.iter().all(is_ready))?;
        let plain = |it: &Value| {
            let resources = &it["spec"]["containers"][0]["resources"];
            it["metadata"]["labels"].get("tier").is_none() && resources.get("limits").is_none_or(|it| *it == json!({}))
        };
        pods.iter().all(plain).then_some(())
    });
    asks(at, "/", "200 ");
    apply(vec![gateway(json!({ "access": { "type": "NodePort" }, "replicas": 1 }))]);
    eventually("no autoscaler", || kubectl(&["-n", OWN, "get", "hpa", &name], "").err().filter(|it| it.contains("not found")));
    eventually("one pod", || (crew(&name).len() == 1).then_some(()));
    eventually("one pod in its status", || status().filter(|it| it["replicas"] == 1 && it["readyReplicas"] == 1));
    asks(at, "/", "200 ");

    // It was refused nothing, and has no more than it needs.
    let log = Installed::log();
    for word in ["orbidden", "cannot watch", "may not be watched", "could not be written"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
    kubectl(&["delete", "clusterrolebinding", "paifang-tenancy"], "").expect("who looks after people is left out");
    for (what, question, expect) in RIGHTS {
        assert_eq!(can(question), expect, "{what}: {question:?}");
    }
    kubectl(&["-n", &project, "delete", "ingressgateways.paifang.dev", "gateway"], "").expect("it is deleted");
    for kind in ["deployment", "service", "serviceaccount"] {
        eventually(&format!("no {kind}"), || kubectl(&["-n", OWN, "get", kind, &name], "").err().filter(|it| it.contains("not found")));
    }
    kubectl(&["delete", "namespace", &project, "--wait=false"], "").expect("it is deleted");
}
