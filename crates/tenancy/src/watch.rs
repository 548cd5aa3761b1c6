//! Watching: what there is, and what becomes of it.

use crate::names::{KEPT_LABEL, SYSTEM_NAMESPACE};
use crate::object::Kind;
use crate::world::{Key, World};
use futures::StreamExt;
use kube::api::{Api, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Changes that wait; past it the watches wait.
const QUEUE: usize = 1024;
const PAGE: u32 = 500;

/// All watches together. Dropping it ends them.
pub(crate) struct Watch {
    incoming: mpsc::Receiver<(Kind, watcher::Event<DynamicObject>)>,
    known: BTreeMap<Kind, Known>,
    /// Ends them when dropped.
    _tasks: JoinSet<()>,
}

/// Which objects of a kind there are, so that a new list shows what has gone.
#[derive(Default)]
struct Known {
    synced: bool,
    listing: Option<BTreeSet<Key>>,
}

// === impl Watch ===

impl Watch {
    pub(crate) fn start(client: &Client) -> Self {
        let (outgoing, incoming) = mpsc::channel(QUEUE);
        let mut tasks = JoinSet::new();
        for kind in Kind::READ {
            tasks.spawn(follow(client.clone(), kind, outgoing.clone()));
        }
        Self { incoming, known: Kind::READ.map(|kind| (kind, Known::default())).into(), _tasks: tasks }
    }

    /// Whether every kind has been listed.
    pub(crate) fn is_synced(&self) -> bool {
        self.known.values().all(|it| it.synced)
    }

    /// Waits for a change and takes it, and what else has come, into `world`. `None`: nobody watches any more.
    ///
    /// Cancel safe.
    pub(crate) async fn changed(&mut self, world: &mut World) -> Option<()> {
        let (kind, event) = self.incoming.recv().await?;
        self.take(kind, event, world);
        self.drain(world);
        Some(())
    }

    /// Takes what has come.
    pub(crate) fn drain(&mut self, world: &mut World) {
        for _ in 0..QUEUE {
            let Ok((kind, event)) = self.incoming.try_recv() else { return };
            self.take(kind, event, world);
        }
    }

    fn take(&mut self, kind: Kind, event: watcher::Event<DynamicObject>, world: &mut World) {
        let known = self.known.entry(kind).or_default();
        match event {
            watcher::Event::Init => known.listing = Some(BTreeSet::new()),
            watcher::Event::InitApply(object) => {
                let key = key(kind, &object);
                // A list is what there is, be it from a copy that was put back.
                world.remove(&key);
                put(kind, object, world);
                known.listing.get_or_insert_default().insert(key);
            }
            watcher::Event::InitDone => {
                let listed = known.listing.take().unwrap_or_default();
                let gone: Vec<Key> = world.keys().filter(|it| it.kind == kind && !listed.contains(it)).cloned().collect();
                gone.iter().for_each(|it| world.remove(it));
                known.synced = true;
            }
            watcher::Event::Apply(object) => put(kind, object, world),
            watcher::Event::Delete(object) => {
                let key = key(kind, &object);
                // Of another that has its name by now this says nothing.
                if world.at(&key).is_some_and(|it| Some(it.uid()) == object.metadata.uid.as_deref()) {
                    world.remove(&key);
                }
            }
        }
    }
}

fn key(kind: Kind, object: &DynamicObject) -> Key {
    Key::new(kind, object.namespace().unwrap_or_default(), object.name_any())
}

/// Puts what the server has said into the world, unless that has something newer.
pub(crate) fn put(kind: Kind, mut object: DynamicObject, world: &mut World) {
    let key = key(kind, &object);
    object.metadata.managed_fields = None;
    let revision: u64 = object.metadata.resource_version.as_deref().and_then(|it| it.parse().ok()).unwrap_or(u64::MAX);
    let older = world.at(&key).is_some_and(|it| Some(it.uid()) == object.metadata.uid.as_deref() && it.revision() > revision);
    if !older && let Ok(value @ Value::Object(_)) = serde_json::to_value(&object) {
        world.put(key, value);
    }
}

/// Lists in pages, watches, and begins again where that is needed, until nobody listens.
async fn follow(client: Client, kind: Kind, outgoing: mpsc::Sender<(Kind, watcher::Event<DynamicObject>)>) {
    let (api, config): (Api<DynamicObject>, _) = match kind {
        // Records alone: what else is in that namespace is nobody's to read.
        Kind::ConfigMap => {
            let config = watcher::Config::default().labels(&format!("{KEPT_LABEL}=record"));
            (Api::namespaced_with(client, SYSTEM_NAMESPACE, &kind.resource()), config)
        }
        _ => (Api::all_with(client, &kind.resource()), watcher::Config::default()),
    };
    let mut events = std::pin::pin!(watcher(api, config.page_size(PAGE)).default_backoff());
    let mut failing = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                failing &= matches!(event, watcher::Event::Init);
                if outgoing.send((kind, event)).await.is_err() {
                    return;
                }
            }
            Err(error) if failing => tracing::debug!(%kind, %error, "still cannot watch"),
            Err(error) => {
                failing = true;
                let hint = match kind {
                    Kind::User | Kind::Workspace | Kind::Project if is_absence(&error) => {
                        ": people and projects wait for it; install what `paifang crds` prints"
                    }
                    _ => ", trying again",
                };
                tracing::warn!(%kind, %error, "cannot watch{hint}");
            }
        }
    }
}

fn is_absence(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => {
            status.code == 404
        }
        _ => false,
    }
}
