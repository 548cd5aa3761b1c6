//! The OpenAPI documents, from which `kubectl` explains fields and learns how lists merge.

use aws_lc_rs::digest;
use http::HeaderMap;
use http::header::{ACCEPT, ETAG};
use schema::Described;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::kinds::{Kind, Kinds};
use crate::reply::Reply;

pub(crate) fn serve(kinds: &Kinds, path: &str, headers: &HeaderMap) -> Result<Reply, Failure> {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if accept.contains("protobuf") && !accept.contains("json") && !accept.contains("*/*") {
        return Err(Failure::not_acceptable("application/json"));
    }
    let path = path.trim_matches('/');
    match path.strip_prefix("openapi/") {
        Some("v2") => Ok(Reply::json(schema::openapi_v2(&described(kinds.iter().map(|kind| &**kind))))),
        Some("v3") => Ok(index(kinds)),
        Some(rest) => match rest.strip_prefix("v3/").and_then(|place| document(kinds, place)) {
            Some(document) => {
                let bytes = document.to_string();
                let tag = format!("\"{}\"", hash(bytes.as_bytes()));
                Ok(Reply::bytes(http::StatusCode::OK, "application/json", bytes).header(ETAG, &tag))
            }
            None => Err(Failure::no_resource()),
        },
        None => Err(Failure::no_resource()),
    }
}

/// Where each group and version is described; the hash in the address lets clients keep what they have.
fn index(kinds: &Kinds) -> Reply {
    let mut paths = serde_json::Map::new();
    for group in kinds.groups() {
        for (version, _) in &group.versions {
            let place = if group.name.is_empty() { format!("api/{version}") } else { format!("apis/{}/{version}", group.name) };
            if let Some(document) = document(kinds, &place) {
                let hash = hash(document.to_string().as_bytes());
                let url = format!("/openapi/v3/{place}?hash={hash}");
                paths.insert(place, json!({ "serverRelativeURL": url }));
            }
        }
    }
    Reply::json(json!({ "paths": paths }))
}

fn document(kinds: &Kinds, place: &str) -> Option<Value> {
    let (group, version) = match place.split('/').collect::<Vec<_>>().as_slice() {
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        _ => return None,
    };
    let served = kinds.version(group, version)?;
    let name = crate::kinds::api_version(group, version);
    Some(schema::openapi_v3(&name, &described(served.iter().map(|kind| &**kind))))
}

fn described<'a>(kinds: impl Iterator<Item = &'a Kind>) -> Vec<Described<'a>> {
    let described = kinds.map(|kind| Described {
        group: &kind.group,
        version: &kind.version,
        kind: &kind.kind,
        list_kind: &kind.list_kind,
        plural: &kind.plural,
        namespaced: kind.namespaced,
        status_subresource: kind.status,
        schema: kind.rules.structural(),
    });
    described.collect()
}

/// The first half of a SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
