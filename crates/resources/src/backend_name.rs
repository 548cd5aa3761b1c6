//! Which Service, port and way a backend is: the one place that knows how a [`BackendId`] is written.

use crate::kind::meta::Name;
use model::{BackendId, Text};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a [`BackendId`] stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendName {
    pub service: Name,
    /// The Service's port (not the endpoints').
    pub port: u16,
    pub transport: Transport,
    pub via: Via,
    /// Only endpoints whose Pod has these labels (a DestinationRule's subset); empty: all.
    pub labels: BTreeMap<Text, Text>,
    /// Tells backends apart that have the same endpoints and other settings, for example `default/httpbin`; empty: settings as they are by default.
    pub settings: Text,
}

/// What a Service's port is for: TCP and UDP of one number may be two ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    #[default]
    Tcp,
    Udp,
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
const UDP: &str = "/udp";

// === impl Transport ===

impl Transport {
    /// As a Service's port has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

// === impl BackendName ===

impl BackendName {
    /// All ready endpoints of a Service's port.
    pub fn new(service: Name, port: u16) -> Self {
        Self { service, port, transport: Transport::Tcp, via: Via::Endpoints, labels: BTreeMap::new(), settings: Text::default() }
    }

    /// `namespace/service:port`, `/udp` where it is for datagrams; `{label=value,…}` for a subset, `~` and the settings' name, `@cluster-ip` where that is meant.
    pub fn id(&self) -> BackendId {
        let mut id = format!("{}/{}:{}", self.service.namespace, self.service.name, self.port);
        if self.transport == Transport::Udp {
            id.push_str(UDP);
        }
        if !self.labels.is_empty() {
            let labels: Vec<String> = self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = write!(id, "{{{}}}", labels.join(","));
        }
        if !self.settings.is_empty() {
            let _ = write!(id, "~{}", self.settings);
        }
        if self.via == Via::ClusterIp {
            id.push_str(CLUSTER_IP);
        }
        BackendId::new(id)
    }

    pub fn parse(id: &BackendId) -> Option<Self> {
        let (text, via) = match id.as_str().strip_suffix(CLUSTER_IP) {
            Some(text) => (text, Via::ClusterIp),
            None => (id.as_str(), Via::Endpoints),
        };
        let (text, settings) = text.split_once('~').unwrap_or((text, ""));
        let (text, labels) = match text.strip_suffix('}') {
            Some(text) => text.split_once('{')?,
            None => (text, ""),
        };
        let label = |it: &str| it.split_once('=').map(|(name, value)| (name.into(), value.into()));
        let labels = labels.split(',').filter(|it| !it.is_empty()).map(label).collect::<Option<_>>()?;
        let (namespace, rest) = text.split_once('/')?;
        let (service, port) = rest.rsplit_once(':')?;
        let (port, transport) = match port.strip_suffix(UDP) {
            Some(port) => (port, Transport::Udp),
            None => (port, Transport::Tcp),
        };
        Some(Self { service: Name::new(namespace, service), port: port.parse().ok()?, transport, via, labels, settings: settings.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        for via in [Via::Endpoints, Via::ClusterIp] {
            for labels in [vec![], vec![("version", "v1"), ("app.kubernetes.io/name", "web")]] {
                for settings in ["", "demo/web"] {
                    let labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
                    let transport = if via == Via::Endpoints { Transport::Udp } else { Transport::Tcp };
                    let name =
                        BackendName { via, transport, labels, settings: settings.into(), ..BackendName::new(Name::new("demo", "web"), 80) };
                    assert_eq!(BackendName::parse(&name.id()), Some(name));
                }
            }
        }
        assert_eq!(BackendName::new(Name::new("demo", "web"), 80).id().as_str(), "demo/web:80");
        for nonsense in ["nonsense", "a/b:80{x}", "a/b:x"] {
            assert_eq!(BackendName::parse(&BackendId::new(nonsense)), None);
        }
    }
}
