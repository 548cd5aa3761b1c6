//! A disk in memory that fails as disks do, under a process that dies as processes do.
//!
//! Writes go to the operating system's cache; a sync brings them to the platter. A killed process loses neither; a power
//! cut leaves the platter and, of what was not synced, any sectors in any order. A sync that fails leaves any sectors of
//! its writes on the platter and forgets that the others are missing, as Linux does.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard};

use redb::{Builder, StorageBackend};

use super::super::*;
use crate::disk::Opener;

const SECTOR: usize = 512;
const BLOCK: usize = 4096;

/// splitmix64: the same numbers for the same seed, everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Well,
    /// What is on the disk can be written again, nothing else.
    Full,
    /// Every other sync fails: a commit has two.
    SyncFails,
    /// A sync that does nothing and says it did.
    SyncLies,
}

#[derive(Clone, Debug)]
pub(crate) struct Sim {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug)]
struct State {
    cache: Image,
    platter: Image,
    unsynced: Vec<Change>,
    fault: Fault,
    /// Operations until the process dies.
    fuse: Option<u64>,
    dead: bool,
    /// Which process has the file open.
    process: u64,
    rng: Rng,
}

#[derive(Clone, Debug, Default)]
struct Image {
    bytes: Vec<u8>,
    /// Blocks that take room; the others are holes.
    blocks: HashSet<usize>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Len(usize),
}

#[derive(Debug)]
struct Handle {
    sim: Sim,
    process: u64,
}

// === impl Rng ===

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("it is below a usize")
    }

    /// True once in `n` times.
    pub(super) fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

// === impl Image ===

impl Image {
    /// What lies behind the end is not there.
    fn write(&mut self, at: usize, data: &[u8]) {
        let end = (at + data.len()).min(self.bytes.len());
        if at < end {
            self.bytes[at..end].copy_from_slice(&data[..end - at]);
            self.blocks.extend(at / BLOCK..end.div_ceil(BLOCK));
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write(at, data) => self.write(*at, data),
            Change::Len(len) => {
                self.bytes.resize(*len, 0);
                self.blocks.retain(|block| *block < len.div_ceil(BLOCK));
            }
        }
    }
}

// === impl Sim ===

impl Sim {
    pub(crate) fn new(seed: u64) -> Self {
        let (cache, platter, unsynced) = (Image::default(), Image::default(), Vec::new());
        let state = State { cache, platter, unsynced, fault: Fault::Well, fuse: None, dead: false, process: 0, rng: Rng(!seed) };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// A disk that has this file already.
    pub(crate) fn holding(seed: u64, bytes: Vec<u8>) -> Self {
        let sim = Self::new(seed);
        {
            let mut state = sim.state();
            state.cache = Image { blocks: (0..bytes.len().div_ceil(BLOCK)).collect(), bytes };
            state.platter = state.cache.clone();
        }
        sim
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn opener(&self) -> Opener {
        let sim = self.clone();
        Box::new(move |builder: &Builder, _: &Path| {
            let process = sim.state().process;
            builder.create_with_backend(Handle { sim: sim.clone(), process })
        })
    }

    pub(super) fn set(&self, fault: Fault) {
        self.state().fault = fault;
    }

    /// The process dies in its `operations`th write from now on.
    pub(crate) fn light(&self, operations: u64) {
        self.state().fuse = Some(operations);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The process ends, its disk is well; the next one may open the file.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.process += 1;
        (state.fuse, state.dead, state.fault) = (None, false, Fault::Well);
    }

    pub(crate) fn cut_power(&self) {
        self.kill();
        let mut state = self.state();
        let unsynced = std::mem::take(&mut state.unsynced);
        let keep = state.rng.below(3);
        match keep {
            0 => {}
            1 => unsynced.iter().for_each(|change| state.platter.apply(change)),
            _ => drop(state.land_some(unsynced)),
        }
        state.cache = state.platter.clone();
    }

    /// Another disk with the same content.
    pub(super) fn copy(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().clone())) }
    }

    pub(crate) fn flip(&self, byte: usize, bit: u32) {
        let mut state = self.state();
        state.cache.bytes[byte] ^= 1 << bit;
        state.platter = state.cache.clone();
    }

    /// Turns over one bit of what takes room, and returns in which byte.
    pub(super) fn flip_a_bit(&self, rng: &mut Rng) -> usize {
        let mut state = self.state();
        let mut blocks: Vec<_> = state.cache.blocks.iter().copied().collect();
        blocks.sort_unstable();
        // The first has the header, where most bits matter.
        let block = if rng.once_in(4) { 0 } else { blocks[rng.index(blocks.len())] };
        let within = if block == 0 { 320 } else { BLOCK };
        let at = (block * BLOCK + rng.index(within)).min(state.cache.bytes.len() - 1);
        state.cache.bytes[at] ^= 1 << rng.below(8);
        state.platter = state.cache.clone();
        at
    }
}

// === impl State ===

impl State {
    fn do_it(&mut self, change: Change) {
        self.cache.apply(&change);
        self.unsynced.push(change);
    }

    /// Whether the process dies now.
    fn burns(&mut self) -> bool {
        match &mut self.fuse {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        self.dead
    }

    /// Any sectors of `changes` reach the platter; lengths do so in their order. Returns the lengths that did not.
    fn land_some(&mut self, changes: Vec<Change>) -> Vec<Change> {
        let lengths = changes.iter().filter(|change| matches!(change, Change::Len(_))).count();
        let mut lengths_to_land = self.rng.index(lengths + 1);
        let mut left = Vec::new();
        for change in changes {
            match change {
                Change::Len(_) if lengths_to_land == 0 => left.push(change),
                Change::Len(_) => {
                    lengths_to_land -= 1;
                    self.platter.apply(&change);
                }
                Change::Write(at, data) => {
                    let whole = self.rng.below(3);
                    for (index, sector) in data.chunks(SECTOR).enumerate() {
                        if whole == 0 || (whole == 1 && self.rng.once_in(2)) {
                            self.platter.write(at + index * SECTOR, sector);
                        }
                    }
                }
            }
        }
        left
    }

    fn sync(&mut self) -> io::Result<()> {
        match self.fault {
            Fault::SyncLies => Ok(()),
            Fault::SyncFails if self.rng.once_in(2) => {
                let unsynced = std::mem::take(&mut self.unsynced);
                self.unsynced = self.land_some(unsynced);
                Err(io::Error::from_raw_os_error(5))
            }
            _ => {
                for change in std::mem::take(&mut self.unsynced) {
                    self.platter.apply(&change);
                }
                Ok(())
            }
        }
    }

    /// How much of a write of `len` bytes there is room for.
    fn room(&self, at: usize, len: usize) -> usize {
        let holes = |block: &usize| self.fault == Fault::Full && !self.cache.blocks.contains(block);
        match (at / BLOCK..(at + len).div_ceil(BLOCK)).find(holes) {
            Some(block) => (block * BLOCK).saturating_sub(at),
            None => len,
        }
    }
}

// === impl Handle ===

impl Handle {
    fn enter(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.sim.state();
        if state.dead || state.process != self.process { Err(gone()) } else { Ok(state) }
    }
}

fn gone() -> io::Error {
    io::Error::other("the process is gone")
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).expect("the file is small")
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.enter()?.cache.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.enter()?;
        let found = at(offset).checked_add(out.len()).and_then(|end| state.cache.bytes.get(at(offset)..end));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.enter()?;
        if state.burns() {
            return Err(gone());
        }
        if state.fault == Fault::Full && at(len) > state.cache.bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.do_it(Change::Len(at(len)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.enter()?;
        if state.burns() {
            return Err(gone());
        }
        state.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.enter()?;
        let room = state.room(at(offset), data.len());
        let dies = state.burns();
        let sectors = data.len().div_ceil(SECTOR);
        let end = if dies { state.rng.index(sectors + 1) * SECTOR } else { data.len() };
        let end = end.min(room).min(data.len());
        if end > 0 {
            state.do_it(Change::Write(at(offset), data[..end].to_vec()));
        }
        match (dies, room < data.len()) {
            (true, _) => Err(gone()),
            (false, true) => Err(io::ErrorKind::StorageFull.into()),
            (false, false) => Ok(()),
        }
    }
}
