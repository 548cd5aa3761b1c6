//! Istio's task *Ingress Gateways*, as its reader types it: bash, kubectl and curl, not one line changed.
//!
//! `tests/tutorials/ingress-gateways.txt` has the commands, manifests and printed lines, in the markup of the task's source. `PAIFANG_TUTORIAL`
//! names a file to follow in its place: the source itself, in any language.

use crate::harness::{Up, chance, low_ports, read, word};
use fastrand::Rng;
use std::path::{Path, PathBuf};
use testkit::shell::Shell;
use testkit::tutorial::{Aside, Tutorial};

const ISTIO: &str = "istio-apis";
const GATEWAY_API: &str = "gateway-api";
/// It speaks of the Service of the one tab only.
const NODE_PORTS: &str = "using-node-ports-of-the-ingress-gateway-service";

/// Commands that are for someone else: how each begins, or a word in it.
const LEFT_OUT: [(&str, &str); 11] = [
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
];

const ASIDES: [Aside; 10] = [
    Aside {
        tab: "",
        after: "apply -f samples",
        command: "kubectl get deployment httpbin -o jsonpath='{.status.availableReplicas}'",
        is: |it| it == "1",
    },
    Aside {
        tab: ISTIO,
        after: "prefix: /delay",
        command: "kubectl get gateway httpbin-gateway -o jsonpath='{.apiVersion}'",
        is: |it| it.starts_with("networking.istio.io/"),
    },
    Aside {
        tab: GATEWAY_API,
        after: "wait --for=condition=programmed",
        command: "kubectl get service httpbin-gateway-istio -o jsonpath='{.spec.type} {.status.loadBalancer.ingress[0].ip}'",
        is: |it| it.starts_with("LoadBalancer 127."),
    },
    Aside {
        tab: "",
        after: "/status/200\"",
        command: "curl -s -o /dev/null -w '%{http_code} %{time_total}' -HHost:httpbin.example.com \"http://$INGRESS_HOST:$INGRESS_PORT/delay/2\"",
        is: |it| it.strip_prefix("200 ").and_then(|it| it.trim().parse::<f64>().ok()).is_some_and(|it| it >= 2.0),
    },
    Aside {
        tab: "",
        after: "/headers\"",
        command: "curl -s -w '%{http_code}' -HHost:httpbin.example.com \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "404",
    },
    Aside {
        tab: ISTIO,
        after: "prefix: /headers",
        command: "curl -s \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it.contains("\"headers\": {") && it.contains("\"User-Agent\": \"curl/"),
    },
    Aside {
        tab: GATEWAY_API,
        after: "value: /headers",
        command: "curl -s \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it.contains("\"headers\": {") && it.contains("\"User-Agent\": \"curl/"),
    },
    Aside {
        tab: ISTIO,
        after: "INGRESS_HOST=127.0.0.1",
        command: "curl -s -o /dev/null -w '%{http_code}' \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "200",
    },
    Aside {
        tab: ISTIO,
        after: "{.items[0].status.hostIP}",
        command: "curl -s -o /dev/null -w '%{http_code}' \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "200",
    },
    Aside {
        tab: ISTIO,
        after: "delete virtualservice",
        // A port that nobody else has goes with the last who asked for it.
        command: "curl -s -o /dev/null -w '%{http_code}' \"http://$INGRESS_HOST:$INGRESS_PORT/headers\"",
        is: |it| it == "404" || it == "000",
    },
];

fn source() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tutorials/ingress-gateways.txt");
    std::env::var_os("PAIFANG_TUTORIAL").map_or(own, PathBuf::from)
}

fn tutorial() -> Tutorial {
    Tutorial::read(&source(), &LEFT_OUT)
}

/// With names, hosts, ports and paths that nobody has seen.
fn reworded(rng: &mut Rng, sample: &Path) -> Tutorial {
    let (name, port, backend) = (word(rng), rng.u16(8100..8900).to_string(), rng.u16(9100..9900).to_string());
    let path = format!("/anything/{}", word(rng));
    let text = read(&root().join("samples/httpbin/httpbin.yaml"));
    let text = text.replace("go-httpbin", "\u{1}").replace("httpbin", &name).replace('\u{1}', "go-httpbin").replace("8000", &backend);
    std::fs::write(sample, text).expect("a file");
    let words = [
        ("samples/httpbin/httpbin.yaml", &*sample.display().to_string()),
        ("httpbin.example.com", &format!("{}.{}.test", word(rng), word(rng))),
        ("httpbin-gateway", &format!("{}-gate", word(rng))),
        ("number: 80\n", &format!("number: {port}\n")),
        ("port: 80\n", &format!("port: {port}\n")),
        (".name==\"http2\"", &format!(".port=={port}")),
        ("/status", &path),
        ("/headers", "/get"),
        ("8000", &backend),
        ("httpbin", &name),
    ];
    Tutorial { words: words.map(|(from, to)| (from.to_owned(), to.to_owned())).into(), ..tutorial() }
}

/// One tab in a terminal of its own; then cleaned up once more, and nothing is left.
fn follow(tutorial: &Tutorial, up: &Up, tab: &str) {
    let mut shell = Shell::start(&root(), &up.kubeconfig());
    let mut tutorial = tutorial.clone();
    tutorial.steps.retain(|step| step.section != NODE_PORTS || tab == ISTIO);
    tutorial.follow(&mut shell, tab, &ASIDES);
    shell.done(&tutorial.worded("kubectl delete --ignore-not-found=true -f samples/httpbin/httpbin.yaml"));
    let list = "kubectl get deployments,pods,services,serviceaccounts,endpointslices --ignore-not-found -o name";
    shell.until(list, "list nothing of it", |typed| !typed.printed.contains(&tutorial.worded("httpbin")));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn istio_first_then_gateway_api_then_istio_again() {
    if !low_ports() {
        return;
    }
    let (up, tutorial) = (Up::start(&["--demo"]), tutorial());
    for tab in [ISTIO, GATEWAY_API, ISTIO] {
        follow(&tutorial, &up, tab);
        assert_eq!(up.ask("httpbin.example.com", "/status/200").status, 404);
    }
}

#[test]
fn gateway_api_first_then_istio() {
    if !low_ports() {
        return;
    }
    let (up, tutorial) = (Up::start(&["--demo"]), tutorial());
    for tab in [GATEWAY_API, ISTIO] {
        follow(&tutorial, &up, tab);
        assert_eq!(up.ask("httpbin.example.com", "/status/200").status, 404);
    }
}

#[test]
fn with_names_hosts_ports_and_paths_that_nobody_has_seen() {
    let rng = &mut chance("with_names_hosts_ports_and_paths_that_nobody_has_seen");
    let up = Up::start(&["--demo"]);
    for tab in [ISTIO, GATEWAY_API] {
        let sample = up.dir.path().join(format!("{tab}.yaml"));
        follow(&reworded(rng, &sample), &up, tab);
    }
}
