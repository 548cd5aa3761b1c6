//! A route's objects, those of the README's first minutes, through a real kube-apiserver.

use std::env;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;

use serde_json::{Value, json};
use testkit::certificates::Authority;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

use crate::support::{Paifang, alone, apply, curl, get, kubectl};

/// The LoadBalancer's addresses, on loopback.
const POOL: &str = "127.1.77.0/24";

fn objects(namespace: &str, host: &str, tls_host: &str, backend: SocketAddr) -> Vec<Value> {
    let service = |name: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace, "annotations": {"paifang.dev/endpoints": backend.to_string()}},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
        })
    };
    let path = |path: &str, kind: &str, port: Value| json!({"path": path, "pathType": kind, "backend": {"service": {"name": "web", "port": port}}});
    let ingress = |name: &str, host: &str, paths: Value, tls: Value| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": namespace},
            "spec": {"rules": [{"host": host, "http": {"paths": paths}}], "tls": tls},
        })
    };
    let by_name = path("/", "ImplementationSpecific", json!({"name": "http"}));
    let by_number = path("/number", "Prefix", json!({"number": 80}));
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        service("web"),
        ingress("plain", host, json!([by_name, by_number]), json!([])),
        ingress("secure", tls_host, json!([by_name]), json!([{"hosts": [tls_host], "secretName": "tls"}])),
    ]
}

fn write_certificate(folder: &Path, namespace: &str, host: &str) {
    let authority = Authority::new();
    let issued = authority.issue(&[host]);
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    file("ca.crt", &authority.certificate_pem());
    let certificate = format!("--cert={}", file("tls.crt", &issued.chain_pem));
    let key = format!("--key={}", file("tls.key", &issued.key_pem));
    kubectl(&["--namespace", namespace, "create", "secret", "tls", "tls", &certificate, &key], "").expect("a Secret");
}

/// The LoadBalancer's address, from the status of an Ingress.
fn address(namespace: &str, ingress: &str) -> IpAddr {
    eventually("an address in the status of the Ingress", || {
        let ingress = get(&["--namespace", namespace, "ingress", ingress])?;
        ingress["status"]["loadBalancer"]["ingress"][0]["ip"].as_str()?.parse().ok()
    })
}

#[test]
#[ignore = "needs a real kube-apiserver: cargo xtask test --cluster"]
fn a_route_through_a_real_api_server() {
    let address_of_backend: IpAddr = env::var("BACKEND_ADDRESS").expect("BACKEND_ADDRESS").parse().expect("an address");
    let listener = TcpListener::bind((address_of_backend, 0)).expect("the address is this machine's");
    let backend = listener.local_addr().expect("an address");
    drop(listener);
    let origin = Origin::at(backend, Behaviour::Answer);

    let run = std::process::id();
    let (namespace, host, tls_host) = (format!("demo-{run}"), format!("demo-{run}.kubesphere.io"), format!("tls-{run}.kubesphere.io"));
    let folder = tempfile::tempdir().expect("a folder");
    let _alone = alone();
    let paifang = Paifang::start(&["--pool", POOL]);
    apply(objects(&namespace, &host, &tls_host, backend));
    write_certificate(folder.path(), &namespace, &tls_host);

    // http, by a port's name and by its number
    let ip = address(&namespace, "plain");
    let (http, https) = (SocketAddr::new(ip, 80), SocketAddr::new(ip, 443));
    for path in ["/", "/number/x"] {
        let url = format!("http://{host}{path}");
        eventually(&url, || curl(&url, &host, http, &[]).filter(|said| *said == format!("served {path}\n200 ")));
    }
    // https with the right certificate, and the way there
    let authority = folder.path().join("ca.crt").display().to_string();
    let url = format!("https://{tls_host}/secret");
    eventually(&url, || curl(&url, &tls_host, https, &["--cacert", &authority]).filter(|said| *said == "served /secret\n200 "));
    let url = format!("http://{tls_host}/secret");
    let redirected = curl(&url, &tls_host, http, &["--output", "/dev/null"]).expect("an answer");
    assert_eq!(redirected, format!("308 https://{tls_host}/secret"));
    assert!(!origin.requests().is_empty());

    // a node port answers, too
    let service = get(&["--namespace", "kubesphere-controls-system", "service", "kubesphere-router-kubesphere-system"]).unwrap_or_default();
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let node_port = ports.filter(|port| port["port"] == 80).find_map(|port| port["nodePort"].as_u64());
    let node_port = SocketAddr::from(([127, 0, 0, 1], u16::try_from(node_port.expect("a node port")).expect("a port")));
    let url = format!("http://{host}:{}/node-port", node_port.port());
    eventually(&url, || curl(&url, &host, node_port, &[]).filter(|said| said.ends_with("200 ")));

    // what is not supported yet is said, on the object
    let annotation = "nginx.ingress.kubernetes.io/session-cookie-name=x";
    kubectl(&["--namespace", &namespace, "annotate", "ingress", "plain", annotation], "").expect("accepted");
    eventually("an event that names the annotation", || {
        let events = get(&["--namespace", &namespace, "events"])?;
        let named = |event: &&Value| event["message"].as_str().is_some_and(|message| message.contains("session-cookie-name"));
        events["items"].as_array()?.iter().find(named).map(|_| ())
    });

    // a restart finds everything as it was
    drop(paifang);
    let _paifang = Paifang::start(&["--pool", POOL]);
    let url = format!("http://{host}/again");
    eventually(&url, || curl(&url, &host, http, &[]).filter(|said| said.ends_with("200 ")));
    kubectl(&["delete", "namespace", &namespace, "--wait=false"], "").expect("it is deleted");
}
