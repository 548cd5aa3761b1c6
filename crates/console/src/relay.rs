//! The Kubernetes API, in the place of who is signed in.
//!
//! ```text
//! request ─► path with one meaning ─► our own headers, Impersonate-User, Impersonate-Group ─► Kubernetes API
//!                                                                                                │ head: what is listed
//! browser ◄─ body as it comes, until it ends, the session ends, or the console stops ◄───────────┘
//! ```
//!
//! **Invariant:** a header goes on only if it is listed here; who the API takes for the sender, the session says.
//! **Invariant:** nobody is impersonated whose name belongs to the system, nor anybody who has shown a token of their own: that one is sent.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER, USER_AGENT,
    WARNING,
};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body as KubeBody;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::app::{App, Visit};
use crate::path;
use crate::reply::{BoxError, Refusal, Reply};
use crate::session::Session;
use crate::sign_in::Account;
use crate::start::Mode;
use crate::watched::{self, Watched};

/// The largest body that goes on.
pub(crate) const LARGEST: usize = 3 << 20;
/// The largest answer that is read here, and not handed on.
const READ: usize = 8 << 20;
/// Until the head of an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// What an answer that is no stream may take.
const WHOLE: Duration = Duration::from_secs(300);
/// A stream that says nothing for so long, not even a bookmark, is given up.
const SILENCE: Duration = Duration::from_secs(10 * 60);
/// Streams of everybody, and requests beside them: fewer than the API takes connections.
const STREAMS: usize = 384;
const REQUESTS: usize = 256;

const IMPERSONATE_USER: HeaderName = HeaderName::from_static("impersonate-user");
const IMPERSONATE_GROUP: HeaderName = HeaderName::from_static("impersonate-group");
/// Headers of a request that go on, and of an answer.
const ON: [HeaderName; 5] = [ACCEPT, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, USER_AGENT];
const BACK: [HeaderName; 4] = [CONTENT_TYPE, ETAG, RETRY_AFTER, WARNING];

/// The API, as the console itself reaches it.
#[derive(Clone)]
pub(crate) struct Relay {
    /// With the console's own proof of who it is.
    own: Client,
    /// Without any.
    bare: Client,
    streams: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

// === impl Relay ===

impl Relay {
    pub(crate) fn new(own: Client, bare: Client) -> Self {
        Self { own, bare, streams: Arc::new(Semaphore::new(STREAMS)), requests: Arc::new(Semaphore::new(REQUESTS)) }
    }

    /// The API, as the console itself: nobody's word goes into what is asked with it.
    pub(crate) fn own(&self) -> Client {
        self.own.clone()
    }

    /// A place for a request.
    fn under_way(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.requests.clone().try_acquire_owned().map_err(|_| Refusal::busy("Too many requests are under way; please try again."))
    }

    async fn send(&self, account: &Account, mut request: Request<KubeBody>) -> Result<Response<KubeBody>, Refusal> {
        let client = match &account.token {
            Some(token) => {
                request.headers_mut().insert(AUTHORIZATION, token.header());
                &self.bare
            }
            None => {
                impersonate(request.headers_mut(), account)?;
                &self.own
            }
        };
        let sent = tokio::time::timeout(ANSWER, client.send(request)).await.map_err(|_| Refusal::late())?;
        let answer = sent.map_err(|error| {
            tracing::debug!(%error, "the API does not answer the console");
            Refusal::unreachable()
        })?;
        if let Some(token) = account.token.as_ref().filter(|_| answer.status() == http::StatusCode::UNAUTHORIZED) {
            token.refuse();
        }
        Ok(answer)
    }

    /// An object, as somebody reads it; `None`: they may not, or it is not there.
    pub(crate) async fn read(&self, account: &Account, path: &str) -> Option<Value> {
        self.ask(account, Method::GET, path, None).await.ok().filter(|(code, _)| *code == 200).map(|(_, body)| body)
    }

    /// An answer to somebody, as its code and its JSON.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn ask(&self, account: &Account, method: Method, path: &str, body: Option<&Value>) -> Result<(u16, Value), Refusal> {
        let octets = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let request =
            Request::builder().method(method).uri(path).header(ACCEPT, "application/json").header(CONTENT_TYPE, "application/json");
        let request = request.body(KubeBody::from(octets)).map_err(|_| Refusal::bad("BadPath", "This path cannot be asked for."))?;
        let _place = self.under_way()?;
        let answer = self.send(account, request).await?;
        let code = answer.status().as_u16();
        let read = tokio::time::timeout(ANSWER, Limited::new(answer.into_body(), READ).collect()).await.map_err(|_| Refusal::late())?;
        let octets = read.map_err(|_| Refusal::unreachable())?.to_bytes();
        Ok((code, serde_json::from_slice(&octets).unwrap_or(Value::Null)))
    }
}

/// Says in whose place it is asked.
fn impersonate(headers: &mut HeaderMap, account: &Account) -> Result<(), Refusal> {
    let text = |value: &str| HeaderValue::from_str(value).map_err(|_| Refusal::forbidden("This user has a name that cannot be used here."));
    if login::names::is_reserved(&account.user) {
        return Err(Refusal::forbidden("This name belongs to the system."));
    }
    headers.insert(IMPERSONATE_USER, text(&account.user)?);
    for group in account.groups.iter().filter(|group| !login::names::is_reserved_group(group)) {
        headers.append(IMPERSONATE_GROUP, text(group)?);
    }
    Ok(())
}

/// Hands a request on, and its answer back.
pub(crate) async fn relay(app: &App, visit: Visit<'_>, session: Arc<Session>) -> Result<Reply, Refusal> {
    let head = visit.head;
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    if path::leads_on(head.uri.path()) {
        return Err(Refusal::forbidden("What a Service, a Pod or a node answers is not shown here."));
    }
    let (leave, watched) = match is_stream(head.uri.path(), head.uri.query()) {
        true => (Leave::stream(app, &session)?, watched(app, head, &session)?),
        false => (Leave::Once(app.relay.under_way()?), None),
    };
    let mut request = Request::builder().method(head.method.clone()).uri(target);
    for name in ON {
        for value in head.headers.get_all(&name) {
            request = request.header(&name, value);
        }
    }
    let body = visit.body(LARGEST).await?;
    let request = request.body(KubeBody::from(body.to_vec())).map_err(|_| Refusal::bad("BadPath", "This path cannot be asked for."))?;
    let answer = app.relay.send(&session.account, request).await?;
    Ok(back(app, answer, (session, watched), leave))
}

/// What is looked after while a stream is open. The API of `paifang up` ends streams by itself; a cluster's does not.
fn watched(app: &App, head: &http::request::Parts, session: &Arc<Session>) -> Result<Option<Watched>, Refusal> {
    if app.mode == Mode::Up {
        return Ok(None);
    }
    let deed = watched::deed(head.uri.path(), head.uri.query());
    let deed = deed.ok_or_else(|| Refusal::forbidden("What this stream is about cannot be read from its path."))?;
    Ok(Some(Watched::new(deed, session.clone(), app.relay.clone(), app.rights.clone())))
}

/// A place among those that are under way, kept until the answer has ended.
pub(crate) enum Leave {
    Once(#[expect(dead_code, reason = "it is held")] OwnedSemaphorePermit),
    Stream(#[expect(dead_code, reason = "it is held")] [OwnedSemaphorePermit; 2]),
}

// === impl Leave ===

impl Leave {
    pub(crate) fn stream(app: &App, session: &Session) -> Result<Self, Refusal> {
        let full = |_| Refusal::new(http::StatusCode::TOO_MANY_REQUESTS, "TooManyStreams", "Too many streams are open.").after(5);
        let own = session.streams.clone().try_acquire_owned().map_err(full)?;
        Ok(Self::Stream([own, app.relay.streams.clone().try_acquire_owned().map_err(full)?]))
    }
}

/// Whether an answer may go on for as long as its client likes.
fn is_stream(path: &str, query: Option<&str>) -> bool {
    let said = |name: &str| path::query(query, name).is_some_and(|value| !matches!(value.as_str(), "false" | "0"));
    said("watch") || said("follow") || path.split('/').nth(3) == Some("watch") || path.split('/').nth(4) == Some("watch")
}

/// The answer, as far as it is handed back.
fn back(app: &App, answer: Response<KubeBody>, (session, watched): (Arc<Session>, Option<Watched>), leave: Leave) -> Reply {
    let (head, body) = answer.into_parts();
    let until = matches!(leave, Leave::Once(_)).then(|| Instant::now() + WHOLE);
    let feed = Feed { body, session, watched, stop: app.stop.clone(), until, _leave: leave };
    let stream = futures::stream::unfold(feed, |mut feed| async move {
        let frame = feed.next().await?;
        Some((frame, feed))
    });
    let mut reply = Response::new(StreamBody::new(stream).boxed_unsync());
    *reply.status_mut() = head.status;
    for name in BACK {
        for value in head.headers.get_all(&name) {
            reply.headers_mut().append(&name, value.clone());
        }
    }
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// An answer under way.
struct Feed {
    body: KubeBody,
    session: Arc<Session>,
    watched: Option<Watched>,
    stop: watch::Receiver<bool>,
    /// `None`: as long as it says something.
    until: Option<Instant>,
    _leave: Leave,
}

// === impl Feed ===

impl Feed {
    async fn next(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        let until = self.until.unwrap_or_else(|| Instant::now() + SILENCE);
        loop {
            let look = self.watched.as_ref().map_or(until, Watched::next);
            let mut is_time = false;
            let frame = tokio::select! {
                biased;
                () = self.session.ended() => None,
                _ = self.stop.wait_for(|stopped| *stopped) => None,
                () = tokio::time::sleep_until(look), if self.watched.is_some() => {
                    is_time = true;
                    None
                }
                frame = self.body.frame() => frame,
                () = tokio::time::sleep_until(until) => None,
            };
            if is_time && self.watched.as_mut()?.stands().await {
                continue;
            }
            match frame? {
                Ok(frame) if frame.is_data() => return Some(Ok(frame)),
                // Trailers say nothing that is handed on.
                Ok(_) => {}
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}
