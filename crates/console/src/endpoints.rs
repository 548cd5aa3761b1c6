//! How the endpoints behind a route fare, as the gateway that sends requests to them sees it.
//!
//! **Invariant:** nobody is told of the endpoints of a route that they may not get, whatever gateway it is on.

use http::StatusCode;
use model::ObjectRef;
use serde_json::{Value, json};

use crate::app::{App, Visit};
use crate::certificate::is_name;
use crate::gateways::Place;
use crate::path;
use crate::pods::merged;
use crate::reply::{self, Refusal, Reply};
use crate::rights::Deed;
use crate::session::Session;

/// A backend of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// `namespace/service:port`
    pub id: String,
    /// Open to its endpoints, together.
    pub connections: u32,
    /// Those that are ready, which are those that requests are sent to.
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: String,
    /// Requests under way; `None`: they are not counted, because nothing depends on it.
    pub in_flight: Option<u32>,
    /// Why the last connection could not be made: `Refused`, `Silent`, `Unreachable` or `Forbidden`.
    pub trouble: Option<String>,
}

/// What has endpoints: its kind, and what it is called where rights are given.
const KINDS: [(&str, &str, &str); 4] = [
    ("Ingress", "networking.k8s.io", "ingresses"),
    ("HTTPRoute", "gateway.networking.k8s.io", "httproutes"),
    ("TLSRoute", "gateway.networking.k8s.io", "tlsroutes"),
    ("VirtualService", "networking.istio.io", "virtualservices"),
];

/// `GET …/endpoints?route=NAMESPACE/NAME`, with `kind` where it is no Ingress.
pub(crate) async fn answer(app: &App, visit: &Visit<'_>, place: &Place, session: &Session) -> Result<Reply, Refusal> {
    let query = |name: &str| path::query(visit.head.uri.query(), name).filter(|it| !it.is_empty());
    let bad = || Refusal::bad("BadRequest", "A route is asked for as ?route=NAMESPACE/NAME, one that is no Ingress with &kind=.");
    let asked = query("route").ok_or_else(bad)?;
    let (namespace, name) = asked.split_once('/').filter(|(namespace, name)| is_name(namespace) && is_name(name)).ok_or_else(bad)?;
    let wanted = query("kind").unwrap_or_else(|| KINDS[0].0.to_owned());
    let (kind, group, resource) = KINDS.into_iter().find(|(kind, ..)| *kind == wanted).ok_or_else(bad)?;
    app.rights.check(&app.relay, &session.account, &Deed::new("get", group, resource, namespace, name)).await?;
    let (backends, missing) = match place {
        Place::Here(gateways, id) => {
            let backends = gateways.backends(id, &ObjectRef::new(kind, namespace, name));
            (backends.ok_or_else(|| Refusal::unavailable("How endpoints fare is not known beside this console."))?, None)
        }
        Place::Pods(pods, found) => {
            let target = format!("/endpoints?gateway={}&kind={kind}&namespace={namespace}&name={name}", found.id);
            let heard = pods.ask(found, &target).await?;
            (merged::backends(&heard.answers), Some(heard.missing))
        }
    };
    let mut told = json!({ "backends": backends.iter().map(Backend::json).collect::<Vec<_>>() });
    if let Some(missing) = missing {
        told["pods"] = missing.json();
    }
    Ok(reply::json(StatusCode::OK, &told))
}

// === impl Backend ===

impl Backend {
    fn json(&self) -> Value {
        let endpoint = |it: &Endpoint| {
            let state = if it.trouble.is_some() { "Failing" } else { "Serving" };
            json!({ "address": it.address, "state": state, "inFlight": it.in_flight, "trouble": it.trouble })
        };
        json!({
            "backend": self.id, "connections": self.connections, "endpoints": self.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        })
    }
}
