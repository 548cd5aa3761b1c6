//! One shard, compiled.

use crate::compiled::State;
use crate::expression::{PatternError, Patterns};
use crate::matching::{Entry, pattern_of};
use crate::request::Request;
use crate::tree::{Hit, Tree};
use crate::{CompiledRoute, Expression};
use model::{Action, ContentHash, Filter, Host, Nack, Pattern, Rewrite, Route, Shard, ShardKey};
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
            let expressions = filters(route, patterns).unwrap_or_else(|(place, reason)| {
                error.get_or_insert(format!("{place}: {reason}"));
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

/// Compiles the patterns of a route's filters; the error says of which.
fn filters(route: &Route, patterns: &Patterns) -> Result<Box<[Option<Expression>]>, (String, PatternError)> {
    let of = |filters: &[Filter], place: &dyn Fn(usize) -> String, all: &mut Vec<Option<Expression>>| {
        for (index, filter) in filters.iter().enumerate() {
            for slot in slots(filter) {
                let compiled = slot.map(|pattern| patterns.compile(pattern)).transpose();
                all.push(compiled.map_err(|error| (place(index), error))?);
            }
        }
        Ok(())
    };
    let mut all = Vec::new();
    of(&route.filters, &|index| format!("filters[{index}]"), &mut all)?;
    if let Action::Forward(forward) = &route.action {
        for (at, backend) in forward.backends.iter().enumerate() {
            of(&backend.filters, &|index| format!("backends[{at}].filters[{index}]"), &mut all)?;
        }
    }
    Ok(if all.iter().any(Option::is_some) { all.into() } else { Box::default() })
}

/// The patterns of one filter, each in a place of its own.
pub(crate) fn slots(filter: &Filter) -> impl Iterator<Item = Option<&Pattern>> {
    let (one, many) = match filter {
        Filter::Rewrite(Rewrite::Regex { pattern, .. } | Rewrite::Replace { pattern, .. }) => (Some(Some(pattern)), &[][..]),
        Filter::Cors(cors) => (None, &cors.origins[..]),
        _ => (None, &[][..]),
    };
    one.into_iter().chain(many.iter().map(pattern_of))
}
