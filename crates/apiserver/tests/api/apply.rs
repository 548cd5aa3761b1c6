//! Server-side apply over HTTP: options, answers, managers of every kind of write.

use serde_json::{Value, json};

use crate::client::{Answer, Server};

const APPLY: &str = "application/apply-patch+yaml";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": data })
}

async fn apply(server: &Server, path: &str, query: &str, config: &Value) -> Answer {
    server.patch(&format!("{path}?{query}"), APPLY, config).await
}

/// `manager operation subresource: fields`, line by line.
fn managers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("").to_owned();
    let line = |entry: &Value| format!("{} {} {}", text(entry, "manager"), text(entry, "operation"), entry["fieldsV1"]);
    assert!(list.iter().all(|entry| entry["fieldsType"] == "FieldsV1" && entry["time"].is_string()), "{list:?}");
    list.iter().map(line).collect()
}

#[tokio::test]
async fn an_object_is_made_changed_and_left_alone() {
    let server = Server::start().await;
    let path = format!("{MAPS}/a");
    let dry = apply(&server, &path, "fieldManager=one&dryRun=All", &map(&json!({ "x": "1" }))).await;
    assert_eq!((dry.status.as_u16(), dry.ok()["data"].take()), (201, json!({ "x": "1" })));
    server.get(&path).await.refused(404);
    let made = apply(&server, &path, "fieldManager=one", &map(&json!({ "x": "1" }))).await;
    assert_eq!(made.status.as_u16(), 201);
    assert_eq!(managers(&made.ok()), [r#"one Apply {"f:data":{"f:x":{}}}"#]);
    // The same again is no write, whenever it comes.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let again = apply(&server, &path, "fieldManager=one", &map(&json!({ "x": "1" }))).await;
    assert_eq!((again.status.as_u16(), again.ok()), (200, made.ok()));
    let conflict = apply(&server, &path, "fieldManager=two", &map(&json!({ "x": "2", "y": "2" }))).await.refused(409);
    assert_eq!(conflict["reason"], "Conflict");
    assert_eq!(conflict["message"], r#"Apply failed with 1 conflict: conflict with "one": .data.x"#);
    let cause = json!({ "reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".data.x" });
    assert_eq!(conflict["details"]["causes"], json!([cause]));
    let forced = apply(&server, &path, "fieldManager=two&force=true", &map(&json!({ "x": "2", "y": "2" }))).await.ok();
    assert_eq!(managers(&forced), [r#"two Apply {"f:data":{"f:x":{},"f:y":{}}}"#]);
    let less = apply(&server, &path, "fieldManager=two", &map(&json!({ "y": "2" }))).await.ok();
    assert_eq!(less["data"], json!({ "y": "2" }));
}

#[tokio::test]
async fn creates_updates_and_patches_are_their_writers() {
    let server = Server::start().await;
    let path = format!("{MAPS}/a");
    let made = server.post(&format!("{MAPS}?fieldManager=maker"), &map(&json!({ "x": "1" }))).await.ok();
    assert_eq!(managers(&made), [r#"maker Update {"f:data":{".":{},"f:x":{}}}"#]);
    let merge = "application/merge-patch+json";
    let patched = server.patch(&format!("{path}?fieldManager=patcher"), merge, &json!({ "data": { "x": "2" } })).await.ok();
    let expect = [r#"maker Update {"f:data":{}}"#, r#"patcher Update {"f:data":{"f:x":{}}}"#];
    assert_eq!(managers(&patched), expect);
    // Who does not know managers does not lose them; who clears them does.
    let mut whole = patched.clone();
    whole["metadata"].as_object_mut().expect("metadata").remove("managedFields");
    assert_eq!(managers(&server.put(&format!("{path}?fieldManager=other"), &whole).await.ok()), expect);
    let clear = json!([{ "op": "replace", "path": "/metadata/managedFields", "value": [{}] }]);
    let cleared = server.patch(&path, "application/json-patch+json", &clear).await.ok();
    assert_eq!(managers(&cleared), [""; 0]);
    // From then on the first apply finds what was there before.
    let refused = apply(&server, &path, "fieldManager=one", &map(&json!({ "x": "3" }))).await.refused(409);
    let message = refused["message"].as_str().expect("a message");
    assert_eq!(message, r#"Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x"#);
    // Without a name the program is the manager.
    let mut request = crate::client::request(http::Method::PATCH, &path, merge, r#"{"data":{"z":"1"}}"#);
    request.headers_mut().insert("user-agent", "tool/1.0 (linux)".parse().expect("a header"));
    assert!(managers(&server.ask(request).await.ok()).contains(&r#"tool Update {"f:data":{"f:z":{}}}"#.to_owned()));
}

#[tokio::test]
async fn ports_of_a_service_are_held_one_by_one_and_its_status_apart() {
    let server = Server::start().await;
    let path = "/api/v1/namespaces/default/services/a";
    let service = |ports: Value| json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "a" }, "spec": { "type": "LoadBalancer", "ports": ports } });
    apply(&server, path, "fieldManager=one", &service(json!([{ "name": "a", "port": 80 }]))).await.ok();
    let both = apply(&server, path, "fieldManager=two", &service(json!([{ "name": "b", "port": 81 }]))).await.ok();
    assert_eq!(both["spec"]["ports"].as_array().map(Vec::len), Some(2));
    let status = json!({ "apiVersion": "v1", "kind": "Service", "spec": { "type": "NodePort" },
        "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } } });
    let set = apply(&server, &format!("{path}/status"), "fieldManager=lb", &status).await.ok();
    assert_eq!((&set["spec"]["type"], &set["status"]["loadBalancer"]["ingress"][0]["ip"]), (&json!("LoadBalancer"), &json!("10.0.0.1")));
    let entry = set["metadata"]["managedFields"].as_array().and_then(|list| list.iter().find(|entry| entry["manager"] == "lb")).cloned();
    let entry = entry.expect("an entry");
    assert_eq!(
        (&entry["subresource"], &entry["fieldsV1"]),
        (&json!("status"), &json!({ "f:status": { "f:loadBalancer": { "f:ingress": {} } } }))
    );
    let refused = apply(&server, path, "fieldManager=two", &service(json!([{ "name": "c", "port": 80 }]))).await.refused(409);
    assert_eq!(refused["details"]["causes"][0]["field"], r#".spec.ports[port=80,protocol="TCP"].name"#);
    let left = apply(&server, path, "fieldManager=one", &json!({ "apiVersion": "v1", "kind": "Service", "spec": {} })).await.ok();
    assert_eq!(left["spec"]["ports"].as_array().map(Vec::len), Some(1), "{left}");
    server.get("/api/v1/namespaces/default/services/none/status").await.refused(404);
    apply(&server, "/api/v1/namespaces/default/services/none/status", "fieldManager=lb", &status).await.refused(404);
}

#[tokio::test]
async fn what_is_no_apply_is_refused() {
    let server = Server::start().await;
    let path = format!("{MAPS}/a");
    let good = map(&json!({ "x": "1" }));
    let check = |query: &'static str, config: Value, code: u16, message: &'static str| {
        let (server, path) = (&server, &path);
        async move {
            let status = apply(server, path, query, &config).await.refused(code);
            assert_eq!(status["message"], message);
        }
    };
    check("", good.clone(), 422, "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch")
        .await;
    let unknown = "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .dta: field not declared in schema";
    let mut config = good.clone();
    config["dta"] = json!({});
    check("fieldManager=one", config, 400, unknown).await;
    let mut config = good.clone();
    config["metadata"]["name"] = "b".into();
    check("fieldManager=one", config, 400, "the name of the object (b) does not match the name on the URL (a)").await;
    let mut config = good.clone();
    config["metadata"]["managedFields"] = json!([{ "manager": "x" }]);
    check("fieldManager=one", config, 400, "metadata.managedFields must be nil").await;
    let mut config = good.clone();
    config.as_object_mut().expect("an object").remove("kind");
    check("fieldManager=one", config, 400, "invalid object type: /v1, Kind=").await;
    let mut config = good.clone();
    config["metadata"]["resourceVersion"] = "1".into();
    apply(&server, &path, "fieldManager=one", &config).await.ok();
    apply(&server, &path, "fieldManager=one", &good).await.ok();
    apply(&server, &path, "fieldManager=one", &config).await.refused(409);
    let forced = server.patch(&format!("{path}?force=true"), "application/merge-patch+json", &json!({})).await.refused(422);
    assert_eq!(forced["details"]["causes"][0]["field"], "force");
    let long = "x".repeat(129);
    server.post(&format!("{MAPS}?fieldManager={long}"), &good).await.refused(422);
}

#[tokio::test]
async fn both_forms_of_an_event_have_the_same_managers() {
    let server = Server::start().await;
    let path = "namespaces/default/events/a";
    let config = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "a.example/b",
        "reportingInstance": "i", "action": "A", "reason": "R", "type": "Normal", "note": "n", "regarding": { "kind": "ConfigMap", "name": "a", "namespace": "default" },
    });
    let made = apply(&server, &format!("/apis/events.k8s.io/v1/{path}"), "fieldManager=one", &config).await.ok();
    assert!(managers(&made)[0].contains("f:note"), "{made}");
    let core = json!({ "apiVersion": "v1", "kind": "Event", "message": "m" });
    let refused = apply(&server, &format!("/api/v1/{path}"), "fieldManager=two", &core).await.refused(409);
    assert_eq!(refused["details"]["causes"][0]["field"], ".message");
}
