//! The kinds an API server has without being told: what each is called and where it lives.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A built-in kind. Rows of [`builtin`]; nobody else can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub list_kind: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    pub status_subresource: bool,
    /// The name of its schema in OpenAPI.
    pub definition: &'static str,
}

/// All built-in kinds, in the order in which discovery lists them.
#[derive(Debug)]
pub struct Builtins {
    kinds: &'static [Kind],
    by_plural: HashMap<(&'static str, &'static str, &'static str), usize>,
}

/// The built-in kinds. Every group has one version here, so each is the preferred one.
pub fn builtin() -> &'static Builtins {
    static BUILTINS: LazyLock<Builtins> = LazyLock::new(|| Builtins {
        kinds: KINDS,
        by_plural: KINDS.iter().enumerate().map(|(index, kind)| ((kind.group, kind.version, kind.plural), index)).collect(),
    });
    &BUILTINS
}

// === impl Kind ===

impl Kind {
    /// `v1` or `group/version`.
    pub fn api_version(&self) -> String {
        api_version(self.group, self.version)
    }
}

pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

// === impl Builtins ===

impl Builtins {
    pub fn kinds(&self) -> &'static [Kind] {
        self.kinds
    }

    /// The kind served at this group, version and plural.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
        self.by_plural.get(&(group, version, plural)).map(|index| &self.kinds[*index])
    }

    /// The kind an object says it is.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<&'static Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kinds.iter().find(|known| known.kind == kind && known.group == group && known.version == version)
    }
}

const CORE: &str = "";
const APPS: &str = "apps";
const DISCOVERY: &str = "discovery.k8s.io";
const EVENTS: &str = "events.k8s.io";
const COORDINATION: &str = "coordination.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const EXTENSIONS: &str = "apiextensions.k8s.io";

macro_rules! kind {
    ($group:expr, $kind:literal, $plural:literal, $singular:literal, $short:expr, $scope:ident, $status:ident, $package:literal) => {
        kind!($group, $kind, $plural, $singular, $short, $scope, $status, $package, &[])
    };
    ($group:expr, $kind:literal, $plural:literal, $singular:literal, $short:expr, $scope:ident, $status:ident, $package:literal, $categories:expr) => {
        Kind {
            group: $group,
            version: "v1",
            kind: $kind,
            list_kind: concat!($kind, "List"),
            plural: $plural,
            singular: $singular,
            short_names: $short,
            categories: $categories,
            namespaced: kind!(@$scope),
            status_subresource: kind!(@$status),
            definition: concat!("io.k8s.", $package, ".v1.", $kind),
        }
    };
    (@namespaced) => { true };
    (@cluster) => { false };
    (@status) => { true };
    (@plain) => { false };
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind!(CORE, "ConfigMap", "configmaps", "configmap", &["cm"], namespaced, plain, "api.core"),
    kind!(CORE, "Endpoints", "endpoints", "endpoints", &["ep"], namespaced, plain, "api.core"),
    kind!(CORE, "Event", "events", "event", &["ev"], namespaced, plain, "api.core"),
    kind!(CORE, "Namespace", "namespaces", "namespace", &["ns"], cluster, status, "api.core"),
    kind!(CORE, "Node", "nodes", "node", &["no"], cluster, status, "api.core"),
    kind!(CORE, "Pod", "pods", "pod", &["po"], namespaced, status, "api.core", &["all"]),
    kind!(CORE, "Secret", "secrets", "secret", &[], namespaced, plain, "api.core"),
    kind!(CORE, "ServiceAccount", "serviceaccounts", "serviceaccount", &["sa"], namespaced, plain, "api.core"),
    kind!(CORE, "Service", "services", "service", &["svc"], namespaced, status, "api.core", &["all"]),
    kind!(APPS, "Deployment", "deployments", "deployment", &["deploy"], namespaced, status, "api.apps", &["all"]),
    kind!(EXTENSIONS, "CustomResourceDefinition", "customresourcedefinitions", "customresourcedefinition", &["crd", "crds"], cluster, status,
        "apiextensions-apiserver.pkg.apis.apiextensions", &["api-extensions"]),
    kind!(COORDINATION, "Lease", "leases", "lease", &[], namespaced, plain, "api.coordination"),
    kind!(DISCOVERY, "EndpointSlice", "endpointslices", "endpointslice", &[], namespaced, plain, "api.discovery"),
    kind!(EVENTS, "Event", "events", "event", &["ev"], namespaced, plain, "api.events"),
    kind!(NETWORKING, "IngressClass", "ingressclasses", "ingressclass", &[], cluster, plain, "api.networking"),
    kind!(NETWORKING, "Ingress", "ingresses", "ingress", &["ing"], namespaced, status, "api.networking"),
    kind!(RBAC, "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", &[], cluster, plain, "api.rbac"),
    kind!(RBAC, "ClusterRole", "clusterroles", "clusterrole", &[], cluster, plain, "api.rbac"),
    kind!(RBAC, "RoleBinding", "rolebindings", "rolebinding", &[], namespaced, plain, "api.rbac"),
    kind!(RBAC, "Role", "roles", "role", &[], namespaced, plain, "api.rbac"),
];
