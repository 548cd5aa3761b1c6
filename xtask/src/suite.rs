//! `cargo xtask test`: every test there is, in one command shape.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::build::BINARY;
use crate::tally::{self, Runner, Tally};
use crate::{application, build, console, tools};

/// What the node calls its images. No registry has them.
const GATEWAY_IMAGE: &str = "localhost/paifang-gateway:test";
const CONTROL_IMAGE: &str = "localhost/paifang:test";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run the tests for a real one-node cluster instead; builds one first (Go 1.26, root).
    #[arg(long)]
    cluster: bool,

    /// Run the clients and controllers written in Go instead (Go 1.26); their modules come from the module proxy the first time.
    #[arg(long, conflicts_with = "cluster")]
    go: bool,

    /// Try the console in a browser instead (Node, Chromium), after its application's own tests.
    #[arg(long, conflicts_with_all = ["cluster", "go"])]
    console: bool,

    /// Passed on to `cargo test`, for example a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.go {
        return go(&arguments.passed);
    }
    if arguments.console {
        return application::run(&arguments.passed);
    }
    tools::require(&[
        ("rustc", "https://rustup.rs"),
        ("kubectl", "1.30 or newer, https://kubernetes.io/docs/tasks/tools"),
        ("curl", "your system's package"),
    ])?;
    if arguments.cluster {
        return cluster(&arguments.passed);
    }
    let mut tally = Tally::default();
    // Who names a test means one of cargo's.
    let mut good = !arguments.passed.is_empty() || !console::build()? || application::units(&mut tally)?;
    let paifang = build::quick("paifang")?;
    // Without --no-fail-fast, a failure would hide the results of every test binary behind it.
    let mut command = tools::cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]).args(&arguments.passed).env(BINARY, paifang);
    good &= tally.run(Runner::Cargo, &mut command)?;
    tally.close(good)
}

/// client-go and controller-runtime against the binary, as their users build them.
fn go(passed: &[String]) -> Result<ExitCode> {
    tools::require(&[("go", "1.26 or newer, https://go.dev/dl")])?;
    let paifang = build::quick("paifang")?;
    let mut command = Command::new("go");
    // Not what a cache says of an older binary.
    command.args(["test", "-count=1", "-trimpath", "-timeout=20m", "./..."]).args(passed);
    command.current_dir(tools::root().join("conformance/controller-runtime")).env("CGO_ENABLED", "0").env(BINARY, paifang);
    tools::finish(&mut command)
}

#[derive(Debug, clap::Args)]
pub struct NightlyArguments {
    /// Ends of the store's process, a tenth of them by `kill -9`, and as many bits of its file turned over.
    #[arg(long, default_value_t = 2000)]
    kills: u64,

    /// Stop after this long, with what was done by then.
    #[arg(long)]
    minutes: Option<u64>,

    /// Repeats a run's histories; a failure names its own.
    #[arg(long)]
    seed: Option<u64>,
}

/// What takes minutes. The tests are optimised: a database that checks all its pages is slow otherwise.
pub fn nightly(arguments: &NightlyArguments) -> Result<ExitCode> {
    let mut command = tools::cargo();
    command.args(["test", "--profile", "quick", "--package", "store", "--no-fail-fast", "--lib", "--test", "kill"]);
    command.args(["nightly_", "--", "--ignored", "--nocapture"]);
    command.env("PAIFANG_KILLS", arguments.kills.to_string());
    let more = [("PAIFANG_MINUTES", arguments.minutes), ("PAIFANG_SEED", arguments.seed)];
    command.envs(more.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))));
    tally::finish(&mut command)
}

#[derive(Debug, clap::Args)]
pub struct OracleArguments {
    /// The cluster to ask, as its administrator with a certificate. It is filled with objects: give one that may go. Without this, a
    /// kube-apiserver is started for it and taken down again (Go 1.26, root).
    #[arg(long)]
    kubeconfig: Option<std::path::PathBuf>,
}

/// Writes the tables under `crates/apiserver/tests/api/oracle` anew. What then differs from this API, its tests say.
pub fn oracle(arguments: &OracleArguments) -> Result<ExitCode> {
    let record = |kubeconfig: &std::path::Path| {
        let mut command = tools::cargo();
        command.args(["test", "--package", "apiserver", "--test", "api", "oracle::record", "--", "--exact", "--ignored", "--nocapture"]);
        tally::finish(command.env("ORACLE_KUBECONFIG", kubeconfig))
    };
    if let Some(kubeconfig) = &arguments.kubeconfig {
        return record(&std::fs::canonicalize(kubeconfig)?);
    }
    let cluster = tools::root().join("deploy/cluster/cluster");
    tools::run(Command::new(&cluster).arg("check"))?;
    tools::run(Command::new(&cluster).args(["build", "kube-controller-manager"]))?;
    tools::run(Command::new(&cluster).arg("up"))?;
    let recorded = (|| {
        let said = String::from_utf8(Command::new(&cluster).arg("kubeconfig").output()?.stdout)?;
        // Of its controllers only the one that gathers the rules of roles: others would change what is asked about.
        let controllers = ["--controllers", "clusterrole-aggregation-controller", "--leader-elect=false", "--kubeconfig", said.trim()];
        tools::run(Command::new(&cluster).args(["start", "kube-controller-manager"]).args(controllers))?;
        record(said.trim().as_ref())
    })();
    if let Err(error) = tools::run(Command::new(&cluster).arg("down")) {
        bail!("the cluster is still up: {error:#}");
    }
    recorded
}

/// Starts a one-node cluster, runs the tests made for it, and takes it down again, whatever came out.
fn cluster(passed: &[String]) -> Result<ExitCode> {
    let folder = tools::root().join("deploy/cluster");
    let (cluster, node) = (folder.join("cluster"), folder.join("node"));
    let said = |words: &[&str]| -> Result<String> {
        let output = Command::new(&cluster).args(words).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    for script in [&cluster, &node] {
        tools::run(Command::new(script).arg("check"))?;
    }
    // The same one on this host and in an image.
    let (paifang, gateway) = (build::standalone("paifang")?, build::standalone("paifang-gateway")?);
    tools::run(Command::new(&cluster).arg("up"))?;
    let tested = (|| {
        tools::run(Command::new(&node).arg("up"))?;
        tools::run(Command::new(&node).arg("httpbin"))?;
        tools::run(Command::new(&node).arg("image").arg(GATEWAY_IMAGE).arg(&gateway))?;
        tools::run(Command::new(&node).arg("image").arg(CONTROL_IMAGE).arg(&paifang))?;
        let mut command = tools::cargo();
        command.args(["test", "--package", "xtask", "--test", "cluster"]).args(passed).args(["--", "--ignored", "--nocapture"]);
        command.env(BINARY, paifang).env("KUBECONFIG", said(&["kubeconfig"])?).env("GATEWAY_IMAGE", GATEWAY_IMAGE);
        command.env("CONTROL_IMAGE", CONTROL_IMAGE);
        command
            .env("BACKEND_ADDRESS", said(&["address"])?)
            .env("NODE_ADDRESS", said(&["node-address"])?)
            .env("CLUSTER_POOL", said(&["pool"])?);
        command.env("CRDS_ISTIO", said(&["crds", "istio"])?).env("CRDS_GATEWAY_API", said(&["crds", "gateway-api"])?);
        tally::finish(&mut command)
    })();
    if let Err(error) = tools::run(Command::new(&cluster).arg("down")) {
        bail!("the cluster is still up: {error:#}");
    }
    tested
}
