//! kube-rs works against it unchanged.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher;
use kube::{Api, Client, Config};

use crate::client::{PATIENCE, Server};

async fn client(server: &Server) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&server.running.kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    Client::try_from(config).expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_watched_patched_and_deleted() {
    let server = Server::start().await;
    let maps: Api<ConfigMap> = Api::namespaced(client(&server).await, "default");
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let mut events = watcher(maps.clone(), config).boxed();
        let mut next = async || tokio::time::timeout(PATIENCE, events.try_next()).await.expect("in time").expect("no error");
        assert!(matches!(next().await, Some(watcher::Event::Init)));
        assert!(matches!(next().await, Some(watcher::Event::InitDone)));
        let object: ConfigMap = serde_json::from_value(serde_json::json!({ "metadata": { "name": "a" } })).expect("an object");
        maps.create(&PostParams::default(), &object).await.expect("creates");
        assert!(matches!(next().await, Some(watcher::Event::Apply(map)) if map.metadata.name.as_deref() == Some("a")));
        let patch = serde_json::json!({ "data": { "a": "b" } });
        maps.patch("a", &PatchParams::default(), &Patch::Merge(&patch)).await.expect("patches");
        assert!(matches!(next().await, Some(watcher::Event::Apply(map)) if map.data.is_some()));
        let error = maps.create(&PostParams::default(), &object).await.expect_err("it is there");
        assert!(matches!(error, kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists"));
        maps.delete("a", &DeleteParams::default()).await.expect("deletes");
        assert!(matches!(next().await, Some(watcher::Event::Delete(_))));
        assert!(maps.list(&ListParams::default()).await.expect("lists").items.is_empty());
    }
}
