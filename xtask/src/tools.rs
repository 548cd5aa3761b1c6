//! Finding programs and running them.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};

/// The workspace's root: of the clone in which cargo was called, since clones that share a target directory share this program.
pub fn root() -> &'static Path {
    static OWN: LazyLock<OsString> =
        LazyLock::new(|| env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()));
    Path::new(&*OWN).parent().expect("xtask lies in the workspace's root")
}

/// The cargo that runs us, in the workspace's root.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").filter(|path| !path.is_empty());
    // Relative to where cargo was called, which is where we run.
    named.map_or_else(|| root().join("target"), |path| std::path::absolute(&path).unwrap_or_else(|_| path.into()))
}

/// Whether a program of this name is on the PATH.
pub fn is_installed(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program of this name is on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_executable(file))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Fails with one line that names all that is missing.
pub fn require(programs: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<String> =
        programs.iter().filter(|(name, _)| !is_installed(name)).map(|(name, why)| format!("`{name}` ({why})")).collect();
    if !missing.is_empty() {
        bail!("not found on the PATH: {}", missing.join(", "));
    }
    Ok(())
}

/// Runs to the end; a failure has the command in its text.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| shown(command))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs to the end; its exit code is ours.
pub fn finish(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| shown(command))?;
    // A signal has no code: 1, as for any failure.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Becomes the command, so that signals meant for us reach it; returns only on failure.
pub fn become_it(command: &mut Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| shown(command))
}

/// The command as a person would type it, without its folder and variables.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
