//! Whose objects a gateway serves.

use crate::kind::meta::Name;
use model::{GatewayId, Text};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every namespace.
    #[default]
    Cluster,
    /// A project's own gateway.
    Namespace(Text),
}

/// A gateway that is there whoever asks, and whose objects it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedGateway {
    pub id: GatewayId,
    pub scope: Scope,
    /// Of its workload: what selectors of Istio's Gateways match.
    pub labels: BTreeMap<Text, Text>,
    /// Where the workload runs, as those see it who select it by its labels: credentials are read there.
    pub namespace: Text,
    /// The Services it is seen as: a Gateway with one of their host names as its address joins it.
    pub services: Vec<Name>,
    /// The ports every Ingress is served on.
    pub http: u16,
    pub https: u16,
    /// Numbers that mean another port: the workload's own port, for the Service's.
    pub aliases: BTreeMap<u16, u16>,
}

// === impl SharedGateway ===

impl SharedGateway {
    /// Ports 80 and 443, all namespaces, no labels.
    pub fn new(id: GatewayId) -> Self {
        Self {
            id,
            scope: Scope::Cluster,
            labels: BTreeMap::new(),
            namespace: Text::default(),
            services: Vec::new(),
            http: 80,
            https: 443,
            aliases: BTreeMap::new(),
        }
    }

    /// Whether a selector means its workload. An empty selector means every workload.
    pub fn is_selected(&self, selector: &BTreeMap<Text, Text>) -> bool {
        selector.iter().all(|(name, value)| self.labels.get(name) == Some(value))
    }
}

// === impl Scope ===

impl Scope {
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(own) => own == namespace,
        }
    }
}
