//! How often a disk that refuses writes is looked at again.
//!
//! To look is to open the file and to check all of it, which takes as long as the file is large. While a disk stays full
//! every write would cost that.

use std::time::{Duration, Instant};

use crate::WriteError;

/// The longest time without a look.
const LONGEST: Duration = Duration::from_secs(5);

/// Since the disk last took a write.
#[derive(Debug)]
pub(super) struct Outage {
    pub(super) error: WriteError,
    /// How long the last look took; `None` before the first.
    cost: Option<Duration>,
    since: Instant,
}

// === impl Outage ===

impl Outage {
    pub(super) fn new(error: WriteError) -> Self {
        Self { error, cost: None, since: Instant::now() }
    }

    /// Looks again, and remembers how long that took.
    pub(super) fn looked<T>(&mut self, look: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let found = look();
        self.since = Instant::now();
        self.cost = Some(self.since - begun);
        found
    }

    pub(super) fn fails(&mut self, error: WriteError) {
        self.error = error;
        self.since = Instant::now();
    }

    /// Whether it is too early to look: `rest` times what the last look took have not passed.
    pub(super) fn rests(&self, rest: u32) -> bool {
        self.cost.is_some_and(|cost| self.since.elapsed() < cost.saturating_mul(rest).min(LONGEST))
    }
}
