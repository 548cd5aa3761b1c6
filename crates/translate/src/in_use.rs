//! Which backends routes lead to.

use model::{BackendId, Shard, ShardKey};
use resources::{BackendName, Few, Name};
use std::collections::{BTreeSet, HashMap};

/// The backends that shards lead to, counted.
#[derive(Clone, Debug, Default)]
pub struct InUse {
    by_shard: HashMap<ShardKey, Few<BackendId>>,
    shards: HashMap<BackendId, usize>,
    by_service: HashMap<Name, Few<BackendId>>,
}

/// What a shard's new version changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Now needed: their endpoints are to be sent before the shard.
    pub begun: BTreeSet<BackendId>,
    /// No longer needed by anyone: to be taken back after the shard.
    pub ended: BTreeSet<BackendId>,
}

// === impl InUse ===

impl InUse {
    /// Takes note of a shard as it is now; `None`: it is gone.
    pub fn update(&mut self, key: &ShardKey, shard: Option<&Shard>) -> Turnover {
        let backends = shard.iter().flat_map(|shard| shard.host.backends());
        let new: Few<BackendId> = backends.map(|backend| backend.id.clone()).collect();
        let old = self.by_shard.remove(key).unwrap_or_default();
        let begun = new.iter().filter(|id| !old.contains(id)).filter(|id| self.begin(id)).cloned().collect::<BTreeSet<_>>();
        let ended = old.iter().filter(|id| !new.contains(id)).filter(|id| self.end(id)).cloned().collect::<BTreeSet<_>>();
        if !new.is_empty() {
            self.by_shard.insert(key.clone(), new);
        }
        Turnover { begun, ended }
    }

    pub fn contains(&self, id: &BackendId) -> bool {
        self.shards.contains_key(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &BackendId> {
        self.shards.keys()
    }

    /// The backends in use that stand for these Services.
    pub fn of<'a>(&'a self, services: impl IntoIterator<Item = &'a Name>) -> BTreeSet<BackendId> {
        services.into_iter().filter_map(|service| self.by_service.get(service)).flatten().cloned().collect()
    }

    fn begin(&mut self, id: &BackendId) -> bool {
        let count = self.shards.entry(id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            return false;
        }
        if let Some(name) = BackendName::parse(id) {
            self.by_service.entry(name.service).or_default().insert(id.clone());
        }
        true
    }

    fn end(&mut self, id: &BackendId) -> bool {
        let Some(count) = self.shards.get_mut(id) else { return false };
        *count -= 1;
        if *count > 0 {
            return false;
        }
        self.shards.remove(id);
        if let Some(name) = BackendName::parse(id)
            && let Some(ids) = self.by_service.get_mut(&name.service)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.by_service.remove(&name.service);
            }
        }
        true
    }
}
