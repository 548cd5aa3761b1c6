//! A controller written with kube-rs, as its users write them, against the real binary: it leads by a Lease, keeps a ConfigMap for each object
//! of a definition of its own, and says so in a status and an event. The same in Go is `conformance/controller-runtime`.

use crate::harness::Up;
use futures::StreamExt;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ObjectMeta, PartialObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::controller::Action;
use kube::runtime::events::{Event as Told, EventType, Recorder, Reporter};
use kube::runtime::finalizer::{Event, finalizer};
use kube::runtime::{Controller, WatchStreamExt, watcher};
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testkit::eventually;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const NAMESPACE: &str = "default";
const FINALIZER: &str = "controllers.example/clean-up";
const LEASE: &str = "gadgets.controllers.example";

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What a reconciliation needs.
struct Context {
    client: Client,
    recorder: Recorder,
    name: String,
}

/// Why a reconciliation is tried again.
#[derive(Debug)]
struct Stuck(Fault);

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Stuck {}

fn gadgets() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("controllers.example", "v1", "Gadget"))
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "gadgets.controllers.example" },
        "spec": {
            "group": "controllers.example", "scope": "Namespaced", "names": { "plural": "gadgets", "singular": "gadget", "kind": "Gadget" },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                    "spec": { "type": "object", "properties": { "text": { "type": "string" } } },
                    "status": { "type": "object", "properties": { "text": { "type": "string" }, "by": { "type": "string" } } },
                } } },
            }],
        },
    })
}

async fn client(up: &Up) -> Client {
    let kubeconfig = Kubeconfig::read_from(up.kubeconfig()).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    Client::try_from(config).expect("a client")
}

fn objects(client: &Client) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), NAMESPACE, &gadgets())
}

async fn reconcile(object: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, kube::runtime::finalizer::Error<Stuck>> {
    finalizer(&objects(&context.client), FINALIZER, object, |event| async {
        let done = match event {
            Event::Apply(object) => keep(&object, &context).await,
            Event::Cleanup(object) => leave(&object, &context).await,
        };
        done.map(|()| Action::await_change()).map_err(Stuck)
    })
    .await
}

/// Applies the ConfigMap, the status, and tells of it.
async fn keep(object: &DynamicObject, context: &Context) -> Result<(), Fault> {
    let (api, text) = (Api::<ConfigMap>::namespaced(context.client.clone(), NAMESPACE), object.data["spec"]["text"].clone());
    let params = PatchParams::apply("gadgets").force();
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": { "text": text },
        "metadata": { "name": object.name_any(), "ownerReferences": [object.controller_owner_ref(&gadgets())] },
    });
    let before = api.get_opt(&object.name_any()).await?;
    let after = api.patch(&object.name_any(), &params, &Patch::Apply(map)).await?;
    if before.and_then(|it| it.resource_version()) != after.resource_version() {
        let told = Told {
            type_: EventType::Normal,
            reason: "Written".into(),
            note: Some(format!("the text is {text}")),
            action: "Write".into(),
            secondary: None,
        };
        context.recorder.publish(&told, &object.object_ref(&gadgets())).await?;
    }
    let status = json!({ "apiVersion": "controllers.example/v1", "kind": "Gadget", "status": { "text": text, "by": context.name } });
    objects(&context.client).patch_status(&object.name_any(), &params, &Patch::Apply(status)).await?;
    Ok(())
}

/// Something that stays tells that it was cleaned up.
async fn leave(object: &DynamicObject, context: &Context) -> Result<(), Fault> {
    let api: Api<ConfigMap> = Api::namespaced(context.client.clone(), NAMESPACE);
    let name = format!("{}-was-here", object.name_any());
    let map = ConfigMap { metadata: ObjectMeta { name: Some(name), ..ObjectMeta::default() }, ..ConfigMap::default() };
    match api.create(&PostParams::default(), &map).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        done => Ok(done.map(drop)?),
    }
}

/// Takes the Lease when nobody holds it: who comes second to a write is told so by its resourceVersion, and tries again.
async fn lead(client: &Client, name: &str) {
    let api: Api<Lease> = Api::namespaced(client.clone(), NAMESPACE);
    while take(&api, name).await.is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn take(api: &Api<Lease>, name: &str) -> Option<Lease> {
    let now = Some(MicroTime(Timestamp::now()));
    let spec = LeaseSpec {
        holder_identity: Some(name.into()),
        lease_duration_seconds: Some(600),
        acquire_time: now.clone(),
        renew_time: now,
        ..LeaseSpec::default()
    };
    let meta = ObjectMeta { name: Some(LEASE.into()), ..ObjectMeta::default() };
    match api.get_opt(LEASE).await.ok()? {
        None => api.create(&PostParams::default(), &Lease { metadata: meta, spec: Some(spec) }).await.ok(),
        Some(lease) => {
            let held = lease.spec.as_ref().and_then(|it| it.holder_identity.as_ref()).is_some_and(|it| !it.is_empty());
            let mine = Lease { metadata: lease.metadata, spec: Some(spec) };
            if held { None } else { api.replace(LEASE, &PostParams::default(), &mine).await.ok() }
        }
    }
}

/// Starts a controller that waits until it leads; gives what ends it, and what waits for its end.
fn start(up: &Up, runtime: &Runtime, name: &'static str) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let client = runtime.block_on(client(up));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = runtime.spawn(async move {
        lead(&client, name).await;
        let recorder = Recorder::new(client.clone(), Reporter { controller: name.into(), instance: None });
        let context = Arc::new(Context { client: client.clone(), recorder, name: name.into() });
        // What is there comes as a stream too, with a bookmark at its end.
        let config = watcher::Config::default().streaming_lists();
        Controller::new_with(objects(&client), config.clone(), gadgets())
            .owns(Api::<ConfigMap>::namespaced(client.clone(), NAMESPACE), config)
            .graceful_shutdown_on(async { drop(stopped.await) })
            .run(reconcile, |_, _, _| Action::requeue(Duration::from_millis(100)), context)
            .for_each(async |done| drop(done.map_err(|error| eprintln!("{name}: {error}"))))
            .await;
        let api: Api<Lease> = Api::namespaced(client, NAMESPACE);
        let nobody = json!({ "spec": { "holderIdentity": "" } });
        api.patch(LEASE, &PatchParams::default(), &Patch::Merge(nobody)).await.expect("its own lease can be given up");
    });
    (stop, running)
}

fn at(up: &Up, object: &[&str], pointer: &str) -> Option<String> {
    Some(up.get(object)?.pointer(pointer)?.as_str()?.to_owned())
}

/// Waits until the ConfigMap and the status have the text.
fn until_text(up: &Up, wanted: &str) {
    let what = format!("the text is {wanted}");
    eventually(&what, || at(up, &["configmap", "g"], "/data/text").filter(|it| it == wanted));
    eventually(&what, || at(up, &["gadget", "g"], "/status/text").filter(|it| it == wanted));
}

fn write(up: &Up, text: &str) {
    let patch = json!({ "spec": { "text": text } }).to_string();
    up.kubectl(&["patch", "gadget", "g", "--type=merge", "-p", &patch], "").expect("it is taken");
}

#[test]
fn a_controller_reconciles_through_a_change_of_leader_and_a_restart() {
    let mut up = Up::start(&["--port-offset", "20000"]);
    let runtime = Runtime::new().expect("a runtime");
    let direct = runtime.block_on(client(&up));
    let definition: CustomResourceDefinition = serde_json::from_value(definition()).expect("a definition");
    runtime.block_on(Api::all(direct.clone()).create(&PostParams::default(), &definition)).expect("it is taken");

    let (stop_first, first) = start(&up, &runtime, "first");
    let gadget = DynamicObject::new("g", &gadgets()).within(NAMESPACE).data(json!({ "spec": { "text": "one" } }));
    runtime.block_on(objects(&direct).create(&PostParams::default(), &gadget)).expect("it is taken");
    until_text(&up, "one");
    assert_eq!(at(&up, &["lease", LEASE], "/spec/holderIdentity").as_deref(), Some("first"));
    write(&up, "two");
    until_text(&up, "two");
    up.kubectl(&["delete", "configmap", "g"], "").expect("it goes");
    until_text(&up, "two");
    // What is told again is counted in the event there is.
    up.event(NAMESPACE, "g", &["Written", "the text is"]);
    let events = ["events.events.k8s.io", "-n", NAMESPACE, "--field-selector", "reason=Written"];
    eventually("it is told again", || up.get(&events)?.pointer("/items/0/series/count")?.as_u64().filter(|it| *it > 1));

    let (stop_second, second) = start(&up, &runtime, "second");
    write(&up, "three");
    until_text(&up, "three");
    assert_eq!(at(&up, &["gadget", "g"], "/status/by").as_deref(), Some("first"), "one leads at a time");
    stop_first.send(()).expect("it runs");
    runtime.block_on(first).expect("it ends");
    eventually("the second leads", || at(&up, &["gadget", "g"], "/status/by").filter(|it| it == "second"));

    // A power cut, and the same address again: the watches resume.
    up.kill();
    up.start_again();
    write(&up, "four");
    until_text(&up, "four");

    up.kubectl(&["delete", "gadget", "g", "--timeout=60s"], "").expect("its finalizer is taken off");
    assert!(up.get(&["configmap", "g-was-here"]).is_some(), "it was cleaned up before it went");
    eventually("what it owned goes too", || up.kubectl(&["get", "configmap", "g"], "").is_err().then_some(()));
    stop_second.send(()).expect("it runs");
    runtime.block_on(second).expect("it ends");
}

/// Metadata alone, chosen by a label: what leaves the choice is told, too.
#[test]
fn a_watcher_of_metadata_follows() {
    let up = Up::start(&["--port-offset", "20000"]);
    let runtime = Runtime::new().expect("a runtime");
    let map = |labels: Value| json!({ "metadata": { "name": "m", "labels": labels } });
    let changes = [json!({ "in": "1" }), json!({ "in": "2" }), json!({})];
    let seen: Vec<BTreeMap<String, String>> = runtime.block_on(async {
        let api: Api<ConfigMap> = Api::namespaced(client(&up).await, NAMESPACE);
        let metadata: Api<PartialObjectMeta<ConfigMap>> = Api::namespaced(api.clone().into_client(), NAMESPACE);
        let watch = watcher(metadata, watcher::Config::default().labels("in"));
        let mut events = std::pin::pin!(watch.touched_objects());
        let mut seen = Vec::new();
        for labels in changes {
            let params = PatchParams::apply("test").force();
            let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": map(labels)["metadata"] });
            api.patch("m", &params, &Patch::Apply(map)).await.expect("it is taken");
            let next = tokio::time::timeout(Duration::from_secs(60), events.next()).await.expect("in time");
            seen.push(next.expect("it goes on").expect("an event").labels().clone());
        }
        seen
    });
    let labels = |value: &str| BTreeMap::from([("in".to_owned(), value.to_owned())]);
    assert_eq!(seen, [labels("1"), labels("2"), labels("2")], "it is deleted as it last was");
}
