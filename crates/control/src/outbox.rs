//! What the data plane has not been told yet.

use model::{Update, Version};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The way to the data plane. Sending never waits: what has not been taken yet is merged, the later value of a key winning.
///
/// **Invariant:** bounded by the number of keys, and a merged update leads to the same state as its parts in order.
#[derive(Clone, Default)]
pub struct Outbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    pending: Mutex<Option<Update>>,
    filled: Notify,
}

impl Outbox {
    pub fn put(&self, update: Update) {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        *pending = Some(match pending.take() {
            Some(earlier) => merge(earlier, update),
            None => update,
        });
        self.0.filled.notify_one();
    }

    /// Waits for an update, and takes all of it.
    pub async fn take(&self) -> Update {
        loop {
            let filled = self.0.filled.notified();
            if let Some(update) = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return update;
            }
            filled.await;
        }
    }
}

fn merge(earlier: Update, later: Update) -> Update {
    fn overlay<K: Ord, V>(earlier: Vec<(K, V)>, later: Vec<(K, V)>) -> Vec<(K, V)> {
        earlier.into_iter().chain(later).collect::<BTreeMap<K, V>>().into_iter().collect()
    }
    Update {
        version: Version::max(earlier.version, later.version),
        endpoints: overlay(earlier.endpoints, later.endpoints),
        gateways: overlay(earlier.gateways, later.gateways),
        shards: overlay(earlier.shards, later.shards),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BackendId;

    #[tokio::test]
    async fn what_was_not_taken_is_merged_and_the_later_wins() {
        let outbox = Outbox::default();
        let update = |sequence, id: &str, there: bool| Update {
            version: Version { epoch: 0, sequence },
            endpoints: vec![(BackendId::new(id.to_owned()), there.then(|| Vec::new().into()))],
            ..Update::default()
        };
        outbox.put(update(1, "a", true));
        outbox.put(update(2, "b", true));
        outbox.put(update(3, "a", false));
        let taken = outbox.take().await;
        assert_eq!(taken.version.sequence, 3);
        let ids: Vec<(&str, bool)> = taken.endpoints.iter().map(|(id, it)| (id.as_str(), it.is_some())).collect();
        assert_eq!(ids, [("a", false), ("b", true)]);
    }
}
