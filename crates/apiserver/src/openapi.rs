//! The OpenAPI documents, from which `kubectl` explains fields and learns how lists merge.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::header::{ACCEPT, ETAG};
use http::{HeaderMap, StatusCode};
use schema::Described;
use serde_json::json;

use crate::failure::Failure;
use crate::kinds::{Kind, Kinds, api_version};
use crate::reply::Reply;

/// The documents of one set of kinds: making them takes longer than anything else here.
#[derive(Debug)]
pub(crate) struct Documents {
    /// By place, such as `apis/networking.k8s.io/v1`: the hash and the document.
    v3: Vec<(String, String, Bytes)>,
    v2: OnceLock<Bytes>,
}

/// What `kubectl` asks for before it applies a `List`, and cannot read as JSON. It gets a document without definitions:
/// what it does not find there it leaves to the server, which checks every field of every object in the list.
const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/// As it is answered: Go does not take the `@` in a media type.
const V2_ANSWER: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `swagger: "2.0"`, an `info` with a title and a version, no paths, no definitions.
const V2_EMPTY: &[u8] = b"\x0a\x032.0\x12\x08\x0a\x02k8\x12\x02v1\x42\x00\x4a\x00";

pub(crate) fn serve(kinds: &Kinds, path: &str, headers: &HeaderMap) -> Result<Reply, Failure> {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if path == "/openapi/v2" && accept.contains(V2_PROTOBUF) {
        return Ok(Reply::bytes(StatusCode::OK, V2_ANSWER, V2_EMPTY));
    }
    if accept.contains("protobuf") && !accept.contains("json") && !accept.contains("*/*") {
        return Err(Failure::not_acceptable("application/json"));
    }
    let documents = kinds.documents.get_or_init(|| Documents::of(kinds));
    let json = |bytes: &Bytes| Reply::bytes(StatusCode::OK, "application/json", bytes.clone());
    match path.trim_matches('/').strip_prefix("openapi/") {
        Some("v2") => Ok(json(documents.v2.get_or_init(|| {
            let document = schema::openapi_v2(&described(kinds.iter().map(|kind| &**kind)));
            document.to_string().into()
        }))),
        Some("v3") => Ok(documents.index()),
        Some(rest) => {
            let place = rest.strip_prefix("v3/").unwrap_or("");
            let found = documents.v3.iter().find(|(known, ..)| known == place);
            let (_, hash, bytes) = found.ok_or_else(Failure::no_resource)?;
            Ok(json(bytes).header(ETAG, &format!("\"{hash}\"")))
        }
        None => Err(Failure::no_resource()),
    }
}

// === impl Documents ===

impl Documents {
    fn of(kinds: &Kinds) -> Self {
        let mut v3 = Vec::new();
        for group in kinds.groups() {
            for (version, served) in &group.versions {
                let name = api_version(&group.name, version);
                let place = if group.name.is_empty() { format!("api/{name}") } else { format!("apis/{name}") };
                let document = schema::openapi_v3(&name, &described(served.iter().map(|kind| &**kind)));
                let bytes = Bytes::from(document.to_string());
                v3.push((place, hash(&bytes), bytes));
            }
        }
        Self { v3, v2: OnceLock::new() }
    }

    /// Where each group and version is described; the hash in the address lets clients keep what they have.
    fn index(&self) -> Reply {
        let entry = |(place, hash, _): &(String, String, Bytes)| {
            (place.clone(), json!({ "serverRelativeURL": format!("/openapi/v3/{place}?hash={hash}") }))
        };
        let paths: serde_json::Map<_, _> = self.v3.iter().map(entry).collect();
        Reply::json(json!({ "paths": paths }))
    }
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
