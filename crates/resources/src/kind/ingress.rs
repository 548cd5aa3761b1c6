//! `networking.k8s.io/v1` Ingress.

use super::meta::{Meta, Name};
use crate::at::{At, Problems};
use crate::generated::Generated;
use crate::problem::{Cause, Problem};
use model::Text;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    pub meta: Meta,
    /// `spec.ingressClassName`.
    pub class: Option<Text>,
    pub default_backend: Option<IngressBackend>,
    pub rules: Vec<Rule>,
    /// It was written without rules, so its default backend is for every host. Rules that could not be read do not make it one.
    pub catch_all: bool,
    pub tls: Vec<TlsEntry>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Place in the object's list; items that could not be read are missing from ours.
    pub index: usize,
    /// As written; empty for every host.
    pub host: Text,
    /// `None`: the rule has no `http`.
    pub paths: Option<Vec<HttpPath>>,
    /// Where the host was generated: for which gateways. A rule has a copy of itself for each of its hosts.
    pub generated: Generated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpPath {
    pub index: usize,
    /// As written; empty where missing.
    pub path: Text,
    pub path_type: PathType,
    pub backend: IngressBackend,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathType {
    Exact,
    Prefix,
    /// Also where it is missing.
    #[default]
    ImplementationSpecific,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IngressBackend {
    Service(ServiceRef),
    /// Something of another kind, for example a bucket: `kind/name`.
    Resource(Text),
    /// Neither, or unreadable; the object has a problem that says so.
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRef {
    pub name: Text,
    pub port: PortRef,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortRef {
    Number(u16),
    Name(Text),
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsEntry {
    pub index: usize,
    pub hosts: Vec<Text>,
    pub secret: Option<Text>,
}

// === impl Ingress ===

impl Ingress {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let mut ingress =
            Self { meta, class: None, default_backend: None, rules: Vec::new(), catch_all: false, tls: Vec::new(), problems: Vec::new() };
        if let Some(spec) = root.field("spec") {
            ingress.catch_all = spec.field("rules").is_none_or(|at| at.value.as_array().is_some_and(Vec::is_empty));
            ingress.class = spec.text("ingressClassName", &mut problems).filter(|class| !class.is_empty());
            ingress.default_backend = spec.field("defaultBackend").map(|at| IngressBackend::read(&at, &mut problems));
            spec.list("rules", &mut problems, |index, at, problems| ingress.rules.extend(Rule::read(index, at, problems)));
            spec.list("tls", &mut problems, |index, at, problems| ingress.tls.push(TlsEntry::read(index, at, problems)));
            ingress.rules.shrink_to_fit();
        }
        ingress.problems = problems;
        ingress
    }

    /// Every backend, with its field path.
    pub fn backends(&self) -> impl Iterator<Item = &IngressBackend> {
        let paths = self.rules.iter().filter_map(|rule| rule.paths.as_ref()).flatten();
        self.default_backend.iter().chain(paths.map(|path| &path.backend))
    }
}

// === impl Rule ===

impl Rule {
    /// A rule whose host cannot be read is left out: it must not become a rule for every host.
    fn read(index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        let at_object = at.expected(at.value.as_object(), "a mapping", problems);
        let host = match at.field("host") {
            None => Some(Text::default()),
            Some(_) => at.text("host", problems),
        };
        let paths = at.field("http").map(|http| {
            let mut paths = Vec::new();
            http.list("paths", problems, |index, at, problems| paths.extend(HttpPath::read(index, at, problems)));
            paths.shrink_to_fit();
            paths
        });
        at_object?;
        Some(Self { index, host: host?, paths, generated: Generated::new() })
    }
}

// === impl HttpPath ===

impl HttpPath {
    /// A path whose text or type cannot be read is left out: it must not become another path.
    fn read(index: usize, at: &At<'_>, problems: &mut Problems) -> Option<Self> {
        at.expected(at.value.as_object(), "a mapping", problems)?;
        let path = match at.field("path") {
            None => Some(Text::default()),
            Some(_) => at.text("path", problems),
        };
        let path_type = match at.field("pathType") {
            None => Some(PathType::default()),
            Some(at) => at.expected(PathType::parse(at.value), "Exact, Prefix or ImplementationSpecific", problems),
        };
        let backend = match at.field("backend") {
            Some(at) => IngressBackend::read(&at, problems),
            None => IngressBackend::missing(format!("{at}.backend"), problems),
        };
        Some(Self { index, path: path?, path_type: path_type?, backend })
    }
}

// === impl PathType ===

impl PathType {
    fn parse(value: &Value) -> Option<Self> {
        match value.as_str()? {
            "Exact" => Some(Self::Exact),
            "Prefix" => Some(Self::Prefix),
            "ImplementationSpecific" => Some(Self::ImplementationSpecific),
            _ => None,
        }
    }
}

// === impl IngressBackend ===

impl IngressBackend {
    fn read(at: &At<'_>, problems: &mut Problems) -> Self {
        if let Some(service) = at.field("service") {
            let Some(name) = service.text("name", problems) else { return Self::missing(at.path(), problems) };
            return Self::Service(ServiceRef { name, port: PortRef::read(&service, problems) });
        }
        match at.field("resource") {
            Some(resource) => {
                let mut text = |field| resource.text(field, problems).unwrap_or_default();
                Self::Resource(format!("{}/{}", text("kind"), text("name")).into())
            }
            None => Self::missing(at.path(), problems),
        }
    }

    fn missing(path: String, problems: &mut Problems) -> Self {
        problems.push(Problem::error(path, Cause::BackendMissing, "a backend names a service or a resource"));
        Self::Missing
    }
}

impl PortRef {
    fn read(service: &At<'_>, problems: &mut Problems) -> Self {
        let Some(port) = service.field("port") else { return Self::Missing };
        if let Some(name) = port.text("name", problems).filter(|name| !name.is_empty()) {
            return Self::Name(name);
        }
        match port.field("number") {
            Some(at) if at.value.as_u64() == Some(0) => Self::Missing,
            _ => port.port("number", problems).map_or(Self::Missing, Self::Number),
        }
    }
}

impl TlsEntry {
    fn read(index: usize, at: &At<'_>, problems: &mut Problems) -> Self {
        let mut hosts = Vec::new();
        at.list("hosts", problems, |_, at, problems| hosts.extend(at.expected(at.value.as_str().map(Text::from), "a string", problems)));
        Self { index, hosts, secret: at.text("secretName", problems).filter(|name| !name.is_empty()) }
    }
}
