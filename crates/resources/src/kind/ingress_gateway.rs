//! `paifang.dev` IngressGateway: the gateway that somebody asks for.

use super::Kind;
use super::meta::{Meta, Name};
use super::size::Size;
use crate::at::{At, Problems};
use crate::problem::{Cause, Problem};
use crate::wanted::{Entrance, WorkloadAccess};
use model::{Hostname, ObjectRef, Percent, Text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressGateway {
    /// Of the object that asks: KubeSphere has a kind of its own for it.
    pub kind: Kind,
    pub meta: Meta,
    /// Where the scope is a project: which.
    pub project: Text,
    pub scope: GatewayScope,
    pub entrance: Entrance,
    /// Who is to give the address, for those who look.
    pub provider: Option<Text>,
    /// For its Service.
    pub annotations: BTreeMap<Text, Text>,
    pub size: Size,
    /// Options by ingress-nginx's names.
    pub config: BTreeMap<Text, Text>,
    /// Ports that are passed on, as ingress-nginx's ConfigMaps have them: `9000: NAMESPACE/SERVICE:PORT`.
    pub tcp: BTreeMap<Text, Text>,
    pub udp: BTreeMap<Text, Text>,
    /// `None`: nothing is traced.
    pub tracing: Option<Tracing>,
    pub governance: bool,
    /// What selectors of Istio's Gateways match, beside its own.
    pub labels: BTreeMap<Text, Text>,
    pub problems: Vec<Problem>,
}

/// For whom a gateway is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayScope {
    /// One project's.
    Project,
    /// The projects of this workspace.
    Workspace(Text),
    Cluster,
    /// It says something that is none of them.
    Unknown,
}

/// What is told to a collector of spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// Of the requests that bring no trace with them.
    pub sampling: Percent,
    /// Where the collector listens; `None`: nobody said.
    pub endpoint: Option<Text>,
}

/// KubeSphere's switch, on the object.
pub(crate) const GOVERNANCE: &str = "servicemesh.kubesphere.io/enabled";

// === impl IngressGateway ===

impl IngressGateway {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut read = Self::of(meta, Kind::IngressGateway);
        if let Some(spec) = root.field("spec") {
            read.spec(&spec, &mut problems);
        }
        read.trace_if_governed();
        Self { problems, ..read }
    }

    /// One that says nothing.
    pub(crate) fn of(meta: Meta, kind: Kind) -> Self {
        Self {
            kind,
            project: meta.name.namespace.clone(),
            governance: meta.annotation(GOVERNANCE).is_some_and(|it| *it == *"true"),
            meta,
            scope: GatewayScope::Project,
            entrance: Entrance { access: WorkloadAccess::NodePort, ..Entrance::default() },
            provider: None,
            annotations: BTreeMap::new(),
            size: Size::default(),
            config: BTreeMap::new(),
            tcp: BTreeMap::new(),
            udp: BTreeMap::new(),
            tracing: None,
            labels: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn trace_if_governed(&mut self) {
        if self.governance && self.tracing.is_none() {
            self.tracing = Some(Tracing { sampling: Percent::ALL, endpoint: None });
        }
    }

    /// Annotations for its Service: what marks objects as ours nobody else writes.
    pub fn service_annotations(&self) -> BTreeMap<Text, Text> {
        let foreign = |key: &str| !key.starts_with("paifang.dev/") && !key.starts_with("kubectl.kubernetes.io/");
        self.annotations.iter().filter(|(key, _)| foreign(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The object that asks.
    pub fn object_ref(&self) -> ObjectRef {
        self.kind.object_ref(&self.meta.name)
    }

    fn spec(&mut self, spec: &At<'_>, problems: &mut Problems) {
        self.scope = scope(spec, problems);
        if let Some(access) = spec.field("access") {
            self.access(&access, problems);
        }
        self.size = Size::read(spec, problems);
        self.config = texts(spec, "config", problems);
        self.tcp = texts(spec, "tcp", problems);
        self.udp = texts(spec, "udp", problems);
        self.labels = texts(spec, "labels", problems);
        self.governance |= spec.flag("governance", problems).unwrap_or(false);
        self.tracing = spec.field("tracing").and_then(|it| tracing(&it, problems));
    }

    fn access(&mut self, access: &At<'_>, problems: &mut Problems) {
        let entrance = &mut self.entrance;
        if let Some(at) = access.field("type") {
            let read = match at.value.as_str() {
                Some("NodePort") => Some(WorkloadAccess::NodePort),
                Some("LoadBalancer") => Some(WorkloadAccess::LoadBalancer),
                Some("ClusterIP") => Some(WorkloadAccess::ClusterIp),
                _ => None,
            };
            entrance.access = at.expected(read, "NodePort, LoadBalancer or ClusterIP", problems).unwrap_or(entrance.access);
        }
        if let Some(ports) = access.field("nodePorts") {
            for (name, port) in [("http", 80), ("https", 443)] {
                entrance.node_ports.extend(ports.port(name, problems).map(|it| (port, it)));
            }
        }
        if let Some(at) = access.field("loadBalancerIP") {
            let read = at.value.as_str().and_then(|it| it.parse().ok());
            entrance.address = at.expected(read, "an IP address", problems);
        }
        entrance.class = access.text("loadBalancerClass", problems);
        entrance.traffic_policy = access.text("externalTrafficPolicy", problems);
        access.list("publicAddresses", problems, |_, at, problems| {
            let good = |it: &&str| it.parse::<IpAddr>().is_ok() || Hostname::parse(it).is_ok();
            let read = at.value.as_str().filter(good).map(Text::from);
            entrance.public.extend(at.expected(read, "an IP address or a host name", problems));
        });
        problems.extend(idle(entrance));
        self.provider = access.text("provider", problems);
        self.annotations = texts(access, "annotations", problems);
    }
}

/// What says nothing for the type.
fn idle(entrance: &Entrance) -> Vec<Problem> {
    let said = [
        ("loadBalancerClass", entrance.class.is_some() && entrance.access != WorkloadAccess::LoadBalancer, "LoadBalancer"),
        ("loadBalancerIP", entrance.address.is_some() && entrance.access != WorkloadAccess::LoadBalancer, "LoadBalancer"),
        ("nodePorts", !entrance.node_ports.is_empty() && entrance.access == WorkloadAccess::ClusterIp, "NodePort or LoadBalancer"),
        (
            "externalTrafficPolicy",
            entrance.traffic_policy.is_some() && entrance.access == WorkloadAccess::ClusterIp,
            "NodePort or LoadBalancer",
        ),
    ];
    let idle = said.into_iter().filter(|(_, idle, _)| *idle);
    idle.map(|(name, _, of)| {
        Problem::note(format!("spec.access.{name}"), Cause::NoEffect, format!("it is for type {of}, and does nothing here"))
    })
    .collect()
}

fn scope(spec: &At<'_>, problems: &mut Problems) -> GatewayScope {
    let workspace = spec.text("workspace", problems);
    let Some(at) = spec.field("scope") else { return GatewayScope::Project };
    match (at.value.as_str(), workspace) {
        (Some("Project"), _) => GatewayScope::Project,
        (Some("Cluster"), _) => GatewayScope::Cluster,
        (Some("Workspace"), Some(workspace)) => GatewayScope::Workspace(workspace),
        (Some("Workspace"), None) => {
            problems.push(Problem::error("spec.workspace", Cause::Malformed, "scope Workspace names no workspace").hint("Write its name"));
            GatewayScope::Unknown
        }
        _ => at.expected(None, "Project, Workspace or Cluster", problems).unwrap_or(GatewayScope::Unknown),
    }
}

fn tracing(at: &At<'_>, problems: &mut Problems) -> Option<Tracing> {
    let enabled = at.flag("enabled", problems).unwrap_or(true);
    let sampling = at.field("sampling").and_then(|it| {
        let percent = it.value.as_f64().filter(|it| (0.0..=100.0).contains(it));
        it.expected(percent, "a number from 0 to 100", problems)
    });
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million, as was just checked")]
    let sampling = sampling.map_or(Percent::ALL, |it| Percent((it * 10_000.0).round() as u32));
    let endpoint = at.text("endpoint", problems);
    enabled.then_some(Tracing { sampling, endpoint })
}

pub(crate) fn texts(at: &At<'_>, name: &str, problems: &mut Problems) -> BTreeMap<Text, Text> {
    let mut texts = BTreeMap::new();
    at.entries(name, problems, |key, at, problems| {
        texts.extend(at.expected(at.value.as_str(), "a string", problems).map(|it| (key.into(), it.into())));
    });
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_says_nothing_for_its_type_and_what_is_no_address_is_told() {
        let check = |access: Value, public: &[&str], told: &[&str]| {
            let read = IngressGateway::read(Name::new("p", "g"), &json!({ "spec": { "access": access } }));
            let fields: Vec<&str> = read.problems.iter().map(|it| it.field.as_str()).collect();
            assert_eq!((read.entrance.public, fields), (public.iter().map(|it| Text::from(*it)).collect(), told.to_vec()));
        };
        let all = |kind: &str| json!({ "type": kind, "loadBalancerClass": "x/y", "loadBalancerIP": "10.0.0.1", "externalTrafficPolicy": "Local", "nodePorts": { "http": 30080 } });
        let (class, ip, policy, ports) =
            ("spec.access.loadBalancerClass", "spec.access.loadBalancerIP", "spec.access.externalTrafficPolicy", "spec.access.nodePorts");
        check(all("LoadBalancer"), &[], &[]);
        check(all("NodePort"), &[], &[class, ip]);
        check(all("ClusterIP"), &[], &[class, ip, ports, policy]);
        let names = json!({ "publicAddresses": ["192.0.2.1", "2001:db8::1", "eip.example.com", "not a name", "http://x", 7] });
        let at = |index: usize| format!("spec.access.publicAddresses[{index}]");
        check(names, &["192.0.2.1", "2001:db8::1", "eip.example.com"], &[&at(3), &at(4), &at(5)]);
    }
}
