//! Makes wishes come true.

use crate::mailbox::Slot;
use crate::wish::Part;
use crate::{Mailbox, Target, Wish};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Wishes under way at once.
const AT_ONCE: usize = 16;
/// The longest one request may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Tries against others who write the same object at the same time, and the wait before the second one; it doubles.
const CONFLICTS: u32 = 8;
const BACKOFF: Duration = Duration::from_millis(5);
/// How long to leave alone what was refused.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two conditions of one object: of a thousand routes that attach to a Gateway one after another, not every count is written.
const REST: Duration = Duration::from_millis(250);

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("{}", said(.0))]
    Api(#[from] kube::Error),
    #[error("others kept changing it")]
    Conflicts,
    #[error("no answer within {} s", DEADLINE.as_secs())]
    Deadline,
    #[error("it is no object: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// An API server's own words, where it had some.
fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// Whether an object was as wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Nothing,
    Something,
}

/// Writes what is put into the mailbox, for as long as it is polled.
///
/// **Invariant:** one object's trouble delays nobody else, while fewer than [`AT_ONCE`] requests hang at once.
pub async fn write_all(client: Client, mailbox: Mailbox) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    while let Ok(permit) = room.clone().acquire_owned().await {
        let (slot, wish) = mailbox.take().await;
        while under_way.try_join_next().is_some() {}
        under_way.spawn(fulfil(client.clone(), mailbox.clone(), slot, wish, permit));
    }
}

async fn fulfil(client: Client, mailbox: Mailbox, slot: Slot, wish: Wish, permit: OwnedSemaphorePermit) {
    let again = match try_to_write(&client, &slot.target, &wish).await {
        Ok(written) => {
            drop(permit);
            if written == Written::Something && matches!(wish, Wish::Status(_)) {
                sleep(REST).await;
            }
            None
        }
        Err(error) if again(&slot.target, &error) => {
            // A server that does not answer is not asked more often because there is more to ask.
            let _permit = (!matches!(error, WriteError::Api(kube::Error::Api(_)) | WriteError::Conflicts)).then_some(permit);
            sleep(PAUSE).await;
            Some(wish)
        }
        Err(_) => None,
    };
    mailbox.done(slot, again);
}

/// Whether it is worth another try.
fn again(target: &Target, error: &WriteError) -> bool {
    let lasting = match error {
        // The namespace is going or gone, the object is refused: the next change of the object brings the next try.
        WriteError::Api(kube::Error::Api(status)) => matches!(status.code, 400 | 403 | 404 | 422),
        WriteError::Malformed(_) => true,
        _ => false,
    };
    if in_vain(error) {
        tracing::debug!(%target, %error, "not written");
    } else if lasting {
        tracing::warn!(%target, %error, "could not be written");
    } else {
        tracing::info!(%target, %error, "could not be written yet");
    }
    !lasting
}

/// The object or its namespace is on its way out: what was to be said about it interests nobody any more.
fn in_vain(error: &WriteError) -> bool {
    match error {
        WriteError::Api(kube::Error::Api(status)) => {
            status.code == 404 || status.code == 403 && status.message.contains("being terminated")
        }
        _ => false,
    }
}

/// Writes one wish and waits for it.
pub async fn write(client: &Client, target: &Target, wish: &Wish) -> Result<(), WriteError> {
    try_to_write(client, target, wish).await.map(drop)
}

async fn try_to_write(client: &Client, target: &Target, wish: &Wish) -> Result<Written, WriteError> {
    for attempt in 0..CONFLICTS {
        match timeout(DEADLINE, write_once(client, target, wish)).await {
            Err(_) => return Err(WriteError::Deadline),
            Ok(Err(WriteError::Api(kube::Error::Api(status)))) if status.code == 409 => {
                sleep(BACKOFF * 2_u32.pow(attempt)).await;
            }
            Ok(result) => return result,
        }
    }
    Err(WriteError::Conflicts)
}

async fn write_once(client: &Client, target: &Target, wish: &Wish) -> Result<Written, WriteError> {
    let api = api(client, target);
    let current = api.get_opt(&target.name).await?;
    match (wish, current) {
        (Wish::Absent, Some(_)) => {
            api.delete(&target.name, &DeleteParams::default()).await?;
        }
        (Wish::Absent | Wish::Addresses(_) | Wish::Reached(_) | Wish::NodePorts(_) | Wish::Status(_) | Wish::Annotation(..), None) => {
            return Ok(Written::Nothing);
        }
        (Wish::Object(object) | Wish::Event(object), None) => {
            let object: DynamicObject = serde_json::from_value(without_nulls(object))?;
            api.create(&PostParams::default(), &object).await?;
        }
        (wish, Some(current)) => {
            let current = serde_json::to_value(&current)?;
            let Some(patch) = wish.change(&current, &now()) else { return Ok(Written::Nothing) };
            send(&api, target, wish, guarded(patch, &current)).await?;
        }
    }
    Ok(Written::Something)
}

/// What is not to be there is not there yet.
fn without_nulls(object: &Value) -> Value {
    match object {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, it)| !it.is_null());
            kept.map(|(name, it)| (name.clone(), without_nulls(it))).collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// As Kubernetes writes times.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn send(api: &Api<DynamicObject>, target: &Target, wish: &Wish, patch: Value) -> Result<(), WriteError> {
    let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
    match wish.part() == Part::Status {
        true => api.patch_status(&target.name, &params, &patch).await?,
        false => api.patch(&target.name, &params, &patch).await?,
    };
    Ok(())
}

/// A patch that the server refuses when the object has changed since `current`.
fn guarded(mut patch: Value, current: &Value) -> Value {
    if let Some(version) = current.pointer("/metadata/resourceVersion") {
        json_patch::merge(&mut patch, &json!({ "metadata": { "resourceVersion": version } }));
    }
    patch
}

fn api(client: &Client, target: &Target) -> Api<DynamicObject> {
    let resource = target.kind.resource();
    match target.kind.namespaced() {
        false => Api::all_with(client.clone(), &resource),
        true => Api::namespaced_with(client.clone(), &target.namespace, &resource),
    }
}
