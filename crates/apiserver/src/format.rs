//! What a client accepts: the encoding, and whether it wants objects, their metadata or rows of a table.
//!
//! Protobuf is there for what has messages: built-in kinds, and the metadata of any.

use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::failure::Failure;
use crate::kinds::Kind;
use crate::protobuf;
use crate::reply::Reply;
use crate::request::Verb;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) encoding: Encoding,
    pub(crate) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Yaml,
    Protobuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    Table,
    Metadata,
}

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const STREAMED: &str = "application/json, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

// === impl Format ===

impl Format {
    pub(crate) const JSON: Self = Self { encoding: Encoding::Json, shape: Shape::Whole };

    pub(crate) fn negotiate(headers: &HeaderMap, verb: Verb, kind: &Kind) -> Result<Self, Failure> {
        let offers = offers(headers);
        if !headers.get_all(ACCEPT).iter().any(|line| !line.as_bytes().trim_ascii().is_empty()) {
            return Ok(Self::JSON);
        }
        let possible = |format: &Self| match (format.encoding, format.shape) {
            (Encoding::Protobuf, Shape::Whole) => kind.is_builtin(),
            (Encoding::Protobuf, Shape::Table) => false,
            _ => true,
        };
        let found = offers.iter().filter_map(|offer| Self::of(offer)).find(possible);
        let found = found.ok_or_else(|| Failure::not_acceptable(ACCEPTED))?;
        // A stream of YAML documents is nothing that a client could read.
        if verb == Verb::Watch && found.encoding == Encoding::Yaml {
            return Err(Failure::not_acceptable(STREAMED));
        }
        Ok(found)
    }

    fn of(offer: &str) -> Option<Self> {
        let mut parts = offer.split(';').map(str::trim);
        let encoding = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" | "*/*" | "application/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
            protobuf::MEDIA_TYPE => Encoding::Protobuf,
            _ => return None,
        };
        let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let get = |key: &str| parameters.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let shape = match (get("as"), get("g"), get("v")) {
            (None, ..) => Shape::Whole,
            (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Shape::Table,
            (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => Shape::Metadata,
            _ => return None,
        };
        Some(Self { encoding, shape })
    }

    /// A value in this encoding.
    pub(crate) fn reply(self, code: StatusCode, value: &Value) -> Reply {
        match self.encoding {
            Encoding::Json => Reply::json_with(code, value),
            Encoding::Yaml => match serde_saphyr::to_string(value) {
                Ok(text) => Reply::bytes(code, "application/yaml", text),
                Err(error) => Reply::failure(&Failure::internal(error)),
            },
            Encoding::Protobuf => match protobuf::encode(value) {
                Ok(bytes) => Reply::bytes(code, protobuf::MEDIA_TYPE, bytes),
                Err(unfit) => Reply::failure(&Failure::internal(unfit)),
            },
        }
    }
}

/// Whether a client takes protobuf before anything else; then it is also told in protobuf what went wrong.
pub(crate) fn prefers_protobuf(headers: &HeaderMap) -> bool {
    let best = offers(headers).into_iter().find_map(Format::of);
    best.is_some_and(|format| format.encoding == Encoding::Protobuf)
}

/// The best first.
fn offers(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut offers: Vec<(u16, &str)> = lines
        .flat_map(|line| line.split(',').map(str::trim))
        .filter(|offer| !offer.is_empty())
        .map(|offer| (quality(offer), offer))
        .collect();
    offers.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    offers.into_iter().filter(|(quality, _)| *quality > 0).map(|(_, offer)| offer).collect()
}

fn quality(offer: &str) -> u16 {
    let q = offer.split(';').map(str::trim).find_map(|part| part.strip_prefix("q="));
    let q = q.and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0).clamp(0.0, 1.0);
    (q * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accept: &str, expect: Option<(Encoding, Shape)>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("a header"));
        let service = schema::builtin().find("", "v1", "services").expect("a built-in kind");
        let found = Format::negotiate(&headers, Verb::List, &Kind::builtin(service)).ok();
        assert_eq!(found.map(|format| (format.encoding, format.shape)), expect, "{accept}");
    }

    #[test]
    fn the_best_offer_that_can_be_met_is_taken() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        check("*/*", Some((Encoding::Json, Shape::Whole)));
        check("application/json", Some((Encoding::Json, Shape::Whole)));
        check(&format!("{table},application/json"), Some((Encoding::Json, Shape::Table)));
        check("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Some((Encoding::Json, Shape::Whole)));
        check("application/vnd.kubernetes.protobuf,application/json", Some((Encoding::Protobuf, Shape::Whole)));
        check("application/json,application/vnd.kubernetes.protobuf", Some((Encoding::Json, Shape::Whole)));
        check("application/json;q=0.1, application/yaml", Some((Encoding::Yaml, Shape::Whole)));
        check("application/vnd.kubernetes.protobuf", Some((Encoding::Protobuf, Shape::Whole)));
        check("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", None);
        check("application/json;q=0", None);
        check("text/html", None);
    }
}
