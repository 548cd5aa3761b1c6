//! How many connections there may be.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// So many locks share the clients.
const SHARDS: usize = 16;

/// Connections by client, over all listeners and workers.
#[derive(Debug)]
pub(crate) struct Admission {
    shards: [Mutex<HashMap<IpAddr, u32>>; SHARDS],
    hash: RandomState,
    per_client: u32,
    per_listener: u32,
}

/// One connection that counts. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    client: IpAddr,
    listener: Arc<AtomicU32>,
}

impl Admission {
    pub fn new(per_client: u32, per_listener: u32) -> Arc<Self> {
        Arc::new(Self { shards: Default::default(), hash: RandomState::new(), per_client, per_listener })
    }

    /// `None`: the client or the listener has as many as it may.
    pub fn admit(self: &Arc<Self>, client: IpAddr, listener: &Arc<AtomicU32>) -> Option<Admitted> {
        let one_more = |open: u32| (open < self.per_listener).then_some(open + 1);
        listener.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        let mut shard = self.shard(client).lock().unwrap_or_else(PoisonError::into_inner);
        let count = shard.entry(client).or_default();
        if *count >= self.per_client {
            listener.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        *count += 1;
        Some(Admitted { admission: self.clone(), client, listener: listener.clone() })
    }

    fn shard(&self, client: IpAddr) -> &Mutex<HashMap<IpAddr, u32>> {
        &self.shards[self.hash.hash_one(client) as usize % SHARDS]
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.listener.fetch_sub(1, Ordering::Relaxed);
        let mut shard = self.admission.shard(self.client).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = shard.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                shard.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_and_are_given_back() {
        let admission = Admission::new(2, 3);
        let listener = Arc::new(AtomicU32::new(0));
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = admission.admit(one, &listener).expect("the first");
        let _second = admission.admit(one, &listener).expect("the second");
        assert!(admission.admit(one, &listener).is_none(), "two a client");
        let _third = admission.admit(two, &listener).expect("another client");
        assert!(admission.admit(two, &listener).is_none(), "three a listener");
        drop(first);
        assert!(admission.admit(one, &listener).is_some());
        assert_eq!(listener.load(Ordering::Relaxed), 2);
    }
}
