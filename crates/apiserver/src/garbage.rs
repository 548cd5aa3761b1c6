//! Objects whose owners are all gone go too, as Kubernetes' garbage collector has it.
//!
//! It compares what is there with what should be, not event with event: a restart or a missed event costs nothing.
//! An owner of a kind that is not served counts as there.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use store::{Event, Expect, Object as Stored, Op, WatchError};

use crate::api::Api;
use crate::kinds::{Kind, Kinds, api_version};
use crate::object::{Object, decode, encode};

/// Deletions come in crowds; one look is enough for those of this time.
const CROWD: Duration = Duration::from_millis(100);
/// In the bytes of an object that has an owner; inside a text its quotes would be escaped.
const MARK: &[u8] = b"\"ownerReferences\":[{";

/// Runs until the store is closed.
pub(crate) async fn run(api: Arc<Api>) {
    let mut from = api.store.revision();
    loop {
        sweep(&api).await;
        let Ok(mut watch) = api.store.watch("", from) else {
            from = api.store.revision();
            continue;
        };
        match news(&mut watch).await {
            Err(WatchError::Closed) => return,
            _ => tokio::time::sleep(CROWD).await,
        }
        from = api.store.revision();
    }
}

/// Waits for something that may leave an object without an owner.
async fn news(watch: &mut store::Watch) -> Result<(), WatchError> {
    loop {
        let matters = |event: &Arc<Event>| match &event.now {
            // Events and leases own nothing, and come and go often.
            None => !event.key.starts_with("/events/") && !event.key.starts_with("coordination.k8s.io/"),
            Some(bytes) => is_owned(bytes),
        };
        if watch.next().await?.iter().any(matters) {
            return Ok(());
        }
    }
}

fn is_owned(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MARK).is_some()
}

async fn sweep(api: &Api) {
    let kinds = api.kinds();
    let mut seen = std::collections::HashSet::new();
    for kind in kinds.iter().filter(|kind| seen.insert(kind.root.clone())) {
        for (key, stored) in api.store.list(&kind.root).1 {
            if is_owned(&stored.bytes) {
                settle(api, &kinds, kind, &key, &stored).await;
            }
        }
    }
}

async fn settle(api: &Api, kinds: &Kinds, kind: &Kind, key: &str, stored: &Stored) {
    let mut object = decode(kind, stored);
    let namespace = object.namespace().to_owned();
    let owners = owners(&object);
    let (there, gone): (Vec<_>, Vec<_>) = owners.into_iter().partition(|owner| exists(api, kinds, &namespace, owner));
    if gone.is_empty() || (object.is_deleting() && there.is_empty()) {
        return;
    }
    let expect = Expect::Revision(stored.revision);
    let op = if !there.is_empty() {
        object.meta_mut().insert("ownerReferences".into(), Value::Array(there));
        Op::put(key, expect, encode(kind, &object))
    } else if object.has_finalizers() || kind.is("", "namespaces") {
        crate::lifecycle::mark(&mut object);
        if kind.is("", "namespaces") {
            // It goes when nothing is in it any more.
            object["status"]["phase"] = "Terminating".into();
        }
        Op::put(key, expect, encode(kind, &object))
    } else {
        Op::delete(key, expect)
    };
    // Who changed it in between makes news of it, and so another look.
    let _ = api.store.write(vec![op]).await;
}

fn owners(object: &Value) -> Vec<Value> {
    object["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default()
}

fn exists(api: &Api, kinds: &Kinds, namespace: &str, owner: &Value) -> bool {
    let text = |key: &str| owner[key].as_str().unwrap_or("");
    let served = |kind: &&Arc<Kind>| api_version(&kind.group, &kind.version) == text("apiVersion") && kind.kind == text("kind");
    let Some(kind) = kinds.iter().find(served) else { return true };
    let stored = api.store.get(&kind.key(namespace, text("name")));
    stored.is_some_and(|stored| decode(kind, &stored).meta_str("uid") == text("uid"))
}

/// Makes what `owner` owns its own master, before the owner goes.
pub(crate) async fn orphan(api: &Api, owner: &str) {
    let kinds = api.kinds();
    let mut seen = std::collections::HashSet::new();
    for kind in kinds.iter().filter(|kind| seen.insert(kind.root.clone())) {
        for (key, stored) in api.store.list(&kind.root).1 {
            if !is_owned(&stored.bytes) || memchr::memmem::find(&stored.bytes, owner.as_bytes()).is_none() {
                continue;
            }
            release(api, kind, &key, owner).await;
        }
    }
}

async fn release(api: &Api, kind: &Kind, key: &str, owner: &str) {
    // Again while others write it: left as it is, it would be deleted.
    while let Some(stored) = api.store.get(key) {
        let mut object = decode(kind, &stored);
        let mut left = owners(&object);
        left.retain(|one| one["uid"] != owner);
        crate::object::set(object.meta_mut(), "ownerReferences", (!left.is_empty()).then(|| Value::Array(left)));
        let op = Op::put(key, Expect::Revision(stored.revision), encode(kind, &object));
        match api.store.write(vec![op]).await {
            Err(store::WriteError::Conflict { .. }) => {}
            _ => return,
        }
    }
}
