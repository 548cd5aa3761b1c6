//! Why the program ends otherwise than asked, in one line, with its exit code.

use cli::Exit;
use control::PrepareError;
use std::fmt;
use std::io;

#[derive(Debug)]
pub struct Fault {
    pub exit: Exit,
    error: anyhow::Error,
}

// === impl Fault ===

impl Fault {
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, error: anyhow::anyhow!("{message}") }
    }

    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub fn cannot_listen(message: impl fmt::Display) -> Self {
        Self::new(Exit::CannotListen, message)
    }

    /// Whether nobody reads any more what is printed: no failure, as with `| head`.
    pub fn is_unread(&self) -> bool {
        self.error.chain().filter_map(|it| it.downcast_ref::<io::Error>()).any(|it| it.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The whole chain of causes in one line.
    pub fn message(&self) -> String {
        let mut message = String::new();
        for cause in self.error.chain() {
            let cause = cause.to_string();
            // Many errors repeat their cause in their own text.
            if !message.contains(&cause) {
                message.push_str(if message.is_empty() { "" } else { ": " });
                message.push_str(&cause);
            }
        }
        message.replace('\n', " ")
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Exit::Failed, error }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self { exit: Exit::Failed, error: error.into() }
    }
}

impl From<PrepareError> for Fault {
    fn from(error: PrepareError) -> Self {
        let exit = if matches!(error, PrepareError::Socket(_)) { Exit::CannotListen } else { Exit::Failed };
        Self { exit, error: error.into() }
    }
}

impl From<store::OpenError> for Fault {
    fn from(error: store::OpenError) -> Self {
        use store::OpenError;
        let (exit, remedy) = match &error {
            OpenError::InUse { .. } => (Exit::DataDir, "; stop it, or choose another --data-dir"),
            OpenError::Unwritable { .. } => (Exit::DataDir, "; choose another --data-dir"),
            OpenError::Corrupt { .. } => (Exit::DataDir, "; restore a copy of it, or choose another --data-dir"),
            OpenError::NewerVersion { .. } => {
                (Exit::NewerData, "; use that version, restore a backup that this one made, or choose another --data-dir")
            }
            OpenError::Thread { .. } => (Exit::Failed, ""),
        };
        Self::new(exit, format!("{error}{remedy}"))
    }
}

impl From<apiserver::StartError> for Fault {
    fn from(error: apiserver::StartError) -> Self {
        use apiserver::StartError;
        match &error {
            StartError::Bind { address, source } => {
                let why =
                    if source.kind() == io::ErrorKind::AddrInUse { "is taken by another program".to_owned() } else { source.to_string() };
                Self::cannot_listen(format!(
                    "the API address {address}: port {} {why}; stop that program, or choose another --api-address",
                    address.port()
                ))
            }
            StartError::Kubeconfig { .. } | StartError::Pki { .. } | StartError::Audit { .. } => Self::new(Exit::DataDir, error),
            StartError::Tls { .. } | StartError::Login { .. } | StartError::Store(_) => Self::failed(error),
        }
    }
}
