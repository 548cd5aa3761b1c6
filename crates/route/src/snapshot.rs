//! Everything that is served, at one moment.

use crate::GatewayTable;
use crate::expression::Patterns;
use crate::host::HostTable;
use model::{GatewayId, Nack, Update};
use std::collections::BTreeMap;
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
        let mut changes: BTreeMap<&GatewayId, Vec<_>> = BTreeMap::new();
        for (key, shard) in &update.shards {
            let known = |hash| self.gateway(&key.gateway)?.unchanged(&key.host, hash);
            let table = shard.as_ref().map(|shard| match known(shard.hash) {
                Some(table) => table.clone(),
                None => Arc::new(HostTable::compile(key, shard, &self.patterns)),
            });
            nacks.extend(table.iter().flat_map(|table| table.nacks.iter().cloned()));
            changes.entry(&key.gateway).or_default().push((key.host.clone(), table));
        }
        for (id, changes) in changes {
            next.table(id).change(changes);
        }
        next.gateways.retain(|_, table| table.gateway.is_some() || !table.is_empty());
        (next, nacks)
    }

    /// The gateway's table, for this snapshot alone.
    fn table(&mut self, id: &GatewayId) -> &mut GatewayTable {
        Arc::make_mut(self.gateways.entry(id.clone()).or_default())
    }
}
