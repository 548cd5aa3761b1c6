//! Discovery: which groups, versions and kinds there are, in the legacy and in the aggregated form.

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::kinds::{Group, Kind, Kinds};
use crate::reply::Reply;
use crate::{openapi, review, scale, table, token};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/// What clients are told this API is like.
const MINOR: &str = "36";

pub(crate) fn version() -> Value {
    json!({
        "major": "1", "minor": MINOR, "gitVersion": format!("v1.{MINOR}.0+paifang-{}", env!("CARGO_PKG_VERSION")),
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none", "compiler": "rustc", "platform": format!("{}/{}", std::env::consts::OS, arch()),
    })
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

pub(crate) fn paths(kinds: &Kinds) -> Vec<String> {
    let mut paths: Vec<String> = ["/api", "/api/v1", "/apis"].map(str::to_owned).into();
    for group in named_groups(kinds) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(group.versions.iter().map(|(version, _)| format!("/apis/{}/{version}", group.name)));
    }
    paths.extend(["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned));
    paths
}

pub(crate) fn serve(kinds: &Kinds, path: &str, headers: &HeaderMap) -> Result<Reply, Failure> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let aggregated = wants_aggregated(headers);
    match parts.as_slice() {
        ["api"] if aggregated => Ok(list(kinds.groups().iter().filter(|group| group.name.is_empty()), headers)),
        ["apis"] if aggregated => Ok(list(named_groups(kinds), headers)),
        ["api"] => Ok(Reply::json(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }))),
        ["apis"] => {
            let groups: Vec<Value> = named_groups(kinds).map(|group| legacy_group(group, false)).collect();
            Ok(Reply::json(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })))
        }
        ["api", version] => resources(kinds, "", version),
        ["apis", group] => {
            let group = named_groups(kinds).find(|known| known.name == *group).ok_or_else(Failure::no_resource)?;
            Ok(Reply::json(legacy_group(group, true)))
        }
        ["apis", group, version] => resources(kinds, group, version),
        _ => Err(Failure::no_resource()),
    }
}

/// All but the core group.
fn named_groups(kinds: &Kinds) -> impl Iterator<Item = &Group> {
    kinds.groups().iter().filter(|group| !group.name.is_empty())
}

fn wants_aggregated(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.flat_map(|line| line.split(',')).any(|offer| {
        let mut parts: Vec<&str> = offer.split(';').map(str::trim).collect();
        parts.sort_unstable();
        let has = |part: &str| parts.contains(&part);
        has("application/json") && has("g=apidiscovery.k8s.io") && has("v=v2") && has("as=APIGroupDiscoveryList")
    })
}

fn list<'a>(groups: impl Iterator<Item = &'a Group>, headers: &HeaderMap) -> Reply {
    let items: Vec<Value> = groups.map(aggregated_group).collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    let bytes = list.to_string();
    let tag = format!("\"{}\"", openapi::hash(bytes.as_bytes()));
    if headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes()) {
        return Reply::bytes(StatusCode::NOT_MODIFIED, AGGREGATED, "").header(ETAG, &tag);
    }
    Reply::bytes(StatusCode::OK, AGGREGATED, bytes).header(ETAG, &tag)
}

fn aggregated_group(group: &Group) -> Value {
    let versions = group.versions.iter().map(|(version, kinds)| {
        let resources: Vec<Value> = match review::of_group(&group.name) {
            [] => kinds.iter().map(|kind| aggregated_kind(kind)).collect(),
            reviews => reviews
                .iter()
                .map(|review| {
                    json!({
                        "resource": review.plural, "singularResource": review.kind.to_lowercase(),
                        "scope": if review.namespaced { "Namespaced" } else { "Cluster" },
                        "responseKind": { "group": group.name, "version": version, "kind": review.kind },
                        "verbs": ["create"],
                    })
                })
                .collect(),
        };
        json!({ "version": version, "resources": resources, "freshness": "Current" })
    });
    json!({ "metadata": { "name": group.name, "creationTimestamp": null }, "versions": versions.collect::<Vec<_>>() })
}

fn aggregated_kind(kind: &Kind) -> Value {
    let response = json!({ "group": kind.group, "version": kind.version, "kind": kind.kind });
    let mut value = json!({
        "resource": kind.plural, "responseKind": response, "singularResource": kind.singular,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "verbs": words(kind, ""),
    });
    if !kind.short_names.is_empty() {
        value["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        value["categories"] = json!(kind.categories);
    }
    let below = table::subresources(kind);
    if !below.is_empty() {
        let below = below.iter().map(|name| {
            let response = match other_kind(name) {
                Some((group, version, kind)) => json!({ "group": group, "version": version, "kind": kind }),
                None => response.clone(),
            };
            json!({ "subresource": name, "responseKind": response, "verbs": words(kind, name) })
        });
        value["subresources"] = below.collect();
    }
    value
}

/// Group, version and kind of a subresource that is of another kind than its object.
fn other_kind(subresource: &str) -> Option<(&'static str, &'static str, &'static str)> {
    match subresource {
        "scale" => Some((scale::GROUP, scale::VERSION, scale::KIND)),
        "token" => Some((token::GROUP, "v1", token::KIND)),
        _ => None,
    }
}

fn words(kind: &Kind, subresource: &str) -> Vec<&'static str> {
    // Kubernetes lists them by the alphabet.
    let mut words: Vec<_> = table::verbs(kind, subresource).into_iter().map(|verb| verb.as_str()).collect();
    words.sort_unstable();
    words
}

fn legacy_group(group: &Group, alone: bool) -> Value {
    let version = |version: &str| json!({ "groupVersion": format!("{}/{version}", group.name), "version": version });
    let versions: Vec<Value> = group.versions.iter().map(|(name, _)| version(name)).collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    let mut value = json!({ "name": group.name, "versions": versions, "preferredVersion": preferred });
    if alone {
        value["kind"] = "APIGroup".into();
        value["apiVersion"] = "v1".into();
    }
    value
}

fn resources(kinds: &Kinds, group: &str, version: &str) -> Result<Reply, Failure> {
    let served = kinds.version(group, version).ok_or_else(Failure::no_resource)?;
    let mut resources = Vec::new();
    for review in review::of_group(group) {
        resources.push(json!({
            "name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": review.namespaced,
            "kind": review.kind, "verbs": ["create"],
        }));
    }
    for kind in served {
        let mut value = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": words(kind, ""),
        });
        if !kind.short_names.is_empty() {
            value["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            value["categories"] = json!(kind.categories);
        }
        resources.push(value);
        for name in table::subresources(kind) {
            let mut below = json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "kind": kind.kind, "verbs": words(kind, name),
            });
            if let Some((group, version, kind)) = other_kind(name) {
                below["group"] = group.into();
                below["version"] = version.into();
                below["kind"] = kind.into();
            }
            resources.push(below);
        }
    }
    let group_version = crate::kinds::api_version(group, version);
    Ok(Reply::json(json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources,
    })))
}
