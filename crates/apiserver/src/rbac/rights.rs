//! The policy that follows the store.

use store::Store;

use super::policy::{Place, Policy};
use super::{Attempt, Decision, PREFIX};
use crate::access::Identity;
use crate::follow::{Followed, Index};
use crate::object::empty;

/// What everybody may do, as of the newest acknowledged write.
pub(crate) struct Rights(Followed<Policy>);

// === impl Rights ===

impl Rights {
    pub(crate) fn new(store: Store) -> Self {
        Self(Followed::new(store, PREFIX))
    }

    /// Whether `who` may do it.
    pub(crate) fn check(&self, who: &Identity, attempt: &Attempt) -> Decision {
        if who.is_master() {
            return Decision { allowed: true, reason: String::new() };
        }
        self.read(|policy| policy.allows(who, attempt))
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Policy) -> T) -> T {
        self.0.read(look)
    }
}

// === impl Index for Policy ===

impl Index for Policy {
    fn put(&mut self, key: &str, bytes: &[u8]) {
        if let Some(place) = Place::of_key(key) {
            // What cannot be read grants nothing.
            Self::put(self, place, &serde_json::from_slice(bytes).unwrap_or_else(|_| empty()));
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(place) = Place::of_key(key) {
            Self::remove(self, &place);
        }
    }

    fn settle(&mut self) {
        Self::settle(self);
    }
}
