//! An index of what is below a prefix, as of the newest acknowledged write.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use futures::FutureExt;
use store::{Revision, Store, Watch, WatchError};

/// What is made of objects as they come and go.
pub(crate) trait Index: Default {
    fn put(&mut self, key: &str, bytes: &[u8]);
    fn remove(&mut self, key: &str);
    /// After some of them.
    fn settle(&mut self) {}
}

/// A question costs one look at the store's revision; only the first after a write reads what was written.
pub(crate) struct Followed<I> {
    store: Store,
    prefix: &'static str,
    index: RwLock<I>,
    /// `None` until the first question, and when this fell behind further than the store remembers.
    feed: Mutex<Option<Watch>>,
    seen: AtomicU64,
}

// === impl Followed ===

impl<I: Index> Followed<I> {
    pub(crate) fn new(store: Store, prefix: &'static str) -> Self {
        Self { store, prefix, index: RwLock::default(), feed: Mutex::default(), seen: AtomicU64::new(Revision::MIN) }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&I) -> T) -> T {
        if self.seen.load(Ordering::Acquire) < self.store.revision() {
            self.catch_up();
        }
        look(&self.index.read().unwrap_or_else(PoisonError::into_inner))
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
                    let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
                    for event in events {
                        match &event.now {
                            Some(bytes) => index.put(&event.key, bytes),
                            None => index.remove(&event.key),
                        }
                    }
                    index.settle();
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
        let (revision, objects) = self.store.list(self.prefix);
        let watch = self.store.watch(self.prefix, revision).ok()?;
        let mut index = I::default();
        for (key, stored) in objects {
            index.put(&key, &stored.bytes);
        }
        index.settle();
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        self.seen.store(revision, Ordering::Release);
        Some(watch)
    }
}
