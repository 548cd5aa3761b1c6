//! Objects whose owners are all gone go too, as Kubernetes' garbage collector has it. An owner that is deleted in the foreground counts as
//! gone to what it owns, and goes when all that blocks it is.
//!
//! It compares what is there with what should be, not event with event: a restart or a missed event costs nothing.
//! An owner of a kind that is not served counts as there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use store::{Event, Expect, Object as Stored, Op, WatchError};

use crate::api::Api;
use crate::kinds::{Kind, Kinds, api_version};
use crate::object::{Object, decode, encode};

/// Deletions come in crowds; one look is enough for those of this time.
const CROWD: Duration = Duration::from_millis(100);
/// In the bytes of an object that has an owner; inside a text its quotes would be escaped.
const MARK: &[u8] = b"\"ownerReferences\":[{";
/// Keeps an owner until what it owns is gone.
const FOREGROUND: &str = "foregroundDeletion";

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
            None if event.before.as_ref().is_some_and(|before| is_owned(&before.bytes)) => true,
            None => !event.key.starts_with("/events/") && !event.key.starts_with("coordination.k8s.io/"),
            Some(bytes) => is_owned(bytes) || may_wait(bytes),
        };
        if watch.next().await?.iter().any(matters) {
            return Ok(());
        }
    }
}

fn is_owned(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MARK).is_some()
}

fn may_wait(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, FOREGROUND.as_bytes()).is_some()
}

/// Asks that an object stays until what it owns is gone.
pub(crate) fn wait_for_dependents(object: &mut Value) {
    let finalizers = object.meta_mut().entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut()
        && !list.iter().any(|one| one == FOREGROUND)
    {
        list.push(FOREGROUND.into());
    }
}

async fn sweep(api: &Api) {
    let kinds = api.kinds();
    let mut seen = HashSet::new();
    let once: Vec<_> = kinds.iter().filter(|kind| seen.insert(kind.root.clone())).collect();
    let (mut waiting, mut blocked) = (HashMap::new(), HashSet::new());
    for kind in &once {
        for (key, stored) in api.store.list(&kind.root).1 {
            if may_wait(&stored.bytes) && waits(&decode(kind, &stored)) {
                waiting.insert(decode(kind, &stored).meta_str("uid").to_owned(), (*kind, key));
            }
        }
    }
    let going = |owner: &Value| owner["uid"].as_str().is_some_and(|uid| waiting.contains_key(uid));
    for kind in &once {
        for (key, stored) in api.store.list(&kind.root).1 {
            if is_owned(&stored.bytes) {
                let there = |namespace: &str, owner: &Value| exists(api, &kinds, namespace, owner) && !going(owner);
                blocked.extend(settle(api, kind, &key, &stored, there).await);
            }
        }
    }
    for (uid, (kind, key)) in &waiting {
        if !blocked.contains(uid) {
            let_go(api, kind, key).await;
        }
    }
}

fn waits(object: &Value) -> bool {
    let finalizers = object["metadata"]["finalizers"].as_array();
    object.is_deleting() && finalizers.is_some_and(|list| list.iter().any(|one| one == FOREGROUND))
}

/// Nothing blocks it any more.
async fn let_go(api: &Api, kind: &Kind, key: &str) {
    let Some(stored) = api.store.get(key) else { return };
    let mut object = decode(kind, &stored);
    if let Some(list) = object.meta_mut().get_mut("finalizers").and_then(Value::as_array_mut) {
        list.retain(|one| one != FOREGROUND);
    }
    let expect = Expect::Revision(stored.revision);
    let gone = !object.has_finalizers() && !crate::builtin::still_needed(kind, &object);
    let op = if gone { Op::delete(key, expect) } else { Op::put(key, expect, encode(kind, &object)) };
    // Who changed it in between makes news of it, and so another look.
    let _ = api.store.write(vec![op]).await;
}

/// Gives the owners that it still blocks.
async fn settle(api: &Api, kind: &Kind, key: &str, stored: &Stored, there: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut object = decode(kind, stored);
    let namespace = object.namespace().to_owned();
    let owners = owners(&object);
    let blocks = |owner: &&Value| owner["blockOwnerDeletion"] == true;
    let blocked: Vec<String> = owners.iter().filter(blocks).filter_map(|owner| owner["uid"].as_str().map(str::to_owned)).collect();
    let (there, gone): (Vec<_>, Vec<_>) = owners.into_iter().partition(|owner| there(&namespace, owner));
    if gone.is_empty() || (object.is_deleting() && there.is_empty()) {
        return blocked;
    }
    let expect = Expect::Revision(stored.revision);
    let stays = there.is_empty() && (object.has_finalizers() || kind.is("", "namespaces"));
    let op = if !there.is_empty() {
        object.meta_mut().insert("ownerReferences".into(), Value::Array(there));
        Op::put(key, expect, encode(kind, &object))
    } else if stays {
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
    let done = api.store.write(vec![op]).await.is_ok();
    if done && !stays { Vec::new() } else { blocked }
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
    let mut seen = HashSet::new();
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
