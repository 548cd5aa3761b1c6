//! `cargo xtask test`: every test there is, in one command shape.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::build::BINARY;
use crate::{build, tally, tools};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run the route's objects through a real kube-apiserver instead; builds one first (Go 1.26, root).
    #[arg(long)]
    cluster: bool,

    /// Passed on to `cargo test`, for example a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    tools::require(&[
        ("rustc", "https://rustup.rs"),
        ("kubectl", "1.30 or newer, https://kubernetes.io/docs/tasks/tools"),
        ("curl", "your system's package"),
    ])?;
    if arguments.cluster {
        return cluster(&arguments.passed);
    }
    let paifang = build::quick("paifang")?;
    // Without --no-fail-fast, a failure would hide the results of every test binary behind it.
    let mut command = tools::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).args(&arguments.passed).env(BINARY, paifang);
    tally::finish(&mut command)
}

/// Starts etcd and kube-apiserver, runs the tests made for them, and takes them down again, whatever came out.
fn cluster(passed: &[String]) -> Result<ExitCode> {
    let script = tools::root().join("deploy/cluster/cluster");
    let up = || Command::new(&script);
    tools::run(up().arg("check"))?;
    let paifang = build::quick("paifang")?;
    tools::run(up().arg("up"))?;
    let said = |word: &str| -> Result<String> { Ok(String::from_utf8(up().arg(word).output()?.stdout)?.trim().to_owned()) };
    let (kubeconfig, address) = (said("kubeconfig")?, said("address")?);
    let mut command = tools::cargo();
    command.args(["test", "--package", "xtask", "--test", "cluster"]).args(passed).args(["--", "--ignored", "--nocapture"]);
    let tested = tally::finish(command.env(BINARY, paifang).env("KUBECONFIG", kubeconfig).env("BACKEND_ADDRESS", address));
    if let Err(error) = tools::run(up().arg("down")) {
        bail!("the cluster is still up: {error:#}");
    }
    tested
}
