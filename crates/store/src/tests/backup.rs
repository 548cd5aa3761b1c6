//! Copies of a store in use, and what comes of them.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_others_write_is_what_there_was_at_one_revision() {
    let (dir, copies) = (dir(), dir());
    let store = Store::open(dir.path()).expect("opens");
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 0..60 {
                put(&store, &format!("key{}", round % 7), &round.to_string()).await;
            }
        }
    });
    let mut made = Vec::new();
    while made.len() < 3 || !writing.is_finished() {
        let (store, to) = (store.clone(), copies.path().join(format!("{}.backup", made.len())));
        let copied = tokio::task::spawn_blocking(move || (store.backup(&to), to)).await.expect("no panic");
        made.push((copied.0.expect("copies"), copied.1));
    }
    writing.await.expect("all written");
    for (revision, copy) in made {
        let fresh = super::dir();
        let begins = restore(&copy, fresh.path()).expect("restores");
        let restored = Store::open(fresh.path()).expect("opens");
        assert!(restored.revision() == begins && begins > revision);
        assert_eq!(restored.list("").1, store.list_at("", revision).expect("kept"), "at {revision}");
    }
}

#[tokio::test]
async fn who_knows_a_later_state_than_the_copy_lists_again() {
    let (dir, copies) = (dir(), dir());
    let copy = copies.path().join("backup");
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "a", "1").await;
    store.backup(&copy).expect("copies");
    assert!(matches!(store.backup(&copy), Err(BackupError::Exists { .. })));
    for _ in 0..5 {
        put(&store, "a", "2").await;
    }
    let known = store.revision();
    assert!(matches!(restore(&copy, dir.path()), Err(BackupError::Store(OpenError::InUse { .. }))));
    store.close().await;
    let begins = restore(&copy, dir.path()).expect("restores");
    let store = Store::open(dir.path()).expect("opens");
    assert_eq!(text(&store, "a").as_deref(), Some("1"));
    for revision in [1, 2, known] {
        assert!(matches!(store.watch("", revision), Err(WatchError::Compacted { .. })), "{revision}");
    }
    let mut watch = store.watch("", begins).expect("watches");
    assert_eq!(put(&store, "a", "3").await, begins + 1);
    assert_eq!(watch.next().await.expect("an event").len(), 1);
    drop((store, watch));
    assert_eq!(Store::open(dir.path()).expect("opens").revision(), begins + 1);
}

#[tokio::test]
async fn a_copy_that_cannot_be_used_changes_nothing() {
    let (dir, copies) = (dir(), dir());
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "a", "1").await;
    store.close().await;
    let copy = copies.path().join("backup");
    assert!(matches!(restore(&copy, dir.path()), Err(BackupError::Unreadable { .. })));
    for damaged in [vec![], vec![b'x'; 8192]] {
        std::fs::write(&copy, damaged).expect("writes");
        match restore(&copy, dir.path()) {
            Err(BackupError::Store(OpenError::Corrupt { path, .. })) => assert_eq!(path, copy, "it names what they gave"),
            other => panic!("{other:?}"),
        }
    }
    let store = Store::open(dir.path()).expect("opens");
    assert_eq!((text(&store, "a").as_deref(), store.revision()), (Some("1"), 2));
    let names = std::fs::read_dir(dir.path()).expect("lists").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().contains("restored")).count(), 0, "nothing is left behind");
}

/// Where nothing of the copy is known: the copy's own revisions.
async fn copy_of(dir: &Path, values: &[(&str, &str)]) -> std::path::PathBuf {
    let source = super::dir();
    let store = Store::open(source.path()).expect("opens");
    for (key, value) in values {
        put(&store, key, value).await;
    }
    let copy = dir.join(format!("{}.backup", values.len()));
    store.backup(&copy).expect("copies");
    copy
}

#[tokio::test]
async fn a_restore_into_a_store_in_use_is_watched_like_any_write() {
    let (dir, copies) = (dir(), dir());
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "same", "1").await;
    put(&store, "changed", "1").await;
    let copy = copies.path().join("copy");
    store.backup(&copy).expect("copies");
    put(&store, "changed", "2").await;
    let known = put(&store, "new", "1").await;
    store.write(vec![Op::delete("same", Expect::Present), Op::put("same", Expect::Anything, b"1".into())]).await.expect("writes");
    let (newest, same) = (store.revision(), store.get("same"));
    let mut watch = store.watch("", newest).expect("watches");

    let revision = store.restore(copy.clone()).await.expect("restores");
    assert_eq!(revision, newest + 2, "two changes, one revision each");
    let events = watch.next().await.expect("events");
    let seen: Vec<_> = events.iter().map(|event| (event.revision, &*event.key, event.now.as_deref())).collect();
    assert_eq!(seen, [(newest + 1, "new", None), (newest + 2, "changed", Some(&b"1"[..]))]);
    assert_eq!(store.get("same"), same, "what is as it was keeps its revision");
    let stale = store.write(vec![Op::put("changed", Expect::Revision(known - 1), vec![])]).await;
    assert!(matches!(stale, Err(WriteError::Conflict { .. })), "who knows the state before is told: {stale:?}");
    assert_eq!(store.restore(copy).await.expect("restores"), revision, "nothing differs, so nothing changes");
    drop((store, watch));

    let store = Store::open(dir.path()).expect("opens");
    assert_eq!((text(&store, "changed").as_deref(), store.revision()), (Some("1"), revision));
    let before = super::dir();
    restore(&dir.path().join("store.before"), before.path()).expect("what was replaced is kept, as a copy");
}

#[tokio::test]
async fn a_restore_of_more_than_the_log_keeps_tells_watches_to_list_again() {
    let (dir, copies) = (dir(), dir());
    let store = Store::open_with(dir.path(), Limits { events: 4, ..Limits::default() }).expect("opens");
    put(&store, "a", "1").await;
    let values: Vec<_> = (0..20).map(|at| format!("key{at:02}")).collect();
    let values: Vec<_> = values.iter().map(|key| (key.as_str(), "1")).collect();
    let copy = copy_of(copies.path(), &values).await;
    let mut watch = store.watch("", 2).expect("watches");
    let revision = store.restore(copy).await.expect("restores");
    assert_eq!(revision, 2 + 21, "one is deleted");
    assert!(matches!(watch.next().await, Err(WatchError::Compacted { from: 2, .. })));
    drop((store, watch));
    let store = Store::open(dir.path()).expect("opens");
    assert_eq!((store.revision(), store.list("").1.len()), (revision, 20));
    assert!(store.watch("", revision - 4).is_ok() && store.watch("", revision - 5).is_err(), "the log has the newest four");
}

#[tokio::test]
async fn a_copy_that_cannot_be_used_does_not_change_a_store_in_use() {
    let (dir, copies) = (dir(), dir());
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "a", "1").await;
    let copy = copies.path().join("copy");
    assert!(matches!(store.restore(copy.clone()).await, Err(BackupError::Unreadable { .. })));
    store.backup(&copy).expect("copies");
    put(&store, "a", "2").await;
    let whole = std::fs::read(&copy).expect("it is there");
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 40).chain(0..9) {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        std::fs::write(&copy, damaged).expect("writes");
        match store.restore(copy.clone()).await {
            // Where nothing lies.
            Ok(_) => drop(put(&store, "a", "2").await),
            Err(BackupError::Store(OpenError::Corrupt { path, .. })) => {
                assert_eq!(path, copy, "it names what they gave");
                assert_eq!(text(&store, "a").as_deref(), Some("2"));
                refused += 1;
            }
            Err(other) => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(refused >= 9, "{refused} refused");
    set_format(&copy, &whole, 99);
    assert!(matches!(store.restore(copy.clone()).await, Err(BackupError::Store(OpenError::NewerVersion { found: 99, .. }))));
    assert_eq!(text(&store, "a").as_deref(), Some("2"));
    let names = std::fs::read_dir(dir.path()).expect("lists").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().contains("restored")).count(), 0, "nothing is left behind");
}

fn set_format(copy: &Path, whole: &[u8], format: u64) {
    std::fs::write(copy, whole).expect("writes");
    let database = redb::Database::create(copy).expect("opens");
    let write = database.begin_write().expect("begins");
    let table = redb::TableDefinition::<&str, u64>::new("meta");
    write.open_table(table).expect("a table").insert("format", format).expect("inserts");
    write.commit().expect("commits");
}
