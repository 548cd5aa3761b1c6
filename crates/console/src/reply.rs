//! Answers of the console's own, and what stands on all answers.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use serde_json::{Map, Value};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
pub(crate) type Reply = Response<Body>;

/// On every answer that is not a page: nothing in it is ever run or shown inside something else.
pub(crate) const INERT: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Why a request was not done: `{"reason", "message"}`, of which the application translates the reason.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    reason: &'static str,
    message: String,
    retry_after: Option<u32>,
    /// What finds it out elsewhere.
    command: Option<String>,
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn bytes(status: StatusCode, media_type: &'static str, octets: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(full(octets));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Reply {
    bytes(status, "application/json", value.to_string())
}

pub(crate) fn nothing() -> Reply {
    let mut reply = Response::new(empty());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Sends the browser elsewhere on this origin, or to the issuer.
pub(crate) fn redirect(to: &str) -> Reply {
    let mut reply = nothing();
    *reply.status_mut() = StatusCode::FOUND;
    let to = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    reply.headers_mut().insert(http::header::LOCATION, to);
    reply
}

/// What every answer says, whoever made it.
pub(crate) fn guard(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key("content-security-policy") {
        headers.insert("content-security-policy", HeaderValue::from_static(INERT));
    }
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into(), retry_after: None, command: None }
    }

    pub(crate) fn bad(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason, message)
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "NotSignedIn", "Nobody is signed in here, or the session is over.")
    }

    pub(crate) fn csrf(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Csrf", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TooLarge", format!("The body may have {limit} octets."))
    }

    /// Too much at once; it may be tried again.
    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", message).after(1)
    }

    /// The Kubernetes API does not answer.
    pub(crate) fn unreachable() -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "ApiUnreachable", "The Kubernetes API does not answer.")
    }

    /// What would know it says nothing.
    pub(crate) fn silent(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "NoPodAnswers", message)
    }

    pub(crate) fn late() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", "It took too long.")
    }

    /// What this console has no way to do.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotAvailable", message)
    }

    pub(crate) fn with_command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    pub(crate) fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn into_reply(self) -> Reply {
        let mut body = Map::new();
        body.insert("reason".into(), self.reason.into());
        body.insert("message".into(), self.message.into());
        if let Some(seconds) = self.retry_after {
            body.insert("retryAfterSeconds".into(), seconds.into());
        }
        if let Some(command) = self.command {
            body.insert("command".into(), command.into());
        }
        let mut reply = json(self.status, &Value::Object(body));
        if let Some(seconds) = self.retry_after {
            reply.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        reply
    }
}
