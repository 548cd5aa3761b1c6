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

// === impl TlsPolicy ===

impl TlsPolicy {
    /// What keeps both. `None`: nothing does, because clients that are good to one are not to the other.
    pub fn both(&self, other: &Self) -> Option<Self> {
        let versions = match (self.versions, other.versions) {
            (TlsVersions::Both, versions) | (versions, TlsVersions::Both) => versions,
            (one, other) if one == other => one,
            _ => return None,
        };
        Some(Self { client: self.client.both(&other.client)?, versions })
    }
}

// === impl ClientAuth ===

impl ClientAuth {
    fn both(&self, other: &Self) -> Option<Self> {
        let (one, trust) = match (self, other) {
            (Self::None, any) | (any, Self::None) | (Self::Unverified, any) | (any, Self::Unverified) => return Some(any.clone()),
            (Self::Optional(one) | Self::Required(one), Self::Optional(other) | Self::Required(other)) => (one, other),
        };
        let strict = if matches!(self, Self::Required(_)) { self } else { other };
        one.is_as(trust).then(|| strict.clone())
    }
}

// === impl ClientTrust ===

impl ClientTrust {
    /// Whether the same certificates are good, wherever it came from.
    fn is_as(&self, other: &Self) -> bool {
        let Self { origin: _, authorities, revoked, names, pins } = self;
        (authorities, revoked, names, pins) == (&other.authorities, &other.revoked, &other.names, &other.pins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(origin: &str, authority: u8) -> Arc<ClientTrust> {
        let origin = origin.into();
        Arc::new(ClientTrust { origin, authorities: vec![vec![authority]], revoked: Vec::new(), names: Vec::new(), pins: Vec::new() })
    }

    #[test]
    fn of_two_demands_the_stricter_counts_unless_they_trust_others() {
        use ClientAuth::{None, Optional, Required, Unverified};
        let (a, same, b) = (trust("a", 1), trust("same", 1), trust("b", 2));
        for (one, other, expect) in [
            (None, None, Some(None)),
            (None, Unverified, Some(Unverified)),
            (Unverified, Optional(a.clone()), Some(Optional(a.clone()))),
            (Optional(a.clone()), Required(same.clone()), Some(Required(same.clone()))),
            (Required(a.clone()), Required(same), Some(Required(a.clone()))),
            (Required(a.clone()), Required(b.clone()), Option::None),
            (Optional(a), Required(b), Option::None),
        ] {
            let policy = |client: &ClientAuth| TlsPolicy { client: client.clone(), versions: TlsVersions::Both };
            for (one, other) in [(&one, &other), (&other, &one)] {
                let both = policy(one).both(&policy(other)).map(|it| std::mem::discriminant(&it.client));
                assert_eq!(both, expect.as_ref().map(std::mem::discriminant), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn versions_narrow_and_may_leave_none() {
        use TlsVersions::{Both, Only12, Only13};
        for (one, other, expect) in [(Both, Only13, Some(Only13)), (Only12, Only12, Some(Only12)), (Only12, Only13, None)] {
            let policy = |versions| TlsPolicy { client: ClientAuth::None, versions };
            assert_eq!(policy(one).both(&policy(other)).map(|it| it.versions), expect);
        }
    }
}
