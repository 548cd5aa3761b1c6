//! What is tried on the way: a connection, and a handshake. Never a request.

use crate::certificate::Shown;
use rustls_pki_types::ServerName;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How trying to connect went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connected {
    Open,
    /// Nothing listens there.
    Refused,
    /// Nobody says anything.
    Silent,
    /// No way leads there, or something else is in the way.
    Failed(String),
}

/// How a handshake went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shaken {
    Shown(Shown),
    /// The other side ends it.
    Refused(String),
    /// It does not speak TLS.
    NotTls,
    Silent,
    Failed(String),
}

pub(crate) async fn connect(to: SocketAddr, patience: Duration) -> Connected {
    match tokio::time::timeout(patience, TcpStream::connect(to)).await {
        Ok(Ok(_)) => Connected::Open,
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Connected::Refused,
        Ok(Err(error)) if error.kind() == ErrorKind::TimedOut => Connected::Silent,
        Ok(Err(error)) => Connected::Failed(error.to_string()),
        Err(_) => Connected::Silent,
    }
}

/// Shakes hands as a client of `host`, looks at the certificate, and leaves.
pub(crate) async fn handshake(to: SocketAddr, host: &str, patience: Duration) -> Shaken {
    let Ok(name) = ServerName::try_from(host.to_owned()) else { return Shaken::Failed(format!("`{host}` is no name for a certificate")) };
    // Nothing is ever sent over it.
    let config = match tls::unjudged(&["h2", "http/1.1"]) {
        Ok(config) => config,
        Err(error) => return Shaken::Failed(error.to_string()),
    };
    let shaking = async {
        let stream = TcpStream::connect(to).await?;
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await
    };
    match tokio::time::timeout(patience, shaking).await {
        Err(_) => Shaken::Silent,
        Ok(Ok(stream)) => {
            let first = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            match first.and_then(|it| Shown::read(it)) {
                Some(shown) => Shaken::Shown(shown),
                None => Shaken::Failed("the certificate cannot be read".to_owned()),
            }
        }
        Ok(Err(error)) => match error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::AlertReceived(alert)) => Shaken::Refused(format!("{alert:?}")),
            Some(rustls::Error::InvalidMessage(_)) => Shaken::NotTls,
            _ if error.kind() == ErrorKind::UnexpectedEof || error.kind() == ErrorKind::ConnectionReset => {
                Shaken::Refused("the connection is closed".to_owned())
            }
            _ => Shaken::Failed(error.to_string()),
        },
    }
}
