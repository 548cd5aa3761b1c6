//! Istio's task *Ingress Gateways* against real controllers, a real kubelet and httpbin in a container, each tab with its own definitions alone.

use std::env;
use std::path::Path;

use testkit::eventually;
use testkit::shell::Shell;
use testkit::tutorial::{Aside, Tutorial};

use crate::support::{Definitions, Paifang, alone, get};

const ISTIO: &str = "istio-apis";
const GATEWAY_API: &str = "gateway-api";

/// Commands that are for someone else, and those for `paifang up` alone.
const LEFT_OUT: [(&str, &str); 13] = [
    ("istioctl ", "installs Istio"),
    ("minikube ", "for minikube"),
    ("INGRESS_NAME=istio-ingress\n", "Helm's name"),
    ("INGRESS_NS=istio-ingress\n", "Helm's name"),
    (".ingress[0].hostname}", "where a load balancer has a name in place of an address"),
    ("get gtw my-gateway -o jsonpath='{.status", "an example with a gateway that is not made"),
    ("get gtw my-gateway -o jsonpath='{.spec", "an example with a gateway that is not made"),
    ("=worker-node-address", "for GKE"),
    ("gcloud ", "for GKE"),
    ("ibmcloud ", "for IBM Cloud"),
    ("=public-IP-of-one-of-the-worker-nodes", "for IBM Cloud"),
    ("INGRESS_HOST=127.0.0.1", "for Docker Desktop"),
    ("{.items[0].status.hostIP}", "no gateway runs as a Pod here"),
];

const STATUS: &str = "curl -s -o /dev/null -w '%{http_code}' --max-time 10";

const ASIDES: [Aside; 4] = [
    Aside {
        tab: "",
        after: "apply -f samples",
        command: "kubectl rollout status deployment/httpbin",
        is: |it| it.contains("successfully rolled out"),
    },
    Aside {
        tab: "",
        after: "/status/200\"",
        command: "curl -s -o /dev/null -w '%{http_code} %{time_total}' -HHost:httpbin.example.com \"http://$INGRESS_HOST:$INGRESS_PORT/delay/2\"",
        is: |it| it.strip_prefix("200 ").and_then(|it| it.trim().parse::<f64>().ok()).is_some_and(|it| it >= 2.0),
    },
    Aside {
        tab: ISTIO,
        after: "prefix: /headers",
        command: "curl -s \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it.contains("\"headers\": {"),
    },
    Aside {
        tab: GATEWAY_API,
        after: "value: /headers",
        command: "curl -s \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it.contains("\"headers\": {"),
    },
];

fn follow(tab: &str, definitions: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace's root");
    let kubeconfig = env::var_os("KUBECONFIG").expect("KUBECONFIG: run `cargo xtask test --cluster`");
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name}: run `cargo xtask test --cluster`"));
    let (pool, host) = (variable("CLUSTER_POOL"), variable("BACKEND_ADDRESS"));
    let _alone = alone();
    let _definitions = Definitions::install(definitions);
    let _paifang = Paifang::start(&["--istio", "--pool", &pool, "--node-address", &host]);
    eventually("the gateway is seen", || get(&["service", "-n", "istio-system", "istio-ingressgateway"]));
    let tutorial = Tutorial::read(&root.join("crates/paifang/tests/tutorials/ingress-gateways.txt"), &LEFT_OUT);
    let mut shell = Shell::start(root, Path::new(&kubeconfig));
    tutorial.follow(&mut shell, tab, &ASIDES);
    if tab == ISTIO {
        through_the_node(&mut shell, &variable("NODE_ADDRESS"));
    }
    shell.done("kubectl delete --ignore-not-found=true -f samples/httpbin/httpbin.yaml");
}

/// What a cluster's own proxy makes of the gateway's Service: its node port and its cluster address lead to this host.
fn through_the_node(shell: &mut Shell, node: &str) {
    let service = "kubectl -n istio-system get service istio-ingressgateway -o";
    shell.done(&format!("export NODE_PORT=$({service} jsonpath='{{.spec.ports[?(@.name==\"http2\")].nodePort}}')"));
    shell.done(&format!("export CLUSTER_IP=$({service} jsonpath='{{.spec.clusterIP}}')"));
    // Everything has been cleaned up, so it is the gateway's own answer.
    for at in [format!("{node}:$NODE_PORT"), "$CLUSTER_IP:80".to_owned()] {
        shell.until(&format!("{STATUS} \"http://{at}/\""), "say 404", |typed| typed.printed == "404");
    }
}

#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn the_tab_of_istio_s_own_apis() {
    follow(ISTIO, "CRDS_ISTIO");
}

#[test]
#[ignore = "needs a real cluster: cargo xtask test --cluster"]
fn the_tab_of_gateway_api() {
    follow(GATEWAY_API, "CRDS_GATEWAY_API");
}
