//! The policy that follows the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use futures::FutureExt;
use store::{Revision, Store, Watch, WatchError};

use super::policy::{Place, Policy};
use super::{Attempt, Decision, PREFIX};
use crate::access::Identity;
use crate::object::empty;

/// What everybody may do, as of the newest acknowledged write.
///
/// A question costs one look at the store's revision; only the first after a write reads what was written.
pub(crate) struct Rights {
    store: Store,
    policy: RwLock<Policy>,
    /// `None` until the first question, and when this fell behind further than the store remembers.
    feed: Mutex<Option<Watch>>,
    seen: AtomicU64,
}

// === impl Rights ===

impl Rights {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, policy: RwLock::default(), feed: Mutex::default(), seen: AtomicU64::new(Revision::MIN) }
    }

    /// Whether `who` may do it.
    pub(crate) fn check(&self, who: &Identity, attempt: &Attempt) -> Decision {
        if who.is_master() {
            return Decision { allowed: true, reason: String::new() };
        }
        self.read(|policy| policy.allows(who, attempt))
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Policy) -> T) -> T {
        if self.seen.load(Ordering::Acquire) < self.store.revision() {
            self.catch_up();
        }
        look(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn catch_up(&self) {
        // Held to the end: who comes second must find what the first has read.
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(watch) = feed.as_mut() else {
                *feed = self.begin();
                if feed.is_none() {
                    continue;
                }
                return;
            };
            match watch.next().now_or_never() {
                Some(Ok(events)) => {
                    let mut policy = self.policy.write().unwrap_or_else(PoisonError::into_inner);
                    for event in events {
                        let Some(place) = Place::of_key(&event.key) else { continue };
                        match &event.now {
                            Some(bytes) => policy.put(place, &parse(bytes)),
                            None => policy.remove(&place),
                        }
                    }
                    policy.settle();
                }
                Some(Err(WatchError::Compacted { .. } | WatchError::Future { .. })) => *feed = None,
                // Nothing new; or the store is closed, and what was read stands.
                None | Some(Err(WatchError::Closed)) => {
                    self.seen.store(watch.revision(), Ordering::Release);
                    return;
                }
            }
        }
    }

    /// Reads all, and gives what follows. `None` when that was gone already.
    fn begin(&self) -> Option<Watch> {
        let (revision, objects) = self.store.list(PREFIX);
        let watch = self.store.watch(PREFIX, revision).ok()?;
        let mut policy = Policy::default();
        for (key, stored) in objects {
            if let Some(place) = Place::of_key(&key) {
                policy.put(place, &parse(&stored.bytes));
            }
        }
        policy.settle();
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        self.seen.store(revision, Ordering::Release);
        Some(watch)
    }
}

/// What cannot be read grants nothing.
fn parse(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| empty())
}
