//! What the real kubectl shows: transcripts in `kubectl/`, command by command.
//!
//! A block of a transcript is a command of a shell after `$ `, then what it prints, indented, and how it ends where that is not well. The
//! answers were taken from a kube-apiserver of Kubernetes 1.36 with its controllers, asked by kubectl 1.32: with
//! `PAIFANG_RECORD=KUBECONFIG` these tests ask that cluster, an empty one, and write the transcripts anew. Where this API differs on purpose,
//! the command is not there, or asks for the part that is the same.
//!
//! What no two runs have in common (uids, times, ages, revisions) is compared by its shape.

use crate::harness::{Up, text};
use regex::Regex;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// One command and what is known of it.
struct Block<'a> {
    /// Comments and empty lines before it.
    before: String,
    command: &'a str,
    expected: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/kubectl")
}

fn blocks(transcript: &str) -> Vec<Block<'_>> {
    let (mut blocks, mut before) = (Vec::<Block<'_>>::new(), String::new());
    for line in transcript.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            blocks.push(Block { before: std::mem::take(&mut before), command, expected: String::new() });
        } else if let (Some(said), Some(block)) = (line.strip_prefix("    "), blocks.last_mut()) {
            let _ = writeln!(block.expected, "{said}");
        } else {
            before += line;
            before.push('\n');
        }
    }
    blocks
}

/// What a command prints, and how it ends. Its namespace has the transcript's name.
fn ask(namespace: &str, command: &str, kubeconfig: &Path, home: &Path) -> String {
    let script = format!("exec 2>&1; . {}/prelude.sh; {command}", folder().display());
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("KUBECONFIG", kubeconfig)
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("F", folder())
        .env("NS", namespace)
        .env("TZ", "UTC")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .expect("these tests need bash");
    let mut said = text(&output.stdout);
    if !output.status.success() {
        let _ = write!(said, "\nexit {}", output.status.code().unwrap_or(-1));
    }
    said
}

/// What stays of an answer when what differs from run to run is taken out.
fn shape(said: &str) -> String {
    const RULES: [(&str, &str); 9] = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "TIME"),
        (r#"(esource ?[vV]ersion"?: *"?)\d+"#, "${1}REVISION"),
        (r"\b(\d+[ydhms])+( ago)?(\s|$)", "AGE$3"),
        (r"https://[\d.]+:\d+", "https://SERVER"),
        (r"/[^\s]*/kubectl-edit-\d+", "/kubectl-edit"),
        (r"[ \t]+", " "),
        (r"(?m) $", ""),
    ];
    let mut said = said.replace(&folder().display().to_string(), "$F");
    for (pattern, shape) in RULES {
        said = Regex::new(pattern).expect("a pattern").replace_all(&said, shape).into_owned();
    }
    let lines = said.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// Runs a transcript against a Paifang of its own, and tells of all differences at once.
fn check(name: &str) {
    let path = folder().join(format!("{name}.txt"));
    let transcript = std::fs::read_to_string(&path).expect("a transcript");
    let home = TempDir::new().expect("a folder");
    if let Some(kubeconfig) = std::env::var_os("PAIFANG_RECORD") {
        let mut written = String::new();
        for block in blocks(&transcript) {
            let _ = writeln!(written, "{}$ {}", block.before, block.command);
            for line in shape(&ask(name, block.command, Path::new(&kubeconfig), home.path())).lines() {
                let _ = writeln!(written, "    {line}");
            }
        }
        std::fs::write(&path, written).expect("the transcript can be written");
        return;
    }
    let up = Up::start(&["--port-offset", "20000"]);
    let mut wrong = String::new();
    for block in blocks(&transcript) {
        let said = shape(&ask(name, block.command, &up.kubeconfig(), home.path()));
        if said != block.expected {
            let _ = write!(wrong, "\n$ {}\n--- Kubernetes\n{}--- here\n{said}", block.command, block.expected);
        }
    }
    assert!(wrong.is_empty(), "{}{wrong}", path.display());
}

#[test]
fn reading() {
    check("reading");
}

#[test]
fn making() {
    check("making");
}

#[test]
fn changing() {
    check("changing");
}

#[test]
fn deleting_and_waiting() {
    check("deleting");
}

#[test]
fn definitions() {
    check("definitions");
}

#[test]
fn what_is_invalid() {
    check("invalid");
}

/// `kubectl explain --recursive` reads each document and resolves every reference in it. Reviews are asked, not kept, and have no document.
#[test]
fn every_kind_is_explained() {
    let up = Up::start(&["--port-offset", "20000"]);
    let kinds = up.kubectl(&["api-resources", "--no-headers", "--verbs=list"], "").expect("discovery");
    // The last columns are the version, whether it is namespaced, and the kind.
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let kinds: Vec<(String, String)> = kinds.lines().map(words).map(|it| (it[0].clone(), it[it.len() - 3].clone())).collect();
    assert!(kinds.len() > 30, "{kinds:?}");
    let explain = |(name, version): &(String, String)| match up.kubectl(&["explain", "--recursive", "--api-version", version, name], "") {
        Ok(said) => (!(said.contains("KIND:") && said.contains("FIELDS:"))).then(|| format!("{name}: {said}")),
        Err(error) => Some(format!("{name}: {error}")),
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts =
            kinds.chunks(kinds.len().div_ceil(4)).map(|part| scope.spawn(move || part.iter().filter_map(explain).collect::<Vec<_>>()));
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().expect("it does not panic")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
