//! Building our binaries with the profile `quick`: optimised, without link-time optimisation.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::tools;

/// CPU minutes of a build from nothing, measured on the 2-core reference machine.
const CPU_MINUTES: usize = 10;

/// The variable in which tests find the `paifang` binary.
pub const BINARY: &str = "PAIFANG_BIN";

/// Builds a package's binary of the same name and returns its path. Cargo shows the progress.
pub fn quick(package: &str) -> Result<PathBuf> {
    tools::require(&[("rustc", "https://rustup.rs"), ("cc", "a C compiler, for the cryptography: Debian's `build-essential`")])?;
    let folder = tools::target().join("quick");
    if !folder.join("deps").exists() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let minutes = CPU_MINUTES.div_ceil(cores);
        let counted = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        let (minutes, cores) = (counted(minutes, "minute"), counted(cores, "core"));
        eprintln!("Building {package}. The first build takes about {minutes} on {cores}; later ones, seconds.");
    }
    tools::run(tools::cargo().args(["build", "--profile", "quick", "--package", package, "--bin", package]))?;
    Ok(folder.join(package))
}

/// As [`quick`], a program that needs no library of a system: for an image that holds nothing else.
pub fn standalone(package: &str) -> Result<PathBuf> {
    let target = host()?;
    // With a target named, flags are not for programs that run while building.
    let flags = "-C target-feature=+crt-static";
    let mut command = tools::cargo();
    command.args(["build", "--profile", "quick", "--package", package, "--bin", package, "--target", &target]).env("RUSTFLAGS", flags);
    tools::run(&mut command)?;
    Ok(tools::target().join(target).join("quick").join(package))
}

/// The machine that this compiler builds for.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = said.lines().find_map(|it| it.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for which machine it builds")
}
