//! A server of the Kubernetes API on core 0, with nothing in it yet.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use testkit::ports::{NODE_PORTS, Row, own_address};
use tokio::runtime::Runtime;

use super::on_disk;
use crate::processes::{self, PROXY_CORE, Program};

const PATIENCE: Duration = Duration::from_secs(120);
/// Of the administrator of the other server, which is gone when the run is.
const TOKEN: &str = "bench";

#[derive(Clone, Debug)]
pub enum Peer {
    /// `paifang up`.
    Paifang(PathBuf),
    /// The folder of both.
    Kubernetes(PathBuf),
}

pub struct Server {
    peer: Peer,
    folder: PathBuf,
    programs: Vec<Program>,
    address: SocketAddr,
    nodes: Row,
    pub runtime: Runtime,
    pub client: Client,
}

// === impl Peer ===

impl Peer {
    /// Paifang, and the other where its binaries are.
    pub fn installed(cluster: Option<&Path>) -> Result<Vec<Self>> {
        let paifang = std::env::current_exe()?.with_file_name("paifang");
        if !paifang.exists() {
            bail!("{} is missing: `cargo xtask bench` builds it", paifang.display());
        }
        let found = cluster.map(Path::to_owned).or_else(usual_place).filter(|folder| folder.join("kube-apiserver").exists());
        if found.is_none() {
            println!("etcd and kube-apiserver are not there, so nothing is compared with them: `cargo xtask test --cluster` builds them");
        }
        Ok([Some(Self::Paifang(paifang)), found.map(Self::Kubernetes)].into_iter().flatten().collect())
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Paifang(_) => "paifang",
            Self::Kubernetes(_) => "etcd + kube-apiserver",
        }
    }

    pub fn version(&self) -> String {
        let first = |program: &Path| {
            let output = Command::new(program).arg("--version").output().ok();
            output.and_then(|it| String::from_utf8_lossy(&it.stdout).lines().next().map(str::to_owned)).unwrap_or_default()
        };
        match self {
            Self::Paifang(program) => first(program),
            Self::Kubernetes(folder) => format!("{}, {}", first(&folder.join("etcd")), first(&folder.join("kube-apiserver"))),
        }
    }
}

/// Where `deploy/cluster` keeps what it built.
fn usual_place() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let cluster = variable("CLUSTER_CACHE").or_else(|| Some(cache()?.join("paifang/cluster")))?;
    let folders = std::fs::read_dir(cluster).ok()?.flatten().map(|entry| entry.path());
    folders.filter(|folder| folder.join("kube-apiserver").exists() && folder.join("etcd").exists()).max()
}

// === impl Server ===

impl Server {
    pub fn start(peer: &Peer, folder: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let address = own_address();
        let kubeconfig = match peer {
            Peer::Paifang(_) => on_disk(folder).join("kubeconfig"),
            Peer::Kubernetes(_) => prepare(folder, address)?,
        };
        let nodes = Row::among(NODE_PORTS);
        let programs = begin(peer, folder, address, &nodes)?;
        wait_for(&kubeconfig)?;
        let config =
            runtime.block_on(kube::Config::from_custom_kubeconfig(Kubeconfig::read_from(&kubeconfig)?, &KubeConfigOptions::default()))?;
        let client = {
            let _entered = runtime.enter();
            Client::try_from(config)?
        };
        let server = Self { peer: peer.clone(), folder: folder.to_owned(), programs, address, nodes, runtime, client };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// Ends it and starts it again, and returns how long that took until it answered.
    pub fn restart(&mut self) -> Result<f64> {
        // The API before its store.
        while self.programs.pop().is_some() {}
        let begun = Instant::now();
        self.programs = begin(&self.peer, &self.folder, self.address, &self.nodes)?;
        self.wait_until_it_answers()?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = http::Request::get("/readyz").body(Vec::new())?;
            let namespace = http::Request::get("/api/v1/namespaces/default").body(Vec::new())?;
            let both = async { self.client.request_text(ready).await.is_ok() && self.client.request_text(namespace).await.is_ok() };
            if self.runtime.block_on(both) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{} does not answer: {}", self.peer.name(), said(&self.folder));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The proportional set size of all of it, in MiB.
    pub fn memory(&self) -> Result<f64> {
        self.programs.iter().map(|program| Ok(processes::memory(program.id())? as f64 / f64::from(1 << 20))).sum()
    }

    pub fn ids(&self) -> Vec<u32> {
        self.programs.iter().map(Program::id).collect()
    }
}

fn said(folder: &Path) -> String {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let all = read("etcd.err") + &read("api.err");
    all.lines().rev().take(5).collect::<Vec<_>>().join(" | ")
}

fn wait_for(file: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !file.exists() {
        if Instant::now() > deadline {
            bail!("{} does not come", file.display());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn begin(peer: &Peer, folder: &Path, address: SocketAddr, nodes: &Row) -> Result<Vec<Program>> {
    let start = |command: &Command, log: &str| Program::start(PROXY_CORE, command, Some(&folder.join(log)));
    match peer {
        Peer::Paifang(program) => {
            let mut up = Command::new(program);
            up.arg("up").arg("--data-dir").arg(on_disk(folder)).args(["--api-address", &address.to_string()]);
            up.args(["--node-ports", &nodes.to_string(), "--pool", "none", "--admin-address", "none"]);
            up.args(["--access-log", "none", "--workers", "1"]);
            Ok(vec![start(&up, "api.err")?])
        }
        Peer::Kubernetes(binaries) => {
            let [client, peers] = [1, 2].map(|_| format!("http://{}", own_address()));
            let mut etcd = Command::new(binaries.join("etcd"));
            etcd.arg("--data-dir").arg(on_disk(folder)).args(["--log-level", "warn"]);
            etcd.args(["--listen-client-urls", &client, "--advertise-client-urls", &client, "--listen-peer-urls", &peers]);
            etcd.args(["--initial-advertise-peer-urls", &peers, "--initial-cluster", &format!("default={peers}")]);
            let mut api = Command::new(binaries.join("kube-apiserver"));
            let file = |name: &str| folder.join(name);
            api.args(["--bind-address", "127.0.0.1", "--secure-port", &address.port().to_string(), "--etcd-servers", &client]);
            api.args(["--endpoint-reconciler-type", "none", "--authorization-mode", "RBAC", "--service-cluster-ip-range", "198.19.0.0/16"]);
            api.arg("--cert-dir").arg(folder).arg("--token-auth-file").arg(file("tokens.csv"));
            api.args(["--service-account-issuer", "https://kubernetes.default.svc"]);
            api.arg("--service-account-key-file").arg(file("sa.key")).arg("--service-account-signing-key-file").arg(file("sa.key"));
            Ok(vec![start(&etcd, "etcd.err")?, start(&api, "api.err")?])
        }
    }
}

/// What the other one needs to start, and how it is spoken to.
fn prepare(folder: &Path, address: SocketAddr) -> Result<PathBuf> {
    let mut openssl = Command::new("openssl");
    openssl.args(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]).arg(folder.join("sa.key"));
    let made = openssl.output().context("`openssl` does not start")?;
    if !made.status.success() {
        bail!("openssl: {}", String::from_utf8_lossy(&made.stderr));
    }
    std::fs::write(folder.join("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
    let kubeconfig = folder.join("kubeconfig");
    let text = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": format!("https://{address}"), "insecure-skip-tls-verify": true}}],
        "users": [{"name": "bench", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    });
    std::fs::write(&kubeconfig, text.to_string())?;
    Ok(kubeconfig)
}
