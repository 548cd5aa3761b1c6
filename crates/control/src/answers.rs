//! What is said about each object once what it asks for is served.

mod accepted;
mod conditions;
mod draft;
mod entrance;

use crate::picture::{GatewayPicture, SocketPicture};
use crate::world::World;
use crate::{Gateways, Picture, Plan};
use accepted::Accepted;
use conditions::Heard;
use draft::Draft;
use model::{Ack, BindingState, Collector, GatewayId, Nack, ObjectRef, ShardKey, Source, Text, Version};
use resources::{Kind as ReadKind, Problem, Severity as Weight, Status};
use serde_json::Value;
use status::{Address, Identity, Kind, Ledger, Mailbox, Reached, Said, Severity, Statement, Target, Wish};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use translate::service_of;

/// Addresses that an object of a route or of Gateway API shows, which allows no more: a cluster may have a thousand nodes.
const MOST_SHOWN: usize = 16;

/// How long a problem must last before it is said: objects that are applied together arrive one after another.
const PATIENCE: Duration = Duration::from_millis(700);

/// Joins what was said about objects with what the data plane acknowledged; the latest wins.
///
/// **Invariant:** a status names only what every worker serves.
pub(crate) struct Answers {
    identity: Identity,
    mailbox: Mailbox,
    ledger: Ledger,
    gateways: Arc<Gateways>,
    /// Statements that wait for their version.
    waiting: BTreeMap<Version, Expected>,
    /// Since when problems of these objects are waiting to be said.
    patient: BTreeMap<ObjectRef, Instant>,
    nacks: BTreeMap<ShardKey, Vec<Refused>>,
    /// Of the Gateways that are served, and what was said of them: where they listen may change without them.
    gateways_served: BTreeMap<ObjectRef, (Draft, Statement)>,
    /// Gateways have moved since the data plane was heard last.
    moved: bool,
    /// What must be said about gateways' Services, and about what asked for them.
    trouble: Trouble,
    bindings: Vec<BindingState>,
    /// Addresses in the status of each Ingress, as watched.
    observed: HashMap<Target, Vec<Reached>>,
    /// What was last written there: ours, even where no gateway has it any more.
    written: HashMap<Target, Vec<Reached>>,
    /// Which gateways serve those that have got addresses.
    accepted: Accepted,
    /// Routes with entries of ours in their status, as watched.
    marked: BTreeSet<Target>,
    /// Routes that got entries of ours, which perhaps nobody has seen yet.
    entered: BTreeSet<Target>,
    /// Whose entries are ours.
    controllers: BTreeSet<Text>,
    picture: watch::Sender<Picture>,
    /// What is wrong with collectors of spans.
    collectors: BTreeMap<Collector, String>,
}

/// By object.
pub(crate) type Trouble = BTreeMap<ObjectRef, BTreeSet<Said>>;

/// What a version brings.
#[derive(Default)]
struct Expected {
    about: BTreeSet<ObjectRef>,
    /// What is to be said of those that have a status of their own; `None`: nothing any more.
    drafts: BTreeMap<ObjectRef, Option<Draft>>,
    shards: BTreeSet<ShardKey>,
}

/// What the data plane cannot serve, and whose it is.
struct Refused {
    nack: Nack,
    source: Option<Source>,
}

impl Answers {
    /// `controllers`: those of `status.parents` that are ours.
    pub fn new(identity: Identity, mailbox: Mailbox, ledger: Ledger, controllers: BTreeSet<Text>, picture: watch::Sender<Picture>) -> Self {
        Self {
            identity,
            mailbox,
            ledger,
            gateways: Arc::default(),
            waiting: BTreeMap::new(),
            patient: BTreeMap::new(),
            nacks: BTreeMap::new(),
            gateways_served: BTreeMap::new(),
            moved: false,
            trouble: Trouble::new(),
            bindings: Vec::new(),
            observed: HashMap::new(),
            written: HashMap::new(),
            accepted: Accepted::default(),
            marked: BTreeSet::new(),
            entered: BTreeSet::new(),
            controllers,
            picture,
            collectors: BTreeMap::new(),
        }
    }

    /// An object as it is now.
    pub fn observe(&mut self, target: &Target, object: Option<&Value>) {
        match target.kind {
            Kind::Ingress => match object.map(reached) {
                Some(addresses) if !addresses.is_empty() => drop(self.observed.insert(target.clone(), addresses)),
                _ => {
                    self.observed.remove(target);
                    if object.is_none() {
                        self.written.remove(target);
                    }
                }
            },
            Kind::HttpRoute | Kind::TlsRoute | Kind::TcpRoute => match object.is_some_and(|it| self.is_marked(it)) {
                true => drop(self.marked.insert(target.clone())),
                false => {
                    self.marked.remove(target);
                    if object.is_none() {
                        self.entered.remove(target);
                    }
                }
            },
            _ => {}
        }
    }

    fn is_marked(&self, route: &Value) -> bool {
        let parents = route.pointer("/status/parents").and_then(Value::as_array);
        let controller = |it: &Value| it.get("controllerName").and_then(Value::as_str).is_some_and(|it| self.controllers.contains(it));
        parents.into_iter().flatten().any(controller)
    }

    /// These objects are to be spoken about, as the world is now, once `version` is served.
    pub fn expect(&mut self, version: Version, mut about: BTreeSet<ObjectRef>, shards: impl IntoIterator<Item = ShardKey>, world: &World) {
        let expected = self.waiting.entry(version).or_default();
        for key in shards {
            // What was refused may have been mended by a change of something else.
            let mended = self.nacks.remove(&key).into_iter().flatten().filter_map(|it| it.source);
            about.extend(mended.map(|it| it.object));
            expected.shards.insert(key);
        }
        let has_status = |it: &&ObjectRef| ReadKind::named(&it.kind).is_some_and(translate::has_status);
        expected.drafts.extend(about.iter().filter(has_status).map(|it| (it.clone(), Draft::of(world, it))));
        expected.about.extend(about);
    }

    /// The data plane serves a version.
    pub fn acknowledged(&mut self, ack: Ack, world: &World, now: Instant) {
        let (mut about, mut drafts) = (BTreeSet::new(), BTreeMap::new());
        let later = self.waiting.split_off(&Version { sequence: ack.version.sequence.saturating_add(1), ..ack.version });
        for expected in std::mem::replace(&mut self.waiting, later).into_values() {
            about.extend(expected.about);
            drafts.extend(expected.drafts);
        }
        for nack in ack.nacks {
            // What is on its way may have mended it; its own answer will tell.
            if self.waiting.values().any(|it| it.shards.contains(&nack.shard)) {
                continue;
            }
            let source = world.source(&nack.shard, nack.route).cloned();
            if let Some(object) = source.as_ref().map(|it| &it.object) {
                about.insert(object.clone());
                drafts.entry(object.clone()).or_insert_with(|| Draft::of(world, object));
            }
            self.nacks.entry(nack.shard.clone()).or_default().push(Refused { nack, source });
        }
        if self.bindings != ack.bindings {
            let before = std::mem::replace(&mut self.bindings, ack.bindings);
            self.moved = true;
            about.extend(self.services());
            let forwarded = self.bindings.iter().chain(&before).filter_map(|it| service_of(&it.gateway));
            about.extend(forwarded.map(|it| ReadKind::Service.object_ref(&it)));
        }
        if std::mem::take(&mut self.moved) {
            about.extend(world.resources().ingresses().map(|it| ReadKind::Ingress.object_ref(&it.meta.name)));
            for (object, (draft, _)) in &self.gateways_served {
                drafts.entry(object.clone()).or_insert_with(|| Some(draft.clone()));
            }
        }
        for object in about {
            self.speak_of(&object, world, now);
        }
        for (object, draft) in drafts {
            self.state(&object, draft);
        }
        self.show(world);
    }

    /// Says what an object's status is, now that this draft of it is served.
    fn state(&mut self, object: &ObjectRef, draft: Option<Draft>) {
        let (Some(kind), Some(draft)) = (Kind::named(&object.kind), draft) else {
            self.gateways_served.remove(object);
            return;
        };
        let target = target(object, kind);
        if let Status::Route(parents) = &draft.status {
            let entered = self.entered.remove(&target);
            if !parents.is_empty() {
                self.entered.insert(target.clone());
            } else if !entered && !self.marked.contains(&target) {
                // Routes of others are many, and nothing is to be said there.
                return;
            }
        }
        let refused = self.nacks.values().flatten().filter_map(|it| Some((it, it.source.as_ref().filter(|it| it.object == *object)?)));
        let heard = Heard {
            gateways: &self.gateways,
            bindings: &self.bindings,
            refusals: refused.map(|(it, source)| (it.nack.shard.clone(), source.rule.clone(), it.nack.message.clone())).collect(),
            controllers: self.controllers.clone(),
            host: &self.identity.instance,
            collectors: &self.collectors,
        };
        let statement = heard.finish(&draft, object);
        if matches!(kind, Kind::Gateway | Kind::IstioGateway | Kind::IngressGateway | Kind::KubesphereGateway) {
            let before = self.gateways_served.insert(object.clone(), (draft, statement.clone()));
            // One that moves is no news to all others.
            if before.is_some_and(|(_, before)| before == statement) {
                return;
            }
        }
        self.mailbox.put(target, Wish::Status(Box::new(statement)));
    }

    /// Gateways have come, moved or gone, or there is other trouble with them.
    pub fn gateways(&mut self, gateways: Arc<Gateways>, trouble: Trouble, now: Instant) {
        let before = self.services();
        self.gateways = gateways;
        self.moved = true;
        let about: BTreeSet<ObjectRef> =
            before.into_iter().chain(self.services()).chain(trouble.keys().chain(self.trouble.keys()).cloned()).collect();
        self.trouble = trouble;
        for object in about {
            self.patient.entry(object).or_insert(now);
        }
    }

    /// Collectors of spans answer, or do not: those who asked for gateways are told.
    pub fn collectors(&mut self, faults: BTreeMap<Collector, String>) {
        self.collectors = faults;
        let requests = self.gateways_served.iter().filter(|(_, (draft, _))| matches!(draft.status, Status::Entrance(_)));
        let requests: Vec<(ObjectRef, Draft)> = requests.map(|(object, (draft, _))| (object.clone(), draft.clone())).collect();
        for (object, draft) in requests {
            self.state(&object, Some(draft));
        }
    }

    /// What gateways are seen as.
    fn services(&self) -> BTreeSet<ObjectRef> {
        self.gateways.iter().flat_map(|it| &it.services).map(|it| ReadKind::Service.object_ref(it)).collect()
    }

    fn speak_of(&mut self, object: &ObjectRef, world: &World, now: Instant) {
        self.patient.entry(object.clone()).or_insert(now);
        if object.kind != ReadKind::Ingress.name() || world.object(object).is_none() {
            return;
        }
        let target = target(object, Kind::Ingress);
        let observed = self.observed.get(&target).map_or(&[] as &[Reached], Vec::as_slice);
        let wanted = self.shown(world, object);
        // Addresses in an Ingress that no gateway of ours serves are somebody else's, unless they are the ones we write.
        let ours = self.written.get(&target).is_some_and(|it| it == observed);
        let theirs = wanted.is_empty() && !ours && !observed.iter().all(|it| self.all_shown().contains(&it.address));
        if observed != wanted && !theirs {
            self.accepted.note(object, world.gateways_of(object).iter().filter_map(|it| self.gateways.get(it)), &wanted);
            self.written.insert(target.clone(), wanted.clone());
            self.mailbox.put(target, Wish::Reached(wanted));
        }
    }

    /// Whether a socket that was asked for could not be had.
    pub fn lacks_sockets(&self) -> bool {
        self.bindings.iter().any(|it| it.bound.is_err())
    }

    /// When the next problem is due to be said.
    pub fn due(&self) -> Option<Instant> {
        self.patient.values().min().map(|it| *it + PATIENCE)
    }

    /// Says what has lasted.
    pub fn say(&mut self, world: &World, now: Instant, timestamp: &str) {
        let (due, later) = std::mem::take(&mut self.patient).into_iter().partition(|(_, since)| *since + PATIENCE <= now);
        self.patient = later;
        let due: BTreeMap<ObjectRef, Instant> = due;
        let mut problems = self.picture.borrow().problems.clone();
        for object in due.into_keys() {
            let found = self.problems(&object, world);
            let all: BTreeSet<Said> = found.iter().cloned().chain(self.accepted.take(&object)).collect();
            self.write_events(&object, &all, world, timestamp);
            if found.is_empty() {
                problems.remove(&object);
            } else {
                problems.insert(object, found);
            }
        }
        self.picture.send_if_modified(|it| {
            let modified = it.problems != problems;
            it.problems = problems;
            modified
        });
        self.show(world);
    }

    fn write_events(&mut self, object: &ObjectRef, found: &BTreeSet<Said>, world: &World, timestamp: &str) {
        let Some(kind) = Kind::named(&object.kind) else { return };
        let target = target(object, kind);
        let Some(read) = world.object(object) else { return self.ledger.forget(&target) };
        for (target, wish) in self.ledger.state(&target, &read.meta().uid, found, &self.identity, timestamp) {
            self.mailbox.put(target, wish);
        }
    }

    /// All that is wrong with an object, the data plane's word included.
    fn problems(&self, object: &ObjectRef, world: &World) -> BTreeSet<Said> {
        let mut problems: BTreeSet<Said> = world.problems(object).iter().map(said).collect();
        for Refused { nack, source } in self.nacks.values().flatten() {
            if let Some(source) = source.as_ref().filter(|it| it.object == *object) {
                problems.insert(warning(&source.rule, "NotServed", format!("the gateway cannot serve this: {}", nack.message)));
            }
        }
        problems.extend(self.trouble.get(object).into_iter().flatten().cloned());
        if let Some(plan) = self.gateways.of_service(object) {
            problems.extend(self.bindings.iter().filter(|it| it.gateway == plan.id).filter_map(unbound));
        }
        let forwarded = |it: &&BindingState| service_of(&it.gateway).is_some_and(|it| ReadKind::Service.object_ref(&it) == *object);
        problems.extend(self.bindings.iter().filter(forwarded).filter_map(unbound));
        problems
    }

    /// The addresses of the gateways that serve an object: those that answer.
    fn shown(&self, world: &World, object: &ObjectRef) -> Vec<Reached> {
        let mut shown = Vec::new();
        for plan in world.gateways_of(object).iter().filter_map(|it| self.gateways.get(it)) {
            let deaf = |it: &BindingState| it.gateway == plan.id && it.bound.is_err() && Some(it.address.ip()) == plan.address;
            let (addresses, ports) = match self.bindings.iter().any(deaf) {
                true => (vec![plan.node_address.to_string()], ports(plan, |it| it.node_port)),
                false => (plan.shown(), ports(plan, |it| plan.shown_port(it))),
            };
            shown.extend(addresses.into_iter().map(|address| Reached { address, ports: ports.clone() }));
        }
        shown.dedup();
        shown.truncate(MOST_SHOWN);
        shown
    }

    fn all_shown(&self) -> Vec<Address> {
        let of = |it: &Plan| {
            it.status().into_iter().chain(it.others.clone()).chain(it.shown()).chain([it.node_address.to_string()]).collect::<Vec<_>>()
        };
        self.gateways.iter().flat_map(of).collect()
    }

    fn show(&self, world: &World) {
        let sockets = |id: &GatewayId| {
            let of = self.bindings.iter().filter(|it| it.gateway == *id);
            of.map(|it| SocketPicture { listener: it.listener.to_string(), address: it.address, fault: it.bound.as_ref().err().cloned() })
                .collect()
        };
        let gateways = self.gateways.iter().map(|plan| GatewayPicture {
            id: plan.id.clone(),
            owner: plan.owner.clone(),
            services: plan.services.clone(),
            others: plan.others.clone(),
            waiting: plan.waiting().map(|it| it.to_string()),
            sockets: sockets(&plan.id),
        });
        let gateways: Vec<GatewayPicture> = gateways.collect();
        let (hosts, routes) = world.size();
        let now = (true, gateways, hosts, routes);
        self.picture.send_if_modified(|it| {
            let before = (it.ready, std::mem::take(&mut it.gateways), it.hosts, it.routes);
            let modified = before != now;
            (it.ready, it.gateways, it.hosts, it.routes) = now;
            modified
        });
    }

    /// From here on a problem that has an event already is one that was mended and comes back.
    pub fn caught_up(&mut self) {
        self.ledger.caught_up();
    }
}

fn target(object: &ObjectRef, kind: Kind) -> Target {
    Target::new(kind, object.namespace.as_str(), object.name.as_str())
}

/// Where a gateway answers http, then https, unless that is where everybody expects it.
fn ports(plan: &Plan, real: impl Fn(&crate::PlannedPort) -> Option<u16>) -> Vec<u16> {
    let usual = [80, 443];
    let found: Vec<u16> = usual.into_iter().map_while(|it| plan.port(it).and_then(&real)).collect();
    if found == usual { Vec::new() } else { found }
}

/// What an Ingress's status shows now.
fn reached(object: &Value) -> Vec<Reached> {
    let entries = object.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
    let number = |it: &Value| it.get("port").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
    let entry = |it: &Value| {
        let address = it.get("ip").or_else(|| it.get("hostname")).and_then(Value::as_str)?.to_owned();
        let ports = it.get("ports").and_then(Value::as_array).into_iter().flatten().filter_map(number).collect();
        Some(Reached { address, ports })
    };
    entries.into_iter().flatten().filter_map(entry).collect()
}

fn said(problem: &Problem) -> Said {
    let severity = match problem.severity {
        Weight::Error | Weight::Warning => Severity::Warning,
        Weight::Note => Severity::Normal,
    };
    Said {
        field: problem.field.to_string(),
        severity,
        reason: problem.reason.to_string(),
        message: problem.message.to_string(),
        hint: problem.hint.as_ref().map(ToString::to_string),
    }
}

/// Why spans of a gateway's requests reach nobody; `None`: they do, or are not to.
pub(crate) fn untold(plan: &Plan, faults: &BTreeMap<Collector, String>) -> Option<String> {
    let collector = &plan.options.tracing.as_ref()?.collector;
    let why = faults.get(collector)?;
    Some(format!("no spans reach {collector}: {why}; requests go on, and what there is no room for is dropped"))
}

/// Something that translation does not know of.
pub(crate) fn warning(field: &str, reason: &str, message: String) -> Said {
    Said { field: field.into(), severity: Severity::Warning, reason: reason.into(), message, hint: None }
}

fn unbound(state: &BindingState) -> Option<Said> {
    let message = format!("{} cannot be listened on: {}", state.address, state.bound.as_ref().err()?);
    Some(warning("spec.ports", "NotListening", message))
}

#[cfg(test)]
mod tests;
