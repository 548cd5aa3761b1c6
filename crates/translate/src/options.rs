//! What an operator decides.

use model::{Egress, GatewayId};
use resources::Scope;

#[derive(Clone, Debug)]
pub struct Options {
    pub gateways: Vec<ScopedGateway>,
    pub ingress: translate_ingress::Options,
    /// Addresses no backend may have.
    pub egress: Egress,
}

/// A gateway, and whose objects it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedGateway {
    pub id: GatewayId,
    pub scope: Scope,
}

// === impl Options ===

impl Options {
    /// One gateway for all, otherwise defaults.
    pub fn new(gateway: GatewayId) -> Self {
        Self {
            gateways: vec![ScopedGateway { id: gateway, scope: Scope::Cluster }],
            ingress: translate_ingress::Options::default(),
            egress: Egress::default(),
        }
    }

    pub(crate) fn gateway(&self, id: &GatewayId) -> Option<&ScopedGateway> {
        self.gateways.iter().find(|gateway| gateway.id == *id)
    }
}
