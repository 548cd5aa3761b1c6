//! The writer against an API server that is slow, busy or gone.

use kube::{Client, Config};
use resources::{Condition, Truth};
use serde_json::{Value, json};
use status::{Kind, Mailbox, Shape, Statement, Target, Wish, write_all};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// Less than a request that hangs may take.
const WAIT: Duration = Duration::from_secs(8);

/// How it answers, by the name of the object that is asked for.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// Answers 409 so often to a patch of this object.
    busy: BTreeMap<String, u32>,
    /// What has been written, in order.
    written: Vec<(String, Value)>,
    /// The status of each object.
    status: BTreeMap<String, Value>,
}

impl Server {
    async fn start() -> (Self, Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = Self::default();
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().connection(stream));
            }
        });
        let uri = format!("http://{address}").parse().expect("an address");
        (server, Client::try_from(Config::new(uri)).expect("a client"))
    }

    async fn connection(self, mut stream: TcpStream) {
        let mut buffer = Vec::new();
        while let Some((method, name, body)) = request(&mut stream, &mut buffer).await {
            if name.starts_with("slow") {
                return std::future::pending().await;
            }
            let (code, answer) = self.answer(&method, &name, &body);
            let answer = answer.to_string();
            let head = format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
            if stream.write_all(format!("{head}{answer}").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, method: &str, name: &str, body: &Value) -> (u16, Value) {
        let mut known = self.0.lock().expect("nobody panics");
        if method == "PATCH" {
            if let Some(left) = known.busy.get_mut(name).filter(|it| **it > 0) {
                *left -= 1;
                return (409, json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 409, "reason": "Conflict" }));
            }
            known.written.push((name.to_owned(), body.clone()));
            json_patch::merge(known.status.entry(name.to_owned()).or_default(), &body["status"]);
        }
        let status = known.status.get(name).cloned().unwrap_or_else(|| json!({}));
        let metadata = json!({ "name": name, "namespace": "demo", "resourceVersion": "7" });
        (200, json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "status": status }))
    }

    fn written(&self) -> Vec<(String, Value)> {
        self.0.lock().expect("nobody panics").written.clone()
    }

    async fn until(&self, what: &str, holds: impl Fn(&[(String, Value)]) -> bool) {
        let poll = async {
            while !holds(&self.written()) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(timeout(WAIT, poll).await.is_ok(), "{what}: {:?}", self.written());
    }
}

/// Method, the object's name, and the body.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String, Value)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head.lines().find_map(|it| it.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if buffer.len() >= whole {
                let body = serde_json::from_slice(&buffer[end + 4..whole]).unwrap_or_default();
                buffer.drain(..whole);
                let mut words = head.split(' ');
                let (method, path) = (words.next()?.to_owned(), words.next()?.split('?').next()?.to_owned());
                let name = path.split('/').rfind(|it| *it != "status")?.to_owned();
                return Some((method, name, body));
            }
        }
        let mut some = [0; 4096];
        match stream.read(&mut some).await {
            Ok(n) if n > 0 => buffer.extend_from_slice(&some[..n]),
            _ => return None,
        }
    }
}

fn wish(reason: &str) -> Wish {
    let condition = Condition::new("Accepted", Truth::True, reason.to_owned(), "");
    Wish::Status(Box::new(Statement { uid: "".into(), generation: 1, shape: Shape::Conditions(vec![condition]) }))
}

fn target(name: &str) -> Target {
    Target::new(Kind::HttpRoute, "demo", name)
}

#[tokio::test]
async fn what_hangs_delays_nobody_else() {
    let (server, client) = Server::start().await;
    let mailbox = Mailbox::default();
    for n in 0..12 {
        mailbox.put(target(&format!("slow{n}")), wish("Accepted"));
    }
    let writing = tokio::spawn(write_all(client, mailbox.clone()));
    for wave in 1..=3 {
        for n in 0..40 {
            mailbox.put(target(&format!("w{wave}-{n}")), wish("Accepted"));
        }
        server.until("each wave is written", |written| written.len() == 40 * wave).await;
    }
    writing.abort();
}

#[tokio::test]
async fn a_conflict_is_tried_again_with_what_is_there_then() {
    let (server, client) = Server::start().await;
    server.0.lock().expect("nobody panics").busy.insert("busy".into(), 3);
    status::write(&client, &target("busy"), &wish("Accepted")).await.expect("the fourth try is taken");
    let written = server.written();
    assert_eq!(written.len(), 1);
    assert_eq!((&written[0].1["metadata"]["resourceVersion"], &written[0].1["status"]["observedGeneration"]), (&json!("7"), &json!(1)));
    status::write(&client, &target("busy"), &wish("Accepted")).await.expect("it is so already");
    assert_eq!(server.written().len(), 1, "and nothing is written");
}

#[tokio::test]
async fn of_many_statuses_of_one_object_the_last_is_written_and_few_between() {
    let (server, client) = Server::start().await;
    let mailbox = Mailbox::default();
    let writing = tokio::spawn(write_all(client, mailbox.clone()));
    for n in 0..200 {
        mailbox.put(target("gateway"), wish(&format!("N{n}")));
        sleep(Duration::from_millis(1)).await;
    }
    let reason = |it: &(String, Value)| it.1["status"]["conditions"][0]["reason"].clone();
    server.until("the last one", |written| written.last().is_some_and(|it| reason(it) == "N199")).await;
    let writes = server.written().len();
    assert!(writes < 100, "{writes}");
    writing.abort();
}
