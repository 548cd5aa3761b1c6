//! Everything known, and what a change of it means. No IO.

use model::{BackendId, ContentHash, Endpoint, GatewayId, ObjectRef, Shard, ShardKey, Source, Text, Update, Version};
use resources::{Applied, Change, Kind, Name, Object, Problem, Resources, ServiceType, SharedGateway};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use translate::{InUse, Listening, Options, Part, Reports, Touched};

/// The objects, what was made of them, and what was said about them.
///
/// **Invariant:** what is published after any series of changes is what translating everything at once would publish.
pub(crate) struct World {
    options: Options,
    resources: Resources,
    shards: BTreeMap<ShardKey, Shard>,
    endpoints: HashMap<BackendId, Arc<[Endpoint]>>,
    in_use: InUse,
    reports: Reports,
    /// Names that have been looked up at least once: before that, no address is no problem.
    answered: BTreeSet<Text>,
    /// Which gateways there are to be, and where each listens.
    listening: Listening,
    /// Backends that no route leads to since this version; they go once it is served.
    retired: Vec<(Version, BackendId)>,
    version: Version,
    /// In all shards.
    routes: usize,
    attached: Attached,
}

/// Which objects have routes on which gateway: in how many shards.
#[derive(Default)]
struct Attached(HashMap<GatewayId, HashMap<ObjectRef, usize>>);

/// After so many seconds translation learns what time it is: certificates expire without any change of an object.
const CLOCK: i64 = 6 * 3600;

/// What a change comes to.
pub(crate) struct Step {
    /// Endpoints and shards that are different.
    pub update: Update,
    /// Objects about which there may be something else to say.
    pub about: BTreeSet<ObjectRef>,
    /// Whether other gateways or ports are asked for than before.
    pub listening: bool,
}

impl World {
    pub fn new(options: Options, epoch: u64) -> Self {
        Self {
            options,
            resources: Resources::default(),
            shards: BTreeMap::new(),
            endpoints: HashMap::new(),
            in_use: InUse::default(),
            reports: Reports::default(),
            answered: BTreeSet::new(),
            listening: Listening::default(),
            retired: Vec::new(),
            version: Version { epoch, sequence: 0 },
            routes: 0,
            attached: Attached::default(),
        }
    }

    /// How many objects have routes on a gateway.
    pub fn attached(&self, gateway: &GatewayId) -> usize {
        self.attached.0.get(gateway).map_or(0, HashMap::len)
    }

    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// The gateways that serve Ingresses.
    pub fn shared(&self) -> &[SharedGateway] {
        &self.options.gateways
    }

    pub fn listening(&self) -> &Listening {
        &self.listening
    }

    /// Applies changes and translates what they touch. Endpoints alone never cause a translation.
    pub fn step(&mut self, changes: impl IntoIterator<Item = Change>) -> Step {
        let (mut touched, mut about) = (Touched::default(), BTreeSet::new());
        for change in changes {
            if let Change::Resolved { name, .. } = &change
                && self.answered.insert(name.clone())
            {
                about.extend(self.resources.services_of_external_name(name).map(|it| Kind::Service.object_ref(&it.meta.name)));
            }
            let applied = self.resources.apply(change);
            about.extend(objects(&applied));
            touched.extend(translate::touched(&self.resources, &mut self.options, &applied));
        }
        self.translate(touched, about)
    }

    /// Time has passed. `None`: not enough of it, or nobody minds.
    pub fn clock(&mut self, now: i64) -> Option<Step> {
        // The clock of a machine may also be set back.
        if (now - self.options.ingress.now?).abs() < CLOCK {
            return None;
        }
        self.options.set_now(Some(now));
        let mut touched = Touched::default();
        let ingresses = self.resources.ingresses().filter(|it| !it.tls.is_empty()).cloned().map(Object::Ingress);
        let gateways = self.resources.gateways().cloned().map(Object::Gateway);
        let istio = self.resources.istio_gateways().cloned().map(Object::IstioGateway);
        for object in ingresses.chain(gateways).chain(istio) {
            let same = Applied::Object { old: None, new: Some(object) };
            touched.extend(translate::touched(&self.resources, &mut self.options, &same));
        }
        (!touched.is_empty()).then(|| self.translate(touched, BTreeSet::new()))
    }

    fn translate(&mut self, touched: Touched, mut about: BTreeSet<ObjectRef>) -> Step {
        let mut update = Update { version: self.next_version(), ..Update::default() };
        let mut backends = self.in_use.of(&touched.services);
        for key in touched.shards {
            self.translate_shard(key, &mut backends, &mut update, &mut about);
        }
        for id in backends {
            self.find_endpoints(id, &mut update, &mut about);
        }
        for object in touched.objects {
            let report = translate::report(&self.resources, &self.options, &object);
            about.extend(self.reports.update(Part::Object(object), report.into_iter().collect()));
        }
        let listening = touched.listening && self.listen(&mut about);
        Step { update, about, listening }
    }

    /// Asks anew who wants which port.
    fn listen(&mut self, about: &mut BTreeSet<ObjectRef>) -> bool {
        let (listening, reports) = translate::listening(&self.resources, &self.options);
        about.extend(self.reports.update(Part::Listening, reports));
        let different = self.listening != listening;
        self.listening = listening;
        different
    }

    fn translate_shard(&mut self, key: ShardKey, backends: &mut BTreeSet<BackendId>, update: &mut Update, about: &mut BTreeSet<ObjectRef>) {
        let (shard, reports) = translate::translate_shard(&self.resources, &self.options, &key);
        about.extend(self.reports.update(Part::Shard(key.clone()), reports));
        let hash = |it: Option<&Shard>| it.map(|it: &Shard| -> ContentHash { it.hash });
        if hash(self.shards.get(&key)) == hash(shard.as_ref()) {
            return;
        }
        let turnover = self.in_use.update(&key, shard.as_ref());
        backends.extend(turnover.begun);
        self.retired.extend(turnover.ended.into_iter().map(|id| (update.version, id)));
        let before = match &shard {
            Some(shard) => self.shards.insert(key.clone(), shard.clone()),
            None => self.shards.remove(&key),
        };
        if self.attached.update(&key.gateway, before.as_ref(), shard.as_ref()) {
            let request = self.options.gateways.iter().find(|it| it.id == key.gateway).and_then(|it| it.request.as_ref());
            about.extend(request.map(|it| it.object_ref()));
        }
        let routes = |it: Option<&Shard>| it.map_or(0, |it| it.host.routes.len());
        self.routes = self.routes + routes(shard.as_ref()) - routes(before.as_ref());
        update.shards.push((key, shard));
    }

    fn find_endpoints(&mut self, id: BackendId, update: &mut Update, about: &mut BTreeSet<ObjectRef>) {
        if !self.in_use.contains(&id) {
            return;
        }
        let (found, reports) = translate::endpoints(&self.resources, &self.options, &id);
        about.extend(self.reports.update(Part::Backend(id.clone()), reports));
        if self.endpoints.get(&id).is_none_or(|it| **it != *found) {
            let found: Arc<[Endpoint]> = found.into();
            self.endpoints.insert(id.clone(), found.clone());
            update.endpoints.push((id, Some(found)));
        }
    }

    /// A version is served: backends that it left behind can go. Not earlier, since requests were still routed to them.
    pub fn served(&mut self, version: Version) -> Option<Step> {
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.retired).into_iter().partition(|(it, _)| *it <= version);
        self.retired = kept;
        let (mut endpoints, mut about) = (Vec::new(), BTreeSet::new());
        for (_, id) in gone.into_iter().filter(|(_, id)| !self.in_use.contains(id)) {
            about.extend(self.reports.update(Part::Backend(id.clone()), Vec::new()));
            if self.endpoints.remove(&id).is_some() {
                endpoints.push((id, None));
            }
        }
        if endpoints.is_empty() && about.is_empty() {
            return None;
        }
        let update = Update { version: self.next_version(), endpoints, ..Update::default() };
        Some(Step { update, about, listening: false })
    }

    /// The next version, for an update that comes from elsewhere.
    pub fn next_version(&mut self) -> Version {
        self.version.sequence += 1;
        self.version
    }

    /// Names whose addresses are needed.
    pub fn external_names(&self) -> BTreeSet<Text> {
        self.resources.external_names().cloned().collect()
    }

    /// All that is wrong with an object, by itself and with what it names.
    pub fn problems(&self, object: &ObjectRef) -> BTreeSet<Problem> {
        let mut problems = self.reports.get(object).map(|it| it.problems).unwrap_or_default();
        let Some(read) = self.object(object) else { return BTreeSet::new() };
        problems.extend(read.problems().iter().cloned());
        if let Object::Service(service) = &read {
            problems.extend(translate::annotation_problems(service, &self.options.egress));
            if let ServiceType::ExternalName(name) = &service.kind
                && !self.answered.contains(name)
            {
                problems.retain(|it| it.reason != resources::Cause::NameNotResolved);
            }
        }
        problems
    }

    /// The gateways that serve something of this object.
    pub fn gateways_of(&self, object: &ObjectRef) -> BTreeSet<GatewayId> {
        self.reports.get(object).map(|it| it.gateways).unwrap_or_default()
    }

    pub fn object(&self, object: &ObjectRef) -> Option<Object> {
        let kind = Kind::named(&object.kind)?;
        self.resources.get(kind, &Name::new(object.namespace.clone(), object.name.clone()))
    }

    /// Where a route came from.
    pub fn source(&self, key: &ShardKey, route: usize) -> Option<&Source> {
        let host = &self.shards.get(key)?.host;
        let tunnel = || host.tunnel.as_ref().map(|tunnel| &tunnel.source);
        host.routes.get(route).map(|route| &route.source).or_else(tunnel)
    }

    /// Hosts, and routes in all of them.
    pub fn size(&self) -> (usize, usize) {
        (self.shards.len(), self.routes)
    }
}

// === impl Attached ===

impl Attached {
    /// A shard of a gateway is another one. Returns whether other objects are attached.
    fn update(&mut self, gateway: &GatewayId, before: Option<&Shard>, now: Option<&Shard>) -> bool {
        let objects = self.0.entry(gateway.clone()).or_default();
        let many = objects.len();
        for object in sources(now) {
            *objects.entry(object).or_default() += 1;
        }
        let mut gone = false;
        for object in sources(before) {
            if let Some(count) = objects.get_mut(&object) {
                *count -= 1;
                if *count == 0 {
                    objects.remove(&object);
                    gone = true;
                }
            }
        }
        let different = gone || objects.len() != many;
        if objects.is_empty() {
            self.0.remove(gateway);
        }
        different
    }
}

/// The objects that a shard's routes are of, each once. What a gateway passes on by its own request is not attached to it.
fn sources(shard: Option<&Shard>) -> BTreeSet<ObjectRef> {
    let hosts = shard.map(|it| &it.host).into_iter();
    hosts
        .flat_map(|it| it.routes.iter().map(|it| &it.source).chain(it.tunnel.iter().map(|it| &it.source)))
        .filter(|it| it.object.kind != Kind::IngressGateway.name())
        .map(|it| it.object.clone())
        .collect()
}

/// What has changed, by name.
fn objects(applied: &Applied) -> BTreeSet<ObjectRef> {
    match applied {
        Applied::Object { old, new } => new.iter().chain(old).map(Object::object_ref).collect(),
        Applied::Several(all) => all.iter().flat_map(objects).collect(),
        Applied::Resolved { .. } | Applied::Nothing => BTreeSet::new(),
    }
}

/// A watched object as a change of the objects we translate; `None` for kinds that nobody translates.
pub(crate) fn change(target: &status::Target, object: Option<Value>) -> Option<Change> {
    let kind = target.kind.read()?;
    let name = Name::new(target.namespace.as_str(), target.name.as_str());
    Some(Change::Object { kind, name, object: object.map(Arc::new) })
}

#[cfg(test)]
mod tests;
