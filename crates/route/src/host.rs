//! One shard, compiled.

use crate::compiled::State;
use crate::expression::{PatternError, Patterns};
use crate::matching::Entry;
use crate::request::Request;
use crate::tree::{Hit, Tree};
use crate::{CompiledRoute, Expression};
use model::{ContentHash, Filter, Host, Nack, Rewrite, Shard, ShardKey};
use std::sync::Arc;

/// A host with its routes compiled.
#[derive(Debug)]
pub(crate) struct HostTable {
    pub(crate) hash: ContentHash,
    pub(crate) host: Arc<Host>,
    pub(crate) routes: Box<[Arc<CompiledRoute>]>,
    pub(crate) tree: Tree,
    /// Routes that could not be compiled, and why.
    broken: Box<[(usize, String)]>,
}

pub(crate) enum HostHit<'a> {
    Route(&'a Arc<CompiledRoute>),
    OverBudget,
    Miss,
}

impl HostTable {
    /// What comes of it does not depend on the shard's port.
    pub(crate) fn compile(key: &ShardKey, shard: &Shard, patterns: &Patterns) -> Self {
        let host = &shard.host;
        let mut broken = Vec::new();
        let mut entries = Vec::new();
        let mut routes = Vec::with_capacity(host.routes.len());
        for (number, route) in host.routes.iter().enumerate() {
            let mut error = None;
            for (index, it) in route.matches.iter().enumerate() {
                let (entry, fault) = Entry::compile(number, index, it, patterns);
                entries.extend(entry);
                error = error.or(fault.map(|reason| format!("matches[{index}]: {reason}")));
            }
            let expressions = filters(&route.filters, patterns).unwrap_or_else(|(index, reason)| {
                error.get_or_insert(format!("filters[{index}]: {reason}"));
                Box::default()
            });
            let state = if error.is_some() { State::Broken } else { State::Serves };
            broken.extend(error.map(|message| (number, message)));
            routes.push(Arc::new(CompiledRoute::new(key.gateway.clone(), host.clone(), number, state, expressions)));
        }
        let tree = Tree::build(entries);
        Self { hash: shard.hash, host: host.clone(), routes: routes.into(), tree, broken: broken.into() }
    }

    /// What could not be compiled, said of one of the shards that have this content.
    pub(crate) fn nacks(&self, key: &ShardKey) -> impl Iterator<Item = Nack> {
        self.broken.iter().map(|(route, message)| Nack { shard: key.clone(), route: *route, message: message.clone() })
    }

    pub(crate) fn find(&self, request: &Request) -> HostHit<'_> {
        match self.tree.find(&self.host.routes, request) {
            Some(Hit::Route(index)) => HostHit::Route(&self.routes[index]),
            Some(Hit::OverBudget) => HostHit::OverBudget,
            None => HostHit::Miss,
        }
    }
}

/// Compiles the patterns of filters; the error says which filter.
fn filters(filters: &[Filter], patterns: &Patterns) -> Result<Box<[Option<Expression>]>, (usize, PatternError)> {
    let pattern = |filter| match filter {
        &Filter::Rewrite(Rewrite::Regex { ref pattern, .. }) => Some(pattern),
        _ => None,
    };
    if !filters.iter().any(|filter| pattern(filter).is_some()) {
        return Ok(Box::default());
    }
    let numbered = filters.iter().enumerate();
    numbered
        .map(|(index, filter)| pattern(filter).map(|pattern| patterns.compile(pattern)).transpose().map_err(|error| (index, error)))
        .collect()
}
