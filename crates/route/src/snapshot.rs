//! Everything that is served, at one moment.

use crate::GatewayTable;
use crate::expression::Patterns;
use crate::host::HostTable;
use model::{ContentHash, GatewayId, Nack, Shard, ShardKey, Update};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// All gateways, compiled. Immutable; an update makes a new one.
#[derive(Clone, Default)]
pub struct Snapshot {
    gateways: BTreeMap<GatewayId, Arc<GatewayTable>>,
    /// Of this and all earlier snapshots.
    patterns: Arc<Patterns>,
}

impl Snapshot {
    pub fn empty() -> Self {
        Self::default()
    }

    pub fn gateway(&self, id: &GatewayId) -> Option<&Arc<GatewayTable>> {
        self.gateways.get(id)
    }

    pub fn gateways(&self) -> impl Iterator<Item = (&GatewayId, &Arc<GatewayTable>)> {
        self.gateways.iter()
    }

    /// A snapshot with the update's gateways and shards, and what of its shards could not be compiled: those routes answer 503.
    ///
    /// A shard whose content hash is known is not compiled again. Costs microseconds for one shard, however many there are.
    pub fn apply(&self, update: &Update) -> (Self, Vec<Nack>) {
        let mut next = self.clone();
        let mut nacks = Vec::new();
        for (id, gateway) in &update.gateways {
            next.table(id).set_gateway(gateway.clone());
        }
        let mut changes: BTreeMap<(&GatewayId, Option<u16>), Vec<_>> = BTreeMap::new();
        let mut fresh = HashMap::new();
        for (key, shard) in &update.shards {
            let table = shard.as_ref().map(|shard| self.compiled(key, shard, &mut fresh));
            nacks.extend(table.iter().flat_map(|table| table.nacks(key)));
            changes.entry((&key.gateway, key.port)).or_default().push((key.host.clone(), table));
        }
        for ((id, port), changes) in changes {
            next.table(id).change(port, changes);
        }
        next.gateways.retain(|_, table| table.gateway.is_some() || !table.is_empty());
        (next, nacks)
    }

    /// The shard's table: the one there is, of whichever port, or a new one. `fresh`: those compiled for ports just now.
    fn compiled<'u>(
        &self,
        key: &'u ShardKey,
        shard: &Shard,
        fresh: &mut HashMap<(&'u GatewayId, ContentHash), Arc<HostTable>>,
    ) -> Arc<HostTable> {
        let known = self.gateway(&key.gateway).and_then(|table| table.unchanged(&key.host, shard.hash));
        if let Some(table) = known.or_else(|| fresh.get(&(&key.gateway, shard.hash))) {
            return table.clone();
        }
        let table = Arc::new(HostTable::compile(key, shard, &self.patterns));
        if key.port.is_some() {
            fresh.insert((&key.gateway, shard.hash), table.clone());
        }
        table
    }

    /// The gateway's table, for this snapshot alone.
    fn table(&mut self, id: &GatewayId) -> &mut GatewayTable {
        Arc::make_mut(self.gateways.entry(id.clone()).or_default())
    }
}
