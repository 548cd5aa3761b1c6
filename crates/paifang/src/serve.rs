//! The gateway and its control loop in one process: what `up` and `control` share.

use crate::fault::Fault;
use crate::pods;
use crate::screen::{self, Screen};
use crate::signals;
use crate::spans::Spans;
use anyhow::Context;
use cli::Exit;
use cli::args::names::{HostForm, NamesArgs};
use cli::args::{ControlArgs, ROUTE_ORDER, ServingArgs, TranslationArgs};
use cli::text::Paint;
use control::{CONTROLLER, Ended, First, GATEWAY_CONTROLLER, HostOptions, Machine, Outbox, Picture, Plan, Shape};
use kube::Client;
use model::{Ack, Egress};
use observe::Admin;
use proxy::{Dataplane, Sink};
use status::Identity;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use translate::{ClusterIps, Workloads};

/// Acknowledgements that wait for the control loop.
pub const ACKS: usize = 16;

/// What is asked of the gateway.
pub struct Wanted<'a> {
    pub node_address: IpAddr,
    pub node_ports: &'a RangeInclusive<u16>,
    pub pool: &'a pools::Pool,
    pub port_offset: u16,
    pub translation: &'a TranslationArgs,
    pub serving: &'a ServingArgs,
    /// A folder where the last lines of the access log are kept.
    pub kept_log: Option<&'a Path>,
    pub names: &'a NamesArgs,
    /// Where names are answered.
    pub dns: Option<SocketAddr>,
    pub shape: Shape,
    /// Whether Istio's part is taken: its objects, its classes, its gateway's Service.
    pub istio: bool,
}

/// A gateway that serves.
pub struct Serving {
    /// Where the shared gateway listens.
    pub plan: Option<Plan>,
    pub picture: watch::Receiver<Picture>,
    pub admin: Option<SocketAddr>,
    /// `None`: names are not to be answered.
    pub names: Option<names::Server>,
    dataplane: Arc<Dataplane>,
    spans: Spans,
    drain: Duration,
    draining: Arc<AtomicBool>,
    control: JoinHandle<Ended>,
    /// Tasks that end with this.
    tasks: Vec<JoinHandle<()>>,
}

/// Finds sockets, starts the workers, and begins to follow the API. `own`: sockets of this process that no backend may name.
pub async fn start(client: Client, wanted: &Wanted<'_>, mut own: Vec<SocketAddr>) -> Result<Serving, Fault> {
    let admin = admin(wanted.serving).await?;
    let address = admin.as_ref().map(Admin::address).transpose()?;
    own.extend(address);
    let egress = Egress::new(own);
    let mut options = options(&client, wanted, egress.clone(), 0).await?;
    let plan = options.prepared.gateways.get(&options.shared.id).cloned();
    let dataplane = Arc::new(dataplane(wanted, egress.clone())?);
    let (spans, collectors) = Spans::start(&dataplane, &instance());
    options.collectors = collectors;
    let (outbox, (acknowledge, acks)) = (Outbox::default(), mpsc::channel(ACKS));
    let (show, picture) = watch::channel(Picture::default());
    let draining = Arc::new(AtomicBool::new(false));
    let mut tasks = vec![tokio::spawn(publish(dataplane.clone(), outbox.clone(), acknowledge))];
    let names = match wanted.dns {
        Some(address) => Some(names::Server::start(address, names::Zones::new(&wanted.names.dns_suffix, options.table.clone())).await),
        None => None,
    };
    if let Some(names) = &names {
        options.dns = names.listening();
    }
    if let Some(admin) = admin {
        let admin = match names.as_ref().map(names::Server::counters) {
            Some(counters) => admin.with(move || counters.render()),
            None => admin,
        };
        let (ready, draining) = (picture.clone(), draining.clone());
        let ready = move || ready.borrow().ready && !draining.load(Ordering::Relaxed);
        tasks.push(tokio::spawn(admin.serve(dataplane.metrics().clone(), ready)));
    }
    let control = tokio::spawn(control::run(client, options, outbox, acks, show));
    let drain = Duration::from_secs(wanted.serving.drain);
    Ok(Serving { plan, picture, admin: address, names, dataplane, spans, drain, draining, control, tasks })
}

/// What the control loop is told; on a first start the shared gateway's objects are made. `egress`: what no backend may be.
pub async fn options(client: &Client, wanted: &Wanted<'_>, egress: Egress, epoch: u64) -> Result<control::Options, Fault> {
    let machine = machine(wanted);
    let options = translation(wanted);
    let shared = options.gateways.first().cloned().ok_or_else(|| Fault::failed("a bug: there is no shared gateway"))?;
    let prepared = control::prepare(client, &machine, &shared, &first(wanted)).await?;
    Ok(control::Options {
        machine,
        shared,
        prepared,
        default_certificate: Some(Arc::new(tls::self_signed(&["paifang.invalid"], SystemTime::now()).map_err(Fault::failed)?)),
        translate: translate::Options { egress, ..options },
        identity: Identity { controller: CONTROLLER.into(), instance: instance() },
        hosts: hosts(wanted.names),
        table: names::Table::default(),
        dns: watch::channel(names::Listening::default()).1,
        collectors: watch::channel(BTreeMap::new()).1,
        epoch,
    })
}

fn hosts(names: &NamesArgs) -> HostOptions {
    let form = match names.host_form {
        HostForm::Dotted => resources::AddressForm::Dotted,
        HostForm::Dashed => resources::AddressForm::Dashed,
    };
    let default = HostOptions::default();
    let suffix = names.dns_suffix.first().map_or(default.suffix, |it| it.as_str().into());
    HostOptions { suffix, form, grace: Duration::from_secs(names.host_grace) }
}

fn machine(wanted: &Wanted<'_>) -> Machine {
    Machine {
        shape: wanted.shape,
        node_address: wanted.node_address,
        pool: wanted.pool.clone(),
        port_offset: wanted.port_offset,
        node_ports: wanted.node_ports.clone(),
    }
}

fn first(wanted: &Wanted<'_>) -> First {
    let notes = [(ROUTE_ORDER.to_owned(), wanted.translation.route_order.to_string())];
    First { shape: wanted.shape, istio: wanted.istio, host: instance(), notes: notes.into() }
}

/// As this process translates; which addresses no backend may have comes later.
fn translation(wanted: &Wanted<'_>) -> translate::Options {
    let mut shared = control::shared_gateway(&wanted.translation.gateway_names);
    let mut options = translate::Options::new(shared.id.clone());
    wanted.translation.apply(&mut options);
    options.workloads = match wanted.shape {
        Shape::Pods(_) => Workloads::Pods,
        Shape::Up | Shape::Cluster => Workloads::OneProcess,
    };
    options.ingress.cluster_ips = match wanted.shape {
        Shape::Pods(_) => ClusterIps::Routed,
        // The process runs on a host, not in a cluster's network.
        Shape::Up | Shape::Cluster => ClusterIps::NotRouted,
    };
    if wanted.shape == Shape::Up {
        options.ingress.classes.others = translate::Others::Absent;
        options.services = translate::Services::Forwarded;
    }
    options.istio.enabled = wanted.istio;
    options.ingress.istio.enabled = wanted.istio;
    if !wanted.istio {
        // Whoever serves Istio's objects beside us has the Service too.
        shared.services.truncate(1);
        shared.labels.clear();
        options.gateway_api.controllers.retain(|(name, _)| *name == *GATEWAY_CONTROLLER);
    }
    options.gateways = vec![shared];
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    options.set_now(i64::try_from(now.as_secs()).ok());
    options
}

pub async fn admin(serving: &ServingArgs) -> Result<Option<Admin>, Fault> {
    let Some(address) = serving.admin_address.0 else { return Ok(None) };
    let refused = |error: std::io::Error| {
        let why = if error.kind() == std::io::ErrorKind::AddrInUse { "is taken by another program".to_owned() } else { error.to_string() };
        let remedy = "stop that program, or choose another --admin-address, or none";
        Fault::cannot_listen(format!("the admin address {address}: port {} {why}; {remedy}", address.port()))
    };
    Admin::bind(address).await.map(Some).map_err(refused)
}

fn dataplane(wanted: &Wanted<'_>, egress: Egress) -> Result<Dataplane, Fault> {
    let serving = wanted.serving;
    let access_log = match serving.access_log.as_str() {
        "none" => Sink::None,
        "-" => Sink::Stdout,
        path => Sink::File(path.into()),
    };
    let workers = serving.workers.and_then(|it| NonZeroUsize::new(it.into()));
    let options =
        proxy::Options { workers, egress, access_log, kept_log: wanted.kept_log.map(Path::to_owned), ..proxy::Options::default() };
    Ok(proxy::start(options).context("the data plane does not start")?)
}

/// Takes what there is to take, and says when it is served.
async fn publish(dataplane: Arc<Dataplane>, outbox: Outbox, acknowledge: mpsc::Sender<Ack>) {
    loop {
        let update = outbox.take().await;
        if acknowledge.send(dataplane.apply(update).await).await.is_err() {
            return;
        }
    }
}

/// This host: who writes events, and where Pods say that they run.
pub fn instance() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "paifang".to_owned() } else { name.trim().to_owned() }
}

impl Serving {
    /// Where names are answered, and how a resolver is told.
    pub fn named(&self, names: &NamesArgs, paint: Paint) -> String {
        let listening = self.names.as_ref().map(|it| it.listening().borrow().clone()).unwrap_or_default();
        let resolver = names::Resolver::found(|path| std::path::Path::new(path).exists());
        screen::names(&listening.sockets, |it| names::resolver_line(resolver, it, &names.dns_suffix), paint)
    }

    /// What the data plane counts.
    pub fn metrics(&self) -> &Arc<observe::Metrics> {
        self.dataplane.metrics()
    }

    pub fn dataplane(&self) -> &Arc<Dataplane> {
        &self.dataplane
    }

    /// Lets a task run as long as this serves.
    pub fn accompany(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// Shows what changes until asked to stop.
    pub async fn run(&mut self, screen: &mut Screen) -> Result<(), Fault> {
        let mut stop = std::pin::pin!(signals::stop());
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                ended = &mut self.control => {
                    return Err(Fault::failed(ended.map_or_else(|error| format!("a bug: {error}"), |ended| ended.to_string())));
                }
                changed = self.picture.changed() => if changed.is_ok() {
                    let picture = self.picture.borrow_and_update().clone();
                    screen.show(&picture);
                },
            }
        }
    }

    /// Lets requests under way finish, then ends everything.
    pub async fn stop(self) {
        self.draining.store(true, Ordering::Relaxed);
        self.control.abort();
        // Its watches end before the API they watch, so that none of them complains. One that has ended was looked at by `run`.
        if !self.control.is_finished() {
            let _ = self.control.await;
        }
        self.dataplane.drain(self.drain).await;
        self.spans.stop().await;
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            // Aborted, or ended before.
            let _ = task.await;
        }
        // Joining the workers' threads blocks.
        let _ = tokio::task::spawn_blocking(move || drop(self.dataplane)).await;
    }
}

/// `paifang control`: a cluster's objects, served from this process.
pub async fn control(args: ControlArgs) -> Result<Exit, Fault> {
    let config = match &args.kubeconfig {
        Some(path) => {
            let file = kube::config::Kubeconfig::read_from(path).with_context(|| format!("cannot read {}", path.display()))?;
            kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default())
                .await
                .context("cannot use the kubeconfig")?
        }
        None => kube::Config::infer().await.context("no API server is named; use --kubeconfig or KUBECONFIG")?,
    };
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config).context("cannot make a client")?;
    if let Some(image) = &args.pods.gateway_image {
        return pods::control(client, &url, &args, image).await;
    }
    let wanted = Wanted {
        node_address: args.node_address,
        node_ports: &args.node_ports,
        pool: &args.pool,
        port_offset: args.port_offset,
        translation: &args.translation,
        serving: &args.serving,
        kept_log: None,
        names: &args.names,
        dns: args.dns_address.socket(args.port_offset),
        shape: Shape::Cluster,
        istio: args.istio,
    };
    let mut serving = start(client.clone(), &wanted, Vec::new()).await?;
    serving.accompany(tenancy::run(client));
    let mut screen = Screen::new(Paint::of(&std::io::stderr()));
    screen.write(&screen::head(&url, None, serving.admin, screen.paint()));
    screen.write(&serving.named(&args.names, screen.paint()));
    serving.run(&mut screen).await?;
    screen.write("\nstopping: requests under way may finish\n");
    serving.stop().await;
    Ok(Exit::Done)
}
