//! A TLS client that takes any certificate: which one is shown is `model.yaml`'s to say.

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use testkit::PATIENCE;
use testkit::client::Connection;

/// A session with `host` as server name.
pub fn open(to: SocketAddr, host: &str) -> Connection<StreamOwned<ClientConnection, TcpStream>> {
    let config = tls::unjudged(&[]).expect("a client");
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let stream = TcpStream::connect(to).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    Connection::over(StreamOwned::new(session, stream))
}
