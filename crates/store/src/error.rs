//! Why a store does not open, a write is refused, a watch ends.

use std::io;
use std::path::{Path, PathBuf};

use crate::Revision;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} is in use by another process{}", dir.display(), pid.map(|pid| format!(" ({pid})")).unwrap_or_default())]
    InUse { dir: PathBuf, pid: Option<u32> },
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    #[error("{} was written by a newer version (format {found}; this version knows up to {known})", path.display())]
    NewerVersion { path: PathBuf, found: u64, known: u64 },
    #[error("{} is damaged: {reason}", path.display())]
    Corrupt { path: PathBuf, reason: String },
    #[error("the store's thread did not start: {source}")]
    Thread { source: io::Error },
}

// === impl OpenError ===

impl OpenError {
    /// The same of the file that a person knows.
    pub(crate) fn of(self, file: &Path) -> Self {
        let path = file.to_owned();
        match self {
            Self::Corrupt { reason, .. } => Self::Corrupt { path, reason },
            Self::NewerVersion { found, known, .. } => Self::NewerVersion { path, found, known },
            other => other,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("`{key}` has changed: it is at revision {current}")]
    Conflict { key: String, current: Revision },
    #[error("`{key}` does not exist")]
    NotFound { key: String },
    #[error("`{key}` exists already")]
    Exists { key: String },
    #[error("the object has {size} bytes; at most {limit} are stored")]
    TooLarge { size: usize, limit: usize },
    /// There is no room. Reads and watches go on; the first write after there is room again is accepted.
    #[error("the disk is full, so nothing can be written; free some space on it and try again ({reason})")]
    Full { reason: String },
    /// The disk said so, or did not confirm that it has the write. The file is opened again at the next write.
    #[error("the disk failed, so nothing can be written; look at it and try again ({reason})")]
    Io { reason: String },
    #[error("the store is closed")]
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    #[error("the events after revision {from} are gone; the oldest kept is {oldest}")]
    Compacted { from: Revision, oldest: Revision },
    #[error("revision {from} is not there yet; the newest is {newest}")]
    Future { from: Revision, newest: Revision },
    #[error("the store is closed")]
    Closed,
}
