//! A disk that fails: nothing it may not have is acknowledged, and the store goes on when the disk is well again.

use std::io;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use redb::backends::FileBackend;
use redb::{Builder, StorageBackend};

use super::*;
use crate::disk::Disk;

const WELL: u8 = 0;
/// Writes fail.
const FULL: u8 = 1;
/// The data may be there, but nobody can say.
const NO_SYNC: u8 = 2;
/// The same, at the second sync of a commit: the new state is the newest in the file.
const NO_SECOND_SYNC: u8 = 3;

#[derive(Debug)]
struct Faulty {
    inner: FileBackend,
    state: Arc<AtomicU8>,
}

/// A disk's state, and how often its file was opened.
struct Handle {
    state: Arc<AtomicU8>,
    opens: Arc<AtomicUsize>,
}

impl Faulty {
    fn fail(&self, when: u8) -> io::Result<()> {
        if self.state.load(Ordering::SeqCst) == when { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fail(FULL)?;
        self.inner.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()?;
        let next = self.state.compare_exchange(NO_SECOND_SYNC, NO_SYNC, Ordering::SeqCst, Ordering::SeqCst);
        if next.is_ok() { Ok(()) } else { self.fail(NO_SYNC) }
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.fail(FULL)?;
        self.inner.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}

fn open(dir: &Path) -> (Store, Arc<AtomicU8>) {
    let (store, handle) = open_with(dir, Limits { rest: 0, ..Limits::default() });
    (store, handle.state)
}

fn open_with(dir: &Path, limits: Limits) -> (Store, Handle) {
    let handle = Handle { state: Arc::new(AtomicU8::new(WELL)), opens: Arc::default() };
    let (shared, opens) = (handle.state.clone(), handle.opens.clone());
    let opener = move |builder: &Builder, path: &Path| {
        opens.fetch_add(1, Ordering::SeqCst);
        let file = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        builder.create_with_backend(Faulty { inner: FileBackend::new(file)?, state: shared.clone() })
    };
    let disk = Disk::open_with(disk_file(dir), Box::new(opener)).expect("opens");
    let lock = lock::take(dir).expect("locks");
    (Store::start(disk, lock, limits).expect("starts"), handle)
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_then_goes_on() {
    let dir = dir();
    let (store, state) = open(dir.path());
    put(&store, "a", "1").await;
    state.store(FULL, Ordering::SeqCst);
    let big = Op::put("big", Expect::Anything, vec![7; 1 << 20]);
    assert!(matches!(store.write(vec![big.clone()]).await, Err(WriteError::Full { .. })));
    assert_eq!(text(&store, "big"), None);
    assert_eq!(text(&store, "a").as_deref(), Some("1"));
    assert!(store.write(vec![big.clone()]).await.is_err());

    state.store(WELL, Ordering::SeqCst);
    let revision = store.write(vec![big]).await.expect("there is room again");
    assert_eq!(revision, 3, "what was refused took no revision");
    drop(store);
    let (store, _) = open(dir.path());
    assert_eq!(store.revision(), 3);
    assert_eq!(store.get("big").map(|object| object.bytes.len()), Some(1 << 20));
}

/// To look at the disk is to read all of the file: a disk that stays full for long must not cost that with every write.
#[tokio::test]
async fn a_disk_that_stays_full_is_not_looked_at_with_every_write() {
    let dir = dir();
    let (store, disk) = open_with(dir.path(), Limits { rest: u32::MAX, ..Limits::default() });
    let opened = || disk.opens.load(Ordering::SeqCst);
    put(&store, "a", "1").await;
    disk.state.store(FULL, Ordering::SeqCst);
    let before = opened();
    for _ in 0..50 {
        let refused = store.write(vec![Op::put("b", Expect::Anything, vec![])]).await;
        assert!(matches!(refused, Err(WriteError::Full { .. })), "{refused:?}");
    }
    assert!(opened() - before <= 2, "{} looks", opened() - before);
    assert_eq!(text(&store, "a").as_deref(), Some("1"));
    disk.state.store(WELL, Ordering::SeqCst);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while store.write(vec![Op::put("b", Expect::Anything, vec![])]).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "it looks again after a while");
        tokio::task::yield_now().await;
    }
    assert_eq!(store.revision(), 3);
}

/// A restore may change more than the log keeps: what the disk did not confirm is taken back all the same.
#[tokio::test]
async fn a_restore_that_the_disk_did_not_confirm_leaves_nothing_behind() {
    let dir = dir();
    let (store, disk) = open_with(dir.path(), Limits { rest: 0, events: 3, ..Limits::default() });
    for key in ["a", "b", "c"] {
        put(&store, key, "1").await;
    }
    let copies = super::dir();
    let copy = copies.path().join("copy");
    store.backup(&copy).expect("copies");
    for at in 0..10 {
        put(&store, &format!("k{at}"), "2").await;
    }
    store.write(vec![Op::delete("b", Expect::Present)]).await.expect("deletes");
    let before = store.list("");
    disk.state.store(NO_SECOND_SYNC, Ordering::SeqCst);
    let refused = store.restore(copy).await;
    assert!(matches!(refused, Err(BackupError::Refused(_))), "{refused:?}");
    assert_eq!(store.list(""), before);
    disk.state.store(WELL, Ordering::SeqCst);
    let last = put(&store, "later", "1").await;
    assert_eq!(last, before.0 + 1);
    drop(store);
    let (store, _) = open(dir.path());
    let found: Vec<_> = store.list("").1.into_iter().filter(|(key, _)| &**key != "later").collect();
    assert_eq!((store.revision(), found), (last, before.1), "nothing of the restore is there");
}

#[tokio::test]
async fn a_write_that_the_disk_did_not_confirm_leaves_nothing_behind() {
    let dir = dir();
    let (store, state) = open(dir.path());
    put(&store, "a", "1").await;
    let mut watch = store.watch("", 2).expect("watches");
    for unconfirmed in [NO_SYNC, NO_SECOND_SYNC] {
        state.store(unconfirmed, Ordering::SeqCst);
        let refused = store.write(vec![Op::put("a", Expect::Anything, b"2".into())]).await;
        assert!(matches!(refused, Err(WriteError::Full { .. })), "{refused:?}");
        assert_eq!(text(&store, "a").as_deref(), Some("1"), "what is not confirmed is not shown");

        state.store(WELL, Ordering::SeqCst);
        let expected = store.revision() + 1;
        let last = put(&store, "b", "1").await;
        assert_eq!(last, expected, "what was refused has no revision");
        assert_eq!(text(&store, "a").as_deref(), Some("1"));
        let events = watch.next().await.expect("events");
        let seen: Vec<_> = events.iter().map(|event| (event.revision, &*event.key)).collect();
        assert_eq!(seen, [(last, "b")], "watches see what reads see");
    }
    drop((store, watch));
    let (store, _) = open(dir.path());
    assert_eq!((text(&store, "a").as_deref(), store.revision()), (Some("1"), 4), "and so does a restart");
}

#[tokio::test]
async fn who_is_refused_reads_what_is_full_and_what_to_do() {
    let dir = dir();
    let (store, state) = open(dir.path());
    state.store(FULL, Ordering::SeqCst);
    let refused = store.write(vec![Op::put("b", Expect::Anything, vec![])]).await.expect_err("it is full");
    assert!(refused.to_string().contains("free some space"), "{refused}");
    assert!(refused.to_string().contains("store.redb"), "{refused}");
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_does_not_count() {
    let dir = dir();
    std::fs::write(crate::disk::unfinished(&disk_file(dir.path())), "half").expect("writes");
    let store = Store::open(dir.path()).expect("opens");
    assert_eq!(put(&store, "a", "1").await, 2);
    drop(store);
    std::fs::write(disk_file(dir.path()), "").expect("writes");
    match Store::open(dir.path()) {
        Err(OpenError::Corrupt { reason, .. }) => assert_eq!(reason, "it holds no store"),
        other => panic!("an empty file is a loss, not a new store: {other:?}"),
    }
}
