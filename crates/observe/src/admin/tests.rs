use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// An answering address and its switch.
async fn started() -> (SocketAddr, Arc<AtomicBool>) {
    let ready = Arc::new(AtomicBool::new(false));
    let admin = Admin::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a socket");
    let address = admin.address().expect("an address");
    let switch = ready.clone();
    tokio::spawn(admin.serve(Metrics::new(1), move || switch.load(Ordering::Relaxed)));
    (address, ready)
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // A server that has refused already may have closed.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = String::new();
    let _ = timeout(DEADLINE * 2, stream.read_to_string(&mut answer)).await.expect("an end");
    answer
}

#[tokio::test]
async fn health_and_metrics_are_answered() {
    let (address, ready) = started().await;
    let get = async |path: &str| ask(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    assert!(get("/livez").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get("/readyz").await.starts_with("HTTP/1.1 503 "));
    ready.store(true, Ordering::Relaxed);
    assert!(get("/readyz?verbose").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let metrics = get("/metrics").await;
    assert!(metrics.contains("content-type: application/openmetrics-text; version=1.0.0") && metrics.ends_with("# EOF\n"));
    assert!(get("/").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(address, "POST /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.starts_with("HTTP/1.1 405 "));
    let head = ask(address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn an_endless_head_is_cut_off_and_others_are_answered() {
    let (address, _) = started().await;
    let _idle = TcpStream::connect(address).await.expect("a connection");
    assert_eq!(ask(address, &"x".repeat(LARGEST_HEAD * 4)).await, "");
    assert!(ask(address, "GET /livez HTTP/1.1\r\n\r\n").await.contains("ok"));
}

/// An address of this machine that is not of loopback; `None`: it has none.
fn outward() -> Option<std::net::IpAddr> {
    let table = std::fs::read_to_string("/proc/net/fib_trie").ok()?;
    let lines: Vec<&str> = table.lines().collect();
    let own =
        lines.windows(2).filter(|two| two[1].contains("/32 host LOCAL")).filter_map(|two| two[0].split_whitespace().last()?.parse().ok());
    own.into_iter().find(|it: &std::net::IpAddr| !it.is_loopback())
}

#[tokio::test]
async fn what_is_for_this_machine_others_are_not_told() {
    let admin = Admin::bind("0.0.0.0:0".parse().expect("an address")).await.expect("a socket");
    let port = admin.address().expect("an address").port();
    let admin = admin.beside(|target| (target == "/history?step=5").then(|| "[1]".to_owned()));
    tokio::spawn(admin.serve(Metrics::new(1), || true));
    let get = async |ip: std::net::IpAddr, path: &str| ask((ip, port).into(), &format!("GET {path} HTTP/1.1\r\n\r\n")).await;
    let loopback = std::net::Ipv4Addr::LOCALHOST.into();
    let said = get(loopback, "/history?step=5").await;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.ends_with("\r\n\r\n[1]"), "{said}");
    assert!(get(loopback, "/history").await.starts_with("HTTP/1.1 404 "));
    let Some(outward) = outward() else { return eprintln!("this machine has no address but loopback: it is not asked from there") };
    assert!(get(outward, "/livez").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(get(outward, "/history?step=5").await, get(outward, "/nothing").await);
}

#[test]
fn who_asks_from_here() {
    for (peer, expect) in [
        ("127.0.0.1:1", true),
        ("127.9.9.9:1", true),
        ("[::1]:1", true),
        ("[::ffff:127.0.0.1]:1", true),
        ("10.0.0.1:1", false),
        ("[fd00::1]:1", false),
    ] {
        assert_eq!(is_here(peer.parse().expect("a socket")), expect, "{peer}");
    }
}
