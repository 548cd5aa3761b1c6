//! A disk that is full: writes are refused, everything else goes on, and writes go on by themselves.

use crate::harness::{Up, chance, run, text, word};
use crate::objects::{namespace, service, simple};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::eventually;
use testkit::origin::Origin;

/// Room for what a start needs, and little more.
const MIB: usize = 24;

/// A file system of its own, gone when dropped.
struct Small(PathBuf);

impl Small {
    /// `None`, which is said, where this user may not mount one.
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a folder");
        let mounted = run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={MIB}m,mode=0700"), "tmpfs"]).arg(at), "");
        if !mounted.status.success() {
            eprintln!("skipped: this user may not mount a file system: {}", text(&mounted.stderr));
            return None;
        }
        Some(Self(at.to_owned()))
    }

    fn fill(&self) {
        let mut ballast = File::create(self.0.join("ballast")).expect("a file");
        while ballast.write_all(&[7; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).expect("it is there");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn map(project: &str, name: &str) -> Value {
    let data = json!({ "is": "x".repeat(60_000) });
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": project }, "data": data })
}

/// Writes until one is refused, and returns how many were not and what was said.
fn write_until_refused(up: &Up, project: &str) -> (usize, String) {
    (0..1000)
        .find_map(|n| {
            let refused = up.kubectl(&["create", "-f", "-"], &map(project, &format!("m{n}")).to_string()).err()?;
            Some((n, refused))
        })
        .expect("the disk is full at last")
}

fn story(test: &str, up: &mut Up, fill: impl FnOnce(&Up), free: impl FnOnce(&Up)) {
    let rng = &mut chance(test);
    let origin = Origin::recording();
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    up.apply(&[namespace(&project), service(&project, "web", &[origin.address()]), simple(&project, "web", &host, "web")]);
    up.until(&host, "/", "served", |it| it.status == 200);
    let process = up.pid();
    fill(up);
    let (written, refused) = write_until_refused(up, &project);
    assert!(refused.contains("InsufficientStorage") && refused.contains("the disk is full") && refused.contains("store.redb"), "{refused}");
    for _ in 0..20 {
        let refused = up.kubectl(&["create", "-f", "-"], &map(&project, "refused").to_string()).expect_err("it is still full");
        assert!(refused.contains("the disk is full"), "{refused}");
        assert_eq!(up.ask(&host, "/").status, 200, "traffic goes on");
    }
    let maps = up.get(&["configmaps", "-n", &project]).expect("reads go on");
    let maps = maps["items"].as_array().map_or(0, Vec::len);
    assert_eq!(maps, written, "what was refused is not there");

    free(up);
    let object = map(&project, "later").to_string();
    eventually("writes go on by themselves", || up.kubectl(&["create", "-f", "-"], &object).ok());
    let new = format!("new.{host}");
    up.apply(&[simple(&project, "new", &new, "web")]);
    up.until(&new, "/", "served", |it| it.status == 200);
    assert_eq!(up.pid(), process, "it was not started again");
    up.kill();
    up.start_again();
    let maps = up.get(&["configmaps", "-n", &project]).expect("a list");
    assert_eq!(maps["items"].as_array().map_or(0, Vec::len), written + 1, "and all of it is on disk");
}

#[test]
fn a_full_file_system_refuses_writes_alone() {
    let mut up = Up::idle(&[]);
    let Some(small) = Small::mount(&up.data()) else { return };
    up.start_again();
    story("a_full_file_system_refuses_writes_alone", &mut up, |_| small.fill(), |_| small.free());
}

/// As a disk that is full, for everybody who may not mount one: a process may not write beyond a limit.
#[test]
fn a_limit_on_the_size_of_files_refuses_writes_alone() {
    let limit = |up: &Up, bytes: &str| {
        let set = run(Command::new("prlimit").args(["--pid", &up.pid(), &format!("--fsize={bytes}:")]), "");
        assert!(set.status.success(), "{}", text(&set.stderr));
    };
    let now = |up: &Up| up.data().join("store.redb").metadata().expect("it is there").len();
    let mut up = Up::start(&[]);
    story("a_limit_on_the_size_of_files_refuses_writes_alone", &mut up, |up| limit(up, &now(up).to_string()), |up| limit(up, "unlimited"));
}
