//! The chores that start one other program.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::{build, tools};

#[derive(Debug, clap::Args)]
pub struct BenchArguments {
    /// Passed on to `bench`; `cargo xtask bench -- --help` tells which.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct GoldenArguments {
    /// Write what is produced as what is right. Read the diff before you commit it.
    #[arg(long)]
    accept: bool,
}

pub fn bench(arguments: &BenchArguments) -> Result<ExitCode> {
    // Edits are measured with the product itself, which `bench` finds beside it.
    build::quick("paifang")?;
    let bench = build::quick("bench")?;
    tools::become_it(Command::new(bench).args(&arguments.passed))
}

/// All golden cases run from one test binary, named `golden`.
pub fn golden(arguments: &GoldenArguments) -> Result<ExitCode> {
    let mut command = tools::cargo();
    command.args(["test", "--workspace", "--test", "golden"]);
    if arguments.accept {
        command.env("PAIFANG_ACCEPT", "1");
    }
    tools::finish(&mut command)
}

pub fn deny() -> Result<ExitCode> {
    if !tools::is_installed("cargo-deny") {
        bail!("`cargo-deny` is not installed: cargo install --locked cargo-deny");
    }
    // Not with all features: some that nobody turns on bring a second TLS library into the graph.
    tools::finish(tools::cargo().args(["deny", "--workspace", "check"]))
}
