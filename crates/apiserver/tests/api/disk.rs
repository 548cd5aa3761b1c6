//! A disk that is full, seen through the API: writes are refused with 507 and a reason, reads and watches go on, and so does everything
//! once there is room again.
//!
//! A limit on the size of files stands for the disk: nothing is mounted, and it is lifted from outside.

use std::path::Path;
use std::process::{Command as Plain, Stdio};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::client::{Answer, PATIENCE, request};
use crate::crash;
use crate::oracle::Wire;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Serves in a process that takes a limit as an error, not as its end.
async fn serve(dir: &Path) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(std::env::current_exe().expect("this test's own path"));
    command.args(["--exact", "crash::serve_until_killed", "--nocapture"]).env(crash::DIR, dir);
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("text");
        if line.expect("it does not end before it serves").contains(crash::READY) {
            return child;
        }
    }
}

fn limit(child: &Child, size: &str) {
    let pid = child.id().expect("it runs").to_string();
    let done = Plain::new("prlimit").args(["--pid", &pid, &format!("--fsize={size}:unlimited")]).status().expect("prlimit (util-linux)");
    assert!(done.success());
}

async fn make(wire: &mut Wire, name: &str) -> Answer {
    let body = json!({ "metadata": { "name": name }, "data": { "a": "y".repeat(200_000) } });
    wire.ask(request(Method::POST, MAPS, "application/json", &body.to_string())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_writes_with_507_and_nothing_else() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let child = serve(dir.path()).await;
    let mut wire = Wire::new(&std::fs::read_to_string(dir.path().join("kubeconfig")).expect("a kubeconfig"));
    make(&mut wire, "first").await.ok();
    let used = std::fs::metadata(dir.path().join("store.redb")).expect("the store").len();
    limit(&child, &(used + (1 << 20)).to_string());
    let (mut made, mut refused) = (0, None);
    while refused.is_none() {
        assert!(made < 200, "the limit holds");
        let answer = make(&mut wire, &format!("map-{made}")).await;
        match answer.status.as_u16() {
            201 => made += 1,
            _ => refused = Some(answer),
        }
    }
    let status = refused.expect("refused").refused(507);
    assert_eq!(status["reason"], "InsufficientStorage", "{status}");
    assert!(status["message"].as_str().is_some_and(|message| message.len() > 20), "{status}");
    for (method, body) in [(Method::DELETE, ""), (Method::PATCH, r#"{"data":{"a":"z"}}"#)] {
        let kind = if method == Method::PATCH { "application/merge-patch+json" } else { "" };
        let answer = wire.ask(request(method.clone(), &format!("{MAPS}/first"), kind, body)).await;
        assert!(answer.status.is_success() || answer.status == 507, "{method}: {} {:?}", answer.status, answer.bytes);
        if answer.status == 200 && method == Method::DELETE {
            break;
        }
    }
    // What was acknowledged is there, what was refused is not, and who asks hears it.
    let list = wire.ask(request(Method::GET, MAPS, "", "")).await.ok();
    let names: Vec<&str> = list["items"].as_array().expect("a list").iter().filter_map(|item| item["metadata"]["name"].as_str()).collect();
    assert!((0..made).all(|at| names.contains(&format!("map-{at}").as_str())), "{names:?}");
    assert!(!names.contains(&format!("map-{made}").as_str()), "{names:?}");
    wire.ask(request(Method::GET, "/readyz", "", "")).await;
    limit(&child, "unlimited");
    let until = Instant::now() + PATIENCE;
    loop {
        let answer = make(&mut wire, "after").await;
        if answer.status == 201 {
            break;
        }
        assert_eq!(answer.status, 507, "{:?}", answer.bytes);
        assert!(Instant::now() < until, "service resumes by itself");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
