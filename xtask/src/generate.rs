//! `cargo xtask gen`: the pages of docs/reference, written by the code that does the work.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

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

/// `paifang reference` prints one JSON object: file name to Markdown.
fn produced() -> Result<Pages> {
    let paifang = build::quick("paifang")?;
    let output = Command::new(paifang).arg("reference").output().context("paifang reference")?;
    if !output.status.success() {
        bail!("`paifang reference` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).context("what `paifang reference` prints")?;
    let pages = value.as_object().context("`paifang reference` prints an object")?;
    let page = |(name, text): (&String, &serde_json::Value)| {
        let plain = !name.contains('/') && name.ends_with(".md");
        Some((name.clone(), text.as_str()?.to_owned())).filter(|_| plain)
    };
    pages.iter().map(page).collect::<Option<Pages>>().context("`paifang reference` prints names ending in .md, and texts")
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
    fn stale_pages_are_named() {
        let pages = |list: &[(&str, &str)]| list.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect::<Pages>();
        let produced = pages(&[("a.md", "1"), ("b.md", "2"), ("c.md", "3")]);
        let written = pages(&[("a.md", "1"), ("b.md", "other"), ("old.md", "")]);
        assert_eq!(stale(&produced, &written), ["b.md", "c.md", "old.md"]);
        assert!(stale(&produced, &produced).is_empty());
    }
}
