//! Who wrote what, as lines of JSON in a file that is rotated.
//!
//! ```text
//! request ─► entry ─► queue (bounded) ─► thread ─► audit.log ─► audit.log.1 ─► … ─► gone
//! ```
//!
//! Reads are not told, nor questions (`kubectl auth can-i`), nor what this program's own controllers write: it follows from what others wrote.
//! Dry runs are told, and so called: no parameter of a request keeps it out of the log.
//!
//! **Invariant:** a line holds names and codes, never what was written: no Secret and no token can be in it.
//! **Invariant:** no request waits for the disk. Lines that find no room are counted, and the next line that does says how many.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::access::{Asker, Identity, Peer};
use crate::rbac::Attempt;
use crate::rbac::attempt::On;
use crate::{clock, review};

/// Lines that wait for the disk.
const QUEUE: usize = 4096;
/// Lines that are written at once.
const BATCH: usize = 256;
/// How long a stop waits for the disk.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest text in a line, and the longest list: clients choose them.
const TEXT: usize = 512;
const LIST: usize = 32;

/// Where the log of writes goes, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    pub path: PathBuf,
    /// A file that would grow beyond this gets a successor.
    pub max_bytes: u64,
    /// Files that are kept beside the current one: `audit.log.1` is the newest of them.
    pub files: usize,
}

/// Takes lines. A copy is cheap; the thread ends with the last.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    queue: mpsc::Sender<Command>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Command {
    Line(String),
    /// Answered when all lines before it are in the file, or have failed.
    Flush(oneshot::Sender<()>),
}

/// One write. It is told when this is dropped, so that one whose client went away is told as well.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Log,
    line: Map<String, Value>,
}

// === impl Audit ===

impl Audit {
    /// At most 80 MiB in `dir`.
    pub fn in_dir(dir: &Path) -> Self {
        Self { path: dir.join("audit.log"), max_bytes: 16 << 20, files: 4 }
    }
}

// === impl Log ===

impl Log {
    /// Begins to write.
    ///
    /// # Errors
    /// When the file cannot be written now; later failures are logged, and writing goes on when it can.
    pub(crate) fn start(options: Audit) -> io::Result<Self> {
        let mut files = Files { options, file: None, size: 0 };
        files.open()?;
        let (queue, lines) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = lost.clone();
        std::thread::Builder::new().name("audit".into()).spawn(move || run(files, lines, &counter))?;
        Ok(Self { queue, lost })
    }

    /// The entry for an attempt, if it is one that is told.
    pub(crate) fn entry(&self, asker: &Asker, peer: &Peer, attempt: &Attempt, agent: &str, dry_run: bool) -> Option<Entry> {
        let reads = matches!(attempt.verb.as_str(), "get" | "head" | "options" | "list" | "watch");
        let asks = matches!(&attempt.on, On::Resource { group, .. } if review::is_question(group));
        if reads || asks || (asker.user.is_keeper() && asker.behind.is_none()) {
            return None;
        }
        let mut line = Map::new();
        line.insert("time".into(), now());
        line.insert("user".into(), who(asker.behind.as_ref().unwrap_or(&asker.user)));
        if asker.behind.is_some() {
            line.insert("as".into(), who(&asker.user));
        }
        line.insert("verb".into(), attempt.verb.clone().into());
        match &attempt.on {
            On::Resource { group, version, resource, subresource, namespace, name } => {
                let fields = [
                    ("group", group),
                    ("version", version),
                    ("resource", resource),
                    ("subresource", subresource),
                    ("namespace", namespace),
                    ("name", name),
                ];
                let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
                line.insert("object".into(), Value::Object(said.map(|(field, value)| (field.to_owned(), short(value))).collect()));
            }
            On::Path(path) => drop(line.insert("path".into(), short(path))),
        }
        if dry_run {
            line.insert("dryRun".into(), true.into());
        }
        line.insert("source".into(), peer.address.to_string().into());
        if !agent.is_empty() {
            line.insert("agent".into(), short(agent));
        }
        Some(Entry { log: self.clone(), line })
    }

    /// What was asked for in another way than by a request, with the time.
    pub(crate) fn tell(&self, what: Value) {
        let mut line = Map::new();
        line.insert("time".into(), now());
        line.extend(what.as_object().cloned().unwrap_or_default());
        self.send(&Value::Object(line));
    }

    fn send(&self, line: &Value) {
        if self.queue.try_send(Command::Line(line.to_string())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was told is in the file, but not for ever.
    pub(crate) async fn flush(&self) {
        let flushed = async {
            let (done, flushed) = oneshot::channel();
            if self.queue.send(Command::Flush(done)).await.is_ok() {
                // An error means that the thread is gone.
                let _ = flushed.await;
            }
        };
        if tokio::time::timeout(PATIENCE, flushed).await.is_err() {
            tracing::warn!("the audit log's last lines may be missing");
        }
    }
}

// === impl Entry ===

impl Entry {
    /// What was answered, and the name that a new object got.
    pub(crate) fn answered(mut self, code: u16, name: Option<&str>) {
        self.line.insert("code".into(), code.into());
        if let (Some(name), Some(Value::Object(object))) = (name, self.line.get_mut("object")) {
            object.insert("name".into(), short(name));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        // Whether it was written nobody heard.
        line.entry("code").or_insert(Value::Null);
        self.log.send(&Value::Object(line));
    }
}

fn now() -> Value {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into()
}

fn who(user: &Identity) -> Value {
    let mut value =
        json!({ "name": short(&user.user), "groups": user.groups.iter().take(LIST).map(|group| short(group)).collect::<Vec<_>>() });
    if !user.uid.is_empty() {
        value["uid"] = short(&user.uid);
    }
    value
}

/// JSON escapes the control characters of ASCII; those beyond it could still steer the terminal of who reads the file.
fn short(text: &str) -> Value {
    let plain = |c: char| if c > '~' && c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut short: String = text.chars().take(TEXT).map(plain).collect();
    if text.chars().nth(TEXT).is_some() {
        short.push('…');
    }
    short.into()
}

fn run(mut files: Files, mut commands: mpsc::Receiver<Command>, lost: &AtomicU64) {
    let mut failed = false;
    while let Some(first) = commands.blocking_recv() {
        let more = std::iter::from_fn(|| commands.try_recv().ok()).take(BATCH - 1);
        let (mut batch, mut waiting) = (Vec::new(), Vec::new());
        for command in std::iter::once(first).chain(more) {
            match command {
                Command::Line(line) => batch.push(line),
                Command::Flush(done) => waiting.push(done),
            }
        }
        let lines = batch.len() as u64;
        let missed = lost.swap(0, Ordering::Relaxed);
        if missed > 0 {
            batch.push(json!({ "time": clock::now(), "lost": missed }).to_string());
        }
        match files.write(&batch) {
            Ok(()) => failed = false,
            Err(error) => {
                lost.fetch_add(missed + lines, Ordering::Relaxed);
                if !std::mem::replace(&mut failed, true) {
                    tracing::error!(path = %files.options.path.display(), %error, "the audit log cannot be written");
                }
            }
        }
        for done in waiting {
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

/// The current file and its predecessors.
#[derive(Debug)]
struct Files {
    options: Audit,
    file: Option<File>,
    size: u64,
}

// === impl Files ===

impl Files {
    fn open(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let mut file = OpenOptions::new().append(true).read(true).create(true).mode(0o600).open(&self.options.path)?;
            // Of somebody else's making, or of an older version's.
            file.set_permissions(Permissions::from_mode(0o600))?;
            self.size = file.metadata()?.len();
            if self.size > 0 && !ends_a_line(&file, self.size)? {
                // A disk that was full, or a power cut, left part of a line; the next must not join it.
                file.write_all(b"\n")?;
                self.size += 1;
            }
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("the file is gone"))
    }

    /// Writes lines whole; after a failure the file is opened anew.
    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            let next = (text.len() + line.len() + 1) as u64;
            self.open()?;
            if self.size + next > self.options.max_bytes && self.size + text.len() as u64 > 0 {
                self.put(&text)?;
                text.clear();
                self.rotate()?;
            }
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        self.put(&text)
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        let written = self.open()?.write_all(text);
        match written {
            Ok(()) => self.size += text.len() as u64,
            Err(_) => self.file = None,
        }
        written
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        let numbered = |at: usize| {
            let mut name = self.options.path.clone().into_os_string();
            if at > 0 {
                name.push(format!(".{at}"));
            }
            PathBuf::from(name)
        };
        for at in (0..self.options.files).rev() {
            match std::fs::rename(numbered(at), numbered(at + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.options.files == 0 {
            std::fs::remove_file(&self.options.path)?;
        }
        self.open().map(drop)
    }
}

fn ends_a_line(file: &File, size: u64) -> io::Result<bool> {
    let mut last = [0];
    file.read_exact_at(&mut last, size - 1)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(dir: &Path, files: usize) -> Files {
        Files { options: Audit { path: dir.join("audit.log"), max_bytes: 100, files }, file: None, size: 0 }
    }

    fn read(dir: &Path, name: &str) -> Option<String> {
        std::fs::read_to_string(dir.join(name)).ok()
    }

    #[test]
    fn files_are_bounded_in_size_and_number() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut files = files(dir.path(), 2);
        let lines: Vec<String> = (0..30).map(|n| format!("{n:029}")).collect();
        files.write(&lines[..20]).expect("written");
        for line in &lines[20..] {
            files.write(std::slice::from_ref(line)).expect("written");
        }
        let texts: Vec<String> =
            ["audit.log.2", "audit.log.1", "audit.log"].into_iter().filter_map(|name| read(dir.path(), name)).collect();
        assert!(texts.iter().all(|text| text.len() <= 100 && text.ends_with('\n')), "{texts:?}");
        assert_eq!(texts.concat().lines().collect::<Vec<_>>(), lines[21..], "the newest lines, in order");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 3);
    }

    #[test]
    fn a_line_longer_than_a_file_has_one_of_its_own() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut files = files(dir.path(), 3);
        files.write(&["a".into(), "b".repeat(200), "c".into()]).expect("written");
        assert_eq!(read(dir.path(), "audit.log").as_deref(), Some("c\n"));
        assert_eq!(read(dir.path(), "audit.log.2").as_deref(), Some("a\n"));
    }

    #[tokio::test]
    async fn lines_that_could_not_be_written_are_counted() {
        let dir = tempfile::tempdir().expect("a directory");
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).expect("made");
        let log = Log::start(Audit { path: inner.join("audit.log"), max_bytes: 1, files: 1 }).expect("started");
        log.send(&json!("first"));
        log.flush().await;
        // The next line needs a new file, and there is no place for it.
        std::fs::remove_dir_all(&inner).expect("gone");
        for _ in 0..3 {
            log.send(&json!("lost"));
            log.flush().await;
        }
        std::fs::create_dir(&inner).expect("made");
        log.send(&json!("last"));
        log.flush().await;
        let text: String = ["audit.log.1", "audit.log"].into_iter().filter_map(|name| read(&inner, name)).collect();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], r#""last""#);
        let told: Value = serde_json::from_str(lines[1]).expect("JSON");
        assert_eq!((lines.len(), &told["lost"]), (2, &json!(3)), "{text}");
    }

    #[test]
    fn part_of_a_line_stays_alone_and_the_file_is_its_owners() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("audit.log");
        std::fs::write(&path, "whole\npar").expect("written");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("set");
        files(dir.path(), 1).write(&["next".into()]).expect("written");
        assert_eq!(read(dir.path(), "audit.log").as_deref(), Some("whole\npar\nnext\n"));
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_clients_choose_is_cut_and_steers_no_terminal() {
        assert_eq!(short("a\nb\u{9b}2J\u{7f}"), json!("a\nb\u{fffd}2J\u{fffd}"));
        assert_eq!(short(&"ä".repeat(TEXT + 1)).as_str().map(|text| text.chars().count()), Some(TEXT + 1));
        let line = json!({ "user": short("eve\n{\"user\":\"root\"}") }).to_string();
        assert_eq!(line.lines().count(), 1, "{line}");
    }

    #[test]
    fn a_file_goes_on_where_it_ended() {
        let dir = tempfile::tempdir().expect("a directory");
        files(dir.path(), 1).write(&["a".into()]).expect("written");
        let mut again = files(dir.path(), 1);
        again.write(&["b".repeat(98)]).expect("written");
        assert_eq!(read(dir.path(), "audit.log.1").as_deref(), Some("a\n"));
    }
}
