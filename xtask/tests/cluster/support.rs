//! Control plane and gateway in one process on this host, and kubectl.

use std::env;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// Held by a test: two gateways would have the same Services.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct Paifang(Child);

impl Paifang {
    pub fn start(arguments: &[&str]) -> Self {
        let binary = env::var_os("PAIFANG_BIN").expect("PAIFANG_BIN: run `cargo xtask test --cluster`");
        let mut command = Command::new(binary);
        command.args(["control", "--gateway-in-process", "--admin-address", "none"]).args(arguments);
        Self(command.stdout(Stdio::null()).spawn().expect("it starts"))
    }
}

impl Drop for Paifang {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn kubectl(arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = Command::new("kubectl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kubectl starts");
    // kubectl may not read its input at all.
    let _ = child.stdin.take().expect("its input is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("kubectl ends");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

pub fn get(arguments: &[&str]) -> Option<Value> {
    let json = kubectl(&[&["get", "-o", "json"], arguments].concat(), "").ok()?;
    serde_json::from_str(&json).ok()
}

pub fn apply(objects: Vec<Value>) {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    kubectl(&["apply", "-f", "-"], &list.to_string()).expect("the objects are accepted");
}

/// What curl prints as `STATUS BODY`, asking this host at this address.
pub fn curl(url: &str, host: &str, at: SocketAddr, more: &[&str]) -> Option<String> {
    let resolve = format!("{host}:{}:{}", at.port(), at.ip());
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--max-time", "10", "--resolve", &resolve, "--write-out", "%{http_code} %{redirect_url}"])
        .args(more)
        .arg(url);
    let output = command.output().expect("curl starts");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Installs a project's definitions, and removes them when dropped.
pub struct Definitions(String);

impl Definitions {
    /// Those that this variable names a file or a folder of.
    pub fn install(variable: &str) -> Self {
        Self::from(env::var(variable).unwrap_or_else(|_| panic!("{variable}: run `cargo xtask test --cluster`")))
    }

    /// Our own, as the binary prints them into this folder.
    pub fn own(folder: &Path) -> Self {
        let binary = env::var_os("PAIFANG_BIN").expect("PAIFANG_BIN: run `cargo xtask test --cluster`");
        let output = Command::new(binary).args(["crds", "--api", "paifang"]).output().expect("it starts");
        let file = folder.join("definitions.yaml");
        std::fs::write(&file, output.stdout).expect("a file");
        Self::from(file.display().to_string())
    }

    fn from(from: String) -> Self {
        kubectl(&["apply", "--server-side", "-f", &from], "").expect("they are accepted");
        kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], "").expect("they are served");
        Self(from)
    }
}

impl Drop for Definitions {
    fn drop(&mut self) {
        let removed = kubectl(&["delete", "--ignore-not-found", "--wait=true", "-f", &self.0], "");
        if let Err(error) = removed {
            eprintln!("the definitions stay: {error}");
        }
    }
}
