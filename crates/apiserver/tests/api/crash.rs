//! `kill -9` at any moment after a write was acknowledged: the write is there after a restart, and nothing is ever half.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::PATIENCE;

const SEEDS: u64 = 50;
/// So many that an object is larger than one page of the database.
const VALUES: usize = 400;

/// Set for the process that serves: the directory.
pub const DIR: &str = "PAIFANG_TEST_SERVE";
pub const READY: &str = "serving";

/// Not a test of its own: this binary starts itself with this name, so that what is killed is what was just built.
#[test]
fn serve_until_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = store::Store::open(Path::new(&dir)).expect("the store opens");
        let mut options = apiserver::Options::new(&dir);
        options.address = ([127, 0, 0, 1], 0).into();
        let _running = apiserver::start(store, options).await.expect("the API starts");
        println!("{READY}");
        std::future::pending::<()>().await;
    });
}

async fn spawn(dir: &Path) -> (Child, Client) {
    let mut command = Command::new(std::env::current_exe().expect("this test's own path"));
    command.args(["--exact", "crash::serve_until_killed", "--nocapture"]).env(DIR, dir);
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("text");
        if line.expect("it does not end before it serves").contains(READY) {
            break;
        }
    }
    let kubeconfig = Kubeconfig::read_from(dir.join("kubeconfig")).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    (child, Client::try_from(config).expect("a client"))
}

/// A map whose values all say the same: one that is half would not.
fn map(name: &str, value: &str) -> ConfigMap {
    let data: serde_json::Map<_, _> = (0..VALUES).map(|at| (format!("key{at:03}"), json!(value))).collect();
    serde_json::from_value(json!({ "metadata": { "name": name }, "data": data })).expect("an object")
}

fn is_whole(map: &ConfigMap) -> bool {
    let name = map.metadata.name.as_deref().unwrap_or("");
    let data = map.data.as_ref().expect("data");
    data.len() == VALUES && data.values().all(|value| value == name)
}

/// Writes until the server is killed; what was acknowledged.
async fn write(client: Client, seed: u64, writer: u64) -> Vec<String> {
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let mut acknowledged = Vec::new();
    for at in 0.. {
        let name = format!("seed{seed}-writer{writer}-{at}");
        match maps.create(&PostParams::default(), &map(&name, &name)).await {
            Ok(_) => acknowledged.push(name),
            Err(_) => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_and_nothing_is_half() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut acknowledged = Vec::new();
    for seed in 0..SEEDS {
        let (mut child, client) = spawn(dir.path()).await;
        check(&client, &acknowledged).await;
        // The first write is acknowledged; from then on chance decides.
        let first = format!("seed{seed}-first");
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
        maps.create(&PostParams::default(), &map(&first, &first)).await.expect("the first write");
        acknowledged.push(first);
        let writers: Vec<_> = (0..3).map(|writer| tokio::spawn(write(client.clone(), seed, writer))).collect();
        tokio::time::sleep(Duration::from_micros(seed * 50_000 / SEEDS)).await;
        child.start_kill().expect("kill -9");
        child.wait().await.expect("it is dead");
        for writer in writers {
            acknowledged.extend(writer.await.expect("a writer"));
        }
    }
    let (_child, client) = spawn(dir.path()).await;
    check(&client, &acknowledged).await;
    assert!(acknowledged.len() as u64 >= SEEDS);
}

async fn check(client: &Client, acknowledged: &[String]) {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let list = maps.list(&kube::api::ListParams::default()).await.expect("a list").items;
    for map in &list {
        assert!(is_whole(map), "{:?} is half", map.metadata.name);
    }
    let names: std::collections::HashSet<&str> = list.iter().filter_map(|map| map.metadata.name.as_deref()).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|name| !names.contains(name.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
}
