//! `gateway.networking.k8s.io` ReferenceGrant.

use super::Reference;
use crate::at::At;
use crate::kind::meta::{Meta, Name};
use crate::problem::Problem;
use model::Text;
use serde_json::Value;

/// Leave for objects elsewhere to point at objects of the grant's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceGrant {
    pub meta: Meta,
    from: Vec<From>,
    to: Vec<To>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct From {
    group: Text,
    kind: Text,
    namespace: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct To {
    group: Text,
    kind: Text,
    /// `None`: every one.
    name: Option<Text>,
}

// === impl ReferenceGrant ===

impl ReferenceGrant {
    /// An entry that cannot be read gives no leave.
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        let (mut from, mut to) = (Vec::new(), Vec::new());
        if let Some(spec) = root.field("spec") {
            spec.list("from", &mut problems, |_, at, problems| {
                let mut text = |name| at.text(name, problems);
                let (group, kind, namespace) = (text("group"), text("kind"), text("namespace"));
                from.extend(group.zip(kind).zip(namespace).map(|((group, kind), namespace)| From { group, kind, namespace }));
            });
            spec.list("to", &mut problems, |_, at, problems| {
                let (group, kind) = (at.text("group", problems), at.text("kind", problems));
                let name = super::readable(at, "name", problems);
                to.extend(group.zip(kind).zip(name).map(|((group, kind), name)| To { group, kind, name }));
            });
        }
        Self { meta, from, to, problems }
    }

    /// Whether an object of that group, kind and namespace may point there. The target's namespace is the grant's.
    pub fn permits(&self, (group, kind, namespace): (&str, &str, &str), target: &Reference) -> bool {
        let from = self.from.iter().any(|it| it.group == *group && it.kind == *kind && it.namespace == *namespace);
        let named = |to: &To| to.name.as_ref().is_none_or(|name| *name == target.name.name);
        from && target.name.namespace == self.meta.name.namespace
            && self.to.iter().any(|to| to.group == target.group && to.kind == target.kind && named(to))
    }
}
