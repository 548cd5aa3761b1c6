//! Objects that are ours alone, kept as they should be.

use super::Plan;
use crate::catalogue::Rule;
use crate::names::{KEPT_LABEL, RBAC, VERSION};
use crate::object::{Kind, Object, Subject};
use crate::world::Key;
use crate::write::{Chain, Write};
use serde_json::{Value, json};

/// Whose the object is, and is deleted with.
pub(super) struct Owner<'a>(pub Kind, pub &'a Object);

/// Who a binding binds to what.
pub(super) struct Binding<'a> {
    pub role: (Kind, &'a str),
    pub subjects: Vec<Subject>,
}

// === impl Owner ===

impl Owner<'_> {
    pub(super) fn reference(&self) -> Value {
        json!({ "apiVersion": VERSION, "kind": self.0.word(), "name": self.1.name(), "uid": self.1.uid(), "blockOwnerDeletion": true })
    }

    fn metadata(&self) -> Value {
        json!({ "labels": { KEPT_LABEL: self.1.name() }, "ownerReferences": [self.reference()] })
    }
}

// === impl Plan ===

impl Plan<'_> {
    /// A ClusterRole of ours.
    pub(super) fn keep_role(&mut self, owner: &Owner<'_>, name: &str, rules: &[Rule]) {
        let key = Key::new(Kind::ClusterRole, "", name);
        let wanted: Value = rules.iter().map(Rule::to_value).collect();
        let Some(now) = self.world.at(&key) else {
            self.write(Write::create(key, json!({ "metadata": owner.metadata(), "rules": wanted })));
            return;
        };
        let mut patch = kept(now, owner);
        if Rule::read_all(now.value()) != sorted(rules) {
            patch["rules"] = wanted;
        }
        if now.value().get("aggregationRule").is_some_and(|it| !it.is_null()) {
            patch["aggregationRule"] = Value::Null;
        }
        self.mend(key, now, patch);
    }

    /// A binding of ours; `owner`: only at the cluster's scope, where a namespace deletes what is in it.
    pub(super) fn keep_binding(&mut self, owner: Option<&Owner<'_>>, key: Key, binding: &Binding<'_>) {
        let (kind, role) = binding.role;
        let subjects: Value = binding.subjects.iter().map(Subject::to_value).collect();
        let metadata = owner.map_or_else(|| json!({ "labels": { KEPT_LABEL: "members" } }), Owner::metadata);
        let role_ref = json!({ "apiGroup": RBAC, "kind": kind.word(), "name": role });
        let fresh = json!({ "metadata": metadata, "roleRef": role_ref, "subjects": subjects });
        let Some(now) = self.world.at(&key) else {
            self.write(Write::create(key, fresh));
            return;
        };
        if now.is_deleting() {
            return;
        }
        // What a binding refers to cannot be changed.
        if now.role() != (kind.word(), role) {
            self.write(Chain::of(vec![Write::Delete(key.clone(), now.uid().to_owned()), Write::create(key, fresh)]));
            return;
        }
        let mut patch = owner.map_or_else(|| label(now, "members"), |it| kept(now, it));
        if now.subjects() != binding.subjects {
            patch["subjects"] = subjects;
        }
        self.mend(key, now, patch);
    }

    /// Writes a patch that says anything.
    pub(super) fn mend(&mut self, key: Key, now: &Object, patch: Value) {
        self.mend_given(Vec::new(), key, now, patch);
    }

    /// The same for a namespace that gets an owner: one that is being deleted without what it owns must not become it again.
    pub(super) fn mend_owned(&mut self, owner: &Owner<'_>, namespace: &Object, patch: Value) {
        let given = vec![(Key::of(owner.0, owner.1), owner.1.resource_version().to_owned())];
        self.mend_given(given, Key::of(Kind::Namespace, namespace), namespace, patch);
    }

    fn mend_given(&mut self, given: Vec<(Key, String)>, key: Key, now: &Object, patch: Value) {
        let empty = patch.as_object().is_none_or(|it| it.values().all(|it| it.as_object().is_some_and(serde_json::Map::is_empty)));
        if !empty && !now.is_deleting() {
            self.write(Chain { given, writes: vec![Write::patch(key, now.resource_version(), patch)] });
        }
    }
}

fn sorted(rules: &[Rule]) -> Vec<Rule> {
    let mut rules = rules.to_vec();
    rules.sort();
    rules
}

/// What of its metadata is not as it should be.
fn kept(now: &Object, owner: &Owner<'_>) -> Value {
    let mut patch = label(now, owner.1.name());
    if !now.is_owned_by(owner.1.uid()) {
        patch["metadata"]["ownerReferences"] = json!([owner.reference()]);
    }
    patch
}

fn label(now: &Object, value: &str) -> Value {
    match now.label(KEPT_LABEL) == Some(value) {
        true => json!({ "metadata": {} }),
        false => json!({ "metadata": { "labels": { KEPT_LABEL: value } } }),
    }
}
