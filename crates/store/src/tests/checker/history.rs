//! What the store must be: every write that happened, in its order.

use std::collections::BTreeMap;

use super::super::*;

pub(super) type Objects = BTreeMap<String, (Revision, Vec<u8>)>;
pub(super) type Outcome = (Ask, Result<Revision, WriteError>);

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Write(Vec<Op>),
    /// These objects and no others.
    Restore(Objects),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub revision: Revision,
    pub key: String,
    pub now: Option<Vec<u8>>,
    pub before: Option<(Revision, Vec<u8>)>,
}

#[derive(Debug, Default)]
pub(super) struct History {
    /// The first has revision 2.
    pub records: Vec<Record>,
    pub objects: Objects,
    /// Writes that the disk refused since the last that it took: a crash may bring them back.
    unsettled: Vec<Ask>,
}

// === impl History ===

impl History {
    pub(super) fn revision(&self) -> Revision {
        1 + self.records.len() as u64
    }

    /// The records after `revision` of keys that start with `prefix`.
    pub(super) fn after(&self, revision: Revision, prefix: &str) -> impl Iterator<Item = &Record> {
        let skip = usize::try_from(revision.saturating_sub(1)).unwrap_or(usize::MAX);
        self.records.iter().skip(skip).filter(move |record| record.key.starts_with(prefix))
    }

    pub(super) fn at(&self, revision: Revision) -> Objects {
        let mut objects = Objects::new();
        for record in self.records.iter().take_while(|record| record.revision <= revision) {
            record.apply(&mut objects);
        }
        objects
    }

    fn push(&mut self, records: Vec<Record>) {
        for record in records {
            record.apply(&mut self.objects);
            self.records.push(record);
        }
    }

    /// Takes in writes that were made at the same time and are all answered.
    pub(super) fn settle(&mut self, outcomes: Vec<Outcome>) -> Result<(), String> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        let (before, start) = (self.objects.clone(), self.revision());
        let earlier = self.unsettled.len();
        for (ask, outcome) in outcomes {
            match outcome {
                Ok(revision) => accepted.push((revision, ask)),
                Err(WriteError::Full { .. } | WriteError::Io { .. } | WriteError::Closed) => self.unsettled.push(ask),
                Err(error) => refused.push((ask, error)),
            }
        }
        accepted.sort_by_key(|(revision, _)| *revision);
        if !accepted.is_empty() {
            self.unsettled.drain(..earlier);
        }
        for (revision, ask) in accepted {
            let records = effect(&self.objects, self.revision(), &ask)
                .map_err(|error| format!("acknowledged at {revision}, though {error}: {ask:?}"))?;
            let last = records.last().map_or(self.revision(), |record| record.revision);
            if last != revision {
                return Err(format!("acknowledged at {revision}; the next revision is {last}: {ask:?}"));
            }
            self.push(records);
        }
        for (ask, error) in refused {
            self.refused_rightly(before.clone(), start, &ask, &error)?;
        }
        Ok(())
    }

    /// Somewhere between `before` and now the write was wrong in just this way.
    fn refused_rightly(&self, mut objects: Objects, start: Revision, ask: &Ask, error: &WriteError) -> Result<(), String> {
        let mut later = self.after(start, "");
        loop {
            if effect(&objects, self.revision(), ask).as_ref().err() == Some(error) {
                return Ok(());
            }
            match later.next() {
                Some(record) => record.apply(&mut objects),
                None => return Err(format!("refused without a reason ({error}): {ask:?}")),
            }
        }
    }

    /// Takes in what a start found after the newest acknowledged write: nothing, or whole writes whose callers know
    /// that they may have happened.
    pub(super) fn adopt(&mut self, found: &[Arc<Event>]) -> Result<(), String> {
        let mut found: Vec<_> = found.iter().map(|event| Record::of(event)).collect();
        let mut candidates = std::mem::take(&mut self.unsettled);
        while !found.is_empty() {
            let whole = |ask: &Ask| {
                effect(&self.objects, self.revision(), ask).ok().filter(|records| !records.is_empty() && found.starts_with(records))
            };
            let possible = candidates.iter().enumerate().filter_map(|(at, ask)| Some((at, whole(ask)?)));
            let Some((at, records)) = possible.max_by_key(|(_, records)| records.len()) else {
                return Err(format!("found, though nobody wrote it like this: {:?}", found[0]));
            };
            found.drain(..records.len());
            candidates.remove(at);
            self.push(records);
        }
        Ok(())
    }

    /// What reads give is what the history says.
    pub(super) fn same(&self, store: &Store) -> Result<(), String> {
        let (revision, objects) = store.list("");
        let objects = listed(objects);
        if revision != self.revision() || objects != self.objects {
            let missing: Vec<_> = self.objects.iter().filter(|(key, value)| objects.get(*key) != Some(value)).map(|(key, _)| key).collect();
            return Err(format!("at {revision} the store has other objects than were acknowledged at {}: {missing:?}", self.revision()));
        }
        Ok(())
    }
}

// === impl Record ===

impl Record {
    pub(super) fn of(event: &Event) -> Self {
        let before = event.before.as_ref().map(|object| (object.revision, object.bytes.to_vec()));
        Self { revision: event.revision, key: event.key.to_string(), now: event.now.as_ref().map(|bytes| bytes.to_vec()), before }
    }

    fn apply(&self, objects: &mut Objects) {
        match &self.now {
            Some(bytes) => objects.insert(self.key.clone(), (self.revision, bytes.clone())),
            None => objects.remove(&self.key),
        };
    }

    /// As the limits count it.
    pub(super) fn size(&self) -> usize {
        let before = self.before.as_ref().map_or(0, |(_, bytes)| bytes.len());
        self.key.len() + before + self.now.as_ref().map_or(0, Vec::len)
    }
}

pub(super) fn listed(objects: Vec<(Arc<str>, Object)>) -> Objects {
    objects.into_iter().map(|(key, object)| (key.to_string(), (object.revision, object.bytes.to_vec()))).collect()
}

/// What was asked for does to `objects` after `revision`, or why it does nothing.
fn effect(objects: &Objects, revision: Revision, ask: &Ask) -> Result<Vec<Record>, WriteError> {
    match ask {
        Ask::Write(ops) => written(objects, revision, ops),
        Ask::Restore(wanted) => {
            let gone = objects.keys().filter(|key| !wanted.contains_key(*key)).map(|key| Op::delete(&**key, Expect::Present));
            let differs = |key: &String, bytes: &Vec<u8>| objects.get(key).is_none_or(|(_, there)| there != bytes);
            let put = wanted.iter().filter(|(key, (_, bytes))| differs(key, bytes));
            let ops: Vec<_> = gone.chain(put.map(|(key, (_, bytes))| Op::put(&**key, Expect::Anything, bytes.clone()))).collect();
            written(objects, revision, &ops)
        }
    }
}

fn written(objects: &Objects, mut revision: Revision, ops: &[Op]) -> Result<Vec<Record>, WriteError> {
    let (mut objects, mut records) = (objects.clone(), Vec::new());
    for Op { key, expect, change } in ops {
        let before = objects.get(key).cloned();
        let key = key.clone();
        match (*expect, &before) {
            (Expect::Absent, Some(_)) => return Err(WriteError::Exists { key }),
            (Expect::Revision(_) | Expect::Present, None) => return Err(WriteError::NotFound { key }),
            (Expect::Revision(wanted), Some((current, _))) if wanted != *current => {
                return Err(WriteError::Conflict { key, current: *current });
            }
            _ => {}
        }
        let now = match (change, &before) {
            (Change::Put(bytes), _) => Some(bytes.clone()),
            (Change::Delete, None) => return Err(WriteError::NotFound { key }),
            (Change::Delete, Some(_)) => None,
            (Change::Nothing, _) => continue,
        };
        revision += 1;
        let record = Record { revision, key, now, before };
        record.apply(&mut objects);
        records.push(record);
    }
    Ok(records)
}
