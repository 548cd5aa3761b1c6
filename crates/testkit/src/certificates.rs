//! Certificates for tests, signed by an authority made on the spot.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in both forms.
#[derive(Debug)]
pub struct Issued {
    /// The leaf, then the authority.
    pub chain_pem: String,
    pub key_pem: String,
    /// The leaf, then the authority.
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

// === impl Authority ===

impl Authority {
    /// A new one, with a new key.
    ///
    /// # Panics
    ///
    /// If the system gives no random octets.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named("test authority");
        let key = KeyPair::generate().expect("random octets");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the parameters are complete");
        Self { issuer }
    }

    /// What clients must trust.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// As [`Authority::certificate`], for `curl --cacert`.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// For these names: host names, wildcards or IP addresses.
    ///
    /// # Panics
    ///
    /// If a name is not ASCII.
    pub fn issue(&self, names: &[&str]) -> Issued {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let first = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names).expect("names of hosts");
        params.distinguished_name = named(&first);
        let key = KeyPair::generate().expect("random octets");
        let leaf = params.signed_by(&key, &*self.issuer).expect("the parameters are complete");
        Issued {
            chain_pem: leaf.pem() + &self.certificate_pem(),
            key_pem: key.serialize_pem(),
            chain: vec![leaf.der().clone(), self.certificate()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
