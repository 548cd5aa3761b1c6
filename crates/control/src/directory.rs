//! Which host leads to which gateways, for the DNS server.

use crate::Gateways;
use crate::hosts::{Hosts, shown};
use ::names::{Leads, Table};
use model::{GatewayId, HostPattern, Shard, ShardKey};
use resources::Few;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// **Invariant:** the table has exactly the hosts of what is published, each with where its gateways are.
#[derive(Default)]
pub(crate) struct Directory {
    table: Table,
    /// The gateways that serve a host, each on one port or on all.
    hosts: BTreeMap<HostPattern, Few<(GatewayId, Option<u16>)>>,
}

// === impl Directory ===

impl Directory {
    pub fn new(table: Table) -> Self {
        Self { table, hosts: BTreeMap::new() }
    }

    /// These shards are other ones now.
    pub fn shards(&mut self, shards: &[(ShardKey, Option<Shard>)], (gateways, hosts): (&Gateways, &Hosts)) {
        let mut touched = BTreeSet::new();
        for (key, shard) in shards {
            let at = (key.gateway.clone(), key.port);
            let serving = self.hosts.entry(key.host.clone()).or_default();
            if if shard.is_some() { serving.insert(at) } else { serving.remove(&at) } {
                touched.insert(&key.host);
            }
        }
        let mut last = Arc::default();
        for host in touched {
            self.put(host, (gateways, hosts), &mut last);
        }
        self.hosts.retain(|_, it| !it.is_empty());
    }

    /// Gateways have come, moved or gone.
    pub fn gateways(&self, gateways: &Gateways, hosts: &Hosts) {
        let mut last = Arc::default();
        for host in self.hosts.keys() {
            self.put(host, (gateways, hosts), &mut last);
        }
    }

    /// `last`: of the host before, which mostly leads to the same.
    fn put(&self, host: &HostPattern, (gateways, hosts): (&Gateways, &Hosts), last: &mut Arc<Leads>) {
        let ids: BTreeSet<&GatewayId> = self.hosts.get(host).into_iter().flatten().map(|(id, _)| id).collect();
        let to = ids.iter().filter_map(|id| gateways.get(id)).flat_map(shown).collect();
        let made_of = ids.iter().flat_map(|id| hosts.of(id)).collect();
        let leads = Leads { to, made_of };
        if **last != leads {
            *last = Arc::new(leads);
        }
        self.table.put(host, (!ids.is_empty()).then(|| last.clone()));
    }
}
