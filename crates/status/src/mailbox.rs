//! The latest wish per object, until the writer has time.

use crate::wish::Part;
use crate::{Target, Wish};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Putting never waits; a newer wish for the same part of an object replaces the older one.
///
/// **Invariant:** it holds at most one wish per part of an object, so it is bounded by the number of objects.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    filled: Notify,
}

/// **Invariant:** a slot is in `queue`, once, if and only if it has a wish and nobody works on it.
#[derive(Default)]
struct Desk {
    wishes: HashMap<Slot, Wish>,
    /// First come, first served.
    queue: VecDeque<Slot>,
    /// Taken and not yet done: two writers never work on one slot.
    taken: HashSet<Slot>,
}

/// Which part of an object a wish is about: an object's status, an annotation of it and the object itself do not replace one another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub target: Target,
    pub part: Part,
}

// === impl Mailbox ===

impl Mailbox {
    pub fn put(&self, target: Target, wish: Wish) {
        let slot = Slot { part: wish.part(), target };
        let mut desk = self.desk();
        let waits = desk.wishes.insert(slot.clone(), wish).is_some();
        if !waits && !desk.taken.contains(&slot) {
            desk.queue.push_back(slot);
        }
        drop(desk);
        self.0.filled.notify_one();
    }

    /// What nobody works on yet, the first to be taken first.
    pub fn waiting(&self) -> Vec<(Target, Wish)> {
        let desk = self.desk();
        desk.queue.iter().filter_map(|slot| Some((slot.target.clone(), desk.wishes.get(slot)?.clone()))).collect()
    }

    /// Waits for a wish; nobody else gets one for its slot until it is [`done`](Self::done).
    pub(crate) async fn take(&self) -> (Slot, Wish) {
        loop {
            let filled = self.0.filled.notified();
            if let Some(taken) = self.take_now() {
                return taken;
            }
            filled.await;
        }
    }

    /// The wish has come true, or is put back to be tried again unless a newer one has come.
    pub(crate) fn done(&self, slot: Slot, again: Option<Wish>) {
        let mut desk = self.desk();
        desk.taken.remove(&slot);
        if let Some(wish) = again {
            desk.wishes.entry(slot.clone()).or_insert(wish);
        }
        if desk.wishes.contains_key(&slot) {
            desk.queue.push_back(slot);
        }
        drop(desk);
        self.0.filled.notify_one();
    }

    fn take_now(&self) -> Option<(Slot, Wish)> {
        let mut desk = self.desk();
        let slot = desk.queue.pop_front()?;
        let wish = desk.wishes.remove(&slot)?;
        desk.taken.insert(slot.clone());
        Some((slot, wish))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing that can panic runs under this lock.
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (slot, wish) = mailbox.take().await;
        assert_eq!(wish, Wish::Addresses(vec!["127.0.0.1".into()]));
        assert_eq!(mailbox.take().await.1, Wish::Absent, "status and object are two things");

        let newer = || Wish::Addresses(vec!["127.0.0.2".into()]);
        mailbox.put(target, newer());
        assert_eq!(mailbox.take_now(), None, "somebody works on it");
        mailbox.done(slot.clone(), Some(wish));
        assert_eq!(mailbox.take().await, (slot.clone(), newer()));
        mailbox.done(slot, None);
        assert_eq!(mailbox.take_now(), None);
    }

    #[test]
    fn who_comes_first_is_served_first() {
        let mailbox = Mailbox::default();
        let target = |name: &str| Target::new(Kind::Ingress, "a", name);
        for name in ["b", "a", "b", "c"] {
            mailbox.put(target(name), Wish::Absent);
        }
        let order: Vec<String> = std::iter::from_fn(|| mailbox.take_now()).map(|(slot, _)| slot.target.name).collect();
        assert_eq!(order, ["b", "a", "c"]);
    }
}
