//! `networking.istio.io` DestinationRule.

use super::{ExportTo, IstioHost, ServiceHost, closes, duration, labels, number, unsupported};
use crate::at::{At, Problems};
use crate::kind::meta::{Meta, Name};
use crate::problem::{Cause, Problem};
use model::{Balancing, Text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationRule {
    pub meta: Meta,
    pub export_to: ExportTo,
    /// The one Service it is for; `None`: none, or several.
    pub service: ServiceHost,
    /// The hosts it is for; `None`: it cannot be read.
    pub host: Option<IstioHost>,
    /// Labels of the gateways it is for. Empty: all of them.
    pub workloads: Option<BTreeMap<Text, Text>>,
    pub policy: Option<TrafficPolicy>,
    pub subsets: Vec<Subset>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset {
    pub index: usize,
    pub name: Text,
    pub labels: BTreeMap<Text, Text>,
    pub policy: Option<TrafficPolicy>,
    /// Its labels cannot be read: it has no endpoints.
    pub closed: bool,
}

/// What is said about how to reach something; each part by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrafficPolicy {
    pub balancing: Option<Balancing>,
    pub pool: Option<ConnectionPool>,
    pub tls: Option<Upstream>,
    /// For one port, in place of all the rest.
    pub ports: BTreeMap<u16, TrafficPolicy>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionPool {
    pub connections: Option<u32>,
    pub connect: Option<Duration>,
    pub pending: Option<u32>,
    pub requests: Option<u32>,
    pub requests_per_connection: Option<u32>,
    pub idle: Option<Duration>,
}

/// How connections to the upstream are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    Plain,
    /// TLS was asked for, or something that cannot be read, and neither can be had: nothing is sent.
    Closed,
}

// === impl DestinationRule ===

impl DestinationRule {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let namespace = meta.name.namespace.clone();
        let mut read = Self {
            meta,
            export_to: ExportTo::default(),
            service: ServiceHost::new("", &namespace),
            host: None,
            workloads: None,
            policy: None,
            subsets: Vec::new(),
            problems: Vec::new(),
        };
        if let Some(spec) = root.field("spec") {
            read.spec(&spec, &namespace, &mut problems);
        }
        read.problems = problems;
        read
    }

    fn spec(&mut self, spec: &At<'_>, namespace: &Text, problems: &mut Problems) {
        self.export_to = ExportTo::read(spec, problems);
        match spec.field("host") {
            Some(at) => {
                self.host = IstioHost::read(&at, namespace, problems);
                self.service = ServiceHost::new(at.value.as_str().unwrap_or_default(), namespace);
            }
            None => problems.push(Problem::error("spec.host", Cause::Malformed, "it is missing")),
        }
        self.workloads = spec.field("workloadSelector").map(|at| labels(&at, "matchLabels", problems));
        self.policy = spec.field("trafficPolicy").map(|at| TrafficPolicy::read(&at, problems));
        spec.list("subsets", problems, |index, at, problems| {
            let subset = Subset::read(index, at, problems);
            if let Some(subset) = subset {
                if self.subsets.iter().any(|it| it.name == subset.name) {
                    let message = format!("there is a subset `{}` already, and the first counts", subset.name);
                    problems.push(Problem::error(format!("{at}.name"), Cause::InvalidValue, message).hint("Take another name"));
                }
                self.subsets.push(subset);
            }
        });
    }

    /// Whether it is for a workload with these labels, in its own namespace or in another.
    pub fn is_for_workload(&self, own_namespace: bool, labels: &BTreeMap<Text, Text>) -> bool {
        let selected = |wanted: &BTreeMap<Text, Text>| wanted.iter().all(|(name, value)| labels.get(name) == Some(value));
        self.workloads.as_ref().is_none_or(|wanted| own_namespace && selected(wanted))
    }

    pub fn subset(&self, name: &str) -> Option<&Subset> {
        self.subsets.iter().find(|subset| subset.name == *name)
    }
}

impl Subset {
    fn read(index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        if at.field("name").is_none() {
            problems.push(Problem::error(format!("{at}.name"), Cause::Malformed, "a subset has a name"));
        }
        let name = at.text("name", problems)?;
        let before = problems.len();
        let labels = labels(at, "labels", problems);
        let closed = problems.len() > before || labels.iter().any(|(name, value)| !is_label(name) || !is_label(value));
        Some(Self { index, name, labels, policy: at.field("trafficPolicy").map(|at| TrafficPolicy::read(&at, problems)), closed })
    }
}

/// What Kubernetes lets a label be, as far as it matters here: nothing that has a meaning in a backend's name.
fn is_label(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_./".contains(&octet))
}

// === impl TrafficPolicy ===

impl TrafficPolicy {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut policy = Self::one(at, problems);
        at.list("portLevelSettings", problems, |_, at, problems| {
            let port = at.field("port").and_then(|at| at.port("number", problems));
            match port {
                Some(port) => drop(policy.ports.insert(port, Self::one(at, problems))),
                None => problems.push(Problem::error(format!("{at}.port"), Cause::Malformed, "a port is named by its number")),
            }
        });
        policy
    }

    fn one(at: &At<'_>, problems: &mut Problems) -> Self {
        let later = [
            ("outlierDetection", "no endpoint is taken out for its answers"),
            ("proxyProtocol", "no PROXY header is sent"),
            ("tunnel", "connections are made directly"),
            ("retryBudget", "retries have no budget but their number"),
        ];
        unsupported(at, &later, problems);
        Self {
            balancing: at.field("loadBalancer").and_then(|at| balancing(&at, problems)),
            pool: at.field("connectionPool").map(|at| ConnectionPool::read(&at, problems)),
            tls: at.field("tls").map(|at| Upstream::read(&at, problems)),
            ports: BTreeMap::new(),
        }
    }

    /// What it says about a port: of `portLevelSettings` alone, where the port is among them.
    pub fn of_port(&self, port: u16) -> &Self {
        self.ports.get(&port).unwrap_or(self)
    }

    /// Whether it says anything that makes a difference.
    pub fn is_empty(&self) -> bool {
        self.balancing.is_none() && self.pool.is_none() && self.tls.is_none()
    }
}

fn balancing(at: &At<'_>, problems: &mut Problems) -> Option<Balancing> {
    let later = [
        ("consistentHash", "requests go to the endpoint with the fewest under way"),
        ("localityLbSetting", "endpoints have no locality here"),
        ("warmup", "a new endpoint gets its share at once"),
        ("warmupDurationSecs", "a new endpoint gets its share at once"),
    ];
    unsupported(at, &later, problems);
    let simple = at.field("simple")?;
    let known = match simple.value.as_str() {
        Some("ROUND_ROBIN") => Some(Balancing::RoundRobin),
        Some("RANDOM") => Some(Balancing::Random),
        Some("LEAST_REQUEST" | "LEAST_CONN" | "UNSPECIFIED") => Some(Balancing::LeastRequest),
        Some("PASSTHROUGH") => {
            let message = "at a gateway there is no address to pass on to: requests go to the endpoint with the fewest under way";
            problems.push(Problem::warning(simple.path(), Cause::Unsupported, message));
            return None;
        }
        _ => None,
    };
    simple.expected(known, "ROUND_ROBIN, RANDOM or LEAST_REQUEST", problems)
}

impl ConnectionPool {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let mut pool = Self::default();
        if let Some(tcp) = at.field("tcp") {
            pool.connections = count(&tcp, "maxConnections", problems);
            pool.connect = duration(&tcp, "connectTimeout", problems).filter(|it| !it.is_zero());
            pool.idle = duration(&tcp, "idleTimeout", problems).filter(|it| !it.is_zero());
            let later = [("tcpKeepalive", "the system's own is used"), ("maxConnectionDuration", "connections have no longest life")];
            unsupported(&tcp, &later, problems);
        }
        if let Some(http) = at.field("http") {
            pool.pending = count(&http, "http1MaxPendingRequests", problems);
            pool.requests = count(&http, "http2MaxRequests", problems);
            pool.requests_per_connection = count(&http, "maxRequestsPerConnection", problems);
            pool.idle = duration(&http, "idleTimeout", problems).filter(|it| !it.is_zero()).or(pool.idle);
            let later = [
                ("maxRetries", "retries are bounded for each request alone"),
                ("h2UpgradePolicy", "the upstream is spoken to in HTTP/1.1"),
                ("useClientProtocol", "the upstream is spoken to in HTTP/1.1"),
                ("maxConcurrentStreams", "the upstream is spoken to in HTTP/1.1"),
                ("http2KeepAlive", "the upstream is spoken to in HTTP/1.1"),
            ];
            unsupported(&http, &later, problems);
        }
        pool
    }
}

/// 0 stands for the default.
fn count(at: &At<'_>, name: &str, problems: &mut Problems) -> Option<u32> {
    number(at, name, problems).filter(|count| *count > 0)
}

impl Upstream {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        let before = problems.len();
        let mode = at.text("mode", problems).unwrap_or_else(|| "DISABLE".into());
        if closes(&problems[before..]) || !at.value.is_object() {
            return Self::Closed;
        }
        if mode == "DISABLE" {
            return Self::Plain;
        }
        let message =
            format!("TLS to the upstream (`{mode}`) is not supported, so what leads there answers 503: nothing is sent in plain text");
        problems.push(Problem::error(format!("{at}.mode"), Cause::Unsupported, message).hint("Write DISABLE to send in plain text"));
        Self::Closed
    }
}
