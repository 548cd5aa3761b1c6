//! Building our binaries with the profile `quick`: optimised, without link-time optimisation.

use std::path::PathBuf;

use anyhow::Result;

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
