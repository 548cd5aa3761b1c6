//! WebSocket echo on `/ws`; every other path describes the request, as httpbin's `/anything` does.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::{any, get};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{httpbin, serve};

/// The largest message; a larger one ends the connection.
const MESSAGE_LIMIT: usize = 1 << 20;

/// Silence after which a WebSocket ends.
const IDLE: Duration = Duration::from_secs(300);

pub fn router(stopped: watch::Receiver<bool>) -> Router {
    let ws = move |upgrade: WebSocketUpgrade| async move {
        upgrade.max_message_size(MESSAGE_LIMIT).max_frame_size(MESSAGE_LIMIT).max_write_buffer_size(2 * MESSAGE_LIMIT).on_upgrade(
            |socket| async move {
                let _ = timeout(serve::LIFETIME, echo(socket, stopped)).await;
            },
        )
    };
    Router::new().route("/ws", get(ws)).fallback(any(httpbin::anything))
}

/// Pings are answered, and a close is returned, by the library.
async fn echo(mut socket: WebSocket, mut stopped: watch::Receiver<bool>) {
    loop {
        let received = tokio::select! {
            () = serve::stop(&mut stopped) => break,
            received = timeout(IDLE, socket.recv()) => received,
        };
        let Ok(Some(Ok(message))) = received else { break };
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            let Ok(Ok(())) = timeout(IDLE, socket.send(message)).await else { break };
        }
    }
    let _ = timeout(Duration::from_secs(1), socket.send(Message::Close(None))).await;
}
