//! Watches: events of the store as lines of JSON, or as frames of protobuf.
//!
//! **Invariant:** a watch buffers one chunk. The next is made when the client has taken it, so a slow client falls
//! behind in the store's ring, not in memory, and is told `410 Expired` when it falls off.
//! **Invariant:** who is no longer let in watches no longer: five seconds later the stream has ended.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use store::{Event, Object as Stored, WatchError};
use tokio::time::Instant;

use crate::api::{Api, Ask};
use crate::bearer::Standing;
use crate::failure::Failure;
use crate::format::{Encoding, Format, Shape};
use crate::kinds::Kind;
use crate::listing;
use crate::object::{decode, splice};
use crate::print::{self, Header, Include};
use crate::protobuf::{self, Unfit};
use crate::read::{metadata_only, selector, watch_failure};
use crate::reply::Reply;
use crate::selector::Selector;

/// How often a watch that asked for bookmarks gets one.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// How long a watch lasts that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45 * 60);
/// How often it is looked at whether the client may go on.
const LOOKS: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Objects of the first state in one chunk.
const CHUNK: usize = 64;

pub(crate) fn watch(api: &Api, ask: &Ask) -> Result<Reply, Failure> {
    listing::check(ask)?;
    let selector = selector(ask)?;
    let prefix = ask.kind.keys_in(&ask.target.namespace);
    let since = ask.query.revision()?.unwrap_or(0);
    let initial = ask.query.has("sendInitialEvents").then(|| ask.query.is_true("sendInitialEvents"));
    let replay = initial.unwrap_or(since == 0);
    let (from, objects) = match replay {
        true => api.store.list(&prefix),
        false if since == 0 => (api.store.revision(), Vec::new()),
        false => (since, Vec::new()),
    };
    let timeout = ask.query.timeout()?.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST);
    let feed = Feed {
        lines: Lines { kind: ask.kind.clone(), format: ask.format, include: Include::of(&ask.query)?, header: Header::With, broken: false },
        selector,
        source: api.store.watch(&prefix, from),
        first: objects.into_iter().map(|(_, stored)| stored).collect(),
        end_of_first: initial == Some(true),
        bookmarks: ask.query.is_true("allowWatchBookmarks").then(|| tokio::time::interval_at(Instant::now() + BOOKMARKS, BOOKMARKS)),
        until: Instant::now() + timeout,
        stop: api.stop.clone(),
        leave: Leave { api: api.me.clone(), standing: ask.standing.clone(), next: Instant::now() + LOOKS },
        over: false,
    };
    let media_type = if ask.format.encoding == Encoding::Protobuf { protobuf::STREAM } else { "application/json" };
    Ok(Reply::stream(
        media_type,
        futures::stream::unfold(feed, |mut feed| async move {
            let chunk = feed.next().await?;
            Some((chunk, feed))
        }),
    ))
}

/// One client's watch.
struct Feed {
    lines: Lines,
    selector: Selector,
    source: Result<store::Watch, WatchError>,
    first: VecDeque<Stored>,
    /// Whether a bookmark says where the first state ends.
    end_of_first: bool,
    bookmarks: Option<tokio::time::Interval>,
    until: Instant,
    stop: tokio::sync::watch::Receiver<bool>,
    leave: Leave,
    over: bool,
}

/// That the client may watch: looked at again and again.
struct Leave {
    api: Weak<Api>,
    standing: Arc<Standing>,
    next: Instant,
}

/// How events are written.
struct Lines {
    kind: Arc<Kind>,
    format: Format,
    include: Include,
    /// The first table of a stream names its columns.
    header: Header,
    /// Whether something could not be written: then the stream ends.
    broken: bool,
}

// === impl Feed ===

impl Feed {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.over {
                return None;
            }
            let chunk = self.chunk().await;
            self.over |= self.lines.broken;
            if !chunk.is_empty() || self.over {
                return Some(chunk.into());
            }
        }
    }

    async fn chunk(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.first.is_empty() {
            let count = self.first.len().min(CHUNK);
            for stored in self.first.drain(..count) {
                if self.selector.is_empty() || self.selector.matches(&decode(&self.lines.kind, &stored)) {
                    self.lines.object("ADDED", &stored, &mut out);
                }
            }
            return out;
        }
        let source = match &mut self.source {
            Ok(source) => source,
            Err(error) => {
                self.lines.error(error, &mut out);
                self.over = true;
                return out;
            }
        };
        if std::mem::take(&mut self.end_of_first) {
            self.lines.bookmark(source.revision(), true, &mut out);
            return out;
        }
        tokio::select! {
            biased;
            () = tokio::time::sleep_until(self.until) => self.over = true,
            () = crate::serve::stopped(&mut self.stop) => self.over = true,
            refused = self.leave.ends() => {
                self.lines.write("ERROR", &refused.to_status(), &mut out);
                self.over = true;
            }
            events = source.next() => match events {
                Ok(events) => {
                    for event in events {
                        self.lines.event(&event, &self.selector, &mut out);
                    }
                }
                Err(WatchError::Closed) => self.over = true,
                Err(error) => {
                    self.lines.error(&error, &mut out);
                    self.over = true;
                }
            },
            () = tick(&mut self.bookmarks) => self.lines.bookmark(source.revision(), false, &mut out),
        }
        out
    }
}

impl Leave {
    /// Returns when the same request would be refused, and how.
    async fn ends(&mut self) -> Failure {
        loop {
            tokio::time::sleep_until(self.next).await;
            self.next = Instant::now() + LOOKS;
            let Some(api) = self.api.upgrade() else { return Failure::unauthorized() };
            if let Err(refused) = self.standing.check(&api) {
                return refused;
            }
        }
    }
}

async fn tick(interval: &mut Option<tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

// === impl Lines ===

impl Lines {
    /// An object that enters what is selected is added to it; one that leaves is deleted from it.
    fn event(&mut self, event: &Event, selector: &Selector, out: &mut Vec<u8>) {
        let stored = |bytes: &Arc<[u8]>| Stored { revision: event.revision, bytes: bytes.clone() };
        let now = event.now.as_ref().map(stored);
        // A deleted object shows its last state at the revision of its deletion.
        let before = event.before.as_ref().map(|before| stored(&before.bytes));
        let chosen = |object: &Option<Stored>| match object {
            Some(object) => selector.is_empty() || selector.matches(&decode(&self.kind, object)),
            None => false,
        };
        match (before.as_ref().filter(|_| chosen(&before)), now.as_ref().filter(|_| chosen(&now))) {
            (None, Some(now)) => self.object("ADDED", now, out),
            (Some(_), Some(now)) => self.object("MODIFIED", now, out),
            (Some(before), None) => self.object("DELETED", before, out),
            (None, None) => {}
        }
    }

    fn object(&mut self, what: &str, stored: &Stored, out: &mut Vec<u8>) {
        if self.format == Format::JSON {
            out.extend_from_slice(format!("{{\"type\":\"{what}\",\"object\":").as_bytes());
            splice(&self.kind, stored, out);
            out.extend_from_slice(b"}\n");
            return;
        }
        let object = decode(&self.kind, stored);
        let object = match self.format.shape {
            Shape::Whole => object,
            Shape::Metadata => metadata_only(&object),
            Shape::Table => {
                let row = print::row(&self.kind, &object, self.include);
                let meta = json!({ "resourceVersion": stored.revision.to_string() });
                let table = print::table(&self.kind, vec![row], meta, self.header);
                self.header = Header::Without;
                table
            }
        };
        self.write(what, &object, out);
    }

    fn bookmark(&mut self, revision: u64, end_of_first: bool, out: &mut Vec<u8>) {
        let mut meta = json!({ "resourceVersion": revision.to_string(), "creationTimestamp": null });
        if end_of_first {
            meta["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let object = match self.format.shape {
            Shape::Whole => json!({ "kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": meta }),
            Shape::Metadata => metadata_only(&json!({ "metadata": meta })),
            Shape::Table => print::table(&self.kind, Vec::new(), meta, Header::Without),
        };
        self.write("BOOKMARK", &object, out);
    }

    fn error(&mut self, error: &WatchError, out: &mut Vec<u8>) {
        let failure = match error {
            // The store is not the one the client knew: it has to list again, which `Expired` makes it do.
            WatchError::Future { from, newest } => Failure::expired(format!("resource version {from} is unknown; the newest is {newest}")),
            error => watch_failure(error),
        };
        self.write("ERROR", &failure.to_status(), out);
    }

    fn write(&mut self, what: &str, object: &Value, out: &mut Vec<u8>) {
        if self.format.encoding != Encoding::Protobuf {
            out.extend_from_slice(json!({ "type": what, "object": object }).to_string().as_bytes());
            out.push(b'\n');
            return;
        }
        let encoded = protobuf::encode(object).or_else(|unfit: Unfit| {
            // Told as an error: a client that never saw the object would take it for deleted.
            self.broken = true;
            protobuf::encode(&Failure::internal(unfit).to_status())
        });
        let what = if self.broken { "ERROR" } else { what };
        out.extend(protobuf::frame(what, &encoded.unwrap_or_default()));
    }
}
