//! What one backend's limits count, over all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Notify;

/// Outlives the sets of endpoints of its backend.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    connections: AtomicU32,
    requests: AtomicU32,
    waiting: AtomicU32,
    freed: Notify,
}

/// The right to one open connection. Dropping it gives it back.
#[derive(Debug)]
pub struct Permit(Arc<Gate>);

/// The right to one request under way.
#[derive(Debug)]
pub struct Admitted(Arc<Gate>);

/// A place among those that wait for a connection.
#[derive(Debug)]
pub struct Waiting(Arc<Gate>);

// === impl Gate ===

impl Gate {
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// `None`: the limit is reached.
    pub(crate) fn permit(self: &Arc<Self>, limit: u32) -> Option<Permit> {
        one_more(&self.connections, limit).then(|| Permit(self.clone()))
    }

    pub(crate) fn admit(self: &Arc<Self>, limit: u32) -> Option<Admitted> {
        one_more(&self.requests, limit).then(|| Admitted(self.clone()))
    }

    pub(crate) fn wait(self: &Arc<Self>, limit: u32) -> Option<Waiting> {
        one_more(&self.waiting, limit).then(|| Waiting(self.clone()))
    }

    /// A connection may be had again: one of those that wait may try.
    pub(crate) fn freed(&self) {
        if self.waiting.load(Ordering::Acquire) > 0 {
            self.freed.notify_one();
        }
    }
}

fn one_more(count: &AtomicU32, limit: u32) -> bool {
    let one_more = |now: u32| (now < limit).then_some(now + 1);
    count.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).is_ok()
}

// === impl Permit, Admitted, Waiting ===

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
        self.0.freed();
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Waiting {
    /// Until a connection may be had. It may be gone again.
    pub async fn freed(&self) {
        self.0.freed.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        // Whoever was told and went away leaves the word to the next.
        self.0.freed();
    }
}
