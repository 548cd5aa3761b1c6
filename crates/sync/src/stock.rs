//! What one gateway is to have, as it goes over the link: each thing once, with its digest.

use crate::carry::{self, Digest, Shared, digest};
use crate::closed_host;
use crate::entry::Entry;
use bytes::Bytes;
use model::{BackendId, Endpoint, Gateway, Nack, Shard, ShardKey, Version};
use prost::Message;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Octets of one thing; what is larger is closed. Below a message's bound by the room for its key.
pub const LARGEST_BODY: usize = 16 << 20;

/// One thing, written. It may hold keys, so it is never printed.
#[derive(Clone)]
pub struct Item {
    pub digest: Digest,
    pub octets: Bytes,
}

pub type Items = Arc<BTreeMap<Entry, Item>>;

/// What one gateway is to have.
///
/// **Invariant:** it holds what this gateway's shards need, and nothing else: no other gateway's certificate or endpoint is ever in it.
#[derive(Default)]
pub struct Stock {
    items: Items,
    /// What each shard names, so that it goes with the last that does.
    needs: BTreeMap<ShardKey, Needs>,
    gateway_needs: Needs,
    certificates: Counted<Digest>,
    trusts: Counted<Digest>,
    backends: Counted<BackendId>,
    /// When it was last different.
    pub changed: Version,
}

#[derive(Default)]
struct Needs {
    certificates: Vec<Digest>,
    trusts: Vec<Digest>,
    backends: Vec<BackendId>,
}

/// How many name each.
struct Counted<K>(HashMap<K, usize>);

// === impl Stock ===

impl Stock {
    pub fn new(refused: &[SocketAddr]) -> Self {
        let mut stock = Self::default();
        stock.put(Entry::Settings, carry::settings(refused).encode_to_vec());
        stock
    }

    /// As it is now. Later changes leave what is returned alone.
    pub fn items(&self) -> Items {
        self.items.clone()
    }

    /// Whether there is enough to be served: a gateway that is not known yet must not lose what it has.
    pub fn is_complete(&self) -> bool {
        self.items.contains_key(&Entry::Gateway)
    }

    pub fn gateway(&mut self, gateway: &Gateway) {
        let mut shared = Shared::default();
        let octets = carry::gateway(gateway, &mut shared).encode_to_vec();
        let needs = self.share(shared, Vec::new());
        self.put(Entry::Gateway, octets);
        let before = std::mem::replace(&mut self.gateway_needs, needs);
        self.release(before);
    }

    /// A shard as it is now. Returns what cannot be sent.
    pub fn shard(&mut self, key: &ShardKey, shard: Option<&Shard>, endpoints: &HashMap<BackendId, Arc<[Endpoint]>>) -> Option<Nack> {
        let Some(shard) = shard else {
            Arc::make_mut(&mut self.items).remove(&Entry::of_shard(key));
            let before = self.needs.remove(key);
            before.into_iter().for_each(|it| self.release(it));
            return None;
        };
        let mut shared = Shared::default();
        let mut octets = carry::host(&shard.host, &mut shared).encode_to_vec();
        let largest = shared.certificates.values().chain(shared.trusts.values()).map(Vec::len).fold(octets.len(), usize::max);
        let mut backends: Vec<BackendId> = shard.host.backends().map(|it| it.id.clone()).collect();
        backends.sort();
        backends.dedup();
        let nack = (largest > LARGEST_BODY).then(|| {
            shared = Shared::default();
            backends.clear();
            octets = carry::host(&closed_host(shard.host.name.clone()), &mut shared).encode_to_vec();
            let message = format!("it takes {largest} octets, and a gateway in a pod of its own is sent {LARGEST_BODY} at most");
            Nack { shard: key.clone(), route: 0, message }
        });
        for id in &backends {
            if let Some(all) = endpoints.get(id) {
                self.endpoints(id, all);
            }
        }
        let needs = self.share(shared, backends);
        self.put(Entry::of_shard(key), octets);
        let before = self.needs.insert(key.clone(), needs);
        before.into_iter().for_each(|it| self.release(it));
        nack
    }

    pub fn needs(&self, backend: &BackendId) -> bool {
        self.backends.0.contains_key(backend)
    }

    pub fn endpoints(&mut self, id: &BackendId, all: &[Endpoint]) {
        self.put(Entry::Endpoints(id.clone()), carry::endpoints(all).encode_to_vec());
    }

    pub fn without_endpoints(&mut self, id: &BackendId) {
        Arc::make_mut(&mut self.items).remove(&Entry::Endpoints(id.clone()));
    }

    fn put(&mut self, entry: Entry, octets: Vec<u8>) {
        let item = Item { digest: digest(&octets), octets: octets.into() };
        if self.items.get(&entry) != Some(&item) {
            Arc::make_mut(&mut self.items).insert(entry, item);
        }
    }

    fn share(&mut self, shared: Shared, backends: Vec<BackendId>) -> Needs {
        let Shared { certificates, trusts } = shared;
        let needs = Needs { certificates: certificates.keys().copied().collect(), trusts: trusts.keys().copied().collect(), backends };
        needs.certificates.iter().for_each(|it| self.certificates.add(it));
        needs.trusts.iter().for_each(|it| self.trusts.add(it));
        needs.backends.iter().for_each(|it| self.backends.add(it));
        for (digest, octets) in certificates {
            self.put(Entry::Certificate(digest), octets);
        }
        for (digest, octets) in trusts {
            self.put(Entry::Trust(digest), octets);
        }
        needs
    }

    fn release(&mut self, needs: Needs) {
        let certificates = needs.certificates.into_iter().filter(|it| self.certificates.take(it)).map(Entry::Certificate);
        let trusts = needs.trusts.into_iter().filter(|it| self.trusts.take(it)).map(Entry::Trust);
        let backends = needs.backends.into_iter().filter(|it| self.backends.take(it)).map(Entry::Endpoints);
        let gone: Vec<Entry> = certificates.chain(trusts).chain(backends).collect();
        for entry in gone {
            Arc::make_mut(&mut self.items).remove(&entry);
        }
    }
}

// === impl Counted ===

impl<K: std::hash::Hash + Eq + Clone> Counted<K> {
    fn add(&mut self, key: &K) {
        *self.0.entry(key.clone()).or_default() += 1;
    }

    /// Whether that was the last.
    fn take(&mut self, key: &K) -> bool {
        match self.0.get_mut(key) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => self.0.remove(key).is_some(),
        }
    }
}

impl<K> Default for Counted<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

// === impl Item ===

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Item {}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({} octets)", self.octets.len())
    }
}
