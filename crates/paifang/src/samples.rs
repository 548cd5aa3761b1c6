//! `--demo`: sample backends, the sample objects that lead to them, and what stands in for the containers of Deployments.

use crate::fault::Fault;
use anyhow::{Context, anyhow};
use control::{Asked, Node, Sample, Start, Started};
use demo::{Answering, Ports, Running};
use futures::FutureExt;
use kube::Client;
use kube::api::{Api, DynamicObject};
use resources::load;
use serde_json::{Value, json};
use status::{Kind, Target, Wish};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;

/// The objects, in the order they are applied.
const OBJECTS: [(&str, &str); 2] = [
    ("samples/demo/backends.yaml", include_str!("../../../samples/demo/backends.yaml")),
    ("samples/demo/routes.yaml", include_str!("../../../samples/demo/routes.yaml")),
];
const NAMESPACE: &str = "demo-project";
const SECRET: &str = "secure-tls";
const SECURE: &str = "secure.kubesphere.io";
const DAY: Duration = Duration::from_hours(24);

/// Starts the backends and makes the objects that are not there; those that are stay as their owner left them.
pub async fn start(client: &Client) -> Result<Running, Fault> {
    let running = backends().await?;
    for (file, text) in OBJECTS {
        let loaded = load::load(file, text).map_err(|errors| anyhow!("{errors:?}"))?;
        for mut object in loaded.into_iter().map(|it| it.object) {
            point(&mut object, &running);
            make(client, &object).await?;
        }
    }
    make(client, &secret()?).await?;
    Ok(running)
}

/// Speaks for Deployments until it is dropped: with `demo`, samples stand in for the images they are like.
pub fn stand_in(client: Client, node: Node, demo: bool) -> JoinSet<()> {
    let start: Start = Box::new(|asked| start_one(asked).boxed());
    let mut task = JoinSet::new();
    task.spawn(control::stand_in(client, node, demo.then_some(start)));
    task
}

/// Where it was, or anywhere.
async fn start_one(Asked { sample, pod, before }: Asked) -> io::Result<Started> {
    let sample = match sample {
        Sample::Httpbin => demo::Sample::Httpbin,
        Sample::Hello { version } => demo::Sample::Hello { version, instance: pod },
        Sample::TcpEcho { prefix, .. } => demo::Sample::TcpEcho { prefix },
    };
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let answering = match sample.clone().start(before.filter(|it| it.ip() == anywhere.ip()).unwrap_or(anywhere)).await {
        Err(_) if before.is_some() => sample.start(anywhere).await?,
        started => started?,
    };
    Ok(Started { address: answering.address, keep: Box::new(Kept(Some(answering))) })
}

/// A sample that may finish its answers when it is no longer wanted.
struct Kept(Option<Answering>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let (Some(answering), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(answering.shutdown());
        }
    }
}

/// On the usual ports, or on any where those are taken.
async fn backends() -> Result<Running, Fault> {
    match demo::start(demo::Options::default()).await {
        Ok(running) => Ok(running),
        Err(_) => {
            let any = demo::Options { ports: Ports::ANY, ..demo::Options::default() };
            demo::start(any).await.map_err(|error| Fault::cannot_listen(error.to_string()))
        }
    }
}

/// Lets a Service's annotation name the backend that was started.
fn point(object: &mut Value, running: &Running) {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let Some(address) = address(name, running) else { return };
    if object.get("kind").is_some_and(|it| it == "Service") {
        object["metadata"]["annotations"][translate::ENDPOINTS_ANNOTATION] = address.to_string().into();
    }
}

fn address(service: &str, running: &Running) -> Option<SocketAddr> {
    match service {
        "httpbin" => Some(running.httpbin),
        "hello-v1" => Some(running.hello_v1),
        "hello-v2" => Some(running.hello_v2),
        "echo" => Some(running.echo),
        _ => None,
    }
}

/// Creates an object. One that exists is left alone, but for where its backend listens now.
async fn make(client: &Client, object: &Value) -> Result<(), Fault> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|it| it.word() == text("/kind")).ok_or_else(|| anyhow!("a sample of kind {}", text("/kind")))?;
    let target = Target::new(kind, text("/metadata/namespace"), text("/metadata/name"));
    let api: Api<DynamicObject> = match kind.namespaced() {
        true => Api::namespaced_with(client.clone(), &target.namespace, &kind.resource()),
        false => Api::all_with(client.clone(), &kind.resource()),
    };
    let exists = api.get_opt(&target.name).await.with_context(|| format!("cannot read {target}"))?.is_some();
    let wish = match (exists, object.pointer("/metadata/annotations").filter(|_| kind == Kind::Service)) {
        (false, _) => object.clone(),
        (true, Some(annotations)) => json!({ "metadata": { "annotations": annotations } }),
        (true, None) => return Ok(()),
    };
    Ok(status::write(client, &target, &Wish::Object(wish)).await.with_context(|| format!("cannot write {target}"))?)
}

/// A certificate for the sample host, made anew for each data directory.
fn secret() -> Result<Value, Fault> {
    let certificate = || {
        let key = rcgen::KeyPair::generate()?;
        let mut params = rcgen::CertificateParams::new([SECURE.to_owned()])?;
        let now = SystemTime::now();
        (params.not_before, params.not_after) = ((now - DAY).into(), (now + 3_650 * DAY).into());
        Ok::<_, rcgen::Error>((params.self_signed(&key)?.pem(), key.serialize_pem()))
    };
    let (chain, key) = certificate().context("cannot make the sample certificate")?;
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": { "name": SECRET, "namespace": NAMESPACE },
        "stringData": { "tls.crt": chain, "tls.key": key },
    }))
}
