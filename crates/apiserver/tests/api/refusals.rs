//! What is refused, and in which words.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use apiserver::{Admit, Cause, Verb};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Server, request};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test]
async fn who_has_no_certificate_may_ask_for_health_and_version_only() {
    let server = Server::start().await;
    for (path, expect) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/healthz", 200),
        ("/version", 200),
        ("/api/v1/namespaces", 401),
        ("/apis", 401),
        ("/openapi/v3", 401),
        ("/", 401),
    ] {
        let answer = Answer::read(server.send(request(Method::GET, path, "", ""), false).await).await;
        assert_eq!(answer.status, expect, "{path}");
        if expect == 401 {
            assert_eq!(answer.refused(401)["reason"], "Unauthorized");
        }
    }
    let file = &server.running.kubeconfig_path;
    let mode = std::fs::metadata(file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the kubeconfig holds a key");
    for name in ["pki/ca.key", "store.redb"] {
        let mode = std::fs::metadata(server.dir.path().join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_is_missing_or_there_already() {
    let server = Server::start().await;
    let status = server.get(&format!("{MAPS}/none")).await.refused(404);
    assert_eq!(
        status,
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "configmaps \"none\" not found", "reason": "NotFound",
            "details": { "name": "none", "kind": "configmaps" }, "code": 404,
        })
    );
    let status = server.get("/apis/networking.k8s.io/v1/namespaces/default/ingresses/none").await.refused(404);
    assert_eq!(status["message"], "ingresses.networking.k8s.io \"none\" not found");
    assert_eq!(status["details"], json!({ "name": "none", "group": "networking.k8s.io", "kind": "ingresses" }));
    let map = json!({ "metadata": { "name": "a" } });
    server.post(MAPS, &map).await.ok();
    let status = server.post(MAPS, &map).await.refused(409);
    assert_eq!((&status["reason"], &status["message"]), (&json!("AlreadyExists"), &json!("configmaps \"a\" already exists")));
    let status = server.post("/api/v1/namespaces/none/configmaps", &map).await.refused(404);
    assert_eq!(status["message"], "namespaces \"none\" not found");
    server.put(&format!("{MAPS}/none"), &json!({ "metadata": { "name": "none" } })).await.refused(404);
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let server = Server::start().await;
    let send = async |media_type: &str, body: &str| server.ask(request(Method::POST, MAPS, media_type, body)).await;
    send("application/json", "{").await.refused(400);
    send("application/json", "[]").await.refused(400);
    send("application/json", "").await.refused(400);
    send("application/yaml", "a: [").await.refused(400);
    send("text/plain", "{}").await.refused(415);
    send("application/vnd.kubernetes.protobuf", "k8s").await.refused(400);
    send("application/json", r#"{"metadata":"a"}"#).await.refused(400);
    send("application/json", r#"{"metadata":{"name":1}}"#).await.refused(400);
    let status = send("application/json", r#"{"metadata":{"name":"a"},"data":{"x":1}}"#).await.refused(400);
    let message = status["message"].as_str().expect("a message");
    assert!(message.starts_with("ConfigMap in version \"v1\" cannot be handled as a ConfigMap: data.x: "), "{message}");
    send("application/json", "{}").await.refused(422);
    send("application/json", r#"{"apiVersion":"v2","metadata":{"name":"a"}}"#).await.refused(400);
    send("application/json", r#"{"kind":"Secret","metadata":{"name":"a"}}"#).await.refused(400);
    send("application/json", r#"{"metadata":{"name":"a","namespace":"other"}}"#).await.refused(400);
    send("application/json", r#"{"metadata":{"name":"a","resourceVersion":"1"}}"#).await.refused(400);
    send("application/json", r#"{"metadata":{"name":"A_"}}"#).await.refused(422);
    send("application/yaml", "metadata: {name: fine}\ndata: {a: b}\n").await.ok();
    let big = format!(r#"{{"metadata":{{"name":"a"}},"data":{{"x":"{}"}}}}"#, "y".repeat(4 << 20));
    send("application/json", &big).await.refused(413);
    let big = format!(r#"{{"metadata":{{"name":"a"}},"data":{{"x":"{}"}}}}"#, "y".repeat(2 << 20));
    let answer = send("application/json", &big).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

#[tokio::test]
async fn fields_that_come_twice_or_are_unknown() {
    let server = Server::start().await;
    let body = r#"{"metadata":{"name":"a"},"data":{"x":"1","x":"2"},"extra":1}"#;
    let path = |level: &str| format!("{MAPS}?fieldValidation={level}");
    let send = async |level: &str| server.ask(request(Method::POST, &path(level), "application/json", body)).await;
    let status = send("Strict").await.refused(400);
    assert_eq!(
        status["message"],
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: \
         duplicate field \"data.x\", unknown field \"extra\""
    );
    send("Sometimes").await.refused(422);
    let answer = send("Warn").await;
    assert_eq!(answer.headers.get_all("warning").iter().count(), 2);
    assert_eq!(answer.ok()["data"]["x"], "2");
    server.delete(&format!("{MAPS}/a")).await.ok();
    assert_eq!(send("Ignore").await.headers.get("warning"), None);
}

#[tokio::test]
async fn answers_that_the_client_would_not_take() {
    let server = Server::start().await;
    // A table, and a kind of a definition, have no messages; who takes nothing else is told in a message all the same.
    let protobuf = "application/vnd.kubernetes.protobuf";
    let classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
    for (path, accept) in [(MAPS, format!("{protobuf};as=Table;v=v1;g=meta.k8s.io").as_str()), (classes, protobuf)] {
        assert_eq!(server.get_as(path, accept).await.status, 406, "{path} {accept}");
    }
    let status = server.get_as(MAPS, "text/html").await.refused(406);
    assert_eq!(status["reason"], "NotAcceptable");
    let maps = server.get_as(MAPS, protobuf).await;
    assert_eq!((maps.status.as_u16(), &maps.headers["content-type"]), (200, &http::HeaderValue::from_static(protobuf)));
    let told = server.get_as(&format!("{MAPS}/none"), protobuf).await;
    assert_eq!((told.status.as_u16(), &told.headers["content-type"]), (404, &http::HeaderValue::from_static(protobuf)));
    server.get_as("/openapi/v3/api/v1", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf").await.refused(406);
    let yaml = server.get_as(MAPS, "application/yaml").await;
    assert_eq!(yaml.headers["content-type"], "application/yaml");
    assert!(String::from_utf8_lossy(&yaml.bytes).contains("kind: ConfigMapList"));
    let metadata = server.get_as("/api/v1/namespaces", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").await.ok();
    assert_eq!(metadata["kind"], "PartialObjectMetadataList");
    assert_eq!(metadata["items"][0]["metadata"]["name"], "default");
}

#[tokio::test]
async fn the_embedder_may_refuse_and_warn() {
    let admit: Admit = Arc::new(|review| {
        let words = review.new.and_then(|new| new["data"]["say"].as_str()).unwrap_or("");
        match (review.verb, words) {
            (Verb::Delete, _) => {
                Err(vec![Cause { reason: "FieldValueForbidden".into(), message: "Forbidden: never".into(), field: "metadata.name".into() }])
            }
            (_, "no") => {
                Err(vec![Cause { reason: "FieldValueInvalid".into(), message: "Invalid value: \"no\"".into(), field: "data[say]".into() }])
            }
            (_, "hm") => Ok(vec![format!("{}/{} says hm", review.namespace, review.name)]),
            _ => Ok(Vec::new()),
        }
    });
    let server = Server::start_with(Some(admit)).await;
    let map = |say: &str| json!({ "metadata": { "name": "a" }, "data": { "say": say } });
    let status = server.post(MAPS, &map("no")).await.refused(422);
    assert_eq!(status["message"], "ConfigMap \"a\" is invalid: data[say]: Invalid value: \"no\"");
    let made = server.post(MAPS, &map("hm")).await;
    assert_eq!(made.headers["warning"], "299 - \"default/a says hm\"");
    made.ok();
    server.put(&format!("{MAPS}/a"), &map("no")).await.refused(422);
    server.patch(&format!("{MAPS}/a"), "application/merge-patch+json", &json!({ "data": { "say": "no" } })).await.refused(422);
    server.delete(&format!("{MAPS}/a")).await.refused(422);
    assert_eq!(server.get(&format!("{MAPS}/a")).await.ok()["data"]["say"], "hm");
}

#[tokio::test]
async fn who_asks_is_told_who_they_are() {
    let server = Server::start().await;
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let answer = server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await.ok();
    assert_eq!(answer["status"]["userInfo"]["groups"][0], "system:masters");
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let spec = json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "services" } } });
    let answer = server.post(path, &spec).await.ok();
    assert_eq!((&answer["status"]["allowed"], &answer["spec"]), (&json!(true), &spec["spec"]));
    server.get(path).await.refused(405);
}

#[tokio::test]
async fn discovery_has_the_groups_in_their_order_in_both_forms() {
    let server = Server::start().await;
    for group in ["gateway.kubesphere.io", "a.example"] {
        let definition = crate::custom::definition("gateways", group);
        server.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await.ok();
    }
    // Kubernetes keeps *.k8s.io for itself unless an annotation says that it was approved.
    let definition = crate::custom::definition("gateways", "a.k8s.io");
    server.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).await.refused(422);
    let names =
        |list: &Value| list.as_array().expect("a list").iter().map(|one| one["name"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>();
    let legacy = names(&server.get("/apis").await.ok()["groups"]);
    let expect = [
        "apps",
        "networking.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "coordination.k8s.io",
        "rbac.authorization.k8s.io",
        "apiextensions.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "networking.istio.io",
        "gateway.networking.k8s.io",
        "gateway.kubesphere.io",
        "a.example",
        "paifang.dev",
    ];
    assert_eq!(legacy, expect);
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let answer = server.get_as("/apis", accept).await;
    assert_eq!(answer.headers["content-type"], accept);
    let aggregated: Vec<Value> = answer.ok()["items"].as_array().expect("items").iter().map(|one| one["metadata"].clone()).collect();
    assert_eq!(names(&Value::Array(aggregated)), expect);
    let core = server.get_as("/api", accept).await.ok();
    assert_eq!(core["items"][0]["versions"][0]["version"], "v1");
    let index = server.get("/openapi/v3").await.ok();
    for (place, entry) in index["paths"].as_object().expect("paths") {
        let url = entry["serverRelativeURL"].as_str().expect("an address");
        assert!(server.get(url).await.ok()["components"].is_object(), "{place}");
    }
    assert_eq!(server.get("/openapi/v2").await.ok()["swagger"], "2.0");
}
