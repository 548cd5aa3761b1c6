//! The loop: look, plan, write what differs, and look again.

use crate::plan::plan;
use crate::watch::{Watch, put};
use crate::world::{Key, World};
use crate::write::{Chain, Write};
use futures::StreamExt;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// What comes together is planned for together.
const SETTLE: Duration = Duration::from_millis(15);
/// Plans one after another without news: a server that changes what we write must not keep us writing.
const ROUNDS: usize = 40;
/// After a write failed, or too many rounds.
const AGAIN: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// Chains that are under way at once.
const AT_ONCE: usize = 8;
const MANAGER: &str = "paifang-tenancy";

/// How a round of writing went.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    written: usize,
    failed: usize,
}

/// What came of a chain.
#[derive(Default)]
struct Done {
    /// What is there now; `None`: nothing.
    news: Vec<(Key, Option<DynamicObject>)>,
    /// Why it went no further.
    ended: Option<Ended>,
}

enum Ended {
    /// Others wrote in between: their news comes.
    Outrun,
    Failed,
}

/// Keeps roles, bindings, namespaces and statuses as people's objects say, until it is dropped.
///
/// **Invariant:** it writes only what differs, for the version it has looked at; what fails is tried again, later and later.
pub async fn run(client: Client) {
    let mut watch = Watch::start(&client);
    let mut world = World::default();
    let mut again = AGAIN;
    while watch.changed(&mut world).await.is_some() {
        while !watch.is_synced() {
            if watch.changed(&mut world).await.is_none() {
                return;
            }
        }
        tokio::time::sleep(SETTLE).await;
        watch.drain(&mut world);
        while !settle(&client, &mut watch, &mut world).await {
            // What fails may succeed when something has changed, or later.
            let news = tokio::time::timeout(again, watch.changed(&mut world)).await;
            again = (again * 2).min(LONGEST);
            if matches!(news, Ok(None)) {
                return;
            }
        }
        again = AGAIN;
    }
}

/// Plans and writes until there is nothing to write. `false`: something is to be tried again.
async fn settle(client: &Client, watch: &mut Watch, world: &mut World) -> bool {
    for _ in 0..ROUNDS {
        let chains = plan(world, &now());
        if chains.is_empty() {
            return true;
        }
        let mut outcome = Outcome::default();
        // A plan's chains do not depend on one another, and a server that waits for its disk takes several at once.
        let mut done = futures::stream::iter(chains).map(|it| execute(client, it)).buffer_unordered(AT_ONCE);
        while let Some(done) = done.next().await {
            outcome.add(&done);
            for (key, object) in done.news {
                match object {
                    Some(object) => put(key.kind, object, world),
                    None => world.remove(&key),
                }
            }
        }
        drop(done);
        watch.drain(world);
        if outcome.failed > 0 || outcome.written == 0 {
            return false;
        }
    }
    tracing::warn!("what is written does not stay as it was written; waiting");
    false
}

async fn execute(client: &Client, chain: Chain) -> Done {
    let mut done = Done::default();
    for (key, version) in &chain.given {
        match within(api(client, key).get_opt(&key.name)).await {
            Ok(now) if now.as_ref().and_then(|it| it.metadata.resource_version.as_deref()).unwrap_or_default() == version => {}
            Ok(_) => {
                done.ended = Some(Ended::Outrun);
                return done;
            }
            Err(error) => return done.end(key, &error),
        }
    }
    for write in chain.writes {
        match perform(client, &write).await {
            Ok(object) => {
                tracing::info!(object = %write.key(), "{}", write.word());
                done.news.push((write.key().clone(), object));
            }
            Err(error) => return done.end(write.key(), &error),
        }
    }
    done
}

/// What is there then; `None`: nothing.
async fn perform(client: &Client, write: &Write) -> Result<Option<DynamicObject>, Failure> {
    let key = write.key();
    let api = api(client, key);
    let patch = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    match write {
        Write::Create(_, object) => {
            let object: DynamicObject = serde_json::from_value(object.clone()).map_err(Failure::Unwritable)?;
            let post = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
            within(api.create(&post, &object)).await.map(Some)
        }
        Write::Patch(_, change) => within(api.patch(&key.name, &patch, &Patch::<&Value>::Merge(change))).await.map(Some),
        Write::Status(_, change) => within(api.patch_status(&key.name, &patch, &Patch::<&Value>::Merge(change))).await.map(Some),
        Write::Delete(_, uid) => {
            let mut delete = DeleteParams::background();
            if !uid.is_empty() {
                delete.preconditions = Some(Preconditions { uid: Some(uid.clone()), resource_version: None });
            }
            match within(api.delete(&key.name, &delete)).await {
                Ok(answer) => Ok(answer.left().filter(|it| it.metadata.deletion_timestamp.is_some())),
                Err(Failure::Refused(kube::Error::Api(status))) if status.code == 404 => Ok(None),
                Err(error) => Err(error),
            }
        }
    }
}

fn api(client: &Client, key: &Key) -> Api<DynamicObject> {
    match key.kind.namespaced() {
        true => Api::namespaced_with(client.clone(), &key.namespace, &key.kind.resource()),
        false => Api::all_with(client.clone(), &key.kind.resource()),
    }
}

/// Why a write was not done.
enum Failure {
    Refused(kube::Error),
    Unwritable(serde_json::Error),
    TooSlow,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Unwritable(error) => error.fmt(f),
            Self::TooSlow => f.write_str("the API server does not answer"),
        }
    }
}

async fn within<T>(request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, request).await {
        Ok(answer) => answer.map_err(Failure::Refused),
        Err(_) => Err(Failure::TooSlow),
    }
}

// === impl Done ===

impl Done {
    fn end(mut self, key: &Key, failure: &Failure) -> Self {
        self.ended = Some(match failure {
            // Somebody else was faster; the news of it is on its way.
            Failure::Refused(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                tracing::debug!(object = %key, reason = %status.message, "was changed in between");
                Ended::Outrun
            }
            failure => {
                tracing::warn!(object = %key, "cannot be written: {failure}");
                Ended::Failed
            }
        });
        self
    }
}

// === impl Outcome ===

impl Outcome {
    fn add(&mut self, done: &Done) {
        self.written += done.news.len();
        self.failed += usize::from(matches!(done.ended, Some(Ended::Failed)));
    }
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

// === impl Write ===

impl Write {
    const fn word(&self) -> &'static str {
        match self {
            Self::Create(..) => "made",
            Self::Patch(..) => "changed",
            Self::Status(..) => "told",
            Self::Delete(..) => "deleted",
        }
    }
}
