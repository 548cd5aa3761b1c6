//! *Try it* and *Unable to access?*: a request through a gateway beside the explanation of what becomes of it, and where the way to it breaks.
//!
//! **Invariant:** a request goes to a socket of the gateway that the path of our own request names, or to one of its pods, and nowhere else,
//! whatever its URL says.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use model::GatewayId;
use rustls_pki_types::ServerName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::app::{App, Visit};
use crate::certificate::is_name;
use crate::cluster::{self, Shows};
use crate::gateways::Place;
use crate::gathered::{self, Gathered};
use crate::pods::{Found, Pods};
use crate::reply::{self, Refusal, Reply};
use crate::session::Session;
use crate::sign_in::Waiting;

/// Of what is asked, and of the body that goes on.
const LARGEST: usize = 256 << 10;
const HEADERS: usize = 50;
/// Of an answer's body that is shown.
const SHOWN: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(30);
/// Tries and checks at a time.
const AT_ONCE: usize = 8;

/// What would become of a request, and where its way breaks: a port, filled by who knows routes.
pub trait Explains: Send + Sync {
    /// As `paifang explain -o json`, at this gateway alone.
    fn explain(&self, gateway: &GatewayId, question: Question) -> Waiting<'_, Result<Value, String>>;

    /// Hop by hop, as `paifang explain URL -o json` says it; `None`: nobody here knows how.
    fn check(&self, gateway: &GatewayId, url: String) -> Option<Waiting<'_, Result<Vec<Value>, String>>>;
}

/// A request that is to be explained.
#[derive(Clone, Debug)]
pub struct Question {
    pub method: String,
    pub url: String,
    /// `name: value`
    pub headers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<String>,
    /// Where it is asked from: objects of this project are looked at where not all may be.
    project: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedCheck {
    url: String,
    project: Option<String>,
}

/// Those that are under way.
pub(crate) struct Trials(Arc<Semaphore>);

impl Default for Trials {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Trials {
    fn begin(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Refusal> {
        self.0.clone().try_acquire_owned().map_err(|_| Refusal::busy("Others try requests just now; please try again."))
    }
}

/// `POST …/try`.
pub(crate) async fn answer(app: &App, visit: Visit<'_>, (names, place): (&[String], &Place), session: &Session) -> Result<Reply, Refusal> {
    let _place = app.trials.begin()?;
    let body = visit.body(LARGEST).await?;
    let asked: Asked = serde_json::from_slice(&body)
        .map_err(|_| Refusal::bad("BadRequest", r#"The body must be {"method", "url", "headers": {}, "body"}."#))?;
    let (request, uri, headers) = request(&asked)?;
    let question = Question { method: asked.method.clone(), url: asked.url.clone(), headers };
    let explanation = match place {
        Place::Here(_, id) => match &app.explains {
            Some(explains) => tokio::time::timeout(PATIENCE, explains.explain(id, question)).await.map_err(|_| Refusal::late())?,
            None => Ok(Value::Null),
        },
        Place::Pods(_, found) => {
            let (shows, gathered) = seen(app, session, (names, asked.project.as_deref()), found).await?;
            let id = found.id.clone();
            let explained = tokio::task::spawn_blocking(move || shows.explain(&gathered, &id, &question));
            let explained = tokio::time::timeout(PATIENCE, explained).await.map_err(|_| Refusal::late())?;
            explained.unwrap_or_else(|error| Err(error.to_string()))
        }
    };
    let begun = Instant::now();
    let sending = to_gateway(place, &uri, request);
    let got = tokio::time::timeout(PATIENCE, sending).await.unwrap_or_else(|_| Err(Unsent::Failed("it does not answer in time".into())));
    let got = match got {
        Ok(answer) => Ok(answer),
        Err(Unsent::Failed(why)) => Err(why),
        Err(Unsent::Refused(refusal)) => return Err(refusal),
    };
    let mut told = json!({ "answer": null, "explanation": explanation.as_ref().unwrap_or(&Value::Null) });
    match got {
        Ok(mut answer) => {
            answer["ms"] = json!(begun.elapsed().as_secs_f64() * 1000.0);
            told["answer"] = answer;
        }
        Err(error) => told["error"] = error.into(),
    }
    if let Err(error) = explanation {
        told["explanationError"] = error.into();
    }
    Ok(reply::json(StatusCode::OK, &told))
}

/// The request that is sent, its URL, and its headers as an explanation takes them.
type Sent = (Request<Full<Bytes>>, Uri, Vec<String>);

fn request(asked: &Asked) -> Result<Sent, Refusal> {
    let bad = |message: &str| Refusal::bad("BadRequest", message);
    let uri: Uri = asked.url.parse().map_err(|_| bad("The URL cannot be read."))?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
    let (Some(_), Some(authority)) = (scheme, authority) else { return Err(bad("A URL begins with http:// or https:// and a host.")) };
    let method = Method::from_bytes(asked.method.as_bytes()).ok().filter(|method| *method != Method::CONNECT);
    let method = method.ok_or_else(|| bad("This is no method that can be tried."))?;
    if asked.headers.len() > HEADERS {
        return Err(bad("These are more headers than a request may have."));
    }
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::builder().method(method).uri(target);
    let (mut lines, mut host) = (Vec::new(), None);
    for (name, value) in &asked.headers {
        let text = value.as_str().ok_or_else(|| bad("The value of a header is a text."))?;
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(text)) else {
            return Err(bad("A header cannot be sent like that."));
        };
        // How the request is carried is not the user's business.
        if [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH, UPGRADE].contains(&name) {
            continue;
        }
        lines.push(format!("{name}: {text}"));
        match name == HOST {
            true => host = Some(value),
            false => request = request.header(name, value),
        }
    }
    let own = HeaderValue::from_str(authority.as_str()).map_err(|_| bad("The URL cannot be read."))?;
    request = request.header(HOST, host.unwrap_or(own)).header(CONNECTION, "close");
    let body = Full::new(Bytes::from(asked.body.clone().unwrap_or_default()));
    Ok((request.body(body).map_err(|_| bad("The request cannot be made."))?, uri, lines))
}

/// What somebody may see of objects, and who knows what those mean.
async fn seen(
    app: &App,
    session: &Session,
    (names, project): (&[String], Option<&str>),
    found: &Found,
) -> Result<(Arc<dyn Shows>, Gathered), Refusal> {
    let shows = app.shows.clone().ok_or_else(|| Refusal::unavailable("The way to a route cannot be checked here."))?;
    let namespaces: BTreeSet<String> = names.first().map(String::as_str).into_iter().chain(project).map(str::to_owned).collect();
    if !namespaces.iter().all(|it| is_name(it)) {
        return Err(Refusal::bad("BadRequest", "This is no name of a project."));
    }
    let kinds = shows.kinds();
    let gathering = gathered::gather(app, session, &kinds, &namespaces);
    let mut gathered = tokio::time::timeout(PATIENCE, gathering).await.map_err(|_| Refusal::late())??;
    // Who may look at a gateway is told by its object where it is reached; its Service says the same, and how gateways are named.
    for service in [Some(&found.service), found.everybody.as_ref()].into_iter().flatten() {
        if !gathered.objects.iter().any(|it| it["kind"] == "Service" && it["metadata"]["uid"] == service["metadata"]["uid"]) {
            gathered.objects.push(service.clone());
        }
    }
    Ok((shows, gathered))
}

/// Why a request did not get there.
enum Unsent {
    Failed(String),
    /// The console may not send it.
    Refused(Refusal),
}

/// Sends a request to the gateway, wherever it runs.
async fn to_gateway(place: &Place, uri: &Uri, request: Request<Full<Bytes>>) -> Result<Value, Unsent> {
    let secure = uri.scheme_str() == Some("https");
    let nowhere = || Unsent::Failed("the gateway does not listen there".into());
    match place {
        Place::Here(gateways, id) => {
            let sockets = gateways.sockets(id);
            let seen: Vec<_> = sockets.iter().map(|(name, socket)| (name.as_str(), socket.port(), *socket)).collect();
            let socket: SocketAddr = socket(&seen, uri.port_u16(), secure).ok_or_else(nowhere)?;
            let stream = TcpStream::connect(socket).await.map_err(|error| Unsent::Failed(error.to_string()))?;
            send(stream, uri, request).await.map_err(Unsent::Failed)
        }
        Place::Pods(pods, found) => {
            let ports = found.ports();
            let seen: Vec<_> = ports.iter().map(|(name, port, target)| (name.as_str(), *port, *target)).collect();
            let port = socket(&seen, uri.port_u16(), secure).ok_or_else(nowhere)?;
            send(open(pods, found, port).await?, uri, request).await.map_err(Unsent::Failed)
        }
    }
}

/// A port of the first pod that opens it; nothing has been sent to one that does not.
async fn open(pods: &Pods, found: &Found, port: u16) -> Result<crate::pods::Forward, Unsent> {
    let mut last = "no pod of the gateway is ready".to_owned();
    for member in found.members.iter().filter(|it| it.is_ready) {
        match pods.forward(&member.name, port).await {
            Ok(forward) => return Ok(forward),
            Err(untold) => last = untold.why().ok_or_else(|| Unsent::Refused(pods.forbidden()))?,
        }
    }
    Err(Unsent::Failed(last))
}

/// The socket of the gateway that a URL leads to: by its port, else by what is spoken there. `sockets`: names, ports as clients have them, and where
/// those are.
fn socket<T: Copy>(sockets: &[(&str, u16, T)], port: Option<u16>, secure: bool) -> Option<T> {
    let usual = if secure { 443 } else { 80 };
    let name = if secure { "https" } else { "http" };
    let at = |wanted: u16| sockets.iter().find(|(_, port, _)| *port == wanted).map(|(.., socket)| *socket);
    match port {
        Some(port) if port != usual => at(port),
        // Where ports are moved, the name says which it is.
        _ => sockets.iter().find(|(listener, ..)| *listener == name).map(|(.., socket)| *socket).or_else(|| at(usual)),
    }
}

async fn send(stream: impl Stream, uri: &Uri, request: Request<Full<Bytes>>) -> Result<Value, String> {
    if uri.scheme_str() != Some("https") {
        return exchange(stream, request).await;
    }
    let host = uri.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    // What certificate is shown is looked at elsewhere; here the gateway is reached by its own socket.
    let config = tls::unjudged(&["http/1.1"]).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
    exchange(stream, request).await
}

/// A connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

async fn exchange(stream: impl Stream, request: Request<Full<Bytes>>) -> Result<Value, String> {
    let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connected.map_err(|error| error.to_string())?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, mut body) = answer.into_parts();
        let (mut octets, mut truncated) = (Vec::new(), false);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| error.to_string())?;
            let Ok(data) = frame.into_data() else { continue };
            let room = SHOWN - octets.len();
            octets.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                truncated = true;
                break;
            }
        }
        let headers: Vec<Value> =
            head.headers.iter().map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])).collect();
        Ok(json!({
            "status": head.status.as_u16(), "headers": headers, "body": String::from_utf8_lossy(&octets), "truncated": truncated,
        }))
    };
    // The connection goes with this future, also when the deadline ends it.
    let mut connection = std::pin::pin!(connection);
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        result = &mut asked => result,
        _ = &mut connection => asked.await,
    }
}

/// `POST …/check`.
pub(crate) async fn check(app: &App, visit: Visit<'_>, (names, place): (&[String], &Place), session: &Session) -> Result<Reply, Refusal> {
    let _place = app.trials.begin()?;
    let body = visit.body(LARGEST).await?;
    let asked: AskedCheck = serde_json::from_slice(&body).map_err(|_| Refusal::bad("BadRequest", r#"The body must be {"url"}."#))?;
    let unavailable = || Refusal::unavailable("The way to a route cannot be checked here.");
    let checked = match place {
        Place::Here(_, id) => {
            let explains = app.explains.as_ref().ok_or_else(unavailable)?;
            let checked = explains.check(id, asked.url).ok_or_else(unavailable)?;
            tokio::time::timeout(PATIENCE, checked).await
        }
        Place::Pods(_, found) => {
            let (shows, gathered) = seen(app, session, (names, asked.project.as_deref()), found).await?;
            let request = match names {
                [namespace, name, ..] => app.relay.read(&session.account, &cluster::request(namespace, name)).await.unwrap_or_default(),
                _ => Value::Null,
            };
            tokio::time::timeout(PATIENCE, shows.check(gathered, (found.id.clone(), found.addresses(&request)), asked.url)).await
        }
    };
    let checked = checked.map_err(|_| Refusal::late())?;
    let hops = checked.map_err(|error| Refusal::bad("BadRequest", error))?;
    Ok(reply::json(StatusCode::OK, &json!({ "hops": hops })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, headers: Value) -> Asked {
        Asked {
            method: "GET".into(),
            url: url.into(),
            headers: headers.as_object().cloned().unwrap_or_default(),
            body: None,
            project: None,
        }
    }

    #[test]
    fn only_requests_that_can_be_sent_are_sent() {
        let (sent, ..) =
            request(&asked("http://shop.example:8080/a?b=c", json!({ "x-a": "1", "Transfer-Encoding": "chunked" }))).expect("sent");
        assert_eq!((sent.uri().to_string().as_str(), &sent.headers()["host"]), ("/a?b=c", &HeaderValue::from_static("shop.example:8080")));
        assert!(sent.headers().get("transfer-encoding").is_none() && sent.headers()["x-a"] == "1");
        for (url, headers) in [
            ("/a", json!({})),
            ("ftp://shop.example/", json!({})),
            ("http://user:password@shop.example/", json!({})),
            ("http://shop.example/", json!({ "a b": "1" })),
            ("http://shop.example/", json!({ "a": "1\r\nb: 2" })),
            ("http://shop.example/", json!({ "a": 1 })),
        ] {
            assert!(request(&asked(url, headers.clone())).is_err(), "{url} {headers}");
        }
        let mut tunnel = asked("http://shop.example/", json!({}));
        tunnel.method = "CONNECT".into();
        assert!(request(&tunnel).is_err());
    }

    #[test]
    fn a_request_goes_to_the_gateway_alone() {
        let at = |name: &'static str, socket: &str| {
            let socket: SocketAddr = socket.parse().expect("a socket");
            (name, socket.port(), socket)
        };
        let sockets = [at("http", "127.1.0.1:10080"), at("https", "127.1.0.1:10443"), at("http", "127.0.0.1:30080")];
        let found = |port, secure| socket(&sockets, port, secure).map(|it| it.to_string());
        assert_eq!(found(None, false).as_deref(), Some("127.1.0.1:10080"));
        assert_eq!(found(Some(80), false).as_deref(), Some("127.1.0.1:10080"));
        assert_eq!(found(Some(443), true).as_deref(), Some("127.1.0.1:10443"));
        assert_eq!(found(Some(30080), false).as_deref(), Some("127.0.0.1:30080"));
        assert_eq!(found(Some(6443), true), None);
    }
}
