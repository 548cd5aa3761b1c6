//! What reads are served from: the newest objects, and the ring of newest events.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use crate::{Event, Limits, Object, Revision, WatchError};

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) revision: Revision,
    pub(crate) objects: BTreeMap<Arc<str>, Object>,
    pub(crate) ring: Ring,
    #[cfg(test)]
    pub(crate) planted: crate::planted::Planted,
}

/// The newest events, without gaps, the oldest first.
#[derive(Debug)]
pub(crate) struct Ring {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    /// The revision before the oldest event.
    floor: Revision,
}

// === impl Memory ===

impl Memory {
    pub(crate) fn new(revision: Revision) -> Self {
        let ring = Ring { events: VecDeque::new(), bytes: 0, floor: revision };
        Self {
            revision,
            objects: BTreeMap::new(),
            ring,
            #[cfg(test)]
            planted: crate::planted::Planted::Nothing,
        }
    }

    pub(crate) fn apply(&mut self, event: &Arc<Event>, limits: &Limits) {
        match &event.now {
            Some(bytes) => {
                let object = Object { revision: event.revision, bytes: bytes.clone() };
                self.objects.insert(event.key.clone(), object);
            }
            None => {
                self.objects.remove(&event.key);
            }
        }
        self.revision = event.revision;
        self.ring.push(event.clone(), limits);
    }

    pub(crate) fn range<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a Object)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.objects.range::<str, _>(from).take_while(move |(key, _)| key.starts_with(prefix))
    }

    pub(crate) fn list(&self, prefix: &str) -> Vec<(Arc<str>, Object)> {
        self.range(prefix).map(|(key, object)| (key.clone(), object.clone())).collect()
    }

    /// The newest state with the events after `revision` taken back, newest first.
    pub(crate) fn list_at(&self, prefix: &str, revision: Revision) -> Result<Vec<(Arc<str>, Object)>, WatchError> {
        self.check(revision)?;
        if revision == self.revision {
            return Ok(self.list(prefix));
        }
        let mut objects: BTreeMap<Arc<str>, Object> = self.list(prefix).into_iter().collect();
        for event in self.ring.after(revision).rev().filter(|event| event.key.starts_with(prefix)) {
            match &event.before {
                Some(before) => objects.insert(event.key.clone(), before.clone()),
                None => objects.remove(&event.key),
            };
        }
        Ok(objects.into_iter().collect())
    }

    /// What was read of a file is what a store leaves: a log without gaps that ends at the newest revision.
    pub(crate) fn consistent(&self) -> Result<(), String> {
        let mut expected = self.ring.floor;
        for event in &self.ring.events {
            expected += 1;
            if event.revision != expected {
                return Err(format!("its log has revision {} where {expected} belongs", event.revision));
            }
        }
        if expected != self.revision {
            return Err(format!("its log ends at revision {expected}, its objects at {}", self.revision));
        }
        match self.objects.iter().find(|(_, object)| object.revision > self.revision) {
            Some((key, object)) => Err(format!("`{key}` has revision {}, the newest is {}", object.revision, self.revision)),
            None => Ok(()),
        }
    }

    /// Whether every event after `from` is still here.
    pub(crate) fn check(&self, from: Revision) -> Result<(), WatchError> {
        if from > self.revision {
            return Err(WatchError::Future { from, newest: self.revision });
        }
        #[cfg(test)]
        if self.planted == crate::planted::Planted::WatchGap {
            return Ok(());
        }
        if from < self.ring.floor {
            return Err(WatchError::Compacted { from, oldest: self.ring.floor + 1 });
        }
        Ok(())
    }
}

// === impl Ring ===

impl Ring {
    pub(crate) fn push(&mut self, event: Arc<Event>, limits: &Limits) {
        if self.events.is_empty() {
            self.floor = event.revision - 1;
        }
        self.bytes += event.size();
        self.events.push_back(event);
        while self.events.len() > 1 && (self.events.len() > limits.events || self.bytes > limits.event_bytes) {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.size();
            self.floor = oldest.revision;
        }
    }

    pub(crate) fn after(&self, revision: Revision) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let skip = usize::try_from(revision.saturating_sub(self.floor)).unwrap_or(usize::MAX);
        self.events.range(skip.min(self.events.len())..)
    }

    /// The revision before the oldest event.
    pub(crate) fn floor(&self) -> Revision {
        self.floor
    }

    /// Where the floor will be once `events` are pushed.
    pub(crate) fn floor_with(&self, events: &[Arc<Event>], limits: &Limits) -> Revision {
        let mut count = self.events.len() + events.len();
        let mut bytes = self.bytes + events.iter().map(|event| event.size()).sum::<usize>();
        let mut floor = self.floor;
        for event in self.events.iter().chain(events) {
            if count <= 1 || (count <= limits.events && bytes <= limits.event_bytes) {
                break;
            }
            count -= 1;
            bytes -= event.size();
            floor = event.revision;
        }
        floor
    }
}
