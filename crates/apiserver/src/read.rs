//! Get and list.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};
use store::{Object as Stored, Revision, WatchError};

use crate::api::{Api, Ask};
use crate::failure::Failure;
use crate::format::{Encoding, Format, Shape};
use crate::kinds::Kind;
use crate::listing;
use crate::object::{decode, splice};
use crate::print;
use crate::protobuf;
use crate::reply::Reply;
use crate::selector::{Fields, Labels, Selector};

/// How long a list waits for a revision that is not there yet.
const PATIENCE: Duration = Duration::from_secs(3);

type Item = (Arc<str>, Stored);

pub(crate) async fn get(api: &Api, ask: &Ask) -> Result<Reply, Failure> {
    if let Some(wanted) = ask.query.revision()?.filter(|wanted| *wanted > api.store.revision()) {
        await_revision(api, wanted).await?;
    }
    let stored = api.store.get(&ask.key());
    let stored = stored.ok_or_else(|| Failure::not_found(&ask.kind, &ask.target.name))?;
    if ask.format == Format::JSON {
        let mut bytes = Vec::with_capacity(stored.bytes.len() + 40);
        splice(&ask.kind, &stored, &mut bytes);
        return Ok(Reply::bytes(StatusCode::OK, "application/json", bytes));
    }
    shaped(ask, StatusCode::OK, decode(&ask.kind, &stored))
}

/// One object, in the shape the client wants.
pub(crate) fn shaped(ask: &Ask, code: StatusCode, object: Value) -> Result<Reply, Failure> {
    let object = match ask.format.shape {
        Shape::Whole => object,
        Shape::Metadata => metadata_only(&object),
        Shape::Table => {
            let revision = object["metadata"]["resourceVersion"].as_str().unwrap_or("").to_owned();
            let rows = vec![print::row(&ask.kind, &object, print::Include::of(&ask.query)?)];
            print::table(&ask.kind, rows, json!({ "resourceVersion": revision }), print::Header::With)
        }
    };
    Ok(ask.format.reply(code, &object))
}

pub(crate) fn metadata_only(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

pub(crate) fn selector(ask: &Ask) -> Result<Selector, Failure> {
    let labels = Labels::parse(ask.query.get("labelSelector").unwrap_or(""))?;
    let fields = Fields::parse(&ask.kind, ask.query.get("fieldSelector").unwrap_or(""))?;
    Ok(Selector { labels, fields })
}

/// One page of a list.
struct Page {
    revision: Revision,
    items: Vec<Item>,
    /// Where the next page starts, and how many objects it and those after it have.
    rest: Option<(String, usize)>,
}

pub(crate) async fn list(api: &Api, ask: &Ask) -> Result<Reply, Failure> {
    listing::check(ask)?;
    let selector = selector(ask)?;
    let page = page(api, ask, &selector).await?;
    let mut meta = json!({ "resourceVersion": page.revision.to_string() });
    if let Some((start, count)) = &page.rest {
        meta["continue"] = encode_token(page.revision, start).into();
        if selector.is_empty() {
            meta["remainingItemCount"] = (*count).into();
        }
    }
    match ask.format.shape {
        Shape::Whole if ask.format == Format::JSON => Ok(splice_list(&ask.kind, &meta, &page.items)),
        _ if ask.format.encoding == Encoding::Protobuf => protobuf_list(ask, &meta, &page.items),
        Shape::Whole => Ok(ask.format.reply(StatusCode::OK, &whole_list(&ask.kind, meta, &page.items))),
        Shape::Metadata => {
            let items = page.items.iter().map(|(_, stored)| metadata_only(&decode(&ask.kind, stored)));
            let items: Value = items.collect();
            let list = json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items,
            });
            Ok(ask.format.reply(StatusCode::OK, &list))
        }
        Shape::Table => {
            let include = print::Include::of(&ask.query)?;
            let rows = page.items.iter().map(|(_, stored)| print::row(&ask.kind, &decode(&ask.kind, stored), include));
            let table = print::table(&ask.kind, rows.collect(), meta, print::Header::With);
            Ok(ask.format.reply(StatusCode::OK, &table))
        }
    }
}

async fn page(api: &Api, ask: &Ask, selector: &Selector) -> Result<Page, Failure> {
    let prefix = ask.kind.keys_in(&ask.target.namespace);
    let limit = ask.query.count("limit")?;
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (revision, start, items) = match ask.query.get("continue") {
        Some(token) => {
            let (revision, start) = decode_token(token)?;
            let items = api.store.list_at(&prefix, revision).map_err(|_| {
                Failure::expired(
                    "The provided continue parameter is too old to display a consistent list result. \
                     You can start a new list without the continue parameter.",
                )
            })?;
            (revision, start, items)
        }
        None => {
            let (revision, items) = at_revision(api, ask, &prefix).await?;
            (revision, String::new(), items)
        }
    };
    let mut page = Page { revision, items: Vec::new(), rest: None };
    let from = items.partition_point(|(key, _)| **key < *start);
    for (at, (key, stored)) in items.iter().enumerate().skip(from) {
        if page.items.len() == limit {
            page.rest = Some((key.to_string(), items.len() - at));
            break;
        }
        if selector.is_empty() || selector.matches(&decode(&ask.kind, stored)) {
            page.items.push((key.clone(), stored.clone()));
        }
    }
    Ok(page)
}

async fn at_revision(api: &Api, ask: &Ask, prefix: &str) -> Result<(Revision, Vec<Item>), Failure> {
    let wanted = ask.query.revision()?.unwrap_or(0);
    if ask.query.get("resourceVersionMatch") == Some("Exact") {
        let items = api.store.list_at(prefix, wanted).map_err(|error| watch_failure(&error))?;
        return Ok((wanted, items));
    }
    if wanted > api.store.revision() {
        await_revision(api, wanted).await?;
    }
    Ok(api.store.list(prefix))
}

async fn await_revision(api: &Api, wanted: Revision) -> Result<(), Failure> {
    let newest = api.store.revision();
    let Ok(mut watch) = api.store.watch("", newest) else { return Ok(()) };
    let reached = async { while watch.revision() < wanted && watch.next().await.is_ok() {} };
    let _ = tokio::time::timeout(PATIENCE, reached).await;
    let newest = api.store.revision();
    if newest < wanted { Err(Failure::future(wanted, newest)) } else { Ok(()) }
}

pub(crate) fn watch_failure(error: &WatchError) -> Failure {
    match error {
        WatchError::Compacted { from, oldest } => Failure::expired(format!("too old resource version: {from} ({oldest})")),
        WatchError::Future { from, newest } => Failure::future(*from, *newest),
        WatchError::Closed => Failure::storage(&store::WriteError::Closed),
    }
}

fn splice_list(kind: &Kind, meta: &Value, items: &[Item]) -> Reply {
    let size: usize = items.iter().map(|(_, stored)| stored.bytes.len() + 40).sum();
    let mut out = Vec::with_capacity(size + 256);
    let head = json!({ "kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta }).to_string();
    out.extend_from_slice(head.trim_end_matches('}').as_bytes());
    // The braces of `metadata` went with the one of the list.
    out.extend_from_slice(b"},\"items\":[");
    for (at, (_, stored)) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        splice(kind, stored, &mut out);
    }
    out.extend_from_slice(b"]}\n");
    Reply::bytes(StatusCode::OK, "application/json", out)
}

fn whole_list(kind: &Kind, meta: Value, items: &[Item]) -> Value {
    let items: Value = items.iter().map(|(_, stored)| decode(kind, stored)).collect();
    json!({ "kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": items })
}

fn protobuf_list(ask: &Ask, meta: &Value, items: &[Item]) -> Result<Reply, Failure> {
    let objects = items.iter().map(|(_, stored)| decode(&ask.kind, stored));
    let bytes = match ask.format.shape {
        Shape::Metadata => {
            let objects = objects.map(|object| metadata_only(&object));
            protobuf::encode_list("meta.k8s.io/v1", "PartialObjectMetadataList", meta, objects)
        }
        _ => protobuf::encode_list(&ask.kind.api_version, &ask.kind.list_kind, meta, objects),
    };
    let bytes = bytes.map_err(Failure::internal)?;
    Ok(Reply::bytes(StatusCode::OK, protobuf::MEDIA_TYPE, bytes))
}

fn encode_token(revision: Revision, start: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "v": "meta.k8s.io/v1", "rv": revision, "start": start }).to_string())
}

fn decode_token(token: &str) -> Result<(Revision, String), Failure> {
    let value = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let read = value.as_ref().and_then(|value| Some((value["rv"].as_u64()?, value["start"].as_str()?.to_owned())));
    read.ok_or_else(|| {
        let version = value.as_ref().and_then(|value| value["v"].as_str()).unwrap_or("");
        let what = format!("server does not recognize this encoded version {version}");
        Failure::bad_request(format!("invalid continue token: continue key is not valid: {what}"))
    })
}
