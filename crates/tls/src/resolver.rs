//! The server side of a handshake.

use crate::signing::Keys;
use model::Certificate;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;

/// Why there is no TLS at all: the library could not set itself up.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct ServerConfigError(#[from] rustls::Error);

/// Asks for a certificate by server name, and keeps keys parsed.
struct Resolver<F> {
    find: F,
    keys: Keys,
}

/// The configuration of a listener's handshakes.
///
/// `find` is asked at every full handshake for the certificate of a server name (lower case, without trailing dot; `None`: the client sent
/// none), and answers from the newest routes. Its `None` ends the handshake with `unrecognized_name`'s general form, `access_denied`.
///
/// A signature is made where the handshake is polled: some 25 µs with ECDSA P-256, 300 to 600 µs with RSA 2048 on the reference machine.
/// That is why self-signed certificates here are P-256, and why the proxy runs handshakes on threads of their own.
pub fn server_config<F>(find: F) -> Result<Arc<ServerConfig>, ServerConfigError>
where
    F: Fn(Option<&str>) -> Option<Arc<Certificate>> + Send + Sync + 'static,
{
    let resolver = Arc::new(Resolver { find, keys: Keys::default() });
    let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // One ticket is what a keep-alive client can use; the library's default is two.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

impl<F: Fn(Option<&str>) -> Option<Arc<Certificate>> + Send + Sync> ResolvesServerCert for Resolver<F> {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        self.keys.get(&(self.find)(name.as_deref())?)
    }
}

impl<F> fmt::Debug for Resolver<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

#[cfg(test)]
mod tests;
