//! The loop itself.

use crate::answers::{Answers, warning};
use crate::gateway::{self, Given, Plan, Request};
use crate::names::Names;
use crate::outbox::Outbox;
use crate::own::OwnSlices;
use crate::picture::Picture;
use crate::prepare;
use crate::sockets;
use crate::watch::{Changes, Watch};
use crate::world::{Step, World, change};
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client};
use model::{Ack, Certificate, Gateway, GatewayId, Update};
use pools::Pool;
use resources::Change;
use serde_json::Value;
use status::{Identity, Kind, Ledger, Mailbox, Said, Target, Wish};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// The kinds that are watched.
const KINDS: [Kind; 5] = [Kind::Service, Kind::EndpointSlice, Kind::Secret, Kind::Ingress, Kind::IngressClass];

/// Between two looks at what no event tells of.
const TICK: Duration = Duration::from_secs(5);

/// After a start, how long problems that have an event already count as the same ones: names are still being looked up.
const CATCH_UP: Duration = Duration::from_secs(5);

pub struct Options {
    pub gateway: Request,
    /// As [`prepare`](crate::prepare()) found it.
    pub plan: Plan,
    pub default_certificate: Option<Arc<Certificate>>,
    pub translate: translate::Options,
    pub identity: Identity,
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
    let ledger = Ledger::new(&events(&client).await, &options.identity);
    let (mut watch, mut names) = (Watch::start(&client, &KINDS), Names::start());
    let mut control = Control::new(options, mailbox, ledger, outbox, picture);
    let mut changes = Changes::default();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let due = control.answers.due();
        tokio::select! {
            settled = watch.settled(&mut changes) => match settled {
                Some(()) => control.settled(std::mem::take(&mut changes)),
                None => return Ended::WatchEnded,
            },
            Some(answer) = names.answer() => control.step([Change::Resolved { name: answer.name, addresses: answer.addresses }]),
            ack = acks.recv() => match ack {
                Some(ack) => control.acknowledged(ack),
                None => return Ended::DataPlaneGone,
            },
            () = until(due) => control.say(),
            _ = tick.tick() => control.tick(jiff::Timestamp::now()),
        }
        names.want(control.world.external_names());
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Events that exist, so that a restart does not repeat them; in pages.
async fn events(client: &Client) -> Vec<Value> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::Event.resource());
    let (mut found, mut params) = (Vec::new(), ListParams::default().limit(500));
    loop {
        match api.list(&params).await {
            Ok(list) => {
                found.extend(list.items.iter().filter_map(|it| serde_json::to_value(it).ok()));
                match list.metadata.continue_.filter(|it| !it.is_empty()) {
                    Some(token) => params = params.continue_token(&token),
                    None => return found,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot list events; some may be said again");
                return found;
            }
        }
    }
}

/// What the loop keeps. Nothing in here waits.
struct Control {
    request: Request,
    plan: Plan,
    default_certificate: Option<Arc<Certificate>>,
    service: Target,
    world: World,
    slices: OwnSlices,
    answers: Answers,
    mailbox: Mailbox,
    outbox: Outbox,
    /// The gateway has been published.
    begun: bool,
    /// When the first objects were served.
    served: Option<Instant>,
    /// The gateway's own Service is gone, and perhaps its namespace with it.
    bereft: bool,
}

// === impl Control ===

impl Control {
    fn new(options: Options, mailbox: Mailbox, ledger: Ledger, outbox: Outbox, picture: watch::Sender<Picture>) -> Self {
        let Options { gateway: request, plan, default_certificate, translate, identity, epoch } = options;
        let service = Target::new(Kind::Service, request.namespace.as_str(), request.name.as_str());
        let name = resources::Name::new(request.namespace.as_str(), request.name.as_str());
        let about = (request.id.clone(), resources::Kind::Service.object_ref(&name));
        let mut answers = Answers::new(identity, mailbox.clone(), ledger, about, plan.clone(), picture);
        answers.gateway(plan.clone(), shortage(&plan), Instant::now());
        Self {
            request,
            plan,
            default_certificate,
            service,
            world: World::new(translate, epoch),
            slices: OwnSlices::default(),
            answers,
            mailbox,
            outbox,
            begun: false,
            served: None,
            bereft: false,
        }
    }

    /// Objects have changed.
    fn settled(&mut self, changes: Changes) {
        let mut translated = Vec::new();
        let mut services = Vec::new();
        for (target, object) in changes.0 {
            self.answers.observe(&target, object.as_ref());
            match target.kind {
                Kind::EndpointSlice => self.slices.slice(&target, object.as_ref()),
                Kind::Service => services.push(target.clone()),
                _ => {}
            }
            if target == self.service {
                self.bereft = object.is_none();
                self.keep_service(object.as_ref());
            }
            translated.extend(change(&target, object));
        }
        self.step(translated);
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
        self.publish(step);
    }

    fn publish(&mut self, step: Step) {
        let Step { mut update, about } = step;
        if !self.begun {
            self.begun = true;
            update.gateways.push(self.gateway());
        }
        self.answers.expect(update.version, about, update.shards.iter().map(|(key, _)| key.clone()));
        self.outbox.put(update);
    }

    fn acknowledged(&mut self, ack: Ack) {
        let version = ack.version;
        self.served.get_or_insert_with(Instant::now);
        self.answers.acknowledged(ack, &self.world, Instant::now());
        if let Some(step) = self.world.served(version) {
            self.publish(step);
        }
    }

    fn say(&mut self) {
        self.answers.say(&self.world, Instant::now(), &jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }

    /// Looks at what no event tells of.
    fn tick(&mut self, now: jiff::Timestamp) {
        if self.served.is_some_and(|it| it.elapsed() > CATCH_UP) {
            self.answers.caught_up();
        }
        if let Some(step) = self.world.clock(now.as_second()) {
            self.publish(step);
        }
        // A namespace takes its time to go, and refuses what is written meanwhile.
        if self.bereft {
            let namespace = Target::new(Kind::Namespace, "", self.request.namespace.as_str());
            self.mailbox.put(namespace, Wish::Object(prepare::namespace(&self.request.namespace)));
            self.keep_service(None);
        }
    }

    /// The gateway's own Service is as we wrote it, or as its owner wants it, or gone: then it is made again as it was.
    fn keep_service(&mut self, service: Option<&Value>) {
        let before = Given::from(&self.plan);
        let given = service.map_or(before, |it| {
            let read = Given::read(it);
            Given { address: read.address.or(before.address), http: read.http.or(before.http), https: read.https.or(before.https), ..read }
        });
        let mut trouble = None;
        if given != (Given { wanted: given.wanted, ..before }) || given.wanted.is_some_and(|it| Some(it) != before.address) {
            let ours: BTreeSet<_> = self.plan.http().into_iter().chain(self.plan.https()).collect();
            match sockets::find(&self.request, &given, &ours) {
                Ok(plan) => self.move_to(plan),
                Err(error) => trouble = Some(warning("spec.ports", "NotListening", error.to_string())),
            }
        }
        let refused = trouble.is_some();
        self.answers.gateway(self.plan.clone(), trouble.or_else(|| shortage(&self.plan)), Instant::now());
        // Without a pool, addresses in the status are those of somebody who has one.
        let addresses = self.request.pool != Pool::None || before.address.is_some();
        let addresses = addresses.then(|| Wish::Addresses(self.plan.status()));
        let wishes = std::iter::once(Wish::Object(self.request.service(&self.plan))).chain(addresses);
        // What its owner asked for and cannot have is left as it is, with an event that says so.
        for wish in wishes.filter(|it| !refused && !it.holds(service)) {
            self.mailbox.put(self.service.clone(), wish);
        }
    }

    fn gateway(&self) -> (GatewayId, Option<Arc<Gateway>>) {
        let mut gateway = gateway::gateway(&self.request.id, Some(&self.plan));
        gateway.default_certificate = self.default_certificate.clone();
        (self.request.id.clone(), Some(Arc::new(gateway)))
    }

    fn move_to(&mut self, plan: Plan) {
        if plan == self.plan {
            return;
        }
        self.plan = plan;
        if self.begun {
            let version = self.world.next_version();
            let gateways = vec![self.gateway()];
            self.answers.expect(version, BTreeSet::new(), []);
            self.outbox.put(Update { version, gateways, ..Update::default() });
        }
    }
}

fn shortage(plan: &Plan) -> Option<Said> {
    if plan.node_ports.0.is_none() || plan.node_ports.1.is_none() {
        return Some(warning("spec.ports", "NodePortPending", "every node port is taken; the LoadBalancer address alone answers".into()));
    }
    let why = plan.shortage?;
    let mut said = warning(
        "status.loadBalancer",
        "AddressPending",
        format!("no address can be given: {why}; the node ports answer on {}", plan.node_address),
    );
    said.hint = Some("Start with another --pool to get one".into());
    Some(said)
}
