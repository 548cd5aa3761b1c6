//! `networking.istio.io` VirtualService.

use super::http_match::{GatewayName, gateways};
use super::http_rule::HttpRule;
use super::{Destination, ExportTo, IstioHost, Share, closes, host_pattern, no_host, not_followed, unsupported};
use crate::at::{At, Problems};
use crate::kind::meta::{Meta, Name};
use crate::problem::{Cause, Problem};
use model::{HostPattern, Text};
use serde_json::Value;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualService {
    pub meta: Meta,
    pub export_to: ExportTo,
    /// Place in the list, and the host. Empty: others delegate to it.
    pub hosts: Vec<(usize, IstioHost)>,
    /// It was written without hosts; hosts that cannot be read do not make it a delegate.
    pub is_delegate: bool,
    /// Place in the list, and the name. Empty: `mesh` alone.
    pub gateways: Vec<(usize, GatewayName)>,
    pub http: Vec<HttpRule>,
    pub tls: Vec<TlsRule>,
    pub tcp: Vec<TcpRule>,
    pub problems: Vec<Problem>,
}

/// A rule for TLS that passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRule {
    pub index: usize,
    pub matches: Vec<TlsMatch>,
    pub route: Vec<Share>,
    /// Something in it cannot be read: nothing goes anywhere.
    pub closed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsMatch {
    pub index: usize,
    /// Place in the list, and the server name.
    pub names: Vec<(usize, HostPattern)>,
    pub only: L4Match,
}

/// A rule for connections as they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpRule {
    pub index: usize,
    /// Empty: every connection.
    pub matches: Vec<L4Match>,
    pub route: Vec<Share>,
    pub closed: bool,
}

/// Where connections came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L4Match {
    pub port: Option<u16>,
    /// Empty: as the VirtualService says.
    pub gateways: BTreeSet<GatewayName>,
    /// It cannot be read, or asks for what is not known here: it matches nothing.
    pub never: bool,
}

// === impl VirtualService ===

impl VirtualService {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut read = Self {
            meta,
            export_to: ExportTo::default(),
            hosts: Vec::new(),
            is_delegate: true,
            gateways: Vec::new(),
            http: Vec::new(),
            tls: Vec::new(),
            tcp: Vec::new(),
            problems: Vec::new(),
        };
        if let Some(spec) = root.field("spec") {
            read.spec(&spec, &mut problems);
        }
        read.problems = problems;
        read
    }

    fn spec(&mut self, spec: &At<'_>, problems: &mut Problems) {
        let namespace = self.meta.name.namespace.clone();
        self.export_to = ExportTo::read(spec, problems);
        self.is_delegate = spec.field("hosts").is_none_or(|at| at.value.as_array().is_some_and(Vec::is_empty));
        spec.list("hosts", problems, |index, at, problems| {
            self.hosts.extend(IstioHost::read(at, &namespace, problems).map(|host| (index, host)));
        });
        self.gateways = gateways(spec, &namespace, problems);
        spec.list("http", problems, |index, at, problems| self.http.extend(HttpRule::read(index, at, &namespace, problems)));
        spec.list("tls", problems, |index, at, problems| self.tls.extend(TlsRule::read(index, at, &namespace, problems)));
        spec.list("tcp", problems, |index, at, problems| self.tcp.extend(TcpRule::read(index, at, &namespace, problems)));
        if self.is_delegate && !self.gateways.is_empty() {
            let message = "it has no hosts, so it is a delegate, and what delegates to it says at which gateways";
            problems.push(Problem::warning("spec.gateways", Cause::NoEffect, message).hint("Delete `gateways`, or add `hosts`"));
        }
        if ["http", "tls", "tcp"].into_iter().all(|name| spec.field(name).is_none()) {
            problems.push(Problem::error("spec", Cause::Malformed, "it has no rule").hint("Add `http`, `tls` or `tcp`"));
        }
    }

    /// The Gateways it names.
    pub fn bound(&self) -> impl Iterator<Item = (usize, &Name)> {
        let bound = self.gateways.iter().filter_map(|(index, name)| match name {
            GatewayName::Gateway(name) => Some((*index, name)),
            GatewayName::Mesh => None,
        });
        bound.filter(|_| !self.is_delegate)
    }

    /// Every destination and mirror.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        let http = self.http.iter().flat_map(|rule| {
            let mirrors = rule.mirrors.iter().flatten().map(|mirror| &mirror.destination);
            rule.route.iter().map(|it| &it.share.destination).chain(mirrors)
        });
        let l4 = self.tls.iter().flat_map(|rule| &rule.route).chain(self.tcp.iter().flat_map(|rule| &rule.route));
        http.chain(l4.map(|share| &share.destination))
    }

    /// The VirtualServices it delegates to.
    pub fn delegates(&self) -> impl Iterator<Item = &Name> {
        self.http.iter().filter_map(|rule| rule.delegate.as_ref())
    }

    /// The server names its rules for passing TLS through have.
    pub fn server_names(&self) -> impl Iterator<Item = &HostPattern> {
        self.tls.iter().flat_map(|rule| &rule.matches).flat_map(|it| &it.names).map(|(_, name)| name)
    }
}

// === impl TlsRule, TcpRule ===

impl TlsRule {
    fn read(index: usize, at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let mut rule = Self { index, matches: Vec::new(), route: Vec::new(), closed: false };
        at.list("match", problems, |index, at, problems| rule.matches.push(TlsMatch::read(index, at, namespace, problems)));
        if rule.matches.is_empty() {
            let message = "a rule for TLS names the server names it is for";
            problems.push(Problem::error(format!("{at}.match"), Cause::Malformed, message).hint("Add `match: [{sniHosts: [NAME]}]`"));
        }
        (rule.route, rule.closed) = shares(at, namespace, problems);
        Some(rule)
    }
}

impl TlsMatch {
    fn read(index: usize, at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Self {
        let mut names = Vec::new();
        at.list("sniHosts", problems, |index, at, problems| {
            let Some(text) = at.expected(at.value.as_str(), "a string", problems) else { return };
            match host_pattern(text) {
                Ok(pattern) => names.push((index, pattern)),
                Err(why) => problems.push(no_host(at, text, &why)),
            }
        });
        Self { index, names, only: L4Match::read(at, namespace, problems) }
    }
}

impl TcpRule {
    fn read(index: usize, at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let mut rule = Self { index, matches: Vec::new(), route: Vec::new(), closed: false };
        at.list("match", problems, |_, at, problems| rule.matches.push(L4Match::read(at, namespace, problems)));
        (rule.route, rule.closed) = shares(at, namespace, problems);
        rule.closed |= at.field("match").is_some_and(|it| !it.value.is_array());
        Some(rule)
    }
}

fn shares(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> (Vec<Share>, bool) {
    let before = problems.len();
    let mut shares = Vec::new();
    at.list("route", problems, |_, at, problems| shares.extend(Share::read(at, namespace, problems)));
    if shares.is_empty() && problems.len() == before {
        problems.push(Problem::error(format!("{at}.route"), Cause::Malformed, "the rule leads nowhere").hint("Add a `route`"));
    }
    let closed = closes(&problems[before..]);
    (shares, closed)
}

impl L4Match {
    fn read(at: &At<'_>, namespace: &Text, problems: &mut Problems) -> Self {
        let before = problems.len();
        let port = at.port("port", problems);
        let gateways = gateways(at, namespace, problems).into_iter().map(|(_, name)| name).collect();
        unsupported(
            at,
            &[
                ("destinationSubnets", "at a gateway it is not looked at"),
                ("sourceLabels", "at a gateway it is not looked at"),
                ("sourceNamespace", "at a gateway it is not looked at"),
            ],
            problems,
        );
        let mut never = at.value.as_object().is_none() || closes(&problems[before..]);
        if let Some(field) = at.field("sourceSubnets").or_else(|| at.field("sourceSubnet")) {
            problems.push(not_followed(field.path(), "nothing matches").hint("Leave it out to let everybody in"));
            never = true;
        }
        Self { port, gateways, never }
    }
}
