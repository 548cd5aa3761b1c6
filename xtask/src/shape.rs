//! `cargo xtask shape`: how long files and functions are, in lines of code: without blank lines, comments and tests.

mod scan;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::tools;

/// Something with a length.
struct Sized {
    name: String,
    lines: usize,
}

pub fn run() -> Result<ExitCode> {
    let (mut files, mut functions) = (Vec::new(), Vec::new());
    for path in sources(tools::root()) {
        let name = path.strip_prefix(tools::root()).unwrap_or(&path).display().to_string();
        let scan = scan::scan(&fs::read_to_string(&path)?);
        functions
            .extend(scan.functions.into_iter().map(|function| Sized { name: format!("{name}: {}", function.name), lines: function.lines }));
        files.push(Sized { name, lines: scan.lines });
    }
    let code: usize = files.iter().map(|file| file.lines).sum();
    println!("{code} lines of code without tests, comments and blank lines");
    print("files", files);
    print("functions", functions);
    Ok(ExitCode::SUCCESS)
}

fn print(what: &str, mut list: Vec<Sized>) {
    list.sort_by(|a, b| a.lines.cmp(&b.lines).then_with(|| b.name.cmp(&a.name)));
    let at = |percent: usize| list.get(list.len().saturating_sub(1) * percent / 100).map_or(0, |sized| sized.lines);
    println!("\n{} {what}: median {}, 90 % up to {}, 95 % up to {}, longest {}", list.len(), at(50), at(90), at(95), at(100));
    for sized in list.iter().rev().take(10) {
        println!("{:6}  {}", sized.lines, sized.name);
    }
}

/// Rust files of the workspace, without those that hold only tests.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask"), root.join("bench")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match () {
                () if path.is_dir() && !["tests", "target", "golden"].contains(&name.as_ref()) => folders.push(path),
                () if name.ends_with(".rs") && name != "tests.rs" => found.push(path),
                () => {}
            }
        }
    }
    found.sort();
    found
}
