//! How far the store was, in a small file beside the database.
//!
//! One bit of redb's header says which of two roots is the newest, and nothing guards it: turned over, it brings back the
//! state before the last commit, whole and with all its checksums. The seal remembers the newest revision that was
//! acknowledged. It is written after each commit and never synced: a killed process loses nothing of it, and what a power
//! cut takes of it makes it older, which is only less to compare with.
//!
//! **Invariant:** a seal is never ahead of what the disk confirmed, so a file that is behind its seal has lost something.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Revision;

const MAGIC: &[u8; 8] = b"paifang1";
const SIZE: usize = 32;

#[derive(Debug)]
pub(crate) struct Seal {
    path: PathBuf,
    /// `None` where it cannot be written: the store works without.
    file: Option<File>,
    was: Option<Sealed>,
}

/// What a seal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Of which store.
    pub(crate) name: u64,
    pub(crate) revision: Revision,
}

// === impl Seal ===

impl Seal {
    /// Beside the database at `path`.
    pub(crate) fn open(path: &Path) -> Self {
        let path = path.with_extension("seal");
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open().inspect_err(|error| unsealed(&path, error)).ok();
        let was = file.as_ref().and_then(Sealed::read);
        Self { path, file, was }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn was(&self) -> Option<Sealed> {
        self.was
    }

    pub(crate) fn set_revision(&mut self, revision: Revision) {
        if let Some(was) = self.was {
            self.set(Sealed { revision, ..was });
        }
    }

    pub(crate) fn set(&mut self, sealed: Sealed) {
        let Some(file) = self.file.as_ref().filter(|_| self.was != Some(sealed)) else { return };
        match file.write_all_at(&sealed.bytes(), 0) {
            Ok(()) => self.was = Some(sealed),
            // A full disk: what is there stays true.
            Err(error) => tracing::debug!(path = %self.path.display(), %error, "the seal was not written"),
        }
    }
}

fn unsealed(path: &Path, error: &io::Error) {
    tracing::warn!(path = %path.display(), %error, "a store that falls back to an older state would not be noticed");
}

// === impl Sealed ===

impl Sealed {
    fn read(file: &File) -> Option<Self> {
        let mut bytes = [0; SIZE];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let sealed = Self { name: word(8)?, revision: word(16)? };
        (sealed.bytes() == bytes).then_some(sealed)
    }

    fn bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.name.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.revision.to_le_bytes());
        let sum = checksum(&bytes[..24]);
        bytes[24..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }
}

/// FNV-1a: what is half written, or turned over, is not taken.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_read_back_and_one_with_a_wrong_bit_is_none() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("store.redb");
        let sealed = Sealed { name: 7, revision: 300 };
        let mut seal = Seal::open(&path);
        assert_eq!(seal.was(), None);
        seal.set(sealed);
        assert_eq!(Seal::open(&path).was(), Some(sealed));
        let bytes = std::fs::read(seal.path()).expect("it is there");
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(seal.path(), wrong).expect("writes");
            assert_eq!(Seal::open(&path).was(), None, "bit {bit}");
        }
        std::fs::write(seal.path(), &bytes[..31]).expect("writes");
        assert_eq!(Seal::open(&path).was(), None, "cut off");
    }
}
