//! The definitions that are there from the start.

use serde_json::{Value, json};

use crate::client::Server;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str().or(one["metadata"]["name"].as_str())).collect()
}

#[tokio::test]
async fn istios_group_is_listed_before_gateway_apis() {
    let server = Server::start().await;
    let ours = ["networking.istio.io", "gateway.networking.k8s.io"];
    let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let plain = server.get("/apis").await.ok();
    let listed: Vec<&str> = names(&plain["groups"]).into_iter().filter(|name| ours.contains(name)).collect();
    assert_eq!(listed, ours);
    let list = server.get_as("/apis", aggregated).await.ok();
    let listed: Vec<&str> = names(&list["items"]).into_iter().filter(|name| ours.contains(name)).collect();
    assert_eq!(listed, ours);
    let group = server.get("/apis/networking.istio.io").await.ok();
    let versions: Vec<&str> = group["versions"].as_array().into_iter().flatten().filter_map(|one| one["version"].as_str()).collect();
    assert_eq!(versions, ["v1", "v1beta1", "v1alpha3"]);
    assert_eq!(group["preferredVersion"]["version"], "v1");
    let group = server.get("/apis/gateway.networking.k8s.io").await.ok();
    assert_eq!(group["preferredVersion"]["version"], "v1");
}

#[tokio::test]
async fn a_definition_that_a_user_changed_stays_and_one_that_went_comes_back() {
    let mut server = Server::start().await;
    let (gateways, services) =
        (format!("{DEFINITIONS}/gateways.networking.istio.io"), format!("{DEFINITIONS}/virtualservices.networking.istio.io"));
    let changed = json!({ "spec": { "names": { "shortNames": ["gw", "gateway-of-mine"] } } });
    server.patch(&gateways, "application/merge-patch+json", &changed).await.ok();
    server.delete(&services).await.ok();
    server = server.restart().await;
    let kept = server.get(&gateways).await.ok();
    assert_eq!(kept["spec"]["names"]["shortNames"][1], "gateway-of-mine");
    server.get(&services).await.ok();
}

#[tokio::test]
async fn a_definition_of_an_older_release_is_brought_up_to_date() {
    let older = |options: &mut apiserver::Options| {
        for definition in &mut options.definitions {
            definition["spec"]["names"]["categories"] = json!(["older"]);
        }
    };
    let mut server = Server::start_as(older).await;
    let path = format!("{DEFINITIONS}/gateways.networking.istio.io");
    let before = server.get(&path).await.ok();
    assert_eq!(before["spec"]["names"]["categories"], json!(["older"]));
    server = server.restart().await;
    let after = server.get(&path).await.ok();
    assert_eq!(after["spec"]["names"]["categories"][0], "istio-io");
    assert_eq!(after["status"]["acceptedNames"], after["spec"]["names"]);
    assert_eq!((&after["metadata"]["uid"], &after["metadata"]["generation"]), (&before["metadata"]["uid"], &json!(2)));
    server = server.restart().await;
    assert_eq!(server.get(&path).await.ok(), after, "what is up to date is left alone");
}
