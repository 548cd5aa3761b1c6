//! Building the console's application (`console/`), where Node is there to do it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::Result;

use crate::tools;

/// The oldest Node that its build runs on.
const NODE: (u32, u32) = (20, 19);
/// What it is built from, besides `src`.
const SOURCES: [&str; 7] = ["src", "build", "public", "index.html", "package-lock.json", "tsconfig.json", "vite.config.ts"];

/// Builds what is not built or older than its sources, and says whether it is there then. Where that cannot be done one line says so: a
/// gateway works without it.
pub fn build() -> Result<bool> {
    let folder = tools::root().join("console");
    if is_built(&folder)? {
        return Ok(true);
    }
    if !node_is_new_enough() || !tools::is_installed("npm") {
        let (major, minor) = NODE;
        eprintln!("The console is not built: that takes npm and Node {major}.{minor} or newer. A plain page stands in its place.");
        return Ok(false);
    }
    eprintln!("Building the console.");
    if let Err(error) = build_by_npm(&folder) {
        eprintln!("The console is not built: {error:#}. What was built before, or a plain page, stands in its place.");
        return Ok(false);
    }
    Ok(true)
}

fn build_by_npm(folder: &Path) -> Result<()> {
    let npm = |words: &[&str]| tools::run(Command::new("npm").args(words).current_dir(folder));
    if !is_newer(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json"))? {
        npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    }
    npm(&["run", "build"])
}

fn is_built(folder: &Path) -> io::Result<bool> {
    let built = folder.join("dist/index.html");
    for source in SOURCES {
        if !is_newer(&built, &folder.join(source))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file is there and no file below `sources` has been written after it.
fn is_newer(file: &Path, sources: &Path) -> io::Result<bool> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(metadata.modified()? >= newest(sources.to_owned())?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn newest(path: PathBuf) -> io::Result<SystemTime> {
    let mut newest = fs::metadata(&path)?.modified()?;
    let mut folders = if path.is_dir() { vec![path] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            newest = newest.max(entry.metadata()?.modified()?);
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(newest)
}

fn node_is_new_enough() -> bool {
    let output = Command::new("node").arg("--version").output();
    output.is_ok_and(|it| version(&String::from_utf8_lossy(&it.stdout)).is_some_and(|it| it >= NODE))
}

/// `v20.19.1` as 20 and 19.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node() {
        assert_eq!(version("v20.19.1\n"), Some((20, 19)));
        assert!(version("v22.1.0").is_some_and(|it| it >= NODE));
        assert!(version("v20.9.0").is_some_and(|it| it < NODE));
        assert_eq!(version("20"), None);
    }

    #[test]
    fn a_file_is_newer_than_a_folder_only_until_something_in_it_is_written() -> io::Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-console-{}", std::process::id()));
        fs::create_dir_all(folder.join("src/deep"))?;
        let (source, built) = (folder.join("src/deep/a"), folder.join("built"));
        fs::write(&source, "")?;
        assert!(!is_newer(&built, &folder.join("src"))?, "it is not there");
        fs::write(&built, "")?;
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        fs::File::options().write(true).open(&built)?.set_modified(later)?;
        assert!(is_newer(&built, &folder.join("src"))?);
        fs::File::options().write(true).open(&source)?.set_modified(later + std::time::Duration::from_secs(1))?;
        assert!(!is_newer(&built, &folder.join("src"))?, "its source is newer");
        fs::remove_dir_all(folder)
    }
}
