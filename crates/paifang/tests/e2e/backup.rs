//! A copy of everything, made while it is used, and the way back.

use crate::harness::{Up, binary, chance, run, text, word};
use crate::objects::namespace;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

fn paifang(up: &Up, command: &str, file: &str) -> Output {
    run(Command::new(binary()).arg(command).arg(up.dir.path().join(file)).arg("--data-dir").arg(up.data()), "")
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().and_then(|it| it.parse().ok()).expect("a resourceVersion")
}

#[test]
fn what_a_copy_holds_comes_back() {
    let rng = &mut chance("what_a_copy_holds_comes_back");
    let mut up = Up::start(&[]);
    let project = word(rng);
    let map = |name: &str, value: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": project }, "data": { "is": value } });
    up.apply(&[namespace(&project), map("kept", "first")]);
    let copied = paifang(&up, "backup", "copy");
    assert!(copied.status.success(), "{}", text(&copied.stderr));
    let mode = up.dir.path().join("copy").metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "Secrets are in there");
    let again = paifang(&up, "backup", "copy");
    assert!(!again.status.success() && text(&again.stderr).contains("exists already"), "{}", text(&again.stderr));

    up.apply(&[map("kept", "second"), map("later", "third")]);
    let newest = version(&up.get(&["configmap", "-n", &project, "later"]).expect("it is there"));
    let running = paifang(&up, "restore", "copy");
    assert_eq!(running.status.code(), Some(4), "{}", text(&running.stderr));
    assert!(text(&running.stderr).contains("in use"), "{}", text(&running.stderr));

    up.kill();
    let restored = paifang(&up, "restore", "copy");
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    up.start_again();
    let kept = up.get(&["configmap", "-n", &project, "kept"]).expect("it came back");
    assert_eq!(kept["data"]["is"], "first");
    assert!(up.get(&["configmap", "-n", &project, "later"]).is_none(), "it was made after the copy");
    up.apply(&[map("new", "fourth")]);
    assert!(version(&up.get(&["configmap", "-n", &project, "new"]).expect("it is there")) > newest, "no revision comes twice");
}
