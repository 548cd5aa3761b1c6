//! Answers on their way out.

use std::convert::Infallible;
use std::pin::Pin;

use futures::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::Value;

use crate::failure::Failure;
use crate::{format, protobuf};

pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, Infallible>;
type Chunks = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;

pub(crate) struct Reply {
    code: StatusCode,
    headers: HeaderMap,
    content: Content,
    /// The name of what a create made.
    made: Option<String>,
}

enum Content {
    Bytes(Bytes),
    Chunks(Chunks),
}

// === impl Reply ===

impl Reply {
    fn new(code: StatusCode, media_type: &'static str, content: Content) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        Self { code, headers, content, made: None }
    }

    pub(crate) fn bytes(code: StatusCode, media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::new(code, media_type, Content::Bytes(bytes.into()))
    }

    pub(crate) fn text(code: StatusCode, text: &'static str) -> Self {
        Self::bytes(code, "text/plain; charset=utf-8", text)
    }

    pub(crate) fn json(value: Value) -> Self {
        Self::json_with(StatusCode::OK, &value)
    }

    pub(crate) fn json_with(code: StatusCode, value: &Value) -> Self {
        // A `Value` has string keys only, so this cannot fail.
        Self::bytes(code, "application/json", serde_json::to_vec(value).unwrap_or_default())
    }

    pub(crate) fn failure(failure: &Failure) -> Self {
        let mut reply = Self::json_with(failure.code, &failure.to_status());
        if let Some(seconds) = failure.retry_after_seconds() {
            reply.headers.insert(RETRY_AFTER, seconds.into());
        }
        reply
    }

    /// A failure as the client likes it: in protobuf, if that is what it would have taken the answer in.
    pub(crate) fn refusal(failure: &Failure, headers: &HeaderMap) -> Self {
        let mut reply = Self::failure(failure);
        if format::prefers_protobuf(headers)
            && let Ok(bytes) = protobuf::encode(&failure.to_status())
        {
            reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(protobuf::MEDIA_TYPE));
            reply.content = Content::Bytes(bytes.into());
        }
        reply
    }

    pub(crate) fn stream(media_type: &'static str, chunks: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        use futures::StreamExt;
        let frames = chunks.map(|bytes| Ok(Frame::data(bytes)));
        Self::new(StatusCode::OK, media_type, Content::Chunks(Box::pin(frames)))
    }

    pub(crate) fn code(&self) -> u16 {
        self.code.as_u16()
    }

    pub(crate) fn making(mut self, name: &str) -> Self {
        self.made = Some(name.to_owned());
        self
    }

    pub(crate) fn made(&self) -> Option<&str> {
        self.made.as_deref()
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// `Warning` headers: `kubectl` prints each as a line.
    pub(crate) fn warn(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        for warning in warnings {
            let text: String = warning.chars().filter(|c| !c.is_control()).take(2048).collect();
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{text}\"").as_bytes()) {
                self.headers.append(http::header::WARNING, value);
            }
        }
        self
    }

    pub(crate) fn into_response(self, without_body: bool) -> Response<ReplyBody> {
        let body = match self.content {
            _ if without_body => Full::new(Bytes::new()).boxed_unsync(),
            Content::Bytes(bytes) => Full::new(bytes).boxed_unsync(),
            Content::Chunks(chunks) => StreamBody::new(chunks).boxed_unsync(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.code;
        *response.headers_mut() = self.headers;
        response
    }
}
