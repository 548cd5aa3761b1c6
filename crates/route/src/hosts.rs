//! Hosts by name: those of one port of a gateway, or those all its ports have in common.

use crate::host::HostTable;
use crate::spread::Spread;
use model::{ContentHash, HostPattern, HostTls};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Cloning shares every host.
#[derive(Clone, Default)]
pub(crate) struct Hosts {
    exact: Spread<Arc<HostTable>>,
    one_label: Spread<Arc<HostTable>>,
    any_depth: Spread<Arc<HostTable>>,
    any: Option<Arc<HostTable>>,
    /// Labels of the longest wildcard suffix seen: longer suffixes of a name need not be looked up.
    deepest: usize,
    tally: Tally,
}

/// What hosts do with TLS connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many read HTTP in them.
    pub(crate) http: usize,
    /// How many hand them, or what is in them, on.
    pub(crate) tunnels: usize,
}

impl Hosts {
    pub(crate) fn len(&self) -> usize {
        self.exact.len() + self.one_label.len() + self.any_depth.len() + usize::from(self.any.is_some())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<HostTable>> {
        self.exact.iter().chain(self.one_label.iter()).chain(self.any_depth.iter()).chain(&self.any)
    }

    /// The host of every name.
    pub(crate) fn any(&self) -> Option<&Arc<HostTable>> {
        self.any.as_ref()
    }

    /// The table of a host whose content has this hash.
    pub(crate) fn unchanged(&self, name: &HostPattern, hash: ContentHash) -> Option<&Arc<HostTable>> {
        self.get(name).filter(|table| table.hash == hash)
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    fn get(&self, name: &HostPattern) -> Option<&Arc<HostTable>> {
        match name {
            HostPattern::Exact(name) => self.exact.get(name.as_str()),
            HostPattern::OneLabel(name) => self.one_label.get(name.as_str()),
            HostPattern::AnyDepth(name) => self.any_depth.get(name.as_str()),
            HostPattern::Any => self.any.as_ref(),
        }
    }

    /// Of these hosts alone.
    fn tally_of(&self, names: &[HostPattern]) -> Tally {
        let mut tally = Tally::default();
        for table in names.iter().filter_map(|name| self.get(name)) {
            match (&table.host.tls, &table.host.tunnel) {
                (HostTls::Passthrough, _) | (_, Some(_)) => tally.tunnels += 1,
                (HostTls::Refuse, None) => {}
                (HostTls::None | HostTls::Default | HostTls::Certificate(_), None) => tally.http += 1,
            }
        }
        tally
    }

    /// Sets and removes hosts.
    pub(crate) fn change(&mut self, changes: Vec<(HostPattern, Option<Arc<HostTable>>)>) {
        let mut names: Vec<HostPattern> = changes.iter().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let before = self.tally_of(&names);
        let (mut exact, mut one_label, mut any_depth) = (Vec::new(), Vec::new(), Vec::new());
        for (pattern, table) in changes {
            match pattern {
                HostPattern::Exact(name) => exact.push((name, table)),
                HostPattern::OneLabel(suffix) => one_label.push((suffix, table)),
                HostPattern::AnyDepth(suffix) => any_depth.push((suffix, table)),
                HostPattern::Any => self.any = table,
            }
        }
        let labels = one_label.iter().chain(&any_depth).map(|(suffix, _)| suffix.as_str().split('.').count()).max();
        self.exact.change(exact);
        self.one_label.change(one_label);
        self.any_depth.change(any_depth);
        let wildcards = self.one_label.len() + self.any_depth.len();
        self.deepest = if wildcards == 0 { 0 } else { self.deepest.max(labels.unwrap_or_default()) };
        let after = self.tally_of(&names);
        self.tally.http = self.tally.http + after.http - before.http;
        self.tally.tunnels = self.tally.tunnels + after.tunnels - before.tunnels;
    }
}

/// Visits the hosts that cover a name, the most specific first. At each specificity `own` is asked, then `common`, and what `own` has is
/// not asked in `common` as well.
pub(crate) fn covering<'a, T>(
    own: Option<&'a Hosts>,
    common: &'a Hosts,
    host: &str,
    mut visit: impl FnMut(Kin, &'a Arc<HostTable>) -> ControlFlow<T>,
) -> Option<T> {
    let mut all = || {
        ask(own, common, |hosts| hosts.exact.get(host), &mut visit)?;
        let deepest = own.map_or(0, |own| own.deepest).max(common.deepest);
        if deepest > 0 {
            let labels = host.bytes().filter(|octet| *octet == b'.').count();
            let dots = host.bytes().enumerate().filter(|(_, octet)| *octet == b'.').map(|(at, _)| at);
            for (nth, dot) in dots.enumerate().skip(labels.saturating_sub(deepest)).filter(|(_, dot)| *dot > 0) {
                let suffix = &host[dot + 1..];
                if nth == 0 {
                    ask(own, common, |hosts| hosts.one_label.get(suffix), &mut visit)?;
                }
                ask(own, common, |hosts| hosts.any_depth.get(suffix), &mut visit)?;
            }
        }
        ask(own, common, |hosts| hosts.any.as_ref(), &mut visit)
    };
    match all() {
        ControlFlow::Break(value) => Some(value),
        ControlFlow::Continue(()) => None,
    }
}

/// Visits the host of one pattern, if there is one.
fn ask<'a, T>(
    own: Option<&'a Hosts>,
    common: &'a Hosts,
    get: impl Fn(&'a Hosts) -> Option<&'a Arc<HostTable>>,
    visit: &mut impl FnMut(Kin, &'a Arc<HostTable>) -> ControlFlow<T>,
) -> ControlFlow<T> {
    if let Some(table) = own.and_then(&get) {
        return visit(Kin::Own, table);
    }
    get(common).map_or(ControlFlow::Continue(()), |table| visit(Kin::Common, table))
}

/// Whose a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// The port's own.
    Own,
    /// Of every port.
    Common,
}
