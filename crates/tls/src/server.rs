//! The server side of handshakes: one configuration for each policy that hosts of a port have.

use crate::client::{AnyClient, ClientVerifier};
use crate::resolver::Resolver;
use model::{Certificate, ClientAuth, ClientTrust, ContentHash, TlsPolicy, TlsVersions};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, ServerConfig};
use rustls::version::{TLS12, TLS13};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

pub(crate) static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

/// Why there is no TLS at all: the library could not set itself up.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct ServerConfigError(#[from] rustls::Error);

/// Why a policy cannot be kept, so that its hosts are closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("none of the certificate authorities in {0} can be read, so no client is let in")]
    NoAuthority(model::Text),
    #[error("a revocation list in {0} cannot be read, so no client is let in")]
    RevocationList(model::Text),
    #[error("TLS cannot be set up: {0}")]
    Library(String),
}

/// What is sent through a connection once TLS is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carries {
    /// HTTP/1.1; a client that speaks only other protocols is refused (RFC 7301 3.2).
    Http,
    /// Something we do not know: no protocol is negotiated.
    Octets,
}

/// The handshakes of one port. Sessions are resumed under the policy they were made under, and no other.
///
/// **Invariant:** configurations of different policies share no ticket keys.
pub struct Server {
    resolver: Arc<dyn ResolvesServerCert>,
    /// For hosts that demand nothing.
    plain: Arc<ServerConfig>,
    made: Mutex<Made>,
}

/// One configuration for each content a policy has, kept as long as what its clients are checked against is in use.
#[derive(Default)]
struct Made {
    /// What a trust's content is, by its address, which the weak reference keeps from meaning another one.
    known: HashMap<usize, (Weak<ClientTrust>, ContentHash)>,
    /// Without a trust, clients are checked against nothing: of these there are only so many.
    configs: HashMap<(Demand, Option<ContentHash>), Result<Arc<ServerConfig>, PolicyError>>,
}

/// A policy but for its trust, and what is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Demand {
    client: Client,
    versions: TlsVersions,
    carries: Carries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    None,
    Optional,
    Required,
    Unverified,
}

/// Whether a policy can be kept.
pub fn check(policy: &TlsPolicy) -> Result<(), PolicyError> {
    match &policy.client {
        ClientAuth::None | ClientAuth::Unverified => Ok(()),
        ClientAuth::Optional(trust) | ClientAuth::Required(trust) => ClientVerifier::new(trust, Necessity::Required).map(drop),
    }
}

/// Whether a client may come without a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Necessity {
    Optional,
    Required,
}

// === impl Server ===

impl Server {
    /// `find` is asked at every full handshake for the certificate of a server name (lower case, without trailing dot; `None`: the client sent
    /// none), and answers from the newest routes. Its `None` ends the handshake with `access_denied`.
    ///
    /// A signature is made where the handshake is polled: some 25 µs with ECDSA P-256, 300 to 600 µs with RSA 2048 on the reference machine.
    /// That is why self-signed certificates here are P-256, and why the proxy runs handshakes on threads of their own.
    pub fn new<F>(find: F) -> Result<Arc<Self>, ServerConfigError>
    where
        F: Fn(Option<&str>) -> Option<Arc<Certificate>> + Send + Sync + 'static,
    {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(Resolver::new(find));
        let plain = Demand { client: Client::None, versions: TlsVersions::Both, carries: Carries::Http };
        let plain = plain.config(None, &resolver)?;
        Ok(Arc::new(Self { resolver, plain, made: Mutex::default() }))
    }

    /// The configuration for hosts of this policy. Made when first asked for, which takes up to milliseconds: not to be asked on a worker.
    pub fn config(&self, policy: &TlsPolicy, carries: Carries) -> Result<Arc<ServerConfig>, PolicyError> {
        let (demand, trust) = Demand::of(policy, carries);
        if demand == (Demand { client: Client::None, versions: TlsVersions::Both, carries: Carries::Http }) {
            return Ok(self.plain.clone());
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (demand, trust.map(|trust| made.content(trust)));
        if let Some(config) = made.configs.get(&key) {
            return config.clone();
        }
        let config = verifier(&policy.client).and_then(|verifier| {
            demand.config(verifier, &self.resolver).map_err(|ServerConfigError(error)| PolicyError::Library(error.to_string()))
        });
        made.configs.insert(key, config.clone());
        config
    }

    #[cfg(test)]
    pub(crate) fn made(&self) -> usize {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).configs.len()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

// === impl Made ===

impl Made {
    /// The hash of a trust's content, reckoned once for each.
    fn content(&mut self, trust: &Arc<ClientTrust>) -> ContentHash {
        let address = Arc::as_ptr(trust).addr();
        if let Some((_, content)) = self.known.get(&address) {
            return *content;
        }
        if self.known.len() == self.known.capacity() {
            self.known.retain(|_, (trust, _)| trust.strong_count() > 0);
            let used: HashSet<ContentHash> = self.known.values().map(|(_, content)| *content).collect();
            self.configs.retain(|(_, content), _| content.is_none_or(|content| used.contains(&content)));
        }
        let content = ContentHash::of(&**trust);
        self.known.insert(address, (Arc::downgrade(trust), content));
        content
    }
}

/// `None`: clients are not asked for a certificate.
fn verifier(client: &ClientAuth) -> Result<Option<Arc<dyn ClientCertVerifier>>, PolicyError> {
    Ok(match client {
        ClientAuth::None => None,
        ClientAuth::Optional(trust) => Some(Arc::new(ClientVerifier::new(trust, Necessity::Optional)?)),
        ClientAuth::Required(trust) => Some(Arc::new(ClientVerifier::new(trust, Necessity::Required)?)),
        ClientAuth::Unverified => Some(Arc::new(AnyClient)),
    })
}

// === impl Demand ===

impl Demand {
    fn of(policy: &TlsPolicy, carries: Carries) -> (Self, Option<&Arc<ClientTrust>>) {
        let (client, trust) = match &policy.client {
            ClientAuth::None => (Client::None, None),
            ClientAuth::Optional(trust) => (Client::Optional, Some(trust)),
            ClientAuth::Required(trust) => (Client::Required, Some(trust)),
            ClientAuth::Unverified => (Client::Unverified, None),
        };
        (Self { client, versions: policy.versions, carries }, trust)
    }

    fn config(
        self,
        verifier: Option<Arc<dyn ClientCertVerifier>>,
        resolver: &Arc<dyn ResolvesServerCert>,
    ) -> Result<Arc<ServerConfig>, ServerConfigError> {
        let versions: &[_] = match self.versions {
            TlsVersions::Both => &[&TLS13, &TLS12],
            TlsVersions::Only12 => &[&TLS12],
            TlsVersions::Only13 => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_provider(PROVIDER.clone()).with_protocol_versions(versions)?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(resolver.clone());
        config.alpn_protocols = match self.carries {
            Carries::Http => vec![b"http/1.1".to_vec()],
            Carries::Octets => Vec::new(),
        };
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // One ticket is what a keep-alive client can use; the library's default is two.
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }
}

#[cfg(test)]
pub(crate) mod tests;
