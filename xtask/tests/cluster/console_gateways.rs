//! The console before gateways that run in pods: a project's people see of theirs what is no object, and of no other's.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::browser::Browser;
use testkit::eventually;

use crate::console;
use crate::in_cluster::{self, OWN, crew};
use crate::pods::{asks, backend, is_ready, node_port};
use crate::support::{Definitions, alone, apply, get, kubectl};

/// What lets the console look at gateways' pods.
fn gives() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("deploy/kubernetes/console-gateways.yaml");
    std::fs::read_to_string(file).expect("the manifest")
}

/// What the console's account may do then, and nothing else.
const RIGHTS: [(&[&str], bool); 11] = [
    (&["list", "pods", "-n", OWN], true),
    (&["get", "pods", "--subresource=log", "-n", OWN], true),
    (&["create", "pods", "--subresource=portforward", "-n", OWN], true),
    (&["list", "services", "-n", OWN], true),
    (&["create", "pods", "--subresource=exec", "-n", OWN], false),
    (&["delete", "pods", "-n", OWN], false),
    (&["get", "secrets", "-n", OWN], false),
    (&["list", "pods", "-A"], false),
    (&["get", "pods", "--subresource=log", "-n", "paifang-system"], false),
    (&["list", "ingressgateways.paifang.dev", "-A"], false),
    (&["impersonate", "users"], false),
];

/// A project with a gateway of two pods, and somebody in it.
struct Project {
    name: String,
    service: String,
}

impl Project {
    fn new(backend: Value, name: &str) -> Self {
        let path = |path: &str, service: &str| json!({ "path": path, "pathType": "Prefix", "backend": { "service": { "name": service, "port": { "number": 80 } } } });
        apply(vec![
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
            json!({
                "apiVersion": "paifang.dev/v1alpha1", "kind": "IngressGateway", "metadata": { "name": "gateway", "namespace": name },
                "spec": { "access": { "type": "NodePort" }, "replicas": 2, "resources": { "requests": { "cpu": "20m" } } },
            }),
            backend,
            // Nothing is behind it.
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": "empty", "namespace": name },
                "spec": { "selector": { "app": "nobody" }, "ports": [{ "port": 80 }] },
            }),
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "web", "namespace": name },
                "spec": { "rules": [{ "host": "pods.test", "http": { "paths": [path("/", "web"), path("/empty", "empty")] } }] },
            }),
            // For whoever comes by the address alone.
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "any", "namespace": name },
                "spec": { "rules": [{ "http": { "paths": [path("/", "web"), path("/empty", "empty")] } }] },
            }),
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "ann", "namespace": name } }),
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "ben", "namespace": name } }),
        ]);
        let role = ["create", "role", "looks", "-n", name, "--verb=get,list,watch"];
        let resources = "--resource=ingressgateways.paifang.dev,ingresses.networking.k8s.io,services,endpointslices.discovery.k8s.io";
        kubectl(&[&role[..], &[resources]].concat(), "").expect("a role");
        let role = ["create", "role", "routes", "-n", name, "--verb=get,list", "--resource=ingresses.networking.k8s.io"];
        kubectl(&role, "").expect("a role");
        for (who, role) in [("ann", "looks"), ("ben", "routes")] {
            let account = format!("--serviceaccount={name}:{who}");
            kubectl(&["create", "rolebinding", who, "-n", name, &format!("--role={role}"), &account], "").expect("a binding");
        }
        Self { name: name.to_owned(), service: format!("kubesphere-router-{name}") }
    }

    fn signed_in(&self, who: &str, folder: &Path) -> Browser {
        std::fs::create_dir_all(folder).expect("a folder");
        let token = kubectl(&["create", "token", who, "-n", &self.name], "").expect("a token");
        let mut browser = Browser::new(console::Installed::url(), folder);
        browser.sign_in(token.trim());
        browser
    }

    fn at(&self, path: &str) -> String {
        format!("/console/gateways/{}/gateway/{path}", self.name)
    }
}

/// One request to each pod, past everything that would choose one.
fn ask_each(pods: &[Value], path: &str) {
    for pod in pods {
        let address = pod["status"]["podIP"].as_str().expect("an address");
        asks(format!("{address}:10080").parse().expect("a socket"), path, "200 ");
    }
}

fn may(question: &[&str]) -> bool {
    let own = format!("system:serviceaccount:{}:paifang-console", console::OWN);
    kubectl(&[&["auth", "can-i", "--as", &own], question].concat(), "").is_ok()
}

#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn a_project_s_people_see_what_their_gateway_s_pods_do() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let _definitions = Definitions::own(folder.path());
    let _control = in_cluster::Installed::new();
    let _console = console::Installed::new();
    let name = format!("seen-{}", std::process::id());
    let (_origin, service) = backend(&name);
    let project = Project::new(service, &name);
    let pods = eventually("two pods that are ready", || Some(crew(&project.service)).filter(|it| it.len() == 2 && it.iter().all(is_ready)));
    let node = eventually("a node port", || node_port(OWN, &project.service));
    let ann = project.signed_in("ann", &folder.path().join("ann"));
    let ben = project.signed_in("ben", &folder.path().join("ben"));

    // Nobody has let the console look: it says so, and what lets it.
    let _ = kubectl(&["delete", "--ignore-not-found", "role,rolebinding", "paifang-console", "-n", OWN], "");
    let request = json!({ "method": "GET", "url": format!("http://pods.test:{}/tried", node.port()) });
    for (path, body) in
        [("metrics", None), ("logs", None), ("endpoints?route=a/b", None), ("try", Some(&request)), ("check", Some(&request))]
    {
        let (code, refused) = ann.ask(&project.at(path), body);
        assert_eq!(code, 501, "{path}: {refused}");
        assert_eq!(refused["command"], "kubectl apply -f deploy/kubernetes/console-gateways.yaml", "{path}: {refused}");
    }
    kubectl(&["apply", "-f", "-"], &gives()).expect("the manifest is accepted");
    for (question, expect) in RIGHTS {
        assert_eq!(may(question), expect, "{question:?}");
    }

    // What each pod has counted, added up; and who may not get the gateway sees nothing of it.
    ask_each(&pods, "/first");
    ask_each(&pods, "/second");
    let counted = ann.until(&project.at("metrics?window=5m"), None, |code, it| code == 200 && it["total"]["s2xx"].as_u64() >= Some(4));
    assert_eq!(counted["pods"], json!({ "asked": 2, "silent": [], "leftOut": 0 }), "{counted}");
    assert!(counted["total"]["p99"].as_f64().is_some_and(|it| it > 0.0), "{counted}");
    for (path, body) in
        [("metrics", None), ("logs", None), ("endpoints?route=a/b", None), ("try", Some(&request)), ("check", Some(&request))]
    {
        assert_eq!(ben.ask(&project.at(path), body).0, 403, "{path}");
    }

    // Lines of both pods, and those that come while one looks.
    let logged = |query: &str| {
        let (code, text) = ann.read(&project.at(&format!("logs{query}")), None);
        assert_eq!(code, 200, "{text}");
        text.lines().map(|it| serde_json::from_str::<Value>(it).expect("JSON")).collect::<Vec<_>>()
    };
    let firsts = eventually("a line of each pod", || Some(logged("?search=/first")).filter(|it| it.len() == 2));
    assert!(firsts[0]["time"].as_str() <= firsts[1]["time"].as_str() && firsts.iter().all(|it| it["path"] == "/first"), "{firsts:?}");
    assert_eq!(logged("?limit=3").len(), 3);
    assert!(logged("?download=1").len() >= 4);
    let mut following = ann.follow(&project.at("logs?follow=1&search=/live"));
    eventually("a line that comes", || {
        // The first may be there before it is listened to.
        ask_each(&pods, "/live");
        Some(following.line_with("/live"))
    });
    ask_each(&pods, "/live-again");
    following.line_with("/live-again");

    // A request through a pod, and what explains its answer.
    let (code, tried) = ann.ask(&project.at("try"), Some(&request));
    assert_eq!((code, &tried["answer"]["status"], &tried["answer"]["body"]), (200, &json!(200), &json!("served /tried\n")), "{tried}");
    let route = &tried["explanation"]["route"];
    assert_eq!((&route["object"]["name"], &route["object"]["namespace"]), (&json!("web"), &json!(name)), "{tried}");
    let (_, elsewhere) = ann.ask(&project.at("try"), Some(&json!({ "method": "GET", "url": "http://pods.test:19090/metrics" })));
    assert_eq!((&elsewhere["answer"], &elsewhere["error"]), (&Value::Null, &json!("the gateway does not listen there")));

    // The way to it, hop by hop: all of it is good, and where nothing is behind the Service it breaks at the end.
    let hops = |path: &str| {
        let url = format!("http://{}:{}{path}", node.ip(), node.port());
        let (code, said) = ann.ask(&project.at("check"), Some(&json!({ "url": url })));
        assert_eq!(code, 200, "{said}");
        said["hops"].as_array().expect("hops").clone()
    };
    let verdicts = |hops: &[Value]| {
        hops.iter().map(|it| format!("{}:{}", it["hop"].as_str().unwrap_or("?"), it["verdict"].as_str().unwrap_or("?"))).collect::<Vec<_>>()
    };
    let good = hops("/");
    let all = ["name:good", "address:good", "port:good", "certificate:good", "route:good"];
    assert_eq!(verdicts(&good), [&all[..], &["endpoint:good"]].concat(), "{good:?}");
    let broken = hops("/empty");
    assert_eq!(verdicts(&broken), [&all[..], &["endpoint:broken"]].concat(), "{broken:?}");

    // How endpoints fare, as the pods see it.
    let health = ann.until(&project.at(&format!("endpoints?route={name}/web")), None, |code, it| {
        code == 200 && it["backends"].as_array().is_some_and(|it| it.len() == 2)
    });
    let of = |id: &str| {
        health["backends"].as_array().into_iter().flatten().find(|it| it["backend"].as_str().is_some_and(|it| it.contains(id))).cloned()
    };
    let web = of("/web:").expect("the backend");
    assert_eq!((&web["endpoints"][0]["state"], web["endpoints"].as_array().map(Vec::len)), (&json!("Serving"), Some(1)), "{health}");
    assert_eq!(of("/empty:").map(|it| it["endpoints"].clone()), Some(json!([])), "{health}");

    // A host before there is a route, and everybody's gateway, which nobody has asked for.
    let (code, host) = ann.ask("/console/generated-host", Some(&json!({ "namespace": name, "services": ["web"] })));
    assert_eq!((code, &host["host"]), (200, &json!(format!("web.{}.nip.io", node.ip()))), "{host}");
    let (_, serving) = ann.ask(&format!("/console/gateways?namespace={name}"), None);
    let all: Vec<_> = serving.as_array().into_iter().flatten().map(|it| (it["scope"].clone(), it["name"].clone())).collect();
    assert_eq!(all, [(json!("Project"), json!("gateway")), (json!("Cluster"), json!("cluster"))], "{serving}");
    assert_eq!(ann.ask("/console/gateways/kubesphere-system/cluster/metrics", None).0, 403);

    // To others than who forwards a port, a pod says nothing of that.
    let address = pods[0]["status"]["podIP"].as_str().expect("an address");
    let target = format!("http://{address}:19090/history?gateway={OWN}/{}&at=1&step=5&count=1", project.service);
    let output = Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", &target]).output().expect("curl starts");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "404");

    // The log ends with the right to the gateway.
    kubectl(&["delete", "rolebinding", "ann", "-n", &name], "").expect("the right is taken away");
    following.ends();
    assert_eq!(ann.ask(&project.at("logs"), None).0, 403);
    kubectl(&["delete", "-f", "-"], &gives()).expect("it is deleted");
    kubectl(&["-n", &name, "delete", "ingressgateways.paifang.dev", "gateway"], "").expect("it is deleted");
    eventually("no pods", || get(&["-n", OWN, "deployment", &project.service]).is_none().then_some(()));
    kubectl(&["delete", "namespace", &name, "--wait=false"], "").expect("it is deleted");
}
