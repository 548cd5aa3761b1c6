//! What came in, told as JSON.

use std::io::Write;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::form::{self, Pairs};
use super::{json_body, pretty};
use crate::BODY_LIMIT;
use crate::serve::Peer;

/// The longest `/delay`.
const LONGEST_DELAY: f64 = 10.0;

/// From the end of the head to the end of the body.
const BODY_TIME: Duration = Duration::from_secs(60);

pub async fn without_body(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    json_body(&json!({
        "args": args(&parts),
        "headers": title_case(&parts.headers),
        "origin": origin(&parts),
        "url": url(&parts),
    }))
}

pub async fn with_body(request: Request) -> Response {
    described(request, Shape::WithoutMethod).await.unwrap_or_else(|refused| refused)
}

/// Any method, any path below: everything that can be said about a request.
pub async fn anything(request: Request) -> Response {
    described(request, Shape::WithMethod).await.unwrap_or_else(|refused| refused)
}

/// As [`with_body`], after so many seconds, at most ten.
pub async fn delay(Path(seconds): Path<f64>, request: Request) -> Response {
    if !seconds.is_finite() {
        return super::bad("seconds must be a number");
    }
    sleep(Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_DELAY))).await;
    with_body(request).await
}

pub async fn headers(headers: HeaderMap) -> Response {
    json_body(&json!({"headers": title_case(&headers)}))
}

pub async fn ip(request: Request) -> Response {
    json_body(&json!({"origin": origin(&request.into_parts().0)}))
}

pub async fn user_agent(headers: HeaderMap) -> Response {
    let agent = headers.get(header::USER_AGENT).map(text);
    json_body(&json!({"user-agent": agent}))
}

pub async fn gzip(request: Request) -> Response {
    let body = compressed(request, "gzipped");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish());
    encoded("gzip", written)
}

/// `deflate` is zlib's format (RFC 9110 8.4.1.2), not bare deflate.
pub async fn deflate(request: Request) -> Response {
    let body = compressed(request, "deflated");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(body.as_bytes()).and_then(|()| encoder.finish());
    encoded("deflate", written)
}

fn compressed(request: Request, mark: &'static str) -> String {
    let (parts, _) = request.into_parts();
    let mut body = Map::new();
    body.insert(mark.into(), true.into());
    body.insert("headers".into(), title_case(&parts.headers));
    body.insert("method".into(), parts.method.as_str().into());
    body.insert("origin".into(), origin(&parts).into());
    body.sort_keys();
    pretty(&Value::Object(body))
}

fn encoded(coding: &'static str, written: std::io::Result<Vec<u8>>) -> Response {
    let body = written.expect("writing to a vector does not fail");
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, coding)];
    (headers, body).into_response()
}

enum Shape {
    WithMethod,
    WithoutMethod,
}

/// The error is the answer to a body that is too large, too slow or broken.
async fn described(request: Request, shape: Shape) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let body = match timeout(BODY_TIME, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if is_too_large(&error) => {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "at most 10 MiB\n").into_response());
        }
        Ok(Err(_)) => return Err((StatusCode::BAD_REQUEST, "the body is broken\n").into_response()),
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the body is too slow\n").into_response()),
    };
    let Body { data, files, form, json } = read_body(&parts.headers, &body);
    let mut out = json!({
        "args": args(&parts),
        "data": data,
        "files": files,
        "form": form,
        "headers": title_case(&parts.headers),
        "json": json,
        "method": parts.method.as_str(),
        "origin": origin(&parts),
        "url": url(&parts),
    });
    if let (Shape::WithoutMethod, Some(out)) = (shape, out.as_object_mut()) {
        out.shift_remove("method");
    }
    Ok(json_body(&out))
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

struct Body {
    data: String,
    files: Value,
    form: Value,
    json: Value,
}

/// A form goes to `form` and `files`, everything else to `data`, and to `json` where it parses.
fn read_body(headers: &HeaderMap, body: &Bytes) -> Body {
    let kind = headers.get(header::CONTENT_TYPE).map(text).unwrap_or_default();
    let (mut data, mut files, mut fields) = (String::new(), Pairs::default(), Pairs::default());
    if kind.starts_with("application/x-www-form-urlencoded") {
        fields = form::urlencoded(body);
    } else if let Some(boundary) = form::boundary(&kind) {
        (fields, files) = form::multipart(body, &boundary);
    } else {
        data = as_data(body);
    }
    let json = serde_json::from_str(&data).unwrap_or(Value::Null);
    Body { data, files: files.into_json(), form: fields.into_json(), json }
}

/// Text as it is; other octets as a `data:` URL.
pub fn as_data(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("data:application/octet-stream;base64,{}", STANDARD.encode(body)),
    }
}

pub fn args(parts: &Parts) -> Value {
    form::urlencoded(parts.uri.query().unwrap_or_default().as_bytes()).into_json()
}

/// Names Title-Case and sorted; lines of one name joined by commas.
pub fn title_case(headers: &HeaderMap) -> Value {
    let mut out = Map::new();
    for name in headers.keys() {
        let values: Vec<String> = headers.get_all(name).iter().map(text).collect();
        let words: Vec<String> = name.as_str().split('-').map(capital).collect();
        out.insert(words.join("-"), values.join(",").into());
    }
    out.sort_keys();
    Value::Object(out)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn text(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Who asked: what proxies say, else the peer.
fn origin(parts: &Parts) -> String {
    let said = parts.headers.get("x-forwarded-for").map(text);
    let peer = || parts.extensions.get::<Peer>().map(|Peer(peer)| peer.ip().to_string());
    said.or_else(peer).unwrap_or_default()
}

/// The URL as the client wrote it, as far as the proxies before tell.
pub fn url(parts: &Parts) -> String {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{}{path}", base(parts))
}

/// Scheme and authority.
pub fn base(parts: &Parts) -> String {
    let scheme = match parts.headers.get("x-forwarded-proto") {
        Some(proto) if proto == "https" => "https",
        _ => "http",
    };
    let host = parts.headers.get(header::HOST).map(text);
    let host = host.or_else(|| parts.uri.authority().map(ToString::to_string)).unwrap_or_default();
    format!("{scheme}://{host}")
}
