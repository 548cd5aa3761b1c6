//! What objects say about themselves: whose words are whose, and that nothing is said twice.

use crate::harness::{Up, chance, word};
use crate::objects::namespace;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::eventually;

const KINDS: &str = "gatewayclasses,gateways.gateway.networking.k8s.io,httproutes,gateways.networking.istio.io,virtualservices,deployments,pods,services,endpointslices,events";

fn gateway(namespace: &str, name: &str, port: u16) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "gatewayClassName": "paifang", "listeners": [{ "name": "http", "port": port, "protocol": "HTTP" }] },
    })
}

fn route(namespace: &str, name: &str, parents: &[&str]) -> Value {
    let parents: Vec<Value> = parents.iter().map(|it| json!({ "name": it })).collect();
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "parentRefs": parents, "rules": [{ "backendRefs": [{ "name": "httpbin", "port": 8000 }] }] },
    })
}

fn programmed(up: &Up, project: &str, gateway: &str) {
    up.until_condition(&["gateways.gateway.networking.k8s.io", "-n", project, gateway], "/status/conditions", "Programmed", "True");
}

/// The version of every object of a project, and of what belongs to no project.
fn versions(up: &Up, project: &str) -> BTreeMap<String, String> {
    let list = up.get(&[KINDS, "-A"]).expect("they can be listed");
    let text = |it: &Value, pointer: &str| it.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let objects = list["items"].as_array().cloned().unwrap_or_default();
    let ours = objects.iter().filter(|it| ["", project, "istio-system"].contains(&text(it, "/metadata/namespace").as_str()));
    let name = |it: &Value| format!("{} {}/{}", text(it, "/kind"), text(it, "/metadata/namespace"), text(it, "/metadata/name"));
    ours.map(|it| (name(it), text(it, "/metadata/resourceVersion"))).collect()
}

#[test]
fn a_restart_writes_nothing() {
    let rng = &mut chance("a_restart_writes_nothing");
    let (mut up, project) = (Up::start(&["--demo"]), word(rng));
    up.apply(&[namespace(&project)]);
    for file in ["httpbin/httpbin.yaml", "httpbin/gateway-istio.yaml", "tcp-echo/tcp-echo.yaml", "tcp-echo/gateway-istio.yaml"] {
        up.sample(&project, file);
    }
    up.apply(&[gateway(&project, "web", rng.u16(8_100..8_900)), route(&project, "all", &["web"])]);
    programmed(&up, &project, "web");
    for deployment in ["httpbin", "tcp-echo-v1", "tcp-echo-v2"] {
        up.until_condition(&["deployment", "-n", &project, deployment], "/status/conditions", "Available", "True");
    }
    let istio = ["gateways.networking.istio.io", "-n", &project, "tcp-echo-gateway"];
    up.until_condition(&istio, "/status/conditions", "Programmed", "True");
    let before = eventually("it comes to rest", || {
        let seen = versions(&up, &project);
        std::thread::sleep(std::time::Duration::from_secs(2));
        (versions(&up, &project) == seen).then_some(seen)
    });

    up.signal("-TERM");
    assert!(up.wait().success());
    up.start_again();
    // What is said of a new object is said after what there was to say of those that it found.
    up.apply(&[gateway(&project, "later", rng.u16(8_901..9_900)), route(&project, "later", &["later"])]);
    programmed(&up, &project, "later");
    let after = versions(&up, &project);
    let changed: Vec<&String> = before.iter().filter(|(name, version)| after.get(*name) != Some(version)).map(|(name, _)| name).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[test]
fn entries_of_others_stay_and_ours_follow_the_route() {
    let rng = &mut chance("entries_of_others_stay_and_ours_follow_the_route");
    let (up, project) = (Up::start(&[]), word(rng));
    up.apply(&[namespace(&project), gateway(&project, "one", 8_100), gateway(&project, "two", 8_101), route(&project, "it", &["one"])]);
    let object = ["httproute", "-n", project.as_str(), "it"];
    let parents = || up.get(&object).and_then(|it| it["status"]["parents"].as_array().cloned()).unwrap_or_default();
    let names = || parents().iter().map(|it| it["parentRef"]["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    eventually("the first entry", || (names() == ["one"]).then_some(()));

    let condition =
        json!({ "type": "Accepted", "status": "True", "reason": "Seen", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    let foreign = json!({ "controllerName": "example.com/other", "parentRef": { "name": "theirs" }, "conditions": [condition] });
    let patch = json!([{ "op": "add", "path": "/status/parents/0", "value": foreign }]).to_string();
    up.kubectl(&["patch", "httproute", "-n", &project, "it", "--subresource=status", "--type=json", "-p", &patch], "")
        .expect("it is patched");
    for (wanted, expect) in
        [(["one", "two"].as_slice(), ["theirs", "one", "two"].as_slice()), (&["two"], &["theirs", "two"]), (&["nobody"], &["theirs"])]
    {
        up.apply(&[route(&project, "it", wanted)]);
        eventually(&format!("entries for {wanted:?}"), || (names() == expect).then_some(()));
        assert_eq!(parents()[0]["conditions"], json!([condition]));
    }
}
