//! An object of the API, as far as it is looked at here.

use crate::names::{GROUP, RBAC};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The kinds that are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    User,
    Workspace,
    Project,
    Namespace,
    ClusterRole,
    ClusterRoleBinding,
    Role,
    RoleBinding,
    /// Records alone, in the system's namespace.
    ConfigMap,
    /// Only ever deleted.
    Secret,
}

/// Read-only and cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Object(Arc<Value>);

/// Whom a binding binds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub kind: String,
    pub group: String,
    pub namespace: String,
    pub name: String,
}

// === impl Kind ===

impl Kind {
    /// Those that are watched.
    pub const READ: [Self; 9] = [
        Self::User,
        Self::Workspace,
        Self::Project,
        Self::Namespace,
        Self::ClusterRole,
        Self::ClusterRoleBinding,
        Self::Role,
        Self::RoleBinding,
        Self::ConfigMap,
    ];

    pub const fn word(self) -> &'static str {
        self.row().2
    }

    pub const fn namespaced(self) -> bool {
        matches!(self, Self::Project | Self::Role | Self::RoleBinding | Self::ConfigMap | Self::Secret)
    }

    pub fn api_version(self) -> String {
        let (group, version, ..) = self.row();
        if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
    }

    pub fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.row();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
    }

    /// Group, version, kind, plural.
    const fn row(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::User => (GROUP, "v1alpha1", "User", "users"),
            Self::Workspace => (GROUP, "v1alpha1", "Workspace", "workspaces"),
            Self::Project => (GROUP, "v1alpha1", "Project", "projects"),
            Self::Namespace => ("", "v1", "Namespace", "namespaces"),
            Self::ClusterRole => (RBAC, "v1", "ClusterRole", "clusterroles"),
            Self::ClusterRoleBinding => (RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings"),
            Self::Role => (RBAC, "v1", "Role", "roles"),
            Self::RoleBinding => (RBAC, "v1", "RoleBinding", "rolebindings"),
            Self::ConfigMap => ("", "v1", "ConfigMap", "configmaps"),
            Self::Secret => ("", "v1", "Secret", "secrets"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

// === impl Object ===

impl Object {
    pub fn new(value: Value) -> Self {
        Self(Arc::new(value))
    }

    pub fn value(&self) -> &Value {
        &self.0
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// Grows with each write of any object of the server; 0 where it is no number.
    pub(crate) fn revision(&self) -> u64 {
        self.resource_version().parse().unwrap_or_default()
    }

    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    pub fn generation(&self) -> Option<i64> {
        self.0.pointer("/metadata/generation")?.as_i64()
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.0.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.0.pointer("/metadata/annotations")?.get(key)?.as_str()
    }

    pub fn is_deleting(&self) -> bool {
        self.0.pointer("/metadata/deletionTimestamp").is_some_and(|it| !it.is_null())
    }

    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.0.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn texts(&self, pointer: &str) -> impl Iterator<Item = &str> {
        self.list(pointer).iter().filter_map(Value::as_str)
    }

    pub(crate) fn has_finalizer(&self, finalizer: &str) -> bool {
        self.texts("/metadata/finalizers").any(|it| it == finalizer)
    }

    pub(crate) fn is_owned_by(&self, uid: &str) -> bool {
        self.list("/metadata/ownerReferences").iter().any(|it| it["uid"] == uid)
    }

    /// Of a binding: the kind and the name of its role.
    pub(crate) fn role(&self) -> (&str, &str) {
        (self.text("/roleRef/kind"), self.text("/roleRef/name"))
    }

    /// Of a binding, sorted. A ServiceAccount without a namespace is of the binding's own.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        let mut subjects: Vec<Subject> = self.list("/subjects").iter().map(|it| Subject::read(it, self.namespace())).collect();
        subjects.sort();
        subjects.dedup();
        subjects
    }
}

// === impl Subject ===

impl Subject {
    pub(crate) fn user(name: &str) -> Self {
        Self { kind: "User".into(), group: RBAC.into(), namespace: String::new(), name: name.into() }
    }

    fn read(value: &Value, namespace: &str) -> Self {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let mut subject = Self { kind: text("kind"), group: text("apiGroup"), namespace: text("namespace"), name: text("name") };
        match subject.kind.as_str() {
            "ServiceAccount" if subject.namespace.is_empty() => subject.namespace = namespace.to_owned(),
            "User" | "Group" if subject.group.is_empty() => subject.group = RBAC.into(),
            _ => {}
        }
        subject
    }

    pub(crate) fn is_user(&self, name: &str) -> bool {
        self.kind == "User" && self.name == name
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut value = serde_json::json!({ "kind": self.kind, "name": self.name });
        for (field, text) in [("apiGroup", &self.group), ("namespace", &self.namespace)] {
            if !text.is_empty() {
                value[field] = text.as_str().into();
            }
        }
        value
    }
}
