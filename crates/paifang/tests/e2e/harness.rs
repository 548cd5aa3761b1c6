//! A running `paifang up`, and the tools users hold in their hands.

use fastrand::Rng;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use tempfile::TempDir;
use testkit::client::{Connection, Response};
use testkit::eventually;
use testkit::ports::{NODE_PORTS, Row, own_address};

pub const GATEWAY: (&str, &str) = ("kubesphere-controls-system", "kubesphere-router-kubesphere-system");

/// Started from a folder of its own; stopped and deleted when dropped.
pub struct Up {
    pub dir: TempDir,
    pub pool: String,
    pub node_ports: Row,
    pub offset: u16,
    /// Where its API is, after a restart too, so that clients find it again.
    api: SocketAddr,
    more: Vec<String>,
    child: Option<Child>,
    /// LoadBalancer first, then the node's.
    pub http: Vec<SocketAddr>,
    pub https: Vec<SocketAddr>,
}

/// The run's own chance; the seed is printed, so that a failed run can be repeated.
pub fn chance(test: &str) -> Rng {
    let seed = std::env::var("PAIFANG_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    eprintln!("{test}: PAIFANG_SEED={seed}");
    Rng::with_seed(seed)
}

/// A name no other test has.
pub fn word(rng: &mut Rng) -> String {
    let first = rng.lowercase();
    first.to_string() + &std::iter::repeat_with(|| rng.lowercase()).take(7).collect::<String>()
}

pub fn binary() -> PathBuf {
    std::env::var_os("PAIFANG_BIN").map_or_else(|| env!("CARGO_BIN_EXE_paifang").into(), PathBuf::from)
}

/// Runs `paifang` to its end.
pub fn paifang(arguments: &[&str], input: &str) -> Output {
    run(Command::new(binary()).args(arguments), input)
}

pub fn run(command: &mut Command, input: &str) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("these tests need `{name}`, which does not start: {error}"));
    let mut stdin = child.stdin.take().expect("its input is piped");
    let input = input.to_owned();
    // It may not read its input at all.
    let writing = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writing.join().expect("writing does not panic");
    output
}

pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

// === impl Up ===

impl Up {
    pub fn start(more: &[&str]) -> Self {
        let mut up = Self::idle(more);
        up.start_again();
        up
    }

    /// Not yet started.
    pub fn idle(more: &[&str]) -> Self {
        let mut rng = Rng::new();
        // /28 networks of 127.64.0.0/10; two tests that meet in one would pass over each other's addresses.
        let (a, b, c) = (rng.u8(64..128), rng.u8(..), rng.u8(0..16) * 16);
        Self {
            dir: TempDir::new().expect("a folder"),
            pool: format!("127.{a}.{b}.{c}/28"),
            node_ports: Row::among(NODE_PORTS),
            offset: if may_bind_80() { 0 } else { 10_000 },
            api: own_address(),
            more: more.iter().map(|it| (*it).to_owned()).collect(),
            child: None,
            http: Vec::new(),
            https: Vec::new(),
        }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.arg("up").args(["--admin-address", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(self.data()).args(["--node-ports", &self.node_ports.to_string()]);
        let given = |flag: &str| self.more.iter().any(|it| it == flag);
        if !given("--api-address") {
            command.args(["--api-address", &self.api.to_string()]);
        }
        if !given("--pool") {
            command.args(["--pool", &self.pool]);
        }
        // Port 53 is one, and the tests are many.
        if !given("--dns-address") {
            command.args(["--dns-address", "none"]);
        }
        // So is the console's.
        if !given("--console-address") {
            command.args(["--console-address", "none"]);
        }
        if !given("--port-offset") && self.offset > 0 {
            command.args(["--port-offset", &self.offset.to_string()]);
        }
        command.arg("--access-log").arg(self.access_log()).args(&self.more).env_remove("RUST_LOG");
        command
    }

    /// Starts it, and waits until it serves.
    pub fn start_again(&mut self) {
        let log = File::options().create(true).append(true).open(self.dir.path().join("stderr")).expect("a file");
        let _ = std::fs::remove_file(self.kubeconfig());
        let child = self.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        self.child = Some(child);
        eventually("it serves", || {
            if let Some(status) = self.child.as_mut().and_then(|it| it.try_wait().expect("it can be waited for")) {
                panic!("it ended with {status}: {}", self.said());
            }
            self.kubeconfig().exists().then_some(())?;
            self.find_sockets()?;
            let all = self.http.iter().chain(&self.https);
            all.map(|it| TcpStream::connect(it).ok()).collect::<Option<Vec<_>>>()
        });
    }

    fn find_sockets(&mut self) -> Option<()> {
        let named = self.more.iter().position(|it| it == "--gateway-names").and_then(|at| self.more.get(at + 1)?.split_once('/'));
        let (namespace, name) = named.map_or((GATEWAY.0, GATEWAY.1.to_owned()), |(it, prefix)| (it, format!("{prefix}-kubesphere-system")));
        let service = self.get(&["service", "-n", namespace, &name])?;
        let address = service.pointer("/status/loadBalancer/ingress/0/ip").and_then(Value::as_str);
        let sockets = |name: &str| {
            let port = service.pointer("/spec/ports")?.as_array()?.iter().find(|it| it["name"] == name)?;
            let number = |it: &Value| it.as_u64().and_then(|it| u16::try_from(it).ok());
            let balanced = match address {
                Some(address) => Some(SocketAddr::new(address.parse().ok()?, number(&port["port"])?)),
                None => None,
            };
            let node = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), number(&port["nodePort"])?);
            Some(balanced.into_iter().chain([node]).collect::<Vec<_>>())
        };
        (self.http, self.https) = (sockets("http")?, sockets("https")?);
        Some(())
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.data().join("kubeconfig")
    }

    pub fn access_log(&self) -> PathBuf {
        self.dir.path().join("access.log")
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// All it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("stderr")).unwrap_or_default()
    }

    pub fn pid(&self) -> String {
        self.child.as_ref().expect("it runs").id().to_string()
    }

    pub fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.pid()]).status().expect("kill starts");
        assert!(done.success(), "it runs");
    }

    pub fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let status = eventually("it ends", || child.try_wait().expect("it can be waited for"));
        self.http.clear();
        status
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }

    pub fn kubectl(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let output = run(Command::new("kubectl").env("KUBECONFIG", self.kubeconfig()).args(arguments), input);
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// What a command of ours prints about this one; it must succeed.
    pub fn paifang(&self, arguments: &[&str]) -> String {
        let output = run(Command::new(binary()).env("KUBECONFIG", self.kubeconfig()).args(arguments), "");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub fn get(&self, arguments: &[&str]) -> Option<Value> {
        serde_json::from_str(&self.kubectl(&[&["get", "-o", "json"], arguments].concat(), "").ok()?).ok()
    }

    pub fn apply(&self, objects: &[Value]) {
        let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
        self.kubectl(&["apply", "-f", "-"], &documents.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Applies YAML.
    pub fn yaml(&self, manifests: &str) {
        self.kubectl(&["apply", "-f", "-"], manifests).unwrap_or_else(|error| panic!("{error}\n{manifests}"));
    }

    /// Applies a file of `samples/` in a namespace.
    pub fn sample(&self, namespace: &str, file: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(file);
        self.kubectl(&["apply", "-n", namespace, "-f", &path.display().to_string()], "").unwrap_or_else(|error| panic!("{error}"));
    }

    /// A condition of an object, `STATUS REASON MESSAGE`. `at`: where its list stands, for example `/status/parents/0/conditions`.
    pub fn condition(&self, object: &[&str], at: &str, kind: &str) -> Option<String> {
        let object = self.get(object)?;
        let condition = object.pointer(at)?.as_array()?.iter().find(|it| it["type"] == kind)?.clone();
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        Some(format!("{} {} {}", text("status"), text("reason"), text("message")))
    }

    /// Waits for a condition that begins so.
    pub fn until_condition(&self, object: &[&str], at: &str, kind: &str, beginning: &str) -> String {
        eventually(&format!("{object:?} {at} {kind}: {beginning}"), || {
            self.condition(object, at, kind).filter(|it| it.starts_with(beginning))
        })
    }

    /// The address of a Gateway API Gateway, once it is programmed.
    pub fn gateway_address(&self, namespace: &str, name: &str) -> IpAddr {
        let gateway = ["gateways.gateway.networking.k8s.io", "-n", namespace, name];
        self.until_condition(&gateway, "/status/conditions", "Programmed", "True");
        eventually("an address of the Gateway", || self.get(&gateway)?.pointer("/status/addresses/0/value")?.as_str()?.parse().ok())
    }

    /// Where a user would send http requests.
    pub fn front(&self) -> SocketAddr {
        self.http[0]
    }

    /// `None`: the connection broke.
    pub fn ask(&self, host: &str, path: &str) -> Response {
        Connection::open(self.front()).get(host, path)
    }

    /// Asks until the answer is as wanted.
    pub fn until(&self, host: &str, path: &str, what: &str, wanted: impl Fn(&Response) -> bool) -> Response {
        eventually(&format!("{host}{path}: {what}"), || Some(self.ask(host, path)).filter(&wanted))
    }

    /// Asks at another address than the shared gateway's until the answer is as wanted.
    pub fn until_at(&self, at: SocketAddr, host: &str, path: &str, what: &str, wanted: impl Fn(&Response) -> bool) -> Response {
        eventually(&format!("{at} {host}{path}: {what}"), || {
            TcpStream::connect(at).ok()?;
            Some(Connection::open(at).get(host, path)).filter(&wanted)
        })
    }

    /// What curl says: status, `Location`, body.
    pub fn curl(&self, url: &str, at: SocketAddr, more: &[&str]) -> Result<(u16, String, String), String> {
        let host = url.split("://").nth(1).and_then(|it| it.split(['/', ':']).next()).expect("a host");
        let resolve = format!("{host}:{}:{}", at.port(), at.ip());
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--resolve", &resolve]);
        command.args(["--write-out", "\n%{http_code} %{redirect_url}"]).args(more).arg(url);
        let output = run(&mut command, "");
        if !output.status.success() {
            return Err(text(&output.stderr));
        }
        let all = text(&output.stdout);
        let (body, last) = all.rsplit_once('\n').expect("curl writes the line asked for");
        let (status, location) = last.split_once(' ').expect("two words");
        Ok((status.parse().expect("a status"), location.to_owned(), body.to_owned()))
    }

    /// Events of an object, `REASON MESSAGE`.
    pub fn events(&self, namespace: &str, name: &str) -> Vec<String> {
        let selector = format!("involvedObject.name={name}");
        let Some(list) = self.get(&["events", "-n", namespace, "--field-selector", &selector]) else { return Vec::new() };
        let events = list["items"].as_array().cloned().unwrap_or_default();
        let line = |it: &Value| format!("{} {}", it["reason"].as_str().unwrap_or_default(), it["message"].as_str().unwrap_or_default());
        events.iter().map(line).collect()
    }

    /// Waits for an event that says all of these words.
    pub fn event(&self, namespace: &str, name: &str, words: &[&str]) -> String {
        eventually(&format!("an event of {namespace}/{name} with {words:?}"), || {
            self.events(namespace, name).into_iter().find(|it| words.iter().all(|word| it.contains(word)))
        })
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- it said ---\n{}", self.said());
        }
    }
}

/// Whether ports below 1024 are this user's to take; a test that needs them says that it is skipped.
pub fn low_ports() -> bool {
    if !may_bind_80() {
        eprintln!("skipped: its ports are below 1024, and this user may not listen on them");
    }
    may_bind_80()
}

pub fn may_bind_80() -> bool {
    TcpListener::bind("127.0.0.1:80").map_or_else(|error| error.kind() != std::io::ErrorKind::PermissionDenied, |_| true)
}

/// `:8080`, or nothing where it is the scheme's own.
pub fn shown_port(port: u16, default: u16) -> String {
    if port == default { String::new() } else { format!(":{port}") }
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
