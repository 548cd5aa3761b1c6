//! The one thread that writes. All writes that wait go into one transaction: one fsync for many callers.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot, watch};

use crate::backup::{BackupError, Content};
use crate::disk::{self, Disk};
use crate::lock::Lock;
use crate::memory::Memory;
use crate::{Change, Event, Expect, Limits, Object, Op, Revision, WriteError};

/// Writes in one transaction.
const GROUP: usize = 256;
/// Bytes after which a transaction takes no more writes: the file grows by a multiple of what one transaction writes.
const GROUP_BYTES: usize = 8 << 20;

type Done = oneshot::Sender<Result<Revision, WriteError>>;

pub(crate) enum Command {
    Write { ops: Vec<Op>, done: Done },
    Replace { content: Content, keep: Option<PathBuf>, done: oneshot::Sender<Result<Revision, BackupError>> },
    Close { done: oneshot::Sender<()> },
}

pub(crate) struct Writer {
    pub(crate) disk: Disk,
    pub(crate) lock: Lock,
    pub(crate) memory: Arc<RwLock<Memory>>,
    pub(crate) publish: watch::Sender<Revision>,
    pub(crate) jobs: mpsc::Receiver<Command>,
    pub(crate) limits: Limits,
}

/// Writes that passed their checks and wait for the disk together.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) events: Vec<Arc<Event>>,
    bytes: usize,
    /// The keys as they will be: writes of a group see those before them.
    staged: HashMap<Arc<str>, Option<Object>>,
    /// Refusals wait too: what they refer to is not there until the group is.
    pub(crate) waiting: Vec<(Done, Result<Revision, WriteError>)>,
}

// === impl Writer ===

impl Writer {
    pub(crate) fn run(mut self) {
        let mut closing = None;
        while closing.is_none() {
            let Some(first) = self.jobs.blocking_recv() else { break };
            let more = std::iter::from_fn(|| self.jobs.try_recv().ok()).take(GROUP - 1);
            let commands: Vec<_> = std::iter::once(first).chain(more).collect();
            closing = self.serve(commands);
        }
        let Self { disk, lock, publish, .. } = self;
        // In this order: the lock promises that nobody has the file open.
        drop(disk);
        drop(lock);
        drop(publish);
        if let Some(done) = closing {
            let _ = done.send(());
        }
    }

    fn serve(&mut self, commands: Vec<Command>) -> Option<oneshot::Sender<()>> {
        let mut recovered = self.recover();
        let (mut group, mut closing) = (Group::default(), None);
        for command in commands {
            match command {
                Command::Close { done } => closing = Some(done),
                Command::Replace { content, keep, done } => {
                    self.finish(std::mem::take(&mut group));
                    // Who asked may be gone; the store has what was asked for.
                    let _ = done.send(self.replace(&content, keep));
                    recovered = self.recover();
                }
                Command::Write { ops, done } => match &recovered {
                    Ok(()) => self.stage(&mut group, ops, done),
                    Err(error) => answer(done, Err(error.clone())),
                },
            }
            if group.bytes > GROUP_BYTES {
                self.finish(std::mem::take(&mut group));
                recovered = self.recover();
            }
        }
        self.finish(group);
        closing
    }

    /// After a failure of the disk: opens it again, at what memory has.
    fn recover(&mut self) -> Result<(), WriteError> {
        let memory = self.memory.clone();
        let then = || Content::of(&memory.read().unwrap_or_else(PoisonError::into_inner));
        let known = self.read(|memory| memory.revision);
        self.disk.recover(known, then).inspect_err(|error| tracing::debug!(%error, "the store cannot write"))
    }

    /// Makes `content` all there is, by changes that are events like those of any write.
    fn replace(&mut self, content: &Content, keep: Option<PathBuf>) -> Result<Revision, BackupError> {
        self.recover()?;
        if let Some(keep) = keep {
            let now = self.read(Content::of);
            disk::create(&keep, Some(&now))?;
        }
        let events = self.read(|memory| content.changes(memory));
        self.commit(&events)?;
        self.publish(&events);
        Ok(self.read(|memory| memory.revision))
    }

    fn stage(&self, group: &mut Group, ops: Vec<Op>, done: Done) {
        let newest = self.read(|memory| memory.revision);
        match self.check(group, ops, newest) {
            Ok((events, staged)) => {
                group.bytes += events.iter().map(|event| event.size()).sum::<usize>();
                group.events.extend(events);
                group.staged.extend(staged);
                let revision = group.events.last().map_or(newest, |event| event.revision);
                group.waiting.push((done, Ok(revision)));
            }
            Err(error) => group.waiting.push((done, Err(error))),
        }
    }

    #[expect(clippy::type_complexity, reason = "two halves of one group, named at the only call")]
    fn check(
        &self,
        group: &Group,
        ops: Vec<Op>,
        newest: Revision,
    ) -> Result<(Vec<Arc<Event>>, HashMap<Arc<str>, Option<Object>>), WriteError> {
        let (mut events, mut staged) = (Vec::new(), HashMap::<Arc<str>, Option<Object>>::new());
        let mut revision = group.events.last().map_or(newest, |event| event.revision);
        for Op { key, expect, change } in ops {
            let before = match staged.get(&*key).or_else(|| group.staged.get(&*key)) {
                Some(staged) => staged.clone(),
                None => self.read(|memory| memory.objects.get(&*key).cloned()),
            };
            allow(&key, expect, &change, before.as_ref())?;
            let now: Option<Arc<[u8]>> = match change {
                Change::Put(bytes) => Some(bytes.into()),
                Change::Nothing => continue,
                Change::Delete if before.is_none() => continue,
                Change::Delete => None,
            };
            revision += 1;
            let key: Arc<str> = key.into();
            staged.insert(key.clone(), now.clone().map(|bytes| Object { revision, bytes }));
            events.push(Arc::new(Event { revision, key, now, before }));
        }
        Ok((events, staged))
    }

    fn finish(&mut self, group: Group) {
        #[cfg(test)]
        let Some(group) = self.misbehave(group) else { return };
        let result = self.commit(&group.events);
        self.settle(group, &result);
    }

    pub(crate) fn commit(&mut self, events: &[Arc<Event>]) -> Result<(), WriteError> {
        let Some(last) = events.last() else { return Ok(()) };
        self.disk.commit(events, self.gone(events), last.revision)
    }

    /// The events to forget when `events` come.
    pub(crate) fn gone(&self, events: &[Arc<Event>]) -> Range<Revision> {
        self.read(|memory| memory.ring.floor() + 1..memory.ring.floor_with(events, &self.limits) + 1)
    }

    pub(crate) fn settle(&self, group: Group, result: &Result<(), WriteError>) {
        match result {
            Ok(()) => self.publish(&group.events),
            Err(error) => tracing::error!(%error, writes = group.waiting.len(), "writes refused"),
        }
        for (done, outcome) in group.waiting {
            answer(done, result.clone().and(outcome));
        }
    }

    pub(crate) fn publish(&self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        {
            let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                memory.apply(event, &self.limits);
            }
        }
        self.publish.send_replace(last.revision);
    }

    fn read<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.memory.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn allow(key: &str, expect: Expect, change: &Change, before: Option<&Object>) -> Result<(), WriteError> {
    let not_found = || WriteError::NotFound { key: key.to_owned() };
    match (expect, before) {
        (Expect::Absent, Some(_)) => Err(WriteError::Exists { key: key.to_owned() }),
        (Expect::Present | Expect::Revision(_), None) => Err(not_found()),
        (Expect::Anything, None) if matches!(change, Change::Delete) => Err(not_found()),
        (Expect::Revision(wanted), Some(object)) if object.revision != wanted => {
            Err(WriteError::Conflict { key: key.to_owned(), current: object.revision })
        }
        _ => Ok(()),
    }
}

pub(crate) fn answer(done: Done, result: Result<Revision, WriteError>) {
    // The caller may have stopped waiting; the write stands.
    let _ = done.send(result);
}
