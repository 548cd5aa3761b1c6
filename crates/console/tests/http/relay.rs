//! The Kubernetes API in the place of who is signed in.

use crate::world::{Browser, PATIENCE, World};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::{Value, json};

const WATCH: &str = "/api/v1/namespaces/shop/configmaps?watch=1";

async fn watch(world: &World, browser: &Browser) -> Incoming {
    let request = browser.on(world.request("GET", WATCH)).body(Default::default()).expect("a request");
    let answer = world.raw(request).await;
    assert_eq!(answer.status(), 200);
    answer.into_body()
}

/// The next lines, or none at the end.
async fn next(body: &mut Incoming) -> Option<Vec<Value>> {
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("in time")?;
        let Ok(frame) = frame else { return None };
        let Some(data) = frame.data_ref() else { continue };
        let lines = String::from_utf8_lossy(data).into_owned();
        return Some(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect());
    }
}

async fn until_end(body: &mut Incoming) -> Vec<Value> {
    let mut all = Vec::new();
    while let Some(lines) = next(body).await {
        all.extend(lines);
    }
    all
}

fn map(name: &str) -> Value {
    json!({ "kind": "ConfigMap", "metadata": { "name": name } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_each_change_as_it_comes() {
    let world = World::start().await;
    let vic = world.browser("vic").await;
    let mut body = watch(&world, &vic).await;
    for name in ["one", "two"] {
        world.put("v1", "shop", map(name)).await;
        let seen = loop {
            let lines = next(&mut body).await.expect("it goes on");
            if let Some(line) = lines.into_iter().find(|line| line["object"]["metadata"]["name"] == name) {
                break line;
            }
        };
        assert_eq!(seen["type"], "ADDED");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_right_and_with_the_session() {
    let world = World::start().await;
    world.put("v1", "shop", map("one")).await;
    // The session ends.
    let vic = world.browser("vic").await;
    let mut body = watch(&world, &vic).await;
    next(&mut body).await.expect("it begins");
    assert_eq!(world.post(&vic, "/console/logout", &json!({})).await.status, 204);
    until_end(&mut body).await;
    // The user may not sign in any longer.
    let olga = world.browser("olga").await;
    let mut body = watch(&world, &olga).await;
    next(&mut body).await.expect("it begins");
    world.put("paifang.dev/v1alpha1", "", json!({ "kind": "User", "metadata": { "name": "olga" }, "spec": { "suspended": true } })).await;
    until_end(&mut body).await;
    // The right is taken away.
    let ann = world.browser("ann").await;
    let mut body = watch(&world, &ann).await;
    next(&mut body).await.expect("it begins");
    let rbac = "rbac.authorization.k8s.io/v1";
    let role = json!({ "kind": "ClusterRole", "metadata": { "name": "project-admin" }, "rules": [] });
    world.put(rbac, "", role).await;
    let last = until_end(&mut body).await;
    assert!(last.iter().any(|line| line["type"] == "ERROR" && line["object"]["code"] == 403), "{last:?}");
    assert_eq!(world.get(&ann, "/console/session").await.status, 200, "she is still signed in");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_an_end_to_streams() {
    let world = World::start().await;
    let vic = world.browser("vic").await;
    let mut open = Vec::new();
    let refused = loop {
        let request = vic.on(world.request("GET", WATCH)).body(Default::default()).expect("a request");
        let answer = world.raw(request).await;
        if answer.status() != 200 {
            break answer;
        }
        open.push(answer.into_body());
        assert!(open.len() <= 64);
    };
    assert_eq!((refused.status().as_u16(), open.len()), (429, 64));
    // Others have their own.
    let _open = watch(&world, &world.browser("ann").await).await;
    // One that is closed makes room.
    drop(open);
    let begun = std::time::Instant::now();
    loop {
        let request = vic.on(world.request("GET", WATCH)).body(Default::default()).expect("a request");
        if world.raw(request).await.status() == 200 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "a place is given back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_written_as_who_is_signed_in() {
    let world = World::start().await;
    let olga = world.browser("olga").await;
    let made = world
        .post(
            &olga,
            "/api/v1/namespaces/shop/configmaps",
            &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "hers" } }),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let vic = world.browser("vic").await;
    let refused = world
        .post(
            &vic,
            "/api/v1/namespaces/shop/configmaps",
            &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "his" } }),
        )
        .await;
    assert_eq!((refused.status, refused.json()["reason"].as_str().map(str::to_owned)), (403, Some("Forbidden".to_owned())));
    let request =
        olga.on(world.request("PATCH", "/api/v1/namespaces/shop/configmaps/hers")).header("content-type", "application/merge-patch+json");
    let answer = world.ask(request.body(json!({ "data": { "a": "b" } }).to_string().into()).expect("a request")).await;
    assert_eq!((answer.status, answer.json()["data"]["a"].as_str().map(str::to_owned)), (200, Some("b".to_owned())));
    // The audit log has both: who it was for, and by whom it came.
    let log = std::fs::read_to_string(world.path().join("data/audit.log")).unwrap_or_default();
    assert!(log.contains("olga") && log.contains("paifang-console"), "{log}");
    world.stop().await;
}
