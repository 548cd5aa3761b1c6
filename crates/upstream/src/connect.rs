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

/// Connects, unless `egress` refuses the address. Small writes are not held back.
pub async fn connect(address: SocketAddr, egress: &Egress, limit: Duration) -> Result<TcpStream, ConnectError> {
    egress.check(address).map_err(ConnectError::Egress)?;
    let stream = tokio::time::timeout(limit, TcpStream::connect(address)).await.map_err(|_| ConnectError::Timeout)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
