//! One process per directory, by `flock`: the kernel gives the lock back however the process ends.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::OpenError;
use crate::disk::is_full;

#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

pub(crate) fn make_dir(dir: &Path) -> Result<(), OpenError> {
    // Secrets lie in here.
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| unwritable(dir, source))
}

pub(crate) fn take(dir: &Path) -> Result<Lock, OpenError> {
    let path = dir.join("lock");
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(|source| unwritable(&path, source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only for the message: who holds the lock is still writing it, perhaps.
            let _ = file.read_to_string(&mut holder);
            return Err(OpenError::InUse { dir: dir.to_owned(), pid: holder.trim().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(unwritable(&path, source)),
    }
    let named = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    match named {
        // The number is only for the message above: a full disk must not keep what is stored from being served.
        Err(source) if !is_full(&source) => return Err(unwritable(&path, source)),
        _ => {}
    }
    Ok(Lock { _file: file })
}

fn unwritable(path: &Path, source: std::io::Error) -> OpenError {
    OpenError::Unwritable { path: path.to_owned(), source }
}
