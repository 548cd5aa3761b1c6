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

/// Whose summary it is.
#[derive(Debug, Clone, Copy)]
pub enum Runner {
    Cargo,
    Vitest,
    Playwright,
    /// `console/scripts/budget.mjs`: each row is a test.
    Budget,
}

/// Runs cargo's tests to their end, showing what they print, and closes with their sum. The exit code says whether all passed.
pub fn finish(command: &mut Command) -> Result<ExitCode> {
    let mut tally = Tally::default();
    let good = tally.run(Runner::Cargo, command)?;
    tally.close(good)
}

// === impl Tally ===

impl Tally {
    /// Runs tests to their end, showing what they print, and takes in their sum. Whether they ended well.
    pub fn run(&mut self, runner: Runner, command: &mut Command) -> Result<bool> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{program} does not start"))?;
        let mut out = std::io::stdout().lock();
        let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            out.write_all(&line)?;
            self.add(runner, &String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(child.wait()?.success())
    }

    /// Says the sum, and ends so that scripts know, too.
    pub fn close(&self, good: bool) -> Result<ExitCode> {
        if *self != Self::default() {
            writeln!(std::io::stdout(), "\n{self}")?;
        }
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Takes in a line if it is a summary.
    fn add(&mut self, runner: Runner, line: &str) {
        let counts: Vec<&str> = match runner {
            // `test result: ok. 3 passed; 0 failed; 1 ignored; …`
            Runner::Cargo => {
                let Some(counts) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
                counts.1.split("; ").collect()
            }
            // `Tests  1 failed | 22 passed (23)`
            Runner::Vitest => {
                let Some(counts) = line.trim().strip_prefix("Tests ") else { return };
                counts.split(" | ").collect()
            }
            // `  14 passed (3.1m)`, and each other count in a line of its own
            Runner::Playwright if line.starts_with("  ") => vec![line],
            Runner::Playwright => return,
            Runner::Budget if line.starts_with("ok ") => vec!["1 passed"],
            Runner::Budget if line.starts_with("OVER ") => vec!["1 failed"],
            Runner::Budget => return,
        };
        counts.into_iter().for_each(|count| self.count(count));
    }

    /// `3 passed`, with or without something behind it in parentheses.
    fn count(&mut self, text: &str) {
        let Some((number, word)) = text.trim().split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        let word = word.split_once(" (").map_or(word, |(word, _)| word);
        match word.trim() {
            // Flaky: it failed, and passed when it was tried again.
            "passed" | "flaky" => self.passed += number,
            "failed" | "interrupted" => self.failed += number,
            "ignored" | "skipped" | "todo" | "did not run" => self.skipped += number,
            _ => {}
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

    fn check(runner: Runner, lines: &[&str], expect: &str) {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add(runner, line));
        assert_eq!(tally.to_string(), expect, "{runner:?}");
    }

    #[test]
    fn summaries_are_added_up_and_other_lines_are_not() {
        let cargo = [
            "test result: ok. 27 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s\n",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 12.64s\n",
            "test says::test result: ok. 99 passed ... ok\n",
            "running 7 tests\n",
        ];
        check(Runner::Cargo, &cargo, "31 passed, 2 failed, 1 skipped");
        let vitest = [
            " ✓ src/words/words.test.ts (3 tests) 8ms\n",
            " Test Files  1 failed | 3 passed (4)\n",
            "      Tests  1 failed | 22 passed | 2 skipped (25)\n",
        ];
        check(Runner::Vitest, &vitest, "22 passed, 1 failed, 2 skipped");
        let playwright = [
            "Running 14 tests using 1 worker\n",
            "  ✓   1 e2e/live.spec.ts:9:1 › 3 passed (1.0s)\n",
            "  2 failed\n",
            "    e2e/live.spec.ts:40:1 › 9 failed ────\n",
            "  1 skipped\n",
            "  3 did not run\n",
            "  8 passed (3.1m)\n",
        ];
        check(Runner::Playwright, &playwright, "8 passed, 2 failed, 4 skipped");
        check(
            Runner::Budget,
            &["Sizes\n", "ok   shell     240.1 kB gzipped of 250\n", "OVER charts    171.0 kB gzipped of 170\n"],
            "1 passed, 1 failed, 0 skipped",
        );
    }
}
