//! Authentication whose expected answer is in the path.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::json_body;

/// 200 with this user and password, else 401.
pub async fn basic(Path((user, password)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if is_user(&headers, &user, &password) {
        return json_body(&json!({"authenticated": true, "user": user}));
    }
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, r#"Basic realm="Fake Realm""#)]).into_response()
}

/// As [`basic`], but 404.
pub async fn hidden_basic(Path((user, password)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if is_user(&headers, &user, &password) {
        return json_body(&json!({"authenticated": true, "user": user}));
    }
    StatusCode::NOT_FOUND.into_response()
}

/// 200 with any bearer token, else 401.
pub async fn bearer(headers: HeaderMap) -> Response {
    match credentials(&headers, "Bearer ") {
        Some(token) => json_body(&json!({"authenticated": true, "token": token})),
        None => (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response(),
    }
}

fn is_user(headers: &HeaderMap, user: &str, password: &str) -> bool {
    let given = credentials(headers, "Basic ").and_then(|given| STANDARD.decode(given.trim()).ok());
    given.is_some_and(|given| given == format!("{user}:{password}").into_bytes())
}

fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (given, rest) = value.split_at_checked(scheme.len())?;
    given.eq_ignore_ascii_case(scheme).then_some(rest)
}
