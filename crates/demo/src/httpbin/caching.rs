//! Conditional requests and cache lifetimes.

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{bad, request};

/// 304 to any conditional request, `/get` to others.
pub async fn conditional(request: Request) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::IF_MODIFIED_SINCE) || headers.contains_key(header::IF_NONE_MATCH) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = request::without_body(request).await;
    let modified = HeaderValue::from_static("Thu, 01 Jan 2026 00:00:00 GMT");
    response.headers_mut().insert(header::LAST_MODIFIED, modified);
    response.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"cache\""));
    response
}

pub async fn for_seconds(Path(seconds): Path<u32>, request: Request) -> Response {
    let mut response = request::without_body(request).await;
    let control = format!("public, max-age={seconds}");
    let control = HeaderValue::try_from(control).expect("a number is a header's value");
    response.headers_mut().insert(header::CACHE_CONTROL, control);
    response
}

/// `If-None-Match` answers 304 where it matches, `If-Match` 412 where it does not (RFC 9110 13.1).
pub async fn etag(Path(etag): Path<String>, request: Request) -> Response {
    let Ok(tag) = HeaderValue::try_from(format!("\"{etag}\"")) else { return bad("not an entity tag\n") };
    let mut response = match (listed(request.headers(), header::IF_NONE_MATCH, &etag), listed(request.headers(), header::IF_MATCH, &etag)) {
        (Some(true), _) => StatusCode::NOT_MODIFIED.into_response(),
        (_, Some(false)) => StatusCode::PRECONDITION_FAILED.into_response(),
        _ => request::without_body(request).await,
    };
    response.headers_mut().insert(header::ETAG, tag);
    response
}

fn listed(headers: &HeaderMap, name: header::HeaderName, etag: &str) -> Option<bool> {
    let list = headers.get(name)?.to_str().ok()?;
    Some(list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == etag))
}
