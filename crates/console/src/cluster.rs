//! Gateways where none runs beside this console: what their objects say, as far as who is signed in may read them; the pods that they run in;
//! and where to ask for the rest.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::{Method, StatusCode};
use model::GatewayId;
use serde_json::{Value, json};

use crate::addresses::{Host, Serving};
use crate::app::App;
use crate::certificate::is_name;
use crate::gateways::Place;
use crate::gathered::Gathered;
use crate::pods::{self, CLUSTER, PLATFORM};
use crate::reply::{self, Refusal, Reply};
use crate::router::Action;
use crate::session::Session;
use crate::sign_in::Waiting;
use crate::trial::Question;

const API: &str = "/apis/paifang.dev/v1alpha1";
/// On a namespace: whose workspace it is in, whose gateway is asked for in `workspace-…`.
const WORKSPACE: &str = "kubesphere.io/workspace";
/// Where gateways' pods are, unless control was told otherwise.
const PODS: &str = "kubesphere-controls-system";
/// The port at which a pod says what it counts.
const ADMIN: u16 = 19_090;

/// What objects say of gateways: a port, filled by who knows their kinds.
pub trait Shows: Send + Sync {
    /// The gateways of these IngressGateways that serve a namespace, the nearest first; without one, all of them.
    fn serving(&self, namespace: Option<&str>, workspace: Option<&str>, objects: &[Value]) -> Vec<Serving>;

    /// The kinds of objects that routes are made of.
    fn kinds(&self) -> Vec<Listed>;

    /// What becomes of a request at a gateway. It takes a while.
    ///
    /// # Errors
    /// Where the question cannot be read.
    fn explain(&self, gathered: &Gathered, gateway: &GatewayId, question: &Question) -> Result<Value, String>;

    /// Where the way to a URL breaks, hop by hop; nothing is connected to but these addresses, which are the gateway's.
    fn check(&self, gathered: Gathered, at: (GatewayId, BTreeSet<IpAddr>), url: String) -> Waiting<'_, Result<Vec<Value>, String>>;

    /// The host that a route of a project would be given for a Service on the gateway whose own Service this is. `alone`: the gateway serves but
    /// this project.
    fn host(&self, gateway: (&Value, &GatewayId), alone: bool, route: (&str, &str)) -> Host;
}

/// A kind of objects, as the API lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    pub kind: &'static str,
    /// The first that the API has is read.
    pub versions: &'static [&'static str],
    pub plural: &'static str,
    pub is_namespaced: bool,
}

/// `GET /console/gateways`, of what the user themselves may read.
pub(crate) async fn serving(app: &App, session: &Session, namespace: Option<&str>) -> Result<Reply, Refusal> {
    let shows = app.shows.as_ref().ok_or_else(|| Refusal::unavailable("No gateway runs beside this console."))?;
    // Who may not list a kind is told that before they are told that there is none; which kinds there are is told to everybody.
    if let (404, _) = app.relay.ask(&session.account, Method::GET, API, None).await? {
        return Err(none());
    }
    let mut objects = Vec::new();
    objects.extend(shared(app).await?);
    let Some(own) = namespace else {
        objects.extend(list(app, session, &format!("{API}/ingressgateways")).await?);
        return Ok(told(shows.serving(None, None, &objects)));
    };
    if !is_name(own) {
        return Err(Refusal::bad("BadRequest", "This is no name of a namespace."));
    }
    objects.extend(list(app, session, &format!("{API}/namespaces/{own}/ingressgateways")).await?);
    let workspace = workspace(app, session, own).await;
    let workspace = workspace.as_deref();
    let homes = workspace.map(|it| format!("workspace-{it}")).into_iter().chain([PLATFORM.to_owned()]);
    for home in homes.filter(|it| it != own) {
        objects.extend(list(app, session, &format!("{API}/namespaces/{home}/ingressgateways")).await?);
    }
    Ok(told(shows.serving(namespace, workspace, &objects)))
}

/// The Service of the gateway for everybody: where nobody has asked for that, no other object says how it is reached. It is told to whoever is told
/// of any gateway; who uses it finds it in the status of their own routes. Without the right to it, it is not shown.
async fn shared(app: &App) -> Result<Option<Value>, Refusal> {
    let Some(pods) = &app.pods else { return Ok(None) };
    match pods.services().await {
        Ok(services) => Ok(pods::of_everybody(&services).cloned()),
        Err(refusal) if refusal.status == StatusCode::NOT_IMPLEMENTED => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// The workspace of a project, as who is signed in may know it.
async fn workspace(app: &App, session: &Session, namespace: &str) -> Option<String> {
    let project = app.relay.read(&session.account, &format!("/api/v1/namespaces/{namespace}")).await.unwrap_or_default();
    project["metadata"]["labels"][WORKSPACE].as_str().filter(|it| is_name(it)).map(str::to_owned)
}

/// The host that a route of `namespace` would be given for `service`; `gateway`: of that IngressGateway, else of the nearest that serves it.
pub(crate) async fn host(
    app: &App,
    session: &Session,
    (namespace, service): (&str, &str),
    gateway: Option<(String, String)>,
) -> Result<Host, Refusal> {
    let (Some(pods), Some(shows)) = (&app.pods, &app.shows) else {
        return Err(Refusal::unavailable("Hosts are not generated beside this console."));
    };
    if !is_name(namespace) {
        return Err(Refusal::bad("BadRequest", "This is no name of a namespace."));
    }
    let services = pods.services().await?;
    let home = workspace(app, session, namespace).await.map(|it| format!("workspace-{it}"));
    let found = match &gateway {
        None => {
            let asked = [Some(namespace), home.as_deref()].into_iter().flatten();
            asked
                .filter_map(|it| Some((it, pods::of_namespace(&services, it)?)))
                .next()
                .or_else(|| Some((PLATFORM, pods::of_everybody(&services)?)))
        }
        Some((of, name)) if of == namespace || of == PLATFORM || Some(of) == home.as_ref() => {
            pods::of_request(&services, of, name).map(|it| (of.as_str(), it))
        }
        Some((of, name)) => return Err(Refusal::forbidden(format!("Gateway {of}/{name} does not serve namespace {namespace}."))),
    };
    Ok(match found {
        Some((of, own)) => shows.host((own, &pods::id(own)), of == namespace, (namespace, service)),
        None => Host { why: Some("No gateway serves this project.".to_owned()), ..Host::default() },
    })
}

/// The gateway that a path names, in its pods.
///
/// # Errors
/// Where there is none, it runs in no pods, or the console may not look at them.
pub(crate) async fn find(app: &App, session: &Session, action: Action, names: &[String]) -> Result<Place, Refusal> {
    let ([namespace, name, ..], Some(pods)) = (names, &app.pods) else { return Err(refused(app, session, action, names).await) };
    match pods.find(namespace, name).await? {
        Some(found) if !found.members.is_empty() => Ok(Place::Pods(pods.clone(), Box::new(found))),
        _ => Err(refused(app, session, action, names).await),
    }
}

/// Why what is no object is not answered here, and how it is found out. Of an IngressGateway that the user may get.
async fn refused(app: &App, session: &Session, action: Action, names: &[String]) -> Refusal {
    let [namespace, name, ..] = names else { return Refusal::not_found("There is no such gateway.") };
    if !is_name(namespace) || !is_name(name) {
        return Refusal::not_found("There is no such gateway.");
    }
    let path = request(namespace, name);
    let found = match app.relay.ask(&session.account, Method::GET, &path, None).await {
        Ok((200, found)) => found,
        Ok((404, said)) if said["kind"] == "Status" => return Refusal::not_found(format!("There is no gateway {namespace}/{name}.")),
        Ok((404, _)) => return none(),
        Ok(_) => return Refusal::unreachable(),
        Err(refusal) => return refusal,
    };
    let of = app.pods.as_ref().map_or(PODS, |it| it.namespace());
    let pod = found["status"]["pods"][0]["name"].as_str().filter(|it| is_name(it)).unwrap_or("POD");
    let (what, command) = match action {
        Action::Metrics | Action::Endpoints => {
            ("counts is asked", format!("kubectl get --raw /api/v1/namespaces/{of}/pods/{pod}:{ADMIN}/proxy/metrics"))
        }
        Action::Logs => ("logs is asked", format!("kubectl logs -n {of} {pod} --follow")),
        Action::Try | Action::Check => ("does with a request is tried", "paifang explain URL".to_owned()),
        _ => ("does is asked", format!("kubectl get ingressgateways.paifang.dev -n {namespace} {name} -o yaml")),
    };
    Refusal::unavailable(format!("No pod of this gateway runs that this console could ask; what it {what} where it runs."))
        .with_command(command)
}

/// Where the API has an IngressGateway.
pub(crate) fn request(namespace: &str, name: &str) -> String {
    format!("{API}/namespaces/{namespace}/ingressgateways/{name}")
}

/// None of our kinds is known to the API.
fn none() -> Refusal {
    Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        "NoGateways",
        "Paifang's kinds are not installed in this cluster, so none of its gateways runs here.",
    )
    .with_command("paifang crds | kubectl apply --server-side -f -")
}

/// What the user may not list is not there for them.
async fn list(app: &App, session: &Session, path: &str) -> Result<Vec<Value>, Refusal> {
    let (code, mut said) = app.relay.ask(&session.account, Method::GET, path, None).await?;
    match code {
        200 => Ok(said["items"].as_array_mut().map(std::mem::take).unwrap_or_default().into_iter().map(whole).collect()),
        403 => Ok(Vec::new()),
        _ => Err(Refusal::unreachable()),
    }
}

/// In a list they do not say what they are.
fn whole(mut object: Value) -> Value {
    object["apiVersion"] = "paifang.dev/v1alpha1".into();
    object["kind"] = "IngressGateway".into();
    object
}

/// As the gateway for everybody is called where nobody has asked for it.
fn told(mut all: Vec<Serving>) -> Reply {
    for it in all.iter_mut().filter(|it| it.is_there_anyway) {
        (it.namespace, it.name) = (PLATFORM.to_owned(), CLUSTER.to_owned());
    }
    reply::json(StatusCode::OK, &json!(all.iter().map(Serving::json).collect::<Vec<_>>()))
}
