//! Which certificate a handshake shows.

use crate::signing::Keys;
use model::Certificate;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;

/// Asks for a certificate by server name, and keeps keys parsed.
pub(crate) struct Resolver<F> {
    find: F,
    keys: Keys,
}

impl<F> Resolver<F> {
    pub(crate) fn new(find: F) -> Self {
        Self { find, keys: Keys::default() }
    }
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
