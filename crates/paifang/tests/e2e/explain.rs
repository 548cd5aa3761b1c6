//! What `explain` says is what happens.

use crate::harness::{Up, binary, chance, read, run, text, word};
use crate::objects::{annotated, by_name, by_number, ingress, namespace, path, service, simple};
use fastrand::Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::Origin;

const REQUESTS: usize = 1_000;
const SEGMENTS: [&str; 6] = ["a", "b", "shop", "shopping", "v1", "x.y"];

#[test]
fn explain_names_the_route_that_the_access_log_names() {
    let rng = &mut chance("explain_names_the_route_that_the_access_log_names");
    let (up, one) = (Up::start(&["--workers", "2"]), Origin::recording());
    let project = word(rng);
    let hosts: Vec<String> = (0..6).map(|n| format!("h{n}.{}.example", word(rng))).collect();
    let mut objects = vec![namespace(&project), service(&project, "web", &[one.address()])];
    objects.extend((0..30).map(|n| random_ingress(rng, &project, n, &hosts)));
    objects.push(simple(&project, "wild", &format!("*.{}", hosts[0]), "web"));
    up.apply(&objects);
    up.until(&format!("any.{}", hosts[0]), "/", "served", |it| it.status == 200);
    // The last of them is served, so the others, applied before it, are too.
    let requests: Vec<(String, String)> = (0..REQUESTS).map(|_| random_request(rng, &hosts)).collect();
    let explained = explain(&up, &requests);
    let mut connection = Connection::open(up.front());
    for (n, (host, target)) in requests.iter().enumerate() {
        let response = connection.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: r{n}\r\n\r\n")).response("GET");
        if response.get("connection").is_some_and(|it| it.eq_ignore_ascii_case("close")) {
            connection = Connection::open(up.front());
        }
    }
    let logged = logged(&up);
    let (mut routed, mut differ) = (0, Vec::new());
    for (n, (said, request)) in explained.iter().zip(&requests).enumerate() {
        let name = |it: &Value| format!("{} {}", it["object"]["name"], it["rule"]);
        let said = if said["route"].is_null() { "none".to_owned() } else { name(&said["route"]) };
        let line = &logged[&format!("r{n}")];
        let route = &line["route"];
        let happened = if route.is_null() { "none".to_owned() } else { format!("{} {}", route["name"], route["rule"]) };
        routed += usize::from(happened != "none");
        if said != happened {
            differ.push(format!("{request:?}: explain {said}, access log {happened}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert!((REQUESTS / 10..REQUESTS).contains(&routed), "{routed} were routed: a test of nothing");
}

fn random_ingress(rng: &mut Rng, project: &str, n: usize, hosts: &[String]) -> Value {
    let paths: Vec<Value> = (0..rng.usize(1..4))
        .map(|_| {
            let kind = ["Exact", "Prefix", "ImplementationSpecific"][rng.usize(..3)];
            path(&random_path(rng), kind, if rng.bool() { by_name("web") } else { by_number("web") })
        })
        .collect();
    let object = ingress(project, &format!("i{n}"), &hosts[rng.usize(..hosts.len())], &paths);
    match rng.usize(..6) {
        0 => annotated(object, &[("use-regex", "true")]),
        1 => annotated(object, &[("rewrite-target", "/new")]),
        2 => annotated(object, &[("upstream-vhost", "inside.test")]),
        _ => object,
    }
}

fn random_path(rng: &mut Rng) -> String {
    let segments: Vec<&str> = (0..rng.usize(..4)).map(|_| SEGMENTS[rng.usize(..SEGMENTS.len())]).collect();
    format!("/{}{}", segments.join("/"), if rng.usize(..5) == 0 && !segments.is_empty() { "/" } else { "" })
}

fn random_request(rng: &mut Rng, hosts: &[String]) -> (String, String) {
    let host = &hosts[rng.usize(..hosts.len())];
    let host = match rng.usize(..10) {
        0 => format!("w.{host}"),
        1 => host.to_uppercase(),
        2 => "nobody.example".to_owned(),
        _ => host.clone(),
    };
    let query = if rng.bool() { "?q=1" } else { "" };
    (host, random_path(rng) + query)
}

fn explain(up: &Up, requests: &[(String, String)]) -> Vec<Value> {
    let port = up.front().port();
    let lines: String = requests.iter().map(|(host, target)| format!("GET http://{host}:{port}{target}\n")).collect();
    let output = run(Command::new(binary()).env("KUBECONFIG", up.kubeconfig()).args(["explain", "--batch"]), &lines);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answers: Vec<Value> = text(&output.stdout).lines().map(|it| serde_json::from_str(it).expect("JSON")).collect();
    assert_eq!(answers.len(), requests.len());
    answers
}

/// Lines of the access log by user agent.
fn logged(up: &Up) -> BTreeMap<String, Value> {
    eventually("all lines of the access log", || {
        let log = read(&up.access_log());
        let lines = log.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok());
        let named: BTreeMap<String, Value> = lines.filter_map(|it| Some((it["user_agent"].as_str()?.to_owned(), it.clone()))).collect();
        (named.len() == REQUESTS).then_some(named)
    })
}

#[test]
fn explain_and_get_for_people() {
    let rng = &mut chance("explain_and_get_for_people");
    let (up, one) = (Up::start(&[]), Origin::recording());
    let project = word(rng);
    up.apply(&[
        namespace(&project),
        service(&project, "web", &[one.address()]),
        simple(&project, "demo", "demo.kubesphere.io", "web"),
        ingress(&project, "path", "demo.kubesphere.io", &[path("/path", "Prefix", by_number("web"))]),
    ]);
    up.until("demo.kubesphere.io", "/path", "served", |it| it.status == 200);
    let paifang = |arguments: &[&str]| {
        let output = run(Command::new(binary()).env("KUBECONFIG", up.kubeconfig()).args(arguments), "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let told = paifang(&["explain", "GET", "http://demo.kubesphere.io/path"]);
    for word in [
        "GET http://demo.kubesphere.io/path",
        &format!("Ingress {project}/path  spec.rules[0].http.paths[0]"),
        &format!("{project}/web:80: {}", one.address()),
        &up.front().to_string(),
        &format!("Ingress {project}/demo"),
        "it matches too, but comes later",
    ] {
        assert!(told.contains(word), "{word:?} is missing:\n{told}");
    }
    assert!(paifang(&["explain", "GET", "http://nobody.example/"]).contains("404 no-route"));
    let routes = paifang(&["get", "routes"]);
    assert_eq!(routes.lines().count(), 3, "{routes}");
    let gateways = paifang(&["get", "gateways", "-o", "wide"]);
    assert!(gateways.contains(&up.front().ip().to_string()) && gateways.contains(&up.http[1].port().to_string()), "{gateways}");
    let usage = run(Command::new(binary()).args(["explain", "GET", "demo.kubesphere.io"]), "");
    assert_eq!(usage.status.code(), Some(2));
}
