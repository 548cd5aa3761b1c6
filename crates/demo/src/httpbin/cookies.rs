//! Cookies: what the client sends, and setting or deleting them.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{bad, form, json_body};

pub async fn list(headers: HeaderMap) -> Response {
    let mut cookies = Map::new();
    for line in headers.get_all(header::COOKIE) {
        for pair in String::from_utf8_lossy(line.as_bytes()).split(';') {
            if let Some((name, value)) = pair.trim().split_once('=') {
                cookies.insert(name.to_owned(), value.trim_matches('"').into());
            }
        }
    }
    cookies.sort_keys();
    json_body(&json!({"cookies": Value::Object(cookies)}))
}

/// Each query parameter becomes a cookie.
pub async fn set(RawQuery(query): RawQuery) -> Response {
    let pairs = form::urlencoded(query.unwrap_or_default().as_bytes());
    to_list(pairs.0.iter().map(|(name, value)| format!("{name}={value}; Path=/")))
}

pub async fn set_one(Path((name, value)): Path<(String, String)>) -> Response {
    to_list([format!("{name}={value}; Path=/")].into_iter())
}

/// Each query parameter names a cookie to delete.
pub async fn delete(RawQuery(query): RawQuery) -> Response {
    let pairs = form::urlencoded(query.unwrap_or_default().as_bytes());
    to_list(pairs.0.iter().map(|(name, _)| format!("{name}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/")))
}

fn to_list(cookies: impl Iterator<Item = String>) -> Response {
    let mut response = (StatusCode::FOUND, [(header::LOCATION, "/cookies")]).into_response();
    for cookie in cookies {
        let Ok(cookie) = HeaderValue::try_from(cookie) else { return bad("not a cookie\n") };
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
