//! Deployments and Pods, which nothing runs; and objects that only their keeper writes.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use crate::client::{Answer, Server};

const PODS: &str = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const MERGE: &str = "application/merge-patch+json";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn pod(name: &str) -> Value {
    json!({ "metadata": { "name": name, "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "web", "image": "example/web" }] } })
}

fn deployment(name: &str) -> Value {
    let labels = json!({ "app": name });
    let template = json!({ "metadata": { "labels": labels }, "spec": pod("")["spec"] });
    json!({ "metadata": { "name": name }, "spec": { "selector": { "matchLabels": labels }, "template": template } })
}

fn warnings(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("warning").iter().filter_map(|value| value.to_str().ok()).collect()
}

async fn keeper(server: &Server) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&server.running.keeper_kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    Client::try_from(config).expect("a client")
}

#[tokio::test]
async fn who_asks_for_containers_hears_once_that_none_run() {
    let server = Server::start().await;
    for (path, body) in [(DEPLOYMENTS, deployment("web")), (PODS, pod("web"))] {
        let made = server.post(path, &body).await;
        let said = warnings(&made);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("runs no containers") && said[0].contains("paifang.dev/endpoints"), "{said:?}");
        let label = json!({ "metadata": { "labels": { "a": "b" } } });
        assert_eq!(warnings(&server.patch(&format!("{path}/web"), MERGE, &label).await), [""; 0]);
    }
    let image = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "example/shop" }]);
    assert_eq!(warnings(&server.patch(&format!("{DEPLOYMENTS}/web"), "application/json-patch+json", &image).await).len(), 1);
    let service = json!({ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80 }] } });
    assert_eq!(warnings(&server.post("/api/v1/namespaces/default/services", &service).await), [""; 0]);
}

#[tokio::test]
async fn nothing_is_said_where_the_embedder_stands_in() {
    let stands_in = |object: &Value| object.to_string().contains("example/web");
    let server = Server::start_as(|options| {
        options.warn = Arc::new(move |object| if stands_in(object) { Vec::new() } else { apiserver::no_containers(object) });
    })
    .await;
    assert_eq!(warnings(&server.post(PODS, &pod("web")).await), [""; 0]);
    let mut other = pod("other");
    other["spec"]["containers"][0]["image"] = json!("example/other");
    assert_eq!(warnings(&server.post(PODS, &other).await).len(), 1);
}

#[tokio::test]
async fn what_is_read_only_is_written_by_its_keeper_alone() {
    let server = Server::start().await;
    let pods: Api<Pod> = Api::namespaced(keeper(&server).await, "default");
    let mut shown = pod("shown");
    shown["metadata"]["annotations"] = json!({ "paifang.dev/read-only": "true" });
    server.post(PODS, &shown).await.refused(403);
    pods.create(&PostParams::default(), &serde_json::from_value(shown).expect("a Pod")).await.expect("its keeper may");
    let path = format!("{PODS}/shown");
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    let refused = [
        server.patch(&path, MERGE, &label).await,
        server.patch(&path, MERGE, &json!({ "metadata": { "annotations": { "paifang.dev/read-only": null } } })).await,
        server.patch(&format!("{path}/status"), MERGE, &json!({ "status": { "phase": "Failed" } })).await,
        server.put(&path, &server.get(&path).await.ok()).await,
        server.delete(&path).await,
        server.delete(&format!("{PODS}?labelSelector=app%3Dweb")).await,
    ];
    for answer in refused {
        let status = answer.refused(403);
        let message = status["message"].as_str().unwrap_or("");
        assert!(message.starts_with("pods \"shown\" is forbidden: Paifang keeps this object"), "{message}");
    }
    server.post(PODS, &pod("mine")).await.ok();
    let mark = json!({ "metadata": { "labels": { "paifang.dev/read-only": "true" } } });
    server.patch(&format!("{PODS}/mine"), MERGE, &mark).await.refused(403);
    let running = json!({ "status": { "phase": "Running", "hostIP": "127.0.0.1" } });
    pods.patch_status("shown", &PatchParams::default(), &Patch::Merge(&running)).await.expect("its keeper may");
    let list = server.get(&format!("{PODS}?labelSelector=app%3Dweb&fieldSelector=status.phase%3DRunning")).await.ok();
    assert_eq!(list["items"][0]["status"]["hostIP"], "127.0.0.1");
}

#[tokio::test]
async fn what_is_read_only_goes_with_its_owner() {
    let server = Server::start().await;
    let pods: Api<Pod> = Api::namespaced(keeper(&server).await, "default");
    let owner = server.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let mut shown = pod("shown");
    shown["metadata"]["labels"]["paifang.dev/read-only"] = json!("true");
    shown["metadata"]["ownerReferences"] =
        json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"] }]);
    pods.create(&PostParams::default(), &serde_json::from_value(shown).expect("a Pod")).await.expect("its keeper may");
    let mut watch = server.watch(&format!("{PODS}?watch=true")).await;
    assert_eq!(watch.brief().await, ("ADDED".into(), "shown".into()));
    server.delete(&format!("{DEPLOYMENTS}/web")).await.ok();
    assert_eq!(watch.brief().await, ("DELETED".into(), "shown".into()));
}

#[tokio::test]
async fn columns_of_deployments_and_pods() {
    let server = Server::start().await;
    server.post(DEPLOYMENTS, &deployment("web")).await.ok();
    server.post(PODS, &pod("web")).await.ok();
    let cells = async |path: &str| server.get_as(path, TABLE).await.ok()["rows"][0]["cells"].take();
    let deployment = cells(DEPLOYMENTS).await;
    assert_eq!(deployment, json!(["web", "0/1", 0, 0, deployment[4], "web", "example/web", "app=web"]));
    let pod = cells(PODS).await;
    assert_eq!(pod, json!(["web", "0/1", "Pending", "0", pod[4], "<none>", "<none>", "<none>", "<none>"]));
    let running = json!({ "status": {
        "phase": "Running", "podIP": "127.0.0.1",
        "containerStatuses": [{ "name": "web", "ready": true, "restartCount": 2, "image": "", "imageID": "", "state": { "running": {} } }],
    } });
    server.patch(&format!("{PODS}/web/status"), MERGE, &running).await.ok();
    let pod = cells(PODS).await;
    assert_eq!((&pod[1], &pod[2], &pod[3], &pod[5]), (&json!("1/1"), &json!("Running"), &json!("2"), &json!("127.0.0.1")));
}

/// As in Kubernetes, where its controller reads them.
#[tokio::test]
async fn annotations_of_a_deployment_count_as_a_new_generation() {
    let server = Server::start().await;
    let made = server.post(DEPLOYMENTS, &deployment("web")).await.ok();
    assert_eq!((&made["metadata"]["generation"], &made["status"]), (&json!(1), &json!({})));
    let generation = async |meta: Value| {
        let patched = server.patch(&format!("{DEPLOYMENTS}/web"), MERGE, &json!({ "metadata": meta })).await.ok();
        patched["metadata"]["generation"].clone()
    };
    assert_eq!(generation(json!({ "labels": { "a": "b" } })).await, 1);
    assert_eq!(generation(json!({ "annotations": { "a": "b" } })).await, 2);
}

#[tokio::test]
async fn replicas_are_scaled() {
    let server = Server::start().await;
    server.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let path = format!("{DEPLOYMENTS}/web/scale");
    let scale = server.get(&path).await.ok();
    assert_eq!((&scale["apiVersion"], &scale["kind"]), (&json!("autoscaling/v1"), &json!("Scale")));
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["selector"]), (&json!(1), &json!("app=web")));
    let mut more = scale.clone();
    more["spec"]["replicas"] = json!(3);
    assert_eq!(server.put(&path, &more).await.ok()["spec"]["replicas"], 3);
    server.put(&path, &scale).await.refused(409);
    server.patch(&path, MERGE, &json!({ "spec": { "replicas": -1 } })).await.refused(422);
    server.patch(&path, MERGE, &json!({ "spec": { "replicas": 5 } })).await.ok();
    let object = server.get(&format!("{DEPLOYMENTS}/web")).await.ok();
    assert_eq!((&object["spec"]["replicas"], &object["metadata"]["generation"]), (&json!(5), &json!(3)));
    server.get(&format!("{PODS}/web/scale")).await.refused(404);
    let listed = server.get("/apis/apps/v1").await.ok();
    let below = listed["resources"].as_array().into_iter().flatten().find(|one| one["name"] == "deployments/scale").expect("listed");
    assert_eq!((&below["group"], &below["kind"]), (&json!("autoscaling"), &json!("Scale")));
}
