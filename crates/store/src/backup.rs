//! A copy of a store that is in use, and the way back.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{self, Disk};
use crate::memory::Memory;
use crate::{Event, Limits, Object, OpenError, Revision, Store, lock};

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
}

/// All that a store holds at one revision.
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
    let replaced = if path.exists() { Disk::open(path.clone()).and_then(|disk| disk.revision()).unwrap_or(1) } else { 1 };
    content.revision = content.revision.max(replaced).saturating_add(LEAP);
    content.events.clear();
    keep(&path)?;
    disk::create(&path, Some(&content))?;
    drop(lock);
    Ok(content.revision)
}

/// Opens a copy of the copy: opening a file writes to it.
fn read(from: &Path, copy: &Path) -> Result<Content, BackupError> {
    std::fs::copy(from, copy).map_err(|source| BackupError::Unreadable { path: from.to_owned(), source })?;
    let loaded = Disk::open(copy.to_owned()).and_then(|disk| disk.load(&Limits::default()));
    let removed = std::fs::remove_file(copy);
    let memory = loaded.map_err(|error| error.of(from))?;
    removed.map_err(|source| OpenError::Unwritable { path: copy.to_owned(), source })?;
    Ok(Content::of(&memory))
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
    fn of(memory: &Memory) -> Self {
        let events = memory.ring.after(memory.ring.floor()).cloned().collect();
        Self { revision: memory.revision, objects: memory.list(""), events }
    }
}
