//! The embedded API's storage: objects as bytes under string keys, one number that counts every change, and watches.
//!
//! It is *not* a Kubernetes API: it knows no kinds, namespaces or JSON. The `apiserver` crate gives keys and bytes
//! their meaning.
//!
//! ```text
//! write ──► queue ──► writer thread: check, number, commit (fsync) ──► memory ──► acknowledge
//!                                                                        │
//!                      get, list ◄── map of the newest objects ◄─────────┤
//!                      watch     ◄── ring of the newest events ◄─────────┘
//! ```
//!
//! **Invariant:** nothing is acknowledged, listed or watched before the disk has it. Revisions have no gaps, and a
//! watch that started at revision `n` yields every event after `n`, in order, or ends with [`WatchError::Compacted`].
//!
//! **Invariant:** a disk that is full or fails stops writes alone: they are refused, leave nothing behind, and go on by
//! themselves once the disk works. Reads and watches are served from memory.
//!
//! **Invariant:** a restore is a write like any other: one transaction, whose changes have revisions and are watched.
//!
//! **Invariant:** only the writer thread changes the objects; it alone holds the database and the directory's lock.

mod backup;
mod change;
mod disk;
mod error;
mod lock;
mod memory;
#[cfg(test)]
mod planted;
mod watch;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

pub use backup::{BackupError, restore};
pub use change::{Change, Event, Expect, Object, Op};
pub use error::{OpenError, WatchError, WriteError};
pub use watch::Watch;

use backup::Content;
use disk::{Disk, Older, Seal};
use memory::Memory;
use writer::{Command, Writer};

/// Counts changes of the whole store; a Kubernetes `resourceVersion`. The first change has revision 2.
pub type Revision = u64;

/// Writes that wait for the writer before callers have to wait to queue theirs.
const QUEUE: usize = 1024;

/// What is kept and what is refused.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Events kept for watches to catch up with, in memory and on disk.
    pub events: usize,
    /// Bytes of objects in those events.
    pub event_bytes: usize,
    /// The largest object.
    pub object_bytes: usize,
    /// While the disk refuses writes: how many times as long as a look at it took it is not looked at again. To look is
    /// to check the whole file.
    pub rest: u32,
    #[cfg(test)]
    pub(crate) planted: planted::Planted,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: 10_000,
            event_bytes: 64 << 20,
            object_bytes: 3 << 19,
            rest: 20,
            #[cfg(test)]
            planted: planted::Planted::Nothing,
        }
    }
}

/// A cheap handle to an open store. The last handle to go waits for queued writes and closes the files.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Of the database file.
    path: PathBuf,
    memory: Arc<RwLock<Memory>>,
    newest: tokio::sync::watch::Receiver<Revision>,
    queue: Mutex<Option<mpsc::Sender<Command>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    limits: Limits,
}

// === impl Store ===

impl Store {
    /// Opens the store in `dir`, making the directory when it is not there.
    ///
    /// # Errors
    /// One for each remedy a person has: see [`OpenError`].
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_with(dir, Limits::default())
    }

    /// [`Store::open`] with limits other than the defaults.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(dir: &Path, limits: Limits) -> Result<Self, OpenError> {
        lock::make_dir(dir)?;
        let lock = lock::take(dir)?;
        let path = disk::file_in(dir);
        let seal = Seal::open(&path);
        if let Some(lost) = seal.was().filter(|_| !path.exists()) {
            let (revision, seal) = (lost.revision, seal.path().display());
            let reason =
                format!("it is gone, and held changes up to revision {revision}; restore a backup, or delete {seal} too to start afresh");
            return Err(OpenError::Corrupt { path, reason });
        }
        let mut disk = Disk::open(path, Older::Kept)?;
        disk.seal(seal)?;
        Self::start(disk, lock, limits)
    }

    fn start(mut disk: Disk, lock: lock::Lock, limits: Limits) -> Result<Self, OpenError> {
        disk.set_rest(limits.rest);
        let path = disk.path().to_owned();
        let memory = Arc::new(RwLock::new(disk.load(&limits)?));
        let revision = memory.read().unwrap_or_else(PoisonError::into_inner).revision;
        let (publish, newest) = tokio::sync::watch::channel(revision);
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = Writer { disk, lock, memory: memory.clone(), publish, jobs, limits: limits.clone() };
        let thread =
            std::thread::Builder::new().name("store".into()).spawn(move || writer.run()).map_err(|source| OpenError::Thread { source })?;
        let (queue, writer) = (Mutex::new(Some(queue)), Mutex::new(Some(thread)));
        Ok(Self { inner: Arc::new(Inner { path, memory, newest, queue, writer, limits }) })
    }

    /// Makes all changes of `ops`, or none, and returns the revision of the last once the disk has it.
    ///
    /// A caller that stops waiting does not take the write back.
    ///
    /// # Errors
    /// An `expect` that does not hold, an object too large, or a disk that is full or failed. What the disk refused is
    /// not there; only when the process ends before the disk works again, it may be found after the restart, whole.
    pub async fn write(&self, ops: Vec<Op>) -> Result<Revision, WriteError> {
        let limit = self.inner.limits.object_bytes;
        for op in &ops {
            if let Change::Put(bytes) = &op.change
                && bytes.len() > limit
            {
                return Err(WriteError::TooLarge { size: bytes.len(), limit });
            }
        }
        let queue = self.inner.queue();
        let queue = queue.ok_or(WriteError::Closed)?;
        let (done, answer) = oneshot::channel();
        queue.send(Command::Write { ops, done }).await.map_err(|_| WriteError::Closed)?;
        answer.await.unwrap_or(Err(WriteError::Closed))
    }

    /// Makes `content` all there is. What is there goes to the file `keep` before, if there is one.
    pub(crate) async fn put_in_place(&self, content: Content, keep: Option<PathBuf>) -> Result<Revision, BackupError> {
        let queue = self.inner.queue().ok_or(WriteError::Closed)?;
        let (done, answer) = oneshot::channel();
        queue.send(Command::Replace { content, keep, done }).await.map_err(|_| WriteError::Closed)?;
        answer.await.unwrap_or(Err(WriteError::Closed.into()))
    }

    /// The newest revision of all.
    pub fn revision(&self) -> Revision {
        self.inner.read(|memory| memory.revision)
    }

    pub fn get(&self, key: &str) -> Option<Object> {
        self.inner.read(|memory| memory.objects.get(key).cloned())
    }

    /// Every object whose key starts with `prefix`, by key, and the revision at which this was so.
    pub fn list(&self, prefix: &str) -> (Revision, Vec<(Arc<str>, Object)>) {
        self.inner.read(|memory| (memory.revision, memory.list(prefix)))
    }

    /// Like [`Store::list`], as it was at `revision`.
    ///
    /// # Errors
    /// `Compacted` when the events since then are gone, `Future` when there is no such revision yet.
    pub fn list_at(&self, prefix: &str, revision: Revision) -> Result<Vec<(Arc<str>, Object)>, WatchError> {
        self.inner.read(|memory| memory.list_at(prefix, revision))
    }

    /// How many objects have a key that starts with `prefix`.
    pub fn count(&self, prefix: &str) -> usize {
        self.inner.read(|memory| memory.range(prefix).count())
    }

    /// The events after revision `from` of keys that start with `prefix`.
    ///
    /// # Errors
    /// As [`Store::list_at`].
    pub fn watch(&self, prefix: &str, from: Revision) -> Result<Watch, WatchError> {
        self.inner.read(|memory| memory.check(from))?;
        Ok(Watch::new(self.inner.memory.clone(), self.inner.newest.clone(), prefix, from))
    }

    /// Finishes the writes that wait, closes the files and gives the directory back. Reads go on working; later writes
    /// and all watches end with `Closed`.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        let queue = self.inner.take_queue();
        if let Some(queue) = queue
            && queue.send(Command::Close { done }).await.is_ok()
        {
            // An error means that the writer is gone, which is what we want.
            let _ = closed.await;
        }
    }
}

// === impl Inner ===

impl Inner {
    fn read<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.memory.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn queue(&self) -> Option<mpsc::Sender<Command>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take_queue(&self) -> Option<mpsc::Sender<Command>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.take_queue());
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests;
