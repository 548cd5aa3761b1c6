//! Person by verb by resource. Every cell is compared in `src/rbac/policy/matrix.rs`, without a server; here requests are really made.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use serde_json::{Value, json};

use super::cells::{Cells, Matrix, NAMESPACES, Person, verbs, written};
use super::wire::Wire;
use super::{path, read_text};
use crate::client::{PATIENCE, Server, request};

const FILE: &str = "matrix.txt";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
/// Resources that are really asked for, by the paths of their collections in a namespace.
const TRIED: [(&str, &str); 8] = [
    ("configmaps", "api/v1"),
    ("secrets", "api/v1"),
    ("services", "api/v1"),
    ("pods", "api/v1"),
    ("serviceaccounts", "api/v1"),
    ("apps:deployments", "apis/apps/v1"),
    ("networking.k8s.io:ingresses", "apis/networking.k8s.io/v1"),
    ("coordination.k8s.io:leases", "apis/coordination.k8s.io/v1"),
];

async fn make(wire: &mut Wire, matrix: &Matrix) {
    let mut post = async |path: &str, body: &Value| {
        wire.ask(request(Method::POST, path, "application/json", &body.to_string())).await.ok();
    };
    for namespace in &NAMESPACES[1..] {
        post("/api/v1/namespaces", &json!({ "metadata": { "name": namespace } })).await;
    }
    for object in &matrix.objects {
        let plural = format!("{}s", object["kind"].as_str().expect("a kind").to_lowercase());
        let namespace = object["metadata"]["namespace"].as_str().map(|name| format!("/namespaces/{name}")).unwrap_or_default();
        post(&format!("{RBAC}{namespace}/{plural}"), object).await;
    }
}

/// Tries what a table says; whether each was refused must be what it says. How many were tried.
async fn attempts(wire: &mut Wire, matrix: &Matrix) -> usize {
    let (mut tried, mut wrong) = (0, Vec::new());
    for person in matrix.people.iter().filter(|person| !person.groups.iter().any(|group| group == "system:unauthenticated")) {
        for namespace in &NAMESPACES[1..] {
            for (what, root) in TRIED {
                let plural = what.split_once(':').map_or(what, |(_, plural)| plural);
                let all = format!("/{root}/namespaces/{namespace}/{plural}");
                let one = format!("{all}/none");
                for (verb, method, path) in [
                    ("list", Method::GET, all.clone()),
                    ("watch", Method::GET, format!("{all}?watch=1&resourceVersion=x")),
                    ("create", Method::POST, format!("{all}?dryRun=All")),
                    ("deletecollection", Method::DELETE, format!("{all}?dryRun=All&labelSelector=none")),
                    ("get", Method::GET, one.clone()),
                    ("update", Method::PUT, format!("{one}?dryRun=All")),
                    ("patch", Method::PATCH, format!("{one}?dryRun=All")),
                    ("delete", Method::DELETE, one.clone()),
                ] {
                    let answer = wire.ask(standing_in(person, request(method, &path, "", ""))).await;
                    tried += 1;
                    if (answer.status != 403) != matrix.allows(&person.name, namespace, what, verb) {
                        wrong.push(format!("{} {verb} {what} in {namespace}: {}", person.name, answer.status));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried} attempts: {}", wrong.len(), wrong.join("\n"));
    tried
}

fn standing_in<B>(person: &Person, mut request: http::Request<B>) -> http::Request<B> {
    let value = |text: &str| HeaderValue::from_str(text).expect("a name");
    request.headers_mut().insert("impersonate-user", value(&person.name));
    for group in &person.groups {
        request.headers_mut().append("impersonate-group", value(group));
    }
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_is_refused_where_kubernetes_refuses_it() {
    let server = Server::start().await;
    let matrix = Matrix::parse(&read_text(FILE));
    let mut wire = Wire::new(&server.running.kubeconfig);
    make(&mut wire, &matrix).await;
    assert!(attempts(&mut wire, &matrix).await > 1000);
}

/// Asks a real API for every cell, then tries some of them.
pub async fn record(config: &str) {
    let mut matrix = Matrix::parse(&read_text(FILE));
    let mut wire = Wire::new(config);
    make(&mut wire, &matrix).await;
    wait_for_gathering(&mut wire, &matrix).await;
    matrix.head.retain(|line| !line.starts_with(super::story::MADE) && !line.is_empty());
    matrix.head.push(format!("{}{}\n", super::story::MADE, wire.made().await));
    // Side by side: it is fifty thousand questions.
    let shared = Arc::new(matrix);
    let asked = (0..shared.people.len()).map(|at| {
        let (shared, mut wire) = (shared.clone(), Wire::new(config));
        tokio::spawn(async move { cells_of(&mut wire, &shared, &shared.people[at]).await })
    });
    let mut cells = BTreeMap::new();
    for asked in asked.collect::<Vec<_>>() {
        cells.extend(asked.await.expect("asked"));
    }
    let mut matrix = Arc::into_inner(shared).expect("all have asked");
    matrix.cells = cells;
    attempts(&mut wire, &matrix).await;
    std::fs::write(path(FILE), text(&matrix)).expect("the file can be written");
}

/// A controller gathers rules, in its time.
async fn wait_for_gathering(wire: &mut Wire, matrix: &Matrix) {
    let gathers = matrix
        .objects
        .iter()
        .filter(|object| object["aggregationRule"].is_object())
        .filter_map(|object| object["metadata"]["name"].as_str());
    for name in gathers.chain(["view", "edit", "admin"]) {
        let until = Instant::now() + PATIENCE;
        while wire.ask(request(Method::GET, &format!("{RBAC}/clusterroles/{name}"), "", "")).await.ok()["rules"]
            .as_array()
            .is_none_or(Vec::is_empty)
        {
            assert!(Instant::now() < until, "{name} has no rules: does the cluster's controller manager gather them?");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    // Those that gather what gathers come after them.
    tokio::time::sleep(Duration::from_secs(3)).await;
}

async fn cells_of(wire: &mut Wire, matrix: &Matrix, person: &Person) -> Cells {
    let mut cells = Cells::new();
    for namespace in NAMESPACES {
        for what in &matrix.resources {
            let [group, resource, subresource, name] = what;
            let mut allowed = Vec::new();
            for verb in verbs(resource) {
                let asked = json!({ "resourceAttributes": {
                    "verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name, "namespace": namespace,
                } });
                if may(wire, person, asked).await {
                    allowed.push(verb.to_owned());
                }
            }
            if !allowed.is_empty() {
                cells.insert((person.name.clone(), namespace.to_owned(), written(what)), allowed);
            }
        }
    }
    for path in &matrix.paths {
        let mut verbs = Vec::new();
        for verb in ["get", "post"] {
            if may(wire, person, json!({ "nonResourceAttributes": { "verb": verb, "path": path } })).await {
                verbs.push(verb.to_owned());
            }
        }
        if !verbs.is_empty() {
            cells.insert((person.name.clone(), String::new(), path.clone()), verbs);
        }
    }
    cells
}

fn text(matrix: &Matrix) -> String {
    let mut text = matrix.head.join("\n");
    text.push_str("\n== objects\n");
    matrix.objects.iter().for_each(|object| text.push_str(&format!("{object}\n")));
    text.push_str("\n== people\n");
    for Person { name, groups } in &matrix.people {
        text.push_str(&format!("{name} {}", groups.join(" ")));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text.push_str("\n== resources\n");
    matrix.resources.iter().for_each(|one| text.push_str(&format!("{}\n", written(one))));
    text.push_str("\n== paths\n");
    matrix.paths.iter().for_each(|path| text.push_str(&format!("{path}\n")));
    text.push_str("\n== cells\n");
    for ((person, namespace, what), verbs) in &matrix.cells {
        let namespace = if namespace.is_empty() { "-" } else { namespace };
        let _ = writeln!(text, "{person} | {namespace} | {what} | {}", verbs.join(" "));
    }
    text
}

async fn may(wire: &mut Wire, person: &Person, mut spec: Value) -> bool {
    spec["user"] = person.name.clone().into();
    spec["groups"] = person.every_group().into();
    let body = json!({ "spec": spec }).to_string();
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    wire.ask(request(Method::POST, path, "application/json", &body)).await.ok()["status"]["allowed"] == true
}
