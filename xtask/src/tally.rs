//! One sum of all that ran: `cargo test` gives one for each of its many programs, and the last ones are empty.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

/// How many tests passed, failed and were left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs tests to their end, showing what they print, and closes with their sum. The exit code is theirs.
pub fn finish(command: &mut Command) -> Result<ExitCode> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo does not start")?;
    let (mut tally, mut out) = (Tally::default(), std::io::stdout().lock());
    let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        out.write_all(&line)?;
        tally.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    let status = child.wait()?;
    if tally != Tally::default() {
        writeln!(out, "\n{tally}")?;
    }
    // A signal has no code: 1, as for any failure.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

// === impl Tally ===

impl Tally {
    /// Takes in a line if it is a program's summary: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
        for count in counts.1.split("; ") {
            let Some((number, word)) = count.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_added_up_and_other_lines_are_not() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 27 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s\n",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 12.64s\n",
            "test says::test result: ok. 99 passed ... ok\n",
            "running 7 tests\n",
        ] {
            tally.add(line);
        }
        assert_eq!(tally.to_string(), "31 passed, 2 failed, 1 skipped");
    }
}
