//! Golden cases: a folder that tells a story. Its name is the sentence.
//!
//! | file | what it holds |
//! |---|---|
//! | `in.yaml` | what the user applied; its first line is a comment that says why the case exists |
//! | `model.yaml` | what the data plane receives |
//! | `status.yaml` | what the user reads back |
//! | `probe.http` | optional: requests and answers, see [`crate::probe`] |
//!
//! With `PAIFANG_ACCEPT=1` the second and third are written instead of compared; see [`ACCEPT`].

use std::fs;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::probe::{self, Answer, Probe, Request};

/// Set to 1 to write what was produced; to the beginning of a case's name, such as `translate-ingress/golden/tls`, to write it of those alone.
pub const ACCEPT: &str = "PAIFANG_ACCEPT";

/// What a case's input leads to, as YAML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Produced {
    pub model: String,
    pub status: String,
}

/// One folder.
#[derive(Clone, Debug)]
pub struct Case {
    /// The path below `crates/`, for messages: `translate-ingress/golden/rewrite/a-story`.
    pub name: String,
    pub folder: PathBuf,
    /// `in.yaml`.
    pub input: String,
    /// `probe.http`; empty where there is none.
    pub probes: Vec<Probe>,
}

/// What to do where the produced differs from the written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Say so.
    Compare,
    /// Write it.
    Accept,
}

// === impl Mode ===

impl Mode {
    /// [`Mode::Accept`] where [`ACCEPT`] means the case.
    pub fn of(case: &Case) -> Self {
        let accept = std::env::var(ACCEPT).is_ok_and(|value| value == "1" || !value.is_empty() && case.name.starts_with(&value));
        if accept { Self::Accept } else { Self::Compare }
    }
}

/// Every case below `crates/*/golden` of the workspace at `root`, sorted by name; the errors are folders that are no good case.
pub fn cases(root: &Path) -> (Vec<Case>, Vec<String>) {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    let crates = root.join("crates");
    for package in folders(&crates) {
        visit(&crates, &package.join("golden"), &mut cases, &mut errors);
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    (cases, errors)
}

/// Compares all cases with what `produce` makes of their input.
///
/// # Panics
///
/// With every difference there is; and where there is no case at all, or a folder is no good case.
pub fn check_all(root: &Path, produce: impl Fn(&str) -> Produced) {
    let (cases, mut errors) = cases(root);
    assert!(!cases.is_empty() || !errors.is_empty(), "no golden case below {}", root.display());
    errors.extend(cases.iter().flat_map(|case| case.check(&produce(&case.input), Mode::of(case))));
    assert!(errors.is_empty(), "{}\n\n`cargo xtask golden --accept` writes what is right.", errors.join("\n"));
}

fn visit(crates: &Path, folder: &Path, cases: &mut Vec<Case>, errors: &mut Vec<String>) {
    let inner = folders(folder);
    for folder in &inner {
        visit(crates, folder, cases, errors);
    }
    let name = folder.strip_prefix(crates).unwrap_or(folder).display().to_string();
    let files = files(folder);
    if files.is_empty() {
        return;
    }
    let known = ["in.yaml", "model.yaml", "status.yaml", "probe.http"];
    errors.extend(files.iter().filter(|file| !known.contains(&file.as_str())).map(|file| format!("{name}/{file}: not a file of a case")));
    if !files.iter().any(|file| file == "in.yaml") {
        errors.push(format!("{name}: has no in.yaml"));
        return;
    }
    match Case::read(name.clone(), folder.to_owned()) {
        Ok(case) => cases.push(case),
        Err(error) => errors.push(format!("{name}: {error}")),
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

// === impl Case ===

impl Case {
    fn read(name: String, folder: PathBuf) -> Result<Self, String> {
        let input = fs::read_to_string(folder.join("in.yaml")).map_err(|error| format!("in.yaml: {error}"))?;
        let why = input.lines().next().and_then(|line| line.strip_prefix('#')).unwrap_or_default();
        if why.trim().is_empty() {
            return Err("in.yaml: the first line must be a comment that says why the case exists".into());
        }
        let probes = match fs::read_to_string(folder.join("probe.http")) {
            Ok(text) => probe::parse(&text).map_err(|error| format!("probe.http:{error}"))?,
            Err(_) => Vec::new(),
        };
        Ok(Self { name, folder, input, probes })
    }

    /// One message for each file that differs; none after accepting.
    pub fn check(&self, produced: &Produced, mode: Mode) -> Vec<String> {
        let files = [("model.yaml", &produced.model), ("status.yaml", &produced.status)];
        files.into_iter().filter_map(|(file, produced)| self.check_file(file, produced, mode)).collect()
    }

    /// Asks the case's probes; the sentences of those that fail.
    pub fn probe(&self, ask: impl FnMut(&Request) -> Result<Answer, String>) -> Vec<String> {
        probe::check(&self.probes, ask).into_iter().map(|why| format!("{}/probe.http {why}", self.name)).collect()
    }

    /// Proves the probes alive: asked of a data plane whose model has been emptied, one of them must fail. A message where none does.
    pub fn prove_alive(&self, ask_the_emptied: impl FnMut(&Request) -> Result<Answer, String>) -> Option<String> {
        let proven = self.probes.is_empty() || !self.probe(ask_the_emptied).is_empty();
        (!proven).then(|| format!("{}/probe.http passes with an empty model.yaml, so it proves nothing", self.name))
    }

    fn check_file(&self, file: &str, produced: &str, mode: Mode) -> Option<String> {
        let path = self.folder.join(file);
        let written = fs::read_to_string(&path).ok();
        if written.as_deref() == Some(produced) {
            return None;
        }
        match mode {
            Mode::Accept => fs::write(&path, produced).err().map(|error| format!("{}/{file}: {error}", self.name)),
            Mode::Compare => {
                let written = written.unwrap_or_default();
                let diff = TextDiff::from_lines(written.as_str(), produced);
                let diff = diff.unified_diff().context_radius(3).header("written", "produced").to_string();
                Some(format!("{}/{file} differs:\n{diff}", self.name))
            }
        }
    }
}

#[cfg(test)]
mod tests;
