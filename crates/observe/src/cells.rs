//! Counters that several workers write to without meeting.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Keeps neighbours off its cache line, and off the one that is fetched along with it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

/// One `T` for each worker.
#[derive(Debug)]
pub(crate) struct PerWorker<T>(Box<[Padded<T>]>);

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl<T: Default> PerWorker<T> {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers.max(1)).map(|_| Padded::default()).collect())
    }
}

impl<T> PerWorker<T> {
    /// The worker's own; workers beyond the number known share.
    #[inline]
    pub(crate) fn of(&self, worker: usize) -> &T {
        &self.0[worker % self.0.len()].0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|it| &it.0)
    }

    pub(crate) fn sum(&self, get: impl Fn(&T) -> &Count) -> u64 {
        self.iter().map(|it| get(it).get()).sum()
    }
}

impl Count {
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
