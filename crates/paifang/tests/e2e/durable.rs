//! What kubectl was told is done stays done, whatever happens to the process.

use crate::harness::{Up, chance, run, text, word};
use crate::objects::{namespace, service, simple};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::origin::Origin;

/// Kills a run is put through; `PAIFANG_KILLS` says otherwise.
const KILLS: usize = 50;

#[test]
fn killed_after_apply_returned() {
    let rng = &mut chance("killed_after_apply_returned");
    let kills = std::env::var("PAIFANG_KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(KILLS);
    let (mut up, one) = (Up::start(&[]), Origin::recording());
    let project = word(rng);
    up.apply(&[namespace(&project), service(&project, "web", &[one.address()])]);
    for n in 0..kills {
        let (name, host) = (format!("r{n}-{}", word(rng)), format!("h{n}.{}.example", word(rng)));
        up.apply(&[simple(&project, &name, &host, "web")]);
        std::thread::sleep(Duration::from_millis(rng.u64(0..=50)));
        up.kill();
        up.start_again();
        let found = up.get(&["ingress", "-n", &project, &name]).unwrap_or_else(|| panic!("{n}: {name} is lost"));
        assert_eq!(found["spec"]["rules"][0]["host"], host.as_str());
        up.until(&host, "/", "served", |it| it.status == 200);
    }
    let all = up.get(&["ingress", "-n", &project]).expect("a list");
    assert_eq!(all["items"].as_array().map_or(0, Vec::len), kills, "everything that was acknowledged, and nothing else");
}

/// Killed while kubectl is still writing: each object is there as a whole, or not at all.
#[test]
fn killed_while_writing() {
    let rng = &mut chance("killed_while_writing");
    let mut up = Up::start(&[]);
    let project = word(rng);
    up.apply(&[namespace(&project)]);
    let payload = "x".repeat(20_000);
    let map = |n: usize| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": format!("m{n}"), "namespace": project }, "data": { "whole": payload } });
    let documents: Vec<String> = (0..60).map(|n| map(n).to_string()).collect();
    let file = up.file("maps.json", &documents.join("\n"));
    let mut kubectl = Command::new("kubectl");
    kubectl.env("KUBECONFIG", up.kubeconfig()).args(["create", "--request-timeout=5s", "-f"]).arg(&file);
    let mut writing = kubectl.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("kubectl starts");
    std::thread::sleep(Duration::from_millis(rng.u64(300..900)));
    up.kill();
    drop(writing.kill());
    let output = writing.wait_with_output().expect("it ends");
    let acknowledged = text(&output.stdout).lines().filter(|it| it.contains(" created")).count();
    up.start_again();
    let found = up.get(&["configmaps", "-n", &project]).expect("a list");
    let found = found["items"].as_array().expect("items");
    assert!(found.len() >= acknowledged, "{} of {acknowledged} acknowledged ones are there", found.len());
    assert!(found.iter().all(|it| it["data"]["whole"] == payload.as_str()), "no half object");
}

#[test]
fn a_second_start_writes_nothing() {
    let rng = &mut chance("a_second_start_writes_nothing");
    let (mut up, one) = (Up::start(&[]), Origin::recording());
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    up.apply(&[
        namespace(&project),
        service(&project, "web", &[one.address()]),
        simple(&project, "web", &host, "web"),
        simple(&project, "broken", &format!("b.{host}"), "nobody"),
    ]);
    up.event(&project, "broken", &["ServiceNotFound"]);
    up.until(&host, "/", "served", |it| it.status == 200);
    let versions = |up: &Up| -> Vec<String> {
        let kinds = "services,ingresses,endpointslices,events,ingressclasses,namespaces";
        let list = up.get(&[kinds, "-A"]).expect("a list");
        let version = |it: &Value| format!("{} {} {}", it["kind"], it["metadata"]["name"], it["metadata"]["resourceVersion"]);
        list["items"].as_array().expect("items").iter().map(version).collect()
    };
    testkit::eventually("a status", || up.get(&["ingress", "-n", &project, "web"])?.pointer("/status/loadBalancer/ingress/0").map(drop));
    let (before, sockets) = (versions(&up), (up.http.clone(), up.https.clone()));
    up.signal("-TERM");
    assert_eq!(up.wait().code(), Some(0));
    up.start_again();
    up.until(&host, "/", "served again", |it| it.status == 200);
    // What would be written is written once the first objects are served, and a little later events.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(versions(&up), before);
    assert_eq!((up.http.clone(), up.https.clone()), sockets, "addresses and ports stay");

    let (namespace, name) = crate::harness::GATEWAY;
    up.kubectl(&["-n", namespace, "delete", "service", name], "").expect("it is deleted");
    let healed = testkit::eventually("the gateway's Service is made again", || {
        let service = up.get(&["service", "-n", namespace, name])?;
        Some(service.pointer("/status/loadBalancer/ingress/0/ip")?.as_str()?.to_owned())
    });
    assert_eq!(healed, up.front().ip().to_string());
    let ran = run(Command::new("kubectl").env("KUBECONFIG", up.kubeconfig()).args(["describe", "ingress", "-n", &project, "broken"]), "");
    assert_eq!(text(&ran.stdout).matches("ServiceNotFound").count(), 1, "one event, said once");
}
