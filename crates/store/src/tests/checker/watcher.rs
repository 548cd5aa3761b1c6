//! A watch, and what it must give.

use super::*;

pub(super) struct Watcher {
    watch: Watch,
    prefix: &'static str,
    /// Up to here everything was given out.
    seen: Revision,
}

// === impl Watcher ===

impl Watcher {
    pub(super) fn start(store: &Store, history: &History, prefix: &'static str) -> Result<Self, String> {
        let (seen, objects) = store.list(prefix);
        let expected = history.objects.iter().filter(|(key, _)| key.starts_with(prefix)).count();
        if seen != history.revision() || objects.len() != expected {
            return Err(format!("a list of `{prefix}` at {seen} has {} objects, not {expected}", objects.len()));
        }
        let watch = store.watch(prefix, seen).map_err(|error| error.to_string())?;
        Ok(Self { watch, prefix, seen })
    }

    /// Reads all there is.
    pub(super) async fn catch_up(&mut self, store: &Store, history: &History, limits: &Limits) -> Result<(), String> {
        let mut events = Vec::new();
        let from = self.seen;
        loop {
            let next = tokio::select! {
                biased;
                next = self.watch.next() => next,
                () = std::future::ready(()) => break,
            };
            match next {
                Ok(more) => events.extend(more),
                Err(error) => {
                    may_be_gone(history, limits, self.watch.revision(), error)?;
                    *self = Self::start(store, history, self.prefix)?;
                    return Ok(());
                }
            }
        }
        let bookmark = self.watch.revision();
        if bookmark < from || bookmark > history.revision() {
            return Err(format!("a watch from {from} is at {bookmark}; the newest revision is {}", history.revision()));
        }
        // The newest it was told of is the newest there is, so nothing may be missing.
        expect(history, self.prefix, from, &events)?;
        if history.after(from, self.prefix).count() != events.len() {
            return Err(format!("a watch of `{}` from {from} waits, though it has not had all", self.prefix));
        }
        self.seen = bookmark;
        Ok(())
    }

    /// Goes on in a new process with the number that it has.
    pub(super) fn resume(&mut self, store: &Store, history: &History, limits: &Limits) -> Result<(), String> {
        match store.watch(self.prefix, self.seen) {
            Ok(watch) => self.watch = watch,
            Err(error) => {
                may_be_gone(history, limits, self.seen, error)?;
                *self = Self::start(store, history, self.prefix)?;
            }
        }
        Ok(())
    }
}

/// All events that come until nobody writes any more.
pub(super) async fn collect(mut watch: Watch, mut stopped: tokio::sync::watch::Receiver<()>) -> Vec<Arc<Event>> {
    let mut events = Vec::new();
    loop {
        tokio::select! {
            biased;
            next = watch.next() => match next {
                Ok(more) => events.extend(more),
                Err(_) => return events,
            },
            _ = stopped.changed() => return events,
        }
    }
}

/// `events` are the first after `from`: none is missing, twice, or in another's place.
pub(super) fn expect(history: &History, prefix: &str, from: Revision, events: &[Arc<Event>]) -> Result<(), String> {
    let mut expected = history.after(from, prefix);
    for event in events {
        let event = Record::of(event);
        match expected.next() {
            Some(record) if *record == event => {}
            Some(record) => {
                let (is, should) = (event.revision, record.revision);
                return Err(format!("a watch of `{prefix}` gave revision {is} of `{}` where {should} belongs", event.key));
            }
            None => return Err(format!("a watch of `{prefix}` gave revision {}, which nobody wrote", event.revision)),
        }
    }
    Ok(())
}

/// Only what the limits do not keep may be refused.
pub(super) fn may_be_gone(history: &History, limits: &Limits, from: Revision, error: WatchError) -> Result<(), String> {
    // What a crash took from the log: the events that a lost batch pushed out.
    let slack = 2 * BATCH;
    let (mut count, mut bytes) = (slack, 0);
    for record in history.after(from, "") {
        count += 1;
        bytes += record.size();
    }
    let slack_bytes = 2 * 2 * 20_000 * usize::try_from(BATCH).expect("small");
    let gone = count > limits.events as u64 || bytes + slack_bytes > limits.event_bytes;
    match error {
        WatchError::Compacted { .. } if gone => Ok(()),
        error => Err(format!("a watch from {from} is refused, though the newest revision is {}: {error}", history.revision())),
    }
}
