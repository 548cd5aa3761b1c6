//! One question to one pod's own address.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::Pods;
use super::forward::{ADMIN, Forward, Untold};

/// For an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer.
const LARGEST: usize = 4 << 20;

// === impl Pods ===

impl Pods {
    pub(super) async fn ask_one(&self, pod: &str, target: &str) -> Result<Value, Untold> {
        let port = self.forward(pod, ADMIN).await?;
        let answer = tokio::time::timeout(PATIENCE, exchange(port, target)).await;
        answer.unwrap_or_else(|_| Err("it does not answer in time".to_owned())).map_err(Untold::Silent)
    }
}

async fn exchange(port: Forward, target: &str) -> Result<Value, String> {
    let closed = |_| "its port is closed".to_owned();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(port)).await.map_err(closed)?;
    let request = Request::get(target).header("host", "localhost").body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(closed)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err("it is of another version, which does not tell".to_owned()),
            status => return Err(format!("it says {status}")),
        }
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| "what it says cannot be read".to_owned())
    };
    let (mut connection, mut asked) = (std::pin::pin!(connection), std::pin::pin!(asked));
    tokio::select! {
        biased;
        result = &mut asked => result,
        _ = &mut connection => asked.await,
    }
}
