//! `cargo xtask up`: from a clone to a running Paifang.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{build, console, tools};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Passed on to `paifang up`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<String>,
}

/// Added to ports below 1024 where those may not be bound.
const OFFSET: &str = "10000";

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    console::build()?;
    let paifang = build::quick("paifang")?;
    let mut command = Command::new(paifang);
    command.args(["up", "--demo"]).args(&arguments.passed);
    let chosen = arguments.passed.iter().any(|word| word == "--port-offset" || word.starts_with("--port-offset="));
    if !chosen && privileged_ports_are_refused() {
        eprintln!(
            "You may not bind ports below 1024, so {OFFSET} is added to them (--port-offset {OFFSET}): port 80 is 10080, 443 is 10443."
        );
        command.args(["--port-offset", OFFSET]);
    }
    tools::become_it(&mut command)
}

/// A port 80 that is merely taken is `paifang up`'s to report.
fn privileged_ports_are_refused() -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 80)).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}
