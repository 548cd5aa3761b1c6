//! All roles and bindings of one moment, and what they allow.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::aggregate::{Gathered, gather};
use super::attempt::Attempt;
use super::rule::Rule;
use super::{GROUP, PREFIX};
use crate::access::{Identity, service_account};
use crate::object::Object;

/// One role or binding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) sort: Sort,
    /// Empty for what is the whole cluster's.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sort {
    ClusterRole,
    Role,
    ClusterRoleBinding,
    RoleBinding,
}

/// Whether an attempt is allowed, and by what; or what stood in the way of knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    pub(crate) reason: String,
}

#[derive(Debug, Default)]
pub(crate) struct Policy {
    cluster_roles: BTreeMap<String, Gathered>,
    /// By namespace and name; those of the cluster under `""`, with what they gather.
    rules: HashMap<String, HashMap<String, Arc<[Rule]>>>,
    bindings: HashMap<Place, Arc<Binding>>,
    grants: HashMap<String, Grants>,
    /// Whether a role of the cluster has changed since the gathering.
    stale: bool,
}

#[derive(Debug)]
struct Binding {
    place: Place,
    role: Sort,
    role_name: String,
    subjects: Vec<Subject>,
}

#[derive(Debug)]
enum Subject {
    User { name: String, said: String },
    Group { name: String, said: String },
}

/// The bindings of one namespace, by whom they name.
#[derive(Debug, Default)]
struct Grants {
    users: HashMap<String, Vec<Grant>>,
    groups: HashMap<String, Vec<Grant>>,
}

#[derive(Clone, Debug)]
struct Grant {
    binding: Arc<Binding>,
    subject: usize,
}

// === impl Place ===

impl Place {
    /// What is stored under `key`, if it is a role or a binding.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let (plural, rest) = key.strip_prefix(PREFIX)?.split_once('/')?;
        let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
        Some(Self { sort: Sort::of_plural(plural)?, namespace: namespace.into(), name: name.into() })
    }
}

// === impl Sort ===

impl Sort {
    pub(crate) fn of_plural(plural: &str) -> Option<Self> {
        match plural {
            "clusterroles" => Some(Self::ClusterRole),
            "roles" => Some(Self::Role),
            "clusterrolebindings" => Some(Self::ClusterRoleBinding),
            "rolebindings" => Some(Self::RoleBinding),
            _ => None,
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::ClusterRole => "ClusterRole",
            Self::Role => "Role",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::RoleBinding => "RoleBinding",
        }
    }
}

// === impl Policy ===

impl Policy {
    pub(crate) fn put(&mut self, place: Place, object: &Value) {
        match place.sort {
            Sort::ClusterRole => {
                self.cluster_roles.insert(place.name, Gathered::read(object));
                self.stale = true;
            }
            Sort::Role => {
                self.rules.entry(place.namespace).or_default().insert(place.name, Rule::read_all(object).into());
            }
            Sort::ClusterRoleBinding | Sort::RoleBinding => {
                self.unbind(&place);
                self.bind(Binding::read(place, object));
            }
        }
    }

    pub(crate) fn remove(&mut self, place: &Place) {
        match place.sort {
            Sort::ClusterRole => {
                self.cluster_roles.remove(&place.name);
                self.stale = true;
            }
            Sort::Role => {
                if let Some(roles) = self.rules.get_mut(&place.namespace) {
                    roles.remove(&place.name);
                    if roles.is_empty() {
                        self.rules.remove(&place.namespace);
                    }
                }
            }
            Sort::ClusterRoleBinding | Sort::RoleBinding => self.unbind(place),
        }
    }

    /// To be called after changes, before anything is asked.
    pub(crate) fn settle(&mut self) {
        if std::mem::take(&mut self.stale) {
            self.rules.insert(String::new(), gather(&self.cluster_roles));
        }
    }

    fn bind(&mut self, binding: Binding) {
        let binding = Arc::new(binding);
        let grants = self.grants.entry(binding.place.namespace.clone()).or_default();
        for (at, subject) in binding.subjects.iter().enumerate() {
            let (map, name) = match subject {
                Subject::User { name, .. } => (&mut grants.users, name),
                Subject::Group { name, .. } => (&mut grants.groups, name),
            };
            map.entry(name.clone()).or_default().push(Grant { binding: binding.clone(), subject: at });
        }
        self.bindings.insert(binding.place.clone(), binding);
    }

    fn unbind(&mut self, place: &Place) {
        let Some(binding) = self.bindings.remove(place) else { return };
        let Some(grants) = self.grants.get_mut(&place.namespace) else { return };
        for subject in &binding.subjects {
            let (map, name) = match subject {
                Subject::User { name, .. } => (&mut grants.users, name),
                Subject::Group { name, .. } => (&mut grants.groups, name),
            };
            if let Some(list) = map.get_mut(name) {
                list.retain(|grant| grant.binding.place != *place);
                if list.is_empty() {
                    map.remove(name);
                }
            }
        }
        if grants.users.is_empty() && grants.groups.is_empty() {
            self.grants.remove(&place.namespace);
        }
    }

    pub(crate) fn allows(&self, who: &Identity, attempt: &Attempt) -> Decision {
        let mut missing: Vec<String> = Vec::new();
        for grant in self.granted(who, attempt.namespace()) {
            let Some(rules) = self.rules_of(&grant.binding) else {
                let what = format!("{}.{GROUP} {:?} not found", grant.binding.role.kind().to_lowercase(), grant.binding.role_name);
                if !missing.contains(&what) {
                    missing.push(what);
                }
                continue;
            };
            if rules.iter().any(|rule| rule.allows(attempt)) {
                return Decision { allowed: true, reason: format!("RBAC: allowed by {}", grant.describe()) };
            }
        }
        let reason = match missing.as_slice() {
            [] => String::new(),
            [one] => format!("RBAC: {one}"),
            many => format!("RBAC: [{}]", many.join(", ")),
        };
        Decision { allowed: false, reason }
    }

    /// Every rule that holds for somebody in a namespace, or with `""` at the cluster's scope.
    pub(crate) fn rules_for(&self, who: &Identity, namespace: &str) -> Vec<&Rule> {
        let granted = self.granted(who, namespace);
        granted.filter_map(|grant| self.rules_of(&grant.binding)).flat_map(|rules| rules.iter()).collect()
    }

    /// The rules of a role of the cluster (`""`) or of a namespace.
    pub(crate) fn role(&self, namespace: &str, name: &str) -> Option<&Arc<[Rule]>> {
        self.rules.get(namespace)?.get(name)
    }

    /// The roles whose rules are those of others, by name.
    pub(crate) fn aggregated(&self) -> impl Iterator<Item = (&str, &Arc<[Rule]>)> {
        let names = self.cluster_roles.iter().filter(|(_, role)| role.gathers()).map(|(name, _)| name.as_str());
        names.filter_map(|name| Some((name, self.role("", name)?)))
    }

    fn rules_of(&self, binding: &Binding) -> Option<&Arc<[Rule]>> {
        let namespace = if binding.role == Sort::Role { binding.place.namespace.as_str() } else { "" };
        self.role(namespace, &binding.role_name)
    }

    /// The cluster's bindings first.
    fn granted<'a>(&'a self, who: &'a Identity, namespace: &'a str) -> impl Iterator<Item = &'a Grant> {
        let local = (!namespace.is_empty()).then(|| self.grants.get(namespace)).flatten();
        self.grants.get("").into_iter().chain(local).flat_map(move |grants| {
            let groups = who.groups.iter().filter_map(|group| grants.groups.get(group));
            grants.users.get(&who.user).into_iter().chain(groups).flatten()
        })
    }
}

// === impl Binding ===

impl Binding {
    fn read(place: Place, object: &Value) -> Self {
        let reference = &object["roleRef"];
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let role = if place.sort == Sort::RoleBinding && reference["kind"] == "Role" { Sort::Role } else { Sort::ClusterRole };
        // A role of another group is none of ours: it is never found.
        let known = reference["apiGroup"] == GROUP && (reference["kind"] == role.kind());
        let role_name = if known { text(&reference["name"]) } else { String::new() };
        let list = object["subjects"].as_array().into_iter().flatten();
        let subjects = list.filter_map(|subject| Subject::read(subject, &place.namespace)).collect();
        debug_assert!(object.name().is_empty() || object.name() == place.name);
        Self { place, role, role_name, subjects }
    }
}

// === impl Subject ===

impl Subject {
    fn read(subject: &Value, namespace: &str) -> Option<Self> {
        let text = |field: &str| subject.get(field).and_then(Value::as_str).unwrap_or("");
        let name = text("name").to_owned();
        if name.is_empty() {
            return None;
        }
        match text("kind") {
            "User" => Some(Self::User { said: format!("User {name:?}"), name }),
            "Group" => Some(Self::Group { said: format!("Group {name:?}"), name }),
            "ServiceAccount" => {
                // Without a namespace it is one of the binding's own.
                let namespace = Some(text("namespace")).filter(|own| !own.is_empty()).unwrap_or(namespace);
                let said = format!("ServiceAccount \"{name}/{namespace}\"");
                (!namespace.is_empty()).then(|| Self::User { name: service_account(namespace, &name), said })
            }
            _ => None,
        }
    }
}

// === impl Grant ===

impl Grant {
    fn describe(&self) -> String {
        let Binding { place, role, role_name, subjects } = &*self.binding;
        let name = if place.namespace.is_empty() { place.name.clone() } else { format!("{}/{}", place.name, place.namespace) };
        let said = match subjects.get(self.subject) {
            Some(Subject::User { said, .. } | Subject::Group { said, .. }) => said.as_str(),
            None => "",
        };
        format!("{} {name:?} of {} {role_name:?} to {said}", place.sort.kind(), role.kind())
    }
}

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod tests;
