//! `paifang backup` and `paifang restore`: copies of what `up` keeps.
//!
//! A running `up` alone may open its store, so it makes the copy and takes it in: it listens on a socket in its data
//! directory, which only its own user may use, for what to do and the name of a file. Who may use that socket may read the
//! authority's key beside it, and so may do everything anyway.

use crate::fault::Fault;
use crate::up::data_dir;
use apiserver::Copies;
use cli::Exit;
use cli::args::{BackupArgs, RestoreArgs};
use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{BackupError, OpenError, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const SOCKET: &str = "backup.sock";
/// The longest name of a file, and the longest answer.
const WORDS: u64 = 4096;
const ASKING: Duration = Duration::from_secs(10);
const COPYING: Duration = Duration::from_secs(600);

/// Before the name of a file that is to be restored; without, it is to be made.
const RESTORE: &[u8] = b"restore\0";

/// Does what it is asked, until it is stopped.
#[derive(Debug)]
pub struct Backups {
    task: JoinHandle<()>,
    socket: PathBuf,
}

pub async fn backup(args: BackupArgs) -> Result<Exit, Fault> {
    let (dir, to) = (data_dir(args.data_dir)?, std::path::absolute(&args.file)?);
    let revision = match UnixStream::connect(dir.join(SOCKET)).await {
        Ok(stream) => ask(stream, &[], &to).await?,
        Err(_) => copy_idle(dir, to).await?.to_string(),
    };
    writeln!(io::stdout(), "{}: everything as it was at resourceVersion {revision}", args.file.display())?;
    Ok(Exit::Done)
}

pub async fn restore(args: RestoreArgs) -> Result<Exit, Fault> {
    let (dir, from) = (data_dir(args.data_dir)?, std::path::absolute(&args.file)?);
    let revision = match UnixStream::connect(dir.join(SOCKET)).await {
        Ok(stream) => ask(stream, RESTORE, &from).await?,
        Err(_) => {
            let to = dir.clone();
            blocking(move || store::restore(&from, &to)).await?.map_err(|error| not_restored(&error))?.to_string()
        }
    };
    let mut out = io::stdout();
    writeln!(out, "{} has what {} holds; it goes on at resourceVersion {revision}", dir.display(), args.file.display())?;
    if !dir.join("pki/ca.key").exists() {
        writeln!(out, "{NO_AUTHORITY}")?;
    }
    Ok(Exit::Done)
}

/// Where a restore leaves a directory that no `up` has used.
const NO_AUTHORITY: &str = "there is no pki/ yet: the next start makes new certificates, and kubeconfigs and tokens from before are not \
                            accepted; to keep them, put the pki/ of the machine that made the copy there first";

/// Where nothing runs that could be asked.
async fn copy_idle(dir: PathBuf, to: PathBuf) -> Result<u64, Fault> {
    if !dir.join("store.redb").exists() {
        return Err(Fault::new(Exit::DataDir, format!("{} holds nothing to copy", dir.display())));
    }
    Ok(blocking(move || Store::open(&dir)?.backup(&to)).await??)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Fault::failed(format!("a bug: {error}")))
}

async fn ask(stream: UnixStream, what: &[u8], file: &Path) -> Result<String, Fault> {
    timeout(COPYING, exchange(stream, what, file)).await.map_err(|_| Fault::failed("`paifang up` does not answer"))?
}

/// Sends what to do and a name; the answer is `+` and a revision, or `-`, an exit code and why not.
async fn exchange(mut stream: UnixStream, what: &[u8], file: &Path) -> Result<String, Fault> {
    stream.write_all(what).await?;
    stream.write_all(file.as_os_str().as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.take(WORDS).read_to_string(&mut answer).await?;
    match answer.split_at_checked(1) {
        Some(("+", revision)) => Ok(revision.to_owned()),
        Some(("-", reason)) => Err(refusal(reason)),
        _ => Err(Fault::failed("`paifang up` ended before it was done")),
    }
}

fn refusal(answer: &str) -> Fault {
    let (code, reason) = answer.split_once(' ').unwrap_or(("", answer));
    let exits = [Exit::DataDir, Exit::NewerData];
    let exit = exits.into_iter().find(|exit| code == exit.code().to_string()).unwrap_or(Exit::Failed);
    Fault::new(exit, reason)
}

/// What is wrong with the copy is none of the directory's.
fn not_restored(error: &BackupError) -> Fault {
    match error {
        BackupError::Store(OpenError::NewerVersion { .. }) => {
            Fault::new(Exit::NewerData, format!("{error}; use that version. {AS_IT_WAS}"))
        }
        BackupError::Store(OpenError::Corrupt { .. }) => Fault::new(Exit::DataDir, format!("{error}. {AS_IT_WAS}")),
        BackupError::Store(OpenError::InUse { .. }) => {
            Fault::new(Exit::DataDir, format!("{error}, which does not listen for restores; stop it first"))
        }
        BackupError::Store(OpenError::Unwritable { .. }) => Fault::new(Exit::DataDir, error),
        error => Fault::failed(error),
    }
}

const AS_IT_WAS: &str = "Nothing has changed";

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
    pub fn listen(dir: &Path, copies: Copies) -> Option<Self> {
        let socket = dir.join(SOCKET);
        let listening = listen(&socket).inspect_err(|error| {
            let socket = socket.display();
            tracing::warn!(%socket, %error, "`paifang backup` and `paifang restore` work only while this process does not run");
        });
        let task = tokio::spawn(serve(listening.ok()?, copies));
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

/// One at a time.
async fn serve(listener: UnixListener, copies: Copies) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Who asked is gone; what was asked for is done, or was refused.
                let _ = answer(stream, &copies).await;
            }
            Err(error) => {
                tracing::warn!(%error, "a request for a copy was not accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, copies: &Copies) -> io::Result<()> {
    let mut asked = Vec::new();
    let read = timeout(ASKING, (&mut stream).take(WORDS).read_to_end(&mut asked)).await;
    read.map_err(|_| io::ErrorKind::TimedOut)??;
    let done = match asked.strip_prefix(RESTORE) {
        Some(name) => put_back(copies, file(name)).await,
        None => copy(copies, file(&asked)).await,
    };
    let answer = match done {
        Ok(revision) => format!("+{revision}"),
        Err(fault) => format!("-{} {}", fault.exit.code(), fault.message()),
    };
    timeout(ASKING, stream.write_all(answer.as_bytes())).await.map_err(|_| io::ErrorKind::TimedOut)?
}

fn file(name: &[u8]) -> PathBuf {
    OsString::from_vec(name.to_vec()).into()
}

async fn copy(copies: &Copies, to: PathBuf) -> Result<u64, Fault> {
    let store = copies.store().clone();
    Ok(blocking(move || store.backup(&to)).await??)
}

async fn put_back(copies: &Copies, from: PathBuf) -> Result<u64, Fault> {
    let restored = copies.restore(from.clone()).await;
    let revision = restored.map_err(|error| not_restored(&error))?;
    tracing::info!(file = %from.display(), revision, "restored");
    Ok(revision)
}
