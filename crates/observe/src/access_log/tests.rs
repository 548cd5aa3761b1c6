use super::*;
use model::ObjectRef;
use serde_json::{Value, json};
use std::sync::mpsc;

fn exchange<'a>(source: &'a Source) -> Exchange<'a> {
    Exchange {
        time: UNIX_EPOCH + Duration::from_millis(1_800_000_000_123),
        client: "127.0.0.1:4000".parse().expect("an address"),
        method: b"GET",
        scheme: "http",
        host: b"a.test",
        path: b"/x\"\xff\r\n",
        query: Some(b"q=1"),
        protocol: "HTTP/1.1",
        status: 502,
        reason: Some(Reason::ConnectFailed),
        gateway: "demo/gateway",
        listener: "http",
        route: Some(RouteRef(source)),
        backend: Some("demo/web:80"),
        upstream: Some(Upstream {
            address: "127.0.0.1:8000".parse().expect("an address"),
            connect: Some(Duration::from_micros(250)),
            header: None,
            tries: 3,
        }),
        bytes_in: 1,
        bytes_out: 2,
        duration: Duration::from_micros(12_345),
        request_id: b"r-1",
        user_agent: b"curl/8",
        forwarded: None,
        own: None,
    }
}

fn source() -> Source {
    Source { object: ObjectRef::new("Ingress", "demo", "web"), rule: "spec.rules[0].http.paths[1]".into() }
}

fn read(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the log");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_line_says_all_there_is_to_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let log = AccessLog::start(Sink::File(path.clone()), 2, Metrics::new(2)).expect("a log");
    log.write(0, &exchange(&source()));
    drop(log);
    let expect = json!({
        "time": "2027-01-15T08:00:00.123Z",
        "client": "127.0.0.1:4000",
        "method": "GET",
        "scheme": "http",
        "host": "a.test",
        "path": "/x\"\u{fffd}\r\n",
        "query": "q=1",
        "protocol": "HTTP/1.1",
        "status": 502,
        "reason": "connect-failed",
        "gateway": "demo/gateway",
        "listener": "http",
        "route": { "kind": "Ingress", "namespace": "demo", "name": "web", "rule": "spec.rules[0].http.paths[1]" },
        "backend": "demo/web:80",
        "upstream": { "address": "127.0.0.1:8000", "connect_ms": 0.25, "tries": 3 },
        "bytes_in": 1,
        "bytes_out": 2,
        "duration_ms": 12.345,
        "request_id": "r-1",
        "user_agent": "curl/8",
    });
    assert_eq!(read(&path), [expect]);
}

#[test]
fn every_line_of_every_worker_is_written_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let log = AccessLog::start(Sink::File(path.clone()), 4, Metrics::new(4)).expect("a log");
    thread::scope(|scope| {
        for worker in 0..4 {
            let log = &log;
            scope.spawn(move || {
                let source = source();
                for n in 0..500 {
                    log.write(worker, &Exchange { bytes_in: n, bytes_out: worker as u64, ..exchange(&source) });
                }
            });
        }
    });
    drop(log);
    let mut seen: Vec<_> = read(&path).iter().map(|line| (line["bytes_out"].as_u64(), line["bytes_in"].as_u64())).collect();
    // One worker's lines keep their order.
    seen.sort_by_key(|(worker, _)| *worker);
    let expect: Vec<_> = (0..4).flat_map(|worker| (0..500).map(move |n| (Some(worker), Some(n)))).collect();
    assert_eq!(seen, expect);
}

/// Takes nothing until told to.
struct Stuck(mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // The sender is gone: from now on everything is taken.
        let _ = self.0.recv();
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stuck_output_costs_lines_but_no_worker() {
    let (release, stuck) = mpsc::channel();
    let metrics = Metrics::new(1);
    let log = AccessLog::to(Box::new(Stuck(stuck)), 1, metrics.clone()).expect("a log");
    let source = source();
    let long = [b'x'; 4000];
    // Two buffers, the one being written and the one being filled, hold less than this.
    for _ in 0..3 * BUFFER / long.len() {
        log.write(0, &Exchange { path: &long, ..exchange(&source) });
    }
    let dropped = metrics.log_lines_dropped.get();
    // Ends the writer before anything is claimed: a failure must not wait for it.
    drop(release);
    drop(log);
    assert!(dropped > 0);
}

#[test]
fn a_log_that_goes_nowhere_is_off() {
    let log = AccessLog::start(Sink::None, 1, Metrics::new(1)).expect("a log");
    assert!(!log.is_on());
    log.write(0, &exchange(&source()));
}
