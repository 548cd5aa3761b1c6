//! What is known of a gateway and is no object: what it has counted, what it has logged.
//!
//! **Invariant:** whoever gets here may get the IngressGateway that the path names; which gateway that is says the process that runs it,
//! never what an object says of itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use model::{GatewayId, ObjectRef};
use observe::{Counted, History, Kept, Point, Reader, Wanted};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::app::{App, LOOKS, Visit};
use crate::endpoints::Backend;
use crate::path;
use crate::relay::{Leave, Relay};
use crate::reply::{self, BoxError, Refusal, Reply};
use crate::rights::{Deed, Rights};
use crate::session::Session;

/// Windows that may be asked for, and how they are divided.
const WINDOWS: [(&str, u64, u64); 4] = [("5m", 300, 5), ("15m", 900, 15), ("30m", 1_800, 30), ("1h", 3_600, 60)];
/// Lines that are shown at once, and the most that may be asked for; and their octets.
const LINES: usize = 1_000;
const MOST_LINES: usize = 10_000;
const OCTETS: usize = 8 << 20;
/// The longest search.
const TEXT: usize = 256;
/// How often it is looked for new lines.
const PAUSE: Duration = Duration::from_millis(250);
/// A line that says nothing, so that a follower and what lies between know that the stream goes on.
const SIGN: Duration = Duration::from_secs(15);
/// Looks through all that is kept, at a time.
const LOOKING: usize = 2;

/// The gateways that run here: a port, filled by whoever runs them.
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

/// What the handlers here share.
pub(crate) struct Known {
    pub(crate) gateways: Option<Arc<dyn Gateways>>,
    looking: Arc<Semaphore>,
}

// === impl Known ===

impl Known {
    pub(crate) fn new(gateways: Option<Arc<dyn Gateways>>) -> Self {
        Self { gateways, looking: Arc::new(Semaphore::new(LOOKING)) }
    }

    /// The gateway that a path names.
    pub(crate) fn find(&self, names: &[String]) -> Result<(&Arc<dyn Gateways>, GatewayId), Refusal> {
        let gateways = self.gateways.as_ref().ok_or_else(|| Refusal::unavailable("No gateway runs beside this console."))?;
        let [namespace, name, ..] = names else { return Err(Refusal::not_found("There is no such gateway.")) };
        let id = gateways.find(namespace, name);
        Ok((gateways, id.ok_or_else(|| Refusal::not_found(format!("No gateway runs for {namespace}/{name}.")))?))
    }

    async fn look(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let waiting = tokio::time::timeout(Duration::from_secs(5), self.looking.clone().acquire_owned()).await;
        waiting.ok().and_then(Result::ok).ok_or_else(|| Refusal::busy("The log is being searched by others; please try again."))
    }
}

/// `GET …/metrics`.
pub(crate) fn metrics(app: &App, visit: &Visit<'_>, names: &[String]) -> Result<Reply, Refusal> {
    let asked = path::query(visit.head.uri.query(), "window").unwrap_or_else(|| "15m".into());
    let (_, window, step) = WINDOWS
        .into_iter()
        .find(|(name, ..)| *name == asked)
        .ok_or_else(|| Refusal::bad("BadWindow", "A window is 5m, 15m, 30m or 1h."))?;
    let (gateways, id) = app.known.find(names)?;
    let history = gateways.history().ok_or_else(|| Refusal::unavailable("Nothing is counted beside this console."))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let count = usize::try_from(window / step).unwrap_or(1);
    let points = history.points(&id, now, Duration::from_secs(step), count).unwrap_or_else(|| {
        let first = (now / step * step).saturating_sub(window - step);
        (0..window / step).map(|n| Point { at: first + n * step, ..Point::default() }).collect()
    });
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
    Ok(reply::json(StatusCode::OK, &json!({ "step": step, "points": shown, "total": measured(&total.counted, total.connections) })))
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

/// `GET …/logs`.
pub(crate) async fn logs(app: &App, visit: &Visit<'_>, names: &[String], session: Arc<Session>) -> Result<Reply, Refusal> {
    let query = |name: &str| path::query(visit.head.uri.query(), name);
    let is = |name: &str| query(name).is_some_and(|value| matches!(value.as_str(), "1" | "true"));
    let limit = match query("limit").filter(|limit| !limit.is_empty()) {
        None => LINES,
        Some(limit) => limit
            .parse()
            .ok()
            .filter(|limit| (1..=MOST_LINES).contains(limit))
            .ok_or_else(|| Refusal::bad("BadLimit", format!("A limit is a number from 1 to {MOST_LINES}.")))?,
    };
    let (text, since) = (query("search").unwrap_or_default(), query("since").unwrap_or_default());
    if text.len() > TEXT || since.len() > 64 {
        return Err(Refusal::bad("BadSearch", format!("A search may have {TEXT} octets.")));
    }
    let since = match since.is_empty() {
        true => since,
        // As lines have it: in UTC.
        false => {
            since.parse::<jiff::Timestamp>().map_err(|_| Refusal::bad("BadTime", "A time is written as 2026-01-31T12:00:00Z."))?.to_string()
        }
    };
    let since = since.trim_end_matches('Z').to_owned();
    let (gateways, id) = app.known.find(names)?;
    let kept = gateways.log().ok_or_else(|| Refusal::unavailable("No log is kept beside this console."))?.clone();
    let wanted = Wanted { gateway: id.to_string(), text, since };
    let deed = Deed::gateway(&names[0], &names[1]);
    if is("download") {
        let place = app.known.look().await?;
        let feed = Feed::new(app, session, deed, kept.all(wanted), Vec::new(), To::End(place));
        let name: String = names.join("-").chars().filter(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.')).collect();
        let mut reply = feed.reply();
        let value = HeaderValue::from_str(&format!("attachment; filename=\"{name}.log\""));
        reply.headers_mut().insert(CONTENT_DISPOSITION, value.unwrap_or_else(|_| HeaderValue::from_static("attachment")));
        return Ok(reply);
    }
    let place = app.known.look().await?;
    let found = tokio::task::spawn_blocking(move || {
        let found = kept.last(wanted, limit, OCTETS);
        drop(place);
        found
    });
    let (lines, reader) = found.await.ok().and_then(Result::ok).ok_or_else(|| Refusal::unavailable("The log cannot be read."))?;
    if !is("follow") {
        return Ok(reply::bytes(StatusCode::OK, "application/x-ndjson", lines));
    }
    let leave = Leave::stream(app, &session)?;
    Ok(Feed::new(app, session, deed, reader, lines, To::On(leave)).reply())
}

/// Lines under way to somebody.
struct Feed {
    reader: Option<Reader>,
    /// Those that were there before.
    first: Vec<u8>,
    to: To,
    session: Arc<Session>,
    relay: Relay,
    rights: Rights,
    deed: Deed,
    looked: tokio::time::Instant,
    said: tokio::time::Instant,
    stop: watch::Receiver<bool>,
}

/// How far it goes.
enum To {
    /// To what was written last.
    End(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit),
    /// On and on.
    On(#[expect(dead_code, reason = "it is held")] Leave),
}

// === impl Feed ===

impl Feed {
    fn new(app: &App, session: Arc<Session>, deed: Deed, reader: Reader, first: Vec<u8>, to: To) -> Self {
        let now = tokio::time::Instant::now();
        let (relay, rights) = (app.relay.clone(), app.rights.clone());
        Self { reader: Some(reader), first, to, session, relay, rights, deed, looked: now, said: now, stop: app.stop.clone() }
    }

    fn reply(self) -> Reply {
        let stream = futures::stream::unfold(self, |mut feed| async move {
            let lines = feed.next().await?;
            Some((Ok::<_, BoxError>(Frame::data(Bytes::from(lines))), feed))
        });
        let mut reply = Response::new(StreamBody::new(stream).boxed_unsync());
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }

    /// Some lines; `None` at the end, which comes when somebody is signed out or may no longer look.
    async fn next(&mut self) -> Option<Vec<u8>> {
        if !self.first.is_empty() {
            return Some(std::mem::take(&mut self.first));
        }
        loop {
            if self.session.is_over() || *self.stop.borrow() {
                return None;
            }
            if self.looked.elapsed() >= LOOKS {
                self.looked = tokio::time::Instant::now();
                if !self.rights.allow(&self.relay, &self.session.account, &self.deed).await.unwrap_or(false) {
                    return None;
                }
            }
            let mut reader = self.reader.take()?;
            let (reader, read) = tokio::task::spawn_blocking(move || {
                let read = reader.read();
                (reader, read)
            })
            .await
            .ok()?;
            self.reader = Some(reader);
            let read = read.ok()?;
            if !read.lines.is_empty() {
                self.said = tokio::time::Instant::now();
                return Some(read.lines);
            }
            match (&self.to, read.at_end) {
                (To::End(_), true) => return None,
                (To::On(_), true) if self.said.elapsed() >= SIGN => {
                    self.said = tokio::time::Instant::now();
                    return Some(b"\n".to_vec());
                }
                (To::On(_), true) => tokio::time::sleep(PAUSE).await,
                (_, false) => {}
            }
        }
    }
}
