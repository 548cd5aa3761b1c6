//! Opening a connection.

use model::{Egress, Refusal};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpStream;

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    #[error("this address is refused: {0}")]
    Egress(Refusal),
    #[error("the endpoint did not accept a connection")]
    Failed(#[from] io::Error),
    #[error("the endpoint did not accept a connection in time")]
    Timeout,
}

/// The same in a word, as it is remembered of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its address may not be connected to.
    Forbidden,
    /// Nothing listens there.
    Refused,
    /// It did not answer in time.
    Silent,
    /// No way leads there.
    Unreachable,
}

impl Trouble {
    pub(crate) const ALL: [Self; 4] = [Self::Forbidden, Self::Refused, Self::Silent, Self::Unreachable];

    pub fn word(self) -> &'static str {
        match self {
            Self::Forbidden => "Forbidden",
            Self::Refused => "Refused",
            Self::Silent => "Silent",
            Self::Unreachable => "Unreachable",
        }
    }
}

impl From<&ConnectError> for Trouble {
    fn from(error: &ConnectError) -> Self {
        match error {
            ConnectError::Egress(_) => Self::Forbidden,
            ConnectError::Timeout => Self::Silent,
            ConnectError::Failed(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Self::Refused,
                io::ErrorKind::TimedOut => Self::Silent,
                _ => Self::Unreachable,
            },
        }
    }
}

/// Connects, unless `egress` refuses the address. Small writes are not held back.
pub async fn connect(address: SocketAddr, egress: &Egress, limit: Duration) -> Result<TcpStream, ConnectError> {
    egress.check(address).map_err(ConnectError::Egress)?;
    let stream = tokio::time::timeout(limit, TcpStream::connect(address)).await.map_err(|_| ConnectError::Timeout)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
