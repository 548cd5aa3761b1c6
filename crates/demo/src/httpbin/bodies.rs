//! Bodies of a chosen size, speed or type.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use tokio::time::sleep;

use super::request::{args, title_case, url};
use super::{bad, form, json_body};
use crate::BODY_LIMIT;

/// The most `/bytes`, `/stream-bytes` and `/range` give.
const BYTES: usize = 100 << 10;

/// The most lines `/stream` gives.
const LINES: usize = 100;

/// The longest `/drip` waits and takes.
const LONGEST_DRIP: f64 = 10.0;

const OCTETS: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/octet-stream")];

pub async fn index() -> Html<&'static str> {
    Html(
        "<!DOCTYPE html>\n<title>httpbin</title>\n<h1>httpbin, a subset</h1>\n<p>Try <a href=\"/get\">/get</a>, \
          <a href=\"/headers\">/headers</a>, <a href=\"/anything\">/anything</a>, <a href=\"/status/418\">/status/418</a>.</p>\n",
    )
}

pub async fn json() -> Response {
    json_body(&json!({"slideshow": {
        "author": "Yours Truly",
        "date": "date of publication",
        "slides": [
            {"title": "Wake up to WonderWidgets!", "type": "all"},
            {"items": ["Why WonderWidgets are great", "Who buys WonderWidgets"], "title": "Overview", "type": "all"},
        ],
        "title": "Sample Slide Show",
    }}))
}

pub async fn html() -> Html<&'static str> {
    Html("<!DOCTYPE html>\n<html>\n  <head></head>\n  <body>\n    <h1>A page</h1>\n    <p>Some text.</p>\n  </body>\n</html>\n")
}

pub async fn xml() -> Response {
    let body = "<?xml version=\"1.0\" encoding=\"us-ascii\"?>\n<slideshow title=\"Sample Slide Show\">\n  \
                <slide type=\"all\"><title>Overview</title></slide>\n</slideshow>\n";
    ([(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

pub async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /deny\n"
}

pub async fn utf8() -> Html<&'static str> {
    Html("<h1>UTF-8</h1>\n<p>牌坊 · ∮ E⋅da = Q · ἐπιούσιον · Здравствуйте · ⡌⠁⠧⠑</p>\n")
}

/// A random one (version 4).
pub async fn uuid() -> Response {
    let n = fastrand::u128(..) & !(0xf << 76 | 0xc << 60) | 4 << 76 | 8 << 60;
    let hex = format!("{n:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    json_body(&json!({"uuid": parts.join("-")}))
}

/// The decoded value; both alphabets are understood.
pub async fn base64(Path(value): Path<String>) -> Response {
    match URL_SAFE.decode(&value).or_else(|_| STANDARD.decode(&value)) {
        Ok(octets) => octets.into_response(),
        Err(_) => bad("Incorrect Base64 data try: SFRUUEJJTiBpcyBhd2Vzb21l\n"),
    }
}

/// `n` lines of JSON, each written on its own.
pub async fn stream(Path(n): Path<usize>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let (args, headers, url) = (args(&parts), title_case(&parts.headers), url(&parts));
    let lines = (0..n.min(LINES)).map(move |id| {
        let line = json!({"args": args, "headers": headers, "id": id, "url": url});
        Ok::<_, std::convert::Infallible>(format!("{line}\n"))
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(lines))).into_response()
}

/// `n` random octets; the same for the same `seed`.
pub async fn bytes(Path(n): Path<usize>, RawQuery(query): RawQuery) -> Response {
    let octets = octets(n, &Parameters::from(query));
    (OCTETS, octets).into_response()
}

/// As [`bytes`], in chunks of `chunk_size`, without a length.
pub async fn stream_bytes(Path(n): Path<usize>, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::from(query);
    let size = parameters.number("chunk_size", 10.0 * 1024.0).clamp(1.0, BYTES as f64) as usize;
    let octets = Bytes::from(octets(n, &parameters));
    let chunks =
        (0..octets.len()).step_by(size).map(move |at| Ok::<_, std::convert::Infallible>(octets.slice(at..octets.len().min(at + size))));
    (OCTETS, Body::from_stream(stream::iter(chunks.collect::<Vec<_>>()))).into_response()
}

fn octets(n: usize, parameters: &Parameters) -> Vec<u8> {
    let mut rng = match parameters.0.get("seed").and_then(|seed| seed.parse().ok()) {
        Some(seed) => fastrand::Rng::with_seed(seed),
        None => fastrand::Rng::new(),
    };
    let mut octets = vec![0; n.min(BYTES)];
    rng.fill(&mut octets);
    octets
}

/// `numbytes` octets over `duration` seconds, after `delay`, with status `code`.
pub async fn drip(RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::from(query);
    let count = parameters.number("numbytes", 10.0) as usize;
    let code = StatusCode::from_u16(parameters.number("code", 200.0) as u16);
    let (Ok(code), 1..=BODY_LIMIT) = (code, count) else {
        return bad("number of bytes: 1 to 10 MiB; code: a status\n");
    };
    if code.as_u16() < 200 {
        return bad("code: 200 or above\n");
    }
    let seconds = |name, default| Duration::from_secs_f64(parameters.number(name, default).clamp(0.0, LONGEST_DRIP));
    let (duration, delay) = (seconds("duration", 2.0), seconds("delay", 0.0));
    // Ten pieces are enough to look like dripping, however large it is.
    let pieces = count.min(10);
    let drops = stream::unfold(0, move |n| async move {
        if n == pieces {
            return None;
        }
        sleep(duration / pieces as u32).await;
        let size = count * (n + 1) / pieces - count * n / pieces;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'*'; size])), n + 1))
    });
    sleep(delay).await;
    let headers = [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, count.to_string())];
    (code, headers, Body::from_stream(drops)).into_response()
}

/// `n` letters of the alphabet, or the one range of them that is asked for.
pub async fn range(Path(n): Path<usize>, headers: HeaderMap) -> Response {
    let n = n.min(BYTES);
    let body: Vec<u8> = (0..n).map(|at| b'a' + (at % 26) as u8).collect();
    let common = [(header::ACCEPT_RANGES, "bytes".to_owned()), (header::ETAG, format!("\"range{n}\""))];
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    match asked.map(|range| one_range(range, n)) {
        None | Some(Asked::Other) => (common, body).into_response(),
        Some(Asked::Part(first, last)) => {
            let place = [(header::CONTENT_RANGE, format!("bytes {first}-{last}/{n}"))];
            (StatusCode::PARTIAL_CONTENT, common, place, body[first..=last].to_vec()).into_response()
        }
        Some(Asked::Outside) => {
            let place = [(header::CONTENT_RANGE, format!("bytes */{n}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, common, place).into_response()
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// First and last octet.
    Part(usize, usize),
    Outside,
    /// Several ranges, or not a range: ignored (RFC 9110 14.2).
    Other,
}

fn one_range(range: &str, length: usize) -> Asked {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Other;
    };
    let part = match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(length.saturating_sub(1))),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, length.saturating_sub(1)),
        (Err(_), Ok(suffix)) if first.trim().is_empty() && suffix > 0 => (length.saturating_sub(suffix), length.saturating_sub(1)),
        _ => return Asked::Other,
    };
    if part.0 < length { Asked::Part(part.0, part.1) } else { Asked::Outside }
}

struct Parameters(form::Pairs);

// === impl Parameters ===

impl Parameters {
    fn from(query: Option<String>) -> Self {
        Self(form::urlencoded(query.unwrap_or_default().as_bytes()))
    }

    fn number(&self, name: &str, default: f64) -> f64 {
        let given = self.0.get(name).and_then(|text| text.parse::<f64>().ok());
        given.filter(|number| number.is_finite()).unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, expect) in [
            ("bytes=0-4", Asked::Part(0, 4)),
            ("bytes=8-", Asked::Part(8, 9)),
            ("bytes=-3", Asked::Part(7, 9)),
            ("bytes=-99", Asked::Part(0, 9)),
            ("bytes=5-99", Asked::Part(5, 9)),
            ("bytes=10-", Asked::Outside),
            ("bytes=4-2", Asked::Other),
            ("bytes=0-1,3-4", Asked::Other),
            ("bytes=-0", Asked::Other),
            ("lines=0-1", Asked::Other),
            ("bytes=99999999999999999999-", Asked::Other),
        ] {
            assert_eq!(one_range(range, 10), expect, "{range}");
        }
        assert_eq!(one_range("bytes=0-0", 0), Asked::Outside);
    }
}
