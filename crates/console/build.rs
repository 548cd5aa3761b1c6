//! Puts the application that `npm run build` has made into the program: every file of `console/dist`, as it is.
//!
//! **Invariant:** nothing is run and nothing is fetched here. Without the application a plain page stands in, and `cargo build` works with
//! Rust alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where else the application may be.
const FOLDER: &str = "PAIFANG_CONSOLE_DIST";

fn main() -> io::Result<()> {
    println!("cargo::rustc-check-cfg=cfg(console_is_built)");
    println!("cargo::rerun-if-env-changed={FOLDER}");
    let beside = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../console/dist");
    let dist = env::var_os(FOLDER).map_or(beside, PathBuf::from);
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        println!("cargo::rustc-cfg=console_is_built");
        find(&dist, "", &mut files)?;
    }
    files.sort();
    let mut list = String::from("pub(super) static EMBEDDED: &[(&str, &[u8])] = &[\n");
    for (name, path) in &files {
        writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.display().to_string()).map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), list)
}

/// Files by the path they are asked for with.
fn find(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = fs::canonicalize(entry.path())?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match path.is_dir() {
            true => find(&path, &name, files)?,
            false => files.push((name, path)),
        }
    }
    Ok(())
}
