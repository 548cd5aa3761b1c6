//! The latest wish per object, until the writer has time.

use crate::{Target, Wish};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Putting never waits; a newer wish for the same part of an object replaces the older one.
///
/// **Invariant:** it holds at most one wish per part of an object, so it is bounded by the number of objects.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    pending: Mutex<BTreeMap<Slot, Wish>>,
    filled: Notify,
}

/// Which part of an object a wish is about: an object's status and the object itself do not replace each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub target: Target,
    pub status: bool,
}

impl Mailbox {
    pub fn put(&self, target: Target, wish: Wish) {
        let slot = Slot { status: matches!(wish, Wish::Addresses(_)), target };
        self.pending().insert(slot, wish);
        self.0.filled.notify_one();
    }

    /// Up to `most` wishes; waits until there is one.
    pub(crate) async fn take(&self, most: usize) -> Vec<(Slot, Wish)> {
        loop {
            let filled = self.0.filled.notified();
            let taken = self.take_now(most);
            if !taken.is_empty() {
                return taken;
            }
            filled.await;
        }
    }

    /// Puts a wish back that could not be written, unless a newer one has come.
    pub(crate) fn put_back(&self, slot: Slot, wish: Wish) {
        self.pending().entry(slot).or_insert(wish);
        self.0.filled.notify_one();
    }

    fn take_now(&self, most: usize) -> Vec<(Slot, Wish)> {
        let mut pending = self.pending();
        std::iter::from_fn(|| pending.pop_first()).take(most).collect()
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<Slot, Wish>> {
        // Nothing that can panic runs under this lock.
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[tokio::test]
    async fn the_latest_wish_wins_and_one_put_back_does_not_replace_a_newer_one() {
        let mailbox = Mailbox::default();
        let target = Target::new(Kind::Ingress, "a", "a");
        mailbox.put(target.clone(), Wish::Addresses(Vec::new()));
        mailbox.put(target.clone(), Wish::Addresses(vec!["127.0.0.1".into()]));
        mailbox.put(target.clone(), Wish::Absent);
        let mut taken = mailbox.take(9).await;
        assert_eq!(taken.len(), 2, "status and object are two things");
        let (slot, wish) = taken.pop().expect("two");
        assert_eq!(wish, Wish::Addresses(vec!["127.0.0.1".into()]));

        mailbox.put(target, Wish::Addresses(vec!["127.0.0.2".into()]));
        mailbox.put_back(slot, wish);
        assert_eq!(mailbox.take(9).await.pop().expect("one").1, Wish::Addresses(vec!["127.0.0.2".into()]));
    }
}
