//! Watches: where they begin, what they tell, how they end.

use serde_json::{Value, json};

use crate::client::Server;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const MERGE: &str = "application/merge-patch+json";

async fn make(server: &Server, name: &str, app: &str) -> Value {
    let object = json!({ "metadata": { "name": name, "labels": { "app": app } } });
    server.post(MAPS, &object).await.ok()
}

fn event(kind: &str, name: &str) -> (String, String) {
    (kind.into(), name.into())
}

#[tokio::test]
async fn a_watch_from_a_list_misses_nothing() {
    let server = Server::start().await;
    make(&server, "a", "x").await;
    let list = server.get(MAPS).await.ok();
    let from = list["metadata"]["resourceVersion"].as_str().expect("a revision");
    make(&server, "b", "x").await;
    let mut watch = server.watch(&format!("{MAPS}?watch=true&resourceVersion={from}")).await;
    assert_eq!(watch.brief().await, event("ADDED", "b"));
    server.patch(&format!("{MAPS}/b"), MERGE, &json!({ "data": { "a": "b" } })).await.ok();
    assert_eq!(watch.brief().await, event("MODIFIED", "b"));
    server.post("/api/v1/namespaces/kube-system/configmaps", &json!({ "metadata": { "name": "elsewhere" } })).await.ok();
    server.delete(&format!("{MAPS}/a")).await.ok();
    let last = watch.next().await.expect("an event");
    assert_eq!((&last["type"], &last["object"]["metadata"]["name"]), (&json!("DELETED"), &json!("a")));
    let revision: u64 = last["object"]["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok()).expect("a number");
    assert_eq!(revision, server.store.revision(), "a deletion has the revision at which it happened");
}

#[tokio::test]
async fn what_enters_or_leaves_a_selector_is_added_or_deleted() {
    let server = Server::start().await;
    make(&server, "a", "web").await;
    make(&server, "b", "api").await;
    let mut watch = server.watch(&format!("{MAPS}?watch=1&labelSelector=app%3Dweb")).await;
    assert_eq!(watch.brief().await, event("ADDED", "a"));
    let label = |app: &str| json!({ "metadata": { "labels": { "app": app } } });
    server.patch(&format!("{MAPS}/b"), MERGE, &label("web")).await.ok();
    assert_eq!(watch.brief().await, event("ADDED", "b"));
    server.patch(&format!("{MAPS}/a"), MERGE, &label("other")).await.ok();
    let left = watch.next().await.expect("an event");
    assert_eq!((&left["type"], &left["object"]["metadata"]["labels"]["app"]), (&json!("DELETED"), &json!("web")));
    server.delete(&format!("{MAPS}/a")).await.ok();
    server.delete(&format!("{MAPS}/b")).await.ok();
    assert_eq!(watch.brief().await, event("DELETED", "b"));
}

#[tokio::test]
async fn the_end_of_the_first_state_is_marked_where_asked() {
    let server = Server::start().await;
    make(&server, "a", "x").await;
    let query = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    let mut watch = server.watch(&format!("{MAPS}?{query}")).await;
    assert_eq!(watch.brief().await, event("ADDED", "a"));
    let mark = watch.next().await.expect("a bookmark");
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(mark["object"]["kind"], "ConfigMap");
    server.get(&format!("{MAPS}?watch=true&sendInitialEvents=true")).await.refused(422);
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let server = Server::start().await;
    make(&server, "a", "x").await;
    let mut watch = server.watch(&format!("{MAPS}?watch=true&timeoutSeconds=1")).await;
    assert_eq!(watch.brief().await, event("ADDED", "a"));
    assert_eq!(watch.next().await, None);
}

#[tokio::test]
async fn a_revision_that_is_gone_or_unknown_makes_the_client_list_again() {
    let server = Server::start().await;
    let mut watch = server.watch(&format!("{MAPS}?watch=true&resourceVersion=1000000")).await;
    let error = watch.next().await.expect("an error");
    assert_eq!((&error["type"], &error["object"]["code"], &error["object"]["reason"]), (&json!("ERROR"), &json!(410), &json!("Expired")));
    assert_eq!(watch.next().await, None);
    server.get(&format!("{MAPS}?watch=true&resourceVersion=x")).await.refused(400);
}

/// One that is not read falls off the end of what is kept, and is told; it takes no memory, and nobody waits for it.
#[tokio::test]
async fn a_watch_that_is_not_read_blocks_nobody() {
    let server = Server::start().await;
    make(&server, "a", "x").await;
    let from = format!("{MAPS}?watch=true&resourceVersion={}", server.store.revision());
    let (mut slow, mut quick) = (server.watch(&from).await, server.watch(&from).await);
    let (key, stored) = server.store.list("").1.into_iter().find(|(key, _)| key.ends_with("configmaps/default/a")).expect("it is stored");
    let mut object: Value = serde_json::from_slice(&stored.bytes).expect("JSON");
    // Far more than the store keeps, and than sockets hold.
    for round in 0..200 {
        object["data"] = json!({ "round": round.to_string(), "padding": "x".repeat(500_000) });
        let op = store::Op::put(&*key, store::Expect::Anything, object.to_string().into_bytes());
        server.store.write(vec![op]).await.expect("written");
        let event = quick.next().await.expect("an event");
        assert_eq!(event["object"]["data"]["round"], round.to_string());
    }
    let mut events = 0;
    let told = loop {
        let event = slow.next().await.expect("it is told why it ends");
        if event["type"] == "ERROR" {
            break event;
        }
        assert_eq!(event["object"]["data"]["round"], events.to_string(), "none is left out before");
        events += 1;
    };
    assert_eq!((&told["object"]["code"], &told["object"]["reason"]), (&json!(410), &json!("Expired")));
    assert!(events < 200 && slow.next().await.is_none());
}

#[tokio::test]
async fn tables_are_watched_as_rows() {
    let server = Server::start().await;
    make(&server, "a", "x").await;
    make(&server, "b", "x").await;
    let mut request = crate::client::request(http::Method::GET, &format!("{MAPS}?watch=true&timeoutSeconds=1"), "", "");
    request.headers_mut().insert("accept", "application/json;as=Table;v=v1;g=meta.k8s.io".parse().expect("a header"));
    let answer = server.ask(request).await;
    let text = String::from_utf8(answer.bytes.to_vec()).expect("text");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["object"]["columnDefinitions"][0]["name"], "Name");
    assert_eq!(events[1]["object"]["columnDefinitions"], Value::Null);
    assert_eq!(events[1]["object"]["rows"][0]["cells"][0], "b");
}

#[tokio::test]
async fn watches_end_when_the_server_stops() {
    let server = Server::start().await;
    let mut watch = server.watch(&format!("{MAPS}?watch=true&resourceVersion=2")).await;
    let Server { running, store, dir: _dir } = server;
    running.stop().await;
    drop(store);
    while watch.next().await.is_some() {}
}
