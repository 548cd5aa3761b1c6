//! gRPC echo without a schema: any method of any service gets back the messages it sent, as octets.
//!
//! | request metadata | effect |
//! |---|---|
//! | `x-echo-times: N` | each message comes back N times (at most 1,000): a server stream |
//! | `x-echo-status: N` | the call ends with that `grpc-status` instead of 0 |
//!
//! A message is echoed as soon as it is complete, so client and bidirectional streams work, too.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use tokio::time::timeout;

/// gRPC's own customary limit.
const MESSAGE_LIMIT: usize = 4 << 20;

/// Silence after which a stream ends with `DEADLINE_EXCEEDED`.
const IDLE: Duration = Duration::from_secs(300);

/// The `grpc-status` codes used here.
const OK: u16 = 0;
const INVALID_ARGUMENT: u16 = 3;
const DEADLINE_EXCEEDED: u16 = 4;
const RESOURCE_EXHAUSTED: u16 = 8;

pub fn router() -> Router {
    Router::new().fallback(call)
}

async fn call(request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let Some(kind) = kind.filter(|kind| kind.as_bytes().starts_with(b"application/grpc")) else {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "this port speaks gRPC\n").into_response();
    };
    let number = |name: &str| -> Option<u16> { request.headers().get(name)?.to_str().ok()?.parse().ok() };
    let times = number("x-echo-times").unwrap_or(1).min(1000);
    let status = number("x-echo-status").unwrap_or(OK);
    let (sender, body) = Channel::<Bytes>::new(4);
    tokio::spawn(echo(request.into_body(), sender, times, status));
    ([(header::CONTENT_TYPE, kind)], Body::new(body)).into_response()
}

async fn echo(body: Body, mut sender: Sender<Bytes>, times: u16, wanted: u16) {
    let status = match messages(body, &mut sender, times).await {
        Ok(()) => wanted,
        Err(Some(status)) => status,
        Err(None) => return,
    };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(status));
    let _ = timeout(IDLE, sender.send_trailers(trailers)).await;
}

/// Echoes every message; the error is the status to end with, or `None` where the client is gone.
async fn messages(mut body: Body, sender: &mut Sender<Bytes>, times: u16) -> Result<(), Option<u16>> {
    let mut buffer = BytesMut::new();
    loop {
        while let Some(message) = next_message(&mut buffer).map_err(Some)? {
            for _ in 0..times {
                match timeout(IDLE, sender.send_data(message.clone())).await {
                    Ok(Ok(())) => {}
                    _ => return Err(None),
                }
            }
        }
        match timeout(IDLE, body.frame()).await {
            Err(_) => return Err(Some(DEADLINE_EXCEEDED)),
            Ok(Some(Err(_))) => return Err(None),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    buffer.extend_from_slice(&data);
                }
            }
            Ok(None) if buffer.is_empty() => return Ok(()),
            Ok(None) => return Err(Some(INVALID_ARGUMENT)),
        }
    }
}

/// The next complete message with its five octets of prefix.
fn next_message(buffer: &mut BytesMut) -> Result<Option<Bytes>, u16> {
    let Some(mut prefix) = buffer.get(..5) else { return Ok(None) };
    prefix.advance(1);
    let length = prefix.get_u32() as usize;
    if length > MESSAGE_LIMIT {
        return Err(RESOURCE_EXHAUSTED);
    }
    Ok((buffer.len() >= 5 + length).then(|| buffer.split_to(5 + length).freeze()))
}
