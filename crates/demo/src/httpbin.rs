//! The httpbin endpoints people use, in the classic JSON shape.
//!
//! Unlike httpbin it hides no header: who tries a gateway wants to see what the gateway sends. Header names are
//! Title-Case and sorted, as there.

mod auth;
mod bodies;
mod caching;
mod cookies;
mod form;
mod redirects;
mod request;
mod statuses;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, patch, post, put};
use http::{StatusCode, header};
use serde_json::Value;

pub use request::anything;

/// Every endpoint, one line each.
pub fn router() -> Router {
    Router::new()
        .route("/", get(bodies::index))
        .route("/get", get(request::without_body))
        .route("/post", post(request::with_body))
        .route("/put", put(request::with_body))
        .route("/patch", patch(request::with_body))
        .route("/delete", delete(request::with_body))
        .route("/anything", any(anything))
        .route("/anything/{*path}", any(anything))
        .route("/headers", get(request::headers))
        .route("/ip", get(request::ip))
        .route("/user-agent", get(request::user_agent))
        .route("/status/{codes}", any(statuses::status))
        .route("/response-headers", get(statuses::response_headers).post(statuses::response_headers))
        .route("/delay/{seconds}", any(request::delay))
        .route("/drip", get(bodies::drip))
        .route("/stream/{n}", get(bodies::stream))
        .route("/bytes/{n}", get(bodies::bytes))
        .route("/stream-bytes/{n}", get(bodies::stream_bytes))
        .route("/range/{n}", get(bodies::range))
        .route("/gzip", get(request::gzip))
        .route("/deflate", get(request::deflate))
        .route("/json", get(bodies::json))
        .route("/html", get(bodies::html))
        .route("/xml", get(bodies::xml))
        .route("/robots.txt", get(bodies::robots))
        .route("/encoding/utf8", get(bodies::utf8))
        .route("/uuid", get(bodies::uuid))
        .route("/base64/{value}", get(bodies::base64))
        .route("/redirect/{n}", get(redirects::redirect))
        .route("/relative-redirect/{n}", get(redirects::relative))
        .route("/absolute-redirect/{n}", get(redirects::absolute))
        .route("/redirect-to", any(redirects::to))
        .route("/cookies", get(cookies::list))
        .route("/cookies/set", get(cookies::set))
        .route("/cookies/set/{name}/{value}", get(cookies::set_one))
        .route("/cookies/delete", get(cookies::delete))
        .route("/cache", get(caching::conditional))
        .route("/cache/{seconds}", get(caching::for_seconds))
        .route("/etag/{etag}", get(caching::etag))
        .route("/basic-auth/{user}/{password}", get(auth::basic))
        .route("/hidden-basic-auth/{user}/{password}", get(auth::hidden_basic))
        .route("/bearer", get(auth::bearer))
}

/// 200 with this JSON, indented by two and ended by a line feed, as httpbin writes it.
pub fn json_body(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], pretty(value)).into_response()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// 400 and a sentence.
fn bad(why: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, why).into_response()
}
