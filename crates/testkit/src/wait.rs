//! Waiting for something that must become true.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a test waits for what should come at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Tries until there is a value.
///
/// # Panics
///
/// After [`PATIENCE`], saying `what` did not happen.
pub fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(5));
    }
}
