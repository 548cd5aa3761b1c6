//! A port of a pod, through the API server: nothing of the cluster has to be open for it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::Pods;

/// Where a pod's own address is.
pub(super) const ADMIN: u16 = 19_090;
/// Until a port is open.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open port. It arrives on the pod's own loopback.
pub(crate) struct Forward {
    stream: DuplexStream,
    all: Portforwarder,
    _place: OwnedSemaphorePermit,
}

/// Why something is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    /// The console has no right to.
    Forbidden,
    /// The pod is not there any more.
    Gone,
    /// The pod does not answer, and why.
    Silent(String),
}

// === impl Pods ===

impl Pods {
    /// Opens a port of a pod.
    pub(crate) async fn forward(&self, pod: &str, port: u16) -> Result<Forward, Untold> {
        let late = |_| Untold::Silent("its port is not open in time".to_owned());
        let opening = async {
            let place = self.forwards.clone().acquire_owned().await.map_err(|error| Untold::Silent(error.to_string()))?;
            let mut all = Api::<Pod>::namespaced(self.client.clone(), &self.namespace).portforward(pod, &[port]).await?;
            let stream = all.take_stream(port).ok_or_else(|| Untold::Silent("its port cannot be opened".to_owned()))?;
            Ok(Forward { stream, all, _place: place })
        };
        tokio::time::timeout(PATIENCE, opening).await.map_err(late)?
    }
}

// === impl Untold ===

impl Untold {
    /// `None`: the console has no right to.
    pub(crate) fn why(self) -> Option<String> {
        match self {
            Self::Forbidden => None,
            Self::Gone => Some("it is gone".to_owned()),
            Self::Silent(why) => Some(why),
        }
    }
}

impl From<kube::Error> for Untold {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 403 => Self::Forbidden,
            kube::Error::Api(status) if status.code == 404 => Self::Gone,
            error => Self::Silent(error.to_string()),
        }
    }
}

// === impl Forward ===

impl Drop for Forward {
    fn drop(&mut self) {
        self.all.abort();
    }
}

impl AsyncRead for Forward {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Forward {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
