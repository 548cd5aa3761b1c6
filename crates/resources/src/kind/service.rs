//! `v1` Service.

use super::meta::{Meta, Name};
use crate::at::{At, Problems};
use crate::problem::Problem;
use ipnet::IpNet;
use model::Text;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub meta: Meta,
    pub kind: ServiceType,
    /// Without the `None` of headless ones.
    pub cluster_ips: Vec<IpAddr>,
    pub ports: Vec<ServicePort>,
    pub exposure: Exposure,
    pub problems: Vec<Problem>,
}

/// How a Service asks to be reached from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// `loadBalancerClass`: who is to give the address.
    pub class: Option<Text>,
    /// `loadBalancerIP`: no other address will do.
    pub address: Option<IpAddr>,
    /// `externalIPs`, as written.
    pub external: Vec<IpAddr>,
    /// `loadBalancerSourceRanges`: who may use its address. `None`: everybody. One that cannot be read admits nobody.
    pub clients: Option<Arc<[IpNet]>>,
    pub affinity: Affinity,
    pub node_ports: NodePorts,
    pub traffic: Traffic,
}

/// `sessionAffinity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Affinity {
    #[default]
    None,
    ClientAddress,
}

/// `allocateLoadBalancerNodePorts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodePorts {
    #[default]
    Allocated,
    /// Those that are written stay.
    Withheld,
}

/// `externalTrafficPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    #[default]
    Cluster,
    Local,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceType {
    ClusterIp,
    NodePort,
    LoadBalancer,
    /// The name its endpoints are found under.
    ExternalName(Text),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Empty where the Service has one port without name.
    pub name: Text,
    pub port: u16,
    pub target: TargetPort,
    /// `TCP` where missing.
    pub protocol: Text,
    /// `appProtocol`, for example `kubernetes.io/h2c`.
    pub app_protocol: Option<Text>,
    pub node_port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    Number(u16),
    Name(Text),
}

// === impl Service ===

impl Service {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut service = Self {
            meta,
            kind: ServiceType::ClusterIp,
            cluster_ips: Vec::new(),
            ports: Vec::new(),
            exposure: Exposure::default(),
            problems: Vec::new(),
        };
        if let Some(spec) = root.field("spec") {
            service.kind = ServiceType::read(&spec, &mut problems);
            service.cluster_ips = cluster_ips(&spec, &mut problems);
            spec.list("ports", &mut problems, |_, at, problems| service.ports.extend(ServicePort::read(at, problems)));
            service.ports.shrink_to_fit();
            service.exposure = Exposure::read(&spec, &mut problems);
        }
        service.problems = problems;
        service
    }

    /// The hint for a port that it does not have: those it has.
    pub fn suggest_port(&self) -> String {
        let shown = |port: &ServicePort| match port.name.as_str() {
            "" => port.port.to_string(),
            name => format!("{} (`{name}`)", port.port),
        };
        let ports: Vec<String> = self.ports.iter().filter(|port| port.protocol == "TCP").map(shown).collect();
        if ports.is_empty() { "It has no TCP ports".into() } else { format!("It has {}", ports.join(", ")) }
    }
}

fn cluster_ips(spec: &At<'_>, problems: &mut Problems) -> Vec<IpAddr> {
    let mut texts: Vec<Text> = Vec::new();
    spec.list("clusterIPs", problems, |_, at, _| texts.extend(at.value.as_str().map(Text::from)));
    if texts.is_empty() {
        texts.extend(spec.text("clusterIP", problems));
    }
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

// === impl Exposure ===

impl Exposure {
    fn read(spec: &At<'_>, problems: &mut Problems) -> Self {
        let mut exposure = Self { class: spec.text("loadBalancerClass", problems).filter(|it| !it.is_empty()), ..Self::default() };
        if let Some(at) = spec.field("loadBalancerIP").filter(|at| at.value.as_str() != Some("")) {
            exposure.address = at.expected(parsed(&at), "an IP address", problems);
        }
        spec.list("externalIPs", problems, |_, at, problems| exposure.external.extend(at.expected(parsed(at), "an IP address", problems)));
        let (mut ranges, mut given) = (Vec::new(), 0);
        spec.list("loadBalancerSourceRanges", problems, |_, at, problems| {
            given += 1;
            ranges.extend(at.expected(range(at), "a range of addresses, for example 10.0.0.0/8", problems));
        });
        exposure.clients = (given > 0).then(|| ranges.into());
        if spec.text("sessionAffinity", problems).is_some_and(|it| it == *"ClientIP") {
            exposure.affinity = Affinity::ClientAddress;
        }
        if spec.flag("allocateLoadBalancerNodePorts", problems) == Some(false) {
            exposure.node_ports = NodePorts::Withheld;
        }
        if spec.text("externalTrafficPolicy", problems).is_some_and(|it| it == *"Local") {
            exposure.traffic = Traffic::Local;
        }
        exposure
    }
}

fn parsed(at: &At<'_>) -> Option<IpAddr> {
    at.value.as_str()?.trim().parse().ok()
}

/// Blanks around it are allowed, as Kubernetes does.
fn range(at: &At<'_>) -> Option<IpNet> {
    at.value.as_str()?.trim().parse().ok()
}

// === impl ServiceType ===

impl ServiceType {
    fn read(spec: &At<'_>, problems: &mut Problems) -> Self {
        let Some(at) = spec.field("type") else { return Self::ClusterIp };
        let kind = match at.value.as_str() {
            Some("ClusterIP") => Some(Self::ClusterIp),
            Some("NodePort") => Some(Self::NodePort),
            Some("LoadBalancer") => Some(Self::LoadBalancer),
            Some("ExternalName") => Some(Self::ExternalName(spec.text("externalName", problems).unwrap_or_default())),
            _ => None,
        };
        at.expected(kind, "ClusterIP, NodePort, LoadBalancer or ExternalName", problems).unwrap_or(Self::ClusterIp)
    }
}

// === impl ServicePort ===

impl ServicePort {
    fn read(at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let name = at.text("name", problems).unwrap_or_default();
        let protocol = at.text("protocol", problems).unwrap_or_else(|| "TCP".into());
        let app_protocol = at.text("appProtocol", problems).filter(|it| !it.is_empty());
        let port = at.port("port", problems)?;
        let target = match at.field("targetPort") {
            Some(target) if target.value.is_string() => target.value.as_str().map(|name| TargetPort::Name(name.into())),
            Some(target) if target.value.as_u64() == Some(0) => None,
            _ => at.port("targetPort", problems).map(TargetPort::Number),
        };
        let node_port = at.field("nodePort").and_then(|at| u16::try_from(at.value.as_u64()?).ok()).filter(|port| *port > 0);
        Some(Self { name, port, target: target.unwrap_or(TargetPort::Number(port)), protocol, app_protocol, node_port })
    }
}
