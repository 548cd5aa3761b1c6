//! The kinds that are served now: the built-in ones, and one for each version of a CustomResourceDefinition.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::openapi::Documents;
use crate::rules::Rules;
use crate::scale::Replicas;

/// One group, version and resource.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) status: bool,
    /// Where it says how many there are, if it has `scale`.
    pub(crate) scale: Option<Replicas>,
    /// `v1` or `group/version`.
    pub(crate) api_version: String,
    /// How stored bytes of this very version begin.
    pub(crate) prefix: Vec<u8>,
    /// How the keys of all its objects begin; two kinds that share it serve the same objects.
    pub(crate) root: String,
    pub(crate) rules: Rules,
    pub(crate) origin: Origin,
    /// What clients of this version are warned of.
    pub(crate) deprecated: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Origin {
    Builtin,
    Custom { columns: Vec<crate::print::custom::Column>, selectable: Vec<String> },
}

/// All kinds of one moment.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    by_path: HashMap<(String, String, String), Arc<Kind>>,
    /// In the order of discovery.
    groups: Vec<Group>,
    /// Made when first asked for; `crate::openapi` fills it.
    pub(crate) documents: OnceLock<Documents>,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// The preferred one first.
    pub(crate) versions: Vec<(String, Vec<Arc<Kind>>)>,
}

/// The groups whose place in discovery is fixed: `kubectl get gateway` means the first of them that has the name.
const ORDER: [&str; 15] = [
    "",
    "apps",
    "networking.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "coordination.k8s.io",
    "rbac.authorization.k8s.io",
    "apiextensions.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "networking.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
    "gateway.networking.k8s.io",
    "gateway.kubesphere.io",
];

// === impl Kind ===

impl Kind {
    pub(crate) fn builtin(known: &'static schema::Kind) -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        // Both versions of Event are one set of objects.
        let group = if known.plural == "events" { "" } else { known.group };
        let api_version = api_version(known.group, known.version);
        Self {
            group: known.group.into(),
            version: known.version.into(),
            kind: known.kind.into(),
            list_kind: known.list_kind.into(),
            plural: known.plural.into(),
            singular: known.singular.into(),
            short_names: words(known.short_names),
            categories: words(known.categories),
            namespaced: known.namespaced,
            status: known.status_subresource,
            scale: (known.kind == "Deployment").then(Replicas::of_workload),
            prefix: prefix(&api_version),
            api_version,
            root: format!("{group}/{}/", known.plural),
            rules: Rules::builtin(known),
            origin: Origin::Builtin,
            deprecated: deprecation(known),
        }
    }

    /// `ingresses.networking.k8s.io`, `services`.
    pub(crate) fn qualified_plural(&self) -> String {
        qualified(&self.plural, &self.group)
    }

    /// `Ingress.networking.k8s.io`, `Service`.
    pub(crate) fn qualified_kind(&self) -> String {
        qualified(&self.kind, &self.group)
    }

    pub(crate) fn key(&self, namespace: &str, name: &str) -> String {
        if self.namespaced { format!("{}{namespace}/{name}", self.root) } else { format!("{}{name}", self.root) }
    }

    /// How the keys of a namespace's objects begin; of all objects without one.
    pub(crate) fn keys_in(&self, namespace: &str) -> String {
        if self.namespaced && !namespace.is_empty() { format!("{}{namespace}/", self.root) } else { self.root.clone() }
    }

    pub(crate) fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }

    pub(crate) fn is_builtin(&self) -> bool {
        matches!(self.origin, Origin::Builtin)
    }

    /// Whether `metadata.generation` counts changes of the intent.
    pub(crate) fn counts_generations(&self) -> bool {
        const BUILTIN: [&str; 6] = ["deployments", "pods", "ingresses", "ingressclasses", "endpointslices", "customresourcedefinitions"];
        !self.is_builtin() || BUILTIN.contains(&self.plural.as_str())
    }
}

/// What Kubernetes says to who asks for a kind that has a better one.
fn deprecation(known: &schema::Kind) -> Option<String> {
    let endpoints = known.group.is_empty() && known.plural == "endpoints";
    endpoints.then(|| "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned())
}

pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

pub(crate) fn prefix(api_version: &str) -> Vec<u8> {
    format!("{{\"apiVersion\":\"{api_version}\",").into_bytes()
}

fn qualified(what: &str, group: &str) -> String {
    if group.is_empty() { what.to_owned() } else { format!("{what}.{group}") }
}

// === impl Kinds ===

impl Kinds {
    /// The built-in kinds and `custom`.
    pub(crate) fn new(custom: impl IntoIterator<Item = Arc<Kind>>) -> Self {
        let mut kinds = Self::default();
        let builtin = schema::builtin().kinds().iter().map(|known| Arc::new(Kind::builtin(known)));
        let mut custom: Vec<_> = custom.into_iter().collect();
        custom.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural)));
        for kind in builtin.chain(custom) {
            kinds.add(kind);
        }
        for name in crate::review::groups() {
            kinds.groups.push(Group { name: name.into(), versions: vec![("v1".into(), Vec::new())] });
        }
        let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
        kinds.groups.sort_by(|a, b| (place(&a.name), &a.name).cmp(&(place(&b.name), &b.name)));
        for group in &mut kinds.groups {
            group.versions.sort_by_key(|(version, _)| std::cmp::Reverse(priority(version)));
        }
        kinds
    }

    fn add(&mut self, kind: Arc<Kind>) {
        let path = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        if self.by_path.insert(path, kind.clone()).is_some() {
            return;
        }
        let at = match self.groups.iter().position(|group| group.name == kind.group) {
            Some(at) => at,
            None => {
                self.groups.push(Group { name: kind.group.clone(), versions: Vec::new() });
                self.groups.len() - 1
            }
        };
        let versions = &mut self.groups[at].versions;
        match versions.iter_mut().find(|(version, _)| *version == kind.version) {
            Some((_, kinds)) => kinds.push(kind),
            None => versions.push((kind.version.clone(), vec![kind])),
        }
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.by_path.get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(crate) fn version(&self, group: &str, version: &str) -> Option<&[Arc<Kind>]> {
        let group = self.groups.iter().find(|known| known.name == group)?;
        group.versions.iter().find(|(known, _)| known == version).map(|(_, kinds)| kinds.as_slice())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.groups.iter().flat_map(|group| &group.versions).flat_map(|(_, kinds)| kinds)
    }
}

/// Kubernetes' order of versions: `v10` over `v2` over `v1beta2` over `v1alpha1` over anything else.
pub(crate) fn priority(version: &str) -> (u8, u32, u32) {
    let parsed = version.strip_prefix('v').and_then(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let major = rest[..end].parse().ok()?;
        let (stage, minor) = match &rest[end..] {
            "" => (3, ""),
            rest => rest.strip_prefix("beta").map(|n| (2, n)).or(rest.strip_prefix("alpha").map(|n| (1, n)))?,
        };
        let minor = if minor.is_empty() { 0 } else { minor.parse().ok()? };
        Some((stage, major, minor))
    });
    parsed.unwrap_or((0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_versions_are_preferred_then_beta_then_alpha() {
        let mut versions = ["v1alpha1", "foo", "v2", "v1beta2", "v10", "v1beta10"];
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        assert_eq!(versions, ["v10", "v2", "v1beta10", "v1beta2", "v1alpha1", "foo"]);
    }
}
