//! What a TLS handshake demands.

use crate::Text;
use serde::Serialize;
use std::sync::Arc;

/// What a host demands of those who connect.
///
/// **Invariant:** a request is answered only over a connection that was made under its host's own policy; else 421.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct TlsPolicy {
    pub client: ClientAuth,
    pub versions: TlsVersions,
}

/// Whether clients must show a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum ClientAuth {
    #[default]
    None,
    /// Asked for; one that is shown must be good.
    Optional(Arc<ClientTrust>),
    Required(Arc<ClientTrust>),
    /// Asked for, whatever it is (Gateway API `AllowInsecureFallback`, Istio `insecureSkipVerify`).
    Unverified,
}

/// Which client certificates are good.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ClientTrust {
    /// Where it came from, for logs and `explain`: `Secret istio-system/httpbin-credential-cacert`.
    pub origin: Text,
    /// Authorities, DER.
    #[serde(skip)]
    pub authorities: Vec<Vec<u8>>,
    /// Revocation lists, DER.
    #[serde(skip)]
    pub revoked: Vec<Vec<u8>>,
    /// One of the certificate's subject alternative names must be one of these; empty: any. A `*` first or last stands for the rest.
    pub names: Vec<Text>,
    /// SHA-256 of the certificate's public key or of the whole certificate: one of them must fit; empty: any.
    pub pins: Vec<Pin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Pin {
    PublicKey([u8; 32]),
    Certificate([u8; 32]),
}

/// Versions that are spoken, 1.2 and 1.3 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum TlsVersions {
    #[default]
    Both,
    Only12,
    Only13,
}
