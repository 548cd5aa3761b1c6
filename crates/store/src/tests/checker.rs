//! Random histories of writes, reads, watches, failures of the disk and ends of the process, against a model.
//!
//! ```text
//! several clients write ─► store ─► disk in memory (sim); tests/kill.rs kills real processes
//!        │ answers           │ reads, watches, what is there after a restart
//!        └──► history ◄──────┘ the model; what does not fit is a violation
//! ```
//!
//! **Invariant:** with the same seed the same is asked of the store; which writes share a commit is up to the threads.

mod history;
#[path = "../../tests/support/nightly.rs"]
mod nightly;
mod planted;
pub(super) mod sim;
mod watcher;

use crate::disk::Disk;
use crate::planted::Planted;

use super::*;
use history::{Ask, History, Outcome, Record, listed};
use nightly::Night;
use sim::{Fault, Rng, Sim};
use watcher::Watcher;

/// Writes of one batch: a crash takes no more events than these from the log that watches resume from.
const BATCH: u64 = 10;

struct World {
    dir: tempfile::TempDir,
    rng: Rng,
    sim: Sim,
    limits: Limits,
    history: History,
    watchers: Vec<Watcher>,
    /// Every value is written once.
    serial: u64,
    /// The seal as it was earlier.
    seal: Vec<u8>,
}

/// Lives through `kills` ends of the process; the error says what the store did wrong.
async fn check(seed: u64, kills: usize, planted: Planted) -> Result<(), String> {
    let event_bytes = if seed.is_multiple_of(2) { 64 << 20 } else { 500_000 };
    let limits = Limits { events: 60, event_bytes, planted, rest: 0, ..Limits::default() };
    let (rng, sim, history) = (Rng(seed), Sim::new(seed), History::default());
    let mut world = World { dir: dir(), rng, sim, limits, history, watchers: Vec::new(), serial: 0, seal: Vec::new() };
    let mut store = world.open(&world.sim).map_err(|error| error.to_string())?;
    for _ in 0..kills {
        world.live(&store).await?;
        store = world.end(store).await?;
    }
    world.live(&store).await?;
    world.sim.kill();
    drop(store);
    world.lie().await
}

// === impl World ===

impl World {
    fn open(&self, sim: &Sim) -> Result<Store, OpenError> {
        let lock = lock::take(self.dir.path())?;
        let path = disk_file(self.dir.path());
        let mut disk = Disk::open_with(path.clone(), sim.opener())?;
        disk.seal(Seal::open(&path))?;
        Store::start(disk, lock, self.limits.clone())
    }

    /// Some batches, with or without failures; the process may die in the last.
    async fn live(&mut self, store: &Store) -> Result<(), String> {
        let batches = 1 + self.rng.below(6);
        for batch in 1..=batches {
            match self.rng.below(8) {
                0 => self.sim.set(Fault::Full),
                1 => self.sim.set(Fault::SyncFails),
                _ => self.sim.set(Fault::Well),
            }
            if batch == batches && !self.rng.once_in(4) {
                self.sim.light(self.rng.below(40));
            }
            self.batch(store).await?;
            for watcher in &mut self.watchers {
                if self.rng.once_in(3) {
                    watcher.catch_up(store, &self.history, &self.limits).await?;
                }
            }
            if self.watchers.len() < 6 && self.rng.once_in(2) {
                let prefix = ["", "a/", "b/"][self.rng.index(3)];
                self.watchers.push(Watcher::start(store, &self.history, prefix)?);
            }
            self.look_back(store)?;
        }
        Ok(())
    }

    /// Writes of several clients at once, while others read and watch.
    async fn batch(&mut self, store: &Store) -> Result<(), String> {
        let mut writes = tokio::task::JoinSet::new();
        for _ in 0..1 + self.rng.below(BATCH) {
            let (store, ask) = (store.clone(), self.ask());
            writes.spawn(async move {
                let outcome = match ask.clone() {
                    Ask::Write(ops) => store.write(ops).await,
                    Ask::Restore(objects) => store.put_in_place(content(objects), None).await.map_err(refused),
                };
                (ask, outcome)
            });
        }
        let (stop, stopped) = tokio::sync::watch::channel(());
        let from = store.revision();
        let watching = tokio::spawn(watcher::collect(store.watch("", from).map_err(|error| error.to_string())?, stopped));
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut read = Vec::new();
        while let Some(outcome) = writes.join_next().await {
            outcomes.push(outcome.map_err(|error| error.to_string())?);
            read.extend(store.list("").1);
        }
        drop(stop);
        let watched = watching.await.map_err(|error| error.to_string())?;
        self.history.settle(outcomes)?;
        self.history.same(store)?;
        for (key, object) in read {
            let (revision, now) = (object.revision, Some(object.bytes.to_vec()));
            if !self.history.after(revision - 1, &key).take(1).any(|record| record.revision == revision && record.now == now) {
                return Err(format!("`{key}` was read at revision {revision}, which nobody wrote"));
            }
        }
        watcher::expect(&self.history, "", from, &watched)
    }

    fn ask(&mut self) -> Ask {
        match self.rng.once_in(12) {
            true => Ask::Restore(self.history.at(1 + self.rng.below(self.history.revision()))),
            false => Ask::Write(self.ops()),
        }
    }

    /// One change, or two that belong together.
    fn ops(&mut self) -> Vec<Op> {
        let keys = ["a/0", "a/1", "a/2", "b/0", "b/1", "b/2"];
        let first = self.rng.index(keys.len());
        let count = 1 + usize::from(self.rng.once_in(3));
        (0..count).map(|at| self.op(keys[(first + at) % keys.len()])).collect()
    }

    fn op(&mut self, key: &str) -> Op {
        let known = self.history.objects.get(key).map(|(revision, _)| *revision);
        let expect = match (self.rng.below(6), known) {
            (0 | 1, Some(revision)) => Expect::Revision(revision),
            (0 | 1, None) => Expect::Absent,
            (2, _) => Expect::Present,
            (3, _) => Expect::Revision(1 + self.rng.below(self.history.revision())),
            _ => Expect::Anything,
        };
        if known.is_some() && expect != Expect::Absent && self.rng.once_in(3) {
            return Op::delete(key, expect);
        }
        self.serial += 1;
        let mut bytes = self.serial.to_le_bytes().to_vec();
        let size = if self.rng.once_in(10) { 20_000 } else { 2_000 };
        bytes.resize(8 + self.rng.index(size), 7);
        Op::put(key, expect, bytes)
    }

    /// Older states, and what is too old.
    fn look_back(&mut self, store: &Store) -> Result<(), String> {
        let newest = self.history.revision();
        let then = newest - self.rng.below(newest.min(80));
        match store.list_at("", then).map(listed) {
            Ok(objects) if objects == self.history.at(then) => {}
            Ok(_) => return Err(format!("a list at {then} is not what was there")),
            Err(error) => self.may_be_gone(then, error)?,
        }
        let events = self.limits.events as u64;
        if newest > events + 2 && !matches!(store.watch("", newest - events - 1), Err(WatchError::Compacted { .. })) {
            return Err("a watch of events that are gone was not refused".into());
        }
        Ok(())
    }

    fn may_be_gone(&self, from: Revision, error: WatchError) -> Result<(), String> {
        watcher::may_be_gone(&self.history, &self.limits, from, error)
    }

    /// The process ends in one way or another, and the next one starts, perhaps not at the first attempt.
    async fn end(&mut self, store: Store) -> Result<Store, String> {
        if self.rng.once_in(6) && !self.sim.is_dead() {
            self.sim.set(Fault::Well);
            store.close().await;
        }
        self.die();
        drop(store);
        let mut attempts = self.rng.below(3);
        let store = loop {
            if attempts > 0 {
                attempts -= 1;
                self.sim.light(self.rng.below(12));
            }
            match self.open(&self.sim) {
                Ok(store) => break store,
                Err(_) if self.sim.is_dead() => self.die(),
                Err(error) => return Err(format!("it does not start again: {error}")),
            }
        };
        self.seal = std::fs::read(disk_file(self.dir.path()).with_extension("seal")).map_err(|error| error.to_string())?;
        self.adopt(&store).await?;
        for watcher in &mut self.watchers {
            watcher.resume(&store, &self.history, &self.limits)?;
        }
        Ok(store)
    }

    fn die(&mut self) {
        if self.rng.once_in(2) {
            return self.sim.kill();
        }
        self.sim.cut_power();
        // The seal is never synced: an older one may be there, half of one, or none.
        let seal = disk_file(self.dir.path()).with_extension("seal");
        match self.rng.below(4) {
            0 => std::fs::write(seal, &self.seal).expect("writes"),
            1 => std::fs::write(seal, &self.seal[..self.rng.index(self.seal.len() + 1)]).expect("writes"),
            2 => std::fs::remove_file(seal).unwrap_or_default(),
            _ => {}
        }
    }

    async fn adopt(&mut self, store: &Store) -> Result<(), String> {
        let (newest, known) = (store.revision(), self.history.revision());
        if newest < known {
            return Err(format!("acknowledged up to {known}, but after a start the newest revision is {newest}"));
        }
        let mut found = Vec::new();
        let mut watch = store.watch("", known).map_err(|error| error.to_string())?;
        while watch.revision() < newest {
            found.extend(watch.next().await.map_err(|error| error.to_string())?);
        }
        self.history.adopt(&found)?;
        self.history.same(store)
    }

    /// A disk that confirmed what it had not written, and then lost power: the file is refused, or it is a state that
    /// there was.
    async fn lie(&mut self) -> Result<(), String> {
        let store = self.open(&self.sim).map_err(|error| format!("it does not start again: {error}"))?;
        self.adopt(&store).await?;
        let sure = self.history.revision();
        self.sim.set(Fault::SyncLies);
        self.batch(&store).await?;
        self.sim.cut_power();
        drop(store);
        let Ok(store) = self.open(&self.sim) else { return Ok(()) };
        let newest = store.revision();
        if newest < sure {
            return Err(format!("revision {sure} was on the disk; the newest is {newest}"));
        }
        if newest > self.history.revision() || listed(store.list("").1) != self.history.at(newest) {
            return Err(format!("after lost syncs it serves what never was, at {newest}"));
        }
        Ok(())
    }
}

fn content(objects: history::Objects) -> Content {
    let objects = objects.into_iter().map(|(key, (revision, bytes))| (key.into(), Object { revision, bytes: bytes.into() }));
    Content { revision: 1, objects: objects.collect(), events: Vec::new() }
}

/// As the history knows it.
fn refused(error: BackupError) -> WriteError {
    match error {
        BackupError::Refused(error) => error,
        other => WriteError::Io { reason: other.to_string() },
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work)
}

fn history(seed: u64, kills: usize) {
    if let Err(violation) = block_on(check(seed, kills, Planted::Nothing)) {
        panic!("seed {seed}: {violation}");
    }
}

#[test]
fn forty_ends_of_the_process_lose_nothing() {
    (0..4).for_each(|seed| history(seed, 10));
}

#[test]
#[ignore = "takes minutes: cargo xtask nightly"]
fn nightly_many_ends_of_the_process_lose_nothing() {
    const EACH: u64 = 20;
    // The others are real processes.
    let total = nightly::kills() * 9 / 10;
    let (mut night, mut done, seed) = (Night::begin("ends of the process, simulated", total), 0, nightly::seed());
    while night.goes_on(done) {
        history(seed + done, usize::try_from(EACH).expect("small"));
        done += EACH;
    }
}

async fn flip_bits(seed: u64, flips: usize) {
    let limits = Limits { events: 60, ..Limits::default() };
    let (rng, sim, history) = (Rng(seed), Sim::new(seed), History::default());
    let mut world = World { dir: dir(), rng, sim, limits, history, watchers: Vec::new(), serial: 0, seal: Vec::new() };
    let store = world.open(&world.sim).expect("opens");
    for _ in 0..10 {
        world.batch(&store).await.expect("the disk is well");
    }
    if seed.is_multiple_of(2) {
        store.close().await;
    } else {
        world.sim.kill();
    }
    drop(store);
    let mut refused = 0;
    for _ in 0..flips {
        let sim = world.sim.copy();
        let at = sim.flip_a_bit(&mut world.rng);
        match world.open(&sim) {
            Ok(store) => world.history.same(&store).unwrap_or_else(|violation| panic!("seed {seed}, byte {at}: {violation}")),
            Err(OpenError::Corrupt { .. }) => refused += 1,
            Err(error) => panic!("seed {seed}, byte {at}: {error}"),
        }
    }
    assert!(refused > 0, "a bit of what is stored was turned over, at least once");
}

#[test]
fn a_bit_that_turned_over_is_told_or_does_not_matter() {
    (0..2).for_each(|seed| block_on(flip_bits(seed, 40)));
}

#[test]
#[ignore = "takes minutes: cargo xtask nightly"]
fn nightly_many_bits_that_turned_over() {
    const EACH: u64 = 100;
    let (mut night, mut done, seed) = (Night::begin("bits turned over", nightly::kills()), 0, nightly::seed());
    while night.goes_on(done) {
        block_on(flip_bits(seed + done / EACH, usize::try_from(EACH).expect("small")));
        done += EACH;
    }
}
