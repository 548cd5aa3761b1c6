//! How much a night does, and how far it is. `cargo xtask nightly` says how much, by environment variables.

use std::time::{Duration, Instant};

/// Ends of the process: the simulated ones, those by `kill -9`, and as many bits that turn over.
pub fn kills() -> u64 {
    number("PAIFANG_KILLS").unwrap_or(2000)
}

/// Other histories every night; the same with a seed that a failure told.
pub fn seed() -> u64 {
    number("PAIFANG_SEED").unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0) >> 16)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Says how far it is, and when the time is over.
pub struct Night {
    what: &'static str,
    total: u64,
    begun: Instant,
    said: Instant,
    length: Option<Duration>,
}

// === impl Night ===

impl Night {
    pub fn begin(what: &'static str, total: u64) -> Self {
        let length = number("PAIFANG_MINUTES").map(|minutes| Duration::from_secs(60 * minutes));
        println!("{what}: 0 of {total}");
        Self { what, total, begun: Instant::now(), said: Instant::now(), length }
    }

    /// Whether to go on, after `done`.
    pub fn goes_on(&mut self, done: u64) -> bool {
        let (elapsed, what, total) = (self.begun.elapsed(), self.what, self.total);
        let over = self.length.is_some_and(|length| elapsed >= length);
        if over || done >= total || self.said.elapsed() > Duration::from_secs(10) {
            self.said = Instant::now();
            println!(
                "{what}: {done} of {total} in {} s{}",
                elapsed.as_secs(),
                if over && done < total { ", as long as was asked for" } else { "" }
            );
        }
        !over && done < total
    }
}
