//! Starting programs on one core, and reading from /proc what they cost.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

/// Where the proxy runs.
pub const PROXY_CORE: usize = 0;

/// Where load and origin run.
pub const LOAD_CORE: usize = 1;

/// A program on one core that talks in lines. Dropping it ends it.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

// === impl Program ===

impl Program {
    /// Its standard output is read line by line; its standard error is ours, or goes to a file.
    pub fn start(core: usize, command: &Command, log: Option<&Path>) -> Result<Self> {
        let mut pinned = pinned(core, command);
        if let Some(log) = log {
            pinned.stderr(fs::File::create(log)?);
        }
        let mut child = pinned.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
        let output = child.stdout.take().context("its output is piped")?;
        let input = child.stdin.take();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, lines })
    }

    /// The next line it prints.
    pub fn line(&self, within: Duration) -> Result<String> {
        self.lines.recv_timeout(within).map_err(|error| anyhow!("process {} said nothing: {error}", self.child.id()))
    }

    pub fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("its input is open")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        for id in family(self.child.id()).into_iter().rev().filter(|id| *id != self.child.id()) {
            let _ = Command::new("kill").args(["-KILL", &id.to_string()]).stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This very program in another role.
pub fn ourselves(role: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}

fn pinned(core: usize, command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned.arg("--cpu-list").arg(core.to_string()).arg(command.get_program()).args(command.get_args());
    pinned
}

/// A process and all that descend from it, parents first.
pub fn family(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Some(parent) = parent(id) else { continue };
        children.entry(parent).or_default().push(id);
    }
    let mut family = vec![root];
    let mut at = 0;
    while at < family.len() {
        family.extend(children.get(&family[at]).into_iter().flatten());
        at += 1;
    }
    family
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before may hold anything, also brackets.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(1)?.parse().ok()
}

/// Time on a processor of all threads of a process and its descendants, so far. Threads that have ended do not count: keep them the same
/// between two readings.
pub fn cpu_time(root: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for id in family(root) {
        for thread in fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
            // A thread may end between the listing and the reading.
            let Ok(stat) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let run: u64 = stat.split_whitespace().next().and_then(|run| run.parse().ok()).context("a kernel with schedstat")?;
            nanoseconds += run;
        }
    }
    if nanoseconds == 0 {
        bail!("process {root} has no time on a processor: is it gone?");
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Proportional share of memory of a process and its descendants, in octets.
pub fn memory(root: u32) -> Result<u64> {
    let mut total = 0;
    for id in family(root) {
        let Ok(rollup) = fs::read_to_string(format!("/proc/{id}/smaps_rollup")) else { continue };
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("a kernel with smaps_rollup")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        total += kib * 1024;
    }
    if total == 0 {
        bail!("process {root} has no memory: is it gone?");
    }
    Ok(total)
}
