//! Shard by shard.

use crate::reports::Part;
use crate::{Options, Reports};
use model::{Shard, ShardKey};
use resources::{Report, Resources};
use std::collections::{BTreeMap, BTreeSet};

/// Everything, translated.
#[derive(Clone, Debug, Default)]
pub struct Translation {
    pub shards: BTreeMap<ShardKey, Shard>,
    pub reports: Reports,
}

/// From scratch.
pub fn translate(resources: &Resources, options: &Options) -> Translation {
    let mut translation = Translation::default();
    for key in keys(resources, options) {
        let (shard, reports) = translate_shard(resources, options, &key);
        translation.reports.update(Part::Shard(key.clone()), reports);
        translation.shards.extend(shard.map(|shard| (key, shard)));
    }
    translation
}

/// One host of one gateway. `None`: nothing is served there.
pub fn translate_shard(resources: &Resources, options: &Options, key: &ShardKey) -> (Option<Shard>, Vec<Report>) {
    let Some(gateway) = options.gateway(&key.gateway) else { return (None, Vec::new()) };
    let (host, reports) = translate_ingress::translate_host(resources, &options.ingress, &gateway.id, &gateway.scope, &key.host);
    (host.map(Shard::new), reports)
}

/// Every shard there can be something in.
pub fn keys(resources: &Resources, options: &Options) -> BTreeSet<ShardKey> {
    let key = |host: &model::HostPattern| {
        let host = host.clone();
        options.gateways.iter().map(move |gateway| ShardKey { gateway: gateway.id.clone(), host: host.clone() })
    };
    resources.ingress_hosts().flat_map(key).collect()
}

#[cfg(test)]
mod tests;
