//! What a client accepts: the encoding, and whether it wants objects, their metadata or rows of a table.

use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::failure::Failure;
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    Table,
    Metadata,
}

const ACCEPTED: &str = "application/json, application/yaml";

// === impl Format ===

impl Format {
    pub(crate) const JSON: Self = Self { encoding: Encoding::Json, shape: Shape::Whole };

    pub(crate) fn negotiate(headers: &HeaderMap, verb: Verb) -> Result<Self, Failure> {
        let mut offers: Vec<(u16, &str)> = Vec::new();
        for line in headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()) {
            offers.extend(line.split(',').map(str::trim).filter(|offer| !offer.is_empty()).map(|o| (quality(o), o)));
        }
        if offers.is_empty() {
            return Ok(Self::JSON);
        }
        offers.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        let found = offers.iter().filter(|(quality, _)| *quality > 0).find_map(|(_, offer)| Self::of(offer));
        let found = found.ok_or_else(|| Failure::not_acceptable(ACCEPTED))?;
        // A stream of YAML documents is nothing that a client could read.
        if verb == Verb::Watch && found.encoding == Encoding::Yaml {
            return Err(Failure::not_acceptable("application/json, application/json;stream=watch"));
        }
        Ok(found)
    }

    fn of(offer: &str) -> Option<Self> {
        let mut parts = offer.split(';').map(str::trim);
        let encoding = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" | "*/*" | "application/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
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
        }
    }
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
        let found = Format::negotiate(&headers, Verb::List).ok();
        assert_eq!(found.map(|format| (format.encoding, format.shape)), expect, "{accept}");
    }

    #[test]
    fn the_best_offer_that_can_be_met_is_taken() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        check("*/*", Some((Encoding::Json, Shape::Whole)));
        check("application/json", Some((Encoding::Json, Shape::Whole)));
        check(&format!("{table},application/json"), Some((Encoding::Json, Shape::Table)));
        check("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Some((Encoding::Json, Shape::Whole)));
        check("application/vnd.kubernetes.protobuf,application/json", Some((Encoding::Json, Shape::Whole)));
        check("application/json;q=0.1, application/yaml", Some((Encoding::Yaml, Shape::Whole)));
        check("application/vnd.kubernetes.protobuf", None);
        check("application/json;q=0", None);
        check("text/html", None);
    }
}
