//! A copy of everything, made while it is used, and the way back.

use crate::harness::{Up, binary, chance, run, text, word};
use crate::objects::{namespace, service, simple};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use testkit::client::Connection;
use testkit::origin::Origin;

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

#[test]
fn a_copy_is_put_in_place_while_it_is_served() {
    let rng = &mut chance("a_copy_is_put_in_place_while_it_is_served");
    let (mut up, origin) = (Up::start(&[]), Origin::recording());
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    let route = |name: &str| simple(&project, name, &format!("{name}.{host}"), "web");
    let is = |up: &Up, name: &str, status: u16| drop(up.until(&format!("{name}.{host}"), "/", "as in the copy", |it| it.status == status));
    up.apply(&[namespace(&project), service(&project, "web", &[origin.address()]), route("stays"), route("goes")]);
    is(&up, "stays", 200);
    is(&up, "goes", 200);
    let copied = paifang(&up, "backup", "copy");
    assert!(copied.status.success(), "{}", text(&copied.stderr));
    up.kubectl(&["-n", &project, "delete", "ingress", "goes"], "").expect("it is deleted");
    up.apply(&[route("comes")]);
    is(&up, "goes", 404);
    is(&up, "comes", 200);
    let before = up.get(&["ingress", "-n", &project, "stays"]).expect("it is there");
    let newest = version(&up.get(&["ingress", "-n", &project, "comes"]).expect("it is there"));

    let (front, kept, over) = (up.front(), format!("stays.{host}"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(Connection::open(front).get(&kept, "/").status, 200, "what stays is served all along");
                asked += 1;
            }
            asked
        });
        let restored = paifang(&up, "restore", "copy");
        assert!(restored.status.success(), "{}", text(&restored.stderr));
        is(&up, "goes", 200);
        is(&up, "comes", 404);
        over.store(true, Ordering::Relaxed);
        assert!(asking.join().expect("always served") > 0);
    });
    assert_eq!(up.get(&["ingress", "-n", &project, "stays"]).expect("it is there"), before, "what is as it was has its version");
    assert!(up.get(&["ingress", "-n", &project, "comes"]).is_none(), "it was made after the copy");
    up.apply(&[route("new")]);
    let new = version(&up.get(&["ingress", "-n", &project, "new"]).expect("it is there"));
    assert!(new > newest && new < newest + 1000, "versions go on, without a leap: {newest}, {new}");
    let told = testkit::eventually("the audit log tells", || {
        let log = std::fs::read_to_string(up.data().join("audit.log")).ok()?;
        log.lines().find(|line| line.contains("\"verb\":\"restore\"")).map(str::to_owned)
    });
    assert!(told.contains("copy") && told.contains("\"code\":200"), "{told}");

    up.kill();
    up.start_again();
    is(&up, "new", 200);
    assert!(up.get(&["ingress", "-n", &project, "comes"]).is_none());
}

#[test]
fn a_copy_that_cannot_be_used_is_refused_before_anything_changes() {
    let rng = &mut chance("a_copy_that_cannot_be_used_is_refused_before_anything_changes");
    let up = Up::start(&[]);
    let project = word(rng);
    up.apply(&[namespace(&project)]);
    let copied = paifang(&up, "backup", "copy");
    assert!(copied.status.success(), "{}", text(&copied.stderr));
    let copy = up.dir.path().join("copy");
    let newer = up.dir.path().join("newer");
    std::fs::copy(&copy, &newer).expect("copies");
    let database = redb::Database::create(&newer).expect("opens");
    let write = database.begin_write().expect("begins");
    write.open_table(redb::TableDefinition::<&str, u64>::new("meta")).expect("a table").insert("format", 99).expect("inserts");
    write.commit().expect("commits");
    drop(database);
    std::fs::write(up.dir.path().join("damaged"), "nothing of a store").expect("writes");

    let kept = || up.get(&["namespace", &project]).expect("it is there");
    let before = kept();
    for (file, code, words) in [("damaged", 4, "is damaged"), ("newer", 5, "newer version (format 99"), ("missing", 1, "cannot be read")] {
        let refused = paifang(&up, "restore", file);
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{said}");
        assert!(said.contains(words) && said.contains(file), "{said}");
        assert_eq!(kept(), before);
    }
}

/// On another machine: with `pki/` the kubeconfig of before is good, without it the new one is, and that is said.
#[test]
fn a_copy_is_put_in_place_on_another_machine() {
    let rng = &mut chance("a_copy_is_put_in_place_on_another_machine");
    let mut old = Up::start(&[]);
    let project = word(rng);
    old.apply(&[namespace(&project)]);
    let copied = paifang(&old, "backup", "copy");
    assert!(copied.status.success(), "{}", text(&copied.stderr));
    // Its ports are the other's on the other machine.
    old.kill();
    let copy = old.dir.path().join("copy");
    for authority in [true, false] {
        let mut new = Up::idle(&[]);
        std::fs::create_dir_all(new.data().join("pki")).expect("a folder");
        for file in std::fs::read_dir(old.data().join("pki")).expect("a folder").filter(|_| authority) {
            let file = file.expect("an entry");
            std::fs::copy(file.path(), new.data().join("pki").join(file.file_name())).expect("copies");
        }
        let restored = run(Command::new(binary()).arg("restore").arg(&copy).arg("--data-dir").arg(new.data()), "");
        assert!(restored.status.success(), "{}", text(&restored.stderr));
        assert_eq!(text(&restored.stdout).contains("there is no pki/ yet"), !authority, "{}", text(&restored.stdout));
        new.start_again();
        assert!(new.get(&["namespace", &project]).is_some(), "what was copied is there");
        let address = new.kubectl(&["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"], "").expect("its address");
        let mut before = Command::new("kubectl");
        before.env("KUBECONFIG", old.kubeconfig()).args(["--server", &address, "get", "namespace", &project]);
        let asked = run(&mut before, "");
        assert_eq!(asked.status.success(), authority, "{}", text(&asked.stderr));
    }
}
