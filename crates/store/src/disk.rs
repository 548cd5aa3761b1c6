//! The database file: the newest objects, the newest events, the format's version.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError};

use crate::memory::Memory;
use crate::{Event, Limits, Object, OpenError, Revision, WriteError};

/// Rises with every change of the tables below that an older version cannot read.
const FORMAT: u64 = 1;
const CACHE: usize = 32 << 20;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const OBJECTS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("objects");
/// A row of the log, borrowed.
type Borrowed<'a> = (&'a str, Option<&'a [u8]>, Option<(u64, &'a [u8])>);
/// revision → key, what it holds now, (revision, bytes) before.
type Row = (&'static str, Option<&'static [u8]>, Option<(u64, &'static [u8])>);
const LOG: TableDefinition<'_, u64, Row> = TableDefinition::new("log");

/// Opens the database file; tests put a failing disk behind it.
type Opener = Box<dyn Fn(&Path) -> Result<Database, DatabaseError> + Send>;

pub(crate) struct Disk {
    path: PathBuf,
    opener: Opener,
    /// `None` after a failure: redb refuses everything until the file is opened again.
    database: Option<Database>,
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
    pub(crate) fn open(path: PathBuf) -> Result<Self, OpenError> {
        Self::open_with(
            path,
            Box::new(|path| Database::builder().set_cache_size(CACHE).create_with_backend(FileBackend::new(file(path)?)?)),
        )
    }

    pub(crate) fn open_with(path: PathBuf, opener: Opener) -> Result<Self, OpenError> {
        let mut disk = Self { path, opener, database: None };
        disk.reopen()?;
        disk.prepare()?;
        Ok(disk)
    }

    fn reopen(&mut self) -> Result<(), OpenError> {
        let opened = (self.opener)(&self.path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                OpenError::InUse { dir: self.path.clone(), pid: None }
            }
            DatabaseError::Storage(StorageError::Io(source)) if source.kind() != io::ErrorKind::InvalidData => {
                OpenError::Unwritable { path: self.path.clone(), source }
            }
            other => self.corrupt(other),
        });
        self.database = Some(opened?);
        Ok(())
    }

    /// Refuses a newer format; makes the tables of a new file.
    fn prepare(&mut self) -> Result<(), OpenError> {
        match self.meta("format").map_err(|error| self.corrupt(error))? {
            Some(FORMAT) => Ok(()),
            Some(found) => Err(OpenError::NewerVersion { path: self.path.clone(), found, known: FORMAT }),
            None => {
                let made = self.commit(&[], 0..0, 1);
                made.map_err(|error| self.unwritable(error.to_string()))?;
                let dir = self.path.parent().unwrap_or(Path::new("."));
                sync_dir(dir).map_err(|source| OpenError::Unwritable { path: dir.to_owned(), source })
            }
        }
    }

    fn meta(&self, key: &str) -> Result<Option<u64>, redb::Error> {
        let Some(database) = &self.database else { return Ok(None) };
        match database.begin_read()?.open_table(META) {
            Ok(table) => Ok(table.get(key)?.map(|value| value.value())),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything there is, as the memory that serves it.
    pub(crate) fn load(&self, limits: &Limits) -> Result<Memory, OpenError> {
        self.read_all(limits).map_err(|error| self.corrupt(error))
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

    /// Makes a database that failed usable again, and returns events that it holds though their writes were not
    /// acknowledged: the failure came after the disk had them.
    pub(crate) fn recover(&mut self, known: Revision) -> Result<Vec<Arc<Event>>, WriteError> {
        if self.database.is_some() {
            return Ok(Vec::new());
        }
        self.reopen().map_err(|error| WriteError::Io { reason: error.to_string() })?;
        self.events_after(known).map_err(|error| failed(&error))
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
        let Some(database) = &self.database else {
            return Err(WriteError::Io { reason: "the database is closed after a failure".into() });
        };
        let result = write(database, events, gone, revision);
        result.map_err(|error| {
            self.database = None;
            failed(&error)
        })
    }

    fn corrupt(&self, error: impl std::fmt::Display) -> OpenError {
        OpenError::Corrupt { path: self.path.clone(), reason: error.to_string() }
    }

    fn unwritable(&self, reason: String) -> OpenError {
        OpenError::Unwritable { path: self.path.clone(), source: io::Error::other(reason) }
    }
}

fn write(database: &Database, events: &[Arc<Event>], gone: Range<Revision>, revision: Revision) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // Without it a start after a crash reads the whole file.
    transaction.set_quick_repair(true);
    {
        let mut objects = transaction.open_table(OBJECTS)?;
        let mut log = transaction.open_table(LOG)?;
        for event in events {
            let before = event.before.as_ref().map(|object| (object.revision, &*object.bytes));
            log.insert(event.revision, (&*event.key, event.now.as_deref(), before))?;
            match &event.now {
                Some(bytes) => objects.insert(&*event.key, (event.revision, &**bytes))?,
                None => objects.remove(&*event.key)?,
            };
        }
        for revision in gone {
            log.remove(revision)?;
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", FORMAT)?;
        meta.insert("revision", revision)?;
    }
    Ok(transaction.commit()?)
}

fn failed(error: &redb::Error) -> WriteError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let reason = error.to_string();
    match error {
        redb::Error::Io(source) if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge) => WriteError::Full { reason },
        _ => WriteError::Io { reason },
    }
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
