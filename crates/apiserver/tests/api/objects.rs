//! The life of an object: made, changed, listed, deleted.

use http::Method;
use serde_json::{Value, json};

use crate::client::Server;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const MERGE: &str = "application/merge-patch+json";

fn map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "a": "b" } })
}

#[tokio::test]
async fn the_server_writes_its_part_of_the_metadata() {
    let server = Server::start().await;
    let mut object = map("a");
    object["metadata"]["uid"] = json!("mine");
    object["metadata"]["creationTimestamp"] = json!("2000-01-01T00:00:00Z");
    object["metadata"]["deletionTimestamp"] = json!("2000-01-01T00:00:00Z");
    let made = server.post(MAPS, &object).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let meta = &made["metadata"];
    assert_eq!(meta["uid"].as_str().map(str::len), Some(36));
    assert_ne!(meta["creationTimestamp"], "2000-01-01T00:00:00Z");
    assert_eq!(meta["deletionTimestamp"], Value::Null);
    assert_eq!(meta["namespace"], "default");
    assert_eq!(server.get(&format!("{MAPS}/a")).await.ok(), made, "what is read is what was answered");
}

#[tokio::test]
async fn an_update_of_an_older_state_is_a_conflict() {
    let server = Server::start().await;
    let first = server.post(MAPS, &map("a")).await.ok();
    let mut second = first.clone();
    second["data"]["a"] = json!("c");
    let path = format!("{MAPS}/a");
    server.put(&path, &second).await.ok();
    let status = server.put(&path, &first).await.refused(409);
    assert_eq!(
        status,
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; \
                        please apply your changes to the latest version and try again",
            "reason": "Conflict", "details": { "name": "a", "kind": "configmaps" }, "code": 409,
        })
    );
    let mut unconditional = map("a");
    unconditional["data"]["a"] = json!("d");
    assert_eq!(server.put(&path, &unconditional).await.ok()["data"]["a"], "d");
    let insisting = json!({ "metadata": { "resourceVersion": "1" }, "data": { "x": "y" } });
    server.patch(&path, MERGE, &insisting).await.refused(409);
    let mut other = map("a");
    other["metadata"]["uid"] = json!("other");
    server.put(&path, &other).await.refused(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_without_a_revision_do_not_lose_one_another() {
    let server = std::sync::Arc::new(Server::start().await);
    server.post(MAPS, &map("a")).await.ok();
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..4 {
        let server = server.clone();
        tasks.spawn(async move {
            let patch = json!({ "data": { format!("k{at}"): "v" } });
            server.patch(&format!("{MAPS}/a"), MERGE, &patch).await.ok();
        });
    }
    tasks.join_all().await;
    let data = server.get(&format!("{MAPS}/a")).await.ok()["data"].clone();
    assert_eq!(data, json!({ "a": "b", "k0": "v", "k1": "v", "k2": "v", "k3": "v" }), "{data}");
}

#[tokio::test]
async fn names_are_made_up_where_asked() {
    let server = Server::start().await;
    let object = json!({ "metadata": { "generateName": "web-" } });
    let a = server.post(MAPS, &object).await.ok();
    let b = server.post(MAPS, &object).await.ok();
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or("").to_owned();
    assert!(name(&a).starts_with("web-") && name(&a).len() == 9, "{a}");
    assert_ne!(name(&a), name(&b));
    assert_eq!(a["kind"], "ConfigMap", "a built-in object need not say what it is");
}

#[tokio::test]
async fn finalizers_hold_an_object_until_they_are_gone() {
    let server = Server::start().await;
    let mut object = map("a");
    object["metadata"]["finalizers"] = json!(["example.io/wait"]);
    server.post(MAPS, &object).await.ok();
    let path = format!("{MAPS}/a");
    let going = server.delete(&path).await.ok();
    assert_eq!(going["kind"], "ConfigMap");
    let stamp = going["metadata"]["deletionTimestamp"].clone();
    assert!(stamp.is_string());
    assert_eq!(server.delete(&path).await.ok()["metadata"]["deletionTimestamp"], stamp, "asked twice, going once");
    let more = json!({ "metadata": { "finalizers": ["example.io/wait", "example.io/more"] } });
    server.patch(&path, MERGE, &more).await.refused(422);
    server.patch(&path, MERGE, &json!({ "metadata": { "finalizers": null } })).await.ok();
    server.get(&path).await.refused(404);
}

#[tokio::test]
async fn a_delete_answers_with_what_was_deleted() {
    let server = Server::start().await;
    let made = server.post(MAPS, &map("a")).await.ok();
    let path = format!("{MAPS}/a");
    let wrong = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "preconditions": { "uid": "other" } });
    server.call(Method::DELETE, &path, &wrong).await.refused(409);
    let dry = json!({ "dryRun": ["All"] });
    server.call(Method::DELETE, &path, &dry).await.ok();
    server.call(Method::DELETE, &path, &json!({ "propagationPolicy": "Sideways" })).await.refused(422);
    let options = json!({ "propagationPolicy": "Background", "gracePeriodSeconds": 0 });
    let status = server.call(Method::DELETE, &path, &options).await.ok();
    assert_eq!(status["status"], "Success");
    assert_eq!(status["details"], json!({ "name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"] }));
    server.delete(&path).await.refused(404);
}

#[tokio::test]
async fn a_namespace_takes_its_contents_along() {
    let server = Server::start().await;
    server.post("/api/v1/namespaces", &json!({ "metadata": { "name": "shop" } })).await.ok();
    server.post("/api/v1/namespaces/shop/configmaps", &map("a")).await.ok();
    let mut held = map("held");
    held["metadata"]["finalizers"] = json!(["example.io/wait"]);
    server.post("/api/v1/namespaces/shop/configmaps", &held).await.ok();
    let mut watch = server.watch("/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3Dshop").await;
    assert_eq!(watch.brief().await, ("ADDED".into(), "shop".into()));
    let going = server.delete("/api/v1/namespaces/shop").await.ok();
    assert_eq!(going["status"]["phase"], "Terminating");
    let status = server.post("/api/v1/namespaces/shop/configmaps", &map("late")).await.refused(403);
    assert_eq!(status["details"]["causes"][0]["reason"], "NamespaceTerminating");

    let mut inside = server.watch("/api/v1/namespaces/shop/configmaps?watch=true").await;
    loop {
        let event = inside.next().await.expect("an event");
        if event["object"]["metadata"]["name"] == "held" && event["object"]["metadata"]["deletionTimestamp"].is_string() {
            break;
        }
    }
    assert!(server.get("/api/v1/namespaces/shop").await.status.is_success(), "what is held holds its namespace");
    let release = json!({ "metadata": { "finalizers": null } });
    server.patch("/api/v1/namespaces/shop/configmaps/held", MERGE, &release).await.ok();
    while watch.brief().await.0 != "DELETED" {}
    server.get("/api/v1/namespaces/shop").await.refused(404);
    assert_eq!(server.get("/api/v1/configmaps").await.ok()["items"], json!([]));
    server.delete("/api/v1/namespaces/default").await.refused(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind_in_a_namespace_that_goes_while_others_write() {
    let server = std::sync::Arc::new(Server::start().await);
    for round in 0..10 {
        let name = format!("shop{round}");
        server.post("/api/v1/namespaces", &json!({ "metadata": { "name": name } })).await.ok();
        let maps = format!("/api/v1/namespaces/{name}/configmaps");
        let (writers, path) = (server.clone(), maps.clone());
        let writing = tokio::spawn(async move {
            for at in 0.. {
                if !writers.post(&path, &map(&format!("m{at}"))).await.status.is_success() {
                    break;
                }
            }
        });
        let mut watch = server.watch(&format!("/api/v1/namespaces?watch=true&fieldSelector=metadata.name%3D{name}")).await;
        server.delete(&format!("/api/v1/namespaces/{name}")).await.ok();
        while watch.brief().await.0 != "DELETED" {}
        writing.await.expect("the writer ends");
        assert_eq!(server.get(&maps).await.ok()["items"], json!([]), "round {round}");
    }
}

#[tokio::test]
async fn what_has_lost_its_owner_goes_unless_it_is_orphaned() {
    let server = Server::start().await;
    let owner = async |name: &str| {
        let made = server.post(MAPS, &map(name)).await.ok();
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made["metadata"]["uid"] })
    };
    let (a, b) = (owner("a").await, owner("b").await);
    let owned = async |name: &str, owners: Value| {
        let mut object = map(name);
        object["metadata"]["ownerReferences"] = owners;
        server.post(MAPS, &object).await.ok();
    };
    owned("of-a", json!([a])).await;
    owned("of-both", json!([a, b])).await;
    owned("of-b", json!([b])).await;
    let mut watch = server.watch(&format!("{MAPS}?watch=true&resourceVersion={}", server.store.revision())).await;
    server.delete(&format!("{MAPS}/a")).await.ok();
    let mut seen = [watch.brief().await, watch.brief().await, watch.brief().await];
    seen.sort();
    let event = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
    assert_eq!(seen, [event("DELETED", "a"), event("DELETED", "of-a"), event("MODIFIED", "of-both")]);
    server.call(Method::DELETE, &format!("{MAPS}/b"), &json!({ "propagationPolicy": "Orphan" })).await.ok();
    owned("late", json!([b])).await;
    while watch.brief().await != event("DELETED", "late") {}
    for name in ["of-both", "of-b"] {
        let orphan = server.get(&format!("{MAPS}/{name}")).await.ok();
        assert_eq!(orphan["metadata"]["ownerReferences"], Value::Null);
    }
}

#[tokio::test]
async fn pages_of_a_list_are_of_one_moment() {
    let server = Server::start().await;
    for at in 0..5 {
        server.post(MAPS, &map(&format!("m{at}"))).await.ok();
    }
    let first = server.get(&format!("{MAPS}?limit=2")).await.ok();
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    server.post(MAPS, &map("m21")).await.ok();
    server.delete(&format!("{MAPS}/m3")).await.ok();
    let (mut names, mut page) = (Vec::new(), first.clone());
    loop {
        assert_eq!(page["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
        let items = page["items"].as_array().expect("items");
        names.extend(items.iter().map(|item| item["metadata"]["name"].as_str().unwrap_or("").to_owned()));
        let Some(token) = page["metadata"]["continue"].as_str() else { break };
        page = server.get(&format!("{MAPS}?limit=2&continue={token}")).await.ok();
    }
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4"]);
    server.get(&format!("{MAPS}?limit=2&continue=nonsense")).await.refused(400);
    server.get(&format!("{MAPS}?resourceVersion=1000000&resourceVersionMatch=Exact")).await.refused(504);
}

#[tokio::test]
async fn selectors_choose_what_is_listed() {
    let server = Server::start().await;
    for (name, app) in [("a", "web"), ("b", "api"), ("c", "web")] {
        let mut object = map(name);
        object["metadata"]["labels"] = json!({ "app": app });
        server.post(MAPS, &object).await.ok();
    }
    let names = async |query: &str| {
        let list = server.get(&format!("{MAPS}?{query}")).await.ok();
        let items = list["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(names("labelSelector=app%3Dweb").await, "a,c");
    assert_eq!(names("labelSelector=app+notin+%28web%29").await, "b");
    assert_eq!(names("fieldSelector=metadata.name%3Db").await, "b");
    assert_eq!(names("fieldSelector=metadata.name!%3Db&labelSelector=app").await, "a,c");
    server.get(&format!("{MAPS}?labelSelector=%3D")).await.refused(400);
    server.get(&format!("{MAPS}?fieldSelector=data.a%3Db")).await.refused(400);
    let gone = server.delete(&format!("{MAPS}?labelSelector=app%3Dweb")).await.ok();
    assert_eq!(gone["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(names("").await, "b");
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let server = Server::start().await;
    let before = server.store.revision();
    let made = server.post(&format!("{MAPS}?dryRun=All"), &map("a")).await.ok();
    assert!(made["metadata"]["uid"].is_string());
    assert_eq!(server.store.revision(), before);
    server.get(&format!("{MAPS}/a")).await.refused(404);
    server.post(MAPS, &map("a")).await.ok();
    server.post(&format!("{MAPS}?dryRun=All"), &map("a")).await.refused(409);
    server.patch(&format!("{MAPS}/a?dryRun=All"), MERGE, &json!({ "data": { "a": "z" } })).await.ok();
    server.delete(&format!("{MAPS}/a?dryRun=All")).await.ok();
    assert_eq!(server.get(&format!("{MAPS}/a")).await.ok()["data"]["a"], "b");
    server.post(&format!("{MAPS}?dryRun=Some"), &map("b")).await.refused(422);
}

#[tokio::test]
async fn a_strategic_patch_merges_ports_by_their_number() {
    let server = Server::start().await;
    let services = "/api/v1/namespaces/default/services";
    let ports = json!([{ "name": "a", "port": 80 }, { "name": "b", "port": 81 }]);
    let service = json!({ "metadata": { "name": "web" }, "spec": { "ports": ports } });
    server.post(services, &service).await.ok();
    let patch = json!({ "spec": { "ports": [{ "port": 81, "targetPort": 9000 }] } });
    let path = format!("{services}/web");
    let after = server.patch(&path, "application/strategic-merge-patch+json", &patch).await.ok();
    let brief: Vec<Value> = after["spec"]["ports"]
        .as_array()
        .expect("ports")
        .iter()
        .map(|port| json!([port["name"], port["port"], port["targetPort"]]))
        .collect();
    assert_eq!(brief, [json!(["a", 80, 80]), json!(["b", 81, 9000])]);
    let gone = json!({ "spec": { "ports": [{ "port": 80, "$patch": "delete" }] } });
    let after = server.patch(&path, "application/strategic-merge-patch+json", &gone).await.ok();
    assert_eq!(after["spec"]["ports"].as_array().map(Vec::len), Some(1));
    let test = json!([{ "op": "test", "path": "/spec/ports/0/port", "value": 1 }]);
    server.patch(&path, "application/json-patch+json", &test).await.refused(422);
    server.patch(&path, MERGE, &json!({ "metadata": { "name": "other" } })).await.refused(400);
}

#[tokio::test]
async fn secrets_take_text_and_check_their_type() {
    let server = Server::start().await;
    let secrets = "/api/v1/namespaces/default/secrets";
    let made = server.post(secrets, &json!({ "metadata": { "name": "s" }, "stringData": { "a": "b" } })).await.ok();
    assert_eq!((&made["data"]["a"], &made["type"], &made["stringData"]), (&json!("Yg=="), &json!("Opaque"), &Value::Null));
    let tls = json!({ "metadata": { "name": "t" }, "type": "kubernetes.io/tls", "data": {} });
    let status = server.post(secrets, &tls).await.refused(422);
    assert_eq!(status["details"]["causes"][0]["field"], "data[tls.crt]", "{status}");
    let list = server.get(&format!("{secrets}?fieldSelector=type%3DOpaque")).await.ok();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn events_are_one_set_of_objects_in_two_forms() {
    let server = Server::start().await;
    let event = json!({
        "metadata": { "name": "e" }, "involvedObject": { "kind": "Ingress", "name": "web", "namespace": "default" },
        "reason": "Broken", "message": "the regex does not compile", "type": "Warning", "count": 2,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    });
    server.post("/api/v1/namespaces/default/events", &event).await.ok();
    let new = server.get("/apis/events.k8s.io/v1/namespaces/default/events/e").await.ok();
    assert_eq!(new["apiVersion"], "events.k8s.io/v1");
    assert_eq!((&new["note"], &new["regarding"]["name"]), (&json!("the regex does not compile"), &json!("web")));
    assert_eq!(new["deprecatedCount"], 2);
    let query = "fieldSelector=involvedObject.name%3Dweb%2Creason%3DBroken";
    let list = server.get(&format!("/api/v1/namespaces/default/events?{query}")).await.ok();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    let patch = json!({ "metadata": { "labels": { "a": "b" } } });
    server.patch("/apis/events.k8s.io/v1/namespaces/default/events/e", MERGE, &patch).await.ok();
    let core = server.get("/api/v1/namespaces/default/events/e").await.ok();
    assert_eq!((&core["metadata"]["labels"]["a"], &core["note"]), (&json!("b"), &Value::Null));
    let patch = json!({ "message": "mended", "count": 3 });
    server.patch("/api/v1/namespaces/default/events/e", MERGE, &patch).await.ok();
    assert_eq!(server.get("/apis/events.k8s.io/v1/events").await.ok()["items"][0]["note"], "mended");
}

#[tokio::test]
async fn a_restart_finds_everything_and_keeps_the_authority() {
    let server = Server::start().await;
    let made = server.post(MAPS, &map("a")).await.ok();
    let ca = server.running.ca_certificate.clone();
    let Server { running, store, dir } = server;
    running.stop().await;
    store.close().await;
    let store = store::Store::open(dir.path()).expect("opens again");
    let mut options = apiserver::Options::new(dir.path());
    options.address = ([127, 0, 0, 1], 0).into();
    let running = apiserver::start(store.clone(), options).await.expect("starts again");
    let server = Server { running, store, dir };
    assert_eq!(server.running.ca_certificate, ca);
    assert_eq!(server.get(&format!("{MAPS}/a")).await.ok(), made);
}

#[tokio::test]
async fn a_service_that_changes_its_type_leaves_behind_what_belonged_to_it() {
    let server = Server::start().await;
    let path = "/api/v1/namespaces/default/services";
    for (name, to) in [("a", "NodePort"), ("b", "ClusterIP"), ("c", "ExternalName")] {
        let body = json!({ "metadata": { "name": name }, "spec": {
            "type": "LoadBalancer", "loadBalancerClass": "a.example/b", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30500,
            "clusterIP": "10.0.0.7", "ports": [{ "port": 80, "nodePort": 30080 }],
        } });
        server.post(path, &body).await.ok();
        let patch = json!({ "spec": { "type": to, "externalName": "a.example" } });
        let spec = server.patch(&format!("{path}/{name}"), "application/merge-patch+json", &patch).await.ok()["spec"].take();
        for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"] {
            assert!(spec.get(field).is_none(), "{to}: {spec}");
        }
        assert_eq!(spec["ports"][0]["nodePort"] == 30080, to == "NodePort", "{spec}");
        assert_eq!(spec.get("externalTrafficPolicy").is_some(), to == "NodePort", "{spec}");
        assert_eq!(spec.get("clusterIP").is_some(), to != "ExternalName", "{spec}");
    }
    // What the same request sets is judged, not dropped.
    let body = json!({ "metadata": { "name": "d" }, "spec": { "type": "NodePort", "ports": [{ "port": 80 }] } });
    server.post(path, &body).await.ok();
    let patch = json!({ "spec": { "type": "ClusterIP", "ports": [{ "port": 80, "nodePort": 30081 }] } });
    server.patch(&format!("{path}/d"), "application/merge-patch+json", &patch).await.refused(422);
}
