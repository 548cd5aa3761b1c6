//! `paifang backup` and `paifang restore`: copies of what `up` keeps.
//!
//! A running `up` alone may open its store, so it makes the copy: it listens on a socket in its data directory, which only
//! its own user may use, for the name of a file.

use crate::fault::Fault;
use crate::up::data_dir;
use cli::Exit;
use cli::args::{BackupArgs, RestoreArgs};
use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{BackupError, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SOCKET: &str = "backup.sock";
/// The longest name of a file, and the longest answer.
const WORDS: u64 = 4096;
const ASKING: Duration = Duration::from_secs(10);
const COPYING: Duration = Duration::from_secs(600);

/// Makes copies for who asks, until it is stopped.
#[derive(Debug)]
pub struct Backups {
    task: JoinHandle<()>,
    socket: PathBuf,
}

pub async fn backup(args: BackupArgs) -> Result<Exit, Fault> {
    let (dir, to) = (data_dir(args.data_dir)?, std::path::absolute(&args.file)?);
    let revision = match UnixStream::connect(dir.join(SOCKET)).await {
        Ok(stream) => timeout(COPYING, ask(stream, &to)).await.map_err(|_| Fault::failed("`paifang up` does not answer"))??,
        Err(_) => copy_idle(dir, to).await?.to_string(),
    };
    writeln!(io::stdout(), "{}: everything as it was at resourceVersion {revision}", args.file.display())?;
    Ok(Exit::Done)
}

pub async fn restore(args: RestoreArgs) -> Result<Exit, Fault> {
    let dir = data_dir(args.data_dir)?;
    let (from, to) = (args.file.clone(), dir.clone());
    let revision = blocking(move || store::restore(&from, &to)).await?;
    let (from, dir) = (args.file.display(), dir.display());
    writeln!(io::stdout(), "{dir} has what {from} holds; it goes on at resourceVersion {revision}")?;
    Ok(Exit::Done)
}

/// Where nothing runs that could be asked.
async fn copy_idle(dir: PathBuf, to: PathBuf) -> Result<u64, Fault> {
    if !dir.join("store.redb").exists() {
        return Err(Fault::new(Exit::DataDir, format!("{} holds nothing to copy", dir.display())));
    }
    blocking(move || Store::open(&dir)?.backup(&to)).await
}

async fn blocking(work: impl FnOnce() -> Result<u64, BackupError> + Send + 'static) -> Result<u64, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Fault::failed(format!("a bug: {error}")))??)
}

/// Sends a name; the answer is `+` and a revision, or `-` and why not.
async fn ask(mut stream: UnixStream, to: &Path) -> Result<String, Fault> {
    stream.write_all(to.as_os_str().as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.take(WORDS).read_to_string(&mut answer).await?;
    match answer.split_at_checked(1) {
        Some(("+", revision)) => Ok(revision.to_owned()),
        Some(("-", reason)) => Err(Fault::failed(reason)),
        _ => Err(Fault::failed("`paifang up` ended before the copy was made")),
    }
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => error.into(),
            error => Self::failed(error),
        }
    }
}

// === impl Backups ===

impl Backups {
    /// Listens in `dir`. Where that cannot be, `up` goes on without.
    pub fn listen(dir: &Path, store: Store) -> Option<Self> {
        let socket = dir.join(SOCKET);
        let listening = listen(&socket).inspect_err(|error| {
            let socket = socket.display();
            tracing::warn!(%socket, %error, "`paifang backup` works only while this process does not run");
        });
        let task = tokio::spawn(serve(listening.ok()?, store));
        Some(Self { task, socket })
    }

    pub fn stop(self) {
        self.task.abort();
        // The next start removes it too.
        let _ = std::fs::remove_file(self.socket);
    }
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // Of a process that was killed: the directory's lock says that it is gone.
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// One copy at a time.
async fn serve(listener: UnixListener, store: Store) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Who asked is gone; the copy, if there is one, is whole.
                let _ = answer(stream, &store).await;
            }
            Err(error) => {
                tracing::warn!(%error, "a request for a copy was not accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, store: &Store) -> io::Result<()> {
    let mut name = Vec::new();
    let asked = timeout(ASKING, (&mut stream).take(WORDS).read_to_end(&mut name)).await;
    asked.map_err(|_| io::ErrorKind::TimedOut)??;
    let (store, to) = (store.clone(), PathBuf::from(OsString::from_vec(name)));
    let answer = match blocking(move || store.backup(&to)).await {
        Ok(revision) => format!("+{revision}"),
        Err(fault) => format!("-{}", fault.message()),
    };
    timeout(ASKING, stream.write_all(answer.as_bytes())).await.map_err(|_| io::ErrorKind::TimedOut)?
}
