//! Access logs of gateways: of this process, as it keeps them; of pods, as their nodes do.
//!
//! **Invariant:** a log ends within five seconds of the right to look at its gateway, and with the session that it was opened in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use observe::{Kept, Reader, Wanted};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::app::{App, LOOKS, Visit};
use crate::gateways::Place;
use crate::path;
use crate::pods::log::{Followed, Log, Merged};
use crate::pods::{Found, Pods};
use crate::relay::{Leave, Relay};
use crate::reply::{self, BoxError, Refusal, Reply};
use crate::rights::{Deed, Rights};
use crate::session::Session;

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
/// Of pods' logs that are to come to an end: so long none of them says anything.
const STALLED: Duration = Duration::from_secs(30);
/// Octets of lines of pods that are handed on together.
const BATCH: usize = 256 << 10;

/// `GET …/logs`.
pub(crate) async fn answer(
    app: &App,
    visit: &Visit<'_>,
    (names, place): (&[String], Place),
    session: Arc<Session>,
) -> Result<Reply, Refusal> {
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
    let asked = Asked { limit, is_searched: !text.is_empty() || !since.is_empty(), download: is("download"), follow: is("follow") };
    let (id, source) = match place {
        Place::Here(gateways, id) => {
            let kept = gateways.log().ok_or_else(|| Refusal::unavailable("No log is kept beside this console."))?.clone();
            (id, Written::Here(kept))
        }
        Place::Pods(pods, found) => (found.id.clone(), Written::Pods(pods, found)),
    };
    let wanted = Wanted { gateway: id.to_string(), text, since };
    let leave = if asked.follow && !asked.download { Some(Leave::stream(app, &session)?) } else { None };
    let look = app.known.look().await?;
    let (first, source) = source.read(wanted, &asked, look).await?;
    let deed = Deed::gateway(&names[0], &names[1]);
    let Some(source) = source else { return Ok(reply::bytes(StatusCode::OK, "application/x-ndjson", first)) };
    let to = match leave {
        Some(leave) => To::On(leave),
        None => To::End,
    };
    let mut reply = Feed::new(app, session, deed, source, first, to).reply();
    if asked.download {
        let name: String = names.join("-").chars().filter(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.')).collect();
        let value = HeaderValue::from_str(&format!("attachment; filename=\"{name}.log\""));
        reply.headers_mut().insert(CONTENT_DISPOSITION, value.unwrap_or_else(|_| HeaderValue::from_static("attachment")));
    }
    Ok(reply)
}

/// How a log is asked for.
struct Asked {
    limit: usize,
    /// Not every line is wanted.
    is_searched: bool,
    download: bool,
    follow: bool,
}

/// Where lines are written.
enum Written {
    Here(Kept),
    Pods(Pods, Box<Found>),
}

/// Where lines come from.
enum Source {
    /// With a place among those who look through all that is kept.
    Kept(Option<Reader>, #[expect(dead_code, reason = "it is held")] Option<OwnedSemaphorePermit>),
    /// From pods: all they have, and what comes.
    All(Merged, tokio::time::Instant, #[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit),
    Followed(Box<Followed>),
}

/// What a look for lines has brought.
enum Brought {
    Lines(Vec<u8>),
    /// None yet.
    Nothing,
    /// There are no more.
    End,
    /// There may be more, which do not come.
    Broken,
}

// === impl Written ===

impl Written {
    /// The lines that are shown at once, and where those come from that follow, where any are wanted. `look`: held while all that is kept is looked through.
    async fn read(self, wanted: Wanted, asked: &Asked, look: OwnedSemaphorePermit) -> Result<(Vec<u8>, Option<Source>), Refusal> {
        let (limit, download) = (asked.limit, asked.download);
        match self {
            Self::Here(kept) if download => Ok((Vec::new(), Some(Source::Kept(Some(kept.all(wanted)), Some(look))))),
            Self::Here(kept) => {
                let found = tokio::task::spawn_blocking(move || {
                    let found = kept.last(wanted, limit, OCTETS);
                    drop(look);
                    found
                });
                let found = found.await.ok().and_then(Result::ok);
                let (lines, reader) = found.ok_or_else(|| Refusal::unavailable("The log cannot be read."))?;
                Ok((lines, asked.follow.then_some(Source::Kept(Some(reader), None))))
            }
            Self::Pods(pods, found) if download => {
                let mut log = Log::new(pods, *found, wanted);
                let all = log.all(None).await?;
                Ok((log.note(false), Some(Source::All(all, tokio::time::Instant::now(), look))))
            }
            Self::Pods(pods, found) => {
                let log = Log::new(pods, *found, wanted);
                let (lines, read) = log.last(limit, OCTETS, asked.is_searched).await?;
                drop(look);
                Ok((lines, asked.follow.then(|| Source::Followed(Box::new(read.follow())))))
            }
        }
    }
}

// === impl Source ===

impl Source {
    /// Waits no longer than [`PAUSE`].
    async fn next(&mut self) -> Brought {
        match self {
            Self::Kept(reader, _) => {
                let Some(mut taken) = reader.take() else { return Brought::End };
                let looked = tokio::task::spawn_blocking(move || {
                    let read = taken.read();
                    (taken, read)
                });
                let Ok((taken, Ok(read))) = looked.await else { return Brought::End };
                *reader = Some(taken);
                match (read.lines.is_empty(), read.at_end) {
                    (false, _) => Brought::Lines(read.lines),
                    (true, true) => Brought::End,
                    (true, false) => Brought::Nothing,
                }
            }
            Self::All(all, came, _) => {
                let mut lines = Vec::new();
                let reading = async {
                    while lines.len() < BATCH {
                        match all.next().await {
                            Some(line) => lines.extend(line),
                            None => return true,
                        }
                    }
                    false
                };
                let ended = tokio::time::timeout(PAUSE, reading).await;
                match (lines.is_empty(), ended) {
                    (false, _) => {
                        *came = tokio::time::Instant::now();
                        Brought::Lines(lines)
                    }
                    (true, Ok(true)) => Brought::End,
                    (true, _) if came.elapsed() >= STALLED => Brought::Broken,
                    (true, _) => Brought::Nothing,
                }
            }
            Self::Followed(followed) => match tokio::time::timeout(PAUSE, followed.next()).await {
                Ok(Some(lines)) => Brought::Lines(lines),
                Ok(None) => Brought::End,
                Err(_) => Brought::Nothing,
            },
        }
    }
}

/// Lines under way to somebody.
struct Feed {
    source: Source,
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
    End,
    /// On and on.
    On(#[expect(dead_code, reason = "it is held")] Leave),
}

// === impl Feed ===

impl Feed {
    fn new(app: &App, session: Arc<Session>, deed: Deed, source: Source, first: Vec<u8>, to: To) -> Self {
        let now = tokio::time::Instant::now();
        let (relay, rights) = (app.relay.clone(), app.rights.clone());
        Self { source, first, to, session, relay, rights, deed, looked: now, said: now, stop: app.stop.clone() }
    }

    fn reply(self) -> Reply {
        let stream = futures::stream::unfold(self, |mut feed| async move {
            let lines = feed.next().await?;
            Some((lines.map(|it| Frame::data(Bytes::from(it))), feed))
        });
        let mut reply = Response::new(StreamBody::new(stream).boxed_unsync());
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }

    /// Some lines; `None` at the end, which comes when somebody is signed out or may no longer look.
    async fn next(&mut self) -> Option<Result<Vec<u8>, BoxError>> {
        if !self.first.is_empty() {
            return Some(Ok(std::mem::take(&mut self.first)));
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
            match (self.source.next().await, &self.to) {
                (Brought::Lines(lines), _) => {
                    self.said = tokio::time::Instant::now();
                    return Some(Ok(lines));
                }
                (Brought::Broken, _) => return Some(Err("a pod's log does not go on".into())),
                (Brought::End, To::End) => return None,
                (Brought::End, To::On(_)) => tokio::time::sleep(PAUSE).await,
                (Brought::Nothing, _) => {}
            }
            if matches!(self.to, To::On(_)) && self.said.elapsed() >= SIGN {
                self.said = tokio::time::Instant::now();
                return Some(Ok(b"\n".to_vec()));
            }
        }
    }
}
