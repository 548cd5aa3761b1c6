//! A reader of the ring. It keeps a number, not a buffer: who reads slowly falls off the ring's end and is told.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch::Receiver;

use crate::memory::Memory;
use crate::{Event, Revision, WatchError};

/// Events in one answer.
const BATCH: usize = 256;

#[derive(Debug)]
pub struct Watch {
    memory: Arc<RwLock<Memory>>,
    newest: Receiver<Revision>,
    prefix: String,
    seen: Revision,
}

// === impl Watch ===

impl Watch {
    pub(crate) fn new(memory: Arc<RwLock<Memory>>, newest: Receiver<Revision>, prefix: &str, from: Revision) -> Self {
        Self { memory, newest, prefix: prefix.to_owned(), seen: from }
    }

    /// The next events, at least one. May be dropped while it waits and called again.
    ///
    /// # Errors
    /// `Compacted` when this watch read too slowly, `Closed` when the store was closed.
    pub async fn next(&mut self) -> Result<Vec<Arc<Event>>, WatchError> {
        loop {
            self.newest.borrow_and_update();
            let events = self.scan()?;
            if !events.is_empty() {
                return Ok(events);
            }
            self.newest.changed().await.map_err(|_| WatchError::Closed)?;
        }
    }

    /// The revision up to which every event of these keys was given out: what a bookmark may name.
    pub fn revision(&self) -> Revision {
        self.seen
    }

    fn scan(&mut self) -> Result<Vec<Arc<Event>>, WatchError> {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        memory.check(self.seen)?;
        let mut events = Vec::new();
        for event in memory.ring.after(self.seen) {
            self.seen = event.revision;
            if event.key.starts_with(&self.prefix) {
                events.push(event.clone());
            }
            if events.len() == BATCH {
                break;
            }
        }
        #[cfg(test)]
        if memory.planted == crate::planted::Planted::Reorder && events.len() > 1 {
            events.swap(0, 1);
        }
        Ok(events)
    }
}
