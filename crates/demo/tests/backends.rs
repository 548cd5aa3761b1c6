//! Each backend through a raw client: octets out, octets in.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use demo::{Options, Ports, Running, Sample};
use serde_json::{Value, json};

const WAIT: Duration = Duration::from_secs(20);

async fn running() -> Running {
    let options = Options { ports: Ports::ANY, ..Options::default() };
    demo::start(options).await.expect("loopback has free ports")
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("json")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Sends octets as they are and reads until the server closes.
fn send(to: SocketAddr, octets: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).expect("connect");
    stream.set_read_timeout(Some(WAIT)).expect("timeout");
    stream.set_write_timeout(Some(WAIT)).expect("timeout");
    // A server that refuses a large body may close before all of it is written.
    let _ = stream.write_all(octets);
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    let blank = all.windows(4).position(|four| four == b"\r\n\r\n");
    let blank = blank.unwrap_or_else(|| panic!("no answer ({read:?}) to {:?}", String::from_utf8_lossy(octets)));
    let head = String::from_utf8_lossy(&all[..blank]).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let mut body = all[blank + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer { status, head, body }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n").expect("a chunk's size");
        let size = std::str::from_utf8(&body[..line]).expect("digits");
        let size = usize::from_str_radix(size, 16).expect("hexadecimal");
        body = &body[line + 2..];
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

async fn ask(to: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n{headers}\r\n");
    let octets = [head.as_bytes(), body].concat();
    tokio::task::spawn_blocking(move || send(to, &octets)).await.expect("the client does not panic")
}

async fn get(to: SocketAddr, path: &str) -> Answer {
    ask(to, "GET", path, "", b"").await
}

async fn post(to: SocketAddr, path: &str, kind: &str, body: &str) -> Answer {
    let headers = format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
    ask(to, "POST", path, &headers, body.as_bytes()).await
}

#[tokio::test]
async fn get_has_the_classic_shape() {
    let demo = running().await;
    let answer = ask(demo.httpbin, "GET", "/get?b=2&a=1&a=3", "x-UPPER-case: v\r\nx-two: a\r\nX-Two: b\r\n", b"").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let expect = json!({
        "args": {"a": ["1", "3"], "b": "2"},
        "headers": {"Connection": "close", "Host": "demo.test", "X-Two": "a,b", "X-Upper-Case": "v"},
        "origin": "127.0.0.1",
        "url": "http://demo.test/get?b=2&a=1&a=3",
    });
    assert_eq!(answer.text(), format!("{expect:#}\n"), "also the order and the indent");
}

#[tokio::test]
async fn what_proxies_say_is_believed() {
    let demo = running().await;
    let headers = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n";
    let json = ask(demo.httpbin, "GET", "/get", headers, b"").await.json();
    assert_eq!((&json["origin"], &json["url"]), (&json!("192.0.2.7"), &json!("https://demo.test/get")));
    assert_eq!(ask(demo.httpbin, "GET", "/ip", headers, b"").await.json(), json!({"origin": "192.0.2.7"}));
    assert_eq!(get(demo.httpbin, "/ip").await.json(), json!({"origin": "127.0.0.1"}));
}

#[tokio::test]
async fn bodies_are_told_apart() {
    let demo = running().await;
    for (method, path) in [("POST", "/post"), ("PUT", "/put"), ("PATCH", "/patch"), ("DELETE", "/delete")] {
        let json = ask(demo.httpbin, method, path, "Content-Length: 9\r\n", br#"{"a": 1} "#).await.json();
        assert_eq!((&json["data"], &json["json"]), (&json!(r#"{"a": 1} "#), &json!({"a": 1})), "{path}");
        assert_eq!(json.get("method"), None, "{path}");
    }
    let form = post(demo.httpbin, "/post", "application/x-www-form-urlencoded", "a=1&b=x+y").await.json();
    assert_eq!((&form["form"], &form["data"]), (&json!({"a": "1", "b": "x y"}), &json!("")));
    let body = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n\"\r\n\r\nhi\r\n--B--\r\n";
    let form = post(demo.httpbin, "/post", "multipart/form-data; boundary=B", body).await.json();
    assert_eq!(form["files"], json!({"f": "hi"}));
    let binary = ask(demo.httpbin, "POST", "/post", "Content-Length: 2\r\n", &[0xff, 0xfe]).await.json();
    assert_eq!(binary["data"], json!("data:application/octet-stream;base64,//4="));
}

#[tokio::test]
async fn anything_takes_any_method_and_path() {
    let demo = running().await;
    for (method, path) in [("GET", "/anything"), ("PURGE", "/anything/x/y?q=1"), ("DELETE", "/anything/a%2Fb")] {
        let json = ask(demo.httpbin, method, path, "", b"").await.json();
        assert_eq!((&json["method"], &json["url"]), (&json!(method), &json!(format!("http://demo.test{path}"))));
    }
    assert_eq!(get(demo.httpbin, "/nothing").await.status, 404);
    assert_eq!(ask(demo.httpbin, "POST", "/get", "Content-Length: 0\r\n", b"").await.status, 405);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let demo = running().await;
    let limit = demo::BODY_LIMIT;
    let large = vec![b'x'; limit + 1];
    let refused = ask(demo.httpbin, "POST", "/post", &format!("Content-Length: {}\r\n", large.len()), &large).await;
    assert_eq!(refused.status, 413);
    let taken = ask(demo.httpbin, "POST", "/post", &format!("Content-Length: {limit}\r\n"), &large[..limit]).await;
    assert_eq!(taken.status, 200);
}

#[tokio::test]
async fn statuses() {
    let demo = running().await;
    for code in [200, 204, 404, 418, 429, 503, 599] {
        assert_eq!(get(demo.httpbin, &format!("/status/{code}")).await.status, code);
        assert_eq!(ask(demo.httpbin, "PUT", &format!("/status/{code}"), "", b"").await.status, code);
    }
    assert_eq!(get(demo.httpbin, "/status/302").await.header("location"), Some("/redirect/1"));
    assert!(get(demo.httpbin, "/status/401").await.header("www-authenticate").is_some());
    for refused in ["100", "x", "200:-1", "999"] {
        assert_eq!(get(demo.httpbin, &format!("/status/{refused}")).await.status, 400, "{refused}");
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..60 {
        seen.insert(get(demo.httpbin, "/status/200:1,503:1").await.status);
    }
    assert_eq!(Vec::from_iter(seen), [200, 503]);
}

#[tokio::test]
async fn chosen_headers() {
    let demo = running().await;
    let answer = get(demo.httpbin, "/response-headers?X-A=1&X-A=2&Content-Type=text/plain").await;
    assert_eq!((answer.header("x-a"), answer.header("content-type")), (Some("1"), Some("text/plain")));
    assert_eq!(answer.json()["X-A"], json!(["1", "2"]));
    assert_eq!(get(demo.httpbin, "/response-headers?Content-Length=1").await.status, 400);
    assert_eq!(get(demo.httpbin, "/response-headers?X-A=a%0d%0ab").await.status, 400);
}

#[tokio::test]
async fn delays() {
    let demo = running().await;
    let started = std::time::Instant::now();
    let json = get(demo.httpbin, "/delay/0.3?a=1").await.json();
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(json["args"], json!({"a": "1"}));
    assert_eq!(get(demo.httpbin, "/delay/nan").await.status, 400);
    assert_eq!(get(demo.httpbin, "/delay/-1").await.status, 200);
    let drip = get(demo.httpbin, "/drip?numbytes=25&duration=0.1&code=206").await;
    assert_eq!((drip.status, drip.body.len(), drip.header("content-length")), (206, 25, Some("25")));
    assert_eq!(get(demo.httpbin, "/drip?numbytes=10485761").await.status, 400);
}

#[tokio::test]
async fn streams_and_octets() {
    let demo = running().await;
    let answer = get(demo.httpbin, "/stream/3?k=v").await;
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    let ids: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str::<Value>(line).expect("json")["id"].clone()).collect();
    assert_eq!(ids, [json!(0), json!(1), json!(2)]);
    assert_eq!(get(demo.httpbin, "/stream/5000").await.text().lines().count(), 100);

    let (one, same) = (get(demo.httpbin, "/bytes/100?seed=7").await, get(demo.httpbin, "/bytes/100?seed=7").await);
    assert_eq!((one.body.len(), one.header("content-length")), (100, Some("100")));
    assert_eq!(one.body, same.body);
    assert_ne!(one.body, get(demo.httpbin, "/bytes/100?seed=8").await.body);
    assert_eq!(get(demo.httpbin, "/bytes/99999999").await.body.len(), 100 << 10);
    assert_eq!(get(demo.httpbin, "/bytes/-1").await.status, 400);
    let chunked = get(demo.httpbin, "/stream-bytes/100?seed=7&chunk_size=30").await;
    assert_eq!((&chunked.body, chunked.header("content-length")), (&one.body, None));
}

#[tokio::test]
async fn ranges() {
    let demo = running().await;
    let part = ask(demo.httpbin, "GET", "/range/26", "Range: bytes=2-4\r\n", b"").await;
    assert_eq!((part.status, part.text(), part.header("content-range")), (206, "cde", Some("bytes 2-4/26")));
    assert_eq!(get(demo.httpbin, "/range/3").await.text(), "abc");
    assert_eq!(ask(demo.httpbin, "GET", "/range/26", "Range: bytes=26-\r\n", b"").await.status, 416);
}

#[tokio::test]
async fn codings() {
    let demo = running().await;
    let gzip = get(demo.httpbin, "/gzip").await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_string(&mut text).expect("gzip");
    assert!(text.contains("\"gzipped\": true"), "{text}");
    let deflate = get(demo.httpbin, "/deflate").await;
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(&deflate.body[..]).read_to_string(&mut text).expect("zlib");
    assert!(text.contains("\"deflated\": true"), "{text}");
}

#[tokio::test]
async fn fixed_documents() {
    let demo = running().await;
    for (path, kind) in [
        ("/json", "application/json"),
        ("/html", "text/html; charset=utf-8"),
        ("/xml", "application/xml"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/encoding/utf8", "text/html; charset=utf-8"),
        ("/", "text/html; charset=utf-8"),
    ] {
        let answer = get(demo.httpbin, path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{path}");
    }
    let json = get(demo.httpbin, "/uuid").await.json();
    let uuid = json["uuid"].as_str().expect("a string");
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    assert_eq!(get(demo.httpbin, "/base64/aGkh").await.text(), "hi!");
    assert_eq!(get(demo.httpbin, "/base64/%21").await.status, 400);
    let agent = ask(demo.httpbin, "GET", "/user-agent", "User-Agent: me/1\r\n", b"").await;
    assert_eq!(agent.json(), json!({"user-agent": "me/1"}));
    assert_eq!(get(demo.httpbin, "/user-agent").await.json(), json!({"user-agent": null}));
    assert_eq!(get(demo.httpbin, "/headers").await.json()["headers"]["Host"], json!("demo.test"));
}

#[tokio::test]
async fn redirects() {
    let demo = running().await;
    for (path, code, location) in [
        ("/redirect/1", 302, "/get"),
        ("/redirect/3", 302, "/relative-redirect/2"),
        ("/relative-redirect/2", 302, "/relative-redirect/1"),
        ("/absolute-redirect/2", 302, "http://demo.test/absolute-redirect/1"),
        ("/redirect/2?absolute=true", 302, "http://demo.test/absolute-redirect/1"),
        ("/redirect-to?url=https%3A%2F%2Fexample.com%2F&status_code=308", 308, "https://example.com/"),
        ("/redirect-to?url=/x&status_code=200", 302, "/x"),
    ] {
        let answer = get(demo.httpbin, path).await;
        assert_eq!((answer.status, answer.header("location")), (code, Some(location)), "{path}");
    }
    assert_eq!(get(demo.httpbin, "/redirect-to").await.status, 400);
    assert_eq!(get(demo.httpbin, "/redirect-to?url=a%0d%0ab").await.status, 400);
    assert_eq!(get(demo.httpbin, "/redirect/0").await.status, 400);
}

#[tokio::test]
async fn cookies() {
    let demo = running().await;
    let listed = ask(demo.httpbin, "GET", "/cookies", "Cookie: b=2; a=1\r\n", b"").await;
    assert_eq!(listed.json(), json!({"cookies": {"a": "1", "b": "2"}}));
    let set = get(demo.httpbin, "/cookies/set?k=v").await;
    assert_eq!((set.status, set.header("set-cookie")), (302, Some("k=v; Path=/")));
    assert_eq!(get(demo.httpbin, "/cookies/set/n/w").await.header("set-cookie"), Some("n=w; Path=/"));
    let deleted = get(demo.httpbin, "/cookies/delete?k").await;
    assert!(deleted.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")), "{}", deleted.head);
}

#[tokio::test]
async fn conditions() {
    let demo = running().await;
    assert_eq!(get(demo.httpbin, "/cache").await.status, 200);
    assert_eq!(ask(demo.httpbin, "GET", "/cache", "If-None-Match: x\r\n", b"").await.status, 304);
    assert_eq!(get(demo.httpbin, "/cache/60").await.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(get(demo.httpbin, "/etag/e").await.header("etag"), Some("\"e\""));
    assert_eq!(ask(demo.httpbin, "GET", "/etag/e", "If-None-Match: \"d\", W/\"e\"\r\n", b"").await.status, 304);
    assert_eq!(ask(demo.httpbin, "GET", "/etag/e", "If-Match: \"d\"\r\n", b"").await.status, 412);
}

#[tokio::test]
async fn authentication() {
    let demo = running().await;
    // `user:pass`
    let right = "Authorization: basic dXNlcjpwYXNz\r\n";
    assert_eq!(ask(demo.httpbin, "GET", "/basic-auth/user/pass", right, b"").await.status, 200);
    assert_eq!(ask(demo.httpbin, "GET", "/basic-auth/user/other", right, b"").await.status, 401);
    assert_eq!(get(demo.httpbin, "/hidden-basic-auth/user/pass").await.status, 404);
    assert_eq!(get(demo.httpbin, "/bearer").await.status, 401);
    let bearer = ask(demo.httpbin, "GET", "/bearer", "Authorization: Bearer t\r\n", b"").await;
    assert_eq!(bearer.json(), json!({"authenticated": true, "token": "t"}));
}

#[tokio::test]
async fn a_hello_tells_its_version() {
    let demo = running().await;
    for (address, version) in [(demo.hello_v1, "v1"), (demo.hello_v2, "v2")] {
        let answer = get(address, "/any/path").await;
        assert!(answer.text().starts_with(&format!("hello from {version}, pod hello-{version}-")), "{}", answer.text());
        assert_eq!(answer.header("x-version"), Some(version));
        let json = get(address, "/json").await;
        assert_eq!((&json.json()["version"], json.header("x-version")), (&json!(version), Some(version)));
    }
}

#[tokio::test]
async fn a_web_socket_echoes() {
    let demo = running().await;
    let address = demo.echo;
    let talk = move || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(WAIT))?;
        stream.write_all(
            b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
              Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        // A text frame of two octets, masked with zeros; the echo is not masked.
        stream.write_all(b"\x81\x82\0\0\0\0hi")?;
        let mut echo = [0; 4];
        stream.read_exact(&mut echo)?;
        Ok::<_, std::io::Error>((String::from_utf8_lossy(&head).into_owned(), echo))
    };
    let (head, echo) = tokio::task::spawn_blocking(talk).await.expect("no panic").expect("an echo");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.to_ascii_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    assert_eq!(&echo, b"\x81\x02hi");
    assert_eq!(get(demo.echo, "/ws").await.status, 400);
    assert_eq!(get(demo.echo, "/elsewhere").await.json()["method"], json!("GET"));
}

/// The echoed octets and the trailers.
async fn grpc(to: SocketAddr, headers: &[(&str, &str)], body: &'static [u8]) -> (Vec<u8>, http::HeaderMap) {
    let stream = tokio::net::TcpStream::connect(to).await.expect("connect");
    let (client, connection) = h2::client::handshake(stream).await.expect("handshake");
    tokio::spawn(connection);
    let mut request = http::Request::post("http://h/a.Service/Method").header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut client = client.ready().await.expect("ready");
    let (answer, mut sender) = client.send_request(request.body(()).expect("a request"), false).expect("send");
    sender.send_data(body.into(), true).expect("data");
    let mut incoming = answer.await.expect("an answer").into_body();
    let mut out = Vec::new();
    while let Some(data) = incoming.data().await {
        let data = data.expect("data");
        incoming.flow_control().release_capacity(data.len()).expect("capacity");
        out.extend_from_slice(&data);
    }
    (out, incoming.trailers().await.expect("no error").expect("trailers"))
}

#[tokio::test]
async fn grpc_echoes() {
    let demo = running().await;
    let (body, trailers) = grpc(demo.grpc, &[], b"\0\0\0\0\x02hi").await;
    assert_eq!((body.as_slice(), &trailers["grpc-status"]), (&b"\0\0\0\0\x02hi"[..], &"0".parse().expect("a value")));
    let (body, trailers) = grpc(demo.grpc, &[("x-echo-times", "3"), ("x-echo-status", "7")], b"\0\0\0\0\x01x").await;
    assert_eq!((body.as_slice(), &trailers["grpc-status"]), (&b"\0\0\0\0\x01x".repeat(3)[..], &"7".parse().expect("a value")));
    let (_, trailers) = grpc(demo.grpc, &[], b"\0\x7f\0\0\0").await;
    assert_eq!(trailers["grpc-status"], "8", "a message that says it is too large");
    let (_, trailers) = grpc(demo.grpc, &[], b"\0\0\0\0\x05hi").await;
    assert_eq!(trailers["grpc-status"], "3", "half a message");
    assert_eq!(get(demo.grpc, "/").await.status, 415);
}

#[tokio::test]
async fn tcp_and_udp_echo() {
    let demo = running().await;
    let (tcp, udp) = (demo.tcp, demo.udp);
    let talk = move || {
        let mut stream = TcpStream::connect(tcp)?;
        stream.set_read_timeout(Some(WAIT))?;
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        let mut echo = vec![0; sent.len()];
        let mut writer = stream.try_clone()?;
        let copy = sent.clone();
        let writing = std::thread::spawn(move || {
            writer.write_all(&copy)?;
            writer.shutdown(std::net::Shutdown::Write)
        });
        stream.read_exact(&mut echo)?;
        assert_eq!(echo, sent);
        assert_eq!(stream.read(&mut [0])?, 0, "half-close is answered by a close");
        writing.join().expect("no panic")?;

        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(WAIT))?;
        for size in [0, 1, 1400, 60_000] {
            socket.send_to(&vec![7; size], udp)?;
            let mut buffer = vec![0; 1 << 16];
            assert_eq!(socket.recv_from(&mut buffer)?, (size, udp));
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::task::spawn_blocking(talk).await.expect("no panic").expect("echoes");
}

async fn start(sample: Sample) -> demo::Answering {
    sample.start((Ipv4Addr::LOCALHOST, 0).into()).await.expect("loopback has free ports")
}

#[tokio::test]
async fn what_a_browser_s_head_request_gets_is_what_get_has_without_the_body() {
    let demo = running().await;
    for path in ["/status/200", "/headers", "/get", "/ip", "/html", "/uuid", "/anything", "/delay/0", "/status/418"] {
        let (head, get) = (ask(demo.httpbin, "HEAD", path, "", b"").await, get(demo.httpbin, path).await);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
    assert!(get(demo.httpbin, "/status/418").await.text().contains("teapot"));
}

#[tokio::test]
async fn a_helloworld_says_which_instance_it_is() {
    let hello = |version: &str, instance: &str| Sample::Hello { version: version.into(), instance: instance.into() };
    let (one, two) = (start(hello("v1", "helloworld-v1-x")).await, start(hello("v2", "helloworld-v2-y")).await);
    assert_eq!(get(one.address, "/hello").await.text(), "Hello version: v1, instance: helloworld-v1-x\n");
    assert_eq!(get(two.address, "/hello").await.text(), "Hello version: v2, instance: helloworld-v2-y\n");
    assert_eq!((get(one.address, "/health").await.status, get(one.address, "/").await.status), (200, 404));
}

#[tokio::test]
async fn a_tcp_echo_puts_its_word_before_each_line() {
    let (one, two) = (start(Sample::TcpEcho { prefix: "one".into() }).await, start(Sample::TcpEcho { prefix: "two".into() }).await);
    let talk = |to: SocketAddr, octets: &'static [u8]| {
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(to)?;
            stream.set_read_timeout(Some(WAIT))?;
            stream.write_all(octets)?;
            stream.shutdown(std::net::Shutdown::Write)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        })
    };
    assert_eq!(talk(one.address, b"hello\nworld\r\nno line").await.expect("no panic").expect("an answer"), "one hello\none world\r\n");
    assert_eq!(talk(two.address, b"\n").await.expect("no panic").expect("an answer"), "two \n");
}

#[tokio::test]
async fn a_sample_by_itself_ends_by_itself() {
    let (one, other) = (start(Sample::Httpbin).await, start(Sample::Httpbin).await);
    let address = one.address;
    let waiting = ask(address, "GET", "/delay/1", "", b"");
    let (answer, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        one.shutdown().await;
    });
    assert_eq!(answer.status, 200, "an answer under way is finished");
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(get(other.address, "/get").await.status, 200);
}

#[tokio::test]
async fn only_loopback_unless_told() {
    assert_eq!(Options::default().address, IpAddr::from(Ipv4Addr::LOCALHOST));
    let demo = running().await;
    for address in [demo.httpbin, demo.hello_v1, demo.hello_v2, demo.echo, demo.grpc, demo.tcp, demo.udp] {
        assert!(address.ip().is_loopback());
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let demo = running().await;
    let ports = Ports { httpbin: demo.tcp.port(), ..Ports::ANY };
    let error = demo::start(Options { ports, ..Options::default() }).await.expect_err("it is taken");
    assert!(error.to_string().contains(&demo.tcp.to_string()), "{error}");
}

#[tokio::test]
async fn after_shutdown_nothing_listens() {
    let demo = running().await;
    let addresses = [demo.httpbin, demo.hello_v1, demo.echo, demo.grpc, demo.tcp];
    let waiting = ask(addresses[0], "GET", "/delay/1", "", b"");
    let (answer, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        demo.shutdown().await;
    });
    assert_eq!(answer.status, 200, "an answer under way is finished");
    for address in addresses {
        assert!(TcpStream::connect(address).is_err(), "{address}");
    }
}
