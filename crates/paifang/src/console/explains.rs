//! What becomes of a request, and where its way breaks, for the console: the same code as `paifang explain`.

use super::gateways::Here;
use access::{Answer, Asked, Gathered, How, Resolver, Served, Touch, follow};
use console::{Explains, Gateways, Question, Waiting};
use kube::Client;
use model::GatewayId;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// For each thing that is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

pub struct Known {
    pub client: Client,
    /// The API's own socket, which no backend may name.
    pub api: SocketAddr,
    pub gateways: Arc<Here>,
}

// === impl Known ===

impl Known {
    async fn gather(&self) -> Result<Gathered, String> {
        cli::objects::all(&self.client, Some(self.api)).await.map_err(|error| format!("{error:#}"))
    }
}

impl Explains for Known {
    fn explain(&self, gateway: &GatewayId, question: Question) -> Waiting<'_, Result<Value, String>> {
        let id = gateway.to_string();
        Box::pin(async move {
            let asked = Asked::read(&question.method, &question.url, &question.headers)?;
            let gathered = self.gather().await?;
            let explained = tokio::task::spawn_blocking(move || Answer::find(&Served::new(&gathered), &asked, Some(&id)).json());
            explained.await.map_err(|error| error.to_string())
        })
    }

    fn check(&self, gateway: &GatewayId, url: String) -> Option<Waiting<'_, Result<Vec<Value>, String>>> {
        let (id, sockets) = (gateway.to_string(), self.gateways.sockets(gateway));
        Some(Box::pin(async move {
            let asked = Asked::read("GET", &url, &[])?;
            let gathered = self.gather().await?;
            let known = tokio::task::spawn_blocking(move || access::Known::new(&gathered)).await.map_err(|error| error.to_string())?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let how = How {
                // It is done for somebody else: nothing but the gateway is connected to.
                touch: Touch::Only(sockets.iter().map(|(_, socket)| socket.ip()).collect()),
                resolver: Resolver::System,
                patience: PATIENCE,
                now: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
                gateway: Some(id),
            };
            Ok(follow(&asked, &known, &how).await.iter().map(access::Hop::json).collect())
        }))
    }
}
