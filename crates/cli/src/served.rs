//! What a gateway would serve of these objects: the same translation, the same matching as the real one.

use crate::objects::Gathered;
use control::Plan;
use model::{BackendId, Egress, Endpoint, Gateway, GatewayId, Shard, ShardKey, Update};
use resources::{Problem, Resources};
use route::Snapshot;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use translate::{ClusterIps, Options, Others};

/// Where objects were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Api,
    /// Only some objects are at hand.
    Files,
}

pub(crate) struct Served {
    pub id: GatewayId,
    /// The gateway's own Service, if it is among the objects.
    pub plan: Option<Plan>,
    pub gateway: Arc<Gateway>,
    pub shards: BTreeMap<ShardKey, Shard>,
    pub endpoints: BTreeMap<BackendId, Vec<Endpoint>>,
    pub problems: BTreeMap<model::ObjectRef, BTreeSet<Problem>>,
    pub snapshot: Snapshot,
}

pub(crate) fn options(from: Reach) -> Options {
    let mut options = Options::new(GatewayId::new(control::GATEWAY_ID.to_owned()));
    options.ingress.cluster_ips = ClusterIps::NotRouted;
    options.ingress.classes.others = match from {
        Reach::Api => Others::default(),
        Reach::Files => Others::NotAtHand,
    };
    options
}

impl Served {
    pub fn new(Gathered { objects, from, api }: &Gathered) -> Self {
        let (mut options, from) = (options(*from), *from);
        options.egress = Egress::new(api.iter().copied().collect());
        let mut all: Vec<Value> = objects.clone();
        all.extend(annotated(objects, from));
        let mut resources = Resources::of(&all);
        resolve(&mut resources);
        let translation = translate::translate(&resources, &options);
        let plan = objects.iter().find(|it| is_gateway(it)).and_then(Plan::read);
        let gateway = Arc::new(control::gateway(&options.gateways[0].id, plan.as_ref()));
        let mut endpoints = BTreeMap::new();
        let backends = translation.shards.values().flat_map(|it| &it.host.routes).flat_map(|it| it.backends());
        for id in backends.map(|it| &it.id).collect::<BTreeSet<_>>() {
            endpoints.insert(id.clone(), translate::endpoints(&resources, &options, id).0);
        }
        let update = Update {
            endpoints: endpoints.iter().map(|(id, it)| (id.clone(), Some(it.clone().into()))).collect(),
            gateways: vec![(options.gateways[0].id.clone(), Some(gateway.clone()))],
            shards: translation.shards.iter().map(|(key, it)| (key.clone(), Some(it.clone()))).collect(),
            ..Update::default()
        };
        let (snapshot, _) = Snapshot::empty().apply(&update);
        let mut problems: BTreeMap<model::ObjectRef, BTreeSet<Problem>> =
            translation.reports.all().into_iter().map(|it| (it.object, it.problems)).collect();
        for ingress in resources.ingresses() {
            let object = resources::Object::Ingress(ingress.clone());
            problems.entry(object.object_ref()).or_default().extend(object.problems().iter().cloned());
        }
        problems.retain(|_, it| !it.is_empty());
        let id = options.gateways[0].id.clone();
        Self { id, plan, gateway, shards: translation.shards, endpoints, problems, snapshot }
    }
}

/// In files nobody has made the slices of annotated Services yet.
fn annotated(objects: &[Value], from: Reach) -> Vec<Value> {
    if from == Reach::Api {
        return Vec::new();
    }
    let resources = Resources::of(objects);
    resources.services().flat_map(|it| translate::endpoint_slices(it).0).collect()
}

/// Looks external names up, as the gateway does.
fn resolve(resources: &mut Resources) {
    let names: Vec<model::Text> = resources.external_names().cloned().collect();
    for name in names {
        let found = (name.as_str(), 0).to_socket_addrs().map(|it| it.map(|it| it.ip()).collect::<BTreeSet<_>>()).unwrap_or_default();
        resources.apply(resources::Change::Resolved { name, addresses: found.into_iter().collect() });
    }
}

fn is_gateway(object: &Value) -> bool {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    text("/kind") == "Service"
        && text("/metadata/name") == control::GATEWAY_NAME
        && text("/metadata/namespace") == control::GATEWAY_NAMESPACE
}
