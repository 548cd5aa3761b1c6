//! Where passwords are hashed: off the runtime's workers, a few at once.
//!
//! ```text
//! verify, hash ─► queue (bounded: else Busy) ─► slots (few; a deadline: else Busy) ─► a blocking thread
//! ```
//!
//! **Invariant:** at most [`Limits::at_once`] hashes are computed at a time, 19 MiB each, whoever has stopped waiting for them.

use std::sync::Arc;
use std::time::Duration;

use model::Sealed;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::password;

/// How much is computed, and how long one waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub at_once: usize,
    /// Those that wait beside.
    pub waiting: usize,
    pub patience: Duration,
}

#[derive(Clone, Debug)]
pub struct Hashing {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    patience: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// Too many others are before this one.
    #[error("too many logins at once")]
    Busy,
    #[error("a password cannot be hashed: {0}")]
    Failed(String),
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { at_once: (cores / 2).clamp(1, 4), waiting: 64, patience: Duration::from_secs(5) }
    }
}

// === impl Hashing ===

impl Hashing {
    pub fn new(limits: Limits) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits));
        Self { slots: semaphore(limits.at_once), queue: semaphore(limits.at_once + limits.waiting), patience: limits.patience }
    }

    /// Whether `password` is the one that `hash` was made of. `None`, of a user who is not there, takes as long.
    ///
    /// # Errors
    /// `Busy` when it was not computed.
    pub async fn verify(&self, password: Sealed<String>, hash: Option<Sealed<String>>) -> Result<bool, HashingError> {
        self.compute(move || password::verify(&password, hash.as_ref())).await
    }

    /// The hash of `password`.
    ///
    /// # Errors
    /// `Busy` when it was not computed.
    pub async fn hash(&self, password: Sealed<String>) -> Result<Sealed<String>, HashingError> {
        self.compute(move || password::hash(&password)).await?.map_err(|error| HashingError::Failed(error.to_string()))
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashingError> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_| HashingError::Busy)?;
        let slot = tokio::time::timeout(self.patience, self.slots.clone().acquire_owned()).await;
        let slot = slot.ok().and_then(Result::ok).ok_or(HashingError::Busy)?;
        let done = tokio::task::spawn_blocking(move || Self::hold(work, (place, slot))).await;
        done.map_err(|error| HashingError::Failed(error.to_string()))
    }

    /// The permits go with the work, not with who waits for it.
    fn hold<T>(work: impl FnOnce() -> T, permits: (OwnedSemaphorePermit, OwnedSemaphorePermit)) -> T {
        let result = work();
        drop(permits);
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_takes_no_more_room_than_there_is() {
        let limits = Limits { at_once: 2, waiting: 5, patience: PATIENCE };
        let hashing = Hashing::new(limits);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (gates, closed): (Vec<_>, Vec<_>) = (0..50).map(|_| mpsc::channel::<()>()).unzip();
        let mut tasks = Vec::new();
        for gate in closed {
            let (hashing, running, most) = (hashing.clone(), running.clone(), most.clone());
            tasks.push(tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Until the test lets it go.
                    let _ = gate.recv();
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                hashing.compute(work).await
            }));
        }
        // Who finds no place hears so at once; seven have one, and two of them have begun.
        while tasks.iter().filter(|task| task.is_finished()).count() < 43 || running.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(gates);
        let mut done = 0;
        for task in tasks {
            match task.await.expect("no panic") {
                Ok(()) => done += 1,
                Err(error) => assert!(matches!(error, HashingError::Busy)),
            }
        }
        assert_eq!((done, most.load(Ordering::SeqCst)), (7, 2));
        assert!(hashing.compute(|| true).await.expect("there is room again"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_too_long_is_told() {
        let hashing = Hashing::new(Limits { at_once: 1, waiting: 5, patience: Duration::from_millis(20) });
        let (gate, closed) = mpsc::channel::<()>();
        let (started, begun) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let hashing = hashing.clone();
            async move {
                let work = move || {
                    let _ = started.send(());
                    let _ = closed.recv();
                };
                hashing.compute(work).await
            }
        });
        begun.await.expect("it runs");
        assert!(matches!(hashing.compute(|| ()).await, Err(HashingError::Busy)));
        // Who stops waiting does not make room before the work is done.
        first.abort();
        assert!(matches!(hashing.compute(|| ()).await, Err(HashingError::Busy)));
        drop(gate);
    }

    #[tokio::test]
    async fn passwords() {
        let hashing = Hashing::new(Limits::default());
        let sealed = |text: &str| Sealed::new(text.to_owned());
        let hash = hashing.hash(sealed("correct horse")).await.expect("hashed");
        assert!(hashing.verify(sealed("correct horse"), Some(hash.clone())).await.expect("computed"));
        assert!(!hashing.verify(sealed("wrong horse"), Some(hash)).await.expect("computed"));
        assert!(!hashing.verify(sealed("correct horse"), None).await.expect("computed"));
    }
}
