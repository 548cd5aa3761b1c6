//! The whole product: `paifang up` with the table as objects, each told to its API as a user tells it.
//!
//! A watch of our own says when an edit's event arrives, which is when the control loop gets it, too. The probe is a new connection every
//! 200 µs, on the same core as everything that is measured.

mod objects;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt};
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde_json::Value;
use testkit::ports::{NODE_PORTS, Row, own_address};
use tokio::runtime::Runtime;

use crate::edit;
use crate::processes::{self, PROXY_CORE, Program};
use crate::table::Table;

/// Writes under way at once while the table is loaded: they share commits.
const AT_ONCE: usize = 64;

/// The longest wait for anything but an edit.
const PATIENCE: Duration = Duration::from_secs(300);

/// Without an event for this long, everything has been said.
const QUIET: Duration = Duration::from_secs(2);

/// `paifang up`, its table loaded.
pub struct Whole {
    program: Option<Program>,
    command: Command,
    log: std::path::PathBuf,
    kubeconfig: std::path::PathBuf,
    http: SocketAddr,
    _nodes: Row,
    table: Table,
    runtime: Runtime,
    watch: Option<Watch>,
}

/// One edit, in ms.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// From the watch event to the first right answer.
    pub from_event: f64,
    /// From the acknowledgement of the write.
    pub from_ack: f64,
    /// From the write's first octet.
    pub from_write: f64,
}

/// What a start with everything stored costs.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub seconds: f64,
    pub mib: f64,
}

/// A watch of all Ingresses.
struct Watch {
    client: Client,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

/// When events came.
#[derive(Default)]
struct Seen {
    /// The first of each Ingress since it was forgotten.
    first: HashMap<String, Instant>,
    newest: Option<Instant>,
}

// === impl Whole ===

impl Whole {
    /// Starts with an empty store, and loads the table.
    pub fn start(folder: &Path, table: &Table) -> Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("paifang");
        if !binary.exists() {
            bail!("{} is missing: `cargo xtask bench` builds it", binary.display());
        }
        let (data, api, nodes) = (folder.join("paifang"), own_address(), Row::among(NODE_PORTS));
        let mut command = Command::new(binary);
        command.arg("up").arg("--data-dir").arg(&data).args(["--api-address", &api.to_string(), "--node-ports", &nodes.to_string()]);
        command.args(["--pool", "none", "--admin-address", "none", "--access-log", "none", "--workers", "1"]);
        let mut whole = Self {
            program: None,
            command,
            log: folder.join("paifang.err"),
            kubeconfig: data.join("kubeconfig"),
            http: SocketAddr::from(([127, 0, 0, 1], *nodes.ports().start())),
            _nodes: nodes,
            table: table.clone(),
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
            watch: None,
        };
        whole.begin()?;
        whole.load()?;
        whole.wait_until_it_serves(PATIENCE)?;
        whole.wait_until_it_is_quiet()?;
        Ok(whole)
    }

    /// Ends it and starts it again, with everything stored.
    pub fn restart(&mut self) -> Result<Start> {
        self.watch = None;
        self.program = None;
        let begun = Instant::now();
        self.program = Some(Program::start(PROXY_CORE, &self.command, Some(&self.log))?);
        self.wait_until_it_serves(PATIENCE)?;
        let seconds = begun.elapsed().as_secs_f64();
        self.listen()?;
        self.wait_until_it_is_quiet()?;
        Ok(Start { seconds, mib: processes::memory(self.id()?)? as f64 / f64::from(1 << 20) })
    }

    /// One host after another is sent to the origin that answers `second`.
    pub fn edits(&mut self, edits: std::ops::Range<usize>) -> Result<Vec<Edit>> {
        edits.map(|n| self.edit(edit::index(n, &self.table))).collect()
    }

    fn edit(&self, index: usize) -> Result<Edit> {
        let row = self.table.row(index);
        edit::expect(self.http, &row.host, "first")?;
        let (ingress, watch) = (objects::ingress(&row, objects::SECOND), self.watch.as_ref().context("it is watched")?);
        let name = objects::name(&ingress).to_owned();
        watch.seen().first.remove(&name);
        let api = api(&watch.client, &ingress)?;
        let begun = Instant::now();
        let writing = self.runtime.spawn({
            let name = name.clone();
            async move { api.patch(&name, &PatchParams::default(), &Patch::Merge(ingress)).await.map(|_| Instant::now()) }
        });
        let answered = edit::first_right_answer(self.http, &row.host, begun)?;
        let acknowledged = self.runtime.block_on(writing)??;
        let arrived = watch.arrival(&name)?;
        let since = |from: Instant| answered.saturating_duration_since(from).as_secs_f64() * 1e3;
        Ok(Edit { from_event: since(arrived), from_ack: since(acknowledged), from_write: since(begun) })
    }

    fn begin(&mut self) -> Result<()> {
        self.program = Some(Program::start(PROXY_CORE, &self.command, Some(&self.log))?);
        let deadline = Instant::now() + Duration::from_secs(60);
        // The gateway listens once the API answers and its own objects are there.
        while !(self.kubeconfig.exists() && std::net::TcpStream::connect(self.http).is_ok()) {
            if Instant::now() > deadline || self.program.as_mut().is_none_or(Program::has_ended) {
                bail!("paifang does not start: {}", std::fs::read_to_string(&self.log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.listen()
    }

    fn listen(&mut self) -> Result<()> {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig)?;
        let config = self.runtime.block_on(kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()))?;
        let _entered = self.runtime.enter();
        self.watch = Some(Watch::start(&Client::try_from(config)?)?);
        Ok(())
    }

    fn load(&self) -> Result<()> {
        self.runtime.block_on(load(self.client()?, &self.table))
    }

    pub fn client(&self) -> Result<&Client> {
        Ok(&self.watch.as_ref().context("it is watched")?.client)
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub fn id(&self) -> Result<u32> {
        Ok(self.program.as_ref().context("it runs")?.id())
    }

    fn wait_until_it_serves(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        for index in [0, self.table.size.hosts / 2, self.table.size.hosts - 1] {
            let host = self.table.row(index).host;
            while edit::expect(self.http, &host, "first").or_else(|_| edit::expect(self.http, &host, "second")).is_err() {
                if Instant::now() > deadline {
                    bail!("paifang does not serve {host}: {}", std::fs::read_to_string(&self.log).unwrap_or_default());
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    fn wait_until_it_is_quiet(&self) -> Result<()> {
        let watch = self.watch.as_ref().context("it is watched")?;
        let deadline = Instant::now() + PATIENCE;
        let quiet = || watch.seen().newest.is_some_and(|newest| newest.elapsed() > QUIET);
        while !quiet() {
            if Instant::now() > deadline {
                bail!("paifang goes on writing for {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // Before what it watches.
        self.watch = None;
    }
}

// === impl Watch ===

impl Watch {
    fn start(client: &Client) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (api, book) = (api(client, &objects::any_ingress())?, seen.clone());
        let task = tokio::spawn(async move {
            let mut events = std::pin::pin!(watcher(api, watcher::Config::default()).default_backoff());
            while let Some(event) = events.next().await {
                let now = Instant::now();
                if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = event {
                    let name = object.metadata.name.unwrap_or_default();
                    let mut seen = book.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.first.entry(name).or_insert(now);
                    seen.newest = Some(now);
                }
            }
        });
        Ok(Self { client: client.clone(), seen, task })
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arrival(&self, name: &str) -> Result<Instant> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(arrived) = self.seen().first.get(name) {
                return Ok(*arrived);
            }
            if Instant::now() > deadline {
                bail!("no event of the edit of {name}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes all objects of the table: Services and their endpoints before the Ingresses that name them.
pub async fn load(client: &Client, table: &Table) -> Result<()> {
    for objects in objects::all(table) {
        let writes = futures::stream::iter(objects).map(|object| create(client, object)).buffer_unordered(AT_ONCE);
        writes.try_collect::<Vec<()>>().await?;
    }
    Ok(())
}

async fn create(client: &Client, object: Value) -> Result<()> {
    let api = api(client, &object)?;
    api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
    Ok(())
}

fn api(client: &Client, object: &Value) -> Result<Api<DynamicObject>> {
    let (resource, namespace) = objects::resource(object).context("an object of a kind the table has")?;
    Ok(match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    })
}
