//! What tells an older state of a store from the newest.

use super::checker::sim::Sim;
use super::*;
use crate::disk::Disk;

/// Where redb's header says which of two roots is the newest: byte 9, bit 0.
const PRIMARY: (usize, u32) = (9, 0);

/// A store that was killed after two writes, its header's bit turned over.
async fn turned_over(dir: &Path) -> Sim {
    let sim = Sim::new(1);
    let store = open(dir, &sim).expect("opens");
    put(&store, "a", "1").await;
    put(&store, "a", "2").await;
    sim.kill();
    drop(store);
    let (byte, bit) = PRIMARY;
    sim.flip(byte, bit);
    sim
}

fn open(dir: &Path, sim: &Sim) -> Result<Store, OpenError> {
    let lock = lock::take(dir)?;
    let mut disk = Disk::open_with(disk_file(dir), sim.opener())?;
    disk.seal(Seal::open(&disk_file(dir)))?;
    Store::start(disk, lock, Limits::default())
}

#[tokio::test]
async fn a_header_that_brings_back_the_state_before_is_told() {
    let dir = dir();
    let sim = turned_over(dir.path()).await;
    match open(dir.path(), &sim) {
        Err(OpenError::Corrupt { reason, .. }) => {
            assert!(reason.contains("newest change has revision 2, and 3 was acknowledged"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    // As the message says; and this is what the seal is for.
    std::fs::remove_file(dir.path().join("store.seal")).expect("removes");
    let store = open(dir.path(), &sim).expect("opens");
    assert_eq!(text(&store, "a").as_deref(), Some("1"), "redb itself does not see it");
}

#[tokio::test]
async fn an_older_file_in_the_place_of_the_newest_is_told() {
    let dir = dir();
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "a", "1").await;
    store.close().await;
    let older = std::fs::read(disk_file(dir.path())).expect("it is there");
    drop(store);
    let store = Store::open(dir.path()).expect("opens");
    put(&store, "a", "2").await;
    drop(store);
    std::fs::write(disk_file(dir.path()), &older).expect("writes");
    assert!(matches!(Store::open(dir.path()), Err(OpenError::Corrupt { .. })));
    std::fs::remove_file(disk_file(dir.path())).expect("removes");
    match Store::open(dir.path()) {
        Err(OpenError::Corrupt { reason, .. }) => assert!(reason.contains("it is gone, and held changes up to revision 3"), "{reason}"),
        other => panic!("a loss is no new store: {other:?}"),
    }
    // A restore is how one goes on.
    let copy = dir.path().join("copy");
    std::fs::write(&copy, older).expect("writes");
    restore(&copy, dir.path()).expect("restores");
    assert_eq!(text(&Store::open(dir.path()).expect("opens"), "a").as_deref(), Some("1"));
}
