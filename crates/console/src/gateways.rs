//! What is known of a gateway and is no object: where it runs, and what it has counted.
//!
//! **Invariant:** whoever gets here may get the IngressGateway that the path names; which gateway that is says the process that runs it,
//! never what an object says of itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use model::{GatewayId, ObjectRef};
use observe::{Counted, History, Kept, Point};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::Visit;
use crate::endpoints::Backend;
use crate::path;
use crate::pods::{Found, Missing, Pods, merged};
use crate::reply::{self, Refusal, Reply};

/// Windows that may be asked for, and how they are divided.
const WINDOWS: [(&str, u64, u64); 4] = [("5m", 300, 5), ("15m", 900, 15), ("30m", 1_800, 30), ("1h", 3_600, 60)];
/// Looks through all that is kept, at a time.
const LOOKING: usize = 2;

/// The gateways that run in this process: a port, filled by whoever runs them.
pub trait Gateways: Send + Sync {
    /// The gateway of an IngressGateway.
    fn find(&self, namespace: &str, name: &str) -> Option<GatewayId>;

    /// Where it listens: names of listeners, such as `http`, and sockets.
    fn sockets(&self, gateway: &GatewayId) -> Vec<(String, SocketAddr)>;

    /// What the routes of an object lead to there, each backend once; none of it where the gateway has none of its routes.
    /// `None`: it is not known here.
    fn backends(&self, gateway: &GatewayId, object: &ObjectRef) -> Option<Vec<Backend>>;

    fn history(&self) -> Option<&History>;

    fn log(&self) -> Option<&Kept>;
}

/// Where the gateway runs that a path names.
pub(crate) enum Place {
    /// In this process.
    Here(Arc<dyn Gateways>, GatewayId),
    /// In pods of a cluster.
    Pods(Pods, Box<Found>),
}

/// What the handlers here share.
pub(crate) struct Known {
    gateways: Option<Arc<dyn Gateways>>,
    looking: Arc<Semaphore>,
}

// === impl Known ===

impl Known {
    pub(crate) fn new(gateways: Option<Arc<dyn Gateways>>) -> Self {
        Self { gateways, looking: Arc::new(Semaphore::new(LOOKING)) }
    }

    /// The gateway of this process that a path names; `None`: none run here.
    pub(crate) fn find(&self, names: &[String]) -> Result<Option<Place>, Refusal> {
        let Some(gateways) = &self.gateways else { return Ok(None) };
        let [namespace, name, ..] = names else { return Err(Refusal::not_found("There is no such gateway.")) };
        let id = gateways.find(namespace, name).ok_or_else(|| Refusal::not_found(format!("No gateway runs for {namespace}/{name}.")))?;
        Ok(Some(Place::Here(gateways.clone(), id)))
    }

    /// A place among those who look through a log.
    pub(crate) async fn look(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let waiting = tokio::time::timeout(Duration::from_secs(5), self.looking.clone().acquire_owned()).await;
        waiting.ok().and_then(Result::ok).ok_or_else(|| Refusal::busy("The log is being searched by others; please try again."))
    }
}

/// `GET …/metrics`.
pub(crate) async fn metrics(visit: &Visit<'_>, place: &Place) -> Result<Reply, Refusal> {
    let asked = path::query(visit.head.uri.query(), "window").unwrap_or_else(|| "15m".into());
    let (_, window, step) = WINDOWS
        .into_iter()
        .find(|(name, ..)| *name == asked)
        .ok_or_else(|| Refusal::bad("BadWindow", "A window is 5m, 15m, 30m or 1h."))?;
    let until = counted_until(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    let count = usize::try_from(window / step).unwrap_or(1);
    let empty = || Point::row(until, Duration::from_secs(step), count);
    let (points, missing): (Vec<Point>, Option<Missing>) = match place {
        Place::Here(gateways, id) => {
            let history = gateways.history().ok_or_else(|| Refusal::unavailable("Nothing is counted beside this console."))?;
            (history.points(id, until, Duration::from_secs(step), count).unwrap_or_else(empty), None)
        }
        Place::Pods(pods, found) => {
            let target = format!("/history?gateway={}&at={until}&step={step}&count={count}", found.id);
            let heard = pods.ask(found, &target).await?;
            let sum = merged::points(empty(), &heard.answers);
            (sum.ok_or_else(|| Refusal::silent("The gateway's pods are of a version that counts otherwise."))?, Some(heard.missing))
        }
    };
    let mut total = Point::default();
    for point in &points {
        total.counted.add(&point.counted);
        total.connections = point.connections;
    }
    let shown: Vec<Value> = points
        .iter()
        .map(|point| {
            let mut shown = measured(&point.counted, point.connections);
            shown["at"] = point.at.into();
            shown
        })
        .collect();
    let mut told = json!({ "step": step, "until": until, "points": shown, "total": measured(&total.counted, total.connections) });
    if let Some(missing) = missing {
        told["pods"] = missing.json();
    }
    Ok(reply::json(StatusCode::OK, &told))
}

/// The last tick that every gateway has had: they come with the steps of the clock, and here and there a little later.
fn counted_until(now: u64) -> u64 {
    let step = observe::STEP.as_secs();
    now.saturating_sub(1) / step * step
}

fn measured(counted: &Counted, connections: u64) -> Value {
    let [.., s2xx, s3xx, s4xx, s5xx] = counted.classes;
    let near = |millis: Option<f64>| millis.map(|it| (it * 1000.0).round() / 1000.0);
    json!({
        "requests": counted.requests(), "s2xx": s2xx, "s3xx": s3xx, "s4xx": s4xx, "s5xx": s5xx, "connections": connections,
        "bytesIn": counted.received, "bytesOut": counted.sent, "mean": near(counted.mean()),
        "p50": near(counted.quantile(0.5)), "p95": near(counted.quantile(0.95)), "p99": near(counted.quantile(0.99)),
    })
}
