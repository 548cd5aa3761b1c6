//! `cargo xtask gen`: the pages of docs/reference, written by the code that does the work.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::build::BINARY;
use crate::{build, tools};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write nothing; fail where a page is not what the code says.
    #[arg(long)]
    check: bool,
}

/// File name and text.
type Pages = BTreeMap<String, String>;

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let pages = produced()?;
    let folder = tools::root().join("docs/reference");
    let written = written(&folder)?;
    let stale = stale(&pages, &written);
    if arguments.check {
        if stale.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        bail!("docs/reference is not what the code says: {}. `cargo xtask gen` writes it.", stale.join(", "));
    }
    fs::create_dir_all(&folder)?;
    for name in &stale {
        let path = folder.join(name);
        match pages.get(name) {
            Some(text) => fs::write(&path, text),
            None => fs::remove_file(&path),
        }
        .with_context(|| path.display().to_string())?;
        println!("docs/reference/{name}");
    }
    Ok(ExitCode::SUCCESS)
}

/// What `paifang reference PAGE` prints, for each page it knows.
fn produced() -> Result<Pages> {
    // A test suite has built it already, and says where.
    let paifang = std::env::var_os(BINARY).map_or_else(|| build::quick("paifang"), |path| Ok(path.into()))?;
    let mut pages = Pages::new();
    for name in page_names(&output(&paifang, &["reference", "-h"])?)? {
        let text = output(&paifang, &["reference", &name])?;
        pages.insert(format!("{name}.md"), text);
    }
    Ok(pages)
}

fn output(program: &Path, arguments: &[&str]) -> Result<String> {
    let shown = format!("paifang {}", arguments.join(" "));
    let output = Command::new(program).args(arguments).output().context(shown.clone())?;
    if !output.status.success() {
        bail!("`{shown}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context(shown)
}

/// From the help, so that a page added there is not forgotten here.
fn page_names(help: &str) -> Result<Vec<String>> {
    let list = help.split_once("[possible values: ").and_then(|(_, rest)| rest.split_once(']'));
    let (names, _) = list.context("`paifang reference -h` lists its pages")?;
    Ok(names.split(',').map(|name| name.trim().to_owned()).collect())
}

fn written(folder: &Path) -> Result<Pages> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Pages::new()) };
    let mut pages = Pages::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            pages.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(pages)
}

/// Names of pages that differ, lack, or are left over.
fn stale(produced: &Pages, written: &Pages) -> Vec<String> {
    let differing = produced.iter().filter(|(name, text)| written.get(*name) != Some(text)).map(|(name, _)| name);
    let left_over = written.keys().filter(|name| !produced.contains_key(*name));
    differing.chain(left_over).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_in_the_help() {
        let help = "Usage: paifang reference <PAGE>\n\nArguments:\n  <PAGE>  [possible values: cli, api,\n          metrics]\n";
        assert_eq!(page_names(help).expect("a list"), ["cli", "api", "metrics"]);
        assert!(page_names("Usage: paifang").is_err());
    }

    #[test]
    fn stale_pages_are_named() {
        let pages = |list: &[(&str, &str)]| list.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect::<Pages>();
        let produced = pages(&[("a.md", "1"), ("b.md", "2"), ("c.md", "3")]);
        let written = pages(&[("a.md", "1"), ("b.md", "other"), ("old.md", "")]);
        assert_eq!(stale(&produced, &written), ["b.md", "c.md", "old.md"]);
        assert!(stale(&produced, &produced).is_empty());
    }
}
