//! ServiceAccounts as Kubernetes keeps them: one named `default` in every namespace, and the Secrets that hold their tokens.
//!
//! It compares what is there with what should be, not event with event: a restart or a missed event costs nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use store::{Event, Expect, Op, WatchError, WriteError};

use crate::api::Api;
use crate::object::{Object, decode, encode};
use crate::token::lasting;
use crate::{clock, names};

const DEFAULT: &str = "default";
/// Writes that wait for the disk together.
const AT_ONCE: usize = 256;
/// Between tries after a write failed.
const AGAIN: Duration = Duration::from_secs(1);
/// Changes come in crowds; one look is enough for those of this time.
const CROWD: Duration = Duration::from_millis(50);

/// Runs until the store is closed. `authority` is what the Secrets say clients are to trust.
pub(crate) async fn run(api: Arc<Api>, authority: String) {
    loop {
        let from = api.store.revision();
        let settled = settle(&api, &authority).await;
        let Ok(mut watch) = api.store.watch("/", from) else { continue };
        let next = match settled {
            true => news(&mut watch).await,
            false => tokio::time::timeout(AGAIN, news(&mut watch)).await.unwrap_or(Ok(())),
        };
        match next {
            Err(WatchError::Closed) => return,
            _ => tokio::time::sleep(CROWD).await,
        }
    }
}

async fn news(watch: &mut store::Watch) -> Result<(), WatchError> {
    let matters = |event: &Arc<Event>| match event.key.starts_with("/secrets/") {
        true => event.now.iter().chain(event.before.iter().map(|before| &before.bytes)).any(|bytes| lasting::is_token(bytes)),
        false => event.key.starts_with("/namespaces/") || event.key.starts_with("/serviceaccounts/"),
    };
    while !watch.next().await?.iter().any(matters) {}
    Ok(())
}

/// Writes what is missing, each for itself; whether nothing is left to do.
pub(crate) async fn settle(api: &Api, authority: &str) -> bool {
    let writes: Vec<Vec<Op>> = missing(api).into_iter().chain(lasting::due(api, authority).into_iter().map(|op| vec![op])).collect();
    let mut settled = true;
    // Together they cost one fsync.
    for some in writes.chunks(AT_ONCE) {
        let done = futures::future::join_all(some.iter().map(|ops| api.store.write(ops.clone()))).await;
        settled &= done.iter().all(|done| match done {
            Ok(_) => true,
            // Somebody else changed it, which is news.
            Err(error) => matches!(error, WriteError::Conflict { .. } | WriteError::Exists { .. } | WriteError::NotFound { .. }),
        });
    }
    settled
}

/// The writes that give each namespace its account, as long as it stays.
fn missing(api: &Api) -> Vec<Vec<Op>> {
    let kinds = api.kinds();
    let [Some(namespaces), Some(accounts)] = ["namespaces", "serviceaccounts"].map(|plural| kinds.find("", "v1", plural)) else {
        return Vec::new();
    };
    let mut missing = Vec::new();
    for (guard, stored) in api.store.list(&namespaces.root).1 {
        let namespace = decode(namespaces, &stored);
        let key = accounts.key(namespace.name(), DEFAULT);
        if namespace.is_deleting() || api.store.get(&key).is_some() {
            continue;
        }
        let account = json!({ "metadata": {
            "name": DEFAULT, "namespace": namespace.name(), "uid": names::uid(), "creationTimestamp": clock::now(),
        } });
        missing.push(vec![Op::check(&*guard, Expect::Revision(stored.revision)), Op::put(key, Expect::Absent, encode(accounts, &account))]);
    }
    missing
}
