//! What objects ask of gateways as such: where to listen, and that there be one at all.

use crate::kind::ingress_gateway::IngressGateway;
use crate::kind::meta::Name;
use crate::kind::size::Size;
use model::{GatewayId, HostPattern, ListenerProtocol, ObjectRef, Replies, SectionName, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// A gateway as objects ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub gateway: GatewayId,
    /// `None`: the gateway is a shared one, which is there already.
    pub workload: Option<Workload>,
    /// Who says how a shared one is to be, if anybody does.
    pub request: Option<Arc<IngressGateway>>,
    /// Several owners may want one port.
    pub ports: Vec<WantedPort>,
    /// Where no host matches.
    pub replies: Replies,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedPort {
    pub number: u16,
    pub protocol: ListenerProtocol,
    /// For example `http`.
    pub name: SectionName,
    pub owner: ObjectRef,
    /// When the owner was created: the older keeps a port that both want for something else.
    pub created: i64,
    /// Where the owner says so, for example `spec.servers[0].port`.
    pub field: Text,
}

/// A workload of a gateway's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub owner: ObjectRef,
    pub owner_uid: Text,
    /// Of its Service, Deployment and ServiceAccount.
    pub name: Name,
    /// The GatewayClass.
    pub class: Text,
    pub entrance: Entrance,
    pub size: Size,
    /// For everything that is made for it.
    pub labels: BTreeMap<Text, Text>,
    pub annotations: BTreeMap<Text, Text>,
}

/// How a gateway is to be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entrance {
    pub access: WorkloadAccess,
    /// The one address asked for.
    pub address: Option<IpAddr>,
    /// Asked for, by the port that users have, for example 80.
    pub node_ports: BTreeMap<u16, u16>,
    /// Of its Service: `loadBalancerClass`, `externalTrafficPolicy`.
    pub class: Option<Text>,
    pub traffic_policy: Option<Text>,
    /// What people really use: shown in the place of everything else.
    pub public: Vec<Text>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkloadAccess {
    #[default]
    LoadBalancer,
    NodePort,
    ClusterIp,
}

/// What a version of an object has a say in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// Hosts whose routes it can change: gateway, port, host.
    pub hosts: BTreeSet<(GatewayId, u16, HostPattern)>,
    /// Objects whose status it can change, itself included.
    pub objects: BTreeSet<ObjectRef>,
    /// Whether it can change which gateways are wanted, and their ports.
    pub wanted: bool,
}

// === impl Touch ===

impl Touch {
    pub fn extend(&mut self, other: Self) {
        self.hosts.extend(other.hosts);
        self.objects.extend(other.objects);
        self.wanted |= other.wanted;
    }
}
