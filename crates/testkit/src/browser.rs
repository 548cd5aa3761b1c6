//! A browser before the console, as far as curl is one: it keeps cookies, and shows the session's token where something is changed.

use crate::eventually;
use serde_json::{Value, json};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One person's.
pub struct Browser {
    /// The console's own, without a path.
    pub url: String,
    /// Of the session; empty before one has signed in.
    pub token: String,
    jar: PathBuf,
}

/// An answer that goes on. It ends with this value.
pub struct Stream {
    curl: Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

// === impl Browser ===

impl Browser {
    /// `folder`: its own; cookies are kept there.
    pub fn new(url: impl Into<String>, folder: &Path) -> Self {
        Self { url: url.into(), token: String::new(), jar: folder.join("jar") }
    }

    pub fn curl(&self, path: &str, body: Option<&Value>) -> Command {
        let mut command = Command::new("curl");
        // What certificate is shown was made up just now.
        command.args(["--silent", "--no-buffer", "--show-error", "--noproxy", "*", "--max-time", "60", "--insecure"]);
        command.arg("--cookie").arg(&self.jar).arg("--cookie-jar").arg(&self.jar);
        if !self.token.is_empty() {
            command.args(["--header", &format!("x-csrf-token: {}", self.token)]);
        }
        if let Some(body) = body {
            command.args(["--header", "content-type: application/json", "--data-binary", &body.to_string()]);
        }
        command.arg(format!("{}{path}", self.url));
        command
    }

    /// The answer's code and its text.
    pub fn read(&self, path: &str, body: Option<&Value>) -> (u16, String) {
        let output = self.curl(path, body).args(["--write-out", "\n%{http_code}"]).output().expect("curl starts");
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, code) = answer.rsplit_once('\n').expect("curl writes the code");
        (code.parse().expect("a code"), body.to_owned())
    }

    /// The answer's code and its JSON; null where it is none.
    pub fn ask(&self, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (code, text) = self.read(path, body);
        (code, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Asks again and again until it is answered so.
    pub fn until(&self, path: &str, body: Option<&Value>, is_it: impl Fn(u16, &Value) -> bool) -> Value {
        let mut last = String::new();
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(path, || {
                let (code, said) = self.ask(path, body);
                last = format!("{code} {said}");
                is_it(code, &said).then_some(said)
            })
        }));
        answer.unwrap_or_else(|_| panic!("{path} was answered last: {last}"))
    }

    /// With a token that the cluster takes; the session.
    pub fn sign_in(&mut self, token: &str) -> Value {
        let (code, session) = self.ask("/console/login", Some(&json!({ "token": token })));
        assert_eq!(code, 200, "{session}");
        self.token = session["csrf"].as_str().expect("a token").to_owned();
        session
    }

    /// What goes on and on.
    pub fn follow(&self, path: &str) -> Stream {
        let mut curl = self.curl(path, None).stdout(Stdio::piped()).spawn().expect("curl starts");
        let lines = std::io::BufReader::new(curl.stdout.take().expect("it is piped")).lines();
        Stream { curl, lines }
    }
}

// === impl Stream ===

impl Stream {
    /// The next line that has this in it; what comes before it is passed over.
    pub fn line_with(&mut self, text: &str) -> String {
        let found = self.lines.by_ref().map(|it| it.expect("text")).find(|it| it.contains(text));
        found.unwrap_or_else(|| panic!("it ended without {text:?}"))
    }

    /// Waits for the end. Without one curl gives up after a minute, with an error.
    pub fn ends(mut self) {
        assert!(self.lines.by_ref().all(|it| it.is_ok()));
        assert!(self.curl.wait().expect("curl ends").success(), "it did not end by itself");
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.curl.kill();
        let _ = self.curl.wait();
    }
}
