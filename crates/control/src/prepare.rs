//! Before the first listener: which addresses and ports the shared gateway had, and which it can have.

use crate::crew::Crew;
use crate::first::{First, MADE, Notes, first_objects};
use crate::gateways::{Gateways, Given, Machine, Shape, Taken, Wishes, asks};
use crate::keep::{Keeper, With, wanted};
use crate::provision;
use crate::services::{MANAGED_BY, MANAGER};
use crate::sockets::{self, Demand, SocketError};
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client};
use resources::{Name, SharedGateway};
use serde_json::{Value, json};
use status::{Kind, Target, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use translate::Listening;

/// The longest wait for the API.
const DEADLINE: Duration = Duration::from_secs(30);
/// On a namespace that is a project: whose.
const WORKSPACE: &str = "kubesphere.io/workspace";
/// Objects per page of a list.
const PAGE: u32 = 500;

#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("the API does not answer: {0}")]
    Api(#[from] kube::Error),
    #[error("{target} cannot be written: {source}")]
    Write { target: String, source: Box<status::WriteError> },
    #[error(
        "namespace {namespace} is a project of workspace {workspace}, whose people would have rights over all gateways; name another one"
    )]
    SomebodyS { namespace: String, workspace: String },
    #[error("the API does not answer within {} s", DEADLINE.as_secs())]
    Deadline,
}

/// What a start found.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    pub gateways: Gateways,
    /// Annotations of the shared gateway's own Service.
    pub(crate) notes: Notes,
    /// What it was told; `None`: no classes are to be made.
    pub(crate) first: Option<First>,
}

/// Reads the shared gateway's Services and finds sockets. On a first start it makes what the gateway is seen as, and the classes.
pub async fn prepare(client: &Client, machine: &Machine, shared: &SharedGateway, first: &First) -> Result<Prepared, PrepareError> {
    let prepared = async {
        let services = services(client, shared).await?;
        let own = shared.services.first().and_then(|name| Some((name, services.get(name)?)));
        let wishes = own.map(|(_, it)| Wishes::read(it)).unwrap_or_default();
        let asks = asks(shared, &Listening::default(), wishes);
        let given: Vec<Given> = shared.services.iter().filter_map(|name| services.get(name)).map(Given::read).collect();
        let given = BTreeMap::from([(shared.id.clone(), Given::of(&given))]);
        let reserved = reserved(shared, &services);
        let plans = match machine.shape {
            Shape::Pods(_) => provision::plan(machine, &asks, &given, (&Keeper::default(), &Crew::default())),
            Shape::Up | Shape::Cluster => sockets::find(machine, &asks, &given, &Gateways::default(), (Demand::Must, reserved))?,
        };
        let mut notes = first.notes.clone();
        notes.insert(MADE.to_owned(), first_objects(client, own.map(|it| it.1), first).await?);
        // One that is there is mended once it is known which ports objects want of it: nothing is written where nothing has changed.
        nobody_s(client, &shared.services).await?;
        if own.is_none() {
            make_namespaces(client, &shared.services).await?;
            let mut writes = wanted(With { machine, host: &first.host, notes: &notes }, &asks, &plans);
            // A Service that is there already is somebody else's; whether there are GatewayClasses is not known yet.
            writes.retain(|target, _| match target.kind {
                Kind::Service => !services.contains_key(&Name::new(&*target.namespace, &*target.name)),
                kind => kind != Kind::GatewayClass,
            });
            make(client, writes).await?;
        }
        Ok(Prepared { gateways: plans, notes, first: Some(first.clone()) })
    };
    tokio::time::timeout(DEADLINE, prepared).await.map_err(|_| PrepareError::Deadline)?
}

/// Our Services, those of gateways that are not asked for yet included, and whatever has the shared gateway's names.
async fn services(client: &Client, shared: &SharedGateway) -> Result<BTreeMap<Name, Value>, PrepareError> {
    let resource = Kind::Service.resource();
    let mut found = BTreeMap::new();
    let mut add = |object: &DynamicObject| {
        let object = serde_json::to_value(object).unwrap_or_default();
        found.extend(Name::of(&object, false).map(|name| (name, object)));
    };
    let all: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    let mut params = ListParams::default().labels(&format!("{MANAGED_BY}={MANAGER}")).limit(PAGE);
    loop {
        let list = all.list(&params).await?;
        list.items.iter().for_each(&mut add);
        match list.metadata.continue_.filter(|it| !it.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    for name in &shared.services {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &name.namespace, &resource);
        api.get_opt(&name.name).await?.iter().for_each(&mut add);
    }
    Ok(found)
}

/// What other gateways had: they will ask for it again. A Service of the shared gateway that it is no longer seen as takes nothing from it.
fn reserved(shared: &SharedGateway, services: &BTreeMap<Name, Value>) -> Taken {
    let mut taken = Taken::default();
    let of_another = |it: &Value| crate::services::gateway_of(it).is_some_and(|id| id != shared.id.as_str());
    let others = services.iter().filter(|(name, it)| !shared.services.contains(name) && of_another(it));
    for given in others.map(|it| Given::read(it.1)) {
        taken.addresses.extend(given.address);
        taken.node_ports.extend(given.node_ports());
    }
    taken
}

/// Whoever has rights in a project would have them over everybody's gateways.
async fn nobody_s(client: &Client, services: &[Name]) -> Result<(), PrepareError> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::Namespace.resource());
    let Some(namespace) = services.first().map(|it| &it.namespace) else { return Ok(()) };
    let workspace = api.get_opt(namespace).await?.and_then(|it| it.metadata.labels?.remove(WORKSPACE));
    match workspace {
        Some(workspace) => Err(PrepareError::SomebodyS { namespace: namespace.to_string(), workspace }),
        None => Ok(()),
    }
}

async fn make_namespaces(client: &Client, services: &[Name]) -> Result<(), PrepareError> {
    let names: BTreeSet<&str> = services.iter().map(|it| it.namespace.as_str()).collect();
    for name in names {
        write(client, Target::new(Kind::Namespace, "", name), Wish::Object(namespace(name))).await?;
    }
    Ok(())
}

/// All objects at once, then what they say.
async fn make(client: &Client, wanted: BTreeMap<Target, Vec<Wish>>) -> Result<(), PrepareError> {
    let all = wanted.into_iter().flat_map(|(target, wishes)| wishes.into_iter().map(move |wish| (target.clone(), wish)));
    let (objects, statuses): (Vec<_>, Vec<_>) = all.partition(|(_, wish)| matches!(wish, Wish::Object(_)));
    for writes in [objects, statuses] {
        let writes = writes.into_iter().map(|(target, wish)| write(client, target, wish));
        futures::future::try_join_all(writes).await?;
    }
    Ok(())
}

pub(crate) async fn write(client: &Client, target: Target, wish: Wish) -> Result<(), PrepareError> {
    status::write(client, &target, &wish)
        .await
        .map_err(|source| PrepareError::Write { target: target.to_string(), source: Box::new(source) })
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { MANAGED_BY: MANAGER } } })
}

#[cfg(test)]
mod tests;
