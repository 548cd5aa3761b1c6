//! Starting, failing to start, stopping: one clear line and a code for each.

use crate::harness::{Up, binary, chance, may_bind_80, paifang, run, text, word};
use crate::objects::{namespace, service, simple};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::{Behaviour, Origin};

/// `paifang up` that must fail: its code, and the one line it says.
fn refused(arguments: &[&str], data: &str) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.args(["up", "--data-dir", data, "--node-ports", "30000-30019", "--pool", "none"]);
    if !arguments.contains(&"--api-address") {
        command.args(["--api-address", "127.0.0.1:0"]);
    }
    if !arguments.contains(&"--admin-address") {
        command.args(["--admin-address", "none"]);
    }
    let output = run(command.args(arguments), "");
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    (output.status.code(), said)
}

#[test]
fn what_keeps_it_from_starting_is_said_in_one_line() {
    let (dir, taken) = (TempDir::new().expect("a folder"), TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let (data, address) = (dir.path().join("data").display().to_string(), taken.local_addr().expect("an address").to_string());
    let port = taken.local_addr().expect("an address").port().to_string();
    for flag in ["--api-address", "--admin-address"] {
        let (code, said) = refused(&[flag, &address], &data);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(&port) && said.contains("is taken") && said.contains(flag), "{said}");
    }
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let (code, said) = refused(&[], &file.join("below").display().to_string());
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("--data-dir"), "{said}");
    for nonsense in [["--pool", "everything"], ["--port-offset", "x"], ["--node-address", "here"]] {
        assert_eq!(paifang(&[&["up"], &nonsense[..]].concat(), "").status.code(), Some(2), "{nonsense:?}");
    }
}

#[test]
fn a_second_start_on_one_data_directory() {
    let up = Up::start(&[]);
    let (code, said) = refused(&[], &up.data().display().to_string());
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("in use") && said.contains(&up.pid()), "{said}");
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let dir = TempDir::new().expect("a folder");
    let format = redb::TableDefinition::<&str, u64>::new("meta");
    let newer = redb::Database::create(dir.path().join("store.redb")).expect("a store");
    let write = newer.begin_write().expect("a transaction");
    write.open_table(format).expect("a table").insert("format", 999).expect("a row");
    write.commit().expect("it is written");
    drop(newer);
    let (code, said) = refused(&[], &dir.path().display().to_string());
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("999") && said.contains("newer"), "{said}");
    let newer = redb::Database::open(dir.path().join("store.redb")).expect("it is still a store");
    let table = redb::ReadableDatabase::begin_read(&newer).expect("a look").open_table(format).expect("the table");
    assert_eq!(table.get("format").expect("a look").map(|it| it.value()), Some(999));
}

#[test]
fn a_taken_port_is_passed_over_or_named() {
    let up = Up::start(&[]);
    let port = up.front().port();
    let dir = TempDir::new().expect("a folder");
    let mut other = Command::new(binary());
    let ip = up.front().ip().to_string();
    other.args(["up", "--api-address", "127.0.0.1:0", "--admin-address", "none", "--node-ports", "30020-30039", "--pool", &ip]);
    other.arg("--data-dir").arg(dir.path()).args(["--port-offset", &up.offset.to_string()]);
    let output = run(&mut other, "");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&format!("port {port} is taken")) && said.contains("--port-offset"), "{said}");

    let mut beside = Up::start(&["--pool", &up.pool]);
    assert_ne!(beside.front().ip(), up.front().ip(), "an address in use is passed over");
    beside.kill();
}

#[test]
fn without_a_pool_node_ports_serve() {
    let rng = &mut chance("without_a_pool_node_ports_serve");
    let (up, one) = (Up::start(&["--pool", "none"]), Origin::recording());
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    up.apply(&[namespace(&project), service(&project, "web", &[one.address()]), simple(&project, "web", &host, "web")]);
    up.until(&host, "/", "served", |it| it.status == 200);
    assert_eq!(up.http.len(), 1, "the node port alone");
    up.event(crate::harness::GATEWAY.0, crate::harness::GATEWAY.1, &["AddressPending", "no pool", "node ports"]);
    let shown = eventually("the node's address in the status", || {
        let ingress = up.get(&["ingress", "-n", &project, "web"])?;
        Some(ingress.pointer("/status/loadBalancer/ingress/0/ip")?.as_str()?.to_owned())
    });
    assert_eq!(shown, "127.0.0.1");
}

#[test]
fn an_offset_is_shown_everywhere() {
    let up = Up::start(&["--port-offset", "11000"]);
    assert_eq!((up.http[0].port(), up.https[0].port()), (11_080, 11_443));
    assert!((30_100..32_768).contains(&up.http[1].port()), "node ports stay");
    eventually("the terminal shows it", || up.said().contains(&up.http[0].to_string()).then_some(()));
    assert!(up.said().contains(&format!("export KUBECONFIG={}", up.kubeconfig().display())), "{}", up.said());
}

#[test]
fn ports_below_1024_refused_name_the_remedies() {
    if may_bind_80() && !drops_privileges() {
        eprintln!("skipped: this user may bind port 80 and cannot become one who may not");
        return;
    }
    let dir = TempDir::new().expect("a folder");
    let mut command = if may_bind_80() {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "--"]).arg(binary());
        command
    } else {
        Command::new(binary())
    };
    command.args([
        "up",
        "--api-address",
        "127.0.0.1:0",
        "--admin-address",
        "none",
        "--node-ports",
        "30040-30059",
        "--pool",
        "127.127.9.0/28",
    ]);
    let output = run(command.arg("--data-dir").arg(dir.path()), "");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(["--port-offset 10000", "setcap", "sysctl"].iter().all(|it| said.contains(it)), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// Whether a process without the right to bind port 80 can be made here.
fn drops_privileges() -> bool {
    let bind = "import socket; socket.socket().bind(('127.127.9.1', 80))";
    let tried = Command::new("setpriv")
        .args(["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service", "--", "python3", "-c", bind])
        .output();
    tried.is_ok_and(|it| !it.status.success() && text(&it.stderr).contains("PermissionError"))
}

#[test]
fn stopping_lets_requests_finish() {
    let rng = &mut chance("stopping_lets_requests_finish");
    let (mut up, one) = (Up::start(&[]), Origin::recording());
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    up.apply(&[namespace(&project), service(&project, "web", &[one.address()]), simple(&project, "web", &host, "web")]);
    up.until(&host, "/", "served", |it| it.status == 200);
    one.behave(Behaviour::SlowHead { pause: Duration::from_millis(20) });
    let (mut under_way, mut idle) = (Connection::open(up.front()), Connection::open(up.front()));
    under_way.send(format!("GET /slow HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    eventually("the request is under way", || one.requests().iter().any(|it| it.head.target() == "/slow").then_some(()));
    up.signal("-INT");
    assert_eq!(under_way.response("GET").status, 200, "a request under way is answered");
    idle.closed();
    assert_eq!(up.wait().code(), Some(0));
    assert!(up.said().contains("stopping"), "{}", up.said());
}

#[test]
fn twice_is_now() {
    let rng = &mut chance("twice_is_now");
    let (mut up, one) = (Up::start(&["--drain", "600"]), Origin::start(Behaviour::Silent));
    let (project, host) = (word(rng), format!("{}.example", word(rng)));
    up.apply(&[namespace(&project), service(&project, "web", &[one.address()]), simple(&project, "web", &host, "web")]);
    up.until(&format!("no.{host}"), "/", "up", |it| it.status == 404);
    let mut hanging = Connection::open(up.front());
    eventually("the request is under way", || {
        hanging = Connection::open(up.front());
        hanging.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        std::thread::sleep(Duration::from_millis(100));
        (!one.requests().is_empty()).then_some(())
    });
    up.signal("-INT");
    eventually("it is stopping", || up.said().contains("stopping").then_some(()));
    up.signal("-INT");
    assert_eq!(up.wait().code(), Some(130));
}

#[test]
fn the_demo_works_as_printed() {
    let mut up = Up::start(&["--demo"]);
    let lines = eventually("lines to try", || {
        let said = up.said();
        let lines: Vec<String> = said.lines().filter_map(|it| it.find("curl ").map(|at| it[at..].to_owned())).collect();
        (lines.len() >= 3).then_some(lines)
    });
    for line in &lines {
        eventually(line, || {
            let mut words = line.split_whitespace();
            let output =
                run(Command::new(words.next()?).args(["--silent", "--fail", "--noproxy", "*", "--max-time", "10"]).args(words), "");
            output.status.success().then_some(())
        });
    }
    up.kubectl(&["-n", "demo-project", "delete", "ingress", "hello"], "").expect("a sample can be deleted");
    up.kubectl(&["-n", "demo-project", "annotate", "ingress", "demo", "mine=yes"], "").expect("and changed");
    up.signal("-INT");
    assert_eq!(up.wait().code(), Some(0));
    up.start_again();
    let demo = up.get(&["ingress", "-n", "demo-project", "demo"]).expect("it is there");
    assert_eq!(demo["metadata"]["annotations"]["mine"], "yes", "a second start leaves what its owner changed");
}

#[test]
fn health_and_readiness() {
    let up = Up::start(&[]);
    let admin = eventually("where metrics are", || {
        let said = up.said();
        let line = said.lines().find(|it| it.contains("/metrics"))?;
        line.split("http://").nth(1)?.split('/').next()?.parse().ok()
    });
    let status = |path: &str| Connection::open(admin).get("admin", path).status;
    eventually("ready", || (status("/readyz") == 200).then_some(()));
    assert_eq!((status("/livez"), status("/metrics"), status("/nothing")), (200, 200, 404));
}

#[test]
fn versions_and_reference_pages() {
    assert!(text(&paifang(&["version"], "").stdout).starts_with("paifang "));
    for page in ["cli", "annotations", "api", "metrics"] {
        let output = paifang(&["reference", page], "");
        assert!(output.status.success() && text(&output.stdout).starts_with('#'), "{page}");
    }
}
