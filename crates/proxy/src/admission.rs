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
    /// Of all listeners together, of which there may be many: each connection may need another one, and both a descriptor.
    most: u32,
    open: AtomicU32,
}

/// One connection that counts. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    client: IpAddr,
    listener: Arc<AtomicU32>,
}

impl Admission {
    pub fn new(per_client: u32, per_listener: u32, most: u32) -> Arc<Self> {
        let open = AtomicU32::new(0);
        Arc::new(Self { shards: Default::default(), hash: RandomState::new(), per_client, per_listener, most, open })
    }

    /// `None`: the client, the listener or all of them together have as many as they may.
    pub fn admit(self: &Arc<Self>, client: IpAddr, listener: &Arc<AtomicU32>) -> Option<Admitted> {
        let one_more = |most: u32| move |open: u32| (open < most).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more(self.most)).ok()?;
        if listener.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more(self.per_listener)).is_err() {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let mut shard = self.shard(client).lock().unwrap_or_else(PoisonError::into_inner);
        let count = shard.entry(client).or_default();
        if *count >= self.per_client {
            listener.fetch_sub(1, Ordering::Relaxed);
            self.open.fetch_sub(1, Ordering::Relaxed);
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
        self.admission.open.fetch_sub(1, Ordering::Relaxed);
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
        let admission = Admission::new(2, 3, 100);
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

    #[test]
    fn many_listeners_have_no_more_together_than_there_are_descriptors_for() {
        let admission = Admission::new(10, 2, 3);
        let [one, other] = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        let client = IpAddr::from([10, 0, 0, 1]);
        let mut open: Vec<_> = [&one, &one, &other].map(|it| admission.admit(client, it).expect("there is room")).into();
        assert!(admission.admit(client, &other).is_none(), "three together");
        assert!(admission.admit(client, &one).is_none(), "two a listener");
        open.remove(0);
        open.push(admission.admit(client, &other).expect("what was refused is not counted"));
        assert!(admission.admit(client, &one).is_none());
        drop(open);
        assert_eq!(admission.open.load(Ordering::Relaxed), 0);
    }
}
