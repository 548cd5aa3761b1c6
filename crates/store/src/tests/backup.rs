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
