//! As much of an API server as plans can see: versions, merge patches, finalizers, namespaces that take their contents along, owners.

use crate::names::{HOME_LABEL, WORKSPACE_LABEL};
use crate::object::{Kind, Object};
use crate::plan::plan;
use crate::world::{Key, World};
use crate::write::{Chain, Write};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// More rounds than anything needs.
const ROUNDS: usize = 60;

#[derive(Default)]
pub(super) struct Server {
    objects: BTreeMap<Key, Value>,
    revision: u64,
    /// Where above 0, writes of a plan are done in another order.
    seed: u64,
}

// === impl Server ===

impl Server {
    pub(super) fn shuffled(seed: u64) -> Self {
        Self { seed: seed | 1, ..Self::default() }
    }

    pub(super) fn world(&self) -> World {
        let mut world = World::default();
        for (key, object) in &self.objects {
            if Kind::READ.contains(&key.kind) {
                world.put(key.clone(), object.clone());
            }
        }
        world
    }

    pub(super) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&Key::new(kind, namespace, name))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.objects.keys()
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter()
    }

    /// Creates an object, if there is none, and its namespace takes some.
    pub(super) fn put(&mut self, kind: Kind, namespace: &str, name: &str, object: Value) {
        self.create(&Key::new(kind, namespace, name), object);
    }

    fn create(&mut self, key: &Key, mut object: Value) -> bool {
        let open = |it: &Value| it["metadata"]["deletionTimestamp"].is_null();
        if self.objects.contains_key(key) || !key.namespace.is_empty() && !self.get(Kind::Namespace, "", &key.namespace).is_some_and(open) {
            return false;
        }
        self.revision += 1;
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        object["metadata"]["name"] = key.name.as_str().into();
        if !key.namespace.is_empty() {
            object["metadata"]["namespace"] = key.namespace.as_str().into();
        }
        object["metadata"]["uid"] = format!("uid-{}", self.revision).into();
        object["metadata"]["creationTimestamp"] = format!("2026-01-01T00:{:02}:{:02}Z", self.revision / 60 % 60, self.revision % 60).into();
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        self.objects.insert(key.clone(), object);
        true
    }

    pub(super) fn patch(&mut self, kind: Kind, namespace: &str, name: &str, patch: Value) {
        self.merge(&Key::new(kind, namespace, name), &patch);
    }

    fn merge(&mut self, key: &Key, patch: &Value) -> bool {
        let Some(object) = self.objects.get_mut(key) else { return false };
        let version = &patch["metadata"]["resourceVersion"];
        if !version.is_null() && *version != object["metadata"]["resourceVersion"] {
            return false;
        }
        self.revision += 1;
        json_patch::merge(object, patch);
        object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        self.collect();
        true
    }

    pub(super) fn delete(&mut self, kind: Kind, namespace: &str, name: &str) {
        self.remove(&Key::new(kind, namespace, name));
        self.collect();
    }

    fn remove(&mut self, key: &Key) {
        let Some(object) = self.objects.get_mut(key) else { return };
        let held = object["metadata"]["finalizers"].as_array().is_some_and(|it| !it.is_empty());
        if !held && key.kind != Kind::Namespace {
            self.objects.remove(key);
        } else if object["metadata"]["deletionTimestamp"].is_null() {
            self.revision += 1;
            object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            object["metadata"]["resourceVersion"] = self.revision.to_string().into();
        }
    }

    /// Deletes an object, and leaves what it owns.
    pub(super) fn orphan(&mut self, kind: Kind, namespace: &str, name: &str) {
        let key = Key::new(kind, namespace, name);
        let Some(uid) = self.objects.get(&key).map(|it| it["metadata"]["uid"].clone()) else { return };
        for object in self.objects.values_mut() {
            if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
                owners.retain(|it| it["uid"] != uid);
            }
        }
        self.delete(kind, namespace, name);
    }

    /// What goes by itself: contents of namespaces, what has lost its owner, what nothing holds any more.
    fn collect(&mut self) {
        loop {
            let uids: Vec<Value> = self.objects.values().map(|it| it["metadata"]["uid"].clone()).collect();
            let going = |name: &str| self.get(Kind::Namespace, "", name).is_some_and(|it| !it["metadata"]["deletionTimestamp"].is_null());
            let empty = |name: &str| self.objects.keys().all(|it| it.namespace != name);
            let mut gone = Vec::new();
            for (key, object) in &self.objects {
                let meta = &object["metadata"];
                let deleting = !meta["deletionTimestamp"].is_null();
                let held = meta["finalizers"].as_array().is_some_and(|it| !it.is_empty());
                let owners = meta["ownerReferences"].as_array().filter(|it| !it.is_empty());
                let lost = owners.is_some_and(|it| it.iter().all(|it| !uids.contains(&it["uid"])));
                let done = deleting && !held && (key.kind != Kind::Namespace || empty(&key.name));
                if done || !deleting && (lost || !key.namespace.is_empty() && going(&key.namespace)) {
                    gone.push((key.clone(), done));
                }
            }
            if gone.is_empty() {
                return;
            }
            for (key, done) in gone {
                if done {
                    self.objects.remove(&key);
                } else {
                    self.remove(&key);
                }
            }
        }
    }

    /// Does what is planned until nothing is.
    pub(super) fn settle(&mut self) {
        for round in 0..ROUNDS {
            let mut chains = plan(&self.world(), &format!("2030-01-01T00:00:{round:02}Z"));
            if chains.is_empty() {
                return;
            }
            self.shuffle(&mut chains);
            let before = self.revision;
            let planned = format!("{chains:#?}");
            chains.into_iter().for_each(|it| self.execute(it));
            assert!(self.revision > before || round < ROUNDS / 2, "it goes in circles: {planned}");
        }
        panic!("it does not come to rest: {:#?}", plan(&self.world(), "2030-01-01T00:01:00Z"));
    }

    fn shuffle(&mut self, chains: &mut [Chain]) {
        if self.seed == 0 {
            return;
        }
        for at in (1..chains.len()).rev() {
            // Xorshift: chance enough for an order.
            self.seed ^= self.seed << 13;
            self.seed ^= self.seed >> 7;
            self.seed ^= self.seed << 17;
            let other = usize::try_from(self.seed % (at as u64 + 1)).unwrap_or_default();
            chains.swap(at, other);
        }
    }

    fn execute(&mut self, chain: Chain) {
        for (key, version) in &chain.given {
            if self.objects.get(key).map_or("", |it| it["metadata"]["resourceVersion"].as_str().unwrap_or_default()) != version {
                return;
            }
        }
        for write in chain.writes {
            let done = match &write {
                Write::Create(key, object) => {
                    assert_eq!(object["kind"], key.kind.word());
                    self.create(key, object.clone())
                }
                Write::Patch(key, patch) => self.merge(key, patch),
                Write::Status(key, patch) => {
                    assert!(patch.as_object().is_some_and(|it| it.keys().all(|it| it == "metadata" || it == "status")), "{patch}");
                    self.merge(key, patch)
                }
                Write::Delete(key, uid) => {
                    if uid.is_empty() || self.objects.get(key).is_some_and(|it| it["metadata"]["uid"] == uid.as_str()) {
                        self.remove(key);
                    }
                    true
                }
            };
            self.collect();
            if !done {
                return;
            }
        }
    }

    /// What must hold at rest, whatever has happened.
    pub(super) fn check(&self) {
        for (key, object) in self.objects.iter().filter(|(key, _)| key.kind == Kind::RoleBinding) {
            let object = Object::new(object.clone());
            if !key.name.starts_with("paifang:workspace:") {
                continue;
            }
            let namespace = self.get(Kind::Namespace, "", &key.namespace).expect("a namespace");
            let workspace = namespace["metadata"]["labels"][WORKSPACE_LABEL].as_str().expect("only projects have mirrored members");
            let home = format!("workspace-{workspace}");
            let is_home = |it: &Value| it["metadata"]["labels"][HOME_LABEL] == workspace;
            assert!(self.get(Kind::Namespace, "", &home).is_some_and(is_home), "{key}");
            for subject in object.subjects() {
                let bound = self.objects.iter().any(|(other, it)| {
                    let same = it["roleRef"]["name"] == object.role().1;
                    other.kind == Kind::RoleBinding && other.namespace == home && same && it["subjects"].to_string().contains(&subject.name)
                });
                assert!(bound, "{key} binds {subject:?}, whom the workspace does not");
            }
        }
    }
}
