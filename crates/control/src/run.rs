//! The loop itself.

use crate::answers::{Answers, Trouble, untold, warning};
use crate::directory::Directory;
use crate::entrances::Entrances;
use crate::forwarding::Forwarding;
use crate::gateways::{Machine, Shape};
use crate::generated::Shown;
use crate::hosts::{HostOptions, Hosts};
use crate::keep::Known;
use crate::names::Names;
use crate::outbox::Outbox;
use crate::own::OwnSlices;
use crate::picture::Picture;
use crate::prepare::Prepared;
use crate::watch::{Changes, Watch};
use crate::world::{Step, World, change};
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client};
use model::{Ack, Certificate, Collector};
use resources::{Change, SharedGateway};
use status::{Identity, Kind, Ledger, Mailbox};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Between two looks at what no event tells of.
const TICK: Duration = Duration::from_secs(5);

/// After a start, how long problems that have an event already count as the same ones: names are still being looked up.
const CATCH_UP: Duration = Duration::from_secs(5);

pub struct Options {
    pub machine: Machine,
    pub shared: SharedGateway,
    /// As [`prepare`](crate::prepare()) found it.
    pub prepared: Prepared,
    /// Of the shared gateway.
    pub default_certificate: Option<Arc<Certificate>>,
    pub translate: translate::Options,
    pub identity: Identity,
    pub hosts: HostOptions,
    /// Where hosts lead, for the DNS server.
    pub table: ::names::Table,
    /// Where that answers; one that is not there says nothing.
    pub dns: watch::Receiver<::names::Listening>,
    /// What is wrong with collectors of spans; those that answer are not in it.
    pub collectors: watch::Receiver<BTreeMap<Collector, String>>,
    /// Of the versions that are published: later starts need a higher one only where a data plane outlives this process.
    pub epoch: u64,
}

/// Why the loop has ended.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    #[error("the objects of the API are no longer watched")]
    WatchEnded,
    #[error("the data plane has stopped")]
    DataPlaneGone,
}

/// Runs until the watch or the data plane ends.
pub async fn run(
    client: Client,
    options: Options,
    outbox: Outbox,
    mut acks: mpsc::Receiver<Ack>,
    picture: watch::Sender<Picture>,
) -> Ended {
    let mailbox = Mailbox::default();
    let mut writer = JoinSet::new();
    writer.spawn(status::write_all(client.clone(), mailbox.clone()));
    let ledger = remember(&client, &options.identity).await;
    let (mut watch, mut names) = (Watch::start(&client, &kinds(options.machine.shape)), Names::start());
    let (mut dns, mut collectors) = (options.dns.clone(), options.collectors.clone());
    let mut control = Control::new(options, mailbox, ledger, outbox, picture);
    let mut changes = Changes::default();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let due = control.answers.due();
        tokio::select! {
            settled = watch.settled(&mut changes) => match settled {
                Some(()) => {
                    if watch.has(Kind::Service) {
                        control.forwarding.arrived();
                    }
                    control.settled(std::mem::take(&mut changes));
                }
                None => return Ended::WatchEnded,
            },
            Some(answer) = names.answer() => control.step([Change::Resolved { name: answer.name, addresses: answer.addresses }]),
            ack = acks.recv() => match ack {
                Some(ack) => control.acknowledged(ack),
                None => return Ended::DataPlaneGone,
            },
            () = until(due) => control.say(),
            Ok(()) = dns.changed() => control.dns(&dns.borrow_and_update()),
            Ok(()) = collectors.changed() => control.collectors(&collectors.borrow_and_update()),
            _ = tick.tick() => control.tick(jiff::Timestamp::now(), &watch),
        }
        names.want(control.world.external_names());
    }
}

/// What is translated, and what gateways are seen as.
fn kinds(shape: Shape) -> Vec<Kind> {
    let more: &[Kind] = match shape {
        Shape::Up => &[Kind::Deployment],
        Shape::Cluster => &[],
        Shape::Pods(_) => &[Kind::Deployment, Kind::HorizontalPodAutoscaler, Kind::Node],
    };
    Kind::ALL.into_iter().filter(|it| it.read().is_some()).chain(more.iter().copied()).collect()
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Knows the events that exist, so that a restart does not repeat them. They are read in pages.
async fn remember(client: &Client, identity: &Identity) -> Ledger {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::Event.resource());
    let (mut ledger, mut params) = (Ledger::default(), ListParams::default().limit(500));
    loop {
        match api.list(&params).await {
            Ok(list) => {
                list.items.iter().filter_map(|it| serde_json::to_value(it).ok()).for_each(|it| ledger.remember(&it, identity));
                match list.metadata.continue_.filter(|it| !it.is_empty()) {
                    Some(token) => params = params.continue_token(&token),
                    None => return ledger,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot list events; some may be said again");
                return ledger;
            }
        }
    }
}

/// What the loop keeps. Nothing in here waits.
struct Control {
    world: World,
    entrances: Entrances,
    forwarding: Forwarding,
    slices: OwnSlices,
    answers: Answers,
    mailbox: Mailbox,
    outbox: Outbox,
    hosts: Hosts,
    shown: Shown,
    directory: Directory,
    dns: ::names::Listening,
    /// What is wrong with collectors of spans.
    collectors: BTreeMap<Collector, String>,
    /// When the first objects were served.
    served: Option<Instant>,
}

// === impl Control ===

impl Control {
    fn new(options: Options, mailbox: Mailbox, ledger: Ledger, outbox: Outbox, picture: watch::Sender<Picture>) -> Self {
        let Options { machine, shared, prepared, default_certificate, translate, identity, hosts, table, dns, epoch, collectors } = options;
        let (hosts, directory, dns) = (Hosts::new(hosts), Directory::new(table), dns.borrow().clone());
        let collectors = collectors.borrow().clone();
        let forwarding = Forwarding::new(machine.clone());
        let entrances = Entrances::new(machine, shared, prepared, default_certificate, identity.instance.clone());
        let controllers = translate.gateway_api.controllers.iter().map(|(name, _)| name.clone()).collect();
        let answers = Answers::new(identity, mailbox.clone(), ledger, controllers, picture);
        let (world, slices, shown) = (World::new(translate, epoch), OwnSlices::default(), Shown::default());
        let mut control =
            Self { world, entrances, forwarding, slices, answers, mailbox, outbox, hosts, shown, directory, dns, collectors, served: None };
        control.tell_gateways();
        control
    }

    /// Objects have changed.
    fn settled(&mut self, changes: Changes) {
        let mut services = Vec::new();
        let Self { world, answers, entrances, forwarding, hosts, shown, slices, .. } = self;
        // One object at a time: of a first list there are many, and as values they are large.
        let step = world.step(changes.objects().filter_map(|(target, object)| {
            answers.observe(&target, object.as_ref());
            entrances.observe(&target, object.as_ref());
            forwarding.observe(&target, object.as_ref());
            hosts.observe(&target, object.as_ref());
            shown.observe(&target, object.as_ref());
            match target.kind {
                Kind::EndpointSlice => slices.slice(&target, object.as_ref()),
                Kind::Service => services.push(target.clone()),
                _ => {}
            }
            change(&target, object)
        }));
        self.take(step);
        for target in services {
            let name = resources::Name::new(target.namespace.as_str(), target.name.as_str());
            self.slices.service(&target, self.world.resources().service(&name).map(AsRef::as_ref));
        }
        for (target, wish) in self.slices.wishes() {
            self.mailbox.put(target, wish);
        }
    }

    fn step(&mut self, changes: impl IntoIterator<Item = Change>) {
        let step = self.world.step(changes);
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        if step.listening {
            self.entrances.touch();
        }
        self.publish(step);
    }

    /// Sends a change, and with it the gateways that listen elsewhere now.
    fn publish(&mut self, step: Step) {
        let Step { mut update, about, .. } = step;
        let listening = self.world.listening();
        let moved = self.entrances.settle(listening, self.forwarding.taken(), &self.mailbox);
        let forwarded = self.forwarding.settle(&listening.services, &self.entrances.gateways(), &self.mailbox);
        if moved || forwarded {
            update.gateways = self.entrances.publish();
            update.gateways.extend(self.forwarding.publish());
            self.tell_gateways();
            self.directory.gateways(&self.entrances.gateways(), &self.hosts);
        }
        self.directory.shards(&update.shards, (&self.entrances.gateways(), &self.hosts));
        self.shown.expect(update.version, &about);
        self.answers.expect(update.version, about, update.shards.iter().map(|(key, _)| key.clone()), &self.world);
        self.outbox.put(update);
        self.name_hosts();
    }

    /// Hosts are made of the gateways' addresses: where these have changed, so do they.
    fn name_hosts(&mut self) {
        let (gateways, now) = (self.entrances.gateways(), jiff::Timestamp::now().as_second());
        let changes = self.hosts.follow(&gateways, (self.world.listening(), self.world.shared()), now);
        if !changes.is_empty() {
            self.directory.gateways(&gateways, &self.hosts);
            self.step(changes);
        }
        self.hosts.keep(&gateways, &self.mailbox);
    }

    fn tell_gateways(&mut self) {
        let mut trouble: Trouble = self.entrances.trouble().into_iter().chain(self.forwarding.trouble()).collect();
        self.dns_trouble(&mut trouble);
        self.collectors_trouble(&mut trouble);
        self.answers.gateways(self.entrances.gateways(), trouble, Instant::now());
    }

    /// The DNS server answers elsewhere, or cannot.
    fn dns(&mut self, listening: &::names::Listening) {
        self.dns = listening.clone();
        self.tell_gateways();
    }

    /// Collectors of spans answer, or do not.
    fn collectors(&mut self, faults: &BTreeMap<Collector, String>) {
        self.collectors = faults.clone();
        self.answers.collectors(faults.clone());
        self.tell_gateways();
    }

    /// Said of whoever asked for the gateway.
    fn collectors_trouble(&self, trouble: &mut Trouble) {
        let gateways = self.entrances.gateways();
        for shared in self.world.shared() {
            let (Some(request), Some(plan)) = (&shared.request, gateways.get(&shared.id)) else { continue };
            if let Some(message) = untold(plan, &self.collectors) {
                let mut said = warning("spec.tracing.endpoint", "CollectorUnreachable", message);
                said.hint = Some("Start the collector, or write another one's URL".into());
                trouble.entry(request.object_ref()).or_default().insert(said);
            }
        }
    }

    /// Said of the shared gateway's own Service, since there is no object of the server's own.
    fn dns_trouble(&self, trouble: &mut Trouble) {
        let Some(service) = self.world.shared().first().and_then(|it| it.services.first()) else { return };
        for fault in &self.dns.faults {
            let message = format!("names are not answered at {}: {}", fault.address, fault.why);
            let said = status::Said {
                field: String::new(),
                severity: status::Severity::Warning,
                reason: "NamesNotAnswered".into(),
                message,
                hint: Some("Stop what has the port, or start with another --dns-address, or with --dns-address none".into()),
            };
            trouble.entry(resources::Kind::Service.object_ref(service)).or_default().insert(said);
        }
    }

    fn acknowledged(&mut self, ack: Ack) {
        let version = ack.version;
        self.served.get_or_insert_with(Instant::now);
        self.answers.acknowledged(ack, &self.world, Instant::now());
        self.shown.acknowledged(version, &self.world, &self.mailbox);
        if let Some(step) = self.world.served(version) {
            self.publish(step);
        }
    }

    fn say(&mut self) {
        self.answers.say(&self.world, Instant::now(), &jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }

    /// Looks at what no event tells of.
    fn tick(&mut self, now: jiff::Timestamp, watch: &Watch) {
        if self.served.is_some_and(|it| it.elapsed() > CATCH_UP) {
            self.answers.caught_up();
        }
        if let Some(step) = self.world.clock(now.as_second()) {
            self.publish(step);
        }
        if self.served.is_none() {
            return;
        }
        if self.hosts.is_due(now.as_second()) {
            self.name_hosts();
        }
        let all = |kinds: &[Kind]| kinds.iter().all(|it| watch.has(*it));
        let known = Known {
            gateways: all(&[Kind::Gateway, Kind::GatewayClass]),
            requests: all(&[Kind::IngressGateway, Kind::Namespace]) && watch.knows(Kind::KubesphereGateway),
        };
        self.entrances.may_name(watch.has(Kind::GatewayClass));
        self.entrances.tend(known, &self.mailbox);
        self.entrances.make_classes(|it| watch.has(it), self.world.resources(), &self.mailbox);
        // The data plane tries sockets that it could not have again with every update.
        if self.entrances.is_touched() || self.answers.lacks_sockets() {
            self.step([]);
        }
    }
}
