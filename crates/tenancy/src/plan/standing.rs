//! Built-in roles of one place, and which bindings to them may be trusted.
//!
//! A role that somebody has emptied can be bound to anybody, as RBAC weighs what it holds at that moment. Filling it again would give them
//! what nobody had the right to give. So a record, where only the system writes, names the bindings that were made while the role was whole:
//!
//! ```text
//! no record yet: roles are made where there are none; somebody else's role of the name is left alone, and that is said
//! a record:      bindings of whole roles that are newer than the role are taken into it; others that are not in it are withdrawn,
//!                and only then the role is filled again
//! ```
//!
//! A binding to a role that is not there yet is made by who may bind any role: those who set up a namespace and its members at once. It is
//! trusted as long as the role is as it was first made.
//!
//! Versions grow with each write of the server, so "newer" needs no clock; that the role is still the version that was looked at is read
//! anew before a record is written.

use super::Plan;
use crate::catalogue::{self, BuiltIn, Place, Rule};
use crate::names::{BUILT_IN_LABEL, KEPT_LABEL, SYSTEM_NAMESPACE};
use crate::object::{Kind, Object, Subject};
use crate::world::{Key, World};
use crate::write::{Chain, Write};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One place with built-in roles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub place: Place,
    /// Empty for the platform.
    pub namespace: &'a str,
    pub uid: &'a str,
}

/// How the roles of a place stand.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    /// Roles that are there with all their rules, and recorded.
    pub whole: BTreeSet<&'static str>,
    /// Bindings to them that may be trusted.
    pub trusted: Vec<&'a Object>,
    /// Why there are none: a role that somebody else made.
    pub taken: Option<String>,
}

/// Names of roles' mirrored bindings begin so: what is in them is not trusted but set.
pub(super) const MIRRORED: &str = "paifang:workspace:";

/// What the system remembers of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Record {
    /// Trusted bindings by uid, and whom they bound.
    bindings: BTreeMap<String, String>,
    /// Roles, and the versions in which they were first made.
    made: BTreeMap<String, String>,
}

struct One<'a> {
    built_in: &'static BuiltIn,
    rules: &'static [Rule],
    now: Option<&'a Object>,
    bindings: Vec<&'a Object>,
}

pub(super) fn record_name(namespace: &str) -> String {
    if namespace.is_empty() { "platform".to_owned() } else { format!("namespace.{namespace}") }
}

pub(super) fn is_record(object: &Object) -> bool {
    object.label(KEPT_LABEL) == Some("record")
}

/// Plans the roles of a place.
pub(super) fn settle<'a>(plan: &mut Plan<'a>, scope: Scope<'a>) -> Standing<'a> {
    let roles: Vec<One<'a>> = catalogue::built_ins(scope.place).map(|it| One::find(plan.world, scope, it)).collect();
    let stored = plan.world.get(Kind::ConfigMap, SYSTEM_NAMESPACE, &record_name(scope.namespace));
    match stored.and_then(|it| Record::read(it, scope.uid)) {
        None => first(plan, scope, &roles, stored),
        Some(record) => again(plan, scope, &roles, &record),
    }
}

/// Makes the roles, and then the record.
fn first<'a>(plan: &mut Plan<'a>, scope: Scope<'a>, roles: &[One<'a>], stored: Option<&Object>) -> Standing<'a> {
    if let Some(one) = roles.iter().find(|it| it.now.is_some() && !it.is_whole()) {
        let (kind, name) = (role_kind(scope.place), one.built_in.name);
        let taken = format!("the {kind} {name} is not Paifang's: rename it, or delete it and what is bound to it");
        return Standing { taken: Some(taken), ..Standing::default() };
    }
    let missing: Vec<Write> = roles.iter().filter(|it| it.now.is_none()).map(|it| it.create(scope)).collect();
    if !missing.is_empty() {
        missing.into_iter().for_each(|it| plan.write(it));
        return Standing::default();
    }
    let given: Vec<(Key, String)> = roles.iter().filter_map(|it| it.given(scope)).collect();
    let record = Record {
        bindings: roles.iter().flat_map(|it| &it.bindings).map(|it| (it.uid().to_owned(), bound(it))).collect(),
        made: given.iter().map(|(key, version)| (key.name.clone(), version.clone())).collect(),
    };
    plan.write(Chain { given, writes: vec![record.write(scope, stored)] });
    Standing::default()
}

/// Takes in new bindings, withdraws those that nobody had the right to make, and fills roles again.
fn again<'a>(plan: &mut Plan<'a>, scope: Scope<'a>, roles: &[One<'a>], record: &Record) -> Standing<'a> {
    let (mut standing, mut given) = (Standing::default(), Vec::new());
    let mut wanted = Record { made: record.made.clone(), ..Record::default() };
    for one in roles {
        let known = |it: &Object| record.bindings.get(it.uid()).is_some_and(|known| *known == bound(it));
        let mut strangers = Vec::new();
        for binding in &one.bindings {
            if known(binding) {
                wanted.bindings.insert(binding.uid().to_owned(), bound(binding));
                standing.trusted.push(*binding);
            } else if one.is_whole() && one.now.is_some_and(|role| record.vouches(role, binding)) {
                wanted.bindings.insert(binding.uid().to_owned(), bound(binding));
                given.extend(one.given(scope));
            } else if !binding.is_deleting() {
                strangers.push(*binding);
            }
        }
        if one.is_whole() {
            standing.whole.insert(one.built_in.name);
        } else if strangers.is_empty() {
            plan.write(one.fill(scope));
        }
        for it in strangers {
            let kind = if it.namespace().is_empty() { Kind::ClusterRoleBinding } else { Kind::RoleBinding };
            plan.write(Write::Delete(Key::of(kind, it), it.uid().to_owned()));
        }
    }
    if wanted != *record {
        given.sort();
        given.dedup();
        let stored = plan.world.get(Kind::ConfigMap, SYSTEM_NAMESPACE, &record_name(scope.namespace));
        plan.write(Chain { given, writes: vec![wanted.write(scope, stored)] });
    }
    standing
}

// === impl Record ===

impl Record {
    /// Whether a binding to a role that is whole was made while it was, or before it was first made.
    fn vouches(&self, role: &Object, binding: &Object) -> bool {
        binding.revision() > role.revision() || self.made.get(role.name()).is_some_and(|first| first == role.resource_version())
    }

    /// `None`: of another namespace that had the name.
    fn read(object: &Object, uid: &str) -> Option<Self> {
        let map = |field: &str| serde_json::from_str(object.text(field)).ok();
        let (bindings, made) = (map("/data/bindings")?, map("/data/made")?);
        (object.text("/data/uid") == uid).then_some(Self { bindings, made })
    }

    fn write(&self, scope: Scope<'_>, stored: Option<&Object>) -> Write {
        let key = Key::new(Kind::ConfigMap, SYSTEM_NAMESPACE, record_name(scope.namespace));
        let data = json!({ "uid": scope.uid, "bindings": json!(self.bindings).to_string(), "made": json!(self.made).to_string() });
        let object = json!({ "metadata": { "labels": { KEPT_LABEL: "record" } }, "data": data });
        match stored {
            None => Write::create(key, object),
            Some(it) => Write::patch(key, it.resource_version(), object),
        }
    }
}

// === impl One ===

impl<'a> One<'a> {
    fn find(world: &'a World, scope: Scope<'a>, built_in: &'static BuiltIn) -> Self {
        let kind = role_kind(scope.place);
        let refers = move |it: &&Object| it.role() == (kind.word(), built_in.name);
        let bindings = match scope.place {
            Place::Platform => world.all(Kind::ClusterRoleBinding).chain(world.all(Kind::RoleBinding)).filter(refers).collect(),
            _ => {
                let mirrored = |it: &&Object| scope.place == Place::Project && it.name().starts_with(MIRRORED);
                world.within(Kind::RoleBinding, scope.namespace).filter(refers).filter(|it| !mirrored(it)).collect()
            }
        };
        Self { built_in, rules: built_in.rules(), now: world.get(kind, scope.namespace, built_in.name), bindings }
    }

    fn is_whole(&self) -> bool {
        let gathers = |it: &Object| it.value().get("aggregationRule").is_some_and(|it| !it.is_null());
        self.now.is_some_and(|it| Rule::read_all(it.value()) == self.rules && !it.is_deleting() && !gathers(it))
    }

    /// The role, at the version that was looked at.
    fn given(&self, scope: Scope<'_>) -> Option<(Key, String)> {
        Some((self.key(scope), self.now?.resource_version().to_owned()))
    }

    fn key(&self, scope: Scope<'_>) -> Key {
        Key::new(role_kind(scope.place), scope.namespace, self.built_in.name)
    }

    fn create(&self, scope: Scope<'_>) -> Write {
        let about = json!({ crate::names::DESCRIPTION: self.built_in.about });
        let metadata = json!({ "labels": { BUILT_IN_LABEL: "true" }, "annotations": about });
        Write::create(self.key(scope), json!({ "metadata": metadata, "rules": self.values() }))
    }

    /// The role as it should be.
    fn fill(&self, scope: Scope<'_>) -> Write {
        let Some(now) = self.now else { return self.create(scope) };
        let mut patch = json!({ "metadata": { "labels": { BUILT_IN_LABEL: "true" } }, "rules": self.values() });
        if scope.place == Place::Platform {
            patch["aggregationRule"] = Value::Null;
        }
        Write::patch(self.key(scope), now.resource_version(), patch)
    }

    fn values(&self) -> Value {
        self.rules.iter().map(Rule::to_value).collect()
    }
}

const fn role_kind(place: Place) -> Kind {
    match place {
        Place::Platform => Kind::ClusterRole,
        Place::Workspace | Place::Project => Kind::Role,
    }
}

/// Whom a binding binds, as a text that is compared.
fn bound(binding: &Object) -> String {
    let one = |it: &Subject| format!("{}:{}:{}", it.kind, it.namespace, it.name);
    binding.subjects().iter().map(one).collect::<Vec<_>>().join(",")
}
