//! What the gateways would serve of these objects: the same translation, the same matching as the real ones.

use crate::entrance::Entrance;
use model::{
    BackendId, Binding, Certificate, Egress, Endpoint, Gateway, GatewayId, HostPattern, Listener, ListenerProtocol, ObjectRef, Sealed,
    SectionName, Shard, ShardKey, Update,
};
use resources::{Kind, Name, Problem, Resources, SharedGateway, deep_host_pattern, host_pattern};
use route::Snapshot;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use translate::{ClusterIps, Frontend, Listening, Options, Others, Reports};

/// Where objects were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of an API server's.
    Api,
    /// Those of an API server that somebody may see; where gateways are, statuses say.
    Part,
    /// Only some objects are at hand.
    Files,
}

/// Objects, and where they were found.
#[derive(Clone, Debug)]
pub struct Gathered {
    pub objects: Vec<Value>,
    pub from: Reach,
    /// The API server's own socket, which no backend may name.
    pub api: Option<SocketAddr>,
}

pub struct Served {
    /// Those that are there whoever asks first.
    pub gateways: Vec<ServedGateway>,
    pub shards: BTreeMap<ShardKey, Shard>,
    pub endpoints: BTreeMap<BackendId, Vec<Endpoint>>,
    pub problems: BTreeMap<ObjectRef, BTreeSet<Problem>>,
    pub reports: Reports,
    /// Objects that have routes, and the hosts they name.
    pub named_hosts: Vec<(ObjectRef, Vec<HostPattern>)>,
    pub snapshot: Snapshot,
}

/// A gateway, and how it is reached.
pub struct ServedGateway {
    pub id: GatewayId,
    /// `None`: its Services are not among the objects.
    pub entrance: Option<Entrance>,
    pub listeners: Vec<ServedListener>,
}

/// One port of a gateway.
pub struct ServedListener {
    pub name: SectionName,
    pub protocol: ListenerProtocol,
    /// As objects ask for it.
    pub port: u16,
    /// As clients connect to it.
    pub number: u16,
    /// The objects that ask for it.
    pub owners: BTreeSet<ObjectRef>,
    /// Whether every Ingress is served here, too.
    pub for_ingresses: bool,
    pub balanced: Option<SocketAddr>,
    pub node: Option<SocketAddr>,
}

/// Ports below this one have the offset added.
const PRIVILEGED: u16 = 1024;

/// The certificate that is shown where no other fits.
pub const OWN: &str = "the gateway's own";

const CLASSES: [(&str, &str); 2] = [("paifang", control::GATEWAY_CONTROLLER), ("istio", control::ISTIO_GATEWAY_CONTROLLER)];

/// As the gateways of these objects are told to translate.
pub fn options(from: Reach, objects: &[Value]) -> Options {
    let naming = objects.iter().find_map(control::naming).unwrap_or_default();
    let shared = control::shared_gateway(&naming);
    let mut options = Options::new(shared.id.clone());
    (options.gateways, options.naming) = (vec![shared], naming);
    options.ingress.cluster_ips = ClusterIps::NotRouted;
    options.ingress.classes.others = match from {
        Reach::Api => Others::default(),
        Reach::Part | Reach::Files => Others::NotAtHand,
    };
    options.order = order(objects, &options.naming.everybody()).unwrap_or(options.order);
    options
}

/// The order the running gateway was given, as its Service says.
fn order(objects: &[Value], own: &Name) -> Option<[Frontend; 3]> {
    let service = objects.iter().find(|it| is_service(it, own))?;
    let said = service.pointer("/metadata/annotations")?.get(crate::ROUTE_ORDER)?.as_str()?;
    said.parse::<crate::RouteOrder>().ok().map(|it| it.0)
}

impl Served {
    pub fn new(Gathered { objects, from, api }: &Gathered) -> Self {
        let mut options = options(*from, objects);
        options.egress = Egress::new(api.iter().copied().collect());
        let mut all: Vec<Value> = objects.clone();
        if *from == Reach::Part {
            all.iter_mut().for_each(crate::rows::write_generated_hosts);
        }
        all.extend(annotated(objects, *from));
        if *from != Reach::Api {
            all.extend(assumed(objects));
        }
        let mut resources = Resources::of(&all);
        resolve(&mut resources);
        let options = options.with_gateways(&resources);
        name_hosts(&mut resources, objects, &options, *from);
        let translation = translate::translate(&resources, &options);
        let gateways = gateways(objects, &options, &translation.listening);
        let mut endpoints = BTreeMap::new();
        for id in backends(&translation.shards) {
            endpoints.insert(id.clone(), translate::endpoints(&resources, &options, id).0);
        }
        let replies = |id: &GatewayId| translation.listening.gateways.get(id).map(|it| it.replies.clone()).unwrap_or_default();
        let update = Update {
            endpoints: endpoints.iter().map(|(id, it)| (id.clone(), Some(it.clone().into()))).collect(),
            gateways: gateways.iter().map(|it| (it.id.clone(), Some(Arc::new(it.model(replies(&it.id)))))).collect(),
            shards: translation.shards.iter().map(|(key, it)| (key.clone(), Some(it.clone()))).collect(),
            ..Update::default()
        };
        let (snapshot, _) = Snapshot::empty().apply(&update);
        let problems = problems(&translation.reports, &resources);
        let named_hosts = objects.iter().filter_map(named_hosts).collect();
        Self { gateways, shards: translation.shards, endpoints, problems, reports: translation.reports, named_hosts, snapshot }
    }

    /// The hosts of a gateway on a port, those of every port included where the port is for them.
    pub fn hosts<'a>(&'a self, gateway: &'a ServedGateway, listener: &'a ServedListener) -> BTreeSet<&'a HostPattern> {
        let meant = |key: &&ShardKey| {
            key.gateway == gateway.id && (key.port == Some(listener.port) || listener.for_ingresses && key.port.is_none())
        };
        self.shards.keys().filter(meant).map(|key| &key.host).collect()
    }
}

/// Every backend that routes and tunnels lead to.
fn backends(shards: &BTreeMap<ShardKey, Shard>) -> BTreeSet<&BackendId> {
    let routes = shards.values().flat_map(|it| &it.host.routes).flat_map(|it| it.backends());
    let tunnels = shards.values().filter_map(|it| it.host.tunnel.as_ref()).flat_map(|it| &it.backends).filter_map(|it| it.backend.as_ref());
    routes.chain(tunnels).map(|it| &it.id).collect()
}

fn problems(reports: &Reports, resources: &Resources) -> BTreeMap<ObjectRef, BTreeSet<Problem>> {
    let mut problems: BTreeMap<ObjectRef, BTreeSet<Problem>> = reports.all().into_iter().map(|it| (it.object, it.problems)).collect();
    for kind in Kind::ALL {
        for name in resources.names(*kind) {
            let Some(object) = resources.get(*kind, name) else { continue };
            if !object.problems().is_empty() {
                problems.entry(object.object_ref()).or_default().extend(object.problems().iter().cloned());
            }
        }
    }
    problems.retain(|_, it| !it.is_empty());
    problems
}

/// The GatewayClasses that are there wherever a gateway of ours is, as far as files do not have them.
pub fn assumed(objects: &[Value]) -> Vec<Value> {
    let made = |(name, controller): &(&str, &str)| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": { "name": name },
            "spec": { "controllerName": controller },
        })
    };
    let known = |it: &Value| objects.iter().any(|other| other["kind"] == it["kind"] && other["metadata"]["name"] == it["metadata"]["name"]);
    CLASSES.iter().map(made).filter(|it| !known(it)).collect()
}

/// In files nobody has made the slices of annotated Services yet.
fn annotated(objects: &[Value], from: Reach) -> Vec<Value> {
    if from != Reach::Files {
        return Vec::new();
    }
    let resources = Resources::of(objects);
    resources.services().flat_map(|it| translate::endpoint_slices(it).0).collect()
}

/// Hosts that are generated are made of where the gateways say they are.
fn name_hosts(resources: &mut Resources, objects: &[Value], options: &Options, from: Reach) {
    if from == Reach::Files {
        return translate::place(resources, options);
    }
    let listening = translate::listening(resources, options).0;
    let shared = options.gateways.iter().filter_map(|it| Some((&it.id, it.services.first()?)));
    let own = listening.gateways.iter().filter_map(|(id, it)| Some((id, &it.workload.as_ref()?.name)));
    for (id, service) in shared.chain(own) {
        let service = objects.iter().find(|it| is_service(it, service));
        let template = service.and_then(|it| control::host_template(it, id, (&listening, &options.gateways)));
        resources.apply(resources::Change::Hosts { gateway: id.clone(), template });
    }
}

/// Looks external names up, as the gateway does.
fn resolve(resources: &mut Resources) {
    let names: Vec<model::Text> = resources.external_names().cloned().collect();
    for name in names {
        let found = (name.as_str(), 0).to_socket_addrs().map(|it| it.map(|it| it.ip()).collect::<BTreeSet<_>>()).unwrap_or_default();
        resources.apply(resources::Change::Resolved { name, addresses: found.into_iter().collect() });
    }
}

/// The hosts by which an object with routes is found, those for every host left out.
fn named_hosts(object: &Value) -> Option<(ObjectRef, Vec<HostPattern>)> {
    let kind = Kind::of(object)?;
    let list = |pointer: &str| object.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let hosts: Vec<HostPattern> = match kind {
        Kind::HttpRoute | Kind::TlsRoute => {
            list("/spec/hostnames").filter_map(Value::as_str).filter_map(|it| deep_host_pattern(it).ok()).collect()
        }
        Kind::VirtualService => list("/spec/hosts").filter_map(Value::as_str).filter_map(|it| deep_host_pattern(it).ok()).collect(),
        Kind::Ingress => list("/spec/rules").filter_map(|it| it["host"].as_str()).filter_map(|it| host_pattern(it).ok()).collect(),
        _ => return None,
    };
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let name = Name::new(text("/metadata/namespace").filter(|it| !it.is_empty()).unwrap_or("default"), text("/metadata/name")?);
    Some((kind.object_ref(&name), hosts.into_iter().filter(|it| *it != HostPattern::Any).collect()))
}

fn is_service(object: &Value, name: &Name) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    text("/kind") == "Service" && text("/metadata/name") == name.name.as_str() && text("/metadata/namespace") == name.namespace.as_str()
}

/// The shared gateways, then those that objects ask for.
fn gateways(objects: &[Value], options: &Options, listening: &Listening) -> Vec<ServedGateway> {
    let own = options.naming.everybody();
    let entrance = |names: &[Name]| Entrance::read(names.iter().filter_map(|name| objects.iter().find(|it| is_service(it, name))));
    // The gateway's own Service says which port stands for 80.
    let offset = entrance(std::slice::from_ref(&own)).and_then(|it| it.ports.first().map(|it| it.number.saturating_sub(80))).unwrap_or(0);
    let shared = options.gateways.iter().map(|it| ServedGateway::shared(it, entrance(&it.services), listening, offset));
    let mut gateways: Vec<ServedGateway> = shared.collect();
    for (id, listens) in &listening.gateways {
        let Some(workload) = listens.workload.as_ref().filter(|_| gateways.iter().all(|it| it.id != *id)) else { continue };
        let mut gateway = ServedGateway { id: id.clone(), entrance: entrance(std::slice::from_ref(&workload.name)), listeners: Vec::new() };
        gateway.listen(listens, offset);
        gateways.push(gateway);
    }
    gateways
}

// === impl ServedGateway ===

impl ServedGateway {
    fn shared(shared: &SharedGateway, entrance: Option<Entrance>, listening: &Listening, offset: u16) -> Self {
        let mut gateway = Self { id: shared.id.clone(), entrance, listeners: Vec::new() };
        for (name, port, protocol) in [("http", shared.http, ListenerProtocol::Http), ("https", shared.https, ListenerProtocol::Https)] {
            gateway.add(SectionName::new(name.to_owned()), port, protocol, BTreeSet::new(), offset);
        }
        gateway.listeners.iter_mut().for_each(|it| it.for_ingresses = true);
        if let Some(listens) = listening.gateways.get(&shared.id) {
            gateway.listen(listens, offset);
        }
        gateway
    }

    fn listen(&mut self, listens: &translate::Listens, offset: u16) {
        for (number, port) in &listens.ports {
            match self.listeners.iter_mut().find(|it| it.port == *number) {
                Some(known) => known.owners.extend(port.owners.iter().cloned()),
                None => self.add(port.name.clone(), *number, port.protocol, port.owners.clone(), offset),
            }
        }
        self.listeners.sort_by_key(|it| it.port);
    }

    fn add(&mut self, name: SectionName, port: u16, protocol: ListenerProtocol, owners: BTreeSet<ObjectRef>, offset: u16) {
        let number = if port < PRIVILEGED { port.saturating_add(offset) } else { port };
        let (balanced, node) = self.entrance.as_ref().map(|it| it.sockets(number)).unwrap_or_default();
        self.listeners.push(ServedListener { name, protocol, port, number, owners, for_ingresses: false, balanced, node });
    }

    /// By its id, or the name in it.
    pub fn is_called(&self, name: &str) -> bool {
        let id = self.id.as_str();
        id == name || id.rsplit('/').next() == Some(name)
    }

    /// Whether a URL with this host is meant for it.
    pub fn has_address(&self, host: &str) -> bool {
        self.entrance.as_ref().is_some_and(|it| it.is_at(host))
    }

    pub fn address(&self) -> Option<&str> {
        self.entrance.as_ref().and_then(|it| it.address.as_deref())
    }

    /// Its listener at a port, as objects or as clients name it.
    pub fn listener(&self, protocol: ListenerProtocol, port: u16) -> Option<&ServedListener> {
        let of = || self.listeners.iter().filter(|it| it.protocol == protocol);
        let bound = |it: &&ServedListener| it.number == port || it.node.is_some_and(|node| node.port() == port);
        of().find(bound).or_else(|| of().find(|it| it.port == port))
    }

    /// The https listener that belongs to http ones.
    fn https(&self) -> Option<&ServedListener> {
        self.listeners.iter().find(|it| it.protocol == ListenerProtocol::Https)
    }

    /// The socket of an http or https listener that a port means, the LoadBalancer's where it means none.
    pub fn binding(&self, listener: &ServedListener, port: u16) -> Option<Binding> {
        let bindings = self.bindings(listener);
        bindings.iter().find(|it| it.address.port() == port).or(bindings.first()).copied()
    }

    pub fn bindings(&self, listener: &ServedListener) -> Vec<Binding> {
        let https = self.https().filter(|_| listener.protocol == ListenerProtocol::Http);
        let balanced = listener.balanced.map(|address| Binding { address, https_port: https.map(|it| it.number) });
        let twin = |it: &ServedListener| it.node.map(|it| it.port());
        let node = listener.node.map(|address| Binding { address, https_port: https.and_then(twin) });
        balanced.into_iter().chain(node).collect()
    }

    fn model(&self, replies: model::Replies) -> Gateway {
        let listener =
            |it: &ServedListener| Listener { name: it.name.clone(), protocol: it.protocol, port: it.port, bindings: self.bindings(it) };
        // Made where the gateway runs; here it only has to be there.
        let default = Certificate { origin: OWN.into(), chain: Vec::new(), key: Sealed::new(Vec::new()), names: Vec::new() };
        let listeners = self.listeners.iter().map(listener).collect();
        Gateway { id: self.id.clone(), listeners, default_certificate: Some(Arc::new(default)), replies, options: Arc::default() }
    }
}
