//! Where gateways are: generated hosts before there is a route, and whose the addresses of pools are.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Visit};
use crate::cluster;
use crate::path;
use crate::reply::{self, Refusal, Reply};
use crate::rights::Deed;
use crate::session::Session;
use crate::sign_in::Waiting;

const LARGEST: usize = 64 << 10;
const SERVICES: usize = 100;
/// Namespaces that are asked about for one answer.
const NAMESPACES: usize = 200;

/// Addresses: a port, filled by who gives them away.
pub trait Addresses: Send + Sync {
    /// The host that a route of `namespace` would be given for `service`; `gateway`: of that IngressGateway, else of the one that would serve it.
    fn host(&self, namespace: String, service: String, gateway: Option<(String, String)>) -> Waiting<'_, Result<Host, String>>;

    fn pools(&self) -> Waiting<'_, Result<Vec<Pool>, String>>;

    /// The gateways that serve a namespace, the nearest first; without one, all of them.
    fn serving(&self, namespace: Option<String>) -> Waiting<'_, Result<Vec<Serving>, String>>;
}

/// A gateway, as those need to know it whose routes it serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    /// What asks for it; `kubesphere-system/cluster`: nothing does.
    pub namespace: String,
    pub name: String,
    /// `Project`, `Workspace` or `Cluster`.
    pub scope: String,
    /// `NodePort`, `LoadBalancer` or `ClusterIP`.
    pub access: String,
    pub addresses: Vec<String>,
    pub nodes: Vec<String>,
    pub ports: Vec<Port>,
    pub tracing: bool,
    /// The IngressClass that names it.
    pub class: Option<String>,
    /// Nobody asked for it: what it is called here is the name of its Service.
    pub is_there_anyway: bool,
}

/// A port of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    /// As routes have it.
    pub port: u16,
    pub node_port: Option<u16>,
    /// Where its addresses answer.
    pub reached: u16,
}

/// A generated host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Empty: there is none.
    pub host: String,
    /// For example `{service}.{project}.{address}.nip.io`.
    pub template: String,
    pub address: Option<String>,
    /// Why there is none.
    pub why: Option<String>,
}

/// Addresses that may be given away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    pub name: String,
    pub ranges: Vec<String>,
    pub total: u64,
    pub owners: Vec<Owner>,
}

/// Who has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub address: String,
    pub namespace: String,
    pub name: String,
    pub kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    namespace: String,
    services: Vec<String>,
    gateway: Option<AskedGateway>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedGateway {
    #[serde(alias = "ns")]
    namespace: String,
    name: Option<String>,
}

/// `POST /console/generated-host`: for who may list the Ingresses of `namespace`, of a gateway that serves it.
pub(crate) async fn host(app: &App, visit: Visit<'_>, session: &Session) -> Result<Reply, Refusal> {
    let body = visit.body(LARGEST).await?;
    let bad = || Refusal::bad("BadRequest", r#"The body must be {"namespace", "services": […], "gateway": {"namespace", "name"}}."#);
    let asked: Asked = serde_json::from_slice(&body).map_err(|_| bad())?;
    let service = asked.services.first().filter(|_| asked.services.len() <= SERVICES).ok_or_else(bad)?.clone();
    let deed = Deed::new("list", "networking.k8s.io", "ingresses", &asked.namespace, "");
    app.rights.check(&app.relay, &session.account, &deed).await?;
    let gateway = asked.gateway.and_then(|it| Some((it.namespace, it.name?)));
    let Some(addresses) = &app.addresses else {
        return Ok(told(cluster::host(app, session, (&asked.namespace, &service), gateway).await?));
    };
    if let Some((namespace, name)) = &gateway {
        let serving = addresses.serving(Some(asked.namespace.clone())).await.map_err(|error| unknown(&error))?;
        if !serving.iter().any(|it| it.namespace == *namespace && it.name == *name) {
            return Err(Refusal::forbidden(format!("Gateway {namespace}/{name} does not serve namespace {}.", asked.namespace)));
        }
    }
    Ok(told(addresses.host(asked.namespace, service, gateway).await.map_err(|error| unknown(&error))?))
}

fn told(host: Host) -> Reply {
    let mut told = json!({ "host": host.host, "template": host.template, "address": host.address });
    if let Some(why) = host.why {
        told["why"] = why.into();
    }
    reply::json(StatusCode::OK, &told)
}

/// `GET /console/gateways`: for who may list the Ingresses of `namespace`; without it, all IngressGateways.
pub(crate) async fn serving(app: &App, visit: &Visit<'_>, session: &Session) -> Result<Reply, Refusal> {
    let namespace = path::query(visit.head.uri.query(), "namespace").filter(|it| !it.is_empty());
    let deed = match &namespace {
        Some(namespace) => Deed::new("list", "networking.k8s.io", "ingresses", namespace, ""),
        None => Deed::new("list", "paifang.dev", "ingressgateways", "", ""),
    };
    app.rights.check(&app.relay, &session.account, &deed).await?;
    let Some(addresses) = &app.addresses else { return cluster::serving(app, session, namespace.as_deref()).await };
    let all = addresses.serving(namespace).await.map_err(|error| unknown(&error))?;
    Ok(reply::json(StatusCode::OK, &all.iter().map(Serving::json).collect::<Vec<_>>().into()))
}

/// `GET /console/pools`.
pub(crate) async fn pools(app: &App, session: &Session) -> Result<Reply, Refusal> {
    let addresses = app.addresses.as_ref().ok_or_else(|| Refusal::unavailable("No addresses are given away beside this console."))?;
    let pools = addresses.pools().await.map_err(|error| unknown(&error))?;
    let namespaces: BTreeSet<&str> = pools.iter().flat_map(|pool| &pool.owners).map(|owner| owner.namespace.as_str()).collect();
    let listing = |namespace: &str| Deed::new("list", "", "services", namespace, "");
    let all = app.rights.allow(&app.relay, &session.account, &listing("")).await?;
    let mut seen: BTreeMap<&str, bool> = BTreeMap::new();
    for namespace in namespaces.into_iter().take(NAMESPACES) {
        let may = all || app.rights.allow(&app.relay, &session.account, &listing(namespace)).await?;
        seen.insert(namespace, may);
    }
    let shown: Vec<Value> = pools.iter().map(|pool| pool.json(|namespace| all || seen.get(namespace) == Some(&true))).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "pools": shown })))
}

fn unknown(error: &str) -> Refusal {
    tracing::warn!(error, "the console cannot find out where gateways are");
    Refusal::unreachable()
}

// === impl Serving ===

impl Serving {
    pub(crate) fn json(&self) -> Value {
        let port = |it: &Port| {
            let mut shown = json!({ "name": it.name, "port": it.port, "reachedAt": it.reached });
            if let Some(node_port) = it.node_port {
                shown["nodePort"] = node_port.into();
            }
            shown
        };
        let mut shown = json!({
            "namespace": self.namespace, "name": self.name, "scope": self.scope, "type": self.access, "addresses": self.addresses,
            "nodes": self.nodes, "ports": self.ports.iter().map(port).collect::<Vec<_>>(), "tracing": self.tracing,
        });
        if let Some(class) = &self.class {
            shown["className"] = class.clone().into();
        }
        shown
    }
}

// === impl Pool ===

impl Pool {
    /// Addresses of others are counted, and not shown.
    fn json(&self, may_see: impl Fn(&str) -> bool) -> Value {
        let used: BTreeSet<&str> = self.owners.iter().map(|owner| owner.address.as_str()).collect();
        let owners: Vec<Value> = self
            .owners
            .iter()
            .filter(|owner| may_see(&owner.namespace))
            .map(|owner| json!({ "address": owner.address, "namespace": owner.namespace, "name": owner.name, "kind": owner.kind }))
            .collect();
        json!({ "name": self.name, "ranges": self.ranges, "total": self.total, "used": used.len(), "owners": owners })
    }
}
