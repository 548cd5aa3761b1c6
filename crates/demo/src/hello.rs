//! A hello that says which version and which pod answered.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::httpbin::json_body;

/// `hello from VERSION` on every path, the same as JSON on `/json`; `x-version` on both.
pub fn router(version: &'static str) -> Router {
    let pod = pod_name(version);
    let text = format!("hello from {version}, pod {pod}\n");
    let json = move |request: Request| async move {
        let body = json!({"version": version, "pod": pod, "path": request.uri().path()});
        marked(version, json_body(&body))
    };
    Router::new().route("/json", get(json)).fallback(move || async move { marked(version, text.into_response()) })
}

/// What Istio's helloworld answers: one sentence on `/hello`.
pub fn helloworld(version: &str, instance: &str) -> Router {
    let sentence = format!("Hello version: {version}, instance: {instance}\n");
    let hello = move || std::future::ready(sentence.clone());
    Router::new().route("/hello", get(hello)).route("/health", get(|| std::future::ready("Helloworld is healthy")))
}

fn marked(version: &'static str, mut response: Response) -> Response {
    response.headers_mut().insert("x-version", http::HeaderValue::from_static(version));
    response
}

/// Looks like a Deployment's pod and differs between runs, so that two backends of one version can be told apart.
fn pod_name(version: &str) -> String {
    /// Kubernetes leaves out what could spell a word.
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let word = |n: usize| -> String { (0..n).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).collect() };
    format!("hello-{version}-{}-{}", word(10), word(5))
}
