//! CustomResourceDefinitions and their objects.

use http::Method;
use serde_json::{Value, json};

use crate::client::Server;

pub fn definition(plural: &str, group: &str) -> Value {
    let kind = format!("Kind{plural}");
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": { "type": "integer", "minimum": 1 },
                    "color": { "type": "string", "default": "red", "enum": ["red", "blue"] },
                    "items": { "type": "array", "items": { "type": "object", "properties": { "n": { "type": "string" } } } },
                },
            },
            "status": { "type": "object", "properties": { "ready": { "type": "boolean" } } },
        },
    });
    let columns = json!([
        { "name": "Size", "type": "integer", "jsonPath": ".spec.size" },
        { "name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1 },
    ]);
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage, "schema": { "openAPIV3Schema": schema },
            "subresources": { "status": {} }, "additionalPrinterColumns": columns,
            "selectableFields": [{ "jsonPath": ".spec.color" }],
        })
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": { "plural": plural, "kind": kind, "shortNames": [format!("x{plural}")] },
            "versions": [version("v1alpha1", false), version("v1", true)],
        },
    })
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const THINGS: &str = "/apis/example.io/v1/namespaces/default/things";

fn thing(name: &str, spec: Value) -> Value {
    json!({ "apiVersion": "example.io/v1", "kind": "Kindthings", "metadata": { "name": name }, "spec": spec })
}

async fn with_things() -> Server {
    let server = Server::start().await;
    server.post(DEFINITIONS, &definition("things", "example.io")).await.ok();
    server
}

#[tokio::test]
async fn a_definition_is_served_at_once_and_says_so() {
    let server = Server::start().await;
    assert_eq!(server.get(THINGS).await.status, 404);
    let made = server.post(DEFINITIONS, &definition("things", "example.io")).await.ok();
    let conditions: Vec<(&str, &str)> = made["status"]["conditions"]
        .as_array()
        .expect("conditions")
        .iter()
        .map(|one| (one["type"].as_str().unwrap_or(""), one["status"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(conditions, [("NamesAccepted", "True"), ("Established", "True")]);
    assert_eq!(made["status"]["acceptedNames"]["listKind"], "KindthingsList");
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(server.get(THINGS).await.ok()["items"], json!([]));
    let group = server.get("/apis/example.io").await.ok();
    assert_eq!(group["preferredVersion"]["version"], "v1");
    let document = server.get("/openapi/v3/apis/example.io/v1").await.ok();
    assert!(document["components"]["schemas"]["io.example.v1.Kindthings"].is_object(), "{document}");
}

#[tokio::test]
async fn objects_are_defaulted_pruned_and_validated() {
    let server = with_things().await;
    let made = server.post(THINGS, &thing("a", json!({ "size": 3, "unknown": 1, "items": [{ "n": "x", "m": 1 }] }))).await;
    let warnings: Vec<_> = made.headers.get_all("warning").iter().map(|value| value.to_str().expect("text").to_owned()).collect();
    assert_eq!(warnings, [r#"299 - "unknown field \"spec.unknown\"""#, r#"299 - "unknown field \"spec.items[0].m\"""#]);
    let made = made.ok();
    assert_eq!(made["spec"], json!({ "size": 3, "items": [{ "n": "x" }], "color": "red" }));
    assert_eq!(made["metadata"]["generation"], 1);

    let strict = server.post(&format!("{THINGS}?fieldValidation=Strict"), &thing("b", json!({ "size": 3, "un": 1 }))).await;
    let message = strict.refused(400)["message"].clone();
    assert!(message.as_str().is_some_and(|text| text.contains(r#"strict decoding error: unknown field "spec.un""#)), "{message}");

    let status = server.post(THINGS, &thing("b", json!({ "size": 0, "color": "green" }))).await.refused(422);
    assert_eq!(status["details"]["causes"].as_array().map(Vec::len), Some(2), "{status}");
    let status = server.post(THINGS, &thing("b", json!({}))).await.refused(422);
    assert_eq!(status["message"], "Kindthings.example.io \"b\" is invalid: spec.size: Required value");
    assert_eq!(status["details"]["kind"], "Kindthings");
    server.post(THINGS, &thing("Not_a_name", json!({ "size": 1 }))).await.refused(422);
}

#[tokio::test]
async fn status_is_apart_and_generation_counts_intent() {
    let server = with_things().await;
    let mut object = thing("a", json!({ "size": 1 }));
    object["status"] = json!({ "ready": true });
    let made = server.post(THINGS, &object).await.ok();
    assert_eq!(made["status"], Value::Null);
    let path = format!("{THINGS}/a");
    let merge = "application/merge-patch+json";
    let ready = json!({ "spec": { "size": 9 }, "status": { "ready": true } });
    let after = server.patch(&format!("{path}/status"), merge, &ready).await.ok();
    assert_eq!((&after["status"]["ready"], &after["spec"]["size"]), (&json!(true), &json!(1)));
    assert_eq!(after["metadata"]["generation"], 1);
    let after = server.patch(&path, merge, &json!({ "spec": { "size": 2 }, "status": { "ready": false } })).await.ok();
    assert_eq!((&after["status"]["ready"], &after["spec"]["size"]), (&json!(true), &json!(2)));
    assert_eq!(after["metadata"]["generation"], 2);
    let labels = server.patch(&path, merge, &json!({ "metadata": { "labels": { "a": "b" } } })).await.ok();
    assert_eq!(labels["metadata"]["generation"], 2);
    let again = server.patch(&path, merge, &json!({ "metadata": { "labels": { "a": "b" } } })).await.ok();
    assert_eq!(again["metadata"]["resourceVersion"], labels["metadata"]["resourceVersion"], "nothing changed, nothing is written");
}

#[tokio::test]
async fn one_object_is_served_in_every_version() {
    let server = with_things().await;
    server.post(THINGS, &thing("a", json!({ "size": 1 }))).await.ok();
    let other = server.get("/apis/example.io/v1alpha1/namespaces/default/things/a").await.ok();
    assert_eq!(other["apiVersion"], "example.io/v1alpha1");
    let list = server.get("/apis/example.io/v1alpha1/things").await.ok();
    assert_eq!(list["items"][0]["apiVersion"], "example.io/v1alpha1");
    assert_eq!(list["items"][0]["metadata"]["resourceVersion"], other["metadata"]["resourceVersion"]);
}

#[tokio::test]
async fn columns_and_selectable_fields_are_the_definitions() {
    let server = with_things().await;
    server.post(THINGS, &thing("a", json!({ "size": 1 }))).await.ok();
    server.post(THINGS, &thing("b", json!({ "size": 2, "color": "blue" }))).await.ok();
    let table = server.get_as(THINGS, "application/json;as=Table;v=v1;g=meta.k8s.io").await.ok();
    let names: Vec<&str> =
        table["columnDefinitions"].as_array().expect("columns").iter().filter_map(|column| column["name"].as_str()).collect();
    assert_eq!(names, ["Name", "Size", "Color"]);
    assert_eq!(table["rows"][1]["cells"], json!(["b", 2, "blue"]));
    let list = server.get(&format!("{THINGS}?fieldSelector=spec.color%3Dblue")).await.ok();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    server.get(&format!("{THINGS}?fieldSelector=spec.size%3D1")).await.refused(400);
}

#[tokio::test]
async fn a_definition_that_goes_takes_its_objects_along() {
    let server = with_things().await;
    server.post(THINGS, &thing("a", json!({ "size": 1 }))).await.ok();
    let path = format!("{DEFINITIONS}/things.example.io");
    let mut watch = server.watch(&format!("{DEFINITIONS}?watch=true&fieldSelector=metadata.name%3Dthings.example.io")).await;
    assert_eq!(watch.brief().await.0, "ADDED");
    let mut held = thing("held", json!({ "size": 1 }));
    held["metadata"]["finalizers"] = json!(["example.io/wait"]);
    server.post(THINGS, &held).await.ok();
    server.delete(&path).await.ok();
    server.post(THINGS, &thing("late", json!({ "size": 1 }))).await.refused(405);
    let release = json!({ "metadata": { "finalizers": null } });
    server.patch(&format!("{THINGS}/held"), "application/merge-patch+json", &release).await.ok();
    while watch.brief().await.0 != "DELETED" {}
    server.get(&path).await.refused(404);
    assert_eq!(server.get(THINGS).await.status, 404);
    server.post(DEFINITIONS, &definition("things", "example.io")).await.ok();
    assert_eq!(server.get(THINGS).await.ok()["items"], json!([]), "the old objects are gone");
}

#[tokio::test]
async fn a_definition_with_a_broken_schema_is_refused_with_its_place() {
    let server = Server::start().await;
    let mut broken = definition("things", "example.io");
    broken["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"] = json!("thing");
    let status = server.call(Method::POST, DEFINITIONS, &broken).await.refused(422);
    let field = status["details"]["causes"][0]["field"].as_str().unwrap_or("").to_owned();
    assert!(field.starts_with("spec.versions[1].schema.openAPIV3Schema"), "{status}");
    assert_eq!(status["details"]["causes"].as_array().map(Vec::len), Some(1), "said once: {status}");
}

#[tokio::test]
async fn a_definition_with_names_that_another_has_is_refused() {
    let server = with_things().await;
    let mut other = definition("others", "example.io");
    other["spec"]["names"]["kind"] = json!("Kindthings");
    other["spec"]["names"]["shortNames"] = json!(["xothers", "xthings"]);
    let status = server.post(DEFINITIONS, &other).await.refused(422);
    let causes = status["details"]["causes"].as_array().expect("causes");
    let fields: Vec<_> = causes.iter().filter_map(|cause| cause["field"].as_str()).collect();
    assert_eq!(fields, ["spec.names.singular", "spec.names.kind", "spec.names.listKind", "spec.names.shortNames[1]"], "{status}");
    server.post(DEFINITIONS, &definition("things", "other.example")).await.ok();
}

#[tokio::test]
async fn objects_are_applied_from_the_server_in_any_version() {
    let server = with_things().await;
    let path = format!("{THINGS}/a");
    let apply = async |path: &str, manager: &str, config: &Value| {
        server.patch(&format!("{path}?fieldManager={manager}"), "application/apply-patch+yaml", config).await
    };
    let made = apply(&path, "one", &thing("a", json!({ "size": 1, "items": [{ "n": "x" }] }))).await;
    assert_eq!((made.status.as_u16(), &made.ok()["spec"]["color"]), (201, &json!("red")));
    // A default belongs to nobody.
    let blue = apply(&path, "two", &thing("a", json!({ "color": "blue" }))).await.ok();
    assert_eq!((&blue["spec"]["color"], &blue["metadata"]["generation"]), (&json!("blue"), &json!(2)));
    let refused = apply(&path, "two", &thing("a", json!({ "items": [] }))).await.refused(409);
    assert_eq!(refused["details"]["causes"][0]["field"], ".spec.items");
    apply(&path, "two", &thing("a", json!({ "sise": 1 }))).await.refused(400);
    apply(&path, "two&force=true", &thing("a", json!({ "size": 0 }))).await.refused(422);
    // The same manager in another version gives up what it had in the first.
    let mut alpha = thing("a", json!({ "size": 1 }));
    alpha["apiVersion"] = "example.io/v1alpha1".into();
    let left = apply(&path.replace("/v1/", "/v1alpha1/"), "one", &alpha).await.ok();
    assert_eq!(left["spec"], json!({ "size": 1, "color": "blue" }));
    let entries = left["metadata"]["managedFields"].as_array().map(Vec::len);
    assert_eq!(entries, Some(2), "{left}");
    let ready = json!({ "apiVersion": "example.io/v1", "kind": "Kindthings", "status": { "ready": true } });
    assert_eq!(apply(&format!("{path}/status"), "one", &ready).await.ok()["status"]["ready"], true);
}
