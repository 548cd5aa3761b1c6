//! `discovery.k8s.io/v1` EndpointSlice.

use super::meta::{Meta, Name};
use crate::at::{At, Problems};
use crate::problem::Problem;
use model::Text;
use serde_json::Value;

/// Names the Service of a slice.
pub(crate) const SERVICE_LABEL: &str = "kubernetes.io/service-name";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSlice {
    pub meta: Meta,
    /// The Service it belongs to, by its label.
    pub service: Option<Name>,
    /// `IPv4`, `IPv6` or `FQDN`.
    pub address_type: Text,
    pub ports: Vec<SlicePort>,
    pub endpoints: Vec<SliceEndpoint>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlicePort {
    pub name: Text,
    /// `None`: every port.
    pub port: Option<u16>,
    pub protocol: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceEndpoint {
    pub index: usize,
    pub addresses: Vec<Text>,
    /// `conditions.ready`, true where it is not said.
    pub ready: bool,
    /// `targetRef`, where it is a Pod.
    pub pod: Option<Name>,
}

// === impl EndpointSlice ===

impl EndpointSlice {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let service = meta.labels.get(SERVICE_LABEL).map(|service| Name::new(meta.name.namespace.clone(), service.clone()));
        let address_type = root.text("addressType", &mut problems).unwrap_or_else(|| "IPv4".into());
        let (mut ports, mut endpoints) = (Vec::new(), Vec::new());
        root.list("ports", &mut problems, |_, at, problems| ports.push(SlicePort::read(at, problems)));
        root.list("endpoints", &mut problems, |index, at, problems| endpoints.push(SliceEndpoint::read(&meta.name, index, at, problems)));
        // Most have one, and there are many slices.
        ports.shrink_to_fit();
        endpoints.shrink_to_fit();
        Self { meta, service, address_type, ports, endpoints, problems }
    }
}

// === impl SlicePort ===

impl SlicePort {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        Self {
            name: at.text("name", problems).unwrap_or_default(),
            port: at.port("port", problems),
            protocol: at.text("protocol", problems).unwrap_or_else(|| "TCP".into()),
        }
    }
}

// === impl SliceEndpoint ===

impl SliceEndpoint {
    fn read(slice: &Name, index: usize, at: &At<'_>, problems: &mut Problems) -> Self {
        let mut addresses = Vec::new();
        at.list("addresses", problems, |_, at, problems| {
            addresses.extend(at.expected(at.value.as_str().map(Text::from), "a string", problems))
        });
        addresses.shrink_to_fit();
        let ready = at.field("conditions").and_then(|conditions| conditions.flag("ready", problems));
        let pod = at.field("targetRef").and_then(|target| {
            let text = |field| target.value.get(field)?.as_str();
            let name = text("name").filter(|_| text("kind") == Some("Pod"))?;
            Some(Name::new(text("namespace").unwrap_or(&slice.namespace), name))
        });
        Self { index, addresses, ready: ready.unwrap_or(true), pod }
    }
}
