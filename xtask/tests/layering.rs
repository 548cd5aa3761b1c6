//! Who may import whom: the picture in ARCHITECTURE.md, as a table and a few sentences, checked against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Each crate and the crates of ours it may import by a normal edge. Arrows point down only.
///
/// Regular rows, bottom first: a crate's row lists only crates of rows above it.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // data
    ("model", &[]),
    ("resources", &["model"]),
    // pure cores
    ("route", &["model"]),
    ("filter", &["model", "route"]),
    ("http1", &[]),
    ("pools", &[]),
    ("schema", &["resources", "model"]),
    // frontends
    ("translate-ingress", &["model", "resources"]),
    ("translate-gateway-api", &["model", "resources"]),
    ("translate-istio", &["model", "resources"]),
    ("translate-service", &["model", "resources"]),
    ("translate", &["model", "resources", "translate-ingress", "translate-gateway-api", "translate-istio", "translate-service"]),
    // mechanisms
    ("observe", &["model"]),
    ("tls", &["model"]),
    ("upstream", &["model"]),
    ("store", &[]),
    ("login", &["model"]),
    ("trace", &["model", "observe"]),
    ("sync", &["model"]),
    ("status", &["model", "resources"]),
    // shells
    ("l4", &["model", "upstream", "observe"]),
    ("proxy", &["model", "route", "filter", "http1", "upstream", "tls", "observe", "l4"]),
    ("names", &["model"]),
    ("apiserver", &["model", "resources", "schema", "store", "translate", "login"]),
    ("control", &["model", "resources", "pools", "translate", "status", "sync", "schema", "names"]),
    ("tenancy", &[]),
    ("console", &["model", "login", "observe", "tls"]),
    ("demo", &[]),
    // on top
    ("paifang-gateway", &["model", "observe", "trace", "proxy", "sync"]),
    ("access", &["model", "resources", "translate", "route", "filter", "http1", "tls", "control"]),
    ("cli", &["model", "resources", "schema", "translate", "pools", "status", "control", "tenancy", "login", "access"]),
    (
        "paifang",
        &[
            "model",
            "resources",
            "route",
            "schema",
            "translate",
            "pools",
            "tls",
            "observe",
            "trace",
            "store",
            "login",
            "sync",
            "status",
            "control",
            "proxy",
            "apiserver",
            "tenancy",
            "console",
            "access",
            "cli",
            "demo",
            "names",
        ],
    ),
    // for tests and chores
    ("testkit", &[]),
    ("xtask", &[]),
    ("bench", &["model", "route", "filter", "http1", "upstream", "tls", "observe", "proxy", "store", "testkit"]),
];

/// Crates that a client of the Kubernetes API may be reached from.
const CLIENTS: &[&str] = &["status", "control", "tenancy", "console", "access", "cli", "paifang", "bench"];

/// What the data plane is made of: it never learns that Kubernetes exists.
const DATA_PLANE: &[&str] =
    &["route", "filter", "upstream", "http1", "proxy", "l4", "observe", "trace", "tls", "model", "sync", "paifang-gateway"];

/// Packages and their normal edges, by name.
#[derive(Clone, Debug, Default)]
struct Graph {
    ours: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

// === impl Graph ===

impl Graph {
    /// From `cargo metadata --format-version 1`; `None` where that is not its shape.
    fn read(metadata: &Value) -> Option<Self> {
        let mut names = BTreeMap::new();
        for package in metadata["packages"].as_array()? {
            names.insert(package["id"].as_str()?, package["name"].as_str()?);
        }
        let mut graph = Self::default();
        for member in metadata["workspace_members"].as_array()? {
            graph.ours.insert((*names.get(member.as_str()?)?).to_owned());
        }
        for node in metadata["resolve"]["nodes"].as_array()? {
            let from = names.get(node["id"].as_str()?)?;
            for dependency in node["deps"].as_array()? {
                let is_normal = dependency["dep_kinds"].as_array()?.iter().any(|kind| kind["kind"].is_null());
                if is_normal {
                    let to = names.get(dependency["pkg"].as_str()?)?;
                    graph.edges.entry((*from).to_owned()).or_default().insert((*to).to_owned());
                }
            }
        }
        Some(graph)
    }

    /// One sentence for each rule that is broken.
    fn problems(&self) -> Vec<String> {
        let mut problems = self.not_in_the_table();
        problems.extend(self.not_allowed());
        for ours in &self.ours {
            if !CLIENTS.contains(&ours.as_str()) {
                problems.extend(self.never(ours, "kube-client", "a Kubernetes client stays in the shells"));
            }
            if DATA_PLANE.contains(&ours.as_str()) {
                for kubernetes in ["resources", "kube", "kube-core", "k8s-openapi"] {
                    problems.extend(self.never(ours, kubernetes, "the data plane never learns that Kubernetes exists"));
                }
            }
            if ours.starts_with("translate") {
                problems.extend(self.never(ours, "tokio", "translation is pure"));
                problems.extend(self.foreign_frontends(ours));
            }
        }
        problems
    }

    /// A new crate must be placed in the picture first.
    fn not_in_the_table(&self) -> Vec<String> {
        let placed = |name: &&String| !MAY_IMPORT.iter().any(|(known, _)| known == name);
        self.ours.iter().filter(placed).map(|name| format!("`{name}` is not in the layering table: say what it may import")).collect()
    }

    fn not_allowed(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (from, allowed) in MAY_IMPORT {
            for to in self.edges.get(*from).into_iter().flatten().filter(|to| self.ours.contains(*to)) {
                if !allowed.contains(&to.as_str()) {
                    problems.push(format!("`{from}` must not import `{to}`: arrows point down only"));
                }
            }
        }
        problems
    }

    fn foreign_frontends(&self, ours: &str) -> Vec<String> {
        let is_frontend = |name: &str| name.starts_with("translate-");
        let others = self.ours.iter().filter(|other| is_frontend(other) && is_frontend(ours) && *other != ours);
        others.filter_map(|other| self.never(ours, other, "frontends meet only in the model")).collect()
    }

    /// A sentence where `from` reaches `to`, with the way.
    fn never(&self, from: &str, to: &str, why: &str) -> Option<String> {
        let way = self.way(from, to)?;
        Some(format!("`{from}` must not reach `{to}`, but does by {}: {why}", way.join(" → ")))
    }

    /// A shortest way, ends included.
    fn way(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut frontier = vec![from];
        while !frontier.is_empty() && !came_from.contains_key(to) {
            let mut next = Vec::new();
            for at in frontier {
                for neighbour in self.edges.get(at).into_iter().flatten().map(String::as_str) {
                    if neighbour != from && !came_from.contains_key(neighbour) {
                        came_from.insert(neighbour, at);
                        next.push(neighbour);
                    }
                }
            }
            frontier = next;
        }
        let mut way = vec![to.to_owned()];
        let mut at = *came_from.get(to)?;
        while at != from {
            way.push(at.to_owned());
            at = came_from.get(at)?;
        }
        way.push(from.to_owned());
        way.reverse();
        Some(way)
    }
}

fn graph(ours: &[&str], edges: &[(&str, &str)]) -> Graph {
    let mut graph = Graph { ours: ours.iter().map(ToString::to_string).collect(), ..Graph::default() };
    for (from, to) in edges {
        graph.edges.entry(from.to_string()).or_default().insert(to.to_string());
    }
    graph
}

fn check(edges: &[(&str, &str)], expect: &[&str]) {
    let ours: Vec<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    let problems = graph(&ours, edges).problems();
    assert_eq!(problems, expect, "{edges:?}");
}

#[test]
fn the_workspace_keeps_to_the_picture() {
    let output = std::process::Command::new(env!("CARGO")).args(["metadata", "--format-version", "1"]).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata = serde_json::from_slice(&output.stdout).expect("JSON");
    let graph = Graph::read(&metadata).expect("the shape of cargo's metadata");
    assert!(graph.edges["proxy"].contains("model"), "edges are read at all");
    let problems = graph.problems();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn arrows_that_point_down_are_fine() {
    check(&[("proxy", "route"), ("route", "model"), ("control", "kube"), ("kube", "kube-client"), ("upstream", "tokio")], &[]);
}

#[test]
fn every_rule_can_be_broken() {
    check(&[("model", "pools")], &["`model` must not import `pools`: arrows point down only"]);
    check(
        &[("schema", "kube"), ("kube", "kube-client")],
        &["`schema` must not reach `kube-client`, but does by schema → kube → kube-client: a Kubernetes client stays in the shells"],
    );
    check(
        &[("proxy", "observe"), ("observe", "k8s-openapi")],
        &[
            "`observe` must not reach `k8s-openapi`, but does by observe → k8s-openapi: the data plane never learns that Kubernetes exists",
            "`proxy` must not reach `k8s-openapi`, but does by proxy → observe → k8s-openapi: the data plane never learns that Kubernetes exists",
        ],
    );
    check(
        &[("translate-ingress", "some"), ("some", "tokio")],
        &["`translate-ingress` must not reach `tokio`, but does by translate-ingress → some → tokio: translation is pure"],
    );
    check(
        &[("translate-istio", "translate-ingress")],
        &[
            "`translate-istio` must not import `translate-ingress`: arrows point down only",
            "`translate-istio` must not reach `translate-ingress`, but does by translate-istio → translate-ingress: frontends meet only in the model",
        ],
    );
    let new = graph(&["new"], &[]).problems();
    assert_eq!(new, ["`new` is not in the layering table: say what it may import"]);
}

#[test]
fn rows_list_only_what_lies_below() {
    for (index, (name, allowed)) in MAY_IMPORT.iter().enumerate() {
        let below: Vec<&str> = MAY_IMPORT[..index].iter().map(|(name, _)| *name).collect();
        for to in *allowed {
            assert!(below.contains(to), "`{name}` lists `{to}`, which is not below it");
        }
    }
}

#[test]
fn only_normal_edges_count() {
    let metadata = json!({
        "packages": [{"id": "1", "name": "model"}, {"id": "2", "name": "testkit"}, {"id": "3", "name": "serde"}],
        "workspace_members": ["1", "2"],
        "resolve": {"nodes": [{"id": "1", "deps": [
            {"pkg": "2", "dep_kinds": [{"kind": "dev"}]},
            {"pkg": "3", "dep_kinds": [{"kind": "build"}, {"kind": null}]},
        ]}]},
    });
    let graph = Graph::read(&metadata).expect("the shape");
    assert_eq!(graph.edges["model"], BTreeSet::from(["serde".to_owned()]));
    assert_eq!(graph.ours.len(), 2);
}
