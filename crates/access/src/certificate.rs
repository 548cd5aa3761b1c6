//! What a certificate says of itself.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// A certificate as a handshake showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// DNS names and addresses; the common name where there are none.
    pub names: Vec<String>,
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
    pub issuer: String,
    pub is_self_signed: bool,
}

// === impl Shown ===

impl Shown {
    /// `None`: it cannot be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let mut names = Vec::new();
        if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
            names.extend(alternative.value.general_names.iter().filter_map(|it| match it {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                GeneralName::IPAddress(octets) => address(octets),
                _ => None,
            }));
        }
        if names.is_empty() {
            names.extend(certificate.subject().iter_common_name().filter_map(|it| it.as_str().ok()).map(str::to_ascii_lowercase));
        }
        Some(Self {
            names,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            issuer: certificate.issuer().to_string(),
            is_self_signed: certificate.issuer() == certificate.subject(),
        })
    }

    /// Whether it is for this host: a `*` stands for one label.
    pub fn covers(&self, host: &str) -> bool {
        let covers = |name: &String| match name.strip_prefix("*.") {
            Some(suffix) => host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == suffix),
            None => name == host,
        };
        self.names.iter().any(covers)
    }
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(std::net::IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(std::net::IpAddr::from)).ok().map(|it| it.to_string())
}

/// Of `tls.crt` as a Secret has it, in Base64: whether its first certificate was signed by nobody but itself.
pub(crate) fn is_self_signed(encoded: &str) -> bool {
    let pem = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded.trim()).unwrap_or_default();
    let first = CertificateDer::pem_slice_iter(&pem).next().and_then(Result::ok);
    first.and_then(|it| Shown::read(&it)).is_some_and(|it| it.is_self_signed)
}
