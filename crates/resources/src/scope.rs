//! Whose objects a gateway serves.

use crate::kind::Kind;
use crate::kind::class::ClassGateway;
use crate::kind::ingress_gateway::IngressGateway;
use crate::kind::meta::Name;
use model::{GatewayId, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Every namespace.
    #[default]
    Cluster,
    /// The projects of a workspace.
    Workspace { name: Text, projects: Arc<BTreeSet<Text>> },
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
    /// The object that asks for it, or for how it is to be.
    pub request: Option<Arc<IngressGateway>>,
    pub origin: Origin,
}

/// Why a gateway is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// An operator says so.
    #[default]
    Operator,
    /// Its request does.
    Request,
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
            request: None,
            origin: Origin::Operator,
        }
    }

    /// Whether a selector means its workload. An empty selector means every workload.
    pub fn is_selected(&self, selector: &BTreeMap<Text, Text>) -> bool {
        let asked = |name: &Text| self.request.as_ref().and_then(|it| it.labels.get(name));
        selector.iter().all(|(name, value)| self.labels.get(name) == Some(value) || asked(name) == Some(value))
    }

    /// Whether a class means this one, whatever the namespace.
    pub fn is_named_by(&self, class: &ClassGateway) -> bool {
        match class {
            ClassGateway::Object(name) => self.request.as_ref().is_some_and(|it| it.kind == Kind::IngressGateway && it.meta.name == *name),
            ClassGateway::Id(id) => self.id.as_str() == id.as_str(),
        }
    }
}

// === impl Scope ===

impl Scope {
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Workspace { projects, .. } => projects.contains(namespace),
            Self::Namespace(own) => own == namespace,
        }
    }

    /// The fewer it serves, the higher.
    fn rank(&self) -> u8 {
        match self {
            Self::Cluster => 0,
            Self::Workspace { .. } => 1,
            Self::Namespace(_) => 2,
        }
    }
}

/// The gateway of a namespace's objects that name none: its project's, else its workspace's, else everybody's.
pub fn home<'a>(gateways: &'a [SharedGateway], namespace: &str) -> Option<&'a SharedGateway> {
    // Of several of one kind the first.
    gateways.iter().rev().filter(|it| it.scope.covers(namespace)).max_by_key(|it| it.scope.rank())
}
