//! Gateways that run in pods of a cluster: which pods those are, and what they are asked.
//!
//! ```text
//! who may get the IngressGateway ─► Service that control made for it ─► its pods ─┬─► log
//!                                                                                 ├─► port of the pod's own address: what it has counted
//!                                                                                 └─► port where it listens: a request that is tried
//! ```
//!
//! It is done with the console's own account: people of a project have no right to pods that serve others, too.
//!
//! **Invariant:** whose pods are asked is said by what control has written onto the gateway's Service in the gateways' own namespace, never by
//! an object that somebody can write who has asked for a gateway or may write its status.
//! **Invariant:** with that account nothing is asked but the Services and pods of that namespace, their logs and their ports.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use http::StatusCode;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Client;
use kube::api::{Api, ListParams};
use model::GatewayId;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::reply::Refusal;
mod asked;
mod forward;
pub(crate) mod log;
pub(crate) mod merged;

pub(crate) use forward::{Forward, Untold};

/// Of the gateway for everybody, which is there whoever asks.
pub(crate) const PLATFORM: &str = "kubesphere-system";
pub(crate) const CLUSTER: &str = "cluster";
/// As control marks what it makes for gateways.
const OURS: &str = "app.kubernetes.io/managed-by=paifang,app.kubernetes.io/component=gateway";
/// Pods of that kind are only seen: a gateway that runs in the process of control has one.
const SEEN: &str = "paifang.dev/read-only";
const INSTANCE: &str = "app.kubernetes.io/instance";
const GATEWAY: &str = "paifang.dev/gateway";
const REQUESTED_BY: &str = "paifang.dev/requested-by";
const TYPE: &str = "kubesphere.io/gateway-type";
/// Pods of a gateway that are asked.
pub(crate) const MOST: usize = 16;
/// Until the API has said which there are.
const PATIENCE: Duration = Duration::from_secs(10);
/// Logs of pods that are read at a time, for everybody.
const LOGS: usize = 256;
/// Ports of pods that are open at a time, for everybody.
const FORWARDS: usize = 32;
/// Pods of one gateway that are asked at a time.
const AT_ONCE: usize = 8;
/// What gives the console the rights that are needed here.
const GIVES: &str = "kubectl apply -f deploy/kubernetes/console-gateways.yaml";

/// The pods of a cluster, as far as they are gateways.
#[derive(Clone)]
pub(crate) struct Pods {
    client: Client,
    /// Where all of them are.
    namespace: String,
    forwards: Arc<Semaphore>,
    logs: Arc<Semaphore>,
}

/// A gateway that runs there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: GatewayId,
    /// As control made it.
    pub(crate) service: Value,
    /// The Service of the gateway for everybody: it says how gateways are named.
    pub(crate) everybody: Option<Value>,
    pub(crate) members: Vec<Member>,
    /// Those that are too many to be asked.
    pub(crate) left_out: usize,
}

/// One of its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) is_ready: bool,
}

/// What pods have answered.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) answers: Vec<Value>,
    pub(crate) missing: Missing,
}

/// What is not in an answer, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Pods that were asked.
    pub(crate) asked: usize,
    /// Those that did not answer, and why.
    pub(crate) silent: Vec<(String, String)>,
    /// Those that were not asked, because there are too many.
    pub(crate) left_out: usize,
}

// === impl Pods ===

impl Pods {
    pub(crate) fn new(client: Client, namespace: String) -> Self {
        Self { client, namespace, forwards: Arc::new(Semaphore::new(FORWARDS)), logs: Arc::new(Semaphore::new(LOGS)) }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The Services of all gateways there.
    ///
    /// # Errors
    /// Where the console has no right to them, or the API does not answer.
    pub(crate) async fn services(&self) -> Result<Vec<Value>, Refusal> {
        let services = Api::<Service>::namespaced(self.client.clone(), &self.namespace);
        let wanted = ListParams::default().labels(OURS);
        let listed = tokio::time::timeout(PATIENCE, services.list(&wanted)).await.map_err(|_| Refusal::late())?;
        let listed = listed.map_err(|error| self.refused(&error))?;
        Ok(listed.items.iter().filter_map(|it| serde_json::to_value(it).ok()).collect())
    }

    /// The gateway of an IngressGateway; `None`: control has made none for it.
    ///
    /// # Errors
    /// As [`Self::services`].
    pub(crate) async fn find(&self, namespace: &str, name: &str) -> Result<Option<Found>, Refusal> {
        let services = self.services().await?;
        let Some(service) = of_request(&services, namespace, name) else { return Ok(None) };
        let (members, left_out) = self.members(service).await?;
        let everybody = of_everybody(&services).cloned();
        Ok(Some(Found { id: id(service), service: service.clone(), everybody, members, left_out }))
    }

    /// The pods that a gateway's Service is of, and how many there are more; those that are ready first.
    pub(crate) async fn members(&self, service: &Value) -> Result<(Vec<Member>, usize), Refusal> {
        let instance = service["metadata"]["labels"][INSTANCE].as_str().unwrap_or_default();
        let pods = Api::<Pod>::namespaced(self.client.clone(), &self.namespace);
        let wanted = ListParams::default().labels(&format!("{OURS},{INSTANCE}={instance},!{SEEN}"));
        let listed = match tokio::time::timeout(PATIENCE, pods.list(&wanted)).await.map_err(|_| Refusal::late())? {
            Ok(listed) => listed,
            // An API that knows no pods has none.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok((Vec::new(), 0)),
            Err(error) => return Err(self.refused(&error)),
        };
        let mut members: Vec<Member> = listed.items.iter().filter_map(Member::of).collect();
        members.sort_by(|a, b| (!a.is_ready, &a.name).cmp(&(!b.is_ready, &b.name)));
        let left_out = members.len().saturating_sub(MOST);
        members.truncate(MOST);
        Ok((members, left_out))
    }

    /// Asks every pod that is ready the same.
    ///
    /// # Errors
    /// Where the console has no right to, or not one of them answers.
    pub(crate) async fn ask(&self, found: &Found, target: &str) -> Result<Heard, Refusal> {
        let ready: Vec<&Member> = found.members.iter().filter(|it| it.is_ready).collect();
        let mut heard =
            Heard { answers: Vec::new(), missing: Missing { asked: ready.len(), left_out: found.left_out, ..Missing::default() } };
        let ask = |it: &'_ Member| {
            let name = it.name.clone();
            async move { (name.clone(), self.ask_one(&name, target).await) }.boxed()
        };
        let asked: Vec<BoxFuture<'_, _>> = ready.into_iter().map(ask).collect();
        let all: Vec<_> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
        for (name, told) in all {
            match told {
                Ok(answer) => heard.answers.push(answer),
                Err(untold) => heard.missing.silent.push((name, untold.why().ok_or_else(|| self.forbidden())?)),
            }
        }
        match heard.missing.silent.first() {
            Some((name, why)) if heard.answers.is_empty() => {
                Err(Refusal::silent(format!("No pod of this gateway answers; {name}: {why}.")))
            }
            _ => Ok(heard),
        }
    }

    fn refused(&self, error: &kube::Error) -> Refusal {
        match error {
            kube::Error::Api(status) if status.code == 403 => self.forbidden(),
            _ => {
                tracing::debug!(%error, "the API does not tell the console of gateways' pods");
                Refusal::unreachable()
            }
        }
    }

    /// That the console's own account has no right to this.
    pub(crate) fn forbidden(&self) -> Refusal {
        let message =
            format!("The gateways of this cluster run in pods in {}, and the console's own account may not look at those.", self.namespace);
        Refusal::new(StatusCode::NOT_IMPLEMENTED, "MayNotLook", message).with_command(GIVES)
    }
}

/// The Service of the gateway that an IngressGateway asks for; all that is asked for in the platform's own namespace is the one for everybody.
pub(crate) fn of_request<'a>(services: &'a [Value], namespace: &str, name: &str) -> Option<&'a Value> {
    let wanted = format!("IngressGateway/{namespace}/{name}");
    let asked = services.iter().find(|it| text(it, REQUESTED_BY) == wanted);
    asked.or_else(|| of_everybody(services).filter(|_| namespace == PLATFORM))
}

/// The Service of the gateway that was asked for in a namespace.
pub(crate) fn of_namespace<'a>(services: &'a [Value], namespace: &str) -> Option<&'a Value> {
    let wanted = format!("IngressGateway/{namespace}/");
    services.iter().find(|it| text(it, REQUESTED_BY).starts_with(&wanted))
}

/// The Service of the gateway that is there whoever asks.
pub(crate) fn of_everybody(services: &[Value]) -> Option<&Value> {
    services.iter().find(|it| it["metadata"]["labels"][TYPE] == "cluster")
}

/// The id of the gateway that a Service is of.
pub(crate) fn id(service: &Value) -> GatewayId {
    GatewayId::new(text(service, GATEWAY))
}

fn text<'a>(service: &'a Value, annotation: &str) -> &'a str {
    service["metadata"]["annotations"][annotation].as_str().unwrap_or_default()
}

// === impl Found ===

impl Found {
    /// Where it listens: names of its ports, as clients have their numbers, and as pods have them.
    pub(crate) fn ports(&self) -> Vec<(String, u16, u16)> {
        let number = |it: &Value| it.as_u64().and_then(|it| u16::try_from(it).ok()).filter(|it| *it > 0);
        let mut ports = Vec::new();
        for port in self.service["spec"]["ports"].as_array().into_iter().flatten().filter(|it| it["protocol"] != "UDP") {
            let name = port["name"].as_str().unwrap_or_default();
            let Some(target) = number(&port["targetPort"]).filter(|it| *it != forward::ADMIN) else { continue };
            ports.extend([&port["port"], &port["nodePort"]].into_iter().filter_map(number).map(|it| (name.to_owned(), it, target)));
        }
        ports
    }

    /// Where clients connect to it: what control, and whoever gives addresses away, have written onto its Service; and of the IngressGateway's
    /// status what stands there where its owner names no addresses of their own. That status is written by control, and by who has been given a
    /// right to `ingressgateways/status`: they could have the console try to connect to an address that is no gateway's. It never sends anything,
    /// and neither connects to itself nor to what is near it.
    pub(crate) fn addresses(&self, request: &Value) -> BTreeSet<IpAddr> {
        let spec = &self.service["spec"];
        let list = |it: &Value| it.as_array().cloned().unwrap_or_default();
        let mut said: Vec<Value> = list(&spec["clusterIPs"]);
        said.extend(list(&self.service["status"]["loadBalancer"]["ingress"]).iter().map(|it| it["ip"].clone()));
        said.extend(list(&spec["externalIPs"]));
        said.extend(["paifang.dev/address", "paifang.dev/node-address"].map(|it| text(&self.service, it).into()));
        if list(&request["spec"]["access"]["publicAddresses"]).is_empty() {
            said.extend(list(&request["status"]["addresses"]).iter().map(|it| it["value"].clone()));
        }
        let is_near = |it: &IpAddr| match it.to_canonical() {
            IpAddr::V4(it) => it.is_loopback() || it.is_unspecified() || it.is_link_local() || it.is_multicast() || it.is_broadcast(),
            IpAddr::V6(it) => it.is_loopback() || it.is_unspecified() || it.is_unicast_link_local() || it.is_multicast(),
        };
        said.iter().filter_map(|it| it.as_str()?.parse().ok()).filter(|it| !is_near(it)).collect()
    }
}

// === impl Member ===

impl Member {
    /// `None`: it has ended, or is about to.
    fn of(pod: &Pod) -> Option<Self> {
        let status = pod.status.as_ref()?;
        let ended = pod.metadata.deletion_timestamp.is_some() || status.phase.as_deref() != Some("Running");
        let conditions = status.conditions.iter().flatten();
        let is_ready = conditions.into_iter().any(|it| it.type_ == "Ready" && it.status == "True");
        Some(Self { name: pod.metadata.name.clone()?, is_ready }).filter(|_| !ended)
    }
}

// === impl Missing ===

impl Missing {
    pub(crate) fn is_nothing(&self) -> bool {
        self.silent.is_empty() && self.left_out == 0
    }

    pub(crate) fn json(&self) -> Value {
        let silent: Vec<Value> = self.silent.iter().map(|(pod, why)| json!({ "pod": pod, "why": why })).collect();
        json!({ "asked": self.asked, "silent": silent, "leftOut": self.left_out })
    }
}

#[cfg(test)]
mod tests;
