//! The hosts of one gateway: which of them answers for a name.

use crate::host::{HostHit, HostTable};
use crate::spread::Spread;
use crate::{CompiledRoute, Request};
use model::{Certificate, ContentHash, Gateway, HostPattern, HostTls, OnMiss, Replies};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A gateway and its hosts, compiled. Cloning shares every host.
#[derive(Clone, Default)]
pub struct GatewayTable {
    pub(crate) gateway: Option<Arc<Gateway>>,
    exact: Spread<Arc<HostTable>>,
    one_label: Spread<Arc<HostTable>>,
    any_depth: Spread<Arc<HostTable>>,
    any: Option<Arc<HostTable>>,
    /// Labels of the longest wildcard suffix seen: longer suffixes of a name need not be looked up.
    deepest: usize,
    replies: Replies,
}

/// What became of a request.
pub enum Lookup<'a> {
    Route(&'a Arc<CompiledRoute>),
    /// 404.
    Miss {
        replies: &'a Replies,
    },
    /// 400: a pattern took more steps than allowed.
    OverBudget {
        replies: &'a Replies,
    },
}

impl GatewayTable {
    /// The gateway itself; `None` while only its hosts are known.
    pub fn gateway(&self) -> Option<&Arc<Gateway>> {
        self.gateway.as_ref()
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.one_label.len() + self.any_depth.len() + usize::from(self.any.is_some())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The patterns of all hosts, in no order.
    pub fn hosts(&self) -> impl Iterator<Item = &HostPattern> {
        let tables = self.exact.iter().chain(self.one_label.iter()).chain(self.any_depth.iter()).chain(&self.any);
        tables.map(|table| &table.host.name)
    }

    /// The first route that matches, of the most specific host that covers the request's.
    pub fn find(&self, request: &Request) -> Lookup<'_> {
        let mut replies = None;
        let found = self.covering(request.host, |table| {
            let replies: &Replies = replies.get_or_insert(&table.host.replies);
            match (table.find(request), table.host.on_miss) {
                (HostHit::Route(route), _) => ControlFlow::Break(Lookup::Route(route)),
                (HostHit::OverBudget, _) => ControlFlow::Break(Lookup::OverBudget { replies }),
                (HostHit::Miss, OnMiss::Stop) => ControlFlow::Break(Lookup::Miss { replies }),
                (HostHit::Miss, OnMiss::Wider) => ControlFlow::Continue(()),
            }
        });
        found.unwrap_or(Lookup::Miss { replies: replies.unwrap_or(&self.replies) })
    }

    /// What a handshake shows for a server name (lower case, without trailing dot): its host's certificate, a fitting wildcard's, else the
    /// gateway's default.
    pub fn certificate(&self, sni: Option<&str>) -> Option<&Arc<Certificate>> {
        let default = || self.gateway.as_ref().and_then(|gateway| gateway.default_certificate.as_ref());
        let tls = self.tls(sni.unwrap_or_default());
        let tls = tls.or_else(|| self.any.as_ref().map(|table| &table.host.tls));
        match tls {
            Some(HostTls::Certificate(certificate)) => Some(certificate),
            Some(HostTls::Refuse | HostTls::Passthrough) => None,
            Some(HostTls::Default | HostTls::None) | None => default(),
        }
    }

    /// Whether a host or a wildcard that covers it asked for TLS. The catch-all host counts for no name.
    pub fn knows_certificate(&self, host: &str) -> bool {
        self.tls(host).is_some()
    }

    /// The TLS setting of the most specific named host that has one.
    fn tls(&self, host: &str) -> Option<&HostTls> {
        self.covering(host, |table| match (&table.host.name, &table.host.tls) {
            (HostPattern::Any, _) | (_, HostTls::None) => ControlFlow::Continue(()),
            (_, tls) => ControlFlow::Break(tls),
        })
    }

    /// Visits the hosts that cover a name, the most specific first.
    pub(crate) fn covering<'a, T>(&'a self, host: &str, mut visit: impl FnMut(&'a Arc<HostTable>) -> ControlFlow<T>) -> Option<T> {
        let mut visit = |table: Option<&'a Arc<HostTable>>| table.map_or(ControlFlow::Continue(()), &mut visit);
        let mut all = || {
            visit(self.exact.get(host))?;
            if self.deepest > 0 {
                let labels = host.bytes().filter(|octet| *octet == b'.').count();
                let dots = host.bytes().enumerate().filter(|(_, octet)| *octet == b'.').map(|(at, _)| at);
                for (nth, dot) in dots.enumerate().skip(labels.saturating_sub(self.deepest)).filter(|(_, dot)| *dot > 0) {
                    let suffix = &host[dot + 1..];
                    if nth == 0 {
                        visit(self.one_label.get(suffix))?;
                    }
                    visit(self.any_depth.get(suffix))?;
                }
            }
            visit(self.any.as_ref())
        };
        match all() {
            ControlFlow::Break(value) => Some(value),
            ControlFlow::Continue(()) => None,
        }
    }

    pub(crate) fn set_gateway(&mut self, gateway: Option<Arc<Gateway>>) {
        self.replies = gateway.as_ref().map(|gateway| gateway.replies.clone()).unwrap_or_default();
        self.gateway = gateway;
    }

    /// The table of a host whose content has this hash.
    pub(crate) fn unchanged(&self, name: &HostPattern, hash: ContentHash) -> Option<&Arc<HostTable>> {
        let table = match name {
            HostPattern::Exact(name) => self.exact.get(name.as_str()),
            HostPattern::OneLabel(name) => self.one_label.get(name.as_str()),
            HostPattern::AnyDepth(name) => self.any_depth.get(name.as_str()),
            HostPattern::Any => self.any.as_ref(),
        };
        table.filter(|table| table.hash == hash)
    }

    /// Sets and removes hosts.
    pub(crate) fn change(&mut self, changes: Vec<(HostPattern, Option<Arc<HostTable>>)>) {
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
    }
}
