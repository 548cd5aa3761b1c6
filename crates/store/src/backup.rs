//! A copy of a store that is in use, and the way back.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{self, Disk, Older};
use crate::memory::Memory;
use crate::{Event, Limits, Object, OpenError, Revision, Store, WriteError, lock};

/// How far a restored store is ahead of all that is known of: clients may have seen revisions that the copy never had, and
/// must not take what comes under the same numbers for what they know.
const LEAP: Revision = 1_000_000;

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} exists already", path.display())]
    Exists { path: PathBuf },
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    Refused(#[from] WriteError),
}

/// All that a store holds at one revision.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) revision: Revision,
    pub(crate) objects: Vec<(Arc<str>, Object)>,
    pub(crate) events: Vec<Arc<Event>>,
}

// === impl Store ===

impl Store {
    /// Copies everything, as it is now, to a new file, and returns its revision. Reads and writes go on meanwhile.
    ///
    /// It waits for the disk: not for an async worker.
    ///
    /// # Errors
    /// The file exists, or cannot be written. It is whole under its name, or not there.
    pub fn backup(&self, to: &Path) -> Result<Revision, BackupError> {
        if to.exists() {
            return Err(BackupError::Exists { path: to.to_owned() });
        }
        let content = self.inner.read(Content::of);
        disk::create(to, Some(&content))?;
        Ok(content.revision)
    }

    /// Makes what a copy holds all there is, while reads, watches and writes go on, and returns the revision of the last
    /// change. What was there before is kept beside the store, as `store.before`.
    ///
    /// It is one write: other writes wait for it, and watches tell what it changes. What is in the copy as it is here
    /// stays as it is, with its revision.
    ///
    /// # Errors
    /// The copy cannot be read, is damaged or of a newer version, or the disk refuses. Nothing has changed.
    pub async fn restore(&self, from: PathBuf) -> Result<Revision, BackupError> {
        let path = &self.inner.path;
        let (copy, before) = (path.with_extension("restored"), path.with_extension("before"));
        let read = tokio::task::spawn_blocking(move || read(&from, &copy)).await;
        let content = read.map_err(|error| OpenError::Thread { source: io::Error::other(error) })??;
        self.put_in_place(content, Some(before)).await
    }
}

/// Puts a copy made by [`Store::backup`] in the place of the store in `dir`, which no process may use, and returns the
/// revision that it begins with. What was there before is kept beside it, as `store.before`.
///
/// Every watch and list of a revision from before ends with `Compacted`.
///
/// # Errors
/// The copy cannot be read, is damaged or of a newer version, or the directory is in use or cannot be written. The store
/// that is there stays as it is.
pub fn restore(from: &Path, dir: &Path) -> Result<Revision, BackupError> {
    lock::make_dir(dir)?;
    let lock = lock::take(dir)?;
    let path = disk::file_in(dir);
    let mut content = read(from, &path.with_extension("restored"))?;
    // One that is damaged may be why they restore.
    let there = path.exists().then(|| load(path.clone())).and_then(Result::ok);
    let newest = there.as_ref().map_or(1, |memory| memory.revision);
    content.revision = content.revision.max(newest).saturating_add(LEAP);
    content.events.clear();
    if let Some(there) = there {
        // The same revision must not mean two things, for who has seen what was there.
        for (key, object) in &mut content.objects {
            if there.objects.get(key) != Some(object) {
                object.revision = content.revision;
            }
        }
    }
    keep(&path)?;
    disk::create(&path, Some(&content))?;
    drop(lock);
    Ok(content.revision)
}

/// Opens a copy of the copy: opening a file writes to it.
fn read(from: &Path, copy: &Path) -> Result<Content, BackupError> {
    std::fs::copy(from, copy).map_err(|source| BackupError::Unreadable { path: from.to_owned(), source })?;
    let loaded = load(copy.to_owned());
    let removed = std::fs::remove_file(copy);
    let memory = loaded.map_err(|error| error.of(from))?;
    removed.map_err(|source| OpenError::Unwritable { path: copy.to_owned(), source })?;
    Ok(Content::of(&memory))
}

fn load(path: PathBuf) -> Result<Memory, OpenError> {
    Disk::open(path, Older::Replaced)?.load(&Limits::default())
}

fn keep(path: &Path) -> Result<(), OpenError> {
    let before = path.with_extension("before");
    let kept = match std::fs::remove_file(&before) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // A second name: the first is there at every moment.
        _ => std::fs::hard_link(path, &before),
    };
    match kept {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(OpenError::Unwritable { path: before, source }),
        _ => Ok(()),
    }
}

// === impl Content ===

impl Content {
    pub(crate) fn of(memory: &Memory) -> Self {
        let events = memory.ring.after(memory.ring.floor()).cloned().collect();
        Self { revision: memory.revision, objects: memory.list(""), events }
    }

    /// What must happen so that `memory` has these objects and no others.
    pub(crate) fn changes(&self, memory: &Memory) -> Vec<Arc<Event>> {
        let wanted: HashMap<&str, &Object> = self.objects.iter().map(|(key, object)| (&**key, object)).collect();
        let gone = memory.objects.keys().filter(|key| !wanted.contains_key(&***key)).map(|key| (key, None));
        let differs = |key: &Arc<str>, object: &Object| memory.objects.get(key).is_none_or(|there| there.bytes != object.bytes);
        let put = self.objects.iter().filter(|(key, object)| differs(key, object)).map(|(key, object)| (key, Some(object)));
        let event = |(key, now): (&Arc<str>, Option<&Object>), revision| {
            let now = now.map(|object| object.bytes.clone());
            Arc::new(Event { revision, key: key.clone(), now, before: memory.objects.get(key).cloned() })
        };
        gone.chain(put).zip(memory.revision + 1..).map(|(change, revision)| event(change, revision)).collect()
    }
}
