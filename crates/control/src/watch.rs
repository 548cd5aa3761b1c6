//! Watching: every object of the kinds we read, and what becomes of them.

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use status::{Kind, Target};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Objects per page of a list.
const PAGE: u32 = 500;
/// Changes that wait for the loop; past it the watches wait.
const QUEUE: usize = 1024;
/// Between two looks for a kind that the server does not have.
const NO_KIND: Duration = Duration::from_secs(2);
/// So often a kind that was there must be missing before that is believed: a server that starts does not know all its kinds at once.
const MISSED: u32 = 5;
/// Changes that one settling gathers at most, so that a flood does not hold the first ones back.
const GATHER: usize = 20_000;

/// All watches together. Dropping it ends them.
pub struct Watch {
    incoming: mpsc::Receiver<(Kind, Seen)>,
    known: BTreeMap<Kind, Known>,
    /// Ends them when dropped.
    _tasks: JoinSet<()>,
}

/// What has changed since the last time: the newest form of each object, `None` where it is gone.
#[derive(Debug, Default)]
pub struct Changes(BTreeMap<Target, Option<Waiting>>);

/// An object until it is settled.
#[derive(Debug)]
enum Waiting {
    Read(Value),
    /// Of a list, all of whose objects wait for its end: as text they take a fifth of the memory.
    Text(Box<[u8]>),
}

/// What a watch tells.
#[expect(clippy::large_enum_variant, reason = "hardly ever is it anything but an event")]
enum Seen {
    Event(watcher::Event<Raw>),
    /// The server does not have the kind, or not for us: there are no objects of it.
    NoKind,
}

/// Which objects of a kind there are, so that a new list shows what has gone.
#[derive(Default)]
struct Known {
    synced: bool,
    no_kind: bool,
    objects: BTreeSet<Target>,
    listing: Option<BTreeSet<Target>>,
}

/// An object as the server sent it.
///
/// **Invariant:** reading one never fails, so no object can stop a watch; what is wrong inside is found where it is read.
#[derive(Clone, Debug)]
struct Raw {
    meta: ObjectMeta,
    object: Value,
}

// === impl Changes ===

impl Changes {
    pub fn put(&mut self, target: Target, object: Option<Value>) {
        self.0.insert(target, object.map(Waiting::Read));
    }

    fn put_listed(&mut self, target: Target, object: Value) {
        let waiting = serde_json::to_vec(&object).map_or_else(|_| Waiting::Read(object), |text| Waiting::Text(text.into()));
        self.0.insert(target, Some(waiting));
    }

    /// Each object in its newest form; one is read at a time.
    pub fn objects(self) -> impl Iterator<Item = (Target, Option<Value>)> {
        self.0.into_iter().map(|(target, waiting)| (target, waiting.map(Waiting::object)))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

// === impl Waiting ===

impl Waiting {
    fn object(self) -> Value {
        match self {
            Self::Read(object) => object,
            // It was written from a value a moment ago.
            Self::Text(text) => serde_json::from_slice(&text).unwrap_or_default(),
        }
    }
}

// === impl Watch ===

impl Watch {
    /// Begins to watch these kinds in all namespaces.
    pub fn start(client: &Client, kinds: &[Kind]) -> Self {
        let (outgoing, incoming) = mpsc::channel(QUEUE);
        let mut tasks = JoinSet::new();
        for kind in kinds {
            tasks.spawn(watch_kind(client.clone(), *kind, outgoing.clone()));
        }
        Self { incoming, known: kinds.iter().map(|kind| (*kind, Known::default())).collect(), _tasks: tasks }
    }

    /// Waits for a change and takes what else has come by then. The first answer comes when every kind has been listed.
    ///
    /// Cancel safe only before the first change has arrived; give it its own branch and keep the future.
    pub async fn settled(&mut self, changes: &mut Changes) -> Option<()> {
        loop {
            let (kind, event) = self.incoming.recv().await?;
            self.see(kind, event, changes);
            while changes.len() < GATHER {
                let Ok((kind, event)) = self.incoming.try_recv() else { break };
                self.see(kind, event, changes);
            }
            if self.synced() && !changes.is_empty() {
                return Some(());
            }
        }
    }

    pub fn synced(&self) -> bool {
        self.known.values().all(|it| it.synced)
    }

    /// Whether it is known which objects of a kind there are, or that there is no such kind.
    pub fn knows(&self, kind: Kind) -> bool {
        self.known.get(&kind).is_some_and(|it| it.synced)
    }

    /// Whether there are objects of a kind on this server.
    pub fn has(&self, kind: Kind) -> bool {
        self.known.get(&kind).is_some_and(|it| it.synced && !it.no_kind)
    }

    fn see(&mut self, kind: Kind, seen: Seen, changes: &mut Changes) {
        let known = self.known.entry(kind).or_default();
        known.no_kind = matches!(seen, Seen::NoKind);
        match seen {
            Seen::Event(event) => self.take(kind, event, changes),
            Seen::NoKind => {
                known.synced = true;
                known.listing = None;
                std::mem::take(&mut known.objects).into_iter().for_each(|gone| changes.put(gone, None));
            }
        }
    }

    fn take(&mut self, kind: Kind, event: watcher::Event<Raw>, changes: &mut Changes) {
        let known = self.known.entry(kind).or_default();
        match event {
            watcher::Event::Init => known.listing = Some(BTreeSet::new()),
            watcher::Event::InitApply(raw) => {
                let target = raw.target(kind);
                if let Some(listing) = &mut known.listing {
                    listing.insert(target.clone());
                }
                changes.put_listed(target, raw.object);
            }
            watcher::Event::InitDone => {
                let listed = known.listing.take().unwrap_or_default();
                for gone in std::mem::replace(&mut known.objects, listed) {
                    if !known.objects.contains(&gone) {
                        changes.put(gone, None);
                    }
                }
                known.synced = true;
            }
            watcher::Event::Apply(raw) => {
                let target = raw.target(kind);
                known.objects.insert(target.clone());
                changes.put(target, Some(raw.object));
            }
            watcher::Event::Delete(raw) => {
                let target = raw.target(kind);
                known.objects.remove(&target);
                changes.put(target, None);
            }
        }
    }
}

/// Watches a kind until nobody listens. One that the server does not have is looked for quietly, again and again.
async fn watch_kind(client: Client, kind: Kind, outgoing: mpsc::Sender<(Kind, Seen)>) {
    let api: Api<Raw> = Api::all_with(client, &kind.resource());
    let mut presence = Presence::default();
    while follow(&api, kind, &outgoing, &mut presence).await {
        if presence.missed() && outgoing.send((kind, Seen::NoKind)).await.is_err() {
            return;
        }
        tokio::time::sleep(NO_KIND).await;
    }
}

/// What is known of whether there is a kind.
#[derive(Default)]
struct Presence {
    /// It has been listed since it was last said to be gone.
    was_there: bool,
    missing: u32,
    /// It has been said that there is none.
    told: bool,
}

impl Presence {
    /// It is not there, once more. Returns whether that is to be said now.
    fn missed(&mut self) -> bool {
        self.missing = self.missing.saturating_add(1);
        if self.told || self.was_there && self.missing < MISSED {
            return false;
        }
        (self.told, self.was_there) = (true, false);
        true
    }

    fn seen(&mut self) {
        *self = Self { was_there: true, missing: 0, told: false };
    }
}

/// Lists in pages, watches, and begins again where that is needed. `true`: there is no such kind.
async fn follow(api: &Api<Raw>, kind: Kind, outgoing: &mpsc::Sender<(Kind, Seen)>, presence: &mut Presence) -> bool {
    let mut events = std::pin::pin!(watcher(api.clone(), watcher::Config::default().page_size(PAGE)).default_backoff());
    let (mut failing, mut listing) = (false, false);
    while let Some(event) = events.next().await {
        match event {
            // Beginning a list is no sign that there is something to be listed.
            Ok(watcher::Event::Init) => listing = true,
            Ok(event) => {
                failing = false;
                presence.seen();
                if std::mem::take(&mut listing) && outgoing.send((kind, Seen::Event(watcher::Event::Init))).await.is_err() {
                    return false;
                }
                if outgoing.send((kind, Seen::Event(event))).await.is_err() {
                    return false;
                }
            }
            Err(error) if kind.is_optional() && is_absence(&error) => {
                // Of a kind that every server has it is a right that is missing.
                if kind.is_built_in() && !presence.told {
                    tracing::warn!(%kind, %error, "may not be watched; going on without");
                }
                return true;
            }
            Err(error) if failing => tracing::debug!(%kind, %error, "still cannot watch"),
            Err(error) => {
                failing = true;
                tracing::warn!(%kind, %error, "cannot watch, trying again");
            }
        }
    }
    false
}

/// No such kind, or none that we may see.
fn is_absence(error: &watcher::Error) -> bool {
    let cause = match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => error,
        watcher::Error::WatchError(status) => return matches!(status.code, 403 | 404),
        watcher::Error::NoResourceVersion => return false,
    };
    matches!(cause, kube::Error::Api(status) if matches!(status.code, 403 | 404))
}

// === impl Raw ===

impl Raw {
    fn target(&self, kind: Kind) -> Target {
        Target::new(kind, self.meta.namespace.clone().unwrap_or_default(), self.meta.name.clone().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut object = Value::deserialize(from)?;
        let text = |name: &str| object.pointer("/metadata").and_then(|it| it.get(name)).and_then(Value::as_str).map(str::to_owned);
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        trim(&mut object);
        Ok(Self { meta, object })
    }
}

/// Lets go of what nobody reads: who manages which field, and of Secrets all that is no certificate.
fn trim(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    let secret = object.get("kind").is_none_or(|it| it == "Secret") && object.get("spec").is_none();
    if secret && let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
        data.retain(|key, _| matches!(key.as_str(), "tls.crt" | "tls.key" | "ca.crt"));
    }
}

impl kube::Resource for Raw {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(it: &ApiResource) -> Cow<'_, str> {
        it.kind.as_str().into()
    }
    fn group(it: &ApiResource) -> Cow<'_, str> {
        it.group.as_str().into()
    }
    fn version(it: &ApiResource) -> Cow<'_, str> {
        it.version.as_str().into()
    }
    fn api_version(it: &ApiResource) -> Cow<'_, str> {
        it.api_version.as_str().into()
    }
    fn plural(it: &ApiResource) -> Cow<'_, str> {
        it.plural.as_str().into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn raw(name: &str) -> Raw {
        serde_json::from_value(json!({ "metadata": { "namespace": "a", "name": name, "labels": 7 } })).expect("any object is read")
    }

    fn watch() -> Watch {
        let (_, incoming) = mpsc::channel(1);
        Watch { incoming, known: [(Kind::Ingress, Known::default())].into(), _tasks: JoinSet::new() }
    }

    #[test]
    fn what_a_new_list_lacks_is_gone() {
        let (mut watch, mut changes) = (watch(), Changes::default());
        let take = |watch: &mut Watch, changes: &mut Changes, event| watch.take(Kind::Ingress, event, changes);
        for event in [watcher::Event::Init, watcher::Event::InitApply(raw("x")), watcher::Event::InitApply(raw("y"))] {
            take(&mut watch, &mut changes, event);
        }
        assert!(!watch.synced());
        take(&mut watch, &mut changes, watcher::Event::InitDone);
        assert!(watch.synced());
        take(&mut watch, &mut changes, watcher::Event::Apply(raw("z")));
        assert_eq!(changes.len(), 3);

        let mut changes = Changes::default();
        for event in [watcher::Event::Init, watcher::Event::InitApply(raw("y")), watcher::Event::InitDone] {
            take(&mut watch, &mut changes, event);
        }
        let gone: Vec<String> = changes.objects().filter(|(_, it)| it.is_none()).map(|(it, _)| it.name).collect();
        assert_eq!(gone, ["x", "z"]);
    }

    #[test]
    fn what_waited_as_text_is_as_it_was() {
        let (mut watch, mut changes, object) = (watch(), Changes::default(), raw("x").object);
        watch.take(Kind::Ingress, watcher::Event::Init, &mut changes);
        watch.take(Kind::Ingress, watcher::Event::InitApply(raw("x")), &mut changes);
        assert_eq!(changes.objects().map(|(_, it)| it).collect::<Vec<_>>(), [Some(object)]);
    }

    #[test]
    fn a_kind_that_is_not_there_holds_nobody_up_and_begins_when_it_comes() {
        let (mut watch, mut changes) = (watch(), Changes::default());
        let see = |watch: &mut Watch, changes: &mut Changes, seen| watch.see(Kind::Ingress, seen, changes);
        see(&mut watch, &mut changes, Seen::Event(watcher::Event::Init));
        assert!(!watch.synced());
        see(&mut watch, &mut changes, Seen::NoKind);
        assert!(watch.synced() && !watch.has(Kind::Ingress) && changes.is_empty());
        for event in [watcher::Event::Init, watcher::Event::InitApply(raw("x")), watcher::Event::InitDone] {
            see(&mut watch, &mut changes, Seen::Event(event));
        }
        assert!(watch.has(Kind::Ingress) && changes.len() == 1);
        let mut changes = Changes::default();
        see(&mut watch, &mut changes, Seen::NoKind);
        assert_eq!(changes.objects().map(|(_, it)| it).collect::<Vec<_>>(), [None], "with the kind its objects go");
    }

    #[test]
    fn a_kind_that_was_there_must_be_missing_for_a_while() {
        let mut presence = Presence::default();
        assert!(presence.missed(), "one that never was there is said to be missing at once");
        assert!(!presence.missed(), "and once");
        presence.seen();
        let said: Vec<bool> = (0..=MISSED).map(|_| presence.missed()).collect();
        assert_eq!(said.iter().position(|it| *it), Some(4));
        assert_eq!(said.iter().filter(|it| **it).count(), 1);
        presence.seen();
        assert!(!presence.missed());
    }

    #[test]
    fn of_a_secret_only_certificates_are_kept() {
        let mut secret = json!({ "metadata": { "managedFields": [1] }, "data": { "tls.crt": "a", "password": "b" } });
        trim(&mut secret);
        assert_eq!(secret, json!({ "metadata": {}, "data": { "tls.crt": "a" } }));
    }
}
