//! A terminal: one bash in which commands are typed one after another, as a reader of a page does.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// No command of a page takes as long.
const DEADLINE: Duration = Duration::from_secs(120);

/// Ended when dropped.
pub struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    commands: usize,
}

/// What a command printed, errors included, and its exit code.
#[derive(Debug)]
pub struct Typed {
    pub printed: String,
    pub code: i32,
}

// === impl Shell ===

impl Shell {
    /// In a folder, with the API that `kubectl` is to ask.
    ///
    /// # Panics
    ///
    /// Where there is no bash. So does every method where a command does not end.
    pub fn start(folder: &Path, kubeconfig: &Path) -> Self {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "--noprofile"]).current_dir(folder).env("KUBECONFIG", kubeconfig);
        // Bash joins both streams itself, so that they stay in their order.
        let mut child = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("these tests need bash");
        let mut input = child.stdin.take().expect("its input is piped");
        writeln!(input, "exec 2>&1").expect("bash reads");
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.split(b'\n') {
                let Ok(line) = line else { return };
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines, commands: 0 }
    }

    /// Types a command and waits until it has ended.
    pub fn enter(&mut self, command: &str) -> Typed {
        self.commands += 1;
        let mark = format!("\u{1}{}\u{1}", self.commands);
        writeln!(self.input, "{command}\nprintf '\\n{mark}%s\\n' \"$?\"").expect("bash reads");
        let (mut printed, deadline) = (String::new(), Instant::now() + DEADLINE);
        loop {
            let line = match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("`{command}` has not ended; so far it said: {printed}"),
                Err(RecvTimeoutError::Disconnected) => panic!("`{command}` has ended the shell: {printed}"),
            };
            if let Some(code) = line.strip_prefix(&mark) {
                // The mark begins a line of its own: the line break before it is not the command's.
                let printed = printed.strip_suffix('\n').unwrap_or_default().to_owned();
                return Typed { printed, code: code.trim().parse().expect("an exit code") };
            }
            printed.push_str(&line);
            printed.push('\n');
        }
    }

    /// Types a command again and again, as a reader does: what was applied is served a moment later.
    pub fn until(&mut self, command: &str, wanted: &str, is: impl Fn(&Typed) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let typed = self.enter(command);
            if is(&typed) {
                return typed.printed;
            }
            assert!(Instant::now() < deadline, "`{command}` printed ({})\n{}\nand should\n{wanted}", typed.code, typed.printed);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Types a command that must succeed.
    pub fn done(&mut self, command: &str) -> String {
        let typed = self.enter(command);
        assert_eq!(typed.code, 0, "`{command}` said: {}", typed.printed);
        typed.printed
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
