//! Makes wishes come true.

use crate::mailbox::Slot;
use crate::{Mailbox, Target, Wish};
use futures::StreamExt;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::time::Duration;

/// Wishes under way at once.
const AT_ONCE: usize = 8;
/// The longest one request may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Tries against others who write the same object at the same time.
const CONFLICTS: usize = 8;
/// How long to leave a server alone that refused.
const PAUSE: Duration = Duration::from_secs(1);

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

/// Writes what is put into the mailbox, for as long as it is polled.
///
/// **Invariant:** one object's trouble delays nobody else by more than a pause.
pub async fn write_all(client: Client, mailbox: Mailbox) {
    loop {
        let wishes = mailbox.take(AT_ONCE * 8).await;
        let failed: Vec<(Slot, Wish)> = futures::stream::iter(wishes)
            .map(|(slot, wish)| {
                let client = client.clone();
                async move {
                    match write(&client, &slot.target, &wish).await {
                        Ok(()) => None,
                        Err(error) => again(&slot.target, &error).then_some((slot, wish)),
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        if !failed.is_empty() {
            tokio::time::sleep(PAUSE).await;
            failed.into_iter().for_each(|(slot, wish)| mailbox.put_back(slot, wish));
        }
    }
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
    for _ in 0..CONFLICTS {
        match tokio::time::timeout(DEADLINE, write_once(client, target, wish)).await {
            Err(_) => return Err(WriteError::Deadline),
            Ok(Err(WriteError::Api(kube::Error::Api(status)))) if status.code == 409 => {}
            Ok(result) => return result,
        }
    }
    Err(WriteError::Conflicts)
}

async fn write_once(client: &Client, target: &Target, wish: &Wish) -> Result<(), WriteError> {
    let api = api(client, target);
    let current = api.get_opt(&target.name).await?;
    match (wish, current) {
        (Wish::Absent, Some(_)) => {
            api.delete(&target.name, &DeleteParams::default()).await?;
        }
        (Wish::Absent, None) | (Wish::Addresses(_), None) => {}
        (Wish::Object(object) | Wish::Event(object), None) => {
            let object: DynamicObject = serde_json::from_value(object.clone())?;
            api.create(&PostParams::default(), &object).await?;
        }
        (wish, Some(current)) => {
            let current = serde_json::to_value(&current)?;
            if let Some(patch) = wish.patch(&current) {
                send(&api, target, wish, guarded(patch, &current)).await?;
            }
        }
    }
    Ok(())
}

async fn send(api: &Api<DynamicObject>, target: &Target, wish: &Wish, patch: Value) -> Result<(), WriteError> {
    let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
    match wish {
        Wish::Addresses(_) => api.patch_status(&target.name, &params, &patch).await?,
        _ => api.patch(&target.name, &params, &patch).await?,
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
