//! A process of its own that writes, and `kill -9`.
//!
//! A program of its own too: a process that is being started holds, for a moment, the locks of the one that starts it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

#[path = "support/nightly.rs"]
mod nightly;

use nightly::Night;
use store::{Change, Event, Expect, Limits, Op, Revision, Store};

/// Tells the test below that it is the process to kill.
const DIR: &str = "STORE_TO_WRITE_TO";
const ROUND: &str = "ROUND_OF_WRITES";
const CLIENTS: u64 = 4;

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work)
}

fn value(client: u64, round: u64, serial: u64) -> String {
    let text = format!("{client}-{round}-{serial}-");
    let padding = usize::try_from(serial * 977 % 3000).expect("small");
    text.clone() + &"x".repeat(padding)
}

/// Each client writes its own key, one write after the other; every seventh deletes it.
fn ask(client: u64, round: u64, serial: u64) -> Op {
    let key = format!("key{client}");
    if serial % 7 == 6 { Op::delete(key, Expect::Anything) } else { Op::put(key, Expect::Anything, value(client, round, serial).into()) }
}

#[test]
#[ignore = "is started by the tests that kill it"]
fn writes_until_it_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let round = std::env::var(ROUND).expect("its round").parse().expect("a number");
    block_on(async {
        let store = Store::open_with(Path::new(&dir), limits()).expect("opens");
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let store = store.clone();
            clients.spawn(async move {
                // Enough that it is killed before.
                for serial in 0..100_000 {
                    let revision = store.write(vec![ask(client, round, serial)]).await.expect("the disk is well");
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "acknowledged {client} {serial} {revision}").and_then(|()| out.flush()).expect("its parent reads");
                }
            });
        }
        clients.join_all().await;
    });
}

/// Keys of a copy; its values all say which copy it is.
const KEYS: usize = 40;

fn holds(dir: &Path, value: &str) -> std::path::PathBuf {
    let (inner, copy) = (dir.join(value), dir.join(value).with_extension("copy"));
    let store = Store::open(&inner).expect("opens");
    let bytes = || format!("{value}{}", "x".repeat(500)).into_bytes();
    let ops = (0..KEYS).map(|key| Op::put(format!("key{key}"), Expect::Anything, bytes())).collect();
    block_on(store.write(ops)).expect("writes");
    store.backup(&copy).expect("copies");
    copy
}

#[test]
#[ignore = "is started by the test that kills it"]
fn restores_until_it_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = Path::new(&dir);
    block_on(async {
        let store = Store::open_with(&dir.join("store"), Limits { events: KEYS, ..Limits::default() }).expect("opens");
        for copy in ["one.copy", "two.copy"].into_iter().cycle().take(100_000) {
            let revision = store.restore(dir.join(copy)).await.expect("the disk is well");
            let mut out = std::io::stdout().lock();
            writeln!(out, "acknowledged 0 0 {revision}").and_then(|()| out.flush()).expect("its parent reads");
        }
    });
}

/// What is there is one copy or the other, as a whole.
#[test]
fn a_restore_that_is_killed_is_done_or_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    holds(dir.path(), "one");
    holds(dir.path(), "two");
    for round in 0..5 {
        let acknowledged = killed("restores_until_it_is_killed", dir.path(), round, 1 + usize::try_from(round).expect("small"));
        let store = Store::open(&dir.path().join("store")).expect("opens after the kill");
        let told = acknowledged.keys().next_back().copied().expect("one was acknowledged");
        assert!(store.revision() >= told, "an acknowledged restore is gone");
        let objects = store.list("").1;
        assert_eq!(objects.len(), KEYS);
        let first = &objects[0].1.bytes[..3];
        assert!(objects.iter().all(|(_, object)| object.bytes.starts_with(first)), "round {round}: half a restore");
    }
}

fn limits() -> Limits {
    Limits { events: 100_000, ..Limits::default() }
}

/// Starts the process, kills it after some acknowledgements, and returns them all: revision → (client, serial).
fn killed(what: &str, dir: &Path, round: u64, after: usize) -> BTreeMap<Revision, (u64, u64)> {
    let me = std::env::current_exe().expect("this program");
    let mut child = Command::new(me)
        .args(["--exact", what, "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut acknowledged = BTreeMap::new();
    let (mut lines, mut line) = (BufReader::new(child.stdout.take().expect("piped")), String::new());
    while {
        line.clear();
        lines.read_line(&mut line).expect("text") > 0
    } {
        // The last line may be cut off.
        let Some((_, numbers)) = line.strip_suffix('\n').and_then(|line| line.split_once("acknowledged ")) else { continue };
        let numbers: Vec<u64> = numbers.split(' ').filter_map(|number| number.parse().ok()).collect();
        let [client, serial, revision] = numbers[..] else { continue };
        acknowledged.insert(revision, (client, serial));
        if acknowledged.len() == after {
            child.kill().expect("it is still there");
        }
    }
    child.wait().expect("it ended");
    acknowledged
}

/// What `round` left after revision `known`: every acknowledged write where it was said to be, and at most the one that
/// each client had under way.
fn fits(events: &[Arc<Event>], known: Revision, round: u64, acknowledged: &BTreeMap<Revision, (u64, u64)>) {
    let mut next = [0; CLIENTS as usize];
    let mut unanswered = [0; CLIENTS as usize];
    for (event, revision) in events.iter().zip(known + 1..) {
        assert_eq!(event.revision, revision, "no revision is left out or used twice");
        let client = event.key.strip_prefix("key").and_then(|client| client.parse().ok()).expect("a key of theirs");
        let serial = &mut next[usize::try_from(client).expect("small")];
        let Op { change, .. } = ask(client, round, *serial);
        let expected = if let Change::Put(bytes) = change { Some(bytes) } else { None };
        assert_eq!(event.now.as_ref().map(|bytes| bytes.to_vec()), expected, "round {round}, revision {revision}");
        match acknowledged.get(&revision) {
            Some(told) => assert_eq!(*told, (client, *serial), "it is where it was said to be"),
            None => unanswered[usize::try_from(client).expect("small")] += 1,
        }
        *serial += 1;
    }
    let newest = events.last().map_or(known, |event| event.revision);
    assert!(acknowledged.keys().all(|revision| *revision <= newest), "an acknowledged write is gone: {newest}, {acknowledged:?}");
    // A client answers its own write before it asks for the next; one line may have been cut off.
    assert!(unanswered.iter().all(|count| *count <= 2), "{unanswered:?}");
}

async fn all_after(store: &Store, known: Revision) -> Vec<Arc<Event>> {
    let mut watch = store.watch("", known).expect("all is kept");
    let mut events = Vec::new();
    while watch.revision() < store.revision() {
        events.extend(watch.next().await.expect("events"));
    }
    events
}

/// One process after another; each goes on where the last was killed, until `goes_on` says no.
fn kills(seed: u64, mut goes_on: impl FnMut(u64) -> bool) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut known, mut round) = (1, 0);
    while goes_on(round) {
        let after = 1 + usize::try_from((seed % 60 + round) * 37 % 60).expect("small");
        let acknowledged = killed("writes_until_it_is_killed", dir.path(), round, after);
        let store = Store::open_with(dir.path(), limits()).expect("opens after the kill");
        let events = block_on(all_after(&store, known));
        fits(&events, known, round, &acknowledged);
        known = store.revision();
        // Each round begins without objects, so that a delete always has something to delete.
        for (key, _) in store.list("").1 {
            known = block_on(store.write(vec![Op::delete(&*key, Expect::Anything)])).expect("deletes");
        }
        round += 1;
    }
}

#[test]
fn ten_killed_processes_lose_nothing() {
    kills(0, |round| round < 10);
}

#[test]
#[ignore = "takes minutes: cargo xtask nightly"]
fn nightly_many_killed_processes_lose_nothing() {
    let mut night = Night::begin("processes killed", nightly::kills() / 10);
    kills(nightly::seed(), |round| night.goes_on(round));
}
