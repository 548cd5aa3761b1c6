//! Redirects.

use axum::extract::{Path, RawQuery, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::{bad, form, request};

/// The most hops.
const HOPS: u32 = 100;

/// `n` redirects, then `/get`; absolute ones with `absolute=true`.
pub async fn redirect(n: Path<u32>, RawQuery(query): RawQuery, request: Request) -> Response {
    let query = form::urlencoded(query.unwrap_or_default().as_bytes());
    match query.get("absolute") {
        Some("true" | "True") => absolute(n, request).await,
        _ => relative(n).await,
    }
}

pub async fn relative(Path(n): Path<u32>) -> Response {
    hop("", "relative-redirect", n)
}

pub async fn absolute(Path(n): Path<u32>, request: Request) -> Response {
    hop(&request::base(&request.into_parts().0), "absolute-redirect", n)
}

fn hop(base: &str, kind: &str, n: u32) -> Response {
    match n {
        0 => bad("n: 1 or more\n"),
        1 => found(StatusCode::FOUND, &format!("{base}/get")),
        _ => found(StatusCode::FOUND, &format!("{base}/{kind}/{}", n.min(HOPS) - 1)),
    }
}

/// To `url`, with `status_code` where that is one of redirection.
pub async fn to(RawQuery(query): RawQuery) -> Response {
    let query = form::urlencoded(query.unwrap_or_default().as_bytes());
    let Some(url) = query.get("url") else { return bad("url: where to\n") };
    let code = query.get("status_code").and_then(|code| code.parse().ok());
    let code = code.filter(|code| (300..400).contains(code)).unwrap_or(302);
    found(StatusCode::from_u16(code).unwrap_or(StatusCode::FOUND), url)
}

fn found(code: StatusCode, location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (code, [(header::LOCATION, location)]).into_response(),
        Err(_) => bad("url: not a header's value\n"),
    }
}
