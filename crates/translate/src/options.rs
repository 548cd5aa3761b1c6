//! What an operator decides.

use crate::requests::{self, Naming};
use model::{Collector, Egress, GatewayId, ServerHeader};
use resources::{Resources, SharedGateway};

#[derive(Clone, Debug)]
pub struct Options {
    /// Gateways that several APIs share: the operator's, and those that IngressGateways ask for. Those of Gateway API's Gateways come from
    /// the objects.
    pub gateways: Vec<SharedGateway>,
    /// Of the gateways that are asked for.
    pub naming: Naming,
    /// What runs gateways.
    pub workloads: Workloads,
    pub ingress: translate_ingress::Options,
    pub istio: translate_istio::Options,
    pub gateway_api: translate_gateway_api::Options,
    /// Whose routes come first on a host that several fill.
    pub order: [Frontend; 3],
    /// Services that ask to be reached from outside.
    pub services: Services,
    /// Addresses no backend may have.
    pub egress: Egress,
    /// Where spans go of gateways that name no collector of their own.
    pub collector: Option<Collector>,
}

/// Who sees to Services of type NodePort and LoadBalancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Services {
    /// A cluster's own.
    #[default]
    LeftAlone,
    /// This process: there is nobody else.
    Forwarded,
}

/// What runs gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Workloads {
    /// One process all of them.
    #[default]
    OneProcess,
    /// Each has Pods of its own.
    Pods,
}

/// An API that routes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frontend {
    GatewayApi,
    Istio,
    Ingress,
}

// === impl Options ===

impl Options {
    /// One gateway for all, otherwise defaults.
    pub fn new(gateway: GatewayId) -> Self {
        Self {
            gateways: vec![SharedGateway::new(gateway)],
            naming: Naming::default(),
            workloads: Workloads::default(),
            ingress: translate_ingress::Options::default(),
            istio: translate_istio::Options::default(),
            gateway_api: translate_gateway_api::Options::default(),
            // An Ingress for `/` would leave nothing to those after it.
            order: [Frontend::GatewayApi, Frontend::Istio, Frontend::Ingress],
            services: Services::default(),
            egress: Egress::default(),
            collector: None,
        }
    }

    /// The same with the gateways that these objects ask for.
    pub fn with_gateways(&self, resources: &Resources) -> Self {
        Self { gateways: requests::gateways(resources, self), ..self.clone() }
    }

    /// The time, for certificates that expire.
    pub fn set_now(&mut self, now: Option<i64>) {
        (self.ingress.now, self.istio.now, self.gateway_api.now) = (now, now, now);
    }

    /// The `server` header of answers on routes of Istio's objects, and of whoever asks for Istio by class.
    pub fn set_istio_server(&mut self, server: ServerHeader) {
        let controllers = self.gateway_api.controllers.iter_mut().filter(|(name, _)| name.as_str().starts_with("istio.io/"));
        for (_, replies) in controllers {
            replies.server = server.clone();
        }
        self.ingress.istio.replies.server = server.clone();
        self.istio.replies.server = server;
    }

    pub(crate) fn shared(&self, id: &GatewayId) -> Option<&SharedGateway> {
        self.gateways.iter().find(|gateway| gateway.id == *id)
    }
}
