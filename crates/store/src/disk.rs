//! The database file: the newest objects, the newest events, the format's version.
//!
//! Commits have two phases: the new pages and where they hang are synced before the one byte that makes them the newest
//! state, so a commit that was cut off, torn or reordered by the disk is not seen by the next start.
//!
//! **Invariant:** whenever the file is opened, after a failure too, every page in use is checked against its checksum and
//! the header is written and synced again: what is read was confirmed by the disk, or the file is refused as damaged.

mod format;
mod outage;
mod seal;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError,
    WriteTransaction,
};

use crate::backup::Content;
use crate::memory::Memory;
use crate::{Event, Limits, Object, OpenError, Revision, WriteError};

pub(crate) use format::FORMAT;
pub(crate) use seal::{Seal, Sealed};

use format::{NAME, give_it_a_name, migrate};
use outage::Outage;

/// Of pages, for writes: reads are served from memory of ours.
const CACHE: usize = 8 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const OBJECTS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("objects");
/// A row of the log, borrowed.
type Borrowed<'a> = (&'a str, Option<&'a [u8]>, Option<(u64, &'a [u8])>);
/// revision → key, what it holds now, (revision, bytes) before.
type Row = (&'static str, Option<&'static [u8]>, Option<(u64, &'static [u8])>);
const LOG: TableDefinition<'_, u64, Row> = TableDefinition::new("log");

/// Opens the database file; tests put a failing disk behind it.
pub(crate) type Opener = Box<dyn Fn(&Builder, &Path) -> Result<Database, DatabaseError> + Send>;

pub(crate) struct Disk {
    path: PathBuf,
    opener: Opener,
    /// `None` after a failure: redb refuses everything until the file is opened again.
    database: Option<Database>,
    /// `None` while the disk is well.
    outage: Option<Outage>,
    /// See [`Limits::rest`].
    rest: u32,
    seal: Option<Seal>,
}

/// What becomes of a file of an older format, beside its migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Older {
    /// A copy of it stays, for the way back.
    Kept,
    Replaced,
}

pub(crate) fn file_in(dir: &Path) -> PathBuf {
    dir.join("store.redb")
}

/// The file holds Secrets, and the directory may be one that others read.
fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

// === impl Disk ===

impl Disk {
    pub(crate) fn open(path: PathBuf, older: Older) -> Result<Self, OpenError> {
        if !path.exists() {
            create(&path, None)?;
        }
        let mut disk = Self::new(path, Box::new(from_file));
        disk.reopen()?;
        match disk.meta("format").map_err(|error| disk.corrupt(error))? {
            // A file is whole before it has this name. To take an empty one for a new store would hide a loss.
            None => return Err(disk.corrupt("it holds no store")),
            Some(found) if found < FORMAT && older == Older::Kept => disk.keep(found)?,
            Some(_) => {}
        }
        disk.prepare().map(|()| disk)
    }

    pub(crate) fn open_with(path: PathBuf, opener: Opener) -> Result<Self, OpenError> {
        let mut disk = Self::new(path, opener);
        disk.reopen()?;
        disk.prepare()?;
        Ok(disk)
    }

    fn new(path: PathBuf, opener: Opener) -> Self {
        Self { path, opener, database: None, outage: None, rest: 0, seal: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn set_rest(&mut self, rest: u32) {
        self.rest = rest;
    }

    /// Keeps `seal` from now on, unless it says that the file has lost something.
    pub(crate) fn seal(&mut self, mut seal: Seal) -> Result<(), OpenError> {
        let (name, revision) = (self.name()?, self.revision()?);
        if let Some(lost) = seal.was().filter(|sealed| sealed.name == name && sealed.revision > revision) {
            return Err(self.corrupt(format!(
                "its newest change has revision {revision}, and {} was acknowledged; restore a backup, or delete {} to go on without what is lost",
                lost.revision,
                seal.path().display()
            )));
        }
        seal.set(Sealed { name, revision });
        self.seal = Some(seal);
        Ok(())
    }

    fn name(&self) -> Result<u64, OpenError> {
        Ok(self.meta(NAME).map_err(|error| self.corrupt(error))?.unwrap_or(0))
    }

    /// Copies the file as it is, under the name of its format.
    fn keep(&mut self, format: u64) -> Result<(), OpenError> {
        // So that nothing of it is in memory alone.
        self.database = None;
        let kept = self.path.with_extension(format!("format{format}"));
        let new = unfinished(&kept);
        let copied = std::fs::copy(&self.path, &new).and_then(|_| File::open(&new)?.sync_all()).and_then(|()| std::fs::rename(&new, &kept));
        copied.map_err(|source| OpenError::Unwritable { path: kept.clone(), source })?;
        tracing::info!(path = %kept.display(), "the store as an older version had it is kept");
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), OpenError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        // A header of nonsense may make redb panic; whose file is damaged should read that.
        let opened = catch_unwind(AssertUnwindSafe(|| (self.opener)(&builder, &self.path)));
        let opened = opened.map_err(|_| self.corrupt("its structure makes no sense"))?;
        let opened = opened.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                OpenError::InUse { dir: self.path.clone(), pid: None }
            }
            DatabaseError::Storage(StorageError::Io(source)) if !is_nonsense(&source) => {
                OpenError::Unwritable { path: self.path.clone(), source }
            }
            other => self.corrupt(other),
        });
        self.database = Some(opened?);
        Ok(())
    }

    /// Refuses a newer format, migrates an older one; makes the tables of a new file.
    fn prepare(&mut self) -> Result<(), OpenError> {
        let format = self.meta("format").map_err(|error| self.corrupt(error))?;
        let Some(database) = &self.database else { return Ok(()) };
        let prepared = match format {
            Some(FORMAT) => Ok(()),
            Some(found @ 1..FORMAT) => migrate(database, found),
            Some(found) => return Err(OpenError::NewerVersion { path: self.path.clone(), found, known: FORMAT }),
            None => begin_anew(database),
        };
        prepared.map_err(|error| self.unwritable(error.to_string()))
    }

    fn meta(&self, key: &str) -> Result<Option<u64>, redb::Error> {
        let Some(database) = &self.database else { return Ok(None) };
        match database.begin_read()?.open_table(META) {
            Ok(table) => Ok(table.get(key)?.map(|value| value.value())),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn revision(&self) -> Result<Revision, OpenError> {
        Ok(self.meta("revision").map_err(|error| self.corrupt(error))?.unwrap_or(1))
    }

    /// Everything there is, as the memory that serves it.
    pub(crate) fn load(&self, limits: &Limits) -> Result<Memory, OpenError> {
        let memory = self.read_all(limits).map_err(|error| self.corrupt(error))?;
        #[cfg(test)]
        let memory = match limits.planted {
            crate::planted::Planted::RevisionReuse => {
                let newest = memory.objects.values().map(|object| object.revision).max();
                return Ok(Memory { revision: newest.unwrap_or(1), ..memory });
            }
            planted => Memory { planted, ..memory },
        };
        memory.consistent().map_err(|reason| self.corrupt(reason))?;
        Ok(memory)
    }

    fn read_all(&self, limits: &Limits) -> Result<Memory, redb::Error> {
        let revision = self.meta("revision")?.unwrap_or(1);
        let mut memory = Memory::new(revision);
        let Some(database) = &self.database else { return Ok(memory) };
        let read = database.begin_read()?;
        for row in read.open_table(OBJECTS)?.iter()? {
            let (key, value) = row?;
            let (revision, bytes) = value.value();
            memory.objects.insert(key.value().into(), Object { revision, bytes: bytes.into() });
        }
        let mut shared = Shared::default();
        for row in read.open_table(LOG)?.iter()? {
            let (revision, row) = row?;
            let event = shared.event(revision.value(), row.value(), &memory);
            memory.ring.push(Arc::new(event), limits);
        }
        Ok(memory)
    }

    /// Makes a database that failed usable again, as it was at revision `known`, when it held what `then` gives.
    ///
    /// The failure may have come after the disk had the write. Its callers were told that it failed, so it is taken back
    /// before anybody sees it.
    pub(crate) fn recover(&mut self, known: Revision, then: impl FnOnce() -> Content) -> Result<(), WriteError> {
        if self.database.is_some() {
            return Ok(());
        }
        let mut outage = self.outage.take().unwrap_or_else(|| Outage::new(closed()));
        let recovered = match outage.rests(self.rest) {
            true => Err(outage.error.clone()),
            false => outage.looked(|| self.look_again(known, then)).inspect_err(|error| outage.fails(error.clone())),
        };
        self.outage = Some(outage);
        recovered
    }

    fn look_again(&mut self, known: Revision, then: impl FnOnce() -> Content) -> Result<(), WriteError> {
        let recovered = self.reopen().map_err(|error| refused(&error)).and_then(|()| {
            let unconfirmed = self.events_after(known).map_err(|error| self.failed(&error))?;
            let newest = self.revision().map_err(|error| refused(&error))?;
            if newest < known {
                return Err(refused(&self.corrupt(format!("its newest change has revision {newest}, and {known} was acknowledged"))));
            }
            let Some(database) = &self.database else { return Err(closed()) };
            let taken_back = match unconfirmed.first() {
                None => Ok(()),
                Some(first) if first.revision == known + 1 => take_back(database, &unconfirmed, known),
                // So many that the log does not have them all.
                Some(_) => put_back(database, &then()),
            };
            taken_back.map_err(|error| self.failed(&error))
        });
        if recovered.is_err() {
            self.database = None;
        }
        recovered
    }

    fn events_after(&self, known: Revision) -> Result<Vec<Arc<Event>>, redb::Error> {
        let Some(database) = &self.database else { return Ok(Vec::new()) };
        let (mut shared, empty) = (Shared::default(), Memory::new(known));
        let mut events = Vec::new();
        for row in database.begin_read()?.open_table(LOG)?.range(known + 1..)? {
            let (revision, row) = row?;
            events.push(Arc::new(shared.event(revision.value(), row.value(), &empty)));
        }
        Ok(events)
    }

    /// Writes `events`, forgets those in `gone`, and returns once the disk has it all.
    pub(crate) fn commit(&mut self, events: &[Arc<Event>], gone: Range<Revision>, revision: Revision) -> Result<(), WriteError> {
        let Some(database) = &self.database else { return Err(closed()) };
        match write(database, events, gone, revision) {
            Ok(()) => {
                self.outage = None;
                if let Some(seal) = &mut self.seal {
                    seal.set_revision(revision);
                }
                Ok(())
            }
            Err(error) => {
                let error = self.failed(&error);
                self.database = None;
                self.outage.get_or_insert_with(|| Outage::new(error.clone())).fails(error.clone());
                Err(error)
            }
        }
    }

    fn failed(&self, error: &redb::Error) -> WriteError {
        let reason = format!("{}: {error}", self.path.display());
        match error {
            redb::Error::Io(source) if is_full(source) => WriteError::Full { reason },
            _ => WriteError::Io { reason },
        }
    }

    fn corrupt(&self, error: impl std::fmt::Display) -> OpenError {
        OpenError::Corrupt { path: self.path.clone(), reason: error.to_string() }
    }

    fn unwritable(&self, reason: String) -> OpenError {
        OpenError::Unwritable { path: self.path.clone(), source: io::Error::other(reason) }
    }
}

fn write(database: &Database, events: &[Arc<Event>], gone: Range<Revision>, revision: Revision) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    {
        let mut objects = transaction.open_table(OBJECTS)?;
        let mut log = transaction.open_table(LOG)?;
        for event in events {
            // More at once than the log keeps.
            if !gone.contains(&event.revision) {
                log.insert(event.revision, row(event))?;
            }
            match &event.now {
                Some(bytes) => objects.insert(&*event.key, (event.revision, &**bytes))?,
                None => objects.remove(&*event.key)?,
            };
        }
        let first = events.first().map_or(gone.end, |event| event.revision);
        for revision in gone.start..gone.end.min(first) {
            log.remove(revision)?;
        }
        transaction.open_table(META)?.insert("revision", revision)?;
    }
    Ok(transaction.commit()?)
}

/// Makes the tables of a new file.
fn begin_anew(database: &Database) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    give_it_a_name(&transaction)?;
    transaction.open_table(OBJECTS)?;
    transaction.open_table(LOG)?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", FORMAT)?;
        meta.insert("revision", 1)?;
    }
    Ok(transaction.commit()?)
}

/// Undoes `events`, the newest there are.
fn take_back(database: &Database, events: &[Arc<Event>], known: Revision) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    {
        let mut objects = transaction.open_table(OBJECTS)?;
        let mut log = transaction.open_table(LOG)?;
        for event in events.iter().rev() {
            log.remove(event.revision)?;
            match &event.before {
                Some(before) => objects.insert(&*event.key, (before.revision, &*before.bytes))?,
                None => objects.remove(&*event.key)?,
            };
        }
        transaction.open_table(META)?.insert("revision", known)?;
    }
    Ok(transaction.commit()?)
}

fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What is in the file is no database: its beginning, or where it says that something lies.
fn is_nonsense(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

fn closed() -> WriteError {
    WriteError::Io { reason: "the database is closed after a failure".into() }
}

/// Why nothing can be written while the file cannot be opened again.
fn refused(error: &OpenError) -> WriteError {
    let reason = error.to_string();
    match error {
        OpenError::Unwritable { source, .. } if is_full(source) => WriteError::Full { reason },
        _ => WriteError::Io { reason },
    }
}

fn from_file(builder: &Builder, path: &Path) -> Result<Database, DatabaseError> {
    builder.create_with_backend(FileBackend::new(file(path)?)?)
}

/// Makes a new file under another name, so that the one of that name is whole however this ends.
pub(crate) fn create(path: &Path, content: Option<&Content>) -> Result<(), OpenError> {
    let unwritable = |path: &Path, source| OpenError::Unwritable { path: path.to_owned(), source };
    let new = unfinished(path);
    match std::fs::remove_file(&new) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(unwritable(&new, source)),
        _ => {}
    }
    let disk = Disk::open_with(new.clone(), Box::new(from_file))?;
    let filled = match (&disk.database, content) {
        (Some(database), Some(content)) => fill(database, content).map_err(|error| disk.unwritable(error.to_string())),
        _ => Ok(()),
    };
    drop(disk);
    if filled.is_err() {
        // It takes room, of which there may be none.
        let _ = std::fs::remove_file(&new);
        return filled;
    }
    std::fs::rename(&new, path).map_err(|source| unwritable(path, source))?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_dir(dir).map_err(|source| unwritable(dir, source))
}

/// The name of a file that is being made.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

fn fill(database: &Database, content: &Content) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    insert_all(&transaction, content)?;
    Ok(transaction.commit()?)
}

/// Makes the file hold what `content` does and nothing else.
fn put_back(database: &Database, content: &Content) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    transaction.delete_table(OBJECTS)?;
    transaction.delete_table(LOG)?;
    insert_all(&transaction, content)?;
    Ok(transaction.commit()?)
}

fn insert_all(transaction: &WriteTransaction, content: &Content) -> Result<(), redb::Error> {
    let mut objects = transaction.open_table(OBJECTS)?;
    for (key, object) in &content.objects {
        objects.insert(&**key, (object.revision, &*object.bytes))?;
    }
    let mut log = transaction.open_table(LOG)?;
    for event in &content.events {
        log.insert(event.revision, row(event))?;
    }
    transaction.open_table(META)?.insert("revision", content.revision)?;
    Ok(())
}

fn row(event: &Event) -> Borrowed<'_> {
    let before = event.before.as_ref().map(|object| (object.revision, &*object.bytes));
    (&*event.key, event.now.as_deref(), before)
}

/// So that the file's name survives a power cut too.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Bytes read from the log, so that an event's `before` and its predecessor's `now` are one allocation.
#[derive(Default)]
struct Shared {
    newest: HashMap<Arc<str>, (Revision, Arc<[u8]>)>,
}

impl Shared {
    fn event(&mut self, revision: Revision, (key, now, before): Borrowed<'_>, memory: &Memory) -> Event {
        let key = memory.objects.get_key_value(key).map_or_else(|| key.into(), |(key, _)| key.clone());
        let before = before.map(|(revision, bytes)| {
            let known = self.newest.get(&key).filter(|(at, _)| *at == revision);
            Object { revision, bytes: known.map_or_else(|| bytes.into(), |(_, bytes)| bytes.clone()) }
        });
        let now = now.map(|bytes| match memory.objects.get(&key) {
            Some(object) if object.revision == revision => object.bytes.clone(),
            _ => bytes.into(),
        });
        match &now {
            Some(bytes) => self.newest.insert(key.clone(), (revision, bytes.clone())),
            None => self.newest.remove(&key),
        };
        Event { revision, key, now, before }
    }
}
