//! The hosts of one gateway: which of them answers for a name on a port.

use crate::host::{HostHit, HostTable};
use crate::hosts::{Hosts, Kin, covering};
use crate::{CompiledRoute, Request};
use model::{Certificate, ContentHash, Gateway, Host, HostPattern, HostTls, OnMiss, Replies, TlsPolicy, Tracing, Tunnel};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A gateway and its hosts, compiled. Cloning shares every host.
#[derive(Clone, Default)]
pub struct GatewayTable {
    pub(crate) gateway: Option<Arc<Gateway>>,
    /// Of every port.
    common: Hosts,
    /// Ports with hosts of their own, ascending. Most gateways have none.
    ports: Vec<(u16, Arc<Hosts>)>,
    replies: Replies,
    /// The gateway's, here for those who look with every request.
    tracing: Option<Arc<Tracing>>,
}

/// What became of a request.
pub enum Lookup<'a> {
    Route(&'a Arc<CompiledRoute>),
    /// 404.
    Miss {
        replies: &'a Replies,
        /// The most specific host that covers the request's.
        host: Option<&'a Host>,
    },
    /// 400: a pattern took more steps than allowed.
    OverBudget {
        replies: &'a Replies,
    },
}

/// What a TLS connection finds at its port for its server name.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    pub shown: Shown<'a>,
    /// What is demanded of the client. A request is answered over this connection only if the policy of its route's host is the same.
    pub policy: &'a TlsPolicy,
    /// Set: the connection is not HTTP to us.
    pub tunnel: Option<&'a Tunnel>,
}

/// What a handshake shows.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    Certificate(&'a Arc<Certificate>),
    /// None of ours: the octets go on as they are, to [`Server::tunnel`].
    Passthrough,
    /// Nothing: the handshake fails.
    Refuse,
    /// Nothing: the connection ends without a word of TLS, because on this port others speak it and not we.
    Close,
}

/// Of a name that no host covers.
static NO_POLICY: TlsPolicy = TlsPolicy { client: model::ClientAuth::None, versions: model::TlsVersions::Both };

impl GatewayTable {
    /// The gateway itself; `None` while only its hosts are known.
    pub fn gateway(&self) -> Option<&Arc<Gateway>> {
        self.gateway.as_ref()
    }

    /// What of its requests is traced; `None`: nothing.
    #[inline]
    pub fn tracing(&self) -> Option<&Arc<Tracing>> {
        self.tracing.as_ref()
    }

    /// How many hosts there are. One on several ports counts once on each.
    pub fn len(&self) -> usize {
        self.common.len() + self.ports.iter().map(|(_, hosts)| hosts.len()).sum::<usize>()
    }

    /// Every host, in no order; one on several ports comes once for each. For people, not for the request path.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        let own = self.ports.iter().flat_map(|(_, hosts)| hosts.all());
        self.common.all().chain(own).map(|table| &*table.host)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first route that matches, of the most specific host that covers the request's.
    pub fn find(&self, request: &Request) -> Lookup<'_> {
        let mut first = None;
        let found = self.covering(request.port, request.host, |_, table| {
            let host: &Host = first.get_or_insert(&table.host);
            match (table.find(request), table.host.on_miss) {
                (HostHit::Route(route), _) => ControlFlow::Break(Lookup::Route(route)),
                (HostHit::OverBudget, _) => ControlFlow::Break(Lookup::OverBudget { replies: &host.replies }),
                (HostHit::Miss, OnMiss::Stop) => ControlFlow::Break(Lookup::Miss { replies: &host.replies, host: Some(host) }),
                (HostHit::Miss, OnMiss::Wider) => ControlFlow::Continue(()),
            }
        });
        found.unwrap_or_else(|| {
            let host = first.map(|host| &**host);
            Lookup::Miss { replies: host.map_or(&self.replies, |host| &host.replies), host }
        })
    }

    /// What a handshake on this port does for a server name (lower case, without trailing dot).
    ///
    /// The most specific host that asked for TLS says what is shown: its certificate, else the gateway's default. One that nobody asked TLS
    /// for still has its own policy and routes, unless what covers it is passed on or refused.
    pub fn server(&self, port: u16, name: Option<&str>) -> Server<'_> {
        let mut first = None;
        let asked = self.covering(port, name.unwrap_or_default(), |_, table| {
            first.get_or_insert(&table.host);
            if table.host.tls == HostTls::None { ControlFlow::Continue(()) } else { ControlFlow::Break(&table.host) }
        });
        let default = || self.gateway.as_ref().and_then(|gateway| gateway.default_certificate.as_ref());
        let (shown, host) = match asked.map(|host| (&host.tls, host)) {
            Some((HostTls::Certificate(certificate), _)) => (Shown::Certificate(certificate), first),
            Some((HostTls::Passthrough, host)) => (Shown::Passthrough, Some(host)),
            Some((HostTls::Refuse, host)) => (Shown::Refuse, Some(host)),
            Some((HostTls::Default | HostTls::None, _)) | None => (default().map_or(Shown::Refuse, Shown::Certificate), first),
        };
        let shown = if matches!(shown, Shown::Refuse) && self.only_hands_on(port) { Shown::Close } else { shown };
        Server { shown, policy: host.map_or(&NO_POLICY, |host| &host.tls_policy), tunnel: host.and_then(|host| host.tunnel.as_ref()) }
    }

    /// Where connections to a TCP port go.
    pub fn tunnel(&self, port: u16) -> Option<&Tunnel> {
        self.port(port)?.any()?.host.tunnel.as_ref()
    }

    /// Where datagrams to a port go.
    pub fn datagrams(&self, port: u16) -> Option<&Tunnel> {
        self.port(port)?.any()?.host.datagrams.as_ref()
    }

    /// The certificate a handshake on this port shows for a server name.
    pub fn certificate(&self, port: u16, name: Option<&str>) -> Option<&Arc<Certificate>> {
        match self.server(port, name).shown {
            Shown::Certificate(certificate) => Some(certificate),
            Shown::Passthrough | Shown::Refuse | Shown::Close => None,
        }
    }

    /// Whether what is in a port's TLS connections is never ours to read.
    fn only_hands_on(&self, port: u16) -> bool {
        let (own, common) = (self.port(port).map(Hosts::tally).unwrap_or_default(), self.common.tally());
        own.http + common.http == 0 && own.tunnels + common.tunnels > 0
    }

    /// Whether a host or a wildcard that covers it asked for TLS, on whichever port. The catch-all host counts for no name.
    pub fn knows_certificate(&self, host: &str) -> bool {
        let known = |own: Option<&Hosts>| {
            let asked = covering(own, &self.common, host, |_, table| match (&table.host.name, &table.host.tls) {
                (HostPattern::Any, _) | (_, HostTls::None) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            });
            asked.is_some()
        };
        known(None) || self.ports.iter().any(|(_, own)| known(Some(own)))
    }

    /// Visits the hosts that cover a name on a port, the most specific first.
    pub(crate) fn covering<'a, T>(
        &'a self,
        port: u16,
        host: &str,
        visit: impl FnMut(Kin, &'a Arc<HostTable>) -> ControlFlow<T>,
    ) -> Option<T> {
        covering(self.port(port), &self.common, host, visit)
    }

    /// Hosts of this port alone.
    fn port(&self, port: u16) -> Option<&Hosts> {
        self.ports.iter().find(|(own, _)| *own == port).map(|(_, hosts)| &**hosts)
    }

    pub(crate) fn set_gateway(&mut self, gateway: Option<Arc<Gateway>>) {
        self.replies = gateway.as_ref().map(|gateway| gateway.replies.clone()).unwrap_or_default();
        self.tracing = gateway.as_ref().and_then(|gateway| gateway.options.tracing.clone());
        self.gateway = gateway;
    }

    /// The table of a host whose content has this hash, on whichever port.
    pub(crate) fn unchanged(&self, name: &HostPattern, hash: ContentHash) -> Option<&Arc<HostTable>> {
        let own = || self.ports.iter().find_map(|(_, hosts)| hosts.unchanged(name, hash));
        self.common.unchanged(name, hash).or_else(own)
    }

    /// Sets and removes hosts, of one port or of all.
    pub(crate) fn change(&mut self, port: Option<u16>, changes: Vec<(HostPattern, Option<Arc<HostTable>>)>) {
        let Some(port) = port else { return self.common.change(changes) };
        let at = self.ports.partition_point(|(own, _)| *own < port);
        if self.ports.get(at).is_none_or(|(own, _)| *own != port) {
            self.ports.insert(at, (port, Arc::default()));
        }
        if let Some((_, hosts)) = self.ports.get_mut(at) {
            Arc::make_mut(hosts).change(changes);
        }
        self.ports.retain(|(_, hosts)| hosts.len() > 0);
    }
}
