//! The data plane, as the link obeys with it.

use model::{Ack, Egress, GatewayId, ObjectRef, Update};
use observe::Metrics;
use proxy::{Dataplane, Fares};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use sync::Follower;
use trace::Exporter;

pub struct Plane {
    dataplane: Dataplane,
    /// Sockets of this process that no backend may have.
    own: Vec<SocketAddr>,
}

// === impl Plane ===

impl Plane {
    pub fn start(options: proxy::Options, own: Vec<SocketAddr>) -> io::Result<Self> {
        let egress = Egress::new(own.clone());
        Ok(Self { dataplane: proxy::start(proxy::Options { egress, ..options })?, own })
    }

    pub fn metrics(&self) -> Arc<Metrics> {
        self.dataplane.metrics().clone()
    }

    /// Who tells collectors of spans what is sampled here. `instance`: what this pod is called there.
    pub fn exporter(self: &Arc<Self>, instance: &str) -> Exporter {
        let (rules, served) = (self.clone(), self.clone());
        Exporter {
            spans: self.dataplane.spans().clone(),
            metrics: self.metrics(),
            instance: instance.into(),
            egress: Arc::new(move || rules.dataplane.egress()),
            wanted: Box::new(move || served.dataplane.collectors()),
        }
    }

    /// How the backends of an object's routes fare.
    pub fn fares(&self, gateway: &GatewayId, object: &ObjectRef) -> Vec<Fares> {
        self.dataplane.fares(gateway, object)
    }

    pub async fn drain(&self, deadline: Duration) {
        self.dataplane.drain(deadline).await;
    }
}

impl Follower for Plane {
    async fn apply(&self, update: Update) -> Ack {
        self.dataplane.apply(update).await
    }

    fn refuse(&self, addresses: Vec<SocketAddr>) {
        self.dataplane.set_egress(Egress::new(self.own.iter().copied().chain(addresses).collect()));
    }
}
