//! Which Service, port and way a backend is: the one place that knows how a [`BackendId`] is written.

use crate::kind::meta::Name;
use model::BackendId;

/// What a [`BackendId`] stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendName {
    pub service: Name,
    /// The Service's port (not the endpoints').
    pub port: u16,
    pub via: Via,
}

/// How a Service is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// Its endpoints, each by itself.
    Endpoints,
    /// Its cluster address, which balances by itself.
    ClusterIp,
}

const CLUSTER_IP: &str = "@cluster-ip";

// === impl BackendName ===

impl BackendName {
    /// `namespace/service:port`, and `@cluster-ip` where that is meant.
    pub fn id(&self) -> BackendId {
        let suffix = match self.via {
            Via::Endpoints => "",
            Via::ClusterIp => CLUSTER_IP,
        };
        BackendId::new(format!("{}/{}:{}{suffix}", self.service.namespace, self.service.name, self.port))
    }

    pub fn parse(id: &BackendId) -> Option<Self> {
        let (text, via) = match id.as_str().strip_suffix(CLUSTER_IP) {
            Some(text) => (text, Via::ClusterIp),
            None => (id.as_str(), Via::Endpoints),
        };
        let (namespace, rest) = text.split_once('/')?;
        let (service, port) = rest.rsplit_once(':')?;
        Some(Self { service: Name::new(namespace, service), port: port.parse().ok()?, via })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        for via in [Via::Endpoints, Via::ClusterIp] {
            let name = BackendName { service: Name::new("demo", "web"), port: 80, via };
            assert_eq!(BackendName::parse(&name.id()), Some(name));
        }
        assert_eq!(BackendName::parse(&BackendId::new("nonsense")), None);
    }
}
