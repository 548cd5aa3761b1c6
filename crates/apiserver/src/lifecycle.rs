//! What goes on after a request: a namespace or a definition that was asked to go takes its contents along.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use store::{Expect, Object as Stored, Op, WatchError};

use crate::api::Api;
use crate::kinds::Kind;
use crate::object::{Object, as_map, decode, encode};
use crate::{clock, crd};

/// Between tries after a write failed.
const AGAIN: Duration = Duration::from_millis(500);

/// Writes that are under way together, so that one sync to the disk serves many.
pub(crate) const AT_ONCE: usize = 64;

/// What was asked to go and still holds something.
enum Going {
    Namespace(String),
    Definition(Value),
}

/// Runs until the store is closed.
pub(crate) async fn run(api: Arc<Api>) {
    let mut from = api.store.revision();
    loop {
        let rest = sweep(&api).await;
        let Ok(mut watch) = api.store.watch("", from) else {
            from = api.store.revision();
            continue;
        };
        // While something is going any change may be the one it waits for.
        match wait(&api, &mut watch, rest).await {
            Ok(()) | Err(WatchError::Compacted { .. } | WatchError::Future { .. }) => from = api.store.revision(),
            Err(WatchError::Closed) => return,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    Something,
}

async fn wait(api: &Api, watch: &mut store::Watch, rest: Rest) -> Result<(), WatchError> {
    if rest == Rest::Something {
        let next = tokio::time::timeout(AGAIN, watch.next()).await;
        return next.map_or(Ok(()), |events| events.map(drop));
    }
    let kinds = api.kinds();
    let roots: Vec<String> = going_kinds(&kinds).map(|kind| kind.root.clone()).collect();
    loop {
        let events = watch.next().await?;
        if events.iter().any(|event| roots.iter().any(|root| event.key.starts_with(root))) {
            return Ok(());
        }
    }
}

fn going_kinds(kinds: &crate::kinds::Kinds) -> impl Iterator<Item = &Arc<Kind>> {
    [kinds.find("", "v1", "namespaces"), kinds.find(crd::GROUP, "v1", crd::PLURAL)].into_iter().flatten()
}

/// Takes one step for everything that is going.
async fn sweep(api: &Api) -> Rest {
    let kinds = api.kinds();
    let mut rest = Rest::Nothing;
    for kind in going_kinds(&kinds) {
        for (_, stored) in api.store.list(&kind.root).1 {
            let object = decode(kind, &stored);
            if object.is_deleting() && !step(api, kind, &stored, object).await {
                rest = Rest::Something;
            }
        }
    }
    rest
}

/// Whether the object is gone.
async fn step(api: &Api, kind: &Arc<Kind>, stored: &Stored, object: Value) -> bool {
    let going = if kind.plural == crd::PLURAL { Going::Definition(object.clone()) } else { Going::Namespace(object.name().to_owned()) };
    empty(api, &going).await && release(api, kind, stored, object).await
}

/// Deletes what is inside; whether nothing is left.
async fn empty(api: &Api, going: &Going) -> bool {
    let kinds = api.kinds();
    let mut left = 0;
    for kind in kinds.iter() {
        let keys = match going {
            Going::Namespace(name) if kind.namespaced => kind.keys_in(name),
            Going::Definition(object) if is_of(kind, object) => kind.root.clone(),
            _ => continue,
        };
        let removals = api.store.list(&keys).1.into_iter().map(|(key, stored)| async move { remove(api, kind, &key, &stored).await });
        let gone = futures::stream::iter(removals).buffer_unordered(AT_ONCE);
        left += gone.filter(|gone| std::future::ready(!gone)).count().await;
    }
    left == 0
}

fn is_of(kind: &Kind, definition: &Value) -> bool {
    definition["spec"]["group"] == kind.group && definition["spec"]["names"]["plural"] == kind.plural
}

/// Whether the object is gone; one with finalizers is asked to go.
async fn remove(api: &Api, kind: &Kind, key: &str, stored: &Stored) -> bool {
    let mut object = decode(kind, stored);
    let expect = Expect::Revision(stored.revision);
    let waits = object.has_finalizers();
    if waits && object.is_deleting() {
        return false;
    }
    let op = if waits {
        mark(&mut object);
        Op::put(key, expect, encode(kind, &object))
    } else {
        Op::delete(key, expect)
    };
    api.store.write(vec![op]).await.is_ok() && !waits
}

/// Asks an object to go.
pub(crate) fn mark(object: &mut Value) {
    if object.is_deleting() {
        return;
    }
    let generation = object.generation();
    let meta = object.meta_mut();
    meta.insert("deletionTimestamp".into(), clock::now().into());
    meta.insert("deletionGracePeriodSeconds".into(), 0.into());
    if generation > 0 {
        meta.insert("generation".into(), (generation + 1).into());
    }
}

/// Takes our own finalizer off; the object goes if it was the last.
async fn release(api: &Api, kind: &Kind, stored: &Stored, mut object: Value) -> bool {
    let finalizers = object.meta_mut().get_mut("finalizers").and_then(Value::as_array_mut);
    if let Some(finalizers) = finalizers {
        finalizers.retain(|one| one != crd::FINALIZER);
    }
    if kind.plural == "namespaces" {
        as_map(&mut object["spec"]).insert("finalizers".into(), json!([]));
    }
    let gone = !object.has_finalizers();
    let expect = Expect::Revision(stored.revision);
    let key = kind.key("", object.name());
    let bytes = encode(kind, &object);
    let same = *bytes == *stored.bytes;
    let op = if gone { Op::delete(key, expect) } else { Op::put(key, expect, bytes) };
    if !same || gone {
        let done = api.store.write(vec![op]).await.is_ok();
        if done && kind.plural == crd::PLURAL {
            crd::refresh(api);
        }
        return done && gone;
    }
    false
}
