mod backup;
mod checker;
mod disk;
mod migration;
mod model;
mod seal;

use std::path::Path;

use super::*;

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

async fn put(store: &Store, key: &str, text: &str) -> Revision {
    let op = Op::put(key, Expect::Anything, text.into());
    store.write(vec![op]).await.expect("the write is accepted")
}

fn text(store: &Store, key: &str) -> Option<String> {
    store.get(key).map(|object| String::from_utf8_lossy(&object.bytes).into_owned())
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    assert_eq!(put(&store, "a", "1").await, 2);
    assert_eq!(put(&store, "a", "2").await, 3);
    assert_eq!(put(&store, "b", "1").await, 4);
    store.write(vec![Op::delete("b", Expect::Revision(4))]).await.expect("deletes");
    drop(store);

    let store = Store::open(dir.path()).expect("opens again");
    assert_eq!(store.revision(), 5);
    assert_eq!(text(&store, "a").as_deref(), Some("2"));
    assert_eq!(text(&store, "b"), None);
    assert_eq!(put(&store, "c", "1").await, 6);
    let mut watch = store.watch("", 1).expect("the log goes back to the beginning");
    let events = watch.next().await.expect("events");
    assert_eq!(events.iter().map(|event| event.revision).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!(events[3].before.as_ref().map(|object| &*object.bytes), Some(&b"1"[..]));
}

#[tokio::test]
async fn what_is_expected_must_hold() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    let revision = put(&store, "a", "1").await;
    let check = async |op: Op, expect: WriteError| assert_eq!(store.write(vec![op]).await, Err(expect));
    let (key, none) = ("a".to_owned(), "none".to_owned());
    check(Op::put("a", Expect::Absent, vec![]), WriteError::Exists { key: key.clone() }).await;
    check(Op::put("a", Expect::Revision(1), vec![]), WriteError::Conflict { key, current: revision }).await;
    check(Op::put("none", Expect::Present, vec![]), WriteError::NotFound { key: none.clone() }).await;
    check(Op::delete("none", Expect::Anything), WriteError::NotFound { key: none.clone() }).await;
    check(Op::delete("none", Expect::Revision(1)), WriteError::NotFound { key: none }).await;
    let limit = Limits::default().object_bytes;
    check(Op::put("big", Expect::Anything, vec![0; limit + 1]), WriteError::TooLarge { size: limit + 1, limit }).await;
    assert_eq!(store.revision(), revision);
}

#[tokio::test]
async fn several_changes_are_made_together_or_not_at_all() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    let ops = vec![Op::put("a", Expect::Absent, b"1".into()), Op::put("a", Expect::Absent, b"2".into())];
    assert_eq!(store.write(ops).await, Err(WriteError::Exists { key: "a".into() }));
    assert_eq!(text(&store, "a"), None);
    let ops = vec![Op::put("a", Expect::Absent, b"1".into()), Op::put("a", Expect::Present, b"2".into())];
    assert_eq!(store.write(ops).await, Ok(3));
    assert_eq!(text(&store, "a").as_deref(), Some("2"));
    let ops = vec![Op::check("a", Expect::Revision(2)), Op::put("b", Expect::Absent, vec![])];
    assert_eq!(store.write(ops).await, Err(WriteError::Conflict { key: "a".into(), current: 3 }));
    let ops = vec![Op::check("a", Expect::Revision(3)), Op::put("b", Expect::Absent, vec![])];
    assert_eq!(store.write(ops).await, Ok(4), "a check takes no revision");
}

#[tokio::test]
async fn who_is_refused_because_of_another_write_can_read_that_write() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    for round in 0..20 {
        let key = format!("key{round}");
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (store, key) = (store.clone(), key.clone());
            tasks.spawn(async move {
                match store.write(vec![Op::put(&*key, Expect::Absent, vec![])]).await {
                    Err(WriteError::Exists { .. }) => assert!(store.get(&key).is_some(), "it exists, they said"),
                    result => assert!(result.is_ok(), "{result:?}"),
                }
            });
        }
        tasks.join_all().await;
    }
}

#[tokio::test]
async fn a_second_store_on_one_directory_is_refused() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    match Store::open(dir.path()) {
        Err(OpenError::InUse { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    store.close().await;
    let again = Store::open(dir.path()).expect("closing gave the directory back");
    assert_eq!(store.write(vec![]).await, Err(WriteError::Closed));
    drop(again);
}

#[test]
fn a_newer_format_is_refused() {
    let dir = dir();
    drop(Store::open(dir.path()).expect("opens"));
    let database = redb::Database::create(disk_file(dir.path())).expect("opens");
    let write = database.begin_write().expect("begins");
    let table = redb::TableDefinition::<&str, u64>::new("meta");
    write.open_table(table).expect("a table").insert("format", 99).expect("inserts");
    write.commit().expect("commits");
    drop(database);
    match Store::open(dir.path()) {
        Err(OpenError::NewerVersion { found: 99, known: crate::disk::FORMAT, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_no_store_is_damaged_and_a_directory_that_is_a_file_cannot_be_written() {
    let dir = dir();
    std::fs::write(disk_file(dir.path()), vec![b'x'; 8192]).expect("writes");
    match Store::open(dir.path()) {
        Err(OpenError::Corrupt { .. }) => {}
        other => panic!("{other:?}"),
    }
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("writes");
    match Store::open(&file) {
        Err(OpenError::Unwritable { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_old_watch_is_told_and_an_old_list_is_refused() {
    let dir = dir();
    let limits = Limits { events: 3, ..Limits::default() };
    let store = Store::open_with(dir.path(), limits.clone()).expect("opens");
    let mut slow = store.watch("", 1).expect("watches");
    for at in 0..5 {
        put(&store, &format!("{at}"), "").await;
    }
    assert_eq!(slow.next().await, Err(WatchError::Compacted { from: 1, oldest: 4 }));
    assert_eq!(store.list_at("", 2).err(), Some(WatchError::Compacted { from: 2, oldest: 4 }));
    assert_eq!(store.list_at("", 99).err(), Some(WatchError::Future { from: 99, newest: 6 }));
    let keys: Vec<_> = store.list_at("", 4).expect("kept").into_iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["0", "1", "2"]);
    drop((slow, store));
    // The log on disk was trimmed with the ring.
    let store = Store::open_with(dir.path(), limits).expect("opens again");
    assert_eq!(store.watch("", 2).err(), Some(WatchError::Compacted { from: 2, oldest: 4 }));
    assert!(store.watch("", 3).is_ok());
}

#[tokio::test]
async fn a_watch_sees_only_its_prefix_and_ends_when_the_store_is_closed() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    let mut watch = store.watch("a/", store.revision()).expect("watches");
    put(&store, "b/1", "").await;
    put(&store, "a/1", "").await;
    let events = watch.next().await.expect("an event");
    assert_eq!(events.iter().map(|event| &*event.key).collect::<Vec<_>>(), ["a/1"]);
    assert_eq!(watch.revision(), 3);
    store.close().await;
    assert_eq!(watch.next().await, Err(WatchError::Closed));
}

/// However much is written: a multiple of what is kept. Values take whole pages of a power of two (two times), a commit
/// writes beside what it replaces (two times), and the file grows by doubling (two times).
#[tokio::test]
async fn the_file_stays_within_its_bound() {
    let (dir, event_bytes, keys, size) = (dir(), 1 << 20, 16, 16 << 10);
    let store = Store::open_with(dir.path(), Limits { event_bytes, ..Limits::default() }).expect("opens");
    let bound = u64::try_from(8 * (event_bytes + keys * size) + (2 << 20)).expect("small");
    for round in 0..100 {
        let put = |key| Op::put(format!("key{key}"), Expect::Anything, vec![round; size - usize::from(round) * 100]);
        store.write((0..keys).map(put).collect()).await.expect("writes");
        let len = std::fs::metadata(disk_file(dir.path())).expect("it is there").len();
        assert!(len <= bound, "{len} bytes after {round} rounds; at most {bound}");
    }
}

fn disk_file(dir: &Path) -> std::path::PathBuf {
    crate::disk::file_in(dir)
}
