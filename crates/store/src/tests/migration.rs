//! A store that an older version wrote. `format-1.redb.gz` was made by the version before format 2: ten writes of five keys,
//! then `key0` deleted and `large` made, then `key1` deleted; its log keeps eight events.

use std::io::Read;

use super::checker::sim::Sim;
use super::*;

fn format_1() -> Vec<u8> {
    let mut bytes = Vec::new();
    let packed = &include_bytes!("format-1.redb.gz")[..];
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("it is whole");
    bytes
}

fn is_all_there(store: &Store) {
    assert_eq!(store.revision(), 14);
    let objects: Vec<_> = store.list("").1.into_iter().map(|(key, object)| (key.to_string(), object.revision)).collect();
    let expected = [("key2", 9), ("key3", 10), ("key4", 11), ("large", 13)].map(|(key, revision)| (key.to_owned(), revision));
    assert_eq!(objects, expected);
    assert_eq!(text(store, "key4").as_deref(), Some("value 9"));
    assert_eq!(store.get("large").map(|object| object.bytes.len()), Some(9000));
    assert!(store.watch("", 6).is_ok() && store.watch("", 5).is_err(), "its log goes as far back as it did");
}

#[tokio::test]
async fn a_store_of_the_first_format_is_migrated_and_kept_as_it_was() {
    let dir = dir();
    std::fs::write(disk_file(dir.path()), format_1()).expect("writes");
    let store = Store::open(dir.path()).expect("migrates");
    is_all_there(&store);
    assert_eq!(put(&store, "key2", "new").await, 15, "its revisions go on");
    drop(store);
    let kept = dir.path().join("store.format1");
    let older = super::dir();
    restore(&kept, older.path()).expect("what it was is there");
    assert_eq!(text(&Store::open(older.path()).expect("opens"), "key2").as_deref(), Some("value 7"));
    std::fs::remove_file(&kept).expect("removes");
    drop(Store::open(dir.path()).expect("opens"));
    assert!(!kept.exists(), "it was migrated once");
}

#[tokio::test]
async fn a_backup_of_the_first_format_is_restored() {
    let (dir, copies) = (dir(), dir());
    let copy = copies.path().join("copy");
    std::fs::write(&copy, format_1()).expect("writes");
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "other", "1").await;
    store.restore(copy.clone()).await.expect("restores");
    assert_eq!((text(&store, "key4").as_deref(), text(&store, "other")), (Some("value 9"), None));
    assert_eq!(std::fs::read(copy).expect("it is there"), format_1(), "the copy is as it was");
}

/// Killed, or without power, after each of its operations: the next start finds all of it.
#[tokio::test]
async fn a_migration_that_is_cut_off_loses_nothing() {
    let dir = dir();
    for cut in 0..60 {
        let sim = Sim::holding(cut, format_1());
        sim.light(cut / 2);
        let open = || crate::disk::Disk::open_with(disk_file(dir.path()), sim.opener());
        let cut_off = open().is_err();
        assert!(!cut_off || sim.is_dead(), "nothing else stops it");
        if cut % 2 == 0 {
            sim.kill()
        } else {
            sim.cut_power()
        }
        let lock = lock::take(dir.path()).expect("locks");
        let store = Store::start(open().expect("opens"), lock, Limits::default()).expect("starts");
        is_all_there(&store);
        assert!(cut < 40 || !cut_off, "it takes fewer operations than were tried");
    }
}
