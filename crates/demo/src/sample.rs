//! One sample backend by itself, on a socket of its own.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{DRAIN, hello, httpbin, listen, serve, sockets};

/// What it answers like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sample {
    /// The httpbin endpoints.
    Httpbin,
    /// `Hello version: VERSION, instance: INSTANCE` on `/hello`, as Istio's helloworld says it; 200 on `/health`, 404 elsewhere.
    Hello { version: String, instance: String },
    /// Each line comes back after this word and a space, as from Istio's tcp-echo.
    TcpEcho { prefix: String },
}

/// A sample that answers. Dropping it ends it at once.
#[derive(Debug)]
pub struct Answering {
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

// === impl Sample ===

impl Sample {
    /// Answers at `address`; port 0 lets the system choose.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub async fn start(self, address: SocketAddr) -> io::Result<Answering> {
        let listener = listen(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = match self {
            Self::Httpbin => tokio::spawn(serve::http(listener, httpbin::router(), stopped)),
            Self::Hello { version, instance } => tokio::spawn(serve::http(listener, hello::helloworld(&version, &instance), stopped)),
            Self::TcpEcho { prefix } => tokio::spawn(sockets::lines(listener, prefix, stopped)),
        };
        Ok(Answering { address, stop, task: Some(task) })
    }
}

// === impl Answering ===

impl Answering {
    /// Takes no new connection, lets answers under way finish for up to two seconds, then ends.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = &mut self.task {
            // Past the deadline it is dropped, which ends what is left.
            let _ = timeout(DRAIN + Duration::from_secs(1), task).await;
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}
