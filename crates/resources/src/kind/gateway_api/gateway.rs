//! `gateway.networking.k8s.io` Gateway.

use super::frontend::FrontendTls;
use super::{GATEWAY_GROUP, Namespaces, Reference, hostname};
use crate::at::{At, Problems};
use crate::kind::meta::{Meta, Name};
use crate::problem::Problem;
use model::{HostPattern, SectionName, Text};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub meta: Meta,
    /// `spec.gatewayClassName`.
    pub class: Text,
    pub listeners: Vec<Listener>,
    pub addresses: Vec<GatewayAddress>,
    pub infrastructure: Infrastructure,
    /// Whose Gateways may join this one's workload.
    pub allowed_listeners: Namespaces,
    pub frontend: FrontendTls,
    /// What is to be shown to backends.
    pub client_certificate: Option<Reference>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Place in the object's list; items that could not be read are missing from ours.
    pub index: usize,
    pub name: SectionName,
    pub port: u16,
    /// As written, for example `HTTPS`.
    pub protocol: Text,
    /// `None`: it cannot be read.
    pub host: Option<HostPattern>,
    pub tls: Option<ListenerTls>,
    /// Group and kind. `None`: those of the protocol.
    pub kinds: Option<Vec<(Text, Text)>>,
    pub namespaces: Namespaces,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    pub mode: TlsMode,
    pub certificates: Vec<Reference>,
    pub options: BTreeMap<Text, Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsMode {
    Terminate,
    Passthrough,
    /// As written.
    Unknown(Text),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayAddress {
    pub index: usize,
    /// `IPAddress` where it is not said.
    pub kind: Text,
    pub value: Text,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Infrastructure {
    /// `None`: none are written.
    pub labels: Option<BTreeMap<Text, Text>>,
    pub annotations: Option<BTreeMap<Text, Text>>,
    /// `parametersRef` is there.
    pub has_parameters: bool,
}

// === impl Gateway ===

impl Gateway {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut gateway = Self::empty(meta);
        if let Some(spec) = root.field("spec") {
            gateway.spec(&spec, &mut problems);
        }
        gateway.problems = problems;
        gateway
    }

    fn empty(meta: Meta) -> Self {
        Self {
            meta,
            class: Text::default(),
            listeners: Vec::new(),
            addresses: Vec::new(),
            infrastructure: Infrastructure::default(),
            allowed_listeners: Namespaces::None,
            frontend: FrontendTls::default(),
            client_certificate: None,
            problems: Vec::new(),
        }
    }

    fn spec(&mut self, spec: &At<'_>, problems: &mut Problems) {
        let own = &self.meta.name.namespace;
        self.class = spec.text("gatewayClassName", problems).unwrap_or_default();
        spec.list("listeners", problems, |index, at, problems| self.listeners.extend(Listener::read(own, index, at, problems)));
        spec.list("addresses", problems, |index, at, problems| {
            let kind = at.text("type", problems).unwrap_or_else(|| "IPAddress".into());
            self.addresses.push(GatewayAddress { index, kind, value: at.text("value", problems).unwrap_or_default() });
        });
        if let Some(at) = spec.field("infrastructure") {
            let (labels, annotations) = (texts(&at, "labels", problems), texts(&at, "annotations", problems));
            self.infrastructure = Infrastructure { labels, annotations, has_parameters: at.field("parametersRef").is_some() };
        }
        if let Some(at) = spec.field("allowedListeners") {
            self.allowed_listeners = Namespaces::read(at.field("namespaces").as_ref(), Namespaces::None, problems);
        }
        if let Some(tls) = spec.field("tls") {
            if let Some(at) = tls.field("frontend") {
                self.frontend = FrontendTls::read(own, &at, problems);
            }
            let certificate = tls.field("backend");
            let certificate = certificate.as_ref().and_then(|at| at.field("clientCertificateRef"));
            self.client_certificate = certificate.and_then(|at| Reference::read(own, 0, &at, ("", "Secret"), problems));
        }
    }
}

fn texts(at: &At<'_>, field: &str, problems: &mut Problems) -> Option<BTreeMap<Text, Text>> {
    at.field(field)?;
    let mut texts = BTreeMap::new();
    at.entries(field, problems, |key, at, problems| {
        texts.extend(at.expected(at.value.as_str(), "a string", problems).map(|value| (key.into(), value.into())));
    });
    Some(texts)
}

// === impl Listener ===

impl Listener {
    fn read(own: &Text, index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let name = at.text("name", problems).filter(|name| !name.is_empty());
        let name = at.expected(name, "a listener with a name", problems);
        let port = at.port("port", problems);
        let port = at.expected(port, "a listener with a port", problems);
        let protocol = at.text("protocol", problems).unwrap_or_default();
        let host = match at.field("hostname").filter(|at| at.value != "") {
            None => Some(HostPattern::Any),
            Some(at) => hostname(&at, problems),
        };
        let tls = at.field("tls").map(|at| ListenerTls::read(own, &at, problems));
        let allowed = at.field("allowedRoutes");
        let namespaces = allowed.as_ref().and_then(|at| at.field("namespaces"));
        let namespaces = Namespaces::read(namespaces.as_ref(), Namespaces::Same, problems);
        let kinds = allowed.as_ref().and_then(|at| kinds(at, problems));
        Some(Self { index, name: SectionName(name?), port: port?, protocol, host, tls, kinds, namespaces })
    }
}

/// An empty list is as good as none.
fn kinds(allowed: &At<'_>, problems: &mut Problems) -> Option<Vec<(Text, Text)>> {
    let (mut kinds, mut written) = (Vec::new(), false);
    allowed.list("kinds", problems, |_, at, problems| {
        written = true;
        let group = at.text("group", problems).unwrap_or_else(|| GATEWAY_GROUP.into());
        kinds.push((group, at.text("kind", problems).unwrap_or_default()));
    });
    written.then_some(kinds)
}

// === impl ListenerTls ===

impl ListenerTls {
    fn read(own: &Text, at: &At<'_>, problems: &mut Problems) -> Self {
        let mode = match at.field("mode") {
            None => TlsMode::Terminate,
            Some(at) => match at.value.as_str() {
                Some("Terminate" | "") => TlsMode::Terminate,
                Some("Passthrough") => TlsMode::Passthrough,
                other => TlsMode::Unknown(other.unwrap_or_default().into()),
            },
        };
        let mut certificates = Vec::new();
        at.list("certificateRefs", problems, |index, at, problems| {
            certificates.extend(Reference::read(own, index, at, ("", "Secret"), problems));
        });
        Self { mode, certificates, options: texts(at, "options", problems).unwrap_or_default() }
    }
}
