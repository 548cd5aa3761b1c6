//! What the commands say to people and to programs, without a server.

use crate::harness::{binary, paifang, run, text};
use std::process::Command;
use tempfile::TempDir;

/// The code, and the one line that says why.
fn fails(arguments: &[&str], input: &str, code: i32, words: &[&str]) {
    let output = paifang(arguments, input);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    assert!(said.starts_with("error: ") && words.iter().all(|it| said.contains(it)), "{arguments:?}: {said}");
}

#[test]
fn nothing_to_check_is_not_a_success() {
    let dir = TempDir::new().expect("a folder");
    let folder = dir.path().display().to_string();
    fails(&["check", &folder], "", 1, &[&folder, ".yaml"]);
    fails(&["check", "-"], "", 1, &["no object"]);
    let (empty, good) = (dir.path().join("empty.yaml"), dir.path().join("good.json"));
    std::fs::write(&empty, "# nothing\n---\n").expect("a file");
    fails(&["check", &empty.display().to_string()], "", 1, &["no object"]);
    std::fs::write(&good, r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}"#).expect("a file");
    let output = paifang(&["check", &folder], "");
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), "no problem in 1 object\n"), "an empty file beside others");
}

#[test]
fn a_request_that_is_none_is_named() {
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("a.yaml");
    std::fs::write(&file, "{apiVersion: v1, kind: Namespace, metadata: {name: a}}").expect("a file");
    let file = file.display().to_string();
    for (method, url, word) in [
        ("GET", "demo/x", "neither http:// nor https://"),
        ("GET", "ftp://demo/", "neither http:// nor https://"),
        ("GET", "http:///x", "no host"),
        ("G T", "http://demo/", "no method"),
        ("GET", "http://demo/../..", "400"),
    ] {
        fails(&["explain", method, url, "-f", &file], "", 2, &[word]);
    }
}

/// `paifang crds | head` is no failure.
#[test]
fn who_stops_reading_is_not_told_of_a_fault() {
    let line = format!("{} crds | head -n 1; exit ${{PIPESTATUS[0]}}", binary().display());
    let output = run(Command::new("bash").args(["-c", &line]), "");
    assert_eq!((output.status.code(), text(&output.stdout).as_str(), text(&output.stderr).as_str()), (Some(0), "---\n", ""));
}

#[test]
fn the_samples_have_no_problem() {
    for folder in ["demo", "helloworld", "httpbin", "tcp-echo"] {
        let path = format!("{}/../../samples/{folder}", env!("CARGO_MANIFEST_DIR"));
        let output = paifang(&["check", &path], "");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
}

#[test]
fn seven_ports_fit_above_the_first() {
    let output = paifang(&["demo", "--port", "65530"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("65529"), "{}", text(&output.stderr));
}

/// Colours are for terminals: none in a pipe, and none where `NO_COLOR` says so.
#[test]
fn colours_only_where_they_are_wanted() {
    let broken = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/broken");
    let piped = paifang(&["check", broken], "");
    assert!(!text(&piped.stdout).contains('\u{1b}') && text(&piped.stdout).starts_with("error: "), "{}", text(&piped.stdout));
    // `script` lends a terminal.
    let line = format!("{} check {broken}", binary().display());
    let on_terminal = |plain: bool| {
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_remove("NO_COLOR").env("TERM", "xterm");
        if plain {
            script.env("NO_COLOR", "1");
        }
        text(&run(&mut script, "").stdout)
    };
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: no `script` to lend a terminal");
        return;
    }
    assert!(on_terminal(false).contains("\u{1b}["), "{}", on_terminal(false));
    assert!(!on_terminal(true).contains('\u{1b}'), "{}", on_terminal(true));
}
