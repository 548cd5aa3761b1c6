//! The whole data plane, as others use it.

use crate::admission::Admission;
use crate::listeners::Listeners;
use crate::secure::unkept;
use crate::worker::{Command, QUEUE, Worker};
use crate::{Limits, Options};
use model::{Ack, BackendId, Collector, Egress, Gateway, Update};
use observe::{AccessLog, Metrics, Spans};
use route::Snapshot;
use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, LocalOptions, Runtime};
use tokio::sync::{Mutex, mpsc, oneshot};
use upstream::{Cell, EndpointSet, Registry};

/// What all workers share. ARCHITECTURE.md has the table.
pub(crate) struct Shared {
    pub snapshot: Arc<Cell<Snapshot>>,
    pub registry: Registry,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
    pub access_log: AccessLog,
    pub spans: Arc<Spans>,
    pub admission: Arc<Admission>,
    /// Connections of each worker.
    pub loads: Vec<AtomicUsize>,
    pub base: Instant,
    /// Where handshakes run: their signatures would keep a worker from all its other connections.
    pub handshakes: Handle,
    egress: Arc<Cell<Egress>>,
    workers: Vec<mpsc::Sender<Command>>,
}

/// Workers that serve what they are told. Dropping it ends them at once; see [`Dataplane::drain`].
pub struct Dataplane {
    shared: Arc<Shared>,
    control: Mutex<Control>,
    threads: Vec<JoinHandle<()>>,
    _handshakes: Handshakes,
}

/// The threads of handshakes. Nobody waits for them to end.
struct Handshakes(Option<Runtime>);

#[derive(Default)]
struct Control {
    listeners: Listeners,
}

/// Starts the workers. They serve nothing until told what by [`Dataplane::apply`].
pub fn start(options: Options) -> io::Result<Dataplane> {
    let files = raise_file_limit();
    let workers = options.workers.map_or_else(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get), NonZeroUsize::get);
    let metrics = Metrics::new(workers);
    let limits = options.limits;
    let most = u32::try_from(files / 2 / 10 * 9).unwrap_or(u32::MAX);
    let per_listener = limits.connections_per_listener.unwrap_or(most);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel(QUEUE)).unzip();
    let handshakes = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).thread_name("handshake").build()?;
    let (handle, handshakes) = (handshakes.handle().clone(), Handshakes(Some(handshakes)));
    let keeper = options.kept_log.as_deref().map(observe::Keeper::open).transpose()?;
    let shared = Arc::new(Shared {
        snapshot: Cell::new(Snapshot::empty()),
        registry: Registry::new(),
        limits,
        access_log: AccessLog::keeping(options.access_log, keeper, workers, metrics.clone())?,
        spans: Spans::new(workers, metrics.clone()),
        metrics,
        admission: Admission::new(limits.connections_per_client, per_listener, most),
        loads: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
        base: Instant::now(),
        handshakes: handle,
        egress: Cell::new(options.egress),
        workers: senders,
    });
    let mut threads = Vec::with_capacity(workers);
    for (index, commands) in receivers.into_iter().enumerate() {
        let runtime_error = spawn(index, shared.clone(), commands, &mut threads)?;
        if let Some(error) = runtime_error.recv().ok().flatten() {
            return Err(error);
        }
    }
    Ok(Dataplane { shared, control: Mutex::default(), threads, _handshakes: handshakes })
}

/// Starts one worker's thread. The channel says whether its runtime came up.
fn spawn(
    index: usize,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    threads: &mut Vec<JoinHandle<()>>,
) -> io::Result<std::sync::mpsc::Receiver<Option<io::Error>>> {
    let (started, starts) = std::sync::mpsc::sync_channel(1);
    let body = move || match tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => {
            let _ = started.send(None);
            runtime.block_on(async move { Worker::new(index, shared).run(commands).await });
        }
        Err(error) => {
            let _ = started.send(Some(error));
        }
    };
    threads.push(std::thread::Builder::new().name(format!("worker-{index}")).spawn(body)?);
    Ok(starts)
}

// === impl Dataplane ===

impl Dataplane {
    /// Serves a change. When this returns, the next request on every worker sees it, and every socket asked for is open or says why not.
    ///
    /// Endpoints first, then routes, then sockets: nothing is ever asked for what is not there yet. Cancelling it is safe; a part may then be
    /// in force.
    pub async fn apply(&self, update: Update) -> Ack {
        let mut control = self.control.lock().await;
        self.shared.registry.apply(&update.endpoints);
        let (before, version) = (self.shared.snapshot.load(), update.version);
        let compiled = tokio::task::spawn_blocking(move || {
            let (next, mut nacks) = before.apply(&update);
            nacks.extend(unkept(&update.shards));
            (Arc::new(next), nacks)
        });
        let (next, nacks) = match compiled.await {
            Ok(compiled) => compiled,
            // Only a panic in `route` or the end of the runtime leads here: what was served before is served on.
            Err(error) => {
                tracing::error!(%error, "an update could not be compiled");
                self.shared.metrics.panicked();
                (self.shared.snapshot.load(), Vec::new())
            }
        };
        self.shared.snapshot.publish(next.clone());
        let gateways: Vec<Arc<Gateway>> = next.gateways().filter_map(|(_, table)| table.gateway().cloned()).collect();
        let bindings = control.listeners.apply(&gateways, &self.shared).await;
        let hosts = next.gateways().map(|(_, table)| table.len()).sum();
        self.shared.metrics.serving(version, hosts, nacks.len());
        Ack { version, bindings, nacks }
    }

    /// Accepts no more, tells clients to go, ends idle connections, and waits for the rest until the deadline. Then everything has ended.
    pub async fn drain(&self, deadline: Duration) {
        for worker in 0..self.shared.loads.len() {
            let (done, wait) = oneshot::channel();
            if self.shared.tell_surely(worker, Command::Drain(done)).await.is_ok() {
                let _ = wait.await;
            }
        }
        let until = tokio::time::Instant::now() + deadline;
        while self.connections() > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for worker in 0..self.shared.loads.len() {
            let _ = self.shared.tell_surely(worker, Command::Stop).await;
        }
    }

    /// What is served.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load()
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// The endpoints of a backend, as all workers know them.
    pub fn endpoints(&self, backend: &BackendId) -> Option<Arc<EndpointSet>> {
        self.shared.registry.load().get(backend).cloned()
    }

    /// Sampled requests, for whoever tells collectors of them.
    pub fn spans(&self) -> &Arc<Spans> {
        &self.shared.spans
    }

    /// The collectors that gateways name.
    pub fn collectors(&self) -> BTreeSet<Collector> {
        let snapshot = self.snapshot();
        let tracing = snapshot.gateways().filter_map(|(_, table)| table.tracing());
        tracing.map(|it| it.collector.clone()).collect()
    }

    /// What no connection of this process may lead to.
    pub fn egress(&self) -> Arc<Egress> {
        self.shared.egress()
    }

    /// Open client connections.
    pub fn connections(&self) -> usize {
        self.loads().iter().sum()
    }

    /// Open client connections of each worker.
    pub fn loads(&self) -> Vec<usize> {
        self.shared.loads.iter().map(|load| load.load(Ordering::Relaxed)).collect()
    }

    /// Which addresses are refused as endpoints, from the next connection on.
    pub fn set_egress(&self, egress: Egress) {
        self.shared.egress.publish(Arc::new(egress));
    }

    /// Ends everything at once.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Dataplane {
    fn drop(&mut self) {
        for worker in 0..self.shared.loads.len() {
            // A full queue is emptied by a worker that lives; one that does not needs no telling.
            while let Err(Command::Stop) = self.shared.tell(worker, Command::Stop) {
                if self.shared.is_gone(worker) {
                    break;
                }
                std::thread::yield_now();
            }
        }
        for thread in self.threads.drain(..) {
            // A worker's panic has been reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Handshakes {
    fn drop(&mut self) {
        // Waiting, as a runtime does by itself, is not possible within another one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

// === impl Shared ===

impl Shared {
    pub fn egress(&self) -> Arc<Egress> {
        self.egress.load()
    }

    /// Gives the command back where the worker cannot take it now.
    pub fn tell(&self, worker: usize, command: Command) -> Result<(), Command> {
        match self.workers.get(worker) {
            Some(sender) => sender.try_send(command).map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(command) | mpsc::error::TrySendError::Closed(command) => command,
            }),
            None => Err(command),
        }
    }

    /// Waits for room in the worker's queue. `Err`: there is no worker any more.
    pub async fn tell_surely(&self, worker: usize, command: Command) -> Result<(), ()> {
        match self.workers.get(worker) {
            Some(sender) => sender.send(command).await.map_err(drop),
            None => Err(()),
        }
    }

    fn is_gone(&self, worker: usize) -> bool {
        self.workers.get(worker).is_none_or(mpsc::Sender::is_closed)
    }

    /// Where a connection that `own` accepted is served: there, unless loads differ by more than a quarter.
    pub fn least_loaded(&self, own: usize) -> usize {
        let load = |at: usize| self.loads.get(at).map_or(usize::MAX, |load| load.load(Ordering::Relaxed));
        if self.loads.len() == 1 {
            return own;
        }
        let least = (0..self.loads.len()).min_by_key(|&at| load(at)).unwrap_or(own);
        if load(own) > load(least) + (load(least) / 4).max(1) { least } else { own }
    }

    pub fn unload(&self, worker: usize) {
        if let Some(load) = self.loads.get(worker) {
            load.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// As many descriptors as the system allows; how many that is.
fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Refused: what there is must do.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(1 << 20)
}
