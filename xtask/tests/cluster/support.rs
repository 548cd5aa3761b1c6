//! Control plane and gateway in one process on this host, and kubectl.

use std::env;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

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
