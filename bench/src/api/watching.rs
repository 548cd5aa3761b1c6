//! Many watches of one kind while it changes, one of which is never read.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{AsyncRead, AsyncReadExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::json;

use super::server::Server;
use super::writing::map;
use crate::report::{median, p99};

pub struct Plan {
    pub watchers: usize,
    /// Events a second.
    pub rate: usize,
    pub seconds: usize,
}

/// Objects that are changed in turn.
const OBJECTS: usize = 200;
/// Changes that are sent at once.
const BURST: usize = 10;
/// After the last write.
const PATIENCE: Duration = Duration::from_secs(30);
/// In front of when the change was sent, in microseconds since the beginning.
const MARK: &[u8] = b"\"is\":\"at-";

pub struct Outcome {
    /// Events a second that each watch that was read got.
    pub rate: f64,
    /// Whether each got all of them.
    pub complete: bool,
    /// In ms.
    pub p50: f64,
    pub p99: f64,
    pub slow: String,
}

// === impl Plan ===

impl Plan {
    pub const LONG: Self = Self { watchers: 100, rate: 1_000, seconds: 20 };
    pub const SHORT: Self = Self { watchers: 10, rate: 200, seconds: 2 };
}

pub fn measure(server: &Server, plan: &Plan) -> Result<Outcome> {
    server.runtime.block_on(run(&server.client, plan))
}

async fn run(client: &Client, plan: &Plan) -> Result<Outcome> {
    let api = Api::<ConfigMap>::namespaced(client.clone(), "default");
    for object in 0..OBJECTS {
        api.create(&PostParams::default(), &serde_json::from_value(map(&name(object), "nothing yet"))?).await?;
    }
    let (begun, expected) = (Instant::now(), plan.rate * plan.seconds);
    let from = version(client).await?;
    let mut slow = open(client, &from).await?;
    let (mut watchers, done) = (tokio::task::JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for _ in 1..plan.watchers {
        let stream = open(client, &from).await?;
        watchers.spawn(read(stream, begun, expected, done.clone()));
    }
    let writing = Instant::now();
    write(&api, begun, plan).await?;
    let deadline = Instant::now() + PATIENCE;
    while done.load(Ordering::Relaxed) < plan.watchers - 1 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = writing.elapsed().as_secs_f64();
    let complete = done.load(Ordering::Relaxed) == plan.watchers - 1;
    // Before the watches that are still open end.
    let ended = tokio::time::timeout(PATIENCE, rest(&mut slow)).await.unwrap_or_else(|_| "goes on".into());
    if !complete {
        watchers.abort_all();
    }
    let mut delays = Vec::new();
    while let Some(found) = watchers.join_next().await {
        delays.extend(found.unwrap_or_default());
    }
    let rate = if complete { expected as f64 / took } else { delays.len() as f64 / (plan.watchers - 1) as f64 / took };
    let figure = |of: Option<f64>| of.context("no event came");
    Ok(Outcome { rate, complete, p50: figure(median(&delays))?, p99: figure(p99(&delays))?, slow: ended })
}

fn name(object: usize) -> String {
    format!("watched-{object}")
}

async fn version(client: &Client) -> Result<String> {
    let list: serde_json::Value =
        client.request(http::Request::get("/api/v1/namespaces/default/configmaps?limit=1").body(Vec::new())?).await?;
    Ok(list.pointer("/metadata/resourceVersion").and_then(|it| it.as_str()).context("a list has a version")?.to_owned())
}

async fn open(client: &Client, from: &str) -> Result<impl AsyncRead + Unpin + Send + use<>> {
    let path = format!("/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={from}&timeoutSeconds=600");
    Ok(Box::pin(client.request_stream(http::Request::get(path).body(Vec::new())?).await?))
}

/// Milliseconds from the beginning of each change to its event.
async fn read(mut stream: impl AsyncRead + Unpin, begun: Instant, expected: usize, done: Arc<AtomicUsize>) -> Vec<f64> {
    let (mut delays, mut buffer, mut kept) = (Vec::with_capacity(expected), vec![0; 1 << 16], Vec::new());
    while delays.len() < expected {
        let Ok(count @ 1..) = stream.read(&mut buffer).await else { return delays };
        let now = begun.elapsed().as_secs_f64() * 1e3;
        kept.extend_from_slice(&buffer[..count]);
        let whole = kept.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        for line in kept[..whole].split_inclusive(|octet| *octet == b'\n') {
            delays.extend(sent(line).map(|sent| now - sent));
        }
        kept.drain(..whole);
    }
    done.fetch_add(1, Ordering::Relaxed);
    delays
}

/// When the change of an event was sent, in ms.
fn sent(line: &[u8]) -> Option<f64> {
    let at = line.windows(MARK.len()).position(|octets| octets == MARK)? + MARK.len();
    let digits = line[at..].iter().take_while(|octet| octet.is_ascii_digit());
    Some(digits.fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0')) / 1e3)
}

async fn write(api: &Api<ConfigMap>, begun: Instant, plan: &Plan) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(BURST as f64 / plan.rate as f64));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut under_way = tokio::task::JoinSet::new();
    for burst in 0..plan.rate * plan.seconds / BURST {
        ticks.tick().await;
        for one in 0..BURST {
            let (api, name) = (api.clone(), name((burst * BURST + one) % OBJECTS));
            under_way.spawn(async move {
                let at = begun.elapsed().as_micros();
                let patch = Patch::Merge(json!({"data": {"is": format!("at-{at}")}}));
                api.patch(&name, &PatchParams::default(), &patch).await.map(drop)
            });
        }
        // A server that is slower than the rate is not asked for ever more at once.
        while under_way.len() > 20 * BURST {
            under_way.join_next().await.context("some are under way")???;
        }
    }
    while let Some(written) = under_way.join_next().await {
        written??;
    }
    Ok(())
}

/// How a watch ends that is read at last.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let (mut buffer, mut events, mut last) = (vec![0; 1 << 16], 0, Vec::new());
    loop {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => {
                last.extend_from_slice(&buffer[..count]);
                let whole = last.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
                for line in last[..whole].split_inclusive(|octet| *octet == b'\n') {
                    if line.starts_with(b"{\"type\":\"ERROR\"") && line.windows(10).any(|octets| octets == b"\"code\":410") {
                        return format!("told 410 after {events} events");
                    }
                    events += usize::from(sent(line).is_some());
                }
                last.drain(..whole);
            }
            Ok(_) => return format!("closed after {events} events"),
            Err(_) => return format!("broken off after {events} events"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let complete = if self.complete { "all events came" } else { "NOT all events came" };
        write!(
            f,
            "{:.0} events/s, {complete}; delay p50 {:.1} ms, p99 {:.1} ms; the one not read: {}",
            self.rate, self.p50, self.p99, self.slow
        )
    }
}
