//! Gateways where none runs beside this console: what their objects say, as far as who is signed in may read them, and where to ask for the rest.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::addresses::Serving;
use crate::app::App;
use crate::certificate::is_name;
use crate::reply::{self, Refusal, Reply};
use crate::router::Action;
use crate::session::Session;

const API: &str = "/apis/paifang.dev/v1alpha1";
/// Where the gateway for everybody is asked for.
const PLATFORM: &str = "kubesphere-system";
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
}

/// `GET /console/gateways`, of what the user themselves may read.
pub(crate) async fn serving(app: &App, session: &Session, namespace: Option<&str>) -> Result<Reply, Refusal> {
    let shows = app.shows.as_ref().ok_or_else(|| Refusal::unavailable("No gateway runs beside this console."))?;
    // Who may not list a kind is told that before they are told that there is none; which kinds there are is told to everybody.
    if let (404, _) = app.relay.ask(&session.account, Method::GET, API, None).await? {
        return Err(none());
    }
    let mut objects = Vec::new();
    let Some(own) = namespace else {
        objects.extend(list(app, session, &format!("{API}/ingressgateways")).await?);
        return Ok(told(&shows.serving(None, None, &objects)));
    };
    if !is_name(own) {
        return Err(Refusal::bad("BadRequest", "This is no name of a namespace."));
    }
    objects.extend(list(app, session, &format!("{API}/namespaces/{own}/ingressgateways")).await?);
    let project = app.relay.read(&session.account, &format!("/api/v1/namespaces/{own}")).await.unwrap_or_default();
    let workspace = project["metadata"]["labels"][WORKSPACE].as_str().filter(|it| is_name(it));
    let homes = workspace.map(|it| format!("workspace-{it}")).into_iter().chain([PLATFORM.to_owned()]);
    for home in homes.filter(|it| it != own) {
        objects.extend(list(app, session, &format!("{API}/namespaces/{home}/ingressgateways")).await?);
    }
    Ok(told(&shows.serving(namespace, workspace, &objects)))
}

/// Why what is no object is not answered here, and how it is found out. Of an IngressGateway that the user may get.
pub(crate) async fn refused(app: &App, session: &Session, action: Action, names: &[String]) -> Refusal {
    let [namespace, name, ..] = names else { return Refusal::not_found("There is no such gateway.") };
    if !is_name(namespace) || !is_name(name) {
        return Refusal::not_found("There is no such gateway.");
    }
    let path = format!("{API}/namespaces/{namespace}/ingressgateways/{name}");
    let found = match app.relay.ask(&session.account, Method::GET, &path, None).await {
        Ok((200, found)) => found,
        Ok((404, said)) if said["kind"] == "Status" => return Refusal::not_found(format!("There is no gateway {namespace}/{name}.")),
        Ok((404, _)) => return none(),
        Ok(_) => return Refusal::unreachable(),
        Err(refusal) => return refusal,
    };
    let pod = found["status"]["pods"][0]["name"].as_str().filter(|it| is_name(it)).unwrap_or("POD");
    let (what, command) = match action {
        Action::Metrics | Action::Endpoints => {
            ("count is asked", format!("kubectl get --raw /api/v1/namespaces/{PODS}/pods/{pod}:{ADMIN}/proxy/metrics"))
        }
        Action::Logs => ("log is asked", format!("kubectl logs -n {PODS} {pod} --follow")),
        Action::Try | Action::Check => ("do with a request is tried", "paifang explain URL".to_owned()),
        _ => ("do is asked", format!("kubectl get ingressgateways.paifang.dev -n {namespace} {name} -o yaml")),
    };
    Refusal::unavailable(format!("The gateways of this cluster run in pods of their own; what they {what} there.")).with_command(command)
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

fn told(all: &[Serving]) -> Reply {
    reply::json(StatusCode::OK, &json!(all.iter().map(Serving::json).collect::<Vec<_>>()))
}
