//! Writes through an API: ConfigMaps made by many clients at once.

use std::time::{Duration, Instant};

use anyhow::Result;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use super::server::Server;

pub const CLIENTS: usize = 64;

/// Writes a second, each acknowledged.
pub fn measure(server: &Server, seconds: f64) -> Result<f64> {
    // A connection for each client, and what a first request costs, come before.
    clients(server, "warm", (seconds / 5.0).min(1.0))?;
    clients(server, "map", seconds)
}

fn clients(server: &Server, name: &str, seconds: f64) -> Result<f64> {
    let (begun, length) = (Instant::now(), Duration::from_secs_f64(seconds));
    let written: usize = server.runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let (api, name) = (Api::<ConfigMap>::namespaced(server.client.clone(), "default"), format!("{name}-{client}"));
            clients.spawn(async move {
                let mut written = 0;
                while begun.elapsed() < length {
                    api.create(&PostParams::default(), &serde_json::from_value(map(&format!("{name}-{written}"), &"x".repeat(1024)))?)
                        .await?;
                    written += 1;
                }
                Ok::<_, anyhow::Error>(written)
            });
        }
        clients.join_all().await.into_iter().sum::<Result<usize>>()
    })?;
    Ok(written as f64 / begun.elapsed().as_secs_f64())
}

pub fn map(name: &str, value: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"is": value}})
}
