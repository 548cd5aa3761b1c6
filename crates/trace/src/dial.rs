//! A connection to a collector.

use model::{Collector, CollectorProtocol, Egress, Scheme};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// For one address to accept.
const ACCEPT: Duration = Duration::from_secs(3);

pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Connects to the first of its addresses that accepts, and that no rule refuses.
pub(crate) async fn dial(collector: &Collector, egress: &Egress) -> Result<Box<dyn Io>, String> {
    let addresses = lookup_host((collector.host.as_str(), collector.port)).await;
    let mut why = "it has no address".to_owned();
    for address in addresses.map_err(|error| format!("its address is not known: {error}"))? {
        if let Err(refusal) = egress.check(address) {
            why = format!("{address} is not connected to: {refusal}");
            continue;
        }
        match timeout(ACCEPT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A batch is written whole: nothing is gained by waiting for more.
                let _ = stream.set_nodelay(true);
                return secured(collector, stream).await;
            }
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => why = format!("{address} does not answer"),
        }
    }
    Err(why)
}

async fn secured(collector: &Collector, stream: TcpStream) -> Result<Box<dyn Io>, String> {
    if collector.scheme == Scheme::Http {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(collector.host.to_string()).map_err(|error| error.to_string())?;
    let protocol = match collector.protocol {
        CollectorProtocol::Grpc => "h2",
        CollectorProtocol::Http(_) => "http/1.1",
    };
    // They are files.
    let roots = tokio::task::spawn_blocking(authorities).await.map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    Ok(Box::new(stream.map_err(|error| format!("no TLS with it: {error}"))?))
}

/// Those of this machine, or of `SSL_CERT_FILE`.
fn authorities() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}
