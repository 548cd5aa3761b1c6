//! The real binary, with a control in this process: what it serves, when it is ready, and what it does while control is away.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use model::{
    Action, Backend, BackendId, Binding, Endpoint, Forward, Gateway, GatewayId, Host, HostPattern, Hostname, Listener, ListenerProtocol,
    Match, ObjectRef, PathMatch, Replies, Route, Sealed, SectionName, Shard, ShardKey, Source, Update, Version,
};
use sync::{Authority, Hub, Review, Reviewed};
use testkit::client::Connection;
use testkit::eventually;
use testkit::origin::Origin;
use testkit::ports::own_address;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const ID: &str = "demo/web";
const HOST: &str = "web.test";

struct Token;

impl Review for Token {
    async fn review(&self, token: Sealed<String>) -> Reviewed {
        match token.open().as_str() {
            "good" => Reviewed::Gateway(GatewayId::new(ID)),
            _ => Reviewed::Nobody("the token is not good".into()),
        }
    }
}

/// Control's end, on a runtime of its own: dropping that is a control that goes away.
struct Control {
    hub: Arc<Hub>,
    _runtime: Runtime,
}

impl Control {
    fn start(address: SocketAddr, authority: Arc<Authority>, epoch: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let hub = Hub::new(epoch, Vec::new());
        // The port of the one before may take a moment.
        let listener = eventually("the link's address", || runtime.block_on(TcpListener::bind(address)).ok());
        runtime.spawn(sync::serve(listener, authority, hub.clone(), Token));
        Self { hub, _runtime: runtime }
    }
}

struct Running(Child);

impl Running {
    /// As told to stop by an orchestrator.
    fn stopped(mut self) -> ExitStatus {
        let terminated = Command::new("kill").arg(self.0.id().to_string()).status().expect("kill starts");
        assert!(terminated.success());
        eventually("its end", || self.0.try_wait().expect("it is our child"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn status(at: SocketAddr, path: &str) -> Option<u16> {
    let stream = std::net::TcpStream::connect(at).ok()?;
    drop(stream);
    Some(Connection::open(at).get(HOST, path).status)
}

/// One host, whose one path leads to this origin.
fn update(version: Version, port: u16, path: &str, origin: SocketAddr) -> Update {
    let (id, backend) = (GatewayId::new(ID), BackendId::new("demo/web:80"));
    let binding = Binding { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), https_port: None };
    let listener = Listener { name: SectionName::new("http"), protocol: ListenerProtocol::Http, port, bindings: vec![binding] };
    let gateway = Gateway {
        id: id.clone(),
        listeners: vec![listener],
        default_certificate: None,
        replies: Replies::default(),
        options: Arc::default(),
    };
    let route = Route {
        source: Source { object: ObjectRef::new("HTTPRoute", "demo", "web"), rule: "spec.rules[0]".into() },
        replies: None,
        matches: vec![Match { path: PathMatch::Prefix(path.into()), ..Match::default() }],
        filters: Vec::new(),
        action: Action::Forward(Forward::to(Arc::new(Backend::new(backend.clone())))),
    };
    let name = HostPattern::Exact(Hostname::parse(HOST).expect("a good name"));
    let shard = Shard::new(Host { routes: vec![route], ..Host::new(name.clone()) });
    Update {
        version,
        endpoints: vec![(backend, Some(Arc::from([Endpoint { address: origin }])))],
        gateways: vec![(id.clone(), Some(Arc::new(gateway)))],
        shards: vec![(ShardKey { gateway: id, port: None, host: name }, Some(shard))],
    }
}

#[test]
fn it_serves_what_it_is_told_and_goes_on_without_control() {
    let (origin, folder) = (Origin::recording(), tempfile::tempdir().expect("a folder"));
    let token = folder.path().join("token");
    std::fs::write(&token, "good").expect("a file");
    let (pem, key) = Authority::generate(SystemTime::now()).expect("random octets");
    let authority = Arc::new(Authority::read(&pem, &key).expect("it was just made"));
    let (link, admin, http) = (own_address(), own_address(), own_address());
    let control = Control::start(link, authority.clone(), 1);
    let gateway = Command::new(env!("CARGO_BIN_EXE_paifang-gateway"))
        .args(["--control", &link.to_string(), "--admin-address", &admin.to_string(), "--workers", "1"])
        .args(["--access-log", "none", "--linger", "0", "--drain", "1", "--token-file"])
        .arg(&token)
        .env("PAIFANG_AUTHORITY", &pem)
        .stdout(Stdio::null())
        .spawn();
    let gateway = Running(gateway.expect("it starts"));

    eventually("it lives", || (status(admin, "/healthz") == Some(200)).then_some(()));
    // It is connected, and has been told nothing.
    eventually("a link", || control.hub.connected().first().map(drop));
    assert_eq!(status(admin, "/readyz"), Some(503));
    assert_eq!(status(http, "/one"), None);

    let version = |epoch, sequence| Version { epoch, sequence };
    control.hub.publish(&update(version(1, 1), http.port(), "/one", origin.address()));
    eventually("it is ready", || (status(admin, "/readyz") == Some(200)).then_some(()));
    assert_eq!((status(http, "/one"), status(http, "/two")), (Some(200), Some(404)));

    drop(control);
    assert_eq!((status(admin, "/readyz"), status(http, "/one")), (Some(200), Some(200)));
    // The next control has not read its objects yet: nothing is taken away meanwhile.
    let control = Control::start(link, authority, 2);
    eventually("a link again", || control.hub.connected().first().map(drop));
    assert_eq!((status(http, "/one"), status(http, "/two")), (Some(200), Some(404)));
    control.hub.publish(&update(version(2, 1), http.port(), "/two", origin.address()));
    eventually("it follows", || (status(http, "/two") == Some(200)).then_some(()));
    assert_eq!(status(http, "/one"), Some(404));
    assert!(gateway.stopped().success());
}

#[test]
fn a_command_line_that_lacks_something_says_what() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_paifang-gateway")).args(["--control", "127.0.0.1:1"]).env_remove("PAIFANG_AUTHORITY").output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--authority"), "{output:?}");
}
